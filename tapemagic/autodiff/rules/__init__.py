"""Derivative rules as tables, one module per subject.

Importing this package declares them all, but those of packages that are imported when somebody
asks for them (`later.py`): SciPy's, and NumPy's own `numpy.fft`.
"""

import numpy as np

from tapemagic.autodiff.primitives import RULES

from . import (
    batching,
    constant,
    cumulative,
    einsum,
    elementwise,
    factorizations,
    gathering,
    indexing_rules,
    joining,
    linalg,
    nan_reductions,
    norms,
    numpys_own,
    padding,
    products,
    quantiles,
    reductions,
    setting,
    shaping,
    signals,
    sorting,
    special,
    stacks,
)

__all__ = [
    "batching",
    "constant",
    "cumulative",
    "einsum",
    "elementwise",
    "factorizations",
    "gathering",
    "indexing_rules",
    "joining",
    "linalg",
    "nan_reductions",
    "norms",
    "numpys_own",
    "padding",
    "products",
    "quantiles",
    "reductions",
    "setting",
    "shaping",
    "signals",
    "sorting",
    "special",
    "stacks",
]

#: Of an array, the method of the same name does the same, at half the price or less.
for _name in ("sum", "prod", "max", "min", "cumsum", "swapaxes"):
    RULES[getattr(np, _name)].method = getattr(np.ndarray, _name)
