"""``python -m tests.mutants N [--under FOLDER]``: change the package in N places, one at a time.

The tests should notice each change; one that they do not notice is printed, with its difference. It
is a gap in the tests, or it does not change what the package does: that is for a reader to say.
Which tests could notice it has to be written down before, see `reached.py`, and again when lines of
the package have moved.
"""

from __future__ import annotations

import argparse
import difflib
import random
import sys
import time
from pathlib import Path

import pytest

from .forks import FLAGS, Forks
from .places import Place, function_at, places, rule_at
from .reached import ROOT, name_of, tests_by_function

Tests = list[tuple[float, str]]


def judge(forks: Forks, place: Place, changed: str, reached: dict[str, Tests]) -> tuple[str, int]:
    """Return what notices a change, or nothing; and how many tests were asked."""
    text, file = place.file.read_text(), str(place.file)
    first = function_at(text, changed)
    found = reached.get(name_of(file, first), []) if first else []
    if place.start and not first:
        found = reached.get(f"<pullback of {rule_at(text, place.start)}>:1", [])
    if not found and not first:  # what is done when the module is imported
        near = {
            x for name in reached if name.startswith(name_of(file, 0)[:-1]) for x in reached[name]
        }
        found = list(near)
    tests = in_time([one for one in found if one[1] in forks.items])
    # those of its own file first: others have to be imported, too, where that has to be done anew
    own = [test for test in tests if Path(test.split("::")[0]).stem == f"test_{place.file.stem}"]
    others = [test for test in tests if test not in set(own)]
    for stage in filter(None, (own, others)):
        if noticed := forks.notice(stage, file, text, changed):
            return noticed, len(tests)
    return "", len(tests)


def in_time(tests: Tests) -> list[str]:
    """Return as many tests as there is time for: of each function of the tests one, and so on."""
    counts: dict[str, int] = {}
    ordered = []
    for seconds, test in sorted(tests):
        function = test.split("[")[0]
        counts[function] = counts.get(function, 0) + 1
        ordered.append((counts[function], seconds, test))
    chosen, total = [], 0.0
    for _, seconds, test in sorted(ordered):
        if total + seconds <= options.seconds:
            total += seconds
            chosen.append(test)
    return chosen


def work(forks: Forks) -> None:
    """Make changes, and print what noticed them."""
    under = (ROOT / options.under).resolve()
    files = sorted(under.rglob("*.py")) if under.is_dir() else [under]
    chosen = [place for file in files for place in places(file)]
    random.Random(options.seed).shuffle(chosen)
    tried, survivors, start = 0, 0, time.perf_counter()
    for place in chosen[options.skip : options.skip + options.count]:
        text = place.file.read_text()
        changed = place.change(text)
        if changed is None or changed == text:
            continue
        noticed, count = judge(forks, place, changed, reached)
        tried += 1
        survivors += not noticed
        difference = list(difflib.unified_diff(text.splitlines(), changed.splitlines(), n=0))
        print(f"\n{place.file.relative_to(ROOT)}", *difference[2:], sep="\n")
        # a long run may be ended at any time
        print(noticed or f"NOT NOTICED by {count} tests", flush=True)
    print(f"\n{tried} changes, {survivors} not noticed, {time.perf_counter() - start:.0f} s")


parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
parser.add_argument("count", type=int, help="how many changes")
parser.add_argument("--seed", type=int, default=0, help="which changes")
parser.add_argument("--skip", type=int, default=0, help="how many of them to leave out")
parser.add_argument("--seconds", type=float, default=40, help="of tests for each change")
parser.add_argument("--under", default="tapemagic", help="a file or folder to change")

if __name__ == "__main__":
    options = parser.parse_args()
    reached = tests_by_function()
    if not reached:
        sys.exit("First run: python -m pytest -n 2 -p tests.mutants.reached")
    files = {test.split("::")[0] for found in reached.values() for _, test in found}
    there = sorted(file for file in files if (ROOT / file).exists())
    sys.exit(pytest.main([*FLAGS, *there], plugins=[Forks(work)]))
