"""Masks and places by which elements are chosen: plain values that depend on traced ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain


def chosen(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Return a function of plain values, and remember that the run hangs on it.

    A program made of the run (`tape.program`) asks for the same function of other inputs, and
    refuses them if something else comes out.
    """
    leaks.decided(fun, args, kwargs)  # first: it brings a Variable onto the tape
    return fun(*map(plain, args), **kwargs)
