"""The first inf and the first nan of random programs, held against plain NumPy line by line."""

import random
import re

import numpy as np
import pytest
from notebook.worlds import run_taped

from tapemagic.notebook.arguments import parse_path

OPERATIONS = (
    "np.log({a})", "np.sqrt({a})", "np.exp({a} * 300)", "1 / {a}", "{a} ** 1.5", "np.arccos({a})",
    "np.log1p({a})", "np.abs({a})", "np.tanh({a})", "{a} * 0.0", "{a} / {b}", "{a} - {b}",
    "{a} * {b}", "{a} ** {b}", "np.logaddexp({a}, {b})", "{a}[::-1]", "np.where({a} > 0, {a}, 1.0)",
    "np.roll({a}, 2)", "np.maximum({a}, 0)",
)  # fmt: skip
TOLD = re.compile(r"First (\w+) going forward: line (\d+)(?:, element \[(\d+)\])?")


def draw(seed):
    """Return data, and a cell that computes something with it, one operation a line."""
    choose = random.Random(seed)
    x = [choose.choice([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0]) for _ in range(6)]
    names, lines = ["x"], []
    for k in range(choose.randint(3, 9)):
        a, b = choose.choice(names), choose.choice(names)
        lines.append(f"v{k} = {choose.choice(OPERATIONS).format(a=a, b=b)}")
        names.append(f"v{k}")
    return x, [*lines, f"y = np.sum({names[-1]}) + np.sum({choose.choice(names)})"]


@pytest.mark.parametrize("seed", range(60))
def test_what_is_said_to_come_first_does(seed):
    x, lines = draw(seed)
    namespace, values = {"np": np, "x": np.array(x)}, []
    with np.errstate(all="ignore"):
        for line in lines:
            exec(line, namespace)
            values.append(np.asarray(namespace[line.partition(" = ")[0]]))
        setup, cell = f"import numpy as np\nx = np.array({x})", "\n".join(lines)
        _, session = run_taped(setup, cell, sources=(parse_path("x"),), target=parse_path("y"))
        session.differentiate()
        findings = [one for one in session.tape.findings if one.kind == "nan"]
    told = [found.groups() for one in findings if (found := TOLD.match(one.message))]
    assert len({(word, line) for word, line, _ in told}) == len(told)
    for word, line, element in told:
        is_so = {"nan": np.isnan, "inf": np.isinf}[word]
        assert not any(is_so(value).any() for value in values[: int(line) - 1])
        assert is_so(values[int(line) - 1][int(element) if element else ()])
    if not all(np.isfinite(value).all() for value in values):
        words = {word for word, *_ in told}
        assert words
        assert "nan" in words or not any(np.isnan(value).any() for value in values)
    # what is not finite has a reason, and nothing else has
    assert all(bool(row.reason) == (row.state != "ok") for row in session.tape.graph.sources)
    assert any("y" in one.names for one in findings) == (not np.isfinite(values[-1]))
