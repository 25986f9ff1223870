"""Showing a finished run: the live view, the static picture, or text, whichever works.

A display never costs a gradient: what goes wrong here becomes a warning and a simpler view. The
display libraries are therefore imported where they are used.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from IPython.display import display

from tapemagic.graph.folding import Folding

from .records import VIEWS, Cell, Outcome
from .rerun import Rerun
from .session import Session

#: Seconds that `--check` and the like may take to be done again at each move of a slider.
FOLLOWS_WITHIN = 0.3

#: Cell -> its live view, closed when the cell runs again: ipywidgets keeps all widgets alive.
_live: dict[str, Any] = {}


def show_outcome(
    shell: Any,
    session: Session,
    rerun: Rerun | None = None,
    sliders: dict[str, float] | None = None,
) -> None:
    """Show a run in the view that was asked for, or in the next simpler one.

    Parameters
    ----------
    shell : InteractiveShell
    session : Session
        The run that is over.
    rerun : Rerun, optional
        Runs the cell again on copies, for the sliders.
    sliders : dict, optional
        Name -> value of the sources that get a slider.
    """
    options, outcome = session.options, session.outcome
    view = options.show if options.show == "none" or has_frontend(shell) else "text"
    if view == "none":
        return
    close_replaced(shell, outcome.tape.cell)
    picture: list[Picture] = []

    def make_picture() -> Picture:
        if not picture:
            picture.append(Picture(outcome, options.engine))
        return picture[0]

    ways: dict[str, Callable[[], None]] = {
        "widget": lambda: show_widget(
            make_picture(), outcome, rerun, sliders or {}, cell_key(shell, outcome.tape.cell)
        ),
        "static": lambda: show_static(make_picture()),
        "text": lambda: print("\n".join(make_picture().text())),  # noqa: T201
    }
    for name in VIEWS[VIEWS.index(view) : -1]:
        try:
            ways[name]()
        except Exception as error:  # noqa: BLE001  (a display must not fail the cell)
            warnings.warn(f"the {name} view failed: {type(error).__name__}: {error}", stacklevel=2)
        else:
            # the live view is gone when the kernel is: the static picture stays, in its own output
            if name != "widget":
                return


def has_frontend(shell: Any) -> bool:
    """Say whether somebody draws HTML for this shell: a terminal does not."""
    return getattr(shell, "kernel", None) is not None


class Picture:
    """The run that is shown at present: a slider puts another one in its place."""

    def __init__(self, outcome: Outcome, engine: str) -> None:
        self.engine = engine
        self.draw(outcome)

    def draw(self, outcome: Outcome, old_notes: Sequence[str] = ()) -> None:
        """Show another run from now on; `old_notes` are of an earlier one."""
        self.notes = [*outcome.notes, *outcome.extras]
        self.old_notes = old_notes
        self.graph = outcome.tape.graph
        self.folding = Folding(self.graph)
        self.opened: tuple[str, ...] | None = None

    def scene(self, opened: tuple[str, ...] | None = None) -> dict[str, Any]:
        """Return the scene with these groups open (None: those that open by themselves)."""
        from tapemagic.display.dot import scene_with_dot
        from tapemagic.display.scene import make_scene

        self.opened = opened
        make = scene_with_dot if self.engine == "dot" else make_scene
        return make(
            self.graph, opened, folding=self.folding, notes=self.notes, old_notes=self.old_notes
        )

    def text(self) -> list[str]:
        """Return the run as lines of at most 80 columns."""
        from tapemagic.display.text import to_text, wrapped

        return [to_text(self.graph, folding=self.folding), *map(wrapped, self.notes)]

    def again(
        self, rerun: Rerun, sliders: dict[str, float], first: Outcome
    ) -> Callable[[str, float], Any]:
        """Return the function that a slider calls: it draws the cell with another value.

        What the options ask for is found anew, or stays as the `first` run had it where that
        would be too slow.
        """
        values = dict(sliders)

        def run(name: str, value: float) -> dict[str, Any]:
            opened = self.opened
            session = rerun.run({**values, name: value})
            values[name] = value
            old_notes: list[str] = []
            if first.seconds <= FOLLOWS_WITHIN:
                find_again(session, rerun, values)
            elif values == sliders:
                session.outcome.extras = first.extras
            else:
                old_notes = [too_slow(first.seconds, sliders), *first.extras]
            self.draw(session.outcome, old_notes)
            return self.scene(opened)

        return run


def find_again(session: Session, rerun: Rerun, values: dict[str, float]) -> None:
    """Find what the options ask for after a slider has moved; that it failed is a note as well."""
    from .extras import find_extras

    if session.tape.target is None:
        return
    try:
        find_extras(session, rerun, values)
    except Exception as error:  # noqa: BLE001  (the picture and the gradients are there)
        session.outcome.extras.append(f"{type(error).__name__}: {error}")


def too_slow(seconds: float, sliders: dict[str, float]) -> str:
    """Say of which run the notes are that do not follow the sliders."""
    where = ", ".join(f"{name} = {value:.6g}" for name, value in sliders.items())
    return f"Of the first run, with {where} (took {seconds:.2g} s, too long to follow a slider):"


def show_static(picture: Picture) -> None:
    """Show table and picture as HTML, in an output of their own."""
    from tapemagic.display.html import to_html

    scene = picture.scene()
    display({"text/plain": "\n".join(picture.text()), "text/html": to_html(scene)}, raw=True)


def show_widget(
    picture: Picture, outcome: Outcome, rerun: Rerun | None, sliders: dict[str, float], key: str
) -> None:
    """Show the live view, with sliders where the cell can be run again."""
    from tapemagic.display.widget import live_view

    if rerun is None or rerun.reason:
        view = live_view(picture.scene)
    else:
        view = live_view(picture.scene, sliders, picture.again(rerun, sliders, outcome))
    _live[key] = view
    # Without words: they would be a line of class names, above the picture that stands for it. The
    # view does not show itself, since that of ipywidgets 7 has them.
    model = {"version_major": 2, "version_minor": 0, "model_id": view.model_id}
    display({"application/vnd.jupyter.widget-view+json": model}, raw=True)


def cell_key(shell: Any, cell: Cell | None) -> str:
    """Return what tells a cell from others: its front end's name for it, or its text."""
    return str(metadata_of(shell).get("cellId") or (cell.text if cell else ""))


def metadata_of(shell: Any) -> dict[str, Any]:
    """Return what the front end has said of the cell: not every kernel passes it on."""
    parent: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return dict(parent.get("metadata", {}))


def close_replaced(shell: Any, cell: Cell | None) -> None:
    """Close the live views of this cell's previous run and of cells that were deleted."""
    if not _live:
        return
    from tapemagic.display.widget import close_view

    deleted = metadata_of(shell).get("deletedCells") or ()
    for key in (cell_key(shell, cell), *deleted):
        view = _live.pop(key, None)
        if view is not None:
            close_view(view)
