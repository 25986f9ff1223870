"""Run a program as a `%%tape` cell: the world that it leaves, bit for bit, and its gradients."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tapemagic.notebook.arguments import parse_path
from tapemagic.notebook.sources import is_bound_first
from tests.notebook.worlds import PRIVATE, differences, run_plain, run_taped

from .programs import HELPERS, Program

#: Whether an array owns its memory or is a view of a fresh one: what NumPy's composite functions
#: leave (np.diff, np.multiply.outer, ...) is not yet told apart from ours in every combination.
NOT_COMPARED = ("owned",)


class CellRun:
    """A program run by the machinery of a notebook's cell, its inputs named as sources."""

    def __init__(self, program: Program) -> None:
        self.setup = f"{HELPERS}\n{program.setup}"
        self.program = program
        sources = tuple(parse_path(name) for name in program.inputs)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            self.world, self.session = run_taped(
                self.setup, program.text, sources=sources, target=parse_path("loss")
            )

        #: Names that the cell binds before it reads them.
        self.bound_first = {
            path.text
            for path in sources
            if is_bound_first(
                path, self.session.plan.source, set(self.session.reads), program.inputs
            )
        }

    @property
    def error(self) -> BaseException | None:
        """What ended the cell early."""
        return self.world["raised"]

    def difference(self) -> str:
        """Return how the world differs from the one that plain NumPy leaves, or ""."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            plain = run_plain(self.setup, self.program.text)
        found = (
            f"{key}{one}"
            for key, wanted in plain.items()
            if key not in (*PRIVATE, *NOT_COMPARED)
            for one in differences(self.world[key], wanted)
        )
        return next(found, "")

    def gradients(self) -> dict[str, Any]:
        """Return the gradients by the values that the inputs had when the cell began.

        Of a name that the cell binds before it reads it, the source is the value bound.
        """
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            self.session.differentiate()
            self.session.tape.explain()  # an error there would be one of the cell's output
        found = dict(zip(self.session.sources.handles, self.session.gradients, strict=False))
        return {
            name: np.zeros_like(value) if found.get(name) is None else found[name]
            for name, value in self.program.inputs.items()
            if name not in self.bound_first
        }
