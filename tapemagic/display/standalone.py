"""The front end as text, and a page of its own with one run in it.

The page needs no kernel and no server; making it needs no widget library either.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Scene = dict[str, Any]

STATIC = Path(__file__).parent / "static"
MODULES = ("scene.js", "page.js", "draw.js", "move.js", "tape.js")


def front_end() -> str:
    """Return the front end's modules as one: anywidget takes a single text.

    Each file is an ES module of its own and names what it needs from those before it.  Put one
    after the other they see each other's names, so the import lines go and so do the exports.
    """
    texts = [(STATIC / name).read_text("utf-8") for name in MODULES]
    return re.sub(r"^(import [^;]*;\n|export (?!default))", "", "".join(texts), flags=re.MULTILINE)


def jsonable(value: Any) -> Any:
    """Copy a scene so that it is strict JSON: JSON has no nan and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value


def standalone_html(scene: Scene, title: str = "tapemagic") -> str:
    """Return a page that shows one scene without a kernel, a server or a network.

    Parameters
    ----------
    scene : dict
        What is drawn.
    title : str
        The page's title.

    Returns
    -------
    str
        A complete HTML document, the same bytes for the same scene.  Its content security policy
        allows the one script and the one style sheet in it, by their hashes, and nothing else.
    """
    script = front_end() + _STANDALONE_START
    style = (STATIC / "tape.css").read_text("utf-8") + _STANDALONE_STYLE
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    # Inside <script> only these characters could end the data early or start a comment.
    data = json.dumps(jsonable(scene), ensure_ascii=True, allow_nan=False, sort_keys=True)
    for character in "<>&":
        data = data.replace(character, f"\\u{ord(character):04x}")
    safe_title = title.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{safe_title}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<main id="view"></main>\n'
        f'<script type="application/json" id="scene">{data}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


# Appended to the module on a standalone page: a model without a kernel behind it.
_STANDALONE_START = """
start(document.getElementById("view"), JSON.parse(document.getElementById("scene").textContent));
"""

_STANDALONE_STYLE = """
body { margin: 0; padding: 12px; background: #fff; font: 14px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { body { background: #111; } }
"""
