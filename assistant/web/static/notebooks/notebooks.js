// Notebooks: named sets of documents with conversations of their own. One of them is open, or none:
// then all documents are asked.

import { exportMenu } from "../chat/export.js";
import { $, Latest, action, h, rename, toast, onKey } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { addNotebook, changeNotebook, notebooks, active, remove, restore, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Notebook } from "../../types.js" */

export class Notebooks {
  /** @type {Notebook[]} */
  all = [];
  asked = new Latest(); // which there are; what is made or deleted here meanwhile counts more

  dialog = $("notebooks");

  // `user`: who has logged in, if anybody has to.
  /** @param {string | null} user */
  constructor(user) {
    this.user = user;
    $("open-notebooks").addEventListener("click", () => {
      void this.refresh();
      this.dialog.showModal();
    });
    $("add-notebook").addEventListener("submit", () => void this.#add());
  }

  // The one that is open.
  get current() {
    return this.all.find(({ id }) => id === active.notebook) ?? null;
  }

  // Whether its reader may ask and add in what is open.
  get mayWrite() {
    return this.current?.role !== "read";
  }

  // Go to one, or to none.
  /** @param {string | null} notebook */
  open = (notebook) => app.navigation.goTo({ notebook });

  async refresh() {
    const isLast = this.asked.next();
    const found = await orToast(notebooks());
    if (!found || !isLast()) return;
    this.all = found;
    if (active.notebook && !this.current) await this.open(null); // deleted, or no longer shared
    if (!$("notebook-list").querySelector("input")) this.draw(); // else a name is being written there
  }

  /** @param {string | null} id */
  async #choose(id) {
    this.dialog.close();
    await this.open(id);
    $("question").focus();
  }

  async #add() {
    const field = $("notebook-name");
    const name = field.value.trim();
    if (!name) return field.focus();
    const made = await orToast(addNotebook(name));
    if (!made) return;
    field.value = "";
    this.asked.next();
    this.all.push(made);
    await this.#choose(made.id);
    toast(say("notebooks.made", { name }));
  }

  draw() {
    const { current } = this;
    $("notebook").textContent = [current?.name ?? say("notebooks.all"), ...(this.mayWrite ? [] : [say("notebooks.read_only")])].join(" · ");
    document.body.dataset.may = this.mayWrite ? "write" : "read";
    $("notebook-list").replaceChildren(
      h("li", {}, this.#name(null, say("notebooks.all"))),
      ...this.all.map((one) => this.#item(one)),
    );
  }

  /** @param {string | null} id @param {string} name */
  #name(id, name) {
    const current = id === active.notebook ? "true" : undefined;
    return h("button", { type: "button", class: "name", dir: "auto", "aria-current": current, onclick: () => this.#choose(id) }, name);
  }

  /** @param {Notebook} one @returns {HTMLElement} */
  #item(one) {
    const { id, name, role, owner } = one;
    const shared = Object.keys(one.shared);
    const what = [say("notebooks.documents", { count: one.documents.length })];
    if (role !== "own") what.push(say(role === "read" ? "notebooks.by.read" : "notebooks.by.write", { owner }));
    else if (shared.length) what.push(say("notebooks.shared", { names: shared.join(", ") }));
    const button = this.#name(id, name);
    const acts = h("div", { class: "acts" },
      role === "own" && action("edit", say("notebooks.rename", { name }), () => this.#rename(one, button)),
      role === "own" && this.user !== null && action("share", say("notebooks.share", { name }), () => this.#share(one, item)),
      exportMenu(`notebooks/${id}`, say("history.export", { title: name })),
      role === "own" && action("trash", say("notebooks.delete", { name }), () => this.#remove(one)),
    );
    /** @type {HTMLElement} */
    const item = h("li", {}, h("div", { class: "what" }, button, h("small", {}, what.join(" · "))), acts);
    return item;
  }

  /** @param {Notebook} one @param {HTMLElement} button with its name */
  #rename({ id, name }, button) {
    rename(button, { "aria-label": say("notebooks.name"), maxlength: "120", value: name }, async (written) => {
      if (written && written !== name && (await orToast(changeNotebook(id, { name: written })))) await this.refresh();
    });
  }

  // Who else may read it, or write in it, in the place of an item: a line each, and one more.
  /** @param {Notebook} one @param {HTMLElement} item */
  #share(one, item) {
    const rows = h("div", { class: "sharing" });
    /** @param {string} login @param {string} may */
    const add = (login, may) => {
      const select = h("select", { "aria-label": say("notebooks.may") }, h("option", { value: "read" }, say("notebooks.may.read")), h("option", { value: "write" }, say("notebooks.may.write")));
      select.value = may;
      const field = h("input", { "aria-label": say("notebooks.login"), placeholder: say("notebooks.login"), value: login });
      const out = login && action("out", say("notebooks.unshare", { name: login }), () => {
        row.remove();
        more.focus();
      });
      /** @type {HTMLElement} */
      const row = h("p", {}, field, select, out);
      rows.append(row);
      return field;
    };
    const more = h("button", { type: "button", class: "more", onclick: () => add("", "read").focus() }, say("notebooks.more"));
    for (const [login, may] of Object.entries(one.shared)) add(login, may);
    add("", "read");
    const done = async () => {
      const shared = Object.fromEntries([...rows.children].map((row) => [row.querySelector("input")?.value.trim() ?? "", /** @type {"read" | "write"} */ (row.querySelector("select")?.value ?? "read")]));
      delete shared[""]; // one without a name is shared with nobody
      if (await orToast(changeNotebook(one.id, { shared }))) await this.refresh().then(close);
    };
    const close = () => {
      this.draw();
      $("notebook-name").focus();
    };
    const form = h("form", { class: "inline", onsubmit: done },
      h("p", { class: "fine" }, say("notebooks.share.how", { name: one.name })), rows, more,
      h("div", { class: "acts" }, h("button", { type: "submit", class: "more" }, say("notebooks.save")), h("button", { type: "button", class: "more", onclick: close }, say("question.cancel"))));
    onKey(form, "Escape", close);
    item.replaceChildren(form);
    form.querySelector("input")?.focus();
  }

  /** @param {Notebook} one */
  async #remove(one) {
    if (!(await orToast(remove(`notebooks/${one.id}`)))) return;
    this.asked.next();
    const wasOpen = one.id === active.notebook;
    this.all = this.all.filter(({ id }) => id !== one.id);
    if (wasOpen) await this.open(null);
    this.draw();
    $("notebook-name").focus();
    toast(say("notebooks.deleted", { name: one.name }), say("history.undo"), async () => {
      await orToast(restore(`notebooks/${one.id}`));
      await this.refresh();
      if (wasOpen) await this.open(one.id);
    });
  }
}
