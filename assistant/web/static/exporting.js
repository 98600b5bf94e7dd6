// Answers and conversations as text to take along.

import { oneLine, pathOf } from "./dom.js";
import { UNSURE } from "./passages.js";
import { REFUSAL, citationsOf, headingOver, isPoint, isUnsure, missing, sentencesOf } from "./turn.js";
/** @import { Conversation, Turn } from "../types.js" */

// The sentences of an answer as they are put into it: a point is a line, below its heading.
/** @param {Turn} turn @param {string[]} said @param {(heading: string) => string} titled */
export function laidOut(turn, said, titled) {
  const sentences = sentencesOf(turn);
  return sentences.map((sentence, number) => {
    const before = sentences[number - 1];
    const [point, after] = [isPoint(turn, sentence), before && isPoint(turn, before)];
    const heading = headingOver(turn, sentence, before);
    const parted = number === 0 ? "" : heading ? "\n\n" : point && after ? "\n" : point || after ? "\n\n" : " ";
    return `${parted}${heading ? `${titled(heading)}\n\n` : ""}${point ? "- " : ""}${said[number]}`;
  }).join("");
}

// An answer as plain text with its footnotes below it; passages stand under their places already.
/** @param {Turn} turn */
export function withFootnotes(turn) {
  if (turn.state === "refused") return REFUSAL;
  const said = sentencesOf(turn).map((sentence) => {
    const flag = sentence.verdict === "unsupported" ? " (not in the documents)" : "";
    return sentence.text + flag + sentence.markers.map((marker) => ` [${marker}]`).join("");
  });
  const told = [laidOut(turn, said, (heading) => heading), missing(turn)].filter(Boolean).join(isUnsure(turn) ? "\n\n" : " ");
  if (isUnsure(turn)) return `${UNSURE}:\n\n${told}`;
  const notes = citationsOf(turn).map((c) => `[${c.marker}] ${pathOf(c)}: “${oneLine(c.quote)}”`);
  return [told, "", ...notes].join("\n");
}

// Text that Markdown shows as it is: markup, links, footnotes and HTML in it stay text.
/** @param {string} text */
const escaped = (text) =>
  oneLine(text).replace(/[\\`*_{}[\]()#+\-.!|~<>&^$:=@"'/]/g, (mark) => (mark === "<" ? "&lt;" : mark === "&" ? "&amp;" : `\\${mark}`));

// A conversation as Markdown, with a list of its sources.
/** @param {Conversation} conversation */
export function asMarkdown(conversation) {
  const lines = [`# ${escaped(conversation.title || "Conversation")}`, ""];
  /** @type {Set<string>} */
  const sources = new Set();
  let number = 0;
  for (const turn of conversation.turns) {
    lines.push(`## ${escaped(turn.question)}`, "");
    if (turn.state === "failed") lines.push(`*Failed: ${escaped(turn.failure ?? "")}*`, "");
    else if (!sentencesOf(turn).length) lines.push(turn.state === "refused" ? `*${escaped(REFUSAL)}*` : "*Not answered.*", "");
    if (!sentencesOf(turn).length) continue;
    const names = new Map(citationsOf(turn).map((c) => [c.marker, ++number]));
    const said = sentencesOf(turn).map((sentence) => {
      const flag = sentence.verdict === "unsupported" ? " *(not in the documents)*" : "";
      return escaped(sentence.text) + flag + sentence.markers.map((m) => `[^${names.get(m)}]`).join("");
    });
    if (isUnsure(turn)) lines.push(`*${UNSURE}:*`, "");
    lines.push(laidOut(turn, said, (heading) => `**${escaped(heading)}**`), "");
    if (missing(turn)) lines.push(`*${escaped(missing(turn))}*`, "");
    if (turn.state === "stopped") lines.push("*Stopped here.*", "");
    for (const citation of citationsOf(turn)) {
      const place = pathOf(citation);
      lines.push(`[^${names.get(citation.marker)}]: ${escaped(place)}: “${escaped(citation.quote)}”`);
      sources.add(place);
    }
    lines.push("");
  }
  if (sources.size) lines.push("## Sources", "", ...[...sources].map((place) => `- ${escaped(place)}`), "");
  return lines.join("\n");
}

// Put text on the clipboard, also where a page without TLS may not use the newer way.
/** @param {string} text */
export async function copy(text) {
  const { clipboard } = /** @type {{ clipboard?: Clipboard }} */ (navigator);
  if (clipboard) return clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy"); // eslint-disable-line @typescript-eslint/no-deprecated -- there is no other way
  area.remove();
}

/** @param {string} name @param {string} text */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
