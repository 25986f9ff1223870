"""Attention: averages of values, weighted by how well their keys fit a query.

Vaswani et al. 2017, "Attention is all you need"; additive: Bahdanau et al. 2015.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.tf import nn
from tapemagic.tf.linalg import einsum
from tapemagic.tf.refusals import refuse
from tapemagic.tf.softmaxes import softmax
from tapemagic.tf.tensor import Tensor, dtype_of, tensor_of

from . import activations, masks
from .layer import Layer


class EinsumDense(Layer):
    """A product with a kernel in Einstein's notation, plus a bias, under an activation.

    Parameters
    ----------
    equation : str
        Of the input and the kernel: ``"abc,cd->abd"``.
    output_shape : int or tuple
        Without the batch.
    bias_axes : str, optional
        Letters of the result along which the bias goes.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")
    >>> layer(tf.zeros((2, 5, 3))).shape, layer.bias.shape
    (TensorShape([2, 5, 8]), TensorShape([8]))
    """

    activation: Any = activations.Setting()

    def __init__(
        self, equation: str, output_shape: Any, activation: Any = None, bias_axes: Any = None,
        kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.equation, self.bias_axes = equation, bias_axes
        self.partial = (output_shape,) if isinstance(output_shape, int) else tuple(output_shape)
        self.activation = activation
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer

    def build(self, input_shape: Any) -> None:
        """Make the kernel and the bias, whose lengths are those of their letters."""
        operands, result = self.equation.replace(" ", "").split("->")
        first, kernel = operands.split(",")
        if "." in self.equation:
            refuse(f"EinsumDense of {self.equation!r}.", "Name every axis.")
        lengths = dict(zip(result, (input_shape[0], *self.partial), strict=True))
        lengths |= dict(zip(first, input_shape, strict=True))
        shape = tuple(lengths[letter] for letter in kernel)
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = None
        if self.bias_axes:
            beginning = min(result.index(letter) for letter in self.bias_axes)
            shape = tuple(
                lengths[letter] if letter in self.bias_axes else 1 for letter in result[beginning:]
            )
            self.bias = self.add_weight(shape, self.bias_initializer, name="bias")

    def call(self, inputs: Any) -> Tensor:
        """Return the activation of the product."""
        y = einsum(self.equation, inputs, self.kernel)
        return self.activation(y if self.bias is None else tensor_of(y + self.bias))


def _masked(scores: Any, mask: Any) -> Any:
    """Return scores, very small ones where a mask is False."""
    return scores if mask is None else np.where(mask, scores, scores - 1e9)


def _earlier(scores: Any) -> np.ndarray:
    """Return True where a key is not later than the query."""
    return np.tri(*np.shape(plain(scores))[-2:], dtype=bool)


class Attention(Layer):
    """Averages of values, weighted by the products of their keys with the queries.

    Called with a list: queries, values and, if they are others, keys: [batch, steps, features].
    """

    def __init__(
        self, use_scale: bool = False, score_mode: str = "dot", dropout: float = 0.0,
        seed: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.use_scale, self.score_mode = use_scale, score_mode
        self.dropout, self.seed = dropout, seed

    def build(self, input_shape: Any) -> None:
        """Make the scale, a number, and the weight of the scores of sums."""
        self.scale = self.concat_score_weight = None
        if self.use_scale:
            self.scale = self.add_weight((), "ones", name="scale")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones", name="concat_score_weight")

    def scores(self, query: Any, key: Any) -> Any:
        """Return how well each key fits each query."""
        if self.score_mode == "concat":
            both = np.expand_dims(query, -2) + np.expand_dims(key, -3)
            both = both if self.scale is None else self.scale * both
            return self.concat_score_weight * np.sum(np.tanh(both), axis=-1)
        products = query @ np.swapaxes(key, -1, -2)
        return products if self.scale is None else products * self.scale

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Return the mask of the query."""
        return None if previous_mask is None else previous_mask[0]

    def call(
        self, inputs: Any, mask: Any = None, training: Any = False,
        return_attention_scores: bool = False, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Return the averages, and the weights on request."""
        query, value, *rest = inputs
        scores = self.scores(query, rest[0] if rest else value)
        if mask is not None and mask[1] is not None:
            scores = _masked(scores, np.expand_dims(masks.as_bools(mask[1]), -2))
        if use_causal_mask:
            scores = _masked(scores, _earlier(scores))
        weights = softmax(scores)
        if training and self.dropout:
            weights = nn.dropout(weights, self.dropout, seed=self.seed)
        y = tensor_of(weights @ value)
        if mask is not None and mask[0] is not None:
            y = tensor_of(np.where(masks.as_bools(mask[0])[..., None], y, 0))
        return (y, weights) if return_attention_scores else y


class AdditiveAttention(Attention):
    """`Attention` whose scores are sums of ``tanh(query + key)``, with a weight per feature."""

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **more: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **more)

    def build(self, input_shape: Any) -> None:
        """Make the scale, of the length of the features."""
        self.scale: Any = None
        if self.use_scale:
            self.scale = self.add_weight((input_shape[0][-1],), "glorot_uniform", name="scale")

    def scores(self, query: Any, key: Any) -> Any:
        """Return how well each key fits each query."""
        both = np.tanh(np.expand_dims(query, -2) + np.expand_dims(key, -3))
        return np.sum(both if self.scale is None else self.scale * both, axis=-1)


class MultiHeadAttention(Layer):
    """Attention by several heads, each with queries, keys and values of its own.

    Parameters
    ----------
    num_heads : int
    key_dim, value_dim : int
        Lengths of the queries and keys, and of the values, of each head.
    output_shape : int, optional
        Length of the result: that of the query if not given.

    Examples
    --------
    >>> from tapemagic import tf
    >>> layer = tf.keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    >>> x = tf.zeros((3, 5, 8))
    >>> layer(x, x, use_causal_mask=True).shape
    TensorShape([3, 5, 8])
    """

    supports_masking = True

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, dropout: float = 0.0,
        use_bias: bool = True, output_shape: Any = None, kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros", seed: Any = None, **more: Any,
    ) -> None:  # fmt: skip
        super().__init__(**more)
        self.num_heads, self.key_dim = num_heads, key_dim
        self.value_dim = value_dim or key_dim
        self.dropout, self.use_bias, self.seed = dropout, use_bias, seed
        self.width = output_shape
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer

    def _dense(self, name: str, equation: str, shape: tuple, axes: str) -> EinsumDense:
        return EinsumDense(
            equation, shape, bias_axes=axes if self.use_bias else None, name=name,
            kernel_initializer=self.kernel_initializer, bias_initializer=self.bias_initializer,
            dtype=self.dtype, **{k: v for k, v in self._rules.items() if "activity" not in k},
        )  # fmt: skip

    def build(self, query_shape: Any) -> None:
        """Make the layers of queries, keys, values and of the result."""
        heads = (None, self.num_heads, self.key_dim)
        self.query_dense = self._dense("query", "abc,cde->abde", heads, "de")
        self.key_dense = self._dense("key", "abc,cde->abde", heads, "de")
        of_values = (None, self.num_heads, self.value_dim)
        self.value_dense = self._dense("value", "abc,cde->abde", of_values, "de")
        width = self.width or query_shape[-1]
        width = width if isinstance(width, int) else width[0]
        self.output_dense = self._dense("attention_output", "abcd,cde->abe", (None, width), "e")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what `call` returns; what was given has no masks from then on, as in Keras."""
        y = super().__call__(*args, **kwargs)
        masks.drop(args, kwargs)
        return y

    def call(
        self, query: Any, value: Any, key: Any = None, query_mask: Any = None,
        value_mask: Any = None, key_mask: Any = None, attention_mask: Any = None,
        return_attention_scores: bool = False, training: Any = None, use_causal_mask: bool = False,
    ) -> Any:  # fmt: skip
        """Return the averages of all heads, brought together, and the weights on request.

        Masks of one series are those of the tensors if they are not given; `attention_mask` is
        [batch, steps of the query, steps of the values].
        """
        of_series = [
            masks.of(x) if given is None else given
            for x, given in ((query, query_mask), (value, value_mask), (key, key_mask))
        ]
        masks.drop(query, value, key)
        q, k = self.query_dense(query), self.key_dense(value if key is None else key)
        v = self.value_dense(value)
        q = q * dtype_of(q).type(1 / math.sqrt(self.key_dim))
        scores = einsum("aecd,abcd->acbe", k, q)
        allowed = [
            np.expand_dims(masks.as_bools(one), axes)
            for one, axes in zip(of_series, ((1, 3), (1, 2), (1, 2)), strict=True)
            if one is not None
        ]
        if use_causal_mask:
            allowed.append(_earlier(scores))
        if attention_mask is not None:
            given = masks.as_bools(attention_mask)
            allowed.append(given if given.ndim == 4 else np.expand_dims(given, -3))
        mask: Any = functools.reduce(np.logical_and, allowed) if allowed else None
        if mask is not None:
            scores = np.where(mask, scores, np.finfo(dtype_of(scores)).min / 2)
        weights = softmax(scores)
        # as in Keras: a query that nothing is for gets the mean of all, or, on this way, nothing
        if mask is not None and (return_attention_scores or self.dropout):
            weights = np.where(mask, weights, 0)
        kept = (
            nn.dropout(weights, self.dropout, seed=self.seed)
            if training and self.dropout
            else weights
        )
        y = self.output_dense(einsum("acbe,aecd->abcd", kept, v))
        return (y, weights) if return_attention_scores else y
