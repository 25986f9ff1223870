"""Sparse systems of equations, of a constant matrix. Imported only when SciPy's module has been."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import linalg

from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.twinning import twin_module

from .algebra import apply, as_array
from .carrying import carried, refused
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


_WHY = "its steps are not recorded, and the derivative of the solution would be lost"
_ADVICE = "Use scipy.sparse.linalg.spsolve(A, b), which has a rule for b."
for _name in ("cg", "cgs", "bicg", "bicgstab", "gmres", "lgmres",
              "minres", "qmr", "gcrotmk", "tfqmr", "lsqr", "lsmr", "eigs", "eigsh", "svds",
              "lobpcg", "expm_multiply"):  # fmt: skip
    refused(getattr(linalg, _name), _WHY, _ADVICE)
twin_module(linalg)
