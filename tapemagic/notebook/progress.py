"""Progress of a cell that takes long: operations recorded, then swept.

A thread looks from outside at what the recording and the sweep count anyway, so that neither pays
for it. It is there for somebody who waits: a cell that is over in two seconds, a notebook that is
run by a program and a terminal that is a file see nothing of it.
"""

from __future__ import annotations

import contextlib
import contextvars
import sys
import threading
from typing import Any

from tapemagic.autodiff.backward import SWEEPS
from tapemagic.autodiff.recorder import RECORDER

#: Seconds before anything is shown, and between two looks.
PATIENCE, PERIOD = 2.0, 0.2


def is_watched(shell: Any) -> bool:
    """Say whether a person waits for the cell."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return sys.stderr is not None and sys.stderr.isatty()
    # programs that run notebooks say that nobody can answer a question
    return bool(getattr(kernel, "_allow_stdin", False))


def count() -> tuple[str, int, int | None]:
    """Return what is being done, how many operations it has come to, and of how many."""
    if SWEEPS:
        cotangents = SWEEPS[0]
        total = len(cotangents) - 3
        return "swept", total - cotangents[-2], total
    return "recorded", len(RECORDER.entries), None


class Progress:
    """A bar that appears if the cell is not over in time."""

    def __init__(self) -> None:
        self._over = threading.Event()
        # the bar belongs to the output of this cell, which a kernel knows by the context
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._look,), daemon=True)

    def start(self) -> None:
        """Begin to wait; where no threads can be started, as in a browser, there is no bar."""
        with contextlib.suppress(RuntimeError):
            self._thread.start()

    def stop(self) -> None:
        """Take the bar away; no thread is left when this returns."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _look(self) -> None:
        if self._over.wait(PATIENCE):
            return
        from tqdm.auto import tqdm

        class Bar(tqdm):
            monitor_interval = 0  # no thread of tqdm's own

        bar: Any = None
        doing = ""
        try:
            while not self._over.wait(PERIOD):
                now, done, total = count()
                if now != doing:
                    if bar is not None:
                        bar.close()
                    bar = Bar(desc=now, total=total, unit=" operations", leave=False)
                    doing = now
                bar.n = done
                bar.refresh()
        except Exception:  # noqa: BLE001  (a display must not fail the cell)
            return
        finally:
            if bar is not None:
                bar.close()
