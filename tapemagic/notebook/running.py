"""Between IPython and a session: which cell is running, and when it is over.

The cell is an ordinary cell: it is not run from here. Its first statement arms the session, and
the shell's own events end it, whatever happens in between.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES
from tapemagic.autodiff.tracebacks import prune, refusal_behind

from .interrupts import uninterrupted
from .session import Session


class ShellRun:
    """An armed session in a shell, until the shell has finished the cell.

    Parameters
    ----------
    shell : InteractiveShell
    session : Session
    finished : callable
        Called once the namespace is plain again; returns an exception if the run failed after all.
    """

    def __init__(
        self,
        shell: Any,
        session: Session,
        finished: Callable[[], BaseException | None],
    ) -> None:
        self.shell = shell
        self.session = session
        self.finished = finished
        self.result = shell.displayhook.exec_result
        self.thread = threading.get_ident()
        self.frame = _shell_frame()
        self._previous_exceptions: tuple[Any, Any] = ((), None)
        self._handler: Any = None

    def start(self) -> None:
        """Arm the session; from here on the shell's events end it."""
        events = self.shell.events
        events.register("pre_execute", self.before_next_cell)
        events.register("post_execute", self.after_silent_cell)
        events.register("post_run_cell", self.after_cell)
        try:
            self.session.begin()
        except BaseException as error:
            self._unhook()
            self.session.end(error)
            raise
        self._show_handles()
        self._hook_exceptions()

    # ------------------------------------------------------------------------------ the end

    def after_cell(self, result: Any) -> None:
        """End the session if the cell that is over is the one that began it."""
        if result is None or result is self.result or not self._is_running():
            self.finish(result)

    def after_silent_cell(self) -> None:
        """Do the same for a cell that was run without history: it has only this event."""
        silent = self.result is not None and self.result.info.silent
        if silent and not self._is_running():
            self.finish(self.result)

    def before_next_cell(self) -> None:
        """End a session whose own end was interrupted."""
        if not self._is_running():
            self.finish(self.result)

    def finish(self, result: Any) -> None:
        """Put everything back, then show what was recorded."""
        with uninterrupted():
            if result is None:  # the shell's own task was cancelled
                error: BaseException | None = KeyboardInterrupt()
            else:
                error = result.error_in_exec or result.error_before_exec
                if error is not None and error is result.error_in_exec:
                    error = result.error_in_exec = refusal_behind(error)
            self._unhook()
            self._unhook_exceptions()
            self.frame = None
            self.session.end(error, self._places(result))
        failure = self.finished()
        if failure is not None and result is not None and error is None:
            # the cell as a whole has failed: its execution must not count as a success
            result.error_in_exec = failure
            self.shell.last_execution_succeeded = False
            prune(failure)
            self.shell.showtraceback((type(failure), failure, failure.__traceback__))

    def _unhook(self) -> None:
        for event, callback in (
            ("pre_execute", self.before_next_cell),
            ("post_execute", self.after_silent_cell),
            ("post_run_cell", self.after_cell),
        ):
            if callback in self.shell.events.callbacks[event]:
                self.shell.events.unregister(event, callback)

    def _is_running(self) -> bool:
        """Say whether the shell is still inside the cell (this is then a cell run by it)."""
        if threading.get_ident() != self.thread:
            return True
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            if frame is self.frame:
                return True
            frame = frame.f_back
        return False

    def _places(self, result: Any) -> list[tuple[Any, Any]]:
        """Name the places outside the namespace where the shell has put the cell's value."""
        places: list[tuple[Any, Any]] = [*self._last_shown()]
        outputs = self.shell.user_ns.get("_oh")
        number = getattr(result, "execution_count", None)
        if isinstance(outputs, dict) and number in outputs:
            places.append((outputs, number))
        if result is not None and result.result is not None:
            places.append((vars(result), "result"))
        return places

    def _show_handles(self) -> None:
        """Let the shell know what it has shown last: it would take a handle for a new `_`."""
        names = self.shell.user_ns
        for known, name in self._last_shown():
            if type(names.get(name)) in HANDLE_TYPES:
                known[name] = names[name]

    def _last_shown(self) -> list[tuple[Any, str]]:
        """Name the places where the shell keeps `_` and its kin, besides the user's names."""
        mappings = vars(self.shell.displayhook), self.shell.user_ns_hidden
        return [(x, name) for x in mappings for name in ("_", "__", "___") if name in x]

    # --------------------------------------------------------------------------- tracebacks

    def _hook_exceptions(self) -> None:
        shell = self.shell
        self._previous_exceptions = (shell.custom_exceptions, shell.CustomTB)
        shell.set_custom_exc((BaseException,), self._show_exception)
        self._handler = shell.CustomTB

    def _unhook_exceptions(self) -> None:
        # unless the cell has set a handler of its own meanwhile
        if self._handler is not None and self.shell.CustomTB is self._handler:
            self.shell.custom_exceptions, self.shell.CustomTB = self._previous_exceptions
        self._handler = None

    def _show_exception(
        self, shell: Any, kind: Any, error: BaseException, tb: Any, tb_offset: Any = None
    ) -> list[str]:
        """Show an exception of the cell as the shell does, without our frames in it."""
        prune(error)
        error = refusal_behind(error)
        exceptions, handler = self._previous_exceptions
        if isinstance(error, exceptions):
            handler(type(error), error, error.__traceback__)
        else:
            details = (type(error), error, error.__traceback__)
            shell.showtraceback(details, running_compiled_code=True)
        return []


def _shell_frame() -> FrameType | None:
    """Find the frame in which the shell runs the cell."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "run_cell_async":
        frame = frame.f_back
    return frame
