"""Solvers of `scipy.optimize`: refused, with what to do. Imported only when SciPy has been."""

from __future__ import annotations

from scipy import optimize

from tapemagic.autodiff.twinning import twin_module

from .carrying import refused

_WHY = "its steps are not recorded, and the derivative of the solution would be lost"
_ROOT = (
    "Solve with tapemagic.stop_gradient(...) around what is watched, and record one step of "
    "Newton's method from the solution: its derivative is that of the implicit function theorem."
)
_LEAST = "As for a root of the gradient: solve on plain values, then record one step of Newton's."

for _name in ("brentq", "brenth", "bisect", "ridder", "toms748", "newton", "root", "root_scalar",
              "fsolve", "fixed_point"):  # fmt: skip
    refused(getattr(optimize, _name), _WHY, _ROOT)
for _name in ("minimize", "minimize_scalar", "least_squares", "curve_fit", "leastsq", "fmin",
              "fmin_bfgs", "fmin_cg", "fmin_l_bfgs_b", "basinhopping", "differential_evolution",
              "dual_annealing", "shgo", "nnls", "lsq_linear", "linprog", "milp"):  # fmt: skip
    refused(getattr(optimize, _name), _WHY, _LEAST)
twin_module(optimize)
