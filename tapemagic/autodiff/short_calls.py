"""Short ways of carrying out a call: operands of which nothing is special.

Nothing special: handles that are up to date and alias nothing that was written, plain arrays,
numbers and settings such as ``axis=0``; and a result that is one new array or NumPy number.
Anything else takes the general way (`calls.py`), which computes the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import guards, leaks, recorder
from .avals import code_of
from .calls import all_reads, call_elementwise, call_primitive
from .handles import HANDLE_TYPES, NUMBER, operand, traced
from .primitives import Primitive
from .pullbacks import NO_KEYWORDS
from .recorder import RECORDER

#: Types of arguments that are no arrays and can be stored as they are.
_SETTINGS = {int, bool, float, type(None), str}
#: Types of operands that are no handles.
_CONSTANTS = {np.ndarray, float, int}


def call_unary(primitive: Primitive, compute: Any, x: Any) -> Any:
    """Do what `call_elementwise` does for one up-to-date operand whose kind the result keeps."""
    value, code = x.value, x.aval
    y = compute(value)
    if type(y) is not type(value):  # it did not: np.absolute of a subclass, np.spacing, ...
        return call_elementwise(primitive, compute, (x,))
    reads_x, _, reads_y = primitive.kept(True, False)
    kept = y if reads_y or not code & 1 else None
    tail = (code, x.id, -1, value if reads_x else None, None, kept)
    return traced(y, code, recorder.append(tail, primitive.code, 3), x.result_class)


def _operand(primitive: Primitive, x: Any, position: int) -> tuple[Any, int, int]:
    """Return value, id and aval of a handle; an id of -1 if there is anything special about it."""
    storage = x.storage
    if storage is not None and storage.written:
        return None, -1, 0
    if x.token is RECORDER.token:
        value, id_, code = x.value, x.id, x.aval
    else:  # a Variable that is read for the first time, mostly
        value, id_, code = operand(x, primitive.may_read(position))
    if code <= NUMBER and type(value) is not np.ndarray:  # a Python or a complex number
        return None, -1, 0
    return value, id_, code


def call_binary(primitive: Primitive, compute: Any, x1: Any, x2: Any) -> Any:
    """Do what `call_elementwise` does for two operands, at least one of them a handle."""
    kind1, kind2 = type(x1), type(x2)
    first, second = kind1 in HANDLE_TYPES, kind2 in HANDLE_TYPES
    v1, a, code1 = _operand(primitive, x1, 0) if first else (x1, -1, 0)
    v2, b, code2 = _operand(primitive, x2, 1) if second else (x2, -1, 0)
    if (
        (a < 0 if first else kind1 not in _CONSTANTS)
        or (b < 0 if second else kind2 not in _CONSTANTS)
    ):  # fmt: skip
        return call_elementwise(primitive, compute, (x1, x2))
    cls = x1.result_class if first else x2.result_class
    y = compute(v1, v2)
    code = code_of(y)
    if code < 0 and y.dtype.kind not in "fc":
        return leaks.flat(y, (x1, x2), compute)
    reads1, reads2, reads_y = primitive.kept(a >= 0, b >= 0)
    if a >= 0:
        v1 = v1 if reads1 else None
    elif type(v1) is np.ndarray:
        v1 = guards.keep(v1)
    if b >= 0:
        v2 = v2 if reads2 else None
    elif type(v2) is np.ndarray:
        v2 = guards.keep(v2)
    kept = y if reads_y or not code & 1 else None
    if code > 0 and (a < 0 or code1 == code) and (b < 0 or code2 == code):
        id_ = recorder.append((code, a, b, v1, v2, kept), primitive.code, 3)
    else:
        id_ = recorder.append((code, a, b, v1, v2, kept, code1, code2), primitive.code + 1, 3)
    return traced(y, code, id_, cls)


def call_short(
    primitive: Primitive, compute: Any, args: tuple, kwargs: dict[str, Any] = NO_KEYWORDS
) -> Any:
    """Do what `call_primitive` does for arrays and settings."""
    token = RECORDER.token
    values, ids, codes = [], [], []
    cls: Any = None
    tracked, bit = 0, 1
    for x in args:
        kind = type(x)
        if kind in HANDLE_TYPES:
            storage = x.storage
            if storage is not None and storage.written:
                return call_primitive(primitive, args, kwargs, compute)
            cls = cls or x.result_class
            if x.token is token:
                value, id_, code = x.value, x.id, x.aval
            else:
                value, id_, code = operand(x)
            if code <= NUMBER and type(value) is not np.ndarray:  # a Python or complex number
                return call_primitive(primitive, args, kwargs, compute)
            if id_ >= 0:
                tracked |= bit
            values.append(value)
            ids.append(id_)
            codes.append(code)
        elif kind is np.ndarray or kind in _SETTINGS:
            values.append(x)
            ids.append(-1)
            codes.append(0)
        else:
            return call_primitive(primitive, args, kwargs, compute)
        bit += bit
    for value in kwargs.values():
        if type(value) not in _SETTINGS:
            return call_primitive(primitive, args, kwargs, compute)
    if not tracked:
        return call_primitive(primitive, args, kwargs, compute)
    y = compute(*values, **kwargs)
    if type(y) is np.ndarray:
        if y.base is not None or y is values[0]:
            return call_primitive(primitive, args, kwargs, compute)
    elif not isinstance(y, np.inexact):
        return call_primitive(primitive, args, kwargs, compute)
    code = code_of(y)
    if code < 0 and y.dtype.kind not in "fc":
        return leaks.flat(y, args, compute, kwargs)
    reads = primitive.read_sets.get(tracked)
    if reads is None:
        reads = all_reads(primitive, tracked, args)
    for i, id_ in enumerate(ids):
        if id_ < 0:
            if type(values[i]) is np.ndarray and not codes[i]:
                values[i] = guards.keep(values[i])
        elif i not in reads and "*" not in reads:
            values[i] = None
    kept = y if not code & 1 or "y" in reads else None
    settings = tuple(kwargs.items()) if kwargs else None
    tail = (code, tuple(ids), tuple(codes), tuple(values), settings, kept)
    return traced(y, code, recorder.append(tail, primitive.code, 4), cls)
