"""Making arrays out of traced values: `np.array([t, 2 * t])` and its kin stay on the tape.

NumPy itself computes the array, from the plain values: shape, dtype and errors are its own. What is
recorded is where each value went.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.decisions import is_in_line
from tapemagic.autodiff.handles import LISTS
from tapemagic.autodiff.primitives import RULES, Primitive, elementwise, general, linear
from tapemagic.autodiff.warned import unheard

from . import dispatch
from .dispatch import HANDLE_TYPES, call_elementwise, call_primitive, plain

#: Types that, called on a number, give a number of another type: the value stays on the tape.
NUMBER_TYPES = (
    float, complex, np.float16, np.float32, np.float64, np.longdouble,
    np.complex64, np.complex128, np.clongdouble,
)  # fmt: skip

for _type in dict.fromkeys(NUMBER_TYPES):
    elementwise(_type, "1")


def row(fun: Any) -> Primitive:
    """Return the row of a function that is known to be a primitive."""
    rule = RULES[fun]
    if not isinstance(rule, Primitive):
        raise TypeError(f"{fun} has no row of its own")
    return rule


def convert(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call `function`; where it is ``float``, ``np.float32``, ..., a traced value stays traced.

    Examples
    --------
    >>> convert(float, "1.5")
    1.5
    """
    single = len(args) == 1 and not kwargs and type(args[0]) in HANDLE_TYPES
    if single and isinstance(function, type) and function in NUMBER_TYPES:
        return without_class(call_elementwise(row(function), function, args))
    if args and isinstance(args[0], (list, tuple)) and dispatch.holds_traced(args):
        if isinstance(function, type) and issubclass(function, np.generic):  # an array of them
            return array_of(np.array, args[0], dtype=function)
    if function is complex and len(args) == 2 and dispatch.holds_traced(args):
        return convert(complex, args[0]) + convert(complex, args[1]) * 1j
    if len(args) == 1 and (function is float or function is complex):
        method = written_method(args[0], f"__{function.__name__}__")
        number = method(args[0]) if method else None
        if type(number) in HANDLE_TYPES:
            return convert(function, number)
        if type(number) is function:
            return number
    return function(*args, **kwargs)


def written_method(x: Any, name: str) -> Any:
    """Return a special method that the class of `x` has in Python, to be asked before C code is.

    It may give a traced value, which C code refuses.
    """
    method = getattr(type(x), name, None)
    is_ours = type(x) in HANDLE_TYPES
    return method if type(method) is FunctionType and not is_ours else None


class Asking:
    """Stands for an object whose `__array__` NumPy asks, and keeps a traced array that it gives."""

    def __init__(self, owner: Any) -> None:
        self.owner, self.traced, self.given = owner, None, None

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        y = self.owner.__array__(*args, **kwargs)
        if type(y) not in HANDLE_TYPES:
            return y
        self.traced, self.given = y, plain(y)
        return self.given


def array_given(create: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ``create(x, ...)``, where `x` may give a traced array when it is asked for one."""
    asking = Asking(x)
    y = create(asking, *args, **kwargs)
    if asking.traced is None:
        return y
    if y is asking.given:  # NumPy takes it for a copy where it has asked for one
        return dispatch.itself(asking.traced)
    return array_of(create, asking.traced, *args, **kwargs)


def without_class(x: Any) -> Any:
    """Return a converted value as NumPy's number or array, which is no tensor any more."""
    if type(x) not in HANDLE_TYPES or type(x) is x.number_class:
        return x
    value, id_, code = dispatch.operand(x)
    if isinstance(value, np.ndarray):
        value = value.copy()  # an array may be written to, and the tensor stays
    if id_ < 0:
        return dispatch.untracked(value, x.number_class)
    return dispatch.traced(value, code, id_, x.number_class)


# ------------------------------------------------------------------------- one array from one


def _array(x: Any, dtype: Any = None, ndmin: int = 0) -> np.ndarray:
    return np.array(x, dtype=dtype, ndmin=ndmin)


linear(_array, lambda ct, x, dtype=None, ndmin=0: np.reshape(ct, x.shape), name="array")


# ------------------------------------------------------------------------ one array from many


def _assemble(
    *leaves: Any, positions: tuple[tuple[int, ...], ...], shape: tuple[int, ...], dtype: str
) -> np.ndarray:
    """Put values and arrays at their positions in a new array."""
    array = np.empty(shape, dtype)
    for position, leaf in zip(positions, leaves, strict=True):
        array[position] = leaf
    return array


ARRAY = general(
    _assemble,
    variadic=lambda i, ct, y, *leaves, positions, shape, dtype: ct[positions[i]],
    kind="linear",
    name="array",
)


def _leaves(nested: Any, position: tuple[int, ...] = ()) -> Iterator[tuple[tuple, Any]]:
    """Yield every number and array in nested lists, with its indices."""
    if isinstance(nested, (list, tuple)):
        for i, item in enumerate(nested):
            yield from _leaves(item, (*position, i))
    else:
        yield position, nested


def nested_of(positions: tuple[tuple[int, ...], ...], leaves: tuple) -> list:
    """Return the nested lists that have these leaves at these positions, which are in order."""
    nested: list = []
    for position, leaf in zip(positions, leaves, strict=True):
        inner = nested
        for i in position[:-1]:
            if i == len(inner):
                inner.append([])
            inner = inner[i]
        inner.append(leaf)
    return nested


def _lists(nested: Any) -> Any:
    """Turn named tuples, deques and subclasses into plain lists, which `plain` looks into."""
    return [_lists(item) for item in nested] if isinstance(nested, LISTS) else nested


def array_of(create: Callable, x: Any, *args: Any, **kwargs: Any) -> Any:
    """Call ``create(x, ...)``, one of np.array and its kin, where `x` is or holds a handle.

    Raises
    ------
    Whatever NumPy raises for the plain values: ragged lists, unknown dtypes.
    """
    dtype = kwargs.get("dtype", args[0] if args else None)
    if dtype is not None and np.dtype(dtype).kind == "V":  # of fields: tuples are its elements
        for leaf in filter(dispatch.is_traced, (leaf for _, leaf in _leaves(x))):
            leaks.leave(leaf, "an array with named fields has no derivative")
    if type(x) not in HANDLE_TYPES:
        return _of_list(create, _lists(x), args, kwargs)
    if create in (np.ascontiguousarray, np.asfortranarray) or args[1:] or kwargs.get("order"):
        leaks.decided(is_in_line, (x,), {})  # the array itself, or a copy
    if create is not np.array:  # often the very same array
        value = plain(x)
        with unheard():
            is_itself = create(value, *args, **kwargs) is value
        if is_itself:
            return dispatch.itself(x)

    def compute(value: Any, *_: Any) -> Any:
        y = create(value, *args, **kwargs)
        if y.dtype.kind == "O":
            leaks.leave(x, "an array of objects has no derivative")
        return y

    params = (dtype if dtype is None else np.dtype(dtype).str, kwargs.get("ndmin", 0))
    return call_primitive(row(_array), (x, *params), {}, compute)


def _of_list(create: Callable, nested: list, args: tuple, kwargs: dict) -> Any:
    y = create(plain(nested), *args, **kwargs)
    positions, leaves = zip(*_leaves(nested), strict=True)
    if y.dtype.kind not in "fc":
        if y.dtype.kind == "O":
            for leaf in filter(dispatch.is_traced, leaves):
                leaks.leave(leaf, "an array of objects has no derivative")
        return leaks.flat(y, leaves)
    extra = y.ndim - len(positions[0]) - np.ndim(plain(leaves[0]))  # axes that ndmin= added
    positions = tuple((0,) * extra + position for position in positions)
    params = {"positions": positions, "shape": y.shape, "dtype": y.dtype.str}
    return call_primitive(row(_assemble), leaves, params, lambda *_, **__: y)


def as_operand(x: Any) -> Any:
    """Turn a list that holds handles into an array; leave everything else as it is."""
    if isinstance(x, LISTS) and dispatch.holds_traced(x):
        return array_of(np.array, x)
    return x
