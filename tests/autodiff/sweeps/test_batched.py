"""Many cotangents at once: what a batched sweep finds is what one sweep per element finds."""

import numpy as np
import pytest

import tapemagic
from tapemagic import GradientTape, Variable
from tapemagic.autodiff import jacobians
from tapemagic.autodiff.batches import BATCHED, SPARSE, Rows
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.lookup import ids_of
from tapemagic.autodiff.primitives import PRIMITIVES, RULES
from tapemagic.autodiff.sweeps import batched
from tapemagic.tf import rectifiers, softmaxes

RANDOM = np.random.default_rng(0)


def data(*shape):
    return RANDOM.uniform(0.2, 0.9, shape)


A, B, STACK = data(3, 3), data(3, 3), data(2, 3, 3)

# Per function with a rule for a leading axis: programs that use it, of one (3, 3) source.
CASES = {
    "copy": [np.copy],
    "astype": [lambda x: np.astype(x, np.float32), lambda x: np.astype(x, complex)],
    "broadcast_to": [lambda x: np.broadcast_to(x, (2, 3, 3)) * STACK],
    "conjugate": [lambda x: np.conj(x * (1 + 2j))],
    "real": [lambda x: np.real(x * (1 + 2j))],
    "imag": [lambda x: np.imag(x * (1 + 2j)) * 2],
    "matrix_transpose": [np.matrix_transpose, np.linalg.matrix_transpose],
    "tril": [lambda x: np.tril(x, -1)],
    "triu": [lambda x: np.triu(x, 1)],
    "ldexp": [lambda x: np.ldexp(x, 2)],
    "array": [lambda x: np.where(x[0, 0] > 0, x[0], x[1])],
    "where": [
        lambda x: np.where(A > 0.5, x, x[0]),
        lambda x: np.where(A[0] > 0.5, x[0, 0], x),
        lambda x: np.where(A[0] > 0.5, 7.5, x),
        lambda x: np.where([[2], [0], [1]], x, A),
    ],
    "clip": [lambda x: np.clip(x, 0.4, 0.6), lambda x: np.clip(A, x[0], x + 0.1)],
    "sum": [
        np.sum,
        lambda x: np.sum(x, 0),
        lambda x: x.sum((0, -1)),
        lambda x: x.sum(1, keepdims=True),
        lambda x: np.sum(x, axis=1, where=A > 0.5),
    ],
    "mean": [np.mean, lambda x: np.mean(x, -1), lambda x: x.mean(0, where=A > 0.3)],
    "prod": [np.prod, lambda x: np.prod(x, axis=0), lambda x: np.prod(x, 1, keepdims=True)],
    "max": [np.max, lambda x: np.max(x, axis=1), lambda x: np.amax(x, -1, keepdims=True)],
    "min": [np.min, lambda x: np.min(x, axis=0), lambda x: np.amin(x, (0, 1))],
    "flip": [np.flip, lambda x: np.flip(x, 0), lambda x: np.flip(x, (0, -1))],
    "var": [np.var, lambda x: np.var(x, axis=0), lambda x: np.var(x, axis=-1, ddof=1)],
    "std": [np.std, lambda x: np.std(x, axis=0), lambda x: np.std(x, axis=-1, keepdims=True)],
    "cumsum": [lambda x: np.cumsum(x, 0), lambda x: np.cumsum(x, axis=-1)],
    "cumprod": [lambda x: np.cumprod(x, 0), lambda x: np.cumprod(x, axis=-1)],
    "roll": [lambda x: np.roll(x, 1, 0), lambda x: np.roll(x, (1, 2), axis=(0, -1))],
    "sort": [np.sort, lambda x: np.sort(x, axis=0)],
    "relu": [lambda x: dispatch.call(rectifiers._rectify, (x - 0.5,), {})],
    "softmax": [lambda x: dispatch.call(softmaxes._softmax, (x, 0), {})],
    "log_softmax": [lambda x: dispatch.call(softmaxes._log_softmax, (x, -1), {})],
    "logsumexp": [
        lambda x: dispatch.call(softmaxes._log_sum_exp, (x, 1), {}),
        lambda x: dispatch.call(softmaxes._log_sum_exp, (x, None), {}),
    ],
    "relu6": [lambda x: dispatch.call(rectifiers._rectify6, (9 * x - 0.5,), {})],
    "concatenate": [
        lambda x: np.concatenate([x, A, x * 2]),
        lambda x: np.concatenate([x, x], -1),
        lambda x: np.concatenate([x, x * 2j]),
        lambda x: np.concatenate([x, A], dtype=np.float32),
    ],
    "stack": [lambda x: np.stack([x, A]), lambda x: np.stack([x[0], x[1]], -1)],
    "swapaxes": [lambda x: np.swapaxes(x * STACK, 0, -1)],
    "moveaxis": [
        lambda x: np.moveaxis(x * STACK, 0, -1),
        lambda x: np.moveaxis(x * STACK, (0, 1), (-1, 0)),
    ],
    "diff": [np.diff, lambda x: np.diff(x, 2, 0), lambda x: np.diff(x, n=1, axis=-2)],
    "pad": [lambda x: np.pad(x, 1), lambda x: np.pad(x, ((0, 2), (1, 0)), constant_values=3.0)],
    "reshape": [lambda x: x.reshape(9), lambda x: np.reshape(x, (1, 9), order="F"), np.ravel],
    "squeeze": [lambda x: np.squeeze(x[:1] * 2)],
    "expand_dims": [lambda x: np.expand_dims(x, 1), lambda x: np.expand_dims(x, (0, -1))],
    "transpose": [np.transpose, lambda x: np.transpose(x * STACK, (1, -1, 0))],
    "matmul": [
        lambda x: x @ A,
        lambda x: A @ x,
        lambda x: x @ x,
        lambda x: x[0] @ x[1],
        lambda x: x @ A[0],
        lambda x: A[0] @ x,
        lambda x: A @ x[0],
        lambda x: x[0] @ A,
        lambda x: STACK @ x,
        lambda x: x @ STACK,
        lambda x: (x * STACK) @ (x * STACK[::-1]),
        lambda x: STACK @ x[0],
        lambda x: x[0] @ STACK,
        lambda x: (x * STACK) @ A[0],
        lambda x: (x * 1j) @ (A + 2j * B),
    ],
    "dot": [lambda x: np.dot(x, A), lambda x: np.dot(A, x[0]), lambda x: np.dot(x[0], x[1])],
    "scatter": [],  # the second derivative below
}

# All elementwise rows that these inputs suit have a rule for a leading axis by themselves.
ELEMENTWISE = [
    p
    for p in dict.fromkeys(PRIMITIVES)
    # NumPy's own, whatever else is loaded: the programs stay in the domain of all but arccosh
    if p.kind == "elementwise"
    and isinstance(p.fun, np.ufunc)
    and getattr(np, p.name, None) is p.fun
    and p.name != "arccosh"
]

# Others: one row after the other where need be.
OTHERS = [
    np.linalg.inv,
    np.linalg.det,
    lambda x: np.linalg.eigh(x + x.T)[0],
    lambda x: np.linalg.svd(x)[1],
    lambda x: np.linalg.slogdet(x)[1],
    lambda x: np.kron(x, A),
    lambda x: np.tensordot(x, STACK, ([1], [1])),
    lambda x: np.einsum("ij,kjl->il", x, STACK),
    lambda x: np.cumsum(x),
    np.diff,
    np.trace,
    lambda x: np.linalg.norm(x, axis=0),
    lambda x: np.sum(STACK + x[0]) - np.mean(x[1] - A),  # one number stands for all elements
    lambda x: np.sum(x[0] - STACK, axis=0),
    lambda x: np.pad(x, 1, "edge"),
    lambda x: np.pad(x, 2, "reflect"),
    lambda x: np.roll(x, 1),
    lambda x: np.median(x, 0),
    lambda x: np.fft.rfft(x).real,
    lambda x: np.take(x, [0, 0, 2], 1),
    lambda x: x[[0, 0, 2]],
    lambda x: x[:, [0, 2]],
    lambda x: x[0, :, None],
    lambda x: x[A > 0.5],
    lambda x: x[[0, 1], :][:, [1, 1]],
    lambda x: x[[0, 2], [1, 1]],
    lambda x: x[..., 1],
    lambda x: (x * STACK)[0, :, [0, 2]],
    lambda x: (x * STACK)[:, 1, [0, 2, 2]],
    lambda x: x[-1, 2] * x[0],
    lambda x: x.T[1:] * 2,
    lambda x: x[1:][:, 1:] + x[0, 0],
    lambda x: np.sum(x) * x,
    lambda x: np.outer(x[0], x[1]),
    lambda x: np.maximum(x, x[0]),
    lambda x: x.diagonal() * 2,
    lambda x: x.reshape(3, 3, 1) * x,
    lambda x: x / np.sum(x, 1)[:, None],
]


def both_ways(fun, x):
    """Return (batched, one sweep per element) Jacobians, rows along the first axis."""
    x = Variable(x)
    with GradientTape(persistent=True) as tape:
        y = fun(x)
    top, ids = ids_of(tape, y, as_target=True)[-1], [ids_of(tape, x)]
    (batched,) = jacobians._swept_at_once(tape, top, ids)
    seeds = jacobians._unit_seeds(y.shape, y.dtype)
    (looped,) = ([row for (row,) in (tape._sweep({top: seed}, ids) for seed in seeds)],)
    return batched, np.array([np.zeros(x.shape) if row is None else row for row in looped])


def assert_same(fun, x):
    batched, looped = both_ways(fun, x)
    assert batched.dtype == looped.dtype
    np.testing.assert_allclose(batched, looped, rtol=1e-10, atol=1e-12)


@pytest.fixture
def at_once(monkeypatch):
    """Let nothing go row by row."""

    def refuse(self, k, entry, ct):
        raise AssertionError(f"{PRIMITIVES[entry[0]]} went row by row")

    monkeypatch.setattr(batched._Pull, "_row_by_row", refuse)


def test_every_declared_rule_has_a_case():
    assert {RULES[fun].name for fun in [*BATCHED, *SPARSE]} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_declared_rules(name, at_once):
    for fun in CASES[name]:
        assert_same(fun, data(3, 3))
        assert_same(lambda x, fun=fun: np.tanh(fun(np.sin(x))), data(3, 3))
        # whole arrays of cotangents come in, not unit ones
        assert_same(lambda x, fun=fun: fun(x) * np.sum(fun(x)), data(3, 3))


@pytest.mark.parametrize("primitive", ELEMENTWISE, ids=lambda p: p.name)
def test_elementwise_rules(primitive, at_once):
    apply = primitive.fun
    if primitive.arity == 1:
        programs = [
            apply,
            lambda x: apply(x @ A / 3) * 1.0,
            lambda x: apply(np.sum(x, 0) * 0.3) * x,
        ]
    else:
        programs = [
            lambda x: apply(x, x),
            lambda x: apply(x, B),
            lambda x: apply(B, x[0]),
            lambda x: apply(x[:1], x),
            lambda x: apply(x @ A, x[:, :1]),
            lambda x: apply(x[0, 0], x),
        ]
    for fun in programs:
        assert_same(fun, data(3, 3))


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_other_functions(number):
    assert_same(OTHERS[number], data(3, 3))
    assert_same(lambda x: np.tanh(OTHERS[number](np.sin(x))), data(3, 3))


def test_writes():
    def fun(x):
        z = x * 1.0
        z[0] = x[1] * x[2]
        z[:, 1] *= 2
        z[1:][0, 0] = 3.0
        return z

    assert_same(fun, data(3, 3))


def test_second_derivative(at_once):
    x = Variable(data(6))
    with GradientTape(persistent=True) as outer:
        with GradientTape() as inner:
            y = np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2) + x[0] * x[-1]
        gradient = inner.gradient(y, x)
    top, ids = ids_of(outer, gradient, as_target=True)[-1], [ids_of(outer, x)]
    (batched,) = jacobians._swept_at_once(outer, top, ids)
    rows = [outer._sweep({top: seed}, ids)[0] for seed in np.eye(6)]
    np.testing.assert_allclose(batched, rows, rtol=1e-12)


def test_chunks(monkeypatch):
    monkeypatch.setattr(jacobians, "CHUNK_BYTES", 200)
    assert_same(lambda x: np.tanh(A @ x) @ x, data(3, 3))


def test_several_sources_and_float32():
    x, z = Variable(np.float32([1.0, 2.0])), Variable(data(2, 2))
    with GradientTape() as tape:
        y = np.tanh(z @ x.astype(float))
    found = tape.jacobian(y, [x, z])
    assert [part.dtype for part in found] == [np.float32, np.float64]
    assert [part.shape for part in found] == [(2, 2), (2, 2, 2)]


def test_nan_falls_back_on_the_careful_sweep():
    x = Variable([0.0, 4.0])
    with GradientTape() as tape:
        y = np.where(x._value > 0, np.sqrt(np.where(x._value > 0, x, 1.0)), np.nan * x)
    assert np.isnan(tape.jacobian(y, x)[0, 0])


def test_the_jacobian_is_not_the_seed():
    x = Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        y = x * 1.0
    first = tape.jacobian(y, x)
    first[...] = 7.0
    np.testing.assert_array_equal(tape.jacobian(y, x), np.eye(2))


@pytest.mark.parametrize("number", range(len(OTHERS)))
def test_tall_jacobians_go_forwards(number, monkeypatch):
    weights = data(120)
    x = Variable(data(3, 3))
    with GradientTape(persistent=True) as tape:
        y = np.outer(weights, np.tanh(OTHERS[number](np.sin(x))))
    forwards = tape.jacobian(y, x)
    monkeypatch.setattr(jacobians, "TALL", np.inf)
    np.testing.assert_allclose(forwards, tape.jacobian(y, x), rtol=1e-9, atol=1e-12)


def test_tall_jacobians_of_several_sources():
    x, z, other = Variable(data(2)), Variable(0.5), Variable(1.0)
    t = np.linspace(0, 1, 200)
    with GradientTape() as tape:
        _ = other * 1.0
        y = np.exp(-z * t) * x[0] + x[1]
    by_x, by_z, nothing = tape.jacobian(y, [x, z, other])
    np.testing.assert_allclose(by_x, np.stack([np.exp(-0.5 * t), np.ones(200)], 1))
    np.testing.assert_allclose(by_z, -t * np.exp(-0.5 * t) * x._value[0])
    assert nothing is None


def no_whole_rows(monkeypatch):
    """Let nothing on the way make an array of rows: only the results."""
    made = []
    whole = Rows.dense

    def count(self, aval):
        made.append(aval.size)
        return whole(self, aval)

    monkeypatch.setattr(Rows, "dense", count)
    return made


def heat(x):
    for _ in range(6):
        x = x + 0.1 * (np.roll(x, 1) - 2 * x + np.roll(x, -1))
    return x


BANDED = [
    lambda x: np.sin(x) * 2,
    lambda x: x[1:] * x[:-1],
    lambda x: np.diff(x, 2) ** 2,
    lambda x: np.roll(x, 1) * x - x[::-1],
    lambda x: np.concatenate([x[:3] ** 2, x[3:] * x[:-3]]),
    lambda x: np.where(x > 0.5, x**2, x),
    lambda x: (x.reshape(-1, 2).T ** 2).ravel(),
    lambda x: np.sum(x.reshape(-1, 4) ** 2, axis=1),
    lambda x: np.stack([x, np.cos(x)], 1)[:, ::-1],
    heat,
]


@pytest.mark.parametrize("number", range(len(BANDED)))
def test_what_is_sparse_stays_sparse(number, monkeypatch):
    x = data(240)
    assert_same(BANDED[number], x)
    made = no_whole_rows(monkeypatch)
    both_ways(BANDED[number], x)
    assert len(made) == 1


def test_banded_hessian_stays_sparse(monkeypatch):
    x = Variable(data(240))
    with GradientTape(persistent=True) as outer:
        with GradientTape() as inner:
            y = np.sum(np.diff(x) ** 4) + np.sum(np.sin(x) * np.roll(x, 1))
        gradient = inner.gradient(y, x)
    made = no_whole_rows(monkeypatch)
    found = outer.jacobian(gradient, x)
    assert len(made) == 1
    top, ids = ids_of(outer, gradient, as_target=True)[-1], [ids_of(outer, x)]
    rows = [outer._sweep({top: seed}, ids)[0] for seed in np.eye(240)]
    np.testing.assert_allclose(found, rows, rtol=1e-12, atol=1e-14)


def test_cotangents_at_the_same_places_are_added_in_place():
    """A Jacobian that is diagonal stays so, however often a variable is used."""
    rows = Rows(4, slice(0, 4), slice(0, 4), np.ones(4))
    twice = rows + Rows(4, slice(0, 4), slice(0, 4), np.arange(4.0))
    assert type(twice.rows) is slice
    np.testing.assert_array_equal(twice.values, [1.0, 2.0, 3.0, 4.0])
    places = np.array([0, 1, 2, 2]), np.array([1, 1, 0, 3])
    both = Rows(4, *places, np.ones(4)) + Rows(4, *places, np.ones(4))
    assert len(both.values) == 4
    assert len((rows + Rows(4, slice(0, 4), slice(1, 5), np.ones(4))).values) == 8
    x = np.linspace(0.1, 2.0, 7)
    found = tapemagic.jacobian(lambda x: x * np.sin(x) / (1.0 + x) + x**2 * x)(x)
    s, c = np.sin(x), np.cos(x)
    exact = (s + x * c) / (1 + x) - x * s / (1 + x) ** 2 + 3 * x**2
    np.testing.assert_allclose(found, np.diag(exact))


@pytest.mark.parametrize("slope", [np.sqrt, tapemagic.grad(lambda x: np.sum(np.sqrt(x)))])
@pytest.mark.filterwarnings("ignore:(invalid|divide)")
def test_a_nan_on_the_diagonal_leaves_the_rest_zero(slope):
    """A row is the gradient of one element, to which the others do not belong."""
    x = np.array([0.0, -1.0, 4.0])
    jacobian = tapemagic.jacobian(slope)(x)
    np.testing.assert_array_equal(jacobian[~np.eye(3, dtype=bool)], 0)
    assert np.isinf(jacobian[0, 0])
    assert np.isnan(jacobian[1, 1])
    for i in range(3):
        row = tapemagic.grad(lambda u, i=i: slope(u)[i])(x)
        np.testing.assert_array_equal(row, jacobian[i])
