"""Tab completion on the `%%tape` line: options, their values, and names of variables."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.completer import SimpleCompletion, context_matcher

from .arguments import spell

_MOST = 200


def make_matcher(
    parser: argparse.ArgumentParser, namespace: Mapping[str, Any]
) -> Callable[[Any], Any]:
    """Make a matcher for the shell's completer.

    Parameters
    ----------
    parser : ArgumentParser
        Its options are offered.
    namespace : dict
        The user's variables.
    """

    @context_matcher(identifier="tapemagic.line")
    def match_tape_line(context: Any) -> Any:
        before = context.line_with_cursor[: context.cursor_position]
        if context.cursor_line != 0 or not before.lstrip("# ").startswith("%%tape "):
            return {"completions": []}
        words = before.split(" ")
        found = complete(words[-1], words[-2], parser, namespace)
        return {
            "completions": [SimpleCompletion(text, type=kind) for text, kind in found],
            "matched_fragment": words[-1],
            # names of files and functions mean nothing here
            "suppress": True,
            "ordered": True,
        }

    return match_tape_line


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
