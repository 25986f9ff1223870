"""Make random programs: lists of statements that plain NumPy carries out without an error.

A program is grown one statement at a time. Every candidate is run as plain NumPy after the
statements so far, and dropped if it raises or leaves numbers that finite differences cannot judge.
"""

from __future__ import annotations

import contextlib
import functools
import io
import linecache
import random
import types
import warnings
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .calls import CALLS
from .ordinary import IN_CELLS, ORDINARY
from .statements import STATEMENTS

#: Helper functions that every program may call: the "earlier cell" of a notebook.
HELPERS = """
import math
import numpy as np

class Holder:
    def __init__(self, a):
        self.a = a
    def squared(self):
        return self.a * self.a
    def add(self, b):
        self.a = self.a + b

def pairs(a):
    for i in range(len(a) - 1):
        yield a[i] * a[i + 1]

def total(first, *others):
    return first + sum(0.5 * x for x in others)

def counter(a):
    kept = 0.2 * a
    def step(x):
        nonlocal kept
        kept = kept + x
        return kept * a
    return step

def scale_in_place(a, factor):
    a *= factor
    return a

def filled(a):
    z = np.zeros(a.shape)
    for i in range(len(a)):
        z[i] = np.tanh(a[i]) + (0.5 * z[i - 1] if i else 0.0)
    return z

def smooth(a):
    out = a.copy()
    out[1:] += 0.5 * a[:-1]
    return out

def recurse(a, n):
    return a if n == 0 else np.sin(recurse(a, n - 1)) + 0.1 * a
"""
LARGEST = 20.0
MOST_ELEMENTS = 48


@dataclass
class Program:
    """Inputs by name, and statements; `views` are statements that run before the inputs are lifted.

    `views` make inputs that alias other inputs, as a notebook's namespace may hold, and containers
    of inputs. A program is a `%%tape` cell if `cell`, else a script under a `GradientTape`.
    """

    seed: int
    inputs: dict[str, Any]
    views: list[str] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=lambda: ["0.0"])
    cell: bool = False

    @property
    def text(self) -> str:
        """The program as one cell."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        """The statements, the last of which binds the loss."""
        return [*self.statements, "loss = " + " + ".join(self.terms)]

    @property
    def setup(self) -> str:
        """The inputs as program text."""
        rows = []
        for name, value in self.inputs.items():
            if isinstance(value, np.ndarray):
                order = ", order='F'" if is_fortran(value) else ""
                rows.append(f"{name} = np.array({value.tolist()!r}, np.{value.dtype}{order})")
            else:
                rows.append(f"{name} = {value!r}")
        return "\n".join([*rows, *self.views])

    @property
    def is_single(self) -> bool:
        """Whether float32 occurs."""
        dtypes = {np.asarray(value).dtype for value in self.inputs.values()}
        return np.dtype(np.float32) in dtypes or "float32" in self.text

    def doubled(self) -> Program:
        """Return the program in double precision, for differences."""
        inputs = {
            name: value.astype(np.float64) if np.asarray(value).dtype == np.float32 else value
            for name, value in self.inputs.items()
        }
        statements = [text.replace("float32", "float64") for text in self.statements]
        return replace(self, inputs=inputs, statements=statements)

    def __str__(self) -> str:
        way = "%%tape" if self.cell else "script"
        return f"# seed {self.seed}\n{self.setup}\n# ----- the {way}\n{self.text}"


def is_fortran(value: np.ndarray) -> bool:
    return value.flags.f_contiguous and value.ndim > 1


@functools.lru_cache(maxsize=256)
def compiled(text: str) -> types.CodeType:
    """Compile program text once: a program is run some hundred times while it grows.

    Its lines can be read, as those of a file or cell can: programs read masks off them.
    """
    name = f"<fuzz {hash(text)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compile(text, name, "exec")


def fresh_space(program: Program, changed: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the namespace before the cell: helpers, copies of the inputs, and views of them."""
    changed = changed or {}
    space: dict[str, Any] = {}
    exec(compiled(HELPERS), space)
    for name, value in program.inputs.items():
        new = changed.get(name, value)
        if isinstance(value, np.ndarray):
            new = np.array(new, order="F" if is_fortran(value) else "C")
        else:
            new = type(value)(new)
        space[name] = new
    for line in program.views:
        exec(compiled(line), space)
    return space


#: What every namespace holds before the inputs.
HELPER_NAMES = frozenset(fresh_space(Program(0, {})))


def run_plain(
    program: Program,
    changed: dict[str, Any] | None = None,
    before: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Run a program as plain NumPy, in the namespace `before` or a fresh one; return it."""
    space = fresh_space(program, changed) if before is None else before
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(io.StringIO()):
            for text in program.lines:
                exec(compiled(text), space)
    return space


def values_of(space: dict[str, Any]) -> dict[str, Any]:
    """Return the variables of a namespace (one-letter names with an optional number)."""
    return {k: v for k, v in space.items() if len(k) <= 3 and k != "np" and not k.startswith("_")}


def arrays_in(space: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return the float and complex arrays and scalars of a namespace."""
    return {
        name: value
        for name, value in values_of(space).items()
        if isinstance(value, (np.ndarray, np.floating, np.complexfloating, float))
        and np.asarray(value).dtype.kind in "fc"
    }


def random_program(seed: int) -> Program:
    """Make the program of a seed."""
    rng = random.Random(seed)
    numbers = np.random.default_rng(seed)
    program = Program(seed, {}, cell=rng.random() < 0.5)
    for name in ("x", "y", "m")[: rng.randint(1, 3)]:
        program.inputs[name] = _random_input(rng, numbers, matrix=name == "m")
    if rng.random() < 0.3:
        program.inputs["s"] = float(numbers.uniform(0.5, 1.5))
    if rng.random() < 0.15:
        program.inputs["c"] = numbers.normal(size=3) + 1j * numbers.normal(size=3)
    arrays = [k for k, v in program.inputs.items() if isinstance(v, np.ndarray)]
    if arrays and rng.random() < 0.25:
        name = rng.choice(arrays)
        program.views = [f"v = {name}{rng.choice(['[1:]', '[::-1]', '[::2]', '.T', '[...]'])}"]
        if rng.random() < 0.2 and len(program.inputs[name]) > 1:
            program.views = [f"v = np.lib.stride_tricks.sliding_window_view({name}, 2, 0)"]
    if rng.random() < 0.1:  # neither in C nor in Fortran order, and a view of it
        program.views += ["q = np.cos(np.arange(12.0)).reshape(2, 3, 2).transpose(1, 2, 0) * 1.5"]
        program.views += [f"z = q{rng.choice(['[1:]', '[0]', '.T', '[:, 1]', '[..., ::-1]'])}"]
    statements = [*STATEMENTS, *CALLS, *ORDINARY]
    if program.cell:
        statements += IN_CELLS
        if arrays and rng.random() < 0.5:
            one, two = rng.choice(arrays), rng.choice(arrays)
            program.views += [f"p = {{'w': {one}, 'l': [{two}]}}", f"o = Holder({two})"]
    rows, weights = zip(*statements, strict=True)
    space = run_plain(program)
    for _ in range(rng.choice([rng.randint(5, 20), rng.randint(5, 60)])):
        for _attempt in range(6):
            statement = rng.choices(rows, weights)[0](rng, arrays_in(space), values_of(space))
            if statement is None:
                continue
            grown = _acceptable(program, statement)
            if grown is not None:
                program.statements.append(statement)
                space = grown
                break
    program.terms = _random_terms(rng, arrays_in(space))
    return program


def _random_input(rng: random.Random, numbers: Any, *, matrix: bool) -> Any:
    if matrix:
        shape = rng.choice([(2, 3), (3, 3), (3, 2), (2, 2), (2, 2, 3), (1, 3)])
    else:
        shape = rng.choice([(3,), (4,), (5,), (3,), (2, 3), ()])
    value = numbers.uniform(-1.5, 1.5, size=shape)
    if shape == ():
        return np.float64(value)
    if rng.random() < 0.05:
        value = value.astype(np.float32)
    return np.asfortranarray(value) if rng.random() < 0.2 else value


def _acceptable(program: Program, statement: str) -> dict[str, Any] | None:
    """Return the namespace after one more statement, or None if the statement is no good."""
    grown = replace(program, statements=[*program.statements, statement])
    try:
        space = run_plain(grown)
    except Exception:
        return None
    arrays = arrays_in(space)
    if not arrays:
        return None
    for value in arrays.values():
        if np.size(value) > MOST_ELEMENTS or not np.all(np.abs(value) < LARGEST):
            return None
    return space


def _random_terms(rng: random.Random, arrays: dict[str, Any]) -> list[str]:
    names = sorted(arrays)
    chosen = rng.sample(names, rng.randint(1, min(4, len(names))))
    last = [name for name in arrays if name not in chosen][-1:]
    terms = []
    for name in [*chosen, *last]:
        value = arrays[name]
        if np.iscomplexobj(value):
            terms.append(f"np.sum({name}.real * 0.7 + {name}.imag * {name}.imag)")
        elif np.ndim(value) == 0:
            terms.append(f"1.3 * {name}")
        else:
            weights = f"np.cos(np.arange({np.size(value)}.0) + 0.7).reshape({np.shape(value)})"
            terms.append(f"np.sum({weights} * {name})")
    return terms
