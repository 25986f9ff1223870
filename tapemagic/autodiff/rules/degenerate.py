"""Repeated eigenvalues and singular values: decide whether a gradient exists, and say so if not.

The vectors that belong to a repeated value are any basis of their space. A target that does not
depend on the choice has a gradient; but where the target reads those vectors, the cotangents that
arrive here do not tell ``v g(w) v^H`` (whose gradient needs g') from a projector (whose gradient
does not), so only these cases are exact and let through: the vectors of the repeated values are not
used, or are used such that no pair of them mixes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.errors import NoRuleError

from .algebra import decide


def repeated(w: Any) -> np.ndarray:
    """Return which pairs of distinct positions hold equal values, to rounding: bool (..., n, n)."""
    return decide(_repeated, w)


def _repeated(w: Any) -> Any:
    n = w.shape[-1]
    scale = np.max(np.abs(w), axis=-1, initial=0, keepdims=True)[..., None]
    near = np.abs(w[..., :, None] - w[..., None, :]) <= 8 * n * np.finfo(w.dtype).eps * scale
    return near & ~np.eye(n, dtype=bool)


def inverse_gaps(w: Any, pairs: np.ndarray) -> Any:
    """Return ``1 / (w_j - w_i)``, and 0 on the diagonal and for `pairs` of equal values."""
    left_out = pairs | np.eye(pairs.shape[-1], dtype=bool)
    gaps = w[..., None, :] - w[..., :, None]
    return np.where(left_out, 0, 1 / np.where(left_out, 1, gaps))


def check_values(ct: Any, pairs: np.ndarray, what: str) -> None:
    """Raise unless equal values get equal cotangents: then their order does not matter."""
    if ct is not None and pairs.any() and decide(_differs, ct, pairs):
        raise _error(what)


def _differs(ct: Any, pairs: np.ndarray) -> Any:
    difference = np.abs(ct[..., :, None] - ct[..., None, :])
    return _exceeds(difference[pairs], ct)


def check_vectors(mixing: Any, pairs: np.ndarray, what: str, *given: Any) -> None:
    """Raise unless the target is blind to a mixing of the vectors of equal values.

    `mixing` is ``v^H ct_v``: what the target gains when vector j takes a bit of vector i; `given`
    is what went into it.
    """
    if pairs.any() and decide(_mixes, mixing, pairs, *given):
        raise _error(what)


def _mixes(mixing: Any, pairs: np.ndarray, *given: Any) -> Any:
    pairs = np.broadcast_to(pairs, mixing.shape)
    diagonal = np.diagonal(mixing, axis1=-2, axis2=-1)
    uneven = np.abs(diagonal[..., :, None] - diagonal[..., None, :])
    if _exceeds(mixing[pairs], *given) or _exceeds(uneven[pairs], *given):
        return True
    return not mixing.any()  # 0 times g(w): what got lost cannot be told from "not used"


def check_phase(phase: Any, what: str, *given: Any) -> None:
    """Raise if the target depends on the phase of complex vectors, which is arbitrary."""
    if decide(_exceeds, np.imag(phase), *given):
        raise leaks.locate(
            NoRuleError(
                f"The target depends on the phase of the {what}, which is arbitrary.",
                fix="Use them so that the phase cancels, as in abs(v) or v @ v.conj().T.",
            )
        )


def check_rest(turn: Any, what: str, *given: Any) -> None:
    """Raise if the target depends on how a basis is completed beyond the vectors of the matrix.

    `turn` is the anti-Hermitian part of ``v^H ct_v`` for the vectors that complete it.
    """
    if turn.size and decide(_exceeds, turn, *given):
        raise leaks.locate(
            NoRuleError(
                f"The target depends on how the {what} beyond the matrix's own are chosen, "
                "which is arbitrary.",
                fix="Ask for full_matrices=False, or for mode='reduced'.",
            )
        )


def divide_columns(x: Any, s: Any, *given: Any) -> Any:
    """Divide the columns of `x` by singular values; a column of a zero one must not be used."""
    zero = decide(np.equal, s, 0)
    if not zero.any():
        return x / s[..., None, :]
    if decide(_exceeds, np.where(zero[..., None, :], x, 0), *given):
        raise _error("(zero) singular values/singular vectors")
    return np.where(zero[..., None, :], 0, x / np.where(zero, 1, s)[..., None, :])


def _exceeds(x: Any, *given: Any) -> Any:
    """Tell whether anything in `x` is not 0, to rounding, beside what it was made of."""
    scale = 0.0
    for one in given:
        scale = np.maximum(scale, np.max(np.abs(one), initial=0))
    return np.any(np.abs(x) > scale * _precision(x))


def _precision(x: np.ndarray) -> float:
    """Return what counts as 0 beside 1, after a few products in this dtype."""
    return float(np.finfo(x.dtype).eps) ** 0.5


def _error(what: str) -> NoRuleError:
    values, vectors = what.split("/")
    return leaks.locate(
        NoRuleError(
            f"The matrix has repeated {values}, and the target depends on how their {vectors} are "
            "chosen, or cannot be shown not to.",
            why="There the derivative does not exist or is not determined by these results.",
            fix=f"Use the {values} symmetrically (their sum, say), or another function of the "
            "matrix.",
        )
    )
