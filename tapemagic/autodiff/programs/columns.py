"""Columns of loops: the names or numbers that stand in one place of each round."""

from __future__ import annotations

#: What repeats after more items than this counts as a list of its own.
LONGEST = 32


def period_of(column: list[str]) -> int:
    """Return after how many items a list repeats, if it does so once at least, else 0."""
    for period in range(2, min(len(column) // 2, LONGEST) + 1):
        if column[period] == column[0] and column[period:] == column[:-period]:
            return period
    return 0


def evenly(column: list[str]) -> tuple[int, int] | None:
    """Return start and step of whole numbers that grow evenly, else None."""
    if not all(map(str.isdecimal, column)):
        return None
    first, step = int(column[0]), int(column[1]) - int(column[0])
    even = all(int(x) == first + step * k for k, x in enumerate(column))
    return (first, step) if even else None
