"""Integrals of functions of `scipy.integrate`. Imported with its rules.

QUADPACK halves intervals and takes a weighted sum of the function's values in each. SciPy does so
with plain values; then the same sum is recorded, at the same places. It moves with whatever the
function reads, and with the limits.

Source: R. Piessens, E. de Doncker-Kapenga, C. Ueberhuber, D. Kahaner, "QUADPACK", 1983.
"""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate, special

from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, twin_for

from .algebra import apply, is_live, plain, with_value
from .carrying import hanging, unsupported

#: An estimated error, per length of its interval, that is more than a smooth function has.
_UNEVEN = 1e-4
_PIECES = (
    "Integrate the pieces between the jumps, or use np.abs, np.maximum, ... where it has none."
)
_ADVICE = "Use scipy.integrate.simpson on samples, or a sum over np.polynomial.legendre.leggauss."


@functools.cache
def _rule(infinite: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return places and weights for the interval from 0 to 1: SciPy's answers to a single 1."""
    upper = np.inf if infinite else 1.0
    places: list = []

    def noted(x: float) -> float:
        places.append(x)
        return 0.0

    integrate.quad(noted, 0, upper, full_output=1)
    weights = [
        integrate.quad(lambda x, p=p: float(x == p), 0, upper, limit=1, full_output=1)[0]
        for p in places
    ]
    t, w = np.array(places), np.array(weights)
    return (1 / (1 + t), w / (1 + t) ** 2) if infinite else (t, w)


def _again(fun: Callable, a: Any, b: Any, told: dict) -> Any:
    """Return the sum that QUADPACK has made, from the lower limit to the upper one."""
    low, high = plain(a), plain(b)
    begins, ends = told["alist"][: told["last"]], told["blist"][: told["last"]]
    total: Any = 0.0
    if np.isfinite(low) and np.isfinite(high):
        places, weights = _rule(infinite=False)
        for begin, end in zip(begins, ends, strict=True):
            for t, w in zip(places, weights, strict=True):
                share = (begin + (end - begin) * t - low) / (high - low)
                total = total + w * (end - begin) / (high - low) * fun(a + (b - a) * share)
        return (b - a) * total
    places, weights = _rule(infinite=True)
    for begin, end in zip(begins, ends, strict=True):
        for s, w in zip(begin + (end - begin) * places, weights, strict=True):
            far = (1 - s) / s
            if np.isfinite(low):
                value = fun(a + far)
            else:
                value = fun(b - far) if np.isfinite(high) else fun(far) + fun(-far)
            total = total + w * (end - begin) / s**2 * value
    return total


#: The error that SciPy estimates: it depends on the function somehow.
_estimate = hanging(
    "error",
    "What quad of scipy.integrate has found",
    "The target depends on the error that scipy.integrate.quad estimates.",
    "Use the integral only, or cut the rest: tapemagic.stop_gradient(...).",
)


def _jumps(recording: Any, entries: int, events: int) -> bool:
    """Tell whether what was recorded since then compares, or has a function that jumps."""
    rows = [PRIMITIVES[entry[0]] for entry in recording.entries[entries:]]
    jumps = any("0" in row.formulas or row.fun in (np.remainder, np.fmod) for row in rows)
    return jumps or any(kind == "flat" for kind, *_ in recording.events[events:])


@twin_for(integrate.quad)
def _quad(
    func: Callable, a: Any, b: Any, args: Any = (), full_output: Any = 0, **options: Any
) -> Any:
    if RECORDER.recording is None or not callable(func):
        return integrate.quad(func, a, b, args, full_output, **options)
    args = args if isinstance(args, tuple) else (args,)
    live = [is_live((a, b))]

    def called(x: Any) -> Any:
        y = func(x, *args)
        live.append(is_live(y))
        return plain(y)

    recording = RECORDER.recording
    known = len(recording.entries), len(recording.events)
    y, error, told, *problem = integrate.quad(called, *plain((a, b)), (), 1, **options)
    if problem and not full_output:
        warnings.warn(problem[0], integrate.IntegrationWarning, stacklevel=2)
    rest = (told, *problem) if full_output else ()
    if _jumps(recording, *known):  # the place of a jump may move
        raise unsupported(integrate.quad, "a function of steps, or that compares values", _PIECES)
    if not any(live):
        return y, error, *rest
    if any(x is not None for name, x in options.items() if name in ("points", "weight")):
        raise unsupported(integrate.quad, "points= or weight=", _ADVICE)
    if options.get("complex_func"):
        raise unsupported(integrate.quad, "complex_func=", _ADVICE)
    with contextlib.redirect_stdout(io.StringIO()):  # the user's own prints have been printed
        if plain(a) <= plain(b):
            total = _again(lambda x: func(x, *args), a, b, told)
        else:
            total = -_again(lambda x: func(x, *args), b, a, told)
    n = told["last"]
    spread = told["elist"][:n] / (told["blist"][:n] - told["alist"][:n])
    if not abs(plain(total) - y) <= max(10 * error, 1e-9 * abs(y)) or np.max(spread) > _UNEVEN:
        raise unsupported(integrate.quad, "a function that is singular or jumps", _ADVICE)
    return with_value(total, y), apply(_estimate, error, total), *rest


#: Since SciPy 1.18 places and weights have the dtype of the limits.
_IN_DTYPE = integrate.fixed_quad(np.positive, np.float32(0), np.float32(1))[0].dtype == np.float32


@twin_for(integrate.fixed_quad)
def _fixed_quad(func: Callable, a: Any, b: Any, args: tuple = (), n: int = 5) -> Any:
    if RECORDER.recording is None or np.isinf(plain(a)) or np.isinf(plain(b)):
        return integrate.fixed_quad(func, plain(a), plain(b), args, n)
    x, w = special.roots_legendre(n)
    dtype = np.result_type(plain(a), plain(b))
    if _IN_DTYPE and dtype.kind in "fc":
        x, w = x.astype(dtype), w.astype(dtype)
    x = fresh((b - a) * (np.real(x) + 1) / 2.0 + a)
    return (b - a) / 2.0 * np.sum(w * func(x, *args), axis=-1), None
