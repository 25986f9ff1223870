"""Cells that take long or hold large arrays: progress is shown, freed memory is kept."""

import ctypes
import platform
import threading

import pytest

from tapemagic.autodiff.backward import SWEEPS
from tapemagic.notebook import memory, progress

THREADS = "sorted(thread.name for thread in __import__('threading').enumerate())"
LONG = "%%tape w\nimport time\nloss = np.sum(w**2)\ntime.sleep(2.7)\nloss"


def bars(reply):
    """The texts of what was displayed that look like a bar."""
    return [data["text/plain"] for data in reply.displays if "recorded" in data["text/plain"]]


@pytest.mark.kernel
def test_a_long_cell_shows_progress_and_leaves_no_thread(kernel):
    kernel.run("%%tape w\nloss = np.sum(w**2)")
    threads = kernel.value(THREADS)
    reply = kernel.run(LONG)
    assert reply.status == "ok"
    assert bars(reply)
    assert reply.stream("stderr") == ""
    assert kernel.value(THREADS) == threads


@pytest.mark.kernel
def test_a_quick_cell_shows_none(kernel):
    assert kernel.run("%%tape w\nloss = np.sum(w**2)").displays == []


@pytest.mark.kernel
def test_a_program_that_runs_notebooks_sees_none(kernel, monkeypatch):
    monkeypatch.setattr(kernel.client, "allow_stdin", False)
    assert kernel.run(LONG).displays == []


@pytest.mark.kernel
def test_it_can_be_switched_off(kernel):
    kernel.run("%config TapeMagics.shows_progress = False")
    try:
        assert kernel.run(LONG).displays == []
    finally:
        kernel.run("%config TapeMagics.shows_progress = True")


def test_count_of_a_sweep():
    SWEEPS.append([None] * 11 + [set(), 4, set()])
    try:
        assert progress.count() == ("swept", 7, 11)
    finally:
        SWEEPS.pop()
    assert progress.count() == ("recorded", 0, None)


def test_no_thread_is_left_by_a_quick_cell():
    before = threading.active_count()
    bar = progress.Progress()
    bar.start()
    bar.stop()
    assert threading.active_count() == before


class FakeLibrary:
    def __init__(self):
        self.calls = []

    def mallopt(self, parameter, value):
        self.calls.append((parameter, value))

    def malloc_trim(self, pad):
        self.calls.append("trim")


@pytest.fixture
def library(monkeypatch):
    library = FakeLibrary()
    monkeypatch.setattr(memory, "_libc", lambda: library)
    monkeypatch.delenv("TAPEMAGIC_KEEP_MEMORY", raising=False)
    return library


def test_kept_memory_is_given_back(library):
    with memory.kept():
        assert len(library.calls) == 2
        with memory.kept():  # a slider, while a cell runs
            assert len(library.calls) == 2
        assert len(library.calls) == 2
    assert library.calls[-1] == "trim"
    assert {parameter for parameter, _ in library.calls[:2]} <= {p for p, _ in library.calls[2:-1]}


def test_memory_is_given_back_after_an_error(library):
    with pytest.raises(ZeroDivisionError), memory.kept():
        _ = 1 / 0
    assert library.calls[-1] == "trim"


def test_nothing_is_kept_where_it_is_turned_off_or_unknown(library, monkeypatch):
    monkeypatch.setenv("TAPEMAGIC_KEEP_MEMORY", "0")
    with memory.kept():
        pass
    assert library.calls == []
    monkeypatch.setattr(memory, "_libc", lambda: None)
    with memory.kept():
        pass


def no_library(name):
    raise OSError


@pytest.mark.parametrize(
    ("system", "load"),
    [("", ctypes.CDLL), ("glibc", no_library), ("glibc", lambda name: object())],
    ids=["macOS", "no library", "another library"],
)
def test_other_systems(monkeypatch, system, load):
    memory._libc.cache_clear()
    monkeypatch.setattr(platform, "libc_ver", lambda: (system, ""))
    monkeypatch.setattr(ctypes, "CDLL", load)
    try:
        assert memory._libc() is None
    finally:
        memory._libc.cache_clear()


FAULTS = """
import resource
start = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    y = np.sum(np.exp(-large * large))
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - start
loss = np.sum(w)"""


@pytest.mark.kernel
@pytest.mark.skipif(memory._libc() is None, reason="only glibc can be told")
def test_arrays_of_a_cell_do_not_fault_again(kernel):
    kernel.run("large = np.ones(2**21)" + FAULTS)
    plain = int(kernel.value("faults"))
    assert kernel.run("%%tape w" + FAULTS).status == "ok"
    assert int(kernel.value("faults")) * 3 < plain
