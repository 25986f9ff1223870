"""Every keyword of every ufunc and of its methods is followed, or refused aloud."""

import ast

import numpy as np
import pytest
from surface.comparing import (
    assert_same,
    assert_slopes,
    gradients,
    leaves,
    plain_total,
    run_plain,
)
from surface.entries import ENTRIES, INPUTS, Program, parse

from tapemagic.autodiff.primitives import RULES
from tapemagic.errors import TapeError


def operands_of(name):
    """The operands that the entry of a ufunc calls it with, as text."""
    for node in ast.walk(parse(ENTRIES[f"numpy.{name}"]["test"])):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"np.{name}":
            return ", ".join(map(ast.unparse, node.args))
    return None


UFUNCS = [
    name
    for name in (key.removeprefix("numpy.") for key in ENTRIES)
    if isinstance(getattr(np, name, None), np.ufunc)
    and getattr(np, name).signature is None
    and getattr(np, name).nout == 1
    and operands_of(name)
    and getattr(RULES.get(getattr(np, name)), "kind", "") != "constant"
]


def calls(name):
    """Calls of a ufunc with its keywords; `{}` stands for the operands."""
    y = f"np.{name}({operands_of(name)})"
    types = "d" * getattr(np, name).nin + "->d"
    buffer = f"np.full(np.shape({y}), 0.5)"
    mask = f"(np.arange({y}.size) % 2 == 0).reshape({y}.shape)"
    for keywords in (
        f"out={buffer}", f"out=({buffer},)", f"where={mask}, out={buffer}",
        f"where=False, out={buffer}", f"where=True, out={buffer}",
        f"dtype=np.float32, out={buffer}, casting='unsafe'", "dtype=np.float32",
        "dtype=np.float32, casting='same_kind'", "dtype=np.complex128", "casting='no'",
        "casting='equiv', order='F'", "order='C', subok=False", f"signature={types!r}",
        f"where={mask}, dtype=np.float32, out={buffer}", "nonsense=1", "dtype=np.int64",
    ):  # fmt: skip
        yield f"{y[:-1]}, {keywords})"


MASK = "np.array([[True, False, True], [True, True, False]])"
BINARY = (
    "add", "multiply", "maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2", "hypot",
    "subtract", "divide", "arctan2", "copysign", "power", "remainder",
)  # fmt: skip


def methods(name):
    x = "B * B + 0.5" if name == "power" else "A"
    yield f"np.{name}.reduce({x}, axis=1, dtype=np.float32)"
    yield f"np.{name}.reduce({x}, axis=0, out=np.empty(3))"
    yield f"np.{name}.reduce({x}, axis=1, keepdims=True)"
    yield f"np.{name}.reduce({x}, 1, None, np.empty(2))"
    yield f"np.{name}.reduce({x}, axis=(0, 1))"
    yield f"np.{name}.reduce({x}, axis=None)"
    yield f"np.{name}.reduce({x}, axis=1, initial=0.75)"
    yield f"np.{name}.reduce({x}, axis=1, initial=0.75, where={MASK})"
    yield f"np.{name}.reduce({x}, axis=1, where={MASK})"
    yield f"np.{name}.accumulate({x}, axis=1)"
    yield f"np.{name}.accumulate({x}, 0, np.float32)"
    yield f"np.{name}.accumulate({x}, axis=1, out=np.empty((2, 3)))"
    yield f"np.{name}.reduceat({x}, [0, 1, 0], axis=1)"
    yield f"np.{name}.reduceat({x}, [0, 2], axis=1, dtype=np.float32)"
    yield f"np.{name}.reduceat({x}, [0, 2], axis=1, out=np.empty((2, 2)))"
    yield f"np.{name}.outer(p, r * r)"
    yield f"np.{name}.outer(p, r * r, dtype=np.float32)"
    yield f"np.{name}.outer(p, r * r, out=np.empty((5, 3)))"
    yield f"z = p * 1.0; np.{name}.at(z, [0, 2, 2], q[:3]); return z"
    yield f"z = p * 1.0; np.{name}.at(z, np.array([1, 4]), s); return z"
    yield f"z = B * B; np.{name}.at(z, ([0, 1], [2, 0]), p[:2]); return z"


CORE = """
np.matmul(T, A.T, axes=[(0, 2), (0, 1), (1, 0)])
np.matmul(A, M, out=np.empty((2, 3)))
np.matmul(A, M, dtype=np.float32, casting='same_kind')
np.matmul(A, M, order='F', subok=False, signature='dd->d')
np.matmul(A, r, axes=[(0, 1), (0,), (0,)])
np.vecdot(A, B, axis=0)
np.vecdot(A, B, axis=0, keepdims=True)
np.vecdot(A, B, axes=[0, 0])
np.vecdot(A, B, out=np.empty(2))
np.vecdot(A, B, dtype=np.complex128)
np.matvec(T, r, axes=[(0, 2), (0,), (0,)])
np.matvec(A, r, out=np.empty(2), dtype=np.float64)
np.vecmat(r, T, axes=[(0,), (2, 0), (1,)])
np.vecmat(r, M, out=np.empty(3))
np.modf(x, out=(np.empty(5), np.empty(5)))[0] * x
np.modf(x, dtype=np.float32)[0]
np.frexp(p, out=(np.empty(5), np.empty(5, int)))[0]
np.divmod(x, p, out=(np.empty(5), np.empty(5)))[1]
""".strip().splitlines()

PROGRAMS = [
    *(text for name in UFUNCS for text in calls(name)),
    *(text for name in BINARY for text in methods(name)),
    *CORE,
]
#: Refused aloud: a plain array of integers cannot be tied to a float.
REFUSED = {"np.frexp(p, out=(np.empty(5), np.empty(5, int)))[0]"}
#: Refused where NumPy itself leaves elements out, as NumPy 2.4 does along the last axis in memory.
FAULTY = {
    text for name in ("arctan2", "power") for text in methods(name) if ".reduce" in text
}  # fmt: skip


def marked(texts):
    """Every seventh program without the mark slow."""
    return [
        pytest.param(text, marks=() if i % 7 == 0 else pytest.mark.slow)
        for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize("text", marked(PROGRAMS))
def test_keyword(text):
    program = Program(text)
    inputs = {name: np.copy(INPUTS[name])[()] for name in program.names}
    try:
        run_plain(program, inputs)
    except Exception as error:
        with pytest.raises(type(error)):
            gradients(program, inputs)
        return
    if text in REFUSED:
        with pytest.raises(TapeError):
            gradients(program, inputs)
        return
    try:
        found, results = gradients(program, inputs)
    except TapeError as error:
        if text not in FAULTY or not error.fix:
            raise
        return
    assert_same(results, leaves(run_plain(program, inputs)))
    # differences of float32 say nothing: the same in float64
    double = Program(text.replace("float32", "float64"))
    tolerance = {"rtol": 1e-3, "atol": 1e-4} if "float32" in text else {}
    assert_slopes(found, plain_total(double), inputs, **tolerance)
