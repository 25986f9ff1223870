"""The variables that a cell is differentiated by: found, exchanged for handles, and named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from IPython.core.error import UsageError

from tapemagic.autodiff.borrowing.containers import rebuild, set_attribute, set_member, slots
from tapemagic.autodiff.borrowing.exchange import is_array, is_users
from tapemagic.autodiff.borrowing.watchable import is_subclass, plain_of
from tapemagic.autodiff.calls.dispatch import HANDLE_TYPES
from tapemagic.autodiff.leaks import TABLES
from tapemagic.autodiff.variable import Variable

from .arguments import Path, spell, unknown
from .namespace import fresh, is_scalar
from .source import CellSource

_DEEPEST = 30
_MOST = 2000  # leaves of one source: more are not a table that anybody reads


@dataclass
class Sources:
    """What became of the sources of one cell.

    Attributes
    ----------
    handles : dict
        Name -> handle, in the order of the table.
    reasons : dict
        Name -> why it has no derivative.
    settings : dict
        The same of integers inside objects, such as the sizes of layers: told if nothing else is.
    wanted : set of str
        Names that the cell itself binds first: watched from then on.
    changed : list
        Containers into which handles were put.
    rebuilt : list of (new, old)
        Tuples that were made anew for them.
    """

    handles: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    changed: list[Any] = field(default_factory=list)
    rebuilt: list[tuple[Any, Any]] = field(default_factory=list)
    numbers: dict[int, Any] = field(default_factory=dict)

    def knows(self, text: str) -> bool:
        """Say whether there is something to say of a path, or of one that leads on from it."""
        known = (*self.handles, *self.reasons, *self.settings)
        return any(name == text or name.startswith((f"{text}.", f"{text}[")) for name in known)

    def lift(self, value: Any, lift: Callable[[Any], Any]) -> Any:
        """Make a handle; a number that two sources share becomes two objects."""
        if not is_scalar(value):
            return lift(value)
        value = fresh(value) if id(value) in self.numbers else value
        self.numbers[id(value)] = value
        return lift(value)


def find_sources(reads: Iterable[str], namespace: Mapping[str, Any]) -> list[Path]:
    """Find the sources of a cell that names none.

    The trainable variables that it reads, if it reads any; else every float or complex array,
    NumPy scalar and Python float.
    """
    present = [name for name in reads if name in namespace]
    variables = [name for name in present if isinstance_exactly(namespace[name], Variable)]
    if variables:
        present = [name for name in variables if namespace[name].trainable]
    else:
        present = [name for name in present if is_number(namespace[name])]
    return [Path(name, name) for name in present]


def isinstance_exactly(value: Any, kind: type) -> bool:
    """`isinstance` by the true type: a handle's `__class__` is that of its value."""
    return issubclass(type(value), kind)


def is_number(value: Any) -> bool:
    """Say whether a plain value can be a source."""
    return is_array(value) or is_scalar(value)


def check_sources(
    paths: Iterable[Path], cell: CellSource, reads: Iterable[str], namespace: Mapping[str, Any]
) -> None:
    """Raise before anything is exchanged if a source does not exist.

    Raises
    ------
    UsageError
    """
    for path in paths:
        if is_bound_first(path, cell, set(reads), namespace):
            if path.steps:
                raise UsageError(
                    f"'{path.text}': the cell itself makes '{path.root}'; name '{path.root}'"
                )
        elif path.root not in namespace:
            raise UsageError(unknown(path.root, [*namespace, *cell.binds]))
        elif is_subclass(value := path.find(namespace)):
            raise UsageError(f"the source '{path.text}' is a {why_not(value)}")


def is_bound_first(
    path: Path, cell: CellSource, reads: set[str], namespace: Mapping[str, Any]
) -> bool:
    """Say whether the cell binds a source before it reads it."""
    return path.root in cell.binds and (path.root not in reads or path.root not in namespace)


def take_sources(
    paths: Iterable[Path],
    cell: CellSource,
    reads: Iterable[str],
    namespace: MutableMapping[str, Any],
    lift: Callable[[Any], Any],
) -> Sources:
    """Exchange the numbers in the sources for handles and name each of them.

    The arrays that the cell reaches have been exchanged already; what is left are scalars, which
    become handles only here, and arrays inside objects that are not the user's.
    """
    sources = Sources()
    reads = set(reads)
    for path in paths:
        if is_bound_first(path, cell, reads, namespace):
            sources.wanted.add(path.root)
            continue
        value = path.find(namespace)
        new = _take(path.text, value, lift, sources, set())
        # trainable variables are watched when they are read
        if not sources.knows(path.text) and not hasattr(value, "trainable_variables"):
            sources.reasons[path.text] = why_none_in(value)
        if new is not value:
            put_source(path, new, namespace, sources)
    if not sources.handles:
        sources.reasons |= sources.settings
    return sources


def _take(
    text: str, value: Any, lift: Callable[[Any], Any], found: Sources, seen: set[int],
    depth: int = 0, in_object: bool = False,
) -> Any:  # fmt: skip
    """Return what stands for a value as part of a source."""
    if type(value) in HANDLE_TYPES or is_number(value):
        handle = value if type(value) in HANDLE_TYPES else found.lift(value, lift)
        if len(found.handles) < _MOST:
            found.handles[text] = handle
        return handle
    if depth == 0 or isinstance(value, np.ndarray | np.generic | int):
        reason = why_not(value)
        if reason:
            is_setting = in_object and isinstance(value, int | np.integer)
            (found.settings if is_setting else found.reasons)[text] = reason
            return value
    if id(value) in seen or depth > _DEEPEST:
        return value
    seen.add(id(value))
    if isinstance(value, tuple):
        new = [
            _take(text + spell(step), element, lift, found, seen, depth + 1, in_object)
            for step, element, *_ in named_parts(value)
        ]
        if all(a is b for a, b in zip(new, value, strict=True)):
            return value
        result = rebuild(value, new)
        found.rebuilt.append((result, value))
        return result
    has_settings = hasattr(value, "trainable_variables")
    for step, element, put, place in named_parts(value):
        if isinstance(element, bool | Enum) or (has_settings and isinstance(element, int)):
            continue  # as whether a layer is trainable: nobody misses a gradient
        inside = in_object or step[0] == "attribute"
        new = _take(text + spell(step), element, lift, found, seen, depth + 1, inside)
        if new is not element:
            put(value, place, new)
            found.changed.append(value)
    return value


def named_parts(value: Any) -> Iterator[tuple[tuple[str, Any], Any, Callable[..., Any], Any]]:
    """Yield the parts of a container that a path can spell.

    As the step that leads there, the part, and how to put something else in its place (into a
    tuple nothing can be put).
    """
    if isinstance(value, tuple):
        names = getattr(value, "_fields", range(len(value)))
        for name, element in zip(names, value, strict=True):
            yield (
                ("item" if isinstance(name, int) else "attribute", name),
                element,
                set_member,
                name,
            )
    elif isinstance(value, list | dict) or is_users(type(value)):
        for put, place, element in slots(value):
            if put in _NAMED:
                yield step_of(put, place), element, put, place


#: The ways of putting something into a container that a path can spell.
_NAMED = (dict.__setitem__, list.__setitem__, set_attribute, set_member)


def step_of(put: Callable[..., Any], place: Any) -> tuple[str, Any]:
    """Return the step of a path that leads to a place in a container."""
    if put is set_member:
        return "attribute", place.__name__
    return ("attribute" if put is set_attribute else "item"), place


def why_not(value: Any) -> str:
    """Say why a value has no derivative, or "" for a container, which may hold some."""
    if isinstance(value, bool | np.bool_):
        return "bool: has no derivative"
    if isinstance(value, int | np.integer):
        return f"integer: has no derivative; use a float ({value}.0)"
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            return ""
        if is_subclass(value):
            way = "which computes in its own way: no derivative is known"
            return f"{type(value).__name__}, {way}; use {plain_of(value)}"
        return f"dtype {value.dtype}: has no derivative; use .astype(float)"
    if hasattr(value, "trainable_variables"):  # they are sources as soon as they are read
        return ""
    is_function = callable(value) and not is_users(type(value))
    if isinstance(value, str | bytes | type(None)) or is_function:
        return f"{type(value).__name__}: not a number"
    return ""


def why_none_in(value: Any) -> str:
    """Say why nothing that a source holds can be differentiated by."""
    kind = type(value).__name__
    if isinstance_exactly(value, np.ndarray):
        return "dtype object: has no derivative; use .astype(float)"
    if type(value).__module__.partition(".")[0] in TABLES:
        return f"{kind}, which computes in its own way; make an array of it: .to_numpy()"
    return f"{kind}: it held no float array and no float when the cell began"


def integers(names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, str]:
    """Say of the names that hold integers why they are no sources."""
    values = {name: namespace[name] for name in names if name in namespace}
    return {
        name: why_not(value)
        for name, value in values.items()
        if (isinstance(value, int | np.integer) and not isinstance(value, bool))
        or (isinstance_exactly(value, np.ndarray) and value.dtype.kind in "iu")
    }


def first_float(names: Iterable[str], namespace: Mapping[str, Any]) -> str:
    """Return the first name that is bound to floats, or the name of an example."""
    return next((name for name in names if is_array(x := namespace.get(name)) or is_scalar(x)), "w")


def put_source(path: Path, new: Any, namespace: MutableMapping[str, Any], found: Sources) -> None:
    """Put something else where the path of a source leads."""
    if not path.steps:
        namespace[path.root] = new
        return
    parent = Path("", path.root, path.steps[:-1])
    holder = Path(path.text, path.root, path.steps[:-1]).find(namespace)
    kind, key = path.steps[-1]
    if isinstance(holder, tuple):
        index = key if kind == "item" else holder._fields.index(key)  # type: ignore[attr-defined]
        elements = list(holder)
        elements[index] = new
        result = rebuild(holder, elements)
        found.rebuilt.append((result, holder))
        put_source(parent, result, namespace, found)
        return
    if isinstance(holder, list) and key < 0:
        key += len(holder)
    for put, place, _ in slots(holder):
        if step_of(put, place) == (kind, key):
            put(holder, place, new)
            found.changed.append(holder)
            return
    raise UsageError(f"'{path.text}' is computed when it is asked for: it cannot be a source")


def why_no_source(value: Any) -> str:
    """Say why a name that the person asked for, bound to `value` by the cell, is no source."""
    if isinstance(value, dict | list | tuple):
        kind = type(value).__name__
        return f"the cell itself makes this {kind}: move that line to a cell above"
    return "the cell never bound it to a float"
