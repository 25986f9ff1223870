"""Initial value problems: the derivative of the steps that were taken, by differences of runs."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape
from tapemagic.errors import NoRuleError, TapeError

integrate = pytest.importorskip("scipy.integrate")
rk = pytest.importorskip("scipy.integrate._ivp.rk")
METHODS = ("RK45", "RK23", "DOP853", "Radau", "BDF")
P = np.array([0.7, 1.3])


def solve(p, *args, **options):
    """Solve an oscillator with two parameters."""

    def slopes(t, y):
        return [y[1], p[0] * (1 - y[0] ** 2) * y[1] - p[1] * y[0]]

    return integrate.solve_ivp(slopes, *args, **options)


def lands(t, y):
    return y[0]


def turns(t, y):
    return y[1]


lands.terminal, lands.direction = True, -1


def fall(p, events=None, **options):
    """Throw something up from a traced height, against a traced weight."""
    return integrate.solve_ivp(
        lambda t, y: [y[1], -9 * p[0] - 0.1 * y[1]], (0, 0.8), [p[1], 2.0], events=events, **options
    )


def ends(p, **options):
    return solve(p, (0, 2), [1.0, 0.3], **options).y[:, -1]


PROBLEMS = {
    **{method: lambda p, m=method: ends(p, method=m) for method in METHODS},
    "a class": lambda p: ends(p, method=rk.RK23),
    "times": lambda p: ends(p, t_eval=np.linspace(0, 2, 5)),
    "the times of the steps": lambda p: (s := solve(p, (0, 1), [1.0, 0.3])).t * s.y,
    "tolerances": lambda p: ends(p, rtol=1e-6, atol=[1e-8, 1e-9], max_step=0.3, first_step=0.1),
    "backwards": lambda p: solve(p, [1, 0], p).y[:, -1],
    "traced start": lambda p: solve([0.5, 0.9], (0, 1), [p[0], 2 * p[1]]).y,
    "arguments": lambda p: integrate.solve_ivp(
        lambda t, y, a, b: -a * y + b * np.sin(t), (0, 2), [1.0], args=(p[0], p[1])
    ).y,
    "vectorized": lambda p: integrate.solve_ivp(
        lambda t, y: np.reshape(np.vstack([-p[0] * y[0], y[0] - p[1] * y[1]]), y.shape),
        (0, 1), [1.0, 2.0], method="BDF", vectorized=True,
    ).y[:, -1],
    "jacobian": lambda p: integrate.solve_ivp(
        lambda t, y: -p[0] * y, (0, 1), [p[1]], method="Radau", jac=lambda t, y: [[-p[0]]]
    ).y[:, -1],
    "complex": lambda p: np.abs(integrate.solve_ivp(
        lambda t, y: 1j * p[0] * y, (0, 1), [1.0 + 0j]
    ).y[0] - p[1]),
    "events": lambda p: np.concatenate(fall(p, [lands, turns]).t_events),
    "where it was": lambda p: fall(p, lands, method="BDF").y_events[0],
    "until an event": lambda p: (s := fall(p, lands)).y[:, -1] * s.t[-1],
    "times until an event": lambda p: fall(p, lands, t_eval=np.linspace(0, 0.8, 9)).y,
    "at all times": lambda p: fall(p, dense_output=True).sol([0.1, 0.4, 0.77]),
    "at a traced time": lambda p: fall(p, dense_output=True, method="Radau").sol(p[1] / 2),
    "the pieces": lambda p: (s := fall(p, dense_output=True).sol).ts[-2] * s.interpolants[1].h,
    "one within the other": lambda p: integrate.solve_ivp(
        lambda t, y: integrate.solve_ivp(lambda t, z: -p[0] * z, (0, 1), [1.0]).y[0, -1] * y,
        (0, 1), [p[1]],
    ).y[:, -1],
}  # fmt: skip


def differences(fun, p, step=1e-4):  # the guess of the first step rounds: no smaller one
    rows = step * np.eye(len(p))
    return np.array([np.sum(fun(p + row) - fun(p - row)) / (2 * step) for row in rows])


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_gradients(problem):
    value, gradient = tapemagic.value_and_grad(lambda p: np.sum(problem(p)))(P)
    assert value == np.sum(problem(P))
    np.testing.assert_allclose(gradient, differences(problem, P), rtol=1e-4, atol=1e-5)


def test_second_derivatives():
    def loss(p):
        return np.sum(ends(p, t_eval=[0.5, 2.0]) ** 2)

    expected = [differences(lambda p, k=k: tapemagic.grad(loss)(p)[k], P) for k in range(2)]
    np.testing.assert_allclose(tapemagic.hessian(loss)(P), expected, rtol=1e-5)


def test_what_a_block_leaves_is_plain():
    w = P.copy()
    with GradientTape() as tape:
        tape.watch(w)
        found = solve(w, (0, 1), [1.0, 0.3])
        still = solve(P, (0, 1), [1.0, 0.3])
        loss = np.sum(found.y)
    expected = solve(P, (0, 1), [1.0, 0.3])
    for one in (found, still):
        assert type(one) is type(expected)
        assert type(one.t) is type(one.y) is np.ndarray
        np.testing.assert_array_equal(one.y, expected.y)
    assert rk.np is np
    slopes = differences(lambda p: solve(p, (0, 1), [1.0, 0.3]).y, P)
    np.testing.assert_allclose(tape.gradient(loss, w), slopes, rtol=1e-5)


def test_an_error_of_the_users_leaves_scipy_as_it_was():
    table = rk.RK45.A

    def slopes(t, y):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"), GradientTape():
        integrate.solve_ivp(slopes, (0, 1), [1.0])
    assert rk.np is np
    assert rk.RK45.A is table


def test_a_program_of_the_steps():
    with GradientTape(persistent=True) as tape:
        p = tape.watch(P)
        loss = np.sum(ends(p))
    program = tape.program(loss, [p])
    (name,) = program.inputs
    value, gradient = program(**{name: P * 1.00001})
    near, slope = tapemagic.value_and_grad(lambda p: np.sum(ends(p)))(P * 1.00001)
    np.testing.assert_allclose(value, near, rtol=1e-12)
    np.testing.assert_allclose(gradient, slope, rtol=1e-9)
    with pytest.raises(TapeError, match="another way"):
        program(**{name: P * 40})


REFUSED = {
    "LSODA": lambda p: ends(p, method="LSODA"),
    "odeint": lambda p: integrate.odeint(lambda y, t: -y, p, np.arange(3.0)),
    "odeint of a parameter": lambda p: integrate.odeint(lambda y, t: -p[0] * y, 1.0, [0.0, 1.0]),
    "ode": lambda p: integrate.ode(lambda t, y: -p[0] * y).set_initial_value([1.0]).integrate(1.0),
}


@pytest.mark.parametrize("problem", REFUSED.values(), ids=REFUSED)
def test_what_runs_in_compiled_code_is_refused(problem):
    with pytest.raises(NoRuleError) as caught:
        tapemagic.grad(lambda p: np.sum(problem(p)))(P)
    assert "method='RK45'" in caught.value.fix


OPTIONS = {
    "events": {"events": lambda t, y: y[0] - 0.5},
    "dense": {"dense_output": True},
    "both": {"dense_output": True, "events": [lands, turns], "method": "BDF"},
    "compiled": {"method": "LSODA", "dense_output": True},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("watched", [False, True])
def test_results_are_scipys(options, watched):
    if watched and options.get("method") == "LSODA":
        pytest.skip("refused, as tested above")
    expected, p = solve(P, (0, 3), [1.0, 0.3], **options), P.copy()
    with GradientTape() as tape:
        if watched:
            tape.watch(p)
        found = solve(p, (0, 3), [1.0, 0.3], **options)
        inside = found.sol(0.3) if "dense_output" in options else None
    assert list(found) == list(expected)
    for one, other in zip(found.values(), expected.values(), strict=True):
        assert type(one) is type(other)
        if isinstance(other, list):
            assert list(map(type, one)) == list(map(type, other))
            one, other = np.concatenate(one), np.concatenate(other)
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other)
    if expected.sol is not None:
        for t in (0.3, [0.2, 2.0]):
            assert type(found.sol(t)) is np.ndarray
            np.testing.assert_array_equal(found.sol(t), expected.sol(t))
        np.testing.assert_array_equal(inside, expected.sol(0.3))
        for piece, other in zip(found.sol.interpolants, expected.sol.interpolants, strict=True):
            assert {k: type(x) for k, x in vars(piece).items()} == {
                k: type(x) for k, x in vars(other).items()
            }
