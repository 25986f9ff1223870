"""Arrays that belong to somebody else, behind handles for a while."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import guards
from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.places import copy_of, view_at, window_of
from tapemagic.autodiff.recorder import Recording
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.traced import TracedArray

#: Arrays up to this many bytes are copied when they are lifted; larger ones when first written to.
COPIED = 1 << 20


class Borrowed:
    """Arrays of somebody else's namespace, behind handles for a while.

    What the tape saves has to survive what the owner does to his arrays later: small arrays are
    copied at once; a large one is used where it is, moved aside if the cell writes to it, and put
    under guard at the end.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([1.0, 2.0])
    >>> borrowed = Borrowed()
    >>> handle = borrowed.lift(x)
    >>> handle[0] = 5.0
    >>> borrowed.restore()
    >>> x, borrowed.lower(handle) is x
    (array([5., 2.]), True)
    """

    def __init__(self) -> None:
        self._lifted: dict[int, tuple[Any, Any]] = {}  # id(plain) -> plain, handle
        self._lenders: dict[int, tuple[np.ndarray, Storage, tuple]] = {}  # id(owner) -> ...
        self._typed: dict[int, tuple[Any, Any]] = {}  # id(integers) -> they, a view as floats
        self._lowered: dict[int, tuple[Any, Any]] = {}  # id(handle) -> handle, plain
        self._owners: dict[int, tuple[Storage, np.ndarray]] = {}  # id(storage) -> plain owner

    def lift(self, plain: Any) -> Any:
        """Return the (untracked) handle for an array, NumPy scalar or number.

        The same object gets the same handle, and arrays that share memory share a storage.
        """
        known = self._lifted.get(id(plain))
        if known is not None:
            return known[1]
        handle: Any = object.__new__(TracedArray)
        handle.value, handle.aval = plain, code_of(plain)
        handle.id, handle.token, handle.storage = -1, None, None
        if isinstance(plain, np.ndarray):
            owner, storage = self._storage(plain)
            if storage.written:
                handle.value = (
                    storage.buffer
                    if plain is owner and plain.flags.writeable
                    else view_at(storage.buffer, window_of(plain, owner))
                )
            storage.attach(handle)
            handle.version = -1  # the memory may be watched already: it gets its node when read
        self._lifted[id(plain)] = plain, handle
        self._lowered[id(handle)] = handle, plain
        return handle

    def know(self, handle: Any, plain: Any) -> None:
        """Let `plain` stand for a handle that was made elsewhere."""
        self._lifted[id(plain)] = plain, handle
        self._lowered[id(handle)] = handle, plain

    def _storage(self, plain: np.ndarray) -> tuple[np.ndarray, Storage]:
        owner = plain
        while isinstance(owner.base, np.ndarray) and type(owner.base) is np.ndarray:
            owner = owner.base
        if owner.dtype.kind in "iu" and owner.itemsize == plain.itemsize:  # integers.view(float)
            owner = self._typed.setdefault(id(owner), (owner, owner.view(plain.dtype)))[1]
        contiguous = owner.flags.c_contiguous or owner.flags.f_contiguous
        if owner.dtype.kind not in "fc" or not contiguous:
            owner = plain
        known = self._lenders.get(id(owner))
        if known is None:
            storage = Storage(owner)
            contiguous = owner.flags.c_contiguous or owner.flags.f_contiguous
            if not contiguous or owner.nbytes <= COPIED:
                storage.move()
            known = self._lenders[id(owner)] = owner, storage, guards.fingerprint(owner)
            self._owners[id(storage)] = storage, owner
        return known[0], known[1]

    def lower(self, handle: Any) -> Any:
        """Return the plain object that NumPy would have left in place of a handle."""
        known = self._lowered.get(id(handle))
        if known is not None and known[0] is handle:
            return known[1]
        if not isinstance(handle.value, np.ndarray):
            plain = handle.value
        elif not isinstance(handle.storage, Storage):
            plain = copy_of(handle.value)  # a rule may have saved the value itself
        else:
            plain = self._lower_array(handle, handle.storage)
        self._lowered[id(handle)] = handle, plain
        return plain

    def _lower_array(self, handle: Any, storage: Storage) -> np.ndarray:
        known = self._owners.get(id(storage))
        if known is None:
            known = self._owners[id(storage)] = storage, copy_of(storage.buffer)
        owner = known[1]
        if storage.owner is not None and storage.owner() is handle:
            _reshape(owner, handle)
            return owner
        if storage.written:
            return view_at(owner, handle.window)
        if owner is storage.buffer:
            return handle.value
        return view_at(owner, window_of(handle.value, storage.buffer))

    def restore(self) -> None:
        """Write the data of changed arrays back into the arrays that were lifted."""
        for owner, storage, before in self._lenders.values():
            recording = storage.recording
            if recording is not None and guards.fingerprint(owner) != before:
                recording.spoiled = (
                    f"An array of shape {owner.shape} was changed behind the tape's back "
                    "(memoryview, ctypes, compiled code, or another name that the cell did not "
                    "read)."
                )
            if storage.changed:
                if recording is not None and not storage.copied_at_once:
                    _move_aside(recording, owner)
                _write(owner, storage.buffer)
            elif recording is not None and not storage.written:
                recording.guards[id(owner)] = (owner, before)
        for plain, handle in self._lifted.values():
            if isinstance(plain, np.ndarray):
                _reshape(plain, handle)
                storage = handle.storage
                if isinstance(storage, Storage):
                    writeable = storage.is_writeable(handle)
                    if writeable != plain.flags.writeable:
                        plain.flags.writeable = writeable


def _write(owner: np.ndarray, values: np.ndarray) -> None:
    """Write into an array, which may have been read-only before or after the cell wrote to it."""
    writeable = owner.flags.writeable
    owner.flags.writeable = True
    np.copyto(owner, values)
    owner.flags.writeable = writeable


def _reshape(plain: np.ndarray, handle: Any) -> None:
    """Give an array the shape that ``handle.shape = ...`` gave its handle."""
    if plain.shape != handle.value.shape:
        plain.shape = handle.value.shape


def _move_aside(recording: Recording, owner: np.ndarray) -> None:
    """Make the entries that refer to the memory of `owner` refer to a copy of it."""
    copy = owner.copy(order="K")

    def moved(value: Any) -> Any:
        if type(value) is tuple:
            return tuple(map(moved, value))
        if isinstance(value, np.ndarray) and (value is owner or value.base is owner):
            return view_at(copy, window_of(value, owner))
        return value

    def refers(value: Any) -> bool:
        if type(value) is tuple:
            return any(map(refers, value))
        return isinstance(value, np.ndarray) and (value is owner or value.base is owner)

    entries = recording.entries
    for k, entry in enumerate(entries):
        if refers(entry):
            entries[k] = moved(entry)
