"""What stands behind `%%tape`: names and paths of variables, parsed and never evaluated."""

from __future__ import annotations

import ast
import difflib
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from IPython.core.error import UsageError


@dataclass(frozen=True)
class Path:
    """A variable, or a place inside one: `w`, `model.W1`, `params["W1"]`, `layers[0].b`.

    Attributes
    ----------
    text : str
        As the person wrote it, with double quotes: the name under which it is shown.
    root : str
        The name in the namespace where it starts.
    steps : tuple of (kind, key)
        `("attribute", "W1")` or `("item", key)`, outermost first.
    """

    text: str
    root: str
    steps: tuple[tuple[str, Any], ...] = ()

    def find(self, namespace: Mapping[str, Any]) -> Any:
        """Return the object that the path leads to.

        Raises
        ------
        UsageError
            With the names that come close, if there is no such variable.
        """
        if self.root not in namespace:
            raise UsageError(unknown(self.root, namespace))
        found, sofar = namespace[self.root], self.root
        for kind, key in self.steps:
            holder = found
            try:
                found = getattr(found, key) if kind == "attribute" else found[key]
            except Exception as error:
                raise UsageError(f"'{self.text}': {sofar} has no {spell((kind, key))}") from error
            if isinstance(holder, np.ndarray):
                part = sofar + spell((kind, key))
                raise UsageError(
                    f"'{part}' is a part of an array, which is watched as a whole; name '{sofar}'"
                )
            sofar += spell((kind, key))
        return found


def spell(step: tuple[str, Any]) -> str:
    """Write one step of a path as Python does, with double quotes.

    >>> spell(("attribute", "W1")), spell(("item", "W1")), spell(("item", -1))
    ('.W1', '["W1"]', '[-1]')
    """
    kind, key = step
    if kind == "attribute":
        return f".{key}"
    if isinstance(key, str):
        return '["' + key.replace("\\", "\\\\").replace('"', '\\"') + '"]'
    return f"[{key!r}]"


def unknown(name: str, namespace: Iterable[str]) -> str:
    """Say that a variable does not exist, and which ones have a similar name."""
    said = f"there is no variable '{name}' before the cell, and the cell makes none"
    return said + similar(name, namespace)


def similar(name: str, names: Iterable[str]) -> str:
    """Ask whether one of the names was meant that are like one, if any is.

    >>> similar("lss", ["loss", "x"])
    '; did you mean loss?'
    """
    known = [other for other in names if not other.startswith("_")]
    close = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def parse_path(text: str) -> Path:
    """Read `model.layers[0].W` or `params["W1"]`.

    The text is only parsed: nothing is looked up and nothing is called.

    Raises
    ------
    UsageError
        If the text is anything but names, `.attributes` and `[constant]` subscripts.

    Examples
    --------
    >>> parse_path("params['W1']").text
    'params["W1"]'
    >>> parse_path("w").steps
    ()
    """
    try:
        node: ast.expr = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise UsageError(complaint(text)) from None
    steps: list[tuple[str, Any]] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            steps.append(("attribute", node.attr))
        elif isinstance(node, ast.Subscript):
            try:
                key = ast.literal_eval(node.slice)
            except (ValueError, TypeError, RecursionError):
                raise UsageError(complaint(text)) from None
            if not isinstance(key, str | int):
                raise UsageError(complaint(text))
            steps.append(("item", key))
        else:
            raise UsageError(complaint(text))
        node = node.value
    steps.reverse()
    return Path(node.id + "".join(map(spell, steps)), node.id, tuple(steps))


def complaint(text: str) -> str:
    """Say why a text is not a variable."""
    if keyword.iskeyword(text):
        return f"'{text}' is a word of Python, not a variable"
    if "," in text:
        return f"'{text}' is not a variable; separate names with spaces: w b"
    return f"'{text}' is not a variable; write a name, model.W1 or params[\"W1\"]"


def parse_name(text: str) -> str:
    """Check that a text can be the name of a variable.

    Raises
    ------
    UsageError
    """
    if not text.isidentifier() or keyword.iskeyword(text):
        raise UsageError(f"'{text}' is not a name that a variable can have")
    return text


def split_line(line: str) -> list[str]:
    """Split the magic's line at spaces, but not inside brackets or quotes.

    >>> split_line('w  params["W 1"] -t loss')
    ['w', 'params["W 1"]', '-t', 'loss']
    """
    words, word, depth, quote = [], "", 0, ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character.isspace() and depth <= 0:
            words.append(word)
            word = ""
            continue
        elif character == "#" and not word:
            break
        word += character
    words.append(word)
    return [word for word in words if word]


def asks_for_help(line: str) -> bool:
    """Say whether the magic's line asks for its help.

    >>> asks_for_help("w -t loss --help"), asks_for_help('params["-h"]')
    (True, False)
    """
    return not {"-h", "--help"}.isdisjoint(split_line(line))
