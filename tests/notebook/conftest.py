"""A real ipykernel, and what came out of each cell."""

import contextlib
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import tapemagic

# the helpers of this folder, which is no package
sys.path.insert(0, str(Path(__file__).parent))

PACKAGE_ROOT = str(Path(tapemagic.__file__).parent.parent)
TIMEOUT = 60
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Reply:
    """What a cell sent: the reply to its execution, and its outputs in order."""

    content: dict
    outputs: list = field(default_factory=list)

    @property
    def status(self):
        return self.content["status"]

    @property
    def error(self):
        return self.content.get("ename")

    @property
    def traceback(self):
        """The traceback as shown, without colours."""
        shown = [out["content"] for out in self.outputs if out["msg_type"] == "error"]
        rows = [row for content in shown for row in content["traceback"]]
        return _COLOUR.sub("", "\n".join(rows))

    def stream(self, name="stdout"):
        found = (out["content"] for out in self.outputs if out["msg_type"] == "stream")
        return "".join(content["text"] for content in found if content["name"] == name)

    @property
    def result(self):
        """(execution count, text) of `Out[n]`, or None."""
        for out in self.outputs:
            if out["msg_type"] == "execute_result":
                content = out["content"]
                return content["execution_count"], content["data"]["text/plain"]
        return None

    @property
    def displays(self):
        kinds = ("display_data", "update_display_data")
        return [out["content"]["data"] for out in self.outputs if out["msg_type"] in kinds]


class Kernel:
    """A running kernel that executes one cell at a time."""

    def __init__(self, manager, client):
        self.manager, self.client = manager, client

    def run(self, code, on_stream=None, silent=False):
        """Execute a cell; `on_stream(text)` is called with what it prints while it runs."""
        # a kernel that is to stop on errors drops, for a moment, what comes after one
        message = self.client.execute(code, silent=silent, stop_on_error=False)
        outputs = []
        while True:
            out = self.client.get_iopub_msg(timeout=TIMEOUT)
            if out["parent_header"].get("msg_id") != message:
                continue
            if out["msg_type"] == "status" and out["content"]["execution_state"] == "idle":
                break
            outputs.append(out)
            if out["msg_type"] == "stream" and on_stream is not None:
                on_stream(out["content"]["text"])
        return Reply(self.reply_to(message)["content"], outputs)

    def reply_to(self, message):
        """Wait for the answer; the start leaves answers of its own behind."""
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == message:
                return reply

    def value(self, expression):
        """`repr` of an expression, computed in the kernel without the extension's help."""
        reply = self.run(f"print(repr(({expression})))")
        assert reply.status == "ok", reply.traceback
        return reply.stream().rstrip("\n")

    def complete(self, code, position=None):
        message = self.client.complete(code, len(code) if position is None else position)
        return self.reply_to(message)["content"]["matches"]


@contextlib.contextmanager
def started_kernel():
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name="python3")
    paths = [PACKAGE_ROOT, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    manager.start_kernel(env=environment)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=TIMEOUT)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def module_kernel():
    with started_kernel() as kernel:
        reply = kernel.run("%load_ext tapemagic\n%config TapeMagics.show = 'none'")
        assert reply.status == "ok", reply.traceback
        yield kernel


@pytest.fixture
def kernel(module_kernel):
    """The module's kernel with fresh names."""
    reply = module_kernel.run(
        "%reset -f\n"
        "import numpy as np\n"
        "w = np.array([1.0, 2.0])\n"
        "b = 0.5\n"
        "x = np.array([[1.0, 2.0], [3.0, 4.0]])"
    )
    assert reply.status == "ok", reply.traceback
    return module_kernel
