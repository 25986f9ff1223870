"""Names on a tape: versions, containers, and names that nobody knows."""

from types import SimpleNamespace

import numpy as np
import pytest

from tapemagic import GradientTape
from tapemagic.autodiff.lookup import ids_of
from tapemagic.errors import SourceError


@pytest.fixture
def tape():
    tape = GradientTape(persistent=True)
    with tape:
        first, second = tape.watch(np.array([1.0, 2.0])), tape.watch(np.array([3.0, 4.0]))
        loss = np.sum(first * first * second)
    for name, handle in (('params["a"]', first), ('params["b"][0]', second)):
        tape.source_nodes[name] = ids_of(tape, handle)[0]
    tape.bindings.append(("loss", ids_of(tape, loss)[0]))
    tape.cell = SimpleNamespace(text="", number=1, filename="")  # which has left these names
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


def test_a_name_of_a_script_means_what_it_holds_when_it_is_asked_for():
    w, found = np.array([1.0, 2.0]), []
    with GradientTape(persistent=True) as tape:
        tape.watch(w)
        loss = np.sum(w * 3.0)
        for _ in range(3):
            loss = loss * 2.0
            found.append(tape.gradient("loss", "w"))
    np.testing.assert_array_equal(found, [[6.0, 6.0], [12.0, 12.0], [24.0, 24.0]])
    assert tape.graph.sources[0].name == "w"
    np.testing.assert_array_equal(tape.gradient("loss", "w"), [24.0, 24.0])
    loss = 7.0
    with pytest.raises(SourceError, match="'loss'"):
        tape.gradient("loss", "w")
