"""Functions with a gradient of their own, and checkpoints, in programs."""

import numpy as np
import pytest
from autodiff.test_program import assert_gradients, record, run_elsewhere

import tapemagic
from tapemagic import GradientTape, Variable, checkpoint, custom_gradient
from tapemagic.autodiff.calls import dispatch
from tapemagic.errors import TapeError, TapeUseError

A = np.array([[3.0, 0.5, -0.2], [0.1, 2.0, 0.4], [-0.3, 0.2, 4.0]])
V = np.array([0.4, -1.2, 0.7])


@custom_gradient
def softplus(x):
    e = np.exp(x)
    return np.log(1 + e), lambda ct: ct * (1 - 1 / (1 + e))


@custom_gradient
def straight_through(x):
    return np.round(x), lambda ct: ct


@custom_gradient
def solved(a, b):
    x = np.linalg.solve(a, b)

    def gradient(ct):
        back = np.linalg.solve(a.T, ct)
        return -np.outer(back, x), back

    return x, gradient


@custom_gradient
def product_and_sum(x, y):
    return (x * y, x + y), lambda a, b: (a * y + b, a * x + b)


@custom_gradient
def cut(x):
    def gradient(ct):
        norm = np.sqrt(np.sum(ct**2))
        return ct / norm if norm > 1 else ct

    return x * 1.0, gradient


@custom_gradient
def filled(x):
    z = np.zeros_like(x)
    z[1:] = np.exp(x[1:])

    def gradient(ct):
        new = ct * 3.0  # not the derivative: it is the gradient function that counts
        new[1:] *= z[1:]
        return new

    return z, gradient


@checkpoint
def leaky(x):
    h = np.tanh(x) * np.exp(-0.1 * x)
    return h + np.where(x > 0, x, 0.1 * x)


@checkpoint
def layer(p, x, scale=1.0):
    h = np.tanh(p["w"] @ x)
    h[h > 0.5] = 0.5
    return {"h": scale * h, "sums": [np.sum(h), np.sum(x)]}


@checkpoint
def decided(x):
    return x**2 if x[0] > 0 else x**3


@checkpoint
def both(x):
    return softplus(x) * x


def layers(w, x):
    y = layer({"w": w}, x, scale=2.0)
    return np.sum(layer({"w": w}, y["h"] * y["sums"][0])["h"])


def many(x):
    for _ in range(6):
        x = leaky(x)
    return np.sum(x)


CELLS = [
    (lambda x: np.sum(softplus(x) * x), [V]),
    (lambda x: softplus(x) * 2.0, [0.3]),
    (lambda x: np.sum(straight_through(3 * x) ** 2), [V]),
    (lambda a, b: np.sum(solved(a, b) ** 2), [A, V]),
    (lambda x, y: np.sum(product_and_sum(x, y)[0] * product_and_sum(y, x)[1]), [V, 2 * V]),
    (lambda x: np.sum(product_and_sum(x, V)[0] ** 2), [V]),
    (lambda x: np.sum(cut(x) ** 2), [V]),
    (lambda x: np.sum(filled(x) ** 2), [V]),
    (lambda x: np.sum(tapemagic.grad(lambda u: np.sum(softplus(u) ** 2))(x) * x), [V]),
    (lambda x: np.sum(leaky(x) ** 2), [V]),
    (many, [V]),
    (layers, [A, V]),
    (lambda x: np.sum(decided(x)), [V]),
    (lambda x: np.sum(both(both(x))), [V]),
]


@pytest.mark.parametrize(("cell", "inputs"), CELLS)
def test_it_is_written_out(cell, inputs):
    tape, target, sources = record(cell, inputs)
    program = tape.program(target, sources)
    (here,) = run_elsewhere([(str(program), {**program.inputs, **program.constants})])
    np.testing.assert_allclose(here[0], dispatch.plain(target))
    assert_gradients(here[1:], tape.gradient(target, sources))
    rng, count = np.random.default_rng(0), 0
    for scale in (1e-3, 1e-2, 0.1, 0.1, 0.5, 0.5, 2.0, 2.0):
        new = [x + scale * rng.normal(size=np.shape(x)) for x in inputs]
        try:
            got = program(**{f"a{i}": x for i, x in enumerate(new)})
        except TapeError as refused:
            assert "line " in str(refused)
            continue
        tape, target, sources = record(cell, new)
        np.testing.assert_allclose(got[0], dispatch.plain(target))
        assert_gradients(got[1:], tape.gradient(target, sources))
        count += 1
    assert count > 2


def test_its_masks_are_no_reason_to_refuse():
    tape, target, sources = record(lambda x: np.sum(leaky(x) * softplus(x)), [V])
    tape.program(target, sources)(a0=-V)


def test_its_lines_have_the_users_names():
    tape, target, sources = record(lambda x: np.sum(softplus(x)), [V])
    text = str(tape.program(target, sources))
    assert "e = np.exp(a0)" in text
    assert text.count("np.exp(a0)") == 1


def test_a_program_that_is_made_in_the_block():
    x = Variable(V)
    with GradientTape(persistent=True) as tape:
        y = np.sum(leaky(softplus(x)))
        program = tape.program(y, x)
        z = y * 2
    np.testing.assert_allclose(tape.gradient(z, x), 2 * program()[1])


GENERATOR = np.random.default_rng(0)


@custom_gradient
def noisy(x):
    return x + GENERATOR.normal() + np.random.normal(), lambda ct: ct


def test_random_numbers_are_refused_and_not_drawn():
    tape, target, sources = record(lambda x: np.sum(noisy(x)), [V])
    states = GENERATOR.bit_generator.state, np.random.get_state()[2]
    with pytest.raises(TapeUseError, match=r"noisy .* called once more it gives another value"):
        tape.program(target, sources)
    assert states == (GENERATOR.bit_generator.state, np.random.get_state()[2])


def test_what_raises_when_it_is_called_again_is_refused_with_its_line():
    calls = []

    @custom_gradient
    def once(x):
        calls.append(x)
        if len(calls) > 1:
            raise RuntimeError
        return x * 1.0, lambda ct: ct

    x = Variable(V)
    with GradientTape(persistent=True) as tape:
        y = np.sum(once(x))  # this line
    with pytest.raises(TapeUseError, match=r"once has .* it raises RuntimeError") as caught:
        tape.program(y, x)
    assert caught.value.code.endswith("# this line")
    assert caught.value.fix
