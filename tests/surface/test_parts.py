"""The entries of numpy_surface.json on parts of larger traced arrays.

The gradient in a part is what it is in an array of the same numbers: no function may go round the
part to the memory behind it. By default one kind of part is run for each entry.
"""

import numpy as np
import pytest
from surface.entries import CARRIED, in_a_cell, inputs_of, program_of

from tapemagic import GradientTape, Variable

PARTS = {
    "slice": (lambda x: np.concatenate([x[:1], x, x[:1]]), lambda base: base[1:-1]),
    "every second": (lambda x: np.repeat(x, 2, axis=0), lambda base: base[::2]),
    "transpose": (lambda x: np.ascontiguousarray(x.T), lambda base: base.T),
    "from the end": (lambda x: x[::-1].copy(), lambda base: base[::-1]),
    "new shape": (lambda x: x[None], lambda base: base.reshape(base.shape[1:])),
}
#: What asks how its argument lies in memory gives something else for a part.
ASKS_FOR_MEMORY = {
    "ndarray.strides": "its result",
    "numpy.isfortran": "its result",
    "ndarray.shape[assign]": "refused by NumPy",
    "numpy.lib.stride_tricks.as_strided": "shows elements beside the part",
}
NAMES = [name for name in CARRIED if name not in ASKS_FOR_MEMORY]


def gradient_in(program, values):
    """The gradient in what `values` makes inside the block."""
    np.random.seed(0)
    with in_a_cell(), GradientTape() as tape:
        arrays = values()
        result = program.taped(*arrays)
    return tape.gradient(result, arrays)


@pytest.mark.parametrize(
    ("name", "part"),
    [
        pytest.param(name, part, marks=() if i % len(PARTS) == k else pytest.mark.slow)
        for i, name in enumerate(NAMES)
        for k, part in enumerate(PARTS)
    ],
)
def test_a_part_has_the_gradient_of_an_array_of_its_own(name, part):
    program, given = program_of(name), inputs_of(name)
    larger, cut = PARTS[part]
    whole = [Variable(given[key]) for key in program.names]
    bases = [Variable(larger(x.numpy()) if x.shape else x.numpy()) for x in whole]

    def parts():
        return [cut(base * 1) if base.shape else base * 1 for base in bases]

    expected = gradient_in(program, lambda: whole)
    for found, known in zip(gradient_in(program, parts), expected, strict=True):
        if known is None:
            assert found is None
        else:
            np.testing.assert_allclose(found, known, rtol=1e-9, atol=1e-12)
