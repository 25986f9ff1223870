"""The normal distribution of several variables of `scipy.stats`. Imported with its rules.

With ``z = C^-1 (x - mean)``, the logarithm of the density moves with -z in x, with z in the mean
and with ``(z z^T - C^-1) / 2`` in the matrix, of which SciPy reads the lower triangle.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np
from scipy import stats

from tapemagic.autodiff.later import StandIn
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.twinning import fresh, register

from .algebra import apply, as_array, is_live, plain
from .carrying import unsupported

_ADVICE = "Give points, mean and a regular matrix as arrays."


def _log_density(x: Any, mean: Any, cov: Any, **options: Any) -> Any:
    return stats.multivariate_normal.logpdf(x, mean, cov, **options)


def _points(ct: Any, x: Any, mean: Any, cov: Any) -> tuple[Any, Any]:
    """Return the cotangents in a row, and ``C^-1 (x - mean)`` for each point."""
    z = np.linalg.solve(cov, (np.reshape(x, (-1, mean.shape[0])) - mean).T).T
    return np.reshape(ct, (-1, 1)), z


def _by_x(ct: Any, y: Any, x: Any, mean: Any, cov: Any, **_: Any) -> Any:
    row, z = _points(ct, x, mean, cov)
    return np.reshape(-row * z, x.shape)


def _by_mean(ct: Any, y: Any, x: Any, mean: Any, cov: Any, **_: Any) -> Any:
    row, z = _points(ct, x, mean, cov)
    return np.sum(row * z, axis=0)


def _by_matrix(ct: Any, y: Any, x: Any, mean: Any, cov: Any, **_: Any) -> Any:
    row, z = _points(ct, x, mean, cov)
    return (z.T @ (row * z) - np.sum(ct) * np.linalg.inv(cov)) / 2


general(_log_density, _by_x, _by_mean, _by_matrix, name="multivariate_normal.logpdf")


def _logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    if not any(map(is_live, (x, mean, cov))):
        return fresh(stats.multivariate_normal.logpdf(*plain((x, mean, cov)), allow_singular))
    if allow_singular or isinstance(cov, stats.Covariance):
        raise unsupported(stats.multivariate_normal.logpdf, "such a matrix", _ADVICE)
    stats.multivariate_normal.logpdf(*plain((x, mean, cov)))  # SciPy's own errors
    x, cov = as_array(x), as_array(cov)
    if mean is None:
        mean = np.zeros(cov.shape[0] if cov.ndim > 1 else 1)
    mean = np.reshape(as_array(mean), -1)
    if cov.ndim < 2:
        cov = cov * np.eye(mean.shape[0])
    return apply(_log_density, x, mean, np.tril(cov) + np.tril(cov, -1).T)


class MultivariateNormal(StandIn):
    """Stands for `multivariate_normal` in a cell."""

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def logpdf(self, *args: Any, **kwargs: Any) -> Any:
        """Return the logarithm of the density."""
        return _logpdf(*args, **kwargs)

    def pdf(self, *args: Any, **kwargs: Any) -> Any:
        """Return the density."""
        return np.exp(_logpdf(*args, **kwargs))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the distribution with fixed parameters, which have to be plain."""
        return self._original(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name.startswith("_") or not isinstance(value, MethodType):
            return value

        def called(*args: Any, **kwargs: Any) -> Any:
            if any(map(is_live, (*args, *kwargs.values()))):
                raise unsupported(value, "traced values", _ADVICE)
            return fresh(value(*plain(args), **plain(kwargs)))

        return called


register(stats.multivariate_normal, MultivariateNormal(stats.multivariate_normal))
