"""What becomes a tensor, of which dtype, and what does not meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.errors import TensorError

from .specs import as_dtype
from .tensor import TAKES, Tensor, TensorMethods, dtype_of, tensor_of

_PYTHON_KINDS = {bool: "b", int: "i", float: "f", complex: "c"}


def match(args: tuple, name: str = "") -> tuple:
    """Bring operands to one dtype: that of the first tensor among them.

    Raises
    ------
    TensorError
        If two tensors differ, or plain data does not fit.
    """
    first = next((x for x in args if isinstance(x, TensorMethods)), None)
    if first is None:  # an array or list has a dtype of its own, a Python number has not
        first = next((x for x in args if type(x) not in _PYTHON_KINDS), args[0])
        first, given = convert_to_tensor(first), first
        args = tuple(first if x is given else x for x in args)
    dtype = dtype_of(first)
    return tuple(x if x is first else _fit(x, dtype, name) for x in args)


_KINDS = {
    "f": "floats",
    "c": "complex numbers",
    "i": "integers",
    "u": "unsigned ones",
    "b": "bools",
}


def check_kind(x: Any, kinds: str, name: str) -> None:
    """Raise unless a tensor is of one of the kinds of dtype that TensorFlow's function takes.

    NumPy would answer in a dtype of its own choice, or read 0 as False.

    Raises
    ------
    TensorError
    """
    dtype = dtype_of(x)
    if dtype.kind not in kinds:
        taken = [_KINDS[kind] for kind in kinds]
        words = " and ".join([", ".join(taken[:-1]), taken[-1]] if len(taken) > 1 else taken)
        fix = "Use tf.cast(x, tf.bool)." if kinds == "b" else "Use tf.cast(x, tf.float32)."
        raise leaks.locate(
            TensorError(f"tf.{name} of a tensor of {dtype}: it takes {words} only.", fix=fix)
        )


def _fit(x: Any, dtype: np.dtype, name: str) -> Any:
    if isinstance(x, TensorMethods):
        if dtype_of(x) != dtype:
            raise leaks.locate(
                TensorError(
                    f"{name.strip('_') or 'An operation'} of {dtype} and {dtype_of(x)}: tensors "
                    "are not converted by themselves.",
                    fix=f"Use tf.cast(x, tf.{dtype}).",
                )
            )
        return x
    if _PYTHON_KINDS.get(type(x), "-") in TAKES[dtype.kind]:
        return x  # a Python number has no dtype of its own
    if isinstance(x, (np.ndarray, np.generic)):
        _check_kind(x, dtype)
    return convert_to_tensor(x, dtype)


def _as_plain(x: Any, dtype: np.dtype | None) -> np.ndarray:
    """Return plain data as an array of the dtype that TensorFlow gives it."""
    try:
        value = np.array(x)
    except ValueError:
        raise leaks.locate(
            TensorError(
                "Can't convert non-rectangular Python sequence to Tensor.",
                fix="Fill the rows up: tf.keras.utils.pad_sequences(rows).",
            )
        ) from None
    if value.dtype.kind not in TAKES:
        raise leaks.locate(
            TensorError(
                f"A tensor of {type(x).__name__} data ({value.dtype}) is not provided.",
                fix="Numbers and bools only.",
            )
        )
    if dtype is None:
        if isinstance(x, (np.ndarray, np.generic)):
            return value
        if not _is_python(x):
            return value.astype(np.result_type(*_dtypes(x)))
        if value.dtype == np.float64:
            return value.astype(np.float32)
        if value.dtype == np.int64 and np.array_equal(value, value.astype(np.int32)):
            return value.astype(np.int32)
        return value
    if not isinstance(x, (np.ndarray, np.generic)):  # arrays are cast, as in TensorFlow
        _check_kind(value, dtype)
    return value.astype(dtype)


def _check_kind(value: Any, dtype: np.dtype) -> None:
    if value.dtype.kind not in TAKES[dtype.kind] + "b" and value.size:
        raise leaks.locate(
            TensorError(
                f"Data of {value.dtype} does not fit a tensor of {dtype}.",
                fix=f"Convert one of them: tf.cast(x, tf.{as_dtype(value.dtype).name}) or "
                f"tf.cast(data, tf.{dtype}).",
            )
        )


def _traced_as(value: Any, dtype: np.dtype | None) -> Any:
    """Return a traced array or Python number, which a tape watches, in the dtype of a tensor."""
    number = dispatch.plain(value)
    kept = np.asarray(number)
    if type(number) in _PYTHON_KINDS and dtype is None:
        dtype = _as_plain(number, None).dtype
    if dtype is None or dtype == kept.dtype:
        return value
    _check_kind(kept, dtype)
    # what is a Python number has no method
    return (
        value.astype(dtype)
        if isinstance(number, np.ndarray | np.generic)
        else dtype.type(1) * value
    )


def _dtypes(x: Any) -> Iterator:
    """Yield what NumPy's parts of a list have as dtype; the Python numbers beside them follow."""
    for item in x:
        if isinstance(item, (list, tuple)):
            yield from _dtypes(item)
        else:
            yield getattr(item, "dtype", item)


def _is_python(x: Any) -> bool:
    if isinstance(x, (list, tuple)):
        return all(map(_is_python, x))
    return type(x) in _PYTHON_KINDS or isinstance(x, range)


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> Tensor:
    """Return `value` as a tensor; tensors and variables stay connected to what they were made of.

    Parameters
    ----------
    value : tensor, variable, array, number, or nested lists of them
        Python floats become float32 and integers int32; arrays keep their dtype.
    dtype : dtype, optional

    Raises
    ------
    TensorError
        If the data does not fit `dtype`.
    """
    wanted = None if dtype is None else as_dtype(dtype).dtype
    if is_traced(value):
        if not isinstance(value, TensorMethods):
            value = _traced_as(value, wanted)  # an array, be it one that NumPy's twins made
        tensor = tensor_of(value.read_value() if hasattr(value, "read_value") else value)
        if wanted is not None and isinstance(value, TensorMethods):
            _fit(tensor, wanted, "convert_to_tensor")
        return tensor
    if isinstance(value, (list, tuple)) and dispatch.holds_traced(value):
        if wanted is None:
            wanted = dtype_of(convert_to_tensor(_first_traced(value)))
        parts = [convert_to_tensor(item, wanted) for item in value]
        shapes = [np.shape(part) for part in parts]
        if len(set(shapes)) > 1:
            raise leaks.locate(
                TensorError(f"Shapes of all inputs must match: {', '.join(map(str, shapes))}.")
            )
        return tensor_of(np.stack(parts))
    if dtype is None and dtype_hint is not None:
        wanted = as_dtype(dtype_hint).dtype
    return tensor_of(_as_plain(value, wanted))


def _first_traced(value: Any) -> Any:
    for item in value:
        if is_traced(item):
            return item
        if isinstance(item, (list, tuple)) and dispatch.holds_traced(item):
            return _first_traced(item)
    raise AssertionError("called for lists that hold a tensor")


def operand(x: Any, dtype: Any = None) -> Any:
    """Return a tensor or variable as it is, and anything else as a tensor."""
    return x if isinstance(x, TensorMethods) else convert_to_tensor(x, dtype)


def floats(x: Any, name: str) -> Any:
    """Return `operand`, for a function that takes floats only."""
    x = operand(x)
    check_kind(x, "f", name)
    return x


def divisible(x: Any) -> Any:
    """Return short integers in float32, of which their quotient is; of others NumPy makes it."""
    if is_traced(x) and dtype_of(x).kind in "iu" and dtype_of(x).itemsize < 4:
        return x.astype(np.float32)
    return x


def check_divisor(x: Any, y: Any) -> None:
    """Raise for integers over 0, which NumPy would make 0 of.

    Raises
    ------
    TensorError
    """
    if dtype_of(x).kind in "iu" and dtype_of(y).kind in "iu" and not np.all(dispatch.plain(y)):
        raise leaks.locate(TensorError("Integer division by zero."))


def check_matrices(a: Any, b: Any) -> None:
    """Raise unless both factors of a product are matrices, or stacks of them.

    Raises
    ------
    TensorError
        For vectors, of which NumPy would make the one product that fits.
    """
    shapes = tuple(np.shape(a)), tuple(np.shape(b))
    if min(map(len, shapes)) < 2:
        raise leaks.locate(
            TensorError(
                f"A product of matrices of shapes {shapes[0]} and {shapes[1]}.",
                fix="Use tf.linalg.matvec(a, x), or tf.reduce_sum(x * y) of two vectors.",
            )
        )


def whole_numbers(x: Any) -> Any:
    """Return a shape, an axis or the like as plain integers: an int, a tuple, or None."""
    if x is None or isinstance(x, int):
        return x
    if isinstance(x, (list, tuple)):
        return tuple(int(item) for item in x)
    value = np.asarray(dispatch.plain(x))
    return int(value) if value.ndim == 0 else tuple(int(item) for item in value)
