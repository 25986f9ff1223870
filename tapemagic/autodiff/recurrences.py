"""Linear recurrences along an axis, from its end: log2(n) steps on whole arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


def from_the_end(ct: Any, factor: Any) -> Any:
    """Solve ``r[i] = ct[i] + factor[i] r[i+1]`` along the last axis, by doubling.

    Parameters
    ----------
    ct : array
    factor : array
        One element fewer. What would come from behind the end is left out: a factor of 0 would
        make nan of an infinity.

    Returns
    -------
    array
        In the shape of `ct`.

    Examples
    --------
    >>> import numpy as np
    >>> from_the_end(np.array([1.0, 1.0, 1.0]), np.array([0.5, 0.5]))
    array([1.75, 1.5 , 1.  ])
    """
    steps, n = 1, ct.shape[-1]
    while steps < n:
        inner = n - steps
        head = ct[..., :inner] + factor[..., :inner] * ct[..., steps:]
        ct = np.concatenate([head, ct[..., inner:]], axis=-1)
        factor = factor[..., : max(inner - steps, 0)] * factor[..., steps : max(inner, steps)]
        steps *= 2
    return ct
