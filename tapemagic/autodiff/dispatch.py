"""Carrying out a call on traced arrays: find the row, compute the plain value, record.

This is the general way, right for every operand: plain arrays, broadcasting, complex numbers,
stale views, variables, keywords. `operators.py` has the short way for the common few.
"""

from __future__ import annotations

import inspect
import sys
from functools import lru_cache, partial
from typing import Any

import numpy as np

from ..errors import NoRuleError, TapeUseError, UnsupportedWriteError
from . import guards, later, leaks, recorder
from .avals import MULTIPLE, code_of, is_small
from .decisions import DECISIONS, deciding
from .primitives import RULES, Composite, Primitive, Refused
from .recorder import RECORDER

#: Classes of handles, filled by `traced.py`; a handle is recognised by its exact type.
HANDLE_TYPES: set[type] = set()
#: Types that an operator takes besides handles; others get NotImplemented, as from an ndarray.
_NUMBERS = (int, float, complex, np.generic, np.ndarray, list, tuple)


def is_traced(x: Any) -> bool:
    """Tell whether `x` is a handle (which `isinstance(x, np.ndarray)` does not)."""
    return type(x) in HANDLE_TYPES


def operand(x: Any, reads: bool = True) -> tuple[Any, int, int]:
    """Return the plain value of an argument, the id of its node (or -1), and its aval code.

    `reads` tells whether a rule will read the value later; if not, it need not be protected from
    the next write.
    """
    if type(x) in HANDLE_TYPES:
        if x.token is RECORDER.token:
            if reads or x.storage is None:
                return x.value, x.id, x.aval
            # `value` may be a copy that a rule has asked for: a view must be one of the contents.
            return x.storage.peek(x), x.id, x.aval
        if RECORDER.shunned is not None:
            _refuse_shunned(x)
        if x.storage is not None:
            return x.storage.settle(x, reads)
        return x.value, -1, x.aval
    return x, -1, 0


class ReadsShunned(Exception):  # noqa: N818  (told to `cuts.checkpoint` only)
    """A function that runs unrecorded has read a watched value."""


def _refuse_shunned(x: Any) -> None:
    token = x.token
    if x.storage is not None:
        token = getattr(x.storage, "token", None) or getattr(x.storage, "leaf_token", None)
    if token is RECORDER.shunned or any(
        tape.wants(x) for tape in RECORDER.tapes if hasattr(x.storage, "trainable")
    ):
        raise ReadsShunned


def node_of(handle: Any) -> int:
    """Return the id of a handle's node (or -1), where its value will be kept by nobody."""
    if handle.token is RECORDER.token:
        return handle.id
    if RECORDER.shunned is not None:
        _refuse_shunned(handle)
    return handle.storage.node_of(handle) if handle.storage is not None else -1


def plain(x: Any) -> Any:
    """Replace handles by their plain values, in nested lists, tuples and dicts as well."""
    kind = type(x)
    if kind in HANDLE_TYPES:
        return x.storage.peek(x) if x.storage is not None else x.value
    if kind is list or kind is tuple:
        return kind(plain(item) for item in x)
    if kind is dict:
        return {key: plain(item) for key, item in x.items()}
    return x


def holds_traced(x: Any) -> bool:
    """Tell whether a (nested) list or tuple of array data holds a handle."""
    if type(x) in HANDLE_TYPES:
        return True
    return isinstance(x, (list, tuple)) and any(holds_traced(item) for item in x)


def family(args: Any) -> type:
    """Return the class of the results: the handle class of the first handle among `args`."""
    for x in args:
        if type(x) in HANDLE_TYPES:
            return x.result_class
        if isinstance(x, (list, tuple)) and holds_traced(x):
            return family(x)
    raise TapeUseError("no traced array among the arguments")


# --------------------------------------------------------------------------------- elementwise


def call_operator(rule: Any, compute: Any, args: tuple) -> Any:
    """Carry out a binary or unary operator with at least one handle among its operands."""
    for i, x in enumerate(args):
        if type(x) not in HANDLE_TYPES and not isinstance(x, _NUMBERS):
            return NotImplemented
        if isinstance(x, (list, tuple)):
            compute(*plain(args))  # a number and a list: Python or NumPy may refuse
            args = (*args[:i], _array_of(x), *args[i + 1 :])
            if holds_traced(x):
                compute = rule.fun
    if not isinstance(rule, Primitive):
        return call(rule.fun, args, {})
    if rule.kind == "elementwise":
        return call_elementwise(rule, compute, args)
    return call_short(rule, compute, args)


def _array_of(items: list | tuple) -> Any:
    """Turn a list in the place of an array into an array."""
    return np.stack(items) if holds_traced(items) else np.asarray(items)


def call_elementwise(primitive: Primitive, compute: Any, args: tuple) -> Any:
    """Compute and record an elementwise primitive; `compute` is its operator or ufunc."""
    x1 = args[0]
    if type(x1) in HANDLE_TYPES:
        cls = x1.result_class
        if x1.token is RECORDER.token:
            x1, a, code1 = x1.value, x1.id, x1.aval
        else:
            x1, a, code1 = operand(x1, primitive.may_read(0))
    else:
        if isinstance(x1, (list, tuple)):  # formulas compute with operands: a list does not
            return call_elementwise(primitive, compute, (_array_of(x1), *args[1:]))
        cls, a, code1 = None, -1, 0
    if len(args) == 1:
        x2, b, code2 = None, -1, 0
        y = compute(_memory(args[0], x1))
    else:
        x2 = args[1]
        if type(x2) in HANDLE_TYPES:
            cls = cls or x2.result_class
            if x2.token is RECORDER.token:
                x2, b, code2 = x2.value, x2.id, x2.aval
            else:
                x2, b, code2 = operand(x2, primitive.may_read(1))
        else:
            if isinstance(x2, (list, tuple)):
                return call_elementwise(primitive, compute, (args[0], _array_of(x2)))
            b, code2 = -1, 0
        y = compute(_memory(args[0], x1), _memory(args[1], x2))
    cls = cls or family(args)
    if a < 0 and b < 0:
        return untracked(y, cls)
    if a >= 0 or type(y) is float or type(y) is complex:  # else a number stays weak: float32 * 2.0
        x1 = _number(x1)
    if b >= 0 or type(y) is float or type(y) is complex:
        x2 = _number(x2)
    kind = type(y)
    if kind is np.ndarray or isinstance(y, np.generic):
        if y.dtype.kind not in "fc":
            return leaks.flat(y, args, compute)
    code = code_of(y)
    reads1, reads2, reads_y = primitive.kept(a >= 0, b >= 0)
    kept = _number(y) if reads_y or is_small(code) else None
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


def call_unary(primitive: Primitive, compute: Any, x: Any) -> Any:
    """Do what `call_elementwise` does for one up-to-date operand whose kind the result keeps."""
    value, code = x.value, x.aval
    y = compute(value)
    if type(y) is not type(value):  # it did not: np.absolute of a subclass, np.spacing, ...
        return call_elementwise(primitive, compute, (x,))
    reads_x, _, reads_y = primitive.kept(True, False)
    kept = y if reads_y or not code & 1 else None
    tail = (code, x.id, -1, value if reads_x else None, None, kept)
    return traced(y, code, recorder.append(tail, primitive.code), x.result_class)


_FLOAT = np.dtype(float)


def _number(x: Any) -> Any:
    """Return a Python number as NumPy's, which gives inf where Python raises ZeroDivisionError."""
    kind = type(x)
    return np.float64(x) if kind is float else np.complex128(x) if kind is complex else x




def traced(value: Any, code: int, id_: int, cls: type) -> Any:
    """Make a handle for a recorded value."""
    result = object.__new__(cls)
    result.value = value
    result.aval = code
    result.token = RECORDER.token
    result.storage = None
    result.id = id_
    return result


def untracked(value: Any, cls: type) -> Any:
    """Wrap a result that depends on nothing watched.

    While a tape records, arrays stay behind a handle, so that a traced value can be written into
    them later; numbers cannot be written to and are handed out plain.
    """
    if isinstance(value, (tuple, list)):
        items = [untracked(item, cls) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if not cls.wraps_plain and not (
        RECORDER.recording is not None
        and isinstance(value, np.ndarray)
        and value.dtype.kind in "fc"
    ):
        return value
    if isinstance(value, (np.ndarray, np.generic, float)) and getattr(
        value, "dtype", _FLOAT
    ).kind in ("fc" if not cls.wraps_plain else "fcbiu"):
        result = object.__new__(cls)
        result.value, result.aval = value, code_of(value)
        result.token, result.storage, result.id = None, None, -1
        return result
    return value


# ------------------------------------------------------------------------------------ general


def call(fun: Any, args: tuple, kwargs: dict) -> Any:
    """Carry out `fun(*args, **kwargs)` where handles are somewhere among the arguments."""
    rule = RULES.get(fun)
    if rule is None:
        later.load()
        rule = RULES.get(fun)
        if rule is None:
            raise _no_rule(fun, args)
    if len(args) > _place_of_out(fun) or (kwargs and kwargs.get("out") is not None):
        return _into(fun, args, kwargs)
    if type(rule) is Primitive:
        if rule.kind == "constant":
            return leaks.flat(fun(*plain(args), **plain(kwargs)), args, fun, kwargs)
        if not kwargs:
            if rule.kind == "elementwise" and len(args) == rule.arity:
                return call_elementwise(rule, fun, args)
            if len(args) <= 2:
                return call_short(rule, fun, args)
        return call_primitive(rule, args, kwargs, fun)
    if type(rule) is Composite:
        if fun in DECISIONS and RECORDER.recording is not None:
            leaks.decided(*deciding(fun, args, kwargs), {})
        return rule.body(*args, **kwargs)
    raise _refusal(rule, args)


@lru_cache(maxsize=512)
def _place_of_out(fun: Any) -> int:
    """Return how many positional arguments come before `out`."""
    try:
        parameters = _signature(fun).parameters
    except (TypeError, ValueError):
        return sys.maxsize
    if "out" not in parameters or parameters["out"].kind is inspect.Parameter.KEYWORD_ONLY:
        return sys.maxsize
    return list(parameters).index("out")


def _into(fun: Any, args: tuple, kwargs: dict) -> Any:
    """Carry out a call with `out=`: the call without, and a write of its result."""
    from .ufuncs import store  # noqa: PLC0415  (built on this module)

    if len(args) > (place := _place_of_out(fun)):
        names = list(_signature(fun).parameters)
        args, kwargs = args[:place], dict(zip(names[place:], args[place:])) | kwargs
    rest = {key: value for key, value in kwargs.items() if key != "out"}
    out = kwargs["out"]
    traced_input = holds_traced(args) or holds_traced(tuple(rest.values()))
    if out is not None and traced_input and not is_traced(out):
        name = leaks.qualified_name(fun)
        raise leaks.locate(
            UnsupportedWriteError(
                f"{leaks.name_of(args)} would be written by {name} into a plain array, which the "
                "tape cannot follow.",
                fix=f"Bind the result instead: z = {name}(...).",
            )
        )
    y = call(fun, args, rest) if traced_input else fun(*args, **rest)
    if out is None:
        return y
    return store(y, (out,), partial(fun, *plain(args), **plain(rest)))


def _no_rule(fun: Any, args: Any) -> NoRuleError:
    name = leaks.qualified_name(fun)
    return leaks.locate(
        NoRuleError(
            f"{leaks.name_of(args)} went into {name}, which has no derivative rule.",
            fix=f"Write it with other NumPy functions, or cut it: {name}(tapemagic.stop_gradient"
            "(...)).",
        )
    )


def _refusal(rule: Refused, args: Any) -> NoRuleError:
    name = leaks.qualified_name(rule.fun)
    return leaks.locate(
        NoRuleError(
            f"{leaks.name_of(args)} cannot go through {name}: {rule.why}.", fix=rule.fix
        )
    )


def call_short(primitive: Primitive, compute: Any, args: tuple) -> Any:
    """Do what `call_primitive` does, for one or two arrays of which nothing is special.

    Nothing special: handles that are up to date and alias nothing written, or plain arrays, and a
    result that is one new array.
    """
    token = RECORDER.token
    values, ids, codes = [], [], []
    cls = None
    for x in args:
        if type(x) in HANDLE_TYPES:
            if x.storage is not None and x.storage.written:
                break
            cls = x.result_class
            if x.token is token:
                values.append(x.value)
                ids.append(x.id)
                codes.append(x.aval)
            else:
                value, id_, code = operand(x)
                values.append(value)
                ids.append(id_)
                codes.append(code)
        elif type(x) is np.ndarray:
            values.append(x)
            ids.append(-1)
            codes.append(0)
        else:
            break
    if len(values) < len(args) or max(ids) < 0 or not all(hasattr(x, "shape") for x in values):
        return call_primitive(primitive, args, {}, compute)
    y = compute(*values)
    kind = type(y)
    if kind is np.ndarray:
        if y.base is not None or y is values[0]:
            return call_primitive(primitive, args, {}, compute)
    elif not isinstance(y, np.inexact):
        return call_primitive(primitive, args, {}, compute)
    if y.dtype.kind not in "fc":
        return leaks.flat(y, args, compute)
    reads = _all_reads(primitive, ids, args)
    for i, id_ in enumerate(ids):
        if id_ < 0:
            if not codes[i]:
                values[i] = guards.keep(values[i])
        elif i not in reads and "*" not in reads:
            values[i] = None
    code = code_of(y)
    kept = y if "y" in reads or is_small(code) else None
    tail = (code, tuple(ids), tuple(codes), tuple(values), None, kept)
    return traced(y, code, recorder.append(tail, primitive.code), cls)


def call_primitive(primitive: Primitive, args: tuple, kwargs: dict, compute: Any) -> Any:
    """Compute and record a general or linear primitive."""
    if kwargs and any(type(value) in HANDLE_TYPES for value in kwargs.values()):
        args, kwargs = _positional(primitive.fun, args, kwargs)
    values, ids, codes = [], [], []
    for i, x in enumerate(args):
        listed = type(x) in (list, tuple) and primitive.takes_array(i)
        value, id_, code = operand(_as_array(x) if listed else x, primitive.may_read(i))
        values.append(value)
        ids.append(id_)
        codes.append(code)
    memory = [_memory(x, value) for x, value in zip(args, values)]
    y = compute(*memory, **kwargs)
    cls = family(args)
    if max(ids) < 0:
        return _result(y, args, memory, None, cls)
    reads = _all_reads(primitive, ids, args)
    saved = []
    for i, value in enumerate(values):
        if ids[i] >= 0:
            if type(value) in (float, complex):  # rules ask for its shape
                value = np.asarray(value)[()]
            saved.append(value if i in reads or "*" in reads else None)
        elif codes[i]:
            saved.append(value)
        else:
            saved.append(_constant(value))
    multiple = isinstance(y, (tuple, list))
    if not multiple and getattr(y, "dtype", _FLOAT).kind not in "fc":
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
        return _unpack(y, id_, cls)
    return _result(y, args, memory, (code, id_), cls)


def _memory(x: Any, value: Any) -> Any:
    """Return what NumPy computes on: of a view, not the copy that an entry keeps.

    The copy has other strides, for which NumPy may take another way (``a @ a.T``, SIMD loops) and
    round otherwise.
    """
    if type(x) in HANDLE_TYPES and x.storage is not None:
        return x.storage.peek(x)
    return value


def _as_array(items: Any) -> Any:
    """Make an array of a list in the place of an array, as NumPy does."""
    if not holds_traced(items):
        return np.asarray(items)
    from .creation import array_of  # noqa: PLC0415  (built on this module)

    return array_of(np.array, items)


def _kept(y: Any) -> Any:
    """Return a result as an entry keeps it: of a view a copy, which no later write reaches."""
    return y.copy() if isinstance(y, np.ndarray) and y.base is not None else y


def _constant(value: Any) -> Any:
    """Return what an entry keeps of a mask or an index: later writes must not reach it."""
    if type(value) is list:
        return list(value)
    return guards.keep(value) if type(value) is np.ndarray else value


def _all_reads(primitive: Primitive, ids: list, args: tuple) -> frozenset:
    """Return which values the rules of the traced arguments read."""
    key = tuple([id_ >= 0 for id_ in ids])
    known = primitive.read_sets.get(key)
    if known is None:
        known = frozenset().union(
            *(_reads(primitive, i, args) for i, id_ in enumerate(ids) if id_ >= 0)
        )
        primitive.read_sets[key] = known
    return known


def _reads(primitive: Primitive, position: int, args: tuple) -> frozenset:
    if primitive.variadic:
        return primitive.saves[0]
    if not primitive.vjps and position == 0:  # the machinery's own (structure.py) save nothing
        return frozenset()
    if position >= len(primitive.vjps) or primitive.vjps[position] is None:
        name = leaks.qualified_name(primitive.fun)
        raise leaks.locate(
            NoRuleError(
                f"{leaks.name_of(args[position : position + 1])} is argument {position + 1} of "
                f"{name}, which has no derivative with respect to it.",
                fix="Cut it on purpose with tapemagic.stop_gradient(...).",
            )
        )
    return primitive.saves[position]


def _result(
    y: Any, args: tuple, memory: list, node: tuple[int, int] | None, cls: type
) -> Any:
    """Wrap a result, and tie it to an argument where NumPy returned that or a view of it."""
    if isinstance(y, np.ndarray) and not isinstance(y, tuple):
        for x, value in zip(args, memory, strict=True):
            if type(x) in HANDLE_TYPES and isinstance(value, np.ndarray):
                if y is value:
                    return x
                if y.base is not None and (y.base is value or y.base is value.base):
                    from .storage import view_of  # noqa: PLC0415  (storage writes through dispatch)

                    return view_of(x, y, node, cls)
    if node is None:
        return untracked(y, cls)
    return traced(y, node[0], node[1], cls)


def _unpack(y: Any, id_: int, cls: type) -> Any:
    """Record one node per array of a result that is a tuple or list of arrays."""
    from .structure import pick  # noqa: PLC0415  (built on this module)

    items = []
    for i, item in enumerate(y):
        code = code_of(item) if getattr(item, "dtype", _FLOAT).kind in "fc" else 0
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


def _positional(fun: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """Move traced keyword arguments into their positions."""
    try:
        signature = _signature(fun)
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        raise _no_rule(fun, tuple(kwargs.values())) from None
    bound.apply_defaults()
    moved, rest = list(bound.args), dict(bound.kwargs)
    for name, value in rest.items():
        if type(value) in HANDLE_TYPES and node_of(value) < 0:  # a constant of the cell
            rest[name] = plain(value)
        elif type(value) in HANDLE_TYPES:
            raise leaks.locate(
                NoRuleError(
                    f"{leaks.name_of((value,))} is argument {name!r} of "
                    f"{leaks.qualified_name(fun)}, which has no derivative with respect to it.",
                    fix="Cut it on purpose with tapemagic.stop_gradient(...).",
                )
            )
    defaults = signature.parameters
    while len(moved) > len(args) and moved[-1] is list(defaults.values())[len(moved) - 1].default:
        moved.pop()
    rest = {k: v for k, v in rest.items() if v is not defaults[k].default or k in kwargs}
    return tuple(moved), rest


@lru_cache(maxsize=256)
def _signature(fun: Any) -> inspect.Signature:
    return inspect.signature(fun)
