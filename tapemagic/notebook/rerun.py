"""Running a cell again on copies, for a slider: the user's values are never touched.

Meanwhile the copies are in the notebook's own namespace: it is what functions and methods read,
wherever they are kept.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tapemagic.autodiff.calls.dispatch import plain
from tapemagic.autodiff.twins import states
from tapemagic.errors import TapeStateError, TapeUseError

from .arguments import parse_path
from .copies import copies_of, copy_namespace, plain_data, size_of
from .hooks import RUNNING
from .instrument import Plan
from .interrupts import uninterrupted
from .records import Cell, Options
from .session import Session
from .shared import MOST_CALLS, CacheHolder, filled, holders
from .source import future_flags
from .sources import Sources, put_source
from .versions import is_variable

#: Copies of larger namespaces are not kept: their cells get no sliders.
MOST_BYTES = 64 * 2**20


class Rerun:
    """A cell with the values that it started from.

    Parameters
    ----------
    plan : Plan
        The instrumented cell.
    options : Options
    cell : Cell
    names : list of str
        What the cell can reach in the namespace.
    namespace : dict
        Copied from, before the cell runs.
    flags : int
        Compiler flags of the shell.

    Attributes
    ----------
    reason : str
        Why the cell cannot be run again, or "".
    """

    def __init__(
        self,
        plan: Plan,
        options: Options,
        cell: Cell,
        names: list[str],
        namespace: dict[str, Any],
        flags: int = 0,
    ) -> None:
        self.plan = plan
        self.options = options
        self.cell = cell
        self.reason = ""
        self._namespace = namespace
        self._start: dict[str, Any] = {}
        self._code: list[Any] = []
        self._shared: list[tuple[Any, dict[str, Any]]] = []
        if plan.shell_lines:
            self.reason = "it runs shell or magic commands"
            return
        present = {name: namespace[name] for name in names if name in namespace}
        found = holders(present.values(), namespace)
        if any(isinstance(x, CacheHolder) and x.size() > MOST_CALLS for x in found):
            self.reason = f"a function in it has more than {MOST_CALLS:,} calls in its cache"
            return
        contents = {str(i): one.content() for i, one in enumerate(found)}
        if size_of(present) + size_of(contents) > MOST_BYTES:
            self.reason = "its arrays are too large to keep a copy of"
            return
        try:
            for statement in plan.body:
                module = ast.fix_missing_locations(ast.Module([statement], []))
                flags |= future_flags(statement)
                self._code.append(compile(module, cell.filename, "exec", flags, dont_inherit=True))
        except SyntaxError:  # top-level await: there is no event loop to run it in here
            self.reason = "it is not plain Python"
            return
        try:
            memo = copies_of(plain_data(present.values()))
            self._start = copy_namespace(present, namespace, memo)
            self._data = plain_data(self._start.values())
            self._shared = [(one, one.copied(one.content(), memo)) for one in found]
            copied = memo.get(id(memo), [])  # deepcopy keeps them alive there
            self._variables = [(x, memo[id(x)]) for x in copied if is_variable(x)]
            self._states = copy.deepcopy(states.current())
        except Exception as error:  # noqa: BLE001  (whatever a user's object raises when copied)
            self.reason = f"its values cannot be copied ({type(error).__name__}: {error})"

    def run(self, values: dict[str, Any]) -> Session:
        """Run the cell with other values of its sources, and differentiate.

        Parameters
        ----------
        values : dict
            Name or path of a source -> number or array.

        Raises
        ------
        TapeUseError
            If this cell cannot be run again.
        TapeStateError
            While another cell is running.
        Exception
            What the cell itself raises.
        """
        session = self.record(values)
        session.differentiate()
        return session

    def _share_imports(self) -> None:
        """Note what the cell has imported itself, as it has left it: nobody knows it before."""
        known = {one.id for one, _ in self._shared}
        there = [self._namespace.get(name) for name in self.plan.source.names]
        self._shared += [
            (one, one.copied(one.content(), {}))
            for one in holders(there, self._namespace)
            if one.id not in known
        ]

    def start_of(self, variable: Any) -> Any:
        """Return the value that a variable had before the cell; None if it was not reached then."""
        found = (start for original, start in self._variables if original is variable)
        return next((np.array(plain(start))[()] for start in found), None)

    def record(
        self,
        values: dict[str, Any],
        variables: Iterable[tuple[Any, Any]] = (),
        *,
        keeps_gradients: bool = False,
    ) -> Session:
        """Run the cell with other values of its sources; the gradient is not asked for yet.

        `variables` are pairs of a variable, wherever the notebook holds it, and its value.
        """
        if self.reason:
            raise TapeUseError(f"This cell cannot be run again: {self.reason}.")
        if RUNNING:
            raise TapeStateError("A taped cell is running.", fix="Wait until it is done.")
        self._share_imports()
        memo = copies_of(self._data)
        names = copy_namespace(self._start, self._namespace, memo)
        shared = [(one, one.copied(content, memo)) for one, content in self._shared]
        for variable, value in variables:
            start = next(start for original, start in self._variables if original is variable)
            give(memo[id(start)], value)
        for name, value in values.items():
            path = parse_path(name)
            found = path.find(names)
            kind = type(found)
            if is_variable(found):
                give(found, plain(found).dtype.type(value))
                continue
            if kind is np.ndarray and found.dtype == value.dtype and found.flags.writeable:
                found[...] = value  # whatever else holds the array holds the new value as well
                continue
            # the cell may write to it
            new = value.copy() if issubclass(kind, np.ndarray) else kind(value)
            put_source(path, new, names, Sources())
        own = copy.deepcopy(self._states)
        with holding(names, self._namespace), filled(shared), aside(own):
            session = Session(self.plan, self.options, self._namespace, self.cell)
            session.keeps_gradients = keeps_gradients
            for original, start in self._variables:
                variable = memo[id(start)]
                session.originals[id(variable)] = original
                session.start_values[id(variable)] = np.array(plain(variable))[()]
            try:
                session.begin()
                for code in self._code:
                    exec(code, self._namespace)  # noqa: S102  (the user's own cell)
            except BaseException as error:
                session.end(error)
                raise
            session.end(None)
            session.namespace = dict(self._namespace)
        return session


@contextlib.contextmanager
def holding(values: dict[str, Any], namespace: dict[str, Any]) -> Iterator[None]:
    """Let a namespace hold other values, and nothing else, while the block runs."""
    before = dict(namespace)
    try:
        exchange(namespace, values)
        yield
    finally:
        with uninterrupted():
            exchange(namespace, before)


def exchange(namespace: dict[str, Any], values: dict[str, Any]) -> None:
    """Make values the contents of a namespace, in their order."""
    namespace.clear()
    namespace.update(values)


def give(variable: Any, value: Any) -> None:
    """Give a variable another value; of one in double precision, single would lose the change.

    Raises
    ------
    TapeUseError
    """
    kind = plain(variable).dtype
    if np.asarray(value).dtype != kind:
        raise TapeUseError(f"The variable is of dtype {kind}.")
    variable.assign(value)


@contextlib.contextmanager
def aside(own: list[Any]) -> Iterator[None]:
    """Run the block without prints and warnings, with a random state of its own."""
    before = states.current()
    hook = sys.displayhook
    states.put(own)
    sys.displayhook = lambda value: None
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the person has read them when the cell ran
            yield
    finally:
        sys.displayhook = hook
        states.put(before)
