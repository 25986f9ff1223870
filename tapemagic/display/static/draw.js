// Drawing the picture: SVG, or a canvas when there are many boxes.

import { BEGINS, LEAVES, nameOf, shorten, tailPath, textRows, wirePath } from "./scene.js";
import { html, labelled, stripChart, svg } from "./page.js";

const CANVAS_ABOVE = 500; // boxes; one SVG element per box gets slow beyond that
// Pixels per role of a row of text; display/sizes.py counts on them.
const FONT = {
  sign: 16, title: 13, count: 14, header: 11, code: 11, value: 11, gradient: 11, small: 10, tiny: 9, alarm: 9,
};
const SANS = ["sign", "title", "count", "header", "tiny", "alarm"];

export function drawScene(view) {
  const { boxes, wires, direction } = view.scene;
  view.boxNodes = new Map();
  view.wireNodes = new Map();
  view.layer = view.canvas = null;
  if (boxes.length > CANVAS_ABOVE) {
    view.canvas = html("canvas", "picture");
    return view.parts.stage.replaceChildren(view.canvas);
  }
  for (const wire of wires) view.wireNodes.set(wire.id, svg("path", { d: wirePath(wire.points, direction) }));
  for (const box of boxes) view.boxNodes.set(box.id, makeBox(view, box));
  const frames = visibleFrames(view).map(makeFrame);
  view.layer = svg("g", {}, ...frames, ...view.wireNodes.values(), ...view.boxNodes.values());
  view.parts.stage.replaceChildren(svg("svg", { class: "picture" }, view.layer));
}

/** Frames of opened loops and calls. Those of single lines would be many, and their boxes say the line. */
export function visibleFrames(view) {
  return view.scene.frames.filter(({ kind }) => kind !== "line");
}

function makeFrame(frame) {
  const { x, y, w: width, h: height } = frame;
  const title = shorten(frame.title, width / 6 - 3);
  const corner = { x: x + width - 6, y: y + 12, "font-size": 10, "text-anchor": "end" };
  const words = svg("text", corner, `${title} ▾`);
  // Round boxes of others as well, a rectangle would say what is not so: its name alone folds it.
  const rect = frame.clear === false ? [] : [svg("rect", { x, y, width, height, rx: 8 })];
  return svg("g", { class: "opened" }, ...rect, words);
}

function makeBox(view, box) {
  const { x, y, w: width, h: height, kind } = box;
  const spoken = [nameOf(box), kind, box.op, box.value && `value ${box.value}`,
    box.gradient && `gradient ${box.gradient}`, box.line && `line ${box.line}`, box.note];
  const rx = LEAVES.includes(kind) ? 14 : kind === "group" ? 4 : 10;
  const frame = svg("rect", { class: "frame", x, y, width, height, rx });
  const texts = textRows(box, view.scene.direction).map(([role, text, left, top, anchor = "start"]) =>
    svg("text", { class: role, x: left, y: top, "font-size": FONT[role], "text-anchor": anchor }, text));
  const tail = svg("path", { class: "tail", d: tailPath(box) });
  const node = svg("g", { id: `${view.prefix}-${box.id}`, "data-id": box.id }, frame, tail, ...texts);
  if (kind === "group") {
    node.prepend(svg("rect", { class: "frame", x: x + 4, y: y + 4, width, height, rx })); // a pile of cards
    const place = { x: x + 10, y: y + 46, width: width - 20, height: 22 };
    if (box.strip?.length) node.append(stripChart(box.strip, place));
  }
  return labelled(node, spoken.filter(Boolean).join(", "), "button");
}

function boxClass(view, box) {
  const names = ["box", `kind-${box.kind}`, `state-${box.state ?? "ok"}`];
  if (box.note.startsWith(BEGINS)) names.push("state-nan");
  if (view.lit.has(box.id)) names.push("lit");
  if (view.selected === box.id) names.push("selected");
  if (view.current.has(box.id)) names.push("current", view.direction);
  if (!view.progress.value(box.id)) names.push("later");
  if (!view.progress.gradient(box.id)) names.push("unswept");
  return names.join(" ");
}

/** Bring everything that depends on hover, selection and step up to date. */
export function refresh(view) {
  for (const box of view.scene.boxes) {
    view.boxNodes.get(box.id)?.setAttribute("class", boxClass(view, box));
  }
  for (const wire of view.scene.wires) {
    view.wireNodes.get(wire.id)?.setAttribute("class", wireClass(view, wire));
  }
  for (const [line, item] of view.lineItems) {
    const names = ["line"];
    if (view.litLines.has(line)) names.push("lit");
    if (view.currentLine === line) names.push("current", view.direction);
    if (!view.index.boxesOfLine.has(line)) names.push("plain");
    item.className = names.join(" ");
    item.setAttribute("aria-selected", String(view.litLines.has(line)));
  }
  if (view.canvas) paintCanvas(view);
}

function wireClass(view, wire) {
  const near = (ids) => ids.has(wire.from) || ids.has(wire.to);
  const names = ["wire", `state-${wire.state}`];
  if (near(view.lit) || view.selected === wire.from || view.selected === wire.to) names.push("lit");
  if (view.direction === "forward" && view.current.has(wire.to)) names.push("current", "forward");
  if (view.direction === "backward" && view.current.has(wire.from)) names.push("current", "backward");
  return names.join(" ");
}

export function paintCanvas(view) {
  const { canvas, zoom, parts, scene } = view;
  const ratio = globalThis.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = parts.stage;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio * zoom.k, 0, 0, ratio * zoom.k, ratio * zoom.x, ratio * zoom.y);
  const { color: ink, fontFamily: sans } = getComputedStyle(parts.root);
  const mono = getComputedStyle(parts.source).fontFamily;
  // The legend has every colour: a canvas cannot read the style sheet by itself.
  const inks = new Map(Object.entries(parts.inks).map(([role, node]) => [role, getComputedStyle(node).color]));
  const looks = new Map([...parts.swatches].map(([kind, swatch]) => [kind, getComputedStyle(swatch)]));
  pen.strokeStyle = pen.fillStyle = ink;
  for (const wire of scene.wires) {
    const lit = /lit|current/.test(wireClass(view, wire));
    pen.globalAlpha = lit ? 1 : 0.4;
    pen.lineWidth = lit ? 2.5 : 1.3;
    pen.stroke(new Path2D(wirePath(wire.points, scene.direction)));
  }
  const inSight = ({ x, y, w, h }) => x * zoom.k + zoom.x < width && y * zoom.k + zoom.y < height
    && (x + w + 200) * zoom.k + zoom.x > 0 && (y + h + 100) * zoom.k + zoom.y > 0;
  for (const box of scene.boxes.filter(inSight)) {
    const names = boxClass(view, box).split(" ");
    const look = looks.get(box.kind) ?? looks.get("source");
    pen.globalAlpha = names.includes("later") ? 0.4 : 1;
    pen.fillStyle = look.backgroundColor;
    pen.strokeStyle = look.borderTopColor;
    pen.lineWidth = names.some((name) => ["lit", "selected", "current"].includes(name)) ? 4 : 1.5;
    pen.fillRect(box.x, box.y, box.w, box.h);
    pen.strokeRect(box.x, box.y, box.w, box.h);
    pen.stroke(new Path2D(tailPath(box)));
    if (zoom.k < 0.4) continue; // text would be smaller than five pixels
    for (const [role, text, x, y, anchor = "start"] of textRows(box, scene.direction)) {
      if (role === "value" && names.includes("later")) continue;
      if (role === "gradient" && names.includes("unswept")) continue;
      pen.fillStyle = inks.get(role) ?? ink;
      pen.font = `${FONT[role]}px ${SANS.includes(role) ? sans : mono}`;
      pen.textAlign = { start: "left", middle: "center", end: "right" }[anchor];
      pen.fillText(text, x, y);
    }
  }
}
