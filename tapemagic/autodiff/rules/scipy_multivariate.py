"""The normal distribution of several variables of `scipy.stats`. Imported with its rules.

With ``z = C^-1 (x - mean)``, the logarithm of the density moves with -z in x, with z in the mean
and with ``(z z^T - C^-1) / 2`` in the matrix, of which SciPy reads the lower triangle.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np
from scipy import stats

from tapemagic.autodiff import leaks
from tapemagic.autodiff.later import OBJECTS, StandIn
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, register
from tapemagic.errors import NoRuleError

from .algebra import apply, as_array, is_live, plain


def _unsupported(method: str, what: str) -> NoRuleError:
    return leaks.locate(
        NoRuleError(
            f"scipy.stats.multivariate_normal.{method} has no derivative rule with {what}.",
            fix="Use logpdf or pdf, with points, mean and a regular matrix as arrays.",
        )
    )


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


def _double(x: Any) -> Any:
    """Return an array in the precision that SciPy computes in here, whatever it is given."""
    x = as_array(x)
    return x if x.dtype == np.float64 else x.astype(np.float64)


def _parameters(mean: Any, cov: Any) -> tuple[Any, Any]:
    """Return a mean and a matrix, of what SciPy takes for them."""
    cov = _double(cov)
    mean = np.zeros(cov.shape[0] if cov.ndim > 1 else 1) if mean is None else _double(mean)
    mean = np.reshape(mean, -1)
    return mean, cov if cov.ndim > 1 else cov * np.eye(mean.shape[0])


def _logpdf(x: Any, mean: Any = None, cov: Any = 1, allow_singular: bool = False) -> Any:
    if not any(map(is_live, (x, mean, cov))):
        return fresh(stats.multivariate_normal.logpdf(*plain((x, mean, cov)), allow_singular))
    if isinstance(cov, stats.Covariance):
        raise _unsupported("logpdf", "such a matrix")
    try:
        stats.multivariate_normal.logpdf(*plain((x, mean, cov)))  # SciPy's own errors
    except np.linalg.LinAlgError:
        if not allow_singular:
            raise
        raise _unsupported("logpdf", "a singular matrix") from None
    mean, cov = _parameters(mean, cov)
    return apply(_log_density, _double(x), mean, np.tril(cov) + np.tril(cov, -1).T)


class _Normal(StandIn):
    """What has the methods of the distribution: some are carried out, the rest takes no handles."""

    _known: tuple = ()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._original)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name.startswith("_") or not isinstance(value, MethodType):
            return value

        def called(*args: Any, **kwargs: Any) -> Any:
            if any(map(is_live, (*args, *kwargs.values(), *self._known))):
                raise _unsupported(name, "traced values")
            return fresh(value(*plain(args), **plain(kwargs)))

        return called


class FrozenNormal(_Normal):
    """Stands for a distribution with fixed parameters, which may be traced."""

    def __init__(self, original: Any, mean: Any = None, cov: Any = 1) -> None:
        super().__init__(original)
        self._known = original.mean, original.cov
        if is_live(mean) or is_live(cov):
            self._known = _parameters(mean, cov)
        self.mean, self.cov = self._known

    def logpdf(self, x: Any) -> Any:
        """Return the logarithm of the density."""
        if not any(map(is_live, (x, *self._known))):
            return fresh(self._original.logpdf(plain(x)))
        return _logpdf(x, self.mean, self.cov, self._original.allow_singular)

    def pdf(self, x: Any) -> Any:
        """Return the density."""
        return np.exp(self.logpdf(x))


class MultivariateNormal(_Normal):
    """Stands for `multivariate_normal` in a cell."""

    def logpdf(self, *args: Any, **kwargs: Any) -> Any:
        """Return the logarithm of the density."""
        return _logpdf(*args, **kwargs)

    def pdf(self, *args: Any, **kwargs: Any) -> Any:
        """Return the density."""
        return np.exp(_logpdf(*args, **kwargs))

    def __call__(self, mean: Any = None, cov: Any = 1, *args: Any, **kwargs: Any) -> Any:
        """Return the distribution with fixed parameters."""
        frozen = self._original(*plain((mean, cov, *args)), **plain(kwargs))
        return frozen if RECORDER.recording is None else FrozenNormal(frozen, mean, cov)


register(stats.multivariate_normal, MultivariateNormal(stats.multivariate_normal))
OBJECTS[type(stats.multivariate_normal())] = FrozenNormal
