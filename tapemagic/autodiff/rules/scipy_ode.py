"""Initial value problems of `scipy.integrate`. Imported with its rules.

`solve_ivp` is a Python program on NumPy, the choice of its steps included. So its own code is run,
with twins in place of what it calls: what is recorded are the steps that were taken, and how their
lengths move with the values. Compiled solvers are refused.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import integrate
from scipy.integrate._ivp import base, bdf, common, ivp, radau, rk

from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.twinning import TWINS, twin_for

from .carrying import refused, refused_class

#: SciPy's modules that the solution of such a problem runs through.
_MODULES = (base, bdf, common, ivp, radau, rk)
_STEPS = "it runs in compiled code, which chooses its steps by the values it sees"
_INSTEAD = (
    "Use scipy.integrate.solve_ivp with method='RK45' or 'BDF', of which each step is recorded."
)

for _name in ("odeint", "solve_bvp"):
    refused(getattr(integrate, _name), _STEPS, _INSTEAD)
for _kind in (integrate.ode, integrate.complex_ode):
    refused_class(_kind, _STEPS, _INSTEAD)
refused(
    integrate.solve_ivp,
    "its events, its dense output and its method LSODA are not recorded",
    "Use method='RK45' or 'BDF', and ask for the times that are wanted with t_eval=[...].",
)
_refusing, _signature = TWINS[id(integrate.solve_ivp)], inspect.signature(integrate.solve_ivp)


def _stand_in(value: Any) -> Any:
    """Return what stands for a global of SciPy's: a twin, or a handle for a table of numbers."""
    if type(value) is np.ndarray and value.dtype.kind in "fc":
        return dispatch.untracked(value, TracedArray)  # its methods take handles
    return TWINS.get(id(value), value)


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


@twin_for(integrate.solve_ivp)
def _solve_ivp(*args: Any, **kwargs: Any) -> Any:
    given = _signature.bind(*args, **kwargs).arguments
    method = given.get("method", "RK45")
    is_compiled = getattr(method, "__name__", method) == "LSODA"
    if (
        RECORDER.recording is None
        or is_compiled
        or given.get("events")
        or given.get("dense_output")
    ):
        return _refusing(*args, **kwargs)
    with _on_the_tape():
        return integrate.solve_ivp(*args, **kwargs)
