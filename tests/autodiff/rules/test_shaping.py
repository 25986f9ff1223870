"""Shapes, joining, splitting, repeating, padding."""

import numpy as np
import pytest
from autodiff.rules.four_questions import ask, name_of, row

import tapemagic

RNG = np.random.default_rng(11)
V = RNG.permutation(np.linspace(-2, 2.2, 5))
A = RNG.permutation(np.linspace(-2, 2, 6)).reshape(2, 3)
B = RNG.normal(size=(2, 3))
T = RNG.permutation(np.linspace(-2, 2, 24)).reshape(2, 3, 4)
C = A + 1j * B
S = np.float64(0.7)

#: (what it is called, how it is called on x), for one array
ONE = {
    "reshape": (T, lambda x: np.reshape(x, (4, -1))),
    "reshape F": (T, lambda x: np.reshape(x, (6, 4), order="F")),
    "ravel": (T, np.ravel),
    "ravel F": (T, lambda x: np.ravel(x, "F")),
    "squeeze": (T[None, :, :, None], np.squeeze),
    "squeeze axis": (T[None, :, :, None], lambda x: np.squeeze(x, axis=-2)),
    "expand_dims": (T, lambda x: np.expand_dims(x, (0, -1))),
    "atleast_1d": (S, np.atleast_1d),
    "atleast_2d": (V, np.atleast_2d),
    "atleast_3d": (A, np.atleast_3d),
    "atleast_3d of a vector": (V, np.atleast_3d),
    "atleast_3d of a number": (S, np.atleast_3d),
    "transpose": (T, np.transpose),
    "transpose axes": (T, lambda x: np.transpose(x, (2, 0, -2))),
    "matrix_transpose": (T, np.matrix_transpose),
    "swapaxes": (T, lambda x: np.swapaxes(x, 0, -1)),
    "moveaxis": (T, lambda x: np.moveaxis(x, (0, 1), (-1, 0))),
    "rollaxis": (T, lambda x: np.rollaxis(x, 2, 1)),
    "flip": (T, np.flip),
    "flip axis": (T, lambda x: np.flip(x, (0, 2))),
    "fliplr": (A, np.fliplr),
    "flipud": (A, np.flipud),
    "rot90": (T, lambda x: np.rot90(x, 3, axes=(1, 2))),
    "roll": (T, lambda x: np.roll(x, 5)),
    "roll axis": (T, lambda x: np.roll(x, (1, -2), (0, 2))),
    "roll several times": (T, lambda x: np.roll(x, (1, 2))),
    "roll axes alike": (T, lambda x: np.roll(x, 2, axis=(0, 2))),
    "roll list": (T, lambda x: np.roll(x, [1, 2], axis=1)),
    "diff without a sign": (T, lambda x: np.diff(x, np.uint8(1))),
    "roll one axis": (T, lambda x: np.roll(x, 2, axis=1)),
    "broadcast_to": (A, lambda x: np.broadcast_to(x, (4, 2, 3))),
    "copy": (A, lambda x: np.copy(x) * x),
    "astype": (A, lambda x: np.astype(x, x.dtype) * x),
    "real": (C, np.real),
    "imag": (C, np.imag),
    "full_like": (S, lambda s: np.full_like(A, 0.0) + s),
    "full_like of a traced fill": (A, lambda x: np.full_like(x, x[0, 1])),
    "likes": (A, lambda x: (np.zeros_like(x) + np.ones_like(x) + 0 * np.empty_like(x)) * x),
    "repeat": (T, lambda x: np.repeat(x, 3)),
    "repeat axis": (T, lambda x: np.repeat(x, 2, axis=1)),
    "repeat counts": (T, lambda x: np.repeat(x, [0, 2, 3], axis=1)),
    "repeat flat counts": (V, lambda x: np.repeat(x, [1, 0, 2, 3, 1])),
    "tile": (A, lambda x: np.tile(x, 3)),
    "tile up": (A, lambda x: np.tile(x, (2, 1, 3))),
    "tile down": (T, lambda x: np.tile(x, (2, 2))),
    "resize": (A, lambda x: np.resize(x, (2, 5))),
    "resize smaller": (A, lambda x: np.resize(x, 4)),
    "trim_zeros of zeros": (V, lambda x: np.trim_zeros(x * 0)),
    "trim_zeros": (V, lambda x: np.trim_zeros(x * [0, 0, 1, 1, 0], "f")),
    "split": (V, lambda x: np.split(x, [1, 3])),
    "array_split": (T, lambda x: np.array_split(x, 3, axis=2)),
    "hsplit": (A, lambda x: np.hsplit(x, 3)),
    "vsplit": (T, lambda x: np.vsplit(x, [1])),
    "dsplit": (T, lambda x: np.dsplit(x, 2)),
    "diag": (V, np.diag),
    "diag k": (A, lambda x: np.diag(x, 1)),
    "diag wide": (V, lambda x: np.diag(x, -2)),
    "diagflat": (A, lambda x: np.diagflat(x, 1)),
    "diagonal": (T, np.diagonal),
    "diagonal axes": (T, lambda x: np.diagonal(x, 1, -1, 0)),
    "linalg.diagonal": (T, lambda x: np.linalg.diagonal(x, offset=-1)),
    "tril": (T, lambda x: np.tril(x, 1)),
    "triu": (T, lambda x: np.triu(x, -1)),
    "vander": (V, np.vander),
    "vander increasing": (V, lambda x: np.vander(x, 3, increasing=True)),
    "vander 1": (V, lambda x: np.vander(x, 1) * x),
    "meshgrid self": (V, lambda x: np.meshgrid(x, x, indexing="ij")),
}  # fmt: skip
if hasattr(np, "unstack"):  # NumPy 2.1
    ONE["reshape copy"] = (T, lambda x: np.reshape(x, -1, copy=True))
    ONE["unstack"] = (T, lambda x: np.unstack(x, axis=1)[2] * np.unstack(x, axis=1)[0])
PADS = [
    ((1, 2), {}), (((1, 0), (0, 2)), {"constant_values": 3}), (2, {"mode": "edge"}),
    (((1, 2), (4, 3)), {"mode": "reflect"}), (3, {"mode": "symmetric"}), (4, {"mode": "wrap"}),
    (((1, 3), (2, 5)), {"mode": "reflect", "reflect_type": "odd"}),
    (3, {"mode": "symmetric", "reflect_type": "odd"}), (2, {"mode": "linear_ramp"}),
    (((2, 1), (1, 3)), {"mode": "linear_ramp", "end_values": ((1, 2), (3, 4))}),
    (2, {"mode": "maximum"}), (1, {"mode": "minimum", "stat_length": 2}), (2, {"mode": "mean"}),
    (((0, 2), (1, 0)), {"mode": "median", "stat_length": ((1, 2), (2, 3))}),
    ({1: (1, 2)}, {"mode": "edge"}),
]  # fmt: skip

ROWS = [
    *(row(fun, x, name=name) for name, (x, fun) in ONE.items()),
    *(row(fun, C, name=f"{name}") for name, (x, fun) in ONE.items()
      if np.shape(x) == (2, 3) and "diag" not in name),
    *(row(lambda x, w=w, k=k: np.pad(x, w, **k), A, name=f"pad {w} {k}") for w, k in PADS
      if not isinstance(w, dict) or np.lib.NumpyVersion(np.__version__) >= "2.2.0"),
    row(lambda x, c: np.pad(x, (2, 1), constant_values=c), A, np.array([0.3, 0.6]),
        name="pad traced constant"),
    row(np.broadcast_arrays, A, A[:, :1].copy(), name="broadcast_arrays"),
    row(np.meshgrid, V, B[0], name="meshgrid"),
    row(lambda x, y: np.meshgrid(x, y, sparse=True, copy=False), V, B[0], name="meshgrid sparse"),
    row(lambda x, y: np.concatenate([x, y, x]), A, B, name="concatenate"),
    row(lambda x, y: np.concatenate((x, y), axis=-1), A, B, name="concatenate axis"),
    row(lambda x, y: np.concatenate((x, y), axis=None), A, V, name="concatenate flat"),
    row(lambda x, y: np.concatenate((x, y), dtype=np.complex128), A, B, name="concatenate dtype"),
    row(np.concatenate, T, name="concatenate an array"),
    row(lambda x: np.concatenate(([1.0, 2.0], x)), V, name="concatenate a list"),
    row(lambda x, y: np.stack([x, y, x], axis=1), A, B, name="stack"),
    row(lambda x, y: np.stack((x, y), -1), A, C, name="stack complex"),
    row(lambda x: np.stack([x[0], x[1] * x[2], 2.0]), V, name="stack numbers"),
    row(lambda x, y: np.vstack([x, y]), A, B[0], name="vstack"),
    row(lambda x, y: np.hstack([x, y]), A, B, name="hstack"),
    row(lambda x, y: np.hstack([x, y]), V, S, name="hstack vectors"),
    row(lambda x, y: np.dstack([x, y]), A, B, name="dstack"),
    row(lambda x, y: np.column_stack([x, y]), B[:, 0].copy(), A, name="column_stack"),
    row(lambda x, y: np.block([[x, y], [y, x]]), A, B, name="block"),
    row(lambda x, y: np.block([x, [y, 1.0]][0]) * y, A, S, name="block of one"),
    row(lambda x, y: np.block([x, y, 2.0]), V, S, name="block of a row"),
    row(np.append, A, V, name="append"),
    row(lambda x, y: np.append(x, y, axis=1), A, B, name="append axis"),
    row(np.ravel, np.zeros((0, 3)), name="ravel empty"),
    row(lambda x: np.concatenate([x, np.ones((2, 3))]), np.zeros((0, 3)), name="join empty"),
    row(lambda x: np.tile(x, 2), np.zeros((0,)), name="tile empty"),
    row(lambda x: np.repeat(x, 2, axis=0), np.zeros((0, 2)), name="repeat empty"),
    row(lambda x: np.pad(x, 1), np.zeros((0, 2)), name="pad empty"),
]  # fmt: skip


@pytest.mark.parametrize("case", ROWS, ids=name_of)
def test_four_questions(case):
    ask(case)


LAYOUTS = {
    "C": T,
    "Fortran": np.asfortranarray(T),
    "transposed": np.transpose(T.copy(), (1, 2, 0)),
    "reversed": T[::-1, :, ::-1],
    "every other": np.repeat(T, 2, axis=1)[:, ::2],
    "zero strides": np.broadcast_to(T[:, :1, :1], (2, 3, 4)),
}
if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # before, NumPy itself fails
    ONE["roll without a sign"] = T, lambda x: np.roll(x, np.uint8(2))


def write_through_views(x):
    """Whether a view or a copy is written to depends on the memory order, as in NumPy."""
    y = x * 2.0
    np.reshape(y, (4, -1))[0] = x[1, 1, 1] ** 2
    np.transpose(y)[1] *= 3.0
    np.flip(y, 1)[0, 0] = x[0, 0] * x[1, 1]
    np.ravel(y)[4] += x[0, 1, 0]
    np.squeeze(y[None])[1, 0] = 1.5 * x[0, 0]
    np.swapaxes(y, 0, 1)[1] += 2.0
    return y**2


ORDERED = [
    lambda x: np.reshape(x, -1, order="A"),
    lambda x: np.ravel(x, "K"),
    lambda x: np.ravel(x, "A"),
    write_through_views,
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fun", ORDERED, ids=["reshape A", "ravel K", "ravel A", "writes"])
def test_memory_order(fun, layout):
    x = LAYOUTS[layout]
    y, pullback = tapemagic.vjp(fun, x)
    np.testing.assert_array_equal(y, fun(x))
    ct = RNG.normal(size=y.shape)
    (gradient,) = pullback(ct)
    for i in np.ndindex(x.shape):
        step = np.zeros_like(x)  # in the memory order of x
        step[i] = 1e-6
        numerical = np.sum(ct * (fun(x + step) - fun(x - step))) / 2e-6
        np.testing.assert_allclose(gradient[i], numerical, rtol=1e-6, atol=1e-6)


FRESH = {
    "insert": lambda x: np.insert(x, 1, x[0, 0, 0], axis=1),
    "pad of traced numbers": lambda x: np.pad(x, 1, constant_values=x[0, 0, 0]),
    "pad mean": lambda x: np.pad(x, 1, mode="mean"),
    "permuted": lambda x: np.random.default_rng(0).permuted(x, axis=1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("fun", FRESH.values(), ids=list(FRESH))
def test_new_arrays_lie_in_memory_as_numpys_do(fun, layout):
    x = LAYOUTS[layout]
    y, _ = tapemagic.vjp(fun, x)
    np.testing.assert_array_equal(y, fun(x))
    assert y.strides == fun(x).strides


@pytest.mark.parametrize(
    ("fun", "error"),
    [
        (lambda x: np.reshape(x, (4, 4)), ValueError),
        (lambda x: np.concatenate([x, x[0]]), ValueError),
        (lambda x: np.split(x, 3), ValueError),
        (lambda x: np.block([[x], x]), ValueError),
        (lambda x: np.pad(x, 1, mode="nothing"), ValueError),
        (lambda x: np.meshgrid(x, indexing="yx"), ValueError),
        (lambda x: np.array_split(x, 0), ValueError),
        (lambda x: np.vsplit(x[0], 1), ValueError),
    ],
)
def test_the_user_sees_errors_of_numpy(fun, error):
    with pytest.raises(error) as plain:
        fun(A)
    with pytest.raises(error) as ours:
        tapemagic.vjp(fun, A)
    assert str(ours.value) == str(plain.value)


def test_copies_of_meshgrid_lie_in_memory_as_numpys_do():
    x, y = np.arange(3.0), np.arange(2.0)
    with tapemagic.GradientTape():
        grids = np.meshgrid(tapemagic.Variable(x), y)
    assert [grid.strides for grid in grids] == [grid.strides for grid in np.meshgrid(x, y)]


@pytest.mark.parametrize(
    ("fun", "slope"),
    [
        (lambda x: np.prod(np.broadcast_shapes(x.shape)) * sum(x), 3.0),
        (lambda x: np.sum(np.multiply(*np.broadcast_arrays(x, [[1.0], [2.0]]))), 3.0),
        (lambda x: np.sum(np.multiply(*np.ix_(x, [1.0, 2.0]))), 3.0),
        (lambda x: np.sum(np.multiply(*np.ix_([True, False, True], x))[:, :, None]), 2.0),
        (lambda x: np.sum(np.arange(6.0).reshape(2, 3)[np.ix_([0, 1], [2])] * x), 7.0),
    ],
)
def test_arrays_that_are_laid_out_beside_plain_ones(fun, slope):
    found = tapemagic.grad(fun)(np.array([0.5, 1.5, -1.0]))
    np.testing.assert_allclose(found, np.full(3, slope))


def test_the_weights_that_average_returns_can_be_written_to():
    x = tapemagic.Variable(np.arange(6.0).reshape(2, 3))
    with tapemagic.GradientTape() as tape:
        mean, scale = np.average(x, axis=1, weights=[1.0, 2.0, 3.0], returned=True)
        scale[0] = 2.0
        y = np.sum(mean * scale)
    np.testing.assert_allclose(tape.gradient(y, x), [[1 / 3, 2 / 3, 1.0], [1.0, 2.0, 3.0]])
