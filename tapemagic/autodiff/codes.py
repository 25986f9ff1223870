"""Whose code it is: a module's or a cell's, an installed library's."""

from __future__ import annotations

from types import CodeType

#: Where pip puts libraries; where Debian does, and with it Colab.
_INSTALLED = ("site-packages", "dist-packages")


def is_installed(filename: str) -> bool:
    """Say whether a file belongs to an installed library.

    >>> is_installed("/usr/local/lib/python3.12/dist-packages/pandas/core/frame.py")
    True
    """
    return any(folder in filename for folder in _INSTALLED)


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
