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

// The same pieces of a long paragraph, without what is far from the spans.
/** @param {string} text @param {Span[]} spans @param {number} context */
export function excerpt(text, spans, context = 140) {
  const letters = characters(text);
  const first = Math.min(...spans.map((s) => s.start));
  const last = Math.max(...spans.map((s) => s.end));
  let start = Math.max(0, first - context);
  let end = Math.min(letters.length, last + context);
  if (letters.length - (end - start) < context) [start, end] = [0, letters.length];
  while (start > 0 && start < first && letters[start - 1] !== " ") start++;
  while (end < letters.length && end > last && letters[end] !== " ") end--;
  const moved = spans.map((s) => ({ ...s, start: s.start - start, end: s.end - start }));
  const pieces = marked(letters.slice(start, end).join(""), moved);
  return {
    whole: start === 0 && end === letters.length,
    pieces: [start > 0 && "… ", ...pieces, end < letters.length && " …"],
  };
}
