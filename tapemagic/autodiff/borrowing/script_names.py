"""Names of a script that mean NumPy stand for its twins while a tape records.

Dispatch cannot see ``np.zeros(3)``, ``np.array([t, t])`` or ``math.sin(t)``. As in a `%%tape` cell,
the names under which the running code finds NumPy, `math` or one of their functions are bound to
twins (`twins/modules.py`) when recording begins, and to the originals again when it ends. NumPy
itself is never patched.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import FrameType
from typing import Any

from tapemagic.autodiff.positions import user_frame
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.traced import TracedArray

from .borrowed import Borrowed
from .exchange import Exchange, Place, is_users_module
from .frame_names import FrameNames
from .held_functions import with_twins
from .looks import Binding, Look
from .scopes import scopes

_MOST_LOOKS = 32  # that are remembered


class ScriptNames:
    """The names that are bound to twins for the time of a recording."""

    def __init__(self) -> None:
        self._bound: list[Binding] = []
        # of one script at a time, since a loop of steps asks for the same ones again
        self._names: dict[str, Any] = {}
        self._looks: dict[int, Look] = {}  # by id of the code, which they keep

    def bind(self, frame: Any, runs: Any = None) -> None:
        """Bind the twins, for the code of a frame, and a function that it will call."""
        code = frame.f_code
        if frame.f_globals is not self._names:
            self._names, self._looks = frame.f_globals, {}
        look = self._looks.get(id(code))
        if look is None:
            if len(self._looks) == _MOST_LOOKS:
                del self._looks[next(iter(self._looks))]
            look = self._looks[id(code)] = Look(code)
        local = FrameNames(frame)
        found = local.pick(look.local) if look.local else {}
        if not self._bind_all(look.bindings(frame, found, runs)):
            self._release_all()
            look.forget()
            self._bind_all(look.bindings(frame, found, runs))
        pairs = [(name, value, with_twins(value)) for name, value in found.items()]
        if changed := [(local, *one) for one in pairs if one[1] is not one[2]]:
            self._bind_all(changed)
            local.pick(())  # what was read to bind it
        RECORDER.made = []

    def _bind_all(self, bindings: Iterable[Binding]) -> bool:
        """Bind twins; tell whether the originals were all there, as they are without a tape."""
        are_there = True
        for binding in bindings:
            names, name, original, twin = binding
            if names.get(name) is original:
                names[name] = twin
                self._bound.append(binding)
            else:
                are_there = False
        return are_there

    def _release_all(self) -> None:
        for names, name, original, twin in self._bound:
            if names.get(name) is twin:
                names[name] = original
        self._bound.clear()

    def release(self, tape: Any) -> None:
        """Bind the originals again, and put plain arrays where somebody has one that a twin made.

        Those that took traced values are known to the tape by the plain arrays from then on.
        """
        self._release_all()
        made, RECORDER.made = RECORDER.made, None
        if made:
            left = Left([x for find in made if (x := find()) is not None], tape)
            names = scopes(user_frame())
            if left.ours or any(left.is_left(x) for one in names for _, x in list(one.items())):
                left.put_back()


SCRIPT_NAMES = ScriptNames()


def running_frame() -> FrameType | None:
    """Return the innermost frame that is the user's own, and not of a library.

    Asked by a tape that begins or goes on, which is two more frames of ours.
    """
    frame = user_frame(4)
    while frame is not None and not is_users_module(frame.f_globals.get("__name__") or ""):
        frame = frame.f_back
    return frame


class Left(Exchange):
    """What twins made during a block, and constants made of it, become plain NumPy after it."""

    def __init__(self, made: list[Any], tape: Any) -> None:
        super().__init__(Borrowed(), tape.register_plain)
        self.ours = {id(x): x for x in made}

    def is_left(self, value: Any) -> bool:
        """Tell whether a value is a handle that depends on nothing, or has taken traced values."""
        return type(value) is TracedArray and not self.is_foreign(value)

    def is_foreign(self, handle: Any) -> bool:
        """Tell whether a handle is the result of something watched, which it stays."""
        if handle.storage is None:
            return handle.id >= 0 and id(handle) not in self.ours
        return not getattr(handle.storage, "is_made", False)

    def lower(self, value: Any) -> Any:
        """Return a generator, polynomial or vectorized function of NumPy's own class."""
        from tapemagic.autodiff.twins.modules import original_of  # loaded: a twin made something

        return original_of(value) if id(value) in self.ours else value

    def put_back(self) -> None:
        """Look for them in all that the names of the running code reach."""
        frame = user_frame()
        places: list[Place] = []
        for scope in scopes(frame):
            places += [(scope, name) for name in list(scope) if not name.startswith("__")]
        self.give_back(places)
