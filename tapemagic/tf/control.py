"""`tf.function` and control flow: everything runs eagerly, in plain Python."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tapemagic.autodiff import structures
from tapemagic.autodiff.calls.dispatch import is_traced

from .conversion import convert_to_tensor, operand
from .shaping import stack
from .tensor import Tensor


def function(func: Callable | None = None, **options: Any) -> Callable:
    """Return the function itself, which runs eagerly; NumPy arguments and results become tensors.

    Options of TensorFlow's compiler (``jit_compile=``, ``input_signature=``, ...) are accepted:
    they change how fast the graph is, and here there is none.
    """
    if func is None:
        return functools.partial(function, **options)

    @functools.wraps(func)
    def run(*args: Any, **kwargs: Any) -> Any:
        kwargs = {name: _argument(x) for name, x in kwargs.items()}
        return structures.map_leaves(_returned, func(*map(_argument, args), **kwargs))

    return run


def _argument(x: Any) -> Any:
    plain_array = isinstance(x, (np.ndarray, np.generic)) and not is_traced(x)
    return convert_to_tensor(x) if plain_array else x


def _returned(x: Any) -> Any:
    plain_data = isinstance(x, (bool, int, float, complex, np.ndarray, np.generic))
    return convert_to_tensor(x) if plain_data and not is_traced(x) else x


def cond(
    pred: Any, true_fn: Callable | None = None, false_fn: Callable | None = None, name: Any = None
) -> Any:
    """Call one of two functions."""
    chosen = true_fn if bool(pred) else false_fn
    return None if chosen is None else chosen()


def while_loop(cond: Callable, body: Callable, loop_vars: Any, **options: Any) -> Any:
    """Call `body` on the loop variables as long as `cond` of them holds."""
    values = tuple(loop_vars)
    while bool(cond(*values)):
        result = body(*values)
        values = tuple(result) if isinstance(result, (list, tuple)) else (result,)
    return list(values) if isinstance(loop_vars, list) else values


def map_fn(fn: Callable, elems: Any, **options: Any) -> Tensor:
    """Return the results of a function of every row, stacked."""
    return stack([fn(row) for row in operand(elems)])


vectorized_map = map_fn


@contextmanager
def name_scope(name: str) -> Iterator[str]:
    """Do nothing: operations are named after the lines of the cell."""
    yield f"{name}/"
