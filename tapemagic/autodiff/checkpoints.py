"""`checkpoint`: a call that keeps its arguments only, and runs again when the sweep comes to it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.errors import ChangedDataError, TapeUseError

from . import guards, leaks, structures
from .calls import dispatch
from .calls.dispatch import is_traced
from .cuts import captured, custom_gradient
from .recorder import RECORDER


def checkpoint(fun: Callable) -> Callable:
    """Record a call of `fun` as one node that keeps only its arguments (decorator).

    The sweep runs the function again, with a tape, when it comes to it: less memory for one more
    forward pass (Griewank and Walther 2000, "Algorithm 799: revolve", for the general scheme).

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> step = tapemagic.checkpoint(lambda x: np.tanh(x) * np.exp(-x))
    >>> tapemagic.grad(step)(0.0)
    np.float64(1.0)
    """
    from .derivatives import vjp

    @functools.wraps(fun)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        given = (args, kwargs)
        leaves = structures.leaves(given)
        live = [i for i, x in enumerate(leaves) if is_traced(x)]

        def run(*values: Any) -> Any:
            filled = list(leaves)
            for i, value in zip(live, values):
                filled[i] = value
            again, keywords = structures.rebuild(given, filled)
            return fun(*again, **keywords)

        @custom_gradient
        @functools.wraps(fun)
        def kept(*values: Any) -> Any:
            y = _unrecorded(run, [_read_only(dispatch.plain(x)) for x in values], fun)
            before = _fingerprints(y)

            def gradient(*cts: Any) -> Any:
                again, pullback = vjp(run, *values)
                if _fingerprints(again) != before:
                    raise ChangedDataError(
                        f"{_name(fun)} gives another value when it runs again for its gradient.",
                        why="Something that it reads, and is not its argument, has changed.",
                        fix="Pass it as an argument, and draw random numbers outside.",
                    )
                return pullback(structures.rebuild(again, list(cts)))

            return y, gradient

        return kept(*(leaves[i] for i in live))

    return checkpointed


def _name(fun: Callable) -> str:
    return getattr(fun, "__name__", "The function")


def _read_only(value: Any) -> Any:
    """Return an array so that a function cannot write to the memory of the tape."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def _fingerprints(y: Any) -> list[tuple]:
    """Summarise results, to tell later whether they are the same."""
    leaves = [np.asarray(dispatch.plain(x)) for x in structures.leaves(y)]
    return [guards.fingerprint(x) for x in leaves if x.dtype.kind in "fc"]


def _unrecorded(run: Callable, args: list, fun: Callable) -> Any:
    """Call a function on plain arguments; refuse what it reads of the recording besides."""
    was = RECORDER.recording
    if was is None:
        return run(*args)
    RECORDER.close()
    RECORDER.shunned = was.token
    try:
        return run(*args)
    except dispatch.ReadsShunned:
        raise captured(_name(fun)) from None
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        raise leaks.locate(
            TapeUseError(
                f"{_name(fun)} writes to its argument, which checkpoint computes with again.",
                fix="Let it copy the argument first: x = x.copy().",
            )
        ) from error
    finally:
        RECORDER.shunned = None
        RECORDER.open(was)
