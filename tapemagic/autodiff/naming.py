"""Names of what is on a tape, and which nodes they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from .variable import NO_NAME


def nodes_named(tape: Any, base: str) -> list[int]:
    """Return the nodes of all versions of a name."""
    ids = [id_ for known, id_ in tape.bindings if known == base]
    if base in tape.source_nodes and tape.source_nodes[base] not in ids:
        ids.insert(0, tape.source_nodes[base])
    return ids


def name_in(namespace: Mapping[str, Any], x: Any) -> str:
    """Return the first public name that holds an object, or ""."""
    held = (name for name, value in namespace.items() if value is x)
    return next((name for name in held if name.isidentifier() and name[0] != "_"), "")


def expanded(tape: Any, sources: Any) -> Any:
    """Replace the name of a container by a dict of the sources in it: ``"params"``, ``"model"``."""
    if type(sources) in (list, tuple):
        if not any(type(x) is str for x in sources):
            return sources
        return type(sources)(expanded(tape, x) for x in sources)
    if type(sources) is not str or sources in tape.source_nodes:
        return sources
    inside = [name for name in tape.source_nodes if name.startswith((f"{sources}.", f"{sources}["))]
    return {name: name for name in inside} or sources


def name_variables(tape: Any, find_paths: Callable[[], Mapping[int, str]] = dict) -> dict[str, Any]:
    """Make sources of the variables that were read and are none yet: the weights of a layer, say.

    A variable goes by the name that is bound to it and to no other, or else by its own. If it was
    not given one, or something else has the same, it goes by the path that leads to it, or by a
    number.

    Parameters
    ----------
    tape : OpenTape
    find_paths : callable
        Returns where names hold variables, by identity: ``{id(net.w): "net.w"}``.

    Returns
    -------
    dict
        Name -> variable, of those that have become sources.
    """
    known = set(tape.source_nodes.values())
    bound: dict[str, set[int]] = {}
    for name, id_ in tape.bindings:
        bound.setdefault(name, set()).add(id_)
    paths: Mapping[int, str] | None = None
    found: dict[str, Any] = {}
    read = [(x, tape._watched[id(x)][1]) for x in tape.watched_variables()]
    times = Counter(x.storage.name for x, _ in read)
    for variable, ids in read:
        if not (ids and known.isdisjoint(ids)):
            continue
        taken = {*tape.source_nodes, *bound}
        own = [name for name, nodes in bound.items() if ids[0] in nodes and nodes <= {*ids}]
        name = own[0] if own else variable.storage.name
        if not own and (name == NO_NAME or name in taken or times[name] > 1):
            paths = find_paths() if paths is None else paths
            name = _free(paths.get(id(variable), name), taken)
        found[name] = variable
        tape.source_nodes[name] = ids[0]
        # later values are versions of it, w@1, whatever other names they have had
        tape.bindings[:0] = [(name, id_) for id_ in ids[1:] if id_ not in bound.get(name, ())]
    return found


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number behind it if others have it."""
    numbered = (f"{name}_{number}" for number in count(1))
    return name if name not in taken else next(new for new in numbered if new not in taken)


def asked_target(tape: Any) -> tuple[str, int] | None:
    """Return name and node of what the gradient asked for last is the gradient of."""
    if tape._asked is None:
        return tape.target
    node = max(tape._asked[0], default=None)
    if node is None:
        return None
    if tape.target is not None and tape.target[1] == node:
        return tape.target
    return {id_: name for name, id_ in tape.bindings}.get(node, "target"), node
