// One question and what became of it. While an answer streams, everything is added below what is
// there already, so that nothing that is being read moves.

import { $, action, closest, h, pathOf, placeOf, toast } from "./dom.js";
import { Passages, UNSURE, sources } from "./passages.js";
/** @import { AnswerKind, Child, Citation, Sentence, Thumb, Turn, TurnActs, Writing } from "../types.js" */

export const REFUSAL = "The documents do not say.";
const OTHERS = "Other passages that may answer";

/** @type {[Thumb, string][]} */
const THUMBS = [["up", "A good answer"], ["down", "A bad answer"]];

const VERDICTS = {
  quoted: "quoted",
  supported: "supported by its source",
  unsupported: "nothing in the documents supports this",
  own: "said by the assistant of itself",
};

/** @param {Turn} turn */
export const citationsOf = (turn) => turn.answer?.citations ?? turn.citations ?? [];
/** @param {Turn} turn */
export const sentencesOf = (turn) => turn.answer?.sentences ?? turn.sentences ?? [];

// Whether its sentences are of passages that may answer; also while they come, and if they stopped.
/** @param {Turn} turn */
export const isUnsure = (turn) => (turn.answer?.status ?? turn.status) === "unsure";

// What kind of answer it is, as soon as that is known.
/** @param {Turn} turn */
export const kindOf = (turn) => turn.answer?.kind ?? turn.kind ?? "fact";

// Whether a sentence stands on a line of its own.
/** @param {Turn} turn @param {Sentence} sentence */
export const isPoint = (turn, sentence) => isUnsure(turn) || ["overview", "where"].includes(kindOf(turn)) || Boolean(sentence.item || sentence.about);

// The heading that begins with a sentence: in an overview and among places the document's own, in a
// comparison what is compared, of a passage where it stands; "" where it is the one before's.
/** @param {Turn} turn @param {Sentence} sentence @param {Sentence} [before] */
export function headingOver(turn, sentence, before) {
  /** @param {Sentence} [own] */
  const heading = (own) => {
    const citation = citationsOf(turn).find((c) => c.marker === own?.markers[0]);
    if (!own || !isPoint(turn, own)) return ["", ""];
    if (isUnsure(turn)) return citation ? [citation.document_id, pathOf(citation)] : ["", ""];
    if (own.item || own.about) return ["", own.about ?? ""];
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
  /** @param {string} words @param {string[]} questions */
  const said = (words, questions) => (questions.length ? [`${words}: ${listed(questions)}`] : []);
  return [...said(REFUSAL.slice(0, -1), unanswered), ...said("The documents may not say", undecided)].join(" ");
};

/** @param {number} count */
const passages = (count) => (count === 1 ? "one passage" : `${count} passages`);

// What a language model has looked up besides the question.
/** @param {string[]} searches */
export const lookedAgain = (searches) => `Looked again for ${searches.map((search) => `“${search}”`).join(", ")}`;

// A language model's name; of one that has not passed its check it says so, and more when that is chosen.
/** @param {Writing} writing @returns {Child[]} */
function named({ model, check }) {
  if (check === "passed") return [model];
  const failed = check === "failed";
  const told = failed
    ? `${model} failed its check, and reads all the same: whoever runs Footnote has set that.`
    : `${model} has not been checked. To see whether it reads well enough, whoever runs Footnote calls: footnote llm check MODEL`;
  return [`${model} (`, h("button", { type: "button", class: "check", title: told, onclick: () => toast(told) }, failed ? "failed its check" : "unchecked"), ")"];
}

// What is said of an answer as a whole, a line each, the doubts first. An answer is partial when some
// of what was asked or of what was written is not in the documents, whether that was left out or is shown.
/** @param {Turn} turn @returns {{ doubts: string[], words: Child[] }} */
function standing(turn) {
  const sentences = sentencesOf(turn);
  const { writing, confidence, dropped = 0 } = turn.answer ?? {};
  const unsupported = sentences.filter((s) => s.verdict === "unsupported").length;
  const found = /** @type {Partial<Record<AnswerKind, string>>} */ ({ overview: "Chosen from the documents", where: "Where it stands" })[kindOf(turn)];
  const doubts = [];
  if (!found && (unsupported + dropped > 0 || missing(turn))) doubts.push("Partly answered");
  /** @param {number} count */
  const is = (count) => (count === 1 ? "sentence that nothing supports was" : "sentences that nothing supports were");
  if (dropped) doubts.push(`${dropped} ${is(dropped)} left out`);
  if (unsupported) doubts.push(`${unsupported} of ${sentences.length} sentences not supported`);
  const written = sentences.some((s) => s.verdict === "supported");
  /** @type {Child[]} */
  const words = [found ?? (written ? "Written from its sources" : "Quoted from the documents")];
  if (writing?.outcome === "written") {
    words.splice(0, 1, "Written by ", ...named(writing), ` from ${passages(writing.passages)} · every sentence was compared with its source`);
  }
  if (typeof confidence === "number" && !found) words.push(` · ${confidence >= 0.9 ? "sure" : confidence >= 0.7 ? "fairly sure" : "not very sure"}`);
  return { doubts, words };
}

// The figures behind the words, for those who want them.
/** @param {Turn} turn */
function figures({ answer }) {
  const { confidence, timings_ms } = answer ?? {};
  const time = timings_ms?.total ?? 0;
  const sure = typeof confidence === "number" && `${Math.round(confidence * 100)}% sure`;
  return [sure, time < 950 ? `${Math.round(time)} ms` : `${(time / 1000).toFixed(1)} s`].filter(Boolean).join(" · ");
}

export class TurnView {
  /** @param {Turn} turn @param {TurnActs} acts */
  constructor(turn, acts) {
    this.turn = turn;
    this.acts = acts;
    this.shown = 0;
    this.stage = h("p", { class: "stage" });
    /** @type {Passages | null} */
    this.passages = null; // that may answer, or come closest
    /** @type {HTMLElement[]} */
    this.thumbs = [];
    this.body = h("div", { class: "answer" });
    this.after = h("div", { class: "after" });
    this.question = h("h2", { class: "question", dir: "auto" }, turn.question);
    const about = turn.about && h("p", { class: "about", dir: "auto" }, `About paragraph ${turn.about.number} of ${turn.about.title}`);
    this.element = h("article", { class: "turn", id: `turn-${turn.id}`, tabindex: "-1" }, this.question, about, this.stage, this.body, this.after);
    this.update();
  }

  update() {
    const { turn } = this;
    this.element.dataset.state = turn.state;
    this.element.setAttribute("aria-busy", String(turn.state === "pending"));
    this.#stage();
    const sentences = sentencesOf(turn);
    if (sentences.length < this.shown) {
      // What was said no longer holds.
      this.body.replaceChildren();
      this.passages = null;
      this.shown = 0;
    }
    sentences.slice(this.shown).forEach((sentence, number) => this.#sentence(sentence, sentences[this.shown + number - 1]));
    this.shown = sentences.length;
    if (turn.state !== "pending" && !this.after.childElementCount) this.#finish();
  }

  // One line that stays where it is: what is going on, then what was read.
  #stage() {
    const { turn } = this;
    const waiting = turn.state === "pending" && !turn.sentences?.length;
    const { model, passages: read, searches, sources } = turn;
    let words = turn.place === undefined ? "Sending" : "Searching the documents";
    if (sources) words = read ? `${model} is reading ${passages(read)}` : "Reading";
    if (searches) words = lookedAgain(searches);
    if (turn.place) words = `Waiting: ${turn.place === 1 ? "one question is" : `${turn.place} questions are`} before yours`;
    if (turn.state !== "pending") words = sources?.length ? "Read" : "";
    this.stage.classList.toggle("thinking", waiting);
    const links = (waiting && searches ? [] : (sources ?? [])).map((source) =>
      h("button", { type: "button", class: "place", title: pathOf(source), onclick: () => this.acts.openAt(source) }, `¶ ${source.paragraph}`),
    );
    const { outcome = "failed", passages: all = 0 } = turn.answer?.writing ?? {};
    const more = links.length > 0 && all > links.length && outcome !== "failed" && h("span", {}, " and more");
    this.stage.replaceChildren(h("span", {}, words), ...links, more || "");
    this.stage.hidden = !words;
  }

  // Where a sentence goes: into running text, or as a point under its heading. What is said of each of
  // the things compared has a column.
  /** @param {Sentence} sentence @param {Sentence} [before] */
  #place(sentence, before) {
    if (!isPoint(this.turn, sentence)) return this.#added(this.body, "running");
    const heading = headingOver(this.turn, sentence, before);
    /** @type {HTMLElement} */
    let column = this.body;
    if (sentence.about) {
      const compared = this.#added(this.body, "compared");
      column = heading ? compared.appendChild(h("div", { class: "column" })) : this.#added(compared, "column");
    }
    if (heading) column.append(h("h3", { class: "under", dir: "auto" }, heading));
    return column.appendChild(h("div", { class: "point" }));
  }

  // The last element of a place where it is of this class, or a new one behind it.
  /** @param {HTMLElement} place @param {string} name */
  #added(place, name) {
    const last = place.lastElementChild;
    if (last instanceof HTMLElement && last.classList.contains(name)) return last;
    return place.appendChild(h("div", { class: name }));
  }

  /** @param {Sentence} sentence @param {Sentence} [before] */
  #sentence(sentence, before) {
    const citations = citationsOf(this.turn);
    if (isUnsure(this.turn)) return this.#passage(citations.filter((c) => sentence.markers.includes(c.marker)));
    const markers = sentence.markers.map((marker) => {
      const citation = citations.find((c) => c.marker === marker);
      return citation && this.#marker(citation);
    });
    const odd = sentence.verdict === "unsupported";
    const place = this.#place(sentence, before);
    // The space belongs to what follows: at the end of what is there it would move with it.
    place.append(
      place.childElementCount ? " " : "",
      h(
        "span",
        { class: "sentence", dataset: { verdict: sentence.verdict }, dir: "auto" },
        h("span", { class: "words" }, sentence.text),
        odd ? h("span", { class: "flag" }, ["not in the documents", sentence.conflicts?.join(", ")].filter(Boolean).join(": ")) : h("span", { class: "unseen" }, ` (${VERDICTS[sentence.verdict]})`),
        ...markers,
      ),
    );
  }

  // Passages that may answer, below those that are there.
  /** @param {Citation[]} citations */
  #passage(citations) {
    this.passages ??= new Passages(this.turn, UNSURE, this.acts, true);
    this.body.append(this.passages.element);
    for (const citation of citations) this.passages.add(citation);
  }

  /** @param {Citation} citation */
  #marker(citation) {
    return h(
      "a",
      {
        href: "#reader",
        class: "marker",
        dataset: { marker: citation.marker },
        "aria-label": `Source ${citation.marker}: ${citation.document}, ${placeOf(citation)}`,
        "aria-describedby": "tooltip",
        onclick: (event) => {
          event.preventDefault();
          this.acts.follow(this.turn, citation);
        },
      },
      `[${citation.marker}]`,
    );
  }

  #finish() {
    const { turn } = this;
    if (turn.state === "failed") {
      const named = turn.request && h("small", {}, ` Request ${turn.request}`);
      this.after.append(h("div", { class: "failure", role: "alert" }, h("b", {}, "This could not be answered."), " ", h("span", { dir: "auto" }, turn.failure ?? ""), named ?? ""));
    }
    if (turn.state === "stopped") this.after.append(h("p", { class: "stopped" }, this.shown ? "Stopped here. The answer may go on." : "Stopped before there was an answer."));
    const { answer } = turn;
    if (turn.state === "unsure") this.passages?.heading.setAttribute("title", figures(turn));
    if (turn.state === "refused") this.after.append(...this.#refusal());
    if (missing(turn)) this.after.append(h("p", { class: "note", dir: "auto" }, missing(turn)));
    if (answer?.note) this.after.append(h("p", { class: "note", dir: "auto" }, answer.note));
    if (turn.state === "answered" && kindOf(turn) !== "chat") {
      const { doubts, words } = standing(turn);
      if (doubts.length) this.after.append(h("p", { class: "meta partial" }, doubts.join(" · ")));
      this.after.append(h("p", { class: "meta", title: figures(turn) }, words));
    }
    const searches = answer?.writing?.searches ?? [];
    if (searches.length) this.after.append(h("p", { class: "meta", dir: "auto" }, `${lookedAgain(searches)}.`));
    if (answer && answer.standalone_question !== answer.question && answer.kind !== "where") {
      this.after.append(h("p", { class: "meta", dir: "auto" }, "Understood as: ", h("q", {}, answer.standalone_question)));
    }
    if (answer?.context) this.after.append(h("p", { class: "meta", dir: "auto" }, "In the context of: ", h("q", {}, answer.context)));
    if (turn.state === "refused") this.after.append(this.#instead());
    else if (citationsOf(turn).length && !isUnsure(turn)) this.after.append(sources(turn, citationsOf(turn), this.acts));
    if (answer?.closest.length) this.after.append(this.#closest(answer.closest));
    this.after.append(this.#actions());
  }

  // That it is refused, and whose judgement that is.
  #refusal() {
    const writing = this.turn.answer?.writing;
    /** @type {Child[]} */
    let reason = ["No paragraph answers this well enough to be quoted."];
    if (writing?.outcome === "declined" || writing?.outcome === "unproved") {
      const found = writing.outcome === "declined" ? " and found no answer in them" : "";
      reason = [...named(writing), ` read ${passages(writing.passages)}${found}.`];
    }
    return [h("p", { class: "refusal", title: figures(this.turn) }, REFUSAL), h("p", { class: "meta" }, reason)];
  }

  // Questions that are answered.
  #instead() {
    const instead = (this.turn.instead ?? []).map((question) =>
      h("li", {}, h("button", { type: "button", class: "instead", dir: "auto", onclick: () => this.acts.ask(question) }, question)),
    );
    return instead.length ? h("div", { class: "can" }, h("h3", {}, "They do answer"), h("ul", {}, ...instead)) : "";
  }

  // What comes closest where there is no answer; what may answer too where there is one, folded.
  /** @param {Citation[]} citations */
  #closest(citations) {
    const refused = this.turn.state === "refused";
    this.passages = new Passages(this.turn, refused ? "Closest, not an answer" : OTHERS, this.acts, false);
    for (const citation of citations) this.passages.add(citation);
    this.passages.element.classList.toggle("closest", refused);
    return refused ? this.passages.element : h("details", { class: "others" }, h("summary", {}, OTHERS), this.passages.element);
  }

  #actions() {
    const { turn, acts } = this;
    const judged = turn.answer && kindOf(turn) !== "chat" && !isUnsure(turn);
    this.thumbs = judged ? THUMBS.map(([verdict, name]) => action(verdict, name, () => acts.vote(turn, verdict))) : [];
    this.judged();
    return h(
      "div",
      { class: "actions", role: "group", "aria-label": "This answer" },
      turn.answer && action("copy", "Copy with footnotes", () => acts.copy(turn)),
      action("retry", "Ask again", () => acts.retry(turn), turn.state === "failed" || turn.state === "stopped"),
      action("edit", "Edit the question", () => acts.edit(turn)),
      ...this.thumbs,
    );
  }

  // Show what its reader says of it.
  judged() {
    this.thumbs.forEach((thumb, number) => thumb.setAttribute("aria-pressed", String(THUMBS[number]?.[0] === this.turn.vote)));
    this.passages?.tell();
  }
}

// The quote of the marker under the pointer or the focus.
/** @param {HTMLElement} root @param {(marker: HTMLElement) => Citation | undefined} citationOf */
export function tooltips(root, citationOf) {
  const tip = $("tooltip");
  const hide = () => (tip.hidden = true);
  /** @param {Event} event */
  const show = (event) => {
    const marker = closest(event, ".marker");
    const citation = marker && citationOf(marker);
    if (!citation) return;
    tip.replaceChildren(h("q", { dir: "auto" }, citation.quote), h("small", { dir: "auto" }, placeOf(citation)));
    tip.hidden = false;
    const at = marker.getBoundingClientRect();
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - width / 2), innerWidth - width - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${at.top > height + 12 ? at.top - height - 8 : at.bottom + 8}px`;
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("pointerout", hide);
  root.addEventListener("focusout", hide);
  addEventListener("scroll", hide, { capture: true, passive: true });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || tip.hidden) return;
    event.preventDefault();
    hide();
  });
}
