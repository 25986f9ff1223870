"""`tf.function` and control flow: everything runs eagerly, in plain Python."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks, structures
from tapemagic.autodiff.calls.dispatch import is_traced
from tapemagic.errors import TapeUseError, TensorError

from . import nest
from .conversion import convert_to_tensor, operand
from .refusals import refuse
from .shaping import stack
from .specs import TensorSpec


def function(
    func: Callable | None = None, input_signature: Any = None, autograph: bool = True,
    jit_compile: bool | None = None, reduce_retracing: bool = False,
    experimental_implements: Any = None, experimental_autograph_options: Any = None,
    experimental_attributes: Any = None, experimental_relax_shapes: Any = None,
    experimental_compile: Any = None, experimental_follow_type_hints: Any = None,
) -> Callable:  # fmt: skip
    """Return the function, which runs eagerly; NumPy arguments and results become tensors.

    Parameters
    ----------
    func : callable
    input_signature : sequence of TensorSpec, optional
        One per argument (without `self`), which becomes a tensor of that dtype and is checked.
    autograph, jit_compile, ... : optional
        Settings of TensorFlow's compiler: they change how fast the graph is, and here is none.

    Examples
    --------
    >>> from tapemagic import tf
    >>> @tf.function(input_signature=[tf.TensorSpec([], tf.float64)])
    ... def half(x):
    ...     return x / 2
    >>> half(3)
    <tf.Tensor: shape=(), dtype=float64, numpy=1.5>
    """
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    names = list(inspect.signature(func).parameters) if input_signature is not None else []
    specs = ([None] if names[:1] == ["self"] else []) + list(input_signature or ())
    by_name = dict(zip(names, specs, strict=False))

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        rest = [None] * (len(args) - len(specs))
        args = tuple(map(_argument, args, specs + rest))
        kwargs = {name: _argument(x, by_name.get(name)) for name, x in kwargs.items()}
        return structures.map_leaves(_returned, func(*args, **kwargs))

    run.get_concrete_function = _no_graph  # type: ignore[attr-defined]
    run.python_function = func  # type: ignore[attr-defined]
    return run


def _no_graph(*args: Any, **kwargs: Any) -> Any:
    raise leaks.locate(
        TapeUseError(
            "tf.function has no graph here: the function runs eagerly, line by line.",
            fix="Call the function itself.",
        )
    )


def _argument(x: Any, spec: Any = None) -> Any:
    """Return an argument as the function gets it: of the dtype and shape that it is said to have.

    Raises
    ------
    TensorError
        If it cannot be.
    """
    if isinstance(spec, TensorSpec):
        tensor = convert_to_tensor(x, spec.dtype)
        if spec.shape is not None:
            tensor.set_shape(spec.shape)
        return tensor
    plain_array = isinstance(x, (np.ndarray, np.generic)) and not is_traced(x)
    return convert_to_tensor(x) if plain_array else x


def _returned(x: Any) -> Any:
    plain_data = isinstance(x, (bool, int, float, complex, np.ndarray, np.generic))
    return convert_to_tensor(x) if plain_data and not is_traced(x) else x


def cond(
    pred: Any, true_fn: Callable | None = None, false_fn: Callable | None = None, name: Any = None
) -> Any:
    """Call one of two functions."""
    for fun in (true_fn, false_fn):
        if fun is not None and not callable(fun):
            refuse(
                f"cond takes functions, and was given a {type(fun).__name__}.",
                "Use lambda: value, or tf.where(condition, x, y) of each element.",
            )
    chosen = true_fn if bool(pred) else false_fn
    return None if chosen is None else chosen()


def while_loop(
    cond: Callable, body: Callable, loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: Any = None, back_prop: bool = True, swap_memory: bool = False,
    maximum_iterations: Any = None, name: str | None = None,
) -> Any:  # fmt: skip
    """Call `body` on the loop variables as long as `cond` of them holds.

    Parameters
    ----------
    cond, body : callable
    loop_vars : list or tuple
    maximum_iterations : int, optional
        Calls of `body` at most.
    shape_invariants, parallel_iterations, back_prop, swap_memory : optional
        Settings of TensorFlow's graphs.
    """
    if not isinstance(loop_vars, (list, tuple)):
        refuse("'loop_vars' must be provided: a list of what the loop changes.", "Use [x].")
    values = tuple(loop_vars)
    done, limit = 0, np.inf if maximum_iterations is None else int(maximum_iterations)
    while done < limit and bool(cond(*values)):
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
        done += 1
    return list(values) if isinstance(loop_vars, list) else values


def map_fn(
    fn: Callable, elems: Any, dtype: Any = None, parallel_iterations: Any = None,
    back_prop: bool = True, swap_memory: bool = False, infer_shape: bool = True,
    name: str | None = None, fn_output_signature: Any = None,
) -> Any:  # fmt: skip
    """Return the results of a function of every row, stacked.

    Parameters
    ----------
    fn : callable
    elems : tensor, or a nested structure of them
        Of as many rows each; the function gets such a structure of rows.
    dtype, parallel_iterations, ... : optional
        Settings of TensorFlow's graphs.

    Raises
    ------
    TensorError
        If there are no rows, or numbers of them differ.
    """
    return _stacked([fn(row) for row in _rows(elems, "map_fn")])


def _rows(elems: Any, name: str) -> list:
    """Return the rows of tensors, each of the structure in which the tensors are given."""
    columns = [operand(x) for x in nest.flatten(elems)]
    counts = {np.shape(x)[:1] for x in columns}
    if len(counts) != 1 or counts & {(), (0,)}:
        raise leaks.locate(
            TensorError(
                f"{name} needs tensors of one and the same number of rows, not of shapes "
                f"{', '.join(str(np.shape(x)) for x in columns)}.",
                fix=f"Make lists of numbers tensors: tf.{name}(fn, tf.constant(...)).",
            )
        )
    return [nest.pack_sequence_as(elems, row) for row in zip(*columns, strict=True)]


def _stacked(results: list) -> Any:
    """Return one structure of stacked tensors for a list of structures of tensors."""
    parts = zip(*map(nest.flatten, results), strict=True)
    return nest.pack_sequence_as(results[0], map(stack, parts))


def scan(
    fn: Callable, elems: Any, initializer: Any = None, parallel_iterations: Any = None,
    back_prop: bool = True, swap_memory: bool = False, infer_shape: bool = True,
    reverse: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return all values of ``a = fn(a, row)`` over the rows of tensors, stacked.

    Parameters
    ----------
    fn : callable
    elems : tensor, or a nested structure of them
        Of as many rows each.
    initializer : tensor, or a nested structure of them, optional
        The first `a`; if not given the first row, which is then the first value, too.
    reverse : bool
        Whether to begin with the last row; each value stays at the place of its row.
    parallel_iterations, back_prop, swap_memory, infer_shape : optional
        Settings of TensorFlow's graphs.

    Raises
    ------
    TensorError
        If there are no rows, or numbers of them differ.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x = tf.constant([1.0, 2.0, 3.0])
    >>> print(tf.scan(lambda a, x: a + x, x))
    tf.Tensor([1. 3. 6.], shape=(3,), dtype=float32)
    >>> print(tf.scan(lambda a, x: a + x, x, reverse=True))
    tf.Tensor([6. 5. 3.], shape=(3,), dtype=float32)
    """
    rows = _rows(elems, "scan")
    values = _running(fn, rows[::-1] if reverse else rows, initializer)
    return _stacked(values[::-1] if reverse else values)


def foldl(
    fn: Callable, elems: Any, initializer: Any = None, parallel_iterations: Any = None,
    back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return the last value of ``a = fn(a, row)`` over the rows of tensors; see `scan`.

    Examples
    --------
    >>> from tapemagic import tf
    >>> print(tf.foldl(lambda a, x: a * 10 + x, tf.constant([1, 2, 3])))
    tf.Tensor(123, shape=(), dtype=int32)
    """
    return _running(fn, _rows(elems, "foldl"), initializer)[-1]


def foldr(
    fn: Callable, elems: Any, initializer: Any = None, parallel_iterations: Any = None,
    back_prop: bool = True, swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Return the last value of ``a = fn(a, row)``, beginning with the last row; see `scan`."""
    return _running(fn, _rows(elems, "foldr")[::-1], initializer)[-1]


def _running(fn: Callable, rows: list, start: Any) -> list:
    """Return the values of ``a = fn(a, row)``, one per row."""
    values = []
    if start is None:
        start, *rows = rows
        values.append(start)
    value = nest.map_structure(convert_to_tensor, start)
    for row in rows:
        value = fn(value, row)
        values.append(value)
    return values


def vectorized_map(
    fn: Callable, elems: Any, fallback_to_while_loop: bool = True, warn: bool = True
) -> Any:
    """Return the results of a function of every row, stacked."""
    return map_fn(fn, elems)


def case(
    pred_fn_pairs: Any, default: Callable | None = None, exclusive: bool = False,
    strict: bool = False, name: str = "case",
) -> Any:  # fmt: skip
    """Call the function of the first condition that holds, else the default one."""
    for condition, function in pred_fn_pairs:
        if bool(condition):
            return function()
    return _called_else(default, [function for _, function in pred_fn_pairs])


def switch_case(
    branch_index: Any, branch_fns: Any, default: Callable | None = None, name: str | None = None
) -> Any:
    """Call the function of a number, else the default one, which is the last if not given."""
    given = list(branch_fns.items() if isinstance(branch_fns, dict) else branch_fns)
    functions = dict(enumerate(given) if callable(given[0]) else given)
    return functions.get(int(branch_index), lambda: _called_else(default, [*functions.values()]))()


def _called_else(default: Callable | None, functions: list) -> Any:
    return (functions[-1] if default is None else default)()
