"""Reverse-mode autodiff tape for ordinary NumPy cells: see, check and explain gradients.

>>> import numpy as np, tapemagic
>>> w = tapemagic.Variable([1.0, 2.0])
>>> with tapemagic.GradientTape() as tape:
...     loss = np.sum(w ** 2)
>>> tape.gradient(loss, w)
array([2., 4.])
"""

import os

from .autodiff.checking import check_gradient
from .autodiff.checkpoints import checkpoint
from .autodiff.cuts import custom_gradient, stop_gradient
from .autodiff.derivatives import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp
from .autodiff.tape import GradientTape
from .autodiff.variable import Variable

__version__ = "0.1.0"

__all__ = [
    "GradientTape",
    "Variable",
    "check_gradient",
    "checkpoint",
    "custom_gradient",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "load",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]


def load(file: str | os.PathLike[str]) -> object:
    """Read a run that `tape.save` wrote as ``.html`` or ``.json``.

    Returns
    -------
    Graph
        With the same tables and pictures; the arrays themselves are not saved.

    Examples
    --------
    >>> import tempfile, tapemagic
    >>> w = tapemagic.Variable(2.0)
    >>> with tapemagic.GradientTape() as tape:
    ...     loss = w * w
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tape.save(f"{folder}/run.json")
    ...     len(tapemagic.load(f"{folder}/run.json").nodes)
    2
    """
    from .display.saving import load as load_graph

    return load_graph(file)


def load_ipython_extension(shell: object) -> None:
    """Make `%%tape` known to an IPython shell: `%load_ext tapemagic`."""
    from .notebook.loading import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Take back everything that `%load_ext tapemagic` has done."""
    from .notebook.loading import unload

    unload(shell)
