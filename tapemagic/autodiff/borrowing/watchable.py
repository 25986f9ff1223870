"""What can be watched, and why not."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.leaks import locate
from tapemagic.autodiff.warned import warn_of_dtype
from tapemagic.errors import SourceError

_ARRAYS = (np.ndarray, np.memmap)


def is_watchable(x: Any) -> bool:
    """Tell whether a plain object can be watched; warn if it is an integer or bool.

    Raises
    ------
    SourceError
        If `x` is no number or array, or of a class that computes in its own way.
    """
    kind = getattr(getattr(x, "dtype", None), "kind", None)
    if kind is None and isinstance(x, (float, complex)):
        return True
    if (kind is None and isinstance(x, (bool, int))) or kind in ("i", "u", "b"):
        warn_of_dtype(getattr(x, "dtype", type(x).__name__))
        return False
    if kind not in ("f", "c"):
        what = f"An array of dtype {x.dtype}" if isinstance(x, np.ndarray) else f"A {_name(x)}"
        fix = "Watch arrays and numbers of floats."
        raise locate(SourceError(f"{what} cannot be watched.", fix=fix))
    if isinstance(x, np.generic) or type(x) in _ARRAYS:
        return True
    raise _own_way(x)


def check_class(x: Any) -> None:
    """Raise if an argument to differentiate by is of a class that computes in its own way.

    Raises
    ------
    SourceError
    """
    if is_subclass(x) or hasattr(x, "to_numpy"):
        raise _own_way(x)


def _own_way(x: Any) -> SourceError:
    return locate(
        SourceError(
            f"A {_name(x)} cannot be watched, since it computes in its own way.",
            fix=f"Make an array of it first: x = x{plain_of(x)}.",
        )
    )


def _name(x: Any) -> str:
    return type(x).__name__


def is_subclass(x: Any) -> bool:
    """Say whether a value is a float array of a class of its own: masked, a matrix, the user's."""
    is_floats = issubclass(type(x), np.ndarray) and x.dtype.kind in "fc"
    return is_floats and type(x) not in _ARRAYS


def plain_of(x: Any) -> str:
    """Return the call that makes a plain array of one that computes in its own way."""
    if isinstance(x, np.ndarray):
        return ".filled(0)" if isinstance(x, np.ma.MaskedArray) else ".view(np.ndarray)"
    return ".to_numpy()" if hasattr(x, "to_numpy") else ".__array__()"
