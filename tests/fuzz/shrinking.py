"""Make a failing program smaller: drop terms, statements and inputs while it fails alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from .harness import check
from .programs import Program


def shrink(program: Program, kind: str) -> Program:
    """Return a program without anything that the failure does not need."""
    changed = True
    while changed:
        changed = False
        for candidate in _smaller(program):
            if check(candidate).kind == kind:
                program, changed = candidate, True
                break
    return program


def _smaller(program: Program) -> Iterator[Program]:
    if program.terms != ["0.0"]:
        yield replace(program, terms=["0.0"])
    for i, term in enumerate(program.terms):
        if len(program.terms) > 1:
            yield replace(program, terms=[term])
            yield replace(program, terms=program.terms[:i] + program.terms[i + 1 :])
    count = len(program.statements)
    for size in (max(1, count // 2), max(1, count // 4), 1):
        for i in range(0, count, size):
            kept = program.statements[:i] + program.statements[i + size :]
            yield replace(program, statements=kept)
    if program.views:
        yield replace(program, views=[])
    for name in program.inputs:
        rest = {k: v for k, v in program.inputs.items() if k != name}
        if rest:
            yield replace(program, inputs=rest)
