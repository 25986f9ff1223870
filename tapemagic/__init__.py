"""Reverse-mode autodiff tape for ordinary NumPy cells: see, check and explain gradients.

>>> import numpy as np, tapemagic
>>> w = tapemagic.Variable([1.0, 2.0])
>>> with tapemagic.GradientTape() as tape:
...     loss = np.sum(w ** 2)
>>> tape.gradient(loss, w)
array([2., 4.])
"""

from .autodiff.cuts import checkpoint, custom_gradient, stop_gradient
from .autodiff.derivatives import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .autodiff.tape import GradientTape
from .autodiff.variable import Variable

__version__ = "0.1.0"

__all__ = [
    "GradientTape",
    "Variable",
    "checkpoint",
    "custom_gradient",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
