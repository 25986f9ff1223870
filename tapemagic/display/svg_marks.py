"""Marks on the paper of the static picture: colours, text, rectangles, columns of numbers.

Colours are those of Okabe and Ito (2008), darkened where small text needs the contrast.
"""

from __future__ import annotations

from html import escape

from tapemagic.display.sizes import ROW

PAPER, INK, FAINT, PENCIL = "#fffdf7", "#22252b", "#6a6e76", "#8d9199"
VALUE, GRADIENT, ALARM = "#0064a0", "#b54a00", "#a83200"
SANS = "'DejaVu Sans','Segoe UI',Verdana,Helvetica,Arial,sans-serif"
MONO = "'DejaVu Sans Mono',Menlo,Consolas,monospace"
BRACKET = 4.0


def plain(value: float) -> str:
    """Spell a coordinate: at most one decimal, no trailing zero."""
    return f"{value:.1f}".removesuffix(".0")


def words(
    x: float, y: float, text: str, *, fill: str = INK, size: float = 11, anchor: str = "start",
    mono: bool = False, weight: str = "", style: str = "",
) -> str:  # fmt: skip
    """One piece of text; the only place where text becomes markup."""
    extra = f' font-family="{MONO}"' if mono else ""
    extra += f' font-weight="{weight}"' if weight else ""
    extra += f' font-style="{style}"' if style else ""
    extra += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return (
        f'<text x="{plain(x)}" y="{plain(y)}" font-size="{size:g}" fill="{fill}"{extra}'
        f' xml:space="preserve">{escape(text)}</text>'
    )


def rectangle(
    x: float, y: float, w: float, h: float, radius: float, fill: str, stroke: str, width: float,
    extra: str,
) -> str:  # fmt: skip
    """One rounded rectangle."""
    return (
        f'<rect x="{plain(x)}" y="{plain(y)}" width="{plain(w)}" height="{plain(h)}"'
        f' rx="{plain(min(radius, h / 2))}" fill="{fill}" stroke="{stroke}"'
        f' stroke-width="{width:g}"{extra}/>'
    )


def arrow_tip(name: str, colour: str) -> str:
    """Define the head of an arrow."""
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0,0.8L7.5,4L0,7.2z" fill="{colour}"/></marker>'
    )


def numbers(x: float, y: float, rows: list[str], colour: str, shape: str) -> list[str]:
    """Rows of numbers, a vector or matrix between brackets."""
    bracketed = shape not in ("()", "") and not rows[0].startswith(("norm", "[", "empty", "not "))
    inset = BRACKET + 2 if bracketed else 0
    parts = [
        words(x + inset, y + ROW * row, text, fill=colour, mono=True)
        for row, text in enumerate(rows)
    ]
    if bracketed:
        top, bottom = y - 10, y + ROW * (len(rows) - 1) + 3
        right = x + 2 * inset + max(map(len, rows)) * 6.65
        parts.append(
            f'<path d="M{plain(x + BRACKET)},{plain(top)}H{plain(x)}V{plain(bottom)}h{BRACKET:g}'
            f'M{plain(right - BRACKET)},{plain(top)}H{plain(right)}V{plain(bottom)}h-{BRACKET:g}"'
            f' fill="none" stroke="{colour}" stroke-width="1"/>'
        )
    return parts
