// The list of conversations: new, show, find, rename, export, delete.

import { exportMenu } from "../chat/export.js";
import { $, Latest, action, doubt, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { conversations, messageOf, active, renameConversation, searchConversations, orToast } from "../shared/api.js";
import { moment, say } from "../shared/i18n.js";
import { fresh } from "./store.js";
/** @import { SearchHit, Listing } from "../../types.js" */

export class History {
  renaming = false;
  /** @type {Listing[]} */
  all = [];
  drawn = new Latest();

  dialog = $("history");

  constructor() {
    $("open-history").addEventListener("click", () => this.open());
    $("history-find").addEventListener("input", () => void this.draw());
    for (const id of ["new-conversation", "new"]) $(id).addEventListener("click", () => this.#new());
  }

  open() {
    $("history-find").value = "";
    this.dialog.showModal();
    void this.draw();
  }

  // What is shown says its name; the list, while it is seen, what there is.
  async draw() {
    const { conversation } = app.chat;
    const isTold = conversation.turns.length > 0;
    $("conversation-title").textContent = isTold ? conversation.title : "";
    document.title = isTold ? `${conversation.title} – Footnote` : "Footnote";
    if (!this.dialog.open || this.renaming) return;
    const isLast = this.drawn.next();
    const sought = $("history-find").value.trim();
    if (sought) {
      const found = await orToast(searchConversations(sought));
      if (found && isLast()) $("conversations").replaceChildren(...(found.length ? found.map((one) => this.#hit(one)) : [h("li", {}, say("history.found_none"))]));
      return;
    }
    const found = await conversations().catch(messageOf);
    if (!isLast()) return;
    if (typeof found === "string") return $("conversations").replaceChildren(h("li", { class: "wrong" }, found));
    this.all = found.filter(({ id }) => !app.store.removed.has(id));
    $("conversations").replaceChildren(...this.all.map((one) => this.#item(one)));
  }

  /** @param {Listing} one */
  #item(one) {
    const current = one.id === app.chat.conversation.id;
    const name = h("button", { type: "button", class: "name", dir: "auto", "aria-current": current ? "true" : undefined, onclick: () => this.#show(one.id) }, one.title || say("conversation.untitled"));
    const what = [one.by, moment(one.updated)].filter(Boolean).join(" · ");
    return h("li", {},
      h("div", { class: "what" }, name, h("small", {}, what)),
      h("div", { class: "acts" },
        one.mine && action("edit", say("history.rename", { title: one.title }), () => this.#rename(one, name)),
        exportMenu(`conversations/${one.id}`, say("history.export", { title: one.title })),
        one.mine && action("trash", say("history.delete", { title: one.title }), () => this.#remove(one)),
      ),
    );
  }

  // A question that has what is sought.
  /** @param {SearchHit} found */
  #hit({ conversation, turn, question, text, uncertain }) {
    const what = [conversation.title, moment(conversation.updated)].join(" · ");
    const name = h("button", { type: "button", class: "name", dir: "auto", onclick: () => this.#show(conversation.id, turn) }, question);
    return h("li", {}, h("div", { class: "what" }, name, text !== question && h("q", { dir: "auto" }, text), doubt(uncertain), h("small", { dir: "auto" }, what)));
  }

  #new() {
    this.dialog.close();
    app.navigation.show(fresh());
    $("question").focus();
  }

  // Show one, or a question of it.
  /** @param {string} conversation @param {string | null} turn */
  async #show(conversation, turn = null) {
    this.dialog.close();
    if ((await app.navigation.goTo({ conversation, turn })) && !turn) $("question").focus();
  }

  /** @param {Listing} one @param {HTMLElement} name */
  #rename(one, name) {
    const field = h("input", { "aria-label": say("history.name"), maxlength: "120", dir: "auto", value: one.title });
    this.renaming = true;
    this.drawn.next(); // a list that is on its way must not replace the field
    /** @param {boolean} keep */
    const finish = async (keep) => {
      if (!this.renaming) return;
      this.renaming = false;
      const title = field.value.trim();
      if (keep && title && title !== one.title && (await orToast(renameConversation(one.id, title)))) {
        if (one.id === app.chat.conversation.id) Object.assign(app.chat.conversation, { title, named: true });
      }
      await this.draw();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") event.preventDefault();
      if (event.key === "Enter" || event.key === "Escape") void finish(event.key === "Enter");
    });
    field.addEventListener("blur", () => void finish(true));
    name.replaceWith(field);
    field.select();
  }

  /** @param {Listing} one */
  async #remove(one) {
    const at = this.all.findIndex(({ id }) => id === one.id);
    app.chat.stop(one.id);
    if (!(await app.store.remove(one.id, one.notebook))) return;
    const wasShown = one.id === app.chat.conversation.id;
    if (wasShown) app.navigation.show(fresh(), true);
    await this.draw();
    // The focus goes on where it was: to the next one, or else to what there is.
    const names = /** @type {NodeListOf<HTMLElement>} */ ($("conversations").querySelectorAll(".name"));
    (names[Math.min(at, names.length - 1)] ?? $("new-conversation")).focus();
    toast(say("history.deleted", { title: one.title }), say("history.undo"), async () => {
      await app.store.restore(one.id, one.notebook);
      if (wasShown && one.notebook === active.notebook) await app.navigation.goTo({ conversation: one.id }, true);
      await this.draw();
    });
  }
}
