"""How TensorFlow 2.21 writes tensors and variables."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced


def tensor_text(tensor: Any) -> str:
    """Return what ``print`` shows of a tensor."""
    value = _value(tensor)
    return f"tf.Tensor({_break(str(value))}, shape={value.shape}, dtype={value.dtype.name})"


def tensor_repr(tensor: Any) -> str:
    """Return what a notebook shows of a tensor."""
    value = _value(tensor)
    return f"<tf.Tensor: shape={value.shape}, dtype={value.dtype.name}, numpy={_repr(value)}>"


def variable_repr(variable: Any) -> str:
    """Return what ``print`` and a notebook show of a variable."""
    value = _value(variable)
    return (
        f"<tf.Variable '{variable.name}' shape={value.shape} dtype={value.dtype.name}, "
        f"numpy={_repr(value)}>"
    )


def _value(tensor: Any) -> Any:
    return np.asarray(leaks.shown(tensor))[()]


def _repr(value: Any) -> str:
    # A number is shown as the Python number, in full: numpy=0.10000000149011612.
    return _break(repr(value)) if isinstance(value, np.ndarray) else repr(value.item())


def _break(text: str) -> str:
    return "\n" + text if "\n" in text else text


# ------------------------------------------------------------------------------------ tf.print


def print_(
    *inputs: Any, output_stream: Any = None, summarize: int = 3, sep: str = " ", end: str = "\n",
    name: str | None = None,
) -> None:  # fmt: skip
    """Write values as ``tf.print`` does: no commas, and few of many elements.

    Parameters
    ----------
    *inputs : tensors, or nested structures of tensors, numbers and text
    output_stream : file, optional
        Standard error if not given, as in TensorFlow.
    summarize : int
        Elements shown at both ends of an axis; -1 for all.
    """
    stream = sys.stderr if output_stream is None else output_stream
    print(*(_summary(x, summarize) for x in inputs), sep=sep, end=end, file=stream)


def _summary(x: Any, edge: int) -> str:
    if isinstance(x, str):
        return x
    if is_traced(x):
        return _array_text(np.asarray(leaks.shown(x)), edge, 0)
    if isinstance(x, np.ndarray):
        return _array_text(x, edge, 0)
    if isinstance(x, Mapping):
        return "{" + ", ".join(f"{k!r}: {_nested(v, edge)}" for k, v in x.items()) + "}"
    if isinstance(x, (list, tuple)):
        text = ", ".join(_nested(item, edge) for item in x)
        if isinstance(x, list):
            return f"[{text}]"
        return f"({text},)" if len(x) == 1 else f"({text})"
    return str(x)


def _nested(x: Any, edge: int) -> str:
    return repr(x) if isinstance(x, str) else _summary(x, edge)


def _array_text(array: np.ndarray, edge: int, depth: int) -> str:
    if array.ndim == 0:
        return _number_text(array[()])
    rows = list(range(len(array)))
    if edge >= 0 and len(rows) > 2 * edge:
        rows = [*rows[:edge], -1, *rows[len(rows) - edge :]]
    parts = ["..." if i < 0 else _array_text(array[i], edge, depth + 1) for i in rows]
    between = " " if array.ndim == 1 else "\n" * (array.ndim - 1) + " " * (depth + 1)
    return f"[{between.join(parts)}]"


def _number_text(x: Any) -> str:
    """Write six digits, or as many more as it takes to tell a number from its neighbours."""
    if x.dtype.kind == "b":
        return str(int(x))
    if x.dtype.kind in "iu":
        return str(x)
    if x.dtype.kind == "c":
        return f"({_number_text(x.real)},{_number_text(x.imag)})"
    digits, more = (15, 17) if x.dtype == np.float64 else (6, 9)
    text = f"{x:.{digits}g}"
    return text if np.isnan(x) or x.dtype.type(text) == x else f"{x:.{more}g}"
