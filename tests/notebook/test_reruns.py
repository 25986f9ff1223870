"""A taped cell that is run a thousand times leaves memory as it was."""

import pytest

RUNS = """
import gc, sys
shell = get_ipython()
cell = "%%tape w\\nz = np.tanh(x @ w)\\nz[0] = b\\nloss = np.mean(z[1:] ** 2)"

def measure():
    gc.collect()
    return sys.getallocatedblocks(), len(gc.get_objects())

for _ in range(100):
    shell.run_cell(cell, store_history=False)
start = measure()
for _ in range(1000):
    shell.run_cell(cell, store_history=False)
stop = measure()
grown = stop[0] - start[0], stop[1] - start[1]
"""


@pytest.mark.kernel
def test_1000_runs_of_a_cell_are_flat(kernel):
    reply = kernel.run(RUNS)
    assert reply.status == "ok", reply.traceback
    blocks, objects = eval(kernel.value("grown"))
    assert objects <= 100
    assert blocks <= 1000  # less than one a run


CELLS = [
    "%%tape w",
    "%%tape w --check",
    "%%tape w --jacobian",
    "%%tape w --order 2",
    "%%tape --code",
]

COLLECTED = """
import gc
from tapemagic.autodiff.recorder import Recording
shell = get_ipython()
left = []
for line in CELLS:
    for _ in range(2):
        shell.run_cell(line + "\\nloss = np.mean(np.tanh(x @ w) ** 2)", store_history=False)
    gc.collect()
    gc.disable()
    before = sum(type(one) is Recording for one in gc.get_objects())
    for _ in range(3):
        shell.run_cell(line + "\\nloss = np.mean(np.tanh(x @ w) ** 2)", store_history=False)
    left.append(sum(type(one) is Recording for one in gc.get_objects()) - before)
    gc.enable()
"""


@pytest.mark.kernel
def test_the_last_run_of_a_cell_does_not_wait_for_the_collector(kernel):
    """Its arrays may be large, and a cell that is run again makes them again."""
    reply = kernel.run(f"import numpy as np\nCELLS = {CELLS}\n" + COLLECTED)
    assert reply.status == "ok", reply.traceback
    assert eval(kernel.value("left")) == [0] * len(CELLS)


DELETES = """
import tracemalloc
w = np.ones(100_000)
cell = '''%%tape w -t loss --show none
loss = 0.0
for k in range(40):
    a = w + k
    b = a - 2.0
    DELETE
    loss = loss + b.sum()
    DELETE_B
'''
peaks = []
for both in ("pass", "del"):
    text = cell.replace("DELETE_B", "pass" if both == "pass" else "del b")
    text = text.replace("DELETE", "pass" if both == "pass" else "del a")
    get_ipython().run_cell(text, store_history=False)
    tracemalloc.start()
    get_ipython().run_cell(text, store_history=False)
    peaks.append(tracemalloc.get_traced_memory()[1] / w.nbytes)
    tracemalloc.stop()
"""


@pytest.mark.kernel
def test_what_no_rule_reads_is_freed_within_a_cell(kernel):
    """40 rounds make 80 arrays: few are there at a time, and fewer where the cell deletes them."""
    reply = kernel.run("import numpy as np\n" + DELETES)
    assert reply.status == "ok", reply.traceback
    kept, deleted = eval(kernel.value("peaks"))
    assert deleted < kept < 12
