// A document's text as elements: its paragraphs under their headings, its tables, and places in them.

import { characters, doubt, h, located, textsIn } from "../shared/dom.js";
import { marked } from "../shared/marks.js";
import { say } from "../shared/i18n.js";
import { columnsOf, row, tableOf } from "./table.js";
/** @import { Citation, Paragraph, Rectangle, Span, Whole } from "../../types.js" */

const LINE_HEIGHT = 27; // pixels, about

/**
 * A paragraph on the page. `spans`: what is marked in it, as JSON.
 * @typedef {{ element: HTMLElement, text: HTMLElement, number: HTMLElement, paragraph: Paragraph, columns: string[], spans: string }} Block
 * A heading, and the number of the first paragraph under it.
 * @typedef {{ title: string, level: number, number: number, element: HTMLElement }} Heading
 * A place in what an element shows. Offsets count UTF-16 units of its text.
 * @typedef {{ text: HTMLElement, start: number, end: number }} Place
 */

// The elements of a document's text, its paragraphs by their numbers, and its headings.
/** @param {Whole} document */
export function textOf({ paragraphs }) {
  /** @type {HTMLElement[]} */
  const nodes = [];
  /** @type {Map<number, Block>} */
  const blocks = new Map();
  /** @type {Heading[]} */
  const headings = [];
  /** @type {string[]} */
  let heading = [];
  let through = 0; // the number of the last row of the table that was begun
  /** @type {string[]} */
  let columns = [];
  let rows = h("div");
  for (const paragraph of paragraphs) {
    const { number } = paragraph;
    const from = paragraph.heading.findIndex((title, level) => title !== heading[level]);
    paragraph.heading.forEach((title, level) => {
      if (from < 0 || level < from) return;
      const element = h(`h${Math.min(6, level + 3)}`, { dir: "auto" }, title);
      nodes.push(element);
      headings.push({ title, level, number, element });
    });
    heading = paragraph.heading;
    if (paragraph.kind === "row" && number > through) {
      const texts = rowsFrom(paragraphs, paragraph).map(({ text }) => text);
      through = number + texts.length - 1;
      columns = columnsOf(texts);
      const table = tableOf(texts, columns, say("reader.table", { number }));
      rows = table.rows;
      nodes.push(table.element);
    }
    const block = blockOf(paragraph, columns, blocks.size === 0);
    blocks.set(number, block);
    if (number <= through) rows.append(block.element);
    else nodes.push(block.element);
  }
  return { nodes, blocks, headings };
}

/** @param {Paragraph} paragraph @param {string[]} columns of the table that it is a row of @param {boolean} first */
function blockOf(paragraph, columns, first) {
  const text = h("p", { dir: "auto", class: paragraph.kind }, ...shown(paragraph, columns, []));
  const label = `${say("reader.paragraph", { number: paragraph.number })}${paragraph.locator ? `, ${located(paragraph.locator)}` : ""}`;
  const number = h("button", { type: "button", class: "number", tabindex: first ? "0" : "-1", "aria-label": label, "aria-expanded": "false" },
    String(paragraph.number),
  );
  const element = h("div", { class: "block", dataset: { number: paragraph.number } }, number, text, doubt(paragraph.uncertain));
  // About as high as it will be, so that the scroll bar is right before it is laid out.
  element.style.containIntrinsicHeight = `auto ${(1 + Math.ceil(paragraph.text.length / 58)) * LINE_HEIGHT}px`;
  return { element, text, number, paragraph, columns, spans: "[]" };
}

// Mark some characters of a paragraph, if others are marked in it now.
/** @param {Block} block @param {Span[]} spans */
export function markIn(block, spans) {
  const now = JSON.stringify(spans);
  if (now === block.spans) return;
  block.spans = now;
  block.text.replaceChildren(...shown(block.paragraph, block.columns, spans));
}

// What a paragraph shows, by its kind.
/** @param {Paragraph} paragraph @param {string[]} columns @param {Span[]} spans */
const shown = (paragraph, columns, spans) =>
  paragraph.kind === "row" ? row(paragraph.text, columns, spans) : marked(paragraph.text, spans);

// The rows of the table that a row begins: those that follow it under the same headings.
/** @param {Paragraph[]} paragraphs @param {Paragraph} first */
function rowsFrom(paragraphs, first) {
  const rest = paragraphs.slice(first.number - 1);
  const end = rest.findIndex(({ kind, heading }) => kind !== "row" || JSON.stringify(heading) !== JSON.stringify(first.heading));
  return end < 0 ? rest : rest.slice(0, end);
}

// A place as a range over what is shown, whatever is marked in it.
/** @param {Place} place */
export function range({ text, start, end }) {
  const found = new Range();
  let before = 0;
  for (const node of textsIn(text)) {
    const after = before + node.length;
    if (before <= start && start < after) found.setStart(node, start - before);
    if (before < end && end <= after) {
      found.setEnd(node, end - before);
      break;
    }
    before = after;
  }
  return found;
}

// As many characters of the document's text as there are before a place in a paragraph.
/** @param {Paragraph} paragraph @param {number} units of UTF-16 */
export const offset = (paragraph, units) => paragraph.start + characters(paragraph.text.slice(0, units)).length;

// The number of characters of the document's text before the end of a paragraph.
/** @param {Paragraph} paragraph */
export const endOf = (paragraph) => offset(paragraph, paragraph.text.length);

// A place in a document as if it were cited; offsets count characters of its text.
/** @param {Whole} document @param {Paragraph} paragraph @param {number} start @param {number} end @param {Rectangle[]} rectangles @returns {Citation} */
export function citationOf(document, paragraph, start, end, rectangles) {
  const { number, heading, page, locator, kind, text, uncertain } = paragraph;
  return {
    marker: 0,
    document: document.title,
    document_id: document.id,
    heading, page, locator, start, end, rectangles,
    paragraph: number,
    quote: characters(text).slice(start - paragraph.start, end - paragraph.start).join(""),
    paragraph_start: paragraph.start,
    paragraph_end: endOf(paragraph),
    paragraph_text: text,
    paragraph_kind: kind,
    uncertain,
  };
}
