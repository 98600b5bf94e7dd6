// Copying and exporting: answers and conversations as text or as files of the server; citations as links,
// as text, and as references.

import { doubted, h, menu, oneLine, pathOf, placeOf, toast } from "../shared/dom.js";
import { cite, exportOf, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
import { VERDICTS, citationsOf, headingOver, isDoubtful, isPoint, isUnsure, lacksSupport, missing, sentencesOf } from "./answer.js";
/** @import { Citation, Key, Placed, Turn } from "../../types.js" */

/** @type {[string, Key][]} */
const FORMATS = [["docx", "export.docx"], ["md", "export.md"], ["bib", "cite.bibtex"], ["ris", "cite.ris"], ["csl", "cite.csl"]];

// A menu of the files that can be had of what is at an address of the server; `more`: what of it.
/** @param {string} path @param {string} label @param {Record<string, string>} more @param {HTMLElement[]} others */
export function exportMenu(path, label, more = {}, ...others) {
  const links = FORMATS.map(([format, name]) => h("a", { href: exportOf(path, format, more), download: true }, say(name)));
  return menu("export", label, ...links, ...others);
}

// The sentences of an answer as they are put into it: a point is a line, below its heading.
/** @param {Turn} turn @param {string[]} said */
export function laidOut(turn, said) {
  const sentences = sentencesOf(turn);
  return sentences.map((sentence, number) => {
    const before = sentences[number - 1];
    const [point, after] = [isPoint(turn, sentence), before && isPoint(turn, before)];
    const heading = headingOver(turn, sentence, before);
    const parted = number === 0 ? "" : heading ? "\n\n" : point && after ? "\n" : point || after ? "\n\n" : " ";
    return `${parted}${heading ? `${heading}\n\n` : ""}${point ? "- " : ""}${said[number]}`;
  }).join("");
}

// An answer as plain text with its footnotes below it; passages stand under their places already.
/** @param {Turn} turn */
export function withFootnotes(turn) {
  if (turn.state === "refused") return say("answer.refused");
  const said = sentencesOf(turn).map((sentence) => {
    const flag = lacksSupport(sentence) ? ` (${say(VERDICTS[sentence.verdict])})` : "";
    return doubted(sentence.text + flag + sentence.markers.map((marker) => ` [${marker}]`).join(""), isDoubtful(turn, sentence));
  });
  const told = [laidOut(turn, said), missing(turn)].filter(Boolean).join(isUnsure(turn) ? "\n\n" : " ");
  if (isUnsure(turn)) return `${say("answer.unsure")}:\n\n${told}`;
  const notes = citationsOf(turn).map((c) => `[${c.marker}] ${pathOf(c)}: ${say("source.quote", { text: oneLine(c.quote) })}`);
  return [told, "", ...notes].join("\n");
}

// Put text on the clipboard, also where a page without TLS may not use the newer way, and tell of it.
/** @param {string | Promise<string>} text @param {string} told */
export async function copy(text, told) {
  const said = await orToast(Promise.resolve(text));
  if (said === undefined) return;
  const { clipboard } = /** @type {{ clipboard?: Clipboard }} */ (navigator);
  if (clipboard) await clipboard.writeText(said);
  else {
    const area = h("textarea");
    area.value = said;
    document.body.append(area);
    area.select();
    document.execCommand("copy"); // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way
    area.remove();
  }
  toast(told);
}

// --- citations ------------------------------------------------------------------------------------

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

// Where a citation stands, for the server to read it there.
/** @param {Citation} citation @returns {Placed} */
export const placed = ({ marker, document_id, paragraph, start, end }) => ({ marker, document: document_id, paragraph, start, end });

/** @param {Citation} c */
export const asText = (c) => say("cite.sentence", { quote: oneLine(c.quote), document: c.document, place: placeOf(c) });

/** @param {string} format */
const asReferences = (format) => (/** @type {Citation[]} */ all) => cite(format, all.map(placed));

// The ways to copy citations: the name of each, and the message afterwards.
/** @type {{ name: Key, copied: Key, said: (all: Citation[]) => string | Promise<string> }[]} */
export const WAYS = [
  { name: "cite.link", copied: "cite.link.copied", said: (all) => all.map(linkTo).join("\n") },
  { name: "cite.text", copied: "cite.text.copied", said: (all) => all.map(asText).join("\n") },
  { name: "cite.bibtex", copied: "cite.bibtex.copied", said: asReferences("bib") },
  { name: "cite.ris", copied: "cite.ris.copied", said: asReferences("ris") },
  { name: "cite.csl", copied: "cite.csl.copied", said: asReferences("csl") },
];
