"""Saving a run to a file, and reading it back."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path

from tapemagic.errors import TapeUseError
from tapemagic.graph.model import Graph
from tapemagic.graph.saving import from_json, to_json

from .figure import Figure
from .scene import make_scene
from .standalone import standalone_html
from .svg import to_svg
from .text import to_text

_MARK = "tapemagic graph: "


def save(graph: Graph, file: str | os.PathLike[str]) -> None:
    """Write a graph to a file; its ending says how.

    Parameters
    ----------
    graph : Graph
    file : path
        ``.html`` (a page of its own, with the live view), ``.json`` (the data), ``.svg`` (the
        picture) or ``.txt`` (the text).

    Raises
    ------
    TapeUseError
        For another ending.
    """
    path = Path(file)
    if path.suffix == ".html":
        page = standalone_html(make_scene(graph))
        data = base64.b64encode(to_json(graph).encode()).decode()
        text = f"{page}\n<!-- {_MARK}{data} -->\n"
    elif path.suffix == ".json":
        text = to_json(graph)
    elif path.suffix == ".svg":
        text = to_svg(make_scene(graph))
    elif path.suffix == ".txt":
        text = to_text(graph)
    else:
        raise TapeUseError(
            f"'{path.name}' does not say how to save.", fix="End it in .html, .json, .svg or .txt."
        )
    path.write_text(text, encoding="utf-8")


def load(file: str | os.PathLike[str]) -> Graph:
    """Read a run that was saved as ``.html`` or ``.json``.

    Raises
    ------
    TapeUseError
        If the file holds no such run.
    """
    text = Path(file).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {_MARK}([A-Za-z0-9+/=]+) -->", text)
    return from_json(base64.b64decode(found[1]).decode() if found else text, Figure)
