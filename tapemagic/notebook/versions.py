"""Which nodes the names of a cell stand for when it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tapemagic.autodiff.absence import CellNames
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, operand
from tapemagic.autodiff.lookup import ids_of
from tapemagic.autodiff.tape import GradientTape
from tapemagic.autodiff.variable import Variable

from .sources import integers, is_number

if TYPE_CHECKING:
    from .session import Session


def note_unseen_versions(tape: GradientTape, namespace: dict[str, Any]) -> bool:
    """Give names the nodes that they stand for at the end, and tell whether any was news.

    The cell's own statements have reported theirs; a helper with `global`, or one that writes
    into its argument or into another view of it, has not. Nor has `v.assign`, of which the tape
    knows what was read since. Variables are not asked themselves: that would be a read, and make
    those that the cell never mentions its sources.
    """
    known = tape.source_nodes | dict(tape.bindings)
    values = [(name, value) for name, value in namespace.items() if not name.startswith("_")]
    news = [
        (name, index)
        for name, value in values
        if not is_variable(value)
        if (index := node_of(value)) >= 0
        if known.get(name) != index
    ]
    reported = {*tape.bindings, *tape.source_nodes.items()}
    news += [
        (name, index)
        for name, value in values
        if is_variable(value)
        for index in ids_of(tape, value)
        if (name, index) not in reported
    ]
    tape.bindings += news
    return bool(news)


def names_at_end(session: Session) -> CellNames:
    """Say which names the cell binds, which floats nobody watches, and which sources are gone."""
    namespace, handles = session.namespace, session.sources.handles
    roots = {path.root for path in session.paths}
    unwatched = [
        name for name in session.reads if name not in roots and is_unwatched(namespace.get(name))
    ]
    versions = {name for name, _ in session.tape.bindings}
    replaced = {
        name: "bound again" if name in namespace else "deleted"
        for name, handle in handles.items()
        if name in roots and name not in versions and namespace.get(name) is not handle
    }
    binds, whole = session.plan.source.binds, integers(session.reads, namespace)
    made = set(binds).difference(session.reads)
    return CellNames(binds, unwatched, replaced, whole, made)


def is_unwatched(value: Any) -> bool:
    """Say whether a value could be a source, and is none."""
    return node_of(value) < 0 if type(value) in HANDLE_TYPES else is_number(value)


def is_variable(value: Any) -> bool:
    """Say whether a value is a Variable, in whichever spelling."""
    return issubclass(type(value), Variable)


def node_of(value: Any) -> int:
    """Return the node of a value on the tape that records, or -1."""
    return operand(value)[1] if type(value) in HANDLE_TYPES else -1
