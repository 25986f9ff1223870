"""Shapes: reshape, transpose, flip, roll, broadcast, and other ways to look at the same elements.

The adjoint of moving elements is moving them back; of broadcasting, a sum, which the sweep takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import composite, general, linear

from .algebra import apply, as_array, is_live, plain
from .gathering import boxed, picking

# ------------------------------------------------------------------------------ reshape and ravel


def _reshape_primitive(x: Any, shape: Any, order: Any = "C", **more: Any) -> Any:
    return np.reshape(x, shape, order=order, **more)


linear(
    _reshape_primitive,
    lambda ct, x, shape, order="C", **more: np.reshape(ct, x.shape, order=order),
    name="reshape",
)


@composite(np.reshape)
def _reshape(
    a: Any, /, shape: Any = None, order: Any = "C", *, copy: bool | None = None,
    newshape: Any = None,
) -> Any:  # fmt: skip
    shape = plain(shape if newshape is None else newshape)  # its name in NumPy 2.0
    if order == "A":
        leaks.laid_out(a)
        order = "F" if dispatch.plain(a).flags.fnc else "C"
    if copy is not None:
        return apply(_reshape_primitive, a, shape, order, copy=copy)
    return apply(_reshape_primitive, a, shape, order)


@composite(np.ravel)
def _ravel(a: Any, order: Any = "C") -> Any:
    if order in ("A", "K"):
        leaks.laid_out(a)
        value = np.asanyarray(dispatch.plain(a))
        if order == "K" and not value.flags.forc:
            by_stride = sorted(range(value.ndim), key=lambda i: -abs(value.strides[i]))
            return np.reshape(np.transpose(a, by_stride), -1)
        order = "F" if value.flags.fnc else "C"
    flat = np.reshape(a, -1, order=order)
    flags = np.asanyarray(dispatch.plain(a)).flags
    in_order = flags.f_contiguous if order == "F" else flags.c_contiguous
    return flat if in_order else np.copy(flat)  # where reshape might still find a view


_fun: Any
for _fun in (np.squeeze, np.expand_dims):
    linear(_fun, lambda ct, a, axis=None: np.reshape(ct, a.shape))


def _at_least(ndim: int, shape_of: Any) -> Any:
    def body(*arrays: Any) -> Any:
        results = tuple(
            x if np.ndim(x) >= ndim else np.reshape(x, shape_of(np.shape(x))) for x in arrays
        )
        return results[0] if len(results) == 1 else results

    return body


composite(np.atleast_1d, _at_least(1, lambda shape: (1,)))
composite(np.atleast_2d, _at_least(2, lambda shape: (1, *(shape or (1,)))))
composite(
    np.atleast_3d,
    _at_least(3, lambda shape: (*shape, 1) if len(shape) == 2 else (1, *(shape or (1,)), 1)),
)

# -------------------------------------------------------------------------------- order of axes


def _transpose(ct: Any, a: Any, axes: Any = None) -> Any:
    if axes is None:
        return np.transpose(ct)
    return np.transpose(ct, np.argsort([axis % a.ndim for axis in axes]))


linear(np.transpose, _transpose)
for _fun in (np.matrix_transpose, np.linalg.matrix_transpose):
    linear(_fun, lambda ct, x: np.matrix_transpose(ct))
linear(np.swapaxes, lambda ct, a, axis1, axis2: np.swapaxes(ct, axis1, axis2))
linear(np.moveaxis, lambda ct, a, source, destination: np.moveaxis(ct, destination, source))


@composite(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    # The shape of an array whose i-th axis has length i says where the axes go.
    order = np.rollaxis(np.empty(range(np.ndim(a))), axis, start).shape
    return np.transpose(a, order)


# ------------------------------------------------------------------------- flipping and rolling

linear(np.flip, lambda ct, m, axis=None: np.flip(ct, axis))
linear(np.fliplr, lambda ct, m: np.fliplr(ct))
linear(np.flipud, lambda ct, m: np.flipud(ct))
linear(np.rot90, lambda ct, m, k=1, axes=(0, 1): np.rot90(ct, -k, axes))
linear(np.roll, lambda ct, a, shift, axis=None: np.roll(ct, _back(shift), axis))


def _back(shift: Any) -> Any:
    """Return the opposite of shifts, which may be integers without a sign."""
    return np.negative(np.asarray(shift, np.intp))


# --------------------------------------------------------------------------------- broadcasting

linear(np.broadcast_to, lambda ct, array, shape, subok=False: ct)


@composite(np.broadcast_arrays)
def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple:
    shape = np.broadcast_shapes(*map(np.shape, args))
    arrays = [boxed(as_array(x)) for x in args]
    arrays = [dispatch.itself(x) if dispatch.is_traced(x) else x for x in arrays]
    return tuple(x if x.shape == shape else np.broadcast_to(x, shape) for x in arrays)


#: A list up to NumPy 2.4, a tuple from 2.5 on.
_SPARSE_GRIDS: type = type(np.meshgrid(0.0, sparse=True, copy=False))


@composite(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    places = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        places[:2] = 1, 0
    grids: Any = []
    for x, place in zip(xi, places, strict=True):
        shape = [1] * len(xi)
        shape[place] = -1
        grids.append(np.reshape(x, shape))
    grids = _SPARSE_GRIDS(grids) if sparse else np.broadcast_arrays(*grids)
    return tuple(np.copy(grid, order="C") for grid in grids) if copy else grids


# -------------------------------------------------------------------------------- copies and types

linear(np.copy, lambda ct, a, order="K", subok=False: ct)
linear(np.astype, lambda ct, x, dtype, copy=True, device=None: ct)


def _made_finite(x: Any, nan: Any, posinf: Any, neginf: Any) -> Any:
    return np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf)


general(
    _made_finite, lambda ct, y, x, nan, posinf, neginf: _only_finite(ct, plain(x)),
    kind="linear", name="nan_to_num",
)  # fmt: skip


@composite(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: Any = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    y = apply(_made_finite, as_array(x), nan, posinf, neginf)
    if copy or not isinstance(plain(x), np.ndarray):
        return y
    x[...] = y
    return x


def _only_finite(ct: Any, x: Any) -> Any:
    """Let the cotangent of each part flow where that part was kept."""
    if x.dtype.kind != "c":
        return np.where(np.isfinite(x), ct, 0)
    real = np.where(np.isfinite(x.real), np.real(ct), 0)
    return real + 1j * np.where(np.isfinite(x.imag), np.imag(ct), 0)


@composite(np.real_if_close)
def _real_if_close(a: Any, tol: float = 100) -> Any:
    value = np.asanyarray(plain(a))
    y = np.real(a) if np.real_if_close(value, tol).dtype != value.dtype else a
    return boxed(y)  # of a number an array without axes


def _like(fun: Any) -> None:
    """Declare a creator: a constant, but behind a handle, for traced values to be written to."""

    def body(*args: Any, **kwargs: Any) -> Any:
        value = fun(*dispatch.plain(args), **dispatch.plain(kwargs))  # of their shape and dtype
        return dispatch.untracked(value, dispatch.family((*args, *kwargs.values())))

    composite(fun, body)


for _fun in (np.zeros_like, np.ones_like, np.empty_like):
    _like(_fun)


@composite(np.full_like)
def _full_like(
    a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: Any = True,
    *, shape: Any = None, device: Any = None,
) -> Any:  # fmt: skip
    if not is_live(fill_value):
        value = np.full_like(dispatch.plain(a), plain(fill_value), dtype, order, subok, shape)
        return dispatch.untracked(value, dispatch.family((a,)))
    like = np.empty_like(dispatch.plain(a), dtype, order, subok, shape)
    if like.dtype.kind not in "fc":
        return leaks.flat(np.full_like(like, plain(fill_value)), (fill_value,))
    like = dispatch.untracked(like, dispatch.family((fill_value,)))
    like[...] = fill_value
    return like


# ------------------------------------------------------------------------------ sliding windows


def _windows(x: Any, shape: Any, axis: Any, writeable: bool) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, shape, axis, writeable=writeable)


picking(_windows, name="sliding_window_view")


@composite(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(
    x: Any, window_shape: Any, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    return apply(_windows, as_array(x), window_shape, axis, writeable)
