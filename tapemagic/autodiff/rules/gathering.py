"""Functions that only pick elements, and the one adjoint that they share.

Such a function is told what it picks by asking it: applied to the numbers 1, 2, 3, ... in place of
the elements, it answers with the place that each element of its result comes from, and 0 where it
filled in something of its own. The adjoint adds every cotangent into the place it came from.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import linear

from .algebra import apply, plain


def places_of(fun: Any, shape: tuple, *args: Any, **kwargs: Any) -> Any:
    """Return where `fun` takes the elements of its result from, counted from 1."""
    size = int(np.prod(shape, dtype=np.int64))
    return fun(np.arange(1, size + 1).reshape(shape), *args, **kwargs)


def _scatter_places(ct: Any, places: Any, shape: tuple) -> Any:
    """Add `ct` into zeros of `shape` at `places` (counted from 1; 0: nowhere)."""
    size = int(np.prod(shape, dtype=np.int64))
    ct = np.asarray(ct)
    if ct.dtype.kind == "c":
        return _scatter_places(ct.real, places, shape) + 1j * _scatter_places(
            ct.imag, places, shape
        )
    if ct.dtype.itemsize > 8:  # bincount works in float64
        total = np.zeros(size + 1, ct.dtype)
        np.add.at(total, places, ct)
    else:
        total = np.bincount(places.ravel(), ct.ravel(), size + 1).astype(ct.dtype, copy=False)
    return total[1:].reshape(shape)


def _gather(x: Any, places: Any) -> Any:
    """Return the elements of `x` at `places` (counted from 1), 0 for place 0."""
    padded = np.zeros(np.size(x) + 1, np.asarray(x).dtype)  # of whatever byte order
    padded[1:] = np.ravel(x)
    return padded[places]


linear(_scatter_places, lambda ct, x, places, shape: apply(_gather, ct, places), name="scatter")
linear(_gather, lambda ct, x, places: apply(_scatter_places, ct, places, x.shape), name="gather")


def scatter(ct: Any, places: Any, shape: tuple) -> Any:
    """Add `ct` into zeros of `shape` at `places`, on traced or plain arrays."""
    return apply(_scatter_places, ct, places, shape)


def gather(x: Any, places: Any) -> Any:
    """Return the elements at `places`, on traced or plain arrays."""
    return apply(_gather, x, places)


def _boxed(x: Any) -> np.ndarray:
    return np.array(x)


linear(_boxed, lambda ct, x: ct, name="array")


def boxed(x: Any) -> Any:
    """Return an array, of a number one without axes: what NumPy's ``asarray`` leaves behind."""
    return x if isinstance(plain(x), np.ndarray) else apply(_boxed, x)


def picking(fun: Any, name: str = "") -> Any:
    """Declare a function of one array, and of options, that only picks elements."""

    def adjoint(ct: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        return scatter(ct, places_of(fun, x.shape, *args, **kwargs), x.shape)

    return linear(fun, adjoint, name=name)


def add_rows(ct: Any, rows: Any, count: int, axis: int) -> Any:
    """Add the slices of `ct` along `axis` into `count` slices, the i-th into ``rows[i]``."""
    shape = (*ct.shape[:axis], count, *ct.shape[axis + 1 :])
    places = places_of(np.take, shape, rows, axis)
    return scatter(ct, places, shape)
