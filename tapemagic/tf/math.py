"""`tf.math`: functions of elements and along axes."""

from __future__ import annotations

from . import advice, arithmetic, nn, picking, reductions, segments

globals().update(arithmetic.FUNCTIONS, **reductions.FUNCTIONS)

argsort = picking.argsort
segment_sum = segments.segment_sum
unsorted_segment_sum = segments.unsorted_segment_sum
softmax = nn.softmax
log_softmax = nn.log_softmax
in_top_k = nn.in_top_k
top_k = nn.top_k
l2_normalize = nn.l2_normalize

__getattr__ = advice.missing("tf.math")
