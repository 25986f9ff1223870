"""Twins of `numpy.lib.stride_tricks`: windows on the memory of a handle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib import stride_tricks

from .avals import code_of
from .creation import array_of
from .dispatch import HANDLE_TYPES
from .places import window_of
from .storage import storage_of
from .twinning import twin_for


@twin_for(stride_tricks.as_strided)
def as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Any:
    """Return a handle on any window of the memory of a handle; it aliases like NumPy's."""
    if type(x) not in HANDLE_TYPES:
        return stride_tricks.as_strided(x, shape, strides, subok, writeable)
    x = array_of(np.asarray, x)
    storage = storage_of(x)
    y = stride_tricks.as_strided(storage.true_view(x), shape, strides, subok, writeable)
    result = object.__new__(type(x).result_class)
    result.value, result.aval, result.id, result.token = y, code_of(y), -1, None
    storage.attach(result)
    result.window = window_of(y, storage.buffer)
    result.version = -1  # stale: it gets its node when it is read
    return result
