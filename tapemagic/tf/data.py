"""`tf.data`: data sets that are read in batches, in the order and with the shapes of TensorFlow.

A data set is a function that begins a new reading. Nothing is computed before somebody iterates.
"""

from __future__ import annotations

import builtins
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import plain

from . import advice, nest, random
from .conversion import whole_numbers
from .elements import as_said, as_tensors, called, signature
from .flows import Flows, Options
from .refusals import refuse
from .shaping import stack
from .tensor import Tensor, tensor_of

AUTOTUNE = -1
INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Dataset(Flows, metaclass=advice.Explaining):
    """Elements, each a tensor or a nested structure of them, that can be read again and again.

    Made by `from_tensor_slices`, `from_tensors`, `from_generator`, `range` and `zip`; its methods
    return new ones.

    Examples
    --------
    >>> from tapemagic import tf
    >>> x, y = tf.range(4.0), tf.constant([0, 1, 0, 1])
    >>> data = tf.data.Dataset.from_tensor_slices((x, y)).batch(3)
    >>> for batch, labels in data:
    ...     print(batch.numpy(), labels.numpy())
    [0. 1. 2.] [0 1 0]
    [3.] [1]
    """

    def __init__(self, read: Callable[[], Iterator], count: float | None) -> None:
        self._read, self._count = read, count

    # ------------------------------------------------------------------------------ where from

    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """Return the rows of tensors; of a structure of tensors, structures of rows.

        Raises
        ------
        TensorError
            If they have different numbers of rows.
        """
        tensors = as_tensors(tensors)
        shapes = [np.shape(plain(x)) for x in nest.flatten(tensors)]
        if len({shape[:1] for shape in shapes} - {()}) != 1 or () in shapes:
            refuse(f"from_tensor_slices of tensors of different numbers of rows: {shapes}.")
        count = shapes[0][0]

        def read() -> Iterator:
            for i in builtins.range(count):
                yield nest.map_structure(lambda x, i=i: x[i], tensors)

        return Dataset(read, count)

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """Return a data set of one element."""
        tensors = as_tensors(tensors)
        return Dataset(lambda: iter([tensors]), 1)

    @staticmethod
    def from_generator(
        generator: Callable, output_types: Any = None, output_shapes: Any = None, args: Any = (),
        output_signature: Any = None,
    ) -> Dataset:  # fmt: skip
        """Return what a generator function yields.

        Parameters
        ----------
        generator : callable
        args : tuple
            What it is called with.
        output_signature : TensorSpec, or a nested structure of them, optional
            Dtypes of what it yields; shapes are checked.
        output_types, output_shapes : optional
            The same in two structures: TensorFlow's older spelling.
        """
        if output_types is not None:
            output_signature = signature(output_types, output_shapes)

        def read() -> Iterator:
            for element in generator(*(args or ())):
                if output_signature is None:
                    yield as_tensors(element)
                else:
                    yield as_said(output_signature, element)

        return Dataset(read, None)

    @staticmethod
    def range(*args: Any, output_type: Any = np.int64) -> Dataset:
        """Return numbers as Python's `range` does, as int64."""
        numbers = np.arange(*(whole_numbers(x) for x in args), dtype=np.dtype(output_type))
        return Dataset.from_tensor_slices(numbers)

    @staticmethod
    def zip(*args: Any, datasets: Any = None) -> Dataset:
        """Return structures of elements of data sets, as many as the shortest has."""
        structure = datasets if datasets is not None else args[0] if len(args) == 1 else args
        parts = nest.flatten(structure)

        def read() -> Iterator:
            for elements in builtins.zip(*parts, strict=False):
                yield nest.pack_sequence_as(structure, elements)

        counts = [part._count for part in parts]
        return Dataset(read, None if None in counts else min(counts))

    # --------------------------------------------------------------------------------- readings

    def __iter__(self) -> Iterator:
        return self._read()

    def __len__(self) -> int:
        if self._count is None or self._count == math.inf:
            raise TypeError("The dataset is infinite, or its length is not known.")
        return int(self._count)

    def __bool__(self) -> bool:
        return True  # as in TensorFlow, whatever its length

    def cardinality(self) -> Tensor:
        """Return the number of elements as an int64 tensor: -1 if infinite, -2 if not known."""
        count = UNKNOWN_CARDINALITY if self._count is None else self._count
        return tensor_of(np.int64(INFINITE_CARDINALITY if count == math.inf else count))

    def as_numpy_iterator(self) -> Iterator:
        """Return an iterator over the elements as plain arrays."""

        def taken(x: Any) -> Any:
            leaks.hand_out(x, "as_numpy_iterator()")
            return np.array(plain(x))[()]

        return (nest.map_structure(taken, element) for element in self)

    # ----------------------------------------------------------------------------- one by one

    def map(
        self, map_func: Callable, num_parallel_calls: Any = None, deterministic: Any = None,
        name: Any = None, **settings: Any,
    ) -> Dataset:  # fmt: skip
        """Return a function of each element; the parts of a tuple are its arguments."""
        return Dataset(lambda: (as_tensors(called(map_func, x)) for x in self), self._count)

    def filter(self, predicate: Callable, name: Any = None) -> Dataset:
        """Return the elements of which a function is true."""
        return Dataset(lambda: (x for x in self if bool(called(predicate, x))), None)

    def enumerate(self, start: Any = 0, name: Any = None) -> Dataset:
        """Return pairs of a number, counted from `start`, and an element."""
        first = whole_numbers(start)

        def read() -> Iterator:
            for number, element in builtins.enumerate(self, first):
                yield tensor_of(np.int64(number)), element

        return Dataset(read, self._count)

    # --------------------------------------------------------------------------------- in parts

    def batch(
        self, batch_size: Any, drop_remainder: bool = False, num_parallel_calls: Any = None,
        deterministic: Any = None, name: Any = None,
    ) -> Dataset:  # fmt: skip
        """Return elements stacked, `batch_size` at a time; the last ones may be fewer.

        Raises
        ------
        TensorError
            In reading, if their shapes differ.
        """
        size = whole_numbers(batch_size)
        if size < 1:
            refuse(f"batch_size={size} is not positive.")

        def read() -> Iterator:
            elements = iter(self)
            while batch := list(itertools.islice(elements, size)):
                if len(batch) == size or not drop_remainder:
                    yield nest.map_structure(lambda *parts: stack(parts), *batch)

        def number(count: float) -> float:
            whole = math.floor if drop_remainder else math.ceil
            return count if count == math.inf else whole(count / size)

        return self._derived(read, number)

    def take(self, count: Any, name: Any = None) -> Dataset:
        """Return the first elements; all for -1."""
        n = whole_numbers(count)
        if n < 0:
            return self
        return self._derived(lambda: itertools.islice(self, n), lambda count: min(n, count))

    def skip(self, count: Any, name: Any = None) -> Dataset:
        """Return all but the first elements; none for -1."""
        n = whole_numbers(count)
        if n < 0:
            return Dataset(lambda: iter(()), 0)
        return self._derived(
            lambda: itertools.islice(self, n, None), lambda count: max(0, count - n)
        )

    def repeat(self, count: Any = None, name: Any = None) -> Dataset:
        """Return the data set `count` times over, each time read anew; for ever if not given."""
        n = -1 if count is None else whole_numbers(count)

        def read() -> Iterator:
            for _ in itertools.count() if n < 0 else builtins.range(n):
                elements = iter(self)
                first = list(itertools.islice(elements, 1))
                if not first:
                    return
                yield from itertools.chain(first, elements)

        if n < 0:
            return Dataset(read, 0 if self._count == 0 else math.inf)
        return self._derived(read, lambda count: count * n if n else 0)

    def concatenate(self, dataset: Dataset, name: Any = None) -> Dataset:
        """Return the elements of this data set, and then those of another."""
        return self._derived(
            lambda: itertools.chain(self, dataset),
            lambda count: None if dataset._count is None else count + dataset._count,
        )

    def _derived(self, read: Callable[[], Iterator], number: Callable) -> Dataset:
        """Return a data set of as many elements as a function says of the number here."""
        return Dataset(read, None if self._count is None else number(self._count))

    # ---------------------------------------------------------------------------------- in order

    def shuffle(
        self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = True,
        name: Any = None,
    ) -> Dataset:  # fmt: skip
        """Return the elements in random order.

        Parameters
        ----------
        buffer_size : int
            Elements among which the next is drawn: as many as there are for an even shuffle.
        seed : int, optional
            The same order on every run, and not the one that TensorFlow draws from it.
        reshuffle_each_iteration : bool
            Whether each reading has an order of its own.
        """
        size = whole_numbers(buffer_size)
        if size < 1:
            refuse(f"buffer_size={size} is not positive.")
        start = random.beginning(seed)
        readings = itertools.count()

        def read() -> Iterator:
            reading = 0 if reshuffle_each_iteration is False else next(readings)
            draw = np.random.default_rng([*start, reading])
            buffer: list = []
            for element in self:
                if len(buffer) < size:
                    buffer.append(element)
                    continue
                place = int(draw.integers(size))
                chosen, buffer[place] = buffer[place], element
                yield chosen
            for place in draw.permutation(len(buffer)):
                yield buffer[place]

        return Dataset(read, self._count)

    def cache(self, filename: Any = "", name: Any = None) -> Dataset:
        """Return the data set with what its first full reading found kept for the next ones."""
        kept: list = []

        def read() -> Iterator:
            if kept:
                yield from kept[0]
                return
            found = []
            for element in self:
                found.append(element)
                yield element
            kept.append(found)

        return Dataset(read, self._count)

    def prefetch(self, buffer_size: Any = None, name: Any = None) -> Dataset:
        """Return the data set as it is: nothing is read ahead."""
        return self

    def __getattr__(self, name: str) -> Any:
        return _no_method(name)


__all__ = ["AUTOTUNE", "INFINITE_CARDINALITY", "UNKNOWN_CARDINALITY", "Dataset", "Options"]

_no_method = advice.missing("tf.data.Dataset")


__getattr__ = advice.missing("tf.data")
