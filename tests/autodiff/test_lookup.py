"""Names on a tape: versions, containers, and names that nobody knows."""

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.errors import SourceError


@pytest.fixture
def tape():
    tape = GradientTape(persistent=True)
    with tape:
        first, second = tape.watch(np.array([1.0, 2.0])), tape.watch(np.array([3.0, 4.0]))
        loss = np.sum(first * first * second)
    for name, handle in (('params["a"]', first), ('params["b"][0]', second)):
        tape.source_nodes[name] = tape._ids_of(handle)[0]
    tape.bindings.append(("loss", tape._ids_of(loss)[0]))
    return tape


def test_a_container_stands_for_the_sources_in_it(tape):
    found = tape.gradient("loss", "params")
    np.testing.assert_array_equal(found['params["a"]'], [6.0, 16.0])
    np.testing.assert_array_equal(found['params["b"][0]'], [1.0, 4.0])


def test_a_container_among_other_sources(tape):
    single, many = tape.gradient("loss", ['params["a"]', "params"])
    np.testing.assert_array_equal(single, many['params["a"]'])


def test_an_unknown_name_lists_those_known(tape):
    with pytest.raises(SourceError, match="loss"):
        tape.gradient("loss", "param")
