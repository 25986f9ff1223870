"""Every public function of NumPy is classified: a rule, a constant, refused, or not yet."""

import copy
import inspect
import sys

import numpy as np
import numpy.lib.recfunctions  # loaded lazily: part of the list
import pytest
from numpy.testing import overrides

import tapemagic
from tapemagic.autodiff import later
from tapemagic.autodiff.calls.signatures import signature_of
from tapemagic.autodiff.primitives import RULES, Composite, Primitive, Refused
from tapemagic.autodiff.twins import modules
from tapemagic.errors import NoRuleError

#: Refused without a row: structured arrays have no derivative of their own, and a row would import
#: numpy.ma for everybody.
UNSEEN = {
    f"numpy.lib.recfunctions.{name}"
    for name in (
        "append_fields", "apply_along_fields", "assign_fields_by_name", "drop_fields",
        "find_duplicates", "join_by", "merge_arrays", "rec_append_fields", "rec_drop_fields",
        "rec_join", "recursive_fill_fields", "rename_fields", "repack_fields", "require_fields",
        "stack_arrays", "structured_to_unstructured", "unstructured_to_structured",
    )
}  # fmt: skip


def name_of(fun):
    """Name a function as a user writes it: numpy.linalg.inv."""
    module = getattr(fun, "__module__", None) or "numpy"
    return f"{module}.{fun.__name__}".replace("numpy.lib.scimath", "numpy.emath")


def is_public(fun):
    """Tell whether users can reach a function: not so the ufuncs behind numpy.strings.

    The functions of numpy.polynomial are carried by a twin of the module; those of numpy.strings
    and numpy.char, which are there once somebody has imported them, are for text.
    """
    *path, name = name_of(fun).split(".")
    if not {"polynomial", "strings", "char"}.isdisjoint(path):
        return False
    return getattr(sys.modules.get(".".join(path), np.emath), name, None) is fun


FUNCTIONS = sorted(
    filter(
        is_public,
        overrides.get_overridable_numpy_array_functions()
        | overrides.get_overridable_numpy_ufuncs(),
    ),
    key=name_of,
)
#: Creators: their twins keep the tape (tests/autodiff/twins/test_modules.py); no handle reaches NumPy's.
CREATORS = {
    "numpy.arange", "numpy.array", "numpy.asanyarray", "numpy.asarray", "numpy.ascontiguousarray",
    "numpy.asfortranarray", "numpy.empty", "numpy.eye", "numpy.frombuffer", "numpy.fromfile",
    "numpy.fromfunction", "numpy.fromiter", "numpy.fromstring", "numpy.full", "numpy.genfromtxt",
    "numpy.identity", "numpy.loadtxt", "numpy.ones", "numpy.require", "numpy.tri", "numpy.zeros",
}  # fmt: skip


def is_classified(fun):
    if name_of(fun) in CREATORS:
        return id(fun) in modules.TWINS
    return isinstance(RULES.get(fun), (Primitive, Composite, Refused))


def test_every_dispatched_function_is_classified():
    missing = {name_of(fun) for fun in FUNCTIONS if not is_classified(fun)}
    assert missing == UNSEEN


@pytest.mark.parametrize("name", sorted(UNSEEN))
def test_what_has_no_row_is_refused(name):
    fun = getattr(np.lib.recfunctions, name.rpartition(".")[2])
    with tapemagic.GradientTape() as tape:
        x = tape.watch(np.ones(3))
        with pytest.raises(NoRuleError, match=name.rpartition(".")[2]):
            x.__array_function__(fun, (type(x),), (x,), {})


def options_of(fun):
    """Return the optional keywords of a function of NumPy, but for those that twins care about."""
    parameters = signature_of(fun).parameters.values()
    return {
        p.name for p in parameters
        if p.kind is p.KEYWORD_ONLY or (p.kind is p.POSITIONAL_OR_KEYWORD and p.default != p.empty)
    } - {"out", "like"}  # fmt: skip


@pytest.mark.parametrize("fun", [f for f in FUNCTIONS if not isinstance(f, np.ufunc)], ids=name_of)
def test_rules_take_every_keyword(fun):
    """A keyword that a rule does not know would be an error in the sweep, or be ignored."""
    rule = RULES.get(fun)
    bodies = [rule.body] if isinstance(rule, Composite) else getattr(rule, "vjps", ())
    for body in filter(None, bodies):
        parameters = inspect.signature(body).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            assert options_of(fun) <= set(parameters)


#: What NumPy means by "no value", so far as the name of the argument says it.
_NO_VALUE = {"where": (True,), "keepdims": (False,), "initial": (0, 1), "rtol": (None,)}


def test_defaults_are_those_of_the_function():
    """A call that leaves an argument out means the same to the function and to its rule."""
    for package in "fft integrate interpolate linalg ndimage signal special stats".split():
        pytest.importorskip(f"scipy.{package}")
    later.load()
    compared = 0
    for fun, rule in RULES.items():
        bodies = [rule.body] if isinstance(rule, Composite) else getattr(rule, "vjps", ())
        try:
            theirs = signature_of(fun).parameters
        except (TypeError, ValueError):
            continue  # written in C
        for body in filter(None, bodies):
            for name, ours in inspect.signature(body).parameters.items():
                if ours.default is ours.empty or theirs.get(name, ours).default is ours.empty:
                    continue
                default = theirs.get(name, ours).default
                said = _NO_VALUE.get(name, ()) if default is np._NoValue else ()
                assert ours.default is default or ours.default in (default, *said), (fun, name)
                compared += name in theirs
    assert compared > 450


@pytest.mark.parametrize("fun", RULES, ids=lambda fun: getattr(fun, "__name__", str(fun)))
def test_names_for_people(fun):
    rule = RULES[fun]
    assert not rule.name.startswith("_")
    assert not rule.name.endswith(("primitive", "vjp"))


_VECTOR, _MATRIX = np.array([0.3, 1.7, -0.4]), np.array([[1.2, 0.3], [0.4, 2.1]])
#: What a constant may be called with; it need not take all of them.
_ARGUMENTS = [
    (_VECTOR,), (_MATRIX,), (_VECTOR, _VECTOR), (_MATRIX, _MATRIX), (_VECTOR, 1), (1.3,),
    (1.3, 2.2), (_VECTOR, [0.0, 1.0]), (np.float64(0.3),), (8, 0.5),
]  # fmt: skip
#: Not asked of these: `n` is their constant argument, and the spacing is followed as ordinary code.
_IN_PART = {np.fft.fftfreq, np.fft.rfftfreq}


def _numbers(y):
    parts = y if isinstance(y, (tuple, list)) else [y]
    parts = [np.asarray(part) for part in parts]
    return np.concatenate(
        [part.ravel().astype(float) for part in parts if part.dtype.kind in "fiub"]
    )


@pytest.mark.parametrize(
    "fun",
    [
        f
        for f, rule in RULES.items()
        if getattr(rule, "kind", "") == "constant" and f not in _IN_PART
    ],
    ids=lambda fun: fun.__name__,
)
def test_a_constant_has_no_slope(fun):
    """Whatever is declared to have no derivative does not change with its arguments."""
    for args in _ARGUMENTS:
        moved = [x * (1 + 1e-6) if x.dtype.kind == "f" else x for x in map(np.asarray, args)]
        try:
            # copies, since a second array may be what the first result is written into
            before, after = _numbers(fun(*copy.deepcopy(args))), _numbers(fun(*moved))
        except (AttributeError, TypeError, ValueError, IndexError):
            continue  # it does not take these
        np.testing.assert_array_equal(before, after)
