"""Sparse systems of equations, of a constant matrix. Imported only when SciPy's module has been."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import linalg

from tapemagic.autodiff.later import OBJECTS, StandIn
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.pullbacks import conj_if_complex as conj
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, twin_for, twin_module

from .algebra import apply, as_array, is_live, plain
from .carrying import carried, refuse_rest, refused
from .scipy_sparse import kept


def _spsolve(b: Any, m: Any, **options: Any) -> Any:
    return linalg.spsolve(m, b, **options)


general(
    _spsolve,
    lambda ct, y, b, m, **options: np.reshape(
        apply(_spsolve, ct, m.conj().T.asformat(m.format), **options), b.shape
    ),
    name="spsolve",
)


@carried(linalg.spsolve, "b")
def _spsolve_body(b: Any, A: Any, **options: Any) -> Any:
    return apply(_spsolve, as_array(b), kept(A), **options)


# ------------------------------------------------------------------------------ factorizations


def _factor_solve(b: Any, factors: Any, trans: str) -> Any:
    return factors.solve(np.asarray(b), trans)


def _factor_solve_vjp(ct: Any, y: Any, b: Any, factors: Any, trans: str) -> Any:
    """Solve with the conjugate transpose; for ``trans="T"`` that is the conjugate matrix."""
    if trans == "T":
        return conj(apply(_factor_solve, conj(ct), factors, "N"))
    return apply(_factor_solve, ct, factors, "H" if trans == "N" else "N")


general(_factor_solve, _factor_solve_vjp, None, None, name="solve")


class Factors(StandIn):
    """Stands for the factors of a constant matrix, which `splu` made."""

    def solve(self, rhs: Any, trans: str = "N") -> Any:
        """Solve the system of equations for one or more right-hand sides."""
        if not is_live(rhs):
            return fresh(self._original.solve(plain(rhs), trans))
        return apply(_factor_solve, as_array(rhs), self._original, trans)


class Solver(StandIn):
    """Stands for the function that `factorized` returns."""

    def __call__(self, b: Any) -> Any:
        """Solve the system of equations for one right-hand side."""
        return Factors(self._original.__self__).solve(b)


def _factorizing(fun: Callable, kind: type[StandIn]) -> None:
    def twin(A: Any, *args: Any, **kwargs: Any) -> Any:
        found = fun(plain(A), *args, **kwargs)
        return found if RECORDER.recording is None else kind(found)

    twin_for(fun)(twin)


_factorizing(linalg.splu, Factors)
_factorizing(linalg.spilu, Factors)
_factorizing(linalg.factorized, Solver)
OBJECTS[linalg.SuperLU] = Factors

# ------------------------------------------------------------------------------------ the rest

_WHY = "its steps are not recorded, and the derivative of the solution would be lost"
_ADVICE = "Use scipy.sparse.linalg.spsolve(A, b), which has a rule for b."
for _name in ("cg", "cgs", "bicg", "bicgstab", "gmres", "lgmres",
              "minres", "qmr", "gcrotmk", "tfqmr", "lsqr", "lsmr", "eigs", "eigsh", "svds",
              "lobpcg", "expm_multiply"):  # fmt: skip
    refused(getattr(linalg, _name), _WHY, _ADVICE)
refuse_rest(linalg, "it has no derivative rule", _ADVICE)
twin_module(linalg)
