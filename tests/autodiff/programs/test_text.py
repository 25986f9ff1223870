"""A program reads as a person would write it."""

import itertools

import numpy as np
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.autodiff.programs.algebra import simpler
from tapemagic.autodiff.programs.writer import Writer


def program_of(fun, **inputs):
    sources = [Variable(x, name=name) for name, x in inputs.items()]
    with GradientTape(persistent=True) as tape:
        target = fun(*sources)
    program = tape.program(target, sources)
    for got, expected in zip(program()[1:], tape.gradient(target, sources), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)
    return program


def body(program):
    """Return the lines behind what the inputs have to be, without comments."""
    text = str(program).partition("raise OtherWay('another shape")[2]
    return "\n".join(row for row in text.splitlines()[1:] if "#" not in row)


def test_a_layer():
    def layer(w, b):
        return np.mean(np.tanh(X @ w + b) ** 2)

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    assert body(program_of(layer, w=rng.normal(size=(3, 2)), b=np.zeros(2))) == (
        "    t1 = np.tanh(constant_1 @ w + b)\n"
        "    target = np.mean(t1**2)\n"
        "    t2 = 0.025 * t1 * (1 - t1**2)\n"
        "    ct_b = np.sum(t2, axis=0)\n"
        "    ct_w = constant_1.T @ t2\n"
        "    return target, ct_w, ct_b"
    )


def test_sums_of_many_terms_grow_in_place():
    def recurrent(w, u):
        h = np.zeros(4)
        for x in X:
            h = np.tanh(h @ w + x @ u)
        return np.sum(h**2)

    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 5))
    program = program_of(recurrent, w=rng.normal(size=(4, 4)), u=rng.normal(size=(5, 4)))
    text = body(program)
    assert "constant_1[i] @ u" in text  # no name holds X here, and its rows belong together
    np.testing.assert_array_equal(program.constants["constant_1"], X)
    assert "        ct_u += " in text
    assert "        ct_w += " in text
    assert text.count("\n") < 40


def test_a_name_of_the_users_is_not_taken():
    def fun(t1, ct_t1):
        return np.sum(np.sin(t1 * 2) * np.cos(ct_t1 * 3))

    text = body(program_of(fun, t1=np.ones(3), ct_t1=np.ones(3)))
    assert "t2 = " in text
    assert "    t1 = " not in text
    assert "    ct_t1 = " not in text


def test_a_mask_adds_where_it_is_true():
    def attention(q, k):
        scores = np.swapaxes(q, 0, 1) @ k
        e = np.exp(scores - np.max(scores, -1, keepdims=True))
        return np.sum((e / np.sum(e, -1, keepdims=True)) ** 2)

    rng = np.random.default_rng(0)
    text = str(program_of(attention, q=rng.normal(size=(8, 300)), k=rng.normal(size=(8, 300))))
    assert ", where=" in text
    assert "np.where" not in text


#: Negative zero, subnormal, infinite and ordinary numbers.
NUMBERS = np.array([0.0, -0.0, 1.5, -0.1, 1 / 3, 7e-310, -4e300, np.inf, -np.inf, np.nan])
X, Y = (np.array(values) for values in zip(*itertools.product(NUMBERS, NUMBERS), strict=True))


@pytest.mark.parametrize(
    "fun",
    [
        lambda x, y: -x * y,
        lambda x, y: x * -y,
        lambda x, y: -x * -y,
        lambda x, y: -x / y,
        lambda x, y: x + -y,
        lambda x, y: -x + y,
        lambda x, y: -x + -y,
        lambda x, y: x - -y,
        lambda x, y: np.negative(-x) * y,
        lambda x, y: np.sum(-x) * y,
        lambda x, y: np.sum(-x[:40:3], axis=0) + -(y * -x),
    ],
)
def test_signs_are_moved_without_a_change_of_bits(fun):
    writer = Writer()
    x, y = (writer.add("input", name, (), {}, v) for name, v in (("x", X), ("y", Y)))
    with np.errstate(all="ignore"):
        plain = fun(X, Y)
        with writer.at("backward", 0):
            moved = fun(x, y)
    np.testing.assert_array_equal(moved.value, plain)


@pytest.mark.parametrize("scale", [0.1, 1 / 3, -1e-7])
def test_factors_of_two_are_taken_together(scale):
    writer = Writer()
    values = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-200, 200, 0.4)
    x = writer.add("input", "x", (), {}, values)
    with writer.at("backward", 0):
        one, other = scale * (2 * x), scale * x + scale * x
    assert one is other
    assert len(one.args) == 2
    np.testing.assert_array_equal(one.value, scale * (2 * values))
    np.testing.assert_array_equal(one.value, scale * values + scale * values)


def test_the_users_own_code_is_left_as_it_is():
    text = body(program_of(lambda x: np.sum(np.exp(2.5 * -x + -x)), x=np.full(2, 0.5)))
    assert "    t1 = -x\n" in text
    assert "(2.5 * t1 + t1)" in text
    assert simpler(np.sin, (1.0,), {}, None) is None


def whole(x):
    y = x.copy()
    y -= 0.1 * x
    y[:] = y * x
    return np.sum(y)


def part(x):
    y = x * 2
    y[1:] += x[:-1]
    return np.sum(y)


def scaled_part(x):
    y = x * 2
    y[1:] *= 3
    return np.sum(y**2)


def moved_part(x):
    y = np.exp(x)
    y[:2] = y[1:]
    return np.sum(y**2)


def fresh_zeros(x):
    y = np.zeros(3)
    y[1] = x[0] * 2
    return np.sum(y**2)


@pytest.mark.parametrize(
    ("fun", "rows"),
    [
        (whole, ["y = x.copy()", "y_2 = y - 0.1 * x"]),
        (part, ["y[1:3] = y[1:] + x[:-1]"]),
        (scaled_part, ["y[1:3] = y[1:] * 3", "ct_y[1:] = ct_y[1:3] * 3"]),
        (
            moved_part,
            ["y_2[:2] = y[1:]", "t1 = ct_y[:2].copy()", "ct_y[:2] = 0.0", "ct_y[1:] += t1"],
        ),
        (fresh_zeros, ["y = np.zeros(3)", "y[1] = x[0] * 2"]),
    ],
)
def test_writes(fun, rows):
    text = str(program_of(fun, x=np.array([0.3, -0.2, 0.5])))
    for row in rows:
        assert f"    {row}\n" in text
    assert "[...]" not in text


def test_small_arrays_have_their_names():
    X, labels = np.arange(1.0, 7.0).reshape(3, 2), np.array([0.3, -0.2, 0.5])
    w = Variable(np.ones(2), name="w")
    with GradientTape(persistent=True) as tape:
        loss = np.mean((np.tanh(X @ w) - labels) ** 2) + np.sum(X.T @ (X @ w) * 0.0)
    text = str(tape.program(loss, w))
    assert "X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])\n" in text
    assert "labels = np.array([0.3, -0.2, 0.5])\n" in text
    assert "X.T @ (X @ w)" in text


@pytest.mark.parametrize(
    ("fun", "row"),
    [
        (lambda x: np.sum(np.exp(x) * np.float64(2)), "target = np.sum(np.exp(x) * 2.0)"),
        (lambda x: np.sum(np.abs(x), axis=0), "target = np.sum(np.abs(x))"),
        (lambda x: np.sum(np.outer(x, x).T[0] * x), "target = np.sum(np.outer(x, x).T[0] * x)"),
        (lambda x: np.sum(np.ravel(x) ** 3), "target = np.sum(x**3)"),
        (lambda x: np.sum(np.real(np.conj(x)) ** 3), "target = np.sum(x**3)"),
        (lambda x: np.sum(x[[0, 2, 2]] ** 2), "np.add.at(ct_x, [0, 2, 2], 2.0 * t1)"),
        (lambda x: x[0] if int(x[0] * 10) == 3 else x[1], "if int(x[0] * 10) != 3:"),
        (lambda x: np.max(x) ** 2, "if np.count_nonzero(t2) != 1:"),
    ],
)
def test_what_says_nothing_is_left_out(fun, row):
    assert row in str(program_of(fun, x=np.array([0.3, -0.2, 0.5])))


def sigmoid(x):
    e = np.exp(-x)
    return 1 / (1 + e)


def locals_of_functions(x):
    gate, shift = sigmoid(x), x[0]
    s = shift * gate
    s += np.var(gate)  # made of several operations: the last one has the name
    return np.sum(s)


def test_variables_of_functions_have_their_names():
    text = body(program_of(locals_of_functions, x=np.array([0.3, -0.2, 0.5])))
    for row in ("e = np.exp(-x)", "gate = 1 / t1", "shift = x[0]", "s = shift * gate"):
        assert f"    {row}\n" in text
    assert "    s += np.var(gate)\n" in text


def filled(x):
    z = np.empty(3)
    z[:2] = x[:2] ** 2
    z[2] = z[0]
    return np.sum(z)


def partly_filled(x):
    z = np.zeros(3) + 7.0
    z[:2] = x[:2] ** 2
    return np.sum(z)


def test_memory_that_is_filled_before_it_is_read_is_empty():
    x = np.array([0.3, -0.2, 0.5])
    assert "    z = np.empty(3)\n" in str(program_of(filled, x=x))
    assert "np.empty" not in str(program_of(partly_filled, x=x))


@pytest.mark.parametrize(
    ("fun", "row"),
    [
        (lambda x: np.sum(x * np.arange(1, 5)), "C1 = np.arange(1, 5)"),
        (lambda x: np.sum(x * np.arange(4.0)), "C1 = np.arange(4.0)"),
        (lambda x: np.sum(x @ (np.zeros((4, 100)) + 0.5)), "C1 = np.full((4, 100), 0.5)"),
        (lambda x: np.sum(np.eye(4) @ x), "C1 = np.eye(4)"),
        (
            lambda x: np.sum(x * np.array([0.0, 1e18, 2, 3])),
            "C1 = np.array([0.0, 1e+18, 2.0, 3.0])",
        ),
        (
            lambda x: np.sum((x[:, None] * np.eye(4)) ** 2),
            "    ct_x = np.sum(2.0 * t1 * C1, axis=1)",
        ),
    ],
)
def test_constants_and_sums_are_written_short(fun, row):
    assert f"{row}\n" in str(program_of(fun, x=np.array([0.3, -0.2, 0.5, 1.0])))


def test_products_of_numbers_and_of_matrices_have_brackets_between_them():
    M = np.arange(4.0).reshape(2, 2)
    text = body(program_of(lambda a: np.mean((a / 2) @ M * 3 @ M), a=np.eye(2)))
    assert "target = np.mean(((a / 2) @ C1 * 3) @ C1)" in text


def test_numbers_of_both_signs_make_one_loop():
    observed = np.random.default_rng(0).normal(size=20)

    def filtered(gain):
        m, total = 0.0, 0.0
        for z in observed:
            m = m + gain * (z - m)
            total = total + (z - m) ** 2
        return total

    assert len(body(program_of(filtered, gain=0.3)).splitlines()) < 45


def test_a_sum_over_no_axis_is_none():
    x = Variable(np.arange(3.0))
    with GradientTape(persistent=True) as tape:
        target = np.sum(np.sum(x, axis=()) ** 2)
    assert tape.program(target, x)(x=np.array([1.0, 2.0, 0.0]))[0] == 5
