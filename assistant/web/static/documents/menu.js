// What else may be done with a document of the list: keeping it, taking its original along, putting it
// into notebooks; and the documents that may be put into the notebook that is open.

import { $, h, outward, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { active, putIn, session, takeOut, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Library } from "./library.js" */
/** @import { Listed, Notebook } from "../../types.js" */

export class DocumentMenu {
  /** @param {Library} library */
  constructor(library) {
    this.library = library;
    this.box = $("document-menu");
    this.box.addEventListener("click", () => this.box.hidePopover());
    library.dialog.addEventListener("scroll", () => this.box.hidePopover());
    $("put-in").addEventListener("toggle", () => void this.#offer());
  }

  /** @param {Listed} one @param {HTMLElement} row */
  open(one, row) {
    const { id, title, link, address } = one;
    const { all, current } = app.notebooks;
    const into = current ? [] : all.filter(({ role, documents }) => role !== "read" && !documents.includes(id));
    this.box.replaceChildren(...[
      outward(link),
      outward(address),
      h("a", { href: `documents/${id}/original`, download: "" }, say("list.original")),
      into.length > 0 && h("p", { class: "fine" }, say("list.put_into")),
      ...into.map((notebook) => h("button", { type: "button", dir: "auto", onclick: () => this.#put(notebook, one) }, notebook.name)),
    ].filter((choice) => choice !== false));
    this.box.setAttribute("aria-label", say("list.more", { title }));
    this.box.showPopover();
    const { right, bottom, top } = (row.querySelector(".acts button:last-child") ?? row).getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.box;
    this.box.style.left = `${Math.max(8, right - offsetWidth)}px`;
    this.box.style.top = `${bottom + offsetHeight < innerHeight ? bottom : Math.max(8, top - offsetHeight)}px`;
    /** @type {HTMLElement | null} */
    const first = this.box.querySelector("button, a");
    first?.focus();
  }

  /** @param {Notebook} notebook @param {Listed} one */
  async #put({ id, name, documents }, { id: document, title }) {
    if (!(await orToast(putIn(id, document)))) return;
    documents.push(document);
    toast(say("list.put", { title, name }), say("history.undo"), () => {
      documents.splice(documents.indexOf(document), 1);
      void orToast(takeOut(id, document));
    });
  }

  // --- into the notebook that is open ---------------------------------------------------------

  draw() {
    const { current, mayWrite } = app.notebooks;
    $("put-in").hidden = !current || !mayWrite;
    $("put-in-title").textContent = say("list.put_in", { name: current?.name ?? "" });
    void this.#offer();
  }

  // Those that are not in it.
  async #offer() {
    const { notebook } = active;
    if (!$("put-in").open || !notebook) return;
    const all = await orToast(session(null));
    if (!all || notebook !== active.notebook) return;
    const inside = new Set(this.library.documents.map(({ id }) => id));
    const others = all.documents.filter(({ id }) => !inside.has(id));
    $("put-in-none").hidden = others.length > 0;
    // What stays is left where it is: a button that is replaced while it is pressed is not clicked.
    const list = $("put-in-list");
    const key = (/** @type {Listed} */ { id, title }) => `${notebook} ${id} ${title}`;
    const keys = new Set(others.map(key));
    for (const item of /** @type {HTMLElement[]} */ ([...list.children])) if (!keys.has(item.dataset.key ?? "")) item.remove();
    others.forEach((one, n) => {
      const there = /** @type {HTMLElement | undefined} */ (list.children[n]);
      if (there?.dataset.key !== key(one)) list.insertBefore(h("li", { data: { key: key(one) } }, h("b", { dir: "auto" }, one.title), h("button", { type: "button", class: "more", "aria-label": say("list.put_in.label", { title: one.title }), onclick: () => this.#putHere(notebook, one) }, say("list.put_in.one"))), there ?? null);
    });
    while (list.children.length > others.length) list.lastElementChild?.remove();
  }

  /** @param {string} notebook @param {Listed} one */
  async #putHere(notebook, { id, title }) {
    if (!(await orToast(putIn(notebook, id)))) return;
    this.library.activity.record("activity.put_in", title);
    await this.library.refresh(); // which draws what is left to put in
    $("put-in-title").focus();
  }
}
