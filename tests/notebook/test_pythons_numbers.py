"""A float on the tape has what a float has, and not what an array would have."""

import pytest
from both_runs import check

START = """
import collections.abc
from collections.abc import Collection, Iterable, Sized
import numpy as np
w, t = np.array([0.7, 1.3, 2.1]), 0.5

class Row:
    def __init__(self, items): self.items = list(items)
    def __getitem__(self, i): return self.items[i]
    def __len__(self): return len(self.items)
    def __radd__(self, other): return Row([other + x for x in self.items])
    def __rmul__(self, other): return Row([other * x for x in self.items])
    def __rtruediv__(self, other): return Row([other / x for x in self.items])
    def __rpow__(self, other): return Row([other**x for x in self.items])
    def __rmatmul__(self, other): return other
"""
CELLS = {
    "attributes": "known = [hasattr(x, name) for x in (t, w[0], w)\n"
    "         for name in ('shape', 'T', '__len__', '__iter__', 'is_integer')]\nout = t * w[0]",
    "defaults": "found = getattr(t, 'shape', None), getattr(t, 'mT', 1), getattr(w[0], 'T', 2) * t\n"
    "out = found[2]",
    "errors": "said = []\nfor name in ('shape', 'T', 'mT', 'ndim', 'sum'):\n    try:\n"
    "        getattr(t, name)\n    except AttributeError as error:\n"
    "        said.append(str(error))\nout = t * len(said)",
    "abilities": "known = [(isinstance(x, Iterable), isinstance(x, (str, Collection, Sized)))\n"
    "         for x in (t, w[0], w, [t])]\nout = t * w[0]",
    "in functions": "def count(x):\n    return len(x) if hasattr(x, '__len__') else 1\n"
    "def flat(x):\n    if not isinstance(x, collections.abc.Iterable):\n        return [x]\n"
    "    return [y for row in x for y in flat(row)]\n"
    "out = count(t) * t + count(w) * w[0] + sum(flat([t, [w, [t * 2]]]))",
    "with a sequence of the user's": "a = t * Row([1.0, t, w[0]])\nb = t + a\nc = t / b\nd = t**c\n"
    "out = sum(d) + t @ d",
}  # fmt: skip


@pytest.mark.parametrize("name", CELLS)
def test_both_runs(name):
    check(START, CELLS[name], "t", *["w"] * ("w" in CELLS[name]))
