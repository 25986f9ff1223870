"""Caches of functions (`functools.lru_cache`): what they hold can be read, and made anew.

Nothing can be put into one but what its function returns. So the cache is emptied and asked for the
same calls again, while the function answers what is to be held; calls that hit and missed are
counted as before.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

from tapemagic.autodiff.handles import holds_traced
from tapemagic.autodiff.recorder import RECORDER

from .opaque import PLAIN, held, of_referents

CACHE: Any = type(functools.lru_cache(len))
#: Hits and misses that are counted anew; of more the count is lost.
_MOST_COUNTED = 100_000
#: What `put` is in the place of a slot (`containers.slots`).
_Put = Callable[[Any, Any, Any], None]

#: A call and its answer: ``[args, names of keywords and their values, answer]``.
Entry = list[Any]


def entries_of(cache: Any) -> list[Entry] | None:
    """Return the calls that a cache holds, the oldest first; None if it does not tell.

    Examples
    --------
    >>> cached = functools.lru_cache(lambda x, y=0.0: x + y)
    >>> cached(1.0, y=2.0), cached(3.0)
    (3.0, 3.0)
    >>> entries_of(cached)
    [[(1.0,), ('y', 2.0), 3.0], [(3.0,), (), 3.0]]
    """
    count, function = cache.cache_info().currsize, getattr(cache, "__wrapped__", None)
    found = gc.get_referents(cache)
    known = [i for i, x in enumerate(found) if x is function]
    if type(function) is not FunctionType or not known:
        return None
    table, mark = found[known[-1] - 1], found[known[-1] + 1]  # the mark stands before keywords
    if type(table) is not dict or len(table) != count:
        return None
    if cache.cache_info().maxsize is None:
        pairs = list(table.items())
    else:  # after the type of the cache come key, answer and type of each link
        pairs = list(zip(found[1::3], found[2::3], strict=False))[:count]
        keys = set(map(id, table))
        if any(id(key) not in keys for key, _ in pairs) or not all(
            map(_is_link, found[3::3][:count])
        ):
            return None
    typed = cache.cache_parameters()["typed"]
    return [[*_call_of(key, mark, typed=typed), answer] for key, answer in pairs]


def _is_link(x: Any) -> bool:
    return isinstance(x, type) and x.__name__ == "_lru_list_elem"


def _call_of(key: Any, mark: Any, *, typed: bool) -> tuple[tuple, tuple]:
    """Take the key of a call apart: arguments, and names and values of keywords."""
    if type(key) is not tuple:
        return (key,), ()  # a single integer or text
    places = [i for i, x in enumerate(key) if x is mark]
    args = key[: places[0]] if places else key
    given = key[places[0] + 1 :] if places else ()
    if typed:  # the types of all of them come last
        if places:
            given = given[: (len(given) - len(args)) * 2 // 3]
        else:
            args = args[: len(args) // 2]
    return args, given


def is_plain(entry: Entry) -> bool:
    """Say whether a call and its answer are nothing but numbers and text."""
    args, given, answer = entry
    return type(answer) in PLAIN and PLAIN.issuperset(map(type, args + given))


def refill(cache: Any, entries: list[Entry], hits: int, misses: int) -> None:
    """Let a cache hold these calls, and no others, and have counted so many hits and misses."""
    function, answers = cache.__wrapped__, [answer for *_, answer in entries]
    code = function.__code__
    cache.cache_clear()
    answers.reverse()
    try:
        function.__code__ = _calling(answers.pop, code.co_freevars)
        for args, given, _ in entries:
            cache(*args, **_keywords(given))
        for _ in range(min(misses - len(entries), _MOST_COUNTED)):
            with contextlib.suppress(IndexError):  # no answer is left
                cache(object())
        for _ in range(min(hits, _MOST_COUNTED) if entries else 0):
            cache(*entries[-1][0], **_keywords(entries[-1][1]))
    finally:
        function.__code__ = code


def _keywords(given: tuple) -> dict[str, Any]:
    return dict(zip(given[::2], given[1::2], strict=True))


def _calling(answer: Callable, names: tuple[str, ...]) -> Any:
    """Return code that calls `answer`, for a function with these names in its closure."""

    def template(*_args_: Any, **_given_: Any) -> Any:
        _answer_: Any = "answer"
        return _answer_()

    code = template.__code__
    constants = tuple(answer if x == "answer" else x for x in code.co_consts)
    return code.replace(co_consts=constants, co_freevars=names)


def of_cache(holder: Any) -> Iterator[tuple[_Put, Any, Any]]:
    """Yield what a cache holds; it is filled anew after something else was put there.

    Not while a tape records that would hear of keys.
    """
    entries = entries_of(holder)
    if RECORDER.recording is not None and any(holds_traced(x[:2]) for x in entries or ()):
        entries = None
    changed: list[Entry] = []

    def put(holder: Any, place: tuple[Entry, int], new: Any) -> None:
        place[0][place[1]] = new
        changed.append(place[0])

    if entries is None:
        yield from of_referents(holder)
        return
    for entry in entries:
        if is_plain(entry):
            continue
        for i, value in enumerate(entry):
            yield put, (entry, i), value
    yield held, None, vars(holder)
    if changed:
        refill(holder, entries, *holder.cache_info()[:2])
