"""Functions along axes: sums, means, extremes, places, cumulative sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import plain

from .choices import chosen
from .conversion import check_kind, floats, operand, whole_numbers
from .creation import cast
from .refusals import declaring, in_words, refuse
from .softmaxes import logsumexp
from .specs import as_dtype, int64
from .tensor import Tensor, dtype_of, tensor_of

FUNCTIONS: dict[str, Callable] = {}


def _reduction(name: str, fun: Callable, kinds: str) -> Callable:
    def function(
        input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Tensor:
        x = operand(input_tensor)
        check_kind(x, kinds, function.__name__)
        return tensor_of(fun(x, axis=whole_numbers(axis), keepdims=bool(keepdims)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"See `{name}` in the table: over all axes, or those of `axis`."
    return FUNCTIONS.setdefault(name, in_words(function))


def _in_own_dtype(fun: Callable) -> Callable:
    """Keep the dtype of integers, which NumPy would widen."""

    def reduce(x: Any, **options: Any) -> Any:
        if dtype_of(x).kind in "iu":
            options["dtype"] = dtype_of(x)
        return fun(x, **options)

    return reduce


def _mean(x: Any, **options: Any) -> Any:
    if dtype_of(x).kind not in "iu":
        return np.mean(x, **options)
    return np.mean(dispatch.plain(x), **options).astype(dtype_of(x))  # TensorFlow cuts it off


def _euclidean(x: Any, **options: Any) -> Any:
    size = np.abs(x) if dtype_of(x).kind == "c" else x
    return np.sqrt(np.sum(np.square(size), **options)).astype(dtype_of(x))


reduce_sum = _reduction("reduce_sum", _in_own_dtype(np.sum), "fciu")
reduce_prod = _reduction("reduce_prod", _in_own_dtype(np.prod), "fciu")
reduce_mean = _reduction("reduce_mean", _mean, "fciu")
reduce_max = _reduction("reduce_max", np.max, "fiu")
reduce_min = _reduction("reduce_min", np.min, "fiu")
reduce_any = _reduction("reduce_any", np.any, "b")
reduce_all = _reduction("reduce_all", np.all, "b")
reduce_std = _reduction("reduce_std", np.std, "fc")
reduce_variance = _reduction("reduce_variance", np.var, "fc")
reduce_logsumexp = _reduction("reduce_logsumexp", logsumexp, "f")
reduce_euclidean_norm = _reduction("reduce_euclidean_norm", _euclidean, "fciu")


_declare = declaring(FUNCTIONS)


@_declare
def count_nonzero(
    input: Any, axis: Any = None, keepdims: bool = False, dtype: Any = int64,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return the number of elements that are not 0."""
    x = operand(input)
    y = chosen(np.count_nonzero, x, axis=whole_numbers(axis), keepdims=keepdims)
    return tensor_of(np.asarray(y).astype(as_dtype(dtype).dtype))


@_declare
def argmax(input: Any, axis: Any = 0, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the places of the largest elements along an axis, the first if not given."""
    return _places(np.argmax, input, axis, output_type)


@_declare
def argmin(input: Any, axis: Any = 0, output_type: Any = int64, name: str | None = None) -> Tensor:
    """Return the places of the smallest elements along an axis, the first if not given."""
    return _places(np.argmin, input, axis, output_type)


def _places(fun: Callable, input: Any, axis: Any, output_type: Any) -> Tensor:
    x = operand(input)
    check_kind(x, "fiub", fun.__name__)
    places = np.asarray(fun(x, axis=0 if axis is None else whole_numbers(axis)))
    return tensor_of(places.astype(as_dtype(output_type).dtype))


def _cumulative(fun: Callable, start: float, x: Any, axis: Any, exclusive: bool, back: bool) -> Any:
    axis = whole_numbers(axis)
    x = operand(x)
    check_kind(x, "fciu", fun.__name__)
    if np.ndim(plain(x)) == 0 or axis is None:
        refuse(f"{fun.__name__} of shape {np.shape(plain(x))} along axis {axis}.", "Name an axis.")
    if back:
        x = np.flip(x, axis)
    if exclusive:  # begin with `start`, and leave the last one out
        shape = list(np.shape(x))
        shape[axis] = min(1, shape[axis])
        kept = np.take(x, np.arange(np.shape(x)[axis] - 1), axis=axis)
        x = np.concatenate([np.full(shape, start, dtype_of(x)), kept], axis=axis)
    y = _in_own_dtype(fun)(x, axis=axis)
    return tensor_of(np.flip(y, axis) if back else y)


@_declare
def cumsum(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running sum along an axis."""
    return _cumulative(np.cumsum, 0, x, axis, exclusive, reverse)


@_declare
def cumprod(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running product along an axis; exact through zeros."""
    return _cumulative(np.cumprod, 1, x, axis, exclusive, reverse)


@_declare
def cumulative_logsumexp(
    x: Any, axis: Any = 0, exclusive: bool = False, reverse: bool = False, name: str | None = None
) -> Tensor:
    """Return the running logarithm of the sum of exponentials along an axis."""
    x = floats(x, "cumulative_logsumexp")
    return _cumulative(np.logaddexp.accumulate, -np.inf, x, axis, exclusive, reverse)


@_declare
def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """Return how much of a tensor is 0."""
    x = operand(value)
    return tensor_of(np.float32(1 - chosen(np.count_nonzero, x) / np.size(plain(x))))


# -------------------------------------------------------------------------- norms, and clipping


@_declare
def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return a norm: of all elements, of vectors along an axis, or of matrices (two axes)."""
    x, axes = operand(tensor), whole_numbers(axis)
    check_kind(x, "fc", "norm")
    several = isinstance(axes, tuple) and len(axes) == 2
    if not (
        ord in ("euclidean", *("fro",) * several)
        or (ord and isinstance(ord, (int, float)) and ord > 0)
    ):
        refuse(
            f"norm with ord={ord!r}.", 'Use "euclidean", 1, 2, np.inf or another positive number.'
        )
    if dtype_of(x).kind == "c" and ord in ("euclidean", 2):  # TensorFlow keeps the dtype
        return norm(np.abs(x), ord, axis, keepdims).astype(dtype_of(x))
    order = None if ord == "euclidean" or (ord == "fro" and axes is None) else ord
    if axes is not None:
        axes = axes[0] if isinstance(axes, tuple) and len(axes) == 1 else axes
        return tensor_of(np.linalg.norm(x, order, axes, bool(keepdims)))
    y = np.linalg.norm(np.reshape(x, (-1,)), order)
    return tensor_of(np.reshape(y, (1,) * len(np.shape(x))) if keepdims else y)


@_declare
def l2_normalize(
    x: Any, axis: Any = None, epsilon: Any = 1e-12, name: str | None = None, dim: Any = None
) -> Tensor:
    """Return `x` divided by its norm, which counts as at least ``sqrt(epsilon)``."""
    x, axis = operand(x), dim if axis is None else axis
    check_kind(x, "fc", "l2_normalize")
    size = np.abs(x) if dtype_of(x).kind == "c" else x
    squares = np.sum(np.square(size), axis=whole_numbers(axis), keepdims=True)
    floor = np.where(chosen(np.greater_equal, squares, epsilon), squares, epsilon)
    return tensor_of(x / cast(np.sqrt(floor), dtype_of(x)))


@_declare
def global_norm(t_list: Any, name: str | None = None) -> Tensor:
    """Return the norm of all elements of a list of tensors; None is skipped."""
    known = [operand(t) for t in t_list if t is not None]
    return norm(np.concatenate([np.reshape(t, (-1,)) for t in known]))


@_declare
def clip_by_norm(t: Any, clip_norm: Any, axes: Any = None, name: str | None = None) -> Tensor:
    """Return `t`, scaled down where its norm is larger than `clip_norm`."""
    t = operand(t)
    return t * _factor(norm(t, axis=axes, keepdims=True), clip_norm)


@_declare
def clip_by_global_norm(
    t_list: Any, clip_norm: Any, use_norm: Any = None, name: str | None = None
) -> tuple:
    """Return a list of tensors scaled down by one factor, and their global norm before that."""
    total = global_norm(t_list) if use_norm is None else operand(use_norm)
    factor = _factor(total, clip_norm)
    return [None if t is None else operand(t) * factor for t in t_list], total


def _factor(size: Any, limit: Any) -> Any:
    """Return ``limit / size`` where that is less than 1."""
    inside = chosen(np.less_equal, size, limit)
    return np.where(inside, 1, limit / np.where(inside, 1, size))
