"""A graph that shows itself, as `tape.graph` does in a notebook and in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapemagic.graph.model import Graph

from .dot import to_graphviz
from .html import to_html
from .scene import make_scene
from .text import to_text

if TYPE_CHECKING:
    import graphviz


class Figure(Graph):
    """The graph of a run, with the ways to draw it: the model itself knows no display.

    Examples
    --------
    >>> import numpy as np, tapemagic
    >>> x = tapemagic.Variable(3.0, name="x")
    >>> with tapemagic.GradientTape() as tape:
    ...     y = x * x
    >>> tape.graph.to_graphviz().source.count("->")
    2
    """

    def to_graphviz(self, *, folded: bool = True) -> graphviz.Digraph:
        """Return the graph as a ``graphviz.Digraph``.

        Parameters
        ----------
        folded : bool
            Draw runs of operations as one node, as the page does. False draws every operation.

        Raises
        ------
        ImportError
            When the graphviz package is not installed.
        """
        return to_graphviz(self, folded=folded)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": to_text(self), "text/html": to_html(make_scene(self))}
