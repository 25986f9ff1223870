"""Joining, splitting and repeating arrays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general, linear
from tapemagic.autodiff.warned import unheard

from .algebra import apply, as_array, plain
from .gathering import add_rows

# ------------------------------------------------------------------------- concatenate and stack


def _concatenate_primitive(*arrays: Any, axis: int, starts: tuple, **more: Any) -> Any:
    return np.concatenate(arrays, axis, **more)


def _concatenate_vjp(
    i: int, ct: Any, y: Any, *arrays: Any, axis: int, starts: tuple, **more: Any
) -> Any:
    index = [slice(None)] * ct.ndim
    index[axis] = slice(starts[i], starts[i + 1])
    return ct[tuple(index)]


def _stack_primitive(*arrays: Any, axis: int, **more: Any) -> Any:
    return np.stack(arrays, axis, **more)


def _stack_vjp(i: int, ct: Any, y: Any, *arrays: Any, axis: int, **more: Any) -> Any:
    index: list = [slice(None)] * ct.ndim
    index[axis] = i
    return ct[tuple(index)]


general(_concatenate_primitive, variadic=_concatenate_vjp, kind="linear", name="concatenate")
general(_stack_primitive, variadic=_stack_vjp, kind="linear", name="stack")


def _items(arrays: Any) -> list:
    """Return the arrays of a sequence; an array is the sequence of its first axis."""
    return [as_array(x) for x in arrays]


def _keywords(dtype: Any, casting: Any) -> dict:
    return {} if dtype is None else {"dtype": dtype, "casting": casting}


@composite(np.concatenate)
def _concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:  # fmt: skip
    items = _items(arrays)
    if axis is None and dtype is None and any(not hasattr(plain(x), "dtype") for x in arrays):
        with unheard():  # a number of Python's has no say in the dtype
            y = np.concatenate(plain(list(arrays)), axis=None)
        dtype, casting = y.dtype, "unsafe"
    if axis is None:
        items, axis = [np.ravel(x) for x in items], 0
    lengths = [x.shape[axis] if x.shape else 0 for x in items]
    starts = tuple(itertools.accumulate(lengths, initial=0))
    return apply(
        _concatenate_primitive, *items, axis=axis, starts=starts, **_keywords(dtype, casting)
    )


@composite(np.stack)
def _stack(
    arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    return apply(_stack_primitive, *_items(arrays), axis=axis, **_keywords(dtype, casting))


def _raise_dimension(ndim: int, raised: Any, axis_of: Any) -> Any:
    def body(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
        items, keywords = _items(tup), _keywords(dtype, casting)
        if ndim == 2 and all(x.ndim == 1 for x in items):
            return np.stack(items, **keywords)
        items = [x if x.ndim >= ndim else raised(x) for x in items]
        return np.concatenate(items, axis_of(items), **keywords)

    return body


composite(np.vstack, _raise_dimension(2, np.atleast_2d, lambda items: 0))
composite(
    np.hstack,
    _raise_dimension(1, np.atleast_1d, lambda items: 0 if items and items[0].ndim == 1 else 1),
)
composite(np.dstack, _raise_dimension(3, np.atleast_3d, lambda items: 2))


@composite(np.column_stack)
def _column_stack(tup: Any) -> Any:
    items = _items(tup)
    if all(x.ndim == 1 for x in items):
        return np.stack(items, 1)
    return np.concatenate([x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in items], 1)


@composite(np.append)
def _append(arr: Any, values: Any, axis: Any = None) -> Any:
    arr, values = as_array(arr), as_array(values)
    if axis is None:
        arr, values, axis = np.ravel(arr), np.ravel(values), 0
    return np.concatenate((arr, values), axis=axis)


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays), default=0) if isinstance(arrays, list) else 0


@composite(np.block)
def _block(arrays: Any) -> Any:
    np.block(plain(arrays))  # NumPy's own complaints: unequal depths, empty lists
    depth = _depth(arrays)

    def most_axes(item: Any) -> int:
        return max(map(most_axes, item)) if isinstance(item, list) else np.ndim(item)

    ndim = max(depth, most_axes(arrays))

    def join(item: Any, level: int) -> Any:
        if level == depth:
            return np.reshape(item, (1,) * (ndim - np.ndim(item)) + np.shape(item))
        return np.concatenate([join(part, level + 1) for part in item], level - depth)

    y = join(arrays, 0)
    return y if depth else np.copy(y)


# ------------------------------------------------------------------------------------ splitting


@composite(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list:
    length = np.shape(ary)[axis]
    if np.ndim(indices_or_sections):
        bounds = [0, *plain(indices_or_sections), length]
    else:
        sections = int(indices_or_sections)
        if sections <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extras = divmod(length, sections)
        sizes = extras * [each + 1] + (sections - extras) * [each]
        bounds = np.cumsum([0, *sizes]).tolist()
    before = (slice(None),) * (axis % np.ndim(ary))
    return [ary[(*before, slice(*pair))] for pair in itertools.pairwise(bounds)]


@composite(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list:
    if not np.ndim(indices_or_sections) and np.shape(ary)[axis] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return np.array_split(ary, indices_or_sections, axis)


def _split_along(name: str, least: int, axis_of: Any) -> Any:
    def body(ary: Any, indices_or_sections: Any) -> list:
        if np.ndim(ary) < least:
            raise ValueError(f"{name} only works on arrays of {least} or more dimensions")
        return np.split(ary, indices_or_sections, axis_of(np.ndim(ary)))

    return body


composite(np.hsplit, _split_along("hsplit", 1, lambda ndim: 1 if ndim > 1 else 0))
composite(np.vsplit, _split_along("vsplit", 2, lambda ndim: 0))
composite(np.dsplit, _split_along("dsplit", 3, lambda ndim: 2))
if hasattr(np, "unstack"):  # NumPy 2.1

    @composite(np.unstack)
    def _unstack(x: Any, /, *, axis: int = 0) -> tuple:
        if np.ndim(x) == 0:
            raise ValueError("Input array must be at least 1-d.")
        return tuple(np.moveaxis(x, axis, 0))


# ------------------------------------------------------------------------------------- repeating


def _tile_adjoint(ct: Any, A: Any, reps: Any) -> Any:
    """Give every repetition an axis of its own, and sum over those."""
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(len(reps), A.ndim)
    shape = (1,) * (ndim - A.ndim) + A.shape
    reps = (1,) * (ndim - len(reps)) + reps
    pairs = [n for pair in zip(reps, shape, strict=True) for n in pair]
    return np.reshape(np.sum(np.reshape(ct, pairs), axis=tuple(range(0, 2 * ndim, 2))), A.shape)


def _repeat_adjoint(ct: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    """Sum the run of copies that every element became."""
    size = a.size if axis is None else a.shape[axis]
    if not ct.size:
        return np.zeros(a.shape, ct.dtype)
    axis = 0 if axis is None else axis % a.ndim
    if np.size(repeats) == 1:
        shape = (*ct.shape[:axis], size, int(np.ravel(repeats)[0]), *ct.shape[axis + 1 :])
        return np.reshape(np.sum(np.reshape(ct, shape), axis=axis + 1), a.shape)
    sources = np.repeat(np.arange(size), repeats)
    return np.reshape(add_rows(ct, sources, size, axis), a.shape)


linear(np.tile, _tile_adjoint)
linear(np.repeat, _repeat_adjoint)
