"""Numbers that plain code keeps of traced values, to be read later: running means."""

from __future__ import annotations

from typing import Any

from .handles import HANDLE_TYPES, node_of
from .positions import context_of, user_frame
from .recorder import RECORDER


class Kept:
    """The nodes of values of which plain code keeps numbers, for later: running means.

    Whoever keeps them adds the values; if the numbers are read while the same recording goes on,
    the gradient ends there, and a program stops.
    """

    def __init__(self) -> None:
        self._token: object = None
        self._nodes: list[int] = []

    def add(self, *values: Any) -> None:
        """Remember what the numbers are made of."""
        recording = RECORDER.recording
        if recording is None:
            return
        if self._token is not recording.token:
            self._token, self._nodes = recording.token, []
        self._nodes += [
            node for x in values if type(x) in HANDLE_TYPES and (node := node_of(x)) >= 0
        ]

    def read(self, how: str) -> None:
        """Note that the numbers are used."""
        recording, frame = RECORDER.recording, user_frame()
        if recording is None or self._token is not recording.token or frame is None:
            return
        at, context, offset = len(recording.entries), context_of(frame), frame.f_lasti
        for node in self._nodes:
            recording.decisions.append((at, context, offset, None, (("node", node),), ()))
            recording.events.append(("cut", node, context, offset, how))
