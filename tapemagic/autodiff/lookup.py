"""Which node an object or a name stands for on a tape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tapemagic.errors import SourceError

from . import structures
from .calls.dispatch import is_traced
from .naming import asked_target, name_in, name_variables, nodes_named
from .places import view_at, window_of
from .recorder import RECORDER
from .storage import Storage
from .variable import VariableState


class Left(NamedTuple):
    """A plain object that a cell or block left in place of a handle.

    Attributes
    ----------
    plain, handle
    first : list of int
        Its node as a source: the value when it was watched.
    now : list of int
        Its node as a target: the value at the end.
    """

    plain: Any
    handle: Any
    first: list[int]
    now: list[int]


def ids_of(tape: Any, x: Any, as_target: bool = False) -> list[int]:
    """Return the nodes of an object or name; a source means its value when it was watched.

    A variable may have several, one per value that was read.
    """
    if type(x) is str:
        if x in tape.refused:  # an integer, of which the cell knows why it has no gradient
            return []
        if x in tape.cell_names.binds and not nodes_named(tape, x):
            value = tape._names().get(x)  # a constant of the cell, unless it was bound again since
            is_number = isinstance(value, (np.ndarray, np.generic, int, float, complex))
            if is_number and not ids_of(tape, value, as_target):
                return []
        return [named(tape, x, first=not as_target)]
    watched = tape._watched.get(id(x))
    if watched is not None and watched[0] is x:
        if not as_target or isinstance(x.storage, VariableState):
            return watched[1]
    if is_traced(x):
        return _ids_of_handle(tape, x)
    left = tape._plain.get(id(x))
    if left is None or left.plain is not x:
        return []
    return left.now if as_target else left.first


def _ids_of_handle(tape: Any, x: Any) -> list[int]:
    if tape._recording is None:  # it never began
        return []
    token = tape._recording.token
    if x.token is token:
        return [x.id]
    storage = x.storage
    if storage is not None and not isinstance(storage, VariableState) and storage.token is token:
        return [settled(tape, x)]
    return [id_ for known, id_ in getattr(x, "past", ()) if known is token][-1:]


def source_ids(tape: Any, x: Any) -> list[int]:
    """Return the nodes of an object or name by which a derivative is asked for.

    Raises
    ------
    SourceError
        If it is no array and no number; or if it was not watched, but a part of its memory was:
        by that part it would be 0.
    """
    watched = tape._watched.get(id(x))
    if watched is not None and watched[0] is x:
        return watched[1]
    ids = ids_of(tape, x)
    if not ids:
        check_leaf(x)
        return ids
    handle = _handle_of(tape, x, ids[-1])
    if isinstance(getattr(handle, "storage", None), Storage) and id(handle) not in tape._watched:
        parts = [one for one, _ in tape._watched.values() if one.storage is handle.storage]
        if any(_is_crossed(handle, one) for one in parts):
            name = name_of(tape, x, tape._names())
            raise SourceError(
                f"'{name}' was not watched, but a part of its memory was, under another name.",
                why="Its gradient would lack what is computed from that part.",
                fix="Watch it as well: "
                + (f"tape.watch({name})." if tape.cell is None else f"%%tape {name} ..."),
            )
    return ids


def check_leaf(x: Any) -> None:
    """Raise if a source or target is nothing that could have a node, such as an iterator."""
    if not (is_traced(x) or hasattr(x, "dtype") or isinstance(x, (str, int, float, complex))):
        raise SourceError(
            f"A {type(x).__name__} is no source and no target of a gradient.",
            fix="Give arrays, variables, names, or lists and dicts of them: list(...).",
        )


def _handle_of(tape: Any, x: Any, id_: int) -> Any:
    """Return the handle that stood for an object, or for what a name with this node means."""
    if type(x) is not str:
        return x if is_traced(x) else tape._plain[id(x)].handle
    found = (left.handle for left in tape._plain.values() if id_ in (*left.first, *left.now))
    return next(found, None)


def _is_crossed(handle: Any, other: Any) -> bool:
    """Tell whether another handle of the same storage looks at a part of what this one does."""
    storage = handle.storage
    marks = np.zeros(storage.buffer.nbytes, np.uint8)

    def bytes_of(one: Any) -> np.ndarray:
        offset, shape, strides, dtype, _ = window_of(storage.true_view(one), storage.buffer)
        length = np.dtype(dtype).itemsize
        return view_at(marks, (offset, (*shape, length), (*strides, 1), "u1", True))

    bytes_of(other)[...] = 1
    found = bytes_of(handle)
    return bool(found.any() and not found.all())


def absent(
    target: Any, seeds: dict[int, Any], sources: Any, ids: list[list[int]], unread: dict[int, Any]
) -> tuple[list[Any], dict[int, Any]]:
    """Return the targets, if none has a node, and the sources by number that have none.

    `unread` are targets that no operation has read: such a source has a gradient all the same.
    """
    if seeds and all(ids):
        return [], {}
    targets = [] if seeds or unread else structures.leaves(target)
    missing = {
        number: x
        for number, x in enumerate(sources)
        if not ids[number] and type(x) is not str and id(x) not in unread
    }
    return targets, missing


def settled(tape: Any, x: Any) -> int:
    """Return the node of a stale handle, recording its window of the contents if need be.

    Such a node belongs to the tape also if it has ended, and only others record.
    """
    was, recording = RECORDER.recording, tape._recording
    count = len(recording.entries)
    if was is not recording:
        RECORDER.open(recording)
    try:
        id_ = x.storage.settle(x, reads=False)[1]
    finally:
        if was is not recording:
            RECORDER.close()
            if was is not None:
                RECORDER.open(was)
    if len(recording.entries) > count and not tape._open:
        tape._spans.append([count, len(recording.entries)])
    return id_


def named(tape: Any, name: str, *, first: bool) -> int:
    """Return the node of a name, ``"w"`` or ``"w@2"``.

    With `first`, the name of a source of the cell means its first value; else names mean their
    last.

    Raises
    ------
    SourceError
        If the tape does not know the name, or has no such version.
    """
    base, _, version = name.partition("@")
    if tape.cell is None and tape._recording is not None:
        find_names(tape, tape._names())  # in a script a name means what it holds now
    ids = nodes_named(tape, base)
    if not ids:
        known = ", ".join(dict.fromkeys([*tape.source_nodes, *dict(tape.bindings)]))
        raise SourceError(
            f"'{name}' is not a name that this tape knows.",
            fix=f"Known: {known}."
            if known
            else "No name holds a value of this tape; pass the object itself.",
        )
    if version:
        if not version.isdigit() or int(version) >= len(ids):
            raise SourceError(f"'{base}' has versions @0 to @{len(ids) - 1}.")
        return ids[int(version)]
    return ids[0] if first and base in tape.source_nodes else ids[-1]


def name_of(tape: Any, x: Any, namespace: Mapping[str, Any]) -> str:
    """Return the name under which the tape, or else the namespace, knows an object."""
    if type(x) is str:
        return x
    ids = ids_of(tape, x) or ids_of(tape, x, as_target=True)
    for name, id_ in (*tape.source_nodes.items(), *reversed(tape.bindings)):
        if id_ in ids:
            return name
    return name_in(namespace, x) or f"{type(x).__name__} object"


def find_names(tape: Any, namespace: dict[str, Any]) -> None:
    """Name the nodes of a script's tape by the global names that hold their values now."""
    tape.source_nodes, tape.bindings = {}, []
    for name, value in list(namespace.items()):
        if name.startswith("_") or not (is_traced(value) or id(value) in tape._plain):
            continue
        watched = tape._watched.get(id(value))
        ids = ids_of(tape, value)
        if watched is not None and watched[0] is value and ids:
            tape.source_nodes[name] = ids[0]
            tape.bindings += [(name, id_) for id_ in ids[1:]]  # of a variable that was assigned to
        elif ids:
            tape.bindings.append((name, ids[-1]))
    for name, value in list(namespace.items()):
        left = tape._plain.get(id(value))
        if left is not None and left.plain is value and left.first != left.now:
            tape.source_nodes[name] = left.first[0]
    tape.bindings.sort(key=lambda binding: binding[1])
    name_variables(tape)
    if tape._asked is not None:
        tape.target = None
        tape.target = asked_target(tape)
        bound = {id_: name for name, id_ in reversed(tape.bindings)}
        for number, group in enumerate(tape._asked[1]):
            if group and group[0] not in tape.source_nodes.values():
                name = bound.get(group[0], f"source {number}")
                free = name not in tape.source_nodes
                tape.source_nodes[name if free else f"source {number}"] = group[0]
