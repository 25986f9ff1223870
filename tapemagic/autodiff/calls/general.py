"""Computing and recording one call of a primitive.

The general way, right for every operand: plain arrays, broadcasting, complex numbers, stale views,
variables, keywords. `short.py` has short ways for the common ones, and `arrays/operators.py` the
shortest for the common few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import _NoValue

from tapemagic.autodiff import guards, leaks, recorder
from tapemagic.autodiff.avals import MULTIPLE, code_of, is_small
from tapemagic.autodiff.handles import (  # fmt: skip
    FLOAT,
    HANDLE_TYPES,
    family,
    holds_traced,
    itself,
    operand,
    traced,
    untracked,
)
from tapemagic.autodiff.positions import name_of, qualified_name
from tapemagic.autodiff.primitives import Primitive
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.warned import WARNING_LINES
from tapemagic.errors import NoRuleError

from .operands import NUMERIC, check_constant, has_own_ufuncs
from .signatures import operands_of, positional

#: dtype of a result -> the NumPy types that Python numbers have in its computation.
_NARROW = {
    np.dtype(np.float16): (np.float16, np.complex64),
    np.dtype(np.float32): (np.float32, np.complex64),
    np.dtype(np.complex64): (np.float32, np.complex64),
}


def call_elementwise(primitive: Primitive, compute: Any, args: tuple) -> Any:
    """Compute and record an elementwise primitive; `compute` is its operator or ufunc."""
    if RECORDER.recording is None:
        compute = WARNING_LINES.heard(compute)
    x1 = args[0]
    if type(x1) in HANDLE_TYPES:
        cls = x1.result_class
        if x1.token is RECORDER.token:
            x1, a, code1 = x1._value, x1.id, x1.aval
        else:
            x1, a, code1 = operand(x1, primitive.may_read(0))
    else:
        if not isinstance(x1, NUMERIC):  # formulas compute with operands: a list does not
            if has_own_ufuncs(x1):
                return NotImplemented
            return call_elementwise(primitive, compute, (as_array(x1), *args[1:]))
        cls, a, code1 = None, -1, 0
    if len(args) == 1:
        x2, b, code2 = None, -1, 0
        y = compute(_memory(args[0], x1))
    else:
        x2 = args[1]
        if type(x2) in HANDLE_TYPES:
            cls = cls or x2.result_class
            if x2.token is RECORDER.token:
                x2, b, code2 = x2._value, x2.id, x2.aval
            else:
                x2, b, code2 = operand(x2, primitive.may_read(1))
        else:
            if not isinstance(x2, NUMERIC):
                if has_own_ufuncs(x2):
                    return NotImplemented
                return call_elementwise(primitive, compute, (args[0], as_array(x2)))
            b, code2 = -1, 0
        y = compute(_memory(args[0], x1), _memory(args[1], x2))
    cls = cls or family(args)
    if a < 0 and b < 0:
        return untracked(y, cls)
    if code1 == 0:
        check_constant(x1, args)
    if code2 == 0:
        check_constant(x2, args)
    if a >= 0 or type(y) is float or type(y) is complex:  # else a number stays weak: float32 * 2.0
        x1 = _number(x1, y)
    if b >= 0 or type(y) is float or type(y) is complex:
        x2 = _number(x2, y)
    kind = type(y)
    if kind is np.ndarray or isinstance(y, np.generic):
        if y.dtype.kind not in "fc":
            return leaks.flat(y, args, compute)
    code = code_of(y)
    reads1, reads2, reads_y = primitive.kept[(a >= 0) + 2 * (b >= 0)]
    kept = _number(y, y) if reads_y or is_small(code) else None
    if a >= 0:
        if not reads1:
            x1 = None
    elif code1 == 0 and type(x1) is np.ndarray:
        x1 = guards.keep(x1)
    if b >= 0:
        if not reads2:
            x2 = None
    elif code2 == 0 and type(x2) is np.ndarray:
        x2 = guards.keep(x2)
    if code > 0 and (a < 0 or code1 == code) and (b < 0 or code2 == code):
        id_ = recorder.append((code, a, b, x1, x2, kept), primitive.code)
    else:
        id_ = recorder.append((code, a, b, x1, x2, kept, code1, code2), primitive.code + 1)
    return traced(y, code, id_, cls)


def _number(x: Any, y: Any) -> Any:
    """Return a Python number as NumPy's, which gives inf where Python raises ZeroDivisionError.

    It has the precision of the result `y`, as in the call: a partial of float64 would promote the
    cotangent of a float32 operand.
    """
    kind = type(x)
    if kind is not float and kind is not complex:
        return x
    narrow = _NARROW.get(getattr(y, "dtype", None))
    if narrow is None:
        return np.float64(x) if kind is float else np.complex128(x)
    with np.errstate(over="ignore"):  # of which the call has warned
        return narrow[kind is complex](x)


def call_primitive(primitive: Primitive, args: tuple, kwargs: dict, compute: Any) -> Any:
    """Compute and record a general or linear primitive."""
    if kwargs and (
        not operands_of(primitive).isdisjoint(kwargs)
        or any(type(value) in HANDLE_TYPES for value in kwargs.values())
    ):
        args, kwargs = positional(primitive.fun, args, kwargs)
    if RECORDER.recording is None:
        compute = WARNING_LINES.heard(compute)
    values, ids, codes = [], [], []
    is_ufunc = isinstance(primitive.fun, np.ufunc)
    for i, x in enumerate(args):
        if type(x) not in HANDLE_TYPES and not isinstance(x, NUMERIC):
            if is_ufunc and has_own_ufuncs(x):
                return NotImplemented
            if x is not None and x is not _NoValue and (is_ufunc or primitive.takes_array(i)):
                x = as_array(x)
        value, id_, code = operand(x, primitive.may_read(i))
        values.append(value)
        ids.append(id_)
        codes.append(code)
    memory = [_memory(x, value) for x, value in zip(args, values)]
    y = compute(*memory, **kwargs)
    cls = family(args)
    if max(ids) < 0:
        return wrapped(y, args, memory, None, cls)
    reads = all_reads(primitive, sum([1 << i for i, id_ in enumerate(ids) if id_ >= 0]), args)
    saved = []
    for i, value in enumerate(values):
        if ids[i] >= 0:
            if type(value) in (float, complex):  # rules ask for its shape
                value = np.asarray(value)[()]
            saved.append(value if i in reads or "*" in reads else None)
        elif codes[i]:
            saved.append(value)
        else:
            check_constant(value, args)
            saved.append(_constant(value))
    multiple = isinstance(y, (tuple, list))
    if not multiple and (
        y.dtype.kind not in "fc" if hasattr(y, "dtype") else not isinstance(y, (float, complex))
    ):
        return leaks.flat(y, args, compute, kwargs)
    code = MULTIPLE if multiple else code_of(y)
    keep_y = "y" in reads or (not multiple and is_small(code))
    tail = (
        code,
        tuple(ids),
        tuple(codes),
        tuple(saved),
        tuple((key, _constant(value)) for key, value in kwargs.items()) if kwargs else None,
        (tuple(y) if multiple else _kept(y)) if keep_y else None,
    )
    id_ = recorder.append(tail, primitive.code)
    if multiple:
        return unpack(y, id_, cls)
    return wrapped(y, args, memory, (code, id_), cls)


def _memory(x: Any, value: Any) -> Any:
    """Return what NumPy computes on: of a view, not the copy that an entry keeps.

    The copy has other strides, for which NumPy may take another way (``a @ a.T``, SIMD loops) and
    round otherwise.
    """
    if type(x) in HANDLE_TYPES and x.storage is not None:
        return x.storage.peek(x)
    return value


def as_array(items: Any) -> Any:
    """Make an array of what stands in the place of one, as NumPy does: of a list, of a `range`."""
    if isinstance(items, Sequence) and any(type(item) in HANDLE_TYPES for item in items):
        items = list(items)  # a deque, say
    from .creation import array_given, array_of, written_method

    if holds_traced(items):
        return array_of(np.array, items)
    if written_method(items, "__array__"):
        return array_given(np.asarray, items)
    return np.asarray(items)


def _kept(y: Any) -> Any:
    """Return a result as an entry keeps it: of a view a copy, which no later write reaches."""
    return y.copy() if isinstance(y, np.ndarray) and y.base is not None else y


def _constant(value: Any) -> Any:
    """Return what an entry keeps of a mask or an index: later writes must not reach it."""
    if type(value) is list:
        return list(value)
    return guards.keep(value) if type(value) is np.ndarray else value


def all_reads(primitive: Primitive, tracked: int, args: tuple) -> frozenset:
    """Return which values the rules of the traced arguments read: those whose bit is set."""
    known = primitive.read_sets.get(tracked)
    if known is None:
        known = frozenset().union(
            *(_reads(primitive, i, args) for i in range(len(args)) if tracked >> i & 1)
        )
        primitive.read_sets[tracked] = known
    return known


def _reads(primitive: Primitive, position: int, args: tuple) -> frozenset:
    if primitive.variadic:
        return primitive.saves[0]
    if not primitive.vjps and position == 0:  # the machinery's own (structure.py) save nothing
        return frozenset()
    if position >= len(primitive.vjps) or primitive.vjps[position] is None:
        name = qualified_name(primitive.fun)
        raise leaks.locate(
            NoRuleError(
                f"{name_of(args[position : position + 1])} is argument {position + 1} of "
                f"{name}, which has no derivative with respect to it.",
                fix="Cut it on purpose with tapemagic.stop_gradient(...).",
            )
        )
    return primitive.saves[position]


def wrapped(y: Any, args: tuple, memory: Sequence, node: tuple[int, int] | None, cls: Any) -> Any:
    """Wrap a result, and tie it to an argument where NumPy returned that or a view of it.

    What a sweep makes is not tied: nobody writes there, and who is handed a result gets a copy of
    his own when he writes to it.
    """
    if type(y) is np.ndarray or isinstance(y, np.ndarray):
        base = y.base
        if base is not None and type(base) is not np.ndarray:
            base = getattr(base, "base", base)  # NumPy's as_strided puts an object between
        for x, value in zip(args, memory):
            if y is value and type(x) in HANDLE_TYPES:
                return itself(x)
            if (
                base is not None
                and not RECORDER.standing
                and type(x) in HANDLE_TYPES
                and isinstance(value, np.ndarray)
                and (base is value or base is value.base)
            ):
                from tapemagic.autodiff.arrays.views import view_of

                return view_of(x, y, node, cls)
    if node is None:
        return untracked(y, cls)
    return traced(y, node[0], node[1], cls)


def unpack(y: Any, id_: int, cls: type) -> Any:
    """Record one node per array of a result that is a tuple or list of arrays."""
    from tapemagic.autodiff.structure import pick

    items = []
    for i, item in enumerate(y):
        code = code_of(item) if getattr(item, "dtype", FLOAT).kind in "fc" else 0
        if not code:
            items.append(item)
            continue
        tail = (
            code, (id_,), (MULTIPLE,), (None, i, len(y)), None,
            item if is_small(code) else None,
        )  # fmt: skip
        items.append(traced(item, code, recorder.append(tail, pick.code), cls))
    if isinstance(y, list):
        return items
    return type(y)(*items) if hasattr(y, "_fields") else tuple(items)
