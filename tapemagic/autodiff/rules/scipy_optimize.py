"""Solvers of `scipy.optimize`, by the implicit function theorem. Imported only when SciPy has been.

Where ``f(u, p) = 0``, the solution moves as ``du/dp = -(df/du)^-1 df/dp``: whatever the solver did
on its way has no part in that. So SciPy solves on plain values, and what is recorded is Newton's
step from the solution, ``u - (df/du)^-1 f(u, p)``. It has the value of `u` and the derivative of
the theorem. Newton's method doubles the order that is right with each step, so three of them have
all derivatives up to the seventh; the function is evaluated three times more for that. A minimum is
a root of the gradient.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import optimize

from tapemagic.autodiff import leaks
from tapemagic.autodiff.calls.creation import convert
from tapemagic.autodiff.positions import qualified_name
from tapemagic.autodiff.primitives import general
from tapemagic.autodiff.recorder import RECORDER
from tapemagic.autodiff.twinning import fresh, twin_for, twin_module
from tapemagic.errors import NoRuleError

from .algebra import apply, as_array, is_live, plain
from .carrying import discrete, hanging, refuse_program, refuse_rest, refused, unsupported

#: Newton steps from the solution: the order of the derivatives that are right is ``2**steps - 1``.
_STEPS = 3
#: A Newton step from the solution that is longer, relatively, says that it is none.
_CLOSE = 1e-3
#: A slope that changes more than this on such a step, relatively, is that of a multiple root.
_REGULAR = 0.1


#: A value that the solver chose by what it saw: it depends on the residuals somehow.
_on_the_way = hanging(
    "iterate",
    "What a solver of scipy.optimize found",
    "The target depends on the way that a solver took, not on its solution alone.",
    "Use the solution only, or cut the rest: tapemagic.stop_gradient(...).",
)


def _settle(u: Any, solution: Any) -> Any:
    """Return the solution to the bit, with the derivative of the Newton step."""
    refuse_program("What a solver of scipy.optimize found")
    return solution


general(_settle, lambda ct, y, u, solution: ct, None, name="solution")


def _linearized(fun: Callable, residual: Callable, u: Any) -> tuple[Any, Any]:
    """Return ``f(u)`` and ``df/du``, flat."""
    from tapemagic.autodiff.derivatives import jacobian

    values = []

    def kept(u: Any) -> Any:
        values.append(as_array(residual(u)))
        return values[0]

    slope, n = jacobian(kept)(u), np.size(plain(u))
    if np.size(plain(values[0])) != n:
        raise unsupported(fun, "more equations than unknowns", "Use scipy.optimize.least_squares.")
    return np.reshape(values[0], (n,)), np.reshape(slope, (n, n))


def _no_solution(fun: Callable, why: str) -> NoRuleError:
    return leaks.locate(
        NoRuleError(
            f"The derivative of what {qualified_name(fun)} found is not that of a solution: {why}.",
            fix="Ask the solver for a smaller tolerance, or cut it: tapemagic.stop_gradient(...).",
        )
    )


def _solution(fun: Callable, residual: Callable, solution: Any) -> Any:
    """Return the solution with its derivatives, up to the seventh."""
    if np.iscomplexobj(solution):
        raise unsupported(fun, "complex unknowns", "Solve for the real and the imaginary parts.")
    start = u = solution if isinstance(solution, np.ndarray) else np.float64(solution)
    slopes = []
    with contextlib.redirect_stdout(io.StringIO()):  # the user's own prints have been printed
        for _ in range(_STEPS):
            value, slope = _linearized(fun, residual, u)
            slopes.append(plain(slope))
            try:
                step = np.reshape(np.linalg.solve(slope, value), start.shape)
            except np.linalg.LinAlgError:
                raise _no_solution(fun, "its equations are singular there") from None
            u = u - step
            if not _length(step) <= _CLOSE * (1 + _length(start)):
                raise _no_solution(fun, "it is not close to one")
    # at a double root the slope is small, and another one after the least step
    if not _length(slopes[1] - slopes[0]) <= _REGULAR * _length(slopes[0]):
        raise _no_solution(fun, "its equations are singular there")
    u = apply(_settle, u, start)
    return convert(float, u) if type(solution) is float else u


def _length(x: Any) -> float:
    return float(np.max(np.abs(plain(x)), initial=0))


def _attached(result: Any, live: dict[str, Any], first: Any, residual: Any) -> Any:
    """Put what has a derivative into a result, and mark other floats as the solver's."""
    if isinstance(result, dict):
        for key, value in result.items():
            result[key] = live[key] if key in live else _attached(value, live, None, residual)
        return result
    if isinstance(result, tuple):
        rest = [_attached(x, live, None, residual) for x in result[1:]]
        return (first, *rest)
    if first is not None:
        return first
    if isinstance(result, (float, np.ndarray)) and np.asarray(result).dtype.kind == "f":
        return apply(_on_the_way, result, residual)
    return result


def _check_options(fun: Callable, given: dict, only: dict) -> None:
    for key, value in given.items():
        both = key in ("fprime", "jac") and value is True  # f and its derivative from one call
        if both or (key in only and not (value is only[key] or only[key] == value)):
            raise unsupported(fun, f"{key}=", "Solve without it, or use stop_gradient(...).")


def _carry_solver(fun: Callable, equations: Callable, **only: Any) -> None:
    """Make the twin of a solver.

    Parameters
    ----------
    fun : callable
        Takes the user's function first.
    equations : callable
        ``equations(function)`` returns what is zero at the solution, a function of the unknowns.
    **only
        The values of parameters with which the solution is one of these equations.
    """
    signature = inspect.signature(fun)
    name = next(iter(signature.parameters))

    def twin(*args: Any, **kwargs: Any) -> Any:
        if RECORDER.recording is None:
            return fun(*args, **kwargs)
        given = signature.bind(*args, **kwargs).arguments
        extra = given.get("args", ())
        extra = extra if isinstance(extra, tuple) else (extra,)
        seen: list = []

        def guarded(function: Callable) -> Callable:
            def called(u: Any, *_: Any) -> Any:
                u = u.copy() if isinstance(u, np.ndarray) else u  # the solver writes into its own
                chosen = seen and isinstance(u, (float, np.ndarray))
                y = function(apply(_on_the_way, u, seen[0]) if chosen else u, *extra)
                if is_live(y) and not seen:
                    _check_options(fun, given, only)
                    seen.append(as_array(y))
                return plain(y)

            return called

        function = given[name]
        changed = {k: guarded(x) if callable(x) else plain(x) for k, x in given.items()}
        if "args" in given:
            changed["args"] = ()
        bound = inspect.BoundArguments(signature, changed)
        result = fun(*bound.args, **bound.kwargs)
        if not seen:
            return fresh(result, args, kwargs)
        found = result[0] if isinstance(result, tuple) else result
        if isinstance(found, dict):
            found = found["root"] if "root" in found else found["x"]
        u = _solution(fun, equations(lambda u: function(u, *extra)), found)
        live = {"root": u, "x": u}
        if equations is _gradient and isinstance(result, dict) and "fun" in result:
            live["fun"] = apply(_settle, function(u, *extra), result["fun"])
        return _attached(result, live, None if isinstance(result, dict) else u, seen[0])

    twin_for(fun)(twin)


def _itself(function: Callable) -> Callable:
    return function


def _moved(function: Callable) -> Callable:
    return lambda u: function(u) - u


def _gradient(function: Callable) -> Callable:
    from tapemagic.autodiff.derivatives import grad

    return grad(function)


def _normal_equations(function: Callable) -> Callable:
    return _gradient(lambda u: np.sum(as_array(function(u)) ** 2))


for _name in ("brentq", "brenth", "bisect", "ridder", "toms748", "newton", "fsolve"):
    _carry_solver(getattr(optimize, _name), _itself)
_carry_solver(optimize.root_scalar, _itself)
_carry_solver(optimize.root, _itself)
_carry_solver(optimize.fixed_point, _moved)
_carry_solver(optimize.minimize, _gradient, bounds=None, constraints=())
_carry_solver(optimize.minimize_scalar, _gradient, bounds=None)
for _name in ("brent", "golden", "fminbound", "fmin", "fmin_powell", "fmin_bfgs", "fmin_cg"):
    _carry_solver(getattr(optimize, _name), _gradient)
_carry_solver(optimize.least_squares, _normal_equations, loss="linear", kwargs=None)
_carry_solver(optimize.leastsq, _normal_equations)


@twin_for(optimize.curve_fit)
def _curve_fit(f: Callable, xdata: Any, ydata: Any, *args: Any, **options: Any) -> Any:
    """Fit; the parameters are a root of the normal equations."""
    fun = optimize.curve_fit
    if RECORDER.recording is None:
        return fun(f, xdata, ydata, *args, **options)
    given = inspect.signature(fun).bind(f, xdata, ydata, *args, **options).arguments
    sigma = given.get("sigma")
    seen = [as_array(x) for x in (ydata, sigma) if is_live(x)]
    places = as_array(xdata) if isinstance(xdata, list | tuple) else xdata  # as SciPy hands it on

    @functools.wraps(f)  # SciPy counts its parameters
    def guarded(x: Any, *p: Any) -> Any:
        y = f(places if is_live(xdata) else x, *p)
        if is_live(y) and not seen:
            seen.append(as_array(y))
        return plain(y)

    changed = {key: plain(x) for key, x in given.items()} | {"f": guarded}
    bound = inspect.BoundArguments(inspect.signature(fun), changed)
    result = fun(*bound.args, **{**bound.kwargs, **changed.get("kwargs", {})})
    if not seen:
        return fresh(result)
    _check_options(fun, given, {"bounds": (-np.inf, np.inf), "method": "lm", "jac": None})
    if sigma is not None and np.ndim(plain(sigma)) > 1:
        raise unsupported(
            fun, "a matrix of variances", "Multiply by its Cholesky factor's inverse."
        )
    scale = 1.0 if sigma is None else sigma

    def residuals(p: Any) -> Any:
        return (f(places, *p) - ydata) / scale

    u = _solution(fun, _normal_equations(residuals), result[0])
    return _attached(result, {}, u, seen[0])


_WHY = "its steps are not recorded, and the derivative of the solution would be lost"
_LEAST = "Use scipy.optimize.minimize or least_squares, which have rules."
for _name in ("fmin_l_bfgs_b",
              "basinhopping", "differential_evolution", "dual_annealing", "shgo", "nnls",
              "lsq_linear", "linprog", "milp"):  # fmt: skip
    refused(getattr(optimize, _name), _WHY, _LEAST)
discrete(optimize.linear_sum_assignment)
refuse_rest(optimize, _WHY, _LEAST)
twin_module(optimize)
