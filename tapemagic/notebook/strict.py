"""`--strict`: what became an integer, a bool, a table, or text and a number again, is an error."""

from __future__ import annotations

from typing import Any

from tapemagic.autodiff.positions import line_at
from tapemagic.errors import LeavesTapeError
from tapemagic.graph.facts import written

from .records import Failure

BECAME = {
    "flat": "a plain integer or bool",
    "text": "text, which was read back as a number",
    "taken": "plain data of a table",
}


def check_strict(tape: Any) -> None:
    """Raise for the first traced value that the cell turned into an integer or a bool.

    By itself that is no error: `if x > 0` takes one branch, and the gradient is that branch's. What
    is only shown, as by `print`, is not meant. The page shows the cell as one that failed there.

    Raises
    ------
    LeavesTapeError
    """
    if tape.caught:
        line, message = tape.caught[0]
        tape.failure = Failure(line, "", message)
        raise LeavesTapeError(message, line=line, why="--strict was asked for.")
    recording = tape._recording
    for kind, node, context, offset, detail in recording.events:
        if kind not in BECAME:
            continue
        is_text = kind == "flat" and getattr(detail[0], "kind", "") in ("S", "U")
        line = None
        for code, at in recording.positions(context, offset):
            if code.co_filename == tape.cell.filename:
                line = line_at(code, at)
        lines = tape.cell.text.splitlines()
        what = f"{name_of(tape, node)} became {'text' if is_text else BECAME[kind]}."
        tape.failure = Failure(line, "", what, (node,))
        raise LeavesTapeError(
            what,
            line=line,
            code=lines[line - 1].strip() if line and line <= len(lines) else "",
            why="--strict was asked for: nothing may leave the tape.",
            fix="Leave on purpose with tapemagic.stop_gradient(...), or drop --strict.",
        )


def name_of(tape: Any, node: int) -> str:
    """Return the name that a node had in the cell, or its operation."""
    for name, index in (*tape.bindings, *tape.source_nodes.items()):
        if index == node:
            return f"'{name}'"
    return f"A result of {written(tape.nodes()[node].op)}"
