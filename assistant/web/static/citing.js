// A citation to take along: as a link to its place in the document, as text, as BibTeX, as CSL-JSON.

import { oneLine, placeOf } from "./dom.js";
/** @import { Citation } from "../types.js" */

/** @typedef {{ document: string, start: number, end: number }} Target */

const LINK = /^#document\/([0-9a-f]{16})\/(\d+)-(\d+)$/;

// The address of this page at what a citation quotes.
/** @param {Citation} c */
export const linkTo = (c) => `${location.origin}${location.pathname}#document/${c.document_id}/${c.start}-${c.end}`;

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

/** @param {Citation} c */
function asBibtex(c) {
  const fields = {
    title: tex(c.document),
    ...(c.page ? { pages: tex(pageOf(c)) } : {}),
    note: tex(placeOf(c)),
    annote: tex(c.quote),
  };
  const lines = Object.entries(fields).map(([name, value]) => `  ${name} = {${value}},`);
  return [`@misc{${c.document_id}-${c.start},`, ...lines, "}"].join("\n");
}

/** @param {Citation} c */
function asCsl(c) {
  const item = {
    id: `${c.document_id}-${c.start}`,
    type: "document",
    title: c.document,
    ...(c.page ? { page: pageOf(c) } : {}),
    note: placeOf(c),
    annote: oneLine(c.quote),
  };
  return JSON.stringify([item], null, 2);
}

// The number printed on the page, or else the page's own.
/** @param {Citation} c */
const pageOf = (c) => /^p\. (.+)$/.exec(c.locator ?? "")?.[1] ?? String(c.page);

// The ways to copy a citation, by what they are called.
/** @type {Record<string, (citation: Citation) => string>} */
export const WAYS = { Link: linkTo, Text: asText, BibTeX: asBibtex, "CSL-JSON": asCsl };
