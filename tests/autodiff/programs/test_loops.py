"""Repetitions in a program are loops: shorter, and the very same numbers."""

import re

import numpy as np
import pytest
from autodiff.loop_cells import LOOPS

from tapemagic import GradientTape, Variable
from tapemagic.autodiff import program
from tapemagic.autodiff.programs.loops import rolled


def record(cell, inputs):
    sources = [Variable(x, name=f"a{i}") for i, x in enumerate(inputs)]
    with GradientTape(persistent=True) as tape:
        target = cell(*sources)
    return tape, target, sources


@pytest.mark.parametrize(("cell", "inputs"), LOOPS, ids=lambda x: getattr(x, "__name__", ""))
def test_loops_give_the_numbers_of_the_straight_line(cell, inputs, monkeypatch):
    tape, target, sources = record(cell, inputs)
    short = tape.program(target, sources)
    monkeypatch.setattr(program, "rolled", lambda rows, *_: rows)
    long = tape.program(target, sources)
    assert "    for i in " not in str(long)
    for x, y in zip(short(), long(), strict=True):
        np.testing.assert_array_equal(x, y)
    if cell.__name__ not in ("branches", "triangle", "batches"):
        assert len(str(short).splitlines()) < len(str(long).splitlines())
        assert "    for i in " in str(short)


def test_the_text_of_a_loop():
    def chain(x):
        for _ in range(50):
            x = np.sin(x)
        return x

    tape, target, sources = record(chain, [0.5])
    body = str(tape.program(target, sources)).partition('all="ignore")\n')[2]
    body = "\n".join(row for row in body.splitlines() if "#" not in row)
    assert body == (
        "def value_and_gradient(a0):\n"
        "    a0 = np.float64(a0)\n"
        "    if a0.shape != ():\n"
        "        raise OtherWay('another shape of a0')\n"
        "    x = a0\n"
        "    x_at = []\n"
        "    for i in range(50):\n"
        "        x = np.sin(x)\n"
        "        x_at.append(x)\n"
        "    ct_x = np.cos(x_at[48])\n"
        "    for i in reversed(range(48)):\n"
        "        ct_x = ct_x * np.cos(x_at[i])\n"
        "    ct_a0 = ct_x * np.cos(a0)\n"
        "    return x, ct_a0"
    )


def test_what_comes_in_turn_is_counted_so():
    cell, inputs = next((cell, inputs) for cell, inputs in LOOPS if cell.__name__ == "in_turn")
    tape, target, sources = record(cell, inputs)
    text = str(tape.program(target, sources))
    assert (
        "    for i in range(12):\n"
        "        t1 = a0[i]**2\n"
        "        t1_at.append(t1)\n"
        "        total = total + a1[i % 3] * t1\n"
    ) in re.sub(r" *#.*\n", "", text)
    assert "        ct_a1[(i + 1) % 3] += t1_at[i + 1]\n" in text


def test_gradient_steps_are_a_loop_over_the_data():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4)), rng.normal(size=20)
    w = Variable(np.zeros(4), name="w")
    with GradientTape(persistent=True) as tape:
        u = w
        for _ in range(6):
            g = X.T @ (X @ u - y) / 20
            u = u - 0.1 * g
        target = np.sum(u**2)
    program = tape.program(target, w)
    assert list(program.constants) == ["X"]
    assert "        g = X.T @ (X @ u - y) / 20\n" in str(program)
    assert "        ct_u += (ct_g / 20) @ X.T @ X\n" in str(program)


def test_names_in_turn_are_a_short_list():
    rows = [f"t{k + 3} = np.sin(t{k + 2} * {'vw'[k % 2]})" for k in range(12)]
    rows = ["v = f(a)", "w = g(a)", "t2 = a", *rows, "return t14"]
    text = "\n".join(rolled(rows, {"a"}, counter({"a"})))
    assert "arrays = [v, w]\n" in text
    assert " = np.sin(t2 * arrays[i % 2])\n" in text


def test_a_source_may_be_called_range():
    x = Variable(np.ones(3), name="range")
    with GradientTape(persistent=True) as tape:
        y = x
        for _ in range(20):
            y = np.sin(y)
    value, gradient = tape.program(y, x)()
    np.testing.assert_array_equal(value, y._value)
    np.testing.assert_allclose(gradient, tape.gradient(y, x), rtol=1e-12)


def counter(taken):
    def fresh(name):
        found, k = name, 1
        while found in taken:
            k += 1
            found = f"{name}_{k}"
        taken.add(found)
        return found

    return fresh


def straight_line(rng):
    """Return rows of nested loops written out, with names of rounds, peeled ends and odd rounds."""
    rows, fresh = ["y = np.zeros(20)"], counter({"a", "b", "x", "y"})
    variables, places = ["a", "b"], {}
    shape = [(rng.integers(1, 7), rng.integers(0, 6)) for _ in range(3)]
    plans = [
        [(rng.integers(4), rng.integers(3), rng.integers(3)) for _ in range(rng.integers(1, 5))]
        for _ in range(6)
    ]

    def body(which, local, k, j):
        for place, (kind, p, q) in enumerate(plans[which]):
            first, second = local[-1 - p % len(local)], local[-1 - q % len(local)]
            name = fresh(f"t{len(rows)}")
            rows.append(
                [
                    f"{name} = np.sin({first}) + x[{k + p}] * np.cos({second})",
                    f"{name} = np.sin({first}) + {0.1 * j + p}",
                    f"{name} = np.tanh({first}) * a - {k * 2 + j}",
                    f"y[{k}] += {second}\nif y[0] != y[0]:\n    raise OtherWay('{first}')"
                    "\n" + f"{name} = np.sin(y[{p}]) * {first}",
                ][kind]
            )
            local.append(name)
            places[name] = which, place

    for which, (outer, inner) in enumerate(shape):
        for k in range(outer):
            body(2 * which, variables, k, 0)
            for j in range(inner):
                body(2 * which + 1, variables, j, k)
            if rng.random() < 0.1:
                rows.append("# another line")
    reads = rng.choice(variables, 6)
    back = [f"u{i} = np.cos({name}) * {variables[-1 - i]}" for i, name in enumerate(reads)]
    rows += back
    last = variables[-1]
    read = {place for place in set(places.values()) if rng.random() < 0.4}
    for i, name in enumerate(name for name in reversed(variables) if places.get(name) in read):
        rows.append(f"v{i} = {last} * np.cos({name})")
        last = f"v{i}"
    rows.append(f"return {last}, {', '.join(f'u{i}' for i in range(6))}, y.sum()")
    return [row for text in rows for row in text.split("\n")]


def run(rows):
    scope = {"np": np, "OtherWay": ValueError}
    exec("def f(a, b, x):\n" + "\n".join(f"    {row}" for row in rows), scope)
    with np.errstate(all="ignore"):
        return scope["f"](0.3, -0.7, np.linspace(-1, 1, 20))


def test_random_straight_lines():
    loops = 0
    for seed in range(120):
        rows = straight_line(np.random.default_rng(seed))
        names = {row.split(" = ")[0] for row in rows} | {"a", "b", "x"}
        found = rolled(rows, {"a", "b", "x"}, counter(names))
        np.testing.assert_array_equal(run(found), run(rows), err_msg=f"seed {seed}")
        loops += sum(row.lstrip().startswith("for ") for row in found)
    assert loops > 120


def test_rows_of_a_named_array_are_read_from_it():
    data, w = np.random.default_rng(0).normal(size=(40, 3)), Variable(np.ones(3))
    with GradientTape() as tape:
        loss = 0.0
        for x in data:
            loss = loss + np.tanh(x @ w)
    text = str(tape.program(loss, w))
    assert "np.tanh(data[i] @ w)" in text
    assert "np.array" not in text


def test_a_program_keeps_what_the_run_read():
    data, w = np.random.default_rng(0).normal(size=(40, 3)), np.ones(3)
    with GradientTape() as tape:
        tape.watch(w)
        loss = np.sum((data @ w) ** 2)
    text = tape.program(loss, w)
    before = text()
    data[:] = 0
    w[:] = 7
    for x, y in zip(text(), before, strict=True):
        np.testing.assert_array_equal(x, y)


def test_what_an_inner_loop_leaves_is_read_later():
    rows, y, left = [], "a", []
    for k in range(9):
        s = f"t{10 * k}"
        rows.append(f"{s} = {y} * 0")
        for j in range(8):
            rows.append(f"t{10 * k + j + 1} = {s} + np.sin(x[{j}] * {y})")
            s = f"t{10 * k + j + 1}"
        y = f"t{10 * k + 9}"
        rows.append(f"{y} = np.tanh({s})")
        left.append(s)
    last = "b"
    for k, s in enumerate(reversed(left)):
        rows.append(f"u{k} = {last} + np.cos({s})")
        last = f"u{k}"
    rows.append(f"return {y}, {last}")
    found = rolled(rows, {"a", "b", "x"}, counter({row.split(" = ")[0] for row in rows}))
    assert "\n".join(found).count("for ") == 3
    np.testing.assert_array_equal(run(found), run(rows))
