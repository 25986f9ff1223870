"""Time the workloads: ``python -m benchmarks [words of a workload's name]``.

Ours, hand-written NumPy and the peers that are installed run in turns in one process; results are
checked to be equal first. The table shows medians as ratios to the hand-written side.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import tapemagic

from . import derivatives  # noqa: F401  (adds its workloads)
from .workloads import WORKLOADS, Workload


def ours(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return a call that makes one forward pass and one derivative."""
    if work.derivative != "gradient":
        derive = getattr(tapemagic, work.derivative)(lambda *values: work.forward(np, *values))
        return lambda: [derive(*sources, *constants)]
    variables = [tapemagic.Variable(x) for x in sources]

    def run() -> list:
        with tapemagic.GradientTape() as tape:
            loss = work.forward(np, *variables, *constants)
        return tape.gradient(loss, variables)

    return run


def by_hand(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return a call of the hand-written side."""
    return lambda: work.by_hand(*sources, *constants)


def autograd(work: Workload, sources: list, constants: list) -> Callable[[], Any]:
    """Return the same for HIPS/autograd."""
    import autograd
    import autograd.numpy as anp

    if work.derivative != "gradient":
        names = {"hvp": "hessian_vector_product"}
        derive = getattr(autograd, names.get(work.derivative, work.derivative))
        call = derive(lambda *values: work.forward(anp, *values))
        return lambda: [call(*sources, *constants)]
    gradient = autograd.grad(lambda values: work.forward(anp, *values, *constants))
    return lambda: gradient(list(map(_as_float, sources)))


def _as_float(x: Any) -> Any:
    return float(x) if np.ndim(x) == 0 else x


def torch(work: Workload, sources: list, constants: list) -> Callable[[], Any]:
    """Return the same for PyTorch, for the workloads whose text it runs."""
    raise ImportError("torch does not run NumPy's spelling")


PEERS = {"autograd": autograd}


def interleave(calls: dict[str, Callable], seconds: float) -> dict[str, float]:
    """Run the calls in turns for about `seconds`; return the median time of each."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop or len(next(iter(times.values()))) < 3:
        for name, call in calls.items():
            gc.collect()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def check(expected: list, found: Any, name: str, peer: str) -> None:
    """Refuse to time a side that computes something else."""
    for a, b in zip(expected, found):
        if not np.allclose(a, b, rtol=1e-6, atol=1e-9):
            raise SystemExit(f"{peer} computes something else in {name!r}")


def main() -> None:
    """Run the workloads that match and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only workloads with these words in their name")
    parser.add_argument("--seconds", type=float, default=4.0, help="time per workload")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args()
    print(f"NumPy {np.__version__}, tapemagic {tapemagic.__version__}")
    print(f"{'workload':34} {'by hand':>10} {'goal':>6} {'ours':>6}  peers")
    for work in WORKLOADS:
        if not all(word in work.name for word in options.words):
            continue
        sources, constants = work.inputs()
        calls = {
            "hand": by_hand(work, sources, constants),
            "ours": ours(work, sources, constants),
        }
        if work.peers and not options.no_peers:
            for name, peer in PEERS.items():
                try:
                    calls[name] = peer(work, sources, constants)
                except ImportError:
                    continue
        expected = calls["hand"]()
        for name, call in calls.items():
            check(expected, call(), work.name, name)
        medians = interleave(calls, options.seconds)
        hand = medians["hand"]
        peers = "  ".join(
            f"{name} {medians[name] / hand:.1f}" for name in calls if name not in ("hand", "ours")
        )
        print(
            f"{work.name:34} {hand * 1e3:8.3f}ms {work.goal:6} {medians['ours'] / hand:6.2f}"
            f"  {peers}",
            flush=True,
        )


if __name__ == "__main__":
    main()
