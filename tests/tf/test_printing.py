"""Prints that TensorFlow 2.21 makes: value, shape and dtype of tensors, variables, dtypes, shapes.

The expected texts follow numpy_text() and the __str__ and __repr__ of tensors and variables in
TensorFlow's sources: a number is shown by its Python value in full, an array by NumPy's repr.
"""

import copy
import io
import pickle

import numpy as np
import pytest

from tapemagic import tf


@pytest.mark.parametrize(
    ("data", "text", "repr_text"),
    [
        (4.0, "tf.Tensor(4.0, shape=(), dtype=float32)",
         "<tf.Tensor: shape=(), dtype=float32, numpy=4.0>"),
        (0.1, "tf.Tensor(0.1, shape=(), dtype=float32)",
         "<tf.Tensor: shape=(), dtype=float32, numpy=0.10000000149011612>"),
        (4, "tf.Tensor(4, shape=(), dtype=int32)",
         "<tf.Tensor: shape=(), dtype=int32, numpy=4>"),
        (3_000_000_000, "tf.Tensor(3000000000, shape=(), dtype=int64)",
         "<tf.Tensor: shape=(), dtype=int64, numpy=3000000000>"),
        (True, "tf.Tensor(True, shape=(), dtype=bool)",
         "<tf.Tensor: shape=(), dtype=bool, numpy=True>"),
        (1 + 2j, "tf.Tensor((1+2j), shape=(), dtype=complex128)",
         "<tf.Tensor: shape=(), dtype=complex128, numpy=(1+2j)>"),
        ([1.0, 2.5], "tf.Tensor([1.  2.5], shape=(2,), dtype=float32)",
         "<tf.Tensor: shape=(2,), dtype=float32, numpy=array([1. , 2.5], dtype=float32)>"),
        ([[1, 2], [3, 4]], "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)",
         ("<tf.Tensor: shape=(2, 2), dtype=int32, numpy=\narray([[1, 2],\n       [3, 4]], "
          "dtype=int32)>")),
        ([], "tf.Tensor([], shape=(0,), dtype=float32)",
         "<tf.Tensor: shape=(0,), dtype=float32, numpy=array([], dtype=float32)>"),
        (np.array([1.0]), "tf.Tensor([1.], shape=(1,), dtype=float64)",
         "<tf.Tensor: shape=(1,), dtype=float64, numpy=array([1.])>"),
    ],
)  # fmt: skip
def test_tensor(data, text, repr_text):
    tensor = tf.constant(data)
    assert str(tensor) == text
    assert repr(tensor) == repr_text


def test_variable():
    v = tf.Variable([1, 2], name="counts", trainable=False)
    assert (
        repr(v)
        == str(v)
        == f"{v}"
        == ("<tf.Variable 'counts:0' shape=(2,) dtype=int32, numpy=array([1, 2], dtype=int32)>")
    )
    assert v.name == "counts:0"
    assert repr(tf.Variable(3.0)) == "<tf.Variable 'Variable:0' shape=() dtype=float32, numpy=3.0>"


def test_format_shows_the_value():
    assert f"{tf.constant(1.5)}" == "1.5"
    assert f"{tf.constant(1.0):.3f}" == "1.000"
    assert "{}".format(tf.constant([1, 2])) == "[1 2]"  # noqa: UP032


def test_the_same_inside_a_recording():
    x = tf.Variable(2.0)
    with tf.GradientTape():
        y = x * 3
        assert str(y) == "tf.Tensor(6.0, shape=(), dtype=float32)"
        assert repr(tf.where(y > 0, y, 0.0)) == "<tf.Tensor: shape=(), dtype=float32, numpy=6.0>"


def test_dtype_and_shape():
    t = tf.zeros((3, 2))
    assert (str(t.dtype), repr(t.dtype), t.dtype.name) == (
        "<dtype: 'float32'>", "tf.float32", "float32",
    )  # fmt: skip
    assert (str(t.shape), repr(t.shape)) == ("(3, 2)", "TensorShape([3, 2])")
    assert (str(t[0].shape), f"{t[0, 0].shape}") == ("(2,)", "()")
    assert t.shape.as_list() == [3, 2] == t.shape
    assert t.shape == (3, 2) == t.get_shape()
    assert t.shape != [3]
    assert (t.shape.rank, t.shape.num_elements(), t.shape[0], t.shape[1:]) == (2, 6, 3, (2,))
    assert isinstance(t.shape[1:], tf.TensorShape)
    assert repr(t.shape.concatenate([4])) == "TensorShape([3, 2, 4])"
    assert str(tf.TensorShape([None, 3])) == "(None, 3)"
    assert t.shape.is_compatible_with([None, 2])
    assert t.dtype == np.float32 == t.dtype
    assert t.dtype != np.float64
    assert {tf.float32: 1}[t.dtype] == 1
    assert t.dtype != "nonsense"
    assert np.zeros(2, tf.float64).dtype == np.float64
    assert (tf.float32.max, tf.int32.min) == (np.finfo("f4").max, -(2**31))
    assert tf.as_dtype("float64") is tf.float64 is pickle.loads(pickle.dumps(tf.float64))
    assert tf.complex64.real_dtype == tf.float32
    assert tf.float16.is_floating
    assert tf.int32.is_integer
    assert not tf.bool.is_integer


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((tf.constant([1.0, 2.5]),), "[1 2.5]\n"),
        (("loss", tf.constant(4.0)), "loss 4\n"),
        ((tf.constant(0.7462019),), "0.746201873\n"),
        ((tf.range(10),), "[0 1 2 ... 7 8 9]\n"),
        ((tf.constant([[1, 2], [3, 4]]),), "[[1 2]\n [3 4]]\n"),
        (({"a": tf.constant(1)}, [tf.constant(2), 3.5]), "{'a': 1} [2, 3.5]\n"),
        ((tf.constant(True), (1,), "x"), "1 (1,) x\n"),
        ((np.arange(2.0), None), "[0 1] None\n"),
        ((tf.constant(1 / 3, tf.float64), tf.constant(float("nan"))), "0.33333333333333331 nan\n"),
    ],
)
def test_tf_print(values, text):
    out = io.StringIO()
    tf.print(*values, output_stream=out)
    assert out.getvalue() == text


def test_tf_print_options(capsys):
    tf.print(tf.range(6), tf.ones((1, 1, 1)), summarize=-1, sep=",", end="!")
    assert capsys.readouterr().err == "[0 1 2 3 4 5],[[[1]]]!"


def test_copies():
    t, v = tf.constant([1.0]), tf.Variable([1.0], name="v")
    assert copy.copy(t) is t is copy.deepcopy(t)
    assert str(pickle.loads(pickle.dumps(t))) == str(t)
    for twin in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        twin.assign([2.0])
        assert (twin.name, twin.numpy().tolist(), v.numpy().tolist()) == ("v:0", [2.0], [1.0])
