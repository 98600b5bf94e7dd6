// Citations to take along: as links to their places in the documents, as text, and as references of
// the server's making.

import { linkToHelp, topicOf } from "../help/help.js";
import { oneLine, placeOf } from "../shared/dom.js";
import { cite } from "../shared/server.js";
import { say } from "../shared/words.js";
/** @import { Citation, Key, Placed } from "../../types.js" */

/** @typedef {{ document: string, start: number, end: number }} Target */

const LINK = /^#document\/([0-9a-f]{16})\/(\d+)-(\d+)$/;

// The address of this page at what a citation quotes.
/** @param {Citation} c */
const linkTo = (c) => `${location.origin}${location.pathname}${topicOf(c) ? linkToHelp(c) : `#document/${c.document_id}/${c.start}-${c.end}`}`;

// Where such an address leads; null for any other.
/** @param {string} hash @returns {Target | null} */
export function targetOf(hash) {
  const [, document, start, end] = LINK.exec(hash) ?? [];
  return document ? { document, start: Number(start), end: Number(end) } : null;
}

// Where a citation stands, for the server to read it there.
/** @param {Citation} citation @returns {Placed} */
export const placed = ({ marker, document_id, paragraph, start, end }) => ({ marker, document: document_id, paragraph, start, end });

/** @param {Citation} c */
export const asText = (c) => say("cite.sentence", { quote: oneLine(c.quote), document: c.document, place: placeOf(c) });

/** @param {string} format */
const asReferences = (format) => (/** @type {Citation[]} */ all) => cite(format, all.map(placed));

// The ways to copy citations: what each is called, and what is told of it then.
/** @type {{ name: Key, copied: Key, said: (all: Citation[]) => string | Promise<string> }[]} */
export const WAYS = [
  { name: "cite.link", copied: "cite.link.copied", said: (all) => all.map(linkTo).join("\n") },
  { name: "cite.text", copied: "cite.text.copied", said: (all) => all.map(asText).join("\n") },
  { name: "cite.bibtex", copied: "cite.bibtex.copied", said: asReferences("bib") },
  { name: "cite.ris", copied: "cite.ris.copied", said: asReferences("ris") },
  { name: "cite.csl", copied: "cite.csl.copied", said: asReferences("csl") },
];
