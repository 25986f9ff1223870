"""`tf.nn`: activations and losses, written with NumPy's functions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain

from . import (
    advice,
    arithmetic,
    candidates,
    ctc,
    depthwise,
    picking,
    pooling,
    rectifiers,
    reductions,
    softmaxes,
)  # fmt: skip
from . import convolution as convolutions
from .choices import chosen
from .conversion import floats, match, operand, whole_numbers
from .random import uniform
from .refusals import in_words, refuse
from .tensor import Tensor, dtype_of, tensor_of

ctc_loss = ctc.ctc_loss
nce_loss, sampled_softmax_loss = candidates.nce_loss, candidates.sampled_softmax_loss
leaky_relu = rectifiers.leaky_relu
relu = rectifiers.relu
relu6 = rectifiers.relu6
sigmoid = arithmetic.FUNCTIONS["sigmoid"]
softplus = arithmetic.FUNCTIONS["softplus"]
softmax = softmaxes.softmax
log_softmax = softmaxes.log_softmax
tanh = arithmetic.FUNCTIONS["tanh"]
atrous_conv2d, convolution = convolutions.atrous_conv2d, convolutions.convolution
conv1d, conv2d, conv3d = convolutions.conv1d, convolutions.conv2d, convolutions.conv3d
conv1d_transpose = convolutions.conv1d_transpose
conv2d_transpose = convolutions.conv2d_transpose
conv3d_transpose = convolutions.conv3d_transpose
local_response_normalization = lrn = depthwise.local_response_normalization
depthwise_conv2d = depthwise.depthwise_conv2d
separable_conv2d = depthwise.separable_conv2d
space_to_depth = depthwise.space_to_depth
depth_to_space = depthwise.depth_to_space
avg_pool1d = pooling.avg_pool1d
max_pool1d = pooling.max_pool1d
zero_fraction = reductions.FUNCTIONS["zero_fraction"]
l2_normalize = reductions.FUNCTIONS["l2_normalize"]
avg_pool = avg_pool2d = pooling.avg_pool2d
max_pool = max_pool2d = pooling.max_pool2d
avg_pool3d, max_pool3d = pooling.avg_pool3d, pooling.max_pool3d


class TopKV2(NamedTuple):
    """Largest elements and their places."""

    values: Tensor
    indices: Tensor


# ---------------------------------------------------------------------------------- activations


def elu(features: Any, name: str | None = None) -> Tensor:
    """Return `x`, and ``exp(x) - 1`` where it is not positive."""
    x = floats(features, "nn.elu")
    positive = chosen(np.greater_equal, x, 0)  # at 0 the slope of the right side
    return tensor_of(np.where(positive, x, np.expm1(np.where(positive, 0, x))))


def selu(features: Any, name: str | None = None) -> Tensor:
    """Return the scaled `elu` of Klambauer et al. 2017, "Self-normalizing neural networks"."""
    x = floats(features, "nn.selu")
    positive = chosen(np.greater_equal, x, 0)  # at 0 the slope of the right side
    negative = np.expm1(np.where(positive, 0, x)) * 1.6732632423543772
    return tensor_of(np.where(positive, x, negative) * 1.0507009873554805)


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """Return x times the normal distribution function (Hendrycks and Gimpel 2016)."""
    x = floats(features, "nn.gelu")
    if approximate:
        inner = (x + x * x * x * 0.044715) * 0.7978845608028654
        return tensor_of(x * 0.5 * (np.tanh(inner) + 1))
    return tensor_of(x * 0.5 * (arithmetic.FUNCTIONS["erf"](x * 0.7071067811865476) + 1))


def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """Return ``x * sigmoid(beta * x)``."""
    x = operand(features)
    return tensor_of(x * sigmoid(x * beta))


swish = silu


def softsign(features: Any, name: str | None = None) -> Tensor:
    """Return ``x / (1 + |x|)``."""
    x = floats(features, "nn.softsign")
    return tensor_of(x / (np.abs(x) + 1))


def crelu(features: Any, axis: int = -1, name: str | None = None) -> Tensor:
    """Return the positive parts of `x` and, behind them, those of ``-x``."""
    x = operand(features)
    return relu(np.concatenate([x, -x], axis=axis))


# ---------------------------------------------------------------------------------------- losses


@in_words
def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Tensor:
    """Return the cross entropy of each row of logits with a row of probabilities."""
    labels, logits = match((labels, logits), "cross entropy")
    return tensor_of(-np.sum(labels * log_softmax(logits, axis), axis=axis))


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """Return the cross entropy of each row of logits with the number of a class."""
    rows = log_softmax(logits)
    if np.shape(plain(labels)) != (shape := np.shape(plain(rows)))[:-1]:
        refuse(
            f"Labels of shape {np.shape(plain(labels))} for logits of shape {shape}.",
            "Labels are class numbers, one for each row of logits.",
        )
    places = picking.positions(labels, np.shape(plain(rows))[-1], "labels")
    grid = np.indices(places.shape, sparse=True)
    return tensor_of(-rows[(*grid, places)])


def _of_one_shape(labels: Any, logits: Any) -> tuple:
    """Return both as tensors of one dtype; one would be repeated along the other otherwise."""
    labels, logits = match((labels, logits), "cross entropy")
    if np.shape(plain(labels)) != np.shape(plain(logits)):
        refuse(
            f"Logits of shape {np.shape(plain(logits))}, and labels of shape "
            f"{np.shape(plain(labels))}: they must have the same shape.",
            "Use tf.reshape or tf.squeeze on one of them.",
        )
    return labels, logits


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """Return the cross entropy of each logit with a probability, without overflow."""
    labels, x = _of_one_shape(labels, logits)
    return tensor_of(np.logaddexp(x, 0) - x * labels)


def weighted_cross_entropy_with_logits(
    labels: Any, logits: Any, pos_weight: Any, name: str | None = None
) -> Tensor:
    """Return the cross entropy with the positive labels weighted."""
    labels, x = _of_one_shape(labels, logits)
    weight = (pos_weight - 1) * labels + 1
    return tensor_of((1 - labels) * x + weight * np.logaddexp(-x, 0))


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """Return half the sum of squares."""
    return tensor_of(np.sum(np.square(floats(t, "nn.l2_loss"))) / 2)


def log_poisson_loss(
    targets: Any, log_input: Any, compute_full_loss: bool = False, name: str | None = None
) -> Tensor:
    """Return ``exp(log_input) - targets * log_input``; in full, with Stirling's log(targets!)."""
    x, z = match((log_input, targets))
    y = np.exp(x) - z * x
    if compute_full_loss:
        large = chosen(np.greater, z, 1)
        safe = np.where(large, z, 1)
        stirling = safe * np.log(safe) - safe + 0.5 * np.log(2 * np.pi * safe)
        y = y + np.where(large, stirling, 0)
    return tensor_of(y)


def compute_average_loss(
    per_example_loss: Any, sample_weight: Any = None, global_batch_size: Any = None
) -> Tensor:
    """Return the sum of losses over the number of examples."""
    losses = operand(per_example_loss)
    count = len(losses) if global_batch_size is None else whole_numbers(global_batch_size)
    weighted = losses if sample_weight is None else losses * operand(sample_weight)
    return tensor_of(np.sum(weighted) / count)


def scale_regularization_loss(regularization_loss: Any) -> Tensor:
    """Return the sum: there is one replica."""
    return tensor_of(np.sum(operand(regularization_loss)))


# ------------------------------------------------------------------------------------ other parts


def bias_add(value: Any, bias: Any, data_format: Any = None, name: str | None = None) -> Tensor:
    """Return ``value + bias``, the bias along the last axis (or the second, for "NC...")."""
    value, bias = match((value, bias), "bias_add")
    shape, channels_first = np.shape(plain(value)), str(data_format).startswith("NC")
    if np.shape(plain(bias)) != (shape[1:2] if channels_first else shape[-1:]) or len(shape) < 2:
        refuse(f"bias_add of shapes {shape} and {np.shape(plain(bias))}.", "Use x + y.")
    if channels_first:
        bias = np.reshape(bias, (-1,) + (1,) * (np.ndim(plain(value)) - 2))
    return tensor_of(value + bias)


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple:
    """Return mean and variance along axes."""
    mean = reductions.reduce_mean(x, axes, keepdims)
    return mean, reductions.reduce_variance(x, axes, keepdims)


def weighted_moments(
    x: Any, axes: Any, frequency_weights: Any, keepdims: bool = False, name: str | None = None
) -> tuple:
    """Return weighted mean and variance along axes."""
    x, weights = match((x, frequency_weights))
    weights = np.broadcast_to(operand(weights), np.shape(plain(x)))
    axes, total = whole_numbers(axes), np.sum(weights, axis=whole_numbers(axes), keepdims=True)
    mean = np.sum(weights * x, axis=axes, keepdims=True) / total
    variance = np.sum(weights * np.square(x - mean), axis=axes, keepdims=True) / total
    both = mean, variance
    return tuple(tensor_of(y if keepdims else np.squeeze(y, axes)) for y in both)


def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:  # fmt: skip
    """Return ``(x - mean) / sqrt(variance + epsilon) * scale + offset``."""
    given = match((x, mean, variance, *(v for v in (offset, scale) if v is not None)))
    x, mean, variance = given[:3]
    factor = 1 / np.sqrt(variance + variance_epsilon)
    factor = factor if scale is None else factor * scale
    y = (x - mean) * factor
    return tensor_of(y if offset is None else y + offset)


def dropout(x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: Any = None) -> Any:
    """Return `x` with a random part of it set to 0, and the rest scaled up to make good."""
    x = operand(x)
    shape = np.shape(plain(x)) if noise_shape is None else whole_numbers(noise_shape)
    if not 0 <= plain(rate) < 1:
        refuse(f"dropout with rate={rate!r}.", "The part that is dropped is from 0 up to 1.")
    kept = plain(uniform(shape, dtype=dtype_of(x), seed=seed)) >= plain(rate)
    return tensor_of(np.where(kept, x / (1 - plain(rate)), 0))


def embedding_lookup(
    params: Any, ids: Any, max_norm: Any = None, name: str | None = None
) -> Tensor:
    """Return rows of a matrix by their numbers.

    Raises
    ------
    TensorError
        For rows that are to be made shorter.
    """
    if max_norm is not None:
        refuse(f"embedding_lookup with max_norm={max_norm}.", "Use tf.clip_by_norm(..., axes=-1).")
    return picking.gather(params, ids)


def top_k(input: Any, k: Any = 1, sorted: bool = True, name: str | None = None) -> TopKV2:
    """Return the k largest elements of the last axis, and their places."""
    x, count = operand(input), whole_numbers(k)
    if np.ndim(plain(x)) < 1 or not 0 <= count <= np.shape(plain(x))[-1]:
        refuse(f"top_k of shape {np.shape(plain(x))} with k={count}.")
    places = plain(picking.argsort(x, direction="DESCENDING"))[..., :count]
    return TopKV2(tensor_of(np.take_along_axis(x, places, axis=-1)), tensor_of(places))


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Tell for each row whether the target is among the k largest."""
    return tensor_of(chosen(_are_in_top, targets, predictions, k=whole_numbers(k)))


def _are_in_top(targets: Any, predictions: Any, k: int) -> np.ndarray:
    own = np.take_along_axis(np.asarray(predictions), np.asarray(targets)[:, None], axis=1)
    return np.sum(predictions > own, axis=1) < k


__getattr__ = advice.missing("tf.nn")
