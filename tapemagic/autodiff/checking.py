"""Comparison of gradients with finite differences that pick their own steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapemagic.errors import SourceError, TapeUseError

from . import structures

#: Up to this many elements are checked one by one; beyond, along random directions.
EVERY_ELEMENT = 64
DIRECTIONS = 16


@dataclass(frozen=True)
class Check:
    """The outcome of a comparison.

    Attributes
    ----------
    ok : bool
    worst : float
        Largest difference between a gradient and its finite difference, in units of the larger.
    rows : tuple of (where, gradient, difference, error estimate)
        The comparisons that failed.
    count : int
        How many were made.
    """

    ok: bool
    worst: float
    rows: tuple[tuple[str, float, float, float], ...]
    count: int

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if self.ok:
            return (
                f"gradient agrees with finite differences ({self.count} comparisons, "
                f"largest relative difference {self.worst:.1e})"
            )
        lines = [f"gradient differs from finite differences in {len(self.rows)} of {self.count}:"]
        for where, gradient, difference, error in self.rows[:4]:
            found = f"{difference:.6g} ± {error:.1g}"
            lines.append(f"  {where}: {gradient:.6g}, by differences {found}")
        return "\n".join(lines)


def ridders(fun: Callable[[float], float], step: float) -> tuple[float, float]:
    """Return the derivative of `fun` at 0 and an estimate of its error.

    Central differences with shrinking steps, extrapolated to step 0 (C. Ridders, "Accurate
    computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4, 1982).

    Examples
    --------
    >>> import math
    >>> value, error = ridders(lambda t: math.exp(t), 0.1)
    >>> abs(value - 1) < 1e-9
    True
    """
    ratio, size = 1.6, 8
    table = np.full((size, size), np.nan)
    best, error = np.nan, np.inf
    for i in range(size):
        h = step / ratio**i
        table[0, i] = (fun(h) - fun(-h)) / (2 * h)
        for j in range(1, i + 1):
            factor = ratio ** (2 * j)
            table[j, i] = (table[j - 1, i] * factor - table[j - 1, i - 1]) / (factor - 1)
            change = max(abs(table[j, i] - table[j - 1, i]), abs(table[j, i] - table[j - 1, i - 1]))
            if change <= error:
                best, error = table[j, i], change
        if i and abs(table[i, i] - table[i - 1, i - 1]) >= 2 * error:
            break
    return float(best), float(error)


def compare(
    fun: Callable[[list[np.ndarray]], float],
    values: list[np.ndarray],
    gradients: list[np.ndarray],
    names: list[str],
    tolerance: float = 1e-5,
) -> Check:
    """Compare gradients with finite differences of ``fun(values)``.

    Parameters
    ----------
    fun : callable
        Takes a list of arrays and returns a float.
    values, gradients : list of ndarray
        Of equal shapes. Complex gradients are ``dL/dre + i dL/dim``.
    names : list of str
    tolerance : float
        Relative difference that is accepted besides the error of the differences themselves.
    """
    random = np.random.default_rng(0)
    rows, worst, count = [], 0.0, 0
    for k, (value, gradient, name) in enumerate(zip(values, gradients, names)):
        for where, direction in _directions(value, random):

            def along(t: float, k: int = k, direction: Any = direction) -> float:
                moved = list(values)
                moved[k] = (values[k] + t * direction).astype(values[k].dtype)
                return float(np.real(fun(moved)))

            scale = float(np.max(np.abs(value))) if value.size else 1.0
            single = value.dtype.itemsize < 8 or value.dtype == np.complex64
            step = (0.5 if single else 0.05) * max(scale, 0.1) / max(np.abs(direction).max(), 1)
            difference, error = ridders(along, step)
            exact = float(np.sum(np.real(np.conj(gradient) * direction)))
            size = max(abs(exact), abs(difference), 1e-8)
            off = abs(exact - difference) / size
            count += 1
            worst = max(worst, off)
            limit = max(tolerance * (1e3 if single else 1), 10 * error / size)
            if not off <= limit:
                rows.append((f"{name}{where}", exact, difference, error))
    return Check(not rows, worst, tuple(rows), count)


def _directions(value: np.ndarray, random: Any) -> Any:
    """Yield (label, direction) to move an array along."""
    units = (1, 1j) if value.dtype.kind == "c" else (1,)
    if value.size <= EVERY_ELEMENT:
        for index in np.ndindex(value.shape):
            for unit in units:
                direction = np.zeros(value.shape, value.dtype)
                direction[index] = unit
                label = "" if not index else f"[{', '.join(map(str, index))}]"
                yield label + (" (imaginary)" if unit == 1j else ""), direction
        return
    for i in range(DIRECTIONS):
        direction = random.normal(size=value.shape)
        if value.dtype.kind == "c":
            direction = direction + 1j * random.normal(size=value.shape)
        yield f" along random direction {i}", direction / np.linalg.norm(direction)


def check_gradient(fun: Callable, *args: Any, tolerance: float = 1e-5) -> Check:
    """Compare the gradient of ``fun(*args)`` with finite differences.

    Parameters
    ----------
    fun : callable
        Returns a number; of an array the sum is taken.
    *args : array_like or nested structures of floats
        Where to check, and with respect to what: all of them.
    tolerance : float
        Accepted relative difference.

    Returns
    -------
    Check
        True in a condition if all agree; prints as a sentence.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> bool(tapemagic.check_gradient(lambda x: np.sum(np.sin(x) * x), np.array([0.3, -1.2])))
    True
    """
    from .derivatives import value_and_grad

    if not args:
        raise SourceError("check_gradient needs at least one argument besides the function.")
    flat = [np.asarray(x) for x in structures.leaves(list(args))]
    if any(x.dtype.kind not in "fc" for x in flat):
        raise TapeUseError("check_gradient takes float or complex arguments.")
    gradients = value_and_grad(fun, tuple(range(len(args))))(*args)[1]
    gradients = [np.asarray(g) for g in structures.leaves(list(gradients))]

    def plain(values: list[np.ndarray]) -> float:
        given = structures.rebuild(list(args), [v if v.ndim else v[()] for v in values])
        return np.sum(fun(*given))

    names = [f"argument {i}" for i in range(len(flat))]
    return compare(plain, flat, gradients, names, tolerance)
