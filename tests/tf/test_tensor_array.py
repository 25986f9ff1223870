"""`TensorArray`: what is written is read, and differentiated; what is not there is refused."""

import numpy as np
import pytest

from tapemagic import tf


def test_a_loop_that_collects_its_states():
    """The loop of a linear recurrence, whose derivative by its factor is known."""
    a = tf.Variable(0.5)
    with tf.GradientTape(persistent=True) as tape:
        states = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        x = tf.constant(1.0)
        for i in tf.range(4):
            x = a * x
            states = states.write(i, x)
        y = states.stack()
        third = states.read(2)
    assert y.numpy().tolist() == [0.5, 0.25, 0.125, 0.0625]
    assert tape.gradient(y, a).numpy() == 1 + 2 * 0.5 + 3 * 0.25 + 4 * 0.125
    assert tape.gradient(third, a).numpy() == 3 * 0.25


def test_unstack_read_gather_and_concat():
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with tf.GradientTape(persistent=True) as tape:
        parts = tf.TensorArray(tf.float32, 3, clear_after_read=False).unstack(x)
        one = parts.read(1) + parts.read(1)
        some = parts.gather([2, 0])
        whole = parts.concat()
    assert parts.size().numpy() == 3
    assert (one.numpy().tolist(), some.numpy().tolist()) == ([6, 8], [[5, 6], [1, 2]])
    assert whole.numpy().tolist() == [1, 2, 3, 4, 5, 6]
    assert tape.gradient(one, x).numpy().tolist() == [[0, 0], [2, 2], [0, 0]]
    assert tape.gradient(some, x).numpy().tolist() == [[1, 1], [0, 0], [1, 1]]
    passed = tape.gradient(whole, x, output_gradients=tf.range(1.0, 7.0))
    assert passed.numpy().tolist() == [[1, 2], [3, 4], [5, 6]]


def test_writing_changes_the_array_as_it_does_in_tensorflow_outside_of_graphs():
    array = tf.TensorArray("int32", size=2)
    assert array.write(1, 7) is array
    assert array.dtype == tf.int32
    assert array.element_shape == ()
    assert array.stack().numpy().tolist() == [0, 7]  # what was never written is 0
    assert array.write(0, 3).identity().read(0).numpy() == 3
    assert array.write(0, 4).read(0).numpy() == 4


def test_an_empty_one_and_ragged_elements():
    assert tf.TensorArray(tf.float32, 0, element_shape=(2,)).stack().shape == (0, 2)
    ragged = tf.TensorArray(tf.float32, 2, infer_shape=False)
    ragged.write(0, [1.0, 2.0]).write(1, [3.0])
    assert ragged.concat().numpy().tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda a: a.write(2, 1.0), "dynamic_size=True"),
        (lambda a: a.write(-1, 1.0), "Index -1"),
        (lambda a: a.read(5), "Index 5 is not"),
        (lambda a: a.read(0), "nothing was written"),
        (lambda a: a.stack(), "Write its elements first"),
        (lambda a: a.write(0, 1), None),
        (lambda a: a.write(0, tf.constant(1, tf.int32)), "not converted by themselves"),
        (lambda a: a.write(0, 1.0).write(1, [1.0, 2.0]), r"shape \(2,\) was written"),
        (lambda a: (a.write(0, 1.0).read(0), a.read(0)), "clear_after_read=False"),
        (lambda a: a.unstack([1.0, 2.0, 3.0]), "3 parts for a TensorArray of size 2"),
    ],
)
def test_what_is_refused(use, words):
    array = tf.TensorArray(tf.float32, size=2)
    if words is None:
        assert use(array).read(0).dtype == tf.float32  # a Python number has no dtype of its own
        return
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        use(array)


def test_in_a_while_loop():
    values = np.array([1.0, -2.0, 3.0], np.float32)
    x = tf.Variable(values)
    with tf.GradientTape() as tape:
        _, array = tf.while_loop(
            lambda i, _: i < 3,
            lambda i, array: (i + 1, array.write(i, x[i] ** 2)),
            (tf.constant(0), tf.TensorArray(tf.float32, 3)),
        )
        y = array.stack()
    assert y.numpy().tolist() == [1, 4, 9]
    assert np.array_equal(tape.gradient(y, x).numpy(), 2 * values)
