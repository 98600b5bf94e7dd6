// One question and what became of it. While an answer streams, everything is added below what is
// there already, so that nothing that is being read moves.

import { $, closest, doubt, flagged, h, oneLine, pathOf, placeOf, onKey } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { pieces, say } from "../shared/i18n.js";
import { Actions, questions, waysOn } from "./actions.js";
import { VERDICTS, aboutIn, citationsOf, confidenceOf, headingOver, isDoubtful, isExhausted, isPoint, isUnsure, isUnweighed, kindOf, lacksSupport, lookedAgain, missing, named, searchedAgain, sentencesOf, standing, timeOf } from "./answer.js";
import { Passages, sources } from "./passages.js";
/** @import { Child, Citation, Sentence, Turn } from "../../types.js" */

export class TurnView {
  /** @param {Turn} turn */
  constructor(turn) {
    this.turn = turn;
    this.shown = 0;
    this.about = h("p", { class: "about", dir: "auto" });
    this.stage = h("p", { class: "stage" });
    this.head = h("div", { class: "head" });
    this.since = h("p", { class: "meta partial since" });
    /** @type {Passages | null} */
    this.passages = null; // that may answer, or come closest
    /** @type {Passages[]} */
    this.others = []; // that other words have found
    this.seen = 0; // of what was found besides
    this.further = h("div");
    this.ways = h("div");
    /** @type {Actions | null} */
    this.actions = null; // once it is settled
    this.marked = h("div", { class: "marked" }); // as the answer, by its reader
    this.body = h("div", { class: "answer" });
    this.after = h("div", { class: "after" });
    this.question = h("h2", { class: "question", dir: "auto" }, turn.question);
    this.element = h("article", { class: "turn", id: `turn-${turn.id}`, tabindex: "-1" }, this.question, this.about, this.stage, this.marked, this.head, this.body, this.after);
    this.update();
  }

  update() {
    const { turn } = this;
    this.element.dataset.state = turn.state;
    this.element.setAttribute("aria-busy", String(turn.state === "pending"));
    this.#about();
    this.#stage();
    const isAnswer = (turn.answer?.status ?? turn.status) === "answered" && kindOf(turn) !== "chat";
    if (isAnswer && !this.head.childElementCount) this.head.append(this.#state());
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

  // What the question is about, and how it was understood.
  #about() {
    const { turn } = this;
    const titles = app.library.listed(turn.within).map(({ title }) => title);
    const { standalone_question: standalone = turn.standalone, context } = turn.answer ?? {};
    this.about.textContent = [
      turn.about && aboutIn(turn.about),
      titles.length > 0 && titles.length < app.library.documents.length && say("turn.within", { titles: titles.join(", ") }),
      standalone && standalone !== turn.question && kindOf(turn) !== "where" && say("answer.understood", { question: standalone }),
      context && say("answer.context", { question: context }),
    ].filter(Boolean).join(" · ");
    this.about.hidden = !this.about.textContent;
  }

  // That it is an answer, and how sure.
  #state() {
    const sure = confidenceOf(this.turn);
    return h("h3", { class: "state" }, say("answer.answer"), sure && h("span", { class: "confidence", title: sure.figure }, ` · ${sure.level}`));
  }

  // One line that stays where it is: what is going on, then what was read.
  #stage() {
    const { turn } = this;
    const waiting = turn.state === "pending" && !turn.sentences?.length;
    const { model, passages: read, searches, sources } = turn;
    let words = say(turn.place === undefined ? "turn.sending" : "turn.searching");
    if (sources) words = read ? say("turn.is_reading", { model: model ?? "", count: read }) : say("turn.reading");
    if (searches) words = lookedAgain(searches);
    if (turn.place) words = say("turn.waiting", { count: turn.place });
    if (turn.state !== "pending") words = sources?.length ? say("turn.read") : "";
    this.stage.classList.toggle("thinking", waiting);
    const several = (turn.documents?.length ?? 0) > 1;
    const links = (waiting && searches ? [] : (sources ?? [])).map((source, at, all) => {
      const named = several && source.document_id !== all[at - 1]?.document_id;
      return h("button", { type: "button", class: "place", title: pathOf(source), onclick: () => app.chat.light(source) }, named && h("span", { class: "of", dir: "auto" }, source.document), `¶ ${source.paragraph}`);
    });
    const { outcome = "failed", passages: all = 0 } = turn.answer?.writing ?? {};
    const more = links.length > 0 && all > links.length && outcome !== "failed" && h("span", {}, ` ${say("turn.and_more")}`);
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
    if (isUnsure(this.turn)) {
      // Passages that may answer, below those that are there.
      this.passages ??= new Passages(this.turn, say("answer.unsure"), this.marked, true);
      this.body.append(this.passages.element);
      for (const c of citations) if (sentence.markers.includes(c.marker)) this.passages.add(c);
      return;
    }
    const markers = sentence.markers.map((marker) => {
      const citation = citations.find((c) => c.marker === marker);
      return citation && this.#marker(citation);
    });
    const odd = lacksSupport(sentence);
    const place = this.#place(sentence, before);
    // The space belongs to what follows: at the end of what is there it would move with it.
    place.append(
      place.childElementCount ? " " : "",
      h("span", { class: "sentence", dataset: { verdict: sentence.verdict }, dir: "auto" },
        h("span", { class: "words" }, sentence.text),
        odd ? h("span", { class: "flag" }, say(VERDICTS[sentence.verdict])) : h("span", { class: "unseen" }, ` (${say(VERDICTS[sentence.verdict])})`),
        ...markers,
        doubt(isDoubtful(this.turn, sentence)),
      ),
    );
  }

  /** @param {Citation} citation */
  #marker(citation) {
    return h("a", { href: "#reader", class: "marker", dataset: { marker: citation.marker }, "aria-describedby": "tooltip",
      "aria-label": say("source.marker", { marker: citation.marker, document: citation.document, place: placeOf(citation) }),
      onclick: (event) => { event.preventDefault(); app.chat.follow(this.turn, citation); },
    }, `[${citation.marker}]`);
  }

  #finish() {
    const { turn } = this;
    if (turn.state === "failed") {
      const named = turn.request && h("small", {}, ` ${say("turn.request", { request: turn.request })}`);
      this.after.append(h("div", { class: "failure", role: "alert" }, h("b", {}, say("turn.not_answered")), " ", h("span", { dir: "auto" }, turn.failure ?? ""), named ?? ""));
    }
    if (turn.state === "stopped") this.after.append(h("p", { class: "stopped" }, say(this.shown ? "turn.stopped_here" : "turn.stopped_before")));
    const { answer } = turn;
    const explained = [missing(turn), !isUnweighed(turn) && answer?.note].filter(Boolean).map((text) => h("p", { class: "note", dir: "auto" }, text));
    // What is to be known of passages stands above them.
    if (turn.state === "unsure") this.head.append(...explained);
    if (turn.state === "unsure") this.passages?.heading.setAttribute("title", confidenceOf(turn)?.figure ?? "");
    if (turn.state === "refused") this.after.append(...this.#refusal());
    if (turn.state !== "unsure") this.after.append(...explained);
    if (turn.state === "answered" && kindOf(turn) !== "chat") {
      const { doubts, words } = standing(turn);
      if (doubts.length) this.after.append(h("p", { class: "meta partial" }, doubts.join(" · ")));
      this.after.append(h("p", { class: "meta", title: timeOf(turn) }, words));
    }
    const searches = answer?.writing?.searches ?? [];
    if (searches.length) this.after.append(h("p", { class: "meta", dir: "auto" }, `${lookedAgain(searches)}.`));
    if (turn.state !== "refused" && citationsOf(turn).length && !isUnsure(turn)) this.after.append(sources(turn, citationsOf(turn)));
    if (answer?.closest.length) this.after.append(this.#closest(answer.closest));
    if (turn.state === "refused" || turn.state === "unsure") this.after.append(this.further, this.ways);
    this.#more();
    if (turn.state === "refused") this.after.append(questions(turn));
    this.actions = new Actions(turn);
    this.after.append(this.actions.element);
    if (turn.state === "answered") this.after.append(questions(turn));
  }

  // That it is refused, and whose judgement that is.
  #refusal() {
    const { writing, note } = this.turn.answer ?? {};
    if (isUnweighed(this.turn)) return [h("p", { class: "refusal", dir: "auto" }, note)];
    /** @type {Child[]} */
    let reason = [say("answer.refused_because")];
    if (writing?.outcome === "declined" || writing?.outcome === "unproved") {
      reason = pieces(writing.outcome === "declined" ? "answer.declined" : "answer.unproved", { model: named(writing), count: writing.passages }).flat();
    }
    return [h("p", { class: "refusal", title: timeOf(this.turn) }, say("answer.refused")), h("p", { class: "meta" }, reason)];
  }

  // What comes closest where there is no answer; what may answer too where there is one, folded.
  /** @param {Citation[]} citations */
  #closest(citations) {
    const refused = this.turn.state === "refused";
    const title = say(refused ? "answer.closest" : "answer.others");
    this.passages = new Passages(this.turn, title, this.marked, refused);
    for (const citation of citations) this.passages.add(citation);
    this.passages.element.classList.add(refused ? "closest" : "others");
    return this.passages.element;
  }

  // What was found besides since it was looked last: the next passages stand with the first ones, those of
  // other words by themselves; and where else to look. Returns a list that is new.
  #more() {
    const { further = [] } = this.turn;
    let added = null;
    for (const { searches, passages } of further.slice(this.seen)) {
      const list = searches.length ? new Passages(this.turn, searchedAgain(searches), this.marked, false) : this.passages;
      for (const citation of passages) list?.add(citation);
      if (!list || !searches.length) continue;
      if (!passages.length) list.element.append(h("p", { class: "meta" }, say("passages.nothing")));
      list.element.classList.toggle("closest", this.turn.state === "refused");
      this.others.push((added = list));
      this.further.append(list.element);
    }
    this.ways.replaceChildren(waysOn(this.turn));
    this.seen = further.length;
    return added;
  }

  // Which quotes of it do not stand in their documents any more.
  /** @param {number[]} markers */
  lapsed(markers) {
    if (!markers.length) return this.since.remove();
    this.since.textContent = say("answer.lapsed", { markers: markers.map((marker) => `[${marker}]`).join(" ") });
    this.after.prepend(this.since);
  }

  // Show what its reader says of it, and whether it is kept.
  judged() {
    this.actions?.tell();
    for (const list of [this.passages, ...this.others]) list?.tell();
    if (this.seen === (this.turn.further ?? []).length) return;
    const added = this.#more();
    if (added) added.enter();
    else if (isExhausted(this.turn)) this.ways.querySelector("button")?.focus();
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
    const sentence = marker.closest(".sentence") ?? marker;
    const isSaid = oneLine(citation.quote) === oneLine(sentence.querySelector(".words")?.textContent ?? "");
    tip.replaceChildren(isSaid ? "" : h("q", { dir: "auto" }, citation.quote), h("small", { dir: "auto" }, ...flagged(citation, placeOf)));
    tip.hidden = false;
  };
  root.addEventListener("pointerover", show);
  root.addEventListener("focusin", show);
  root.addEventListener("pointerout", hide);
  root.addEventListener("focusout", hide);
  onKey(window, "Escape", hide, () => !tip.hidden);
}
