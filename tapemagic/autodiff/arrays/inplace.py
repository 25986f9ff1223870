"""In-place operators: ``x += v`` changes an array, and replaces a number."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from .writing import inplace

INPLACE = (
    ("iadd", np.add), ("isub", np.subtract), ("imul", np.multiply), ("itruediv", np.divide),
    ("ipow", np.power), ("imod", np.remainder), ("ifloordiv", np.floor_divide),
    ("imatmul", np.matmul),
)  # fmt: skip


def _method(fun: Any, operate: Any) -> Any:
    def method(self: Any, other: Any) -> Any:
        return inplace(self, fun, operate, other)

    return method


def install(handle: type) -> None:
    """Give a handle class its in-place operators."""
    for name, fun in INPLACE:
        setattr(handle, f"__{name}__", _method(fun, getattr(operator, name)))
