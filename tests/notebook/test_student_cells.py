"""Typical mistakes of students, and what the page says of them."""

import pytest

# names before the cell, its first line, the rest, and words that the page says
MISTAKES = {
    "integers": ("n = np.arange(3)\nm, flag = 2, True", "%%tape", "y = np.sum(n * m) if flag else 0",
                 ["n not connected dtype int64: has no derivative; use .astype(float)",
                  "m not connected integer: has no derivative; use a float (2.0)"]),
    "nothing to differentiate": ("", "%%tape", "y = 3", ["Name one: %%tape w"]),
    "all of it made in the cell": ("", "%%tape", "n = 2\na = np.ones(2) * 3\ny = np.sum(a**n)",
                                   ["Name one: %%tape a"]),
    "parameters in a dict": (
        "n = 2\nparams = {'w': np.ones(2), 'n': 3}", "%%tape", "y = np.sum(params['w'] ** n)",
        ["No source: the cell reads no float variable. params holds some: %%tape params"]),
    "layers in a list": (
        "class Layer:\n    def __init__(self): self.w = np.ones(2)\nnet = [Layer()]", "%%tape",
        "y = np.sum(net[0].w)", ["net holds some: %%tape net"]),
    "a number without a gradient at the end": (
        "", "%%tape w", "p = np.exp(w)\nnp.argmax(p)",
        ["np.argmax(p), at the end of the cell, has no gradient: left the tape at line 3",
         "as an integer (argmax). The gradient here is that of p."]),
    "a name without a gradient at the end": (
        "", "%%tape w", "p = np.exp(w)\naccuracy = np.mean(\n    p > 1\n)",
        ["accuracy, at the end of the cell, has no gradient: left the tape at line 4",
         "as a bool (< or >). The gradient here is that of p."]),
    "the target among the sources": (
        "", "%%tape w loss", "loss = w @ w",
        ["'loss' is among the sources; as the target it is named by -t loss"]),
    "the tape of the run before": (
        "from tapemagic import GradientTape\ntape = GradientTape()", "%%tape w -t loss",
        "loss = w @ w\ng = tape", ["'tape' (line 3) is not this cell's own tape"]),
    "the tape too early": (
        "", "%%tape w -t loss", "loss = w @ w\ng = tape.gradient(loss, w)",
        ["NameError", "'tape' (line 3) is not this cell's own tape"]),
    "a dead rectifier": (
        "", "%%tape w -t loss", "h = np.maximum(0, w - 100)\nloss = np.sum(h)",
        ["maximum (line 2) is a dead relu: every element is below 0. Give it inputs above 0, or",
         "let it leak: np.where(x > 0, x, 0.01 * x)."]),
    "a comparison": (
        "", "%%tape w -t loss", "loss = np.mean((w > 1) * 1.0)",
        ["left the tape at line 2 as a bool (< or >). A comparison has no slope: compute the",
         "target from the values themselves."]),
    "a place instead of a value": (
        "", "%%tape w -t loss", "loss = np.argmax(w) * 1.0",
        ["left the tape at line 2 as an integer (argmax). An integer has no slope"]),
    "computed in an earlier cell": (
        "p = w * 2", "%%tape w -t loss", "loss = np.sum(p)",
        ["no recorded operation reads 'w'; 'loss' is not on the tape: it is computed from plain",
         "values; of what the cell reads, 'p' is not watched. Compute the target from it"]),
    "an old value under a like name": (
        "p = w * 2", "%%tape w -t loss", "pred = w * 3\nloss = np.sum(p)",
        ["the last value computed from 'w' is 'pred' (line 2). Compute the target from that value."]),
    "saturation": ("", "%%tape w -t loss", "loss = np.sum(np.tanh(w * 100))",
                   ["tanh (line 2) is saturated", "rounds to 0. Scale its input down."]),
    "rounding": ("", "%%tape w -t loss", "p = np.round(w)\nloss = np.sum(p)",
                 ["round (line 2) is flat", "exists. Compute the target without it."]),
    "overflow": (
        "", "%%tape w -t loss", "p = np.exp(w * 1000)\nloss = np.sum(p / np.sum(p))",
        ["first inf going forward: line 2, element [0]: exp(1000) (subtract the maximum before exp)",
         "divide(inf, inf)"]),
    "a power that is none": (
        "k = 0", "%%tape w -t loss", "loss = np.sum(w**k)",
        ["the exponent of power (line 2) is 0: the result is 1 whatever the base is"]),
    "a misspelt target": ("", "%%tape w -t lss", "loss = w @ w",
                          ["no target 'lss': the cell did not make it; did you mean loss?"]),
    "a result without a name": ("", "%%tape w", "print(np.sum(w**2))",
                                ["that depends on a source; give the result one: loss = ..."]),
    "the magic too late": (
        "", "# squares", "%%tape w\nloss = w @ w", ["%%tape belongs on the first line of a cell"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_the_page_says(kernel, name):
    setup, line, body, words = MISTAKES[name]
    kernel.run(setup)
    show = " --show static" if line.startswith("%%tape") else ""
    reply = kernel.run(f"{line}{show}\n{body}")
    shown = [display["text/plain"] for display in reply.displays]
    told = " ".join(" ".join([*shown, reply.stream("stderr")]).split())
    for word in words:
        assert word in told


# cells that look like those mistakes and are none
FINE = {
    "shape at the end": "y = w * 2.0\ny.shape",
    "print at the end": "y = w * 2.0\nprint(y)",
    "number at the end": "y = np.sum(w)\nfloat(y)",
    "another number at the end": "y = np.sum(w)\nn = len(w) / 2",
    "decision before the end": "y = np.sum(w)\nif y > 100:\n    y = y / 2\nrate = 0.5",
    "a tape of its own": "from tapemagic import GradientTape\n"
    "with GradientTape() as tape:\n    y = tape.watch(w)\nz = w * 2.0",
}


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_said_without_need(kernel, name):
    reply = kernel.run(f"%%tape w --show static\n{FINE[name]}")
    assert reply.status == "ok", reply.traceback
    told = reply.displays[-1]["text/plain"]
    assert "at the end of the cell" not in told
    assert "own tape" not in told


def test_what_other_code_watches_is_no_source_of_the_cell(kernel):
    kernel.run("from tapemagic import grad\nfrom scipy.optimize import minimize")
    reply = kernel.run(
        "%%tape w\n"
        "best = minimize(lambda v: np.sum((v - w) ** 2), np.zeros(2)).x\n"
        "loss = np.sum(best * grad(lambda v: np.sum(v**3))(np.ones(2)))"
    )
    assert reply.status == "ok", reply.traceback
    assert kernel.value("[row.name for row in tape.graph.sources]") == "['w']"
    assert kernel.value("tape.gradient('loss', 'w').round(6).tolist()") == "[3.0, 3.0]"
