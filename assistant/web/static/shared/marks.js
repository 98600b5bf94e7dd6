// Text with some of its characters marked. Offsets count characters as Python does, not UTF-16.

import { characters, h } from "./dom.js";
/** @import { Span } from "../../types.js" */

// The pieces of a text between the edges of its spans: strings, and `mark`s that carry the keys of
// all spans that lie over them, and which of its reader's own highlights does.
/** @param {string} text @param {Span[]} spans */
export function marked(text, spans) {
  if (!spans.length) return [text];
  const letters = characters(text);
  /** @param {number} offset */
  const within = (offset) => Math.max(0, Math.min(letters.length, offset));
  const edges = [...new Set([0, letters.length, ...spans.flatMap((s) => [within(s.start), within(s.end)])])].sort((a, b) => a - b);
  return edges.slice(1).map((end, at) => {
    const start = edges[at] ?? 0;
    const piece = letters.slice(start, end).join("");
    const over = spans.filter((s) => s.start <= start && end <= s.end);
    if (!over.length) return piece;
    const [own, cited] = [over.find((s) => s.own), over.filter((s) => !s.own)];
    const dataset = { ...(cited.length && { keys: cited.map((s) => s.key).join(" ") }), ...(own && { own: own.key }) };
    return h("mark", { class: cited.some((s) => s.chosen) && "chosen", dataset }, piece);
  });
}

// The same pieces from the first span to the last, and whether that is all.
/** @param {string} text @param {Span[]} spans */
export function excerpt(text, spans) {
  const letters = characters(text);
  const start = Math.min(...spans.map((s) => s.start));
  const end = Math.max(...spans.map((s) => s.end));
  const moved = spans.map((s) => ({ ...s, start: s.start - start, end: s.end - start }));
  return { whole: start === 0 && end === letters.length, pieces: [start > 0 && "… ", ...marked(letters.slice(start, end).join(""), moved), end < letters.length && " …"] };
}
