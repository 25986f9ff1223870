"""Random programs: a few hundred here; ``python -m tests.fuzz N`` runs as many as one likes."""

import pytest

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
