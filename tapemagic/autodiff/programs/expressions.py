"""From one step of a program to an expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.later import product, product_from_right

from .spelling import Speller, is_default
from .symbols import Symbol, concrete, is_symbol, symbols_in

_OPERATORS: dict[Any, tuple[str, int]] = {  # symbol, how tightly it binds
    np.add: ("+", 5), np.subtract: ("-", 5), np.multiply: ("*", 6), np.divide: ("/", 6),
    np.matmul: ("@", 7), np.floor_divide: ("//", 6), np.remainder: ("%", 6), np.power: ("**", 9),
    np.less: ("<", 1), np.less_equal: ("<=", 1), np.greater: (">", 1),
    np.greater_equal: (">=", 1), np.equal: ("==", 1), np.not_equal: ("!=", 1),
    np.bitwise_and: ("&", 4), np.bitwise_or: ("|", 2), np.bitwise_xor: ("^", 3),
    product: ("@", 7), product_from_right: ("@", 7),
}  # fmt: skip
#: How tightly names, calls and the like bind, and a minus sign.
ATOM, UNARY = 10, 8
_PRODUCTS = (6, 7)  # one level for Python; ``(a * b) @ c`` reads better with its brackets


class Expressions:
    """Spells steps by what their operands were spelled.

    Parameters
    ----------
    speller : Speller
    """

    def __init__(self, speller: Speller) -> None:
        self._speller = speller
        self._text: dict[int, tuple[str, int]] = {}  # step -> expression, how tightly it binds

    def _expression(self, step: Symbol) -> tuple[str, int]:
        if step.kind == "part":
            whole, i = step.args
            return f"{self._wrapped(whole, ATOM)}[{i}]", ATOM
        if step.kind in ("item", "copy"):
            part = f"{self._wrapped(step.args[0], ATOM)}[{self._index(step.args[1])}]"
            return (part if step.kind == "item" else f"{part}.copy()"), ATOM
        if step.kind == "attribute":
            name = "T" if step.fun == "mT" and step.value.ndim == 2 else step.fun
            return f"{self._wrapped(step.args[0], ATOM)}.{name}", ATOM
        if step.kind == "method":
            arguments = self._arguments(step.args[1:], step.kwargs, step)
            return f"{self._wrapped(step.args[0], ATOM)}.{step.fun}({arguments})", ATOM
        if not step.kwargs and step.fun in _OPERATORS and len(step.args) == 2:
            sign, tightness = _OPERATORS[step.fun]
            operand = self._argument_of(step)
            left, right = step.args
            if type(left) in (complex, np.complex128) and isinstance(concrete(right), np.float64):
                # Python's complex takes NumPy's float64 for its own float, and stays Python's.
                number = self._speller.constant(np.complex128(left))
                return f"{number} {sign} {self._wrapped(right, UNARY, operand)}", tightness
            a = self._wrapped(left, tightness + (sign == "**" or tightness == 1), operand)
            beside = UNARY if tightness in _PRODUCTS else tightness + (sign != "**")
            b = self._wrapped(right, beside, operand)
            return (f"{a}{sign}{b}" if sign == "**" else f"{a} {sign} {b}"), tightness
        if not step.kwargs and step.fun is np.negative:
            return f"-{self._wrapped(step.args[0], UNARY)}", UNARY
        if not step.kwargs and step.fun is np.invert:
            return f"~{self._wrapped(step.args[0], UNARY)}", UNARY
        if not step.kwargs and step.fun is np.square:
            return f"{self._wrapped(step.args[0], ATOM)}**2", 9
        if step.fun is np.transpose and len(step.args) == 1 and not step.kwargs:
            return f"{self._wrapped(step.args[0], ATOM)}.T", ATOM
        if step.fun is np.copy and step.kwargs == {"order": "C"}:
            return f"{self._wrapped(step.args[0], ATOM)}.copy()", ATOM
        fun = self._speller.function(step.fun)
        return f"{fun}({self._arguments(step.args, step.kwargs, step)})", ATOM

    def _arguments(self, args: tuple, kwargs: dict, step: Symbol) -> str:
        operand = self._argument_of(step) if isinstance(step.fun, np.ufunc) else self._operand
        given = [operand(x) for x in args]
        return ", ".join(
            given
            + [
                f"{key}={self._operand(_one_axis(x) if key == 'axis' else x)}"
                for key, x in kwargs.items()
                if is_symbol(x) or not (is_default(step.fun, key, x) or _is_only_axis(step, key))
            ]
        )

    def _argument_of(self, step: Symbol) -> Callable:
        """Return how operands are spelled: beside float64, a float64 number is just a number."""
        double = all(
            x.value.dtype in (np.dtype(float), np.dtype(complex)) for x in symbols_in(step.args)
        )
        return lambda x: self._operand(x, double=double)

    def _operand(self, x: Any, *, double: bool = False) -> str:
        if is_symbol(x):
            return self._text[x.number][0]
        if type(x) in (list, tuple) and symbols_in(x):
            items = ", ".join(map(self._operand, x))
            return f"[{items}]" if type(x) is list else f"({items}{',' * (len(x) == 1)})"
        if type(x) is slice and symbols_in(x):
            return f"slice({', '.join(map(self._operand, (x.start, x.stop, x.step)))})"
        if type(x) is dict and symbols_in(x):
            return "{" + ", ".join(f"{k!r}: {self._operand(v)}" for k, v in x.items()) + "}"
        return self._speller.constant(x, double=double)

    def _wrapped(self, x: Any, tightness: int, operand: Callable | None = None) -> str:
        text = (operand or self._operand)(x)
        if is_symbol(x):
            return f"({text})" if self._text[x.number][1] < tightness else text
        return f"({text})" if text.startswith("-") and tightness > UNARY else text

    def _index(self, index: Any) -> str:
        if type(index) is tuple:
            return ", ".join(map(self._index, index)) or "()"
        if type(index) is slice and not symbols_in(index):
            parts = ["" if part is None else str(part) for part in (index.start, index.stop)]
            return ":".join(parts) + ("" if index.step in (None, 1) else f":{index.step}")
        return self._operand(index)


def _is_only_axis(step: Symbol, key: str) -> bool:
    """Tell whether a keyword says to sum along the one axis that there is."""
    one = key == "axis" and step.fun is np.sum and np.ndim(concrete(step.args[0])) == 1
    return one and step.kwargs[key] != ()


def _one_axis(axis: Any) -> Any:
    return axis[0] if type(axis) is tuple and len(axis) == 1 else axis
