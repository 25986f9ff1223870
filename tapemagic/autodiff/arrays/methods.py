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

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import NUMBER_TYPES, convert, row
from tapemagic.autodiff.calls.dispatch import call, call_primitive, plain
from tapemagic.autodiff.primitives import linear

from . import changing_methods
from .views import lent, storage_of

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
        if not hasattr(type(handle._value), self.name):
            return getattr(handle._value, self.name)  # NumPy's own AttributeError
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
        try:
            return call(function, (self, *args), kwargs)
        except TypeError as error:
            refused = error
        getattr(np.copy(plain(self)), name)(*plain(args), **plain(kwargs))  # its own error
        raise refused

    method.__name__, method.__doc__ = name, f"See `numpy.{name}`."
    return method


def _flat(name: str, function: Callable | None = None) -> Callable:
    """Make a method whose result is an integer, a bool or text: plain, and noted."""

    def method(self: Any, *args: Any) -> Any:
        value = plain(self)
        result = function(value) if function else getattr(value, name)(*args)
        return leaks.flat(result, (self,), function)

    method.__name__ = name
    return method


def _refuse(handle: Any, what: str, fix: str = "") -> None:
    dispatch.operand(handle)  # brings a handle of a written array up to date
    leaks.leave(handle, what, fix)


def _leaving(name: str) -> Callable:
    """Make a method that hands the memory or the bytes to somebody else."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse(self, f"'{name}' hands out its digits or bytes")
        return getattr(lent(self), name)(*args, **kwargs)

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
    if len(axes) == 1 and (axes[0] is None or np.ndim(axes[0])):
        axes = axes[0]
    return call(np.transpose, (self, axes) if axes is not None and len(axes) else (self,), {})


@_method
def reshape(self: Any, *shape: Any, **kwargs: Any) -> Any:
    """Change the shape, given as numbers or as a tuple."""
    return call(np.reshape, (self, shape[0] if len(shape) == 1 else shape), kwargs)


@_method
def flatten(self: Any, order: str = "C") -> Any:
    """Return a 1-D copy."""
    value = plain(self)
    if not isinstance(value, np.ndarray) or order in ("C", "F"):
        return call_primitive(row(_flatten), (self, order), {}, _flatten)
    leaks.laid_out(self)
    if order == "A":
        return flatten(self, "F" if value.flags.fnc else "C")
    axes = sorted(range(value.ndim), key=lambda axis: -abs(value.strides[axis]))  # as in memory
    return flatten(transpose(self, axes))


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
        return dispatch.itself(self) if isinstance(self._value, np.ndarray) else _another(self)
    y = np.conjugate(self, *args, **kwargs)
    return convert(complex, y) if type(self._value) is complex else y


METHODS["conj"] = conjugate


def _another(number: Any) -> Any:
    """Return the same number as another object, as NumPy does; Python hands out the same."""
    if not isinstance(number._value, np.generic):
        return dispatch.itself(number)
    return dispatch.call_elementwise(row(np.positive), lambda x: x.copy(), (number,))


@_method
def copy(self: Any, order: str = "C") -> Any:
    """Return a copy, in C order unless told otherwise."""
    if not isinstance(self._value, np.ndarray):
        return _another(self)
    return call(np.copy, (self,), {"order": order})


@_method
def astype(
    self: Any, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
    copy: bool = True,
) -> Any:  # fmt: skip
    """Change the dtype; integers and bools leave the tape."""
    kind = np.dtype(dtype).kind
    if kind == "O":
        _refuse(self, "an array of objects has no derivative")
    if kind in "US":
        leaks.shown(self)
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
        return self[...] if isinstance(value, np.ndarray) else _another(self)
    if any(map(_is_class, given)):
        fix = "Hold the array in an attribute of a class of its own."
        _refuse(self, "what a subclass of ndarray computes is not followed", fix)
    else:
        _refuse(self, f"view({given[0]!r}) reads its bytes in another way")
    return lent(self).view(**_given(dtype=dtype, type=type))


def _is_class(x: Any) -> bool:
    return isinstance(x, type) and issubclass(x, np.ndarray)


def _is_dtype(x: Any, dtype: np.dtype) -> bool:
    return not _is_class(x) and np.dtype(x) == dtype


@_method
def to_device(self: Any, device: str, /, *, stream: Any = None) -> Any:
    """Return the array itself: there is only the CPU."""
    plain(self).to_device(device, stream=stream)
    return dispatch.itself(self)


@_method
def setflags(self: Any, *args: Any, **kwargs: Any) -> None:
    """Allow or forbid writes, as for the plain array."""
    storage_of(self).set_writeable(self, *args, **kwargs)


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
    return convert(type(result), element) if type(result) in NUMBER_TYPES else result


@_method
def tolist(self: Any) -> Any:
    """Return nested lists of Python numbers, still on the tape."""
    value = plain(self)
    if dispatch.operand(self, reads=False)[1] < 0:
        return value.tolist()
    if np.ndim(value) == 0:
        return _number(self, value.tolist())
    return [row.tolist() for row in self]


METHODS.update(changing_methods.METHODS)
