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
