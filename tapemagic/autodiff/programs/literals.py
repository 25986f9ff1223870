"""Numbers and small arrays as a person would write them down."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import numpy as np

#: Lines are broken at this length where they can be.
WIDTH = 95
#: An array of up to so many elements is easily read.
FEW = 3


def number_text(x: Any) -> str:
    """Spell a Python number."""
    if isinstance(x, complex):
        return f"complex({number_text(x.real)}, {number_text(x.imag)})"
    if isinstance(x, float) and not math.isfinite(x):
        return "np.nan" if math.isnan(x) else "np.inf" if x > 0 else "-np.inf"
    return repr(x)


def array_text(x: np.ndarray) -> str:
    """Spell a small array."""
    shape = x.shape[0] if x.ndim == 1 else x.shape
    kind = "" if x.dtype == float else f", np.{x.dtype.name}"
    if not x.size or (x.size > 1 and is_zero(x)):
        return f"np.zeros({shape}{kind})"
    if x.size > 1 and x.dtype.kind in "iuf" and (x == 1).all():
        return f"np.ones({shape}{kind})"
    made = _made_by_rule(x)
    if made:
        return made
    kind = "" if np.array(x.tolist()).dtype == x.dtype else f", np.{x.dtype.name}"
    return f"np.array({_listed(python_numbers(x))}{kind})"


def is_uniform(x: np.ndarray) -> bool:
    """Tell whether all elements are the same number, bit by bit."""
    flat = np.ravel(x)
    return flat.size > 0 and flat.tobytes() == flat[:1].tobytes() * flat.size


def _made_by_rule(x: np.ndarray) -> str:
    """Spell an array that one of NumPy's functions makes of a few numbers, else ""."""
    if x.size <= FEW or x.dtype not in (np.dtype(int), np.dtype(float)):
        return ""
    first, last = x.flat[0].item(), x.flat[-1].item()
    if last - first == x.size - 1:
        ends = (first, last + 1) if first else (last + 1,)
        if _same_bits(x, np.arange(*ends)):
            return f"np.arange({', '.join(map(str, ends))})"
    if x.ndim == 2 and x.dtype == float and _same_bits(x, np.eye(len(x))):
        return f"np.eye({len(x)})"
    if is_uniform(x):
        return f"np.full({x.shape[0] if x.ndim == 1 else x.shape}, {number_text(first)})"
    return ""


def _same_bits(x: np.ndarray, y: np.ndarray) -> bool:
    return (x.shape, x.dtype) == (y.shape, y.dtype) and x.tobytes() == y.tobytes()


def python_numbers(x: Any) -> Any:
    """Return Python's numbers for an array's, with no more digits than its precision has."""
    if x.dtype in (np.float16, np.float32):
        shortest = [float(str(number)) for number in np.ravel(x)]
        return np.reshape(shortest, x.shape).tolist()
    return x.tolist()


def is_zero(x: np.ndarray) -> bool:
    """Tell whether all elements are zeros without a sign."""
    return x.dtype.kind in "iufc" and not np.ascontiguousarray(x).view(np.uint8).any()


def _listed(x: Any) -> str:
    return f"[{', '.join(map(_listed, x))}]" if isinstance(x, list) else number_text(x)


def broken(row: str) -> str:
    """Break a long line at its spaces, where none of them is part of a text."""
    if "'" in row:
        return row
    return textwrap.fill(
        row, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
