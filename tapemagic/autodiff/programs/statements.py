"""Statements of a program, as loops see them: text around names and numbers."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"#.*|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\.[^\W\d]\w*|[^\W\d]\w*(?==[^=])"  # not for us
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>(?:(?<=[ (\[*])-(?=\d+[.e]))?\d[\w.]*(?:(?<=[eE])[+-]\d+)?)"
)
_COUNTER = re.compile(r"(?<=^t)\d+|_?\d+$")  # what tells the rounds' names apart


class Statement:
    """One statement, perhaps a loop: its text around the names and numbers, and those.

    Attributes
    ----------
    pieces : tuple of str
        The text between the slots.
    slots : list of str
        Names of variables, and numbers.
    defines : list of str
        The names that it binds.
    depth : int
        How many loops deep it is; 0 for an ordinary one.
    """

    __slots__ = ("defines", "depth", "pieces", "slots")

    def __init__(self, text: str, names: set[str], defines: list[str], depth: int = 0) -> None:
        pieces, slots, start = [], [], 0
        for found in _TOKEN.finditer(text):
            if found["number"] or found["name"] in names:
                pieces.append(text[start : found.start()])
                slots.append(found[0])
                start = found.end()
        self.pieces, self.slots = (*pieces, text[start:]), slots
        self.defines, self.depth = defines, depth

    def text(self, slots: list[str] | None = None) -> str:
        """Return the text with these slots."""
        parts = [*zip(self.pieces, slots or self.slots, strict=False), (self.pieces[-1], "")]
        return "".join(piece + slot for piece, slot in parts)


def is_number(slot: str) -> bool:
    """Tell whether a slot holds a number, perhaps one with a sign, and not a name."""
    return slot[0].isdigit() or slot[0] == "-"


def stem(name: str) -> str:
    """Return a name without what tells it from that of another round."""
    return _COUNTER.sub("", name)
