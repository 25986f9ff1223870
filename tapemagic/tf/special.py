"""Functions of `scipy.special` under the names that they have in `tf.math`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import is_traced, plain

from . import advice
from .choices import scipys_own
from .conversion import check_kind, floats, match
from .refusals import declaring, in_words
from .tensor import Tensor, dtype_of, tensor_of

#: TensorFlow name -> SciPy name; of one argument, or of several.
_ONE = {
    "lgamma": "gammaln", "digamma": "digamma", "erfinv": "erfinv", "erfcinv": "erfcinv",
    "ndtri": "ndtri", "bessel_i0": "i0", "bessel_i0e": "i0e", "bessel_i1": "i1",
    "bessel_i1e": "i1e",
}  # fmt: skip
#: Those that only `tf.math.special` has.
_SPECIAL = {
    "dawsn": "dawsn", "expint": "expi", "spence": "spence", "bessel_j0": "j0", "bessel_j1": "j1",
    "bessel_k0": "k0", "bessel_k0e": "k0e", "bessel_k1": "k1", "bessel_k1e": "k1e",
    "bessel_y0": "y0", "bessel_y1": "y1",
}  # fmt: skip
_SEVERAL = {"igamma": "gammainc", "igammac": "gammaincc", "betainc": "betainc"}


def _of_one(name: str, scipys: str) -> Callable:
    def function(x: Any, name: str | None = None) -> Tensor:
        x = floats(x, function.__name__)
        return tensor_of(scipys_own("special", scipys, x).astype(dtype_of(x)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `scipy.special.{scipys}`; of every element."
    return function


def _of_several(name: str, scipys: str) -> Callable:
    def function(*args: Any, name: str | None = None) -> Tensor:
        args = match(args, function.__name__)
        tensor = next(filter(is_traced, args))
        check_kind(tensor, "f", function.__name__)
        return tensor_of(scipys_own("special", scipys, *args).astype(dtype_of(tensor)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `scipy.special.{scipys}`: a derivative by the last argument only."
    return in_words(function)


#: TensorFlow name -> function; `tf.math` takes them from here.
FUNCTIONS: dict[str, Callable] = {name: _of_one(name, scipys) for name, scipys in _ONE.items()}
FUNCTIONS.update((name, _of_several(name, scipys)) for name, scipys in _SEVERAL.items())


_declare = declaring(FUNCTIONS)


@_declare
def polygamma(a: Any, x: Any, name: str | None = None) -> Tensor:
    """Return derivatives of `digamma`, of the orders `a`, which are whole numbers."""
    x = floats(x, "polygamma")
    orders = np.asarray(plain(a)).astype(int)
    return tensor_of(scipys_own("special", "polygamma", orders, x).astype(dtype_of(x)))


@_declare
def lbeta(x: Any, name: str | None = None) -> Tensor:
    """Return the logarithm of the Beta function of the last axis."""
    lgamma = FUNCTIONS["lgamma"]
    x = floats(x, "lbeta")
    return tensor_of(np.sum(lgamma(x), axis=-1) - lgamma(np.sum(x, axis=-1)))


#: `tf.math.special`.
special = advice.Names(
    "tf.math.special",
    **{name: FUNCTIONS[name] for name in _ONE if name.startswith("bessel")},
    **{name: _of_one(name, scipys) for name, scipys in _SPECIAL.items()},
)
