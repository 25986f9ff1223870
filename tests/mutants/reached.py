"""Which tests reach which functions of the package, and how long they take.

``python -m pytest -n 2 -p tests.mutants.reached`` writes it down in `.reached/`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FrameType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = str(ROOT / "tapemagic") + "/"
FOLDER = ROOT / ".reached"


def name_of(file: str, line: int) -> str:
    """Return the name for a function here: its file in the package, and its first line."""
    return f"{file.removeprefix(PACKAGE)}:{line}"


class Listener:
    """Writes down which functions the tests of one process call."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.numbers: dict[str, int] = {}  # of functions
        self.tests: dict[str, tuple[float, list[int]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        called: dict[int, CodeType] = {}

        def hear(frame: FrameType, event: str, arg: object) -> None:
            called[id(frame.f_code)] = frame.f_code

        start = time.perf_counter()
        sys.settrace(hear)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            seconds = time.perf_counter() - start
            names = {
                name_of(code.co_filename, code.co_firstlineno)
                for code in called.values()
                if code.co_filename.startswith(PACKAGE)
            }
            numbers = [self.numbers.setdefault(name, len(self.numbers)) for name in sorted(names)]
            self.tests[item.nodeid] = seconds, numbers

    def pytest_sessionfinish(self) -> None:
        FOLDER.mkdir(exist_ok=True)
        self.file.write_text(json.dumps({"functions": list(self.numbers), "tests": self.tests}))


def pytest_configure(config: pytest.Config) -> None:
    worker = getattr(config, "workerinput", {}).get("workerid", "alone")
    config.pluginmanager.register(Listener(FOLDER / f"{worker}.json"))


def tests_by_function() -> dict[str, list[tuple[float, str]]]:
    """Return, of each function, the tests that reach it, with their seconds."""
    reached: dict[str, list[tuple[float, str]]] = {}
    for file in FOLDER.glob("*.json"):
        written = json.loads(file.read_text())
        for test, (seconds, numbers) in written["tests"].items():
            for number in numbers:
                reached.setdefault(written["functions"][number], []).append((seconds, test))
    return reached
