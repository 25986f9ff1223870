"""The operators of tensors: operands of one dtype, results that are tensors."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.arrays import operators
from tapemagic.autodiff.calls import dispatch
from tapemagic.errors import TapeError

from .conversion import check_divisor, check_kind, check_matrices, divisible, match
from .refusals import describe, refuse
from .tensor import Tensor, TensorMethods, tensor_of

#: Kinds of dtype that an operator takes; others than these take any.
_KINDS = dict.fromkeys(("__lt__", "__le__", "__gt__", "__ge__"), "fiu")


def _flat_operator(name: str) -> Any:
    """Make an operator whose result has no derivative: a comparison, or logic."""

    def method(self: Any, other: Any) -> Any:
        if other is None or isinstance(other, str):
            return NotImplemented
        check_kind(self, _KINDS.get(name, "fciub"), name)
        x1, x2 = match((self, other), name)
        try:
            y = getattr(np.asarray(dispatch.plain(x1)), name)(dispatch.plain(x2))
        except (ValueError, TypeError) as error:
            if name not in ("__eq__", "__ne__"):
                refuse(describe(name, (x1, x2), error))
            y = name == "__ne__"  # shapes that do not meet: TensorFlow says one False
        return y if y is NotImplemented else tensor_of(leaks.flat(y, (x1, x2)))

    method.__name__ = name
    return method


for _name in ["lt", "le", "gt", "ge", "eq", "ne", "and", "or", "xor", "rand", "ror", "rxor"]:
    setattr(TensorMethods, f"__{_name}__", _flat_operator(f"__{_name}__"))


def _immutable(name: str) -> Any:
    def method(self: Any, other: Any) -> Any:
        return getattr(self, name)(other)

    return method


for _name in ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]:
    # `t += 1` binds t to a new tensor.
    setattr(Tensor, f"__i{_name}__", _immutable(f"__{_name}__"))


def call_operator(rule: Any, compute: Any, args: tuple) -> Any:
    """Carry out an operator on operands of one dtype."""
    if any(x is None or isinstance(x, str) for x in args):
        return NotImplemented
    args = match(args, rule.name)
    if compute is operator.matmul:
        check_matrices(*args)
    elif compute is operator.truediv:
        args = tuple(map(divisible, args))
    elif compute is operator.floordiv or compute is operator.mod:
        check_divisor(*args)
    try:
        return dispatch.call_operator(rule, compute, args)
    except (ValueError, TypeError) as error:
        if isinstance(error, TapeError):
            raise
        refuse(describe(rule.name, args, error))


def install(variable: type) -> None:
    """Give tensors, and the variables of the same family, their operators."""
    operators.install(Tensor, variable, call_operator)
