"""Numbers that come back from text: also of views, and of arrays that were written to."""

import pytest

from tapemagic.notebook.arguments import parse_path
from tests.notebook.worlds import run_taped

SETUP = """
import ast, decimal, fractions, io, json
import numpy as np
x = np.array([0.7, 1.3, 0.4])
"""
VALUES = {
    "a view": "v = x[1:]",
    "a row": "v = np.outer(x, x)[0]",
    "an array written to": "x[0] = 0.33\nv = x",
    "a view of one written to": "x[0] = 0.33\nv = x[1:]",
}
ROUND_TRIPS = {
    "str": "u = np.fromstring(str(v)[1:-1], sep=' ')",
    "f-string": "u = [float(q) for q in f'{v}'[1:-1].split()]",
    "repr": "u = eval('np.' + repr(v))",
    "%": "u = [float(('%.6f %s' % (q, 'm')).split()[0]) for q in v]",
    "list": "u = ast.literal_eval(str(v.tolist()))",
    "print": "print(v, file=(s := io.StringIO()))\nu = np.fromstring(s.getvalue()[1:-2], sep=' ')",
    "save": "np.save((s := io.BytesIO()), v)\ns.seek(0)\nu = np.load(s)",
    "savetxt": "np.savetxt((s := io.StringIO()), v)\nu = np.loadtxt(s.getvalue().splitlines())",
    "json": "u = json.loads(json.dumps(v.tolist()))",
    "Decimal": "u = [float(decimal.Decimal(str(q))) for q in v]",
    "Fraction": "u = [float(fractions.Fraction(str(q))) for q in v.tolist()]",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_what_is_read_back_is_told(value, trip):
    cell = f"{value}\n{trip}\nout = np.sum(u) * np.sum(x)"
    taped, session = run_taped(SETUP, cell, sources=(parse_path("x"),))
    assert taped["raised"] is None
    session.differentiate()
    assert "reads such a number back: the gradient does not go that way" in session.tape.explain()
