"""Shapes and specs, printed and compared as TensorFlow 2.21 does."""

import pytest

from tapemagic import tf


def test_specs():
    spec = tf.TensorSpec((None, 2), tf.int32, name="a")
    assert repr(spec) == "TensorSpec(shape=(None, 2), dtype=tf.int32, name='a')"
    assert spec == tf.TensorSpec([None, 2], "int32", "a") != tf.TensorSpec((None, 2))


def test_shapes():
    shape = tf.TensorShape([2, None])
    assert shape.num_elements() is None
    assert shape.with_rank(2) is shape
    for bad in (lambda: shape.assert_has_rank(1), lambda: shape.assert_is_compatible_with([3, 1])):
        with pytest.raises(ValueError, match="Shape"):
            bad()
    assert bool(tf.constant(1.0).shape)
    with pytest.raises(ValueError, match="not of shape"):
        tf.zeros(3).set_shape([4])
    assert tf.float32.is_compatible_with("float32")
    assert tf.zeros(3).device.endswith("CPU:0")
