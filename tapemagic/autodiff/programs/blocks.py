"""Elementwise work on large arrays, block by block, so that what is computed stays in the cache.

Where forward and gradient are elementwise from large arrays to large arrays, every intermediate
array would travel to memory and back. A loop over blocks of rows does the same to the same numbers
with intermediate arrays that fit the cache, and needs no memory for them. What the rest of the
program reads (the terms of a sum, a gradient) is kept whole: a sum of sums would round otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .symbols import Symbol, is_symbol, symbols_in

#: Elements of a block: a few such arrays fit the cache, and a call is short beside its work.
BLOCK = 1 << 13
#: Smaller arrays stay in the cache anyway; fewer steps do not pay for the loop.
LEAST_ELEMENTS, LEAST_STEPS = 1 << 16, 4


class Blocks:
    """The steps of a program that one loop over blocks of rows can compute.

    Attributes
    ----------
    shape : tuple of int
        Of all its results.
    members : set of int
        Numbers of the steps in the loop.
    kept : dict of int -> Symbol
        Those among them that the rest of the program reads.
    rows : int
        Rows of a block.
    """

    def __init__(self, steps: list[Symbol], shape: tuple[int, ...], roots: list[Symbol]) -> None:
        self.shape = shape
        self.members = {step.number for step in steps if _is_elementwise(step, shape)}
        read = [
            used
            for step in steps
            if step.number not in self.members
            for used in symbols_in([step.args, step.kwargs])
        ]
        self.kept = {x.number: x for x in [*read, *roots] if x.number in self.members}
        self.rows = max(1, BLOCK // int(np.prod(shape[1:])))

    def are_apart(self, one: Symbol, other: Symbol) -> bool:
        """Tell whether one of two steps is in the loop and the other is not."""
        return (one.number in self.members) != (other.number in self.members)

    def is_cut(self, x: Symbol) -> bool:
        """Tell whether the loop reads this step row by row."""
        return _is_cut(x.value, self.shape)


def in_blocks(steps: list[Symbol], roots: list[Symbol]) -> Blocks | None:
    """Find the steps for a loop over blocks; put them together in `steps`, and count anew.

    None if there are too few, or if large elementwise work hangs on a result of the loop's.
    """
    shapes = [step.value.shape for step in steps if _may_be_cut(step)]
    shape = max(shapes, key=lambda shape: int(np.prod(shape)), default=())
    if int(np.prod(shape)) < LEAST_ELEMENTS:
        return None
    before, inside, after = [], [], []
    early, late = set[int](), set[int]()  # in the loop; hanging on it
    for step in steps:
        needs = {used.number for used in symbols_in([step.args, step.kwargs])}
        if _is_elementwise(step, shape):
            if needs & late:
                return None
            inside.append(step)
            early.add(step.number)
        elif needs & (early | late):
            after.append(step)
            late.add(step.number)
        else:
            before.append(step)
    if len(inside) < LEAST_STEPS or int(np.prod(shape[1:])) > BLOCK:
        return None
    steps[:] = [*before, *inside, *after]
    for number, step in enumerate(steps):
        step.number = number
    return Blocks(steps, shape, roots)


def _may_be_cut(step: Symbol) -> bool:
    elementwise = step.fun is np.where or (
        isinstance(step.fun, np.ufunc) and step.fun.signature is None and step.fun.nout == 1
    )
    return (
        step.kind == "call"
        and elementwise
        and not step.kwargs
        and isinstance(step.value, np.ndarray)
        and step.value.ndim > 0
        and (step.value.flags.c_contiguous or step.value.flags.f_contiguous)
        and step.value.dtype.kind in "biufc"
    )


def _is_elementwise(step: Symbol, shape: tuple[int, ...]) -> bool:
    """Tell whether a block of the result hangs only on that block of its operands."""
    return (
        _may_be_cut(step) and step.value.shape == shape and all(_fits(x, shape) for x in step.args)
    )


def _fits(x: Any, shape: tuple[int, ...]) -> bool:
    """Tell whether an operand is cut with the blocks, or the same for all of them."""
    if is_symbol(x) and _is_cut(x.value, shape):
        return True
    return np.ndim(x) < len(shape) or np.shape(x)[0] == 1


def _is_cut(value: Any, shape: tuple[int, ...]) -> bool:
    return np.ndim(value) == len(shape) and len(value) == shape[0]
