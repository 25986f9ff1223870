"""Interpolation between the corners of the cell of a grid, which SciPy's modules share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np


def between_corners(
    values: Any, firsts: list, shares: list, fold: Callable = lambda places, axis: places
) -> Any:
    """Return the mean of the corners of a cell, by how far a place is from each.

    Parameters
    ----------
    values : array
        The grid in the first axes.
    firsts, shares : lists of arrays
        For each of these axes the number of the corner before the places, and the way from there
        to the next one, from 0 to 1.
    fold : callable
        ``fold(places, axis)`` brings places beyond the edges back.
    """
    rest = values.ndim - len(firsts)
    total: Any = 0
    for corner in itertools.product((0, 1), repeat=len(firsts)):
        weight: Any = 1.0
        for share, far in zip(shares, corner, strict=True):
            weight = weight * (share if far else 1 - share)
        places = tuple(
            fold(first + far, axis)
            for axis, (first, far) in enumerate(zip(firsts, corner, strict=True))
        )
        total = total + np.reshape(weight, (*weight.shape, *[1] * rest)) * values[places]
    return total
