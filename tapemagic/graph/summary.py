"""What the page says about an array: a summary, so that no array is kept alive by a picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tapemagic.graph.words import cut, number, visible

KEPT_VALUES = 64  # what a click on a node can show
SPELLED_VALUES = 8  # what fits one line beside a wire
STORED_DIGITS = 6  # the last digits of a sum differ between machines


@dataclass(frozen=True, slots=True)
class ArraySummary:
    """The facts about one value that the page shows.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
    size : int
    values : tuple
        The first 64 elements in C order, rounded to six digits.
    minimum, maximum, mean : float or None
        None for an empty, complex or non-numeric array; over the finite elements only.
    norm : float or None
        Euclidean norm of all elements.
    nans, infinities, zeros : int
        How many elements are nan, infinite, equal to zero.
    text : str
        One short line.
    """

    shape: tuple[int, ...]
    dtype: str
    size: int
    values: tuple[float | int | bool | complex | str, ...]
    minimum: float | None
    maximum: float | None
    mean: float | None
    norm: float | None
    nans: int
    infinities: int
    zeros: int
    text: str

    @classmethod
    def of(cls, value: object) -> ArraySummary:
        """Summarise a number or an array; anything else is described by its type.

        Examples
        --------
        >>> import numpy as np
        >>> ArraySummary.of(np.array([3.0, -4.0])).norm
        5.0
        >>> ArraySummary.of(np.eye(2)).text
        '[[1, 0], [0, 1]]'
        """
        try:
            array = np.asarray(value)
            if array.dtype.kind in "biufc":
                return _of_numbers(cls, array)
            shape, dtype = array.shape, str(array.dtype)
        except Exception:  # noqa: BLE001 - an object may refuse to be an array in any way it likes
            shape, dtype = (), type(value).__name__
        text = visible(type(value).__name__, 40)
        return cls(shape, dtype, 1, (), None, None, None, None, 0, 0, 0, text)

    @property
    def is_finite(self) -> bool:
        """Whether no element is nan or infinite."""
        return not (self.nans or self.infinities)

    @property
    def is_zero(self) -> bool:
        """Whether there are elements and each is exactly zero."""
        return self.size > 0 and self.zeros == self.size

    @property
    def listing(self) -> str:
        """The text for a table in which the norm has a column of its own."""
        return self.text if self.norm is None else self.text.removesuffix(_norm_text(self.norm))

    @property
    def label(self) -> str:
        """The text when short enough to stand beside a wire, else the size of the value."""
        if len(self.text) <= 18 or self.norm is None:
            return cut(self.text, 18)
        return f"norm {number(self.norm)}"


def _of_numbers(cls: type[ArraySummary], array: np.ndarray) -> ArraySummary:
    kept = tuple(_rounded(item) for item in array.flat[:KEPT_VALUES].tolist())
    minimum = maximum = mean = norm = None
    nans = infinities = 0
    if array.dtype.kind in "fc":
        finite_mask = np.isfinite(array)
        if not finite_mask.all():
            nans = int(np.isnan(array).sum())
            infinities = array.size - nans - int(finite_mask.sum())
    if array.size:
        norm = _stored(_norm(array, nans, infinities))
        if array.dtype.kind != "c":
            finite = array if not (nans or infinities) else array[finite_mask]
            if finite.size:
                minimum, maximum = _stored(finite.min()), _stored(finite.max())
                with np.errstate(all="ignore"):
                    mean = _stored(np.mean(finite, dtype=np.float64))
    zeros = int(array.size - np.count_nonzero(array))
    text = _spell(array.shape, kept, norm)
    return cls(
        array.shape,
        str(array.dtype),
        int(array.size),
        kept,
        minimum,
        maximum,
        mean,
        norm,
        nans,
        infinities,
        zeros,
        text,
    )


def _norm(array: np.ndarray, nans: int, infinities: int) -> float:
    """Euclidean norm that neither overflows nor underflows on the way."""
    if nans:
        return math.nan
    if infinities:
        return math.inf
    magnitudes = np.abs(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64))
    largest = float(magnitudes.max())
    if largest == 0.0 or math.isinf(largest):
        return largest
    with np.errstate(all="ignore"):
        return largest * math.sqrt(float(np.sum((magnitudes / largest) ** 2)))


def _stored(value: float) -> float:
    """Round to the digits that every machine agrees on; no negative zero."""
    return float(f"{float(value):.{STORED_DIGITS}g}") + 0.0


def _rounded(item: complex | bool) -> float | int | bool | complex:
    if isinstance(item, complex):
        return complex(_stored(item.real), _stored(item.imag))
    return _stored(item) if isinstance(item, float) else item


def _spell(shape: tuple[int, ...], values: tuple, norm: float | None) -> str:
    if shape == ():
        return number(values[0])
    size = math.prod(shape)
    if size == 0:
        return f"empty {shape}"
    if size <= SPELLED_VALUES:
        return _nested([number(item) for item in values], shape)
    beginning = ", ".join(number(item) for item in values[:3])
    return f"[{beginning}, …]{_norm_text(norm)}"


def _norm_text(norm: float | None) -> str:
    return f" norm {number(norm)}"


def _nested(items: list[str], shape: tuple[int, ...]) -> str:
    """Bracket spelled items as NumPy nests them, innermost axis first."""
    for length in reversed(shape):
        items = [
            "[" + ", ".join(items[start : start + length]) + "]"
            for start in range(0, len(items), length)
        ]
    return items[0]
