// An answer in words: its sources, verdicts and confidence; and how it is sent to the server, as the history
// of the next question, and read aloud.

import { doubted, h, pathOf, toast } from "../shared/dom.js";
import { locale, number as written, pieces, say } from "../shared/i18n.js";
import { laidOut, placed } from "./export.js";
import { passageKey } from "./passages.js";
/** @import { About, Answer, AnswerKind, Child, Key, Said, Sentence, ServerEvent, Turn, Vote, Why, Writing } from "../../types.js" */

// From which confidence on it is called so.
const [HIGH, MEDIUM] = [0.9, 0.8];
const MAX_MESSAGE = 8000; // characters of each message of the history
const REFUSAL = "Not found in your documents."; // eslint-disable-line no-restricted-syntax -- told to the server, which knows it so
/** @type {[Sentence["verdict"], Key][]} */
const LACKS = [["unconfirmed", "answer.unconfirmed"], ["unsupported", "answer.unsupported"]];

/** @param {Turn} turn */
export const citationsOf = (turn) => turn.answer?.citations ?? turn.citations ?? [];
/** @param {Turn} turn */
export const sentencesOf = (turn) => turn.answer?.sentences ?? turn.sentences ?? [];

// All passages that are shown of it.
/** @param {Turn} turn */
export const passagesOf = (turn) => [...citationsOf(turn), ...(turn.answer?.closest ?? []), ...(turn.further ?? []).flatMap(({ passages }) => passages)];

// Whether its reader says that none of them answers it; and whether there are no more to see.
/** @param {Turn} turn */
export const isRefused = ({ noted }) => noted?.length === 0;
/** @param {Turn} turn */
export const isExhausted = ({ further = [] }) => further.some(({ searches, passages }) => !searches.length && !passages.length);

// What a question is about, in words.
/** @param {About} about */
export const aboutIn = ({ number, title }) => say(number ? "question.about" : "question.about_part", number ? { number, title } : { title });

// Whether its sentences are of passages that may answer; also while they come, and if they stopped.
/** @param {Turn} turn */
export const isUnsure = (turn) => (turn.answer?.status ?? turn.status) === "unsure";

// Whether its note is all that there is to say of it: nothing was weighed.
/** @param {Turn} turn */
export const isUnweighed = ({ state, answer }) => state === "refused" && Boolean(answer?.note) && !answer?.closest.length && !answer?.writing;

// Whether a sentence cites what was read from a picture, and not surely.
/** @param {Turn} turn @param {Sentence} sentence */
export const isDoubtful = (turn, sentence) => citationsOf(turn).some(({ marker, uncertain }) => uncertain && sentence.markers.includes(marker));

// What each verdict is called.
/** @type {Record<Sentence["verdict"], Key>} */
export const VERDICTS = { quoted: "sentence.quoted", supported: "sentence.supported", unconfirmed: "sentence.unconfirmed", unsupported: "sentence.unsupported", own: "sentence.own" };

// Whether the documents do not bear out what it says.
/** @param {Sentence} sentence */
export const lacksSupport = ({ verdict }) => verdict === "unconfirmed" || verdict === "unsupported";

// What kind of answer it is, as soon as that is known.
/** @param {Turn} turn */
export const kindOf = (turn) => turn.answer?.kind ?? turn.kind ?? "fact";

// Whether it is of the documents, and no talk.
/** @param {Turn} turn */
export const isOfDocuments = (turn) => kindOf(turn) !== "chat";

// Whether a sentence stands on a line of its own.
/** @param {Turn} turn @param {Sentence} sentence */
export const isPoint = (turn, sentence) => isUnsure(turn) || ["overview", "where"].includes(kindOf(turn)) || Boolean(sentence.item || sentence.about);

// The heading that begins with a sentence: in an overview and among places the document's own, in a
// comparison what is compared, of a passage where it stands; "" where it is the one before's.
/** @param {Turn} turn @param {Sentence} sentence @param {Sentence} [before] */
export function headingOver(turn, sentence, before) {
  /** @param {Sentence} [of] */
  const heading = (of) => {
    const citation = citationsOf(turn).find((c) => c.marker === of?.markers[0]);
    if (!of || !isPoint(turn, of)) return ["", ""];
    if (isUnsure(turn)) return citation ? [citation.document_id, pathOf(citation)] : ["", ""];
    if (of.item || of.about) return ["", of.about ?? ""];
    return citation ? [citation.document_id, citation.heading.at(-1) ?? citation.document] : ["", ""];
  };
  const [document, words = ""] = heading(sentence);
  const [documentBefore, wordsBefore] = heading(before);
  return document === documentBefore && words === wordsBefore ? "" : words;
}

// Several things as a sentence: questions, or words without an end of their own.
/** @param {string[]} things */
const listed = (things) => (things.some((thing) => /[\p{L}\p{N}]$/u.test(thing)) ? `${things.join("; ")}.` : things.join(" "));

// What was asked and is not in the documents, or may not be, in an answer to the rest.
/** @param {Turn} turn */
export const missing = (turn) => {
  const { unanswered = [], undecided = [] } = turn.answer ?? {};
  /** @param {Key} key @param {string[]} questions */
  const said = (key, questions) => (questions.length ? [say(key, { things: listed(questions) })] : []);
  return [...said("answer.unanswered", unanswered), ...said("answer.undecided", undecided)].join(" ");
};

// What a language model has looked up besides the question.
/** @param {string[]} searches */
export const lookedAgain = (searches) => say("turn.looked_again", { searches: searches.map((text) => say("source.quote", { text })).join(", ") });

// The same of what was searched for besides what it found.
/** @param {string[]} searches */
export const searchedAgain = (searches) => say("passages.searched", { searches: new Intl.ListFormat(locale).format(searches.map((text) => say("source.quote", { text }))) });

// A language model's name; of one that has not passed its check it says so, and more when that is chosen.
/** @param {Writing} writing @returns {Child[]} */
export function named({ model, check }) {
  if (check === "passed") return [model];
  const failed = check === "failed";
  const told = say(failed ? "check.failed.more" : "check.unchecked.more", { model });
  const doubt = h("button", { type: "button", class: "check", title: told, onclick: () => toast(told) }, say(failed ? "check.failed" : "check.unchecked"));
  return pieces("check.named", { model, check: doubt });
}

const MAIN = "What are the main points?"; // eslint-disable-line no-restricted-syntax -- told by the server, which knows it so

// A question that the server offers, in the reader's language.
/** @param {string} question */
export const offered = (question) => (question === MAIN ? say("welcome.main") : question);

// The kinds of answers that have no confidence, and what is said of them instead.
/** @type {Partial<Record<AnswerKind, Key>>} */
const CHOSEN = { overview: "answer.overview", where: "answer.where" };

// What is said of an answer as a whole, a line each, the doubts first. An answer is partial when some
// of what was asked or of what was written is not in the documents, whether that was left out or is shown.
/** @param {Turn} turn @returns {{ doubts: string[], words: Child[] }} */
export function standing(turn) {
  const sentences = sentencesOf(turn);
  const { writing, dropped = 0 } = turn.answer ?? {};
  const found = CHOSEN[kindOf(turn)];
  const doubts = [];
  if (!found && (dropped > 0 || sentences.some(lacksSupport) || missing(turn))) doubts.push(say("answer.partly"));
  if (dropped) doubts.push(say("answer.dropped", { count: dropped }));
  for (const [verdict, key] of LACKS) {
    const some = sentences.filter((s) => s.verdict === verdict).length;
    if (some) doubts.push(say(key, { some, count: sentences.length }));
  }
  const composed = sentences.some((s) => s.verdict === "supported");
  /** @type {Child[]} */
  const words = writing?.outcome === "written"
    ? pieces("answer.written", { model: named(writing), count: writing.passages }).flat()
    : [say(found ?? (composed ? "answer.composed" : "answer.quoted"))];
  return { doubts, words };
}

// How sure an answer is, where that is known: a level, and its figure.
/** @param {Turn} turn */
export function confidenceOf(turn) {
  const { confidence } = turn.answer ?? turn;
  if (typeof confidence !== "number" || CHOSEN[kindOf(turn)]) return null;
  return { level: say(confidence >= HIGH ? "answer.high" : confidence >= MEDIUM ? "answer.medium" : "answer.low"), figure: say("answer.confidence", { percent: Math.round(confidence * 100) }) };
}

// How long an answer took.
/** @param {Turn} turn */
export function timeOf({ answer }) {
  const time = answer?.timings_ms?.total ?? 0;
  return time < 950 ? say("answer.milliseconds", { time: Math.round(time) }) : say("answer.seconds", { time: written(time / 1000, 1) });
}

// --- sent and read aloud --------------------------------------------------------------------------

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
  return said.slice(-24).map(({ role, content }) => ({ role, content: content.slice(0, MAX_MESSAGE) }));
}

// What is said of an answer, as the server takes it; `noted` names the passages that answer.
/** @param {Turn} turn @param {Answer} answer @param {Turn[]} before @param {Vote["verdict"]} verdict @param {string[]} noted @param {Why} [why] @returns {Vote} */
export function judgement(turn, answer, before, verdict, noted, why) {
  const { refused, status = refused ? "refused" : "answered", confidence, sentences, citations } = answer;
  return {
    verdict, status, confidence, sentences,
    question: turn.question,
    history: historyOf(before, turn),
    citations: citations.map(placed),
    chosen: passagesOf(turn).filter((c) => noted.includes(passageKey(c))).map(placed),
    reason: why?.reason ?? null,
    comment: why?.comment ?? "",
  };
}

/** @param {Turn} turn */
export function spoken(turn) {
  if (isTold(turn)) return `${isUnsure(turn) ? `${say("answer.unsure")}: ` : ""}${sentencesOf(turn).map((s) => doubted(s.text, isDoubtful(turn, s))).join(" ")}`;
  if (turn.state === "refused") {
    const { closest = [], note } = turn.answer ?? {};
    return [!isUnweighed(turn) && say("answer.refused"), closest.length && say("answer.closest_listed"), note].filter(Boolean).join(" ");
  }
  return turn.state === "failed" ? say("turn.failed", { reason: turn.failure ?? "" }) : say("turn.stopped");
}
