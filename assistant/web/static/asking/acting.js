// What can be done with an answer: copy it, ask again, take it along, keep it with a note, judge it.

import { noting } from "../notes/noting.js";
import { addressOf } from "../shared/address.js";
import { action, flagged, h } from "../shared/dom.js";
import { open_ } from "../shared/server.js";
import { say } from "../shared/words.js";
import { citationsOf, isOfDocuments, isUnsure } from "./answer.js";
import { exportMenu } from "./exporting.js";
import { nameOf } from "./passages.js";
/** @import { Key, Reason, Thumb, Turn, TurnActs } from "../../types.js" */

/** @type {[Thumb, Key][]} */
const THUMBS = [["up", "turn.good"], ["down", "turn.bad"]];
/** @type {[Reason, Key][]} */
const REASONS = [["wrong", "reason.wrong"], ["other", "reason.other"], ["incomplete", "reason.incomplete"], ["source", "reason.source"]];

export class Actions {
  /** @type {HTMLElement | null} */
  form = null; // that asks what is wrong

  /** @param {Turn} turn @param {TurnActs} acts */
  constructor(turn, acts) {
    this.turn = turn;
    this.acts = acts;
    const judged = turn.answer && isOfDocuments(turn) && !isUnsure(turn);
    this.thumbs = judged ? THUMBS.map(([verdict, name]) => action(verdict, say(name), () => this.#judge(verdict))) : [];
    this.keep = turn.answer ? action("keep", say("turn.keep"), () => this.#keep()) : null;
    this.keep?.classList.add("writes");
    const { field, element } = noting(turn.id, (text, over) => this.acts.keep(this.turn, text, over), true);
    this.field = field;
    this.note = element;
    const print = h("button", { type: "button", onclick: () => setTimeout(print_) }, say("export.print"));
    const here = () => `${location.origin}${addressOf({ notebook: open_.notebook, conversation: acts.conversation(), turn: turn.id })}`;
    const link = h("button", { type: "button", onclick: () => void acts.take(here(), say("export.linked")) }, say("export.link"));
    const row = h(
      "div",
      { class: "actions", role: "group", "aria-label": say("turn.actions") },
      turn.answer && action("copy", say("turn.copy"), () => acts.copy(turn)),
      action("retry", say("turn.retry"), () => acts.retry(turn), turn.state === "failed" || turn.state === "stopped"),
      acts.mine() && action("edit", say("turn.edit"), () => acts.edit(turn)),
      this.keep,
      turn.answer && exportMenu(`conversations/${acts.conversation()}`, say("turn.export"), { turn: turn.id }, print, link),
      ...this.thumbs,
      acts.mine() && action("trash", say("turn.delete"), () => acts.drop(turn)),
    );
    this.element = h("div", {}, row, this.note);
    this.tell();
  }

  // Show what its reader says of it, and whether it is kept.
  tell() {
    this.thumbs.forEach((thumb, number) => thumb.setAttribute("aria-pressed", String(THUMBS[number]?.[0] === this.turn.vote)));
    const note = this.acts.kept(this.turn);
    this.keep?.setAttribute("aria-pressed", String(Boolean(note)));
    this.note.hidden = !note;
    if (note && document.activeElement !== this.field) this.field.value = note.text;
  }

  async #keep() {
    const isKept = Boolean(this.acts.kept(this.turn));
    await (isKept ? this.acts.unkeep(this.turn) : this.acts.keep(this.turn, null));
    if (!this.note.hidden && !isKept) this.field.focus();
  }

  /** @param {Thumb} verdict */
  async #judge(verdict) {
    const isTaken = this.turn.vote === verdict; // once more takes it back
    await this.acts.vote(this.turn, isTaken ? null : verdict);
    this.form?.remove();
    if (verdict !== "down" || this.turn.vote !== "down") return;
    this.form = this.#reasons();
    this.element.append(this.form);
    this.form.querySelector("input")?.focus();
  }

  // Asks what is wrong with it, and which of the passages that are shown is right.
  #reasons() {
    const { turn } = this;
    const name = `reason-${turn.id}`;
    const reasons = REASONS.map(([value, key]) => h("label", {}, h("input", { type: "radio", name, value }), say(key)));
    const passages = [...citationsOf(turn), ...(turn.answer?.closest ?? [])].map((citation) => {
      const box = h("input", { type: "checkbox", value: nameOf(citation) });
      return { box, label: h("label", { dir: "auto" }, box, h("span", {}, ...flagged(citation), h("q", {}, citation.quote))) };
    });
    const comment = h("textarea", { rows: "2", dir: "auto", "aria-label": say("reason.words"), placeholder: say("reason.words"), maxlength: "2000" });
    /** @type {HTMLFormElement} */
    const form = h(
      "form",
      { class: "reasons", "aria-label": say("reason.title") },
      h("fieldset", {}, h("legend", {}, say("reason.title")), h("div", { class: "choices" }, ...reasons)),
      passages.length > 0 && h("details", {}, h("summary", {}, say("reason.right")), ...passages.map(({ label }) => label)),
      comment,
      h("p", {}, h("button", { type: "submit", class: "more" }, say("reason.send")), h("button", { type: "button", class: "more", onclick: () => form.remove() }, say("reason.close"))),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const reason = /** @type {Reason | null} */ (new FormData(form).get(name));
      const right = passages.filter(({ box }) => box.checked).map(({ box }) => box.value);
      void this.acts.vote(turn, "down", { reason, comment: comment.value.trim(), right }).then(() => form.remove());
    });
    return form;
  }
}

const print_ = () => print();
