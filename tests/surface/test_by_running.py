"""Every public function of the smaller modules: followed, without a derivative, or refused aloud.

Told by running it: each is called with all of a few arguments with which plain NumPy takes it.
"""

import itertools
import warnings

import numpy as np
import numpy.lib.recfunctions
import numpy.ma
import pytest
from surface.entries import in_a_cell

from tapemagic import GradientTape
from tapemagic.autodiff.calls.dispatch import is_traced, plain
from tapemagic.autodiff.twins import modules
from tapemagic.errors import TapeError

pytestmark = pytest.mark.slow
X = np.array([0.3, 0.7, 0.45])
P = np.array([0.25, 0.35, 0.4])
SQUARE = np.array([[2.0, 0.3], [0.4, 1.5]])
RECORDS = np.array([(1, 0.5), (2, 0.25)], dtype=[("a", int), ("b", float)])
#: What is watched, and plain arguments before and behind it.
WATCHED = (X, np.float64(0.6), SQUARE, P)
BEFORE = ((), ([0.5, 1.5, 0.25],), (3,), (2.0,), (RECORDS,), ([0.1, 0.6, 0.9], [1.0, 2.0, 0.5]))
BEHIND = ((), (2,), ([1.0, 0.5, 2.0],), (0.5, 2.0), (1.5, [1.0, 2.0]), ("b", "c"), ([1, 0, 1],))
MODULES = {
    "polynomial": np.polynomial,
    **{f"polynomial.{name}": getattr(np.polynomial, name)
       for name in ("polynomial", "chebyshev", "legendre", "hermite", "hermite_e", "laguerre")},
    "ma": np.ma, "char": np.char, "strings": np.strings, "lib.recfunctions": np.lib.recfunctions,
    "random": np.random,
}  # fmt: skip
#: They read or write files, or ask for nothing.
LEFT_OUT = {
    "fromtextfile",
    "test",
    "set_default_printstyle",
    "set_state",
    "set_bit_generator",
    "frombuffer",
    "empty",
    "empty_like",
    "masked_all",
    "masked_all_like",  # contents are accidental
    "put",
    "round",
    "round_",
    "permutation",  # what is watched would be places, decimals or an axis
    # of these it would be size or out: with a number for out= NumPy itself crashes
    "random",
    "standard_normal",
    "standard_gamma",
    "standard_exponential",
}
GENERATORS = {
    "default_rng": lambda: np.random.default_rng(5), "RandomState": lambda: np.random.RandomState(5)
}  # fmt: skip


def names_of(module):
    public = getattr(module, "__all__", None) or [n for n in dir(module) if not n.startswith("_")]
    return sorted(
        name for name in public
        if callable(getattr(module, name, None)) and name not in LEFT_OUT
        and not isinstance(getattr(module, name), type)
    )  # fmt: skip


CASES = [(name, one) for name, module in MODULES.items() for one in names_of(module)]
METHODS = [
    (owner, name) for owner, make in GENERATORS.items() for name in dir(make())
    if not name.startswith("_") and callable(getattr(make(), name)) and name not in LEFT_OUT
]  # fmt: skip


def floats(y):
    """The float arrays among results, whatever holds them."""
    if isinstance(y, (tuple, list)):
        return [x for item in y for x in floats(item)]
    y = getattr(y, "coef", y)
    value = plain(y)
    kind = getattr(getattr(value, "dtype", None), "kind", "f" if type(value) is float else "")
    return [y] if kind in ("f", "c") else []


def total(y):
    parts = floats(y)
    weights = [np.cos(1.0 + np.arange(np.size(plain(x)))).reshape(np.shape(x)) for x in parts]
    return sum((np.sum(np.real(x * w)) for x, w in zip(parts, weights, strict=True)), 0.0)


def calls_that_work(fun):
    """Yield what is watched and the arguments around it, where plain NumPy takes them."""
    for x, before, behind in itertools.product(WATCHED, BEFORE, BEHIND):
        try:
            fun()(*before, np.copy(x)[()], *behind)
        except Exception:
            continue
        yield x, before, behind


def outcome(plain_fun, taped_fun, x, before, behind):
    """Run a call both ways; return what became of it."""
    value = plain_fun()(*before, np.copy(x)[()], *behind)
    try:
        with in_a_cell(), GradientTape() as tape:
            handle = tape.watch(np.copy(x)[()])
            y = taped_fun()(*before, handle, *behind)
            loss = total(y)
            gradient = tape.gradient(loss, handle) if is_traced(loss) else None
    except TapeError as error:
        assert error.line is not None
        return "refused"
    for got, wanted in zip(floats(y), floats(value), strict=True):
        np.testing.assert_allclose(plain(got), wanted, rtol=1e-12)
    direction = np.cos(2.0 + np.arange(np.size(x))).reshape(np.shape(x))
    try:
        moved = [total(plain_fun()(*before, x + h * direction, *behind)) for h in (1e-6, -1e-6)]
    except ValueError:
        return "at a border"
    if not np.all(np.isfinite(moved)):
        return "not finite"
    slope = (moved[0] - moved[1]) / 2e-6
    along = 0.0 if gradient is None else np.sum(gradient * direction)
    np.testing.assert_allclose(along, slope, rtol=1e-4, atol=1e-5)
    return "constant" if gradient is None else "followed"


def check(plain_fun, taped_fun):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for call in itertools.islice(calls_that_work(plain_fun), 6):
            outcome(plain_fun, taped_fun, *call)


@pytest.mark.parametrize(("module", "name"), CASES, ids=str)
def test_function(module, name):
    original = getattr(MODULES[module], name)
    twin = modules.twin_of(original)

    def seeded(fun):
        np.random.seed(5)
        return fun

    check(lambda: seeded(original), lambda: seeded(twin))


@pytest.mark.parametrize(("owner", "name"), METHODS, ids=str)
def test_draw(owner, name):
    make = GENERATORS[owner]
    check(lambda: getattr(make(), name), lambda: getattr(modules.twin_of(make()), name))


def test_enough_is_run():
    """The arguments fit most functions: a table that fits none would show nothing."""
    run = 0
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for module, name in CASES:
            original = getattr(MODULES[module], name)
            run += next(calls_that_work(lambda original=original: original), None) is not None
    assert run > 0.6 * len(CASES)
