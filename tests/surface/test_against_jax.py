"""The entries under JAX's NumPy: two implementations of the same derivatives, compared.

Needs the extra `peers`. What JAX does not translate (writes in place, names that it lacks) is
skipped; a test counts how many entries are left.
"""

import functools

import numpy as np
import pytest
from surface.comparing import gradients, leaves, weights
from surface.entries import CARRIED, ENTRIES, define, inputs_of, program_of

jax = pytest.importorskip("jax", reason="JAX is not installed (extra: peers)")
jnp = jax.numpy
jax.config.update("jax_enable_x64", True)
pytestmark = pytest.mark.slow

#: Where JAX decides otherwise, and why differences (test_first.py) side with us.
DIFFERS = {
    **dict.fromkeys(
        (
            "numpy.unique", "numpy.unique_values", "numpy.unique_all", "numpy.unique_counts",
            "numpy.unique_inverse", "numpy.union1d", "numpy.intersect1d", "numpy.setdiff1d",
            "numpy.setxor1d",
        ),
        "JAX's set functions lose the derivative of the values that they pick",
    ),
    "numpy.arange": "JAX takes the ends of a range for constants",
    "ndarray.item": "JAX's item() gives a number without a derivative",
    "ndarray.item[index]": "the same",
    "ndarray.sort": "JAX's method sorts a copy",
    "operator.setitem[view then base]": "JAX's arrays have no views: the write reaches only one name",
    "operator.setitem[base then view]": "the same",
}  # fmt: skip


def total_in_jax(result):
    """The weighted sum of `comparing.total`."""
    found = 0.0
    for which, y in enumerate(leaves(result)):
        y = jnp.asarray(y)
        parts = (jnp.real(y), jnp.imag(y)) if y.dtype.kind == "c" else (y,)
        for k, part in enumerate(parts):
            if y.dtype.kind in "fc":
                found = found + jnp.sum(part * weights(y.shape, 2 * which + k))
    return found


@functools.cache
def gradients_in_jax(name):
    """The gradients by name, or the reason why JAX has none."""
    inputs = inputs_of(name)
    program = define(ENTRIES[name]["test"], tuple(inputs), jnp, rewritten=False)
    names = [key for key, x in inputs.items() if np.asarray(x).dtype.kind in "fc"]
    rest = {key: x for key, x in inputs.items() if key not in names}

    def loss(values):
        return total_in_jax(program(**rest, **dict(zip(names, values, strict=True))))

    try:
        found = jax.grad(loss)([jnp.asarray(inputs[key]) for key in names])
    except Exception as error:  # whatever it raises where it has no such function
        return f"JAX does not translate it: {type(error).__name__}"
    return {key: np.conj(g) for key, g in zip(names, found, strict=True)}


@pytest.mark.parametrize("name", CARRIED)
def test_gradients_agree(name):
    wanted = gradients_in_jax(name)
    if isinstance(wanted, str):
        pytest.skip(wanted)
    if name in DIFFERS:
        pytest.skip(DIFFERS[name])
    found, _ = gradients(program_of(name), inputs_of(name))
    for key, g in wanted.items():
        np.testing.assert_allclose(found[key], g, rtol=1e-6, atol=1e-9, err_msg=key)


@pytest.mark.timeout(1800)  # JAX compiles each operation
def test_jax_translates_most_entries():
    assert sum(isinstance(gradients_in_jax(name), dict) for name in CARRIED) > 480
