"""Windows, rows and turns of data sets; what they give was written down from TensorFlow 2.21."""

import numpy as np
import pytest

from tapemagic import tf

Dataset = tf.data.Dataset


def numbers(data):
    return [tf.nest.map_structure(lambda x: x.numpy().tolist(), element) for element in data]


def ramps(count):
    return Dataset.range(count).map(lambda n: tf.fill([int(n)], n))


ROWS = {
    "window": (
        Dataset.range(6).window(3, shift=2).flat_map(lambda w: w.batch(3)),
        [[0, 1, 2], [2, 3, 4], [4, 5]],
    ),
    "window, whole": (
        Dataset.range(6).window(3, shift=1, drop_remainder=True).flat_map(lambda w: w.batch(3)),
        [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
    ),
    "window, stride": (
        Dataset.range(10).window(3, shift=2, stride=2).flat_map(lambda w: w.batch(3)),
        [[0, 2, 4], [2, 4, 6], [4, 6, 8], [6, 8], [8]],
    ),
    "window, apart": (
        Dataset.range(7).window(2, shift=3).flat_map(lambda w: w.batch(2)), [[0, 1], [3, 4], [6]],
    ),
    "unbatch": (
        Dataset.from_tensor_slices(([1, 2, 3], [4, 5, 6])).batch(2).unbatch(),
        [(1, 4), (2, 5), (3, 6)],
    ),
    "flat_map": (Dataset.from_tensor_slices([[1, 2], [3, 4]]).flat_map(Dataset.from_tensor_slices),
                 [1, 2, 3, 4]),
    "interleave": (
        Dataset.range(5).interleave(lambda x: Dataset.from_tensors(x).repeat(4), 2, 3),
        [0, 0, 0, 1, 1, 1, 0, 1, 2, 2, 2, 3, 3, 3, 2, 3, 4, 4, 4, 4],
    ),
    "interleave, even": (
        Dataset.range(4).interleave(lambda x: Dataset.from_tensors(x).repeat(3), 2),
        [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3],
    ),
    "scan": (Dataset.range(4).scan(np.int64(0), lambda s, x: (s + x, s + x)), [0, 1, 3, 6]),
    "take_while": (Dataset.range(6).take_while(lambda x: x < 3), [0, 1, 2]),
    "unique": (Dataset.from_tensor_slices([1, 2, 1, 3]).unique(), [1, 2, 3]),
    "shard": (Dataset.range(6).shard(2, 1), [1, 3, 5]),
    "apply": (Dataset.range(4).apply(lambda data: data.batch(2)), [[0, 1], [2, 3]]),
    "rebatch": (Dataset.range(5).batch(2).rebatch(3), [[0, 1, 2], [3, 4]]),
    "padded": (ramps(4).padded_batch(2), [[[0], [1]], [[2, 2, 0], [3, 3, 3]]]),
    "padded to 4": (ramps(3).padded_batch(3, (4,), np.int64(-1)),
                    [[[-1] * 4, [1, -1, -1, -1], [2, 2, -1, -1]]]),
    "padded parts": (
        ramps(3).map(lambda x: {"a": x, "n": tf.size(x)}).padded_batch(2, drop_remainder=True),
        [{"a": [[0], [1]], "n": [0, 1]}],
    ),
    "counter": (Dataset.counter(2, 3).take(3), [2, 5, 8]),
    "options": (Dataset.range(2).with_options(tf.data.Options()), [0, 1]),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_elements(name):
    data, expected = ROWS[name]
    assert numbers(data) == numbers(data) == expected  # read twice
    if (count := int(data.cardinality())) >= 0:
        assert count == len(expected)


def test_results():
    assert Dataset.range(6).reduce(np.int64(0), lambda s, x: s + x).numpy() == 15
    total, count = Dataset.range(4).reduce((0.0, 0), lambda s, x: (s[0] + 1.5, s[1] + 1))
    assert (total.numpy(), count.numpy()) == (6, 4)
    assert Dataset.from_tensors(3).get_single_element().numpy() == 3
    with pytest.raises(tf.errors.InvalidArgumentError, match="one element"):
        Dataset.range(2).get_single_element()
    with pytest.raises(tf.errors.InvalidArgumentError, match="positive"):
        Dataset.range(2).window(0)
