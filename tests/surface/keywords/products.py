"""Programs with every keyword of products, linear algebra, polynomials and Fourier transforms."""

from surface.keywords.writing import fill, split

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
