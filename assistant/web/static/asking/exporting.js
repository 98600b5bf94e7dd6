// Answers and conversations to take along: as text here, as files of the server's making.

import { doubted, h, oneLine, pathOf, toast } from "../shared/dom.js";
import { menu } from "../shared/menu.js";
import { exportOf, tried } from "../shared/server.js";
import { say } from "../shared/words.js";
import { citationsOf, headingOver, isDoubtful, isPoint, isUnsure, missing, sentencesOf } from "./answer.js";
/** @import { Key, Turn } from "../../types.js" */

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
    const flag = sentence.verdict === "unsupported" ? ` (${say("sentence.unsupported")})` : "";
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
  const said = await tried(Promise.resolve(text));
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
