// The live view of a recorded run.
//
// One file on purpose: anywidget sends a widget's module as one string, which has no address from
// which a relative import could be resolved, and a bundler would be one more thing to trust.
// The order is: reading the scene, building the page, drawing, moving about, stepping, wiring.
//
// Text reaches the page through textContent only. Nothing is loaded from anywhere.

const SVG = "http://www.w3.org/2000/svg";
const CANVAS_ABOVE = 500; // boxes; one SVG element per box gets slow beyond that
const SMALLEST_START = 0.7; // the first picture is readable, even if it does not fit as a whole
const ANSWER_WITHIN = 5000; // milliseconds the kernel has to answer before we say that it is silent
const NOT_YET = "not computed yet";
const ICONS = {
  first: "M3 3h2v10H3z M13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2z M3 3v10l7-5z",
  smaller: "M3 7h10v2H3z",
  larger: "M7 3h2v4h4v2H9v4H7V9H3V7h4z",
  fit: "M2 2h5v2H4v3H2z M9 2h5v5h-2V4H9z M2 9h2v3h3v2H2z M12 9h2v5H9v-2h3z",
  deselect: "M4 3l4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4z",
};
const KINDS = ["source", "constant", "operation", "group", "target", "failed"];
const LEAVES = ["source", "stub", "constant"];
const ROW = 14; // pixels from one line of numbers to the next
const FONT = { sign: 16, title: 13, count: 14, header: 11, code: 11, value: 11, gradient: 11, small: 10, tiny: 9 };
const SANS = ["sign", "title", "count", "header", "tiny"];
let viewCount = 0;

// ---- reading the scene -------------------------------------------------------------------------

function indexScene(scene) {
  const boxesOfLine = new Map();
  for (const box of scene.boxes) {
    for (const line of linesOf(box)) boxesOfLine.set(line, [...(boxesOfLine.get(line) ?? []), box.id]);
  }
  return { boxes: new Map(scene.boxes.map((box) => [box.id, box])), boxesOfLine };
}

function linesOf(box) {
  return box.lines?.length ? box.lines : box.line == null ? [] : [box.line];
}

/** Which boxes have their value, and which their gradient, after the first `done` steps. */
function progressOf(scene, done) {
  const has = { forward: new Set(), backward: new Set() };
  const never = { forward: new Set(), backward: new Set() };
  for (const box of scene.boxes) {
    never.forward.add(box.id);
    never.backward.add(box.id);
  }
  scene.steps.forEach((step, index) => {
    for (const id of step.boxes) {
      never[step.direction].delete(id);
      if (index < done) has[step.direction].add(id);
    }
  });
  const finished = done >= scene.steps.length;
  return {
    // A constant is in no step: it is there from the start. A gradient is not, until the end.
    value: (id) => has.forward.has(id) || never.forward.has(id),
    gradient: (id) => has.backward.has(id) || (finished && never.backward.has(id)),
  };
}

function nameOf({ kind, title, op, code }) {
  return (kind === "group" && code) || title || op || kind;
}

function shorten(text, room) {
  const characters = Array.from(text ?? "");
  return characters.length <= room ? text ?? "" : `${characters.slice(0, Math.max(1, room - 1)).join("")}…`;
}

/** Rows of numbers as a vector or matrix is written by hand; words and summaries stay as they are. */
function bracketed(rows = [], shape) {
  const plain = !shape || shape === "()" || !rows.length || !/^[-\s\d.eE+infa]+$/.test(rows.join(""));
  if (plain) return rows;
  if (rows.length === 1) return [`[${rows[0]}]`];
  const ends = (row) => (row === 0 ? "⎡⎤" : row === rows.length - 1 ? "⎣⎦" : "⎢⎥");
  return rows.map((text, row) => `${ends(row)[0]}${text}${ends(row)[1]}`);
}

// What stands where: the kernel measured the words and left room for them, see display/sizes.py.
// A row is [role, text, x, y, anchor]; SVG and canvas draw the same rows.

function rowsInside(box) {
  const { kind, x, y, w, h } = box;
  const middle = x + w / 2;
  if (kind === "group") {
    const count = box.count > 1 ? `× ${box.count.toLocaleString("en")}` : "";
    return [
      ["code", shorten(box.code || box.op, (w - 34) / 6.7), x + 10, y + 18],
      ["sign", "▸", x + w - 8, y + 18, "end"],
      ["small", box.code ? box.op : "", x + 10, y + 35],
      ["count", count, x + w - 10, y + 36, "end"],
    ];
  }
  if (LEAVES.includes(kind)) {
    const shape = box.shape === "()" ? "" : box.shape;
    const line = y + h / 2 + (shape ? -2 : 4.5);
    return [["title", shorten(box.title, (w - 8) / 8), middle, line, "middle"], ["small", shape, middle, line + 13, "middle"]];
  }
  const local = (box.local ?? []).map((text, row) => ["small", shorten(text, (w - 6) / 6.2), middle, y + 38 + 13 * row, "middle"]);
  const note = kind === "failed" ? [["small", shorten(box.note, (w - 12) / 6.7), middle, y + 42, "middle"]] : [];
  return [["sign", `${kind === "failed" ? "✗ " : ""}${box.op}`, middle, y + 24, "middle"], ...local, ...note];
}

function rowsAround(box, direction) {
  const { kind, x, y, w, h } = box;
  if (kind === "stub" || kind === "failed") return [];
  const note = box.note?.startsWith("used") ? box.note : "";
  const words = kind === "constant" ? "not watched" : (kind !== "group" && box.verb) || note;
  const rows = kind === "constant" || box.line == null ? [] : [["tiny", `line ${box.line}`, x + 2, y - (kind === "group" ? 9 : 5)]];
  if (direction === "down") return [...rows, ["tiny", words, x + w + 8, y + h / 2 + 4]];
  const below = words ? words.replace(", ", ";").split(";") : [];
  return [...rows, ...below.map((text, row) => ["tiny", text.trim(), x + w / 2, y + h + 12 + 11 * row, "middle"])];
}

function rowsBesideWire(box) {
  if (box.kind === "failed" || !box.label) return [];
  const { x, y } = box.label;
  const values = bracketed(box.value_rows, box.shape);
  const top = y - 6 - ROW * (values.length - 1);
  const name = LEAVES.includes(box.kind) ? "" : box.title;
  const shape = LEAVES.includes(box.kind) || box.shape === "()" ? "" : box.shape;
  return [
    ["header", name, x, top - ROW],
    ["small", shape, x + (name ? 7.2 * Array.from(name).length + 6 : 0), top - ROW],
    ...values.map((text, row) => ["value", text, x, top + ROW * row]),
    ...bracketed(box.gradient_rows, box.shape).map((text, row) => ["gradient", text, x, y + 14 + ROW * row]),
  ];
}

function textRows(box, direction) {
  return [...rowsInside(box), ...rowsAround(box, direction), ...rowsBesideWire(box)].filter(([, text]) => text);
}

/** Heights from 0 to 1 of |gradient| per iteration, on a logarithmic scale of three decades or more. */
function stripHeights(strip) {
  const sizes = strip.map((item) => Math.log10(Math.abs(Number(item))));
  const known = sizes.filter(Number.isFinite);
  const high = Math.max(...known);
  const low = Math.min(...known, high - 3) - 0.3;
  return sizes.map((size) => {
    if (Number.isFinite(size)) return (size - low) / (high - low);
    return size === -Infinity ? 0.02 : 1; // zero; infinite or nan
  });
}

/** A curve that leaves and arrives along the flow, with an arrow head. */
function wirePath(points, direction) {
  const along = direction === "down" ? 1 : 0;
  const parts = points.slice(1).map((point, index) => {
    const half = (points[index][along] + point[along]) / 2;
    const bend = ([x, y]) => (along ? `${x} ${half}` : `${half} ${y}`);
    return `C${bend(points[index])} ${bend(point)} ${point.join(" ")}`;
  });
  const [x, y] = points.at(-1);
  const head = along ? `M${x - 4} ${y - 7}L${x} ${y - 1}L${x + 4} ${y - 7}` : `M${x - 7} ${y - 4}L${x - 1} ${y}L${x - 7} ${y + 4}`;
  return `M${points[0].join(" ")}${parts.join("")}${head}`;
}

/** Where a value leaves its box: a dot where its gradients add up, a loose end where nobody reads it. */
function tailPath({ label, ways_out: ways }) {
  if (!label || ways === 1) return "";
  const [x, y] = label.fork;
  if (ways) return `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`;
  return `M${label.port.join(" ")}L${x} ${y}`;
}

// ---- building the page -------------------------------------------------------------------------

/** An element; its children may be strings, which become text nodes and never markup. */
function html(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Make an element known to screen readers; one with a role other than a button takes focus. */
function labelled(node, label, role) {
  node.setAttribute("aria-label", label);
  if (role) node.setAttribute("role", role);
  if (role && role !== "button") node.tabIndex = 0;
  return node;
}

function textButton(text, action) {
  const button = html("button", "toggle", text);
  button.type = "button";
  button.dataset.action = action;
  return button;
}

function iconButton(label, action) {
  const button = labelled(textButton("", action), label);
  button.className = "icon";
  button.title = label;
  const path = svg("path", { d: ICONS[action] });
  button.append(svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, path));
  return button;
}

function buildPage() {
  const slider = labelled(html("input", "steps"), "Step");
  slider.type = "range";
  slider.min = 0;
  const parts = {
    slider,
    first: iconButton("First step", "first"),
    back: iconButton("One step back", "back"),
    forward: iconButton("One step forward", "forward"),
    last: iconButton("Last step", "last"),
    caption: html("output", "caption"),
    trouble: html("div", "trouble"),
    source: labelled(html("ol", "source"), "Source of the cell", "listbox"),
    details: labelled(html("div", "details"), "Details", "region"),
    stage: labelled(html("div", "stage"), "Operation graph: arrow keys move between boxes", "group"),
    swatches: new Map(KINDS.map((kind) => [kind, html("span", `swatch kind-${kind}`)])),
  };
  parts.trouble.setAttribute("role", "alert");
  parts.body = html("div", "body", parts.source, parts.details, parts.stage);
  const zoom = html("div", "zoom", iconButton("Zoom out", "smaller"), iconButton("Zoom in", "larger"),
    iconButton("Fit the picture", "fit"));
  const stepper = html("div", "stepper", parts.first, parts.back, slider, parts.forward, parts.last);
  const legend = html("div", "legend", ...[...parts.swatches].map(([kind, swatch]) => html("span", "item", swatch, kind)));
  legend.append(html("span", "value", "above a wire: value"), html("span", "gradient", "below: gradient"),
    html("span", "keys", "drag: pan · click, then wheel: zoom · ← ↑ ↓ →: boxes · [ ]: steps · Enter: open, fold"));
  parts.root = html("div", "tapemagic", html("div", "bar", stepper, parts.caption, zoom), parts.trouble, parts.body, legend);
  // JupyterLab would take arrow keys and letters as its own commands otherwise.
  parts.root.setAttribute("data-lm-suppress-shortcuts", "true");
  return parts;
}

function fillSource(view) {
  view.lineItems = new Map();
  (view.scene.lines ?? []).forEach((text, index) => {
    const line = (view.scene.first_line ?? 1) + index;
    const item = html("li", "line", html("span", "number", String(line)), html("code", "", text || " "));
    item.id = `${view.prefix}-line-${line}`;
    item.dataset.line = line;
    item.setAttribute("role", "option");
    view.lineItems.set(line, item);
  });
  view.parts.source.replaceChildren(...view.lineItems.values());
}

// ---- details -----------------------------------------------------------------------------------

/** The step's box while stepping, else the selected one, else all sources. */
function fillDetails(view) {
  const box = view.index.boxes.get([...view.current][0] ?? view.selected);
  view.parts.details.replaceChildren(...(box ? boxDetails(view, box) : overview(view)));
}

function boxDetails(view, box) {
  const lines = linesOf(box);
  const swept = view.progress.gradient(box.id);
  const numbers = (rows) => bracketed(rows, box.shape).join("\n");
  const facts = [
    ["value", view.progress.value(box.id) ? numbers(box.value_rows) : NOT_YET, "value"],
    ["gradient", swept || !box.gradient ? numbers(box.gradient_rows) : NOT_YET, "gradient"],
    ["shape", box.shape],
    ["dtype", box.dtype],
    ["operation", nameOf(box) === box.op ? "" : box.op],
    ["local derivative", box.formula.map((text, place) => `∂x${place + 1}: ${text}`).join("\n")],
    ["rule", box.kind === "group" ? "" : box.verb, "words"],
    ["count", box.count > 1 ? `× ${box.count}` : ""],
    [lines.length > 1 ? "lines" : "line", lines.join(", ")],
    ["code", nameOf(box) === box.code ? "" : box.code],
    ["note", box.note, "words"],
  ];
  const list = html("dl", "");
  for (const [name, value, className] of facts) {
    if (value) list.append(html("dt", "", name), html("dd", className, String(value)));
  }
  const parts = [html("div", "heading", html("strong", "", nameOf(box)), html("span", `tag kind-${box.kind}`, box.kind)), list];
  if (view.selected === box.id) parts[0].append(iconButton("Close the details", "deselect"));
  if (box.strip?.length && swept) {
    const [first, last] = [box.strip[0], box.strip.at(-1)].map((size) => Number(size).toPrecision(3));
    parts.push(html("p", "label", `|gradient| per iteration, logarithmic: ${first} → ${last}`), stripChart(box.strip));
  }
  if (groupOf(box) && !view.standalone) {
    const frame = view.scene.frames.find(({ id }) => id === box.parent);
    const fold = `Fold ${shorten(frame?.title ?? "its group", 30)}`;
    parts.splice(1, 0, textButton(box.kind === "group" ? "Open this group" : fold, "toggle"));
  }
  return parts;
}

function overview(view) {
  const { target, sources = [] } = view.scene;
  const columns = ["source", "shape", "gradient", "norm"].map((name) => html("th", "", name));
  const rows = sources.map(({ name, shape, gradient, norm, reason, state }) => {
    const none = reason || state === "not-run" || state === "not-connected";
    const result = html("td", none ? "words" : "gradient", reason || gradient);
    return html("tr", "", html("th", "", name), html("td", "", shape), result, html("td", "", norm ?? ""));
  });
  const title = target?.name ? `Gradients of ${target.name} = ${target.value}` : "Sources";
  return [html("div", "heading", html("strong", "", title)), html("table", "", html("tr", "", ...columns), ...rows)];
}

/** A small bar chart. Its two ends are spoken: whether they differ is what one looks for. */
function stripChart(strip, place = {}) {
  const bars = stripHeights(strip).map((height, index) =>
    svg("rect", { x: index + 0.1, width: 0.8, y: 1 - height, height }));
  const label = `${strip.length} iterations, first ${strip[0]}, last ${strip.at(-1)}`;
  const frame = { class: "strip", viewBox: `0 0 ${strip.length} 1`, preserveAspectRatio: "none", role: "img" };
  return svg("svg", { ...frame, ...place, "aria-label": label }, ...bars);
}

// ---- drawing -----------------------------------------------------------------------------------

function drawScene(view) {
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
  view.layer = svg("g", {}, ...visibleFrames(view).map(makeFrame), ...view.wireNodes.values(), ...view.boxNodes.values());
  view.parts.stage.replaceChildren(svg("svg", { class: "picture" }, view.layer));
}

/** Frames of opened loops and calls. Those of single lines would be many, and their boxes say the line. */
function visibleFrames(view) {
  return view.scene.frames.filter(({ kind }) => kind !== "line");
}

function makeFrame(frame) {
  const { x, y, w: width, h: height } = frame;
  const title = shorten(frame.title, width / 6 - 3);
  const words = svg("text", { x: x + width - 6, y: y + 12, "font-size": 10, "text-anchor": "end" }, `${title} ▾`);
  return svg("g", { class: "opened" }, svg("rect", { x, y, width, height, rx: 8 }), words);
}

function makeBox(view, box) {
  const { x, y, w: width, h: height, kind } = box;
  const spoken = [nameOf(box), kind, box.op, box.value && `value ${box.value}`, box.gradient && `gradient ${box.gradient}`,
    box.line && `line ${box.line}`, box.note];
  const rx = LEAVES.includes(kind) ? 14 : kind === "group" ? 4 : 10;
  const frame = svg("rect", { class: "frame", x, y, width, height, rx });
  const texts = textRows(box, view.scene.direction).map(([role, text, left, top, anchor = "start"]) =>
    svg("text", { class: role, x: left, y: top, "font-size": FONT[role], "text-anchor": anchor }, text));
  const node = svg("g", { id: `${view.prefix}-${box.id}`, "data-id": box.id }, frame, svg("path", { class: "tail", d: tailPath(box) }), ...texts);
  if (kind === "group") node.prepend(svg("rect", { class: "frame", x: x + 4, y: y + 4, width, height, rx }));
  if (kind === "group" && box.strip?.length) node.append(stripChart(box.strip, { x: x + 10, y: y + 46, width: width - 20, height: 22 }));
  return labelled(node, spoken.filter(Boolean).join(", "), "button");
}

function boxClass(view, box) {
  const names = ["box", `kind-${box.kind}`, `state-${box.state ?? "ok"}`];
  if (view.lit.has(box.id)) names.push("lit");
  if (view.selected === box.id) names.push("selected");
  if (view.current.has(box.id)) names.push("current", view.direction);
  if (!view.progress.value(box.id)) names.push("later");
  if (!view.progress.gradient(box.id)) names.push("unswept");
  return names.join(" ");
}

/** Bring everything that depends on hover, selection and step up to date. */
function refresh(view) {
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

function paintCanvas(view) {
  const { canvas, zoom, parts, scene } = view;
  const ratio = globalThis.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = parts.stage;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio * zoom.k, 0, 0, ratio * zoom.k, ratio * zoom.x, ratio * zoom.y);
  const { color: ink, fontFamily: sans } = getComputedStyle(parts.root);
  const mono = getComputedStyle(parts.source).fontFamily;
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
    pen.fillStyle = ink;
    for (const [role, text, x, y, anchor = "start"] of textRows(box, scene.direction)) {
      if ((role === "value" && names.includes("later")) || (role === "gradient" && names.includes("unswept"))) continue;
      pen.font = `${FONT[role]}px ${SANS.includes(role) ? sans : mono}`;
      pen.textAlign = { start: "left", middle: "center", end: "right" }[anchor];
      pen.fillText(text, x, y);
    }
  }
}

// ---- moving about ------------------------------------------------------------------------------

function applyZoom(view) {
  const { k, x, y } = view.zoom;
  if (view.layer) view.layer.setAttribute("transform", `translate(${x} ${y}) scale(${k})`);
  else if (view.canvas) paintCanvas(view);
}

function fit(view, smallest = 0) {
  const { stage, body, root } = view.parts;
  const { width, height } = view.scene;
  // Beside its source a picture has about three fifths of the page; a wider one goes below it.
  body.classList.toggle("wide", width * 0.8 > root.clientWidth * 0.62);
  const room = stage.clientWidth - 16;
  if (room <= 0 || !width || !height) return; // hidden: the resize observer calls again
  const scale = Math.min(1.1, Math.max(room / width, smallest));
  const lowest = body.classList.contains("wide") ? 180 : 360;
  body.style.setProperty("--stage-height", `${Math.round(Math.min(560, Math.max(lowest, height * scale + 16)))}px`);
  const k = Math.max(smallest, Math.min(scale, (stage.clientHeight - 16) / height));
  const centred = (space, size) => Math.max(8, (space - size * k) / 2);
  view.zoom = { k, x: centred(stage.clientWidth, width), y: centred(stage.clientHeight, height) };
  view.untouched = true;
  applyZoom(view);
  const failed = view.scene.boxes.find(({ kind }) => kind === "failed");
  if (failed) reveal(view, failed);
}

function zoomBy(view, factor, at) {
  const { stage } = view.parts;
  const centre = at ?? [stage.clientWidth / 2, stage.clientHeight / 2];
  const k = Math.min(4, Math.max(0.05, view.zoom.k * factor));
  const move = (origin, point) => point - ((point - origin) * k) / view.zoom.k;
  view.zoom = { k, x: move(view.zoom.x, centre[0]), y: move(view.zoom.y, centre[1]) };
  view.untouched = false;
  applyZoom(view);
}

function positionIn(view, event) {
  const frame = view.parts.stage.getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

/** The box under the pointer, and the group that a click there would open or fold. */
function boxAt(view, event) {
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
function reveal(view, box) {
  const { stage } = view.parts;
  const { zoom } = view;
  const [right, bottom] = box.label?.fork ?? [0, 0];
  const shift = (start, size, space) => (start < 8 ? 8 - start : Math.min(0, Math.max(8 - start, space - 8 - size - start)));
  const x = shift(box.x * zoom.k + zoom.x, Math.max(box.w, right - box.x) * zoom.k, stage.clientWidth);
  const y = shift(box.y * zoom.k + zoom.y, Math.max(box.h, bottom - box.y) * zoom.k, stage.clientHeight);
  if (x || y) {
    view.zoom = { k: zoom.k, x: zoom.x + x, y: zoom.y + y };
    applyZoom(view);
  }
}

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The nearest box in a direction; sideways distance counts double. */
function neighbour(view, [right, down]) {
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

function lightBox(view, box) {
  if (box?.id === view.hovered) return;
  view.hovered = box?.id;
  light(view, box ? [box.id] : [], box ? linesOf(box) : []);
  const first = box && linesOf(box)[0];
  if (first != null) showLine(view, first);
}

function lightLine(view, line) {
  view.line = line;
  light(view, view.index.boxesOfLine.get(line) ?? [], line == null ? [] : [line]);
  if (line != null) view.parts.source.setAttribute("aria-activedescendant", `${view.prefix}-line-${line}`);
}

function showLine(view, line) {
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

// ---- stepping ----------------------------------------------------------------------------------

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
  if (!stepping) return `${steps.length} steps, all done`;
  if (!step) return "before the first step";
  const same = steps.filter((each) => each.direction === step.direction);
  const place = `${step.direction} ${same.indexOf(step) + 1}/${same.length}`;
  const what = step.boxes.slice(0, 2).map((id) => {
    const box = view.index.boxes.get(id);
    if (!box) return "";
    return step.direction === "forward" ? `${nameOf(box)} = ${box.value}` : `${nameOf(box)}: gradient ${box.gradient}`;
  });
  return [place, step.line == null ? "" : `line ${step.line}`, ...what].filter(Boolean).join(" · ");
}

// ---- talking to the kernel ---------------------------------------------------------------------

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

/** The group that a box is, or the open one that it is in. */
function groupOf(box) {
  return box?.kind === "group" ? box.id : box?.parent;
}

function toggleGroup(view, id) {
  if (!id) return;
  if (view.standalone) return say(view, "Groups open in a notebook with a running kernel, not on a saved page.");
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
  drawScene(view);
  // A slider moves the numbers only: someone who stands in the middle of the steps stays there.
  const sameSteps = before && before.steps.length === view.scene.steps.length;
  goTo(view, sameSteps ? view.done : view.scene.steps.length, Boolean(sameSteps && view.direction));
  say(view, view.model.get("trouble") || view.scene.message || "");
  if (view.untouched) fit(view, SMALLEST_START);
  else applyZoom(view);
}

// ---- wiring ------------------------------------------------------------------------------------

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
    "+": () => zoomBy(view, 1.25), "=": () => zoomBy(view, 1.25), "-": () => zoomBy(view, 0.8), 0: () => fit(view),
    "[": () => goTo(view, view.done - 1), "]": () => goTo(view, view.done + 1),
    Enter: () => toggleGroup(view, groupOf(view.index.boxes.get(view.selected))),
    Escape: () => { select(view, ""); goTo(view, view.scene.steps.length, false); },
  };
  const direction = DIRECTIONS[event.key];
  const action = direction ? () => select(view, neighbour(view, direction)?.id ?? "") : actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function listenToSource(view, listen) {
  const { source } = view.parts;
  const lineOf = (event) => Number(event.target.closest("[data-line]")?.dataset.line) || undefined;
  listen(source, "pointermove", (event) => { if (lineOf(event) !== view.line) lightLine(view, lineOf(event)); });
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
  listen(view.parts.root, "click", (event) => actions[event.target.closest("[data-action]")?.dataset.action]?.());
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
  const onModel = {
    "change:scene": () => takeScene(view),
    "change:trouble": () => { clearTimeout(view.waiting); say(view, model.get("trouble") || view.scene.message || ""); },
    "change:selected": () => {
      if (view.selected === model.get("selected")) return;
      view.selected = model.get("selected");
      showSelection(view);
    },
  };
  for (const [name, handler] of Object.entries(onModel)) model.on(name, handler);
  const resized = new ResizeObserver(() => (view.untouched ? fit(view, SMALLEST_START) : applyZoom(view)));
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
