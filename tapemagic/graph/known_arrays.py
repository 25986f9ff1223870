"""What the person calls an array that an operation uses without watching it."""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

import numpy as np

LARGEST = 1_000_000  # elements that are compared


class KnownArrays:
    """Arrays of the notebook by name.

    The tape may hold copies of them. One that stands in the line of an operation, or in the line of
    the cell that called its function, and has the value of an operand is taken for that operand.

    Parameters
    ----------
    references : dict
        Name -> function that returns the array, or None when it is gone.
    text : str
        The cell.
    """

    def __init__(self, references: dict[str, Callable[[], Any]], text: str) -> None:
        living = {name: reference() for name, reference in references.items()}
        self.arrays = {name: array for name, array in living.items() if array is not None}
        self.lines = text.splitlines()
        self._mentioned: dict[str, tuple[str, ...]] = {}
        self._found: dict[tuple[int, tuple[str, ...]], str] = {}

    def names(self, node: Any) -> tuple[str, ...]:
        """Name the constant operands of a recorded operation, "" where they have no name."""
        if not self.arrays or not any(isinstance(value, np.ndarray) for value in node.constants):
            return ()
        mentioned = tuple(dict.fromkeys(
            name for line in self.code(node) for name in self.mentioned(line)
        ))  # fmt: skip
        names = []
        for value in node.constants:
            key = id(value), mentioned  # the tape keeps the value: its id stays its own
            if key not in self._found:
                self._found[key] = self.find(value, mentioned)
            names.append(self._found[key])
        return tuple(names)

    def mentioned(self, line: str) -> tuple[str, ...]:
        """Return the names of arrays in a line, which a loop asks for again and again."""
        if line not in self._mentioned:
            words = dict.fromkeys(re.findall(r"\w+", line))
            self._mentioned[line] = tuple(word for word in words if word in self.arrays)
        return self._mentioned[line]

    def code(self, node: Any) -> list[str]:
        """Text of the lines on which an operation stands: in the cell, and in a helper function."""
        line = node.line or 0
        lines = [self.lines[line - 1]] if 1 <= line <= len(self.lines) else []
        if len(node.calls) > 1:
            _, filename, inner = node.calls[-1]
            lines.insert(0, linecache.getline(filename, inner))
        return lines

    def find(self, value: Any, mentioned: tuple[str, ...]) -> str:
        """Return the first of the mentioned names whose array is equal to `value`."""
        if not isinstance(value, np.ndarray) or value.ndim == 0 or value.size > LARGEST:
            return ""
        for name in mentioned:
            array = self.arrays[name]
            if (
                array.shape == value.shape
                and array.dtype == value.dtype
                and array.tobytes() == value.tobytes()
            ):
                return name
        return ""
