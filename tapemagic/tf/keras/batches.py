"""The data that a model is trained with, in batches: of arrays, or of a data set."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.autodiff.warned import warn
from tapemagic.errors import TapeUseError
from tapemagic.tf import nest, random
from tapemagic.tf.data import Dataset
from tapemagic.tf.tensor import tensor_of

from .floats import default_float
from .sources import as_dataset


def unpacked(data: Any) -> tuple[Any, Any, Any]:
    """Return x, y and weights of a batch that may lack the last ones.

    Raises
    ------
    TapeUseError
        If it has more parts.
    """
    parts = tuple(data) if isinstance(data, (list, tuple)) else (data,)
    if not 1 <= len(parts) <= 3:
        raise leaks.locate(
            TapeUseError(f"A batch is x, (x, y) or (x, y, sample_weight), and not {len(parts)}.")
        )
    return (*parts, None, None)[:3]


def as_floats(data: Any) -> Any:
    """Return arrays as tensors, floats among them as `floatx` says; None stays.

    Raises
    ------
    TapeUseError
        For what is no array.
    """
    floats = default_float().as_numpy_dtype

    def taken(x: Any) -> Any:
        if x is None:
            return None
        if not (is_traced(x) or hasattr(x, "__array__")):
            raise leaks.locate(
                TapeUseError(
                    f"A model takes arrays, tensors and data sets, and not a {type(x).__name__}.",
                    fix="Pass np.array(...), or tf.data.Dataset.from_generator(...); lists and "
                    "dicts stand for several arrays.",
                )
            )
        value = np.asarray(plain(x))
        return tensor_of(value.astype(floats, copy=False) if value.dtype.kind == "f" else value)

    return nest.map_structure(taken, data)


def split(data: tuple[Any, Any, Any], part: float) -> tuple[Any, Any]:
    """Return the rows in front, and the part at the end that is kept for validation.

    Raises
    ------
    TapeUseError
        If it is a data set, or one of both would be empty.
    """
    if isinstance(as_dataset(data[0], shuffle=False), Dataset):
        raise leaks.locate(
            TapeUseError(
                "validation_split of a data set.",
                fix="Use data.take(n) and data.skip(n), and validation_data=.",
            )
        )
    arrays = as_floats(list(data))
    place = math.floor(_count(arrays) * (1 - part))
    if not 0 < place < _count(arrays):
        raise leaks.locate(
            TapeUseError(f"validation_split={part} of {_count(arrays)} examples leaves none over.")
        )
    front = nest.map_structure(lambda x: None if x is None else x[:place], arrays)
    return front, nest.map_structure(lambda x: None if x is None else x[place:], arrays)


def _count(arrays: Any) -> int:
    """Return the number of rows of arrays.

    Raises
    ------
    TapeUseError
        If they differ.
    """
    shapes = [np.shape(plain(x)) for x in nest.flatten(arrays) if x is not None]
    if () in shapes or len({shape[0] for shape in shapes if shape}) != 1:
        raise leaks.locate(
            TapeUseError(f"Arrays of different numbers of examples: their shapes are {shapes}.")
        )
    return shapes[0][0]


class Batches:
    """Batches that can be read once per epoch.

    Parameters
    ----------
    x, y, sample_weight
        Arrays, or nested structures of them; or x a data set of batches, or a generator.
    batch_size : int, optional
        Of arrays: 32 if not given.
    steps : int, optional
        Batches per epoch; the next epoch goes on where the last one ended.
    shuffle : bool
        Whether arrays are read in another order in each epoch.

    Attributes
    ----------
    count : int or None
        Batches per epoch, as far as that is known.
    """

    def __init__(
        self, x: Any, y: Any, sample_weight: Any, batch_size: int | None, steps: int | None,
        shuffle: bool,
    ) -> None:  # fmt: skip
        self._steps = steps
        self.rewind()
        x = as_dataset(x, shuffle)
        if isinstance(x, Dataset):
            if y is not None or sample_weight is not None:
                raise leaks.locate(
                    TapeUseError(
                        "A data set holds its labels and weights itself.",
                        fix="Use tf.data.Dataset.zip, or from_tensor_slices((x, y)).",
                    )
                )
            self._data, known = x, x._count
        else:
            self._data, known = self._of_arrays((x, y, sample_weight), batch_size, steps, shuffle)
        if known == math.inf and steps is None:
            raise leaks.locate(
                TapeUseError(
                    "The data set has no end.",
                    fix="Use data.take(n), or steps_per_epoch=, validation_steps= or steps=.",
                )
            )
        self.count = steps or (None if known is None else int(known))

    @staticmethod
    def _of_arrays(
        data: tuple, batch_size: int | None, steps: int | None, shuffle: bool
    ) -> tuple[Dataset, int]:
        x, y, weights = as_floats(list(data))
        rows = _count([x, y, weights])
        size = batch_size or (math.ceil(rows / steps) if steps else 32)
        count = math.ceil(rows / size)
        packed: Any = (x, y) if weights is None else (x, y, weights)
        if y is None:
            packed = (x,) if nest.is_nested(x) else x

        def read() -> Iterator:
            order = np.arange(rows)
            if shuffle:
                order = np.random.default_rng(random.beginning(None)).permutation(rows)
            for start in range(0, rows, size):
                chosen = order[start : start + size]
                yield nest.map_structure(
                    lambda a, chosen=chosen: None if a is None else tensor_of(plain(a)[chosen]),
                    packed,
                )

        return Dataset(read, count), count

    def rewind(self) -> None:
        """Let the next epoch begin at the first batch, whatever has been read."""
        self._reading = iter(())

    def epoch(self) -> Iterator:
        """Return the batches of the next epoch.

        Raises
        ------
        TapeUseError
            If there are none.
        """
        batches = iter(self._data) if self._steps is None else self._next(self._steps)
        first = list(itertools.islice(batches, 1))
        if not first:
            raise leaks.locate(TapeUseError("The data are empty: there is no batch."))
        return itertools.chain(first, batches)

    def _next(self, steps: int) -> Iterator:
        """Yield the batches of an epoch of so many, from where the last one ended."""
        for step in range(steps):
            batch = next(self._reading, None)
            if batch is None and step == 0:  # all of it has been read: once more
                self._reading = iter(self._data)
                batch = next(self._reading, None)
            if batch is None:
                warn(
                    f"The data ran out after {step} of {steps} batches: the epoch ends "
                    "there. data.repeat() has no end."
                )
                return
            yield batch
