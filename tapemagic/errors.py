"""Every exception that tapemagic raises on its own account.

An error says what happened, where, why, and one way to mend it, in at most six lines:

>>> print(LeavesTapeError("'x' would leave the tape in scipy.linalg.expm.", line=4,
...                       code="P = expm(x * t)", fix="Use tapemagic.stop_gradient(x)."))
'x' would leave the tape in scipy.linalg.expm.
  line 4:   P = expm(x * t)
  Use tapemagic.stop_gradient(x).

Several classes are also the built-in exception that a caller would expect (`RuntimeError` for a
tape used twice, `ValueError` for a wrong shape), so that ``except ValueError`` keeps working.
"""

import os
from collections.abc import Sequence

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep


def is_installed(filename: str) -> bool:
    """Say whether a file belongs to an installed package or to Python."""
    return (
        "site-packages" in filename
        or "dist-packages" in filename
        or filename.endswith((".pyx", ".pxd"))  # of Cython, relative to where it was compiled
        or filename.startswith((_STANDARD_LIBRARY, "<frozen"))
    )


def inside(calls: Sequence[tuple[str, str, int]], filename: str | None) -> str:
    """Say in which function of the user's something happens, and where in it if one can see that.

    Parameters
    ----------
    calls : sequence of (function, file, line)
        From the cell inwards.
    filename : str or None
        Of the cell, whose lines a person sees.

    Examples
    --------
    >>> inside([("<module>", "<cell>", 7), ("relu", "<cell>", 3)], "<cell>")
    'in relu at line 3'
    >>> inside([("<module>", "<cell>", 7), ("relu", "tools.py", 31)], "<cell>")
    'in relu'
    """
    for name, file, line in reversed(calls[1:]):
        if is_installed(file) or (name.startswith("<") and name != "<lambda>"):
            continue
        if file == filename and line == calls[0][2]:
            break  # all of it stands in one line
        function = "a lambda" if name == "<lambda>" else name
        return f"in {function} at line {line}" if file == filename else f"in {function}"
    return ""


class TapeError(Exception):
    """Base class: a message of what / where / why / fix.

    Parameters
    ----------
    what : str
        One sentence that states the fact, with the name of the variable where there is one.
    line, code : int and str, optional
        Where: the line of the cell and its source text.
    why, fix : str, optional
        The reason, and one thing to do about it.
    """

    def __init__(
        self,
        what: str,
        *,
        line: int | None = None,
        code: str = "",
        why: str = "",
        fix: str = "",
    ) -> None:
        super().__init__(what)
        self.node: int | None = None  # of the tape, if a sweep came upon the error there
        self.what, self.line, self.code, self.why, self.fix = what, line, code, why, fix

    def __str__(self) -> str:
        rows = [self.what]
        if self.line is not None:
            rows.append(f"line {self.line}:   {self.code}".rstrip())
        rows += [text for text in (self.why, self.fix) if text]
        return "\n  ".join(rows)


class LeavesTapeError(TapeError, TypeError):
    """A traced value was about to become a plain number that the tape cannot follow."""


class NoRuleError(TapeError, NotImplementedError):
    """A function was given a traced value and has no derivative rule."""


class UnsupportedWriteError(TapeError, NotImplementedError):
    """A write that the tape cannot follow."""


class TapeStateError(TapeError, RuntimeError):
    """A tape was used in a state that does not allow it (spent, never entered, ...)."""


class TapeUseError(TapeError, ValueError):
    """A tape function was given an argument that it cannot use."""


class SourceError(TapeError, ValueError):
    """A name or object cannot be a source or a target."""


class VariableError(TapeError, TypeError):
    """A `Variable` was used in a way that would lose it."""


class ChangedDataError(TapeError, RuntimeError):
    """Data that the reverse sweep needs was changed behind the tape's back."""


class MissingNameError(TapeError, AttributeError):
    """A name of TensorFlow's that is not here; the fix is how to do without it."""


class TensorError(TapeError, TypeError, ValueError):
    """A `tf` tensor was used in a way that TensorFlow refuses: mixed dtypes, a write, ...

    TensorFlow raises one of InvalidArgumentError, TypeError and ValueError: this is all three.
    """
