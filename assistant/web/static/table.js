// Rows of a table, told as `Year: 2021 | Revenue: 5.2`, as cells under the names of their columns.

import { characters, h } from "./dom.js";
import { marked } from "./marking.js";
/** @import { Span } from "../types.js" */

const CELL = " | ";
const NAME = ": ";

/**
 * Offsets count characters; `name` is before `start`, with what divides it from the value.
 * @typedef {{ name: string, before: string, value: string, start: number }} Cell
 */

// The cells of a row; together their texts are the row's. A cell may hold what looks like a name.
/** @param {string} text @param {(name: string) => boolean} isName @returns {Cell[]} */
export function cellsOf(text, isName = () => true) {
  let start = 0;
  return text.split(CELL).map((piece, index) => {
    const at = piece.indexOf(NAME);
    const name = at > 0 && isName(piece.slice(0, at)) ? piece.slice(0, at) : "";
    const before = (index ? CELL : "") + (name ? name + NAME : "");
    const value = name ? piece.slice(at + NAME.length) : piece;
    start += characters(before).length;
    const cell = { name, before, value, start };
    start += characters(value).length;
    return cell;
  });
}

// The names of the columns of rows that follow each other, in the order in which they come up: those
// that stand in more than one row, or in a row whose cells all have one.
/** @param {string[]} rows */
export function columnsOf(rows) {
  /** @type {Map<string, boolean>} */
  const known = new Map();
  for (const row of rows) {
    const names = new Set(cellsOf(row).map(({ name }) => name));
    for (const name of names) known.set(name, known.has(name) || !names.has(""));
  }
  return [...known.keys()].filter((name) => name && known.get(name));
}

// A row of names.
/** @param {string[]} columns */
export function header(columns) {
  const row = h("div", { class: "row names", "aria-hidden": "true" }, ...columns.map((name) => h("span", { class: "cell" }, name)));
  row.style.setProperty("--columns", String(columns.length));
  return row;
}

// What a row shows: each cell in its column, with what is marked in it; names and dividers are there
// to be read aloud, found and copied, and not seen where the column says them.
/** @param {string} text @param {string[]} columns @param {Span[]} spans @returns {HTMLElement[]} */
export function row(text, columns, spans) {
  const cells = cellsOf(text, (name) => columns.includes(name));
  return cells.map(({ name, before, value, start }, index) => {
    const moved = spans.map((s) => ({ ...s, start: s.start - start, end: s.end - start })).filter((s) => s.end > 0);
    const cell = h("span", { class: "cell" }, h("span", { class: "unseen" }, before), ...marked(value, moved));
    cell.style.gridColumn = String((name ? columns.indexOf(name) : index) + 1);
    return cell;
  });
}
