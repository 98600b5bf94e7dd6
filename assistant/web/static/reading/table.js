// Rows of a table, written as `Year: 2021 | Revenue: 5.2`, as cells under the names of their columns.

import { characters, h } from "../shared/dom.js";
import { marked } from "../shared/marks.js";
/** @import { Span } from "../../types.js" */

const CELL = " | ";
const NAME = ": ";

// How wide columns are, in rem: at least; at most, where there are few of them and where there are many;
// the first at most, which lies over the others; and about as much for a character.
const [MIN_WIDTH, MAX_FEW, MAX_MANY, MAX_FIRST, CHARACTER] = [4, 8, 15, 9, 0.55];
const MANY_COLUMNS = 4; // columns from which a table may have to be scrolled
const GAP = 0.75;

/**
 * Offsets count characters; `name` is before `start`, with what divides it from the value.
 * @typedef {{ name: string, before: string, value: string, start: number }} Cell
 */

// The cells of a row; together their texts are the row's. A cell may hold what looks like a name.
/** @param {string} text @param {(name: string) => boolean} isName @returns {Cell[]} */
function cellsOf(text, isName = () => true) {
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

// The same of a row of a table, and in which of its columns each stands.
/** @param {string} text @param {string[]} columns */
const cellsIn = (text, columns) =>
  cellsOf(text, (name) => columns.includes(name)).map((cell, index) => ({ ...cell, at: cell.name ? columns.indexOf(cell.name) : index }));

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

// A table for such rows, with the names of its columns above them. If it is too wide it scrolls sideways,
// by the keyboard too, but only while it is in view: otherwise Tab would stop at every table of a document.
/** @param {string[]} texts @param {string[]} columns @param {string} label */
export function tableOf(texts, columns, label) {
  const names = h("div", { class: "head", "aria-hidden": "true" }, columns.length > 0 && h("div", { class: "row names" }, ...columns.map((name, at) => h("span", { class: at ? "cell" : "cell first" }, name))));
  const rows = h("div", { class: "rows" });
  const element = h("div", { class: "table" }, names, rows);
  const widths = widthsOf(texts, columns);
  const wide = widths.reduce((sum, width) => sum + width + GAP, -GAP);
  element.style.setProperty("--wide", `${wide}rem`);
  element.style.setProperty("--widths", widths.map((width) => `minmax(calc(${width}rem * var(--reader-size, 1)), ${width}fr)`).join(" "));
  let isNear = false;
  const tell = () => {
    names.scrollLeft = rows.scrollLeft;
    element.classList.toggle("more-before", rows.scrollLeft > 1);
    element.classList.toggle("more-behind", rows.scrollLeft < rows.scrollWidth - rows.clientWidth - 1);
    const behind = rows.scrollWidth - rows.clientWidth;
    for (const [name, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": label })) {
      if (isNear && behind > 0) rows.setAttribute(name, value);
      else rows.removeAttribute(name);
    }
  };
  rows.addEventListener("scroll", tell, { passive: true });
  new ResizeObserver(tell).observe(rows);
  new IntersectionObserver((seen) => {
    isNear = rows === document.activeElement || Boolean(seen.at(-1)?.isIntersecting);
    rows.classList.toggle("near", isNear);
    tell();
  }).observe(rows);
  return { element, rows };
}

// As wide as the longest that stands in each column, within limits.
/** @param {string[]} texts @param {string[]} columns */
function widthsOf(texts, columns) {
  const longest = columns.map((name) => name.length);
  for (const text of texts) {
    for (const { at, value } of cellsIn(text, columns)) longest[at] = Math.max(longest[at] ?? 0, value.length);
  }
  const most = longest.length < MANY_COLUMNS ? MAX_FEW : MAX_MANY;
  return Array.from(longest, (/** @type {number | undefined} */ length, at) => Math.max(MIN_WIDTH, Math.min((length ?? 0) * CHARACTER, at ? most : MAX_FIRST)));
}

// What a row shows: each cell in its column, with what is marked in it; names and dividers are there
// to be read aloud, found and copied, and not seen where the column says them.
/** @param {string} text @param {string[]} columns @param {Span[]} spans @returns {HTMLElement[]} */
export function row(text, columns, spans) {
  return cellsIn(text, columns).map(({ at, before, value, start }) => {
    const moved = spans.map((s) => ({ ...s, start: s.start - start, end: s.end - start })).filter((s) => s.end > 0);
    const cell = h("span", { class: at ? "cell" : "cell first" }, h("span", { class: "unseen" }, before), ...marked(value, moved));
    cell.style.gridColumn = String(at + 1);
    return cell;
  });
}
