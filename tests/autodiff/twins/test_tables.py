"""Tables beside a tape: the same tables as without one, and no gradient that lacks a part unsaid."""

import linecache
import warnings

import numpy as np
import pandas as pd
import pytest

from tapemagic import GradientTape, Variable
from tapemagic.errors import LeavesTapeError
from tapemagic.notebook.arguments import parse_path
from tests.notebook.both_runs import differences
from tests.notebook.worlds import FILENAME, run_plain, run_taped

SETUP = """
import numpy as np, pandas as pd
w, x = 0.5, np.array([1.0, 2.0, 3.0])
df = pd.DataFrame({"a": [1.0, 2.5, 3.0], "b": [4.0, 5.0, 6.0], "c": ["u", "v", "w"]})
"""
SOURCES = parse_path("w"), parse_path("x")
#: Cells whose target is computed from arrays and numbers that come out of a table.
ON_TAPE = {
    "values": "out = np.sum(df['a'].values * w)",
    "to_numpy": "out = np.mean((df[['a', 'b']].to_numpy() @ np.array([w, 2 * w])) ** 2)",
    "mean": "out = w * df.a.mean() + w * len(df)",
    "mask": "out = np.sum(x[df.a > 2])",
    "mask of rows": "out = np.sum((x[:, None] * x)[df.a > 2] ** 2)",
    "column of places": "out = np.sum(x[df.b.astype(int) - 4] * x)",
    "where": "out = np.sum(np.where(df.a > 2, x, w))",
    "rows": "out = 0\nfor _, row in df.iterrows():\n    out = out + (w * row.a - row.b) ** 2",
    "tuples": "out = sum((w * row.a - row.b) ** 2 for row in df.itertuples())",
    "apply": "out = df.apply(lambda row: row.a * w, axis=1).sum()",
    "map": "out = df.a.map(lambda a: a * w).sum()",
    "groups": "out = 0\nfor _, group in df.groupby('c'):\n    out = out + w * group.a.sum()",
}
#: Cells that compute with a traced value in a table.
COMPUTING = {
    "times": "out = (df['a'] * w).sum()",
    "times, from the left": "out = (w * df['a']).sum()",
    "of a table": "out = (df[['a', 'b']] * w).to_numpy().sum()",
    "array": "out = (df['a'] - x).sum()",
    "ufunc": "out = np.add(x, df['a']).sum()",
    "dot": "out = df['a'].dot(x)",
    "matmul": "out = (df[['a', 'b']].T @ x).sum()",
    "in place": "s = df['a'].copy()\ns += w\nout = s.sum()",
}
#: Cells that keep traced values in a table, and whether the target comes from there.
KEEPING = {
    "Series": "out = w + pd.Series(x).mean()",
    "Series of a list": "out = w + pd.Series([w, 2 * w]).sum()",
    "DataFrame": "out = w + pd.DataFrame({'x': x * 2}).x.mean()",
    "losses": "losses = [(w - k) ** 2 for k in range(3)]\ntable = pd.DataFrame({'loss': losses})\n"
    "print(table)\nout = w + table.loss.min()",
    "assign": "table = df.assign(x=x)\nout = w + table.x.sum()",
    "a new column": "df['x'] = x * 2\nout = w + df.x.sum()",
    "insert": "df.insert(0, 'x', x)\nout = w + df.x.sum()",
}


def text_of(world):
    """Tables are compared by what they print, and by their columns' types."""
    tables = {
        k: v for k, v in world["namespace"].items() if isinstance(v, pd.DataFrame | pd.Series)
    }
    return {
        k: (type(v), v.to_string(), str(v.dtypes), [type(one) for one in v.to_numpy().flat])
        for k, v in tables.items()
    }, world["printed"]


#: Before pandas 3 `apply` asks each result for an array.
BEFORE_3 = int(pd.__version__.partition(".")[0]) < 3


@pytest.mark.parametrize("text", ON_TAPE.values(), ids=ON_TAPE)
def test_what_comes_out_of_a_table_is_on_the_tape(text):
    taped, session = run_taped(SETUP, text, sources=SOURCES)
    if BEFORE_3 and ".apply(" in text:
        assert isinstance(taped["raised"], LeavesTapeError)
        return
    plain = run_plain(SETUP, text)
    assert taped["error"] == plain["error"] == "NoneType: None"
    assert text_of(taped) == text_of(plain)
    found = session.tape.gradient("out", ["w", "x"], unconnected_gradients="zero")
    for name, gradient in zip(("w", "x"), found, strict=True):
        np.testing.assert_allclose(gradient, differences(SETUP, text, name, 1e-6), rtol=1e-5)
    assert not session.tape._recording.taken


@pytest.mark.parametrize("text", COMPUTING.values(), ids=COMPUTING)
def test_what_a_table_would_compute_is_refused(text):
    taped, _ = run_taped(SETUP, text, sources=SOURCES)
    assert isinstance(taped["raised"], LeavesTapeError)
    assert "would leave the tape in pandas" in taped["error"]
    assert "to_numpy()" in taped["error"]
    assert taped["raised"].line == len(text.split("out")[0].splitlines() or [1])


@pytest.mark.parametrize("text", KEEPING.values(), ids=KEEPING)
def test_what_a_table_keeps_is_told(text):
    taped, session = run_taped(SETUP, text, sources=SOURCES)
    plain = run_plain(SETUP, text)
    assert taped["error"] == plain["error"] == "NoneType: None"
    assert text_of(taped) == text_of(plain)
    session.differentiate()
    [note] = [note for note in session.outcome.notes if "counts as constant" in note]
    assert "pandas" in note
    assert [finding.kind for finding in session.tape.findings].count("taken") >= 1


def test_lists_that_came_into_a_table_are_plain_after_the_cell():
    text = (
        "log = pd.DataFrame({'k': [0, 1]})\n"
        "log['loss'] = [w, w**2]\n"
        "s = pd.Series([1.0, 2.0], dtype=object)\n"
        "s[0] = w * 3\n"
        "out = w * 2"
    )
    taped, _ = run_taped(SETUP, text, sources=SOURCES)
    log, s = taped["namespace"]["log"], taped["namespace"]["s"]
    assert log.loss.dtype == float
    assert log.loss.tolist() == [0.5, 0.25]
    assert {type(one) for one in s} <= {float, np.float64}


SHOWING = {
    "the last line": "out = w * 2\npd.DataFrame({'x': x, 'y': x * 2})",
    "printed": "out = w * 2\nprint(pd.Series(x * w))",
    "summary": "out = w * 2\npd.DataFrame({'x': x}).describe().round(1)",
    "column": "out = w * 2\npd.DataFrame({'x': x * 2}).x",
}


@pytest.mark.parametrize("text", SHOWING.values(), ids=SHOWING)
def test_a_table_that_is_only_shown_is_no_matter(text, monkeypatch):
    lines = len(text), None, text.splitlines(keepends=True), FILENAME
    monkeypatch.setitem(linecache.cache, FILENAME, lines)
    taped, session = run_taped(SETUP, text, sources=SOURCES)
    assert taped["printed"] == run_plain(SETUP, text)["printed"]
    assert not session.tape._recording.taken


def test_classes_of_tables_are_themselves_in_a_cell():
    text = """
class Mine(pd.DataFrame):
    pass
own = Mine({"a": [w]})
checks = [
    isinstance(df, pd.DataFrame), isinstance(own, pd.DataFrame), not isinstance(3, pd.Series),
    issubclass(Mine, pd.DataFrame), pd.DataFrame.__name__, pd.DataFrame.__module__,
    type(pd.DataFrame.from_records([(1, 2)])).__name__, type(pd.concat([df, df])).__name__,
    type(df.a).__name__, isinstance(df.a, pd.Series),
]
match df:
    case pd.DataFrame():
        checks.append("matched")
out = w * 2
"""
    taped, plain = run_taped(SETUP, text, sources=SOURCES)[0], run_plain(SETUP, text)
    assert taped["error"] == plain["error"] == "NoneType: None"
    assert taped["namespace"]["checks"] == plain["namespace"]["checks"]
    assert type(taped["namespace"]["df"]) is pd.DataFrame


POLARS = """
import numpy as np, polars as pl
w, x = 0.5, np.array([1.0, 2.0, 3.0])
df = pl.DataFrame({"a": [1.0, 2.5, 3.0], "b": [4.0, 5.0, 6.0]})
"""


@pytest.mark.parametrize(
    ("text", "keeps"),
    [
        ("out = np.sum(df['a'].to_numpy() * w)", False),
        ("out = w * df['a'].mean() + np.sum(x[(df['a'] > 2).to_numpy()])", False),
        ("out = sum((w * a - b) ** 2 for a, b in df.iter_rows())", False),
        ("out = w + pl.Series('x', x).sum()", True),
        ("t = pl.DataFrame({'loss': [w, w * 2]})\nprint(t)\nout = w + t['loss'].sum()", True),
        ("out = w * 2\nprint(isinstance(df, pl.DataFrame), pl.Series.__name__)", False),
    ],
)  # fmt: skip
def test_tables_of_polars(text, keeps):
    taped, session = run_taped(POLARS, text, sources=SOURCES)
    plain = run_plain(POLARS, text)
    assert taped["error"] == plain["error"] == "NoneType: None"
    assert taped["printed"] == plain["printed"]
    assert bool(session.tape._recording.taken) is keeps
    if not keeps:
        found = session.tape.gradient("out", ["w", "x"], unconnected_gradients="zero")
        for name, gradient in zip(("w", "x"), found, strict=True):
            expected = differences(POLARS, text, name, 1e-6)
            np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize("text", ["out = (df['a'] * w).sum()", "out = (w * df['a']).sum()"])
def test_what_a_table_of_polars_would_compute_is_an_error(text):
    assert run_taped(POLARS, text, sources=SOURCES)[0]["error"] != "NoneType: None"


def test_a_script_is_warned_once():
    w = Variable(0.5)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with GradientTape(persistent=True) as tape:
            loss = w + pd.Series([w, w * 2]).sum() + pd.Series(w * np.ones(3)).sum()
        with tape:
            loss = loss * 2
    assert len(seen) == 1
    assert "pandas" in str(seen[0].message)
    assert seen[0].filename == __file__
    assert tape.gradient(loss, w) == 2
