"""What stands for TensorFlow's graphs, devices and settings, and branches written as functions."""

import numpy as np
import pytest

from tapemagic import tf

X = tf.constant([1.0, 2.0])


def test_nothing_is_done():
    tf.config.run_functions_eagerly(True)
    assert tf.config.list_physical_devices("GPU") == []
    (processor,) = tf.config.experimental.list_physical_devices()
    assert processor.device_type == "CPU"
    tf.config.experimental.set_memory_growth(None, True)
    with tf.device("/GPU:0"), tf.init_scope(), tf.control_dependencies([X]):
        assert tf.group(X) is tf.no_op() is None
    with pytest.raises(AttributeError, match="Leave it out"):
        _ = tf.config.experimental_connect_to_cluster


def test_functions_of_arrays_and_tensors():
    y = tf.numpy_function(lambda x: x * 2, [X], tf.float32)
    assert (type(y), y.numpy().tolist()) == (tf.Tensor, [2, 4])
    v = tf.Variable(X)
    with tf.GradientTape() as tape:
        y, z = tf.py_function(lambda x: [x * 3, x * x], [v], [tf.float32, tf.float32])
    assert tape.gradient([y, z], v).numpy().tolist() == [5, 7]
    assert [x.numpy().tolist() for x in tf.identity_n([X, v])] == [[1, 2], [1, 2]]
    assert np.array_equal(tf.get_static_value(X), [1, 2])


def test_branches():
    no, yes = tf.constant(False), tf.constant(True)
    one, two, three = lambda: 1, lambda: 2, lambda: 3
    assert tf.case([(no, one), (yes, two)], default=three) == 2
    assert tf.case([(no, one)], default=three) == 3
    assert tf.case([(no, one), (no, two)]) == 2
    assert tf.switch_case(tf.constant(0), [one, two]) == 1
    assert tf.switch_case(tf.constant(5), [one, two]) == 2
    assert tf.switch_case(tf.constant(5), {5: one, 6: two}, default=three) == 1
    assert tf.switch_case(tf.constant(7), [(5, one), (6, two)], default=three) == 3


def test_gradient_passed_through():
    x = tf.Variable([0.2, 1.7])
    with tf.GradientTape() as tape:
        y = tf.grad_pass_through(tf.round)(x) * [2.0, 3.0]
    assert y.numpy().tolist() == [0, 6]
    assert tape.gradient(y, x).numpy().tolist() == [2, 3]


def test_functions_of_arrays_as_decorators():
    @tf.numpy_function(Tout=[tf.float32, tf.int32])
    def both(x):
        return (x * 2).astype("f"), np.array(len(x), "i")

    doubled, count = both(X)
    assert (doubled.numpy().tolist(), count.numpy()) == ([2, 4], 2)

    @tf.py_function(Tout=tf.float32)
    def square(x):
        return x * x

    v = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = square(v)
    assert tape.gradient(y, v).numpy() == 6


def test_time_and_logger():
    assert (tf.timestamp().dtype, tf.get_logger().name) == (tf.float64, "tensorflow")
