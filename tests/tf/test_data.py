"""Data sets: the examples of TensorFlow's documentation, and what a reading finds."""

import collections

import numpy as np
import pytest

from tapemagic import tf

Dataset = tf.data.Dataset


def plain(dataset):
    """Return the elements as nested lists."""
    return [
        tf.nest.map_structure(lambda x: x.tolist(), element)
        for element in dataset.as_numpy_iterator()
    ]


def count(n=3):
    return Dataset.range(n)


DATASETS = [
    (Dataset.from_tensor_slices([1, 2, 3]), [1, 2, 3]),
    (Dataset.from_tensor_slices([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (Dataset.from_tensor_slices(([1, 2], [3, 4], [5, 6])), [(1, 3, 5), (2, 4, 6)]),
    (Dataset.from_tensor_slices({"a": [1, 2], "b": [3, 4]}),
     [{"a": 1, "b": 3}, {"a": 2, "b": 4}]),
    (Dataset.from_tensor_slices(({"a": [1, 2]}, np.eye(2))),
     [({"a": 1}, [1, 0]), ({"a": 2}, [0, 1])]),
    (Dataset.from_tensors(([1, 2], 3)), [([1, 2], 3)]),
    (Dataset.range(5), [0, 1, 2, 3, 4]),
    (Dataset.range(2, 5), [2, 3, 4]),
    (Dataset.range(1, 5, 2), [1, 3]),
    (Dataset.range(5, 1, -2), [5, 3]),
    (Dataset.zip(count(), Dataset.range(4, 9)), [(0, 4), (1, 5), (2, 6)]),
    (Dataset.zip((count(), (count(), count()))), [(i, (i, i)) for i in range(3)]),
    (Dataset.zip(datasets={"a": count(), "b": count(2)}), [{"a": 0, "b": 0}, {"a": 1, "b": 1}]),
    (count(8).batch(3), [[0, 1, 2], [3, 4, 5], [6, 7]]),
    (count(8).batch(3, drop_remainder=True), [[0, 1, 2], [3, 4, 5]]),
    (count(6).batch(3), [[0, 1, 2], [3, 4, 5]]),
    (count(0).batch(3), []),
    (Dataset.zip(count(3), count(3)).batch(2), [([0, 1], [0, 1]), ([2], [2])]),
    (Dataset.from_tensor_slices({"a": [1, 2]}).batch(2), [{"a": [1, 2]}]),
    (count(4).batch(2).batch(2), [[[0, 1], [2, 3]]]),
    (count().map(lambda x: x * 10), [0, 10, 20]),
    (Dataset.zip(count(), count()).map(lambda x, y: (x + y, [x, y]), num_parallel_calls=4),
     [(0, [0, 0]), (2, [1, 1]), (4, [2, 2])]),
    (Dataset.from_tensor_slices({"a": [1, 2]}).map(lambda d: d["a"] + 1), [2, 3]),
    (count(6).filter(lambda x: x % 2 == 0), [0, 2, 4]),
    (count(5).take(2), [0, 1]),
    (count(2).take(5), [0, 1]),
    (count(2).take(-1), [0, 1]),
    (count(5).skip(3), [3, 4]),
    (count(2).skip(5), []),
    (count(2).skip(-1), []),
    (count(2).repeat(3), [0, 1, 0, 1, 0, 1]),
    (count(2).repeat(0), []),
    (count(2).repeat().take(5), [0, 1, 0, 1, 0]),
    (count(0).repeat(), []),
    (count(2).concatenate(Dataset.range(7, 9)), [0, 1, 7, 8]),
    (count(2).enumerate(5), [(5, 0), (6, 1)]),
    (count().prefetch(tf.data.AUTOTUNE), [0, 1, 2]),
    (count().cache(), [0, 1, 2]),
    (count().shuffle(1), [0, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize(("dataset", "expected"), DATASETS)
def test_elements(dataset, expected):
    assert plain(dataset) == expected
    assert plain(dataset) == expected  # it can be read again
    if dataset.cardinality().numpy() >= 0:
        assert len(dataset) == len(expected) == dataset.cardinality().numpy()


def test_elements_are_tensors_of_tensorflows_dtypes():
    for element in count(1).enumerate():
        assert [type(x) is tf.Tensor and x.dtype for x in element] == [tf.int64, tf.int64]
    (x, y, z), = Dataset.from_tensor_slices(([1], [2.0], np.array([3.0])))  # fmt: skip
    assert (x.dtype, y.dtype, z.dtype) == (tf.int32, tf.float32, tf.float64)
    Point = collections.namedtuple("Point", "x y")  # noqa: PYI024  (what a user may write)
    (point,) = Dataset.from_tensor_slices(Point([1], [2])).batch(2)
    assert (type(point), point.y.numpy().tolist()) == (Point, [2])


def test_how_many():
    infinite, unknown = count().repeat(), count().filter(lambda x: x > 0)
    assert infinite.cardinality().numpy() == tf.data.INFINITE_CARDINALITY == -1
    assert unknown.cardinality().numpy() == tf.data.UNKNOWN_CARDINALITY == -2
    assert infinite.batch(2).skip(1).concatenate(infinite).cardinality().numpy() == -1
    assert unknown.batch(2).take(1).repeat(2).cardinality().numpy() == -2
    assert Dataset.zip(infinite, count()).cardinality().numpy() == 3
    assert Dataset.zip(infinite, unknown).cardinality().numpy() == -2
    assert unknown.repeat().cardinality().numpy() == -1
    for dataset in (infinite, unknown):
        with pytest.raises(TypeError, match="infinite"):
            len(dataset)


# --------------------------------------------------------------------------------------- the order


def test_a_data_set_is_true_whatever_its_length():
    data = tf.data.Dataset.range(3)
    assert all([data, data.take(0), data.repeat(), data.filter(lambda x: x > 1)])


def test_shuffle():
    tf.random.set_seed(1)
    dataset = count(50).shuffle(50)
    first, second = plain(dataset), plain(dataset)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    tf.random.set_seed(1)
    assert plain(count(50).shuffle(50)) == first
    fixed = count(50).shuffle(50, seed=3, reshuffle_each_iteration=False)
    assert plain(fixed) == plain(fixed)
    seeded = [count(50).shuffle(50, seed=3) for _ in range(2)]
    assert plain(seeded[0]) == plain(seeded[1]) != plain(seeded[0])


def test_a_small_buffer_moves_no_element_far_ahead():
    order = plain(count(100).shuffle(5, seed=1))
    assert sorted(order) == list(range(100))
    assert order != list(range(100))
    # at the k-th draw, k + 5 elements have been seen
    assert all(x < place + 5 for place, x in enumerate(order))


def test_every_order_of_three_comes():
    dataset = count(3).shuffle(3, seed=0).batch(3)
    orders = collections.Counter(tuple(plain(dataset)[0]) for _ in range(600))
    assert len(orders) == 6
    assert min(orders.values()) > 60


# ----------------------------------------------------------------------------------- when it is read


def test_nothing_is_computed_before_it_is_read():
    calls = []

    def note(x):
        calls.append(int(x))
        return x

    dataset = count(4).map(note).cache()
    assert calls == []
    assert next(iter(dataset)).numpy() == 0
    assert calls == [0]
    assert plain(dataset) == [0, 1, 2, 3]
    assert plain(dataset) == [0, 1, 2, 3]
    assert calls == [0, 0, 1, 2, 3]


def test_a_generator():
    def squares(start):
        for i in range(start, start + 3):
            yield i, [i * i]

    spec = (tf.TensorSpec((), tf.float32), tf.TensorSpec((1,), tf.int64))
    dataset = Dataset.from_generator(squares, args=(2,), output_signature=spec)
    assert plain(dataset) == [(2.0, [4]), (3.0, [9]), (4.0, [16])]
    assert [x.dtype for x in next(iter(dataset))] == [tf.float32, tf.int64]
    assert plain(Dataset.from_generator(squares, args=(2,)).take(1)) == [(2, [4])]
    older = Dataset.from_generator(squares, (tf.float64, tf.int32), ((), (None,)), args=(3,))
    assert [x.dtype for x in next(iter(older))] == [tf.float64, tf.int32]
    assert [x.shape for x in next(iter(older))] == [(), (1,)]
    named = Dataset.from_generator(lambda: [{"a": 1}], output_signature={"a": tf.TensorSpec(None)})
    assert next(iter(named))["a"].dtype == tf.float32
    wrong = Dataset.from_generator(lambda: [[1, 2]], output_signature=tf.TensorSpec((1,)))
    with pytest.raises(TypeError, match="not of shape"):
        next(iter(wrong))


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: Dataset.from_tensor_slices(([1, 2], [3])), TypeError, "different numbers of rows"),
        (lambda: Dataset.from_tensor_slices(3.0), TypeError, "different numbers of rows"),
        (lambda: count().batch(0), TypeError, "batch_size=0"),
        (lambda: count().shuffle(0), TypeError, "buffer_size=0"),
        (lambda: plain(count(3).map(lambda x: tf.zeros(x)).batch(2)), TypeError, "stack of"),
        (lambda: count().group_by_window(2), AttributeError, "from_generator"),
        (lambda: tf.data.TFRecordDataset, AttributeError, "from_generator"),
    ],
)
def test_what_is_refused(use, error, words):
    with pytest.raises(error, match=words):
        use()


def test_a_training_loop():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2)).astype("float32")
    y = (x @ [[2.0], [-1.0]] + 0.5).astype("float32")
    data = Dataset.from_tensor_slices((x, y)).shuffle(60, seed=0).batch(16).prefetch(1)
    w, b = tf.Variable(tf.zeros((2, 1))), tf.Variable(0.0)
    for _ in range(40):
        for xs, ys in data:
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((xs @ w + b - ys) ** 2)
            for v, g in zip([w, b], tape.gradient(loss, [w, b]), strict=True):
                v.assign_sub(0.1 * g)
    assert np.allclose(w.numpy(), [[2], [-1]], atol=1e-2)
    assert b.numpy() == pytest.approx(0.5, abs=1e-2)
