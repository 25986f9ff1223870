"""Calls that tensors take part in as handles or plain values: masks and places, and SciPy."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.errors import MissingNameError


def chosen(fun: Callable, *args: Any, **kwargs: Any) -> Any:
    """Return a function of plain values, and remember that the run hangs on it.

    A program made of the run (`tape.program`) asks for the same function of other inputs, and
    refuses them if something else comes out.
    """
    leaks.decided(fun, args, kwargs)  # first: it brings a Variable onto the tape
    return fun(*map(plain, args), **kwargs)


def scipys_own(module: str, name: str, *args: Any) -> Any:
    """Return what a function of SciPy makes of tensors.

    Raises
    ------
    MissingNameError
        If there is no SciPy.
    """
    try:
        fun = getattr(importlib.import_module(f"scipy.{module}"), name)
    except ImportError:
        raise leaks.locate(
            MissingNameError(f"scipy.{module}.{name} computes this.", fix="Install SciPy.")
        ) from None
    return dispatch.call(fun, args, {})
