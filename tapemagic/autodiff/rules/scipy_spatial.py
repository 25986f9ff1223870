"""Distances of `scipy.spatial.distance`. Imported only when SciPy's module has been.

With a weight for each pair, the cotangent of its distance over that distance, a sum over pairs of
``weight * (a - b)`` is a product of matrices: no array of all differences is made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import spatial
from scipy.spatial import distance

from tapemagic.autodiff.primitives import general, linear
from tapemagic.autodiff.twinning import ORIGINALS, twin_module

from .algebra import apply, as_array, plain, with_value
from .carrying import carried, refuse_rest, twin_package, unsupported

_ADVICE = "Write it with NumPy's functions, or cut it: tapemagic.stop_gradient(...)."


def _steps(a: Any, b: Any, weights: Any) -> Any:
    """Return ``sum_j weights[i, j] * (a[i] - b[j])``."""
    return np.sum(weights, axis=1)[:, None] * a - weights @ b


def _squares(ct: Any, y: Any, a: Any, b: Any) -> Any:
    return _steps(a, b, 2 * ct)


def _euclidean(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """Two points at the same place have the slope 0, as a norm has it at 0."""
    apart = y > 0
    return _steps(a, b, np.where(apart, ct / np.where(apart, y, 1), 0))


def _absolutes(ct: Any, y: Any, a: Any, b: Any) -> Any:
    return np.sum(ct[..., None] * np.sign(a[:, None] - b), axis=1)


def _cosine(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """Return the slope of ``1 - u . v``, where u and v are the directions of `a` and `b`."""
    length = np.sqrt(np.sum(a * a, axis=1, keepdims=True))
    u, v = a / length, b / np.sqrt(np.sum(b * b, axis=1, keepdims=True))
    return (np.sum(ct * (1 - y), axis=1, keepdims=True) * u - ct @ v) / length


def _correlation(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """Return that of the cosine distance of what is left without the means."""
    a, b = (x - np.mean(x, axis=1, keepdims=True) for x in (a, b))
    found = _cosine(ct, y, a, b)
    return found - np.mean(found, axis=1, keepdims=True)


def _largest(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """Several coordinates that share the maximum get an equal part each."""
    steps = a[:, None] - b
    reached = np.abs(steps) == y[..., None]
    share = reached / np.sum(reached, axis=-1, keepdims=True)
    return np.sum(ct[..., None] * np.sign(steps) * share, axis=1)


def _shares(ct: Any, y: Any, a: Any, b: Any) -> Any:
    """Of two zeros in the same place SciPy counts none."""
    sizes = np.abs(a)[:, None] + np.abs(b)
    steps, sizes = a[:, None] - b, np.where(sizes == 0, 1, sizes)
    slopes = (np.sign(steps) - np.abs(steps) / sizes * np.sign(a)[:, None]) / sizes
    return np.sum(ct[..., None] * slopes, axis=1)


def _share_of_sum(ct: Any, y: Any, a: Any, b: Any) -> Any:
    sums = a[:, None] + b
    slopes = np.sign(a[:, None] - b) - y[..., None] * np.sign(sums)
    return np.sum((ct / np.sum(np.abs(sums), axis=-1))[..., None] * slopes, axis=1)


#: Name of a metric -> the cotangent of the first points.
_NAMES: dict[str, Callable] = {
    "euclidean": _euclidean,
    "sqeuclidean": _squares,
    "cityblock": _absolutes,
    "cosine": _cosine,
    "correlation": _correlation,
    "chebyshev": _largest,
    "canberra": _shares,
    "braycurtis": _share_of_sum,
}
#: The same for their other names, and for SciPy's functions of two points.
_METRICS: dict[Any, Callable] = {
    metric: rule
    for name, rule in _NAMES.items()
    for metric in (name, getattr(distance, name), *getattr(distance._METRICS.get(name), "aka", ()))
}


def _known(fun: Callable, metric: Any, options: dict) -> Any:
    """Return a metric that has a rule, as SciPy takes it.

    A function is known by its identity: one of the user's may have the name of one of SciPy's.
    """
    metric = metric.lower() if isinstance(metric, str) else ORIGINALS.get(id(metric), metric)
    if metric not in _METRICS or any(x is not None for x in options.values()):
        raise unsupported(fun, "this metric, or weights", _ADVICE)
    return metric


def _points(x: Any) -> Any:
    x = as_array(x)
    return x if x.dtype in (np.float64, np.longdouble) else x.astype(np.float64)


def _between(a: Any, b: Any, metric: Any) -> Any:
    return distance.cdist(a, b, metric)


general(
    _between,
    lambda ct, y, a, b, metric: _METRICS[metric](ct, y, a, b),
    lambda ct, y, a, b, metric: _METRICS[metric](ct.T, y.T, b, a),
    name="cdist",
)


@carried(distance.cdist, "XA", "XB")
def _cdist(XA: Any, XB: Any, metric: Any = "euclidean", **options: Any) -> Any:
    return apply(_between, _points(XA), _points(XB), _known(distance.cdist, metric, options))


def _among(a: Any, metric: Any) -> Any:
    return distance.pdist(a, metric)


def _among_vjp(ct: Any, y: Any, a: Any, metric: Any) -> Any:
    """A distance belongs to both of its points: the weights are symmetric."""
    return _METRICS[metric](_square(ct, len(a)), _square(y, len(a)), a, a)


def _square(row: Any, n: int) -> Any:
    """Return the symmetric matrix, with zeros on its diagonal, that has these elements."""
    i, j = np.triu_indices(n, 1)
    places = np.zeros((n, n), int)
    places[i, j] = places[j, i] = 1 + np.arange(len(i))
    return np.concatenate([np.zeros(1, row.dtype), row])[places]


general(_among, _among_vjp, name="pdist")


@carried(distance.pdist, "X")
def _pdist(X: Any, metric: Any = "euclidean", **options: Any) -> Any:
    return apply(_among, _points(X), _known(distance.pdist, metric, options))


def _squareform(x: Any, **options: Any) -> Any:
    return distance.squareform(x, **options)


def _squareform_adjoint(ct: Any, x: Any, **options: Any) -> Any:
    """Of a row both places of each element; of a matrix those that SciPy reads, above."""
    n = ct.shape[0] if x.ndim == 1 else x.shape[0]
    i, j = np.triu_indices(n, 1)
    if x.ndim == 1:
        return ct[i, j] + ct[j, i]
    places = np.zeros((n, n), int)
    places[i, j] = 1 + np.arange(len(i))
    return np.concatenate([np.zeros(1, ct.dtype), ct])[places]


linear(_squareform, _squareform_adjoint, name="squareform")


@carried(distance.squareform, "X")
def _squareform_body(X: Any, force: str = "no", checks: bool = True) -> Any:
    return apply(_squareform, as_array(X), force=force, checks=checks)


def _distance(u: Any, v: Any, fun: Callable) -> Any:
    return fun(u, v)


def _distance_vjp(ct: Any, y: Any, u: Any, v: Any, fun: Callable) -> Any:
    """Of two points: that of two rows of one point each."""
    one = (1, 1)
    return _METRICS[fun](np.reshape(ct, one), np.reshape(y, one), u[None], v[None])[0]


general(
    _distance,
    _distance_vjp,
    lambda ct, y, u, v, fun: _distance_vjp(ct, y, v, u, fun),
    name="distance",
)


def _pair(fun: Callable) -> None:
    @carried(fun, "u", "v")
    def body(u: Any, v: Any, w: Any = None) -> Any:
        if w is not None:
            raise unsupported(fun, "weights", _ADVICE)
        return apply(_distance, as_array(u), as_array(v), fun)


@carried(distance.minkowski, "u", "v")
def _minkowski(u: Any, v: Any, p: Any = 2, w: Any = None) -> Any:
    if w is not None:
        raise unsupported(distance.minkowski, "weights", _ADVICE)
    value = distance.minkowski(plain(u), plain(v), p)
    return with_value(np.linalg.norm(as_array(u) - as_array(v), p), value)


for _metric in _NAMES:
    _pair(getattr(distance, _metric))
refuse_rest(distance, "it has no derivative rule", _ADVICE)
twin_module(distance)
twin_package(spatial)
