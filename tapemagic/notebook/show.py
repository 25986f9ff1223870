"""Showing a finished run: the live view, the static picture, or text, whichever works.

A display never costs a gradient: what goes wrong here becomes a warning and a simpler view.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from IPython.display import display

from tapemagic.graph.build import build_graph
from tapemagic.graph.folding import Folding

from .rerun import Rerun
from .session import Outcome


def show_outcome(
    shell: Any,
    outcome: Outcome,
    view: str,
    rerun: Rerun | None = None,
    scalars: dict[str, float] | None = None,
) -> None:
    """Show a run in the asked view, or in the next simpler one.

    Parameters
    ----------
    shell : InteractiveShell
    outcome : Outcome
    view : {"widget", "static", "text", "none"}
    rerun : Rerun, optional
        Runs the cell again on copies, for the sliders.
    scalars : dict, optional
        Name -> value of the sources that get a slider.
    """
    if view == "none":
        return
    steps: list[tuple[str, Callable[[], None]]] = [
        ("widget", lambda: show_widget(outcome, rerun, scalars or {})),
        ("static", lambda: show_static(outcome)),
        ("text", lambda: print(text_of(outcome))),
    ]
    if not has_frontend(shell):
        view = "text"
    names = [name for name, _ in steps]
    wanted = steps[names.index(view) :]
    for name, show in wanted:
        try:
            show()
        except Exception as error:  # noqa: BLE001  (a display must not fail the cell)
            warnings.warn(
                f"the {name} view failed ({type(error).__name__}: {error}); showing less",
                stacklevel=2,
            )
            continue
        if name != "widget":
            return


def has_frontend(shell: Any) -> bool:
    """Say whether somebody draws HTML for this shell: a terminal does not."""
    return getattr(shell, "kernel", None) is not None


def text_of(outcome: Outcome) -> str:
    """Return the run as text of at most 80 columns."""
    from tapemagic.display.text import to_text

    return "\n".join([to_text(build_graph(outcome.tape)), *outcome.notes])


def show_static(outcome: Outcome) -> None:
    """Show table and picture as HTML, in an output of their own."""
    from tapemagic.display.html import to_html

    graph = build_graph(outcome.tape)
    bundle = {"text/plain": text_of(outcome), "text/html": to_html(graph, notes=outcome.notes)}
    display(bundle, raw=True)


def show_widget(outcome: Outcome, rerun: Rerun | None, scalars: dict[str, float]) -> None:
    """Show the live view."""
    from tapemagic.display.widget import live_view

    picture = Picture(outcome)
    if rerun is None or rerun.reason:
        scalars, again = {}, None
    else:
        again = picture.again(rerun, scalars)
    display(live_view(picture.scene, scalars, again))


class Picture:
    """The run that the live view shows at present."""

    def __init__(self, outcome: Outcome) -> None:
        self.draw(outcome)

    def draw(self, outcome: Outcome) -> None:
        """Show another run from now on."""
        self.graph = build_graph(outcome.tape)
        self.folding = Folding(self.graph)

    def scene(self, opened: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the scene with these groups open."""
        from tapemagic.display.scene import make_scene

        return make_scene(self.graph, opened or None, folding=self.folding)

    def again(
        self, rerun: Rerun, scalars: dict[str, float]
    ) -> Callable[[str, float], dict[str, Any]]:
        """Return the function that a slider calls."""
        values = dict(scalars)

        def run(name: str, value: float) -> dict[str, Any]:
            self.draw(rerun.run({**values, name: value}))
            values[name] = value
            return self.scene()

        return run
