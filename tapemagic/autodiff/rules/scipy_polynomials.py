"""Orthogonal polynomials of `scipy.special`, by degree, parameters and place.

The derivative of one is one of a degree less, of the same family or of another ([A] 22.5, 22.8; see
`scipy_special.py`). The degree and the parameters have no derivative here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

#: The derivative by x, given the degree n, the degree below it and what else the function takes.
#: Of integers, which may be small or have no sign, 1.0 and 2.0 make floats.
_SLOPES: dict[Any, Any] = {
    special.eval_jacobi: lambda n, below, a, b, x: (
        (1.0 * n + a + b + 1) / 2 * special.eval_jacobi(below, a + 1.0, b + 1.0, x)
    ),
    special.eval_gegenbauer: lambda n, below, a, x: (
        2.0 * a * special.eval_gegenbauer(below, a + 1.0, x)
    ),
    special.eval_legendre: lambda n, below, x: (
        (n + 1.0) / 2 * special.eval_jacobi(below, 1.0, 1.0, x)
    ),
    special.eval_sh_legendre: lambda n, below, x: (
        (n + 1.0) * special.eval_jacobi(below, 1.0, 1.0, 2 * x - 1)
    ),
    special.eval_chebyt: lambda n, below, x: 1.0 * n * special.eval_chebyu(below, x),
    special.eval_sh_chebyt: lambda n, below, x: 2.0 * n * special.eval_chebyu(below, 2 * x - 1),
    special.eval_chebyu: lambda n, below, x: 2 * special.eval_gegenbauer(below, 2.0, x),
    special.eval_sh_chebyu: lambda n, below, x: 4 * special.eval_gegenbauer(below, 2.0, 2 * x - 1),
    special.eval_hermite: lambda n, below, x: 2.0 * n * special.eval_hermite(below, x),
    special.eval_hermitenorm: lambda n, below, x: 1.0 * n * special.eval_hermitenorm(below, x),
    special.eval_laguerre: lambda n, below, x: -special.eval_genlaguerre(below, 1.0, x),
    special.eval_genlaguerre: lambda n, below, a, x: -special.eval_genlaguerre(below, a + 1.0, x),
}


def _polynomial(fun: Any, slope: Any) -> None:
    def vjp(ct: Any, y: Any, *args: Any) -> Any:
        n, others = np.asarray(args[0]), args[1:]
        below, is_not_0 = np.where(n == 0, 0, n - 1), 1.0 * (n != 0)
        if not n.ndim:  # numbers of Python's read better in a program
            n, below, is_not_0 = n.item(), below.item(), float(is_not_0)
        return ct * conj(is_not_0 * slope(n, below, *others))

    general(fun, *(None,) * (fun.nin - 1), vjp, name=fun.__name__)


for _fun, _slope in _SLOPES.items():
    _polynomial(_fun, _slope)
