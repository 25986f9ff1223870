"""`np.einsum`: the derivative of a sum of products is again one.

The cotangent of an operand is the einsum of the result's cotangent with all other operands, with
the labels of that operand as the output (S. Laue, M. Mitterreiter, J. Giesen, "A simple and
efficient tensor calculus", 2020, theorem 8). A repeated label (a diagonal) needs one more factor,
an identity matrix that puts the values back on that diagonal; a label that only this operand has
was summed over, and its cotangent is the same all along that axis.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from tapemagic.autodiff.primitives import composite, general, linear
from tapemagic.autodiff.pullbacks import conj_if_complex as conj

from .algebra import apply, as_array

#: Labels of axes, as `string.ascii_letters`, which takes longer to import than the rest of this.
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: From this many elements on, contracting in pairs by matrix products pays for the planning.
LARGE = 512


def _einsum(*operands: Any, subscripts: str, **options: Any) -> Any:
    """Compute an einsum: the arrays first, so that they are the operands of the node."""
    return np.einsum(subscripts, *operands, **options)


@lru_cache(maxsize=512)
def _labels(subscripts: str, ndims: tuple[int, ...]) -> tuple[tuple[str, ...], str]:
    """Write subscripts out: one letter per axis of each operand and of the result.

    Examples
    --------
    >>> _labels("...ij,jk", (3, 2))
    (('Aij', 'jk'), 'Aik')
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    unused = [letter for letter in LETTERS if letter not in text]
    hidden = [
        n - len(term.replace("...", ""))
        for term, n in zip(terms, ndims, strict=True)
        if "..." in term
    ]
    spread = "".join(sorted(unused)[: max(hidden, default=0)])
    written = tuple(
        term.replace("...", spread[len(spread) - (n - len(term.replace("...", ""))) :])
        if "..." in term
        else term
        for term, n in zip(terms, ndims, strict=True)
    )
    if arrow:
        return written, right.replace("...", spread)
    named = left.replace(",", "").replace("...", "")
    once = sorted(letter for letter in set(named) if named.count(letter) == 1)
    return written, spread + "".join(once)


@lru_cache(maxsize=512)
def _plan(subscripts: str, ndims: tuple[int, ...], i: int) -> tuple[str, str, tuple[int, ...]]:
    """Return the einsum of operand i's cotangent, its repeated labels, and the axes it lacks."""
    terms, out = _labels(subscripts, ndims)
    own = terms[i]
    others = [out, *(term for k, term in enumerate(terms) if k != i)]
    used = set("".join([*terms, out]))
    fresh = (letter for letter in LETTERS if letter not in used)
    target, repeated = "", ""
    for letter in own:
        if letter in target:
            copy = next(fresh)
            others.append(letter + copy)
            repeated += letter
            target += copy
        else:
            target += letter
    known = set("".join(others))
    missing = tuple(k for k, letter in enumerate(target) if letter not in known)
    target = "".join(letter for letter in target if letter in known)
    return ",".join(others) + "->" + target, repeated, missing


def _einsum_vjp(i: int, ct: Any, y: Any, *operands: Any, subscripts: str, **options: Any) -> Any:
    ndims = tuple(x.ndim for x in operands)
    plan, repeated, missing = _plan(subscripts, ndims, i)
    factors = [ct, *(conj(x) for k, x in enumerate(operands) if k != i)]
    if repeated:
        terms = _labels(subscripts, ndims)[0]
        factors += [np.eye(_length(label, terms, operands), dtype=ct.dtype) for label in repeated]
    large = len(factors) > 1 and max(x.size for x in factors) >= LARGE
    result = np.einsum(plan, *factors, optimize=large)
    return np.expand_dims(result, missing) if missing else result


def _length(label: str, terms: tuple[str, ...], operands: tuple) -> int:
    """Return the length of the axes called `label`; those of length 1 are broadcast."""
    return max(
        x.shape[k]
        for term, x in zip(terms, operands, strict=True)
        for k, letter in enumerate(term)
        if letter == label
    )


general(_einsum, variadic=_einsum_vjp, name="einsum", generic=True)


def _rearrange(x: Any, *, subscripts: str, **options: Any) -> Any:
    """Compute the einsum of one array: a sum, a diagonal, or a view with the axes in other order.

    A row of its own because it is linear: the array need not be kept, and a view stays one.
    """
    return np.einsum(subscripts, x, **options)


linear(
    _rearrange,
    lambda ct, x, *, subscripts, **options: _einsum_vjp(0, ct, None, x, subscripts=subscripts),
    name="einsum",
)


@composite(np.einsum)
def _einsum_body(*operands: Any, out: Any = None, optimize: Any = False, **options: Any) -> Any:
    subscripts, operands = _explicit(operands)
    operands = tuple(as_array(x) for x in operands)
    if optimize is not False:
        options["optimize"] = optimize
    compute = _rearrange if len(operands) == 1 else _einsum
    y = apply(compute, *operands, subscripts=subscripts, **options)
    if out is None:
        return y
    out[...] = y
    return out


def _explicit(operands: tuple) -> tuple[str, tuple]:
    """Turn ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` into ``einsum("ab,bc->ac", a, b)``."""
    if isinstance(operands[0], str):
        return operands[0], operands[1:]
    lists = [list(labels) for labels in operands[1::2]]
    arrays = operands[: len(operands) // 2 * 2 : 2]
    terms = [_letters(labels) for labels in lists]
    subscripts = ",".join(terms)
    if len(operands) % 2:
        subscripts += "->" + _letters(list(operands[-1]))
    return subscripts, arrays


def _letters(labels: list) -> str:
    in_order = LETTERS[26:] + LETTERS[:26]
    return "".join("..." if label is Ellipsis else in_order[label] for label in labels)
