"""Comparison of gradients with finite differences that pick their own steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tapemagic.errors import SourceError, TapeUseError

from . import structures
from .warned import unheard

#: Up to this many elements are checked one by one; beyond, along random directions.
EVERY_ELEMENT = 64
DIRECTIONS = 16
#: A comparison that fails is made again with steps that are narrower, so many times.
NARROWER = 4
#: Differences that are less certain than this, relatively, do not tell.
CLEAR = 0.01


class Check(NamedTuple):
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
    unclear : int
        How many of them agree only because the differences themselves are that uncertain: the
        program jumps, or has more kinks than steps can avoid.
    """

    ok: bool
    worst: float
    rows: tuple[tuple[str, float, float, float], ...]
    count: int  # type: ignore[assignment]  # a tuple's method of that name is of no use here
    unclear: int = 0

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        if not self.count:
            return "there is no gradient to be compared with finite differences"
        if self.ok:
            made = self.count - self.unclear
            rough = f"{self.unclear} of {self.count} comparisons were too rough to tell"
            if not made and self.unclear:
                return f"finite differences cannot check this gradient: {rough}"
            return (
                f"gradient agrees with finite differences ({made} comparisons, "
                f"largest relative difference {self.worst:.1e})"
                + f"; {rough}"
                * (made < self.count)
            )
        lines = [f"gradient differs from finite differences in {len(self.rows)} of {self.count}:"]
        for where, gradient, difference, error in self.rows[:4]:
            found = f"{difference:.6g} ± {error:.1g}"
            lines.append(f"  {where}: {gradient:.6g}, by differences {found}")
        return "\n".join(lines)


def ridders(fun: Callable[[float], float], step: float, noise: float = 0.0) -> tuple[float, float]:
    """Return the derivative of `fun` at 0 and an estimate of its error.

    Central differences with shrinking steps, extrapolated to step 0 (C. Ridders, "Accurate
    computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4, 1982). `noise` is by
    how much rounding may change a value of `fun`.

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
            wider = abs(table[j, i] - table[j - 1, i]), abs(table[j, i] - table[j - 1, i - 1])
            change = max(*wider, noise / h)
            if change <= error:
                best, error = table[j, i], change
        if i and abs(table[i, i] - table[i - 1, i - 1]) >= 2 * error:
            break
    return float(best), float(error)


def narrowed(
    fun: Callable[[float], float], step: float, noise: float, last: float
) -> tuple[float, float]:
    """Return the derivative of `fun` at 0 and an estimate of its error, with kinks in the way.

    A wide step over many kinks (a clip of 40,000 elements) sees a smooth curve of another slope,
    and `ridders` does not notice. Steps that are far apart do: the error is at least the difference
    to what the next wider step says. `last` is what `ridders` found with `step`.
    """
    best, least = last, np.inf
    for _ in range(NARROWER):
        step /= 30
        value, error = ridders(fun, step, noise)
        if np.isfinite(last):
            error = max(error, abs(value - last))
        if error < least:
            best, least = value, error
        last = value
    return best, least


@unheard()  # the warnings of the run itself were given
def compare(
    fun: Callable[[list[np.ndarray]], float],
    values: list[np.ndarray],
    gradients: list[np.ndarray],
    names: list[str],
    tolerance: float = 1e-5,
    *,
    widens: bool = True,
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
    widens : bool
        Whether `fun` may be given values in double precision where they are single.
    """
    random = np.random.default_rng(0)
    rows, worst, unclear, count = [], 0.0, 0, 0
    base, start = _in_double(fun, values) if widens else (values, float(np.real(fun(values))))
    for k, (value, gradient, name) in enumerate(zip(values, gradients, names)):
        eps = np.finfo(value.dtype).eps
        accepted = tolerance * (1e3 if _is_single(value.dtype) else 1)
        weights = np.where(np.isfinite(value) & np.isfinite(gradient), np.abs(gradient), 0)
        # of the target itself, and of where its argument was moved to
        spread = float(np.linalg.norm(np.where(weights, np.abs(value), 0) * weights))
        noise = _rounding(start, value) * (abs(start) + spread)
        # what a gradient that cancels may be off by, all the same
        least = max(1e-8, 10 * eps / accepted * float(weights.max(initial=0)))
        for where, direction in _directions(value, random):
            along = _line(fun, base, k, direction)
            scale = max(float(np.max(np.abs(value), where=direction != 0, initial=0.1)), 0.1)
            step = (0.5 if _is_single(base[k].dtype) else 0.05) * scale
            step /= max(np.abs(direction).max(), 1)
            products = np.real(np.conj(gradient) * direction)
            exact = float(np.sum(products, where=direction != 0))
            difference, error = ridders(along, step, noise)
            off, limit = _judge(exact, difference, error, accepted, least)
            if not off <= accepted:
                # many roundings, of each element and of each partial sum
                inside = 8 * _precision_inside(along, scale / np.abs(direction).max())
                rough = max(noise, inside * (abs(start) + spread))
                difference, error = narrowed(along, step, rough, difference)
                off, limit = _judge(exact, difference, error, accepted, least)
            count += 1
            by_luck = off > accepted and off <= limit and limit > CLEAR
            if np.isinf(exact) or not np.isfinite(difference) or by_luck:
                unclear += 1
                continue
            if not off <= limit:
                rows.append((f"{name}{where}", exact, difference, error))
            worst = max(worst, off)
    return Check(not rows, worst, tuple(rows), count, unclear)


def _precision_inside(along: Callable[[float], float], scale: float) -> float:
    """Return the precision that a function computes in, if it is less than double, else 0.

    The steps at which its value changes at all tell: ``x.astype(np.float32)`` takes no small ones.
    """
    for kind, coarser in ((np.float64, None), (np.float32, np.float32)):
        step = 64 * float(np.finfo(kind).eps) * scale
        if along(step) != along(-step):
            return 0.0 if coarser is None else float(np.finfo(coarser).eps)
    return float(np.finfo(np.float16).eps)


def _line(fun: Callable, base: list[np.ndarray], k: int, direction: np.ndarray) -> Callable:
    """Return `fun` on a line through `base`: argument `k` moves along `direction`."""

    def along(t: float) -> float:
        moved = list(base)
        moved[k] = np.where(direction != 0, base[k] + t * direction, base[k])
        moved[k] = moved[k].astype(base[k].dtype)
        try:
            return float(np.real(fun(moved)))
        except Exception:  # noqa: BLE001  (what its own checks say outside of where it is defined)
            return np.nan

    return along


def _is_single(dtype: np.dtype) -> bool:
    return np.finfo(dtype).eps > np.finfo(np.float64).eps


def _in_double(fun: Callable, values: list[np.ndarray]) -> tuple[list[np.ndarray], float]:
    """Return the values in double precision if `fun` takes them, and what it gives."""
    wide = [value.astype(np.result_type(value, np.float64)) for value in values]
    try:
        return wide, float(np.real(fun(wide)))
    except Exception:  # noqa: BLE001  (whatever a function may say to another dtype)
        return values, float(np.real(fun(values)))


def _rounding(result: float, value: np.ndarray) -> float:
    """Return the precision that `fun` works in: a number that fits single precision is of that."""
    in_single = _is_single(value.dtype) and float(np.float32(result)) == result
    return float(np.finfo(value.dtype if in_single else np.float64).eps)


def _judge(
    exact: float, difference: float, error: float, accepted: float, least: float
) -> tuple[float, float]:
    """Return by how much two derivatives differ and how much they may, relative to the larger."""
    size = max(abs(exact), abs(difference), least)
    return abs(exact - difference) / size, max(accepted, 10 * error / size)


def _directions(value: np.ndarray, random: Any) -> Any:
    """Yield (label, direction) to move the finite elements of an array along."""
    units = (1, 1j) if value.dtype.kind == "c" else (1,)
    if value.size <= EVERY_ELEMENT:
        for index in zip(*np.nonzero(np.isfinite(np.atleast_1d(value)))):
            index = index if value.ndim else ()
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
        direction = np.where(np.isfinite(value), direction, 0)
        if np.any(direction):
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
