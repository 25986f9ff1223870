"""`stop_gradient` and `custom_gradient` (T25)."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import TapeError


def test_stop_gradient():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * tapemagic.stop_gradient(x)
    assert tape.gradient(y, x) == 3.0


def test_stop_gradient_of_structures_and_plain_values():
    x = Variable(3.0)
    with GradientTape() as tape:
        cut = tapemagic.stop_gradient({"a": x * 2.0, "b": [5.0, np.ones(2)]})
        y = cut["a"] * x + cut["b"][0]
    assert tape.gradient(y, x) == 6.0


def test_stop_gradient_copies():
    x = Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = x * 1.0
        cut = tapemagic.stop_gradient(y)
        cut[0] = 50.0
        z = np.sum(y * cut)
    np.testing.assert_array_equal(tape.gradient(z, x), [50.0, 2.0])


@tapemagic.custom_gradient
def log1pexp(x):
    e = np.exp(x)
    return np.log(1 + e), lambda ct: ct * (1 - 1 / (1 + e))


def test_t25_custom_gradient():
    x = Variable(100.0)
    with GradientTape() as tape:
        y = log1pexp(x)
    assert tape.gradient(y, x) == 1.0


def test_t25_to_second_order():
    x = Variable(0.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = log1pexp(x)
        slope = inner.gradient(y, x)
    assert slope == 0.5
    assert outer.gradient(slope, x) == 0.25


def test_t25_of_two_arguments():
    @tapemagic.custom_gradient
    def product(a, b):
        return a * b, lambda ct: (ct * b * 10.0, ct * a * 100.0)

    a, b = Variable(2.0), Variable(3.0)
    with GradientTape() as tape:
        y = product(a, b)
    assert tape.gradient(y, [a, b]) == [30.0, 200.0]


def test_t25_none_for_an_argument():
    @tapemagic.custom_gradient
    def half(a, b):
        return a * b, lambda ct: (ct, None)

    a, b = Variable(2.0), Variable(3.0)
    with GradientTape() as tape:
        y = half(a, b)
    assert tape.gradient(y, [a, b]) == [1.0, None]


def test_t25_several_results():
    @tapemagic.custom_gradient
    def both(x):
        return (x * 2.0, x * 3.0), lambda first, second: first * 10.0 + second * 100.0

    x = Variable(1.0)
    with GradientTape(persistent=True) as tape:
        a, b = both(x)
        y = a + b
    assert tape.gradient(y, x) == 110.0


def test_t25_one_of_several_results_used():
    @tapemagic.custom_gradient
    def both(x):
        return (x * 2.0, x * 3.0), lambda first, second: first * 10.0 + second * 100.0

    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        _, b = both(x)
    np.testing.assert_array_equal(tape.gradient(b, x), [100.0, 100.0])


def test_t25_a_wrong_number_of_returns():
    @tapemagic.custom_gradient
    def bad(a, b):
        return a * b, lambda ct: ct

    a, b = Variable(2.0), Variable(3.0)
    with GradientTape() as tape:
        y = bad(a, b)
    with pytest.raises(ValueError, match="1 values for 2"):
        tape.gradient(y, [a, b])


def test_t25_a_wrong_shape():
    @tapemagic.custom_gradient
    def bad(a):
        return a * 2.0, lambda ct: np.ones(7)

    a = Variable([2.0, 3.0])
    with GradientTape() as tape:
        y = bad(a)
    with pytest.raises(ValueError, match="shape"):
        tape.gradient(y, a)


def test_t25_no_pair_returned():
    @tapemagic.custom_gradient
    def bad(a):
        return a * 2.0

    a = Variable([2.0, 3.0, 4.0])
    with GradientTape(), pytest.raises((TapeError, TypeError)):
        bad(a)


def test_t25_outside_a_tape_is_the_plain_value():
    assert type(log1pexp(Variable(0.0))) is np.float64
    assert log1pexp(0.0) == np.log(2.0)


def test_t25_float32_stays():
    x = Variable(np.float32([1.0, 2.0]))
    with GradientTape() as tape:
        y = log1pexp(x)
    assert tape.gradient(y, x).dtype == np.float32


def test_t25_the_result_may_be_written_to():
    x = Variable([1.0, 2.0])

    @tapemagic.custom_gradient
    def same(a):
        return a, lambda ct: ct * 10.0

    with GradientTape() as tape:
        y = x * 1.0
        z = same(y)
        z[0] = 7.0
        loss = np.sum(z) + np.sum(y * y)
    np.testing.assert_array_equal(tape.gradient(loss, x), [2.0, 14.0])


def test_a_custom_gradient_that_reads_a_watched_value_is_refused():
    w = Variable(2.0)

    @tapemagic.custom_gradient
    def scaled(x):
        return w * x, lambda ct: ct * w

    with GradientTape(), pytest.raises(TapeError, match="not one of its arguments"):
        scaled(Variable(3.0))


def test_a_custom_gradient_that_reads_a_constant_is_fine():
    w, x = Variable(2.0, trainable=False), Variable(3.0)

    @tapemagic.custom_gradient
    def scaled(x):
        return w * x, lambda ct: ct * w

    with GradientTape() as tape:
        y = scaled(x)
    assert tape.gradient(y, x) == 2.0


@pytest.mark.parametrize(
    "returned",
    [lambda ct: [ct * 5, ct * 7], lambda ct: ([ct * 5, ct * 7],), lambda ct: [[ct * 5, ct * 7]]],
)
def test_a_custom_gradient_of_a_list_answers_for_its_items(returned):
    @tapemagic.custom_gradient
    def product(pair):
        return pair[0] * pair[1], returned

    x, y = Variable(2.0), Variable(3.0)
    with GradientTape() as tape:
        z = product([x, y])
    assert tape.gradient(z, [x, y]) == [5.0, 7.0]


def test_a_custom_gradient_of_a_list_that_answers_for_too_many_is_refused():
    @tapemagic.custom_gradient
    def product(pair):
        return pair[0] * pair[1], lambda ct: [ct, ct, ct]

    x = Variable(2.0)
    with GradientTape() as tape:
        z = product([x, x])
    with pytest.raises(TapeError, match="returned 3 values for 1 arguments"):
        tape.gradient(z, x)


@pytest.mark.parametrize("change", ["argument", "constant", "variable"])
def test_a_custom_gradient_reads_its_arguments_as_they_were(change):
    @tapemagic.custom_gradient
    def product(a, b):
        return np.sum(a * b), lambda ct: (ct * b, ct * a)

    x, constant = Variable([1.0, 2.0]), np.array([3.0, 4.0])
    with GradientTape() as tape:
        state = x * 1.0
        y = product(state, constant)
        if change == "argument":
            state *= -1.0
        elif change == "constant":
            constant[:] = 0.0
        else:
            x.assign([7.0, 7.0])
    np.testing.assert_array_equal(tape.gradient(y, x), [3.0, 4.0])


def test_a_custom_gradient_that_writes_to_its_argument_is_refused():
    @tapemagic.custom_gradient
    def double(a):
        a *= 2
        return a, lambda ct: 2 * ct

    with pytest.raises(TapeError, match="double writes to its argument"), GradientTape():
        double(Variable([1.0, 2.0]) * 1.0)
