"""Statements that call more of NumPy: linear algebra, ufunc methods, keywords, dtypes, domains."""

from __future__ import annotations

import random

from .statements import Arrays, draw_name, draw_operand

#: A symmetric, positive definite matrix made of any array.
_POSITIVE = "(np.outer(np.ravel({0})[:2], np.ravel({0})[:2]) + np.diag([2.0, 3.5]))"
#: A matrix without special structure.
_MATRIX = "(np.resize({0}, (2, 2)) + np.array([[3.0, 0.5], [-0.4, 2.0]]))"

_LINALG = (
    "np.linalg.inv(M)", "np.linalg.solve(M, np.ravel({1})[:2])", "np.linalg.det(M)",
    "np.linalg.slogdet(M)[1]", "np.linalg.slogdet(M).logabsdet", "np.linalg.cholesky(S)",
    "np.linalg.eigvalsh(S)", "np.linalg.eigh(S)[0]", "np.linalg.svd(M, compute_uv=False)",
    "np.linalg.qr(M)[1]", "np.linalg.pinv(M)", "np.linalg.matrix_power(M, 3) / 20.0",
    "np.linalg.matrix_power(M, -2)", "np.linalg.lstsq(M, np.ravel({1})[:2])[0]",
    "np.linalg.multi_dot([M, S, M]) / 20.0", "np.linalg.norm(M, axis=0)", "np.linalg.norm(M, 1)",
    "np.linalg.norm(M, np.inf)", "np.linalg.norm(M, 'nuc')", "np.linalg.cond(M)", "np.kron(M, {1}) / 3",
    "np.tensordot(M, S, axes=1)", "np.einsum('ij,jk->k', M, S)", "np.einsum('ii', M)", "np.vdot(M, S)",
    "np.einsum('ij,kj->ik', M, M, optimize=True)", "np.inner(M, S)", "np.cross(np.ravel({0})[:3], np.ones(3))",
    "np.trace(M @ S)", "np.tril(M)", "np.triu({0})", "np.vander(np.ravel({0})[:3], 3)", "np.linalg.tensorsolve(M, np.ones(2))",
)  # fmt: skip
_METHODS = (
    "np.multiply.reduce({0})", "np.add.accumulate({0})", "np.multiply.accumulate({0}, axis=-1)",
    "np.add.reduceat({0}, [0, 1])", "np.multiply.outer({0}, {1})", "np.maximum.reduce({0})",
    "np.maximum.accumulate({0})", "np.logaddexp.reduce({0})", "np.minimum.reduce({0}, axis=-1)",
    "np.add.reduce({0}, axis=None, keepdims=True)", "np.multiply.reduceat({0}, [1, 0, 2])",
    "np.subtract.outer({0}, {1})", "np.add.reduce({0}, where={0} > 0)", "np.hypot.reduce({0})",
    "np.add.reduce({0}, initial=0.5)", "np.subtract.accumulate({0})", "np.subtract.reduce({0})",
)  # fmt: skip
_KEYWORDS = (
    "np.sum({0}, where={0} > 0)", "np.sum({0}, initial=1.5)", "np.mean({0}, where=np.abs({0}) < 9)",
    "np.max({0}, initial=0.2)", "np.max({0}, where={0} > 0, initial=-1.0)", "np.prod({0}, axis=-1)",
    "np.std({0}, axis=-1, ddof=0, keepdims=True)", "np.var({0}, ddof=0, axis=0)", "np.cumprod({0})",
    "np.diff({0}, n=2)", "np.diff({0}, prepend=0.5)", "np.sort({0}, axis=0)", "np.sort({0}, axis=None)",
    "np.partition({0}, 1)", "np.pad({0}, 1)", "np.pad({0}, 1, mode='edge')", "np.pad({0}, 2, mode='wrap')",
    "np.pad({0}, 1, constant_values=0.3)", "np.average({0}, axis=0)", "np.median({0})",
    "np.quantile({0}, 0.3)", "np.percentile({0}, [20, 70])", "np.interp({0}, [-2.0, 0.1, 2.0], [0.3, 1.0, -0.5])",
    "np.trapezoid({0})", "np.convolve(np.ravel({0}), np.ravel({1}))", "np.correlate(np.ravel({0}), np.ravel({1}), 'same')",
    "np.gradient(np.ravel({0}))", "np.clip({0}, -0.4, None)", "np.clip({0}, {0} * 0.5 - 0.3, 0.9)",
    "np.nan_to_num({0})", "np.select([{0} > 0.5, {0} > 0], [{0}, 2 * {0}], 0.1)", "np.choose([0, 1, 0], [{0}, {1}])",
    "np.piecewise({0}, [{0} < 0, {0} >= 0], [lambda q: -q, lambda q: q * q])", "np.delete({0}, 1)",
    "np.insert({0}, 1, {1})", "np.append({0}, {1})", "np.column_stack([{0}, {0}])", "np.hstack([{0}, {1}])",
    "np.block([[{0}, {0}], [{0}, {0}]])", "np.take_along_axis({0}, np.argsort({0}, axis=-1), axis=-1)",
    "np.unwrap({0})", "np.extract({0} > 0, {0})", "np.mod({0}, 0.7)", "np.float_power({0} * {0} + 0.5, 1.3)",
    "np.ldexp({0}, 1)", "np.copysign({0}, {1})", "np.fmax({0}, {1})", "np.cbrt({0} * {0} + 1.0)", "np.sinc({0})",
    "np.add({0}, {1}, where={0} > 0, out=np.zeros(np.broadcast_shapes(np.shape({0}), np.shape({1}))))",
    "np.fft.irfft(np.fft.rfft(np.ravel({0})) * 0.5, n=np.size({0}))", "np.abs(np.fft.fft({0}))", "np.fft.fft({0})",
    "np.apply_along_axis(lambda q: q * q.sum(), 0, {0})", "np.vectorize(lambda q: q * q + 0.1)({0})",
    "np.polyval({0}, 0.3)", "np.polyval([0.2, 0.1, 1.0], {0})", "np.histogram([0.1, 0.4, 0.9], bins=2, weights=np.ravel({0})[:3])[0]",
    "np.bincount([0, 1, 1], weights=np.ravel({0})[:3])", "np.meshgrid({0}, {0})[0]", "np.broadcast_arrays({0}, {1})[0] * 1.0",
)  # fmt: skip
#: Where a branch that was not taken has no finite value or derivative.
_DOMAINS = (
    "np.where({0} > 0, np.sqrt({0}), 0.0)", "np.where({0} == 0, 0.0, 1 / {0}) * 0.05",
    "np.where({0} > 0, np.log({0}), {0})", "np.where(np.abs({0}) < 1, np.arcsin({0}), 0.0)",
    "np.sqrt({0}, where={0} > 0, out=np.zeros(np.shape({0})))", "np.log({0}[{0} > 0])",
    "np.nansum(np.where({0} > 0, {0}, np.nan))", "np.nanmean(np.where({0} > 0, {0}, np.nan))",
    "np.nanmax(np.where({0} > 0, {0}, np.nan))", "np.nan_to_num(np.where({0} > 0, {0}, np.nan))",
    "np.select([{0} > 0], [np.sqrt({0})], 0.0)", "np.nancumsum(np.where({0} > 0, {0}, np.nan))",
    "np.minimum(np.where({0} > 0, {0}, np.inf), 0.9 + {1})", "np.maximum(np.exp(-np.where({0} > 0, {0}, np.inf)), 0.0)",
)  # fmt: skip
_DTYPES = (
    "{0}.astype(np.float32)", "np.asarray({0}, dtype=np.float32) * {1}", "np.float32(0.5) * {0}",
    "{0}.astype(np.float32).sum(dtype=np.float64)", "np.sum({0}, dtype=np.float32)", "{0}.astype(complex)",
    "np.zeros(3, np.float32) + {0}", "({0} + 0.5j) * {1}", "np.abs({0} * (1 + 2j))", "np.exp(1j * {0})",
    "np.conj({0} * 1j) * {1}", "np.angle(2.0 + 1j * {0})", "np.multiply({0}, {1}, dtype=np.float32)", "np.real_if_close({0})",
)  # fmt: skip


def linear_algebra(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
    first, second = draw_operand(rng, arrays), draw_operand(rng, arrays)
    form = rng.choice(_LINALG).replace("S", _POSITIVE).replace("M", _MATRIX)
    return f"{draw_name(rng, arrays)} = " + form.format(first, second)


def _rows(forms: tuple[str, ...]):
    def row(rng: random.Random, arrays: Arrays, values: Arrays) -> str | None:
        first, second = draw_operand(rng, arrays), draw_operand(rng, arrays)
        return f"{draw_name(rng, arrays)} = " + rng.choice(forms).format(first, second)

    return row


CALLS = (
    (linear_algebra, 1.5), (_rows(_METHODS), 1.5), (_rows(_KEYWORDS), 2.5), (_rows(_DOMAINS), 1.5),
    (_rows(_DTYPES), 0.5),
)  # fmt: skip
