"""Values on regular grids of `scipy.interpolate`. Imported with its rules."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from tapemagic.autodiff.later import OBJECTS, StandIn
from tapemagic.autodiff.twinning import fresh, twin_class, twin_for

from .algebra import as_array, is_live, plain, with_value
from .carrying import constant_argument, unsupported
from .multilinear import between_corners

_GRID = interpolate.RegularGridInterpolator


class Grid(StandIn):
    """Stands for values on a grid, which may be traced."""

    def __init__(self, original: Any, values: Any = None) -> None:
        super().__init__(original)
        self._values = values

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    @property
    def values(self) -> Any:
        """The values, as they were given."""
        return self._original.values if self._values is None else self._values

    def __call__(self, xi: Any, method: Any = None, **options: Any) -> Any:
        """Interpolate at some places."""
        value = self._original(plain(xi), method, **options)
        if self._values is None and not is_live(xi):
            return fresh(value)
        method = method or self._original.method
        if method not in ("linear", "nearest") or options:
            raise unsupported(_GRID, f"method={method!r}", "Use method='linear'.")
        if isinstance(xi, tuple):
            xi = np.stack(np.broadcast_arrays(*map(as_array, xi)), axis=-1)
        grid, values = self._original.grid, as_array(self.values)
        places = np.moveaxis(np.reshape(as_array(xi), (-1, len(grid))), -1, 0)
        firsts, shares = zip(*map(_cell, places, grid), strict=True)
        if method == "nearest":
            y = values[tuple(k + (t > 0.5) for k, t in zip(firsts, shares, strict=True))]
        else:
            y = between_corners(values, list(firsts), list(shares))
        y = np.reshape(y, value.shape)
        if not self._original.bounds_error and self._original.fill_value is not None:
            ends = zip(places, grid, strict=True)
            outside = np.any([(q < points[0]) | (q > points[-1]) for q, points in ends], axis=0)
            rest = value.ndim - (np.size(outside) != value.size) * (values.ndim - len(grid))
            outside = np.reshape(outside, (*value.shape[:rest], *[1] * (value.ndim - rest)))
            y = np.where(outside, self._original.fill_value, y)
        return with_value(y, value) if is_live(y) else value


def _cell(q: Any, points: Any) -> tuple[Any, Any]:
    """Return the number of the cell that places are in, and how far into it they are."""
    first = np.clip(np.searchsorted(points, q) - 1, 0, max(len(points) - 2, 0))
    width = np.diff(points)[first] if len(points) > 1 else 1.0
    return first, (q - points[first]) / width


def _make(points: Any, values: Any, method: str = "linear", **options: Any) -> Any:
    found = _GRID(*plain((points, values)), method, **plain(options))
    for name, x in (("points", points), *options.items()):
        constant_argument(_GRID, name, x)
    if not is_live(values):
        return Grid(found)
    if any(points[0] > points[-1] for points in map(plain, points)):
        raise unsupported(_GRID, "descending points", "Flip the points and the values.")
    return Grid(found, as_array(values))


twin_class(_GRID, _make)
OBJECTS[_GRID] = Grid


@twin_for(interpolate.interpn)
def _interpn(
    points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True,
    fill_value: Any = np.nan,
) -> Any:  # fmt: skip
    if not is_live((values, xi)):
        given = plain((points, values, xi))
        return fresh(interpolate.interpn(*given, method, bounds_error, plain(fill_value)))
    if method == "splinef2d":
        raise unsupported(interpolate.interpn, f"method={method!r}", "Use method='linear'.")
    return _make(points, values, method, bounds_error=bounds_error, fill_value=fill_value)(xi)
