// Where a question is written: what it is about or which one it replaces, its draft, and whether it can
// be asked.

import { $, characters, isFree, onKey, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { say } from "../shared/i18n.js";
import { onPastedText, wantedText } from "../uploads/inputs.js";
import { aboutIn } from "./answer.js";
/** @import { About, Turn } from "../../types.js" */

const MAX_QUESTION = 4000; // characters

export class Composer {
  box = $("question");
  busy = false;
  /** @type {About | null} */
  about = null;
  /** @type {Turn | null} */
  editing = null;
  before = ""; // what was written before a question was edited

  constructor() {
    $("composer").addEventListener("submit", () => this.#send());
    this.box.addEventListener("input", () => this.#written());
    onKey(this.box, "Enter", () => this.#send(), (event) => !event.shiftKey && !event.isComposing);
    onKey(this.box, "Escape", () => this.askAbout(null), () => !$("context").hidden);
    // The shortcuts of the page work there.
    onKey(this.box, "Escape", () => $("turns").focus(), (event) => !event.defaultPrevented && !this.busy);
    onKey(this.box, "ArrowUp", () => app.chat.goUp(), () => !this.box.value);
    $("stop").addEventListener("click", () => app.chat.stop());
    $("context-drop").addEventListener("click", () => this.askAbout(null));
    onPastedText(this.box, MAX_QUESTION, (text) => {
      app.library.uploads.add([wantedText(text)]);
      toast(say("question.pasted"));
    });
    onKey(window, "Escape", () => app.chat.stop(), (event) => this.busy && isFree(event));
  }

  #send() {
    const question = this.box.value.trim();
    if (!question || $("send").disabled || this.busy) return;
    const { about, editing, before } = this;
    this.askAbout(null);
    this.box.value = editing ? before : "";
    this.#written();
    app.chat.send(question, about ?? editing?.about, editing);
  }

  // Another conversation is shown: what was being written in it.
  show() {
    this.askAbout(null);
    this.box.value = app.store.draft(app.chat.drafted());
    this.ready();
  }

  // What the next question is about: a paragraph, or a question that it replaces; or nothing.
  /** @param {About | null} about @param {Turn | null} editing */
  askAbout(about, editing = null) {
    if (editing && !this.editing) this.before = this.box.value;
    if (this.editing && !editing) this.box.value = this.before;
    this.about = about;
    this.editing = editing;
    $("context").hidden = !about && !editing;
    if (about) $("context-text").textContent = aboutIn(about);
    if (editing) {
      $("context-text").textContent = say("question.editing");
      this.box.value = editing.question;
    }
    if (about || editing) this.box.focus();
    this.ready();
  }

  // What is written is kept as long as the tab is open, but for a question that is edited.
  #written() {
    if (!this.editing) app.store.keepDraft(app.chat.drafted(), this.box.value);
    this.ready();
  }

  // Whether it can be asked: there is something to ask, and it is not too long.
  ready() {
    const over = characters(this.box.value.trim()).length - MAX_QUESTION;
    $("too-long").hidden = over <= 0;
    if (over > 0) $("too-long").textContent = say("question.long", { count: over });
    $("send").disabled = over > 0 || !(this.about || app.library.asked().length);
  }

  // Whether one is being answered, which can be stopped instead.
  /** @param {boolean} busy */
  answering(busy) {
    const hadFocus = [$("stop"), $("send")].some((button) => button === document.activeElement);
    this.busy = busy;
    $("send").hidden = busy;
    $("stop").hidden = !busy;
    if (hadFocus) (busy ? $("stop") : this.box).focus();
  }
}
