"""Workloads of other derivatives than gradients: Jacobian, Hessian, Hessian-vector product.

The hand-written side is the formula that a person would derive on paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .workloads import _random, workload

# ------------------------------------------------------------------------------- Jacobian


def _tanh_jacobian(x: Any, a: Any) -> list:
    y = np.tanh(a @ x)
    return [(1 - y * y)[:, None] * a]


@workload(
    "Jacobian 200 x 200 of tanh(A @ x)",
    3,
    lambda: ([_random(200)], [_random(200, 200, seed=1, scale=0.07)]),
    _tanh_jacobian,
    derivative="jacobian",
)
def _tanh(np: Any, x: Any, a: Any) -> Any:
    return np.tanh(a @ x)


# ------------------------------------------------------------------------------ Rosenbrock


def _rosenbrock(np: Any, x: Any, *direction: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _bands(x: Any) -> tuple[Any, Any]:
    diagonal = np.empty_like(x)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[-1] = 0
    diagonal[1:] += 200
    return diagonal, -400 * x[:-1]


def _rosenbrock_hessian(x: Any) -> list:
    diagonal, beside = _bands(x)
    return [np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)]


def _rosenbrock_product(x: Any, v: Any) -> list:
    diagonal, beside = _bands(x)
    product = diagonal * v
    product[:-1] += beside * v[1:]
    product[1:] += beside * v[:-1]
    return [product]


workload(
    "Hessian, 100 variables (Rosenbrock)",
    8,
    lambda: ([_random(100)], []),
    _rosenbrock_hessian,
    derivative="hessian",
)(_rosenbrock)
workload(
    "Hessian-vector product",
    5,
    lambda: ([_random(100)], [_random(100, seed=1)]),
    _rosenbrock_product,
    derivative="hvp",
)(_rosenbrock)
