// Reading a scene: what is where, what is said where, what has been computed when.
// Pure functions; nothing here touches the page.

export const LEAVES = ["source", "stub", "constant"];
const ROW = 14; // pixels from one line of numbers to the next
const NOTE_WIDTH = 34; // letters of what went wrong, per line; as in display/sizes.py
// The other notes stand in the details, or repeat what stands beside the wire; see display/sizes.py.
export const BEGINS = "first "; // a note that begins so says where something went wrong
const DRAWN_NOTES = [BEGINS, "both grew", "used ", "✂ ", "left the tape"];

export function indexScene(scene) {
  const boxesOfLine = new Map();
  for (const box of scene.boxes) {
    for (const line of linesOf(box)) boxesOfLine.set(line, [...(boxesOfLine.get(line) ?? []), box.id]);
  }
  return { boxes: new Map(scene.boxes.map((box) => [box.id, box])), boxesOfLine };
}

export function linesOf(box) {
  return box.lines?.length ? box.lines : box.line == null ? [] : [box.line];
}

/** Which boxes have their value, and which their gradient, after the first `done` steps. */
export function progressOf(scene, done) {
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

/** The group that a box is, or the open one that it is in. */
export function groupOf(box) {
  return box?.kind === "group" ? box.id : box?.parent;
}

export function nameOf({ kind, title, op, code }) {
  return (kind === "group" && code?.replace(/:$/, "")) || title || op || kind;
}

export function shorten(text, room) {
  const characters = Array.from(text ?? "");
  return characters.length <= room ? text ?? "" : `${characters.slice(0, Math.max(1, room - 1)).join("")}…`;
}

/** Rows of numbers as a vector or matrix is written by hand; words and summaries stay as they are. */
export function bracketed(rows = [], shape) {
  const plain = !shape || shape === "()" || !rows.length || !/^[-\s\d.eE+infaj]+$/.test(rows.join(""));
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
    return [
      ["title", shorten(box.title, (w - 8) / 8), middle, line, "middle"],
      ["small", shape, middle, line + 13, "middle"],
    ];
  }
  if (kind === "failed") {
    return [
      ["sign", `✗ ${box.op}`, middle, y + 22, "middle"],
      ...wrap(box.note, NOTE_WIDTH).map((text, row) =>
        ["small", shorten(text, (w - 12) / 6.2), middle, y + 42 + ROW * row, "middle"]),
    ];
  }
  const top = y + (h - 36 - 13 * box.local.length) / 2; // small print beside it may make it taller
  const local = box.local.map((text, row) =>
    ["small", shorten(text, (w - 6) / 6.2), middle, top + 38 + 13 * row, "middle"]);
  return [["sign", box.op, middle, top + 24, "middle"], ...local];
}

function wrap(text, letters) {
  const rows = [];
  for (const word of text.split(" ")) {
    if (rows.length && rows.at(-1).length + word.length < letters) rows.push(`${rows.pop()} ${word}`);
    else rows.push(word);
  }
  return rows;
}

function rowsAround(box, direction) {
  const { kind, x, y, w, h } = box;
  if (kind === "stub" || kind === "failed") return [];
  const notes = box.note.split("; ").filter((note) => DRAWN_NOTES.some((start) => note.startsWith(start)));
  const said = kind === "constant" ? ["not watched"] : kind === "group" ? [] : [box.verb, ...notes];
  const words = said.filter(Boolean).join(";");
  const line = kind === "constant" || box.line == null ? "" : `line ${box.line}`;
  const middle = y + h / 2 + 4;
  const parts = words ? words.replaceAll(", ", ";").split(";") : [];
  const rows = parts.flatMap((text) => wrap(text.trim(), Math.max(Math.floor(w / 5), 16))).slice(0, 5);
  const role = (text) => (text.startsWith(BEGINS) ? "alarm" : "tiny");
  if (direction === "down") { // wires arrive from above: the words stand beside the box
    const top = middle - 5.5 * (rows.length - 1);
    return [["tiny", line, x - 8, middle, "end"], ...rows.map((text, row) => [role(text), text, x + w + 8, top + 11 * row])];
  }
  return [["tiny", line, x + 2, y - 5],
    ...rows.map((text, row) => [role(text), text, x + w / 2, y + h + 12 + 11 * row, "middle"])];
}

/** Width of bold letters in a wide font: nothing is measured, as fonts come late. */
function widthOf(name) {
  return Array.from(name).reduce((sum, letter) => sum + ("@%MWmw".includes(letter) ? 11.5 : 7.2), 0);
}

function rowsBesideWire(box) {
  if (box.kind === "failed" || !box.label) return [];
  const { x, y } = box.label;
  const values = bracketed(box.value_rows, box.shape);
  const top = y - 6 - ROW * (values.length - 1);
  const name = LEAVES.includes(box.kind) ? "" : box.title;
  const shape = LEAVES.includes(box.kind) || box.shape === "()" ? "" : box.shape;
  const [end, down] = box.label.fork;
  return [
    ["sign", box.ways_out || !box.note.includes("✂") ? "" : "✂", end, down + 5, "middle"],
    ["header", name, x, top - ROW],
    ["small", shape, x + (name ? widthOf(name) + 6 : 0), top - ROW],
    ...values.map((text, row) => ["value", text, x, top + ROW * row]),
    ...bracketed(box.gradient_rows, box.shape).map((text, row) => ["gradient", text, x, y + 14 + ROW * row]),
  ];
}

export function textRows(box, direction) {
  const rows = [...rowsInside(box), ...rowsAround(box, direction), ...rowsBesideWire(box)];
  return rows.filter(([, text]) => text);
}

/** Heights from 0 to 1 of |gradient| per iteration, on a logarithmic scale of three decades or more. */
export function stripHeights(strip) {
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
export function wirePath(points, direction) {
  const along = direction === "down" ? 1 : 0;
  const parts = points.slice(1).map((point, index) => {
    const half = (points[index][along] + point[along]) / 2;
    const bend = ([x, y]) => (along ? `${x} ${half}` : `${half} ${y}`);
    return `C${bend(points[index])} ${bend(point)} ${point.join(" ")}`;
  });
  const [x, y] = points.at(-1);
  const head = along
    ? `M${x - 4} ${y - 7}L${x} ${y - 1}L${x + 4} ${y - 7}`
    : `M${x - 7} ${y - 4}L${x - 1} ${y}L${x - 7} ${y + 4}`;
  return `M${points[0].join(" ")}${parts.join("")}${head}`;
}

/** Where a value leaves its box: a dot where its gradients add up, a loose end where nobody reads it. */
export function tailPath({ kind, label, ways_out: ways }) {
  if (!label || ways === 1 || kind === "failed") return "";
  const [x, y] = label.fork;
  if (ways) return `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0`;
  return `M${label.port.join(" ")}L${x} ${y}`;
}
