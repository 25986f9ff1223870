"""Operands of short calls: what is computed with, and what of it an entry keeps."""

from __future__ import annotations

from sys import _getframe
from typing import Any

from numpy import generic, may_share_memory, memmap, ndarray

from tapemagic.autodiff import leaks
from tapemagic.autodiff.handles import HANDLE_TYPES, NUMBER, node_of, operand
from tapemagic.autodiff.positions import name_of, qualified_name
from tapemagic.autodiff.primitives import Primitive
from tapemagic.autodiff.recorder import RECORDER, entered
from tapemagic.errors import NoRuleError

from .signatures import operands_of

#: Operands that are computed with as they are. Of others NumPy makes arrays, or they take over.
NUMERIC = (int, float, complex, generic, ndarray)
#: Types of arguments that are no arrays and can be stored as they are.
SETTINGS = {int, bool, float, type(None), str}


def is_setting(x: Any) -> bool:
    """Tell whether a keyword's value can be stored as it is: ``axis=(0, 1)``."""
    kind = type(x)
    return kind in SETTINGS or (kind is tuple and {int}.issuperset(map(type, x)))


def are_settings(primitive: Primitive, kwargs: dict[str, Any]) -> bool:
    """Tell whether keywords can be stored as they are: ``axis=(0, 1)``, but not ``b=(1, 2)``."""
    return all(map(is_setting, kwargs.values())) and operands_of(primitive).isdisjoint(kwargs)


def is_shape(primitive: Primitive, x: Any, position: int) -> bool:
    """Tell whether an argument is a shape or axes; as an operand, a tuple is an array."""
    return (
        type(x) is tuple
        and primitive.kind != "elementwise"
        and not primitive.takes_array(position)
        and {int}.issuperset(map(type, x))
    )


def has_own_ufuncs(x: Any) -> bool:
    """Tell whether NumPy's ufuncs are left to an operand of another package (or to nobody)."""
    kind = type(x)
    return hasattr(kind, "__array_ufunc__") and not (kind in HANDLE_TYPES or isinstance(x, ndarray))


def asks_for_precedence(x: Any) -> bool:
    """Tell whether an ndarray leaves its operators to an operand of another package."""
    return has_own_ufuncs(x) or getattr(x, "__array_priority__", 0) > 0


def becomes_array(x: Any) -> bool:
    """Tell whether NumPy looks into an operand: a list, a `range`, an image; not into text."""
    if isinstance(x, (str, bytes, dict)):
        return False
    is_array = hasattr(x, "__array__") or hasattr(x, "__array_interface__")
    return is_array or (hasattr(x, "__len__") and hasattr(x, "__getitem__"))


def read(primitive: Primitive, x: Any, position: int, depth: int) -> tuple[Any, int, int]:
    """Return value, id (-1: a constant) and aval of a handle; no value if anything is special."""
    storage = x.storage
    if storage is not None and storage.written and x.window is not storage.whole:
        return storage.true_view(x), node_of(x), x.aval
    if x.token is RECORDER.token:
        value, id_, code = x._value, x.id, x.aval
    elif storage is not None and RECORDER.shunned is None:
        # Read for the first time since it was made, or written to. To go up from frame to frame
        # would make an object of each.
        frame = _getframe(depth + 1)
        if frame is not RECORDER.frame:
            frame = entered(frame)
        reads = not storage.written or primitive.may_read(position)  # if not, nobody asks
        value, id_, code = storage.settle(x, reads, frame)
    else:
        value, id_, code = operand(x)
    if code <= NUMBER and type(value) is not ndarray:  # a Python or a complex number
        return None, -1, 0
    return value, id_, code


def saved(x: Any, value: Any) -> Any:
    """Return what an entry keeps of a handle: of a view, a copy if its memory was written to.

    Else the view: the first write of all will copy the memory, and go into the copy.
    """
    storage = x.storage
    if storage is None or not storage.written or x.window is storage.whole:
        return value
    if storage.changed or storage.lookers is not None:
        return operand(x)[0]
    storage.exposed, storage.recording = True, RECORDER.recording
    return value


def again(compute: Any, y: Any, values: Any) -> Any:
    """Return what gives the result `y` of `compute` a second time, without warning of it again.

    That is `compute` itself where an operand has to say what it has in common with the result.
    """
    arrays = [v for v in values if type(v) is ndarray]
    if y.dtype.kind not in "fc" or any(may_share_memory(y, v) for v in arrays):
        return compute
    return lambda *_, **__: y


def check_constant(x: Any, args: Any) -> None:
    """Refuse a plain operand that has a say in what is computed: a mask, a matrix, objects.

    `args` are all operands of the call, at least one of them on the tape.
    """
    if not isinstance(x, ndarray):
        return
    kind = type(x)
    if kind is not ndarray and kind is not memmap:
        raise leaks.locate(
            NoRuleError(
                f"{name_of(args)} cannot be computed with an array of class"
                f" {qualified_name(kind)}, which has rules of its own.",
                fix="Say what stands in the masked places: x.filled(0.0)."
                if hasattr(x, "filled")
                else "Give its data: np.asarray(...).",
            )
        )
    if x.dtype.kind == "O":
        raise leaks.locate(
            NoRuleError(
                f"{name_of(args)} cannot be computed with an array of objects, which has no"
                " derivative.",
                fix="Give an array of numbers: x.astype(float).",
            )
        )
