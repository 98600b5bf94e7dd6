// What is selected in the document, as a place in it, and what can be done with that: a few buttons
// beside the selection, wherever it is.

import { $, characters, clipped, h } from "../shared/dom.js";
import { say } from "../shared/i18n.js";
import { offset, endOf } from "./paragraphs.js";
/** @import { Block } from "./paragraphs.js" */
/** @import { Sheets } from "./sheets.js" */
/** @import { Key, Paragraph } from "../../types.js" */

/**
 * A part of a paragraph; offsets count characters of the document's text. `cut`: more was selected.
 * @typedef {{ paragraph: Paragraph, start: number, end: number, cut: boolean }} Selected
 */

// Of the text: what is selected of the first of its paragraphs.
/** @param {Iterable<Block>} blocks @param {Range} range @returns {Selected | null} */
export function selectedText(blocks, range) {
  const touched = [...blocks].filter(({ text }) => range.intersectsNode(text) && String(clipped(range, text)).trim());
  const [first] = touched;
  if (!first) return null;
  const { text, paragraph } = first;
  const part = clipped(range, text);
  const before = new Range();
  before.setStart(text, 0);
  before.setEnd(part.startContainer, part.startOffset);
  const words = String(part);
  const start = offset(paragraph, String(before).length + words.length - words.trimStart().length);
  return { paragraph, start, end: start + characters(words.trim()).length, cut: touched.length > 1 };
}

// Of the pages: whole words.
/** @param {Sheets} sheets @param {Paragraph[]} paragraphs @param {Range} range @returns {Selected | null} */
export function selectedPrint(sheets, paragraphs, range) {
  const words = sheets.wordsIn(range);
  if (!words.length) return null;
  const [from, to] = [Math.min(...words.map((word) => word.start)), Math.max(...words.map((word) => word.end))];
  const paragraph = paragraphs.find((p) => endOf(p) > from && p.start < to);
  if (!paragraph) return null;
  const end = endOf(paragraph);
  return { paragraph, start: Math.max(from, paragraph.start), end: Math.min(to, end), cut: to > end };
}

// The buttons beside a selection in the document. They are over it, and take no focus from it.
/** @param {HTMLElement} view @param {[Key, string, () => void][]} acts each with its class */
export function offerActions(view, acts) {
  const bar = h("div", { id: "selected", role: "toolbar", "aria-label": say("reader.selected"), popover: "manual" });
  bar.append(...acts.map(([key, name, act]) => h("button", { type: "button", class: name || undefined, onclick: () => { act(); hide(); } }, say(key))));
  bar.addEventListener("pointerdown", (event) => event.preventDefault()); // the selection stays
  $("reader").append(bar);
  let pressed = false;

  const hide = () => bar.matches(":popover-open") && bar.hidePopover();
  const show = () => {
    const selection = getSelection();
    const range = selection && !selection.isCollapsed && selection.rangeCount > 0 && view.contains(selection.anchorNode) && selection.getRangeAt(0);
    if (!range || !String(range).trim()) return hide();
    if (pressed) return;
    const [at, seen] = [range.getBoundingClientRect(), view.getBoundingClientRect()];
    if (at.bottom < seen.top || at.top > seen.bottom) return hide();
    if (!bar.matches(":popover-open")) bar.showPopover();
    beside(bar, at, view);
  };
  document.addEventListener("selectionchange", show);
  view.addEventListener("scroll", show, { passive: true });
  view.addEventListener("pointerdown", () => (pressed = true));
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, () => {
      pressed = false;
      show();
    });
  }
}

// Put something that lies over the page below a place, or above it where there is no room, and within
// what is seen of the document.
/** @param {HTMLElement} over @param {DOMRect} at @param {HTMLElement} view */
export function beside(over, at, view) {
  const room = view.getBoundingClientRect();
  const { width, height } = over.getBoundingClientRect();
  const below = at.bottom + 8;
  const top = below + height < room.bottom ? below : at.top - height - 8;
  const [highest, leftmost] = [room.bottom - height - 8, Math.min(room.right, innerWidth) - width - 8];
  over.style.top = `${Math.max(room.top + 8, Math.min(top, highest))}px`;
  over.style.left = `${Math.max(8, Math.min(at.left, leftmost))}px`;
}
