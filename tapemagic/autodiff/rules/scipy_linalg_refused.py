"""What of `scipy.linalg` has no derivative or no rule. Declared after the rules, with its twin."""

from __future__ import annotations

from scipy import linalg

from tapemagic.autodiff.twinning import twin_module

from . import scipy_banded as _scipy_banded  # noqa: F401  (declares the rules)
from . import scipy_linalg as _scipy_linalg  # noqa: F401
from .carrying import discrete, refuse_rest, refused

_ADVICE = "Use {} of NumPy, which has rules, or cut it: tapemagic.stop_gradient(...)."
for _name, _use in {
    "eig": "np.linalg.eig", "eigvals": "np.linalg.eigvals", "schur": "np.linalg.eig",
    "hessenberg": "np.linalg.qr", "ldl": "np.linalg.cholesky",
}.items():  # fmt: skip
    refused(getattr(linalg, _name), "SciPy's variant has no derivative rule", _ADVICE.format(_use))
for _name in ("bandwidth", "issymmetric", "ishermitian"):
    discrete(getattr(linalg, _name))
refuse_rest(linalg, "it has no derivative rule", _ADVICE.format("the functions"))
twin_module(linalg)
