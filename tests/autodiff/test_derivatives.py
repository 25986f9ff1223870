"""`grad`, `value_and_grad`, `vjp`, `jvp`, `jacobian`, `hessian`, `hvp`; T21 and T26."""

import timeit

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.errors import SourceError, TapeUseError


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


X = np.array([0.5, -1.2, 2.0])


def numerical(fun, x, step=1e-6):
    rows = []
    for i in range(x.size):
        shift = np.zeros_like(x)
        shift[i] = step
        rows.append((fun(x + shift) - fun(x - shift)) / (2 * step))
    return np.stack(rows, axis=-1)


def test_grad():
    np.testing.assert_allclose(tapemagic.grad(rosenbrock)(X), numerical(rosenbrock, X), rtol=1e-6)


def test_grad_of_grad_of_grad():
    assert tapemagic.grad(tapemagic.grad(tapemagic.grad(lambda x: x**5)))(2.0) == 240.0


def test_grad_of_several_arguments_and_structures():
    def loss(params, scale):
        return np.sum(params["w"] ** 2) * scale + params["b"][0]

    params = {"w": np.array([1.0, 2.0]), "b": [np.float64(3.0)]}
    found = tapemagic.grad(loss, argnums=(0, 1))(params, 2.0)
    np.testing.assert_array_equal(found[0]["w"], [4.0, 8.0])
    assert found[0]["b"] == [1.0]
    assert found[1] == 5.0


def test_the_argument_is_not_changed():
    x = np.array([1.0, 2.0])

    def loss(x):
        x *= 3.0
        return np.sum(x)

    np.testing.assert_array_equal(tapemagic.grad(loss)(x), [3.0, 3.0])
    assert list(x) in ([1.0, 2.0], [3.0, 6.0])  # a copy, or what NumPy would have left


def test_value_and_grad_gives_plain_values():
    value, gradient = tapemagic.value_and_grad(rosenbrock)(X)
    assert type(value) is np.float64
    assert type(gradient) is np.ndarray
    assert value == rosenbrock(X)


def test_integers_are_refused_with_a_reason():
    with pytest.raises(SourceError, match="int"):
        tapemagic.grad(lambda x: x * 2)(3)


def test_unconnected_is_zero():
    np.testing.assert_array_equal(tapemagic.grad(lambda x: 3.0)(X), np.zeros(3))


def test_vjp_any_number_of_times():
    y, pullback = tapemagic.vjp(lambda a, b: a * b, np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    np.testing.assert_array_equal(y, [3.0, 8.0])
    for ct in ([1.0, 0.0], [0.0, 1.0]):
        a, b = pullback(np.array(ct))
        np.testing.assert_array_equal(a, np.array(ct) * [3.0, 4.0])
        np.testing.assert_array_equal(b, np.array(ct) * [1.0, 2.0])


def test_vjp_of_a_structure():
    y, pullback = tapemagic.vjp(lambda x: {"a": x * 2.0, "b": x * x}, 3.0)
    assert y == {"a": 6.0, "b": 9.0}
    assert pullback({"a": 1.0, "b": 10.0}) == (62.0,)
    assert pullback({"b": 10.0, "a": 1.0}) == (62.0,)


def test_jvp_agrees_with_the_jacobian():
    def fun(x):
        return np.sin(x) * np.sum(x)

    v = np.array([1.0, -2.0, 0.5])
    y, tangent = tapemagic.jvp(fun, (X,), (v,))
    np.testing.assert_allclose(y, fun(X))
    np.testing.assert_allclose(tangent, tapemagic.jacobian(fun)(X) @ v)


def test_jvp_meets_the_other_modes():
    """Derivatives of ``sum(x**3 w)`` along v, at every nesting."""
    w, v = np.array([1.0, 2.0, 3.0]), np.array([1.0, -2.0, 0.5])

    def along(x, w=w, v=v):
        return tapemagic.jvp(lambda z: np.sum(z**3 * w), (x,), (v,))[1]

    np.testing.assert_allclose(along(X), np.sum(3 * X**2 * w * v))
    np.testing.assert_allclose(tapemagic.grad(along)(X), 6 * X * w * v)
    np.testing.assert_allclose(tapemagic.grad(lambda w: along(X, w))(w), 3 * X**2 * v)
    np.testing.assert_allclose(tapemagic.grad(lambda v: along(X, w, v))(v), 3 * X**2 * w)
    np.testing.assert_allclose(tapemagic.jvp(along, (X,), (v,))[1], np.sum(6 * X * w * v * v))
    second = tapemagic.jvp(tapemagic.grad(lambda z: np.sum(z**3 * w)), (X,), (v,))[1]
    np.testing.assert_allclose(second, 6 * X * w * v)


def test_jvp_of_complex_functions():
    z, t = np.array([1.0 + 2.0j, 0.5 - 1.0j]), np.array([0.3 - 0.2j, 1.0 + 1.0j])
    np.testing.assert_allclose(tapemagic.jvp(lambda z: z**3, (z,), (t,))[1], 3 * z**2 * t)
    x, s = np.array([0.3, 0.7]), np.array([2.0, -1.0])
    np.testing.assert_allclose(
        tapemagic.jvp(lambda x: np.exp(1j * x), (x,), (s,))[1], 1j * np.exp(1j * x) * s
    )


def test_jvp_gives_plain_results():
    value, tangent = tapemagic.jvp(lambda x: {"a": x * 2.0, "b": 1.0}, (X,), (X,))
    assert type(value["a"]) is type(tangent["a"]) is np.ndarray
    assert tangent["b"] == 0


def test_a_function_may_write_into_its_argument():
    """It works on an array of its own, and an outer tape's is not touched either."""

    def fun(x):
        x[0] = x[1] * x[1]
        return np.sum(x * x)

    x = X.copy()
    exact = np.array([0.0, 4 * X[1] ** 3 + 2 * X[1], 2 * X[2]])
    np.testing.assert_allclose(tapemagic.grad(fun)(x), exact)
    np.testing.assert_array_equal(x, X)

    def outer(x):
        g = tapemagic.grad(fun)(x)
        return np.sum(g * x), x * 1.0

    with GradientTape():
        z = tapemagic.Variable(X) * 1.0
        total, same = outer(z)
        z[0] = 100.0
    np.testing.assert_array_equal(same, X)
    np.testing.assert_allclose(total, np.sum(exact * X))
    x[:] = X
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        tapemagic.grad(fun)(x)


def test_an_argument_that_is_written_to_later_keeps_its_value():
    def fun(x):
        z = x * 1.0
        g = tapemagic.grad(lambda u: np.sum(u**3))(z)
        z[0] = 100.0
        return np.sum(g * g) + z[0]

    np.testing.assert_allclose(tapemagic.grad(fun)(X), 36 * X**3)


def test_jacobian_and_hessian():
    def fun(x):
        return np.stack([x[0] * x[1], np.exp(x[2]), np.sum(x**3)])

    np.testing.assert_allclose(tapemagic.jacobian(fun)(X), numerical(fun, X), rtol=1e-6)
    np.testing.assert_allclose(
        tapemagic.hessian(rosenbrock)(X), numerical(tapemagic.grad(rosenbrock), X), rtol=1e-6
    )


def test_jacobian_of_a_structure_of_values():
    """It used to be silently zero."""

    def fun(x):
        return {"a": x * x, "b": [np.sum(x**3), 1.0]}

    found = tapemagic.jacobian(fun)(X)
    np.testing.assert_allclose(found["a"], np.diag(2 * X))
    np.testing.assert_allclose(found["b"][0], 3 * X**2)
    np.testing.assert_array_equal(found["b"][1], np.zeros(3))
    x = Variable(X)
    with GradientTape(persistent=True) as tape:
        y, z = x * x, np.exp(x[0])
    first, second = tape.jacobian([y, z], x)
    np.testing.assert_allclose(first, np.diag(2 * X))
    np.testing.assert_allclose(second, [np.exp(X[0]), 0.0, 0.0])


def test_hessian_of_a_structure_of_arguments():
    """It used to be silently zero."""

    def fun(p):
        return np.sum(p["a"] ** 2) * p["b"] ** 3

    a, b = np.array([1.0, 2.0]), 3.0
    found = tapemagic.hessian(fun)({"a": a, "b": b})
    np.testing.assert_allclose(found["a"]["a"], 2 * np.eye(2) * b**3)
    np.testing.assert_allclose(found["a"]["b"], 6 * a * b**2)
    np.testing.assert_allclose(found["b"]["a"], 6 * a * b**2)
    np.testing.assert_allclose(found["b"]["b"], 6 * np.sum(a**2) * b)
    product = tapemagic.hvp(fun)({"a": a, "b": b}, {"a": a, "b": 0.0})
    np.testing.assert_allclose(product["a"], 2 * a * b**3)
    np.testing.assert_allclose(product["b"], 6 * np.sum(a * a) * b**2)


@pytest.mark.parametrize("fun", [lambda x: 3.0, np.sum, lambda x: np.sum(np.floor(x))])
def test_no_curvature(fun):
    np.testing.assert_array_equal(tapemagic.hessian(fun)(X), np.zeros((3, 3)))
    np.testing.assert_array_equal(tapemagic.hvp(fun)(X, X), np.zeros(3))


def test_a_hessian_vector_product_opens_one_tape(monkeypatch):
    opened = []
    start = GradientTape.start
    monkeypatch.setattr(GradientTape, "start", lambda tape: [opened.append(tape), start(tape)])
    tapemagic.hvp(rosenbrock)(X, X)
    (tape,) = opened
    entries = len(tape._recording.entries)
    assert entries == 21  # the source, 11 operations, 9 of the sweep


def test_hvp():
    v = np.array([1.0, 2.0, -1.0])
    np.testing.assert_allclose(
        tapemagic.hvp(rosenbrock)(X, v), tapemagic.hessian(rosenbrock)(X) @ v
    )


@pytest.mark.parametrize(("argnums", "place"), [(0, 0), (1, 1), (-1, 1), (-2, 0), (np.int64(1), 1)])
def test_hvp_by_any_argument(argnums, place):
    def fun(a, b):
        return np.sum(a**3) + np.sum(b**2 * a)

    arguments, v = [X, 2 * X], np.array([1.0, 2.0, -1.0])
    second = (6 * X, 2 * X)[place]  # the diagonal of each Hessian
    x = arguments.pop(place)
    np.testing.assert_allclose(tapemagic.hvp(fun, argnums)(x, v, *arguments), second * v)


def test_hvp_by_several_arguments():
    def fun(a, scale, b):
        return scale * np.sum(a**2 * b)

    v = np.array([1.0, 2.0, -1.0])
    first, last = tapemagic.hvp(fun, (2, 0))([2 * X, X], [v, 3 * v], 5.0)  # of b, and of a
    np.testing.assert_allclose(first, 5 * 2 * X * 3 * v)
    np.testing.assert_allclose(last, 5 * (2 * X * v + 2 * 2 * X * 3 * v))


@pytest.mark.parametrize("derive", [tapemagic.grad, tapemagic.jacobian, tapemagic.hessian])
def test_an_argument_that_is_not_there(derive):
    with pytest.raises(TapeUseError, match="argnums=2 does not fit a call with 1 positional"):
        derive(np.sum, argnums=2)(X)


def test_hessian_of_a_loop_that_writes():
    def loss(x):
        z = x * 1.0
        for i in range(1, 3):
            z[i] = z[i] * z[i - 1]
        return np.sum(z**2)

    np.testing.assert_allclose(
        tapemagic.hessian(loss)(X), numerical(tapemagic.grad(loss), X), rtol=1e-5, atol=1e-8
    )


def test_inside_an_outer_tape():
    w = Variable(2.0)
    with GradientTape() as tape:
        slope = tapemagic.grad(lambda x: w * x**3)(1.5)
        loss = slope**2
    # slope = 3 w x²; d(slope²)/dw = 2 slope 3 x²
    assert tape.gradient(loss, w) == pytest.approx(2 * (3 * 2.0 * 2.25) * 3 * 2.25)


def test_t26_complex_convention():
    z = Variable(1.0 + 2.0j)
    with GradientTape() as tape:
        y = z * z
    assert tape.gradient(y, z) == 2.0 - 4.0j


def test_t26_a_step_against_the_gradient_descends():
    def loss(z):
        return np.sum(np.abs(z - (1 + 1j)) ** 2) + np.real(z[0] * z[1])

    z = np.array([0.5 - 1j, 2.0 + 0.3j])
    before = loss(z)
    assert loss(z - 1e-3 * tapemagic.grad(loss)(z)) < before


@pytest.mark.parametrize(
    "fun",
    [
        lambda z: np.sum(np.real(z * z * z)), lambda z: np.sum(np.imag(np.exp(z))),
        lambda z: np.sum(np.abs(z)), lambda z: np.sum(z * np.conj(z)).real,
        lambda z: np.sum(np.angle(z)), lambda z: np.real(z @ np.conj(z)),
        lambda z: np.sum(np.real(np.sqrt(z) / z)),
    ],
)  # fmt: skip
def test_t26_agrees_with_differences(fun):
    z = np.array([1.0 + 2.0j, -0.5 + 0.7j])
    step = 1e-6
    wanted = np.zeros(2, complex)
    for i in range(2):
        for unit in (1.0, 1j):
            shift = np.zeros(2, complex)
            shift[i] = step * unit
            wanted[i] += unit * (fun(z + shift) - fun(z - shift)) / (2 * step)
    np.testing.assert_allclose(tapemagic.grad(fun)(z), wanted, rtol=1e-6, atol=1e-9)


def test_t26_real_parameters_of_complex_values_have_real_gradients():
    gradient = tapemagic.grad(lambda x: np.sum(np.abs(np.exp(1j * x) + x)))(X)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(
        gradient, numerical(lambda x: np.sum(np.abs(np.exp(1j * x) + x)), X), rtol=1e-6
    )


def test_scipy_minimize():
    optimize = pytest.importorskip("scipy.optimize")
    result = optimize.minimize(
        tapemagic.value_and_grad(rosenbrock), X, jac=True, method="Newton-CG",
        hessp=tapemagic.hvp(rosenbrock),
    )  # fmt: skip
    np.testing.assert_allclose(result.x, np.ones(3), atol=1e-4)


def test_arguments_that_share_memory_are_independent():
    a = np.arange(1.0, 7.0).reshape(2, 3)
    _, pullback = tapemagic.vjp(lambda x, row: np.sum(x**2) + np.sum(row**3), a, a[0])
    first, second = pullback(1.0)
    np.testing.assert_array_equal(first, 2 * a)
    np.testing.assert_array_equal(second, 3 * a[0] ** 2)


def test_one_array_as_two_arguments():
    a = np.array([1.0, 2.0])
    for x in (a, np.ones((400, 400)), 3.0, np.float64(3.0)):  # the second is not copied at once
        first, second = tapemagic.grad(lambda u, v: np.sum(u * v**2), (0, 1))(x, x)
        np.testing.assert_array_equal(first, x**2)
        np.testing.assert_array_equal(second, 2 * x**2)


def test_one_array_twice_in_a_structure():
    a = np.array([1.0, 2.0])
    found = tapemagic.grad(lambda both: np.sum(both["u"] * both["v"] ** 2))({"u": a, "v": a[::-1]})
    np.testing.assert_array_equal(found["u"], a[::-1] ** 2)
    np.testing.assert_array_equal(found["v"], 2 * a * a[::-1])


def test_a_write_to_one_of_two_arguments_leaves_the_other():
    def fun(u, v):
        u[0] = 5.0 * v[1]
        return np.sum(u * v)

    a = np.array([1.0, 2.0])
    first, second = tapemagic.grad(fun, (0, 1))(a, a)
    np.testing.assert_array_equal(first, [0.0, 2.0])
    np.testing.assert_array_equal(second, [10.0, 7.0])
    np.testing.assert_array_equal(a, [1.0, 2.0])


def test_stacking_many_numbers_takes_linear_time():
    def seconds(n):
        x = np.ones(n)
        fun = tapemagic.grad(lambda z: np.sum(np.stack([z[i] for i in range(n)]) ** 2))
        return min(timeit.repeat(lambda: fun(x), number=1, repeat=3))

    assert seconds(8000) < 32 * seconds(1000)  # 64 times, if it were quadratic


@pytest.mark.parametrize(
    "derive",
    [
        lambda fun: tapemagic.grad(fun)(X),
        lambda fun: tapemagic.value_and_grad(fun)(X),
        lambda fun: tapemagic.jacobian(fun)(X),
        lambda fun: tapemagic.hessian(fun)(X),
        lambda fun: tapemagic.hvp(fun)(X, X),
        lambda fun: tapemagic.vjp(fun, X),
        lambda fun: tapemagic.jvp(fun, (X,), (X,)),
    ],
)
def test_a_function_that_returns_nothing_is_refused(derive):
    def loss(x):
        np.sum(x**2)

    with pytest.raises(TapeUseError, match="loss returned None"):
        derive(loss)


@pytest.mark.parametrize(("primals", "tangents"), [(X, X), ((X,), X), ((X,), (X, X))])
def test_jvp_says_how_its_arguments_are_given(primals, tangents):
    with pytest.raises(TapeUseError, match=r"jvp\(f, \(x,\), \(v,\)\)"):
        tapemagic.jvp(lambda x: x**2, primals, tangents)


@pytest.mark.parametrize("argnums", ["x", 0.5, [None]])
def test_argnums_are_integers(argnums):
    with pytest.raises(TapeUseError, match="does not fit a call with 1 positional"):
        tapemagic.grad(np.sum, argnums)(X)


@pytest.mark.parametrize("ct", [1j * X, "1.0", np.array({})], ids=["complex", "text", "object"])
def test_cotangents_are_numbers_of_the_kind_of_the_target(ct):
    """The imaginary part of a cotangent would be lost."""
    _, pullback = tapemagic.vjp(lambda x: x**2, X)
    np.testing.assert_allclose(pullback(np.isfinite(X))[0], 2 * X)
    with pytest.raises(TapeUseError, match="do not fit the target of dtype float64"):
        pullback(ct)
