"""Warnings that NumPy gives in our frames, at the line of the user's that they are about.

Python names the line that called NumPy, which is ours where handles compute, and does so once per
line: of all the user's divisions by zero only the first would be heard of. Ours are let through
always, and given again at the user's line, where his own filters decide.
"""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np

from .positions import package_of
from .recorder import INNER, PACKAGE

_FILTER = ("always", None, Warning, re.compile(r"tapemagic\."), 0)


def warn(message: str) -> None:
    """Warn of something on the user's line."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and INNER[frame.f_code.co_filename]:
        frame, level = frame.f_back, level + 1
    if package_of(frame) == "IPython":  # the cell is over, and its shell has called
        warnings.warn_explicit(message, UserWarning, "%%tape", 1)
    else:
        warnings.warn(message, stacklevel=level)


def warn_of_dtype(dtype: Any) -> None:
    """Warn that something of integers or bools is watched in vain."""
    warn(
        f"The dtype of the watched tensor must be floating (e.g. tf.float32), got {dtype}: "
        "its gradient will be None."
    )


_MODULE: Any = warnings  # what all warnings go through has no public name


class WarningLines:
    """Takes the place of what shows warnings, for the time of a recording or of one operation.

    Not of `warnings.showwarning`, which is the user's: ``catch_warnings(record=True)`` sets it.
    """

    def begin(self) -> None:
        """Listen."""
        # Not by `filterwarnings`: that forgets which warnings were shown once, and a step of a
        # training loop would warn again each time.
        warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
        self._shows = _MODULE._showwarnmsg
        _MODULE._showwarnmsg = self._show

    def heard(self, compute: Callable) -> Callable:
        """Return what computes the same and listens meanwhile, where no recording does."""

        def listening(*args: Any, **kwargs: Any) -> Any:
            if _MODULE._showwarnmsg == self._show:  # an operation within another one
                return compute(*args, **kwargs)
            self.begin()
            try:
                return compute(*args, **kwargs)
            finally:
                self.end()

        return listening

    def end(self) -> None:
        """Give the place back, unless the user has put something else there."""
        if _MODULE._showwarnmsg == self._show:
            _MODULE._showwarnmsg = self._shows
        try:  # noqa: SIM105  (every block ends here, and `suppress` would double what it costs)
            warnings.filters.remove(_FILTER)  # type: ignore[attr-defined]
        except ValueError:  # the user has reset the filters
            pass

    def _show(self, warning: Any) -> None:
        frame = _line_that_called() if warning.filename.startswith(PACKAGE) else None
        if frame is None:
            self._shows(warning)
            return
        scope = frame.f_globals
        warnings.warn_explicit(
            warning.message,
            warning.category,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=scope.get("__name__"),
            registry=scope.setdefault("__warningregistry__", {}),
        )


WARNING_LINES = WarningLines()

_SILENCE = ("ignore", None, Warning, None, 0)


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Give no warnings where operations run again: those of the user's own line were given.

    Not by `catch_warnings`, for the reason that `begin` has.
    """
    warnings.filters.insert(0, _SILENCE)  # type: ignore[attr-defined]
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        with contextlib.suppress(ValueError):  # a gradient function of the user's has reset them
            warnings.filters.remove(_SILENCE)  # type: ignore[attr-defined]


def _line_that_called() -> FrameType | None:
    """Return the innermost frame that is neither ours, nor NumPy's, nor of `warnings` itself."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (
        INNER[frame.f_code.co_filename] or frame.f_globals is vars(warnings)
    ):
        frame = frame.f_back
    return frame
