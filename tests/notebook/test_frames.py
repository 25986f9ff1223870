"""Tracebacks show the user's lines only; Ctrl-C waits while names are half exchanged."""

import os
import re
import signal
import traceback
from pathlib import Path

import pytest

from tapemagic.autodiff import tracebacks
from tapemagic.autodiff.recorder import PACKAGE
from tapemagic.notebook import frames
from tapemagic.notebook.interrupts import uninterrupted

OURS = PACKAGE + "notebook" + os.sep + "some.py"


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
    tracebacks.prune(error)
    assert chain(error)[-3:] == ["user_a.py", "user_a.py", "user_b.py"]
    assert "some.py" not in chain(error)


def test_causes_are_pruned_too(error):
    outer = RuntimeError("outer")
    outer.__context__ = error
    error.__cause__ = outer  # a cycle
    group = ExceptionGroup("g", [outer])
    tracebacks.prune(group)
    assert "some.py" not in chain(error)


def test_only_ours():
    ours = run("def f():\n    raise KeyError", OURS)["f"]
    with pytest.raises(KeyError) as caught:
        ours()
    error = caught.value.with_traceback(caught.tb.tb_next)
    tracebacks.prune(error)
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


# -------------------------------------------------------------------------------- in a taped cell


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("csc_array(np.diag(w))", "LeavesTapeError", "scipy.sparse.csc_array"),
        ("np.ndarray(2, buffer=w)", "TypeError", "would leave the tape: its memory"),
        ("w.nothing = 1", "AttributeError", "'numpy.ndarray' object has no attribute 'nothing'"),
    ],
)
def test_errors_of_others_say_what_the_matter_is(kernel, code, error, words):
    pytest.importorskip("scipy")
    reply = kernel.run(f"%%tape w\nfrom scipy.sparse import csc_array\n{code}")
    assert reply.error == error
    assert words in reply.traceback
    assert "unrecognized" not in reply.traceback.split(error)[-1]


# ------------------------------------------------------------------------- outside a taped cell


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("tf.nope", "MissingNameError"),
        ("tf.constant(1.0).assign(2.0)", "MissingNameError"),
        ("tf.reshape(tf.ones(4), 3)", "TensorError"),
        ("tf.ones(3) + tf.ones(2)", "TensorError"),
        ("tf.linalg.inv(tf.zeros((2, 2)))", "TensorError"),
        ("tf.reduce_sum(1.0, axis=3)", "TensorError"),
        ("tf.cast(1.0, 'no dtype')", "TensorError"),
        ("tf.Variable([1.0])[0].assign([1.0, 2.0])", "TensorError"),
        (
            "tf.keras.optimizers.Optimizer(0.1).apply([tf.ones(1)], [tf.Variable([1.0])])",
            "TapeUseError",
        ),
        ("tf.keras.Input((1,), ragged=True)", "TapeUseError"),
        ("tf.keras.optimizers.SGD(nope=1)", "TensorError"),
        ("tf.keras.layers.Dense(nope=1)", "TypeError"),
        ("tapemagic.grad(lambda x: x.nothing)(1.0)", "AttributeError"),
        ("tapemagic.grad(interrupted)(1.0)", "KeyboardInterrupt"),
        ("with tf.GradientTape() as t:\n    tf.Variable(tf.ones(2)) + tf.ones(3)", "TensorError"),
        ("exec('x = (')", "SyntaxError"),
    ],
)
def test_no_frame_of_ours_is_shown(kernel, code, error):
    kernel.run(
        "import tapemagic\nfrom tapemagic import tf\n"
        "def interrupted(x):\n    raise KeyboardInterrupt"
    )
    reply = kernel.run(f"z = 1\n{code}")
    assert reply.error == error
    assert "tapemagic/" not in reply.traceback
    assert code.splitlines()[-1].strip() in reply.traceback


@pytest.mark.kernel
@pytest.mark.parametrize("code", ["def f(:", "  x = 1\n y = 2", "for x in y:\nz"])
def test_a_cell_that_does_not_compile_is_shown_as_ever(kernel, code):
    ours = kernel.run(code)
    kernel.run("%unload_ext tapemagic")
    try:
        plain = kernel.run(code)
    finally:
        kernel.run("%load_ext tapemagic\n%config TapeMagics.show = 'none'")
    hide = re.compile(r"\[\d+\]|0x\w+|ipykernel_\S+")  # the numbers of cells
    assert ours.error == plain.error
    assert hide.sub("", ours.traceback) == hide.sub("", plain.traceback)
