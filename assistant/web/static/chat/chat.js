// The conversation on the left: asking, and what becomes of each question.

import { fresh, merged, newId } from "../conversations/store.js";
import { tell } from "../shared/address.js";
import { $, Latest, announce, arrange, smoothly, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { Failure, answers, isStatus, lapsed, messageOf, morePassages, orToast, vote } from "../shared/api.js";
import { say } from "../shared/i18n.js";
import { citationsOf, historyOf, isTold, judgement, lookedAgain, passagesOf, spoken, take } from "./answer.js";
import { Composer } from "./composer.js";
import { passageKey } from "./passages.js";
import { TurnView, tooltips } from "./turn.js";
/** @import { About, Citation, Conversation, How, Thumb, Turn, Vote, Why } from "../../types.js" */

const NOT_FOUND = 404; // a document is not there any more
const LEAVE_TIMEOUT = 5000; // milliseconds after which the page was not left
const UNAVAILABLE = 503; // the documents have changed, or cannot be read any more

export class Chat {
  conversation = fresh();
  /** @type {TurnView[]} */
  views = []; // of what is shown, in its order
  /** @type {Map<string, { conversation: Conversation, stopping: AbortController }>} */
  running = new Map(); // those that are being answered, by id
  leaving = false; // the page: what breaks off then has not failed
  reading = new Latest(); // of the conversation that is shown
  lookedOver = new Latest();
  composer = new Composer();

  constructor() {
    addEventListener("beforeunload", () => {
      this.leaving = true;
      setTimeout(() => (this.leaving = false), LEAVE_TIMEOUT)
    });
    tooltips($("turns"), (marker) => {
      const view = this.views.find(({ element }) => element.contains(marker));
      return view && citationsOf(view.turn).find((c) => c.marker === Number(marker.dataset.marker));
    });
  }

  // Show a conversation. One that is being answered goes on being answered meanwhile.
  /** @param {Conversation} conversation */
  show(conversation) {
    this.conversation = this.running.get(conversation.id)?.conversation ?? conversation;
    app.store.isShown(conversation.turns.length ? conversation.id : "");
    this.composer.show();
    this.#draw();
    this.views.at(-1)?.element.scrollIntoView({ block: "start", behavior: "instant" });
    app.reader.leave();
    this.#mark(this.conversation.turns.findLast(isTold));
    void app.history.draw();
    void this.lookOver();
  }

  // Tell of the answers that are shown which quotes do not stand in the documents any more.
  async lookOver() {
    const { conversation } = this;
    if (!conversation.turns.some(isTold)) return;
    const isLast = this.lookedOver.next();
    const found = await lapsed(conversation.id, conversation.notebook).catch(() => null); // one can read without
    if (!found || !isLast() || conversation !== this.conversation) return;
    for (const view of this.views) if (isTold(view.turn)) view.lapsed(found[view.turn.id] ?? []);
  }

  // See what another tab has asked in this conversation.
  /** @returns {Promise<void>} */
  async again() {
    const { conversation } = this;
    const { sent } = app.store;
    const isLast = this.reading.next();
    const found = await orToast(app.store.load(conversation.id));
    if (!found || !isLast() || conversation !== this.conversation || this.running.has(conversation.id)) return;
    if (sent !== app.store.sent) return this.again(); // it may be older than what was done here meanwhile
    Object.assign(conversation, found, { turns: merged(conversation.turns, found.turns) });
    this.#draw();
    void app.history.draw();
  }

  #draw() {
    const { turns } = this.conversation;
    this.views = turns.map((turn) => this.views.find((view) => view.turn === turn) ?? new TurnView(turn));
    arrange($("turns"), [$("welcome"), ...this.views.map(({ element }) => element)]);
    $("welcome").hidden = turns.length > 0;
    this.#busy();
  }

  // None where the turn is not shown: it is in another conversation, or was deleted.
  /** @param {Turn} turn */
  #viewOf = ({ id }) => this.views.find(({ turn }) => turn.id === id);

  // Go up to the passages of the last answer.
  goUp = () => this.views.at(-1)?.passages?.enter();

  // Under which name a draft is kept: a conversation that has not begun has none that stays.
  drafted = () => this.conversation.turns.length ? this.conversation.id : "new";

  // --- asking ---------------------------------------------------------------------------------

  /** @param {string} question @param {About | undefined} about @param {Turn | null} editing the one that it replaces */
  send(question, about, editing) {
    if (!editing) return this.ask(question, { about });
    if (question === editing.question) return; // nothing is otherwise
    const { conversation } = this;
    // By its id: another tab may have asked meanwhile, and all turns been loaded again.
    const at = conversation.turns.findIndex(({ id }) => id === editing.id);
    // What follows an edited question followed from it as it was.
    const gone = at < 0 ? [] : conversation.turns.slice(at);
    const told = this.#takeOut(gone);
    this.ask(question, { about });
    if (gone.length > 1) told(conversation.turns.at(-1));
  }

  // Delete a question, which can be undone.
  /** @param {Turn} turn */
  drop(turn) {
    const at = this.conversation.turns.indexOf(turn);
    const told = this.#takeOut([turn]);
    (this.views.at(Math.min(at, this.views.length - 1))?.element ?? this.composer.box).focus({ preventScroll: true });
    told();
  }

  // Remove questions. Returns a function that tells of it and offers to restore them, in place of what was
  // asked instead.
  /** @param {Turn[]} gone */
  #takeOut(gone) {
    const { conversation } = this;
    const before = conversation.turns;
    conversation.turns = before.filter((turn) => !gone.includes(turn));
    app.store.drop(conversation, gone.map(({ id }) => id));
    this.#draw();
    /** @param {Turn} [instead] */
    return (instead) => toast(say("question.dropped", { count: gone.length }), say("history.undo"), () => {
      this.stop(conversation.id);
      if (instead) app.store.drop(conversation, [instead.id]);
      const since = conversation.turns.filter((turn) => turn !== instead && !before.includes(turn));
      conversation.turns = [...before, ...since];
      for (const turn of gone) app.store.keep(conversation, turn);
      if (conversation === this.conversation) this.#draw();
      void app.history.draw();
    });
  }

  /** @param {string} id of a conversation that may be being answered */
  stop = (id = this.conversation.id) => this.running.get(id)?.stopping.abort();

  /** @param {string} question @param {How} how */
  ask(question, { about, alone, within } = {}) {
    if (this.running.has(this.conversation.id)) return;
    if (this.composer.editing) this.composer.askAbout(null);
    if (this.conversation.mine === false) {
      app.navigation.show(fresh());
      toast(say("conversation.own"));
    }
    /** @type {Turn} */
    const turn = { id: newId(), asked: Date.now(), question, about, alone, within, state: "pending" };
    const { conversation } = this;
    conversation.turns.push(turn);
    if (!conversation.named) conversation.title = (conversation.turns[0] ?? turn).question.slice(0, 80);
    void this.#answer(conversation, turn);
  }

  /** @param {Turn} turn */
  retry(turn) {
    if (this.running.has(this.conversation.id)) return;
    const { id, asked, question, about, alone, within, documents } = turn;
    for (const name of Object.keys(turn)) Reflect.deleteProperty(turn, name);
    Object.assign(turn, { id, asked, question, about, alone, within, documents, state: "pending" });
    const before = this.#viewOf(turn);
    this.views = this.views.filter((view) => view !== before); // it is drawn anew
    const hadFocus = before?.element.contains(document.activeElement);
    void this.#answer(this.conversation, turn);
    if (hadFocus) $("stop").focus();
  }

  /** @param {Conversation} conversation @param {Turn} turn */
  async #answer(conversation, turn) {
    const stopping = new AbortController();
    this.running.set(conversation.id, { conversation, stopping });
    this.#draw();
    this.#viewOf(turn)?.element.scrollIntoView({ block: "start", behavior: smoothly() });
    this.#saved(conversation, turn);
    turn.documents = this.#documentsFor(turn);
    try {
      await this.#streamed(conversation, turn, stopping.signal);
      if (turn.state === "pending") turn.state = "stopped";
    } catch (error) {
      turn.state = stopping.signal.aborted || this.leaving ? "stopped" : "failed";
      if (turn.state === "failed") turn.failure = error instanceof Failure ? error.message : say("page.mistake", { message: messageOf(error) });
      if (error instanceof Failure) turn.request = error.request;
      // What was shown may mix two versions of the documents: it goes.
      if (isStatus(error, UNAVAILABLE)) Object.assign(turn, { sources: [], sentences: [], citations: [] });
      if (isStatus(error, NOT_FOUND)) await app.library.refresh(true); // those that are left can be asked again
    }
    for (const name of ["place", "model", "passages", "searches"]) Reflect.deleteProperty(turn, name);
    this.running.delete(conversation.id);
    this.#viewOf(turn)?.update();
    this.#saved(conversation, turn);
    if (app.store.removed.has(conversation.id)) return; // it was stopped by that
    if (conversation !== this.conversation) return toast(say("conversation.answered", { question: turn.question }), say("conversation.show"), () => void app.navigation.goTo({ notebook: conversation.notebook ?? null, conversation: conversation.id }));
    this.#busy();
    this.#mark(turn);
    announce(spoken(turn));
  }

  // Ids of the documents that a question is asked of: of one that is asked again the same.
  /** @param {Turn} turn */
  #documentsFor({ documents, within, about }) {
    const there = app.library.listed(documents ?? within); // some may be gone by now
    if (there.length) return there.map(({ id }) => id);
    return about ? [about.document] : app.library.asked();
  }

  /** @param {Conversation} conversation @param {Turn} turn @param {AbortSignal} signal */
  async #streamed(conversation, turn, signal) {
    const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
    const asked = { question: turn.question, history: historyOf(before, turn), documents: turn.documents ?? [], notebook: conversation.notebook ?? null, llm: app.models.choice, section: turn.about?.number ? turn.about.title : null };
    for await (const event of answers(asked, signal)) {
      take(turn, event);
      this.#viewOf(turn)?.update();
      if (event.name === "looked_again" && conversation === this.conversation) announce(lookedAgain(event.value.searches));
    }
  }

  /** @param {Conversation} conversation @param {Turn} turn */
  #saved(conversation, turn) {
    if (!conversation.turns.includes(turn)) return; // it was deleted meanwhile
    conversation.updated = Date.now();
    app.store.keep(conversation, turn);
    app.store.isShown(this.conversation.id);
    if (conversation === this.conversation) void tell({ notebook: conversation.notebook ?? null, conversation: conversation.id }, true);
    void app.history.draw();
  }

  #busy = () => this.composer.answering(this.running.has(this.conversation.id));

  // --- around an answer -----------------------------------------------------------------------

  /** @param {Turn} turn @param {Citation} citation */
  follow(turn, citation) {
    for (const one of $("turns").querySelectorAll("[aria-current]")) one.removeAttribute("aria-current");
    const one = this.#viewOf(turn)?.element.querySelector(`.marker[data-marker="${citation.marker}"], .card[data-passage="${passageKey(citation)}"]`);
    one?.setAttribute("aria-current", "true");
    this.light(citation, passagesOf(turn).filter(({ marker }) => Boolean(marker) === Boolean(citation.marker)));
  }

  // Show what a citation quotes, in its document.
  /** @param {Citation} citation @param {Citation[]} all */
  light = (citation, all = [citation]) => void app.reader.light(citation, all);

  /** @param {Turn} [turn] */
  #mark = (turn) => app.reader.mark(turn ? citationsOf(turn) : []);

  /** @param {Turn} turn */
  goTo(turn) {
    const element = this.#viewOf(turn)?.element;
    element?.scrollIntoView({ block: "start", behavior: smoothly() });
    element?.focus({ preventScroll: true });
  }

  // Look for passages beyond those that are shown: what other words find, or else the next ones, once. They
  // are kept with the question.
  /** @param {Turn} turn @param {boolean} reworded */
  async lookFurther(turn, reworded) {
    const { conversation } = this;
    const { question, documents = [], further = [] } = turn;
    const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
    const isDone = !reworded && further.some(({ searches }) => !searches.length);
    const found = isDone ? { searches: [], passages: [] } : await orToast(morePassages({ question, history: historyOf(before, turn), documents, notebook: conversation.notebook ?? null, llm: app.models.choice, section: null, shown: passagesOf(turn).map(passageKey), reworded }));
    if (!found) return;
    turn.further = [...further, found];
    app.store.keep(conversation, turn);
    this.#viewOf(turn)?.judged();
    announce(say("passages.found", { count: found.passages.length }));
  }

  // Show what is kept by now.
  judged() {
    for (const view of this.views) view.judged();
  }

  // Judge an answer; null takes it back.
  /** @param {Turn} turn @param {Thumb | null} verdict @param {Why} [why] */
  vote = (turn, verdict, why) => this.#judge(turn, verdict, { vote: verdict ?? undefined, noted: undefined }, why);

  // Say which passages answer a question, by their keys; possibly none.
  /** @param {Turn} turn @param {string[]} [noted] */
  note = (turn, noted) => this.#judge(turn, noted ? (noted.length ? "up" : "none") : null, { vote: undefined, noted });

  // Keep what is said of what became of a question, here and on the server: `noted` are the passages
  // that answer it, and none of them may.
  /** @param {Turn} turn @param {Vote["verdict"]} verdict @param {Pick<Turn, "vote" | "noted">} said @param {Why} [why] */
  async #judge(turn, verdict, said, why) {
    if (!turn.answer) return;
    const { conversation } = this;
    const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
    const taken = await orToast(vote(judgement(turn, turn.answer, before, verdict, said.noted ?? [], why)));
    if (!taken) return;
    Object.assign(turn, said);
    app.store.keep(conversation, turn);
    this.#viewOf(turn)?.judged();
    const note = app.noteStore.of(turn);
    if (note && String(note.noted) !== String(turn.noted)) void app.noteStore.put({ ...note, noted: turn.noted });
    // What is said of a passage is shown beside it, which nothing should cover.
    if (verdict === said.vote) toast(say("turn.thanks"));
    else announce(say(verdict ? "turn.noted" : "turn.taken_back"));
  }
}
