"""Every entry of numpy_surface.json: the value is NumPy's, the gradient is its derivative."""

import numpy as np
import pytest
from surface.comparing import follow, run_taped, total
from surface.entries import CARRIED, COARSE, ENTRIES, REFUSED, inputs_of, program_of

from tapemagic import GradientTape
from tapemagic.autodiff.borrowing.borrowed import Borrowed
from tapemagic.errors import TapeError


@pytest.mark.parametrize("name", CARRIED)
def test_entry(name):
    slopes = follow(program_of(name), inputs_of(name), **COARSE.get(name, {}))
    assert slopes
    assert not any(np.isnan(slope).any() for slope in slopes.values())
    if ENTRIES[name]["differentiable"] == "yes":
        assert any(map(np.any, slopes.values()))


@pytest.mark.parametrize("name", CARRIED)
def test_what_was_recorded_can_be_looked_at(name):
    lifted = {key: Borrowed().lift(x) for key, x in inputs_of(name).items()}
    with GradientTape() as tape:
        handles = {key: tape.watch(x) for key, x in lifted.items()}
        sources = list(handles.values())
        target = total(run_taped(program_of(name), handles))
    tape.gradient(target, sources)
    assert tape.explain()
    assert tape.graph.nodes


@pytest.mark.parametrize("name", REFUSED)
def test_refused_aloud(name):
    with GradientTape() as tape:
        handles = {key: tape.watch(x) for key, x in inputs_of(name).items()}
        with pytest.raises(TapeError) as error:
            run_taped(program_of(name), handles)
    assert error.value.line is not None
    assert error.value.fix


def test_few_are_refused():
    assert len(ENTRIES) == 618
    assert len(REFUSED) < 10
