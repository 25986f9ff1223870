"""Functions that NumPy writes in Python with functions that have rules: its own code is run.

The values are then NumPy's own, bit for bit, and so is every keyword; the sources of the formulas
are NumPy's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite
from tapemagic.autodiff.twinning import relink

from .algebra import as_array


def run_own_code(*functions: Callable) -> None:
    """Declare functions whose rule is the code that NumPy has for them."""
    for function in functions:
        composite(function, _linked(function))


def _linked(function: Callable) -> Callable:
    linked = relink(function)

    def body(*args: Any, **kwargs: Any) -> Any:
        importlib.import_module("tapemagic.autodiff.twins.modules")  # they are made with the rules
        return linked(*args, **kwargs)

    return body


# differences
run_own_code(np.gradient, np.unwrap)
# counts with weights, and edges that depend on the data
run_own_code(np.histogram, np.histogram2d, np.histogramdd, np.histogram_bin_edges)
# statistics
run_own_code(np.cov, np.corrcoef)
# polynomials as arrays of coefficients
run_own_code(
    np.poly, np.roots, np.polyadd, np.polyder, np.polydiv, np.polyfit, np.polyint, np.polysub,
    np.polyval,
)  # fmt: skip


@composite(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(_without_leading_zeros(a1), _without_leading_zeros(a2))


def _without_leading_zeros(coefficients: Any) -> Any:
    """Cut coefficients as np.poly1d, through which NumPy multiplies, does."""
    x = np.trim_zeros(np.atleast_1d(as_array(coefficients)), "f")
    return x if x.shape[0] else np.zeros(1, x.dtype)
