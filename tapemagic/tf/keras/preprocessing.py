"""`tf.keras.preprocessing`: series of words."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import advice, random

from .utils import pad_sequences, timeseries_dataset_from_array


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """Return how likely each word is kept, the first being the most frequent one.

    Mikolov et al. 2013, "Distributed representations of words and phrases", with the frequencies
    of Zipf's law.
    """
    rank = np.arange(size)
    rank[:1] = 1
    gamma = 0.577
    frequency = rank * (np.log(rank) + gamma) + 0.5 - 1 / (12 * rank)
    part = sampling_factor * frequency
    return np.minimum(1.0, part / np.sqrt(part))


def skipgrams(
    sequence: Any, vocabulary_size: int, window_size: int = 4, negative_samples: float = 1.0,
    shuffle: bool = True, categorical: bool = False, sampling_table: Any = None, seed: Any = None,
) -> tuple[list, list]:  # fmt: skip
    """Return pairs of words, and for each whether the second stands near the first.

    Parameters
    ----------
    sequence : list of int
        Numbers of words; 0 stands for none.
    vocabulary_size : int
    window_size : int
        How far apart words are near.
    negative_samples : float
        Pairs with a word from anywhere, for each pair of near ones.
    shuffle, seed : optional
        Whether the pairs come in random order.
    categorical : bool
        Whether labels are ``[0, 1]`` and ``[1, 0]``.
    sampling_table : array, optional
        How likely each word is taken.
    """
    draw = np.random.default_rng(random.beginning(seed))
    words = [int(word) for word in np.asarray(plain(sequence))]
    pairs = []
    for i, word in enumerate(words):
        if not word or (sampling_table is not None and sampling_table[word] < draw.random()):
            continue
        near = range(max(0, i - window_size), min(len(words), i + window_size + 1))
        pairs += [[word, words[j]] for j in near if j != i and words[j]]
    labels: list[Any] = [[0, 1] if categorical else 1] * len(pairs)
    if negative_samples > 0:
        count = int(len(pairs) * negative_samples)
        firsts = draw.permutation([word for word, _ in pairs])
        pairs += [
            [int(firsts[i % len(firsts)]), int(draw.integers(1, vocabulary_size))]
            for i in range(count)
        ]
        labels += [[1, 0] if categorical else 0] * count
    if shuffle:
        order = draw.permutation(len(pairs))
        pairs, labels = [pairs[i] for i in order], [labels[i] for i in order]
    return pairs, labels


sequence = advice.Names(
    "tf.keras.preprocessing.sequence",
    make_sampling_table=make_sampling_table,
    pad_sequences=pad_sequences,
    skipgrams=skipgrams,
)
timeseries = advice.Names(
    "tf.keras.preprocessing.timeseries", timeseries_dataset_from_array=timeseries_dataset_from_array
)

__getattr__ = advice.missing("tf.keras.preprocessing")
