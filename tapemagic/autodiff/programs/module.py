"""The text around the body of a program: imports, helpers, constants, conditions on its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .literals import broken
from .spelling import Speller


def module_text(
    name: str, rows: list[str], inputs: dict[str, Any], speller: Speller, layouts: bool
) -> str:
    """Return a module with one function, which takes the inputs and the large constants.

    `layouts` says that the inputs have to lie in memory as they did.
    """
    rows = [*_conditions(inputs, speller), *(_in_order(inputs) if layouts else ()), *rows]
    head = ["import numpy as np", *(f"import {name}" for name in sorted(speller.imports)), ""]
    head += [""]
    if any("OtherWay" in row for row in rows):
        head += ["class OtherWay(ValueError):"]
        head += ['    """A branch, index or shape would not be that of the recorded run."""']
        head += ["", ""]
    for source_text in reversed(speller.helpers.values()):
        head += [*source_text.splitlines(), "", ""]
    shared = [broken(f"{name} = {text}") for name, text in speller.shared.items()]
    head += [*shared, "", ""] if shared else []
    parameters = [*inputs, *(["*", *speller.constants] if speller.constants else [])]
    head += ['@np.errstate(all="ignore")', f"def {name}({', '.join(parameters)}):"]
    return "\n".join([*head, *(f"    {row}" for row in rows), ""])


def _conditions(inputs: dict[str, Any], speller: Speller) -> Iterator[str]:
    """Yield rows that bring the inputs to their dtypes, and refuse shapes of another run.

    The lines below them have shapes for granted: other ones would give wrong numbers in silence.
    """
    for name, x in inputs.items():
        kind = speller.constant(np.asarray(x).dtype)
        make = f"np.asarray({name}, {kind})" if isinstance(x, np.ndarray) else f"{kind}({name})"
        yield f"{name} = {make}"
    shapes = {name: np.shape(x) for name, x in (inputs | speller.constants).items()}
    if not shapes:
        return
    *others, last = shapes
    found, known = f"{last}.shape", str(shapes[last])
    if others:
        found, known = speller.fresh("shapes"), f"({', '.join(map(str, shapes.values()))})"
        each = ", ".join(f"{name}.shape" for name in shapes)
        yield from broken(f"{found} = ({each})").split("\n")
    yield from broken(f"if {found} != {known}:").split("\n")
    names = f"{', '.join(others)} or {last}" if others else last
    yield f"    raise OtherWay('another shape of {names}')"


def _in_order(inputs: dict[str, Any]) -> Iterator[str]:
    """Yield rows that refuse another order in memory: what was a view would be a copy."""
    for name, x in inputs.items():
        if isinstance(x, np.ndarray) and x.size > 1:
            yield f"if not {name}.flags.{'c' if x.flags.c_contiguous else 'f'}_contiguous:"
            yield f"    raise OtherWay('another order of {name} in memory')"
