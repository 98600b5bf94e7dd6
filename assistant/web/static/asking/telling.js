// What a question and its answer are, told: to the server as the conversation before the next one, and
// to a screen reader; and what the server tells of an answer as it comes.

import { doubted } from "../shared/dom.js";
import { say } from "../shared/words.js";
import { isDoubtful, isOfDocuments, isUnsure, sentencesOf } from "./answer.js";
import { placed } from "./citing.js";
import { laidOut } from "./exporting.js";
import { nameOf } from "./passages.js";
/** @import { Answer, Said, ServerEvent, Turn, Vote, Why } from "../../types.js" */

const LONGEST = 8000; // characters of what is told of a turn
const REFUSAL = "The documents do not say."; // eslint-disable-line no-restricted-syntax -- told to the server, which knows it so

// What comes of a question becomes part of its turn.
/** @param {Turn} turn @param {ServerEvent} event */
export function take(turn, { name, value }) {
  if (name === "waiting") turn.place = value.before;
  else if (name === "sentence") {
    turn.sentences = [...(turn.sentences ?? []), value.sentence];
    turn.citations = [...(turn.citations ?? []), ...value.citations];
  } else if (name === "instead") turn.instead = value.questions;
  else if (name === "sources" || name === "looked_again" || name === "decided") Object.assign(turn, value);
  else if (name === "done") {
    turn.answer = /** @type {Answer} */ (value);
    turn.state = turn.answer.status ?? "answered";
    delete turn.sentences; // they are in the answer
    delete turn.citations;
  }
}

// Whether there are sentences that a next question may lean on.
/** @param {Turn} turn */
export const isTold = (turn) => turn.state === "answered" || turn.state === "unsure";

// The conversation before a question, as the server takes it. A question about a paragraph is
// understood as if that had just been talked about.
/** @param {Turn[]} before @param {Turn} turn */
export function historyOf(before, { about, alone }) {
  if (alone) return [];
  /** @type {Said[]} */
  const said = before
    .filter((turn) => (isTold(turn) || turn.state === "refused") && isOfDocuments(turn))
    .flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.state === "refused" ? REFUSAL : laidOut(turn, sentencesOf(turn).map((s) => s.text)) },
    ]);
  if (about?.text) said.push({ role: "user", content: about.text });
  return said.slice(-24).map(({ role, content }) => ({ role, content: content.slice(0, LONGEST) }));
}

// What is said of an answer, as the server takes it; `noted` names the passages that answer.
/** @param {Turn} turn @param {Answer} answer @param {Turn[]} before @param {Vote["verdict"]} verdict @param {string[]} noted @param {Why} [why] @returns {Vote} */
export function judgement(turn, answer, before, verdict, noted, why) {
  const { refused, status = refused ? "refused" : "answered", confidence, sentences, citations, closest } = answer;
  return {
    verdict,
    question: turn.question,
    history: historyOf(before, turn),
    status,
    confidence,
    sentences,
    citations: citations.map(placed),
    chosen: [...citations, ...closest].filter((c) => noted.includes(nameOf(c))).map(placed),
    reason: why?.reason ?? null,
    comment: why?.comment ?? "",
  };
}

/** @param {Turn} turn */
export function spoken(turn) {
  if (isTold(turn)) return `${isUnsure(turn) ? `${say("answer.unsure")}: ` : ""}${sentencesOf(turn).map((s) => doubted(s.text, isDoubtful(turn, s))).join(" ")}`;
  if (turn.state === "refused") return `${say("answer.refused")} ${say("answer.closest_listed")}`;
  return turn.state === "failed" ? say("turn.failed", { reason: turn.failure ?? "" }) : say("turn.stopped");
}
