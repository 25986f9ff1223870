"""Linear recurrences along an axis, from its end: log2(n) steps on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def shifted(rows: Any, steps: int) -> Any:
    """Return ``rows[..., i + steps]``, 0 behind the end."""
    zeros = np.zeros((*rows.shape[:-1], min(steps, rows.shape[-1])), rows.dtype)
    return np.concatenate([rows[..., steps:], zeros], axis=-1)


def from_the_end(ct: Any, factor: Any) -> Any:
    """Solve ``r[i] = ct[i] + factor[i] r[i+1]`` along the last axis, by doubling.

    Parameters
    ----------
    ct, factor : array
        Of the same shape; the last factor does not count.

    Returns
    -------
    array
        In their shape.

    Examples
    --------
    >>> import numpy as np
    >>> from_the_end(np.array([1.0, 1.0, 1.0]), np.array([0.5, 0.5, 0.5]))
    array([1.75, 1.5 , 1.  ])
    """
    steps = 1
    while steps < ct.shape[-1]:
        ct = ct + factor * shifted(ct, steps)
        factor = factor * shifted(factor, steps)
        steps *= 2
    return ct
