// The list of conversations: new, show, find, pin, rename, export, delete.

import { exportMenu } from "../chat/export.js";
import { $, Latest, action, doubt, h, toast, rename } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { changeConversation, conversations, messageOf, active, searchConversations, orToast } from "../shared/api.js";
import { day, dayOfYear, moment, month, say, time } from "../shared/i18n.js";
import { fresh } from "./store.js";
/** @import { SearchHit, Listing } from "../../types.js" */

export class History {
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
    if (!this.dialog.open || $("conversations").querySelector("input")) return; // one is being renamed
    const isLast = this.drawn.next();
    const sought = $("history-find").value.trim();
    if (sought) {
      const found = await orToast(searchConversations(sought));
      if (found && isLast()) $("conversations").replaceChildren(h("ul", {}, ...(found.length ? found.map((one) => this.#hit(one)) : [h("li", {}, say("history.found_none"))])));
      return;
    }
    const [found] = await Promise.all([conversations().catch(messageOf), active.notebook ? null : app.notebooks.refresh()]);
    if (!isLast()) return;
    if (typeof found === "string") return $("conversations").replaceChildren(h("p", { class: "wrong" }, found));
    this.all = found.filter(({ id }) => !app.store.removed.has(id)).sort((one, other) => Number(other.pinned) - Number(one.pinned));
    const groups = Map.groupBy(this.all, groupOf);
    $("conversations").replaceChildren(...[...groups].flatMap(([name, all]) => [h("h3", {}, name), h("ul", {}, ...all.map((one) => this.#item(one)))]));
  }

  /** @param {Listing} one */
  #item(one) {
    const current = one.id === app.chat.conversation.id;
    const name = h("button", { type: "button", class: "name", dir: "auto", "aria-current": current ? "true" : undefined, onclick: () => this.#show(one) }, one.title || say("conversation.untitled"));
    const what = [notebookOf(one), one.by, whenOf(one)].filter(Boolean).join(" · ");
    const pin = action("pin", say("history.pin", { title: one.title }), () => this.#pin(one));
    pin.setAttribute("aria-pressed", String(one.pinned));
    return h("li", { dataset: { id: one.id } },
      h("div", { class: "what" }, name, h("small", { dir: "auto" }, what)),
      h("div", { class: "acts" },
        one.mine && action("edit", say("history.rename", { title: one.title }), () => this.#rename(one, name)),
        one.mine && pin,
        exportMenu(`conversations/${one.id}`, say("history.export", { title: one.title }), one.notebook ? { notebook: one.notebook } : {}),
        one.mine && action("trash", say("history.delete", { title: one.title }), () => this.#remove(one)),
      ),
    );
  }

  // A question that has what is sought.
  /** @param {SearchHit} found */
  #hit({ conversation, turn, question, text, uncertain }) {
    const what = [conversation.title, notebookOf(conversation), moment(conversation.updated)].filter(Boolean).join(" · ");
    const name = h("button", { type: "button", class: "name", dir: "auto", onclick: () => this.#show(conversation, turn) }, question);
    return h("li", {}, h("div", { class: "what" }, name, text !== question && h("q", { dir: "auto" }, text), doubt(uncertain), h("small", { dir: "auto" }, what)));
  }

  #new() {
    this.dialog.close();
    app.navigation.show(fresh());
    $("question").focus();
  }

  // Show one, or a question of it.
  /** @param {Listing} one @param {string | null} turn */
  async #show({ id, notebook }, turn = null) {
    this.dialog.close();
    if ((await app.navigation.goTo({ notebook, conversation: id, turn })) && !turn) $("question").focus();
  }

  /** @param {Listing} one */
  async #pin({ id, pinned, notebook }) {
    if (!(await orToast(changeConversation(id, { pinned: !pinned }, notebook)))) return;
    await this.draw();
    /** @type {HTMLElement | null} */ ($("conversations").querySelector(`[data-id="${id}"] [aria-pressed]`))?.focus();
  }

  /** @param {Listing} one @param {HTMLElement} name */
  #rename(one, name) {
    this.drawn.next(); // a list that is on its way must not replace the field
    rename(name, { "aria-label": say("history.name"), maxlength: "120", value: one.title }, async (title) => {
      if (title && title !== one.title && (await orToast(changeConversation(one.id, { title }, one.notebook)))) {
        if (one.id === app.chat.conversation.id) Object.assign(app.chat.conversation, { title, named: true });
      }
      await this.draw();
    });
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

// The name of its notebook, where that is not the one that is open.
/** @param {Listing} one */
const notebookOf = ({ notebook }) => notebook !== active.notebook && app.notebooks.all.find(({ id }) => id === notebook)?.name;

// When a day began here, so many days ago.
/** @param {number} days */
const midnight = (days) => new Date().setHours(-24 * days, 0, 0, 0);

// What a conversation is listed under; and when it was, as far as that does not say it.
/** @param {Listing} one */
function groupOf({ pinned, updated }) {
  if (pinned) return say("history.pinned");
  if (updated >= midnight(0)) return say("history.today");
  if (updated >= midnight(1)) return say("history.yesterday");
  return updated >= midnight(7) ? say("history.week") : month(updated);
}

/** @param {Listing} one */
const whenOf = ({ pinned, updated }) => (updated >= midnight(pinned ? 0 : 1) ? time : pinned ? day : dayOfYear)(updated);
