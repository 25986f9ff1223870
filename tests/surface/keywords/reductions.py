"""Programs with every keyword of reductions, differences, statistics and histograms."""

from surface.keywords.writing import W, fill, split

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
        np.{}(T, axis=2, ddof=1, where=T > -1)
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
