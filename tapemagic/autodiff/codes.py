"""Whose code it is: a module's or a cell's, an installed library's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import CodeType

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
#: Where pip puts libraries; where Debian does, and with it Colab.
_INSTALLED = ("site-packages", "dist-packages")


def is_installed(filename: str) -> bool:
    """Say whether a file belongs to an installed library.

    >>> is_installed("/usr/local/lib/python3.12/dist-packages/pandas/core/frame.py")
    True
    """
    return any(folder in filename for folder in _INSTALLED)


def is_not_users(filename: str) -> bool:
    """Say whether a file belongs to an installed library or to Python."""
    return (
        is_installed(filename)
        or filename.endswith((".pyx", ".pxd"))  # of Cython, relative to where it was compiled
        or filename.startswith((_STANDARD_LIBRARY, "<frozen"))
    )


def is_module(code: CodeType) -> bool:
    """Say whether code is that of a module or a cell, and not of a function or class.

    IPython before 8.5 calls a statement of a cell ``<cell line: 3>``.
    """
    name = code.co_name
    return name == "<module>" or name.startswith("<cell line")


def is_outermost(code: CodeType) -> bool:
    """Say whether code is a cell or file, not text that one of its lines executes (`%time`)."""
    name = code.co_filename
    return is_module(code) and (name[0] != "<" or name.startswith("<ipython-input"))


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
        if is_not_users(file) or (name.startswith("<") and name != "<lambda>"):
            continue
        if file == filename and line == calls[0][2]:
            break  # all of it stands in one line
        function = "a lambda" if name == "<lambda>" else name
        return f"in {function} at line {line}" if file == filename else f"in {function}"
    return ""
