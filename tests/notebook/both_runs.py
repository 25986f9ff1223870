"""One cell, plain and taped: the same world, and the derivatives of plain runs."""

import numpy as np

from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import assert_same_world, run_plain, run_taped


def check(setup, text, *names, step=1e-6):
    """Compare both runs, and the gradient of `out` with differences of plain runs."""
    taped, session = run_taped(setup, text, sources=tuple(map(parse_path, names)))
    plain = run_plain(setup, text)
    assert plain["error"] == "NoneType: None"
    assert_same_world(plain, taped)
    for name, gradient in zip(names, session.tape.gradient("out", list(names)), strict=True):
        expected = differences(setup, text, name, step)
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6, err_msg=name)
    return session


def differences(setup, text, name, step):
    """Return central differences of what plain runs leave in `out`."""
    value = run_plain(setup, "")["namespace"][name]

    def out(change):
        run = run_plain(f"{setup}\n{change}\n", text)
        return float(np.sum(run["namespace"]["out"]))

    def slope(place):
        return (out(f"{place} += {step}") - out(f"{place} -= {step}")) / (2 * step)

    if not isinstance(value, np.ndarray):
        return slope(name)
    places = [f"{name}[{', '.join(map(str, index))}]" for index in np.ndindex(value.shape)]
    return np.reshape([slope(place) for place in places], value.shape)
