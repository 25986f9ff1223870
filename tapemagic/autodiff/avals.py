"""Abstract values: the shape and dtype of a node, as one small integer.

Operations compare the *codes* of their operands: equal positive codes mean "same shape, same real
dtype, and so has the result", which is what makes the hot path of an operator two comparisons.
Codes and not objects are stored on the tape, since the garbage collector has to visit every tuple
that holds an object of a Python class, and none that holds integers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

#: Values of up to this many elements are kept for the picture even if no rule needs them.
SMALL = 64
#: Bytes from which on fresh memory costs more than a look at what there is.
LARGE = 1 << 17


class Aval:
    """Shape and dtype of an array: stands in for an operand whose value no rule reads."""

    __slots__ = ("code", "dtype", "is_complex", "is_large", "kind", "ndim", "shape", "size")

    def __init__(self, code: int, shape: tuple[int, ...], dtype: np.dtype, kind: type) -> None:
        self.code = code
        self.shape = shape
        self.dtype = dtype
        self.kind = kind  # np.ndarray, a NumPy scalar type, float or complex
        self.ndim = len(shape)
        self.size = int(np.prod(shape, dtype=np.int64)) if shape else 1
        self.is_complex = dtype.kind == "c"
        self.is_large = self.size * dtype.itemsize >= LARGE

    def __repr__(self) -> str:
        return f"Aval({self.shape}, {self.dtype})"


AVALS: dict[int, Aval] = {}
#: (shape, dtype, np.ndarray or the type of a number) -> code, of those that have come up.
CODES: dict[tuple, int] = {}

#: Code of a node that holds a tuple of arrays (`np.linalg.eigh`, `np.split`, ...).
MULTIPLE = 0


def _new_code(key: tuple) -> int:
    """Intern an abstract value.

    Positive codes are *closed*: an elementwise operation on two of them gives the same shape,
    dtype and type again. Even codes are small enough for their values to be kept for the picture.
    """
    shape, dtype, kind = key
    size = int(np.prod(shape, dtype=np.int64)) if shape else 1
    number = 2 * (len(AVALS) + 1) + (size > SMALL)
    closed = dtype.kind == "f" and not (kind is np.ndarray and shape == ())
    code = number if closed else -number
    AVALS[code] = Aval(code, shape, dtype, kind)
    CODES[key] = code
    return code


def code_of(value: Any) -> int:
    """Return the code of the abstract value of a plain float or complex array or scalar."""
    kind = type(value)
    if kind is np.ndarray:
        key = (value.shape, value.dtype, np.ndarray)
    elif kind is float or kind is complex:
        key = ((), np.dtype(kind), kind)
    elif isinstance(value, np.ndarray):  # memmap, matrix, recarray: the tape sees the array
        key = (value.shape, value.dtype, np.ndarray)
    else:
        key = ((), value.dtype, kind)
    code = CODES.get(key)
    return _new_code(key) if code is None else code


code_of(0.0)  # a Python float gets the lowest positive code


def is_small(code: int) -> bool:
    """Tell whether values of this code are kept for the picture."""
    return not code & 1


def full(ct: Any, aval: Aval) -> Any:
    """Return a cotangent in the full shape of its node.

    Inside the sweep a cotangent may be smaller than its node and stand for the broadcast one (the
    cotangent of every element of a `sum` is the same number): no array is made for it until an
    operation needs the shape.
    """
    shape = getattr(ct, "shape", None)
    if shape == aval.shape:
        return ct
    if shape is None and not aval.shape:
        return np.asarray(ct)[()]  # a Python number: rules ask for its shape
    return np.broadcast_to(ct, aval.shape)


#: What `axis=` takes, or () for no axis. A number is the short way for handles.
_Axes = int | tuple[int, ...]


@lru_cache(maxsize=512)
def _broadcast_axes(shape: tuple[int, ...], target: tuple[int, ...]) -> tuple[_Axes, _Axes]:
    """Return the leading axes that `target` does not have, and then those where it has 1."""
    extra = max(len(shape) - len(target), 0)
    shape = shape[extra:]
    # Axes are aligned from the right; a missing or length-1 axis of ct is a lazy broadcast.
    skipped = len(target) - len(shape)
    axes = tuple(i for i, n in enumerate(shape) if n != 1 and target[i + skipped] == 1)
    return _alone(tuple(range(extra))), _alone(axes)


def _alone(axes: tuple[int, ...]) -> _Axes:
    return axes[0] if len(axes) == 1 else axes


def fit(ct: Any, aval: Aval) -> Any:
    """Bring the cotangent of an operand to that operand's shape and dtype.

    The adjoint of broadcasting is a sum over the broadcast axes; of a real number used as a
    complex one, the real part; of a change of precision, the change back.
    """
    shape, dtype = getattr(ct, "shape", ()), getattr(ct, "dtype", None)
    if shape == aval.shape and dtype is aval.dtype:
        return ct
    if shape and shape != aval.shape:  # a number stands for an array of any shape
        # What np.sum calls, at a third of its price; handles are told of np.sum.
        add_up = np.add.reduce if type(ct) is np.ndarray else np.sum
        extra, axes = _broadcast_axes(shape, aval.shape)
        if extra != ():
            ct = add_up(ct, axis=extra)
        if axes != ():
            ct = add_up(ct, axis=axes, keepdims=True)
    if dtype is not aval.dtype and dtype is not None and dtype != aval.dtype:
        if dtype.kind == "c" and not aval.is_complex:
            ct = np.real(ct)
        if ct.dtype != aval.dtype:
            ct = ct.astype(aval.dtype)
    elif dtype is None and isinstance(ct, complex) and not aval.is_complex:
        ct = ct.real
    return ct
