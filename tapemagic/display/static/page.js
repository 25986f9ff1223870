// Building the page: elements, controls, the source and the details.
// Text reaches the page as text nodes only, never as markup.

import { bracketed, groupOf, linesOf, nameOf, shorten, stripHeights } from "./scene.js";

const SVG = "http://www.w3.org/2000/svg";
const NOT_YET = "not computed yet";
const KEYS = "drag: pan · click, then wheel: zoom · ← ↑ ↓ →: boxes · [ ]: steps · Enter: open, fold";
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

/** An element; its children may be strings, which become text nodes and never markup. */
export function html(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** A long name as its words, between which a line may end. */
function words(name) {
  return name.split(/(?<=[_./])/).flatMap((word) => [word, html("wbr", "")]);
}

export function svg(tag, attributes, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Make an element known to screen readers; one with a role other than a button takes focus. */
export function labelled(node, label, role) {
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

export function buildPage() {
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
    notes: html("div", "notes"),
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
  const kinds = [...parts.swatches].map(([kind, swatch]) => html("span", "item", swatch, kind));
  const legend = html("div", "legend", ...kinds);
  parts.inks = {
    value: html("span", "value", "above a wire: value"),
    gradient: html("span", "gradient", "below: gradient"),
  };
  legend.append(parts.inks.value, parts.inks.gradient, html("span", "keys", KEYS));
  const bar = html("div", "bar", stepper, parts.caption, zoom);
  parts.root = html("div", "tapemagic", bar, parts.trouble, parts.body, parts.notes, legend);
  return parts;
}

export function fillSource(view) {
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

/** What is said below the picture; that of an earlier run is faded. */
export function fillNotes(view) {
  const { notes = [], old_notes: old = [] } = view.scene;
  const rows = [["", notes], ["old", old]].filter(([, said]) => said.length);
  view.parts.notes.replaceChildren(...rows.map(([name, said]) => html("div", name, said.join("\n"))));
}

/** The step's box while stepping, else the selected one, else all sources. */
export function fillDetails(view) {
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
  const tag = html("span", `tag kind-${box.kind}`, box.kind);
  const heading = html("div", "heading", html("strong", "", nameOf(box)), tag);
  if (view.selected === box.id) heading.append(iconButton("Close the details", "deselect"));
  const parts = [heading, list];
  if (box.strip?.length && swept) {
    const [first, last] = [box.strip[0], box.strip.at(-1)].map((size) => Number(size).toPrecision(3));
    const label = `|gradient| per iteration, logarithmic: ${first} → ${last}`;
    parts.push(html("p", "label", label), stripChart(box.strip));
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
  if (!sources.length) return [];
  const hasNorms = sources.some(({ norm }) => norm);
  const titles = ["source", "shape", "gradient", ...(hasNorms ? ["norm"] : [])];
  const columns = titles.map((name) => html("th", "", name));
  const rows = sources.map(({ name, shape, gradient, norm, reason, state }) => {
    const none = state === "not-run" || state === "not-connected";
    const result = html("td", none ? "words" : "gradient", none ? reason || gradient : gradient);
    if (reason && !none) result.append(html("div", "words", reason));
    const last = hasNorms ? [html("td", "", norm ?? "")] : [];
    return html("tr", "", html("th", "", ...words(name)), html("td", "", shape), result, ...last);
  });
  const title = target?.name ? `Gradients of ${target.name} = ${target.value}` : "Sources";
  const table = html("table", "", html("tr", "", ...columns), ...rows);
  return [html("div", "heading", html("strong", "", title)), table];
}

/** A small bar chart. Its two ends are spoken: whether they differ is what one looks for. */
export function stripChart(strip, place = {}) {
  const bars = stripHeights(strip).map((height, index) =>
    svg("rect", { x: index + 0.1, width: 0.8, y: 1 - height, height }));
  const label = `${strip.length} iterations, first ${strip[0]}, last ${strip.at(-1)}`;
  const frame = { class: "strip", viewBox: `0 0 ${strip.length} 1`, preserveAspectRatio: "none" };
  return svg("svg", { ...frame, ...place, role: "img", "aria-label": label }, ...bars);
}
