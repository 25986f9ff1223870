"""Small words that the rules of linear algebra share."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import array_of
from tapemagic.autodiff.primitives import RULES
from tapemagic.autodiff.recorder import RECORDER

#: What LAPACK does not compute in -> what SciPy makes of it.
_OF_LAPACK = {
    np.dtype(np.float16): np.float32,
    np.dtype(np.longdouble): np.float64,
    np.dtype(np.clongdouble): np.complex128,
}


def with_dtype(x: Any, dtype: np.dtype) -> Any:
    """Return `x` in a dtype, order of bytes included, which NumPy's joins make native."""
    return x if x.dtype == dtype else x.astype(dtype)


def adjoint(x: Any) -> Any:
    """Return the conjugate transpose of the last two axes."""
    x = x.mT
    return np.conj(x) if x.dtype.kind == "c" else x


def ndim_of(x: Any) -> int:
    """Return the number of axes; a Python number has none."""
    return getattr(x, "ndim", 0)


def shape_of(x: Any) -> tuple[int, ...]:
    """Return the shape; that of a Python number is empty."""
    return getattr(x, "shape", ())


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Undo broadcasting: sum `x` over the axes that `shape` does not have, or has as 1."""
    if x.shape == shape:
        return x
    extra = x.ndim - len(shape)
    axes = tuple(range(extra)) + tuple(
        i + extra for i, n in enumerate(shape) if n == 1 and x.shape[i + extra] != 1
    )
    return np.reshape(np.sum(x, axis=axes), shape) if axes else x


def apply(fun: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a primitive that is ours alone, on traced or on plain arguments."""
    if RECORDER.writer is not None:
        return RECORDER.writer(fun, args, kwargs)
    if any(map(dispatch.is_traced, args)) or any(map(dispatch.holds_traced, args)):
        return dispatch.call(fun, args, kwargs)
    return fun(*args, **kwargs)


def as_array(x: Any) -> Any:
    """Turn a number or a (nested) list of numbers, traced or not, into an array."""
    if dispatch.is_traced(x):  # a float of Python has no shape and no dtype
        return x if hasattr(x, "dtype") else array_of(np.asarray, x)
    if isinstance(x, (list, tuple)) and dispatch.holds_traced(x):
        return np.stack([as_array(item) for item in x])
    return np.asanyarray(x)


def as_matrix(x: Any) -> Any:
    """Turn `x` into an array of a precision that LAPACK has, as SciPy does."""
    x = as_array(x)
    dtype = _OF_LAPACK.get(x.dtype)
    return x if dtype is None else x.astype(dtype)


def is_live(x: Any) -> bool:
    """Tell whether an argument, or an item of it, depends on what is watched.

    In a cell every array is behind a handle, constants too.
    """
    if isinstance(x, (list, tuple)):
        return any(map(is_live, x))
    return dispatch.is_traced(x) and dispatch.node_of(x) >= 0


def plain(x: Any) -> Any:
    """Return the value of an array to decide something by: no derivative passes here.

    What a recorded sweep decides is in its entries: a program has to make sure of it.
    """
    if RECORDER.standing:
        leaks.decided(None, x if isinstance(x, (list, tuple)) else (x,), {})
    return dispatch.plain(x)


def decide(fun: Any, *args: Any) -> Any:
    """Return `fun` of plain values, by which a rule decides; a program asks it once more.

    Of `plain` values themselves a program can only make sure that they are the same.
    """
    if RECORDER.standing:
        leaks.decided(fun, args, {})
    return fun(*dispatch.plain(args))


def with_value(y: Any, value: Any) -> Any:
    """Give what was recorded the value that NumPy or SciPy computes, equal but for rounding."""
    return dispatch.call_elementwise(RULES[np.positive], lambda _: value, (y,))


def equals_result(x: Any, y: Any) -> Any:
    """Tell where a result was picked from `x`, which NumPy first brought to the result's dtype.

    A ufunc's ``dtype=``, or ``initial=`` of a reduction, may be finer than the result is.
    """
    dtype = getattr(y, "dtype", None)
    if dtype is not None and getattr(x, "dtype", dtype) != dtype:
        x = x.astype(dtype)
    return x == y


def difference(x1: Any, x2: Any) -> Any:
    """Return ``x1 - x2``, and 0 of equal infinities."""
    return np.where((x1 == x2) & np.isinf(x1), 0, x1 - x2)[()]


def is_complex(x: Any) -> bool:
    """Tell whether an array or number, traced or not, is complex."""
    dtype = getattr(x, "dtype", None)
    return isinstance(x, complex) if dtype is None else dtype.kind == "c"


def divide_or_zero(x: Any, y: Any) -> Any:
    """Return ``x / y``, and 0 where `y` is 0: the convention for a norm at its kink."""
    if type(y) is np.float64 and y != 0 and not RECORDER.standing:
        return x / y  # a single norm, as mostly
    zero = decide(np.equal, y, 0)
    if not np.any(zero):
        return x / y
    return np.where(zero, 0, x / np.where(zero, 1, y))
