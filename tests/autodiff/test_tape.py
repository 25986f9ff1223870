"""The rules T1 to T22 of a gradient tape, on plain NumPy functions and our Variables."""

import collections
import copy
import dataclasses
import pickle

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import SourceError, TapeError, TapeStateError, TapeUseError

Point = collections.namedtuple("Point", "x y")  # noqa: PYI024  (what users write)


@dataclasses.dataclass
class Layer:
    weight: object
    bias: object


def square_of(x, **options):
    tape = GradientTape(**options)
    with tape:
        y = x * x
    return tape, y


# ------------------------------------------------------------------------------- T1, T2, T3


def test_t01_serves_once():
    x = Variable(3.0)
    tape, y = square_of(x)
    assert tape.gradient(y, x) == 6.0
    with pytest.raises(RuntimeError, match="A non-persistent GradientTape can only be used to"):
        tape.gradient(y, x)


@pytest.mark.parametrize("ask", ["jacobian", "batch_jacobian"])
def test_t01_jacobians_spend_it_too(ask):
    x = Variable([[1.0, 2.0]])
    tape, y = square_of(x)
    getattr(tape, ask)(y, x)
    with pytest.raises(TapeStateError, match="only be used to compute one set"):
        tape.gradient(y, x)


def test_t01_never_entered_has_its_own_sentence():
    with pytest.raises(RuntimeError, match="never entered"):
        GradientTape().gradient(Variable(1.0), Variable(1.0))


def test_t02_persistent_any_number():
    x = Variable(3.0)
    tape, y = square_of(x, persistent=True)
    assert [tape.gradient(y, x) for _ in range(3)] == [6.0, 6.0, 6.0]


def test_t02_gradient_inside_the_block_is_recorded():
    x = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = x**3
        slope = tape.gradient(y, x)
    assert slope == 27.0
    assert tape.gradient(slope, x) == 18.0
    assert tape.gradient(y, x) == 27.0


def test_t02_order_three_with_one_tape():
    x = Variable(2.0)
    with GradientTape(persistent=True) as tape:
        y = x**4
        first = tape.gradient(y, x)
        second = tape.gradient(first, x)
    assert tape.gradient(second, x) == 48.0


def test_t03_inside_the_block_once_and_ends_the_recording():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * x
        assert tape.gradient(y, x) == 6.0
        z = x * 5.0
    assert type(z) is np.float64
    with pytest.raises(RuntimeError, match="one set of gradients"):
        tape.gradient(z, x)


# ------------------------------------------------------------------------------- T4 to T8


def test_t04_reentering_continues():
    x = Variable(3.0)
    tape = GradientTape(persistent=True)
    with tape:
        y = x * x
    with tape:
        z = y * 2.0
    assert tape.gradient(z, x) == 12.0


def test_t04_reentering_while_recording():
    with GradientTape() as tape, pytest.raises(ValueError, match="still recording"), tape:
        pass


def test_t04_work_between_the_blocks_is_not_recorded():
    x = Variable(3.0)
    tape = GradientTape(persistent=True)
    with tape:
        y = x * x
    between = y * 10.0
    with tape:
        z = y + between
    assert tape.gradient(z, x) == 6.0


def test_t04_a_watched_array_stays_watched():
    tape = GradientTape(persistent=True)
    with tape:
        x = tape.watch(np.array([1.0, 2.0]))
        y = x * 3.0
    with tape:
        z = np.sum(x * y)
    np.testing.assert_array_equal(tape.gradient(z, x), [6.0, 12.0])


def test_t05_exception_leaves_the_recording_usable():
    x = Variable(3.0)
    tape = GradientTape()
    y = None
    with pytest.raises(ZeroDivisionError), tape:
        y = x * x
        _ = 1 / 0
    assert tape.gradient(y, x) == 6.0


def test_t05_exception_hides_nothing_and_closes():
    x = Variable(3.0)
    with pytest.raises(KeyError, match="mine"), GradientTape():
        raise KeyError("mine")
    assert type(x * 2.0) is np.float64


def test_t06_stop_recording():
    x, other = Variable(3.0), Variable(4.0)
    with GradientTape(persistent=True) as tape:
        y = x * x
        with tape.stop_recording():
            z = x * other
        w = y + z
    assert tape.gradient(y, x) == 6.0
    assert tape.gradient(z, x) is None
    assert tape.gradient(w, x) == 6.0
    assert tape.watched_variables() == (x,)


def test_t06_stop_recording_ends_on_an_exception():
    x = Variable(3.0)
    with GradientTape() as tape:
        with pytest.raises(ValueError, match="mine"), tape.stop_recording():
            raise ValueError("mine")
        y = x * x
    assert tape.gradient(y, x) == 6.0


def test_t06_gradient_while_stopped_is_not_recorded():
    x = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = x**3
        with tape.stop_recording():
            slope = tape.gradient(y, x)
    assert slope == 27.0
    assert tape.gradient(slope, x) is None


def test_t06_outside_a_recording():
    tape = GradientTape()
    with pytest.raises(RuntimeError, match="not currently recording"), tape.stop_recording():
        pass


def test_t06_an_outer_tape_goes_on():
    x = Variable(3.0)
    with GradientTape() as outer, GradientTape() as inner:
        with inner.stop_recording():
            y = x * x
    assert inner.gradient(y, x) is None
    assert outer.gradient(y, x) == 6.0


def test_t07_reset_forgets():
    x, z = Variable(3.0), Variable(2.0)
    with GradientTape(persistent=True) as tape:
        y = x * x
        tape.reset()
        w = z * z
    assert tape.gradient(y, x) is None
    assert tape.gradient(w, z) == 4.0
    assert tape.watched_variables() == (z,)


def test_t07_reset_outside_the_block():
    tape = GradientTape()
    with pytest.raises(ValueError, match="reset"):
        tape.reset()


def test_t08_work_after_the_block_is_not_recorded():
    x = Variable(3.0)
    tape, y = square_of(x, persistent=True)
    z = y * 2.0
    assert tape.gradient(z, x) is None
    assert tape.gradient(y, x) == 6.0


# ------------------------------------------------------------------------------- T9 to T12


def test_t09_trainable_variables_are_watched_when_read():
    x, constant = Variable(3.0), Variable(2.0, trainable=False)
    with GradientTape() as tape:
        y = x * constant
    assert tape.watched_variables() == (x,)
    assert tape.gradient(y, [x, constant]) == [2.0, None]


def test_t09_watching_switched_off():
    x, z = Variable(3.0), Variable(2.0)
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = x * z
    assert tape.gradient(y, [x, z]) == [2.0, None]


def test_t09_watch_overrides_trainable():
    x = Variable(3.0, trainable=False)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
    assert tape.gradient(y, x) == 6.0


def test_t09_watch_takes_structures_and_is_idempotent():
    with GradientTape() as tape:
        watched = tape.watch({"a": np.array([1.0]), "b": (np.array([2.0]), np.float64(3.0))})
        again = tape.watch(watched)
        assert again["a"] is watched["a"]
        y = np.sum(watched["a"] * watched["b"][0]) * watched["b"][1]
    gradient = tape.gradient(y, watched)
    assert gradient["a"] == 6.0
    assert gradient["b"][0] == 3.0
    assert gradient["b"][1] == 2.0


def test_t09_watch_is_not_retroactive():
    x = Variable(3.0, trainable=False)
    with GradientTape() as tape:
        before = x * x
        tape.watch(x)
        after = x * 2.0
        y = before + after
    assert tape.gradient(y, x) == 2.0


def test_t09_an_inner_tape_does_not_see_what_was_before():
    with GradientTape() as outer:
        x = outer.watch(np.float64(3.0))
        early = x * x
        with GradientTape() as inner:
            inner.watch(x)
            y = early + x * 5.0
        assert inner.gradient(y, x) == 5.0
    assert outer.gradient(y, x) == 11.0


def test_t09_by_identity():
    first, second = Variable(3.0), Variable(3.0)
    with GradientTape() as tape:
        y = first * 2.0
    assert tape.gradient(y, [first, second]) == [2.0, None]


def test_t10_watched_variables_in_order_of_creation():
    first, second = Variable(1.0), Variable(2.0)
    with GradientTape() as tape:
        _ = tape.watch(np.array([1.0]))
        _ = second * 1.0 + first
    assert [v is w for v, w in zip(tape.watched_variables(), (first, second), strict=True)] == [
        True, True,
    ]  # fmt: skip


@pytest.mark.parametrize("value", [3, True, np.array([1, 2]), np.array([True])])
def test_t11_integers_warn_and_give_none(value):
    x = Variable(value)
    with GradientTape() as tape:
        with pytest.warns(UserWarning, match=str(np.asarray(value).dtype)):
            tape.watch(x)
        y = np.sum(x * 2.0)
    assert tape.gradient(y, x) is None


def test_t11_plain_integers():
    with GradientTape() as tape:
        with pytest.warns(UserWarning, match="int"):
            x = tape.watch(np.array([1, 2]))
        y = np.sum(x * 2.0)
    assert tape.gradient(y, x) is None


def test_t12_watching_a_float():
    with GradientTape() as tape:
        x = tape.watch(3.0)
        y = x * x
    assert tape.gradient(y, x) == 6.0


def test_t12_an_array_as_source():
    x = np.array([1.0, 2.0])
    with GradientTape() as tape:
        t = tape.watch(x)
        y = np.sum(t * t)
    np.testing.assert_array_equal(tape.gradient(y, t), [2.0, 4.0])


def test_t12_a_plain_target():
    x = Variable(3.0)
    tape, _ = square_of(x)
    assert tape.gradient(5.0, x) is None


# ------------------------------------------------------------------------------ T13 to T19


def test_t13_structures_of_sources():
    a, b = Variable(2.0), Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = a * b
    assert tape.gradient(y, {"a": a, "b": [b, a]}) == {"a": 3.0, "b": [2.0, 3.0]}
    assert tape.gradient(y, (a, b)) == (3.0, 2.0)
    found = tape.gradient(y, Point(a, b))
    assert isinstance(found, Point)
    assert found == Point(3.0, 2.0)
    found = tape.gradient(y, Layer(a, b))
    assert isinstance(found, Layer)
    assert found == Layer(3.0, 2.0)
    assert tape.gradient(y, []) == []
    assert tape.gradient(y, [a, a]) == [3.0, 3.0]


def test_t13_a_dataclass_with_other_fields():
    @dataclasses.dataclass
    class Model:
        weight: object
        name: str = "model"

    w = Variable(2.0)
    with GradientTape() as tape:
        y = w * w
    assert tape.gradient(y, Model(w)).weight == 4.0


def test_t13_an_ordered_dict_and_a_list_subclass():
    a = Variable(2.0)
    with GradientTape(persistent=True) as tape:
        y = a * a
    assert list(tape.gradient(y, collections.OrderedDict(b=a, a=a))) == ["b", "a"]


def test_t14_several_targets():
    x = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y, z = x * x, x * 10.0
    assert tape.gradient([y, z], x) == 16.0
    assert tape.gradient({"y": y, "z": z}, x) == 16.0
    assert tape.gradient([y, y], x) == 12.0
    assert tape.gradient([], x) is None
    assert tape.gradient(None, x) is None
    assert tape.gradient([y, 7.0], x) == 6.0


def test_t15_implicit_sum():
    x = Variable([1.0, 2.0])
    tape, y = square_of(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [2.0, 4.0])


@pytest.mark.parametrize("ct", [2.0, [2.0], np.array([[2.0]]), np.full((3, 2), 2.0), 2])
def test_t15_output_gradients_broadcast(ct):
    x = Variable(np.ones((3, 2)))
    tape, y = square_of(x)
    np.testing.assert_array_equal(tape.gradient(y, x, output_gradients=ct), np.full((3, 2), 4.0))


def test_t15_output_gradients_of_several_targets():
    x = Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y, z = x * x, x * 10.0
    assert tape.gradient([y, z], x, output_gradients=[1.0, 2.0]) == 26.0
    assert tape.gradient([y, z], x, output_gradients=[None, 2.0]) == 26.0


@pytest.mark.parametrize("ct", [np.ones(3), np.ones((2, 2)), np.ones((1, 2))])
def test_t15_a_wrong_shape(ct):
    x = Variable([1.0, 2.0])
    tape, y = square_of(x)
    with pytest.raises(ValueError, match="shape"):
        tape.gradient(y, x, output_gradients=ct)


def test_t15_a_wrong_number():
    x = Variable(3.0)
    tape, y = square_of(x)
    with pytest.raises(TapeUseError):
        tape.gradient([y, y], x, output_gradients=[1.0])


def test_t16_target_is_source():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        _ = x * 1.0
        t = tape.watch(np.array([3.0]))
    np.testing.assert_array_equal(tape.gradient(x, x), [1.0, 1.0])
    np.testing.assert_array_equal(tape.gradient(t, t), [1.0])


def test_t16_a_target_written_to_after_it_was_watched():
    with GradientTape(persistent=True) as tape:
        x = tape.watch(np.array([1.0, 2.0]))
        x *= x
    np.testing.assert_array_equal(tape.gradient(x, x), [2.0, 4.0])


def test_t16_intermediates_are_sources():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = 2.0 * x
        f = y * y
    assert tape.gradient(f, [y, x]) == [12.0, 24.0]


def test_t16_an_intermediate_after_the_target():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = 2.0 * x
        f = y * y
    assert tape.gradient(y, f) is None


def test_t17_unconnected():
    x, z = Variable(np.float32([1, 2])), Variable(1.0)
    with GradientTape(persistent=True) as tape:
        y = z * 2.0
        _ = x * 1.0
    assert tape.gradient(y, x) is None
    zero = tape.gradient(y, x, unconnected_gradients="zero")
    np.testing.assert_array_equal(zero, [0.0, 0.0])
    assert zero.dtype == np.float32
    assert tape.gradient(5.0, z, unconnected_gradients="zero") == 0.0
    assert tape.gradient(None, z, unconnected_gradients="zero") == 0.0
    with pytest.raises(ValueError, match="unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="nonsense")


def test_t17_times_zero_is_connected():
    x = Variable(3.0)
    with GradientTape() as tape:
        y = x * 0.0
    assert tape.gradient(y, x) == 0.0


@pytest.mark.parametrize(
    "compute",
    [
        lambda x: x * 2.0, lambda x: 1.5 / x, lambda x: x + np.float32(2), lambda x: np.sin(x) ** 2,
        lambda x: np.mean(x), lambda x: np.where(x > 1, x, 0.0), lambda x: x[0] * 3,
        lambda x: np.sum(x) * np.float64(2), lambda x: x * np.arange(2.0), np.var,
        lambda x: x ** 2, lambda x: np.linalg.norm(x), lambda x: x / 3,
    ],
)  # fmt: skip
def test_t18_float32_stays_float32(compute):
    x = Variable(np.float32([1.0, 2.0]))
    with GradientTape() as tape:
        y = compute(x)
    gradient = tape.gradient(y, x)
    assert gradient.dtype == np.float32
    assert gradient.shape == (2,)


def test_t18_of_a_python_float_is_a_float64():
    with GradientTape() as tape:
        x = tape.watch(2.0)
        y = x * np.float32(3)
    assert tape.gradient(y, x) == 3.0


@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (1,), (1, 0)])
def test_t19_empty_and_0d(shape):
    x = Variable(np.ones(shape))
    with GradientTape(persistent=True) as tape:
        y = np.sum(np.exp(x) * 2.0)
        slope = tape.gradient(y, x)
        z = np.sum(slope)
    assert slope.shape == shape
    assert tape.gradient(z, x).shape == shape


def test_t19_0d_arrays():
    with GradientTape() as tape:
        x = tape.watch(np.array(3.0))
        y = x * x
    gradient = tape.gradient(y, x)
    assert gradient == 6.0
    assert np.shape(gradient) == ()


# ------------------------------------------------------------------------------ T20 to T22


def test_t20_nested_tapes_to_order_three():
    x = Variable(2.0)
    with GradientTape() as third, GradientTape() as second:
        with GradientTape() as first:
            y = x**4
        dy = first.gradient(y, x)
        # the second derivative has to be asked for inside the third's block
        d2y = second.gradient(dy, x)
    assert (float(dy), float(d2y)) == (32.0, 48.0)
    assert third.gradient(d2y, x) == 48.0


def test_t20_asked_for_outside_the_outer_block():
    x = Variable(2.0)
    with GradientTape() as outer, GradientTape() as inner:
        y = x**3
    slope = inner.gradient(y, x)
    assert slope == 12.0
    assert outer.gradient(slope, x) is None


def test_t20_both_tapes_see_the_same_work():
    x = Variable(2.0)
    with GradientTape() as outer, GradientTape() as inner:
        y = x**3
    assert inner.gradient(y, x) == 12.0
    assert outer.gradient(y, x) == 12.0


def test_t20_the_inner_closes_after_the_outer():
    x = Variable(2.0)
    outer, inner = GradientTape(), GradientTape()
    outer.__enter__()
    inner.__enter__()
    y = x * x
    outer.__exit__(None, None, None)
    z = y * 3.0
    inner.__exit__(None, None, None)
    assert outer.gradient(z, x) is None
    assert inner.gradient(z, x) == 12.0


def test_t20_mixed_second_derivatives():
    x, y = Variable(2.0), Variable(5.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            z = x**2 * y**3
        dx = inner.gradient(z, x)
    assert outer.gradient(dx, y) == 3 * 2 * 2.0 * 25.0


def test_t20_a_gradient_in_the_loss():
    x = Variable([1.0, 2.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = np.sum(x**3)
        slope = inner.gradient(y, x)
        penalty = np.sum(slope**2)
    np.testing.assert_allclose(outer.gradient(penalty, x), 36 * np.array([1.0, 8.0]))


def test_t21_hvp_through_output_gradients():
    x, v = Variable([1.0, 2.0]), np.array([1.0, -1.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = np.sum(x**3) + x[0] * x[1]
        slope = inner.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(slope, x, output_gradients=v), [5.0, -11.0])


def test_t22_jacobian():
    x = Variable([1.0, 2.0, 3.0])
    with GradientTape(persistent=True) as tape:
        y = np.outer(x[:2], x)
    found = tape.jacobian(y, x)
    assert found.shape == (2, 3, 3)
    wanted = np.einsum("ia,j->ija", np.eye(2, 3), [1.0, 2.0, 3.0]) + np.einsum(
        "i,ja->ija", [1.0, 2.0], np.eye(3)
    )
    np.testing.assert_allclose(found, wanted)


def test_errors_are_ours_and_standard():
    assert issubclass(TapeStateError, RuntimeError)
    assert issubclass(TapeStateError, TapeError)
    assert issubclass(TapeUseError, ValueError)


def test_a_plain_number_is_left_alone_outside():
    x = tapemagic.Variable(2.0)
    assert type(x * 2.0) is np.float64
    assert type(np.sin(x)) is np.float64


def test_an_error_of_the_sweep_names_the_line_of_the_operation():
    w = Variable(np.eye(2))
    with GradientTape() as tape:
        vectors = np.linalg.eigh(w)[1]  # of equal values: they are not determined
        loss = vectors[0, 0] * 2.0
    with pytest.raises(TapeError) as caught:
        tape.gradient(loss, w)
    assert "np.linalg.eigh(w)" in caught.value.code


def test_the_values_of_a_dict_are_a_list_of_sources():
    params = {"w": np.array([1.0, 2.0]), "b": np.array([3.0])}
    with GradientTape(persistent=True) as tape:
        tape.watch(params.values())
        losses = {"a": np.sum(params["w"] ** 2), "b": np.sum(params["b"])}
    slopes = tape.gradient(losses.values(), params.values())
    assert [x.tolist() for x in slopes] == [[2.0, 4.0], [1.0]]
    rows = tape.jacobian(losses["a"], params.values())
    assert [row if row is None else row.tolist() for row in rows] == [[2.0, 4.0], None]


@pytest.mark.parametrize("make", [set, iter, lambda x: (one for one in x), collections.deque, map])
def test_what_is_no_structure_of_arrays_is_no_source_and_no_target(make):
    w = np.float64(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(w)
        loss = w * w
    wrong = make([w]) if make is not map else map(abs, [w])
    message = f"A {type(wrong).__name__} is no source and no target"
    for asked in ((loss, wrong), (wrong, w)):
        with pytest.raises(SourceError, match=message):
            tape.gradient(*asked)
    with pytest.raises(SourceError, match=message):
        tape.jacobian(loss, wrong)


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_tape_is_not_copied(copied):
    tape, _ = square_of(Variable(3.0))
    with pytest.raises(TapeUseError, match="A tape cannot be copied or pickled"):
        copied(tape)
