"""From a row to code: what a rule reads, and the pullback that the sweep runs."""

from __future__ import annotations

import ast
import dis
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from .avals import AVALS, fit, full
from .large import accumulate, negated, over, shares, times
from .outers import add_outer
from .recorder import generated_name

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
    partial = eval(f"lambda y, {first}, x2=None: {formula}", FORMULA_NAMES)

    def local_derivative(y: Any, x1: Any, x2: Any = None) -> Any:
        try:
            return partial(y, x1, x2)
        except ZeroDivisionError:  # two numbers of Python's; NumPy's divide by zero
            kind = np.result_type(y).type
            return partial(y, *(kind(x) if isinstance(x, int | float) else x for x in (x1, x2)))

    return local_derivative


def _quotient(formula: str) -> ast.BinOp | None:
    """Return a formula's tree if it is a division."""
    tree = ast.parse(formula, mode="eval").body
    return tree if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Div) else None


def _product(formula: str, large: bool = False) -> str:
    """Write ``ct * (formula)`` without multiplications by one; `large`: in the room there is."""
    if formula == "1":
        return "ct"
    if formula == "-1":
        return "negated(ct, room)" if large else "-ct"
    if formula == "0":  # flat everywhere: nothing comes through, not even an infinity
        return "zeros_like(ct)"
    quotient = _quotient(formula)
    if quotient is not None and ast.unparse(quotient.left) == "1":
        divisor = ast.unparse(quotient.right)
        return f"over(ct, {divisor}, room)" if large else f"ct / ({divisor})"
    return f"times(ct, {formula}, room)" if large else f"ct * ({formula})"


def _fitted_product(formula: str, aval: str, own: str, large: bool = False) -> str:
    """Write ``fit(ct * (formula))``, dividing by the operand itself after its axes are summed."""
    if formula == "-1":
        return f"-fit(ct, AVALS[{aval}])"  # of the sum, which has fewer elements
    if formula in ("1", "0"):
        return f"fit({_product(formula, large)}, AVALS[{aval}])"
    quotient = _quotient(formula)
    if quotient is not None and ast.unparse(quotient.right) == own:
        above, sign = quotient.left, ""
        if isinstance(above, ast.UnaryOp) and isinstance(above.op, ast.USub):
            above, sign = above.operand, "-"  # of the sum as well
        left = ast.unparse(above)
        product = _product(f"conj_if_complex({left})", large)
        return f"{sign}fit({product}, AVALS[{aval}]) / conj_if_complex({own})"
    if quotient is not None and ast.unparse(quotient.left) == "1":  # by a 0 of Python's, perhaps
        formula = f"1 / conj_if_complex({ast.unparse(quotient.right)})"
        return f"fit({_product(formula, large)}, AVALS[{aval}])"
    return f"fit({_product(f'conj_if_complex({formula})', large)}, AVALS[{aval}])"


def compile_pullback(primitive: Any, *, general: bool) -> Callable:
    """Write the pullback of an elementwise primitive from its formulas.

    The text that is compiled is what one would write by hand; generated, since a call per operand
    to a function of its own costs the sweep a third of its time on small arrays.
    """
    first = "x" if primitive.arity == 1 else "x1"
    rows = _first_rows(primitive, general)
    rows.insert(2, "    if aval & 1 and AVALS[aval].is_large:")  # odd: not small
    rows.insert(3, "        return pull_large(ct, entry, cotangents)")
    for operand, aval, formula in zip("ab", ("aval1", "aval2"), primitive.formulas):
        product = _product(formula)
        if general:  # an operand of the result's own shape and real dtype needs no fitting
            fitted = _fitted_product(formula, aval, first if operand == "a" else "x2")
            product = f"{product} if {aval} == aval > 0 else {fitted}"
        rows.append(f"    if {operand} >= 0:")
        rows.append(f"        new = {product}")
        rows.append(f"        old = cotangents[{operand}]")
        rows.append(f"        cotangents[{operand}] = new if old is None else old + new")

    def pull_large(ct: Any, entry: tuple, cotangents: Any) -> None:
        compiled = scope["pull_large"] = _compile_large(primitive, general, scope)
        compiled(ct, entry, cotangents)

    scope = dict(
        FORMULA_NAMES, AVALS=AVALS, fit=fit, full=full, times=times, over=over,
        negated=negated, accumulate=accumulate, shares=shares, conj_if_complex=conj_if_complex,
        pull_large=pull_large,
    )  # fmt: skip
    return _compiled(primitive, rows, scope)


def _first_rows(primitive: Any, general: bool) -> list[str]:
    first = "x" if primitive.arity == 1 else "x1"
    tail = ", aval1, aval2" if general else ""
    rows = ["def pullback(ct, entry, cotangents):"]
    rows.append(f"    _, _, _, aval, a, b, {first}, x2, y{tail} = entry")
    if general:
        rows.append("    ct = full(ct, AVALS[aval])")
    return rows


def _compile_large(primitive: Any, general: bool, scope: dict) -> Callable:
    """Write the same for a large cotangent, which the last product that needs it writes over."""
    rows = _first_rows(primitive, general)
    rows.append("    mine = ct if cotangents[-2] in cotangents[-1] else None")
    order = list(range(primitive.arity))
    if primitive.arity == 2 and primitive.formulas[0] == "1" != primitive.formulas[1]:
        # What passes the cotangent on comes last, and passes on that it is nobody else's.
        rows.append("    if a != b:")
        rows += [f"    {row}" for row in _large_parts(primitive, general, order[::-1])]
        rows.append("        return")
    return _compiled(primitive, rows + _large_parts(primitive, general, order), scope.copy())


def _large_parts(primitive: Any, general: bool, order: list[int]) -> list[str]:
    rows = []
    for position in order:
        other = "ba"[position]
        room = "mine" if position == order[-1] else f"mine if {other} < 0 else None"
        rows += _large_part(primitive, general, position, room)
    return rows


def _large_part(primitive: Any, general: bool, position: int, room: str) -> list[str]:
    operand, formula = "ab"[position], primitive.formulas[position]
    product = _product(formula, large=True)
    own = "aval"
    if general:
        own = f"aval{position + 1}"
        value = "x" if primitive.arity == 1 else f"x{position + 1}"
        fitted = _fitted_product(formula, own, value, large=True)
        product = f"{product} if {own} == aval > 0 else {fitted}"
    return [
        f"    if {operand} >= 0:",
        f"        room = {room}",
        f"        new = {product}",
        "        is_fresh = room is not None or new is not ct",
        f"        accumulate({operand}, new, is_fresh, cotangents, AVALS[{own}])",
        "        if shares(new, ct):",
        "            mine = None",
    ]


def _compiled(primitive: Any, rows: list[str], scope: dict) -> Callable:
    name = generated_name(f"pullback of {primitive.name}")
    exec(compile("\n".join(rows), name, "exec"), scope)
    return scope["pullback"]


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
        if len(args) > 1:
            args = _with_shapes(args, avals)
        elif args[0] is None:  # of one array, and settings given by keyword
            args = (AVALS[avals[0]],)
        keywords = dict(kwargs) if kwargs else NO_KEYWORDS
        for vjp, operand, code in zip(vjps, ids, avals):
            if operand >= 0:
                new = fit(vjp(ct, y, *args, **keywords), AVALS[code])
                old = cotangents[operand]
                if old is not None and code & 1 and AVALS[code].is_large:
                    accumulate(operand, new, False, cotangents, AVALS[code])
                else:
                    cotangents[operand] = new if old is None else old + new

    return pullback


def into_pullback(primitive: Any, into: Callable) -> Callable:
    """Return the pullback of a function of one array that adds to a few elements, if `into` can."""
    usual = general_pullback(primitive)

    def pullback(ct: Any, entry: tuple, cotangents: Any) -> None:
        aval, (a, *_), args, kwargs, y = entry[3], entry[4], *entry[6:9]
        if a in cotangents[-1] and issubclass(type(ct), np.ndarray | np.generic):  # no handle
            total, keywords = cotangents[a], dict(kwargs) if kwargs else NO_KEYWORDS
            if type(total) is np.ndarray and into(
                total, full(ct, AVALS[aval]), y, *args, **keywords
            ):
                return
        usual(ct, entry, cotangents)

    return pullback


def product_pullback(primitive: Any) -> Callable:
    """Return the pullback of a product of two operands, whose outer products may wait."""
    left, right = primitive.vjps

    def pullback(ct: Any, entry: tuple, cotangents: Any) -> None:
        _, _, _, aval, (a, b), (code1, code2), (x1, x2), _, y = entry
        ct = full(ct, AVALS[aval])
        if x1 is None:
            x1 = AVALS[code1]
        if x2 is None:
            x2 = AVALS[code2]
        if a >= 0:
            old = cotangents[a]
            if old is None or not add_outer(a, ct, x2, old, cotangents):
                new = fit(left(ct, y, x1, x2), AVALS[code1])
                if code1 & 1 and AVALS[code1].is_large:
                    accumulate(a, new, new is not ct, cotangents, AVALS[code1])
                else:
                    cotangents[a] = new if old is None else old + new
        if b >= 0:
            old = cotangents[b]
            if old is None or not add_outer(b, x1, ct, old, cotangents):
                new = fit(right(ct, y, x1, x2), AVALS[code2])
                if code2 & 1 and AVALS[code2].is_large:
                    accumulate(b, new, new is not ct, cotangents, AVALS[code2])
                else:
                    cotangents[b] = new if old is None else old + new

    return pullback


def _with_shapes(args: tuple, avals: tuple) -> list:
    """Put shape and dtype in the place of what no rule reads the value of."""
    return [AVALS[code] if x is None and code else x for x, code in zip(args, avals)]


def _variadic_pullback(primitive: Any) -> Callable:
    """Return the pullback of a function of any number of arrays."""
    vjp = primitive.variadic

    def pullback(ct: Any, entry: tuple, cotangents: list) -> None:
        _, _, _, aval, ids, avals, args, kwargs, y = entry
        if aval:
            ct = full(ct, AVALS[aval])
        # n operands, each with a call that is handed n arguments: only where the rule looks at them
        looks = "*" in primitive.saves[0] or vjp.__code__.co_argcount > 3
        args = _with_shapes(args, avals) if looks else ()
        keywords = dict(kwargs) if kwargs else NO_KEYWORDS
        for i, operand in enumerate(ids):
            if operand >= 0:
                new = fit(vjp(i, ct, y, *args, **keywords), AVALS[avals[i]])
                old = cotangents[operand]
                cotangents[operand] = new if old is None else old + new

    return pullback
