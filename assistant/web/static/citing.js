// A citation to take along: as a link to its place in the document, as text, as BibTeX, as CSL-JSON.

import { oneLine, placeOf } from "./dom.js";
/** @import { Citation } from "../types.js" */

/** @typedef {{ document: string, start: number, end: number }} Target */

const LINK = /^#document\/([0-9a-f]{16})\/(\d+)-(\d+)$/;

// The address of this page at what a citation quotes.
/** @param {Citation} c */
const linkTo = (c) => `${location.origin}${location.pathname}#document/${c.document_id}/${c.start}-${c.end}`;

// Where such an address leads; null for any other.
/** @param {string} hash @returns {Target | null} */
export function targetOf(hash) {
  const [, document, start, end] = LINK.exec(hash) ?? [];
  return document ? { document, start: Number(start), end: Number(end) } : null;
}

/** @param {Citation} c */
const asText = (c) => `“${oneLine(c.quote)}” ${c.document}, ${placeOf(c)}.`;

// What stands for characters that mean something to TeX.
/** @type {Record<string, string>} */
const TEX = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" };
/** @param {string} text */
const tex = (text) => oneLine(text).replace(/[\\~^{}$&#%_]/g, (sign) => TEX[sign] ?? `\\${sign}`);

// What both formats tell, the page by the name that each has for it: the number printed on it, or else
// its own.
/** @param {Citation} c @param {"page" | "pages"} page @returns {Record<string, string>} */
const fieldsOf = (c, page) => ({
  title: c.document,
  ...(c.page ? { [page]: /^p\. (.+)$/.exec(c.locator ?? "")?.[1] ?? String(c.page) } : {}),
  note: placeOf(c),
  annote: oneLine(c.quote),
});

/** @param {Citation} c */
const asBibtex = (c) =>
  [`@misc{${c.document_id}-${c.start},`, ...Object.entries(fieldsOf(c, "pages")).map(([name, value]) => `  ${name} = {${tex(value)}},`), "}"].join("\n");

/** @param {Citation} c */
const asCsl = (c) => JSON.stringify([{ id: `${c.document_id}-${c.start}`, type: "document", ...fieldsOf(c, "page") }], null, 2);

// The ways to copy a citation, by what they are called.
/** @type {Record<string, (citation: Citation) => string>} */
export const WAYS = { Link: linkTo, Text: asText, BibTeX: asBibtex, "CSL-JSON": asCsl };
