"""Time single operations against peers: ``python -m benchmarks.operations [words of a name]``.

Each operation is carried out twenty times on one tape, on arrays of six elements a side, where the
tape costs most; and once, where opening and sweeping a tape does. The table is Markdown, slowest
against its peers first: microseconds for an operation with its gradient (twenty times), and the
time as a ratio to that of the faster peer (twenty times, and once). Peers that give another
gradient, or none, do not count.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tapemagic

from .__main__ import interleave, machine

SIDE = 6
REPEATED = 20
_rng = np.random.default_rng(0)
X, V = _rng.normal(size=(SIDE, SIDE)), _rng.normal(size=SIDE)
POSITIVE = np.abs(X) + 0.5
DEFINITE = X @ X.T + SIDE * np.eye(SIDE)

#: Name -> input, and the operation with what makes a number of it, written for any `np`.
OPERATIONS: dict[str, tuple[np.ndarray, Callable[[Any, Any], Any]]] = {
    "abs": (V, lambda np, x: np.sum(np.abs(x))),
    "arctan2": (V, lambda np, x: np.sum(np.arctan2(x, V))),
    "array of elements": (V, lambda np, x: np.sum(np.array([x[0] * x[1], x[1] + x[2]]))),
    "broadcasting": (V, lambda np, x: np.sum((X + x) ** 2)),
    "cholesky": (DEFINITE, lambda np, x: np.sum(np.linalg.cholesky(x))),
    "clip": (V, lambda np, x: np.sum(np.clip(x, -0.5, 0.5) * V)),
    "concatenate": (V, lambda np, x: np.sum(np.concatenate([x, x]) ** 2)),
    "cross": (X[:4, :3], lambda np, x: np.sum(np.cross(x, x[::-1]) ** 2)),
    "cumsum": (V, lambda np, x: np.sum(np.cumsum(x) * V)),
    "det": (DEFINITE, lambda np, x: np.linalg.det(x)),
    "diag": (X, lambda np, x: np.sum(np.diag(x) ** 2)),
    "diff": (V, lambda np, x: np.sum(np.diff(x) ** 2)),
    "dot": (V, lambda np, x: np.dot(x, x)),
    "eigh": (DEFINITE, lambda np, x: np.sum(np.linalg.eigh(x)[0])),
    "einsum": (X, lambda np, x: np.sum(np.einsum("ij,jk->ik", x, x))),
    "expand_dims": (V, lambda np, x: np.sum(np.expand_dims(x, 0) * X)),
    "fft": (V, lambda np, x: np.sum(np.abs(np.fft.fft(x)) ** 2)),
    "gradient": (V, lambda np, x: np.sum(np.gradient(x) ** 2)),
    "index by a list": (V, lambda np, x: np.sum(x[[0, 2, 2, 1]] ** 2)),
    "index by a mask": (V, lambda np, x: np.sum(x[V > 0] ** 2)),
    "inv": (DEFINITE, lambda np, x: np.sum(np.linalg.inv(x))),
    "kron": (X, lambda np, x: np.sum(np.kron(x, x))),
    "logaddexp": (V, lambda np, x: np.sum(np.logaddexp(x, 0.0))),
    "log-sum-exp": (X, lambda np, x: np.sum(np.log(np.sum(np.exp(x), axis=1)))),
    "matrix by vector": (X, lambda np, x: np.sum((x @ V) ** 2)),
    "max": (X, lambda np, x: np.sum(np.max(x, axis=1) * V)),
    "maximum": (V, lambda np, x: np.sum(np.maximum(x, 0.0) * V)),
    "mean": (X, lambda np, x: np.sum(np.mean(x, axis=0) * V)),
    "moveaxis": (X, lambda np, x: np.sum(np.moveaxis(x, 0, 1) * X)),
    "norm": (X, lambda np, x: np.linalg.norm(x)),
    "outer": (V, lambda np, x: np.sum(np.outer(x, x) * X)),
    "pad": (X, lambda np, x: np.sum(np.pad(x, 1, mode="constant") ** 2)),
    "partition": (V, lambda np, x: np.sum(np.partition(x, 2) * V)),
    "power": (POSITIVE, lambda np, x: np.sum(x**2.5)),
    "prod": (V, lambda np, x: np.prod(x)),
    "repeat": (V, lambda np, x: np.sum(np.repeat(x, 2) ** 2)),
    "reshape": (X, lambda np, x: np.sum(np.reshape(x, (-1,)) * X.ravel())),
    "roll": (V, lambda np, x: np.sum(np.roll(x, 1) * V)),
    "sinc": (V, lambda np, x: np.sum(np.sinc(x))),
    "slices": (V, lambda np, x: np.sum(x[1:] * x[:-1])),
    "slogdet": (DEFINITE, lambda np, x: np.linalg.slogdet(x)[1]),
    "softmax": (X, lambda np, x: np.sum(np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True) * X)),
    "solve": (DEFINITE, lambda np, x: np.sum(np.linalg.solve(x, V))),
    "sort": (V, lambda np, x: np.sum(np.sort(x) * V)),
    "split": (V, lambda np, x: np.sum(np.split(x, 2)[0] ** 2)),
    "stack": (V, lambda np, x: np.sum(np.stack([x, x]) ** 2)),
    "std": (X, lambda np, x: np.std(x)),
    "tensordot": (X, lambda np, x: np.sum(np.tensordot(x, x, axes=1))),
    "tile": (V, lambda np, x: np.sum(np.tile(x, 2) ** 2)),
    "trace": (X, lambda np, x: np.trace(x)),
    "transpose": (X, lambda np, x: np.sum(np.transpose(x) * X)),
    "triu": (X, lambda np, x: np.sum(np.triu(x) ** 2)),
    "var": (X, lambda np, x: np.sum(np.var(x, axis=0) * V)),
    "vstack": (V, lambda np, x: np.sum(np.vstack([x, x]) ** 2)),
    "where": (V, lambda np, x: np.sum(np.where(x > 0, x, 0.0) * V)),
}


def ours(operation: Callable, x: np.ndarray) -> Callable[[], Any]:
    """Return a call of our tape."""
    variable = tapemagic.Variable(x)

    def run() -> Any:
        with tapemagic.GradientTape() as tape:
            y = operation(np, variable)
        return tape.gradient(y, variable)

    return run


def autograd(operation: Callable, x: np.ndarray) -> Callable[[], Any]:
    """Return the same for HIPS/autograd."""
    import autograd
    import autograd.numpy as anp

    gradient = autograd.grad(lambda x: operation(anp, x))
    return lambda: gradient(x)


def mygrad(operation: Callable, x: np.ndarray) -> Callable[[], Any]:
    """Return the same for MyGrad, without its guard of memory."""
    import mygrad

    def run() -> Any:
        tensor = mygrad.tensor(x)
        with mygrad.mem_guard_off:
            operation(mygrad, tensor).backward()
        return tensor.grad

    return run


def repeated(operation: Callable) -> Callable:
    """Carry an operation out many times, one after the other, and add the results up."""

    def many(np: Any, x: Any) -> Any:
        y = operation(np, x)
        for _ in range(REPEATED - 1):
            y = y + operation(np, x)
        return y

    return many


def calls(operation: Callable, x: np.ndarray) -> dict[str, Callable]:
    """Return the sides that can do an operation and agree about its gradient."""
    found = {"ours": ours(operation, x)}
    expected = found["ours"]()
    for side in (autograd, mygrad):
        try:
            call = side(operation, x)
            if np.allclose(call(), expected, atol=1e-9):
                found[side.__name__] = call
        except Exception:  # noqa: BLE001  (not installed, no such function, no gradient)
            continue
    return found


def measure(name: str, seconds: float) -> tuple[str, float, float, float] | None:
    """Time an operation; None if no peer can do it.

    Returns
    -------
    name : str
    microseconds : float
        For one of those that were repeated.
    repeated, once : float
        Ratios to the faster peer.
    """
    x, operation = OPERATIONS[name]
    many = interleave(calls(repeated(operation), x), seconds)
    one = interleave(calls(operation, x), seconds)
    own, single = many.pop("ours"), one.pop("ours")
    if not many:
        return None
    return name, own / REPEATED * 1e6, own / min(many.values()), single / min(one.values())


def main() -> None:
    """Time the operations that match and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*", help="only operations with these words in their name")
    parser.add_argument("--seconds", type=float, default=0.3, help="time per operation")
    options = parser.parse_args()
    print(f"Ratios to the faster of autograd and MyGrad; {machine()}\n")
    warnings.simplefilter("ignore")  # of the peers
    chosen = [name for name in OPERATIONS if all(word in name for word in options.words)]
    rows = [row for name in chosen if (row := measure(name, options.seconds))]
    print("| operation | µs | to the faster peer | once, on a tape of its own |")
    print("|---|---|---|---|")
    for name, own, many, one in sorted(rows, key=lambda row: -row[2]):
        print(f"| {name} | {own:.1f} | {many:.2f} | {one:.2f} |")
    slower = sum(many > 1 for *_, many, _ in rows)
    print(f"\n{slower} of {len(rows)} operations take longer than with a peer.")


if __name__ == "__main__":
    main()
