"""What of `scipy.interpolate` has no rule yet. Imported only when its module has been.

Its compiled code would say in words of its own that it cannot read a handle.
"""

from __future__ import annotations

from scipy import interpolate

from tapemagic.autodiff.twinning import twin_module

from . import scipy_grids as _scipy_grids  # noqa: F401  (declares what has rules)
from . import scipy_splines as _scipy_splines  # noqa: F401
from .carrying import refuse_rest

_ADVICE = "Use np.interp, or write the spline with NumPy's functions; else stop_gradient(...)."
refuse_rest(interpolate, "it has no derivative rule yet", _ADVICE)
twin_module(interpolate)
