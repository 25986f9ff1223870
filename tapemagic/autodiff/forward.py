"""Forward mode, by transposing the reverse sweep: no second table of rules.

The pullback of a recorded value is linear in its cotangent. Recorded by a second tape and
differentiated by that cotangent, it gives the push-forward ("double vjp").
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tapemagic.errors import TapeUseError

from . import dispatch, structures
from .borrowed import Borrowed
from .dispatch import is_traced
from .tape import GradientTape


def tangent_of(
    outer: GradientTape, inner: GradientTape, y: Any, sources: Any, tangents: Any
) -> Any:
    """Return the tangent of one recorded value, or None where it is unconnected.

    Parameters
    ----------
    outer, inner : GradientTape
        Persistent; both recorded `y`, and `outer` records still.
    y : TracedArray
    sources : TracedArray, Variable, or a nested structure of them
        What `inner` watches.
    tangents : array, or the structure of `sources`
        Their tangents.
    """
    plain = np.asarray(dispatch.plain(y))
    cotangent = outer.watch(Borrowed().lift(np.zeros(plain.shape, plain.dtype)[()]))
    pulled = inner.gradient(y, sources, output_gradients=cotangent)
    total = None
    for ct, tangent in zip(
        structures.leaves([pulled], [sources]),
        structures.leaves([tangents], [sources]),
        strict=True,
    ):
        if ct is None or not is_traced(ct):
            continue
        term = np.sum(ct * np.conj(tangent) if np.iscomplexobj(tangent) else ct * tangent)
        total = term if total is None else total + term
    return None if total is None else outer.gradient(total, cotangent)


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

    def __exit__(self, *error: object) -> None:
        self._inner.stop()
        self._outer.stop()

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
                found = tangent_of(self._outer, self._inner, y, self._primals, self._tangents)
            finally:
                if pause:
                    self._outer.stop()
        if found is None and zero:
            value = np.asarray(dispatch.plain(y))
            return np.zeros(value.shape, value.dtype)[()]
        return found
