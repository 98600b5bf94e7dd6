// The conversation on the left: asking, and what becomes of each question.

import { $, announce, closest, smoothly, toast } from "./dom.js";
import { copy, laidOut, withFootnotes } from "./exporting.js";
import { Failure, answers, messageOf, tried, vote } from "./server.js";
import { fresh, newId } from "./store.js";
import { UNSURE, nameOf } from "./passages.js";
import { REFUSAL, TurnView, citationsOf, isUnsure, kindOf, lookedAgain, sentencesOf, tooltips } from "./turn.js";
/** @import { Store } from "./store.js" */
/** @import { About, Answer, Citation, Conversation, Said, TalkActs, ServerEvent, Turn, Vote } from "../types.js" */

const CHANGED = 503; // of HTTP: the documents have, or cannot be read any more
const LONGEST = 8000; // characters of what is told of a turn

export class Talk {
  conversation = fresh();
  /** @type {Map<string, TurnView>} */
  views = new Map(); // by the element's id
  /** @type {Map<string, { conversation: Conversation, stopping: AbortController }>} */
  running = new Map(); // those that are being answered, by id
  /** @type {About | null} */
  about = null;
  /** @type {Turn | null} */
  editing = null;

  /** @param {Store} store @param {TalkActs} acts */
  constructor(store, acts) {
    this.store = store;
    this.acts = acts;
    this.box = $("question");
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape" && !$("context").hidden) {
        event.preventDefault();
        this.askAbout(null);
      } else if (event.key === "ArrowUp" && !this.box.value) {
        event.preventDefault();
        const last = this.conversation.turns.at(-1);
        if (last) this.#viewOf(last)?.passages?.enter();
      }
    });
    $("stop").addEventListener("click", () => this.stop(this.conversation.id));
    $("context-drop").addEventListener("click", () => this.askAbout(null));
    tooltips($("turns"), (marker) => {
      const view = this.views.get(marker.closest(".turn")?.id ?? "");
      return view && citationsOf(view.turn).find((c) => c.marker === Number(marker.dataset.marker));
    });
    // What has another use of that key comes first.
    addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.defaultPrevented || closest(event, "input, select") || document.querySelector("dialog[open]")) return;
      this.stop(this.conversation.id);
    });
  }

  // Show a conversation. One that is being answered goes on being answered meanwhile.
  /** @param {Conversation} conversation */
  show(conversation) {
    this.conversation = this.running.get(conversation.id)?.conversation ?? conversation;
    this.store.current = conversation.id;
    this.askAbout(null);
    this.#draw();
    this.acts.leave();
    const answered = this.conversation.turns.findLast(isTold);
    void this.acts.cite(answered ? citationsOf(answered) : []);
    this.acts.changed();
  }

  #draw() {
    for (const view of this.views.values()) view.element.remove();
    this.views.clear();
    for (const turn of this.conversation.turns) this.#append(turn);
    $("welcome").hidden = this.conversation.turns.length > 0;
    this.#busy();
    const last = this.conversation.turns.at(-1);
    if (last) this.#viewOf(last)?.element.scrollIntoView({ block: "start", behavior: "instant" });
  }

  // None where the turn is not shown: it is in another conversation, or was replaced.
  /** @param {Turn} turn */
  #viewOf(turn) {
    return this.views.get(`turn-${turn.id}`);
  }

  /** @param {Turn} turn */
  #append(turn) {
    const view = new TurnView(turn, {
      follow: (of, citation) => this.#follow(of, citation),
      openAt: (source) => void this.acts.follow(source, [source]),
      ask: (question) => this.ask(question, undefined, true),
      retry: (of) => this.#retry(of),
      edit: (of) => this.askAbout(null, of),
      take: async (way, text) => {
        await copy(text);
        toast(`${way === "Link" ? "The link" : way} is copied`);
      },
      copy: async (of) => {
        await copy(withFootnotes(of));
        toast("Copied, with its footnotes.");
      },
      vote: (of, verdict) => this.#judge(of, verdict, { vote: verdict, noted: undefined }),
      note: (of, noted) => this.#note(of, noted),
    });
    this.views.set(view.element.id, view);
    $("turns").append(view.element);
    return view;
  }

  // --- asking ---------------------------------------------------------------------------------

  send() {
    const question = this.box.value.trim();
    if (!question || this.running.has(this.conversation.id)) return;
    const { about, editing } = this;
    this.askAbout(null);
    this.box.value = "";
    if (editing) {
      // What follows an edited question followed from it as it was.
      const { conversation } = this;
      const gone = new Set(conversation.turns.splice(conversation.turns.indexOf(editing)).map(({ id }) => id));
      this.store.change(conversation, (kept) => (kept.turns = kept.turns.filter(({ id }) => !gone.has(id))));
      this.#draw();
    }
    this.ask(question, about ?? editing?.about);
  }

  /** @param {string} id of a conversation that may be being answered */
  stop(id) {
    this.running.get(id)?.stopping.abort();
  }

  /** @param {string} question @param {About} [about] @param {boolean} [alone] */
  ask(question, about, alone) {
    if (this.running.has(this.conversation.id)) return;
    /** @type {Turn} */
    const turn = { id: newId(), question, about, alone, state: "pending" };
    const { conversation } = this;
    conversation.turns.push(turn);
    if (!conversation.named) conversation.title = (conversation.turns[0] ?? turn).question.slice(0, 80);
    void this.#answer(conversation, turn);
  }

  /** @param {Turn} turn */
  #retry(turn) {
    if (this.running.has(this.conversation.id)) return;
    const { id, question, about, alone } = turn;
    for (const name of Object.keys(turn)) Reflect.deleteProperty(turn, name);
    Object.assign(turn, { id, question, about, alone, state: "pending" });
    this.#viewOf(turn)?.element.replaceWith(this.#append(turn).element);
    void this.#answer(this.conversation, turn);
  }

  /** @param {Conversation} conversation @param {Turn} turn */
  async #answer(conversation, turn) {
    const stopping = new AbortController();
    this.running.set(conversation.id, { conversation, stopping });
    $("welcome").hidden = true;
    const view = this.#viewOf(turn) ?? this.#append(turn);
    view.element.scrollIntoView({ block: "start", behavior: smoothly() });
    this.#saved(conversation, turn);
    this.#busy();
    turn.documents = this.acts.documents();
    try {
      const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
      const history = historyOf(before, turn);
      const asked = { question: turn.question, history, documents: turn.documents, llm: this.acts.writer() };
      for await (const event of answers(asked, stopping.signal)) {
        take(turn, event);
        if (turn.state !== "pending") this.#saved(conversation, turn);
        this.#viewOf(turn)?.update();
        if (event.name === "looked_again" && conversation === this.conversation) announce(lookedAgain(event.value.searches));
      }
      if (turn.state === "pending") turn.state = "stopped";
    } catch (error) {
      if (stopping.signal.aborted) turn.state = "stopped";
      else {
        turn.state = "failed";
        turn.failure = error instanceof Failure ? error.message : `The page made a mistake: ${messageOf(error)}`;
        turn.request = error instanceof Failure ? error.request : undefined;
        // What was shown may mix two versions of the documents: it goes.
        if (error instanceof Failure && error.status === CHANGED) Object.assign(turn, { sources: [], sentences: [], citations: [] });
      }
    }
    delete turn.place;
    delete turn.model;
    delete turn.passages;
    delete turn.searches;
    this.running.delete(conversation.id);
    this.#viewOf(turn)?.update();
    this.#saved(conversation, turn);
    if (this.store.removed.has(conversation.id)) return; // it was stopped by that
    if (conversation !== this.conversation) return toast(`Answered: ${turn.question}`, "Show", () => this.show(conversation));
    this.#busy();
    void this.acts.cite(citationsOf(turn));
    announce(spoken(turn));
  }

  /** @param {Conversation} conversation @param {Turn} turn */
  #saved(conversation, turn) {
    conversation.updated = Date.now();
    this.store.keep(conversation, turn);
    this.store.current = this.conversation.id;
    this.acts.changed();
  }

  #busy() {
    const busy = this.running.has(this.conversation.id);
    const hadFocus = [$("stop"), $("send")].some((button) => button === document.activeElement);
    $("send").hidden = busy;
    $("stop").hidden = !busy;
    if (hadFocus) (busy ? $("stop") : this.box).focus();
  }

  // --- around an answer -----------------------------------------------------------------------

  // What the next question is about: a paragraph, or a question that it replaces; or nothing.
  /** @param {About | null} about @param {Turn | null} editing */
  askAbout(about, editing = null) {
    if (this.editing && !editing) this.box.value = "";
    this.about = about;
    this.editing = editing;
    $("context").hidden = !about && !editing;
    if (about) $("context-text").textContent = `About paragraph ${about.number} of ${about.title}`;
    if (editing) {
      $("context-text").textContent = "Edit the question. The answers after it are replaced.";
      this.box.value = editing.question;
    }
    if (about || editing) this.box.focus();
  }

  /** @param {Turn} turn @param {Citation} citation */
  #follow(turn, citation) {
    for (const one of $("turns").querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    const one = this.#viewOf(turn)?.element.querySelector(`.marker[data-marker="${citation.marker}"], .card[data-passage="${nameOf(citation)}"]`);
    one?.setAttribute("aria-current", "true");
    void this.acts.follow(citation, citation.marker ? citationsOf(turn) : (turn.answer?.closest ?? []));
  }

  /** @param {Turn} turn */
  goTo(turn) {
    const element = this.#viewOf(turn)?.element;
    element?.scrollIntoView({ block: "start", behavior: smoothly() });
    element?.focus({ preventScroll: true });
  }

  // The answers of this conversation that cite a paragraph.
  /** @param {string} documentId @param {number} number */
  citing(documentId, number) {
    return this.conversation.turns.flatMap((turn) =>
      citationsOf(turn)
        .filter((c) => c.document_id === documentId && c.paragraph === number)
        .map((c) => ({ turn, marker: c.marker })),
    );
  }

  // Which passages answer a question: none of them may; undefined takes back what was said.
  /** @param {Turn} turn @param {string[]} [noted] */
  #note(turn, noted) {
    const { citations = [], closest = [] } = turn.answer ?? {};
    const chosen = [...citations, ...closest].filter((c) => noted?.includes(nameOf(c)));
    return this.#judge(turn, noted ? (chosen.length ? "up" : "none") : null, { vote: undefined, noted }, chosen);
  }

  // Keep what is said of what became of a question, here and on the server.
  /** @param {Turn} turn @param {Vote["verdict"]} verdict @param {Pick<Turn, "vote" | "noted">} said @param {Citation[]} chosen */
  async #judge(turn, verdict, said, chosen = []) {
    if (!turn.answer) return;
    const { conversation } = this;
    const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
    const { refused, status = refused ? "refused" : "answered", confidence, sentences, citations } = turn.answer;
    const taken = await tried(vote({
      verdict,
      question: turn.question,
      history: historyOf(before, turn),
      status,
      confidence,
      sentences,
      citations: citations.map(placed),
      chosen: chosen.map(placed),
    }));
    if (!taken) return;
    Object.assign(turn, said);
    this.store.keep(conversation, turn);
    this.#viewOf(turn)?.judged();
    // What is said of a passage is shown beside it, which nothing should cover.
    if (verdict === said.vote) toast("Thank you. It is among the drafts of this machine's evaluation questions.");
    else announce(verdict ? "Noted among the evaluation questions of this machine." : "It is taken back.");
  }
}

// Where a citation stands, for the server to read it there.
/** @param {Citation} citation */
const placed = ({ marker, document_id, paragraph, start, end }) => ({ marker, document: document_id, paragraph, start, end });

// What comes of a question becomes part of its turn.
/** @param {Turn} turn @param {ServerEvent} event */
function take(turn, { name, value }) {
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
const isTold = (turn) => turn.state === "answered" || turn.state === "unsure";

// The conversation before a question, as the server takes it. A question about a paragraph is
// understood as if that had just been talked about.
/** @param {Turn[]} before @param {Turn} turn */
function historyOf(before, { about, alone }) {
  if (alone) return [];
  /** @type {Said[]} */
  const said = before
    .filter((turn) => (isTold(turn) || turn.state === "refused") && kindOf(turn) !== "chat")
    .flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.state === "refused" ? REFUSAL : laidOut(turn, sentencesOf(turn).map((s) => s.text), String) },
    ]);
  if (about) said.push({ role: "user", content: about.text });
  return said.slice(-24).map(({ role, content }) => ({ role, content: content.slice(0, LONGEST) }));
}

/** @param {Turn} turn */
function spoken(turn) {
  if (isTold(turn)) return `${isUnsure(turn) ? `${UNSURE}: ` : ""}${sentencesOf(turn).map((s) => s.text).join(" ")}`;
  if (turn.state === "refused") return `${REFUSAL} The closest paragraphs are listed.`;
  return turn.state === "failed" ? `Failed: ${turn.failure}` : "Stopped.";
}
