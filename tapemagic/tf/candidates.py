"""Losses of many classes by a sample of them: noise contrastive estimation, sampled softmax."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from .conversion import match, operand, whole_numbers
from .picking import gather
from .random import log_uniform_candidate_sampler
from .refusals import in_words
from .tensor import Tensor, dtype_of, tensor_of


@in_words
def nce_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = False,
    name: str = "nce_loss",
) -> Tensor:  # fmt: skip
    """Return for each row how badly its class is told from those that were drawn.

    Gutmann and Hyvarinen 2010, "Noise-contrastive estimation".
    """
    logits, truth = _logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        hidden=remove_accidental_hits,
    )  # fmt: skip
    losses = np.maximum(logits, 0) - logits * truth + np.log1p(np.exp(-np.abs(logits)))
    return tensor_of(np.sum(losses, axis=1))


@in_words
def sampled_softmax_loss(
    weights: Any, biases: Any, labels: Any, inputs: Any, num_sampled: int, num_classes: int,
    num_true: int = 1, sampled_values: Any = None, remove_accidental_hits: bool = True,
    seed: Any = None, name: str = "sampled_softmax_loss",
) -> Tensor:  # fmt: skip
    """Return the cross entropy of each row among its class and those that were drawn.

    Jean et al. 2015, "On using very large target vocabulary for neural machine translation".
    """
    logits, truth = _logits(
        weights, biases, labels, inputs, num_sampled, num_classes, num_true, sampled_values,
        hidden=remove_accidental_hits, seed=seed,
    )  # fmt: skip
    most = plain(np.max(plain(logits), axis=1, keepdims=True))
    total = np.log(np.sum(np.exp(logits - most), axis=1, keepdims=True)) + most
    return tensor_of(np.sum(truth * (total - logits), axis=1))


def _logits(
    weights: Any, biases: Any, labels: Any, inputs: Any, count: int, classes: int, true: int,
    sampled: Any, *, hidden: bool, seed: Any = None,
) -> tuple:  # fmt: skip
    """Return the scores of each row's classes and of those drawn, and what they should be.

    Of each goes off the logarithm of how often it is expected; a drawn class that is one of the
    row's own is hidden on request.
    """
    w, b, x = match((weights, biases, inputs))
    own = np.reshape(np.asarray(plain(operand(labels))), (-1, true))
    drawn, of_own, of_drawn = sampled or log_uniform_candidate_sampler(
        own, true, whole_numbers(count), True, classes, seed
    )
    drawn = np.asarray(plain(drawn))
    dtype = dtype_of(x)
    likely = [np.log(np.asarray(plain(n))).astype(dtype) for n in (of_own, of_drawn)]
    scores = np.sum(np.expand_dims(x, 1) * gather(w, own), axis=-1) + gather(b, own)
    others = np.matmul(x, np.transpose(gather(w, drawn))) + gather(b, drawn)
    scores, others = scores - np.reshape(likely[0], own.shape), others - likely[1]
    if hidden:
        hits = (own[:, :, None] == drawn).any(axis=1)
        others = np.where(hits, np.finfo(dtype).min / 2, others)
    truth = np.concatenate([np.full(own.shape, 1 / true), np.zeros(np.shape(others))], axis=1)
    return np.concatenate([scores, others], axis=1), truth.astype(dtype)
