// Moving about: zoom, pan, fit, what is under the pointer, what lights up together.

import { linesOf } from "./scene.js";
import { paintCanvas, refresh, visibleFrames } from "./draw.js";

export const SMALLEST_START = 0.7; // the first picture is readable, even if it does not fit as a whole

const SPARE = 24; // of a picture, without ink on each side; MARGIN in display/scene.py

export function applyZoom(view) {
  const { k, x, y } = view.zoom;
  if (view.layer) view.layer.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  else if (view.canvas) paintCanvas(view);
  shadeEdges(view);
}

/** A shadow at each edge behind which the picture goes on. */
function shadeEdges(view) {
  const { stage } = view.parts;
  const { k, x, y } = view.zoom;
  const past = (start, size, space) => start + size * k - SPARE * k > space;
  const edges = [
    [x < -SPARE * k, "8px 0"],
    [past(x, view.scene.width, stage.clientWidth), "-8px 0"],
    [y < -SPARE * k, "0 8px"],
    [past(y, view.scene.height, stage.clientHeight), "0 -8px"],
  ];
  const shadows = edges.filter(([goesOn]) => goesOn).map(([, way]) => `inset ${way} 8px -8px var(--muted)`);
  stage.style.boxShadow = shadows.join(", ");
}

export function fit(view, smallest = 0) {
  const { stage, body, details, root } = view.parts;
  const { width, height } = view.scene;
  // Beside its source a picture has about three fifths of the page; a wider one goes below it.
  body.classList.toggle("wide", width * 0.8 > root.clientWidth * 0.62);
  body.style.setProperty("--facts-height", "170px");
  const facts = Math.min(320, details.scrollHeight); // all sources, if they are not too many
  body.style.setProperty("--facts-height", `${Math.max(170, facts)}px`);
  const room = stage.clientWidth - 16;
  if (room <= 0 || !width || !height) return; // hidden: the resize observer calls again
  const scale = Math.min(1.1, Math.max(room / width, smallest));
  const lowest = body.classList.contains("wide") ? 180 : 360;
  const highest = Math.min(1000, Math.max(560, window.innerHeight * 0.9)); // a page, if need be
  const tall = Math.min(highest, Math.max(lowest, height * scale + 16));
  body.style.setProperty("--stage-height", `${Math.round(tall)}px`);
  const k = Math.max(smallest, Math.min(scale, (stage.clientHeight - 16) / height));
  const centred = (space, size) => Math.max(8, (space - size * k) / 2);
  view.zoom = { k, x: centred(stage.clientWidth, width), y: centred(stage.clientHeight, height) };
  view.untouched = true;
  view.fittedWidth = root.clientWidth;
  applyZoom(view);
  const failed = view.scene.boxes.find(({ kind }) => kind === "failed");
  if (failed) reveal(view, failed);
}

export function zoomBy(view, factor, at) {
  const { stage } = view.parts;
  const centre = at ?? [stage.clientWidth / 2, stage.clientHeight / 2];
  const k = Math.min(4, Math.max(0.05, view.zoom.k * factor));
  const move = (origin, point) => point - ((point - origin) * k) / view.zoom.k;
  view.zoom = { k, x: move(view.zoom.x, centre[0]), y: move(view.zoom.y, centre[1]) };
  view.untouched = false;
  applyZoom(view);
}

export function positionIn(view, event) {
  const frame = view.parts.stage.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

/** The box under the pointer, and the group that a click there would open or fold. */
export function boxAt(view, event) {
  const [left, top] = positionIn(view, event);
  const x = (left - view.zoom.x) / view.zoom.k;
  const y = (top - view.zoom.y) / view.zoom.k;
  const within = (area, height) => x >= area.x && x <= area.x + area.w && y >= area.y && y <= area.y + height;
  const box = view.scene.boxes.findLast((each) => within(each, each.h));
  if (!box) return { toggles: visibleFrames(view).findLast((frame) => within(frame, 16))?.id };
  const onMark = box.kind === "group" && x > box.x + box.w - 26 && y < box.y + 26;
  return { box, toggles: onMark ? box.id : undefined };
}

/** Pan just far enough that a box, and the words beside its wire, are in sight. */
export function reveal(view, box) {
  const { stage } = view.parts;
  const { zoom } = view;
  const [right, bottom] = box.label?.fork ?? [0, 0];
  // Something larger than the stage shows its beginning.
  const shift = (start, size, space) =>
    start < 8 ? 8 - start : Math.min(0, Math.max(8 - start, space - 8 - size - start));
  const x = shift(box.x * zoom.k + zoom.x, Math.max(box.w, right - box.x) * zoom.k, stage.clientWidth);
  const y = shift(box.y * zoom.k + zoom.y, Math.max(box.h, bottom - box.y) * zoom.k, stage.clientHeight);
  if (x || y) {
    view.zoom = { k: zoom.k, x: zoom.x + x, y: zoom.y + y };
    applyZoom(view);
  }
}

export const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest box in a direction; sideways distance counts double. */
export function neighbour(view, [right, down]) {
  const centre = (box) => [box.x + box.w / 2, box.y + box.h / 2];
  const here = view.index.boxes.get(view.selected);
  if (!here) return view.scene.boxes[0];
  const [x, y] = centre(here);
  let best = here;
  let smallest = Infinity;
  for (const box of view.scene.boxes) {
    const [dx, dy] = [centre(box)[0] - x, centre(box)[1] - y];
    const along = dx * right + dy * down;
    const distance = along + 2 * Math.abs(dx * down + dy * right);
    if (along > 1 && distance < smallest) [best, smallest] = [box, distance];
  }
  return best;
}

function light(view, boxes, lines) {
  view.lit = new Set(boxes);
  view.litLines = new Set(lines);
  refresh(view);
}

export function lightBox(view, box) {
  if (box?.id === view.hovered) return;
  view.hovered = box?.id;
  light(view, box ? [box.id] : [], box ? linesOf(box) : []);
  const first = box && linesOf(box)[0];
  if (first != null) showLine(view, first);
}

export function lightLine(view, line) {
  view.line = line;
  light(view, view.index.boxesOfLine.get(line) ?? [], line == null ? [] : [line]);
  if (line != null) view.parts.source.setAttribute("aria-activedescendant", `${view.prefix}-line-${line}`);
}

export function showLine(view, line) {
  const item = view.lineItems.get(line);
  const { source } = view.parts;
  if (!item) return;
  // scrollIntoView would scroll the whole notebook.
  const top = item.offsetTop - source.offsetTop;
  if (top < source.scrollTop) source.scrollTop = top;
  else if (top + item.offsetHeight > source.scrollTop + source.clientHeight) {
    source.scrollTop = top + item.offsetHeight - source.clientHeight;
  }
}
