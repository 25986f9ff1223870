"""`tf.math`: functions of elements and along axes."""

from __future__ import annotations

from . import advice, arithmetic, counting, nn, picking, reductions, segments
from . import special as specials

globals().update(arithmetic.FUNCTIONS, **reductions.FUNCTIONS, **segments.FUNCTIONS)
globals().update(specials.FUNCTIONS, **counting.FUNCTIONS)
special = specials.special

argsort = picking.argsort
softmax = nn.softmax
log_softmax = nn.log_softmax
in_top_k = nn.in_top_k
top_k = nn.top_k
softsign = nn.softsign

__getattr__ = advice.missing("tf.math")
