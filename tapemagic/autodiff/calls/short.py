"""Short ways of carrying out a call: operands of which nothing is special.

Nothing special: handles that are up to date and alias nothing that was written, plain arrays,
numbers and settings such as ``axis=0``; and a result that is an array or a NumPy number. Anything
else takes the general way (`general.py`), which computes the same.

The lines that append an entry and make a handle are written out in each of these functions: as
calls they would cost as much again. `depth` is how many frames up the caller's is, of which the
first is not ours: each one that has to be looked at costs, too.
"""

from __future__ import annotations

from sys import _getframe
from typing import Any

import numpy as np
from numpy import inexact, ndarray

from tapemagic.autodiff import guards, leaks
from tapemagic.autodiff.avals import CODES, code_of
from tapemagic.autodiff.handles import HANDLE_TYPES, NUMBER, itself, traced
from tapemagic.autodiff.primitives import Primitive
from tapemagic.autodiff.pullbacks import NO_KEYWORDS
from tapemagic.autodiff.recorder import RECORDER, entered

from .general import all_reads, call_elementwise, call_primitive, wrapped
from .operands import SETTINGS, again, are_settings, is_shape, read, saved

#: Types of operands that are no handles.
_CONSTANTS = {ndarray, float, int, np.float64, np.float32}
#: Keywords that methods of arrays take as the functions do.
_OF_METHODS = {"axis", "keepdims"}


def call_unary(primitive: Primitive, compute: Any, x: Any, depth: int = 2) -> Any:
    """Do what `call_elementwise` does for one operand whose dtype the result keeps."""
    token, storage = RECORDER.token, x.storage
    if (
        x.token is token
        and (storage is None or not storage.written or x.window is storage.whole)
        and x.aval > NUMBER
    ):
        value, id_, code = x._value, x.id, x.aval
    else:
        value, id_, code = read(primitive, x, 0, depth)
        if id_ < 0 or code < 0:
            return call_elementwise(primitive, compute, (x,))
    y = compute(value)
    if type(y) is not type(value):  # it did not: np.absolute of a subclass, np.spacing, ...
        return call_elementwise(primitive, compute, (x,))
    reads_x, _, reads_y = primitive.kept[1]
    frame = _getframe(depth)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    result: Any = object.__new__(x.result_class)
    result._value = y
    result.aval = code
    result.token = token
    result.storage = None
    entries = RECORDER.entries
    result.id = len(entries)
    if not reads_x:
        value = None
    elif storage is not None:
        value = saved(x, value)
    entries.append(
        (
            primitive.code, frame.f_lasti, RECORDER.context, code, id_, -1, value, None,
            y if reads_y or not code & 1 else None,
        )
    )  # fmt: skip
    return result


def _general(primitive: Primitive, compute: Any, args: tuple) -> Any:
    if primitive.kind == "elementwise":
        return call_elementwise(primitive, compute, args)
    return call_primitive(primitive, args, NO_KEYWORDS, compute)


def call_binary(primitive: Primitive, compute: Any, x1: Any, x2: Any, depth: int = 2) -> Any:
    """Carry out a function of two operands, at least one a handle, as the general way does."""
    token = RECORDER.token
    kind1, kind2 = type(x1), type(x2)
    tracked = 0
    if kind1 in HANDLE_TYPES:
        cls = x1.result_class
        storage = x1.storage
        if (
            x1.token is token
            and (storage is None or not storage.written or x1.window is storage.whole)
            and x1.aval > NUMBER
        ):
            v1, a, code1 = x1._value, x1.id, x1.aval
        else:
            v1, a, code1 = read(primitive, x1, 0, depth)
            if v1 is None:
                return _general(primitive, compute, (x1, x2))
        if a >= 0:
            tracked = 1
    elif kind1 in _CONSTANTS and kind2 in HANDLE_TYPES:
        cls, v1, a, code1 = x2.result_class, x1, -1, 0
    else:
        return _general(primitive, compute, (x1, x2))
    if kind2 in HANDLE_TYPES:
        storage = x2.storage
        if (
            x2.token is token
            and (storage is None or not storage.written or x2.window is storage.whole)
            and x2.aval > NUMBER
        ):
            v2, b, code2 = x2._value, x2.id, x2.aval
        else:
            v2, b, code2 = read(primitive, x2, 1, depth)
            if v2 is None:
                return _general(primitive, compute, (x1, x2))
        if b >= 0:
            tracked += 2
    elif kind2 in _CONSTANTS or is_shape(primitive, x2, 1):
        v2, b, code2 = x2, -1, 0
    else:
        return _general(primitive, compute, (x1, x2))
    if not tracked:
        return _general(primitive, compute, (x1, x2))
    y = compute(v1, v2)
    elementwise = primitive.kind == "elementwise"
    is_view = False
    kind = type(y)
    if kind is ndarray:
        if not elementwise and (y.base is not None or y is v1):
            memory = v1, v2
            if y is v1 or tracked != 1:
                return _general(primitive, again(compute, y, memory), (x1, x2))
            is_view = True
    elif not isinstance(y, inexact):
        return _general(primitive, compute, (x1, x2))
    code = CODES.get((y.shape, y.dtype, kind)) or code_of(y)
    if code < 0 and y.dtype.kind not in "fc":
        return leaks.flat(y, (x1, x2), compute)
    kept = primitive.kept[tracked]
    if kept is None:
        reads = all_reads(primitive, tracked, (x1, x2))
        every = "*" in reads
        kept = primitive.kept[tracked] = every or 0 in reads, every or 1 in reads, "y" in reads
    reads1, reads2, reads_y = kept
    if a >= 0 and not reads1:
        v1 = None
    elif kind1 is ndarray:
        v1 = guards.keep(v1)
    elif code1 and x1.storage is not None:
        v1 = saved(x1, v1)
    if b >= 0 and not reads2:
        v2 = None
    elif kind2 is ndarray:
        v2 = guards.keep(v2)
    elif code2 and x2.storage is not None:
        v2 = saved(x2, v2)
    frame = _getframe(depth)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    entries = RECORDER.entries
    operation, offset, context = primitive.code, frame.f_lasti, RECORDER.context
    if is_view:
        kept_y = None if code & 1 and not reads_y else y.copy()
        tail = (code, (a, b), (code1, code2), (v1, v2), None, kept_y)
        entries.append((operation, offset, context, *tail))
        return wrapped(y, (x1, x2), memory, (code, len(entries) - 1), cls)
    result: Any = object.__new__(cls)
    result._value = y
    result.aval = code
    result.token = token
    result.storage = None
    result.id = len(entries)
    if code & 1 and not reads_y:
        y = None
    if not elementwise:
        entries.append(
            (operation, offset, context, code, (a, b), (code1, code2), (v1, v2), None, y)
        )
    elif code > 0 and (a < 0 or code1 == code) and (b < 0 or code2 == code):
        entries.append((operation, offset, context, code, a, b, v1, v2, y))
    else:
        entries.append((operation + 1, offset, context, code, a, b, v1, v2, y, code1, code2))
    return result


def call_one(
    primitive: Primitive, compute: Any, x: Any, kwargs: dict[str, Any], depth: int = 3
) -> Any:
    """Carry out a function of one handle and settings given by keyword."""
    token, storage = RECORDER.token, x.storage
    if x.token is token and storage is None and x.aval > NUMBER:
        value, a, code_x = x._value, x.id, x.aval
    else:
        value, a, code_x = read(primitive, x, 0, depth)
        if a < 0:
            return call_primitive(primitive, (x,), kwargs, compute)
    settings = None
    if kwargs:
        if not are_settings(primitive, kwargs):
            return call_primitive(primitive, (x,), kwargs, compute)
        settings = tuple(kwargs.items())
    method = primitive.method
    if (
        method is None
        or type(value) is not ndarray
        or (kwargs and not kwargs.keys() <= _OF_METHODS)
    ):
        y = compute(value, **kwargs)
    else:
        y = method(value, **kwargs)
    is_view = False
    kind = type(y)
    if kind is ndarray:
        if y is value:
            return itself(x)
        is_view = y.base is not None
    elif not isinstance(y, inexact):
        return call_primitive(primitive, (x,), kwargs, compute)
    code = CODES.get((y.shape, y.dtype, kind)) or code_of(y)
    if code < 0 and y.dtype.kind not in "fc":
        return leaks.flat(y, (x,), compute, kwargs)
    reads = primitive.read_sets.get(1)
    if reads is None:
        reads = all_reads(primitive, 1, (x,))
    kept = None
    if "y" in reads or not code & 1:
        kept = y.copy() if is_view else y
    frame = _getframe(depth)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    entries = RECORDER.entries
    id_ = len(entries)
    entries.append(
        (
            primitive.code, frame.f_lasti, RECORDER.context, code, (a,), (code_x,),
            (saved(x, value) if 0 in reads or "*" in reads else None,), settings, kept,
        )
    )  # fmt: skip
    if is_view:
        return wrapped(y, (x,), (value,), (code, id_), x.result_class)
    result: Any = object.__new__(x.result_class)
    result._value = y
    result.aval = code
    result.token = token
    result.storage = None
    result.id = id_
    return result


def call_short(primitive: Primitive, compute: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Carry out a function of several arrays and settings."""
    values: list[Any] = []
    ids: list[int] = []
    codes: list[int] = []
    cls: Any = None
    tracked, bit = 0, 1
    for x in args:
        kind = type(x)
        if kind in HANDLE_TYPES:
            value, id_, code = read(primitive, x, len(values), 3)
            if value is None:
                return call_primitive(primitive, args, kwargs, compute)
            cls = cls or x.result_class
            if id_ >= 0:
                tracked |= bit
            values.append(value)
            ids.append(id_)
            codes.append(code)
        elif kind is ndarray or kind in SETTINGS or is_shape(primitive, x, len(values)):
            values.append(x)
            ids.append(-1)
            codes.append(0)
        else:
            return call_primitive(primitive, args, kwargs, compute)
        bit += bit
    if not tracked or (kwargs and not are_settings(primitive, kwargs)):
        return call_primitive(primitive, args, kwargs, compute)
    method = primitive.method
    if method is None or type(values[0]) is not ndarray or not kwargs.keys() <= _OF_METHODS:
        y = compute(*values, **kwargs)
    else:
        y = method(*values, **kwargs)
    is_view = False
    if type(y) is ndarray:
        is_view = y.base is not None
        if y is values[0] or (is_view and tracked != 1):
            return call_primitive(primitive, args, kwargs, again(compute, y, values))
    elif not isinstance(y, inexact):
        return call_primitive(primitive, args, kwargs, compute)
    code = code_of(y)
    if code < 0 and y.dtype.kind not in "fc":
        return leaks.flat(y, args, compute, kwargs)
    reads = primitive.read_sets.get(tracked)
    if reads is None:
        reads = all_reads(primitive, tracked, args)
    memory = tuple(values)
    for i, id_ in enumerate(ids):
        if id_ >= 0 and i not in reads and "*" not in reads:
            values[i] = None
        elif codes[i]:
            values[i] = saved(args[i], values[i])
        elif type(values[i]) is ndarray:
            values[i] = guards.keep(values[i])
    frame = _getframe(3)
    if frame is not RECORDER.frame:
        frame = entered(frame)
    entries = RECORDER.entries
    id_ = len(entries)
    entries.append(
        (
            primitive.code, frame.f_lasti, RECORDER.context, code, tuple(ids), tuple(codes),
            tuple(values), tuple(kwargs.items()) if kwargs else None,
            None if code & 1 and "y" not in reads else y.copy() if is_view else y,
        )
    )  # fmt: skip
    if is_view:
        return wrapped(y, args, memory, (code, id_), cls)
    return traced(y, code, id_, cls)
