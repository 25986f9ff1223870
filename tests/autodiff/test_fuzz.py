"""Random programs: some hundreds here; ``python -m tests.fuzz N`` runs as many as one likes."""

import subprocess
import sys

import pytest

from tapemagic.autodiff.borrowing import borrowed
from tests.fuzz import dtypes, holders, language
from tests.fuzz.harness import check
from tests.fuzz.programs import random_program

COUNT, BATCH = 400, 25


@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
def test_random_programs(first):
    refused = 0
    for seed in range(first, first + BATCH):
        program = random_program(seed)
        outcome = check(program)
        assert not outcome.failed, f"\n{program}\n{outcome}"
        refused += outcome.kind == "refused"
    assert refused <= BATCH // 5


def test_random_programs_whose_arrays_count_as_large():
    # in a process of its own, since what counts as large is asked once for each shape
    command = [sys.executable, "-m", "tests.fuzz", "150", "--large", "--seed", "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "'ok': 1" in done.stdout


@pytest.mark.parametrize("first", range(0, 1200, 100))
def test_one_statement_over_dtypes_and_call_forms(first):
    for seed in range(first, first + 100):
        difference = dtypes.check(seed)
        assert not difference, "\n".join((*dtypes.random_statement(seed), difference))


LANGUAGE = [*range(0, len(language.CONSTRUCTS), 5), *range(1000, 1075)]  # alone, and combined


@pytest.mark.parametrize("first", range(0, len(LANGUAGE), BATCH))
def test_values_through_the_language(first):
    passed = 0
    for seed in LANGUAGE[first : first + BATCH]:
        program = language.program_of(seed)
        outcome = check(program)
        assert not outcome.failed, f"\n{program}\n{outcome}"
        passed += outcome.kind in ("ok", "kink")
    assert passed >= len(LANGUAGE[first : first + BATCH]) // 2


@pytest.mark.parametrize("copied", [borrowed.COPIED, 0], ids=["small", "large"])
@pytest.mark.parametrize("first", range(0, 100, BATCH))
def test_scripts_whose_arrays_several_things_hold(first, copied, monkeypatch):
    monkeypatch.setattr(borrowed, "COPIED", copied)
    for seed in range(first, first + BATCH):
        difference = holders.check(seed)
        assert not difference, f"\n{holders.random_script(seed)}\n{difference}"
