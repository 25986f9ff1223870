"""The rules T1 to T27 of a tape, in TensorFlow's spelling."""

import linecache
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

import tapemagic
from tapemagic import tf
from tapemagic.errors import TapeError


class Pair(NamedTuple):
    first: object
    second: object


@dataclass
class Weights:
    w: object
    b: object


def value(tensor):
    assert isinstance(tensor, tf.Tensor)
    return tensor.numpy().tolist()


def test_t1_one_gradient_only():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="A non-persistent GradientTape can only be used to"):
        tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="never entered"):
        tf.GradientTape().gradient(y, x)


def test_t2_persistent_gradient_inside_is_recorded():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x**3
        dy = tape.gradient(y, x)
    assert value(dy) == 27
    assert value(tape.gradient(dy, x)) == 18


def test_t3_gradient_inside_ends_the_recording():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        assert value(tape.gradient(y, x)) == 6
        with pytest.raises(RuntimeError):
            tape.gradient(y, x)


def test_t4_entering_again_continues():
    x = tf.Variable(3.0)
    tape = tf.GradientTape()
    with tape:
        y = x * x
        with pytest.raises(ValueError, match="still recording"):
            tape.__enter__()
    with tape:
        z = y * x
    assert value(tape.gradient(z, x)) == 27


def test_t5_exception_leaves_the_recording():
    x = tf.Variable(3.0)
    tape = tf.GradientTape()

    def fail():
        nonlocal y
        with tape:
            y = x * x
            raise ZeroDivisionError

    y = None
    with pytest.raises(ZeroDivisionError):
        fail()
    assert value(tape.gradient(y, x)) == 6


def test_t6_stop_recording():
    x, w = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x * x
        with tape.stop_recording():
            z = w * y
    assert [v.ref() for v in tape.watched_variables()] == [x.ref()]
    assert tape.gradient(z, x) is None
    with pytest.raises(RuntimeError), tf.GradientTape().stop_recording():
        pass


def test_t7_reset():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
        tape.reset()
        z = x * 2
    assert value(tape.gradient(z, x)) == 2
    with pytest.raises(ValueError, match="reset"):
        tape.reset()
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
        tape.reset()
    assert tape.gradient(y, x) is None


def test_t8_work_after_the_block():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * x
    assert tape.gradient(y * 2, x) is None


def test_t9_what_is_watched():
    x, fixed = tf.Variable(3.0), tf.Variable(2.0, trainable=False)
    constant = tf.constant(5.0)
    with tf.GradientTape(persistent=True) as tape:
        y = x * fixed * constant
    assert value(tape.gradient(y, x)) == 10
    assert tape.gradient(y, [fixed, constant]) == [None, None]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        before = x * constant
        tape.watch({"a": fixed, "b": [constant]})
        tape.watch(constant)
        y = x * fixed * constant + before
    gradients = tape.gradient(y, [x, fixed, constant])
    assert gradients[0] is None
    assert [value(g) for g in gradients[1:]] == [15, 6]


def test_t9_by_identity():
    x = tf.constant(3.0)
    twin = tf.constant(3.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * twin
    assert tape.gradient(y, [twin, x])[0] is None


def test_t10_watched_variables_in_order_of_creation():
    a, b, c = (tf.Variable(float(i)) for i in range(3))
    with tf.GradientTape() as tape:
        tape.watch(tf.constant(1.0))
        c * b * a
    assert [v.ref() for v in tape.watched_variables()] == [v.ref() for v in (a, b, c)]


def test_t11_integers_are_not_watched():
    x = tf.constant(3)
    with tf.GradientTape() as tape:
        with pytest.warns(UserWarning, match="int32"):
            tape.watch(x)
        y = x * x
    assert tape.gradient(y, x) is None
    counter = tf.Variable(3)
    with tf.GradientTape() as tape:
        y = counter * 2
    assert tape.gradient(y, counter) is None


@pytest.mark.parametrize("structure", [lambda x: x, lambda x: [x], lambda x: {"x": (x,)}])
@pytest.mark.parametrize("spelling", [tf, tapemagic])
@pytest.mark.parametrize("make", [tf.constant, tf.Variable, np.int64])
def test_t11_the_warning_is_on_the_users_line(make, spelling, structure):
    if spelling is tf and make is np.int64:
        pytest.skip("plain numbers are refused by tf")
    x = structure(make(3))
    with spelling.GradientTape() as tape, pytest.warns(UserWarning, match="int") as told:
        tape.watch(x)
    lines = [linecache.getline(warning.filename, warning.lineno).strip() for warning in told]
    assert lines == ["tape.watch(x)"]


@pytest.mark.parametrize("data", [3.0, np.ones(2), [1.0, 2.0]])
def test_t12_plain_data_is_refused_in_words(data):
    with tf.GradientTape() as tape, pytest.raises(TapeError, match=r"tf\.constant"):
        tape.watch(data)


def test_t12_plain_source_and_target():
    x, plain = tf.Variable(3.0), np.ones(2)
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    assert tape.gradient(y, plain) is None
    assert tape.gradient(3.0, x) is None


@pytest.mark.parametrize(
    "structure",
    [
        lambda w, b: [w, b],
        lambda w, b: (w, b),
        lambda w, b: {"w": w, "b": b},
        lambda w, b: Pair(w, [b, {"again": w}]),
        Weights,
        lambda w, b: [w, w],
        lambda w, b: [],
    ],
)
def test_t13_structure_of_the_sources(structure):
    w, b = tf.Variable(3.0), tf.Variable(1.0)
    with tf.GradientTape() as tape:
        y = w * w + b
    sources = structure(w, b)
    found = tape.gradient(y, sources)
    assert type(found) is type(sources)
    expected = structure(6.0, 1.0)
    assert _plain(found) == expected


def _plain(x):
    if isinstance(x, tf.Tensor):
        return x.numpy().item()
    if isinstance(x, dict):
        return {key: _plain(item) for key, item in x.items()}
    if isinstance(x, Pair):
        return Pair(*map(_plain, x))
    if isinstance(x, Weights):
        return Weights(_plain(x.w), _plain(x.b))
    return type(x)(map(_plain, x))


def test_t14_several_targets():
    x = tf.Variable(3.0)
    with tf.GradientTape(persistent=True) as tape:
        y, z = x * x, x * 2
    assert value(tape.gradient([y, z], x)) == 8
    assert value(tape.gradient({"y": y, "again": y}, x)) == 12
    assert tape.gradient([], x) is None


def test_t15_sum_and_output_gradients():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = x * x
    assert value(tape.gradient(y, x)) == [2, 4]
    assert value(tape.gradient(y, x, output_gradients=tf.constant([1.0, 10.0]))) == [2, 40]
    assert value(tape.gradient(y, x, output_gradients=tf.constant(2.0))) == [4, 8]
    with pytest.raises(ValueError, match="output_gradients"):
        tape.gradient(y, x, output_gradients=tf.ones(3))


def test_t16_target_is_the_source_and_intermediates():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        y = 2 * x
        f = y * y
    assert value(tape.gradient(x, x)) == [1, 1]
    assert value(tape.gradient(y, y)) == [1, 1]
    assert value(tape.gradient(f, y)) == [4, 8]


def test_t17_unconnected():
    x, w = tf.Variable([1.0, 2.0]), tf.Variable([[1.0]])
    with tf.GradientTape(persistent=True) as tape:
        y = x * 0.0
        w * 1.0
    assert tape.gradient(y, w) is None
    zeros = tape.gradient(y, w, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert value(zeros) == [[0]]
    assert zeros.dtype == tf.float32
    assert value(tape.gradient(y, w, unconnected_gradients="zero")) == [[0]]
    assert value(tape.gradient(y, x)) == [0, 0]
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="nonsense")


@pytest.mark.parametrize("dtype", [tf.float16, tf.float32, tf.float64, tf.complex64])
def test_t18_gradients_keep_the_dtype(dtype):
    x = tf.Variable([1.0, 2.0], dtype=dtype)
    with tf.GradientTape() as tape:
        y = tf.reduce_mean(x * 3 + 1) ** 2 / 7
    assert y.dtype == dtype
    assert tape.gradient(y, x).dtype == dtype


def test_t19_empty_and_zero_dimensional():
    empty, number = tf.Variable(tf.zeros((0, 3))), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(empty * 2) + number**2
    gradients = tape.gradient(y, [empty, number])
    assert gradients[0].shape == (0, 3)
    assert value(gradients[1]) == 4


def test_t20_nested_tapes():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as middle:
            with tf.GradientTape() as inner:
                y = x**4
            first = inner.gradient(y, x)
        second = middle.gradient(first, x)
    assert (value(first), value(second), value(outer.gradient(second, x))) == (32, 48, 48)


def test_t20_inner_gradient_outside_the_outer_block():
    x = tf.Variable(2.0)
    with tf.GradientTape() as outer, tf.GradientTape() as inner:
        y = x**4
    first = inner.gradient(y, x)
    assert outer.gradient(first, x) is None


def test_t21_hessian_vector_product():
    x, v = tf.Variable([1.0, 2.0]), tf.constant([1.0, 3.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = tf.reduce_sum(x**3)
        gradient = inner.gradient(y, x)
    assert value(outer.gradient(gradient, x, output_gradients=v)) == [6, 36]


def test_t21_forward_accumulator():
    x, v = tf.Variable([1.0, 2.0]), tf.constant([1.0, 3.0])
    with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
        y = tf.reduce_sum(x**3)
        z = tf.constant(1.0)
        assert value(accumulator.jvp(y)) == 39
    assert value(accumulator.jvp(y)) == 39
    assert accumulator.jvp(z) is None
    assert value(accumulator.jvp(z, tf.UnconnectedGradients.ZERO)) == 0
    with pytest.raises(ValueError, match="shape"):
        tf.autodiff.ForwardAccumulator(x, tf.constant(1.0))


def test_t21_forward_over_reverse_and_reverse_over_forward():
    x, v = tf.Variable([1.0, 2.0]), tf.constant([1.0, 3.0])
    with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
        with tf.GradientTape() as tape:
            y = tf.reduce_sum(x**3)
        gradient = tape.gradient(y, x)
    assert value(accumulator.jvp(gradient)) == [6, 36]
    with tf.GradientTape() as tape:
        with tf.autodiff.ForwardAccumulator(x, v) as accumulator:
            y = tf.reduce_sum(x**3)
        along = accumulator.jvp(y)
    assert value(tape.gradient(along, x)) == [6, 36]


def test_t22_jacobians():
    x = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape(persistent=True) as tape:
        rows = tf.reduce_sum(x * x, axis=1)
        coupled = tf.reduce_sum(x, axis=0)
    jacobian = tape.jacobian(rows, x)
    assert jacobian.shape == (2, 2, 2)
    assert value(jacobian) == [[[2, 4], [0, 0]], [[0, 0], [6, 8]]]
    assert value(tape.batch_jacobian(rows, x)) == [[2, 4], [6, 8]]
    with pytest.raises(ValueError, match="batch_jacobian"):
        tape.batch_jacobian(coupled, x)


def sigmoid_slope(x):
    return np.exp(-x) / (1 + np.exp(-x)) ** 2


# A target that is much larger than its sources takes another way than a small one.
@pytest.mark.parametrize("count", [3, 50, 127, 201, 1000])
@pytest.mark.parametrize("size", [(), (1,), (4,)])
def test_t22_jacobian_of_tall_targets(count, size):
    points = np.linspace(-10, 10, count)
    shift = tf.Variable(tf.zeros(size, tf.float64))
    with tf.GradientTape(persistent=True) as tape:
        y = tf.nn.sigmoid(tf.constant(points) + tf.reduce_sum(shift))
        z = tf.constant(points)[:, None] * tf.reduce_sum(shift)
    slopes = sigmoid_slope(points).reshape(count, *(1,) * len(size))
    for found in (tape.jacobian(y, shift), tape.jacobian([y], {"d": shift})[0]["d"]):
        assert isinstance(found, tf.Tensor)
        np.testing.assert_allclose(found, np.broadcast_to(slopes, (count, *size)), atol=1e-12)
    other = tf.Variable(0.0)
    assert tape.jacobian(y, other) is None
    zeros = tape.jacobian(y, other, unconnected_gradients="zero")
    np.testing.assert_array_equal(zeros, np.zeros(count))
    expected = np.broadcast_to(points.reshape(count, 1, *(1,) * len(size)), (count, 1, *size))
    np.testing.assert_allclose(tape.jacobian(z, shift), expected)


@pytest.mark.parametrize("columns", [2, 30, 300])
def test_t22_batch_jacobian_of_wide_rows(columns):
    x = tf.Variable([[1.0], [2.0], [3.0]], dtype=tf.float64)
    powers = np.arange(columns) / columns
    with tf.GradientTape() as tape:
        y = x ** tf.constant(powers)
    found = tape.batch_jacobian(y, x)
    expected = powers * np.array([[1.0], [2.0], [3.0]]) ** (powers - 1)
    np.testing.assert_allclose(found, expected[..., None], rtol=1e-12)


def test_t22_a_subclass_of_a_tape_may_have_other_methods():
    class Recorder(tf.GradientTape):
        def __init__(self, label):
            super().__init__(persistent=True)
            self.label = label

        def watch(self, tensor):
            super().watch(tensor)
            return self.label

    x = tf.constant(2.0)
    with Recorder("mine") as tape:
        tape.watch(x)
        y = tf.ones(500) * x**2
    np.testing.assert_array_equal(tape.jacobian(y, x), np.full(500, 4.0))


def test_t23_rebinding_and_assigning():
    x = tf.Variable(2.0)
    y = x + 1
    assert not isinstance(y, tf.Variable)
    with pytest.raises(TypeError, match="assign_add"):
        x += 1
    with tf.GradientTape() as tape:
        first = x * x
        x.assign_add(1.0)
        both = first + x * x
    assert value(tape.gradient(both, x)) == 10
    assert value(x.assign_sub(1.0).read_value()) == 2
    assert value(x.assign(7).read_value()) == 7
    with pytest.raises(ValueError, match="shape"):
        x.assign([1.0, 2.0])


def test_t24_control_flow():
    x = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = x
        while y < 20:
            y = y * y
        y = y + (x if y > 10 else -x)
    assert value(tape.gradient(y, x)) == 1025  # x**8 + x
    rows = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as tape:
        y = sum(row * i for i, row in enumerate(rows))
    assert value(tape.gradient(y, rows)) == [0, 1, 2]


@tf.custom_gradient
def log1pexp(x):
    e = tf.exp(x)

    def grad(upstream):
        assert isinstance(upstream, tf.Tensor)
        return upstream * (1 - 1 / (1 + e))

    return tf.math.log(1 + e), grad


def test_t25_custom_gradient():
    x = tf.constant(1.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = log1pexp(x)
        first = inner.gradient(y, x)
    sigmoid = 1 / (1 + np.exp(-1))
    assert value(first) == pytest.approx(sigmoid)
    assert value(outer.gradient(first, x)) == pytest.approx(sigmoid * (1 - sigmoid), rel=1e-5)
    assert value(log1pexp(0.0)) == pytest.approx(np.log(2))


def test_t25_several_arguments_and_results():
    @tf.custom_gradient
    def swapped(a, b):
        return (a + b, a * b), lambda da, db: (da * 10 + db * 100, da * 20)

    a, b = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        first, second = swapped(a, b)
        both = first + second
    assert [value(g) for g in tape.gradient(both, [a, b])] == [110, 20]
    assert [value(g) for g in tape.gradient(second, [a, b])] == [100, 0]

    @tf.custom_gradient
    def short(a, b):
        return a + b, lambda ct: ct

    with tf.GradientTape() as tape:
        y = short(a, b)
    with pytest.raises(ValueError, match="1 values for 2"):
        tape.gradient(y, a)


@pytest.mark.parametrize(
    "result",
    [
        lambda x: x * 2,  # of one element, of two and of three: none is a value and a function
        lambda x: (x * 2, x * 3),
        lambda x: [x * 2, x * 3],
        lambda x: (x, x, lambda ct: ct),
        lambda x: (x * 2,),
        lambda x: (lambda ct: ct, x),
        lambda x: {"y": x, "grad": lambda ct: ct},
        lambda x: (None, lambda ct: ct),
        lambda x: ({"y": x}, lambda ct: ct),
        lambda x: ((x, [x]), lambda *cts: cts[0]),
        lambda x: None,
        lambda x: 3.0,
        lambda x: "ab",
    ],
)
@pytest.mark.parametrize("size", [(), (1,), (2,), (3,), (2, 2)])
@pytest.mark.parametrize("recorded", [False, True])
def test_t25_a_function_without_its_gradient_function(result, size, recorded):
    x = tf.Variable(tf.ones(size))
    tape = tf.GradientTape()
    if recorded:
        tape.start()
    try:
        with pytest.raises(ValueError, match="has to return"):
            tf.custom_gradient(result)(x)
    finally:
        if recorded:
            tape.stop()


def test_t25_a_callable_object_needs_no_name():
    class Square:
        def __call__(self, x):
            return x * x if self.forgets else (x * x, lambda ct: 2 * x * ct)

    square, x = Square(), tf.Variable(3.0)
    square.forgets = False
    with tf.GradientTape() as tape:
        y = tf.custom_gradient(square)(x)
    assert value(tape.gradient(y, x)) == 6
    square.forgets = True
    with pytest.raises(ValueError, match="has to return"):
        tf.custom_gradient(square)(x)


@pytest.mark.parametrize("cotangents", [(), (1.0,), (1.0, 1.0, 1.0)])
def test_t25_wrong_number_of_cotangents(cotangents):
    product = tf.custom_gradient(lambda a, b: (a * b, lambda ct: cotangents))
    a, b = tf.Variable(1.0), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = product(a, b)
    with pytest.raises(ValueError, match=f"{len(cotangents)} values for 2"):
        tape.gradient(y, [a, b])


@pytest.mark.parametrize("plain", [3.0, 3, np.float32(3)])
def test_t25_plain_results_are_tensors_of_tensorflows_dtype(plain):
    x = tf.Variable(2.0)
    with tf.GradientTape():
        y = tf.custom_gradient(lambda x: (plain, lambda ct: tf.constant(7.0)))(x)
    assert y.dtype == tf.constant(plain).dtype
    assert value(y) == 3


def test_t25_recompute_grad():
    kinds = []

    def cube(x, power=3):
        kinds.append(type(x))
        return x**power

    repeated = tf.recompute_grad(cube)
    for given in (2.0, np.float32(2), tf.constant(2.0), tf.Variable(2.0)):
        assert value(repeated(given)) == 8
    assert value(repeated(2.0, power=2)) == 4
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = repeated(x)
        first = inner.gradient(y, x)
    assert (value(y), value(first), value(outer.gradient(first, x))) == ([1, 8], [3, 12], [6, 12])
    assert set(kinds) == {tf.Tensor}


def test_t25_nothing_is_lost_in_silence():
    x, v = tf.Variable(3.0), tf.Variable(2.0)

    @tf.custom_gradient
    def captures(x):
        return x * v, lambda ct: ct * v

    for read_before in (False, True):
        with tf.GradientTape():
            if read_before:
                v + 1.0
            with pytest.raises(ValueError, match="not one of its arguments"):
                captures(x)
    assert value(captures(x)) == 6

    @tf.custom_gradient
    def cut(x):
        return x * tf.stop_gradient(v), lambda ct: ct * 7.0

    v.assign(5.0)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = captures(x) + cut(x * 1.0)
    assert [value(y), value(tape.gradient(y, x))] == [30, 12]


def test_t26_conjugate_convention():
    z = tf.Variable(1 + 2j)
    with tf.GradientTape() as tape:
        y = z * z
    assert value(tape.gradient(y, z)) == 2 - 4j


def test_t27_right_where_tensorflow_is_wrong():
    x = tf.Variable([2.0, 0.0, 3.0])
    with tf.GradientTape(persistent=True) as tape:
        product = tf.math.cumprod(x)[2]
        singular = tf.linalg.det(tf.linalg.diag(x))
        size = tf.norm(x * 0.0)
        spread = tf.math.reduce_std(x * 0.0 + 1.0)
        power = tf.reduce_sum((x * 0.0) ** 0.0)
    assert value(tape.gradient(product, x)) == [0, 6, 0]
    assert value(tape.gradient(singular, x)) == [0, 6, 0]
    for target in (size, spread, power):
        assert value(tape.gradient(target, x)) == [0, 0, 0]


def test_stop_gradient_and_leaving_the_tape():
    x = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        y = x * tf.stop_gradient(x)
        with pytest.raises(TypeError, match="float"):
            float(y)
        print(y)
        assert y.numpy() == 9
        assert f"{y:.1f}" == "9.0"
    assert float(y) == 9
    assert value(tape.gradient(y, x)) == 3


def test_operations_inside_tf_function():
    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec([]), tf.TensorSpec([None])])
    def loss(w, data):
        return tf.reduce_sum(w * data) + 1

    @tf.function
    def plain():
        return 3

    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = loss(w, np.array([1, 2], np.float32))
    assert value(tape.gradient(y, w)) == 3
    assert value(plain()) == 3


# TensorFlow 2.21 gives these, whether or not a tape has watched the variable.
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("watch_accessed_variables", [True, False])
def test_t16_a_target_that_is_a_source_needs_no_operation(trainable, watch_accessed_variables):
    v0, v1 = tf.Variable([1.0, 2.0], trainable=trainable), tf.Variable(2.0)
    options = {"watch_accessed_variables": watch_accessed_variables}
    with tf.GradientTape(persistent=True, **options) as tape:
        result = v0
    assert value(tape.gradient(result, v0)) == [1, 1]
    assert tape.gradient(result, v1) is None
    assert [value(g) for g in tape.gradient([result, v0, v1], [v0, v1])] == [[2, 2], 1]
    assert value(tape.gradient(v0, v0, output_gradients=tf.constant([3.0, 4.0]))) == [3, 4]
    assert value(tape.jacobian(v0, v0)) == [[1, 0], [0, 1]]
    constant = tf.constant(4.0)
    assert value(tape.gradient(constant, constant)) == 1
    assert tape.gradient(tf.Variable(3), tf.Variable(3)) is None


def test_types_are_called_as_in_tensorflow():
    v = tf.Variable(2.0)
    assert (type(v).__name__, type(v + 1).__name__) == ("ResourceVariable", "EagerTensor")


def test_gradient_of_softplus_keeps_its_digits():
    x = np.array([-80, -10, -1, 0, 1, 10, 100], np.float32)
    tensor = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = tf.nn.softplus(tensor)
    wide = x.astype(float)
    np.testing.assert_allclose(y, np.log1p(np.exp(wide)), rtol=2e-7)
    np.testing.assert_allclose(tape.gradient(y, tensor), 1 / (1 + np.exp(-wide)), rtol=2e-7)


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [((1, 2, 0.5), "float32"), ((1.0, 4, 1), "float32"), ((0, 6, 2), "int32")],
)
def test_dtype_of_a_range(arguments, dtype):
    assert tf.range(*arguments).dtype == dtype


def test_output_gradients_in_a_list():
    x = tf.Variable([1.0, 2.0])
    with tf.GradientTape() as tape:
        y = x**2
    assert tape.gradient(y, x, output_gradients=[tf.constant([1.0, 0.5])]).numpy().tolist() == [
        2,
        2,
    ]
