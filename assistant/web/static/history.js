// The list of conversations: new, show, rename, export, delete.

import { $, action, h, toast } from "./dom.js";
import { asMarkdown, download } from "./exporting.js";
import { fresh } from "./store.js";
/** @import { Store } from "./store.js" */
/** @import { Talk } from "./talk.js" */
/** @import { Conversation } from "../types.js" */

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

export class History {
  renaming = false;

  /** @param {Store} store @param {Talk} talk */
  constructor(store, talk) {
    this.store = store;
    this.talk = talk;
    this.dialog = $("history");
    $("open-history").addEventListener("click", () => {
      this.draw();
      this.dialog.showModal();
    });
    for (const id of ["new-conversation", "new"]) $(id).addEventListener("click", () => this.#show(fresh()));
  }

  draw() {
    if (this.renaming) return;
    const { conversation } = this.talk;
    const items = this.store.all().map((one) => this.#item(one, one.id === conversation.id));
    $("conversations").replaceChildren(...items);
    $("conversation-title").textContent = conversation.turns.length ? conversation.title : "";
    document.title = conversation.turns.length ? `${conversation.title} – Footnote` : "Footnote";
  }

  /** @param {Conversation} one @param {boolean} current */
  #item(one, current) {
    const name = h("button", { type: "button", class: "name", dir: "auto", "aria-current": current ? "true" : undefined, onclick: () => this.#show(current ? this.talk.conversation : this.store.load(one.id) ?? one) }, one.title || "Conversation");
    const turns = one.turns.length === 1 ? "1 question" : `${one.turns.length} questions`;
    return h(
      "li",
      {},
      h("div", { class: "what" }, name, h("small", {}, `${turns} · ${day.format(one.updated)}`)),
      h(
        "div",
        { class: "acts" },
        action("edit", `Rename ${one.title}`, () => this.#rename(one, name)),
        action("export", `Export ${one.title} as Markdown`, () => download(fileName(one.title), asMarkdown(one))),
        action("trash", `Delete ${one.title}`, () => this.#remove(one)),
      ),
    );
  }

  /** @param {Conversation} conversation */
  #show(conversation) {
    this.talk.show(conversation);
    this.dialog.close();
    $("question").focus();
  }

  /** @param {Conversation} one @param {HTMLElement} name */
  #rename(one, name) {
    const field = h("input", { "aria-label": "Name of the conversation", maxlength: "120", dir: "auto", value: one.title });
    this.renaming = true;
    /** @param {boolean} keep */
    const finish = (keep) => {
      if (!this.renaming) return;
      this.renaming = false;
      const title = field.value.trim();
      const named = { title, named: true };
      if (keep && title) {
        if (one.id === this.talk.conversation.id) Object.assign(this.talk.conversation, named);
        this.store.change(one, (kept) => void Object.assign(kept, named));
      }
      this.draw();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.preventDefault();
      if (event.key === "Enter" || event.key === "Escape") finish(event.key === "Enter");
    });
    field.addEventListener("blur", () => finish(true));
    name.replaceWith(field);
    field.select();
  }

  /** @param {Conversation} one */
  #remove(one) {
    this.store.remove(one.id);
    this.talk.stop(one.id);
    if (one.id === this.talk.conversation.id) this.talk.show(fresh());
    this.draw();
    toast(`Deleted: ${one.title}`, "Undo", () => {
      this.store.restore(one);
      this.draw();
    });
  }
}

/** @param {string} title */
const fileName = (title) => `${title.replace(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 60) || "conversation"}.md`;
