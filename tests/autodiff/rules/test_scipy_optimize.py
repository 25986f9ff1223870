"""Roots and minima of scipy.optimize by the implicit function theorem, where SciPy is installed."""

import numpy as np
import pytest

optimize = pytest.importorskip("scipy.optimize")

import tapemagic  # noqa: E402
from tapemagic.autodiff.twins.modules import twin_of  # noqa: E402
from tapemagic.errors import NoRuleError, TapeUseError  # noqa: E402

so = twin_of(optimize)
M = np.array([[3.0, 0.4, -0.2], [0.1, 2.0, 0.3], [0.5, -0.6, 4.0]])
V = np.array([0.6, -0.3, 0.9])


def cube(u, p):
    return u**3 - p


def pair(u, p):
    return [u[0] ** 2 + p[0] * u[1] - 2, u[0] * p[2] + u[1] * p[1] - 0.5]


def bowl(u, p):
    return np.sum((u - p) ** 2 + 0.1 * u**4) + u[0] * u[1]


def misfit(u, p):
    return np.stack([u[0] ** 2 - p[0], u[1] - p[2], u[0] * u[1] - 1.0])


#: Each takes p and returns the solution; NumPy and SciPy alone give the differences.
SOLVERS = {
    **{name: lambda s, p, f=name: getattr(s, f)(lambda u: cube(u, p[0]), 0.1, 2)
       for name in ("brentq", "brenth", "bisect", "ridder", "toms748")},
    "args": lambda s, p: s.brentq(cube, 0, 2, args=(p[0],)),
    "one arg": lambda s, p: s.brentq(cube, 0, 2, p[0]),
    "full output": lambda s, p: s.brentq(cube, 0, 2, (p[0],), full_output=True)[1].root,
    "secant": lambda s, p: s.newton(lambda u: cube(u, p[0]), 1.0),
    "newton": lambda s, p: s.newton(lambda u: cube(u, p[0]), 1.0, lambda u: 3 * u**2),
    "halley": lambda s, p: s.newton(cube, 1.0, lambda u, p: 3 * u**2, (p[0],),
                                    fprime2=lambda u, p: 6 * u),
    "newton of arrays": lambda s, p: s.newton(lambda u: cube(u, np.exp(p)), np.ones(3)),
    "root_scalar": lambda s, p: s.root_scalar(lambda u: cube(u, p[0]), bracket=(0, 2)).root,
    "fixed_point": lambda s, p: s.fixed_point(lambda u: np.cos(p[0] * u), 0.8),
    "fsolve": lambda s, p: s.fsolve(lambda u: M @ u + u**3 - p, np.zeros(3)),
    "fsolve of a list": lambda s, p: s.fsolve(pair, [1.0, 0.5], (p,)),
    "fsolve, fprime": lambda s, p: s.fsolve(lambda u: cube(u, np.exp(p)), np.ones(3),
                                            fprime=lambda u: np.diag(3 * u**2)),
    "root": lambda s, p: s.root(lambda u: M @ u + u**3 - p, np.zeros(3)).x,
    "root krylov": lambda s, p: s.root(lambda u: M @ u - p, np.zeros(3), method="krylov",
                                       options={"fatol": 1e-12}).x,
    "fsolve of a number": lambda s, p: s.fsolve(lambda u: cube(u, p[0]), 1.0),
    "a root in a root": lambda s, p: s.newton(
        lambda u: u**2 - s.brentq(cube, 0, 2, (p[0],)) * p[2], 1.0),
    "started at a root": lambda s, p: s.newton(lambda u: cube(u, p[2]), s.brentq(
        cube, 0, 2, (p[0],))),
    "minimize": lambda s, p: s.minimize(bowl, np.zeros(3), (p,), tol=1e-10).x,
    "minimum": lambda s, p: s.minimize(bowl, np.zeros(3), (p,), tol=1e-10).fun,
    "minimize_scalar": lambda s, p: s.minimize_scalar(lambda u: (u - p[0]) ** 2 + u**4).x,
    "least_squares": lambda s, p: s.least_squares(misfit, [1.0, 1.0], args=(p,), xtol=1e-12,
                                                  gtol=1e-12, ftol=1e-12).x,
    "leastsq": lambda s, p: s.leastsq(misfit, [1.0, 1.0], args=(p,), xtol=1e-12, ftol=1e-12)[0],
    "fmin_bfgs": lambda s, p: s.fmin_bfgs(bowl, np.zeros(3), args=(p,), gtol=1e-8, disp=0),
    "fmin, full output": lambda s, p: s.fmin(bowl, np.zeros(3), (p,), 1e-9, 1e-12, disp=0,
                                             full_output=True)[0],
    **{name: lambda s, p, f=name: getattr(s, f)(lambda u: (u - p[0]) ** 2 + u**4)
       for name in ("brent", "golden")},
    "fminbound": lambda s, p: s.fminbound(lambda u: (u - p[0]) ** 2 + u**4, 0, 1, xtol=1e-9),
    "curve_fit": lambda s, p: s.curve_fit(lambda t, a, b: a * np.exp(-b * t), np.arange(3.0),
                                          1.0 + p**2, ftol=1e-12, xtol=1e-12)[0],
    "curve_fit, xdata": lambda s, p: s.curve_fit(
        lambda t, a, b: a * t + b, p + np.arange(3.0), [1.0, 2.0, 4.0])[0],
    "curve_fit, lists": lambda s, p: s.curve_fit(
        lambda t, a, b: a * t + b, [0.0, 1.0, 2.5], list(p))[0],
    "curve_fit, sigma": lambda s, p: s.curve_fit(
        lambda t, a, b: a * t + b * p[0], np.arange(3.0), p, [1.0, 1.0], np.exp(p))[0],
}  # fmt: skip


def differences(fun, p, step=1e-3):
    def along(e):
        far, near = (fun(p + k * e) - fun(p - k * e) for k in (2 * step, step))
        return (8 * near - far) / (12 * step)

    return np.array([along(e) for e in np.eye(len(p))])


def weighted(y):
    return np.sum(y * np.cos(1.0 + np.arange(np.size(y)).reshape(np.shape(y))))


@pytest.mark.parametrize("name", SOLVERS)
def test_solver(name):
    solve = SOLVERS[name]

    def plain(p):
        return float(weighted(solve(optimize, p)))

    def taped(p):
        return weighted(solve(so, p))

    value, gradient = tapemagic.value_and_grad(taped)(V)
    assert value == plain(V)
    np.testing.assert_allclose(gradient, differences(plain, V), rtol=1e-5, atol=1e-5)
    slopes = differences(lambda p: tapemagic.grad(taped)(p), V)
    np.testing.assert_allclose(tapemagic.hessian(taped)(V), slopes, rtol=1e-5, atol=1e-5)


def test_five_derivatives_of_a_cube_root():
    def f(s):
        return so.brentq(cube, 0, 2, (s,))

    exact, power = 1.0, 1 / 3
    for _ in range(5):
        exact, power = exact * power, power - 1
        f = tapemagic.grad(f)
        np.testing.assert_allclose(f(0.7), exact * 0.7**power, rtol=1e-7)


def test_prints_of_the_function_come_once(capsys):
    def solve(module, s):
        return module.brentq(lambda u: (print("at", u), cube(u, s))[1], 0, 2)

    solve(optimize, 0.7)
    expected = capsys.readouterr().out
    tapemagic.grad(lambda s: solve(so, s))(0.7)
    assert capsys.readouterr().out == expected


def test_a_program_would_not_solve_again():
    with tapemagic.GradientTape(persistent=True) as tape:
        s = tape.watch(np.array(0.7))
        u = so.newton(lambda u: cube(u, s), 1.0)
    with pytest.raises(TapeUseError, match="solver"):
        tape.program(u, s)


def escaped(p):
    """Return what the function has put aside on the solver's way."""
    aside = []

    def fun(u):
        aside.append(u * 1.0)
        return cube(u, p[0])

    so.brentq(fun, 0, 2)
    return aside[4]


@pytest.mark.parametrize(
    "fun",
    [
        escaped,
        lambda p: so.newton(lambda u: (u - p[0]) ** 2, -1.0),  # a double root
        lambda p: so.fsolve(lambda u: cube(u, p), np.ones(3), full_output=True)[1]["fjac"],
        lambda p: so.fsolve(lambda u: cube(u, p), np.ones(3), xtol=0.5),
        lambda p: so.root(lambda u: cube(u, p), np.ones(3)).qtf,
        lambda p: so.root(lambda u: (cube(u, p), np.diag(3 * u**2)), np.ones(3), jac=True).x,
        lambda p: so.root(misfit, np.ones(2), args=(p,), method="lm").x,
        lambda p: so.newton(lambda u: u**2 + p[0] ** 2, 1j).imag,
        lambda p: so.minimize(bowl, V, (p,)).hess_inv,
        lambda p: so.minimize(bowl, V, (p,), bounds=[(0, 1)] * 3).x,
        lambda p: so.minimize(bowl, V, (p,), constraints={"type": "eq", "fun": np.sum}).x,
        lambda p: so.least_squares(misfit, [1.0, 1.0], args=(p,), loss="soft_l1").x,
        lambda p: so.least_squares(misfit, [1.0, 1.0], args=(p,)).cost,
        lambda p: so.least_squares(misfit, [0.1, 0.1], args=(p,), bounds=([0, 0], [0.2, 0.2])).x,
        lambda p: so.curve_fit(lambda t, a: a * t, np.arange(3.0), p)[1],
        lambda p: so.curve_fit(lambda t, a: a * t, np.arange(3.0), p, bounds=(0, 1))[0],
        lambda p: so.curve_fit(lambda t, a: a * t, np.arange(3.0), p, sigma=np.eye(3))[0],
        lambda p: so.fminbound(lambda u: (u - p[0]) ** 2, 0, 0.1),
        lambda p: so.line_search(lambda u: bowl(u, p), lambda u: 2 * (u - p), V, -V)[0],
        lambda p: so.broyden1(lambda u: M @ u - p, V),
        lambda p: so.nnls(M, p)[0],
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_carried_is_refused(fun):
    with pytest.raises(NoRuleError) as error:
        tapemagic.grad(lambda p: np.sum(fun(p)))(V)
    assert error.value.fix
