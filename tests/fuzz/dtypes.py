"""One statement over dtypes and call forms: what it leaves, says and raises, and its gradient.

NumPy's dtypes in both byte orders, beside numbers of Python's, in layouts of every kind and with
edge values; operators in both orders and in place, keywords of ufuncs and reductions, ufunc methods,
and what Python's own protocols ask an array for. Odd seeds are scripts, even ones cells.
"""

from __future__ import annotations

import ast
import random
import textwrap
import warnings
from typing import Any

import numpy as np

from tapemagic.errors import TapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import execute, run_plain, run_taped, start

_INEXACT = ("f2", "f4", "f8", "g", "F", "D", "G", ">f8", ">c8")
_OTHERS = (*_INEXACT, "i1", "u8", "?", ">i4")
_NUMBERS = (
    "0", "2", "-3", "2.5", "-0.0", "float('nan')", "float('inf')", "1j", "2 + 0j", "True", "300",
    "10**30", "1e300", "None", "[1.0, 2.0, 3.0]", "(1, 2, 3)", "range(3)",
)  # fmt: skip
_SMOOTH = ("0.5", "-1.5", "2.5", "0.25", "1.125", "3.0", "-2.0", "0.75", "-0.375")
_EDGES = (*_SMOOTH, "0.0", "-0.0", "float('nan')", "float('inf')", "1e-310", "65504.0", "1.0")
_INTEGERS = ("0", "1", "2", "7", "100")
_LAYOUTS = (
    "[:3]", "[:3]", ".reshape(2, 3)", ".reshape(3, 2).T", "[::-2]", "[2]", "[2]", "[:0]", "[:1]",
    "[:1].reshape(())", "[:3].reshape(3, 1)", "[:4].reshape(2, 2)", "[:0].reshape(2, 0)",
)  # fmt: skip

_OPERATORS = ("+", "-", "*", "/", "**", "%", "//", "@", "==", "<", ">=", "&", "|", ">>")
_UFUNCS = (
    "add", "subtract", "multiply", "divide", "power", "float_power", "remainder", "floor_divide",
    "maximum", "fmin", "arctan2", "hypot", "logaddexp", "logaddexp2", "heaviside", "logical_or",
)  # fmt: skip
_OF_TWO = (
    "divmod({0}, {1})", "np.divmod({0}, {1})", "np.append({0}, {1})", "np.union1d({0}, {1})",
    "np.concatenate([{0}, {1}], axis=None)", "np.setdiff1d({0}, {1})", "np.intersect1d({0}, {1})",
    "np.where([True, False, True], {0}, {1})", "np.stack([{0}, {1}])", "np.outer({0}, {1})",
    "np.clip({0}, {1}, None)", "np.tensordot({0}, {1}, 0)", "np.kron({0}, {1})", "np.dot({0}, {1})",
    "np.full_like({0}, {1})", "np.insert({0}, 0, {1})", "np.select([[True, False, True]], [{0}], {1})",
    "np.copyto({0}, {1}, casting='unsafe')", "np.putmask({0}, [True, False, True], {1})",
    "np.einsum('...,...->...', {0}, {1})", "np.result_type({0}, {1})", "np.isclose({0}, {1})",
    "np.linspace({0}, {1}, 3)", "np.searchsorted({0}, {1})", "np.trapezoid({0}, {1})",
)  # fmt: skip
_OF_ONE = (
    "round(x, 1)", "abs(x)", "complex(x)", "float(x)", "int(x)", "bool(x)", "np.float32(x)", "x.real",
    "x.imag", "np.longdouble(x)", "list(x)", "sorted(x)", "max(x)", "sum(x)", "f'{x}'", "'%.2f' % x",
    "x.item()", "x.tolist()", "x.astype('f4')", "x.astype(int)", "np.array([x, 1])", "np.array(x, ndmin=3)",
    "np.array([x, x], dtype='F')", "np.asarray(x, dtype='g')", "x.flat[0]", "x[::-1]", "x[None]", "x[-1]",
    "x.squeeze()", "x.ravel()", "np.sort(x)", "np.unique(x)", "np.pad(x, 1)", "np.nan_to_num(x)", "x.conj()",
    "np.broadcast_to(x, (2, 3))", "np.vectorize(abs)(x)", "np.apply_along_axis(np.sum, 0, x)", "len(x)",
    "math.sqrt(x)", "math.copysign(1, x)", "copy.copy(x)", "copy.deepcopy(x)", "np.einsum('i,i', x, x)",
    "np.linalg.norm(x)", "np.fft.fft(x)", "np.diff(x)", "np.gradient(x)", "np.percentile(x, 50)", "hash(x)",
    "2.5 in x", "isinstance(x, float)", "np.isscalar(x)", "x.dtype", "np.finfo(x.dtype).eps", "-x", "+x", "~x",
    "np.median(x)", "np.roll(x, 1)", "np.trace(x)", "np.ptp(x)", "np.angle(x)", "np.cov(x)", "np.vdot(x, x)",
)  # fmt: skip
_WRITES = (
    "x[0] = 5", "x[...] = o", "x[0] = 1j", "x[[0, 0]] += 1", "x[x > 0] = 0", "x.flat = 2", "x.real = o",
    "x.imag = 2", "v = x.ravel()\nv[0] = 9", "v = x.T\nv += o", "v = x[::2]\nv *= o", "x.sort()", "x.fill(o)",
    "np.add.at(x, [0, 0], o)", "np.power.at(x, [0, 0, 1], o)", "np.maximum.at(x, [0, 0, 1], x)",
    "np.put(x, [0], o)", "np.divide(x, o, out=x, where=x != 0)", "np.exp(x, out=x)", "v = x.real\nv += 1",
)  # fmt: skip
_REDUCTIONS = (
    "sum", "prod", "mean", "std", "var", "max", "any", "nansum", "nanmean", "nanstd", "nanvar",
    "nanmax", "median", "argmax", "average",
)  # fmt: skip
_AXES = ("0", "-1", "None", "(0,)", "(0, 1)", "1", "np.int64(0)", "()", "5")
_TYPES = ("np.float32", "float", "complex", "np.longdouble", "int", "bool", "object")
_CALL_KEYWORDS = (
    "casting='unsafe'", "casting='no'", "order='F'", "out=np.zeros(3)", "out=(np.zeros((2, 3)),)",
    "out=np.zeros(3, 'f4')", "signature='dd->d'", "signature='ff->f', casting='unsafe'", "out=None",
    "where=[True, False, True], out=np.zeros(3)", "subok=False", "out=x", "where=True",
)  # fmt: skip


def random_statement(seed: int) -> tuple[str, str]:
    """Return the setup, which binds `x` and `o`, and the statement, which binds `z`, of a seed."""
    rng = random.Random(seed)
    values = _SMOOTH if rng.random() < 0.5 else _EDGES
    setup = "import copy, math\nimport numpy as np\nx = " + _array(
        rng, rng.choice(_INEXACT), values
    )
    other = rng.choice(_NUMBERS) if rng.random() < 0.4 else _array(rng, rng.choice(_OTHERS), values)
    kind = rng.choice((_operator, _inplace, _call, _method, _two, _one, _write, _reduction))
    return f"{setup}\no = {other}\n", kind(rng)


def _array(rng: random.Random, dtype: str, values: tuple[str, ...]) -> str:
    kind = np.dtype(dtype).kind
    numbers = [rng.choice(values if kind in "fc" else _INTEGERS) for _ in range(6)]
    if kind == "c":
        numbers = [f"{x} + {rng.choice(_SMOOTH)}j" for x in numbers]
    return f"np.array([{', '.join(numbers)}]).astype({dtype!r}){rng.choice(_LAYOUTS)}"


def _pair(rng: random.Random) -> tuple[str, str]:
    return rng.choice((("x", "o"), ("o", "x"), ("x", "x")))


def _operator(rng: random.Random) -> str:
    return f" {rng.choice(_OPERATORS)} ".join(_pair(rng)).join(("z = ", ""))


def _inplace(rng: random.Random) -> str:
    left, right = _pair(rng)
    symbol = rng.choice([one for one in _OPERATORS if one not in ("==", "<", ">=")])
    return f"v = {left}\n{left} {symbol}= {right}\nz = v, {left}, v is {left}"


def _call(rng: random.Random) -> str:
    keywords = rng.sample(
        (f"dtype={rng.choice(_TYPES)}", rng.choice(_CALL_KEYWORDS)), rng.randint(0, 2)
    )
    return f"z = np.{rng.choice(_UFUNCS)}({', '.join([*_pair(rng), *keywords])})"


def _method(rng: random.Random) -> str:
    ufunc, method = rng.choice(_UFUNCS), rng.choice(("reduce", "accumulate", "reduceat", "outer"))
    if method == "outer":
        return f"z = np.{ufunc}.outer({', '.join(_pair(rng))})"
    arguments = ["x", "[0, 2, 1]"] if method == "reduceat" else ["x"]
    if rng.random() < 0.5:
        arguments.append(f"axis={rng.choice(_AXES[:4])}")
    if rng.random() < 0.3:
        arguments.append(f"dtype={rng.choice(_TYPES)}")
    if method == "reduce" and rng.random() < 0.4:
        arguments.append(rng.choice(("keepdims=True", "initial=0.5", "where=x > 0, initial=2")))
    return f"z = np.{ufunc}.{method}({', '.join(arguments)})"


def _two(rng: random.Random) -> str:
    return "z = " + rng.choice(_OF_TWO).format(*_pair(rng))


def _one(rng: random.Random) -> str:
    return "z = " + rng.choice(_OF_ONE)


def _write(rng: random.Random) -> str:
    return f"{rng.choice(_WRITES)}\nz = x"


def _reduction(rng: random.Random) -> str:
    keywords = [f"axis={rng.choice(_AXES)}"] if rng.random() < 0.7 else []
    if rng.random() < 0.3:
        keywords.append(f"dtype={rng.choice(_TYPES)}")
    if rng.random() < 0.4:
        keywords.append(rng.choice(("keepdims=True", "where=x > 0", "initial=0.5")))
    return f"z = np.{rng.choice(_REDUCTIONS)}({', '.join(['x', *keywords])})"


# ------------------------------------------------------------------------------------ comparing

_SHOWN = "\nprint(repr(z), isinstance(z, float), np.ndim(z))"
#: Python names the class of a handle; what it says of other classes is its own.
_OWN_WORDS = ("TracedArray", "non-iterable", "not iterable", "no attribute")
#: How much of a gradient is rounding, by what stands in the text.
_ROUNDING = ((("f2", "float16"), 3e-2), (("f4", "float32", "'F'", "c8", "ff->f"), 3e-3))


def check(seed: int) -> str:
    """Return how the statement of a seed differs under a tape from plain NumPy, or ""."""
    setup, text = random_statement(seed)
    plain, wanted = _heard(run_plain, setup, text + _SHOWN)
    session = None
    if seed % 2:
        block = textwrap.indent(f"tape.watch(x)\n{text}{_SHOWN}", "    ")
        script = f"with GradientTape() as tape:\n{block}"
        taped, got = _heard(run_plain, f"from tapemagic import GradientTape\n{setup}", script)
    else:
        path = parse_path("x")
        (taped, session), got = _heard(run_taped, setup, text + _SHOWN, sources=(path,))
    if is_refusal(taped["raised"]):
        return ""
    errors = [one["error"].replace("=:", ":") for one in (taped, plain)]  # `o += x` asks for x + o
    if type(taped["raised"]) is not type(plain["raised"]) or (
        errors[0] != errors[1] and not any(word in errors[0] for word in _OWN_WORDS)
    ):
        return f"{taped['error']}, plain: {plain['error']}"
    if plain["raised"] is not None:
        return ""
    for name in ("x", "o", "v", "z"):
        values = [look(one["namespace"].get(name)) for one in (taped, plain)]
        if values[0] != values[1]:
            return f"{name} is {values[0]}, plain: {values[1]}"
    if taped["printed"] != plain["printed"] or got != wanted:
        return f"says {taped['printed']}{got}, plain: {plain['printed']}{wanted}"
    return compare_gradient(setup, text) if session is not None else ""


def _heard(run: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[tuple[str, str]]]:
    """Run; return the result, and the warnings with their texts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = run(*args, **kwargs)
    return result, [(one.category.__name__, str(one.message)) for one in caught]


def is_refusal(error: BaseException | None) -> bool:
    """Tell whether a run ended with an error of ours, and a line of the user's."""
    ours = error if isinstance(error, TapeError) else getattr(error, "__cause__", None)
    return isinstance(ours, TapeError) and ours.line is not None


def look(x: Any) -> Any:
    """Describe a value: type, dtype, shape, layout and every digit."""
    if isinstance(x, np.ndarray):
        steps = tuple(step for n, step in zip(x.shape, x.strides, strict=True) if n > 1 and x.size)
        layout = (steps, x.flags.c_contiguous) if x.flags.writeable else "read-only"
        return type(x).__name__, x.dtype.str, x.shape, layout, repr(x.tolist())
    if isinstance(x, (list, tuple)):
        return type(x).__name__, [look(item) for item in x]
    return type(x).__name__, repr(x)


# ------------------------------------------------------------------------------------ gradients

_TOTAL = """
def total(z):
    if isinstance(z, (list, tuple)):
        return sum(((k + 1) * total(item) for k, item in enumerate(z)), 0.0)
    if np.asarray(z).dtype.kind not in "fc":
        return 0.0
    weights = np.cos(np.arange(np.size(z)) + 1.3).reshape(np.shape(z))
    return np.sum(weights * (np.real(z) + 0.7 * np.imag(z)))
"""


def compare_gradient(setup: str, text: str) -> str:
    """Compare the gradient of the statement's result with differences in the widest dtype."""
    path, loss = parse_path("x"), f"{text}\nloss = total(z)"
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        taped, session = run_taped(_TOTAL + setup, loss, sources=(path,), target=parse_path("loss"))
        if taped["raised"] is not None or not abs(taped["namespace"]["loss"]) < 1e6:
            return ""
        try:
            session.differentiate()
        except TapeError:
            return ""
        x = start(setup)["x"]
        if not np.all((np.abs(np.real(x)) > 0.1) & (np.abs(np.real(x)) < 10)):
            return ""  # at the edges differences are no judge
        found = dict(zip(session.sources.handles, session.gradients, strict=True)).get("x")
        got = np.zeros_like(x) if found is None else np.asarray(found)
        if got.shape != np.shape(x) or (np.ndim(x) and got.dtype != x.dtype):
            return f"gradient is {got.dtype}{got.shape}"
        slope = _slope(setup, loss, x)
    rounding = next((r for words, r in _ROUNDING if any(w in setup + text for w in words)), 3e-6)
    wrong = np.abs(got - slope) > rounding * (1 + np.abs(slope))  # never where it is nan
    return f"gradient is {got}, differences: {slope}" if np.any(wrong) else ""


#: What is cast to little precision is cast to more for the differences.
_WIDER = {
    "float32": "float64", "ff->f": "dd->d", "'f2'": "'g'", "'f4'": "'g'", "'F'": "'G'",
    "'>c8'": "'G'",
}  # fmt: skip


def _slope(setup: str, text: str, x: Any, step: float = 2.0**-20) -> np.ndarray:
    """Return differences, nan at kinks; what is cast to single precision, in double."""
    for narrow, wide in _WIDER.items():
        setup, text = setup.replace(narrow, wide), text.replace(narrow, wide)
    slope = np.zeros(np.shape(x), np.result_type(x, np.longdouble))

    def moved(place: tuple, change: complex) -> Any:
        namespace = start(_TOTAL + setup)
        flags = np.asarray(x).flags  # whether ravel() makes a copy
        order: Any = "F" if flags.fnc else "C"
        at = np.empty((*np.shape(x), 2 - flags.forc), slope.dtype, order)[..., 0]
        at[...] = x
        at[place] += change
        namespace["x"] = at if isinstance(x, np.ndarray) else at[()]
        try:
            execute(ast.parse(text).body, namespace)
        except Exception:
            return np.nan  # in the wider dtype it is no program
        return namespace["loss"]

    for place in np.ndindex(slope.shape):
        for unit in (1, 1j) if slope.dtype.kind == "c" else (1,):
            middle, up, down = (moved(place, unit * change) for change in (0, step, -step))
            smooth = abs(up - 2 * middle + down) < 1e-3 * step * (1 + abs(up - down) / step)
            slope[place] += unit * (up - down) / (2 * step) if smooth else np.nan
    return slope
