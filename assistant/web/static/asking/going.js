// Ways on from an answer: where else to look, and what to ask next.

import { h } from "../shared/dom.js";
import { reworded, tried } from "../shared/server.js";
import { say } from "../shared/words.js";
import { citationsOf } from "./answer.js";
/** @import { Turn, TurnActs } from "../../types.js" */

/** @param {string} label @param {() => unknown} onclick */
const offer = (label, onclick) => h("button", { type: "button", class: "offer", dir: "auto", onclick }, label);

// Where no passage answers for sure: all documents, other words, or only the likeliest document.
/** @param {Turn} turn @param {TurnActs} acts */
export function waysOn(turn, acts) {
  const { question, about, alone, documents = [], answer } = turn;
  const all = acts.documents().map(({ id }) => id);
  const best = citationsOf(turn)[0] ?? answer?.closest[0];
  /** @param {string[]} within */
  const again = (within) => acts.ask(question, { about, alone, within });
  const other = offer(say("going.words"), async () => {
    if (!acts.writes()) return acts.reword(turn);
    other.disabled = true;
    const found = await tried(reworded(answer?.standalone_question ?? question, acts.writer()));
    other.disabled = false;
    if (!other.isConnected) return; // another conversation is shown by now
    if (found) acts.ask(found, { about, alone: true, within: documents });
    else acts.reword(turn);
  });
  return h(
    "div",
    { class: "offers", role: "group", "aria-label": say("going.title") },
    all.some((id) => !documents.includes(id)) && offer(say("going.all", { count: all.length }), () => again(all)),
    other,
    documents.length > 1 && best && offer(say("going.only", { title: best.document }), () => again([best.document_id])),
  );
}

// Questions that are answered: instead of one that is not, or after one that is.
/** @param {Turn} turn @param {TurnActs} acts */
export function questions(turn, acts) {
  const found = (turn.instead ?? []).map((question) =>
    h("li", {}, h("button", { type: "button", class: "instead", dir: "auto", onclick: () => acts.ask(question, { alone: true }) }, question)),
  );
  const title = say(turn.state === "refused" ? "answer.instead" : "answer.next");
  return found.length ? h("div", { class: "can" }, h("h3", {}, title), h("ul", {}, ...found)) : "";
}
