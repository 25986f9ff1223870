"""`checkpoint`: a call that keeps its arguments only, and runs again when the sweep comes to it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapemagic.errors import ChangedDataError, TapeUseError

from . import guards, leaks, structures
from .calls import dispatch
from .calls.dispatch import is_traced
from .cuts import captured, custom_gradient, frozen, has_slope
from .recorder import RECORDER

#: So many elements of a result are compared when the function runs again.
COMPARED = 4096


def checkpoint(fun: Callable) -> Callable:
    """Record a call of `fun` as one node that keeps only its arguments (decorator).

    The sweep runs the function again, with a tape, when it comes to it: less memory for one more
    forward pass (Griewank and Walther 2000, "Algorithm 799: revolve", for the general scheme).

    Raises
    ------
    TapeUseError
        If the function writes to its argument or to something else, or draws random numbers: it
        would do so twice.
    ChangedDataError
        In the sweep, if something that it reads has changed since.

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
        if RECORDER.recording is None:
            return fun(*args, **kwargs)
        given = frozen([*args, *kwargs.values()])
        leaves = structures.leaves(given)
        live = [i for i, x in enumerate(leaves) if is_traced(x)]

        def run(*values: Any) -> list[Any]:
            filled = list(leaves)
            for i, value in zip(live, values):
                filled[i] = value
            again = structures.rebuild(given, filled)
            return fun(*again[: len(args)], **dict(zip(kwargs, again[len(args) :])))

        @functools.wraps(fun)
        def kept(*values: Any) -> Any:
            before = _surroundings(fun)
            y = _unrecorded(run, [_read_only(dispatch.plain(x)) for x in values], fun)
            surroundings, results = _surroundings(fun), _summaries(y)
            if surroundings != before:
                raise leaks.locate(
                    TapeUseError(
                        f"{_name(fun)} changes something that is not its own, or draws random "
                        "numbers: a checkpoint would do so twice.",
                        fix="Return what it makes, and pass in what is drawn.",
                    )
                )

            def gradient(*cts: Any) -> Any:
                again, pullback = vjp(lambda *values: _slopes(run(*values)), *values)
                if _surroundings(fun) != surroundings or not _agree(_summaries(again), results):
                    raise ChangedDataError(
                        f"{_name(fun)} gives another value when it runs again for its gradient.",
                        why="Something that it reads, and is not its argument, has changed.",
                        fix="Pass it as an argument, and draw random numbers outside.",
                    )
                return pullback(list(cts))

            return y, gradient

        kept.recorded = run  # type: ignore[attr-defined]
        return custom_gradient(kept)(*(leaves[i] for i in live))

    return checkpointed


def _name(fun: Callable) -> str:
    return getattr(fun, "__name__", "The function")


def _read_only(value: Any) -> Any:
    """Return an array so that a function cannot write to the memory of the tape."""
    if isinstance(value, np.ndarray):
        value = value.view()
        value.flags.writeable = False
    return value


def _slopes(y: Any) -> list[Any]:
    return [x for x in structures.leaves(y) if has_slope(x)]


def _summaries(y: Any) -> list[np.ndarray]:
    """Return some elements of each result, and sums of all, to tell later whether they are new."""
    found = []
    for x in map(np.asarray, map(dispatch.plain, _slopes(y))):
        wide = np.ravel(x).astype(np.result_type(x, np.float64))
        sums = np.sum(wide), np.sum(np.abs(wide) ** 2)
        found.append(np.append(wide[:: max(1, wide.size // COMPARED)], sums))
    return found


def _agree(some: list[np.ndarray], others: list[np.ndarray]) -> bool:
    """Compare results, but for what another order of additions makes of them."""
    return len(some) == len(others) and all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-3, atol=1e-6, equal_nan=True)
        for a, b in zip(some, others)
    )


def _surroundings(fun: Any) -> list[Any]:
    """Summarise what a function can see besides its arguments, as far as it names it."""
    whole = np.random.get_state(legacy=False)  # noqa: NPY002  (what it may draw from)
    state, kept = whole["state"], (whole["has_gauss"], whole["gauss"])
    names = [(name, _summary(value)) for name, value in _named_in(fun)]
    return [(state["pos"], state["key"].tobytes(), kept), *names]


@contextlib.contextmanager
def undrawn(fun: Any) -> Iterator[None]:
    """Put back, after a block, the generators of random numbers that a function may draw from."""
    named = (getattr(value, "bit_generator", None) for _, value in _named_in(fun))
    states = [(generator, generator.state) for generator in named if generator is not None]
    legacy = np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(legacy)  # noqa: NPY002
        for generator, state in states:
            generator.state = state


def _named_in(fun: Any) -> Iterator[tuple[str, Any]]:
    """Yield the variables of a Python function that are not local to it."""
    code = getattr(fun, "__code__", None)
    if code is None:
        return
    for name, cell in zip(code.co_freevars, fun.__closure__ or ()):
        with contextlib.suppress(ValueError):  # not bound yet
            yield name, cell.cell_contents
    for name in code.co_names:
        if name in fun.__globals__:
            yield name, fun.__globals__[name]
    for number, value in enumerate(fun.__defaults__ or ()):
        yield f"default {number}", value


def _summary(value: Any, depth: int = 3) -> Any:
    """Summarise data: arrays, numbers, text, generators of random numbers, and lists of them."""
    generator = getattr(value, "bit_generator", None)
    if generator is not None:
        return repr(generator.state)
    value = dispatch.plain(value) if is_traced(value) else value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "fciub":
        return guards.fingerprint(np.asarray(value))
    if isinstance(value, list | tuple | dict) and depth:
        items = value.values() if isinstance(value, dict) else value
        return [_summary(item, depth - 1) for item in items]
    return value if isinstance(value, int | float | complex | str | bytes) else None


def _unrecorded(run: Callable, args: list, fun: Callable) -> Any:
    """Call a function on plain arguments; refuse what it reads of the recording besides."""
    was = RECORDER.recording
    if was is None:  # `tape.check()`
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
