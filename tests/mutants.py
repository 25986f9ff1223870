"""``python -m tests.mutants N [--under FOLDER]``: change the package in N places, one at a time.

The tests should notice each change; one that they do not notice is printed, with its difference. It
is a gap in the tests, or it does not change what the package does: that is for a reader to say.

The operators are Cosmic Ray's. They change code, and the formulas of rules, which are code within
strings. The work is done in a copy of the checkout; the tests of the changed file come first.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import parso
from cosmic_ray.ast import ast_nodes
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parent.parent
#: What a slip of the pen makes. Cosmic Ray has all pairs, most of which fail at once.
OPERATORS = [
    f"core/{name}"
    for name in """
    ReplaceBinaryOperator_Add_Sub ReplaceBinaryOperator_Sub_Add ReplaceBinaryOperator_Mul_Div
    ReplaceBinaryOperator_Div_Mul ReplaceBinaryOperator_Pow_Mul ReplaceUnaryOperator_Delete_USub
    ReplaceUnaryOperator_Delete_Not ReplaceComparisonOperator_Lt_LtE
    ReplaceComparisonOperator_LtE_Lt ReplaceComparisonOperator_Gt_GtE
    ReplaceComparisonOperator_GtE_Gt ReplaceComparisonOperator_Eq_NotEq
    ReplaceComparisonOperator_NotEq_Eq ReplaceComparisonOperator_Is_IsNot
    ReplaceComparisonOperator_IsNot_Is AddNot ReplaceTrueWithFalse ReplaceFalseWithTrue
    ReplaceAndWithOr ReplaceOrWithAnd ReplaceBreakWithContinue ReplaceContinueWithBreak
    NumberReplacer ZeroIterationForLoop
    """.split()
]
#: Functions that declare a rule by formulas, in strings.
DECLARING = {"elementwise"}
#: Seconds after which a change that makes tests hang counts as noticed.
PATIENCE = 900


class Place(NamedTuple):
    """One change: the text that is changed (from `start` to `stop` of a file), and how."""

    file: Path
    start: int
    stop: int
    operator: str
    occurrence: int

    def change(self, text: str) -> str | None:
        """Return the file's text with the change, or None where the operator makes none."""
        operator = get_operator(self.operator)()
        changed = mutate_code(text[self.start : self.stop], operator, self.occurrence)
        return changed and text[: self.start] + changed + text[self.stop :]


def places(file: Path) -> Iterator[Place]:
    """Yield all changes of a file."""
    text = file.read_text()
    for start, stop in [(0, len(text)), *formulas(text)]:
        nodes = list(ast_nodes(parso.parse(text[start:stop])))
        for name in OPERATORS:
            operator = get_operator(name)()
            count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
            yield from (Place(file, start, stop, name, i) for i in range(count))


def formulas(text: str) -> Iterator[tuple[int, int]]:
    """Yield where formulas of rules stand in a file, without their quotation marks."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in DECLARING:
            for x in call.args:
                if isinstance(x, ast.Constant) and isinstance(x.value, str):
                    start = starts[x.lineno - 1] + x.col_offset + 1
                    if text[start : start + len(x.value)] == x.value:  # not of two parts
                        yield start, start + len(x.value)


def stages(file: Path) -> Iterator[list[str]]:
    """Yield which tests to run for a file: its own, then those of its room."""
    room = Path("tests", *file.relative_to(ROOT / "tapemagic").parts[:-1])
    own = room / f"test_{file.stem}.py"
    if (ROOT / own).exists():
        yield [str(own)]
    while not (ROOT / room).is_dir():
        room = room.parent
    if "autodiff" in room.parts:  # tested by all of NumPy, and by random programs, too
        yield [str(room), "tests/surface", "tests/autodiff/test_fuzz.py"]
    else:
        yield [str(room)]


def notice(copy: Path, tests: list[str]) -> str:
    """Run tests in a copy of the checkout; return the first that fails, or nothing."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *tests], cwd=copy, env=environment, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{tests[0]} hangs"
    if not done.returncode:
        return ""
    said = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return said[0][:100] if said else f"{tests[0]} cannot be run"


def judge(copy: Path, place: Place, changed: str, passed: set[str]) -> str:
    """Return what notices a change, or nothing; `passed` are stages that pass without one."""
    path = copy / place.file.relative_to(ROOT)
    for tests in stages(place.file):
        failed = "" if tests[0] in passed else notice(copy, tests)
        if failed:
            sys.exit(f"The tests fail without a change: {failed}")
        passed.add(tests[0])
        path.write_text(changed)
        noticed = notice(copy, tests)
        path.write_text(place.file.read_text())
        if noticed:
            return noticed
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("count", type=int, help="how many changes")
    parser.add_argument("--seed", type=int, default=0, help="which changes")
    parser.add_argument("--under", default="tapemagic", help="a file or folder to change")
    options = parser.parse_args()
    under = (ROOT / options.under).resolve()
    files = sorted(under.rglob("*.py")) if under.is_dir() else [under]
    chosen = [place for file in files for place in places(file)]
    random.Random(options.seed).shuffle(chosen)
    passed: set[str] = set()
    survivors, start = 0, time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "checkout")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        Path(folder, "shared").symlink_to(ROOT.parent / "shared")
        for number, place in enumerate(chosen[: options.count]):
            text = place.file.read_text()
            changed = place.change(text)
            if changed is None or changed == text:
                continue
            noticed = judge(copy, place, changed, passed)
            difference = list(difflib.unified_diff(text.splitlines(), changed.splitlines(), n=0))
            print(f"\n{number} {place.file.relative_to(ROOT)}", *difference[3:], sep="\n")
            print(noticed or "NOT NOTICED", flush=True)  # a long run may be ended at any time
            survivors += not noticed
    print(f"\n{len(chosen[: options.count])} changes, {survivors} not noticed")
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
