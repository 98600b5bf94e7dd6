// What can be done with an answer: copy it, ask again, take it along, keep it with a note, judge it; look
// elsewhere, and ask what it offers.

import { noting } from "../notes/store.js";
import { addressOf } from "../shared/address.js";
import { action, h } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { active } from "../shared/api.js";
import { say } from "../shared/i18n.js";
import { isExhausted, isOfDocuments, isUnsure, offered, passagesOf } from "./answer.js";
import { copy, exportMenu, withFootnotes } from "./export.js";
/** @import { Key, Reason, Thumb, Turn } from "../../types.js" */

/** @type {[Thumb, Key][]} */
const THUMBS = [["up", "turn.good"], ["down", "turn.bad"]];
/** @type {[Reason, Key][]} */
const REASONS = [["wrong", "reason.wrong"], ["other", "reason.other"], ["incomplete", "reason.incomplete"], ["source", "reason.source"]];

export class Actions {
  /** @type {HTMLElement | null} */
  form = null; // that asks what is wrong

  /** @param {Turn} turn */
  constructor(turn) {
    this.turn = turn;
    const judged = turn.answer && isOfDocuments(turn) && !isUnsure(turn);
    this.thumbs = judged ? THUMBS.map(([verdict, name]) => action(verdict, say(name), () => this.#judge(verdict))) : [];
    this.keep = turn.answer ? action("keep", say("turn.keep"), () => this.#keep()) : null;
    this.keep?.classList.add("writes");
    const { field, element } = noting(turn.id, (text, over) => app.notes.keep(turn, text, over), true);
    this.field = field;
    this.note = element;
    const toPrint = h("button", { type: "button", onclick: () => setTimeout(() => print()) }, say("export.print"));
    const { conversation, composer } = app.chat;
    const here = () => `${location.origin}${addressOf({ notebook: active.notebook, conversation: conversation.id, turn: turn.id })}`;
    const link = h("button", { type: "button", onclick: () => void copy(here(), say("export.linked")) }, say("export.link"));
    const mine = conversation.mine !== false;
    const row = h("div", { class: "actions", role: "group", "aria-label": say("turn.actions") },
      turn.answer && action("copy", say("turn.copy"), () => copy(withFootnotes(turn), say("turn.copied"))),
      action("retry", say("turn.retry"), () => app.chat.retry(turn), turn.state === "failed" || turn.state === "stopped"),
      mine && action("edit", say("turn.edit"), () => composer.askAbout(null, turn)),
      this.keep,
      turn.answer && exportMenu(`conversations/${conversation.id}`, say("turn.export"), { turn: turn.id }, toPrint, link),
      ...this.thumbs,
      mine && action("trash", say("turn.delete"), () => app.chat.drop(turn)),
    );
    this.element = h("div", {}, row, this.note);
    this.tell();
  }

  // Show what its reader says of it, and whether it is kept.
  tell() {
    this.thumbs.forEach((thumb, number) => thumb.setAttribute("aria-pressed", String(THUMBS[number]?.[0] === this.turn.vote)));
    const note = app.noteStore.of(this.turn);
    this.keep?.setAttribute("aria-pressed", String(Boolean(note)));
    this.note.hidden = !note;
    if (note && document.activeElement !== this.field) this.field.value = note.text;
  }

  async #keep() {
    const isKept = Boolean(app.noteStore.of(this.turn));
    await (isKept ? app.noteStore.remove(this.turn.id, "notes.removed") : app.notes.keep(this.turn, null));
    if (!this.note.hidden && !isKept) this.field.focus();
  }

  /** @param {Thumb} verdict */
  async #judge(verdict) {
    const isTaken = this.turn.vote === verdict; // once more takes it back
    await app.chat.vote(this.turn, isTaken ? null : verdict);
    this.form?.remove();
    if (verdict !== "down" || this.turn.vote !== "down") return;
    this.form = this.#reasons();
    this.element.append(this.form);
    this.form.querySelector("input")?.focus();
  }

  // Asks what is wrong with it.
  #reasons() {
    const { turn } = this;
    const name = `reason-${turn.id}`;
    const reasons = REASONS.map(([value, key]) => h("label", {}, h("input", { type: "radio", name, value }), say(key)));
    const comment = h("textarea", { rows: "2", dir: "auto", "aria-label": say("reason.words"), placeholder: say("reason.words"), maxlength: "2000" });
    /** @type {HTMLFormElement} */
    const form = h("form", { class: "reasons", "aria-label": say("reason.title") },
      h("fieldset", {}, h("legend", {}, say("reason.title")), h("div", { class: "choices" }, ...reasons)),
      comment,
      h("p", {}, h("button", { type: "submit", class: "more" }, say("reason.send")), h("button", { type: "button", class: "more", onclick: () => form.remove() }, say("reason.close"))),
    );
    form.addEventListener("submit", () => {
      const reason = /** @type {Reason | null} */ (new FormData(form).get(name));
      void app.chat.vote(turn, "down", { reason, comment: comment.value.trim() }).then(() => form.remove());
    });
    return form;
  }
}

// --- ways on from an answer: where else to look, and what to ask next -----------------------------

/** @param {string} label @param {() => unknown} onclick */
const offer = (label, onclick) => h("button", { type: "button", class: "offer", dir: "auto", onclick }, label);

// Where no passage answers for sure: all documents, other words, or only the likeliest document; and where
// none is left to see, to read that, or to ask otherwise.
/** @param {Turn} turn */
export function waysOn(turn) {
  const { question, about, alone, documents = [], further = [] } = turn;
  const all = app.library.documents.map(({ id }) => id);
  const best = passagesOf(turn)[0];
  /** @param {string[]} within */
  const again = (within) => app.chat.ask(question, { about, alone, within });
  const other = offer(say("going.words"), () => { other.disabled = true; void app.chat.lookFurther(turn, true).then(() => (other.disabled = false)); });
  return h("div", { class: "offers", role: "group", "aria-label": say("going.title") },
    all.some((id) => !documents.includes(id)) && offer(say("going.all", { count: all.length }), () => again(all)),
    active.notebook && offer(say("going.outside"), async () => (await app.navigation.goTo({ notebook: null, conversation: null })) && app.chat.ask(question)),
    !further.some(({ searches }) => searches.length) && other,
    documents.length > 1 && best && offer(say("going.only", { title: best.document }), () => again([best.document_id])),
    isExhausted(turn) && best && offer(say("going.read", { title: best.document }), () => app.chat.light(best)),
    isExhausted(turn) && offer(say("turn.edit"), () => app.chat.composer.askAbout(null, turn)),
  );
}

// Questions that are answered: instead of one that is not, or after one that is. Of a question about some
// documents alone they are asked of those.
/** @param {Turn} turn */
export function questions(turn) {
  const within = turn.within ?? (turn.about && [turn.about.document]);
  const found = (turn.instead ?? []).map(offered).map((question) =>
    h("li", {}, h("button", { type: "button", class: "instead", dir: "auto", onclick: () => app.chat.ask(question, { alone: true, within }) }, question)),
  );
  const title = say(turn.state === "refused" ? "answer.instead" : "answer.next");
  return found.length ? h("div", { class: "can" }, h("h3", {}, title), h("ul", {}, ...found)) : "";
}
