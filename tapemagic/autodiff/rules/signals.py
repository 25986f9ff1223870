"""Convolution, correlation, interpolation and weighted counts of samples in a row.

Convolution is bilinear; the cotangent of one factor is the correlation of the result's cotangent
with the other (D. Dudgeon, R. Mersereau, "Multidimensional digital signal processing", 1984,
section 1.2, in the words of adjoints). The shorter modes are pieces of the full result.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import apply, as_array, decide, is_complex, plain

# --------------------------------------------------------------------- convolve and correlate


def _to_full(ct: Any, n: int, m: int, mode: Any, *, late: bool = False) -> Any:
    """Put the cotangent of a piece of a convolution in its place in the full one.

    `late` says on which side of the middle an even number of partial sums is cut.
    """
    short = min(n, m)
    if mode in ("full", 2):
        return ct
    start = short - 1 if mode in ("valid", 0) else short // 2 if late else (short - 1) // 2
    return np.pad(ct, (start, n + m - 1 - start - ct.shape[0]))


def _length(x: Any) -> int:
    return x.shape[0] if x.ndim else 1


def _convolve_vjp(ct: Any, own: Any, other: Any, mode: Any) -> Any:
    other = np.reshape(other, -1)
    full = _to_full(ct, _length(own), other.shape[0], mode)
    return np.correlate(full, other, "valid")


general(
    np.convolve,
    lambda ct, y, a, v, mode="full": _convolve_vjp(ct, a, v, mode),
    lambda ct, y, a, v, mode="full": _convolve_vjp(ct, v, a, mode),
    generic=True,
)


def _correlate_left(ct: Any, y: Any, a: Any, v: Any, mode: Any = "valid") -> Any:
    v = np.reshape(v, -1)
    n, m = _length(a), v.shape[0]
    return np.convolve(_to_full(ct, n, m, mode, late=m > n), v, "valid")


def _correlate_right(ct: Any, y: Any, a: Any, v: Any, mode: Any = "valid") -> Any:
    a = np.reshape(a, -1)
    n, m = a.shape[0], _length(v)
    full = _to_full(ct, n, m, mode, late=m > n)
    return conj(np.correlate(full, a, "valid"))[::-1]


general(np.correlate, _correlate_left, _correlate_right, generic=True)


# -------------------------------------------------------------------------------------- counts

general(
    np.bincount,
    None,
    lambda ct, y, x, weights=None, minlength=0: ct[np.asarray(x)],
    kind="linear",
)


def _add_up(places: np.ndarray, values: Any, n: int) -> Any:
    """Add values up by place: `np.bincount`, for complex numbers as well."""
    if is_complex(values):
        return _add_up(places, np.real(values), n) + 1j * _add_up(places, np.imag(values), n)
    return np.bincount(places, np.ravel(values), n)


# --------------------------------------------------------------------------------- interpolate


def _interp(x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    return np.interp(x, xp, fp, left, right)


def _segments(x: Any, xp: Any) -> tuple[np.ndarray, Any, Any, np.ndarray]:
    """Return the segment of each x, its length, the position in it (0 to 1), and who is outside.

    Outside is -1 for what lies before all segments, and 1 for what lies behind.
    """
    j, outside = decide(_numbers_of_segments, x, xp)
    if xp.shape[0] == 1:
        return j, 1.0, np.zeros(j.shape), outside
    width = xp[j + 1] - xp[j]
    return j, width, (x - xp[j]) / width, outside


def _numbers_of_segments(x: Any, points: Any) -> np.ndarray:
    outside = np.where(x > points[-1], 1, np.where(x < points[0], -1, 0))
    last = max(points.size - 2, 0)
    return np.stack([np.clip(np.searchsorted(points, x, "right") - 1, 0, last), outside])


def _slope(fp: Any, j: np.ndarray, width: Any, outside: np.ndarray) -> Any:
    last = fp.shape[0] - 1
    return np.where(outside == 0, (fp[np.minimum(j + 1, last)] - fp[j]) / width, 0)


def _interp_x(ct: Any, y: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    j, width, _, outside = _segments(x, xp)
    return ct * conj(_slope(fp, j, width, outside))


def _interp_xp(ct: Any, y: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    """From y = f_j + s (x - x_j), dy/dx_j = -s (1 - t) and dy/dx_j+1 = -s t."""
    j, width, t, outside = _segments(x, xp)
    pull = np.real(-ct * conj(_slope(fp, j, width, outside)))
    n = xp.shape[0]
    return _ends_of_segments(pull, j, t, n)


def _ends_of_segments(pull: Any, j: np.ndarray, t: Any, n: int) -> Any:
    """Share out between the left and the right end of each segment."""
    j = np.ravel(j)
    after = np.minimum(j + 1, n - 1)
    return _add_up(j, (1 - t) * pull, n) + _add_up(after, t * pull, n)


def _interp_fp(ct: Any, y: Any, x: Any, xp: Any, fp: Any, left: Any, right: Any) -> Any:
    j, _, t, outside = _segments(x, xp)
    n = fp.shape[0]
    total = _ends_of_segments(np.where(outside == 0, ct, 0), j, np.where(outside == 0, t, 0), n)
    ends = np.arange(n)
    for given, side, place in ((left, -1, 0), (right, 1, n - 1)):
        if given is None:
            total = total + np.where(ends == place, np.sum(np.where(outside == side, ct, 0)), 0)
    return total


def _interp_beyond(ct: Any, x: Any, xp: Any, side: int) -> Any:
    _, _, _, outside = _segments(x, xp)
    return np.sum(np.where(outside == side, ct, 0))


general(
    _interp,
    _interp_x,
    _interp_xp,
    _interp_fp,
    lambda ct, y, x, xp, fp, left, right: _interp_beyond(ct, x, xp, -1),
    lambda ct, y, x, xp, fp, left, right: _interp_beyond(ct, x, xp, 1),
    name="interp",
    generic=(2, 3, 4),  # and not the places, which tell the elements that are near
)


def _in_floats(x: Any) -> Any:
    """Cast as NumPy does: the difference of two integers may not have room, or no sign."""
    dtype = complex if x.dtype.kind == "c" else float
    return x if x.dtype == dtype else x.astype(dtype)


@composite(np.interp)
def _interp_body(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    x, xp, fp = map(as_array, (x, xp, fp))
    if period is None and any(one.dtype.char in "gG" for one in (x, xp, fp)):
        np.interp(*plain((x, xp, fp)))  # NumPy's own error
    x, xp, fp = map(_in_floats, (x, xp, fp))
    if period is None:
        return apply(_interp, x, xp, fp, left, right)
    if plain(period) == 0:
        raise ValueError("period must be a non-zero value")
    period = abs(period)
    x, xp = x.astype(np.float64) % period, xp.astype(np.float64) % period
    fp = fp.astype(complex if fp.dtype.kind == "c" else float)
    order = np.argsort(xp)
    xp, fp = xp[order], fp[order]
    xp = np.concatenate((xp[-1:] - period, xp, xp[:1] + period))
    fp = np.concatenate((fp[-1:], fp, fp[:1]))
    return apply(_interp, x, xp, fp, None, None)
