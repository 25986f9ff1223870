"""From a row to code: what a rule reads, and the pullback that the sweep runs."""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .avals import AVALS, fit, full
from .outers import add_outer
from .recorder import generated_name

#: Bytes from which on memory that is fresh costs more than a look at what there is.
LARGE = 1 << 15
NO_KEYWORDS: dict[str, Any] = {}
#: Names that a formula may use, besides the operands and the result.
FORMULA_NAMES: dict[str, Any] = dict(vars(np))


def names_in(formula: str) -> set[str]:
    """Return the operands that a formula reads."""
    return set(re.findall(r"\b(?:y|x1|x2|x)\b", formula))


def partial_of(primitive: Any, position: int) -> Callable:
    """Return the local derivative ``partial(y, x1, x2)`` of an elementwise primitive."""
    formula = primitive.formulas[position]
    first = "x" if primitive.arity == 1 else "x1"
    return eval(f"lambda y, {first}, x2=None: {formula}", FORMULA_NAMES)


def _quotient(formula: str) -> ast.BinOp | None:
    """Return a formula's tree if it is a division."""
    tree = ast.parse(formula, mode="eval").body
    return tree if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) else None


def _product(formula: str) -> str:
    """Write ``ct * (formula)`` without the multiplications by one."""
    if formula in ("1", "-1"):
        return formula.replace("1", "ct")
    if formula == "0":  # flat everywhere: nothing comes through, not even an infinity
        return "zeros_like(ct)"
    quotient = _quotient(formula)
    if quotient is not None and ast.unparse(quotient.left) == "1":
        return f"ct / ({ast.unparse(quotient.right)})"
    return f"ct * ({formula})"


def _fitted_product(formula: str, aval: str, own: str) -> str:
    """Write ``fit(ct * (formula))``, dividing by the operand itself after its axes are summed."""
    if formula in ("1", "-1", "0"):
        return f"fit({_product(formula)}, AVALS[{aval}])"
    quotient = _quotient(formula)
    if quotient is not None and ast.unparse(quotient.right) == own:
        above, sign = quotient.left, ""
        if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.USub):
            above, sign = above.operand, "-"  # of the sum, which has fewer elements
        left = ast.unparse(above)
        return f"{sign}fit(ct * conj_if_complex({left}), AVALS[{aval}]) / conj_if_complex({own})"
    return f"fit(ct * conj_if_complex({formula}), AVALS[{aval}])"


def compile_pullback(primitive: Any, *, general: bool) -> Callable:
    """Write the pullback of an elementwise primitive from its formulas.

    The text that is compiled is what one would write by hand; generated, since a call per operand
    to a function of its own costs the sweep a third of its time on small arrays.
    """
    first = "x" if primitive.arity == 1 else "x1"
    tail = ", aval1, aval2" if general else ""
    rows = ["def pullback(ct, entry, cotangents):"]
    rows.append(f"    _, _, _, aval, a, b, {first}, x2, y{tail} = entry")
    if general:
        rows.append("    ct = full(ct, AVALS[aval])")
    for operand, aval, formula in zip("ab", ("aval1", "aval2"), primitive.formulas):
        product = _product(formula)
        if general:  # an operand of the result's own shape and real dtype needs no fitting
            fitted = _fitted_product(formula, aval, first if operand == "a" else "x2")
            product = f"{product} if {aval} == aval > 0 else {fitted}"
        rows.append(f"    if {operand} >= 0:")
        rows.append(f"        new = {product}")
        rows.append(f"        old = cotangents[{operand}]")
        total = "old + new"
        if formula != "1":  # a new array, which nobody else has
            total += " if type(new) is not ndarray or new.nbytes < LARGE else added_into(new, old)"
        rows.append(f"        cotangents[{operand}] = new if old is None else {total}")
    scope = dict(
        FORMULA_NAMES, AVALS=AVALS, LARGE=LARGE, fit=fit, full=full,
        conj_if_complex=conj_if_complex, added_into=added_into,
    )  # fmt: skip
    exec(compile("\n".join(rows), generated_name(f"pullback of {primitive.name}"), "exec"), scope)
    return scope["pullback"]


def added_into(new: np.ndarray, old: Any) -> Any:
    """Return ``old + new``, in the memory of `new` if it can be held there."""
    if type(old) is np.ndarray and old.shape == new.shape and old.dtype == new.dtype:
        return np.add(old, new, out=new)
    return old + new


def conj_if_complex(x: Any) -> Any:
    """Conjugate a complex partial: the gradient of a real loss then points uphill."""
    if getattr(x, "dtype", None) is None:
        return x.conjugate() if isinstance(x, complex) else x
    return np.conj(x) if x.dtype.kind == "c" else x


_SHAPE_NAMES = {"shape", "ndim", "size", "dtype", "is_complex"}


def reads_of(rule: Callable | None, skip: int) -> frozenset:
    """Find which arguments a rule reads the value of, from its bytecode.

    Loading ``x`` only to ask for its shape does not count. Positions count from the first array
    argument; ``"y"`` is the result; ``"*"`` means that the rule takes ``*args``.
    """
    if rule is None:
        return frozenset()
    code = rule.__code__
    names = code.co_varnames[: code.co_argcount]
    position: dict[str, Any] = {name: i - skip for i, name in enumerate(names)}
    position[names[skip - 1]] = "y"
    reads: set = set()
    steps = list(dis.get_instructions(code))
    for step, following in zip(steps, [*steps[1:], None]):
        loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        asks_shape = (
            following is not None
            and following.opname.startswith("LOAD_ATTR")
            and following.argval in _SHAPE_NAMES
        )
        for i, name in enumerate(loaded):
            if name not in position or position[name] in (-2, -3):
                continue
            if step.opname.startswith(("LOAD_FAST", "LOAD_CLOSURE", "LOAD_DEREF")) and not (
                asks_shape and i == len(loaded) - 1
            ):
                reads.add(position[name])
    if code.co_flags & 0x04:  # *args: everything may be read, if the rule looks at them at all
        rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
        if any(rest == s.argval or (type(s.argval) is tuple and rest in s.argval) for s in steps):
            reads.add("*")
    return frozenset(reads)


def general_pullback(primitive: Any) -> Callable:
    """Return the pullback that calls the vjps of a general or linear primitive."""
    variadic = primitive.variadic
    if variadic is not None:
        return _variadic_pullback(primitive)
    vjps: Any = primitive.vjps

    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        _, _, _, aval, ids, avals, args, kwargs, y = entry
        if aval:  # a node with several results keeps a list of cotangents
            ct = full(ct, AVALS[aval])
        for arg in args:
            if arg is None:
                args = _with_shapes(args, avals)
                break
        keywords = dict(kwargs) if kwargs else NO_KEYWORDS
        for vjp, operand, code in zip(vjps, ids, avals):
            if operand >= 0:
                new = fit(vjp(ct, y, *args, **keywords), AVALS[code])
                old = cotangents[operand]
                cotangents[operand] = new if old is None else old + new

    return pullback


def product_pullback(primitive: Any) -> Callable:
    """Return the pullback of a product of two operands, whose outer products may wait."""
    left, right = primitive.vjps

    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        _, _, _, aval, (a, b), (code1, code2), (x1, x2), _, y = entry
        ct = full(ct, AVALS[aval])
        if x1 is None:
            x1 = AVALS[code1]
        if x2 is None:
            x2 = AVALS[code2]
        if a >= 0:
            old = cotangents[a]
            if old is None:
                cotangents[a] = fit(left(ct, y, x1, x2), AVALS[code1])
            elif not add_outer(a, ct, x2, old, cotangents):
                cotangents[a] = old + fit(left(ct, y, x1, x2), AVALS[code1])
        if b >= 0:
            old = cotangents[b]
            if old is None:
                cotangents[b] = fit(right(ct, y, x1, x2), AVALS[code2])
            elif not add_outer(b, x1, ct, old, cotangents):
                cotangents[b] = old + fit(right(ct, y, x1, x2), AVALS[code2])

    return pullback


def _with_shapes(args: tuple, avals: tuple) -> list:
    """Put shape and dtype in the place of what no rule reads the value of."""
    return [AVALS[code] if x is None and code else x for x, code in zip(args, avals)]


def _variadic_pullback(primitive: Any) -> Callable:
    """Return the pullback of a function of any number of arrays."""
    vjp = primitive.variadic
    # n operands, each with a call that is handed n arguments: only where the rule looks at them
    looks = "*" in primitive.saves[0] or vjp.__code__.co_argcount > 3

    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        _, _, _, aval, ids, avals, args, kwargs, y = entry
        if aval:
            ct = full(ct, AVALS[aval])
        args = _with_shapes(args, avals) if looks else ()
        keywords = dict(kwargs) if kwargs else NO_KEYWORDS
        for i, operand in enumerate(ids):
            if operand >= 0:
                new = fit(vjp(i, ct, y, *args, **keywords), AVALS[avals[i]])
                old = cotangents[operand]
                cotangents[operand] = new if old is None else old + new

    return pullback
