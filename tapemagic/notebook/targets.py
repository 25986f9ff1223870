"""What a cell is differentiated at: the target asked for, or the last value it computes."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from IPython.core.error import UsageError

from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES
from tapemagic.graph.marks import marks_of, ways_out_of_tape

from .arguments import similar, spell
from .sources import first_float, is_number, named_parts
from .versions import is_variable, node_of

if TYPE_CHECKING:
    from .session import Session


def find_target(session: Session) -> tuple[str, Any, int] | None:
    """Find name, handle and node of the target while names still hold handles."""
    namespace, asked = session.namespace, session.options.target
    if asked is not None:
        try:
            value = asked.find(namespace)
        except UsageError as error:
            value = error
        return asked.text, value, node_of(value)
    last = session.hooks.last_value
    if node_of(last) >= 0:
        return session.plan.source.last, last, node_of(last)
    sources = set(session.tape.source_nodes.values())
    for name, index in reversed(session.tape.bindings):
        value = namespace.get(name)
        if index not in sources and not is_variable(value) and node_of(value) >= 0:
            return name, value, node_of(value)
    return None


def find_inside(
    names: Iterable[str], namespace: Mapping[str, Any], sources: Iterable[int]
) -> tuple[str, str]:
    """Find the last name that holds a container of computed values, and the path to the first.

    Returns
    -------
    tuple of str
        The name and the path, both empty if there is none.
    """
    known = set(sources)
    for name in reversed(list(names)):
        for path, value in parts(name, namespace.get(name), set()):
            if is_variable(value):
                continue  # to ask it would be a read
            if node_of(value) >= 0 and node_of(value) not in known:
                return name, path
    return "", ""


def parts(path: str, value: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    """Yield every part of a container with its path, depth first; each container once."""
    waiting = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        yield path, value
        if type(value) in HANDLE_TYPES or id(value) in seen:
            continue
        seen.add(id(value))
        waiting += [(path + spell(step), part) for step, part, *_ in named_parts(value)][::-1]


def why_no_target(tape: Any, inside: tuple[str, str], made: list[str]) -> str:
    """Say why a cell that names no target has none; `made` are sources that it makes itself."""
    name, path = inside
    if name:
        return f"'{name}' is a container; name one of its values: -t {path}"
    if made:
        return f"'{made[-1]}' is among the sources; as the target it is named by -t {made[-1]}"
    nodes = tape.nodes()
    if left := ways_out_of_tape(marks_of(nodes)):
        return f"no value that the cell leaves depends on a source: {'; '.join(left)}"
    if any(node.op != "source" for node in nodes):
        return (
            "no name that the cell leaves holds a value that depends on a source; give the result "
            "one: loss = ..."
        )
    return "nothing that the cell computes depends on a source"


def hint_on_sources(session: Session) -> str:
    """Say what `%%tape` could name in a cell that reads no variable of floats."""
    namespace, source = session.namespace, session.plan.source
    for name in session.reads:
        if any(is_number(part) for _, part in parts(name, namespace.get(name), set())):
            return f" {name} holds some: %%tape {name}"
    if session.tape.refused:  # the table says of integers what to do about them
        return ""
    return f" Name one: %%tape {first_float(source.binds, namespace)}"


def notes_on_target(session: Session, name: str, value: Any) -> list[str]:
    """Say how a target that is not a real number was understood.

    Raises
    ------
    UsageError
        If the target that was asked for does not exist or is not a number.
    """
    if isinstance(value, UsageError):
        hint = similar(name, session.plan.source.binds)
        raise UsageError(f"no target '{name}': the cell did not make it{hint}")
    is_number = isinstance(value, float | complex | np.ndarray | np.inexact)
    if type(value) not in HANDLE_TYPES and not is_number:
        left = "; ".join(ways_out_of_tape(marks_of(session.tape.nodes())))
        why = f" ({left})" if left else ""
        raise UsageError(f"the target '{name}' is of type {type(value).__name__}, not a float{why}")
    shape = np.shape(value)
    kind = getattr(value, "dtype", np.dtype(float))
    if kind.kind not in "fc":
        steps = "it changes by steps, if at all, and has no gradient"
        return [f"The target {name} is of dtype {kind}: {steps}."]
    if not shape:
        return []
    note = f"{name} has shape {shape}: this is the gradient of its sum."
    if not session.options.jacobian:
        element = f"{name}[{', '.join('0' * len(shape))}]"
        note += f"\nFor one element use {element}; for all of them, --jacobian."
    return [note]


def notes_on_last(session: Session, target: str) -> list[str]:
    """Say that a cell ends with a number of which no gradient is shown, and where that was lost."""
    source = session.plan.source
    text, value = source.last, session.hooks.last_value
    if source.last_name:
        text, value = source.last_name, session.namespace.get(source.last_name)
    is_number = isinstance(value, int | float | complex | np.ndarray | np.generic)
    if not is_number or text == target:
        return []
    marks = marks_of(session.tape.nodes())
    left = "; ".join(ways_out_of_tape(mark for mark in marks if mark[1] in source.last_lines))
    if not left and source.last_name:
        return []  # it may have nothing to do with what was computed
    why = f"{left}. The gradient here" if left else "this"
    return [f"{text}, at the end of the cell, has no gradient: {why} is that of {target}."]


def note_on_tape(name: str, statements: Iterable[ast.stmt]) -> str:
    """Say that a cell cannot ask its own tape, which it leaves under `name`."""
    nodes = (node for statement in statements for node in ast.walk(statement))
    lines = [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name]
    return (
        f"'{name}' (line {min(lines)}) is not this cell's own tape: that is there when the cell is "
        "over, for the next cell to ask."
    )
