"""What a gate looks like and what it does to a gradient, in the words of a lecture."""

from __future__ import annotations

from collections.abc import Sequence

from tapemagic.graph.why_values import NOT_ELEMENTWISE

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "true_divide": "÷",
    "power": "**", "float_power": "**", "matmul": "@", "dot": "@", "negative": "−",
    "absolute": "|x|", "fabs": "|x|", "sqrt": "√", "cbrt": "∛", "sum": "Σ", "prod": "Π",
    "square": "x²", "reciprocal": "1/x", "getitem": "[ ]", "setitem": "[ ] =",
    "transpose": "T", "exp": "exp",
}  # fmt: skip

VERBS = {
    "add": "add copies", "subtract": "subtract copies, negates", "multiply": "multiply swaps",
    "matmul": "matmul swaps, transposed", "dot": "dot swaps", "negative": "negates",
    "maximum": "max routes", "minimum": "min routes", "fmax": "max routes", "fmin": "min routes",
    "max": "max routes", "min": "min routes", "amax": "max routes", "amin": "min routes",
    "sum": "sum broadcasts", "mean": "mean shares evenly", "broadcast_to": "broadcast sums",
    "where": "where routes", "clip": "clip lets through", "concatenate": "joins: splits back",
    "stack": "stacks: splits back", "reshape": "reshapes back", "transpose": "transposes back",
    "getitem": "puts back in place", "setitem": "overwritten: gets 0", "sort": "sort routes",
    "sliding_window_view": "adds up overlaps",
}  # fmt: skip

# Other operations broadcast their operands against each other, so that the gradient of a smaller
# one is a sum; what these are given has shapes of its own.
SHAPED = NOT_ELEMENTWISE | {"setitem", "where"}

FORMULA_LENGTH = 26


def symbol(op: str) -> str:
    """Sign of an operation; its name where it has none."""
    return SYMBOLS.get(op, op)


def gate(op: str, constants: Sequence[str]) -> str:
    """Sign of an operation together with a constant operand, such as ``** 2``.

    Parameters
    ----------
    op : str
    constants : sequence of str
        Per operand; ``""`` for operands that are nodes.
    """
    sign = symbol(op)
    if len(constants) == 2 and sign != op:
        left, right = constants
        if right and not left and len(right) <= 8:
            return f"{sign} {right}"
        if left and not right and len(left) <= 8:
            return f"{left} {sign}"
    return sign


def verb(op: str, broadcasts: bool) -> str:
    """What the gate does to the gradient on its way back."""
    words = [VERBS[op]] if op in VERBS else []
    if broadcasts and op not in SHAPED:
        words.append("broadcast sums")
    return "; ".join(words)
