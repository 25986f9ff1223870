"""Methods of data sets that make elements of several elements, or several of one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import nest, random
from .conversion import whole_numbers
from .elements import as_tensors, called
from .refusals import refuse
from .shaping import pad, stack
from .tensor import dtype_of


class Flows:
    """What `Dataset` can do beside its own methods."""

    _count: Any

    def __init__(self, read: Callable[[], Iterator], count: float | None) -> None:
        raise NotImplementedError

    def __iter__(self) -> Iterator:
        raise NotImplementedError

    @classmethod
    def counter(cls, start: Any = 0, step: Any = 1) -> Self:
        """Return numbers from `start` on, without end, as int64."""
        first, apart = whole_numbers(start), whole_numbers(step)
        return cls(
            lambda: (as_tensors(np.int64(n)) for n in itertools.count(first, apart)), math.inf
        )

    # ------------------------------------------------------------------------- several data sets

    @classmethod
    def choose_from_datasets(
        cls, datasets: Any, choice_dataset: Any, stop_on_empty_dataset: bool = True
    ) -> Self:
        """Return elements of data sets, the next one of that which a number names.

        Parameters
        ----------
        datasets : list of Dataset
        choice_dataset : Dataset
            Numbers of them.
        stop_on_empty_dataset : bool
            Whether it ends with the first that has no more, or passes over that.
        """

        def read() -> Iterator:
            readings = [iter(data) for data in datasets]
            for choice in choice_dataset:
                found = list(itertools.islice(readings[whole_numbers(choice)], 1))
                if not found and stop_on_empty_dataset:
                    return
                yield from found

        return cls(read, None)

    @classmethod
    def sample_from_datasets(
        cls, datasets: Any, weights: Any = None, seed: Any = None,
        stop_on_empty_dataset: bool = False, rerandomize_each_iteration: bool | None = None,
    ) -> Self:  # fmt: skip
        """Return elements of data sets, the next one of any, as probable as `weights` says."""
        count = len(datasets)
        given = np.ones(count) if weights is None else np.asarray(plain(weights), float)
        start = random.beginning(seed)

        def read() -> Iterator:
            draw, chances = np.random.default_rng(start), given / given.sum()
            readings = [iter(data) for data in datasets]
            while chances.any():
                number = int(draw.choice(count, p=chances / chances.sum()))
                found = list(itertools.islice(readings[number], 1))
                yield from found
                if not found:
                    if stop_on_empty_dataset:
                        return
                    chances[number] = 0

        return cls(read, None)

    # --------------------------------------------------------------------- several elements in one

    def window(
        self, size: Any, shift: Any = None, stride: Any = 1, drop_remainder: bool = False,
        name: Any = None,
    ) -> Self:  # fmt: skip
        """Return data sets of `size` elements each, which begin `shift` elements apart."""
        n, step = whole_numbers(size), whole_numbers(stride)
        apart = n if shift is None else whole_numbers(shift)
        if min(n, step, apart) < 1:
            refuse("window takes positive numbers.")
        covered = (n - 1) * step + 1

        def read() -> Iterator:
            elements, held, gone = iter(self), list[Any](), 0
            while True:
                held += itertools.islice(elements, covered - len(held))
                part = held[:covered:step]
                if not part or (drop_remainder and len(part) < n):
                    return
                yield nest.map_structure(lambda *xs: self._of(xs), *part)
                gone = max(0, apart - len(held))
                held = held[apart:]
                if gone and len(list(itertools.islice(elements, gone))) < gone:
                    return

        def number(count: float) -> float:
            if count == math.inf:
                return count
            whole = max(0, (count - covered) // apart + 1)
            return whole if drop_remainder else math.ceil(count / apart)

        return type(self)(read, None if self._count is None else number(self._count))

    def _of(self, elements: Any) -> Self:
        return type(self)(lambda: iter(elements), len(elements))

    def padded_batch(
        self, batch_size: Any, padded_shapes: Any = None, padding_values: Any = None,
        drop_remainder: bool = False, name: Any = None,
    ) -> Self:  # fmt: skip
        """Return elements stacked, with something, 0 if not said, behind the shorter ones.

        Parameters
        ----------
        batch_size : int
        padded_shapes : tuple, or a nested structure of them, optional
            What to bring them to; None, or -1, for the longest of the batch.
        padding_values : optional
            A number, or a structure of them.
        """
        size = whole_numbers(batch_size)

        def padded(xs: Any, shape: Any, value: Any) -> Any:
            lengths = np.max([np.shape(plain(x)) for x in xs], axis=0).astype(int)
            if shape is not None:
                known = [None if n in (None, -1) else int(n) for n in shape]
                lengths = [b if a is None else a for a, b in zip(known, lengths, strict=True)]
            if not np.size(lengths):
                return stack(xs)
            fill = dtype_of(xs[0]).type(0) if value is None else plain(value)
            return stack([
                pad(x, [(0, n - m) for n, m in zip(lengths, np.shape(plain(x)), strict=True)],
                    constant_values=fill)
                for x in xs
            ])  # fmt: skip

        def read() -> Iterator:
            elements = iter(self)
            while batch := list(itertools.islice(elements, size)):
                if len(batch) < size and drop_remainder:
                    return
                columns = list(zip(*map(nest.flatten, batch), strict=True))
                shapes = _per_part(padded_shapes, len(columns), is_shape=True)
                values = _per_part(padding_values, len(columns), is_shape=False)
                parts = map(padded, columns, shapes, values)
                yield nest.pack_sequence_as(batch[0], list(parts))

        whole = math.floor if drop_remainder else math.ceil
        known = self._count not in (None, math.inf)
        return type(self)(read, whole(self._count / size) if known else self._count)

    def rebatch(self, batch_size: Any, drop_remainder: bool = False, name: Any = None) -> Self:
        """Return the rows of the elements in batches of another size."""
        rows: Any = self.unbatch()
        return rows.batch(batch_size, drop_remainder)

    def reduce(self, initial_state: Any, reduce_func: Callable, name: Any = None) -> Any:
        """Return the last value of ``state = reduce_func(state, element)``."""
        state = as_tensors(initial_state)
        for element in self:
            state = as_tensors(reduce_func(state, element))
        return state

    def get_single_element(self, name: Any = None) -> Any:
        """Return the only element."""
        found = list(itertools.islice(self, 2))
        if len(found) != 1:
            refuse("get_single_element of a data set that has not one element.")
        return found[0]

    # ------------------------------------------------------------------------- several out of one

    def flat_map(self, map_func: Callable, name: Any = None) -> Self:
        """Return the elements of the data sets that a function makes of each element."""
        return type(self)(
            lambda: itertools.chain.from_iterable(called(map_func, x) for x in self), None
        )

    def unbatch(self, name: Any = None) -> Self:
        """Return the rows of each element."""

        def read() -> Iterator:
            for element in self:
                for i in range(len(nest.flatten(element)[0])):
                    yield nest.map_structure(lambda x, i=i: x[i], element)

        return type(self)(read, None)

    def interleave(
        self, map_func: Callable, cycle_length: Any = None, block_length: Any = 1,
        num_parallel_calls: Any = None, deterministic: Any = None, name: Any = None,
    ) -> Self:  # fmt: skip
        """Return elements of data sets that a function makes, some of each in turn."""
        places = 2 if cycle_length is None else whole_numbers(cycle_length)
        length = whole_numbers(block_length)

        def read() -> Iterator:
            elements = (iter(called(map_func, x)) for x in self)
            held: list = [None] * places
            turns = itertools.cycle(range(places))
            idle = 0  # turns in a row without anything to read
            while idle < places:
                i = next(turns)
                held[i] = held[i] or next(elements, None)
                idle = 0 if held[i] else idle + 1
                block = list(itertools.islice(held[i] or (), length))
                yield from block
                if len(block) < length:
                    held[i] = None

        return type(self)(read, None)

    # -------------------------------------------------------------------------------- one by one

    def scan(self, initial_state: Any, scan_func: Callable, name: Any = None) -> Self:
        """Return what a function says beside each next state: ``(state, element)``."""

        def read() -> Iterator:
            state = as_tensors(initial_state)
            for element in self:
                state, y = scan_func(state, element)
                yield as_tensors(y)

        return type(self)(read, self._count)

    def take_while(self, predicate: Callable, name: Any = None) -> Self:
        """Return the elements before the first of which a function is false."""
        return type(self)(
            lambda: itertools.takewhile(lambda x: bool(called(predicate, x)), self), None
        )

    def unique(self, name: Any = None) -> Self:
        """Return each element once."""

        def read() -> Iterator:
            seen = set()
            for x in self:
                key = np.asarray(plain(x)).tobytes()
                if key not in seen:
                    seen.add(key)
                    yield x

        return type(self)(read, None)

    def shard(self, num_shards: Any, index: Any, name: Any = None) -> Self:
        """Return every so-many-th element, from a first one on."""
        n, first = whole_numbers(num_shards), whole_numbers(index)
        known = self._count not in (None, math.inf)
        count = max(0, math.ceil((self._count - first) / n)) if known else self._count
        return type(self)(lambda: itertools.islice(self, first, None, n), count)

    def apply(self, transformation_func: Callable) -> Any:
        """Return what a function makes of the data set."""
        return transformation_func(self)

    def with_options(self, options: Any, name: Any = None) -> Self:
        """Return the data set as it is: options say how fast it is read."""
        return self


def _per_part(given: Any, count: int, *, is_shape: bool) -> list:
    """Return what is said of each part of an element, of one thing or of a structure of them."""
    if isinstance(given, dict):
        return list(given.values())
    several = isinstance(given, (list, tuple)) and len(given) == count
    if several and is_shape:  # shapes, and not the lengths of one
        several = all(isinstance(part, (list, tuple)) for part in given)
    return list(given) if several else [given] * count


class Options:
    """Settings of TensorFlow's readers: any can be set, and none does anything."""
