"""What TensorFlow needs around its graphs, and what stands for it where lines simply run."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tapemagic.autodiff import structures

from .conversion import convert_to_tensor, operand


def numpy_function(
    func: Callable | None = None, inp: Any = None, Tout: Any = None, stateful: bool = True,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return what a function makes of plain arrays; the gradient ends there.

    Without `func` it is a decorator: ``@tf.numpy_function(Tout=[tf.float32, tf.int32])``.
    """
    if func is None:
        return lambda func: functools.wraps(func)(lambda *inp: numpy_function(func, inp, Tout))
    y = func(*(operand(x).numpy() for x in inp))
    if isinstance(Tout, (list, tuple)):
        return [convert_to_tensor(part, dtype) for part, dtype in zip(y, Tout, strict=True)]
    return convert_to_tensor(y, Tout)


def py_function(
    func: Callable | None = None, inp: Any = None, Tout: Any = None, name: str | None = None
) -> Any:
    """Return what a function makes of tensors; see `numpy_function` for the decorator."""
    if func is None:
        return lambda func: functools.wraps(func)(lambda *inp: py_function(func, inp, Tout))
    return structures.map_leaves(convert_to_tensor, func(*map(convert_to_tensor, inp)))


def identity_n(input: Any, name: str | None = None) -> list:
    """Return a list of tensors as they are."""
    return [+operand(x) for x in input]


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """Return the value as a plain array, which is always known here."""
    return operand(tensor).numpy()


def do_nothing(*args: Any, **kwargs: Any) -> None:
    """Do nothing: settings of TensorFlow's runtime, and orders that lines have anyhow."""


def timestamp(name: str | None = None) -> Any:
    """Return the seconds since 1970 as a float64 tensor."""
    return convert_to_tensor(time.time(), "float64")


def get_logger() -> logging.Logger:
    """Return TensorFlow's logger, which nothing is written to here."""
    return logging.getLogger("tensorflow")


group = no_op = do_nothing


@contextmanager
def control_dependencies(control_inputs: Any) -> Iterator[None]:
    """Do nothing: lines run in their order."""
    yield


@contextmanager
def init_scope() -> Iterator[None]:
    """Do nothing: nothing is put into a graph."""
    yield
