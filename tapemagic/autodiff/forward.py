"""Forward mode, by transposing the reverse sweep: no second table of rules.

The pullback of a recorded value is linear in its cotangent. Recorded by a second tape and
differentiated by that cotangent, it gives the push-forward ("double vjp").
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tapemagic.errors import TapeUseError

from . import structures
from .calls import dispatch
from .calls.dispatch import is_traced
from .tape import GradientTape
from .traced import TracedArray


def recorded_pullback(
    outer: GradientTape, inner: GradientTape, y: Any, sources: Any
) -> tuple[Any, list[Any]]:
    """Let `outer` record the pullback of one value, at a cotangent that it watches.

    Parameters
    ----------
    outer, inner : GradientTape
        Persistent; both recorded `y`, and `outer` records still.
    y : TracedArray
    sources : TracedArray, Variable, or a nested structure of them
        What `inner` watches.

    Returns
    -------
    cotangent : TracedArray
    pulled : list
        One cotangent per leaf of `sources`, None where `y` does not depend on it.
    """
    plain = np.asarray(dispatch.plain(y))
    cotangent = outer.watch(dispatch.untracked(np.zeros(plain.shape, plain.dtype), TracedArray))
    pulled = inner.gradient(y, sources, output_gradients=cotangent)
    return cotangent, structures.leaves([pulled], [sources])


def push(outer: GradientTape, cotangent: Any, pulled: list, tangents: list) -> Any:
    """Transpose a recorded pullback: return the tangent of its value, None if unconnected.

    Where `outer` records no more, this sweep is an ordinary one.
    """
    pairs = [
        (ct, t if np.iscomplexobj(plain) else np.real(t))
        for ct, t in zip(pulled, tangents, strict=True)
        if ct is not None and is_traced(ct) and (plain := dispatch.plain(ct)) is not None
    ]
    if not pairs:
        return None
    targets, seeds = map(list, zip(*pairs))
    tangent = outer.gradient(targets, cotangent, output_gradients=seeds)
    return tangent if tangent is None else tangent[()]


class ForwardAccumulator:
    """Jacobian-vector products of what is computed in its block, like TensorFlow's.

    Parameters
    ----------
    primals : TracedArray, Variable, or a nested structure of them
        What is differentiated by.
    tangents : array, or the structure of `primals`
        The direction, in the shapes of the primals.

    Raises
    ------
    TapeUseError
        If shapes or numbers differ.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> from tapemagic.autodiff.forward import ForwardAccumulator
    >>> x = tapemagic.Variable([1.0, 2.0])
    >>> with ForwardAccumulator(x, np.array([1.0, 0.0])) as accumulator:
    ...     y = x ** 3
    >>> accumulator.jvp(y)
    array([3., 0.])
    """

    def __init__(self, primals: Any, tangents: Any) -> None:
        ours, theirs = structures.leaves(primals), structures.leaves(tangents, primals)
        if len(ours) != len(theirs):
            raise TapeUseError(f"{len(ours)} primals and {len(theirs)} tangents were given.")
        for x, tangent in zip(ours, theirs, strict=True):
            if np.shape(x) != np.shape(tangent):
                raise TapeUseError(
                    f"A tangent of shape {tuple(np.shape(tangent))} was given for a primal of "
                    f"shape {tuple(np.shape(x))}."
                )
        self._primals = primals
        self._tangents = structures.map_leaves(dispatch.plain, tangents)
        self._outer = GradientTape(persistent=True, watch_accessed_variables=False)
        self._inner = GradientTape(persistent=True, watch_accessed_variables=False)

    def __enter__(self) -> Self:
        self._outer.start()
        self._inner.start()
        self._inner.watch(self._primals)
        return self

    def __exit__(self, *error: Any) -> None:
        self._inner.stop()
        self._outer.__exit__(*error)

    def jvp(self, target: Any, unconnected_gradients: Any = "none") -> Any:
        """Return the derivative of the target along the tangents.

        Parameters
        ----------
        target : TracedArray, or a nested structure of them
        unconnected_gradients : {"none", "zero"}

        Returns
        -------
        array, or the structure of `target`
            In the shape of the target; None where it does not depend on the primals.
        """
        zero = getattr(unconnected_gradients, "value", unconnected_gradients) == "zero"
        results = [self._tangent(y, zero) for y in structures.leaves(target)]
        return structures.rebuild(target, results)

    def _tangent(self, y: Any, zero: bool) -> Any:
        found = None
        if is_traced(y):
            pause = not self._outer._open  # after the block: the pullback is recorded anew
            if pause:
                self._outer.start()
            try:
                recorded = recorded_pullback(self._outer, self._inner, y, self._primals)
            finally:
                if pause:
                    self._outer.stop()
            found = push(
                self._outer, *recorded, structures.leaves([self._tangents], [self._primals])
            )
        if found is None and zero:
            value = np.asarray(dispatch.plain(y))
            return np.zeros(value.shape, value.dtype)[()]
        return found
