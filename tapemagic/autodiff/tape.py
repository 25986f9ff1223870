"""`GradientTape`: the gradient of a target in what a tape has watched."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.errors import TapeError, TapeStateError, TapeUseError

from . import backward, guards, jacobians, lookup, naming, structures
from .avals import AVALS
from .calls import dispatch
from .calls.dispatch import HANDLE_TYPES, is_traced
from .looking import Looking
from .open_tape import OpenTape
from .recorder import RECORDER
from .seeds import handed_out, seed_of, wants_zero

_SPENT = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
)


class GradientTape(OpenTape, Looking):
    """Record operations, and differentiate them in reverse.

    Parameters
    ----------
    persistent : bool
        Whether `gradient` may be asked for more than once.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> w = tapemagic.Variable([1.0, 2.0])
    >>> with tapemagic.GradientTape() as tape:
    ...     loss = np.sum(w ** 2)
    >>> tape.gradient(loss, w)
    array([2., 4.])
    """

    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = "none",
    ) -> Any:
        """Return the gradient of the target with respect to each source.

        Parameters
        ----------
        target : TracedArray, array, name, or a list or dict of them
            Several targets are added up; so are the elements of a target that is not a scalar.
        sources : TracedArray, Variable, array, name, or a nested structure of them
        output_gradients : array or structure of `target`, optional
            The cotangent to start from, in the target's shape (it may broadcast).
        unconnected_gradients : {"none", "zero"}
            What stands for a source that the target does not depend on.

        Returns
        -------
        array, or the structure of `sources`
            Each in the shape and dtype of its source; None where unconnected.

        Raises
        ------
        TapeStateError
            If a tape that is not persistent was used before, or nothing was recorded.
        TapeUseError
            If a shape does not fit.
        """
        self._claim()
        zero = unconnected_gradients != "none" and wants_zero(unconnected_gradients)
        seeds, unread = self._seeds(target, output_gradients)
        if self.source_nodes and type(sources) in (str, list, tuple):
            sources = naming.expanded(self, sources)
        is_flat = structures.is_flat(sources)
        flat = sources if is_flat else structures.leaves(sources)
        ids = [lookup.source_ids(self, x) for x in flat]
        if output_gradients is None or not any(map(is_traced, seeds.values())):
            self._asked, self._cotangents = (seeds, ids), None
            self._absent = lookup.absent(target, seeds, flat, ids, unread)
        sweep = self._sweep_for_page if self.keeps_cotangents else self._sweep
        found = sweep(seeds, ids)
        if zero or unread:
            found = [self._finish(x, unread.get(id(x), ct), zero) for x, ct in zip(flat, found)]
        if is_flat:
            return found if type(sources) is list else tuple(found)
        return structures.rebuild(sources, found)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobian of the target with respect to each source.

        Parameters
        ----------
        target : TracedArray, array or name, or a nested structure of them
        sources : TracedArray, Variable, array, name, or a nested structure of them
        unconnected_gradients : {"none", "zero"}
        parallel_iterations, experimental_use_pfor : optional
            Settings of TensorFlow's graphs.

        Returns
        -------
        array, or the structure of `sources`
            Of shape target + source; for a structure of targets that structure of them.
        """
        self._claim()
        zero = wants_zero(unconnected_gradients)
        sources = naming.expanded(self, sources)
        return structures.map_leaves(lambda y: jacobians.jacobian(self, y, sources, zero), target)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = "none",
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """Return the Jacobian of every row of the target in the same row of the source.

        Returns
        -------
        array of shape (rows,) + target row + source row

        Raises
        ------
        TapeUseError
            If the numbers of rows differ, or a row of the target depends on another row.
        """
        self._claim()
        zero = wants_zero(unconnected_gradients)
        return structures.map_leaves(
            lambda x: jacobians.batch_jacobian(self, target, x, zero),
            naming.expanded(self, source),
        )

    def _claim(self) -> None:
        if self._recording is None:
            raise TapeStateError(
                "This tape has recorded nothing yet: it was never entered.",
                fix="Compute inside 'with tapemagic.GradientTape() as tape:'.",
            )
        if self._persistent:
            return
        if self._spent:
            raise TapeStateError(
                f"{_SPENT}.", fix="Use GradientTape(persistent=True) to ask more than once."
            )
        self._spent = True
        if self._open:
            self.stop()

    def _seeds(self, target: Any, output_gradients: Any) -> tuple[dict[int, Any], dict[int, Any]]:
        """Return the cotangents of nodes, and of handles that have no node, by identity.

        The latter count if the handle is a source as well: ``result = v0`` reads no variable.
        """
        recording = self._recording
        if output_gradients is None and type(target) in HANDLE_TYPES:
            if target.token is recording.token and target.storage is None:  # as most are
                return {target.id: seed_of(None, AVALS[target.aval])}, {}
        targets = structures.leaves(target)
        if output_gradients is None:
            given: list[Any] = [None] * len(targets)
        else:
            given = structures.leaves(output_gradients, like=target)
            if len(given) != len(targets):
                raise TapeUseError(
                    f"{len(targets)} targets and {len(given)} output_gradients were given.",
                    fix="Give one for each target, or None where it is ones.",
                )
        seeds: dict[int, Any] = {}
        unread: dict[int, Any] = {}
        for x, ct in zip(targets, given):
            ids = lookup.ids_of(self, x, as_target=True)
            if ids:
                known, key = seeds, ids[-1]
                aval = AVALS[recording.entries[key][3]]
            elif is_traced(x) and AVALS[x.aval].dtype.kind in "fc":
                known, key, aval = unread, id(x), AVALS[x.aval]
            else:
                lookup.check_leaf(x)
                continue
            seed = seed_of(ct, aval)
            known[key] = known[key] + seed if key in known else seed
        return seeds, unread

    def _sweep(
        self,
        seeds: dict[int, Any],
        ids: list[list[int]],
        kept: dict[int, Any] | None = None,
        selected: dict[int, Any] | None = None,
    ) -> list[Any]:
        """Run the sweep; return one cotangent (or None) per list of node ids."""
        wanted = set().union(*ids)
        if not seeds or not wanted:
            return [None] * len(ids)
        recording = self._recording
        mine = self._mine(max(seeds))
        if mine is not None:
            wanted = {id_ for id_ in wanted if id_ < len(mine) and mine[id_]}
            seeds = {id_: ct for id_, ct in seeds.items() if mine[id_]}
            if not seeds or not wanted:
                return [None] * len(ids)
        record = RECORDER.recording is recording
        try:
            found = backward.sweep(recording.entries, seeds, wanted, mine, record, kept, selected)
        except TapeError as error:
            self._name_line(error)
            raise
        results: list[Any] = []
        shared = set(map(id, seeds.values()))
        for group in ids:
            total: Any = None
            for id_ in group:
                if id_ in found:
                    total = found[id_] if total is None else total + found[id_]
            if total is not None:
                total = handed_out(total, AVALS[recording.entries[group[0]][3]], shared)
            results.append(total)
        return results

    def _mine(self, top: int) -> bytearray | None:
        """Mark the nodes of this tape up to `top`, or return None if all belong to it.

        Verifies what the recording refers to first.
        """
        recording = self._recording
        if self._open:
            self._spans[-1][1] = len(recording.entries)
        if recording.spoiled or recording.guards:
            guards.verify(recording)
        alone = len(recording.sharers) == 1
        if alone and len(self._spans) == 1:
            return None
        leaves = {id_ for _, group in self._watched.values() for id_ in group}
        return backward.marks(recording.entries, top, leaves, self._spans)

    def _finish(self, x: Any, ct: Any, zero: bool) -> Any:
        if ct is not None:
            return ct
        if not zero:
            return None
        ids = lookup.ids_of(self, x)
        if ids:  # the handle itself may have another shape by now
            aval = AVALS[self._recording.entries[ids[0]][3]]
            return np.zeros(aval.shape, aval.dtype)[()]
        value = dispatch.plain(x)
        return np.zeros(np.shape(value), np.asarray(value).dtype)[()]
