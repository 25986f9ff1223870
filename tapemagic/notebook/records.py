"""The small records that a taped cell is described with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .arguments import Path

#: From the richest view to the one that always works.
VIEWS = ("widget", "static", "text", "none")
ENGINES = ("own", "dot")


@dataclass(frozen=True)
class Cell:
    """The text of a cell as the page shows it; line 1 is the magic.

    `filename` is the file name in the tracebacks of its code.
    """

    text: str
    number: int | None
    filename: str


@dataclass(frozen=True)
class Failure:
    """What ended a cell early: the line in the cell, the operation if known, and the words.

    `inputs` are the nodes that the line reads.
    """

    line: int | None
    op: str
    message: str
    inputs: tuple[int, ...] = ()


@dataclass(frozen=True)
class Options:
    """What the magic's line asks for."""

    sources: tuple[Path, ...] = ()
    target: Path | None = None
    output: str = "tape"
    show: str = "widget"
    engine: str = "own"
    strict: bool = False
    check: bool = False
    jacobian: bool = False
    order: int = 1
    code: bool = False


@dataclass
class Outcome:
    """What a finished cell leaves besides its names.

    Attributes
    ----------
    tape : GradientTape
    notes : list of str
        Sentences for the page: how a target was understood, what was not found.
    extras : list of str
        What `--check`, `--jacobian` and `--order 2` found.
    seconds : float
        How long that took.
    """

    tape: Any
    notes: list[str] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    seconds: float = 0.0
