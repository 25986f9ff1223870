"""Twins of the assertions of `numpy.testing`: they compare the plain values.

Loaded when somebody has imported that package, which takes longer than all twins together.
"""

from __future__ import annotations

import numpy as np

from tapemagic.autodiff.twinning import showing, twin_module

for _name in np.testing.__all__:
    if _name.startswith(("assert_", "print_assert")):
        showing(getattr(np.testing, _name))
testing_twin = twin_module(np.testing)
