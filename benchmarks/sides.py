"""What is timed: hand-written NumPy, ours, and other libraries where they are installed.

Each side takes a workload, its sources and its constants, and returns a call that makes one forward
pass and one derivative. It raises ImportError where the library is not installed, and
`NotComparableError` where it cannot do this workload.

PyTorch and TensorFlow are not among them: they do not run NumPy's spelling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tapemagic
from tapemagic.errors import TapeUseError

from .workloads import Workload


class NotComparableError(Exception):
    """A side that cannot do a workload."""


def by_hand(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return a call of the hand-written side."""
    return lambda: work.by_hand(*sources, *constants)


def ours(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return the same under a tape."""
    if work.derivative != "gradient":
        derive = getattr(tapemagic, work.derivative)(lambda *values: work.forward(np, *values))
        return lambda: [derive(*sources, *constants)]
    variables = [tapemagic.Variable(x) for x in sources]

    def run() -> list:
        with tapemagic.GradientTape() as tape:
            loss = work.forward(np, *variables, *constants)
        return tape.gradient(loss, variables)

    return run


def plain_arrays(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return the same with plain arrays, which the tape watches."""
    if work.derivative != "gradient":
        raise NotComparableError
    own = [x.copy() for x in sources]  # which no other side holds

    def run() -> list:
        with tapemagic.GradientTape() as tape:
            tape.watch(own)
            loss = work.forward(np, *own, *constants)
        return tape.gradient(loss, own)

    return run


def program(work: Workload, sources: list, constants: list) -> Callable[[], list]:
    """Return the run of a program that was made of a recorded one."""
    if work.derivative != "gradient":
        raise NotComparableError
    variables = [tapemagic.Variable(x, name=f"x{i}") for i, x in enumerate(sources)]
    with tapemagic.GradientTape(persistent=True) as tape:
        loss = work.forward(np, *variables, *constants)
    try:
        made = tape.program(loss, variables)
    except TapeUseError as error:  # a run that is too long
        raise NotComparableError from error
    return lambda: made(**made.inputs)[1:]


def autograd(work: Workload, sources: list, constants: list) -> Callable[[], Any]:
    """Return the same for HIPS/autograd."""
    import autograd
    import autograd.numpy as anp

    _refuse_long(work)
    if work.derivative != "gradient":
        names = {"hvp": "hessian_vector_product"}
        derive = getattr(autograd, names.get(work.derivative, work.derivative))
        call = derive(lambda *values: work.forward(anp, *values))
        return lambda: [call(*sources, *constants)]
    gradient = autograd.grad(lambda values: work.forward(anp, *values, *constants))
    values = [float(x) if np.ndim(x) == 0 else x for x in sources]
    return lambda: gradient(values)


def mygrad(work: Workload, sources: list, constants: list) -> Callable[[], Any]:
    """Return the same for MyGrad, without its guard of memory."""
    import mygrad

    _refuse_long(work)
    if work.derivative != "gradient":
        raise NotComparableError  # it has first derivatives of scalars only

    def run() -> list:
        tensors = [mygrad.tensor(x) for x in sources]
        with mygrad.mem_guard_off:
            work.forward(mygrad, *tensors, *constants).backward()
        return [x.grad for x in tensors]

    return run


def jax(work: Workload, sources: list, constants: list) -> Callable[[], Any]:
    """Return the same for JAX in float64, operation by operation as it comes."""
    import jax

    jax.config.update("jax_enable_x64", True)
    _refuse_long(work)
    values = [jax.numpy.asarray(x) for x in sources]

    def forward(*xs: Any) -> Any:
        return work.forward(jax.numpy, *xs, *constants)

    if work.derivative == "hvp":
        gradient = jax.grad(lambda x: work.forward(jax.numpy, x))
        return lambda: [np.asarray(jax.jvp(gradient, tuple(values), tuple(constants))[1])]
    if work.derivative != "gradient":
        derive = {"jacobian": jax.jacrev, "hessian": jax.hessian}[work.derivative](forward)
        return lambda: [np.asarray(derive(*values))]
    derive = jax.grad(forward, argnums=tuple(range(len(values))))
    return lambda: list(map(np.asarray, derive(*values)))


def _refuse_long(work: Workload) -> None:
    if not work.peers:
        raise NotComparableError


OURS = {"by hand": by_hand, "ours": ours, "plain arrays": plain_arrays, "program": program}
PEERS = {"autograd": autograd, "mygrad": mygrad, "jax": jax}
