"""Arrays that belong to somebody else, behind handles for a while."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from tapemagic.autodiff import guards
from tapemagic.autodiff.avals import code_of
from tapemagic.autodiff.lookers import is_seen, share
from tapemagic.autodiff.places import (
    copy_of,
    floats_of,
    is_writeable,
    memory_of,
    owner_of,
    view_at,
    window_of,
)
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.storage import Storage
from tapemagic.autodiff.traced import TracedArray
from tapemagic.autodiff.warned import warn
from tapemagic.errors import SourceError

from .lender import Lender, behind_our_back, write

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
        self._lenders: dict[int, Lender] = {}  # by id of the owner
        self._strange: list[Lender] = []
        self._lowered: dict[int, tuple[Any, Any]] = {}  # id(handle) -> handle, plain
        self._owners: dict[int, tuple[Storage, np.ndarray]] = {}  # id(storage) -> plain memory
        self._waiting: set[int] = set()  # ids of arrays whose handle has no storage yet
        self._copied: list[tuple[np.ndarray, tuple, Any]] = []  # array, its data, who records
        self._copies: set[int] = set()  # ids of storages of which the memory is a copy

    def lift(self, plain: Any) -> Any:
        """Return the (untracked) handle for an array, NumPy scalar or number.

        The same object gets the same handle, and arrays that share memory share a storage.
        """
        handle = self.hold(plain)
        if id(plain) in self._waiting:
            self._waiting.discard(id(plain))
            lender = self._lender(plain)
            storage = lender.storage
            if storage.written:
                handle._value = (
                    storage.buffer
                    if plain is lender.memory and is_writeable(plain) and not storage.own_shape
                    else view_at(storage.buffer, lender.window_of(plain))
                )
            storage.attach(handle)
            if plain is lender.owner:
                storage.owner = weakref.ref(handle)
            handle.version = -1  # the memory may be watched already: it gets its node when read
        return handle

    def hold(self, plain: Any) -> Any:
        """Return the handle; that of an array waits for `lift` or `copy` before it is used."""
        known = self._lifted.get(id(plain))
        if known is not None:
            return known[1]
        handle: Any = object.__new__(TracedArray)
        handle._value, handle.aval = plain, code_of(plain)
        handle.id, handle.token, handle.storage = -1, None, None
        if isinstance(plain, np.ndarray):
            self._waiting.add(id(plain))
        self.know(handle, plain)
        return handle

    def copy(self, plain: np.ndarray) -> None:
        """Let the handle of an array that nobody else can reach go on with a copy of it.

        What is dearer in `lift` is done for those who share the memory.
        """
        flags = plain.flags
        if not (flags.owndata and flags.forc and flags.writeable) or plain.nbytes > COPIED:
            self.lift(plain)
        elif id(plain) in self._waiting:
            self._waiting.discard(id(plain))
            handle = self._lifted[id(plain)][1]
            handle._value = plain.copy(order="K")
            storage = Storage(handle._value, handle, is_lent=True)
            storage.exposed = False
            storage.attach(handle)
            self._owners[id(storage)] = storage, plain
            self._copied.append((plain, guards.fingerprint(plain), RECORDER.recording))

    def know(self, handle: Any, plain: Any) -> None:
        """Let `plain` stand for a handle that was made elsewhere."""
        self._lifted[id(plain)] = plain, handle
        self._lowered[id(handle)] = handle, plain

    def holding(self) -> Iterator[tuple]:
        """Yield the tuples here that refer to handles."""
        return chain(self._lifted.values(), self._lowered.values())

    def plain_of(self, value: Any) -> Any:
        """Return what a handle stands for that was made of it, and anything else as it is."""
        known = self._lowered.get(id(value))
        return known[1] if known is not None and known[0] is value else value

    def follows(self, array: np.ndarray) -> bool:
        """Tell whether the memory of an array is written to, or watched."""
        lender = self._lenders.get(id(owner_of(array)))
        return lender is not None and (lender.storage.changed or lender.storage.id >= 0)

    def _lender(self, plain: np.ndarray) -> Lender:
        owner = owner_of(plain)
        memory = memory_of(owner, plain)
        if memory is None:  # floats that lie across the elements of others, or with gaps
            owner = plain
        known = self._lenders.get(id(owner))
        if known is None:
            known = Lender(owner, memory, plain)
            self._check_apart(known)
            share(known.storage)
            if known.storage.lookers is None and (memory is None or known.memory.nbytes <= COPIED):
                known.storage.move()
            self._lenders[id(owner)] = known
            self._owners[id(known.storage)] = known.storage, known.memory
            if known.is_copy:
                self._copies.add(id(known.storage))
        elif floats_of(known.memory) != floats_of(plain):
            raise _cannot_share(
                known.memory, plain, f"One holds {known.memory.dtype}, the other {plain.dtype}."
            )
        return known

    def _check_apart(self, new: Lender) -> None:
        """Raise if an array shares memory with another one, and NumPy does not say how."""
        for known in list(self._lenders.values()) if new.is_strange else self._strange:
            if np.shares_memory(known.owner, new.owner):
                raise _cannot_share(
                    known.owner,
                    new.owner,
                    "Neither is a view of the other, or their elements lie across each other.",
                )
        if new.is_strange:
            self._strange.append(new)

    def lower(self, handle: Any) -> Any:
        """Return the plain object that NumPy would have left in place of a handle."""
        known = self._lowered.get(id(handle))
        if known is not None and known[0] is handle:
            return known[1]
        if not isinstance(handle._value, np.ndarray):
            plain = handle._value
        elif not isinstance(handle.storage, Storage):
            plain = _copy_as_it_lies(handle._value)  # a rule may have saved the value itself
        else:
            plain = self._lower_array(handle, handle.storage)
        self._lowered[id(handle)] = handle, plain
        return plain

    def _lower_array(self, handle: Any, storage: Storage) -> np.ndarray:
        known = self._owners.get(id(storage))
        if known is None:
            memory = storage.as_owned() if is_seen(storage) else storage.copy()
            known = self._owners[id(storage)] = storage, memory
        if id(storage) in self._copies:
            warn(
                f"A view of an array of shape {known[1].shape[:-1]} is left as a copy: the elements"
                " of that array do not lie in line with each other. Take the view outside the tape."
            )
        memory = known[1]
        if storage.owner is not None and storage.owner() is handle:
            _reshape(memory, handle)
            if not storage.is_writeable(handle):
                memory.flags.writeable = False
            return memory
        if storage.written:
            return view_at(memory, handle.window)
        if memory is storage.buffer:
            return handle._value
        return view_at(memory, window_of(handle._value, storage.buffer))

    def restore(self) -> None:
        """Write the data of changed arrays back into the arrays that were lifted."""
        for plain, before, recording in self._copied:
            if guards.fingerprint(plain) != before:
                recording.spoiled = behind_our_back(plain)
        for lender in self._lenders.values():
            lender.settle()
        whole = {id(one.storage) for one in self._lenders.values() if one.is_whole}
        for plain, handle in self._lifted.values():
            if isinstance(plain, np.ndarray):
                _reshape(plain, handle)
                storage = handle.storage
                if not isinstance(storage, Storage):  # nobody has written to it
                    continue
                if storage.changed and id(storage) not in whole:
                    write(plain, storage.true_view(handle))
                writeable = storage.is_writeable(handle)
                if writeable != is_writeable(plain):
                    plain.flags.writeable = writeable


def _copy_as_it_lies(value: np.ndarray) -> np.ndarray:
    """Copy an array; of a part with gaps (real eigenvalues, of complex numbers) all the memory."""
    owner = owner_of(value)
    if value.flags.forc or not owner.flags.forc or 0 in value.strides:
        return copy_of(value)
    return view_at(owner.copy(order="K"), window_of(value, owner))


def _cannot_share(one: np.ndarray, other: np.ndarray, why: str) -> SourceError:
    return SourceError(
        f"Arrays of shapes {one.shape} and {other.shape} share memory in a way that the tape "
        "cannot follow.",
        why=why,
        fix="Use one of them and views of it, or a copy: x = x.copy().",
    )


def _reshape(plain: np.ndarray, handle: Any) -> None:
    """Give an array the shape that ``handle.shape = ...`` gave its handle."""
    if plain.shape != handle._value.shape:
        with warnings.catch_warnings():  # NumPy 2.5 has warned of it, at the user's line
            warnings.simplefilter("ignore", DeprecationWarning)
            plain.shape = handle._value.shape
