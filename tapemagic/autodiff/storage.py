"""Writes and views: one storage, many handles, versions.

NumPy's arrays alias: a write through a slice reaches the base and every other view. Nodes are
immutable. A `Storage` stands between the two: it owns the memory that a group of handles looks at
and knows which node holds its current contents.

- A *write* makes a new node of the whole memory, and every handle of the storage stale.
- A *stale* handle is brought up to date when it is read: its node becomes "this window of the
  current contents".
- Values that a rule has saved must stay what they were. The first write copies the memory; later
  ones go in place, until somebody reads an array whole again. What is saved of a view after the
  first write is a copy (no dearer than the operation that reads it). A loop of n writes costs O(n).

A view is described by its window on the memory: byte offset, shape, strides, dtype. That covers
every composition of slices, transposes, reshapes and real/imaginary parts.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from . import guards, recorder
from .avals import code_of, is_small
from .lookers import Lookers, is_seen, shares
from .places import Window, copy_of, is_same_window, is_writeable, order_of, view_at, window_of
from .recorder import RECORDER, Recording
from .structure import append_node, identity, place_of_write, source, window_get


class Storage:
    """The memory behind a group of handles that alias each other.

    Attributes
    ----------
    buffer : ndarray
        The memory, contiguous, in C or Fortran order; in the shape in which it is written to.
    own_shape : tuple or None
        Shape of the array that owns the memory, if that is another.
    id, token, aval
        Node of the current contents of the whole buffer, as for a handle.
    version : int
        Counts the writes; a handle of an older version is stale.
    written : bool
        Whether `buffer` is a copy of ours, so that values saved earlier lie elsewhere.
    exposed : bool
        Whether a rule may have saved `buffer` itself since the last copy.
    owner : weak reference or None
        The handle that stands for the array itself, and not for a view of it.
    is_lent, is_part : bool
        Whether the array was there before the tape; and is a part of one of other elements.
    lookers : Lookers or None
    """

    __slots__ = (
        "aval", "buffer", "changed", "copied_at_once", "exposed", "fresh", "handles", "id",
        "is_lent", "is_made", "is_part", "limit", "lookers", "own_shape", "owner", "recording",
        "token", "version", "whole", "written",
    )  # fmt: skip

    def __init__(self, buffer: np.ndarray, base: Any = None, is_lent: bool = False) -> None:
        self.buffer, self.is_lent, self.is_part = buffer, is_lent, False
        self.own_shape: tuple[int, ...] | None = None
        self.aval = code_of(buffer)
        self.id: int = base.id if base is not None else -1
        self.token: object = base.token if base is not None else None
        #: Whether the running code made it, of nothing that is watched.
        self.is_made = self.id < 0 and not is_lent
        self.owner = weakref.ref(base) if base is not None else None
        self.version = 0
        self.written = False
        self.exposed = True
        self.recording: Recording | None = None  # the one whose entries may refer to the buffer
        self.copied_at_once = False
        self.changed = False  # whether anything was ever written
        self.whole: Window | None = None  # the window of the buffer itself, once written
        self.handles: list[weakref.ref] = []  # all handles alive
        self.fresh: list[weakref.ref] = []  # those whose token a write has to take back
        self.lookers: Lookers | None = None
        self.limit = 16  # length of `handles` at which the dead are dropped

    def attach(self, handle: Any, offset: int = -1) -> None:
        """Make `handle`, whose value lies in the buffer, one of this storage's handles.

        `offset` is where it begins, in bytes, if that is known.
        """
        handle.storage = self
        handle.version = self.version
        handle.window = None
        self.handles.append(weakref.ref(handle))
        if len(self.handles) > self.limit:
            self.handles = [known for known in self.handles if known() is not None]
            self.limit = 2 * len(self.handles) + 16
        if self.written:
            self._place(handle, self.buffer, offset)
            handle.token = None  # not saved yet: `settle` decides what to do about the value

    def _place(self, handle: Any, buffer: np.ndarray, offset: int = -1) -> None:
        """Note where in `buffer` the value of a handle lies."""
        value = handle._value
        if offset < 0:
            window = window_of(value, buffer)
        else:
            window = offset, value.shape, value.strides, value.dtype.str, is_writeable(value)
        handle.window = self.whole if window == self.whole else window

    # -------------------------------------------------------------------------------- reading

    def true_view(self, handle: Any) -> np.ndarray:
        """Return the handle's window on the current contents: what NumPy would have."""
        if not self.written:
            return handle._value
        if handle.window[4] and handle.window is self.whole:
            return self.buffer
        if handle._value.base is self.buffer:  # it is that view, as it was made
            return handle._value
        return view_at(self.buffer, handle.window)

    peek = true_view  # the name that a `VariableState` has for it

    def is_writeable(self, handle: Any) -> bool:
        """Tell whether the array that a handle stands for may be written to."""
        return bool(handle.window[4] if self.written else is_writeable(handle._value))

    def set_writeable(
        self, handle: Any, write: Any = None, align: Any = None, uic: Any = None
    ) -> None:
        """Carry out ``handle.setflags(...)``."""
        value = (
            handle._value if not self.written else view_at(self.buffer, (*handle.window[:4], True))
        )
        value.setflags(write=write, align=align, uic=uic)
        if self.written and write is not None:
            handle.window = (*handle.window[:4], bool(write))
            handle._value = view_at(self.buffer, handle.window)

    def settle(self, handle: Any, reads: bool = True, frame: Any = None) -> tuple[Any, int, int]:
        """Return value, id and aval of a handle whose token did not match.

        `reads` tells whether a rule may keep the value: then it is protected from later writes. A
        view is copied if there were writes before: else the first write of all copies the memory.
        `frame` is what a `VariableState` asks for.
        """
        value = self.true_view(handle)
        self.recording = RECORDER.recording
        id_ = self.node_of(handle)
        tracked = id_ >= 0
        reads = reads or not tracked  # constants are always kept: a run can be repeated
        if reads and self.written:
            if is_seen(self):
                handle._value = value = guards.keep(value)
            elif handle.window is self.whole or not self.changed:
                self.exposed = True
                handle._value = value
            else:
                handle._value = value = copy_of(value)
            if tracked:
                handle.token = self.token
                self.fresh.append(weakref.ref(handle))
        return value, id_, handle.aval

    def node_of(self, handle: Any) -> int:
        """Return the node of what a handle looks at now, or -1; nothing is protected."""
        if self.token is not RECORDER.token:
            return -1
        if handle.version != self.version:
            self._renew(handle)
        return handle.id

    def _renew(self, handle: Any) -> None:
        """Give a stale handle a node: its window of the current contents."""
        if handle.window is self.whole:
            handle.id = self.id
        else:
            handle.id = append_node(
                window_get,
                (self.id,),
                (self.aval,),
                (None, (order_of(self.buffer), handle.window)),
                self.true_view(handle),
            )
        handle.version = self.version

    def adopt(self, handle: Any, is_kept: bool = True) -> None:
        """Give what `handle` looks at a new name, which all later reads of the memory go through.

        Of memory that nobody watches the name is a source. Watching a view writes its source into
        the memory, so that the base and other views depend on it as they do in NumPy.

        The owner may write to his array later, so the value is copied. Without `is_kept`, that of
        a large array is not, and a sweep over changed data is refused (`guards`).
        """
        self.meet(handle)
        if self.exposed:
            if not self.written and not is_kept and is_same_window(self.buffer, handle._value):
                self.stay()
            else:
                self.copy_buffer()
        before = self.current()
        value = self.true_view(handle)
        if before < 0:
            kept = np.array(value) if is_small(handle.aval) and self.written else value
            self.exposed = self.exposed or kept is value
            name = recorder.append((handle.aval, (), (), (), None, kept), source.code)
        else:
            old = (handle.aval, self.node_of(handle), -1, None, None, None)
            name = recorder.append(old, identity.code)
        if handle.window is self.whole:
            now = name
        else:
            primitive, where = place_of_write(self.buffer, value, Ellipsis, Ellipsis)
            # what else is in that memory: a run can be repeated
            contents = self.buffer.copy(order="K") if before < 0 else None
            now = append_node(
                primitive, (before, name), (self.aval, handle.aval), (contents, None, where),
                self.buffer,
            )  # fmt: skip
        self._renamed(now)
        handle.id, handle.version = name, self.version
        if not self.written:
            handle.token = self.token

    # -------------------------------------------------------------------------------- writing

    def meet(self, handle: Any) -> None:
        """Let the memory look as a handle that has all of it does, if the array itself is gone."""
        if not self.written and self.owner is not None and self.owner() is None:
            id_ = self.node_of(handle)
            if self.look_as(handle._value) and self.token is RECORDER.token:
                self.id = id_

    def look_as(self, view: np.ndarray) -> bool:
        """Give the memory the shape of a view of all of it, so that writes are seen as they are.

        Tell whether that is another one: of ``np.arange(6.0).reshape(2, 3)``, say.
        """
        buffer = self.buffer
        is_all = view.size == buffer.size and view.dtype == buffer.dtype
        if not (is_all and view.size and view.flags.c_contiguous and buffer.flags.c_contiguous):
            return False
        if view.shape == buffer.shape:
            return False
        self.own_shape = self.own_shape or buffer.shape
        self.buffer, self.aval = buffer.reshape(view.shape), code_of(view)
        return True

    def as_owned(self) -> np.ndarray:
        """Return the memory in the shape of the array that owns it."""
        return self.buffer if self.own_shape is None else self.buffer.reshape(self.own_shape)

    def copy(self) -> np.ndarray:
        """Return a copy of the array that owns the memory."""
        return copy_of(self.buffer) if self.own_shape is None else self.as_owned().copy()

    def own(self, is_traced: bool = False) -> None:
        """Make the buffer writable without touching anything that a rule has saved."""
        if self.written and not self.exposed and self.lookers is None:
            return
        if not shares(self, is_traced):
            self.copy_buffer()

    def move(self) -> None:
        """Leave the memory to its owner at once, before anything has been read."""
        self.copy_buffer()
        self.copied_at_once = True

    def copy_buffer(self) -> None:
        """Leave the memory as it is to whoever refers to it."""
        old = self.buffer
        contiguous = old.flags.c_contiguous or old.flags.f_contiguous
        self.buffer = old.copy(order="K" if contiguous else "C")
        self._leave(old)

    def stay(self) -> None:
        """Go on with memory that is somebody else's, who has to see what is written: `lookers`."""
        self._leave(self.buffer)
        self.exposed = True

    def _leave(self, old: np.ndarray) -> None:
        """Note where the handles have been, whose values are to be read anew from now on."""
        if not self.written:
            self.whole = window_of(old, old)
            self.handles = [known for known in self.handles if known() is not None]
            self.fresh = list(self.handles)
            for known in self.handles:
                if (handle := known()) is not None:
                    self._place(handle, old)
        self.written, self.exposed = True, False
        self._take_back()  # their values are the old memory, also if the write fails

    def written_by(self, handle: Any, id_: int) -> None:
        """Note that the node `id_` (-1: nothing traced) holds the contents after a write."""
        self.changed = True
        self._renamed(id_)
        handle._value = self.true_view(handle)
        handle.token = None
        if handle.window is self.whole:
            handle.id, handle.version = id_, self.version

    def _renamed(self, id_: int) -> None:
        """Make all handles stale: the contents are known by another node from here on."""
        self.version += 1
        self.id, self.token = id_, RECORDER.token if id_ >= 0 else None
        self._take_back()

    def _take_back(self) -> None:
        """Let every handle be settled again when it is read."""
        for reference in self.fresh:
            if (stale := reference()) is not None:
                stale.token = None
        self.fresh = []

    def current(self) -> int:
        """Return the node of the contents in this recording, or -1."""
        return self.id if self.token is RECORDER.token else -1
