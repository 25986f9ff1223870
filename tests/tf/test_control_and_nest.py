"""`tf.function`, loops and `tf.nest`: structures of tensors, and settings that must be known."""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
from tf.differences import assert_same

import tapemagic
from tapemagic import tf


class Point(NamedTuple):
    x: object
    y: object


# ------------------------------------------------------------------------------------- functions


@pytest.mark.parametrize("given", [3, 3.0, np.float64(3), np.float32(3), tf.constant(3.0), [3.0]])
@pytest.mark.parametrize("by_name", [False, True])
def test_input_signature_says_what_arguments_become(given, by_name):
    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32)])
    def seen(x):
        return x, x.dtype, x.shape

    tensor, dtype, shape = seen(x=given) if by_name else seen(given)
    assert isinstance(tensor, tf.Tensor)
    assert (dtype, shape) == (tf.float32, np.shape(given))
    np.testing.assert_array_equal(tensor, np.full(np.shape(given), 3.0))


def test_input_signature_is_checked():
    @tf.function(
        input_signature=[tf.TensorSpec([None, 2], tf.float32), tf.TensorSpec([], tf.int32)]
    )
    def sum_of(x, count):
        return tf.reduce_sum(x) * tf.cast(count, tf.float32)

    assert sum_of(np.ones((3, 2)), 2).numpy() == 12
    for wrong in [(np.ones((3, 3)), 2), (np.ones((3, 2)), [2, 2]), (np.ones((3, 2)), 2.5),
                  (tf.ones((3, 2), tf.float64), 2)]:  # fmt: skip
        with pytest.raises(TypeError):
            sum_of(*wrong)


def test_input_signature_of_a_method_and_of_a_variable():
    class Line:
        def __init__(self):
            self.slope = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def __call__(self, x):
            return self.slope * x

    line, x = Line(), tf.Variable(5.0)
    with tf.GradientTape() as tape:
        y = line(x)
    assert [g.numpy() for g in tape.gradient(y, [line.slope, x])] == [5, 2]
    assert line(3).numpy() == 6


def test_a_function_has_no_graph():
    def double(x):
        return x * 2

    fast = tf.function(double)
    assert fast.python_function is double
    with pytest.raises(ValueError, match="eagerly"):
        fast.get_concrete_function(tf.TensorSpec([]))


# ----------------------------------------------------------------------------------------- loops


@pytest.mark.parametrize(("limit", "expected"), [(None, 10), (3, 3), (0, 0), (99, 10)])
def test_maximum_iterations_of_a_loop(limit, expected):
    (last,) = tf.while_loop(
        lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], maximum_iterations=limit
    )
    assert last.numpy() == expected


def test_map_fn_takes_and_gives_structures():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    product = tf.map_fn(lambda rows: rows[0] * rows[1], (a, b))
    np.testing.assert_array_equal(product, a[:, None] * b)
    found = tf.map_fn(lambda row: {"twice": row * 2, "sum": tf.reduce_sum(row)}, b)
    np.testing.assert_array_equal(found["twice"], b * 2)
    np.testing.assert_array_equal(found["sum"], b.sum(axis=1))
    named = tf.vectorized_map(lambda point: Point(point.y, point.x), Point(a, b))
    np.testing.assert_array_equal(named.x, b)
    np.testing.assert_array_equal(named.y, a)


def test_map_fn_is_differentiable_in_each_part():
    a, b = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(tf.map_fn(lambda rows: rows["a"] ** 2 * rows["b"], {"a": a, "b": b}))
    da, db = tape.gradient(y, [a, b])
    np.testing.assert_array_equal(da, [2 * 1 * 3, 2 * 2 * 4])
    np.testing.assert_array_equal(db, [1, 4])


@pytest.mark.parametrize("elems", [[1.0, 2.0], 3.0, (np.ones(2), np.ones(3)), np.ones((0, 2))])
def test_map_fn_needs_rows(elems):
    with pytest.raises(TypeError, match="rows"):
        tf.map_fn(lambda x: x, elems)


X = tf.constant([[1.0, 2.0]])


@pytest.mark.parametrize(
    "call",
    [
        lambda **more: tf.GradientTape().jacobian(X, X, **more),
        lambda **more: tf.GradientTape().batch_jacobian(X, X, **more),
        lambda **more: tapemagic.GradientTape().jacobian(X, X, **more),
        lambda **more: tapemagic.GradientTape().batch_jacobian(X, X, **more),
        lambda **more: tf.function(lambda: X, **more),
        lambda **more: tf.while_loop(lambda x: False, lambda x: x, [X], **more),
        lambda **more: tf.map_fn(lambda x: x, X, **more),
        lambda **more: tf.vectorized_map(lambda x: x, X, **more),
        lambda **more: tf.einsum("ij->ji", X, **more),
        lambda **more: tf.Variable(X).assign(X, **more),
        lambda **more: tf.Variable(X).assign_add(X, **more),
        lambda **more: tf.Variable(X).assign_sub(X, **more),
        lambda **more: tf.debugging.assert_near(X, X, **more),
        lambda **more: tf.debugging.assert_equal(X, X, **more),
        lambda **more: tf.keras.losses.Loss(**more),
        lambda **more: tf.keras.losses.Huber(**more),
        lambda **more: tf.keras.optimizers.SGD(**more),
        lambda **more: tf.keras.optimizers.SGD().apply_gradients([(X, tf.Variable(X))], **more),
    ],
)
def test_misspelt_settings_are_not_ignored(call):
    with pytest.raises(TypeError, match="no_such_setting"):
        call(no_such_setting=1)


def test_settings_of_the_graph_are_accepted():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x[:, tf.newaxis] * 3.0
    settings = {"parallel_iterations": 10, "experimental_use_pfor": False}
    np.testing.assert_array_equal(tape.jacobian(y, x, **settings)[:, 0], 3 * np.eye(2))
    found = tape.batch_jacobian(y, x[:, tf.newaxis], **settings)
    assert found is None  # a new tensor, of which the tape knows nothing
    tf.function(lambda: 1, jit_compile=True, autograph=False, reduce_retracing=True)()
    tf.map_fn(lambda row: row, x, parallel_iterations=4, fn_output_signature=tf.float32)


# ------------------------------------------------------------------------------------ structures

STRUCTURES = [
    ({"b": [2, (3, None)], "a": 1}, [1, 2, 3, None]),
    (Point([1, 2], {"z": 3}), [1, 2, 3]),
    ([], []),
    (7, [7]),
    (tf.TensorShape([1, 2]), [tf.TensorShape([1, 2])]),
    (OrderedDict(b=1, a=2), [2, 1]),
]


@pytest.mark.parametrize(("structure", "leaves"), STRUCTURES)
def test_nest_takes_apart_and_puts_together(structure, leaves):
    assert tf.nest.flatten(structure) == leaves
    assert tf.nest.pack_sequence_as(structure, leaves) == structure
    assert tf.nest.is_nested(structure) == (leaves != [structure])
    doubled = tf.nest.map_structure(lambda leaf: [leaf], structure)
    assert tf.nest.flatten(doubled) == leaves
    with pytest.raises(ValueError, match="leaves were given"):
        tf.nest.pack_sequence_as(structure, [*leaves, 0])


def test_nest_of_tensors():
    weights = {"w": tf.Variable([1.0, 2.0]), "b": (tf.Variable(3.0),)}
    with tf.GradientTape() as tape:
        y = sum(tf.reduce_sum(v**2) for v in tf.nest.flatten(weights))
    steps = tf.nest.map_structure(lambda v, g: v - 0.5 * g, weights, tape.gradient(y, weights))
    assert [x.numpy().tolist() for x in tf.nest.flatten(steps)] == [0.0, [0.0, 0.0]]


@pytest.mark.parametrize(
    ("one", "other", "error"),
    [
        ([1, 2], [1], ValueError),
        ([1], 1, ValueError),
        ({"a": 1}, {"b": 1}, ValueError),
        ([[1]], [1], ValueError),
        ([1], (1,), TypeError),
    ],
)
def test_nest_of_other_structure(one, other, error):
    with pytest.raises(error, match="structures differ"):
        tf.nest.map_structure(lambda *leaves: leaves, one, other)
    if error is TypeError:
        assert tf.nest.map_structure(lambda *x: sum(x), one, other, check_types=False) == [2]


# ----------------------------------------------------------------------------------- scan and fold

ROWS = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])


def running(fn, rows, start=None):
    values = [] if start is not None else [rows[0]]
    value, rows = (start, rows) if start is not None else (rows[0], rows[1:])
    for row in rows:
        value = fn(value, row)
        values.append(value)
    return values


@pytest.mark.parametrize("start", [None, np.array([2.0, 0.5])])
@pytest.mark.parametrize("reverse", [False, True])
def test_scan(start, reverse):
    def reference(x):
        values = running(lambda a, x: a * x + 1, x[::-1] if reverse else x, start)
        return np.stack(values[::-1] if reverse else values)

    assert_same(lambda x: tf.scan(lambda a, x: a * x + 1, x, start, reverse=reverse), reference,
                ROWS)  # fmt: skip


@pytest.mark.parametrize("start", [None, np.array([2.0, 0.5])])
def test_folds(start):
    def fold(x):
        return running(lambda a, x: a * x + 1, x, start)[-1]

    assert_same(lambda x: tf.foldl(lambda a, x: a * x + 1, x, start), fold, ROWS)
    assert_same(lambda x: tf.foldr(lambda a, x: a * x + 1, x, start), lambda x: fold(x[::-1]), ROWS)


def test_scan_of_structures():
    """Fibonacci's numbers, as the documentation of TensorFlow counts them."""
    start = (np.array(0), np.array(1))
    first, second = tf.scan(lambda a, _: (a[1], a[0] + a[1]), tf.zeros(6), start)
    assert first.numpy().tolist() == [1, 1, 2, 3, 5, 8]
    assert second.numpy().tolist() == [1, 2, 3, 5, 8, 13]
    pairs = (tf.constant([1, 2, 3]), tf.constant([10, 20, 30]))
    found = tf.scan(lambda a, x: a + x[0] * x[1], pairs, tf.constant(0))
    assert found.numpy().tolist() == [10, 50, 140]
    for call in (tf.scan, tf.foldl, tf.foldr):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"tf.{call.__name__}"):
            call(lambda a, x: a + x, [1.0, 2.0])
