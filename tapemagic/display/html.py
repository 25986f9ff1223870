"""The static output of a notebook: the picture as an image, beside a plain table.

An image with its data inside and a table with inline styles are what every reader of notebooks
shows, also an untrusted one: inline SVG, style sheets and scripts are all taken out on the way.
"""

from __future__ import annotations

import base64
from html import escape
from typing import Any

from tapemagic.display.svg import alternative, to_svg

# Every cell states its colours: a theme that sets only one of them would hide the text.
CELL = "background-color: #fffdf7; color: #22252b; border: 1px solid #d9d3c3; padding: 4px 10px"
LEFT = f"{CELL}; text-align: left"
HEAD = f"{LEFT}; font-weight: bold"
NUMBER = f"{LEFT}; font-family: monospace"
SHORT = f"{NUMBER}; white-space: nowrap"
# In a notebook opened again, JupyterLab puts an error in the place of a live view whose kernel is
# gone. A reader that takes style sheets out shows the error as well, no more.
NO_EMPTY_VIEW = (
    ".jp-OutputArea:has(.tapemagic-static) .jupyter-widgets:not(:has(*)) { display: none }"
)
# Not every page sets <pre> in a font in which the columns of a matrix stand below each other.
NOTES = (
    "background-color: #fffdf7; color: #22252b; padding: 4px 10px; white-space: pre-wrap; "
    "font-family: monospace"
)
VALUE, GRADIENT, FAINT = "#0064a0", "#b54a00", "#5d6168"
COLUMNS = ("name", "shape", "dtype", "value", "gradient", "norm", "reason")
MOST_ROWS = 200


def to_html(scene: dict[str, Any]) -> str:
    """Show a scene as ``text/html``.

    Parameters
    ----------
    scene : dict
        From `tapemagic.display.scene.make_scene`.
    """
    picture = base64.b64encode(to_svg(scene).encode()).decode()
    parts = [
        # where the live view is drawn, its style sheet hides this twin
        '<div class="tapemagic-static">',
        f"<style>{NO_EMPTY_VIEW}</style>",
        f'<img src="data:image/svg+xml;base64,{picture}"',
        f'alt="{escape(alternative(scene))}" style="max-width: 100%; height: auto">',
    ]
    if scene["sources"]:
        parts += source_table(scene)
    if scene["notes"]:
        said = escape("\n".join(scene["notes"]))
        parts.append(f'<pre style="{NOTES}">{said}</pre>')
    parts.append("</div>")
    return "\n".join(parts)


def source_table(scene: dict[str, Any]) -> list[str]:
    """Build the rows of the table of sources."""
    rows = scene["sources"]
    target = scene["target"]["name"]
    # A column in which nobody has anything to say only takes room.
    columns = [name for name in COLUMNS if any(row[name] for row in rows)]
    titles = {"gradient": f"gradient of {target}" if target else "gradient", "reason": "why"}
    parts = [
        '<table style="border-collapse: collapse">',
        "<thead><tr>",
        *(f'<th style="{HEAD}">{escape(titles.get(name, name))}</th>' for name in columns),
        "</tr></thead>",
        "<tbody>",
    ]
    for row in rows[:MOST_ROWS]:
        cells = "".join(table_cell(row, name) for name in columns)
        parts.append(f"<tr>{cells}</tr>")
    if len(rows) > MOST_ROWS:
        parts.append(
            f'<tr><td style="{LEFT}" colspan="{len(columns)}">… and {len(rows) - MOST_ROWS}'
            " more</td></tr>"
        )
    return [*parts, "</tbody></table>"]


def table_cell(row: dict[str, str], column: str) -> str:
    """One cell; words in the place of a gradient are told from numbers by colour and slant."""
    text = escape(row[column])
    if column == "name":
        return f'<th style="{HEAD}">{text}</th>'
    if column == "value":
        return f'<td style="{NUMBER}; color: {VALUE}">{text}</td>'
    if column == "gradient":
        if row["state"] in ("not-run", "not-connected"):
            return f'<td style="{LEFT}; white-space: nowrap; color: {FAINT}"><em>{text}</em></td>'
        return f'<td style="{NUMBER}; color: {GRADIENT}">{text}</td>'
    return f'<td style="{LEFT if column == "reason" else SHORT}">{text}</td>'
