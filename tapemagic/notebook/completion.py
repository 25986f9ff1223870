"""Tab completion on the `%%tape` line: options, their values, and names of variables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core import completer as ipython

from .arguments import spell

_MOST = 200


def matchers_of(completer: Any) -> list[Callable]:
    """Return the list of a shell's completer in which ours has its place."""
    matchers: list[Callable] = (
        completer.custom_matchers if knows_contexts() else completer.magic_arg_matchers
    )
    return matchers


def knows_contexts() -> bool:
    """Say whether matchers are told where the cursor is, as they are since IPython 8.6."""
    return hasattr(ipython, "context_matcher")


def make_matcher(
    completer: Any, parser: argparse.ArgumentParser, namespace: Mapping[str, Any]
) -> Callable[[Any], Any]:
    """Make a matcher for a shell's completer.

    Parameters
    ----------
    completer : IPCompleter
    parser : ArgumentParser
        Its options are offered.
    namespace : dict
        The user's variables.
    """

    def match_line(line: str) -> list[str]:
        """Complete the part of a word that an older IPython takes for the whole of it."""
        before = completer.text_until_cursor
        if not is_tape_line(before):
            return []
        *_, previous, word = before.split(" ")
        kept = len(word) - len(completer.splitter.split_line(before))
        return [text[kept:] for text, _ in complete(word, previous, parser, namespace)]

    if not knows_contexts():
        return match_line

    @ipython.context_matcher(identifier="tapemagic.line")
    def match_tape_line(context: Any) -> Any:
        before = context.line_with_cursor[: context.cursor_position]
        if context.cursor_line != 0 or not is_tape_line(before):
            return {"completions": []}
        *_, previous, word = before.split(" ")
        found = complete(word, previous, parser, namespace)
        return {
            "completions": [ipython.SimpleCompletion(text, type=kind) for text, kind in found],
            "matched_fragment": word,
            # names of files and functions mean nothing here
            "suppress": True,
            "ordered": True,
        }

    return match_tape_line


def is_tape_line(before: str) -> bool:
    """Say whether a line begins as that of the magic does."""
    return before.lstrip("# ").startswith("%%tape ")


def complete(
    word: str, previous: str, parser: argparse.ArgumentParser, namespace: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return the completions of a word, with their kinds."""
    actions = {name: action for action in parser._actions for name in action.option_strings}
    action = actions.get(previous)
    if action is not None and action.choices:
        return [(str(c), "value") for c in action.choices if str(c).startswith(word)]
    if word.startswith("-"):
        return [(name, "option") for name in actions if name.startswith(word)]
    return [(name, "variable") for name in variables(word, namespace) if name.startswith(word)]


def variables(word: str, namespace: Mapping[str, Any]) -> list[str]:
    """List the numbers of the namespace, and what is in the container that the word opens."""
    from .sources import is_number  # with the twins, which `%load_ext` does without

    root = word.partition(".")[0].partition("[")[0]
    names = []
    for name, value in list(namespace.items()):
        if name.startswith("_"):
            continue
        attributes = getattr(value, "__dict__", None)
        has_attributes = isinstance(attributes, dict) and not isinstance(value, type)
        has_numbers = has_attributes and any(map(is_number, attributes.values()))  # type: ignore[union-attr]
        if is_number(value) or has_numbers or (isinstance(value, list | dict) and value):
            names.append(name)
        if name != root or name == word:
            continue
        if isinstance(value, dict):
            names += [name + spell(("item", key)) for key in value if isinstance(key, str | int)]
        elif isinstance(value, list):
            names += [name + spell(("item", index)) for index in range(len(value))]
        elif has_attributes:
            names += [f"{name}.{key}" for key, inner in attributes.items() if is_number(inner)]  # type: ignore[union-attr]
    return names[:_MOST]
