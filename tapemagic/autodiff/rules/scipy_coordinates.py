"""Images of `scipy.ndimage` at places between their elements. Imported with its rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from .algebra import as_array, is_live, plain, with_value
from .carrying import carried, unsupported
from .multilinear import between_corners


def _mirrored(places: Any, n: int, twice: int) -> Any:
    """Go back and forth; `twice` says how often the last element comes at a turn."""
    period = max(2 * n - 2 + 2 * (twice - 1), 1)
    places = places % period
    return np.where(places < n, places, period - places - (twice - 1))


#: Way to go on beyond the edge -> the element that is at a place, of so many.
_FOLDS: dict[str, Callable] = {
    "constant": lambda places, n: np.clip(places, 0, n - 1),
    "nearest": lambda places, n: np.clip(places, 0, n - 1),
    "mirror": lambda places, n: _mirrored(places, n, 1),
    "reflect": lambda places, n: _mirrored(places, n, 2),
    "grid-mirror": lambda places, n: _mirrored(places, n, 2),
    "grid-wrap": lambda places, n: places % n,
}


@carried(ndimage.map_coordinates, "input", "coordinates")
def _map_coordinates(
    x: Any, coordinates: Any, output: Any = None, order: int = 3, mode: str = "constant",
    cval: Any = 0.0, prefilter: bool = True,
) -> Any:  # fmt: skip
    fun = ndimage.map_coordinates
    value = fun(*plain((x, coordinates)), None, order, mode, cval, prefilter)
    if output is not None:
        raise unsupported(fun, "output=", "Bind the result instead, and use astype.")
    if order > 1:
        raise unsupported(fun, f"order={order}", "Use order=1, between the nearest elements.")
    if mode not in _FOLDS:
        raise unsupported(fun, f"mode={mode!r}", "Use mode='nearest' or 'grid-wrap'.")
    x, coordinates = as_array(x), as_array(coordinates)
    lengths = [max(n, 2) for n in x.shape]

    def fold(places: Any, axis: int) -> Any:
        return _FOLDS[mode](places, x.shape[axis])

    if order == 0:
        nearest = np.floor(coordinates + 0.5).astype(int)
        y = x[tuple(fold(places, axis) for axis, places in enumerate(nearest))]
    else:
        firsts = [
            np.where(q == n - 1, n - 2, np.floor(q)).astype(int)
            for q, n in zip(coordinates, lengths, strict=True)
        ]
        y = between_corners(x, firsts, [q - k for q, k in zip(coordinates, firsts)], fold)
    if mode == "constant":
        lasts = np.reshape(np.subtract(x.shape, 1), (-1, *[1] * (coordinates.ndim - 1)))
        inside = np.all((coordinates >= 0) & (coordinates <= lasts), axis=0)
        y = np.where(inside, y, cval)
    return with_value(y, value) if is_live(y) else value
