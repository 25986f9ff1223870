"""What a primitive is, the registry, and the ways to declare one.

A rule is a row, keyed by the function object, that reads like a calculus book::

    elementwise(np.tanh,   "1 - y**2")                     # y = f(x)
    elementwise(np.divide, "1 / x2", "-y / x2")            # y = f(x1, x2)
    linear(np.cumsum, lambda ct, x, axis=None: ...)        # the adjoint
    general(np.matmul, lambda ct, y, a, b: ..., lambda ct, y, a, b: ...)
    constant(np.argmax)                                    # no derivative: a plain result
    composite(np.dstack, lambda arrays: ...)               # written with other rows
    refuse(np.save, "it writes the plain value")

The formula string is the rule: it is compiled once, into the partial and into the pullback that
the sweep runs, and it is also what the picture shows on the node. Nothing can drift apart.

Rules call ``np.*`` and operators only. Given traced arrays they are recorded like any other code,
and that is all that derivatives of higher order need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .pullbacks import (
    compile_pullback,
    general_pullback,
    into_pullback,
    names_in,
    product_pullback,
    reads_of,
)

Vjp = Callable[..., Any]

#: NumPy function (or any callable) -> its row.
RULES: dict[Any, Any] = {}
#: Operation code -> primitive. Elementwise primitives own two codes: equal shapes, and the rest.
PRIMITIVES: list[Primitive] = []
#: Operation code -> pullback(ct, entry, cotangents).
PULLBACKS: list[Callable[[Any, tuple, list], None]] = []


class Primitive:
    """One differentiable operation.

    Attributes
    ----------
    name : str
        Name shown on the node.
    fun : callable
        Computes the plain value.
    kind : {"elementwise", "linear", "general", "constant"}
    formulas : tuple of str
        The partial of each operand, for elementwise primitives.
    vjps : tuple of callable or None
        ``vjp(ct, y, *args, **kwargs)`` per positional argument, else.
    variadic : callable or None
        ``vjp(i, ct, y, *args, **kwargs)`` for functions of any number of arrays.
    saves : tuple
        Which values a rule reads: a set of positions per argument (``"y"`` is the result).
    code : int
        Operation code; ``code + 1`` is the general variant of an elementwise primitive.
    chooses : bool
        Whether each element is that of one operand: a partial of 0 means that it is of the other.
    generic : bool or tuple of int
        The operands whose values have no say in which elements of the result depend on which
        elements of the operands; True for all. An element that no selected one depends on has no
        say itself, also if it is infinite.
    """

    __slots__ = (
        "_reads", "_saves", "arity", "chooses", "code", "formulas", "fun", "generic",
        "keeps_dtype", "kept", "kind", "method", "name", "read_sets", "shows", "variadic", "vjps",
    )  # fmt: skip

    def __init__(
        self,
        fun: Callable,
        kind: str,
        *,
        formulas: tuple[str, ...] = (),
        vjps: tuple[Vjp | None, ...] = (),
        variadic: Vjp | None = None,
        saves: tuple[frozenset, ...] | None = None,
        name: str = "",
        shows: tuple[str, ...] = (),
        chooses: bool = False,
        generic: bool | tuple[int, ...] = False,
    ) -> None:
        self.shows = shows or formulas  # what the picture says of each operand's derivative
        self.chooses, self.generic = chooses, generic
        self.fun, self.kind, self.formulas, self.vjps = fun, kind, formulas, vjps
        self.variadic = variadic
        self.name = name or fun.__name__
        self.arity = len(formulas) or len(vjps)
        self._saves = saves
        self._reads: frozenset | None = None
        self.code = -1
        #: Whether x (or x1), x2 and y are read: one triple per set of traced operands (its bits).
        self.kept: list[Any] = _kept(saves) if saves and formulas else [None] * 4
        #: Whether of one operand, of whatever real dtype, it makes a result of that dtype.
        self.keeps_dtype = kind == "elementwise" and self.arity == 1
        #: The same function as a method of arrays, where that is the shorter way to it.
        self.method: Callable | None = None
        #: What is read, by which operands are traced (bits of a number).
        self.read_sets: dict[int, frozenset] = {}

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    @property
    def saves(self) -> tuple[frozenset, ...]:
        """What each rule reads."""
        if self._saves is None:  # found when first asked for: most rows are never used in a run
            rules: tuple[Any, ...] = (self.variadic,) if self.variadic else self.vjps
            skip = 2 + bool(self.variadic)
            self._saves = tuple(reads_of(rule, skip) for rule in rules)
        return self._saves

    @property
    def reads(self) -> frozenset:
        """The positions that any rule reads."""
        if self._reads is None:
            operands = {"x": 0, "x1": 0, "x2": 1}
            read = frozenset().union(*self.saves)
            self._reads = frozenset(operands.get(name, name) for name in read)
        return self._reads

    def may_read(self, position: int) -> bool:
        """Tell whether any rule reads the value of the argument at `position`."""
        return position in self.reads or "*" in self.reads

    def takes_array(self, position: int) -> bool:
        """Tell whether the argument at `position` is an array that has a derivative."""
        if self.variadic:
            return True
        return position < len(self.vjps) and self.vjps[position] is not None


def _kept(saves: tuple[frozenset, ...]) -> list[tuple[bool, bool, bool]]:
    first, second = saves[0], saves[-1]
    read: tuple[frozenset, ...] = (frozenset(), first, second, first | second)
    return [("x" in names or "x1" in names, "x2" in names, "y" in names) for names in read]


class Composite:
    """A function that is carried out by other rows: its body runs on traced arrays."""

    __slots__ = ("body", "fun", "name")

    def __init__(self, fun: Callable, body: Callable) -> None:
        self.fun, self.body, self.name = fun, body, fun.__name__


class Refused:
    """A function that a traced array may not enter, with the reason and what to do."""

    __slots__ = ("fix", "fun", "name", "why")

    def __init__(self, fun: Callable, why: str, fix: str) -> None:
        self.fun, self.why, self.fix = fun, why, fix
        self.name = getattr(fun, "__name__", str(fun))


def _register(primitive: Primitive, *pullbacks: Callable) -> Primitive:
    primitive.code = len(PULLBACKS)
    for pullback in pullbacks:
        PRIMITIVES.append(primitive)
        PULLBACKS.append(pullback)
    RULES[primitive.fun] = primitive
    return primitive


# ------------------------------------------------------------------------------- elementwise


def elementwise(
    fun: Callable,
    *formulas: str,
    name: str = "",
    shows: tuple[str, ...] = (),
    chooses: bool = False,
) -> Primitive:
    """Declare an elementwise function of one or two operands by its partial derivatives.

    Parameters
    ----------
    fun : ufunc
        ``y = fun(x)`` or ``y = fun(x1, x2)``, analytic in each complex operand.
    *formulas : str
        One expression per operand in ``y``, ``x`` (or ``x1``, ``x2``) and NumPy's function names.
        Both the rule and what the picture shows.
    shows : tuple of str, optional
        What the picture says instead of a formula that would be hard to read.
    chooses : bool, optional
        Whether each element of the result is that of one operand: nothing flows into the other.

    Examples
    --------
    >>> import numpy as np
    >>> from tapemagic.autodiff.primitives import RULES
    >>> RULES[np.tanh].formulas
    ('1 - y**2',)
    """
    saves = tuple(frozenset(names_in(formula)) for formula in formulas)
    primitive = Primitive(
        fun, "elementwise", formulas=formulas, saves=saves, name=name, shows=shows,
        chooses=chooses,
    )  # fmt: skip
    return _register(primitive, _compiled_later(primitive, False), _compiled_later(primitive, True))


def _compiled_later(primitive: Primitive, general: bool) -> Callable:
    """Return a pullback that puts the compiled one in its place: compiling all costs 30 ms."""

    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        compiled = compile_pullback(primitive, general=general)
        PULLBACKS[primitive.code + general] = compiled
        compiled(ct, entry, cotangents)

    return pullback


# -------------------------------------------------------------------------- general and linear


def general(
    fun: Callable,
    *vjps: Vjp | None,
    variadic: Vjp | None = None,
    name: str = "",
    kind: str = "general",
    shows: tuple[str, ...] = (),
    into: Callable[..., bool] | None = None,
    generic: bool | tuple[int, ...] = False,
) -> Primitive:
    """Declare a function by its vector-Jacobian products.

    Parameters
    ----------
    fun : callable
    *vjps : callable or None
        ``vjp(ct, y, *args, **kwargs)`` per positional argument, called as `fun` was; None where an
        argument has no derivative. The result may still carry broadcast axes and a wider dtype:
        the sweep sums and casts it to the argument's.
        An argument of which no rule reads more than ``shape``, ``ndim``, ``size`` and ``dtype`` is
        not kept in memory; rules then see an `Aval` in its place.
    variadic : callable, optional
        ``vjp(i, ct, y, *args, **kwargs)`` for the i-th argument of a function of any number of
        arrays (``concatenate(*arrays, axis=0)``).
    shows : tuple of str, optional
        What the picture says of each operand's cotangent: ``"ct @ x2.T"``.
    into : callable, optional
        For a cotangent that has few elements: ``into(total, ct, y, *args, **kwargs)`` adds them to
        what the operand has already, in place, and tells whether it could.
    generic : bool or tuple of int, optional
        The operands whose values have no say in what depends on what, as in a product.
    """
    primitive = Primitive(
        fun, kind, vjps=vjps, variadic=variadic, name=name, shows=shows, generic=generic
    )
    return _register(
        primitive, into_pullback(primitive, into) if into else general_pullback(primitive)
    )


def product(fun: Callable, left: Vjp, right: Vjp, *, shows: tuple[str, ...] = ()) -> Primitive:
    """Declare a product of vectors or matrices, with a vjp per operand as for `general`.

    Of a vector and a matrix, the matrix gets an outer product of its cotangent and the vector.
    """
    primitive = Primitive(fun, "general", vjps=(left, right), shows=shows, generic=True)
    return _register(primitive, product_pullback(primitive))


def linear(fun: Callable, adjoint: Vjp, *, name: str = "") -> Primitive:
    """Declare a function that is linear in its first argument by its adjoint.

    ``adjoint(ct, x, *args, **kwargs)``, where `x` is the `Aval` of the first argument.
    """

    def vjp(ct: Any, y: Any, *args: Any, **kwargs: Any) -> Any:
        return adjoint(ct, *args, **kwargs)

    primitive = Primitive(fun, "linear", vjps=(vjp,), saves=(frozenset(),), name=name)
    return _register(primitive, general_pullback(primitive))


# ---------------------------------------------------------------- constant, composite, refused


def constant(*funs: Callable) -> None:
    """Declare functions whose result has no derivative: they run on, and return, plain values."""
    for fun in funs:
        RULES[fun] = Primitive(fun, "constant")


def composite(fun: Callable, body: Callable | None = None) -> Any:
    """Declare a function by a body written with functions that have rows (also as a decorator)."""
    if body is None:
        return lambda body: composite(fun, body)
    RULES[fun] = Composite(fun, body)
    return body


def refuse(fun: Callable, why: str, fix: str = "") -> None:
    """Declare that a traced array may not enter `fun`, and why."""
    RULES[fun] = Refused(fun, why, fix)
