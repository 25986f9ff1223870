"""How numbers, shapes and names are spelled wherever a person reads them."""

from __future__ import annotations

import unicodedata

# Categories that print as nothing, move the cursor or reorder the text around them.
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

#: Numbers below it are written without an exponent: 1001 and 1002 would both be 1e+03.
LARGE = 1e6


def number(value: object, digits: int = 4) -> str:
    """Spell a number with `digits` significant digits, the same on every machine.

    Examples
    --------
    >>> number(0.1 + 0.2), number(-0.0), number(float("inf"))
    ('0.3', '0', 'inf')
    >>> number(1001.0, 3), number(1e6, 3)
    ('1001', '1e+06')
    >>> number(1 - 2j)
    '1-2j'
    """
    if isinstance(value, (bool, str)) or value is None:
        return str(value)
    if isinstance(value, complex):
        imaginary = number(value.imag, digits)
        sign = "" if imaginary.startswith("-") else "+"
        return f"{number(value.real, digits)}{sign}{imaginary}j"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**12 else f"{float_of(value):.{digits}g}"
    text = f"{value:.{digits}g}"
    if "e+" in text and abs(float(text)) < LARGE:
        text = f"{value:.0f}"
    return "0" if text == "-0" else text


def float_of(value: int) -> float:
    """Convert an integer of any size; one too large for a float becomes infinite."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def cut(text: str, limit: int) -> str:
    """Shorten to at most `limit` code points, the last one an ellipsis when cut."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"


def visible(text: object, limit: int = 80) -> str:
    r"""Make control, direction and lone surrogate characters visible, and cut.

    Examples
    --------
    >>> visible("a\u202eb"), visible("long name", 5)
    ('a\\u202eb', 'long…')
    """
    # Cut before looking at each character, so that a huge text costs little, and once more
    # because what was invisible has become longer.
    shown = cut(str(text), limit)
    if not shown.isascii() or not shown.isprintable():
        shown = "".join(map(visible_character, shown))
    return cut(shown, limit)


#: What Python calls functions that have no name -> how they are written.
_NAMELESS = {
    "<genexpr>": "(… for …)", "<listcomp>": "[… for …]", "<setcomp>": "{… for …}",
    "<dictcomp>": "{… for …}", "<lambda>": "lambda",
}  # fmt: skip


def called(name: str) -> str:
    """Spell the call of a function.

    Examples
    --------
    >>> called("layer_norm"), called("<genexpr>")
    ('layer_norm( )', '(… for …)')
    """
    return _NAMELESS.get(name, f"{name}( )")


def end_of_path(name: str, limit: int) -> str:
    """Cut a name like ``model/dense/kernel`` at its left: paths differ at their ends.

    Other names stay as they are.

    Examples
    --------
    >>> end_of_path("model/dense_1/kernel", 12), end_of_path("a_long_variable", 12)
    ('…se_1/kernel', 'a_long_variable')
    """
    is_path = len(name) > limit and any(mark in name for mark in "/.[")
    return "…" + name[1 - limit :] if is_path else name


def visible_character(character: str) -> str:
    """Spell one character as itself, or as its escape when it cannot be seen."""
    if character == "\t":
        return "    "
    if unicodedata.category(character) not in INVISIBLE:
        return character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Spell a count with its noun: ``1 element``, ``3 elements``."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def listed(words: list[str], limit: int = 4) -> str:
    """Join words as a sentence does, the rest counted: ``a, b and 3 more``."""
    if len(words) > limit:
        return f"{', '.join(words[:limit])} and {len(words) - limit} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
