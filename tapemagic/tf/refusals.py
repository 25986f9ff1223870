"""Wrong shapes, in TensorFlow's class of error and with the shapes in the text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.errors import TapeError, TensorError


def refuse(what: str, fix: str = "") -> NoReturn:
    """Raise InvalidArgumentError, with the user's line.

    Raises
    ------
    TensorError
    """
    raise leaks.locate(TensorError(what, fix=fix))


def in_words(fun: Callable) -> Callable:
    """Let NumPy's errors in a function be TensorFlow's, with the shapes of its arguments."""

    @functools.wraps(fun)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return fun(*args, **kwargs)
        except (ValueError, IndexError, TypeError) as error:
            if isinstance(error, TapeError) or not _is_numpys(error):
                raise
            refuse(describe(fun.__name__, [*args, *kwargs.values()], error))

    return wrapper


def declaring(functions: dict[str, Callable]) -> Callable[[Callable], Callable]:
    """Return a decorator that puts functions into a table by their names, `in_words`."""

    def declare(fun: Callable) -> Callable:
        functions[fun.__name__.rstrip("_")] = explained = in_words(fun)
        return explained

    return declare


def _is_numpys(error: Exception) -> bool:
    """Tell whether an error is about numbers; a wrong call, TypeError, speaks for itself."""
    return not isinstance(error, TypeError) or "ufunc" in str(error) or "numpy" in str(error)


def describe(name: str, args: Iterable, error: Exception) -> str:
    """Return what was called with tensors of which shapes, and what NumPy says of it."""
    shapes = " and ".join(str(np.shape(plain(x))) for x in _arrays(args))
    reason = str(error).strip()
    if "core dimension" in reason:  # said of gufuncs, which matrices are multiplied by
        reason = "Matrix size-incompatible."
    return f"{name.strip('_')} of {shapes or 'plain numbers'}: {reason}"


def _arrays(args: Iterable) -> Iterable:
    for x in args:
        if is_traced(x) or isinstance(x, np.ndarray):
            yield x
        elif isinstance(x, (list, tuple)):
            yield from _arrays(x)
