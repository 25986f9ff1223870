"""Twins of `numpy.lib.stride_tricks`: windows on the memory of a handle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib import stride_tricks

from tapemagic.autodiff.arrays.indexing import encode
from tapemagic.autodiff.arrays.views import storage_of
from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.calls.creation import array_of
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES, node_of
from tapemagic.autodiff.places import positions_in, window_of
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.structure import append_node, get_item
from tapemagic.autodiff.twinning import twin_for


@twin_for(stride_tricks.as_strided)
def as_strided(
    x: Any, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True
) -> Any:
    """Return a handle on any window of the memory of a handle; it aliases like NumPy's."""
    if type(x) not in HANDLE_TYPES:
        return stride_tricks.as_strided(x, shape, strides, subok, writeable)
    x = array_of(np.asarray, x)
    storage = storage_of(x)
    view = storage.true_view(x)
    y = stride_tricks.as_strided(view, shape, strides, subok, writeable)
    result = object.__new__(type(x).result_class)
    result._value, result.aval, result.id, result.token = y, code_of(y), -1, None
    id_ = node_of(x)
    index = None if id_ in (-1, storage.id) else _elements(storage, view, y)
    if index is not None:
        result.id = append_node(get_item, (id_,), (x.aval,), (None, encode(index)), y)
        result.token = RECORDER.token
    storage.attach(result)
    result.window = window_of(y, storage.buffer)
    if index is None:  # a window of the whole memory, which gets its node when it is read
        result.version = -1
    return result


def _elements(storage: Storage, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...] | None:
    """Return the index of the elements of a view that a window shows; None if it shows others."""
    known, shown = (positions_in(window_of(a, storage.buffer)) for a in (x, y))
    order = np.argsort(known, axis=None)
    known = known.ravel()[order]
    found = np.searchsorted(known, shown)
    if not known.size or found.max(initial=0) >= known.size or (known[found] != shown).any():
        return None
    return np.unravel_index(order[found], x.shape) if x.ndim else None
