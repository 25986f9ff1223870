"""Folding: ``acc = f(acc, x)`` along an axis, for a ufunc of two operands that has partials."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.primitives import RULES, Primitive
from tapemagic.autodiff.pullbacks import conj_if_complex, partial_of
from tapemagic.autodiff.recurrences import from_the_end
from tapemagic.errors import NoRuleError

#: Ufuncs whose partials are never beyond 1, so that products of many neither overflow nor meet an
#: infinity: the whole axis is differentiated at once.
BOUNDED = frozenset(
    {
        np.add, np.subtract, np.maximum, np.minimum, np.fmax, np.fmin,
        np.logaddexp, np.logaddexp2, np.hypot,
    }
)  # fmt: skip


def partials(ufunc: Any) -> tuple:
    """Return the two partials of a ufunc as functions of ``(y, x1, x2)``."""
    rule = RULES.get(ufunc)
    if not (isinstance(rule, Primitive) and rule.kind == "elementwise" and rule.arity == 2):
        raise leaks.locate(
            NoRuleError(
                f"np.{ufunc.__name__} along an axis has no derivative rule.",
                fix="Write it as a loop over the axis.",
            )
        )
    first, second = (partial_of(rule, i) for i in (0, 1))
    return lambda *xs: conj_if_complex(first(*xs)), lambda *xs: conj_if_complex(second(*xs))


def fold(ufunc: Any, steps: list, chosen: list | None = None) -> list:
    """Return all intermediate results of ``acc = f(acc, x)``."""
    results = [steps[0]]
    for i, x in enumerate(steps[1:], 1):
        y = ufunc(results[-1], x)
        results.append(y if chosen is None else np.where(chosen[i], y, results[-1]))
    return results


def check_fold(ufunc: Any, y: Any, steps: list, chosen: list | None = None) -> None:
    """Refuse a reduction in which NumPy's own loop leaves elements out.

    In NumPy 2.4 those of arctan2 and power do, along the last axis in memory.
    """
    if not len(steps):
        return
    with np.errstate(all="ignore"):
        folded = fold(ufunc, steps, chosen)[-1]
    # NumPy adds up half precision in single
    rounding = len(steps) * float(np.finfo(np.result_type(y)).eps)
    largest = max([float(np.max(np.abs(x), initial=0, where=np.isfinite(x))) for x in steps])
    near = {"rtol": 1e-3 + rounding, "atol": 1e-5 + rounding * largest}
    if not np.allclose(np.ravel(folded), np.ravel(y), **near, equal_nan=True):
        raise leaks.locate(
            NoRuleError(
                f"np.{ufunc.__name__} along an axis leaves elements out in this version of NumPy.",
                fix=f"Use np.{ufunc.__name__}.accumulate(...), and of that the last.",
            )
        )


def unfold(ufunc: Any, steps: list, cts: list, chosen: list | None = None) -> list:
    """Differentiate ``acc = f(acc, x)`` over a list of steps.

    Parameters
    ----------
    steps : list
        The operands in order; the first is where the fold starts.
    cts : list
        Cotangent of each intermediate result, 0 where nobody looked at it.
    chosen : list of bool arrays, optional
        Where each step takes part at all (`where=` of a reduction).

    Returns
    -------
    list
        Cotangents of `steps`.
    """
    first, second = partials(ufunc)
    results = fold(ufunc, steps, chosen)
    ct, found = cts[-1], []
    for i in range(len(steps) - 1, 0, -1):
        operands = results[i], results[i - 1], steps[i]
        by_step, by_result = second(*operands), first(*operands)
        if chosen is not None:
            by_step, by_result = np.where(chosen[i], by_step, 0), np.where(chosen[i], by_result, 1)
        found.append(ct * by_step)
        ct = ct * by_result + cts[i - 1]
    return [ct, *reversed(found)]


def unfold_at_once(ufunc: Any, x: Any, y: Any, ct: Any) -> Any:
    """Do the same for a `BOUNDED` ufunc along the last axis, of which `y` are all results."""
    first, second = partials(ufunc)
    operands = y[..., 1:], y[..., :-1], x[..., 1:]
    ct = from_the_end(ct, np.broadcast_to(first(*operands), operands[0].shape))
    return np.concatenate([ct[..., :1], ct[..., 1:] * second(*operands)], axis=-1)


def rows_of(x: Any, axes: tuple[int, ...]) -> Any:
    """Return `x` with the given axes merged into one, in front."""
    moved = np.moveaxis(x, axes, range(len(axes)))
    length = math.prod(moved.shape[: len(axes)])
    return np.reshape(moved, (length, *moved.shape[len(axes) :]))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that a reduction runs over, counted from the first."""
    if axis is None or ndim == 0:  # ufuncs reduce a number along axis 0
        return tuple(range(ndim))
    return tuple(one % ndim for one in (axis if isinstance(axis, tuple) else (axis,)))


def steps_of(x: Any, axis: Any, initial: Any = None, where: Any = True) -> tuple[list, list | None]:
    """Return the operands of a reduction in order, and where each takes part."""
    axes = axes_of(axis, np.ndim(x))
    rows = rows_of(x, axes)
    steps = [rows[i] for i in range(len(rows))]
    chosen = None
    if where is not True:
        mask = rows_of(np.broadcast_to(where, np.shape(x)), axes)
        chosen = [mask[i] for i in range(len(rows))]
    if initial is not None:
        steps = [np.broadcast_to(initial, rows.shape[1:]), *steps]
        chosen = chosen and [None, *chosen]
    return steps, chosen


def one_axis(axis: Any, ndim: int) -> Any:
    """Return an axis that is given as a tuple, or as None of a single one, as a number."""
    if isinstance(axis, tuple) and len(axis) == 1:
        return axis[0]
    return 0 if axis is None and ndim == 1 else axis
