"""Losses of series whose labels are shorter, and where each label stands is not known.

Graves et al. 2006, "Connectionist temporal classification", equations 6 to 8, in logarithms.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import convert_to_tensor, operand
from .refusals import in_words, refuse
from .softmaxes import log_softmax
from .sparse import SparseTensor, to_dense
from .tensor import Tensor, dtype_of, tensor_of

#: The logarithm of a probability of 0; infinity would make the gradient no number.
_NEVER = -1e30


@in_words
def ctc_loss(
    labels: Any, logits: Any, label_length: Any, logit_length: Any,
    logits_time_major: bool = True, unique: Any = None, blank_index: int | None = None,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return for each series how unlikely it makes its labels.

    Parameters
    ----------
    labels : [batch, labels], or SparseTensor
        Class numbers; a sparse tensor says the lengths as well.
    logits : [steps, batch, classes]
        [batch, steps, classes] if not `logits_time_major`.
    label_length, logit_length : [batch]
        How many of them count.
    blank_index : int
        The class of no label: 0 if not given, the last one for a sparse tensor.

    Examples
    --------
    >>> from tapemagic import tf
    >>> logits = tf.zeros((2, 1, 3))  # two steps, three classes of which the first is blank
    >>> print(tf.exp(-tf.nn.ctc_loss([[1]], logits, label_length=[1], logit_length=[2])))
    tf.Tensor([0.33333334], shape=(1,), dtype=float32)
    """
    scores = operand(logits)
    scores = scores if logits_time_major else np.swapaxes(scores, 0, 1)
    steps, batch, classes = np.shape(plain(scores))
    if isinstance(labels, SparseTensor):
        label_length = np.bincount(plain(labels.indices)[:, 0], minlength=batch)
        labels = to_dense(labels)
        blank = classes - 1 if blank_index is None else blank_index
    else:
        blank = 0 if blank_index is None else blank_index
    numbers, *lengths = (
        np.asarray(plain(convert_to_tensor(x))).astype(int)
        for x in (labels, label_length, logit_length)
    )
    blank %= classes
    if len(numbers) != batch or (lengths[1] > steps).any() or (lengths[0] > numbers.shape[1]).any():
        refuse(
            f"ctc_loss of labels of shape {numbers.shape} and logits of {steps} steps and {batch} "
            "series, and lengths that do not fit."
        )
    _check_steps(numbers, *lengths)
    path = np.full((batch, 2 * numbers.shape[1] + 1), blank)  # a blank before and after each label
    path[:, 1::2] = np.where(np.arange(numbers.shape[1]) < lengths[0][:, None], numbers, blank)
    if (path < 0).any() or (path >= classes).any():
        refuse(f"ctc_loss: a label is not in [0, {classes}).")
    return _unlikely(log_softmax(scores), path, lengths[0], lengths[1], blank)


def _check_steps(numbers: np.ndarray, ends: np.ndarray, counts: np.ndarray) -> None:
    """Raise if a series has fewer steps than its labels need, and blanks between two equal ones."""
    twice = (numbers[:, 1:] == numbers[:, :-1]) & (np.arange(1, numbers.shape[1]) < ends[:, None])
    needed = ends + twice.sum(axis=1)
    if (short := np.flatnonzero(needed > counts)).size:
        one = int(short[0])
        refuse(
            f"ctc_loss: the labels of series {one} need {needed[one]} steps, and it has "
            f"{counts[one]}.",
            "Leave such series out.",
        )


def _unlikely(logs: Any, path: np.ndarray, ends: Any, counts: Any, blank: int) -> Tensor:
    """Return what is left of one minus the probability of all ways along a path, in logarithms."""
    batch, places = path.shape
    rows, floats = np.arange(batch), dtype_of(logs).type
    # from two places before, where a label does not follow itself: else the blank is needed
    leaps = np.zeros(path.shape, bool)
    leaps[:, 2:] = (path[:, 2:] != blank) & (path[:, 2:] != path[:, :-2])
    begins = np.arange(places) < np.where(ends > 0, 2, 1)[:, None]
    never = np.full((batch, 2), _NEVER, floats)
    alpha = np.where(begins, logs[0][rows[:, None], path], floats(_NEVER))
    for step in range(1, len(plain(logs))):
        padded = np.concatenate([never, alpha], axis=1)
        leapt = np.where(leaps, padded[:, :-2], floats(_NEVER))
        ways = np.stack([alpha, padded[:, 1:-1], leapt])
        following = _log_sum(ways) + logs[step][rows[:, None], path]
        alpha = np.where((step < counts)[:, None], following, alpha)
    last = np.stack([2 * ends, np.maximum(2 * ends - 1, 0)])
    found = np.where(np.stack([ends >= 0, ends > 0]), alpha[rows, last], floats(_NEVER))
    return tensor_of(-_log_sum(found))


def _log_sum(x: Any) -> Any:
    """Return the logarithm of the sum of exponentials over the first axis."""
    most = np.max(plain(x), axis=0)
    return np.log(np.sum(np.exp(x - most), axis=0)) + most
