"""Tapes in several threads: one thread records at a time, and the others are told."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.errors import LeavesTapeError, TapeStateError


class Other:
    """A thread that holds a tape open until it is told to end."""

    def __enter__(self):
        self._entered, self._end = threading.Event(), threading.Event()
        self.gradient = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._entered.wait()
        return self

    def _run(self):
        x = np.array([1.0, 2.0])
        with GradientTape() as tape:
            tape.watch(x)
            self._entered.set()
            self._end.wait()
            y = (x * x).sum()
        self.gradient = tape.gradient(y, x)

    def __exit__(self, *error):
        self._end.set()
        self._thread.join()


def gradient_here():
    w = np.array([3.0, 4.0])
    with GradientTape() as tape:
        tape.watch(w)
        y = (w * w).sum()
    assert type(w) is np.ndarray
    return tape.gradient(y, w).tolist()


def test_a_second_thread_is_refused_and_changes_nothing():
    tape = GradientTape()
    with Other() as other:
        with pytest.raises(TapeStateError, match="Another thread records"), tape:
            pass
        with pytest.raises(TapeStateError, match="Another thread records"):
            gradient_here()
    assert other.gradient.tolist() == [2.0, 4.0]
    assert gradient_here() == [6.0, 8.0]
    with tape:  # the refused one records of its own
        pass
    assert RECORDER.thread is None


def test_a_thread_that_has_ended_holds_nobody_up():
    tape = GradientTape()
    thread = threading.Thread(target=tape.start)
    thread.start()
    thread.join()
    try:
        assert RECORDER.claim()
    finally:
        tape.stop()


def test_nested_tapes_and_pauses_keep_the_recorder():
    w = np.array([3.0, 4.0])
    with GradientTape(persistent=True) as outer:
        outer.watch(w)
        with GradientTape() as inner:
            inner.watch(w)
            y = (w * w).sum()
        with outer.stop_recording():
            assert RECORDER.thread == threading.get_ident()
        z = y * 2
    assert outer.gradient(z, w).tolist() == [12.0, 16.0]
    assert RECORDER.thread is None


def test_many_threads_are_right_or_refused():
    found, errors = [], []

    def work(k):
        for _ in range(50):
            w = np.array([1.0, 2.0]) * k
            try:
                with GradientTape() as tape:
                    tape.watch(w)
                    y = (w * w).sum()
                found.append(np.allclose(tape.gradient(y, w), 2 * np.array([1.0, 2.0]) * k))
            except TapeStateError as error:
                errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found)
    assert len(found) + len(errors) == 150


def test_work_of_another_thread_under_our_tape_is_refused():
    """Its entries would stand among ours, and one thread's line under the other's values."""
    w, errors = np.array([3.0, 4.0]), []

    def work(t):
        try:
            t * t
        except TapeStateError as error:
            errors.append(error)

    with GradientTape() as tape:
        tape.watch(w)
        y = (w * w).sum()
        other = threading.Thread(target=work, args=(w,))
        other.start()
        other.join()
        y = y * 2.0
    (error,) = errors
    assert "Another thread computes" in error.what
    assert error.fix
    assert tape.gradient(y, w).tolist() == [12.0, 16.0]


def test_a_library_s_own_thread_is_where_the_recording_one_waits():
    """No line of the user's has called it: a pool pickles its arguments in a thread of its own."""
    w = np.array([1.0, 2.0])
    with (
        GradientTape() as tape,
        ThreadPoolExecutor(1) as pool,
        pytest.raises(LeavesTapeError, match="'w' would leave the tape") as refused,
    ):
        tape.watch(w)
        pool.submit(pickle.dumps, w).result()
    assert refused.value.code == "pool.submit(pickle.dumps, w).result()"
