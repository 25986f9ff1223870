"""The operators of traced arrays: the hot path of recording.

Three situations take the short way, decided by comparisons of integers and identities: a unary
operator, two handles of the same shape and dtype, and a handle with a Python number. Everything
else (broadcasting, plain arrays, complex numbers, stale views, nothing recorded) goes through
`call_binary`, or through `call_operator` where an operand may be anything.

The methods are written out from one template per form, since a shared function would pay a call
and an `operator` function per operation, half as much again as the operation itself.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import call_binary, call_operator, call_unary
from tapemagic.autodiff.calls.operands import NUMERIC, becomes_array
from tapemagic.autodiff.handles import HANDLE_TYPES, NUMBER, plain
from tapemagic.autodiff.primitives import RULES, Primitive
from tapemagic.autodiff.recorder import RECORDER, generated_name

#: Operators that Python and NumPy refuse for floats, in words of their own.
BITS = ("and_", "or_", "xor", "lshift", "rshift")
#: operator name, symbol, NumPy function; with a short way where the result keeps the operand's type
BINARY = (
    ("add", "+", np.add, True),
    ("sub", "-", np.subtract, True),
    ("mul", "*", np.multiply, True),
    ("truediv", "/", np.divide, True),
    ("pow", "**", np.power, False),
    ("mod", "%", np.remainder, False),
    ("floordiv", "//", np.floor_divide, False),
    ("matmul", "@", np.matmul, False),
)

_BINARY_TEXT = """
def __{name}__(self, other):
    token = RECORDER.token
    aval = self.aval
    if self.token is token and aval > 0:
        kind = type(other)
        if kind is Handle or kind is Variable:
            if other.token is not token or other.aval != aval:
                return call_binary(primitive, compute, self, other)
            x2 = other._value
            b = other.id
        elif kind is float or kind is int:
            x2 = other
            b = -1
        elif kind is ndarray:
            return call_binary(primitive, compute, self, other)
        else:
            return call_operator(primitive, compute, (self, other))
        x1 = self._value
        y = x1 {symbol} x2
        frame = getframe(1)
        if frame is not RECORDER.frame:
            RECORDER.enter(frame)
        entries = RECORDER.entries
        result = Handle()
        result._value = y
        result.aval = aval
        result.token = token
        result.storage = None
        result.id = len(entries)
        entries.append(({code}, frame.f_lasti, RECORDER.context, aval, self.id, b, {x1},
                        {constant_or_x2},
                        {keep_y}y))
        return result
    return call_operator(primitive, compute, (self, other))

def __r{name}__(self, other):
    aval = self.aval
    token = RECORDER.token
    kind = type(other)
    if self.token is token and aval > 0 and (kind is float or kind is int):
        x1 = other
        x2 = self._value
        y = x1 {symbol} x2
        frame = getframe(1)
        if frame is not RECORDER.frame:
            RECORDER.enter(frame)
        entries = RECORDER.entries
        result = Handle()
        result._value = y
        result.aval = aval
        result.token = token
        result.storage = None
        result.id = len(entries)
        entries.append(({code}, frame.f_lasti, RECORDER.context, aval, -1, self.id, x1, {x2},
                        {keep_y}y))
        return result
    return call_operator(primitive, compute, (other, self))
"""


def _binary_methods(name: str, symbol: str, primitive: Primitive, scope: dict) -> None:
    reads = frozenset().union(*primitive.saves)
    text = _BINARY_TEXT.format(
        name=name,
        symbol=symbol,
        code=primitive.code,
        x1="x1" if "x1" in reads else "None",
        x2="x2" if "x2" in reads else "None",
        constant_or_x2="x2" if "x2" in reads else "x2 if b < 0 else None",
        # Even codes are small enough to be shown on the picture.
        keep_y="" if "y" in reads else "None if aval & 1 else ",
    )
    exec(compile(text, generated_name(f"__{name}__"), "exec"), scope)


def install(handle: type, variable: type, general: Any = call_operator) -> None:
    """Give a handle class, and the variable class of the same family, their operators.

    `general` is the way for operands that may be anything; a family that is stricter about them
    brings its own, which sees arrays of the family as well.
    """

    def strict_binary(primitive: Primitive, compute: Any, x1: Any, x2: Any) -> Any:
        return general(primitive, compute, (x1, x2))

    binary = call_binary if general is call_operator else strict_binary
    for name, symbol, fun, short in BINARY:
        primitive = RULES[fun]
        compute = getattr(operator, name)
        scope = {
            "__name__": __name__,  # where its warnings come from
            "Handle": handle, "Variable": variable, "RECORDER": RECORDER,
            "getframe": sys._getframe, "ndarray": np.ndarray, "call_binary": binary,
            "call_operator": general, "primitive": primitive, "compute": compute,
        }  # fmt: skip
        if short and isinstance(primitive, Primitive):
            _binary_methods(name, symbol, primitive, scope)
            methods = scope[f"__{name}__"], scope[f"__r{name}__"]
        else:
            methods = _plain_methods(fun, compute, general)
        for prefix, method in zip(("", "r"), methods):
            for cls in (handle, variable):
                setattr(cls, f"__{prefix}{name}__", method)
    for name in BITS if general is call_operator else ():  # tensors have their own
        word = name.strip("_")
        setattr(handle, f"__{word}__", _refused(getattr(operator, name)))
        setattr(handle, f"__r{word}__", _refused(getattr(operator, name), reflected=True))
        setattr(handle, f"__i{word}__", _refused(getattr(operator, f"i{word}")))


def _refused(compute: Any, *, reflected: bool = False) -> Any:
    def method(self: Any, other: Any) -> Any:
        value = plain(other)
        is_builtin = type(value).__module__ == "builtins"
        if is_builtin or becomes_array(other) or isinstance(value, NUMERIC):
            y = compute(*plain((other, self) if reflected else (self, other)))
            return leaks.flat(y, (self, other))  # empty, or of objects
        return NotImplemented

    return method


def _plain_methods(fun: Any, compute: Any, general: Any) -> tuple:
    rule = RULES[fun]
    # What a strict family does with operands is for it to say.
    is_short = general is call_operator and isinstance(rule, Primitive)

    def forward(self: Any, other: Any) -> Any:
        if is_short and (type(other) in HANDLE_TYPES or type(other) is np.ndarray):
            return call_binary(rule, compute, self, other)
        return general(rule, compute, (self, other))

    def reflected(self: Any, other: Any, modulus: Any = None) -> Any:
        if modulus is not None:  # asked since Python 3.14
            return NotImplemented
        return general(rule, compute, (other, self))

    def power(self: Any, other: Any, modulus: Any = None) -> Any:
        if modulus is not None:
            return pow(*plain((self, other, modulus)))  # NumPy's own TypeError
        if type(other) is int and other == 2:  # the same value, and a shorter derivative
            if is_short and self.aval > NUMBER:
                return call_unary(RULES[np.square], _squared, self)
            return general(RULES[np.square], _squared, (self,))
        return forward(self, other)

    return (power if fun is np.power else forward), reflected


def _squared(x: Any) -> Any:
    return x**2
