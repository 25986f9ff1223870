"""Programs with other inputs than those of the run: plain NumPy's value, a fresh tape's gradient."""

import itertools
import math

import numpy as np
import pytest
from autodiff.test_program import rows, weighted

import tapemagic
from tapemagic import GradientTape, Variable, tf
from tapemagic.autodiff import later
from tapemagic.autodiff.calls import dispatch
from tapemagic.autodiff.primitives import PRIMITIVES
from tapemagic.errors import TapeError, TapeUseError

sl = pytest.importorskip("scipy.linalg")
special = pytest.importorskip("scipy.special")

PARTS = 6  # of the rules, so that no test takes long
V = np.array([1.0, 2.0, 3.0])
Z = np.array([1 + 2j, -0.5 + 0.3j, 0.7 - 1j])
NANS = np.array([1.0, np.nan, 3.0, 5.0])
A = np.array([[1.0, 2.0, -0.4], [3.0, 4.0, 0.3], [0.5, 0.2, -1.0]])


def record(cell, inputs):
    sources = [Variable(x, name=f"a{i}") for i, x in enumerate(inputs)]
    with GradientTape(persistent=True) as tape:
        target = cell(*sources)
    return tape, target, sources


def run_again(cell, inputs, new):
    """Run the program of a run with `inputs` on `new` ones; hold it against a run with those."""
    tape, target, sources = record(cell, inputs)
    got = tape.program(target, sources)(**{f"a{i}": x for i, x in enumerate(new)})
    tape, target, sources = record(cell, new)
    assert_same(got[0], dispatch.plain(target))
    gradients = tape.gradient(target, sources, unconnected_gradients="zero")
    for ct, expected in zip(got[1:], gradients, strict=True):
        assert_same(np.zeros_like(expected) if ct is None else ct, expected)
    return got


def assert_same(got, expected):
    got, expected = np.asarray(got), np.asarray(expected)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    rounding = np.sqrt(np.finfo(expected.dtype).eps)
    finite = np.abs(expected[np.isfinite(expected)])
    np.testing.assert_allclose(
        got, expected, rtol=rounding, atol=rounding * (1e-3 + finite.max(initial=0.0))
    )


# --------------------------------------------------------------------------- nothing is baked in


def draws(x, rng):
    """Yield other inputs: a little different, in another order, and quite different."""
    x = np.asarray(x)
    for y in (
        x * rng.uniform(0.9, 1.1, x.shape),
        rng.permutation(x.ravel()).reshape(x.shape),
        x + 0.3 * rng.normal(size=x.shape),
    ):
        yield y.astype(x.dtype)[()]


def _close(got, expected):
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=1.0)
    return np.allclose(got, expected, rtol=1e-6, atol=1e-8 * scale, equal_nan=True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_rule_gives_what_a_fresh_tape_gives_or_refuses(part):
    rng, count = np.random.default_rng(0), 0
    for case in itertools.islice(rows(), part, None, PARTS):
        cell = weighted(case)
        tape, target, sources = record(cell, case.inputs)
        try:
            program = tape.program(target, sources)
        except TapeUseError:
            continue
        for new in zip(*(draws(x, rng) for x in case.inputs), strict=True):
            try:
                with np.errstate(all="ignore"):
                    tape, target, sources = record(cell, new)
                    expected = tape.gradient(target, sources, unconnected_gradients="zero")
            except (ArithmeticError, ValueError, TapeError, np.linalg.LinAlgError):
                continue  # such inputs do not fit
            try:
                value, *gradients = program(**{f"a{i}": x for i, x in enumerate(new)})
            except TapeError:
                continue
            assert _close(value, dispatch.plain(target)), case.name
            for ct, x in zip(gradients, expected, strict=True):
                found = np.zeros_like(x) if ct is None else ct
                assert found.dtype == x.dtype, case.name
                assert _close(found, x), case.name
            count += 1
    assert count > 4000 / PARTS


# ------------------------------------------------------------------------------ complex numbers


def signed_logarithm(a):
    sign, logarithm = np.linalg.slogdet(a)
    return sign * logarithm


@pytest.mark.parametrize(
    ("cell", "x"),
    [
        (lambda v: (v * v) * np.abs(v), 1 + 2j),
        (lambda v: (v * v) * np.abs(v), np.complex64(1 + 2j)),
        (lambda v: np.vdot(v, v * v) / np.linalg.norm(v), Z),
        (lambda a: np.exp(1j * a) + a, 0.3),
        (lambda z: z[0] * np.abs(z[1]), Z),
        (lambda z: z[0] + np.abs(z[1]), Z),
        (lambda z: z[0] - np.abs(z[1]), Z),
        (lambda z: z[0] / np.abs(z[1]), Z),
        (lambda z: z ** np.abs(z), np.complex128(1 + 2j)),
        (lambda z: z ** abs(z), 1 + 2j),
        (lambda z: np.abs(z[0]) ** z[1], Z),
        (lambda z: (2 + 1j) * np.abs(z[0]) * z[1], Z),
        (np.sign, 1 + 2j),
        (lambda z: np.sum(np.sign(z)), Z),
        (signed_logarithm, A + 0.3j * A.T),
        (signed_logarithm, (A + 0.3j * A.T).astype(np.complex64)),
        (np.angle, np.complex64(1 + 2j)),
        (lambda z: np.angle(z[0]), Z.astype(np.complex64)),
    ],
)
def test_complex_numbers(cell, x):
    new = np.asarray(x * (1.3 - 0.2j if np.iscomplexobj(x) else 1.3), np.asarray(x).dtype)[()]
    run_again(cell, [x], [x])
    run_again(cell, [x], [new])


@pytest.mark.parametrize(
    "cell",
    [
        lambda s: np.arange(stop=7.0, step=s),
        lambda s: np.arange(s, 7.0),
        lambda s: np.arange(s, stop=7.0, step=2.0),
    ],
)
def test_what_a_call_leaves_out_is_numpys_default(cell):
    run_again(lambda s: np.sum(cell(s) ** 2), [2.3], [2.2])


def test_a_cut_that_leaves_out_others():
    run_again(lambda a: np.sum(A * np.linalg.pinv(a, 0.5)), [np.diag(V)], [np.diag(V**3) + 0.1 * A])


# -------------------------------------------------------------------- what the values decided


@pytest.mark.parametrize(
    ("cell", "x", "new"),
    [
        (lambda a: np.sum(sl.lu_solve(sl.lu_factor(a), V) ** 2), A, A[::-1]),
        (lambda a: np.sum(sl.lu_factor(a)[0] ** 2), A, A[::-1]),
        (lambda a: np.sum(sl.lu(a)[1] ** 2), A, A[::-1]),
        (lambda a: np.sum(sl.lu(a, permute_l=True)[0] ** 3), A, A[::-1]),
        (np.nanvar, NANS, NANS[[0, 2, 1, 3]]),
        (lambda x: np.nanstd(x, ddof=1), NANS, NANS[[0, 2, 1, 3]]),
        (lambda q: np.quantile(V, q), 0.4, 0.6),
        (lambda q: np.nanpercentile(V, q), 40.0, 60.0),
        (lambda a: np.sum(np.real(sl.sqrtm(a))), np.eye(2) + 0.1, -np.eye(2)),
        (lambda z: np.sum(np.abs(np.real_if_close(z))), V + 1e-15j, Z),
        (lambda a: np.sum(a) * np.linalg.lstsq(a, V, None)[2], A, np.outer(V, V)),
        (lambda a: np.sum(sl.lstsq(a, V)[0]), A, np.outer(V, V)),
        (lambda a: np.sum(sl.pinv(a, atol=0.5)), A, 0.1 * A),
        (lambda a: np.sum(sl.pinv(a, atol=0.5)), 0.1 * A, A),
        (lambda a: np.sum(a) * sl.pinv(a, return_rank=True)[1], A, np.outer(V, V)),
        (lambda a: np.sum(np.linalg.pinv(a, 0.5)), np.diag(V + 9), np.diag(V)),
        (lambda a: np.sum(np.linalg.pinv(a, 0.5)), np.diag(V), np.diag(V + 9)),
        (lambda x: x[0] * np.frexp(x)[1][0], V, 4 * V),
        (lambda x: x[0] * math.frexp(x[1])[1], V, 4 * V),
        (lambda x: x[0] * math.modf(x[1] * 1.3)[1], V, 4 * V),
    ],
)
def test_what_the_values_decided_is_checked(cell, x, new):
    run_again(cell, [x], [x])
    with pytest.raises(TapeError, match=r"another way: line \d+"):
        run_again(cell, [x], [new])


def test_eigenvalues_that_become_complex():
    def cell(a):
        return np.sum(np.real(np.linalg.eigvals(a)))

    turning = A[:2, :2] * [[1, 1], [-1, 1]]
    if np.iscomplexobj(np.linalg.eigvals(np.eye(2))):  # since NumPy 2.5 they always are
        run_again(cell, [A[:2, :2]], [turning])
        return
    with pytest.raises(TapeError, match=r"another way: line \d+"):
        run_again(cell, [A[:2, :2]], [turning])


def test_what_numpy_refuses_is_refused_with_its_line():
    def cell(a):
        return np.sum(np.linalg.cholesky(a) ** 3)

    run_again(cell, [A @ A.T], [A @ A.T * 2])
    with pytest.raises(TapeError, match=r"another way: line \d+: return .* raises LinAlgError"):
        run_again(cell, [A @ A.T], [-A @ A.T])


def test_weights_that_sum_to_zero():
    def cell(weights):
        return np.average(V, weights=weights)

    run_again(cell, [V], [V[::-1]])
    tape, target, sources = record(cell, [V])
    with pytest.raises(TapeError, match="another way"):
        tape.program(target, sources)(a0=np.array([1.0, -1.0, 0.0]))


def test_a_structural_zero_is_not_made_nan():
    def cell(x):
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    run_again(cell, [V], [V[::-1]])
    with pytest.raises(TapeError, match="gradient with respect to 'a0' has a nan"):
        run_again(cell, [V], [V - 1])


@pytest.mark.parametrize(
    "cell",
    [
        lambda x: np.sum(np.sqrt(np.maximum(x, 0))),
        lambda x: np.sum(np.sqrt(np.fmax([[0.0], [0.0]], x))),
        lambda x: np.sum(np.sqrt(-np.minimum(-x, 0)) * x),
    ],
)
def test_what_maximum_cuts_off_is_not_made_nan(cell):
    x = np.array([-1.0, 2.0, 3.0])
    run_again(cell, [x], [x[::-1]])
    with pytest.raises(TapeError, match="gradient with respect to 'a0' has a nan"):
        run_again(cell, [x + 2], [x])  # a run in which nothing was cut off


@pytest.mark.parametrize(
    "fun",
    [
        lambda u: np.sum(np.where(u > 1.5, u**3, u)),
        lambda u: np.max(u) ** 2,
        lambda u: np.nanmax(u) ** 3,
        lambda u: np.sum(np.sort(u) ** 3 * V),
        lambda u: np.sum(np.clip(u, 1.5, 2.5) ** 3),
        lambda u: np.quantile(u, 0.3) ** 3,
        lambda u: np.linalg.norm(u) ** 3,
    ],
)
@pytest.mark.parametrize("derive", [tapemagic.grad, tapemagic.jacobian])
def test_what_a_recorded_sweep_decided_is_checked(fun, derive):
    def slope(x):
        return np.sum(derive(fun)(x) * V)

    tape, target, sources = record(slope, [V])
    program = tape.program(target, sources)
    for new in (V, V * 1.1, V[::-1], V[[1, 0, 2]]):
        try:
            value, gradient = program(a0=new)
        except TapeError:
            assert new is not V
            continue
        tape, target, sources = record(slope, [new])
        assert_same(value, dispatch.plain(target))
        assert_same(gradient, tape.gradient(target, sources)[0])


def test_forward_mode():
    def pushed(x):
        return np.sum(tapemagic.jvp(lambda u: np.sort(u) ** 3, (x,), (V,))[1] * V)

    run_again(pushed, [V], [V * 1.1])
    with pytest.raises(TapeError, match="another way"):
        run_again(pushed, [V], [V[::-1]])


# ----------------------------------------------------------------- nothing is refused needlessly


def test_functions_of_ours_have_names_of_their_own():
    """A program that calls two of the same name could not be printed."""
    later.load()
    funs = {one.fun for one in PRIMITIVES}
    ours = {fun for fun in funs if (getattr(fun, "__module__", "") or "").startswith("tapemagic")}
    assert len({fun.__name__ for fun in ours}) == len(ours)


def rotation(angle):
    r = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.sum(r @ V[:2] * V[1:])


def runge_kutta(v):
    def slope(y):
        return np.array([y[1], -v[2] * y[0]])

    y = np.array([v[0], v[1]])
    for _ in range(6):
        k1 = slope(y)
        k2 = slope(y + 0.05 * k1)
        k3 = slope(y + 0.05 * k2)
        y = y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + slope(y + 0.1 * k3))
    return y @ y


@pytest.mark.parametrize(
    ("cell", "x"),
    [
        (rotation, 0.3),
        (runge_kutta, V),
        (lambda v: np.sum(np.array([v[1], 3 * v[0]]) ** 2), V),
        (lambda v: np.squeeze(np.sum(v**2, keepdims=True)), V),
        (lambda v: np.sum(np.asarray([v[1], 3 * v[0], 1.0]) ** 2), V),
        (lambda v: np.sum(np.array([[v, 2 * v], [v * v, v]]) ** 2), V),
        (lambda v: np.sum(np.array((v, [1, 2, 3]), ndmin=4) ** 3), V),
        (lambda v: np.sum(np.array([v, [1, 2, 3]], dtype=np.float32) ** 2), V),
        (lambda v: np.real(np.sum(np.array([v[0] * 1j, 2]) * v[:2])), V),
        (lambda v: np.sum(np.array([v[0], v[1]], np.float32)), V.astype(np.float32)),
        (lambda v: v[0].item() * v[1] ** 2, V),
        (lambda v: np.sum(np.array(v.tolist()) ** 2), V),
        (lambda v: np.sum(np.array([[t] for t in v]) ** 2), V),
        (lambda v: np.sum(np.fromiter((a * a for a in v), float)), V),
        (lambda v: np.sum(np.c_[v, 2 * v] * np.r_[v[0], v[1]]), V),
        (lambda a: np.sum(sl.expm(a) ** 2), A),
        (lambda a: np.sum(sl.sinm(a) * sl.coshm(a)), A),
        (lambda a: np.sum(sl.sqrtm(a) ** 2), A @ A.T),
        (lambda a: np.sum(np.roots(a) ** 2).real, np.array([1.0, 2.0, 5.0])),
        (lambda x: x[1] * int(x[0] + 0.5), V),
        (lambda x: np.prod(math.modf(x[0] + 0.5)), V),
        (lambda x: math.frexp(x[0])[0] * math.frexp(x[0])[1], V),
        (lambda x: tapemagic.grad(lambda u: np.max(u) ** 3 + np.prod(np.sort(u)))(x) @ V, V),
        (lambda a: np.sum(tapemagic.grad(lambda u: np.sum(sl.expm(u)))(a) ** 2), A),
        (lambda x: x[1] * (2 if x[0] else 3), V),
        (lambda x: math.fsum([x[0], x[1]]) * x[2], V),
        (lambda x: np.sum(np.lib.stride_tricks.sliding_window_view(x, 2) ** 2), V),
        (lambda x: np.sum(special.digamma(x)), V),
        (lambda x: np.sum(special.psi(x) * special.gammaln(x)), -V / 2.3),
        (lambda x: np.sum(special.lambertw(x).real), V),
    ],
)
def test_it_runs_again(cell, x):
    run_again(cell, [x], [x])
    run_again(cell, [x], [np.asarray(x * 1.3, np.asarray(x).dtype)[()]])


def test_an_array_of_numbers_is_written_as_one():
    tape, target, sources = record(rotation, [0.3])
    assert "= np.array([[t1, -t2], [t2, t1]])" in str(tape.program(target, sources))


# ------------------------------------------------------------------------------- memory layouts

W = np.arange(9.0)
LAYOUTS = {
    "C": A,
    "F": np.asfortranarray(A),
    "strided": np.repeat(A, 2, 0)[::2],
    "reversed": np.ascontiguousarray(A[::-1])[::-1],
}
ALONG_MEMORY = [
    lambda a: np.sum(a.ravel(order="K") * W),
    lambda a: np.sum(a.ravel(order="A") * W),
    lambda a: np.sum(a.flatten("K") * W),
    lambda a: np.sum(np.reshape(a, 9, order="A") * W),
    lambda a: np.sum(np.exp(a).T.flatten("K") * W),
    lambda a: np.sum(np.where(a > 0, a, 0).ravel("K") * W),
    lambda a: sum(k * item for k, item in enumerate(np.nditer(a))),
    lambda a: np.sum(np.vectorize(lambda t: t * t)(a).ravel("K") * W),
    lambda a: np.sum(a) * (2 if a.flags.f_contiguous else 3),
    lambda a: np.sum(a) * (2 if np.isfortran(a) else 3),
]


@pytest.mark.parametrize("cell", ALONG_MEMORY)
def test_the_order_in_memory_is_that_of_the_run_or_refused(cell):
    for recorded, new in itertools.product(LAYOUTS, repeat=2):
        try:
            value, _ = run_again(cell, [LAYOUTS[recorded]], [LAYOUTS[new]])
        except TapeError:
            assert recorded != new or new == "reversed"  # a variable's copy is in order
        else:
            np.testing.assert_allclose(value, cell(LAYOUTS[new]))


def test_sums_go_along_memory_as_in_the_run():
    h = np.random.default_rng(0).uniform(size=(500, 3)).astype(np.float16)
    for x in (h, np.asfortranarray(h), np.asfortranarray(h)[:, ::-1]):
        tape, target, sources = record(lambda x: x.sum(0)[1], [x])
        assert tape.program(target, sources)()[0] == x.sum(0)[1]


def test_another_layout_is_no_reason_to_refuse():
    for recorded, new in itertools.product(LAYOUTS, repeat=2):
        run_again(lambda a: np.sum(np.exp(a).T.ravel() * W), [LAYOUTS[recorded]], [LAYOUTS[new]])


def raveled(x):
    z = x * 2
    z.ravel()[0] = 7.0
    return np.sum(z**2)


def read_after(x):
    z = x * 2
    row = np.reshape(z, 6)
    z[0] = 1.0
    return np.sum(row * np.arange(6))


def in_line(x):
    z = np.ascontiguousarray(x)
    z[0] = 1.0
    return np.sum(x**2)


def asked_for(x):
    z = x * 2
    np.asarray(z, order="F")[1] = 3.0
    return np.sum(z**2)


def reshaped(x):
    x.reshape(-1)[1] = 5.0
    return np.sum(x**2)


@pytest.mark.parametrize("cell", [raveled, read_after, in_line, asked_for, reshaped])
def test_what_a_write_reaches_hangs_on_the_order_in_memory(cell):
    start = np.arange(6.0).reshape(2, 3)
    orders = [np.array, np.asfortranarray, lambda x: np.repeat(x, 2, 1)[:, ::2]]
    for recorded, new in itertools.product(orders, repeat=2):
        x = recorded(start)
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = cell(x)
        try:
            value = tape.program(y, x)(x=new(start))[0]
        except TapeError:
            assert recorded is not new or recorded is orders[2]
        else:
            assert value == cell(new(start))


@pytest.mark.parametrize("kind", [Variable, tf.Variable])
def test_a_variable_that_was_assigned_a_traced_value_binds_the_program(kind):
    v, s = kind(2.0, name="v"), kind(0.0)
    with GradientTape(persistent=True) as tape:
        s.assign(v * 3.0)
        y = s * v
    program = tape.program(y, [v])
    assert program()[0] == 12
    with pytest.raises(TapeError, match="another way"):
        program(v=np.asarray(5.0, np.asarray(v.numpy()).dtype))


@pytest.mark.parametrize("change", ["assign_add", "assign_sub"])
def test_a_value_that_was_made_of_one_read_before_binds_the_program(change):
    v = Variable(2.0, name="v")
    with GradientTape(persistent=True) as tape:
        before = v * 2
        getattr(v, change)(1.0)
        y = v * v + before
    program = tape.program(y, [v])
    with pytest.raises(TapeError, match="another way"):
        program(v=5.0)
