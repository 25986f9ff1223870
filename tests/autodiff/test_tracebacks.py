"""What a script that fails under a tape shows: the user's lines only."""

import datetime as dt
import decimal
import io
import traceback

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.recorder import PACKAGE
from tapemagic.errors import TapeError
from tapemagic.tf import autodiff


@pytest.mark.parametrize("value", [np.array([1.0, 2.0]), 2.0, np.float32(2.0)], ids=repr)
def test_a_missing_attribute_is_one_of_the_plain_object(value):
    def told(run, x):
        with pytest.raises(AttributeError) as caught:
            run(x)
        return caught.value.args, type(caught.value.obj)

    def under_a_tape(x):
        with GradientTape() as tape:
            (tape.watch(x) * 2).shap  # noqa: B018

    assert told(under_a_tape, value) == told(lambda x: (x * 2).shap, value)


def raised_in_block(write):
    x = Variable([1.0, 2.0])
    with GradientTape():
        write(x)


def raised_forwards(write):
    x = Variable([1.0, 2.0])
    with autodiff.ForwardAccumulator(x, np.ones(2)):
        write(x)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (lambda x: x @ np.ones(3), ValueError),  # NumPy's own
        (lambda x: np.exp(x, bad=1), TypeError),
        (lambda x: float(x[0] * 2), TapeError),
        (lambda x: np.linalg.cond(x * np.ones((2, 2)), "x"), Exception),
        (lambda x: memoryview(x * 2), TypeError),
        (lambda x: np.linalg.inv(x), Exception),
        (lambda x: x[5], IndexError),
    ],
)
@pytest.mark.parametrize("block", [raised_in_block, raised_forwards])
def test_a_traceback_ends_at_the_users_line(line, kind, block):
    """As that of NumPy's compiled functions does: frames of ours say nothing to him."""
    with pytest.raises(kind) as caught:
        block(line)
    files = [entry.filename for entry in traceback.extract_tb(caught.tb)]
    assert not any(name.startswith(PACKAGE) for name in files)
    assert sum(name == __file__ for name in files) == 3


def test_an_error_of_the_users_is_not_taken_for_numpys():
    def own(x):
        try:
            float(x[0] * 2)
        except TapeError as error:
            raise ValueError("mine") from error

    with pytest.raises(ValueError, match="mine"):
        raised_in_block(own)
    before = np.zeros(2)
    with pytest.raises(TapeError, match="leave the tape"):
        raised_in_block(lambda x: before.__setitem__(slice(None), [x[0] * 2, 1.0]))


def test_a_refusal_after_which_compiled_code_went_on_is_not_pythons_own_error():
    hidden = {pytest.importorskip("scipy.optimize").brentq}  # where no twin is put
    with pytest.raises(TapeError, match="leave the tape"):
        raised_in_block(lambda x: next(iter(hidden))(lambda u: u**3 + x[0] * u - 1, 0, 2))


def test_a_refusal_inside_a_library_shows_the_users_lines_only():
    """Also those that the library calls back; an error of its own shows where it comes from."""
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"a": [1.0, 2.0]})

    def called_back(row):
        return table["a"] * row

    def refused(x):
        table["a"].map(lambda value: called_back(x[0] * value))

    with pytest.raises(TapeError) as caught:
        raised_in_block(refused)
    files = [entry.filename for entry in traceback.extract_tb(caught.value.__traceback__)]
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert set(files) == {__file__}
    assert names[-3:] == ["refused", "<lambda>", "called_back"]
    with pytest.raises(KeyError) as own:
        raised_in_block(lambda x: table["nothing"])
    assert any("site-packages" in x.filename for x in traceback.extract_tb(own.value.__traceback__))


def test_causes_of_an_error_are_without_our_frames():
    def chained(x):
        try:
            float(x[0] * 2)
        except TapeError as error:
            raise KeyError("mine") from error

    with pytest.raises(KeyError) as caught:
        raised_in_block(chained)
    cause = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert [entry.filename for entry in cause] == [__file__]


class Wrapped:
    def __init__(self, a):
        self.a = a

    def __array__(self, dtype=None, copy=None):
        return self.a


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: memoryview(x), "its memory is handed out"),
        (lambda x: io.BytesIO(b"12345678").readinto(x), "its memory is handed out"),
        (lambda x: np.ndarray(1, float, x), "its memory is handed out"),
        (lambda x: np.ndarray.sum(x), "Call the method of the array"),
        (lambda x: np.ndarray.__add__(x, 1.0), "Call the method of the array"),
        (lambda x: float.__mul__(x[0], 2.0), "Write x * y"),
        (lambda x: float.hex(x[0]), "takes Python's own numbers only"),
        (lambda x: decimal.Decimal(x[0]), "Decimal(float(tapemagic.stop_gradient(x)))"),
        (lambda x: dt.timedelta(days=x[0]), "timedelta(seconds=float("),
        (lambda x: np.multiply(Wrapped(x), 2.0), "np.asarray(...) of the object"),
        (lambda x: np.sum(Wrapped(x)), "np.asarray(...) of the object"),
    ],
)
def test_c_code_that_takes_no_handle_is_told_of(call, said):
    with pytest.raises((TypeError, ValueError)) as caught, GradientTape() as tape:
        call(tape.watch(np.array([1.0, 2.0])) * 2)
    assert "would leave the tape" in str(caught.value)
    assert said in str(caught.value)
    assert "line " in str(caught.value)


@pytest.mark.parametrize(
    "call", [lambda: np.ndarray.sum(2.0), lambda: memoryview(2.0), lambda: np.dtype("nothing")]
)
def test_words_about_other_objects_stay(call):
    with pytest.raises(TypeError) as plain:
        call()
    with pytest.raises(TypeError) as caught, GradientTape():
        call()
    assert str(caught.value) == str(plain.value)
