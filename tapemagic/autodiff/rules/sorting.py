"""Sorting, order statistics and sets.

A sorted array has the elements of the other in another place: the adjoint puts the cotangents back.
Equal elements keep their order (a stable sort). Order statistics (median, quantiles) are weighted
sums of sorted elements; NumPy itself is asked for the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, constant, general

from .algebra import as_array, decide, is_complex, plain
from .gathering import gather

# --------------------------------------------------------------------------------------- sorting


def stable_order(x: Any, axis: int) -> np.ndarray:
    """Return the order of the elements, in which equal ones keep theirs.

    An order that need not be stable takes NumPy a fifth of the time, and without ties it is the
    same.
    """
    order = np.argsort(x, axis=axis)
    ordered = np.moveaxis(np.take_along_axis(x, order, axis), axis, -1)
    if np.all(ordered[..., 1:] > ordered[..., :-1]):  # and none is nan
        return order
    return np.argsort(x, axis=axis, kind="stable")


def _rearranged(ct: Any, y: Any, x: Any, axis: Any) -> Any:
    """Put back the cotangents of a rearrangement `y` of `x`: the k-th smallest goes to its like."""
    places = decide(_places_in, y, x, axis)
    if axis is None:
        ct, axis = np.reshape(ct, -1), 0
    return np.reshape(np.take_along_axis(ct, places, axis), x.shape)


def _places_in(y: Any, x: Any, axis: Any) -> Any:
    """Return where each element of `x` is in its rearrangement `y`."""
    if axis is None:
        y, x, axis = np.ravel(y), np.ravel(x), 0
    back = np.argsort(stable_order(x, axis), axis=axis)
    if np.all(np.diff(y, axis=axis) >= 0):  # as `np.sort` leaves it
        return back
    return np.take_along_axis(stable_order(y, axis), back, axis)


general(
    np.sort,
    lambda ct, y, a, axis=-1, kind=None, order=None, *, stable=None, descending=False: _rearranged(
        ct, y, a, axis
    ),
    kind="linear",
)  # fmt: skip
general(
    np.partition,
    lambda ct, y, a, kth, axis=-1, kind="introselect", order=None: _rearranged(ct, y, a, axis),
    kind="linear",
)  # fmt: skip


@composite(np.sort_complex)
def _sort_complex(a: Any) -> Any:
    y = np.sort(as_array(a))
    return y if is_complex(y) else y.astype(np.sort_complex(plain(a)).dtype)


# ------------------------------------------------------------------------------------------ sets


def _first_places(x: Any, values: Any, **options: Any) -> Any:
    """Return where in the flat `x` each of its distinct values occurs first, counted from 1."""
    first = np.unique(x, return_index=True, **options)[1]
    return 1 + first[np.argsort(np.argsort(values, kind="stable"), kind="stable")]


@composite(np.unique)
def _unique(
    ar: Any, return_index: Any = False, return_inverse: Any = False,
    return_counts: Any = False, axis: Any = None, **options: Any,
) -> Any:  # fmt: skip
    x = plain(ar)
    find: Any = np.unique
    found = find(x, return_index, return_inverse, return_counts, axis, **options)
    values, rest = (found[0], found[1:]) if isinstance(found, tuple) else (found, ())
    if axis is not None:
        numbers = np.unique(x, return_index=True, axis=axis)[1]
        y = np.take(ar, numbers, axis)
    else:
        options.pop("sorted", None)
        y = gather(np.ravel(ar), _first_places(x, values, **options))
    return (y, *rest) if rest else y


def _unique_record(fun: Any) -> None:
    @composite(fun)
    def body(x: Any) -> Any:
        found = fun(plain(x))
        values = found if isinstance(found, np.ndarray) else found[0]
        y = gather(np.ravel(x), _first_places(plain(x), values, equal_nan=False))
        return y if isinstance(found, np.ndarray) else type(found)(y, *found[1:])


for _fun in (np.unique_values, np.unique_counts, np.unique_inverse, np.unique_all):
    _unique_record(_fun)


@composite(np.union1d)
def _union1d(ar1: Any, ar2: Any) -> Any:
    return np.unique(np.concatenate((ar1, ar2), axis=None))


@composite(np.intersect1d)
def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    found = np.intersect1d(plain(ar1), plain(ar2), assume_unique, True)
    y = np.take(np.ravel(as_array(ar1)), found[1])
    y = y if plain(y).dtype == found[0].dtype else y.astype(found[0].dtype)
    return (y, *found[1:]) if return_indices else y


@composite(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ar1 = np.ravel(as_array(ar1)) if assume_unique else np.unique(as_array(ar1))
    return ar1[~np.isin(plain(ar1), plain(ar2), assume_unique=True)]


@composite(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    if not assume_unique:
        ar1, ar2 = np.unique(as_array(ar1)), np.unique(as_array(ar2))
    both = np.sort(np.concatenate((ar1, ar2), axis=None))
    value = plain(both)
    differs = np.concatenate(([True], value[1:] != value[:-1], [True])) if value.size else value
    return both[differs[1:] & differs[:-1]] if value.size else both


constant(
    np.argsort, np.argpartition, np.lexsort, np.searchsorted, np.digitize, np.isin,
)  # fmt: skip
