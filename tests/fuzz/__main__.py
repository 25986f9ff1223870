"""``python -m tests.fuzz N [--seed S]``: run N random programs; print what failed, shrunk."""

from __future__ import annotations

import argparse
import collections
import sys
import time
from collections.abc import Callable

from tapemagic.autodiff import avals, backward
from tapemagic.autodiff.borrowing import borrowed

from . import dtypes, holders, language
from .harness import check
from .programs import random_program
from .shrinking import shrink


def check_each(seeds: range, check: Callable[[int], str], show: Callable[[int], object]) -> int:
    """Check what each seed makes; print what differs from plain NumPy."""
    failures = 0
    for seed in seeds:
        difference = check(seed)
        if difference:
            failures += 1
            print(f"\n=== seed {seed}", show(seed), f"--- {difference}", sep="\n")
    print(f"\n{len(seeds)} seeds, {failures} failures")
    return 1 if failures else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("count", type=int, help="how many programs")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first program")
    parser.add_argument("--show", action="store_true", help="print refusals as well")
    parser.add_argument("--stop", type=int, default=5, help="failures after which to stop")
    parser.add_argument("--large", action="store_true", help="treat small arrays as large ones")
    parser.add_argument("--dtypes", action="store_true", help="one statement each: dtypes, calls")
    parser.add_argument("--language", action="store_true", help="values through the language")
    parser.add_argument("--holders", action="store_true", help="scripts that watch plain arrays")
    parser.add_argument("--careful", action="store_true", help="sweep as if there were a nan")
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.count)
    if options.dtypes:
        return check_each(
            seeds, dtypes.check, lambda seed: "\n".join(dtypes.random_statement(seed))
        )
    if options.careful:
        backward.have_nan = lambda cotangents: True
    if options.large:
        avals.SMALL = avals.LARGE = borrowed.COPIED = 0
    if options.holders:
        return check_each(seeds, holders.check, holders.random_script)
    make = language.program_of if options.language else random_program
    counts: collections.Counter[str] = collections.Counter()
    refusals: collections.Counter[str] = collections.Counter()
    start, failures = time.perf_counter(), 0
    for seed in seeds:
        if sum(counts.values()) % 500 == 499:
            print(f"{seed}: {dict(counts)}", flush=True)  # a long run may be ended at any time
        program = make(seed)
        outcome = check(program)
        counts[outcome.kind] += 1
        if outcome.kind == "refused":
            refusals[outcome.detail.splitlines()[0]] += 1
            if options.show:
                print(f"\n=== seed {seed} refused\n{shrink(program, 'refused')}\n{outcome}")
        if outcome.failed:
            failures += 1
            small = shrink(program, outcome.kind)
            print(f"\n=== seed {seed}\n{small}\n--- {check(small)}", flush=True)
            if failures >= options.stop:
                break
    print(f"\n{dict(counts)} in {time.perf_counter() - start:.0f} s")
    for text, count in refusals.most_common(40):
        print(f"{count:6d}  {text}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
