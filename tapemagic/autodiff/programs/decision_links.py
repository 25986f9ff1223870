"""Which decisions of a run need no check, since their only use is on the tape as well.

In ``np.where(x > 0, x, 0)`` the mask goes nowhere but into `where`: the program can compute it
anew, whatever it comes out as. That is read off the source text: the expression that made the mask
stands in the place of an argument of the operation that used it. A mask with a name might have been
used by plain code as well (``mask.sum()``), so it is checked to be what it was. So with operands
that are cut off: in ``stop_gradient(x) * y`` the program computes `x`, and only the gradient ends.
"""

from __future__ import annotations

import ast
import bisect
import itertools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recorder import Recorder, Recording
from tapemagic.autodiff.structure import get_item, set_item

from .symbols import concrete, is_symbol
from .texts import Place, called, place_in_source, place_of, tree_of

_MASK_OPERATORS = {ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or, ast.BitXor: np.bitwise_xor}
_SWEEP = Recorder.enter.__code__  # where all that a recorded sweep does stands
_ARITHMETIC = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power",
}  # fmt: skip


def argument_of(written: Any, nodes: dict[int, Any]) -> Any:
    """Return an argument of a decision, as it was remembered, with what nodes are now."""
    if type(written) is not tuple or not written:
        return written
    if written[0] == "node":
        return nodes[written[1]]
    kind = list if written[0] == "list" else tuple
    return kind([argument_of(item, nodes) for item in written[1:]])


class Links:
    """From decisions to the one operation that used them.

    Parameters
    ----------
    recording : Recording
    """

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._found: dict[int, Any] = {}  # decision -> its value in the program
        self._uses: dict[tuple[int, int], tuple[Any, dict]] = {}
        self._linked: set[int] = set()
        groups: dict[tuple[int, int], tuple[Any, dict]] = {}
        if any(context[0] is _SWEEP for context in recording.contexts):
            return  # a recorded sweep has used the masks as well
        if recording.decisions:
            self._choices = self._entries_by_place(_is_choice)
        if any(decision[3] is operator.pos for decision in recording.decisions):
            self._elementwise = self._entries_by_place(
                lambda primitive: primitive.kind == "elementwise"
            )
        for number, decision in enumerate(recording.decisions):
            self._follow(number, decision, groups)
        for use, (root, leaves) in groups.items():
            if _complete(root, leaves):
                self._uses[use] = root, leaves
                self._linked.update(leaves.values())

    def _entries_by_place(self, asked: Callable) -> dict[tuple[int, Place], list[int]]:
        found: dict[tuple[int, Place], list[int]] = {}
        for k, entry in enumerate(self._recording.entries):
            if asked(PRIMITIVES[entry[0]]):
                place = place_in_source(self._recording, entry[2], entry[1])
                if place is not None:
                    found.setdefault((entry[2], place), []).append(k)
        return found

    def _follow(self, number: int, decision: tuple, groups: dict) -> None:
        """Climb from the expression that decided to the operation whose argument it is."""
        _, context, offset = decision[:3]
        place = place_in_source(self._recording, context, offset)
        if place is None:
            return
        nodes, parents = tree_of(self._recording.contexts[context][0].co_filename)
        for node in nodes.get(place, ()):
            root = node
            while _is_mask_operator(parents.get(root)):
                root = parents[root]
            user: Any = parents.get(root)
            if decision[3] is operator.pos:
                uses = self._uses_of_cut(decision, node, user)
            elif _is_argument(root, user):
                statement = parents[user]
                augmented = isinstance(statement, ast.AugAssign) and statement.target is user
                uses = self._uses_of(self._next(self._choices, decision, user), augmented)
            else:
                continue
            for use in uses:
                groups.setdefault(use, (root, {}))[1][place] = number
            return

    def _next(self, by_place: dict, decision: tuple, user: Any) -> list[int]:
        """Return the next two operations (a read and a write) at the place of an expression.

        They are of the same round: from the decision to them the code has gone forward only.
        """
        position, context, offset = decision[:3]
        known, entries = by_place.get((context, place_of(user)), []), self._recording.entries
        found = []
        for k in known[bisect.bisect_left(known, position) :][:2]:
            offsets = [x[1] for x in entries[position : k + 1] if x[2] == context]
            if all(a <= b for a, b in itertools.pairwise([offset, *offsets])):
                found.append(k)
        return found

    def _uses_of_cut(self, decision: tuple, node: Any, user: Any) -> list[tuple[int, int]]:
        """Return the elementwise operation of which a value that was cut off is an operand."""
        name, operands = _operation(user)
        for k in self._next(self._elementwise, decision, user)[:1] if node in operands else ():
            entry, number = self._recording.entries[k], operands.index(node)
            if PRIMITIVES[entry[0]].name == name and entry[4:6][number] < 0:
                return [(k, number)]
        return []

    def _uses_of(self, later: list[int], augmented: bool) -> list[tuple[int, int]]:
        """Return the operations at one place that used a mask or index, as which argument."""
        kinds = [PRIMITIVES[self._recording.entries[k][0]] for k in later]
        read, write = ((later[kinds.index(x)] if x in kinds else -1) for x in (get_item, set_item))
        if augmented:  # ``x[mask] += y`` reads first; what no tape has read was a constant then
            return [(read, 1), (write, 2)] if 0 <= read < write else []
        if write in later[:1]:
            return [(write, 2)]
        return [(k, int(k == read)) for k in later[:1]]

    # ---------------------------------------------------------------------- asked by the replay

    def take(self, number: int, found: Any) -> bool:
        """Remember what a decision is in the program; tell whether it needs no check."""
        self._found[number] = found
        return number in self._linked and is_symbol(found)

    def replace(self, k: int, argument: int, value: Any) -> Any:
        """Return what stands in the place of a recorded mask or index: a symbol if it is linked."""
        known = self._uses.get((k, argument))
        if known is None:
            return value
        root, leaves = known
        symbol = self._evaluate(root, leaves)
        if not is_symbol(symbol):  # of constants only, or a Python number, which was checked
            return value
        if np.array_equal(concrete(symbol), value):
            if concrete(symbol).dtype == bool and argument > 0:
                count = np.sum(symbol)  # shapes hang on it
                count.writer.check(count)
            return symbol
        for number in leaves.values():
            self._found[number].writer.check(self._found[number])
        return value

    def _evaluate(self, node: Any, leaves: dict) -> Any:
        if isinstance(node, ast.UnaryOp):
            return ~self._evaluate(node.operand, leaves)
        if isinstance(node, ast.BinOp):
            left, right = self._evaluate(node.left, leaves), self._evaluate(node.right, leaves)
            return _MASK_OPERATORS[type(node.op)](left, right)
        return self._found[leaves[place_of(node)]]


def _is_mask_operator(node: Any) -> bool:
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Invert)
    return isinstance(node, ast.BinOp) and type(node.op) in _MASK_OPERATORS


def _complete(node: Any, leaves: dict) -> bool:
    """Tell whether every part of a mask expression is a decision that is known."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        return _complete(node.operand, leaves)
    if isinstance(node, ast.BinOp) and type(node.op) in _MASK_OPERATORS:
        return _complete(node.left, leaves) and _complete(node.right, leaves)
    return place_of(node) in leaves


def _is_choice(primitive: Any) -> bool:
    """Tell whether an operation takes masks or indices."""
    return primitive in (get_item, set_item) or primitive.name == "where"


def _operation(node: Any) -> tuple[str, list]:
    """Return the name of an elementwise function of two operands, and those."""
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC.get(type(node.op), ""), [node.left, node.right]
    if isinstance(node, ast.Call) and not node.keywords and len(node.args) == 2:
        return called(node), node.args
    return "", []


def _is_argument(root: Any, user: Any) -> bool:
    """Tell whether an expression is the mask of `where`, or the index of an array."""
    if isinstance(user, ast.Subscript):
        return user.slice is root
    is_first = isinstance(user, ast.Call) and user.args and user.args[0] is root
    return bool(is_first) and called(user) == "where"
