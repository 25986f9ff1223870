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


def test_a_shape_of_which_nothing_is_known():
    """What TensorFlow 2.21 says of it."""
    unknown, x = tf.TensorShape(None), tf.constant([[1.0, 2.0]])
    assert (str(unknown), repr(unknown), unknown.rank, unknown.ndims) == (
        "<unknown>", "TensorShape(None)", None, None
    )  # fmt: skip
    assert unknown.is_compatible_with([2, 3])
    assert x.shape.is_compatible_with(None)
    x.set_shape(None)
    assert tf.ensure_shape(x, None).shape == (1, 2)
    assert tf.Variable([1.0, 2.0], shape=unknown).shape == (2,)
    assert unknown == tf.TensorSpec(None).shape == tf.TensorShape(unknown)
    assert unknown != tf.TensorShape([None])
    assert unknown != tf.TensorShape([])
    assert unknown.with_rank(2) == [None, None]
    assert not unknown
    assert not unknown.is_fully_defined()
    assert unknown.num_elements() is None
    assert unknown.concatenate([3]).rank is None
    for use in (len, tf.TensorShape.as_list, list):
        with pytest.raises(ValueError, match="unknown"):
            use(unknown)
