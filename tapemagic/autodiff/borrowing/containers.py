"""What is inside an object, and how something else is put there.

The user's own `__setitem__`, `__setattr__` and properties are never called. What cannot be changed
in place is made anew of other parts (`rebuild`), and what cannot be made anew either is only told
of (`held`).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CellType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    MethodWrapperType,
    ModuleType,
)
from typing import Any

import numpy as np

from .caches import CACHE, of_cache
from .frame_names import Slot, of_frame
from .opaque import OPAQUE, of_referents

#: What holds nothing.
ATOMS = frozenset({int, float, complex, bool, str, bytes, type(None), range, ModuleType, np.dtype})

# ------------------------------------------------------------------- what is inside a container


def slots(holder: Any) -> Iterator[Slot]:
    """Yield every place in a container, with the way to put something else there."""
    kind = type(holder)
    opener = OPENERS.get(kind)
    if opener is not None:
        yield from opener(holder)
    elif isinstance(holder, type):
        yield from _of_class(holder)
    else:
        for base in _BASES:
            if isinstance(holder, base):
                yield from OPENERS[base](holder)
        if isinstance(holder, BaseException):
            yield from _of_exception(holder, kind)
        own = getattr(holder, "__dict__", None)
        if type(own) is dict:
            for name, value in list(own.items()):
                yield set_attribute, name, value
        yield from _of_slots(holder, kind)
        yield _never, None, kind


def set_attribute(holder: Any, name: str, new: Any) -> None:
    """Set an attribute behind the back of properties and `__setattr__`."""
    holder.__dict__[name] = new


def _of_list(holder: Any) -> Iterator[Slot]:
    for index, value in enumerate(list.__iter__(holder)):
        yield list.__setitem__, index, value


def _of_deque(holder: Any) -> Iterator[Slot]:
    for index, value in enumerate(list(holder)):
        yield deque.__setitem__, index, value


def _of_dict(holder: Any) -> Iterator[Slot]:
    keys = [key for key in dict.keys(holder) if type(key) not in ATOMS]
    for key in keys:
        yield _replace_key, key, key
    for key, value in list(dict.items(holder)):
        yield dict.__setitem__, key, value


def _replace_key(holder: dict, old: Any, new: Any) -> None:
    """Exchange a key and keep the order of the others."""
    items = [(new if key is old else key, value) for key, value in dict.items(holder)]
    dict.clear(holder)
    dict.update(holder, items)


def _of_set(holder: Any) -> Iterator[Slot]:
    for value in list(holder):
        yield _replace_element, value, value


def _replace_element(holder: set, old: Any, new: Any) -> None:
    set.discard(holder, old)
    set.add(holder, new)


def _of_objects(holder: np.ndarray) -> Iterator[Slot]:
    for index in np.ndindex(holder.shape):
        yield _put_object, index, holder[index]


def _put_object(holder: Any, index: tuple[int, ...], new: Any) -> None:
    # through a box: an array given to a place of an object array would be spread over it
    box = np.empty((), dtype=object)
    box[()] = new
    holder[(*index, ...)] = box


def _of_closure(holder: CellType) -> Iterator[Slot]:
    with contextlib.suppress(ValueError):  # not filled yet
        yield setattr, "cell_contents", holder.cell_contents


def _of_function(holder: FunctionType) -> Iterator[Slot]:
    for cell in holder.__closure__ or ():
        yield _never, None, cell
    if holder.__defaults__:
        yield setattr, "__defaults__", holder.__defaults__
    if holder.__kwdefaults__:
        yield _never, None, holder.__kwdefaults__
    if holder.__dict__:
        yield _never, None, holder.__dict__


def _of_method(holder: MethodType) -> Iterator[Slot]:
    yield _never, None, holder.__func__


def _of_partial(holder: functools.partial) -> Iterator[Slot]:
    yield _set_part, "func", holder.func
    yield _set_part, "args", holder.args
    yield _never, None, holder.keywords


def _set_part(holder: functools.partial, place: str, new: Any) -> None:
    state = {"func": holder.func, "args": holder.args, place: new}
    holder.__setstate__((*state.values(), holder.keywords, vars(holder) or None))  # type: ignore[attr-defined]


def _of_proxy(holder: Any) -> Iterator[Slot]:
    if "__module__" not in holder:  # the names of a class are not to be changed behind its back
        for content in gc.get_referents(holder):
            yield _never, None, content


def _of_dict_view(holder: Any) -> Iterator[Slot]:
    yield _never, None, holder.mapping


#: What has a frame, while it waits -> the attribute that is one.
FRAMES = {GeneratorType: "gi_frame", CoroutineType: "cr_frame", AsyncGeneratorType: "ag_frame"}


def _of_suspended(holder: Any) -> Iterator[Slot]:
    frame = getattr(holder, FRAMES[type(holder)])
    if frame is not None:
        yield from of_frame(frame)
        yield from of_referents(holder)  # what a loop goes through has no name


def _of_variable(holder: ContextVar) -> Iterator[Slot]:
    with contextlib.suppress(LookupError):  # not set yet
        yield _set_variable, None, holder.get()


def _set_variable(holder: ContextVar, place: None, new: Any) -> None:
    holder.set(new)


def _of_descriptor(holder: Any) -> Iterator[Slot]:
    parts = ("fget", "fset", "fdel") if type(holder) is property else ("__func__",)
    for part in parts:
        yield _never, None, getattr(holder, part)


def _of_class(holder: type) -> Iterator[Slot]:
    for name, value in list(vars(holder).items()):
        if callable(value) or not (name.startswith("__") and name.endswith("__")):
            yield type.__setattr__, name, value
    for base in (*holder.__bases__, type(holder)):
        yield _never, None, base


def _of_exception(holder: BaseException, kind: type) -> Iterator[Slot]:
    yield setattr, "args", holder.args
    for other in (holder.__traceback__, holder.__cause__, holder.__context__):
        yield _never, None, other
    yield from ((_never, None, x) for x in getattr(holder, "exceptions", ()))
    for base in kind.__mro__:
        for member in vars(base).values():  # the value of a StopIteration
            if isinstance(member, MemberDescriptorType):
                with contextlib.suppress(AttributeError):
                    yield set_member, member, member.__get__(holder, kind)


def _of_slots(holder: Any, kind: type) -> Iterator[Slot]:
    for base in kind.__mro__:
        names = vars(base).get("__slots__", ())
        for name in (names,) if isinstance(names, str) else tuple(names):
            member = vars(base).get(_mangled(name, base))
            if isinstance(member, MemberDescriptorType):
                with contextlib.suppress(AttributeError):  # an empty slot
                    yield set_member, member, member.__get__(holder, kind)


def set_member(holder: Any, member: MemberDescriptorType, new: Any) -> None:
    """Set a slot."""
    member.__set__(holder, new)


def _mangled(name: str, base: type) -> str:
    private = name.startswith("__") and not name.endswith("__")
    return f"_{base.__name__.lstrip('_')}{name}" if private else name


def _never(holder: Any, place: None, new: Any) -> None:
    """Replace nothing: what is here is only looked into."""


_BASES = (list, dict, set, deque)
OPENERS: dict[type, Callable[[Any], Iterator[Slot]]] = {
    list: _of_list,
    dict: _of_dict,
    set: _of_set,
    deque: _of_deque,
    np.ndarray: _of_objects,
    CellType: _of_closure,
    FunctionType: _of_function,
    MethodType: _of_method,
    functools.partial: _of_partial,
    staticmethod: _of_descriptor,
    classmethod: _of_descriptor,
    property: _of_descriptor,
    ContextVar: _of_variable,
    MappingProxyType: _of_proxy,
    CACHE: of_cache,
    **dict.fromkeys(map(type, ({}.keys(), {}.values(), {}.items())), _of_dict_view),
    **dict.fromkeys(FRAMES, _of_suspended),
    **OPAQUE,
}


# --------------------------------------------------------------- what cannot be changed in place


def parts(value: Any) -> list[Any] | None:
    """Return what an immutable object is made of; None if it is none of those known here."""
    known = _IMMUTABLE.get(type(value))
    if known is not None:
        return known[0](value)
    return list(value) if isinstance(value, tuple | frozenset) else None


def rebuild(value: Any, elements: list[Any]) -> Any:
    """Make an object like an immutable one, of other parts; of an unknown kind, return that one."""
    kind = type(value)
    if kind in _IMMUTABLE:
        return _IMMUTABLE[kind][1](value, elements)
    if hasattr(kind, "_make"):  # a named tuple
        return kind._make(elements)
    base = tuple if isinstance(value, tuple) else frozenset
    try:
        new = base.__new__(kind, elements)
    except TypeError:  # of C, such as `time.struct_time`
        return value
    if hasattr(new, "__dict__"):
        vars(new).update(vars(value))
    return new


def _parts_of_method(value: Any) -> list[Any] | None:
    owner = value.__self__
    return None if owner is None or isinstance(owner, type | ModuleType) else [owner]


def _parts_of_reference(value: Any) -> list[Any] | None:
    there = value()
    is_known = value.__callback__ is None or type(value) is weakref.KeyedRef
    return [there] if is_known and there is not None else None


def _method_of(value: Any, owner: list[Any]) -> Any:
    return getattr(owner[0], value.__name__)


_IMMUTABLE: dict[type, tuple[Callable[[Any], list[Any] | None], Callable[[Any, list], Any]]] = {
    slice: (lambda old: [old.start, old.stop, old.step], lambda old, new: slice(*new)),
    MethodType: (_parts_of_method, _method_of),
    BuiltinMethodType: (_parts_of_method, _method_of),
    MethodWrapperType: (_parts_of_method, _method_of),
    staticmethod: (lambda old: [old.__func__], lambda old, new: staticmethod(*new)),
    weakref.ref: (_parts_of_reference, lambda old, new: weakref.ref(new[0])),
    weakref.KeyedRef: (
        _parts_of_reference,
        lambda old, new: weakref.KeyedRef(new[0], old.__callback__, old.key),
    ),
}
