// The live view of a recorded run: stepping through it, talking to the kernel, listening.
//
// anywidget sends a widget's module as one string, which has no address from which an import could
// be resolved. These five modules therefore travel as one: display/standalone.py drops their import
// lines and puts them one after the other. There is no bundler, and nothing is loaded from anywhere.

import { groupOf, indexScene, nameOf, progressOf } from "./scene.js";
import { buildPage, fillDetails, fillNotes, fillSource } from "./page.js";
import { drawScene, refresh } from "./draw.js";
import {
  DIRECTIONS, SMALLEST_START, applyZoom, boxAt, fit, lightBox, lightLine, neighbour, positionIn,
  reveal, showLine, zoomBy,
} from "./move.js";

const ANSWER_WITHIN = 5000; // milliseconds the kernel has to answer before we say that it is silent
let viewCount = 0;

function goTo(view, done, stepping = true) {
  const { steps } = view.scene;
  view.done = Math.min(steps.length, Math.max(0, done));
  const step = stepping ? steps[view.done - 1] : undefined;
  view.progress = progressOf(view.scene, view.done);
  view.current = new Set(step?.boxes ?? []);
  view.currentLine = step?.line ?? null;
  view.direction = step?.direction ?? "";
  const { parts } = view;
  parts.slider.max = steps.length;
  parts.slider.value = view.done;
  parts.first.disabled = parts.back.disabled = view.done === 0;
  parts.last.disabled = parts.forward.disabled = view.done === steps.length;
  parts.caption.textContent = captionOf(view, step, stepping);
  parts.caption.className = `caption ${view.direction}`;
  fillDetails(view);
  refresh(view);
  const box = view.index.boxes.get(step?.boxes[0]);
  if (box) reveal(view, box);
  if (view.currentLine != null) showLine(view, view.currentLine);
}

function captionOf(view, step, stepping) {
  const { steps } = view.scene;
  if (!steps.length) return "nothing was recorded";
  if (!stepping) return `${steps.length} steps`;
  if (!step) return "before the first step";
  const same = steps.filter((each) => each.direction === step.direction);
  const place = `${step.direction} ${same.indexOf(step) + 1}/${same.length}`;
  const what = step.boxes.slice(0, 2).map((id) => {
    const box = view.index.boxes.get(id);
    if (!box) return "";
    const name = nameOf(box);
    return step.direction === "forward" ? `${name} = ${box.value}` : `${name}: gradient ${box.gradient}`;
  });
  return [place, step.line == null ? "" : `line ${step.line}`, ...what].filter(Boolean).join(" · ");
}

function write(view, name, value) {
  try {
    view.model.set(name, value);
    view.model.save_changes();
    return true;
  } catch {
    return false; // a closed kernel: everything that needs no kernel goes on working
  }
}

function select(view, id) {
  view.selected = id;
  write(view, "selected", id);
  showSelection(view);
}

function showSelection(view) {
  view.current = new Set(); // the details follow what was touched last
  const box = view.index.boxes.get(view.selected);
  if (box && !view.canvas) view.parts.stage.setAttribute("aria-activedescendant", `${view.prefix}-${box.id}`);
  else view.parts.stage.removeAttribute("aria-activedescendant");
  if (box) reveal(view, box);
  fillDetails(view);
  refresh(view);
}

function toggleGroup(view, id) {
  if (!id) return;
  if (view.standalone) return say(view, "Groups open in a notebook with a running kernel, not here.");
  const { open } = view.scene;
  const silent = "The kernel does not answer: groups open only while it runs.";
  const wanted = open.includes(id) ? open.filter((each) => each !== id) : [...open, id];
  if (!write(view, "open_groups", wanted)) return say(view, silent);
  clearTimeout(view.waiting);
  view.waiting = setTimeout(() => say(view, silent), ANSWER_WITHIN);
}

function say(view, message) {
  view.parts.trouble.textContent = message;
  view.parts.trouble.hidden = !message;
}

function takeScene(view) {
  clearTimeout(view.waiting);
  const before = view.scene;
  const scene = view.model.get("scene") ?? {};
  view.scene = { width: 0, height: 0, boxes: [], wires: [], frames: [], steps: [], open: [], ...scene };
  view.index = indexScene(view.scene);
  view.selected = view.model.get("selected") ?? "";
  view.lit = new Set();
  view.litLines = new Set();
  view.hovered = undefined;
  view.progress = progressOf(view.scene, view.scene.steps.length);
  fillSource(view);
  view.parts.body.classList.toggle("empty", !view.scene.boxes.length);
  fillNotes(view);
  drawScene(view);
  // A slider moves the numbers only: someone who stands in the middle of the steps stays there.
  const sameSteps = before && before.steps.length === view.scene.steps.length;
  goTo(view, sameSteps ? view.done : view.scene.steps.length, Boolean(sameSteps && view.direction));
  say(view, view.model.get("trouble") || view.scene.message || "");
  if (view.untouched) fit(view, SMALLEST_START);
  else applyZoom(view);
}

function listenToStage(view, listen) {
  const { stage } = view.parts;
  let drag = null;
  listen(stage, "pointerdown", (event) => {
    drag = { id: event.pointerId, at: [event.clientX, event.clientY], zoom: view.zoom, moved: false };
  });
  listen(stage, "pointermove", (event) => {
    if (!drag) return lightBox(view, boxAt(view, event).box);
    const [dx, dy] = [event.clientX - drag.at[0], event.clientY - drag.at[1]];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    if (!drag.moved) stage.setPointerCapture(drag.id);
    drag.moved = true;
    view.untouched = false;
    view.zoom = { k: drag.zoom.k, x: drag.zoom.x + dx, y: drag.zoom.y + dy };
    applyZoom(view);
  });
  const finish = () => { view.dragged = drag?.moved ?? false; drag = null; };
  listen(stage, "pointerup", finish);
  listen(stage, "pointercancel", finish);
  listen(stage, "pointerleave", () => lightBox(view, undefined));
  listen(stage, "click", (event) => {
    if (view.dragged) return;
    // A screen reader's click carries no position, but it does know the element.
    const named = event.detail === 0 && event.target.closest("[data-id]")?.dataset.id;
    const { box, toggles } = named ? { box: view.index.boxes.get(named) } : boxAt(view, event);
    if (toggles) toggleGroup(view, toggles);
    else select(view, box?.id ?? "");
  });
  listen(stage, "dblclick", (event) => {
    const { box, toggles } = boxAt(view, event);
    if (!toggles && box?.kind === "group") toggleGroup(view, box.id);
  });
  listen(stage, "wheel", (event) => {
    // Without focus the wheel scrolls the notebook, as everywhere else on the page.
    if (!event.ctrlKey && !event.metaKey && document.activeElement !== stage) return;
    event.preventDefault();
    zoomBy(view, Math.exp(-event.deltaY * 0.0015), positionIn(view, event));
  }, { passive: false });
  listen(stage, "keydown", (event) => stageKey(view, event));
}

function stageKey(view, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const actions = {
    "+": () => zoomBy(view, 1.25),
    "=": () => zoomBy(view, 1.25),
    "-": () => zoomBy(view, 0.8),
    0: () => fit(view),
    "[": () => goTo(view, view.done - 1),
    "]": () => goTo(view, view.done + 1),
    Enter: () => toggleGroup(view, groupOf(view.index.boxes.get(view.selected))),
    Escape: () => { select(view, ""); goTo(view, view.scene.steps.length, false); },
  };
  const direction = DIRECTIONS[event.key];
  const action = direction ? () => select(view, neighbour(view, direction)?.id ?? "") : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

/** JupyterLab would take "d d" for "delete this cell"; Ctrl and the like stay its own. It looks at
    the element that has focus, and listens before anything inside the page does. */
function keepKeys(view, event) {
  if (!view.parts.root.contains(event.target)) return;
  const ours = !(event.ctrlKey || event.metaKey || event.altKey);
  event.target.toggleAttribute("data-lm-suppress-shortcuts", ours);
}

function listenToSource(view, listen) {
  const { source } = view.parts;
  const lineOf = (event) => Number(event.target.closest("[data-line]")?.dataset.line) || undefined;
  listen(source, "pointermove", (event) => {
    if (lineOf(event) !== view.line) lightLine(view, lineOf(event));
  });
  listen(source, "pointerleave", () => lightLine(view, undefined));
  listen(source, "blur", () => lightLine(view, undefined));
  listen(source, "click", (event) => {
    const first = view.index.boxes.get(view.index.boxesOfLine.get(lineOf(event))?.at(-1));
    if (first) select(view, first.id);
  });
  listen(source, "keydown", (event) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const lines = [...view.lineItems.keys()];
    const next = lines.indexOf(view.line) + (event.key === "ArrowUp" ? -1 : 1);
    lightLine(view, lines[Math.min(lines.length - 1, Math.max(0, next))]);
    showLine(view, view.line);
  });
}

function listenToControls(view, listen) {
  const actions = {
    first: () => goTo(view, 0),
    back: () => goTo(view, view.done - 1),
    forward: () => goTo(view, view.done + 1),
    last: () => goTo(view, view.scene.steps.length),
    smaller: () => zoomBy(view, 0.8),
    larger: () => zoomBy(view, 1.25),
    fit: () => fit(view),
    deselect: () => select(view, ""),
    toggle: () => toggleGroup(view, groupOf(view.index.boxes.get([...view.current][0] ?? view.selected))),
  };
  listen(view.parts.root, "click", (event) => {
    actions[event.target.closest("[data-action]")?.dataset.action]?.();
  });
  listen(view.parts.slider, "input", () => goTo(view, Number(view.parts.slider.value)));
}

function render({ model, el }) {
  viewCount += 1;
  const view = {
    model,
    prefix: `tapemagic-${viewCount}`,
    standalone: Boolean(model.standalone),
    parts: buildPage(),
    zoom: { k: 1, x: 0, y: 0 },
    untouched: true, // nobody has zoomed or panned: the picture may be fitted anew
  };
  el.append(view.parts.root);
  takeScene(view);

  const ending = new AbortController();
  const listen = (node, name, handler, options = {}) =>
    node.addEventListener(name, handler, { ...options, signal: ending.signal });
  listenToStage(view, listen);
  listenToSource(view, listen);
  listenToControls(view, listen);
  listen(window, "keydown", (event) => keepKeys(view, event), { capture: true });
  const onModel = {
    "change:scene": () => takeScene(view),
    "change:trouble": () => {
      clearTimeout(view.waiting);
      say(view, model.get("trouble") || view.scene.message || "");
    },
    "change:selected": () => {
      if (view.selected === model.get("selected")) return;
      view.selected = model.get("selected");
      showSelection(view);
    },
  };
  for (const [name, handler] of Object.entries(onModel)) model.on(name, handler);
  const resized = new ResizeObserver(() => {
    const { clientWidth } = view.parts.root; // the height changes with the facts shown: no reason to move
    if (view.untouched && clientWidth !== view.fittedWidth) fit(view, SMALLEST_START);
    else applyZoom(view);
  });
  resized.observe(view.parts.root);

  return () => {
    ending.abort();
    resized.disconnect();
    clearTimeout(view.waiting);
    for (const [name, handler] of Object.entries(onModel)) model.off(name, handler);
    view.parts.root.remove();
  };
}

/** Show one scene on a page of its own, where there is no kernel. */
function start(el, scene) {
  const state = { scene };
  const model = {
    standalone: true,
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; },
    save_changes: () => {},
    on: () => {},
    off: () => {},
  };
  render({ model, el });
}

export { start };
export default { render };
