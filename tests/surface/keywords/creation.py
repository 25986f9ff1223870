"""Programs with every keyword of creators and of methods."""

from surface.keywords.writing import W, fill, split

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
