"""Running tests with a changed file, in forks of a process that has collected them.

No file is written. Functions that are loaded get their changed code; of what a module does when it
is imported, package and tests are imported anew.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.machinery
import multiprocessing
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import CodeType, FunctionType
from typing import Any

import _pytest.main
import pytest

from .reached import ROOT

#: Seconds after which tests hang.
PATIENCE = 100
FLAGS = ["-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "timeout=30"]


class Noticing:
    """A plugin that keeps the first test that fails."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid


class Forks(Noticing):
    """A plugin that does `work` in place of the tests that were collected, which has `notice`."""

    def __init__(self, work: Callable[[Forks], None]) -> None:
        super().__init__()
        self.work = work

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session = session
        self.items = {item.nodeid: item for item in session.items}
        self.functions: dict[tuple, list[FunctionType]] = {}
        for function in gc.get_objects():
            if type(function) is FunctionType:
                self.functions.setdefault(_place_of(function.__code__), []).append(function)
        self.work(self)
        return True

    def notice(self, tests: list[str], file: str, old: str, new: str) -> str:
        """Return the first of the tests that fails if a file has another text, or nothing."""
        context = multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=self._run, args=(tests, file, old, new, send))
        process.start()
        send.close()
        try:
            return receive.recv() if receive.poll(PATIENCE) else f"{tests[0]} hangs"
        except EOFError:
            return f"{tests[0]} ends the process"
        finally:
            process.kill()
            process.join()

    def _run(self, tests: list[str], file: str, old: str, new: str, send: Connection) -> None:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        codes = [compile(text, file, "exec", dont_inherit=True) for text in (old, new)]
        try:
            if self._exchange(*codes):
                self.session.items = [self.items[test] for test in tests]
                self.session.config.option.maxfail = 1
                with contextlib.suppress(pytest.Session.Failed):
                    _pytest.main.pytest_runtestloop(self.session)
            else:
                self.failed = _run_anew(tests, file, codes[1])
        except BaseException as error:  # an exit, too
            self.failed = self.failed or f"{tests[0]} {error!r}"
        send.send(self.failed)
        os._exit(0)

    def _exchange(self, old: CodeType, new: CodeType) -> bool:
        """Give functions their new code; False if what changed is not in functions."""
        found = self.functions.get(_place_of(old), [])
        if not found and _own(old) != _own(new):
            return False
        for function in found:
            function.__code__ = new
        return all(self._exchange(*pair) for pair in zip(_parts(old), _parts(new)))


def _place_of(code: CodeType) -> tuple:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _parts(code: CodeType) -> list[CodeType]:
    return [x for x in code.co_consts if isinstance(x, CodeType)]


def _own(code: CodeType) -> tuple:
    return code.co_code, repr([x for x in code.co_consts if not isinstance(x, CodeType)])


class _Some(Noticing):
    """A plugin that lets some tests run, in their order."""

    def __init__(self, tests: list[str]) -> None:
        super().__init__()
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])


def _run_anew(tests: list[str], file: str, code: CodeType) -> str:
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(ROOT)):
            del sys.modules[name]
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: Any, name: str) -> Any:
        return code if loader.path == file else usual(loader, name)

    importlib.machinery.SourceFileLoader.get_code = get_code
    some = _Some(tests)
    files = list(dict.fromkeys(test.split("::")[0] for test in tests))
    status = pytest.main([*FLAGS, "-x", *files], plugins=[some])
    return some.failed or (f"{files[0]} cannot be run" if status else "")
