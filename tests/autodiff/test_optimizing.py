"""What users of scipy.optimize and scikit-learn do with gradients, where those are installed."""

import numpy as np
import pytest

import tapemagic

optimize = pytest.importorskip("scipy.optimize")

START = np.array([-1.2, 1.0, 0.5])


def rosenbrock(x, scale=100.0):
    return np.sum(scale * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "SLSQP"])
def test_jac_true(method):
    fun = tapemagic.value_and_grad(rosenbrock)
    found = optimize.minimize(fun, START, jac=True, method=method, options={"maxiter": 500})
    np.testing.assert_allclose(found.x, np.ones(3), atol=1e-3)
    assert type(found.x) is np.ndarray


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"])
def test_hessp(method):
    fun = tapemagic.value_and_grad(rosenbrock)
    product = tapemagic.hvp(rosenbrock)
    found = optimize.minimize(fun, START, args=(50.0,), jac=True, hessp=product, method=method)
    np.testing.assert_allclose(found.x, np.ones(3), atol=1e-3)


def test_hessian_and_jacobian():
    found = optimize.minimize(
        rosenbrock, START, jac=tapemagic.grad(rosenbrock), hess=tapemagic.hessian(rosenbrock),
        method="trust-exact",
    )  # fmt: skip
    np.testing.assert_allclose(found.x, np.ones(3), atol=1e-6)

    def residuals(x):
        return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])

    fit = optimize.least_squares(residuals, START, jac=tapemagic.jacobian(residuals))
    np.testing.assert_allclose(fit.x, np.ones(3), atol=1e-6)
    root = optimize.root(lambda x: x**3 - 2, [1.0], jac=tapemagic.jacobian(lambda x: x**3 - 2))
    np.testing.assert_allclose(root.x, 2 ** (1 / 3))


def test_check_grad_of_scipy():
    assert optimize.check_grad(rosenbrock, tapemagic.grad(rosenbrock), START) < 1e-4


X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X @ [1.0, -2.0, 0.5] + 0.3 > 0).astype(float)


class Logistic:
    """An estimator as scikit-learn's are, in plain NumPy."""

    def __init__(self, penalty=0.1):
        self.penalty = penalty

    def loss(self, w):
        margin = (2 * Y - 1) * (X @ w[1:] + w[0])
        return np.mean(np.logaddexp(0, -margin)) + self.penalty * np.sum(w[1:] ** 2)

    def fit(self, x, y):
        found = optimize.minimize(tapemagic.value_and_grad(self.loss), np.zeros(4), jac=True)
        self.intercept_, self.coef_ = found.x[0], found.x[1:]
        return self

    def predict(self, x):
        return x @ self.coef_ + self.intercept_ > 0


def test_an_estimator_with_fit():
    model = Logistic().fit(X, Y)
    assert type(model.coef_) is np.ndarray
    assert np.mean(model.predict(X) == Y) > 0.85
    slope = tapemagic.grad(model.loss)(np.r_[model.intercept_, model.coef_])
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_an_estimator_of_scikit_learn():
    base = pytest.importorskip("sklearn.base")
    selection = pytest.importorskip("sklearn.model_selection")

    class Classifier(base.ClassifierMixin, Logistic, base.BaseEstimator):
        def fit(self, x, y):
            self.classes_ = np.unique(y)
            return super().fit(x, y)

    scores = selection.cross_val_score(Classifier(), X, Y, cv=3)
    assert scores.mean() > 0.8


SPARSE = {
    "times": lambda sparse, x: np.sum((sparse.csr_array(np.eye(3)) * x[0]).data),
    "made": lambda sparse, x: np.sum(sparse.csr_array(np.diag(x)) @ np.ones(3)),
}
FIRST = np.array([1.0, 0.0, 0.0])
SOLVERS = {
    # name: (function, its gradient)
    "brentq": (lambda x: optimize.brentq(lambda z: z - x[0], -9, 9), FIRST),
    "minimize": (
        lambda x: optimize.minimize(lambda z: np.sum((z - x) ** 2), np.zeros(3)).x[0], FIRST,
    ),
    "fsolve": (lambda x: np.sum(optimize.fsolve(lambda z: z - x, np.zeros(3))), np.ones(3)),
    "least_squares": (lambda x: optimize.least_squares(lambda z: z - x, np.zeros(3)).x[0], FIRST),
    "start": (lambda x: optimize.minimize(rosenbrock, x).x[0], np.zeros(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPARSE)
def test_a_sparse_matrix_does_not_swallow_a_traced_value(name):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(Exception):  # noqa: B017  (SciPy's own complaint, or ours)
        tapemagic.grad(lambda x: SPARSE[name](sparse, x))(START)


@pytest.mark.parametrize(("solve", "slope"), SOLVERS.values(), ids=SOLVERS)
def test_a_solver_does_not_swallow_a_traced_value(solve, slope):
    np.testing.assert_allclose(tapemagic.grad(solve)(START), slope, atol=1e-9)
