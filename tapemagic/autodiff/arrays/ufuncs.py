"""What `__array_ufunc__` answers beyond the plain call: keywords, `out=`, `where=`, methods.

Values are always those of the real ufunc, called in the same way on the plain values. What is
recorded is, where possible, the plain call: ``np.exp(x, where=mask)`` is ``exp`` of the selected
elements, written into the result, so that elements never selected have no say (a structural zero,
not ``0 * inf``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tapemagic.autodiff import later, leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.creation import as_operand
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, call_elementwise, call_primitive, plain
from tapemagic.autodiff.calls.general import as_array
from tapemagic.autodiff.calls.operands import has_own_ufuncs
from tapemagic.autodiff.handles import is_live, is_traced
from tapemagic.autodiff.positions import name_of
from tapemagic.autodiff.primitives import RULES, Primitive
from tapemagic.autodiff.warned import unheard
from tapemagic.errors import UnsupportedWriteError

from .overlapping import check_call
from .storing import store
from .ufunc_methods import METHODS
from .writing import write_item

#: Keywords that only generalised ufuncs (matmul, vecdot) take.
_CORE = ("axes", "axis", "keepdims")


def call_ufunc(ufunc: np.ufunc, method: str, inputs: tuple, kwargs: dict) -> Any:
    """Carry out ``ufunc.method(*inputs, **kwargs)`` where handles are among the arguments.

    Parameters
    ----------
    ufunc : ufunc
    method : {"__call__", "reduce", "accumulate", "reduceat", "outer", "at"}
    inputs : tuple
    kwargs : dict
        As NumPy hands them to ``__array_ufunc__``: `out` is a tuple.

    Raises
    ------
    UnsupportedWriteError
        If a traced result would be written into a plain array.
    """
    if ufunc not in RULES:
        later.load()
    inputs = tuple(map(as_operand, inputs))
    outs = kwargs.pop("out", None)
    if outs is not None and not isinstance(outs, tuple):
        outs = (outs,)
    if any(map(has_own_ufuncs, (*inputs, *(outs or ())))):
        return NotImplemented
    if outs and any(is_traced(one) and not isinstance(plain(one), np.ndarray) for one in outs):
        raise TypeError("return arrays must be of ArrayType")
    if method == "at":
        return METHODS["at"](ufunc, *inputs)
    if not any(is_live(x) for x in (*inputs, kwargs.get("initial"))):
        return _constant(ufunc, method, inputs, outs, kwargs)
    if outs and any(_is_plain(one) for one in outs):
        return _into_plain(ufunc, method, inputs, outs, kwargs)
    if method == "outer":
        return call_ufunc(ufunc, "__call__", _outer(*inputs), {**kwargs, "out": outs})
    if method == "__call__":
        if kwargs.get("where", True) is not True:
            return _masked(ufunc, inputs, outs, kwargs)
        kwargs.pop("where", None)
    recompute = partial(getattr(ufunc, method), *plain(inputs), **plain(kwargs))
    try:
        y = (
            _call(ufunc, inputs, kwargs)
            if method == "__call__"
            else METHODS[method](ufunc, *inputs, **kwargs)
        )
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        if outs is not None:
            recompute(out=tuple(map(np.copy, plain(outs))))  # NumPy's own error
        raise
    return y if outs is None else store(y, outs, recompute)


def _is_plain(out: Any) -> bool:
    return out is not None and out is not Ellipsis and type(out) not in HANDLE_TYPES


# -------------------------------------------------------------------------------- plain values


def _constant(ufunc: Any, method: str, inputs: tuple, outs: Any, kwargs: dict) -> Any:
    """Call the ufunc on values that depend on nothing watched."""
    run = partial(getattr(ufunc, method), *plain(inputs), **plain(kwargs))
    if outs is None:
        return dispatch.untracked(run(), dispatch.family(inputs))
    buffers = tuple(np.array(plain(one), order="K") if is_traced(one) else one for one in outs)
    results = run(out=buffers)
    results = results if isinstance(results, tuple) else (results,)
    where = plain(kwargs.get("where", True)) if method == "__call__" else True
    if where is not True and len(outs) == 1:
        check_call(outs[0], partial(ufunc, **plain(kwargs)), inputs, results[0])
    for out, buffer in zip(outs, buffers, strict=True):
        if is_traced(out):  # what `where` leaves out stays what it was, and keeps its gradient
            reached = Ellipsis if where is True else np.broadcast_to(where, buffer.shape)
            write_item(out, reached, buffer[reached])
    results = tuple(out if is_traced(out) else y for out, y in zip(outs, results, strict=True))
    return results[0] if ufunc.nout == 1 else results


def _into_plain(ufunc: Any, method: str, inputs: tuple, outs: tuple, kwargs: dict) -> Any:
    """Write into a plain array what has no derivative; refuse the rest."""
    rule = RULES.get(ufunc)
    flat = getattr(rule, "kind", "") == "constant"
    if flat or all(one is None or one.dtype.kind not in "fc" for one in outs):
        y = getattr(ufunc, method)(*plain(inputs), out=outs, **plain(kwargs))
        return leaks.flat(y, inputs)
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    fix = f"Bind the result instead: z = np.{name}(...)."
    if outs[0] is inputs[0]:  # as of `v += t`
        fix = "Write v = v + ..., or make v under the tape: np.copy(v) does, v.copy() does not."
    raise leaks.locate(
        UnsupportedWriteError(
            f"{name_of(inputs)} would be written by np.{name} into a plain array, which the"
            " tape cannot follow.",
            fix=fix,
        )
    )


# ------------------------------------------------------------------------------- the plain call


def _call(ufunc: Any, inputs: tuple, kwargs: dict) -> Any:
    """Call the ufunc with keywords other than `out` and `where`."""
    if ufunc.signature is not None and any(key in kwargs for key in _CORE):
        core = {key: kwargs.pop(key) for key in _CORE if key in kwargs}
        return _generalised(ufunc, inputs, kwargs, **core)
    if not kwargs:
        return dispatch.call(ufunc, inputs, {})
    y = ufunc(*plain(inputs), **kwargs)
    for one in y if isinstance(y, tuple) else (y,):
        if not hasattr(one, "dtype") or one.dtype.hasobject:
            leaks.refuse_objects(inputs)
    with unheard():
        cast = _cast(ufunc, inputs, kwargs)
    return _record(ufunc, cast, lambda *_: y)


def _record(ufunc: Any, inputs: tuple, compute: Callable) -> Any:
    """Record the plain call; `compute` gives its value."""
    rule = RULES.get(ufunc)
    if isinstance(rule, Primitive):
        if rule.kind == "elementwise":
            return call_elementwise(rule, compute, inputs)
        if rule.kind != "constant":
            return call_primitive(rule, inputs, {}, compute)
        return leaks.flat(compute(*plain(inputs)), inputs, ufunc)
    y = dispatch.call(ufunc, inputs, {})
    wanted = compute(*plain(inputs))
    return y.astype(wanted.dtype) if getattr(wanted, "dtype", None) != y.dtype else y


def _cast(ufunc: Any, inputs: tuple, kwargs: dict) -> tuple:
    """Cast operands to the types that `dtype=` or `signature=` makes NumPy compute with.

    Rules compare operands with results (`maximum`), and complex ones are rules of their own.
    """
    asked = kwargs.get("signature", kwargs.get("sig"))
    if asked is None and kwargs.get("dtype") is not None:
        asked = (None,) * ufunc.nin + (np.dtype(kwargs["dtype"]),) * ufunc.nout
    if asked is None:
        return inputs
    casting = kwargs.get("casting", "same_kind")
    weak = (int, float, complex)  # all else has a dtype
    given = tuple(type(x) if type(x) in weak else np.asarray(x).dtype for x in plain(inputs))
    kinds = ufunc.resolve_dtypes(given + (None,) * ufunc.nout, signature=asked, casting=casting)
    return tuple(
        x if given[i] == kinds[i] or kinds[i].kind not in "fc"
        else (x if hasattr(x, "dtype") else as_array(x)).astype(kinds[i])
        for i, x in enumerate(inputs)
    )  # fmt: skip


def _generalised(
    ufunc: Any,
    inputs: tuple,
    kwargs: dict,
    axes: Any = None,
    axis: int | None = None,
    keepdims: bool = False,
) -> Any:
    """Call matmul, vecdot, ... with core axes elsewhere: move them to the end, and back."""
    wanted = ufunc(*plain(inputs), **kwargs, **_given(axes=axes, axis=axis, keepdims=keepdims))
    counts = [len(part.split(",")) for part in _core_parts(ufunc)]
    counts = [min(n, np.ndim(plain(x))) for n, x in zip(counts, inputs, strict=False)]
    if axes is None:
        axes = [(-1 if axis is None else axis,)] * len(inputs)
    axes = [(one,) if isinstance(one, int) else tuple(one) for one in axes]
    moved = tuple(
        np.moveaxis(x, source, range(-n, 0)) if n else x
        for x, source, n in zip(inputs, axes, counts, strict=False)
    )
    y = _call(ufunc, moved, kwargs)
    if keepdims:
        return np.expand_dims(y, axes[0])
    if len(axes) > len(inputs) and axes[-1]:
        y = np.moveaxis(y, range(-len(axes[-1]), 0), axes[-1])
    if np.ndim(wanted) and y.strides != wanted.strides:
        y = np.copy(y, order="C")  # later sums run in memory order: it has to be NumPy's
    return y


def _core_parts(ufunc: Any) -> list[str]:
    """Return the core dimensions of each input: ``["n?,k", "k,m?"]``."""
    left = ufunc.signature.split("->")[0]
    return left.strip("()").split("),(")


def _given(**kwargs: Any) -> dict:
    return {key: value for key, value in kwargs.items() if value is not None and value is not False}


def _outer(a: Any, b: Any) -> tuple:
    """Give `a` as many trailing axes as `b` has; here Python numbers count as arrays."""
    a, b = (x if hasattr(x, "dtype") else as_array(x) for x in (a, b))
    extra = np.ndim(plain(b))
    return (np.reshape(a, np.shape(plain(a)) + (1,) * extra) if extra else a), b


# ------------------------------------------------------------------------------------- where=


def _masked(ufunc: Any, inputs: tuple, outs: tuple | None, kwargs: dict) -> Any:
    """Compute the selected elements only, and write them into the result."""
    if ufunc.nout > 1:
        raise leaks.locate(
            UnsupportedWriteError(
                f"np.{ufunc.__name__} with where= has several results, which the tape cannot"
                " follow.",
                fix="Use np.where on each of them.",
            )
        )
    where = plain(kwargs.pop("where"))
    out = outs[0] if outs else None
    buffer = None if out is None else np.array(plain(out), order="K")
    call = partial(ufunc, where=where, **kwargs)
    result = call(*plain(inputs), out=buffer)
    check_call(out, call, inputs, result)
    cls = dispatch.family(inputs)
    if not isinstance(result, np.ndarray):
        return _call(ufunc, inputs, kwargs) if where else dispatch.untracked(result, cls)
    mask = np.broadcast_to(where, result.shape)
    chosen = _record(
        ufunc,
        tuple(_selected(x, mask) for x in _cast(ufunc, inputs, kwargs)),
        lambda *_: result[mask],
    )
    target = dispatch.untracked(result, cls) if out is None else out
    if type(target) not in HANDLE_TYPES:  # integers or bools
        return result
    write_item(target, mask, chosen)
    return target


def _selected(x: Any, mask: np.ndarray) -> Any:
    shape = np.shape(plain(x))
    if not shape:
        return x
    x = x if hasattr(x, "dtype") else as_array(x)
    return (x if shape == mask.shape else np.broadcast_to(x, mask.shape))[mask]
