"""Convolution against SciPy, pooling against loops, and their gradients against differences."""

import numpy as np
import pytest
from scipy import signal
from tf.differences import assert_same

from tapemagic import tf

RNG = np.random.default_rng(5)
IMAGES = RNG.normal(size=(2, 5, 6, 2))
FILTERS = RNG.normal(size=(2, 3, 2, 3))


def same_border(length, covered, stride):
    """TensorFlow's documented rule, in the form of its guide: by the remainder."""
    over = length % stride
    missing = max(covered - (stride if over == 0 else over), 0)
    return missing // 2, missing - missing // 2


def correlate(x, w, stride, padding, rate):
    """Sum SciPy's correlations over the channels, of a filter with holes, and take every n-th."""
    holes = np.zeros(((len(w) - 1) * rate + 1, (w.shape[1] - 1) * rate + 1, *w.shape[2:]))
    holes[::rate, ::rate] = w
    if padding == "SAME":
        border = [same_border(x.shape[i], holes.shape[i - 1], stride) for i in (1, 2)]
        x = np.pad(x, [(0, 0), *border, (0, 0)])
    y = [
        [
            sum(
                signal.correlate2d(image[:, :, c], holes[:, :, c, k], mode="valid")
                for c in range(w.shape[2])
            )
            for k in range(w.shape[3])
        ]
        for image in x
    ]
    return np.moveaxis(np.array(y), 1, -1)[:, ::stride, ::stride]


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "rate"), [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2)])
def test_conv2d(stride, rate, padding):
    assert_same(
        lambda x, w: tf.nn.conv2d(x, w, stride, padding, dilations=rate),
        lambda x, w: correlate(x, w, stride, padding, rate),
        IMAGES,
        FILTERS,
    )


def test_conv2d_with_a_border_of_numbers():
    assert_same(
        lambda x, w: tf.nn.conv2d(x, w, 1, [[0, 0], [2, 1], [0, 3], [0, 0]]),
        lambda x, w: correlate(
            np.pad(x, [(0, 0), (2, 1), (0, 3), (0, 0)]), w, 1, "VALID", 1
        ),
        IMAGES,
        FILTERS,
    )  # fmt: skip


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "rate"), [(1, 1), (2, 1), (1, 2)])
def test_conv1d(stride, rate, padding):
    def reference(x, w):
        # one row, of which a stride takes the only one
        return correlate(x[:, None], w[None], 1, "VALID", 1)[:, 0]

    def bordered(x, w):
        holes = np.zeros(((len(w) - 1) * rate + 1, *w.shape[1:]))
        holes[::rate] = w
        if padding == "SAME":
            border = same_border(x.shape[1], len(holes), stride)
            x = np.pad(x, [(0, 0), border, (0, 0)])
        return reference(x, holes)[:, ::stride]

    assert_same(
        lambda x, w: tf.nn.conv1d(x, w, stride, padding, dilations=rate),
        bordered,
        RNG.normal(size=(2, 7, 2)),
        RNG.normal(size=(3, 2, 2)),
    )


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "rate"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_conv2d_transpose_is_the_adjoint(stride, rate, padding):
    """The scalar product of y with conv2d(x) is that of x with the transposed of y, for all x."""
    shape, filters = (2, 7, 6, 3), RNG.normal(size=(2, 3, 3, 2))
    zeros = np.zeros(shape)
    y = RNG.normal(size=correlate(zeros, filters, stride, padding, rate).shape)

    def adjoint(y, w):
        x, result = np.zeros(shape), np.zeros(shape)
        for index in np.ndindex(shape):
            x[index] = 1
            result[index] = np.sum(correlate(x, w, stride, padding, rate) * y)
            x[index] = 0
        return result

    found = tf.nn.conv2d_transpose(y, filters, shape, stride, padding, dilations=rate)
    assert found.shape == shape
    assert np.allclose(found.numpy(), adjoint(y, filters), atol=1e-12)


def test_gradient_of_conv2d_transpose():
    def reference(y, w):
        x = np.zeros((1, 5, 4, 2))
        for i, j in np.ndindex(y.shape[1:3]):
            x[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 2] += np.einsum("nc,ijkc->nijk", y[:, i, j], w)
        return x

    assert_same(
        lambda y, w: tf.nn.conv2d_transpose(y, w, (1, 5, 4, 2), 2, "VALID"),
        reference,
        RNG.normal(size=(1, 2, 2, 3)),
        RNG.normal(size=(3, 2, 2, 3)),
    )


@pytest.mark.parametrize(("stride", "padding"), [(1, "SAME"), (2, "SAME"), (2, "VALID")])
def test_conv3d(stride, padding):
    def reference(x, w):
        if padding == "SAME":
            border = [same_border(x.shape[i], w.shape[i - 1], stride) for i in (1, 2, 3)]
            x = np.pad(x, [(0, 0), *border, (0, 0)])
        # SciPy's correlation over the channels as well, which leaves one place of them
        y = [[signal.correlate(v, w[..., k], mode="valid") for k in range(w.shape[-1])] for v in x]
        return np.moveaxis(np.array(y)[..., 0], 1, -1)[:, ::stride, ::stride, ::stride]

    volumes, filters = RNG.normal(size=(2, 3, 4, 3, 2)), RNG.normal(size=(2, 3, 1, 2, 2))
    assert_same(lambda x, w: tf.nn.conv3d(x, w, stride, padding), reference, volumes, filters)
    assert_same(lambda x, w: tf.nn.convolution(x, w, stride, padding), reference, volumes, filters)


def test_gradient_of_conv3d_transpose():
    def reference(y, w):
        x = np.zeros((1, 3, 5, 4, 2))
        for i, j, k in np.ndindex(y.shape[1:4]):
            x[:, i : i + 2, 2 * j : 2 * j + 3, 2 * k : 2 * k + 2] += np.einsum(
                "nc,hijkc->nhijk", y[:, i, j, k], w
            )
        return x

    assert_same(
        lambda y, w: tf.nn.conv3d_transpose(y, w, (1, 3, 5, 4, 2), (1, 2, 2), "VALID"),
        reference,
        RNG.normal(size=(1, 2, 2, 2, 3)),
        RNG.normal(size=(2, 3, 2, 2, 3)),
    )


def test_the_first_of_equal_elements_of_a_volume_gets_the_gradient():
    x = tf.Variable(tf.ones([1, 2, 2, 2, 1]))
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool3d(x, 2, 2, "VALID")
    assert tape.gradient(y, x).numpy().ravel().tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def pool(reduce, size, stride, padding):
    """Pool by a loop over the places; what is over the border does not count."""

    def of(x):
        border = [(0, 0), (0, 0)]
        if padding == "SAME":
            border = [same_border(x.shape[i], size, stride) for i in (1, 2)]
        x = np.pad(x, [(0, 0), *border, (0, 0)], constant_values=np.nan)
        places = [range(0, x.shape[i] - size + 1, stride) for i in (1, 2)]
        return np.stack(
            [
                np.stack([reduce(x[:, i : i + size, j : j + size], (1, 2)) for j in places[1]], 1)
                for i in places[0]
            ],
            1,
        )

    return of


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (2, 1), (3, 3), (1, 2)])
@pytest.mark.parametrize(
    ("fun", "reduce"), [(tf.nn.max_pool2d, np.nanmax), (tf.nn.avg_pool2d, np.nanmean)]
)
def test_pooling(fun, reduce, size, stride, padding):
    assert_same(
        lambda x: fun(x, size, stride, padding), pool(reduce, size, stride, padding), IMAGES
    )


def test_of_equal_elements_the_first_has_the_maximum():
    """The kernel of TensorFlow walks through the rows and replaces a maximum by a larger one."""
    x = tf.Variable(tf.zeros((1, 3, 3, 1)))
    with tf.GradientTape(persistent=True) as tape:
        valid = tf.nn.max_pool2d(x, 2, 1, "VALID")
        same = tf.nn.max_pool2d(x, 3, 2, "SAME")
    assert tape.gradient(valid, x).numpy()[0, :, :, 0].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    # the windows over the border begin at (0, 0), (0, 1), (1, 0) and (1, 1)
    assert tape.gradient(same, x).numpy()[0, :, :, 0].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


def test_maximum_of_negative_numbers_and_of_integers_at_the_border():
    x = tf.constant(np.full((1, 2, 2, 1), -5.0))
    assert tf.nn.max_pool2d(x, 3, 1, "SAME").numpy().tolist() == x.numpy().tolist()
    low = tf.constant([[[[-7], [-8]]]])
    assert tf.nn.max_pool2d(low, [1, 3], [1, 1], "SAME").numpy().ravel().tolist() == [-7, -7]


@pytest.mark.parametrize("stride", [1, 2, [2], [2, 1], [1, 2, 1, 1]])
def test_spellings_of_strides(stride):
    rows, columns = {1: (1, 1), 2: (2, 2)}.get(stride if isinstance(stride, int) else 0, (2, 1))
    if stride == [2]:
        columns = 2
    y = tf.nn.conv2d(IMAGES, FILTERS, stride, "SAME")
    assert y.shape == (2, -(-5 // rows), -(-6 // columns), 3)
    assert tf.nn.max_pool(IMAGES, 2, stride, "SAME").shape[1:3] == y.shape[1:3]
    assert tf.nn.avg_pool(IMAGES, 2, stride, "SAME").shape[1:3] == y.shape[1:3]


def test_dtypes():
    x, w = tf.ones((1, 3, 3, 1)), tf.Variable(tf.ones((2, 2, 1, 1)))
    with tf.GradientTape() as tape:
        y = tf.nn.max_pool2d(tf.nn.avg_pool2d(tf.nn.conv2d(x, w, 1, "SAME"), 2, 1, "SAME"), 2, 1,
                             "SAME")  # fmt: skip
    assert y.dtype == tape.gradient(y, w).dtype == tf.float32
    with pytest.raises(TypeError, match="not converted by themselves"):
        tf.nn.conv2d(tf.cast(x, tf.float64), w, 1, "SAME")


def test_second_derivative_of_a_network_of_all_of_them():
    x = tf.constant(IMAGES)
    w = tf.Variable(FILTERS)
    direction = RNG.normal(size=FILTERS.shape)

    def loss():
        y = tf.tanh(tf.nn.conv2d(x, w, 1, "SAME"))
        return tf.reduce_sum(tf.nn.avg_pool2d(tf.nn.max_pool2d(y, 2, 2, "SAME"), 2, 1, "SAME") ** 2)

    def slope():
        with tf.GradientTape() as tape:
            y = loss()
        return tf.reduce_sum(tape.gradient(y, w) * direction)

    with tf.GradientTape() as tape:
        first = slope()
    second = tape.gradient(first, w).numpy()
    start, numerical = w.numpy(), np.zeros(FILTERS.shape)
    for index in np.ndindex(FILTERS.shape):
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[index] += sign * 1e-6
            w.assign(moved)
            values.append(slope().numpy())
        numerical[index] = (values[0] - values[1]) / 2e-6
    assert np.allclose(second, numerical, rtol=1e-5, atol=1e-6)


def test_images_do_not_mix():
    x = tf.Variable(IMAGES)
    with tf.GradientTape(persistent=True) as tape:
        y = tf.nn.max_pool2d(tf.nn.conv2d(x, FILTERS, 2, "SAME"), 2, 1, "VALID")
    each = tape.batch_jacobian(y, x)
    whole = tape.jacobian(y, x).numpy()
    assert each.shape == (*y.shape, 5, 6, 2)
    for i in range(2):
        assert np.allclose(each.numpy()[i], whole[i, ..., i, :, :, :])
        assert not whole[i, ..., 1 - i, :, :, :].any()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tf.nn.conv2d(IMAGES[0], FILTERS, 1, "SAME"), r"conv2d of a tensor of shape \(5"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS[:, :, :1], 1, "SAME"), "columns, 2, results"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, "SOME"), "Unknown padding: 'SOME'"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 0, "SAME"), "strides=0"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1.5, "SAME"), "strides=1.5"),
        (lambda: tf.nn.avg_pool2d(IMAGES.astype(int), 2, 1, "SAME"), "floats only"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, [2, 1, 1, 1], "SAME"), "strides="),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, "SAME", "NCHW"), "channels last"),
        (lambda: tf.nn.conv2d(IMAGES, FILTERS, 1, "VALID", dilations=6), "does not fit"),
        (lambda: tf.nn.conv2d_transpose(IMAGES, FILTERS, (2, 9, 9, 2), 2), "results, 2"),
        (
            lambda: tf.nn.conv2d_transpose(IMAGES, FILTERS[..., :2], (2, 9, 9, 2), 2),
            "No convolution of",
        ),
        (lambda: tf.nn.conv1d(IMAGES[0], FILTERS[0], 1, "SAME", "NCW"), "NWC"),
        (lambda: tf.nn.max_pool2d(IMAGES, 7, 1, "VALID"), "A window of 7 elements"),
        (lambda: tf.nn.avg_pool2d(IMAGES, 2, 1, [[0, 0]] * 4), "not provided"),
    ],
)
def test_what_does_not_fit_is_refused(call, words):
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        call()
