"""Initial value problems of `scipy.integrate`. Imported with its rules.

`solve_ivp` is a Python program on NumPy, the choice of its steps included. So its own code is run,
with twins in place of what it calls: what is recorded are the steps that were taken, and how their
lengths move with the values. Compiled solvers are refused.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import integrate, optimize
from scipy.integrate._ivp import base, bdf, common, ivp, radau, rk

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.later import StandIn
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twinning import TWINS, twin_for

from .algebra import plain
from .carrying import refused, refused_class

#: SciPy's modules that the solution of such a problem runs through.
_MODULES = (base, bdf, common, ivp, radau, rk)
_STEPS = "it runs in compiled code, which chooses its steps by the values it sees"
_INSTEAD = (
    "Use scipy.integrate.solve_ivp with method='RK45' or 'BDF', of which each step is recorded."
)

refused(integrate.odeint, _STEPS, _INSTEAD)
refused(
    integrate.solve_bvp,
    "it solves by sparse factors, and its steps are not recorded",
    "Shoot: find the missing initial values with scipy.optimize.root, around solve_ivp.",
)
for _kind in (integrate.ode, integrate.complex_ode):
    refused_class(_kind, _STEPS, _INSTEAD)
refused(
    integrate.solve_ivp,
    "its method LSODA runs in compiled code",
    "Use method='RK45' or 'BDF', of which each step is recorded.",
)
_refusing, _signature = TWINS[id(integrate.solve_ivp)], inspect.signature(integrate.solve_ivp)


def _event_time(event: Callable, solution: Callable, start: Any, end: Any) -> Any:
    """Return when an event happens within a step; SciPy imports its solver at each call."""
    solver: Callable = TWINS[id(optimize.brentq)]
    tolerance = 4 * common.EPS
    return solver(lambda t: event(t, solution(t)), start, end, xtol=tolerance, rtol=tolerance)


def _stand_in(value: Any) -> Any:
    """Return what stands for a global of SciPy's: a twin, or a handle for a table of numbers."""
    if type(value) is np.ndarray and value.dtype.kind in "fc":
        return dispatch.untracked(value, TracedArray)  # its methods take handles
    return _event_time if value is ivp.solve_event_equation else TWINS.get(id(value), value)


@contextlib.contextmanager
def _on_the_tape() -> Iterator[None]:
    """Let SciPy's code call twins meanwhile."""
    scopes = [vars(module) for module in _MODULES]
    bound = [(scope, name, x, _stand_in(x)) for scope in scopes for name, x in scope.items()]
    for scope, name, value, twin in bound:
        if twin is not value:
            scope[name] = twin
    try:
        yield
    finally:
        for scope, name, value, twin in bound:
            if twin is not value:
                scope[name] = value


class Solution(StandIn):
    """Stands for a solution at all times, of which the pieces hold traced values."""

    def __init__(self, pieces: common.OdeSolution) -> None:
        super().__init__(_plain_copy(pieces))
        self._pieces = pieces

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._pieces)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pieces, name)

    def __call__(self, t: Any) -> Any:
        """Return the solution at some times."""
        with _on_the_tape():
            return self._pieces(t)


def _plain_copy(value: Any) -> Any:
    """Return a copy of a solution, or of what it holds, without handles."""
    if isinstance(value, list):
        return [_plain_copy(one) for one in value]
    if isinstance(value, (common.OdeSolution, base.DenseOutput)):
        other = copy.copy(value)
        vars(other).update((name, _plain_copy(one)) for name, one in vars(value).items())
        return other
    return copy.copy(plain(value))


@twin_for(integrate.solve_ivp)
def _solve_ivp(*args: Any, **kwargs: Any) -> Any:
    method = _signature.bind(*args, **kwargs).arguments.get("method", "RK45")
    if RECORDER.recording is None or getattr(method, "__name__", method) == "LSODA":
        return _refusing(*args, **kwargs)
    with _on_the_tape():
        found = integrate.solve_ivp(*args, **kwargs)
    if found.sol is not None:
        found.sol = Solution(found.sol)
    return found
