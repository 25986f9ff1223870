"""Derivatives of functions: `grad`, `vjp`, `jvp`, `jacobian`, `hessian` and the like."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.errors import SourceError, TapeUseError

from . import structures
from .borrowing.borrowed import Borrowed
from .borrowing.held_functions import with_twins
from .borrowing.watchable import check_class
from .calls import dispatch
from .calls.dispatch import is_traced
from .forward import push, recorded_pullback
from .recorder import RECORDER
from .tape import GradientTape
from .traced import TracedArray


def _watch_arguments(tape: GradientTape, args: tuple, argnums: int | tuple[int, ...]) -> tuple:
    """Return the arguments with those of `argnums` watched, and the watched ones alone."""
    numbers = _positions(argnums, len(args))
    args_list = list(args)
    for i in numbers:
        args_list[i] = structures.map_leaves(lambda x: tape._watch_one(_own_handle(x)), args[i])
    watched = [args_list[i] for i in numbers]
    return tuple(args_list), watched if np.ndim(argnums) else watched[0]


def _positions(argnums: int | tuple[int, ...], count: int) -> list[int]:
    """Return which of `count` arguments are meant, counted from the first.

    Raises
    ------
    TapeUseError
        If there is no such argument.
    """
    given = np.atleast_1d(argnums)
    numbers = list(map(operator.index, given)) if given.dtype.kind in "iu" else []
    if len(numbers) < given.size or not all(-count <= i < count for i in numbers):
        raise TapeUseError(
            f"argnums={argnums!r} does not fit a call with {count} positional arguments.",
            fix="Pass what is differentiated by position; the first has number 0.",
        )
    return [i % count for i in numbers]


def _returned(fun: Callable, args: tuple, kwargs: dict) -> Any:
    """Call a function that is to return what is differentiated.

    Raises
    ------
    TapeUseError
        If it returns None: its gradient would be 0 in silence.
    """
    value = with_twins(fun)(*args, **kwargs)
    if value is None:
        raise TapeUseError(
            f"{getattr(fun, '__name__', 'The function')} returned None, of which there is no "
            "derivative.",
            fix="End it with 'return' and the value that is to be differentiated.",
        )
    return value


def _own_handle(x: Any) -> Any:
    """Return a handle of our own for an argument, connected to it if an outer tape follows it.

    Arguments are independent of one another, also where they share memory: ``f(x, x)`` has two.
    """
    if is_traced(x):
        value, id_, code = dispatch.operand(x)
        if id_ >= 0:
            if getattr(value, "base", None) is not None:
                return +x
            return dispatch.traced(value, code, id_, x.result_class)  # either copies when written
        x = np.array(dispatch.plain(x))[()]
    x = _differentiable(x)
    if type(x) is not np.ndarray or not (flags := x.flags).forc:
        return Borrowed().lift(x)
    copy = x.copy("K")  # nobody else can write to it
    if not flags.writeable:
        copy.setflags(write=False)
    return dispatch.untracked(copy, TracedArray)


def _differentiable(x: Any) -> Any:
    """Return an argument as float or complex data.

    Raises
    ------
    SourceError
        If it is an integer, a bool or no number at all, or computes in its own way.
    """
    check_class(x)
    value = np.asarray(x)
    if value.dtype.kind not in "fc":
        raise SourceError(
            f"An argument of dtype {value.dtype} has no derivative.",
            fix="Pass floats: 3.0 instead of 3, or x.astype(float).",
        )
    return x if isinstance(x, (np.ndarray, np.generic, float, complex)) else value


def _plain(x: Any) -> Any:
    """Return results as plain values, unless an outer tape follows them."""
    if RECORDER.recording is not None:
        return x
    return structures.map_leaves(dispatch.plain, x)


def value_and_grad(fun: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """Return a function that gives the value of `fun` and its gradient.

    The result is what ``scipy.optimize.minimize(..., jac=True)`` takes.

    Parameters
    ----------
    fun : callable
        Returns a number (an array stands for its sum).
    argnums : int or tuple of int
        The arguments to differentiate with respect to; each an array or a nested structure.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> tapemagic.value_and_grad(lambda x: np.sum(x ** 2))(np.array([1.0, 2.0]))
    (np.float64(5.0), array([2., 4.]))
    """

    def value_and_gradient(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        tape = GradientTape()
        tape.runs = fun
        with tape:
            watched, chosen = _watch_arguments(tape, args, argnums)
            value = _returned(fun, watched, kwargs)
        gradient = tape.gradient(value, chosen, unconnected_gradients="zero")
        return _plain(value), gradient

    return value_and_gradient


def grad(fun: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """Return a function that gives the gradient of `fun`; may be applied to its own result.

    Examples
    --------
    >>> import tapemagic
    >>> tapemagic.grad(tapemagic.grad(lambda x: x ** 3))(2.0)
    np.float64(12.0)
    """

    def gradient(*args: Any, **kwargs: Any) -> Any:
        return value_and_grad(fun, argnums)(*args, **kwargs)[1]

    return gradient


def vjp(fun: Callable, *primals: Any) -> tuple[Any, Callable]:
    """Return the value of ``fun(*primals)`` and its pullback.

    Returns
    -------
    value : array or structure
    pullback : callable
        ``pullback(ct)`` gives a tuple with one cotangent per primal; `ct` has the structure and
        shape of the value. It may be called any number of times.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> y, pullback = tapemagic.vjp(np.sin, 0.0)
    >>> pullback(2.0)
    (np.float64(2.0),)
    """
    tape = GradientTape(persistent=True)
    tape.runs = fun
    with tape:
        watched, chosen = _watch_arguments(tape, primals, tuple(range(len(primals))))
        value = _returned(fun, watched, {})

    def pullback(ct: Any) -> tuple:
        return tuple(
            tape.gradient(value, chosen, output_gradients=ct, unconnected_gradients="zero")
        )

    return _plain(value), pullback


def jvp(fun: Callable, primals: tuple, tangents: tuple) -> tuple[Any, Any]:
    """Return the value of ``fun(*primals)`` and its directional derivative along `tangents`.

    The pullback is linear in its cotangent; transposing it gives the push-forward ("double vjp",
    so that no second table of rules is needed).

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> tapemagic.jvp(lambda x: x ** 2, (3.0,), (1.0,))
    (9.0, np.float64(6.0))
    """
    for name, given in (("primals", primals), ("tangents", tangents)):
        if not isinstance(given, tuple | list) or len(given) != len(primals):
            raise TapeUseError(
                f"The {name} have to be a tuple, with one for each argument of the function.",
                fix="Write jvp(f, (x,), (v,)).",
            )
    outer = GradientTape(persistent=True)
    inner = GradientTape(persistent=True)
    outer.runs = fun
    with outer:
        with inner:
            watched, chosen = _watch_arguments(inner, primals, tuple(range(len(primals))))
            value = _returned(fun, watched, {})
        pullbacks = [
            recorded_pullback(outer, inner, y, chosen) if is_traced(y) else None
            for y in structures.leaves(value)
        ]
    directions = structures.leaves([tangents], [chosen])
    results = []
    for y, pullback in zip(structures.leaves(value), pullbacks, strict=True):
        found = push(outer, *pullback, directions) if pullback is not None else None
        zeros = np.zeros(np.shape(y), np.asarray(dispatch.plain(y)).dtype)[()]
        results.append(zeros if found is None else _plain(found))
    return _plain(value), structures.rebuild(value, results)


def jacobian(fun: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """Return a function that gives the Jacobian of `fun`, of shape value + argument.

    Of a nested structure of values it is that structure, with one Jacobian for each.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> tapemagic.jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """

    def full_jacobian(*args: Any, **kwargs: Any) -> Any:
        tape = GradientTape(persistent=True)
        tape.runs = fun
        with tape:
            watched, chosen = _watch_arguments(tape, args, argnums)
            value = _returned(fun, watched, kwargs)
        return tape.jacobian(value, chosen, unconnected_gradients="zero")

    return full_jacobian


def hessian(fun: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """Return a function that gives the Hessian of `fun`, of shape argument + argument.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> tapemagic.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """

    def full_hessian(*args: Any, **kwargs: Any) -> Any:
        tape, gradient, chosen = _recorded_gradient(fun, args, kwargs, argnums)
        return tape.jacobian(gradient, chosen, unconnected_gradients="zero")

    return full_hessian


def hvp(fun: Callable, argnums: int | tuple[int, ...] = 0) -> Callable:
    """Return ``product(x, v)``, the Hessian of `fun` at `x` times `v`; no Hessian is made.

    It is what ``scipy.optimize.minimize(..., hessp=...)`` takes. The other arguments of `fun`
    follow: ``product(x, v, *others)``. For several `argnums`, `x` and `v` are lists.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> tapemagic.hvp(lambda x: np.sum(x ** 3))(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([6., 0.])
    """

    def product(x: Any, v: Any, *args: Any) -> Any:
        given = [x] if np.ndim(argnums) == 0 else list(x)
        arguments = list(args)
        numbers = _positions(argnums, len(args) + len(given))
        for i, value in sorted(zip(numbers, given, strict=True), key=operator.itemgetter(0)):
            arguments.insert(i, value)
        tape, gradient, chosen = _recorded_gradient(fun, tuple(arguments), {}, argnums)
        return tape.gradient(gradient, chosen, output_gradients=v, unconnected_gradients="zero")

    return product


def _recorded_gradient(
    fun: Callable, args: tuple, kwargs: dict, argnums: int | tuple[int, ...]
) -> tuple:
    """Record a call of `fun` and the sweep that gives its gradient; both are on one tape."""
    tape = GradientTape(persistent=True)
    tape.runs = fun
    with tape:
        watched, chosen = _watch_arguments(tape, args, argnums)
        value = _returned(fun, watched, kwargs)
        gradient = tape.gradient(value, chosen, unconnected_gradients="zero")
    return tape, gradient, chosen
