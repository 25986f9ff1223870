"""The methods that a handle has because its plain value has them: ``x.sum(0)``, ``x.item()``.

A table, method name -> function of the handle. A method is there exactly if the plain value has it:
a traced Python float has ``hex`` and no ``sum``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import MethodType
from typing import Any

import numpy as np

from . import dispatch, leaks
from .creation import as_operand, convert, row
from .dispatch import HANDLE_TYPES, call, call_primitive, plain
from .primitives import linear
from .storage import storage_of, write_item

#: Methods that are the NumPy function of that name, with the handle as first argument.
SAME = {
    name: getattr(np, name)
    for name in (
        "sum", "prod", "mean", "var", "std", "min", "max", "argmax", "argmin", "all", "any",
        "cumsum", "cumprod", "dot", "ravel", "swapaxes", "squeeze", "repeat", "take", "choose",
        "diagonal", "trace", "round", "nonzero", "searchsorted", "argsort", "argpartition",
    )
}  # fmt: skip
METHODS: dict[str, Callable] = {}


class Method:
    """Looks a method up on a handle, if the plain value has it."""

    __slots__ = ("fun", "name")

    def __init__(self, name: str, fun: Callable) -> None:
        self.name, self.fun = name, fun

    def __get__(self, handle: Any, cls: type | None = None) -> Any:
        if handle is None:
            return self.fun
        if not hasattr(type(handle.value), self.name):
            raise AttributeError(self.name)
        return MethodType(self.fun, handle)


def install(cls: type) -> None:
    """Give a handle class its methods."""
    for name, fun in METHODS.items():
        setattr(cls, name, Method(name, fun))
    for name in ("__floor__", "__ceil__", "__trunc__"):
        setattr(cls, name, _flat(name, getattr(math, name.strip("_"))))


def _method(fun: Callable) -> Callable:
    METHODS[fun.__name__.rstrip("_")] = fun
    return fun


def _same(name: str, function: Callable) -> Callable:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return call(function, (self, *args), kwargs)

    method.__name__, method.__doc__ = name, f"See `numpy.{name}`."
    return method


def _flat(name: str, function: Callable | None = None) -> Callable:
    """Make a method whose result is an integer, a bool or text: plain, and noted."""

    def method(self: Any, *args: Any) -> Any:
        value = plain(self)
        result = function(value) if function else getattr(value, name)(*args)
        return leaks.flat(result, (self,))

    method.__name__ = name
    return method


def _leaving(name: str) -> Callable:
    """Make a method that hands the memory or the bytes to somebody else."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        dispatch.operand(self, reads=False)
        leaks.leave(self, f"'{name}' hands out its digits or bytes")
        return getattr(plain(self), name)(*args, **kwargs)

    method.__name__ = name
    return method


METHODS.update((name, _same(name, fun)) for name, fun in SAME.items())
METHODS["is_integer"] = _flat("is_integer")
METHODS.update(
    (name, _leaving(name))
    for name in (
        "tobytes", "tofile", "dump", "dumps", "byteswap", "getfield", "setfield",
        "as_integer_ratio", "hex",
    )
)  # fmt: skip


# ----------------------------------------------------------------------------- shape and type


@_method
def transpose(self: Any, *axes: Any) -> Any:
    """Permute the axes, given one by one or as a tuple."""
    if not axes or axes == (None,):
        return call(np.transpose, (self,), {})
    return call(np.transpose, (self, axes[0] if isinstance(axes[0], tuple | list) else axes), {})


@_method
def reshape(self: Any, *shape: Any, **kwargs: Any) -> Any:
    """Change the shape, given as numbers or as a tuple."""
    return call(np.reshape, (self, shape[0] if len(shape) == 1 else shape), kwargs)


@_method
def flatten(self: Any, order: str = "C") -> Any:
    """Return a 1-D copy."""
    return call_primitive(row(_flatten), (self, order), {}, _flatten)


def _flatten(x: Any, order: str = "C") -> Any:
    return x.flatten(order)


linear(_flatten, lambda ct, x, order="C": np.reshape(ct, x.shape, order=order), name="flatten")


@_method
def clip(self: Any, min: Any = None, max: Any = None, out: Any = None, **kwargs: Any) -> Any:
    """See `numpy.clip`."""
    return call(np.clip, (self, min, max), kwargs if out is None else {"out": out, **kwargs})


@_method
def compress(self: Any, condition: Any, axis: Any = None, out: Any = None) -> Any:
    """See `numpy.compress`."""
    return call(np.compress, (condition, self), {"axis": axis, **_given(out=out)})


def _given(**kwargs: Any) -> dict:
    return {key: value for key, value in kwargs.items() if value is not None}


@_method
def conjugate(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the complex conjugate."""
    if not args and not kwargs and np.asarray(plain(self)).dtype.kind != "c":
        return self  # of real numbers NumPy returns the very same object
    return np.conjugate(self, *args, **kwargs)


METHODS["conj"] = conjugate


@_method
def copy(self: Any, order: str = "C") -> Any:
    """Return a copy, in C order unless told otherwise."""
    if not isinstance(self.value, np.ndarray):
        return self
    return call(np.copy, (self,), {"order": order})


@_method
def astype(
    self: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
    copy: bool = True,
) -> Any:  # fmt: skip
    """Change the dtype; integers and bools leave the tape."""
    if np.dtype(dtype).kind == "O":
        leaks.leave(self, "an array of objects has no derivative")
    options = {"order": order, "casting": casting, "subok": subok, "copy": copy}
    changed = {k: v for k, v in options.items() if v != _ASTYPE[k]}
    return call_primitive(row(_astype), (self, dtype), changed, _astype)


_ASTYPE = {"order": "K", "casting": "unsafe", "subok": True, "copy": True}


def _astype(x: Any, dtype: Any, **options: Any) -> Any:
    return x.astype(dtype, **options)


linear(_astype, lambda ct, x, dtype, **options: ct, name="astype")


@_method
def view(self: Any, dtype: Any = None, type: Any = None) -> Any:
    """Look at the same memory; with another dtype or class it would leave the tape."""
    value = plain(self)
    given = [one for one in (dtype, type) if one is not None]
    if all(one is np.ndarray or _is_dtype(one, value.dtype) for one in given):
        return self[...] if isinstance(value, np.ndarray) else self
    dispatch.operand(self, reads=False)
    leaks.leave(self, f"view({given[0]!r}) reads its bytes in another way")
    return value.view(**_given(dtype=dtype, type=type))


def _is_dtype(x: Any, dtype: np.dtype) -> bool:
    return not (isinstance(x, type) and issubclass(x, np.ndarray)) and np.dtype(x) == dtype


@_method
def to_device(self: Any, device: str, /, *, stream: Any = None) -> Any:
    """Return the array itself: there is only the CPU."""
    plain(self).to_device(device, stream=stream)
    return self


@_method
def setflags(self: Any, *args: Any, **kwargs: Any) -> None:
    """Allow or forbid writes, as for the plain array."""
    storage_of(self).true_view(self).setflags(*args, **kwargs)


# ------------------------------------------------------------------------- elements as numbers


@_method
def item(self: Any, *index: Any) -> Any:
    """Return one element as a Python number, still on the tape."""
    value = plain(self)
    result = value.item(*index)
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        element = self
    elif not index:
        element = self[(0,) * value.ndim]
    else:
        index = index[0] if isinstance(index[0], tuple) else index
        if len(index) == 1 and value.ndim > 1:
            index = np.unravel_index(index[0] % value.size, value.shape)
        element = self[tuple(index)]
    return _number(element, result)


def _number(element: Any, result: Any) -> Any:
    return convert(type(result), element) if type(result) in (float, complex) else result


@_method
def tolist(self: Any) -> Any:
    """Return nested lists of Python numbers, still on the tape."""
    value = plain(self)
    if dispatch.operand(self, reads=False)[1] < 0:
        return value.tolist()
    if np.ndim(value) == 0:
        return _number(self, value.tolist())
    return [row.tolist() for row in self]


# ------------------------------------------------------------------------------ in-place methods


@_method
def fill(self: Any, value: Any) -> None:
    """Write one value everywhere."""
    np.empty(1, self.value.dtype).fill(plain(value))  # NumPy's own errors
    write_item(self, Ellipsis, value)


@_method
def sort(self: Any, axis: int = -1, kind: Any = None, order: Any = None, **kwargs: Any) -> None:
    """Sort in place."""
    options = {"axis": axis, **_given(kind=kind, order=order), **kwargs}
    _rewrite(self, call(np.sort, (self,), options))


@_method
def partition(
    self: Any, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None
) -> None:
    """Partition in place."""
    options = {"axis": axis, "kind": kind, **_given(order=order)}
    _rewrite(self, call(np.partition, (self, kth), options))


def _rewrite(handle: Any, values: Any) -> None:
    if handle.value.ndim == 0:
        return
    write_item(handle, Ellipsis, values)


@_method
def put(self: Any, indices: Any, values: Any, mode: Any = "raise") -> None:
    """Write values at positions of the flattened array; later ones win, few are repeated."""
    numbers = np.arange(self.value.size)
    numbers.put(plain(indices), 0, mode)  # NumPy's own errors
    positions = np.ravel(np.asarray(plain(indices)))
    count = np.size(plain(values))
    if positions.size == 0 or count == 0:
        return
    size = self.value.size
    if mode == "clip":
        positions = np.clip(positions, 0, size - 1)
    where = np.unravel_index(positions % size, self.value.shape)
    if count > 1 or np.ndim(plain(values)):
        values = as_operand(values)
        values = np.ravel(values if type(values) in HANDLE_TYPES else np.asarray(values))
        values = values[np.arange(positions.size) % count]
    write_item(self, where, values)


@_method
def resize(self: Any, *new_shape: Any, refcheck: bool = True) -> None:
    """Change shape and size in place: cut, or filled up with zeros."""
    shape = new_shape[0] if len(new_shape) == 1 else new_shape
    if shape is None or shape == ():
        return
    shape = (shape,) if isinstance(shape, int | np.integer) else tuple(shape)
    probe = np.array(plain(self), order="K")
    probe.resize(shape, refcheck=False)
    if not self.value.flags.owndata:
        raise ValueError("cannot resize this array: it does not own its data")
    if refcheck and self.storage is not None and _others(self):
        raise ValueError(
            "cannot resize an array that references or is referenced\nby another array in this"
            " way.\nUse the np.resize function or refcheck=False"
        )
    kept = np.ravel(self, order="A")[: probe.size]
    new = dispatch.untracked(np.zeros(probe.size, probe.dtype), type(self))
    write_item(new, slice(kept.size), kept)
    reshaped = np.copy(np.reshape(new, shape))
    for name in ("aval", "id", "storage", "token", "value"):
        setattr(self, name, getattr(reshaped, name))


def _others(handle: Any) -> bool:
    """Tell whether somebody else looks at the same memory."""
    alive = (reference() for reference in handle.storage.handles)
    return any(other is not None and other is not handle for other in alive)
