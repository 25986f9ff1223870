"""The live view of a recorded run: one widget and its sliders.

The kernel is the only side that computes.  It hands a *scene* (plain numbers and strings, made by
:mod:`tapemagic.display.scene`) to the hand-written front end in ``static/``, which draws it.  The
front end writes three things back, and each is checked here before anything happens: which groups
are open, which box is selected, and the values of the sliders.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

import anywidget
import ipywidgets
import traitlets

from tapemagic.display.standalone import STATIC, Scene, front_end, jsonable

DEBOUNCE_SECONDS = 0.08
MESSAGE_LENGTH = 400
LONGEST_NAME = 24  # letters beside a slider
LARGEST_SLIDER = 1e300  # beyond it the bounds would overflow


def is_number_within(value: object, bounds: tuple[float, float]) -> bool:
    """Whether a received value is a finite number (not a bool) inside its bounds."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    # Comparing before converting: float() of a huge received integer would overflow.
    return bounds[0] <= value <= bounds[1] and math.isfinite(value)


def slider_bounds(value: float) -> tuple[float, float]:
    """Bounds for a slider around a value, symmetric so that the value is one of its stops."""
    span = 2 * abs(value) if value else 1.0
    return value - span, value + span


class TapeWidget(anywidget.AnyWidget):
    """The live picture of one recorded run.

    Parameters
    ----------
    scene : dict
        What is drawn, see :mod:`tapemagic.display.scene`.
    on_open : callable, optional
        ``on_open(open_groups) -> scene``, called when a group is opened or closed.
    rerun : callable, optional
        ``rerun(name, value) -> scene``, called when a slider moved.  It works on copies.
    bounds : mapping, optional
        ``{name: (lowest, highest)}`` of the inputs that may be changed.
    inputs : mapping, optional
        ``{name: number}``, their present values.
    **more : object
        What every widget takes, such as its `layout`.

    Examples
    --------
    >>> widget = TapeWidget({"boxes": [], "wires": [], "lines": ["y = x * x"], "steps": []})
    >>> widget.scene["lines"]
    ['y = x * x']

    A front end may not write the scene, and may open only what is there:

    >>> widget.set_state({"scene": {}, "open_groups": ["__class__"]})
    >>> widget.scene["lines"], widget.open_groups
    (['y = x * x'], [])
    """

    _esm = front_end()
    _css = STATIC / "tape.css"

    scene = traitlets.Dict().tag(sync=True)
    open_groups = traitlets.List(traitlets.Unicode()).tag(sync=True)
    selected = traitlets.Unicode("").tag(sync=True)
    inputs = traitlets.Dict().tag(sync=True)
    trouble = traitlets.Unicode("").tag(sync=True)

    def __init__(
        self,
        scene: Scene,
        *,
        on_open: Callable[[tuple[str, ...]], Scene] | None = None,
        rerun: Callable[[str, float], Scene] | None = None,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        inputs: Mapping[str, float] | None = None,
        **more: Any,
    ) -> None:
        self._on_open = on_open
        self._rerun = rerun
        self._bounds = dict(bounds or {})
        self._pending: dict[str, float] = {}
        # JupyterLab may deliver widget messages on a thread of their own.  A cell must never run
        # there while the main thread runs another one, so re-runs are handed to this loop.
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        self._timer: asyncio.TimerHandle | None = None
        super().__init__(
            scene=jsonable(scene),
            open_groups=scene.get("open", []),
            inputs=dict(inputs or {}),
            **more,
        )
        self.observe(self._redraw_with_groups, "open_groups")
        self.observe(self._take_inputs, "inputs")

    def release(self) -> None:
        """Let go of the run, so that its arrays can be freed; the picture stays as it is."""
        self._on_open = self._rerun = None
        self._pending.clear()

    # -- what the front end may write ------------------------------------------------------------

    def set_state(self, sync_data: Mapping[str, Any]) -> None:
        """Take over what a front end sent, if it may send that and if it passes its check."""
        checks: dict[str, Callable[[Any], bool]] = {
            "open_groups": self._are_known_groups,
            "selected": self._is_known_box,
            "inputs": self._are_valid_inputs,
        }
        accepted = {
            name: value
            for name, value in sync_data.items()
            if name in checks and checks[name](value)
        }
        super().set_state(accepted)
        refused = [name for name in checks if name in sync_data and name not in accepted]
        if refused:
            self.send_state(refused)  # the front end goes back to what holds here

    def _are_known_groups(self, value: Any) -> bool:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return False
        known = {box["id"] for box in self.scene.get("boxes", ()) if box.get("kind") == "group"}
        known |= {box["group"] for box in self.scene.get("boxes", ()) if box.get("group")}
        # A group inside a group that was closed again is not in the scene, but was checked once.
        known |= {*self.scene.get("open", ()), *self.open_groups}
        return len(value) == len(set(value)) and known.issuperset(value)

    def _is_known_box(self, value: Any) -> bool:
        return isinstance(value, str) and (
            value == "" or any(box["id"] == value for box in self.scene.get("boxes", ()))
        )

    def _are_valid_inputs(self, value: Any) -> bool:
        return (
            isinstance(value, dict)
            and value.keys() == self._bounds.keys()
            and all(is_number_within(value[name], self._bounds[name]) for name in value)
        )

    # -- what then happens -----------------------------------------------------------------------

    def _redraw_with_groups(self, change: Any) -> None:
        if set(change["new"]) == set(self.scene.get("open", ())):
            return  # the picture already shows it so
        if self._on_open is None:
            self.trouble = "This recording was replaced: run its cell again to open groups."
            return
        self._show(self._on_open, tuple(change["new"]))

    def _take_inputs(self, change: Any) -> None:
        old, new = change["old"], change["new"]
        self._pending |= {name: new[name] for name in new if new[name] != old.get(name)}
        if self._loop is None or self._loop.is_closed():
            self._run_pending()
        else:
            self._loop.call_soon_threadsafe(self._restart_timer, self._loop)

    def _restart_timer(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait until the slider has rested for a moment: a drag passes through many values."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_later(DEBOUNCE_SECONDS, self._run_pending)

    def _run_pending(self) -> None:
        while self._pending:
            name = next(iter(self._pending))
            value = float(self._pending.pop(name))
            if self._rerun is None:
                self.trouble = "This recording was replaced: run its cell again to use its sliders."
            elif not self._show(self._rerun, name, value):
                self.trouble = f"{name} = {value:.6g}: {self.trouble} (the picture is as before)"

    def _show(self, make_scene: Callable[..., Scene], *arguments: Any) -> bool:
        """Draw the scene that a callback makes; what it raises becomes a message."""
        try:
            self.scene = jsonable(make_scene(*arguments))
            self.open_groups = self.scene.get("open", [])
        # Nobody above this frame could show it, and a SystemExit or KeyboardInterrupt of the
        # person's own code must not end the kernel's event loop.
        except BaseException as error:
            description = f"{type(error).__name__}: {error}".removesuffix(": ")
            self.trouble = description[:MESSAGE_LENGTH]
            return False
        self.trouble = ""
        return True


def live_view(
    scene_maker: Callable[[tuple[str, ...] | None], Scene],
    sliders: Mapping[str, float] | None = None,
    rerun: Callable[[str, float], Scene] | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> ipywidgets.Box:
    """Build the live view: ordinary sliders for scalar sources above the picture.

    Parameters
    ----------
    scene_maker : callable
        ``scene_maker(open_groups) -> scene`` for the run that is shown at present.  At first it
        is called with None: the groups that open by themselves.
    sliders : mapping, optional
        ``{name: value}`` of the scalar sources.  One that is nan, infinite or
        almost so gets no slider.
    rerun : callable, optional
        ``rerun(name, value) -> scene``: run the cell again on copies with one source changed and
        draw it with the groups that were open.  From then on `scene_maker` must draw that run.
    bounds : mapping, optional
        ``{name: (lowest, highest)}`` where the default bounds (three times the value and its
        negative) do not suit.

    Returns
    -------
    ipywidgets.Box
        Its last child is the :class:`TapeWidget`.
    """
    values = {
        name: float(value)
        for name, value in (sliders or {}).items()
        if rerun is not None and abs(value) < LARGEST_SLIDER
    }
    limits = {name: slider_bounds(value) for name, value in values.items()}
    limits |= {name: limit for name, limit in (bounds or {}).items() if name in values}
    widget = TapeWidget(
        scene_maker(None),
        on_open=scene_maker,
        rerun=rerun,
        bounds=limits,
        inputs=values,
        layout={"width": "100%"},
    )
    room = min(max(map(len, values), default=0), LONGEST_NAME) * 0.65 + 1  # em: names are whole
    controls = [_slider(widget, name, value, limits[name], room) for name, value in values.items()]
    # sliders stand side by side where there is room, the picture below all of them
    return ipywidgets.Box([*controls, widget], layout={"flex_flow": "row wrap"})


def close_view(view: ipywidgets.Box) -> None:
    """Take a live view off the page and out of memory, with all that it consists of."""
    view.children[-1].release()
    for widget in (*view.children, view):
        for part in ("style", "layout"):
            if hasattr(widget, part):
                getattr(widget, part).close()
        widget.close()


def _slider(
    widget: TapeWidget, name: str, value: float, limits: tuple[float, float], room: float
) -> ipywidgets.FloatSlider:
    slider = ipywidgets.FloatSlider(
        value=value,
        min=limits[0],
        max=limits[1],
        step=(limits[1] - limits[0]) / 200,
        readout_format=".4g",
        description=name,
        style={"description_width": f"{room:g}em"},
        layout={"width": f"min({room + 21:g}em, 98%)"},
    )

    def moved(change: Any) -> None:
        # The front end adds up steps: 0.9000000000000005 was meant as 0.9.
        chosen = float(f"{change['new']:.12g}")
        # The slider's value came from a front end too, so it passes the same check.
        if is_number_within(chosen, limits):
            widget.inputs = {**widget.inputs, name: chosen}

    # what the pointer is told; the first is what ipywidgets 7 calls it
    known = slider.traits()
    setattr(slider, "tooltip" if "tooltip" in known else "description_tooltip", name)
    slider.observe(moved, "value")
    return slider
