"""Tensors: dtypes that do not mix, no writes, conversions, indexing."""

import numpy as np
import pytest

from tapemagic import GradientTape, Variable, tf
from tapemagic.errors import TapeError, TensorError


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.5, "float32"), (2, "int32"), (True, "bool"), (1j, "complex128"), (2**40, "int64"),
        ([1, 2.0], "float32"), ([], "float32"), (np.float64(1), "float64"), (np.int64(1), "int64"),
        (np.arange(2), "int64"), (np.ones(2, "f2"), "float16"), (range(3), "int32"),
        ([[1, 2], [3, 4]], "int32"), ([np.float64(1.0)], "float64"), ((1.0, 2), "float32"),
    ],
)  # fmt: skip
def test_dtype_of_data(data, dtype):
    assert tf.constant(data).dtype.name == dtype
    assert tf.convert_to_tensor(data).dtype == dtype
    assert tf.Variable(data).dtype == dtype


def test_dtype_given():
    assert tf.constant([1, 2], dtype=tf.float64).dtype == tf.float64
    assert tf.constant([1, 2], np.float16).dtype == tf.float16
    assert tf.constant(3, "float32").dtype == tf.float32
    for data, dtype in ((1.5, tf.int32), ([1, 2.5], tf.int64), (1j, tf.float32), (1, tf.bool)):
        with pytest.raises(TypeError, match="does not fit"):
            tf.constant(data, dtype=dtype)
    # a bool counts as a number, and an array is cast, as in TensorFlow 2.21
    assert tf.constant([True, False], tf.float32).numpy().tolist() == [1, 0]
    assert tf.constant(np.array([1.5, 2.0]), tf.int32).numpy().tolist() == [1, 2]
    assert tf.constant([np.float32(1.5), 2.0]).dtype == tf.float32
    assert tf.constant([[np.float64(1.5), 2.0]]).dtype == tf.float64
    with pytest.raises(TensorError, match="str"):
        tf.constant("text")


def test_constant_with_a_shape_and_a_copy():
    assert tf.constant(2.0, shape=(2, 2)).numpy().tolist() == [[2, 2], [2, 2]]
    assert tf.constant([1, 2, 3, 4], shape=[2, 2]).numpy().tolist() == [[1, 2], [3, 4]]
    assert tf.constant(True, shape=(2,)).numpy().tolist() == [True, True]
    array = np.ones(2)
    tensor = tf.constant(array)
    array[0] = 5
    tensor.numpy()[1] = 7
    assert tensor.numpy().tolist() == [1, 1]


@pytest.mark.parametrize(
    ("compute", "dtype", "expected"),
    [
        (lambda: tf.constant(7) / 2, "float64", 3.5),
        (lambda: 7 / tf.constant(2), "float64", 3.5),
        (lambda: tf.constant(7) // 2, "int32", 3),
        (lambda: tf.constant(7) % 4, "int32", 3),
        (lambda: tf.constant(7) * 2, "int32", 14),
        (lambda: -tf.constant(7), "int32", -7),
        (lambda: abs(tf.constant(-7)), "int32", 7),
        (lambda: tf.constant(2) ** 3, "int32", 8),
        (lambda: tf.constant(1.5) * 2, "float32", 3.0),
        (lambda: 1 - tf.constant(1.5), "float32", -0.5),
        (lambda: 2.0 ** tf.constant(3.0), "float32", 8.0),
        (lambda: tf.constant(1.5) + np.float64(1), "float32", 2.5),
        (lambda: np.float64(1) + tf.constant(1.5), "float32", 2.5),
        (lambda: np.array(2.0) * tf.constant(1.5), "float32", 3.0),
        (lambda: tf.constant(1.5) + np.int64(1), "float32", 2.5),
        (lambda: tf.constant(1.5, tf.float64) + 0.1, "float64", 1.6),
        (lambda: tf.Variable(1.5) + 1, "float32", 2.5),
        (lambda: tf.constant(3) > 2, "bool", True),
        (lambda: tf.constant(3) < 2, "bool", False),
        (lambda: tf.constant(3) == 3, "bool", True),
        (lambda: tf.constant(3.0) != 3, "bool", False),
        (lambda: tf.constant(True) & False, "bool", False),
        (lambda: ~tf.constant(True), "bool", False),
        (lambda: tf.constant(1) | 2, "int32", 3),
    ],
)
def test_operators(compute, dtype, expected):
    y = compute()
    assert isinstance(y, tf.Tensor)
    assert y.dtype.name == dtype
    assert y.numpy() == pytest.approx(expected)


@pytest.mark.parametrize(
    "compute",
    [
        lambda: tf.constant(1.0) + tf.constant(1),
        lambda: tf.constant(1.0) * tf.constant(1.0, tf.float64),
        lambda: tf.constant(1) * 1.5,
        lambda: tf.constant(1) + np.array(1.5),
        lambda: tf.constant([[1.0]]) @ tf.constant([[1]]),
        lambda: tf.add(1.0, tf.constant(1)),
        lambda: tf.concat([tf.constant([1]), tf.constant([1.0])], 0),
        lambda: tf.matmul(tf.constant([[1.0]]), tf.constant([[1]])),
        lambda: tf.constant(1.0) < tf.constant(1),
        lambda: tf.sqrt(tf.constant(4)),
        lambda: tf.where([True], tf.constant([1.0]), tf.constant([1])),
        lambda: tf.Variable(1.0).assign(tf.constant(1)) and tf.Variable(1).assign(1.5),
    ],
)
def test_dtypes_do_not_mix(compute):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        compute()
    assert isinstance(caught.value, TapeError)
    assert isinstance(caught.value, TypeError)
    assert "tf.cast" in str(caught.value)
    assert caught.value.line is not None


def test_operands_of_other_types():
    t = tf.constant(1.0)
    for other in (None, "text", object()):
        with pytest.raises(TypeError):
            t + other
    assert (t == None) is False  # noqa: E711
    assert (t == "text") is False


def test_lists_as_operands():
    assert ([1, 2] * tf.constant([2.0, 2.0])).numpy().tolist() == [2, 4]
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.constant([1.0, 2.0]) * [x, 2 * x] + tf.convert_to_tensor([[x, 1.0]]))
    assert tape.gradient(y, x).numpy() == 6


def test_no_writes():
    t = alias = tf.constant([1.0, 2.0])
    with pytest.raises(TypeError, match="item assignment"):
        t[0] = 5.0
    with pytest.raises(TypeError, match="item assignment"):
        tf.Variable([1.0])[0] = 5.0
    with pytest.raises(TypeError, match="shape"):
        t.shape = (2, 1)
    t += 1
    t *= 2
    assert (t.numpy().tolist(), alias.numpy().tolist()) == ([4, 6], [1, 2])


def test_in_place_operators_keep_the_gradient():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * 1.0
        y += x
        y *= y
    assert tape.gradient(y, x).numpy() == 24


def test_identity_and_hash():
    t = tf.constant(1.0)
    with pytest.raises(TypeError, match="ref"):
        hash(t)
    assert {t.ref(): 1}[t.ref()] == 1
    assert t.ref().deref() is t
    assert t.ref() != tf.constant(1.0).ref()
    assert isinstance(t, tf.Tensor)
    assert not isinstance(t, np.ndarray)
    assert tf.is_tensor(tf.Variable(1.0))
    assert not isinstance(tf.Variable(1.0), tf.Tensor)


def test_indexing_and_iteration():
    t = tf.reshape(tf.range(24.0), (2, 3, 4))
    plain = np.arange(24.0, dtype="f4").reshape(2, 3, 4)
    for index in (0, -1, (0, 1), (slice(None), 1), (..., 2), (0, tf.newaxis), (1, slice(0, 3, 2))):
        assert np.array_equal(t[index].numpy(), plain[index])
    assert np.array_equal(t[tf.constant(1), : tf.constant(2)].numpy(), plain[1, :2])
    assert np.array_equal(t[t > 5].numpy(), plain[plain > 5])
    assert [row.shape for row in t] == [(3, 4), (3, 4)]
    assert len(t) == 2
    with pytest.raises(TypeError, match="scalar"):
        iter(tf.constant(1.0)).__next__()
    with pytest.raises(TypeError, match="len"):
        len(tf.constant(1.0))
    with pytest.raises(tf.errors.InvalidArgumentError, match="out of bounds"):
        t[5]


def test_to_python():
    assert bool(tf.constant(0.0)) is False
    assert (int(tf.constant(3)), float(tf.constant(1.5))) == (3, 1.5)
    assert [1, 2, 3][tf.constant(1)] == 2
    assert np.array(tf.constant([1.0])).dtype == np.float32
    assert type(tf.constant(1.5).numpy()) is np.float32
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tf.constant([1.0, 2.0]))


def test_variables():
    v = tf.Variable(lambda: tf.ones(2), shape=(2,), dtype=tf.float32)
    assert v.trainable
    assert v.read_value().numpy().tolist() == [1, 1] == tf.identity(v).numpy().tolist()
    assert v.assign([1, 2]) is v
    assert v.dtype == tf.float32
    with pytest.raises(ValueError, match="initial_value"):
        tf.Variable()
    with pytest.raises(TensorError, match="shape"):
        tf.Variable([1.0], shape=(2,))
    other = tf.Variable(v)
    other.assign_add([1.0, 1.0])
    assert v.numpy().tolist() == [1, 2]


@pytest.mark.parametrize(
    ("index", "value"),
    [
        (0, [7.0, 8.0, 9.0]), (slice(None), 5), ((1, 2), 3.5), ((0, slice(None, None, -1)), [1, 2, 3]),
        ((Ellipsis, 0), [1.0, 2.0]), ((None, 0), [[1.0, 2.0, 3.0]]), ((slice(1), slice(1, 3)), 0.5),
    ],
)  # fmt: skip
def test_a_part_of_a_variable_is_assigned_to(index, value):
    start = np.arange(6.0, dtype="f").reshape(2, 3)
    v, expected = tf.Variable(start), start.copy()
    expected[index] = value
    with tf.GradientTape(persistent=True) as tape:
        before = tf.reduce_sum(v**2)
        assert v[index].assign(value) is v
        after = tf.reduce_sum(v**2)
    assert np.array_equal(v.numpy(), expected)
    assert np.array_equal(tape.gradient(before, v), 2 * start)
    assert np.array_equal(tape.gradient(after, v), 2 * expected)


def test_what_a_part_of_a_variable_refuses():
    v = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    with pytest.raises(TensorError, match="Give it a value of the shape"):
        v[0].assign([1.0, 2.0])
    with pytest.raises(TensorError, match="float64"):
        v[0].assign(tf.constant([1.0, 2.0, 3.0], tf.float64))
    for part in (v[0][:2], v[v > 3], v.read_value()[0], (v + 1)[0]):
        with pytest.raises(AttributeError, match=r"v\[index\]\.assign"):
            part.assign(0.0)
    assert v.numpy().tolist() == [[1, 2, 3], [4, 5, 6]]
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        v[0, 0].assign(x)
        y = v[0, 0] * 3
    assert tape.gradient(y, x) is None


def test_numpy_functions_give_tensors():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = np.sum(np.exp(x) * np.array([1.0, 2.0]))
    assert isinstance(y, tf.Tensor)
    assert y.dtype == tf.float32
    gradient = tape.gradient(y, x)
    assert np.allclose(gradient.numpy(), np.exp([1, 2]) * [1, 2])
    assert gradient.dtype == tf.float32


@pytest.mark.parametrize("initial", [3.0, [1.0, 2.0], 5, True])
def test_the_value_of_a_variable_is_a_method(initial):
    v = tf.Variable(initial)
    for read in (v.value(), v.read_value(), v.value_()):
        assert type(read) is tf.Tensor
        assert read.dtype == v.dtype
        assert read.numpy().tolist() == v.numpy().tolist() == np.array(initial).tolist()


def test_the_value_is_watched_when_it_is_read():
    v = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        before = v.value()
        v.assign([5.0, 7.0])
        y = tf.reduce_sum(before**2)
    assert before.numpy().tolist() == [1.0, 2.0]
    assert tape.gradient(y, before).numpy().tolist() == [2.0, 4.0]
    assert tape.gradient(y, v).numpy().tolist() == [2.0, 4.0]


def test_a_tensor_has_no_attribute_called_value():
    """Nor has an array: code that asks what it was given is to take it for one."""
    assert not hasattr(tf.constant(1.0), "value")
    v = Variable(2.0)
    with GradientTape():
        assert not hasattr(v * 2, "value")
    assert v.value == 2.0
