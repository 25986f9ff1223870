"""Programs that use every keyword of every function, family by family."""

from itertools import product


def fill(names, lines):
    """Put every name into every line."""
    return [line.format(name) for name, line in product(names.split(), split(lines))]


def split(lines):
    return [line.strip() for line in lines.strip().splitlines()]


W = "np.array([[True, False, True], [True, True, False]])"

REDUCTIONS = [
    *fill(
        "sum prod max min amax amin mean var std ptp nansum nanprod nanmax nanmin nanmean nanvar"
        " nanstd median nanmedian",
        """
        np.{}(T, axis=None)
        np.{}(T, axis=1)
        np.{}(T, axis=-1, keepdims=True)
        np.{}(T, axis=(0, 2))
        np.{}(T, axis=(2, 0), keepdims=True)
        np.{}(A, None, keepdims=True)
        np.{}(A, axis=0, out=np.empty(3))
        """,
    ),
    *fill("median nanmedian", "np.{}(A, axis=1, overwrite_input=True)"),
    *fill(
        "sum prod mean var std nansum nanprod nanmean nanvar nanstd",
        f"""
        np.{{}}(A, axis=1, dtype=np.float32)
        np.{{}}(A, 1, np.complex128)
        np.{{}}(A, axis=1, where={W})
        np.{{}}(A, where=A > 0, keepdims=True)
        """,
    ),
    *fill(
        "sum prod max min amax amin nansum nanprod nanmax nanmin",
        f"""
        np.{{}}(A, axis=1, initial=0.25)
        np.{{}}(A, axis=0, initial=0.25, where={W})
        np.{{}}(A, axis=1, initial=s)
        """,
    ),
    *fill(
        "var std nanvar nanstd",
        """
        np.{}(A, axis=1, ddof=1)
        np.{}(A, axis=1, correction=1)
        np.{}(T, axis=(0, 1), ddof=0.5, keepdims=True)
        np.{}(A, axis=1, mean=np.mean(A, axis=1, keepdims=True))
        np.{}(A, axis=1, mean=B[:, :1])
        """,
    ),
    *fill(
        "nansum nanprod nanmax nanmin nanmean nanvar nanstd nanmedian",
        """
        np.{}(np.sqrt(A), axis=1)
        np.{}(np.sqrt(A), axis=(0, 1), keepdims=True)
        """,
    ),
    *fill(
        "nanvar nanstd",
        """
        np.{}(np.sqrt(A), axis=1, mean=B[:, :1])
        np.{}(np.sqrt(A), axis=1, ddof=0.5, where=B > 0)
        np.{}(np.sqrt(A), axis=0, mean=r, where=B > -1, keepdims=True)
        """,
    ),
    *fill(
        "cumsum cumprod nancumsum nancumprod",
        """
        np.{}(T)
        np.{}(T, axis=1)
        np.{}(A, 1, np.float32)
        np.{}(A, 1, dtype=np.complex128)
        np.{}(A, axis=0, out=np.empty((2, 3)))
        """,
    ),
    *fill(
        "cumulative_sum cumulative_prod",
        """
        np.{}(x, include_initial=True)
        np.{}(A, axis=1, include_initial=True)
        np.{}(A, axis=0, dtype=np.float32)
        np.{}(A, axis=0, out=np.empty((2, 3)))
        """,
    ),
    *fill(
        "quantile nanquantile percentile nanpercentile",
        """
        np.{}(A, 0.3, axis=0)
        np.{}(A, [0.2, 0.6], axis=(0, 1), keepdims=True)
        np.{}(A, 0.7, 1, out=np.empty(2))
        np.{}(A, 0.7, axis=1, overwrite_input=True)
        np.{}(x, 0.4, weights=np.array([1.0, 2.0, 1.0, 0.5, 1.0]), method='inverted_cdf')
        """,
    ),
    *[
        f"np.{name}(x, [0.13, 0.44, 0.9], method={method!r})"
        for name in ("quantile", "percentile", "nanquantile", "nanpercentile")
        for method in (
            "inverted_cdf", "averaged_inverted_cdf", "closest_observation",
            "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased", "normal_unbiased",
            "linear", "lower", "higher", "midpoint", "nearest",
        )
    ],
    *split(
        """
        np.average(A, axis=1)
        np.average(A, axis=(0, 1), weights=B ** 2)
        np.average(A, axis=1, weights=r, returned=True)
        np.average(A, axis=1, weights=r, keepdims=True)
        np.trace(T, offset=1)
        np.trace(T, offset=0, axis1=2, axis2=1)
        np.trace(M, dtype=np.float32)
        np.trace(T, 0, 0, 1, None, out=np.empty(3))
        np.linalg.trace(T, offset=1)
        np.linalg.trace(T, dtype=np.complex128)
        np.diff(A, n=2, axis=1)
        np.diff(A, axis=0, prepend=B)
        np.diff(A, axis=1, prepend=0.5, append=B[:, :1])
        np.ediff1d(A, to_end=x, to_begin=s)
        np.trapezoid(A, dx=0.5)
        np.trapezoid(A, x=r, axis=1)
        np.trapezoid(A, B, axis=0)
        np.gradient(A)
        np.gradient(A, axis=1)
        np.gradient(A, axis=(1, 0))
        np.gradient(A, 0.5, r * r, axis=None)
        np.gradient(x, edge_order=2)
        np.gradient(x, np.cumsum(p), edge_order=2)
        np.gradient(x, s)
        np.unwrap(4 * A, axis=0)
        np.unwrap(4 * x, discont=4.0)
        np.unwrap(4 * x, period=3.0)
        np.cov(A, y=B)
        np.cov(A, rowvar=False)
        np.cov(A, bias=True)
        np.cov(A, ddof=0)
        np.cov(A, fweights=np.array([1, 2, 3]))
        np.cov(A, aweights=r ** 2)
        np.cov(A, dtype=np.float32)
        np.corrcoef(A, y=B, rowvar=False)
        np.corrcoef(A, dtype=np.float32)
        np.count_nonzero(A, axis=1, keepdims=True) * A
        np.histogram(x, 3, range=(-2.0, 2.0), weights=p)
        np.histogram(x, bins=4, density=True, weights=p)
        np.histogram(x, bins='sturges')
        np.histogram2d(x, y, bins=3, range=[[-2, 2], [-3, 3]], density=True, weights=p)
        np.histogramdd(A, bins=2, range=[(-2, 2)] * 3, density=False, weights=s * np.ones(2))
        np.histogramdd(A, bins=2, density=True)
        np.histogram_bin_edges(x, bins=4, range=None, weights=p)
        np.bincount(np.array([0, 2, 1, 0, 2]), weights=x, minlength=6)
        np.interp(u, r, t, left=s, right=2.0)
        np.interp(x, np.sort(v), y, period=2.0)
        np.interp(x, np.sort(v), y)
        """
    ),
]  # fmt: skip

SHAPES = split(
    """
    np.reshape(A, (3, -1), order='F')
    np.reshape(A, shape=(6,), copy=True)
    np.reshape(A.T, 6, order='A')
    np.reshape(A, 6, copy=False)
    np.reshape(A.T, 6, copy=False)
    np.ravel(T, order='F')
    np.ravel(A.T, order='K')
    np.ravel(A.T, order='A')
    np.resize(A, new_shape=(4, 4))
    np.transpose(T, axes=(1, 2, 0))
    np.transpose(T, (-1, 0, 1))
    np.swapaxes(T, axis1=0, axis2=-1)
    np.moveaxis(T, source=(0, 1), destination=(2, 0))
    np.rollaxis(T, axis=2, start=1)
    np.expand_dims(A, axis=(0, 2))
    np.squeeze(A[None, :, None], axis=(0, 2))
    np.squeeze(A[None], axis=1)
    np.atleast_1d(s, x)
    np.atleast_2d(s, x)
    np.atleast_3d(s, x, A)
    np.broadcast_to(r, shape=(2, 3))
    np.broadcast_to(r, (2, 3), subok=True)
    np.broadcast_arrays(A, r, s, subok=True)
    np.flip(T, axis=(0, 2))
    np.flip(T)
    np.rot90(T, k=3, axes=(1, 2))
    np.roll(A, shift=(1, 2), axis=(0, 1))
    np.roll(A, 2)
    np.copy(A.T, order='F', subok=True)
    np.astype(x, np.float32)
    np.astype(x, np.complex128, copy=False)
    np.astype(x, np.float64, copy=False, device='cpu')
    np.concatenate([A, B], axis=None)
    np.concatenate((A, B), 1, dtype=np.float32, casting='same_kind')
    np.concatenate([A, B], dtype=np.float32, casting='safe')
    np.concatenate([A, B], axis=0, out=np.empty((4, 3)))
    np.stack([A, B], axis=-1, dtype=np.complex128, casting='unsafe')
    np.stack([A, B], axis=1, out=np.empty((2, 2, 3)))
    np.vstack([A, B], dtype=np.float32, casting='unsafe')
    np.hstack([A, B], dtype=np.float32, casting='same_kind')
    np.block([[s, x], [x, s]])
    np.append(A, B, axis=1)
    np.insert(A, 1, r, axis=0)
    np.insert(A, [0, 2], s, axis=1)
    np.insert(x, slice(1, 4, 2), t[:2])
    np.delete(A, 1, axis=1)
    np.delete(x, [0, -1])
    np.delete(x, x > 1)
    np.array_split(T, 2, axis=2)
    np.split(T, indices_or_sections=[1, 2], axis=-1)
    np.unstack(T, axis=1)
    np.tile(A, reps=(2, 1, 2))
    np.repeat(A, repeats=[1, 3], axis=0)
    np.repeat(A, 2)
    np.take(A, [[0, -1], [1, 1]], axis=1)
    np.take(A, [7, -9], mode='wrap')
    np.take(A, [7, -9], mode='clip')
    np.take(A, [0, 1], axis=0, out=np.empty((2, 3)), mode='clip')
    np.take(A, [7], axis=0)
    np.take_along_axis(A, np.array([[2], [0]]), axis=-1)
    np.take_along_axis(A, np.array([0, 5, 5]), axis=None)
    np.where(A > 0, A, r)
    np.compress([True, False, True], A, axis=1)
    np.compress([True, False, True], A)
    np.compress([False, True], A, axis=0, out=np.empty((1, 3)))
    np.choose(np.array([0, 3, -1, 1, 4]), [x, y], mode='wrap')
    np.choose(np.array([0, 3, -1, 1, 4]), [x, y], mode='clip')
    np.choose(np.array([0, 1, 0, 1, 1]), [x, y], out=np.empty(5))
    np.choose(np.array([0, 3, 0, 1, 4]), [x, y])
    np.select([x > 1, x > 0], [x, y], default=s)
    np.piecewise(x, [x < 0, x > 1], [lambda a, k, b=1: a * a * k * b, 2.0, np.sin], 3, b=s)
    np.clip(x, min=-0.5, max=y)
    np.clip(x, y, None)
    np.clip(x, None, 0.5, out=np.empty(5))
    np.clip(x, -0.5, 0.5, dtype=np.float32)
    np.clip(x, a_min=-0.5, a_max=0.5, casting='unsafe')
    np.clip(A, -0.5, r, where=A > 0, out=B * 1.0)
    np.diagonal(T, offset=1, axis1=1, axis2=2)
    np.diag(M, k=-1)
    np.diag(x, k=2)
    np.diagflat(A, k=1)
    np.linalg.diagonal(T, offset=-1)
    np.tril(M, k=1)
    np.triu(T, k=-1)
    np.vander(x, N=4, increasing=True)
    np.trim_zeros(np.concatenate([[0.0], x, [0.0, 0.0]]), trim='b')
    np.trim_zeros(np.pad(A, 1), axis=1)
    np.meshgrid(x, r, indexing='ij', sparse=True, copy=False)
    np.meshgrid(x, r, s)
    np.nan_to_num(x / (x > 0), copy=True, nan=s, posinf=2.0, neginf=-2.0)
    np.nan_to_num(np.log(x), nan=1.5)
    z = np.log(x); np.nan_to_num(z, copy=False, nan=1.5); return z
    np.real_if_close(x + 1e-14j, tol=1000)
    np.angle(x + 1j * y, deg=True)
    np.round(x, decimals=1) * x
    np.round(x, 1, out=np.empty(5)) * x
    np.around(x, decimals=1, out=np.empty(5)) * x
    np.fix(x, out=np.empty(5)) * x
    np.zeros_like(A, dtype=np.float32, order='F', subok=False, shape=(5,), device='cpu') + x
    np.ones_like(A, dtype=complex, order='F', subok=False, shape=(5,)) * x
    np.ones_like(A, device='cpu') * r
    np.empty_like(A, dtype=float, order='F', subok=False, shape=(5,), device='cpu') * 0 + x
    np.full_like(x, s, dtype=np.float32, order='C', subok=False, shape=(2, 2), device='cpu')
    np.full_like(x, r, shape=(2, 3))
    np.sort(A, axis=0, kind='heapsort')
    np.sort(A, axis=None)
    np.sort(A, stable=True)
    np.sort(A, order='f')
    np.partition(A, kth=1, axis=0, kind='introselect')
    np.partition(A, 2, axis=None)
    np.partition(A, 2, order='f')
    np.unique(A, return_index=True, return_inverse=True, return_counts=True)
    np.unique(A, axis=0)
    np.unique(A, equal_nan=False, sorted=True)
    np.intersect1d(x, x[:3], assume_unique=True, return_indices=True)
    np.setdiff1d(x, x[:2], assume_unique=True)
    np.setxor1d(x, x[:2], assume_unique=True)
    np.lib.stride_tricks.sliding_window_view(T, 2, axis=1)
    np.lib.stride_tricks.sliding_window_view(A, (2, 2), subok=True) * 1.0
    z = x * 1.0; np.lib.stride_tricks.sliding_window_view(z, 2, writeable=True)[0] = s; return z
    np.lib.stride_tricks.as_strided(x, shape=(2, 2), strides=(8, 8), subok=True, writeable=False)
    np.pad(A, 1, mode='constant', constant_values=((s, 2.0), (0.0, 1.0)))
    np.pad(A, ((1, 0), (0, 2)), mode='linear_ramp', end_values=1.5)
    np.pad(x, (3, 4), mode='maximum', stat_length=2)
    np.pad(x, (3, 4), mode='minimum')
    np.pad(x, (3, 4), mode='mean', stat_length=(2, 3))
    np.pad(x, (3, 4), mode='median')
    np.pad(x, (7, 6), mode='reflect', reflect_type='odd')
    np.pad(x, (7, 6), mode='symmetric', reflect_type='even')
    np.pad(x, (7, 6), mode='symmetric', reflect_type='odd')
    np.pad(x, (7, 6), mode='wrap')
    np.pad(x, 1, mode='empty')[1:-1]
    z = x * 1.0; np.copyto(z, y, casting='no', where=x > 0); return z
    z = x * 1.0; np.copyto(z, s); return z
    z = x * 1.0; np.put(z, [7, -9], r[:2], mode='wrap'); return z
    z = x * 1.0; np.put(z, [7, -9], r[:2], mode='clip'); return z
    z = x * 1.0; np.put(z, [7, -9], r[:2]); return z
    z = np.zeros((7, 3)); np.fill_diagonal(z, r, wrap=True); return z
    z = A * 1.0; np.put_along_axis(z, np.array([[2, 0]]), s, axis=None); return z
    """
)

PRODUCTS = split(
    """
    np.dot(A, M, out=np.empty((2, 3)))
    np.outer(x, r, out=np.empty((5, 3)))
    np.tensordot(T, A, axes=2)
    np.tensordot(T, T, axes=[(0, 2), (0, 2)])
    np.linalg.tensordot(T, A, axes=((1,), (0,)))
    np.cross(T, A, axisa=2, axisb=1, axisc=0)
    np.cross(A.T, B.T, axis=0)
    np.cross(A[:, :2], B)
    np.linalg.cross(A.T, B.T, axis=0)
    np.linalg.vecdot(A, B, axis=0)
    np.einsum('ij,jk->ki', A, M, optimize=True)
    np.einsum('ij,ij', A, B, optimize='optimal')
    np.einsum('ij->j', A, out=np.empty(3))
    np.einsum('ij,jk', A, M, dtype=np.float32, casting='same_kind')
    np.einsum('ij,j->i', A, r, order='F')
    np.einsum(A, [0, 1], M, [1, 2], [2, 0])
    np.einsum('...j,j', T, r)
    np.linalg.multi_dot([A, M, M], out=np.empty((2, 3)))
    np.linalg.pinv(A, rcond=1e-10)
    np.linalg.pinv(M + M.T, hermitian=True)
    np.linalg.pinv(A, rtol=1e-12)
    np.linalg.lstsq(A.T, B.T, rcond=1e-10)
    np.linalg.tensorinv(np.reshape(M, (3, 1, 3)), ind=2)
    np.linalg.tensorsolve(np.reshape(M, (3, 3, 1)), r, axes=(1,))
    np.linalg.cholesky(M @ M.T, upper=True)
    np.linalg.eigh(M @ M.T, UPLO='U')[0]
    np.linalg.eigvalsh(M @ M.T, UPLO='U')
    np.linalg.svd(A, full_matrices=True)[1]
    np.linalg.svd(A, compute_uv=False)
    np.linalg.svd(M + M.T, full_matrices=False, hermitian=True)[1]
    np.linalg.svd(M + M.T, True, False, hermitian=True)
    np.abs(np.linalg.qr(M, mode='r'))
    np.abs(np.linalg.qr(A.T, mode='reduced')[0])
    np.abs(np.linalg.qr(M, mode='complete')[0])
    np.linalg.norm(A, ord='fro', axis=(0, 1), keepdims=True)
    np.linalg.norm(T, ord=2, axis=(1, 2))
    np.linalg.norm(T, ord=-2, axis=(2, 1), keepdims=True)
    np.linalg.norm(T, ord=-1, axis=(1, 2))
    np.linalg.norm(T, ord=-np.inf, axis=(1, 2))
    np.linalg.norm(A, ord=2.5, axis=0)
    np.linalg.norm(A, ord=-1, axis=0)
    np.linalg.norm(A, ord=-np.inf, axis=1, keepdims=True)
    np.linalg.norm(A, ord=0, axis=1) + s
    np.linalg.norm(T)
    np.linalg.matrix_norm(T, ord='nuc', keepdims=True)
    np.linalg.vector_norm(T, axis=(0, 1), ord=3, keepdims=True)
    np.linalg.cond(M, p='fro')
    np.linalg.cond(M, p=1)
    np.linalg.cond(M, p=-2)
    np.convolve(x, r, mode='same')
    np.convolve(r, x, mode='valid')
    np.correlate(x, r, mode='same')
    np.correlate(x, r)
    np.polyder(x, m=2)
    np.polyint(x, m=2, k=[s, 1.0])
    np.polyint(x, k=s)
    np.polyfit(np.arange(5.0), y, 2, rcond=1e-12)
    np.polyfit(np.arange(5.0), y, 2, w=p)
    np.polyfit(np.arange(5.0), y, 2, full=True)[0]
    np.polyfit(np.arange(5.0), y, 1, cov=True)
    np.polyfit(np.arange(5.0), y, 1, cov='unscaled', w=p)
    """
)

FOURIER = [
    *fill(
        "fft ifft rfft irfft hfft ihfft",
        """
        np.fft.{}(x, n=8)
        np.fft.{}(x, n=3)
        np.fft.{}(A, axis=0)
        np.fft.{}(x, norm='ortho')
        np.fft.{}(A, None, 1, 'forward')
        np.fft.{}(A, norm='backward')
        """,
    ),
    *fill(
        "fft2 ifft2 rfft2 irfft2 fftn ifftn rfftn irfftn",
        """
        np.fft.{}(T, s=(3, 2), axes=(0, 2))
        np.fft.{}(T, axes=(2, 0))
        np.fft.{}(A, norm='ortho')
        np.fft.{}(A, s=(4, 4), axes=(0, 1), norm='forward')
        """,
    ),
    *fill("fft ifft", "np.fft.{}(x, out=np.empty(5, complex))"),
    *fill("fft2 ifft2 fftn ifftn", "np.fft.{}(A, out=np.empty((2, 3), complex))"),
    *split(
        """
        np.fft.rfft(x, out=np.empty(3, complex))
        np.fft.ihfft(x, out=np.empty(3, complex))
        np.fft.irfft(x + 1j * y, out=np.empty(8))
        np.fft.hfft(x + 1j * y, out=np.empty(8))
        np.fft.rfft2(A, out=np.empty((2, 2), complex))
        np.fft.rfftn(A, out=np.empty((2, 2), complex))
        np.fft.irfft2(A + 1j * B, out=np.empty((2, 4)))
        np.fft.irfftn(A + 1j * B, out=np.empty((2, 4)))
        np.fft.fftshift(A, axes=1)
        np.fft.ifftshift(A, axes=(0, 1))
        """
    ),
]

CREATION = split(
    """
    np.array(A, dtype=np.float32)
    np.array([x, y], dtype=complex, order='F')
    np.array(A, copy=True, order='K', subok=True, ndmin=3)
    np.array([[s, 1], [2, s]], ndmax=1)
    np.asarray([s, 2.0], dtype=np.float32, order='C', device='cpu', copy=True)
    np.asarray(A, copy=False) * 2
    np.asanyarray(A, dtype=np.complex128, order='F', device='cpu', copy=None)
    np.ascontiguousarray(A.T, dtype=np.float32)
    np.asfortranarray(A, dtype=np.complex128)
    np.asarray_chkfinite(A, dtype=np.float32, order='F')
    np.require(A, dtype=np.float32, requirements=['F', 'W'])
    np.full((2, 3), fill_value=r, dtype=np.float32, order='F', device='cpu')
    np.fromiter([s, 2 * s, 1.0], dtype=np.float64, count=2)
    np.fromfunction(lambda i, j: s * i + j * r[0], (2, 3), dtype=float)
    np.linspace(s, r, num=4, endpoint=False, retstep=True, axis=1, device='cpu')
    np.linspace(s, 2.0, 4, dtype=np.float32)
    np.logspace(s, 1.0, num=4, endpoint=False, base=3.0, dtype=np.float64, axis=0)
    np.logspace(r, 1.0, num=4, base=p[0], axis=-1)
    np.geomspace(s, 8.0, num=4, endpoint=False, dtype=np.complex128, axis=0)
    np.geomspace(p, g, num=4, axis=1)
    np.arange(s, 3.0, 0.5, dtype=np.float32)
    np.arange(start=s, stop=3.0, step=r[0], device='cpu')
    z = np.zeros((2, 3), dtype=np.float32, order='F', device='cpu'); z[:] = A; return z
    z = np.ones(shape=3, dtype=complex, order='C', device='cpu'); z *= r; return z
    z = np.empty(3, dtype=float, order='F', device='cpu'); z[:] = r; return z
    z = np.eye(3, M=4, k=1, dtype=np.float32, order='F', device='cpu'); z[0] = s; return z
    z = np.identity(3, dtype=np.float32); z[0] = s; return z
    z = np.tri(3, M=4, k=1, dtype=float); z[0] = s; return z
    np.kaiser(M=5, beta=s)
    np.indices((5,), dtype=float, sparse=True)[0] * x
    np.vectorize(lambda a, k: a * k, otypes=[float], excluded={1}, cache=True)(x, 3.0)
    np.vectorize(pyfunc=lambda a: a * s, doc='text', signature='(n)->(n)')(A)
    np.apply_along_axis(lambda a, k, b: a * k + b, 1, A, 2.0, b=s)
    np.apply_over_axes(np.sum, T, axes=(0, 2))
    np.size(A, axis=1) * x
    np.array2string(x, precision=2) and x * 1.0
    """
)

METHODS = [
    *fill(
        "sum prod max min mean var std",
        """
        T.{}(axis=(0, 2), keepdims=True)
        A.{}(1, out=np.empty(2))
        """,
    ),
    *fill("sum prod mean var std", f"A.{{}}(1, np.float32)\nA.{{}}(axis=1, where={W})"),
    *fill("sum prod max min", f"A.{{}}(axis=1, initial=0.25, where={W})"),
    *fill("var std", "A.{}(axis=1, ddof=1)"),
    *fill("var std", "A.{}(axis=1, mean=np.mean(A, axis=1, keepdims=True))"),
    *fill("cumsum cumprod", "A.{}(axis=1, dtype=np.float32)\nA.{}(1, out=np.empty((2, 3)))"),
    *split(
        """
        x.astype(np.float32, order='K', casting='unsafe', subok=True, copy=True)
        x.astype(np.float32, casting='safe')
        x.clip(min=-0.5, max=y, out=np.empty(5))
        x.clip(-0.5, where=x < 1, out=y * 1.0)
        A.compress([True, False, True], axis=1)
        A.compress(condition=[True, False], axis=0, out=np.empty((1, 3)))
        A.copy(order='F')
        T.diagonal(offset=1, axis1=1, axis2=2)
        A.dot(M, out=np.empty((2, 3)))
        A.flatten(order='F')
        A.item(1, 2) * A
        A.item((1, 2)) * A
        z = A * 1.0; z.partition(1, axis=0, kind='introselect'); return z
        z = A * 1.0; z.sort(axis=0, kind='stable'); return z
        z = A * 1.0; z.sort(stable=True); return z
        z = A * 1.0; z.put([7, -9], [s, 2.0], mode='wrap'); return z
        z = x * 1.0; z.resize((2, 4), refcheck=False); return z
        A.T.ravel(order='K')
        A.repeat([1, 2], axis=0)
        A.reshape((3, 2), order='F')
        A.reshape(3, 2, copy=True)
        x.round(decimals=1, out=np.empty(5)) * x
        A[None].squeeze(axis=0)
        A.take([0, 2], axis=1, mode='wrap')
        A.take([0, 1], axis=0, out=np.empty((2, 3)), mode='clip')
        T.trace(offset=1, axis1=1, axis2=2)
        M.trace(dtype=np.float32)
        T.trace(out=np.empty(3))
        T.transpose()
        T.transpose((1, 2, 0))
        x.view(np.float64) * x
        x.view(type=np.ndarray) * x
        (x + 1j * y).view(np.float64)
        A.argmax(axis=1, keepdims=True) * A
        A.argsort(axis=0, kind='stable', stable=None) * A
        """
    ),
]  # fmt: skip

FAMILIES = {
    "reductions": REDUCTIONS, "shapes": SHAPES, "products": PRODUCTS, "fourier": FOURIER,
    "creation": CREATION, "methods": METHODS,
}  # fmt: skip
