"""Time the workloads: ``python -m benchmarks [words of a workload's name]``.

Hand-written NumPy, our tape, the program that our tape writes, and the peers that are installed run
in turns in one process; results are checked to be equal first. The table is Markdown: medians as
ratios to the hand-written side, and the peak of the memory that Python and NumPy asked for.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import importlib.metadata
import importlib.util
import os
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import derivatives  # noqa: F401  (adds its workloads)
from .sides import OURS, PEERS, NotComparableError
from .workloads import WORKLOADS, Workload

#: A turn takes about so many seconds: short calls are repeated.
TURN = 0.005


def sides(work: Workload, names: dict[str, Callable]) -> Iterator[tuple[str, Callable]]:
    """Yield the sides that can do a workload, each with its call."""
    sources, constants = work.inputs()
    for name, side in names.items():
        try:
            yield name, side(work, sources, constants)
        except (ImportError, NotComparableError):
            continue


def check(expected: list, found: Any, name: str, side: str) -> None:
    """Refuse to time a side that computes something else."""
    for a, b in zip(expected, found, strict=True):
        if not np.allclose(a, b, rtol=1e-6, atol=1e-9):
            raise SystemExit(f"{side} computes something else in {name!r}")


def interleave(calls: dict[str, Callable], seconds: float) -> dict[str, float]:
    """Run the calls in turns for about `seconds`; return the median time of each."""
    counts = {name: max(1, round(TURN / _timed(call, 1))) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(next(iter(times.values()))) < 3:
        for name, call in calls.items():
            gc.collect()
            if counts[name] > 1:
                call()  # what the collection left cold is no matter of the workload
            times[name].append(_timed(call, counts[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def _timed(call: Callable, count: int) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - start) / count


def peak(call: Callable) -> int:
    """Return how many bytes a call holds at the most, besides what is there before."""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def _milliseconds(seconds: float) -> str:
    milliseconds = seconds * 1e3
    return f"{milliseconds:.0f} ms" if milliseconds >= 100 else f"{milliseconds:.3g} ms"


def _cells(cells: list[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


def measure(work: Workload, names: dict[str, Callable], seconds: float) -> list[str]:
    """Measure one workload; return its row of the table."""
    calls = dict(sides(work, names))
    expected = calls["by hand"]()
    for name, call in calls.items():
        check(expected, call(), work.name, name)
    medians = interleave(calls, seconds)
    hand = medians.pop("by hand")
    ratios = [f"{medians[name] / hand:.2f}" if name in medians else "–" for name in names]
    peaks = [_bytes(peak(calls[name])) if name in calls else "–" for name in OURS]
    return [work.name, _milliseconds(hand), f"≤ {work.goal}", *ratios[1:], *peaks]


def machine() -> str:
    """Say where and when this was measured."""
    packages = ["numpy", "tapemagic", *PEERS]
    versions = []
    for name in packages:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return (
        f"{dt.datetime.now(tz=dt.UTC):%d %B %Y}, CPython {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} cores, one thread; {', '.join(versions)}."
    )


def main() -> None:
    """Run the workloads that match and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only workloads with these words in their name")
    parser.add_argument("--seconds", type=float, default=4.0, help="time per workload")
    parser.add_argument("--no-peers", action="store_true", help="our own sides only")
    options = parser.parse_args()
    peers = {} if options.no_peers else PEERS
    names = {**OURS, **{name: side for name, side in peers.items() if _is_installed(name)}}
    print(f"Ratios to the same by hand; {machine()}\n")
    heads = ["workload", "by hand", "goal", *list(names)[1:]]
    _cells([*heads, *(f"peak memory {name}" for name in OURS)])
    _cells(["---"] * (len(heads) + len(OURS)))
    for work in WORKLOADS:
        if all(word in work.name for word in options.words):
            _cells(measure(work, names, options.seconds))


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


if __name__ == "__main__":
    main()
