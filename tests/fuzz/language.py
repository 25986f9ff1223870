"""Programs in which values go through the language: two or three constructs, one after another.

A value of the inputs goes through constructs (`constructs.py`, `library.py`) and is used. The first
seeds take each construct by itself.
"""

from __future__ import annotations

import random

import numpy as np

from .constructs import LANGUAGE
from .library import ARRAYS, LIBRARY
from .programs import Program

#: What the constructs name: the earlier cells of a notebook.
WORLD = """
import abc, asyncio, bisect, collections, contextlib, contextvars, copy, dataclasses, enum
import functools, heapq, importlib, inspect, io, itertools, operator, pickle, queue, random
import statistics, sys, types
import typing, warnings, weakref
class Box:
    def __init__(self, a): self.a = a
class Match(Box):
    __match_args__ = ("a", "b")
    def __init__(self, a, b): self.a, self.b = a, b
class Wrapped(Box):
    def __array__(self, dtype=None, copy=None): return np.asarray(self.a, dtype=dtype)
    def __add__(self, other): return Wrapped(self.a + other)
    __radd__ = __add__
    def __matmul__(self, other): return self.a @ other
    def __rmatmul__(self, other): return other @ self.a
    def __getitem__(self, i): return self.a[i]
    def __call__(self, q): return self.a * q
class High(Box):
    __array_ufunc__ = None
    def __radd__(self, other): return other * self.a
    def __rmul__(self, other): return other + self.a
class UF(Box):
    def __array_ufunc__(self, f, method, *given, **kwargs):
        return UF(getattr(f, method)(*[x.a if isinstance(x, UF) else x for x in given], **kwargs))
class AF(Box):
    def __array_function__(self, f, types, args, kwargs):
        return f(*[x.a if isinstance(x, AF) else x for x in args], **kwargs) * 2.0
class Slots:
    __slots__ = ("a", "b")
    def __init__(self, a): self.a = a
class Prop:
    def __init__(self, a): self._a = a
    @property
    def a(self): return self._a * 1.5
    @a.setter
    def a(self, v): self._a = v * 0.5
    @functools.cached_property
    def c(self): return self._a * self._a
class Desc:
    def __set_name__(self, owner, name): self.name = "_" + name
    def __get__(self, one, kind=None): return self if one is None else getattr(one, self.name) * 2
    def __set__(self, one, value): setattr(one, self.name, value * 0.7)
class UsesDesc:
    d = Desc()
    def __init__(self, a): self.d = a
class Meta(type):
    def __call__(cls, a):
        made = super().__call__(a)
        made.extra = a * 0.3
        return made
class WithMeta(metaclass=Meta):
    def __init__(self, a): self.a = a
class Getattr:
    def __init__(self, a): object.__setattr__(self, "store", {"a": a})
    def __getattr__(self, name): return self.store[name]
    def __setattr__(self, name, value): self.store[name] = value
@dataclasses.dataclass
class DC:
    a: object
    b: object = dataclasses.field(default_factory=lambda: 0.5)
    c: object = dataclasses.field(init=False)
    def __post_init__(self): self.c = self.a * self.b
@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    a: object
    n: int = 2
@dataclasses.dataclass(order=True)
class Ordered:
    key: float
    val: object = dataclasses.field(compare=False)
class NT(typing.NamedTuple):
    a: object
    b: object = 1.0
class ListSub(list): pass
class DictSub(dict):
    def __missing__(self, key): return 2.0
@functools.singledispatch
def single(q): return q * 1.0
@single.register
def _(q: np.ndarray): return q * 2.0
@single.register
def _(q: float): return q * 3.0
@single.register
def _(q: list): return [p * 4.0 for p in q]
@contextlib.contextmanager
def managed(q):
    yield q * 1.1
def gen(q):
    w = 0.0
    for r in np.ravel(q):
        got = yield r * 2 + w
        w = got if got is not None else w
def default(q, w=np.array([0.1, 0.2, 0.3])):
    w += q
    return w * 1.0
def deco(f):
    @functools.wraps(f)
    def inner(*args): return f(*args) * 0.5
    return inner
@deco
def decorated(q): return q * q
@functools.lru_cache(maxsize=None)
def cached(n): return n * 0.5
@functools.lru_cache(maxsize=4)
def bounded(n): return [n * GLOB]
class Made:
    zeros = staticmethod(np.zeros)
def outer_nl(q):
    t = q * 0.1
    def step(r):
        nonlocal t
        t = t + r * q
        return t
    return step
GLOB = np.array([1.0, 2.0, 3.0])
def uses_global(q):
    global GLOB
    GLOB = GLOB * q
    return GLOB + 0.0
def reads_global(q): return GLOB * q
def returns_in_finally(q):
    try: return q * 100
    finally: return q * 3
def tryall(q):
    try: raise ValueError(q)
    except ValueError as err: return err.args[0] * 2
def rec(q, n): return q if n == 0 else rec(q * 0.9 + 0.1, n - 1)
d = {"w": c}
o = Box(c)
"""
VALUES = (
    "x", "x * 1.0", "x[::-1]", "m[0]", "m.T[:, 1]", "x[0]", "k", "float(x[1])", "x.sum()",
    "np.exp(x)", "x.tolist()", "[k, x[1], 0.4]", "np.array(x[1])", "d['w']", "o.a", "(k + x)",
    "o.a[1:]",
)  # fmt: skip
#: Each binds the loss.
USES = (
    "loss = np.sum(np.asarray({0}) * 1.5)",
    "loss = float(np.sum(np.sin({0})))",
    "loss = 0.0\nfor each in np.ravel({0}): loss += each * each",
    "acc = np.zeros(2)\nacc[0] = np.sum({0})\nloss = acc @ [1.0, 2.0]",
    "x[1] *= 0.5\nloss = np.sum({0}) * np.sum(x)",
    "loss = np.sum({0}) * k\nk = 2.0",
    "x *= 2\nd['w'] = {0}\nloss = np.sum(d['w']) + np.sum(x)",
    "def late(): return np.sum({0}) * x[0]\nx = x * 1.5\nloss = late()",
    "loss = sum(np.ravel({0}).tolist())",
)
CONSTRUCTS = LANGUAGE + LIBRARY + ARRAYS


def program_of(seed: int) -> Program:
    """Make the program of a seed: the first ones have one construct each, in order."""
    rng = random.Random(seed)
    count = rng.choice([2, 2, 3])
    chosen = [CONSTRUCTS[seed]] if seed < len(CONSTRUCTS) else rng.choices(CONSTRUCTS, k=count)
    inputs = {
        "x": np.array([0.7, 1.3, 0.4]),
        "m": np.array([[0.3, 0.8, 1.1], [0.9, -0.4, 0.6]]),
        "c": np.array([0.2, 0.5, 1.2]),
        "k": 0.8,
    }
    value, statements = rng.choice(VALUES), []
    for i, construct in enumerate(chosen):
        statements.append(construct.format(value, f"u{i}"))
        value = f"u{i}"
    statements.append(rng.choice(USES).format(value))
    return Program(seed, inputs, [WORLD], statements, ["loss"], cell=True)
