"""`Node`: an entry of the tape as people read it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .avals import AVALS, MULTIPLE
from .codes import inside, is_module
from .doing import comparing_function, shows
from .places import decode, is_encoded
from .primitives import PRIMITIVES
from .recorder import INNER, Recording

#: What happened to a value, where, and how: "cut", "flat" (became an integer or bool), "shown", or
#: "text" (made into text that was read back), "found" (what a dict or a cache held under it).
Mark = tuple[str, int | None, str]

#: Python asks `b > a` where a number `a` does not know how to answer `a < b`.
_SIGNS = {"eq": "==", "ne": "!=", "lt": "< or >", "le": "<= or >=", "contains": "in"}
_SIGNS |= {"gt": _SIGNS["lt"], "ge": _SIGNS["le"]}
#: What a value is that `hash` was asked for.
A_KEY = "a key of a dict, a set or a cache"
_KINDS = {"b": "a bool", "i": "an integer", "u": "an integer", "U": "text"}
_TYPES = {bool: "a bool", int: "an integer", str: "text"}


class Node(NamedTuple):
    """One value of the run: a watched source, or the result of an operation.

    Attributes
    ----------
    index : int
        Place on the tape.
    op : str
        Name of the primitive; "source" for a watched leaf.
    formulas : tuple of str
        The local derivative per operand, in y, x or x1, x2.
    inputs : tuple of (int or None)
        Node per array operand, by position; None for a constant.
    constants : tuple
        Plain value per operand where it is a constant and was kept.
    shape, dtype
    value : array, number or None
        The plain value if it was kept.
    line : int or None
        Line of the cell (also for work done in a helper).
    function : str
        "" for the cell itself, else the function the operation ran in.
    inside : str
        The user's function in words, with its line if that is one of the cell; or "".
    calls : tuple of (function, filename, line)
        From the cell inwards; the last is where the operation is.
    params : dict
        What else the operation was given (axis, index, ...).
    marks : tuple of (kind, line, detail)
        Where the value was cut, shown, or became an integer or bool; each line once.
    """

    index: int  # type: ignore[assignment]  # a tuple's method of that name is of no use here
    op: str
    formulas: tuple[str, ...]
    inputs: tuple[int | None, ...]
    constants: tuple[Any, ...]
    shape: tuple[int, ...]
    dtype: str
    value: Any
    line: int | None
    function: str
    inside: str
    calls: tuple[tuple[str, str, int], ...]
    params: dict[str, Any]
    marks: tuple[Mark, ...]


class Reader:
    """Turn the entries of a recording into nodes; positions are looked up once each.

    Parameters
    ----------
    recording : Recording
    filename : str, optional
        Of the cell.
    target : int, optional
        The node that is differentiated.
    """

    def __init__(
        self, recording: Recording, filename: str | None = None, target: int | None = None
    ) -> None:
        self._recording = recording
        self._filename = filename
        self._calls: dict[tuple[int, int], tuple] = {}
        self._stacks: dict[tuple[int, int], tuple[tuple, tuple]] = {}
        self._lines: dict[Any, dict[int, int]] = {}
        self._sites: dict[tuple[int, int], tuple[bool, str]] = {}
        self._marks: dict[int, dict[Mark, None]] = {}  # a dict keeps the order, and each mark once
        for kind, id_, context, offset, detail in recording.events:
            mark = self._mark(kind, context, offset, detail, target)
            self._marks.setdefault(id_, {})[mark] = None

    def _mark(self, kind: str, context: int, offset: int, detail: Any, target: int | None) -> Mark:
        """Say what happened to a value; nothing but `shown`, if it is so or follows the target."""
        _, line, _, where = self.position(context, offset)
        said, count = "", 0
        if kind == "flat":
            *became, count = detail
            said = f"{self._became(context, offset, *became)} {where}".strip()
        elif kind == "cut":
            said = f"{detail or 'stop_gradient'} {where}" if where else detail
        elif kind == "taken":
            said, count = detail
        elif kind in ("text", "found"):
            count = detail
        is_later = target is not None and count > target
        if is_later or (kind == "flat" and self._site(context, offset)[0]):
            return "shown", line, ""
        return kind, line, said

    def _site(self, context: int, offset: int) -> tuple[bool, str]:
        """Tell whether what is made there is for a person to read, and what compares for it."""
        known = self._sites.get((context, offset))
        if known is None:
            *_, here = self._recording.positions(context, offset)
            known = self._sites[context, offset] = shows(*here), comparing_function(*here)
        return known

    def node(self, index: int, value: Any = None) -> Node:
        """Return the node of one entry, with `value` if the tape did not keep its own."""
        entry = self._recording.entries[index]
        code, offset, context, aval = entry[:4]
        primitive = PRIMITIVES[code]
        calls, line, function, where = self.position(context, offset)
        params: dict[str, Any] = {}
        inputs: tuple[int | None, ...]
        constants: tuple[Any, ...]
        if primitive.kind == "elementwise":
            a, b, x1, x2, y = entry[4:9]
            first, constant = (None, x1) if a < 0 else (a, None)
            if primitive.arity == 1:
                inputs, constants = (first,), (constant,)
            elif b < 0:
                inputs, constants = (first, None), (constant, x2)
            else:
                inputs, constants = (first, b), (constant, None)
        else:
            inputs, constants, params = _operands(entry)
            y = entry[8]
        shape, dtype = ((), "tuple") if aval == MULTIPLE else _facts(aval)
        return Node(
            index, primitive.name, primitive.shows, inputs, constants, shape, dtype,
            value if y is None else y, line,
            function, where, calls, params, tuple(self._marks.get(index, ())),
        )  # fmt: skip

    def position(self, context: int, offset: int) -> tuple:
        """Return calls, line, function and ``in relu at line 3`` of a position on the tape."""
        key = (context, offset)
        known = self._calls.get(key)
        if known is None:
            known = self._calls[key] = self._look_up(context, offset)
        return known

    def _look_up(self, context: int, offset: int) -> tuple:
        calls, named = self._stack(context, offset)
        cell = next((i for i, call in enumerate(calls) if call[1] == self._filename), None)
        # What a cell runs besides (`%run -i`, another cell, a thread) has no line of the cell.
        outermost = 0 if self._filename else max(0, len(calls) - 1)
        start = outermost if cell is None else cell
        calls = calls[start:]
        if not calls:
            return (), None, "", ""
        function = calls[-1][0]
        is_known = cell is not None or not self._filename
        own_line = calls[0][2] if is_known else None
        where = inside(named[start:], self._filename) if own_line is not None else ""
        return calls, own_line, "" if function == "<module>" else function, where

    def _stack(self, context: int, offset: int) -> tuple[tuple, tuple]:
        """Return the user's calls that lead to a position, twice: by names, and by qualified ones.

        What the callers' are is asked once for all that they call: a recursion is deep.
        """
        contexts, inner = self._recording.contexts, []
        while context >= 0 and (context, offset) not in self._stacks:
            inner.append((context, offset))
            _, context, offset = contexts[context]
        calls, named = self._stacks.get((context, offset), ((), ()))
        for position in reversed(inner):
            code = contexts[position[0]][0]
            if not INNER[code.co_filename]:
                line = self._line(code, position[1]) or code.co_firstlineno
                name = "<module>" if is_module(code) else code.co_name
                qualified = code.co_qualname.rpartition("<locals>.")[2]
                calls = (*calls, (name, code.co_filename, line))
                named = (*named, (qualified, code.co_filename, line))
            self._stacks[position] = calls, named
        return calls, named

    def _became(self, context: int, offset: int, kind: Any, fun: Callable | str | None) -> str:
        """Say what a value became, and by which function: ``an integer (argmax)``."""
        if fun is hash:
            return A_KEY
        word = _KINDS.get(kind.kind, "") if isinstance(kind, np.dtype) else _TYPES.get(kind, "")
        name = fun if isinstance(fun, str) else getattr(fun, "__name__", "").strip("_")
        if name in _SIGNS:
            name = self._site(context, offset)[1] or _SIGNS[name]
        elif not name.isidentifier():
            return word
        return f"{word} ({name})" if word else ""

    def _line(self, code: Any, offset: int) -> int | None:
        table = self._lines.get(code)
        if table is None:
            table = self._lines[code] = {
                2 * i: position[0] for i, position in enumerate(code.co_positions())
            }
        return table.get(offset)


@lru_cache(maxsize=512)
def _facts(aval: int) -> tuple[tuple[int, ...], str]:
    known = AVALS[aval]
    return known.shape, str(known.dtype)


def _operands(entry: tuple) -> tuple[tuple, tuple, dict[str, Any]]:
    """Split the arguments of a general entry into operands, constants and parameters."""
    ids, codes, args, keywords = entry[4], entry[5], entry[6], entry[7]
    inputs: list[int | None] = []
    constants: list[Any] = []
    params: dict[str, Any] = {}
    for i, arg in enumerate(args):
        id_ = ids[i] if i < len(ids) else -1
        if id_ >= 0:
            inputs.append(id_)
            constants.append(None)
        elif (i < len(codes) and codes[i]) or isinstance(arg, np.ndarray):
            inputs.append(None)
            constants.append(arg)
        else:
            params[str(i)] = _decoded(arg)
    params.update(pair for pair in keywords or () if type(pair) is tuple)  # not codes of results
    return tuple(inputs), tuple(constants), params


def _decoded(arg: Any) -> Any:
    return decode(arg) if is_encoded(arg) else arg
