"""Two runs of one cell, plain and taped, and everything in which they could differ."""

import ast
import contextlib
import io
import random
import re
from collections import deque
from types import FunctionType, ModuleType

import numpy as np

from tapemagic.notebook.instrument import make_plan
from tapemagic.notebook.records import Cell, Options
from tapemagic.notebook.session import Session

#: What of a world is there to be looked at, and need not be the same.
PRIVATE = ("namespace", "raised")
FILENAME = "<cell of the test>"


class Boom(Exception):  # noqa: N818
    """Raised in the middle of a cell."""


def start(setup):
    namespace = {"__name__": "__main__"}
    random.seed(1)
    np.random.seed(1)
    execute(ast.parse(setup).body, namespace, "<setup>")
    return namespace


def execute(body, namespace, filename=FILENAME):
    """Run statements one by one, as the shell does."""
    for statement in body:
        module = ast.fix_missing_locations(ast.Module([statement], []))
        exec(compile(module, filename, "exec"), namespace)


def run_plain(setup, text):
    namespace = start(setup)
    before = dict(namespace)
    return finish(namespace, before, lambda: execute(ast.parse(text).body, namespace))


def run_taped(setup, text, **options):
    namespace = start(setup)
    before = dict(namespace)
    sessions = []

    def run():
        plan = make_plan(ast.parse(text).body)
        session = Session(plan, Options(**options), namespace, Cell(text, 1, FILENAME))
        sessions.append(session)
        error = None
        try:
            session.begin()
            execute(plan.body, namespace)
        except BaseException as raised:
            error = raised
            raise
        finally:
            session.end(error)

    world = finish(namespace, before, run)
    return world, sessions[0]


def finish(namespace, before, run):
    """Run; return the names and everything else that a run leaves."""
    printed, error = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        try:
            run()
        except BaseException as raised:
            error = raised
    for name in ("__builtins__", "__warningregistry__"):  # left by Python itself
        namespace.pop(name, None)
        before.pop(name, None)
    return {
        "names": list(namespace),
        "values": picture(namespace),
        # what the names held before: changed in place, or left alone
        "originals": picture(before),
        "kept": [name for name in before if before[name] is namespace.get(name)],
        "memory": shared_memory(namespace, before),
        # what owns its memory has no base and can be resized
        "owned": [(name, x.flags.owndata) for name, x in arrays(namespace).items()],
        "printed": printed.getvalue(),
        "error": f"{type(error).__name__}: {error}",
        "raised": error,
        "random": (random.getstate(), str(np.random.get_state())),
        "namespace": namespace,
    }


def arrays(namespace):
    return {k: v for k, v in namespace.items() if isinstance(v, np.ndarray)}


def shared_memory(namespace, before):
    found = {**{f"{k} before": v for k, v in arrays(before).items()}, **arrays(namespace)}
    pairs = [(a, b) for a in found for b in found if a < b]
    return [
        (a, b)
        for a, b in pairs
        # of two that nobody can write to, nobody can tell
        if (found[a].flags.writeable or found[b].flags.writeable)
        and np.shares_memory(found[a], found[b])
    ]


def picture(value, seen=None):
    """Describe a value with types, bits and aliasing, so that equal pictures mean equal worlds."""
    seen = {} if seen is None else seen
    kind = type(value)
    if kind in (int, float, complex, str, bool, bytes, type(None)):
        return kind.__name__, repr(value)
    if isinstance(value, np.generic):
        return kind.__name__, value.tobytes()
    if isinstance(value, ModuleType):
        return "module", value.__name__, id(value)
    if id(value) in seen:
        return "again", seen[id(value)][0]
    seen[id(value)] = len(seen), value
    if kind is np.ndarray:
        content = [picture(item, seen) for item in value.flat] if value.dtype == object else (
            value.tobytes()
        )  # fmt: skip
        flags = value.flags.writeable, value.flags.c_contiguous, value.flags.f_contiguous
        if not value.flags.writeable:  # a copy, whose layout may be simpler
            flags = (False,)
        return "ndarray", str(value.dtype), value.shape, flags, content
    if isinstance(value, dict):
        return kind.__name__, [(picture(k, seen), picture(v, seen)) for k, v in value.items()]
    if isinstance(value, (list, tuple, deque)):
        return kind.__name__, [picture(item, seen) for item in value]
    if isinstance(value, (set, frozenset)):
        return kind.__name__, sorted(repr(picture(item)) for item in value)
    if kind is FunctionType:
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return "function", value.__name__, picture((cells, value.__defaults__, vars(value)), seen)
    if isinstance(value, type):
        if value.__module__ != "__main__":
            return "type", value.__qualname__
        public = {k: v for k, v in vars(value).items() if not k.startswith("__")}
        return "class", value.__name__, picture(public, seen)
    if hasattr(value, "__dict__"):
        return kind.__name__, picture(vars(value), seen)
    return kind.__name__, re.sub(r" at 0x\w+", "", repr(value))


def assert_same_world(plain, taped):
    for key in plain:
        if key not in PRIVATE:
            assert list(differences(taped[key], plain[key])) == [], key


def differences(found, expected, place=""):
    """Yield where two pictures differ."""
    nested = isinstance(found, (list, tuple)) and type(found) is type(expected)
    if nested and len(found) == len(expected):
        for index, pair in enumerate(zip(found, expected, strict=True)):
            is_item = isinstance(pair[1], tuple) and any(isinstance(x, tuple) for x in pair[1][:1])
            yield from differences(*pair, f"{place}/{pair[1][0][1] if is_item else index}")
    elif found != expected:
        yield f"{place}: {found!r}, expected {expected!r}"[:300]
