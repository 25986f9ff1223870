"""Tracebacks show the user's lines only; Ctrl-C waits while names are half exchanged."""

import os
import signal
import traceback
from pathlib import Path

import pytest

from tapemagic.notebook import frames
from tapemagic.notebook.interrupts import uninterrupted

OURS = frames._PACKAGE + "notebook" + os.sep + "some.py"


def run(text, filename, **names):
    exec(compile(text, filename, "exec"), names)
    return names


def chain(error):
    return [Path(entry.filename).name for entry in traceback.extract_tb(error.__traceback__)]


@pytest.fixture
def error():
    ours = run("def f(g):\n    return g()", OURS)["f"]
    deep = run("def fail():\n    raise ValueError('x')", "user_b.py")["fail"]
    with pytest.raises(ValueError, match="x") as caught:
        run("\n\nf(lambda: f(deep))", "user_a.py", f=ours, deep=deep)
    return caught.value


def test_prune(error):
    assert chain(error).count("some.py") == 2
    frames.prune(error)
    assert chain(error)[-3:] == ["user_a.py", "user_a.py", "user_b.py"]
    assert "some.py" not in chain(error)


def test_causes_are_pruned_too(error):
    outer = RuntimeError("outer")
    outer.__context__ = error
    error.__cause__ = outer  # a cycle
    group = ExceptionGroup("g", [outer])
    frames.prune(group)
    assert "some.py" not in chain(error)


def test_only_ours():
    ours = run("def f():\n    raise KeyError", OURS)["f"]
    with pytest.raises(KeyError) as caught:
        ours()
    error = caught.value.with_traceback(caught.tb.tb_next)
    frames.prune(error)
    assert error.__traceback__ is None


def test_find_line(error):
    assert frames.find_line(error, "user_a.py") == 3
    assert frames.find_line(error, "user_b.py") == 2
    assert frames.find_line(error, "elsewhere.py") is None


def test_interrupt_is_put_off():
    steps = []

    def interrupted():
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGINT)
            for _ in range(1000):  # long enough for the handler to have run
                pass
            steps.append("done")
        steps.append("never")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert steps == ["done"]
    assert signal.getsignal(signal.SIGINT) is before


def test_without_interrupt_nothing_happens():
    with uninterrupted():
        pass
    with pytest.raises(ValueError, match="own"), uninterrupted():
        raise ValueError("own")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
