"""Refusals that the running code catches: stated, unless it asks for our errors by name."""

import contextlib
import unittest
import warnings

import pytest

from tapemagic import GradientTape, Variable, errors
from tapemagic.errors import LeavesTapeError

EITHER = (KeyError, LeavesTapeError)
BOTH = (KeyError, TypeError)


def by_name(x):
    try:
        float(x)
    except errors.LeavesTapeError:
        return


def base_class(x):
    with contextlib.suppress(errors.TapeError):
        float(x)


def one_of_several(x):
    try:
        float(x)  # over several lines
    except EITHER:
        return


def around_another(x):
    try:
        try:
            float(x)
        except KeyError:
            return
        finally:
            x * x
    except (ValueError, LeavesTapeError):
        return


def of_a_test(x):
    with pytest.raises(LeavesTapeError):
        by_float(x)


def of_a_unit_test(x):
    with unittest.TestCase().assertRaises(LeavesTapeError):  # noqa: PT027
        by_float(x)


def by_float(x):
    return float(x)


def any_error(x):
    try:
        float(x)
    except Exception:
        return


def bare(x):
    try:
        float(x)
    except:  # noqa: E722
        return


def type_error(x):
    with contextlib.suppress(*BOTH):
        float(x)


def any_before_ours(x):
    try:
        try:
            by_float(x)
        except TypeError:
            return
    except LeavesTapeError:
        return


def raised_in_a_handler(x):
    with contextlib.suppress(LeavesTapeError):
        try:
            float(x)
        except TypeError:
            float(x * x)


def told(run):
    """Return what a script is warned of."""
    x = Variable(2.0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with GradientTape() as tape:
            run(x)
    assert ("was caught" in tape.explain()) == bool(seen)
    return [str(warning.message) for warning in seen]


@pytest.mark.parametrize(
    "run", [by_name, base_class, one_of_several, around_another, of_a_test, of_a_unit_test]
)
def test_asked_for_by_name_it_is_meant(run):
    assert told(run) == []


@pytest.mark.parametrize("run", [any_error, bare, type_error, any_before_ours, raised_in_a_handler])
def test_any_other_way_to_catch_it_is_stated_once(run):
    [message] = told(run)
    line = (
        by_float.__code__.co_firstlineno if run is any_before_ours else run.__code__.co_firstlineno
    )
    assert message.startswith("A refusal at line ")
    assert line < int(message.split()[4]) < line + 6
