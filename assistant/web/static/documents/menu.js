// What may be done with one document of the list: opening or downloading its original, renaming it, adding it
// to a notebook, removing it.

import { $, h, outward, rename } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { renameDocument, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Library } from "./library.js" */
/** @import { Child, Listed } from "../../types.js" */

export class DocumentMenu {
  /** @param {Library} library */
  constructor(library) {
    this.library = library;
    this.box = $("document-menu");
    this.box.addEventListener("click", () => this.box.hidePopover());
  }

  /** @param {Listed} one @param {HTMLElement} row */
  open(one, row) {
    const { id, title, link, address, own } = one;
    const { all, current, mayWrite } = app.notebooks;
    const into = current ? [] : all.filter(({ role, documents }) => role !== "read" && !documents.includes(id));
    /** @param {string} label @param {() => unknown} onclick */
    const choice = (label, onclick) => h("button", { type: "button", dir: "auto", onclick }, label);
    /** @type {Child[]} */
    const choices = [
      choice(say("list.only"), () => this.library.ask([id])),
      outward(link),
      outward(address),
      h("a", { href: `documents/${id}/original`, download: "" }, say("list.original")),
      own && choice(say("list.rename"), () => this.#rename(one, row)),
      (current ? mayWrite : own) && choice(say(current ? "list.take_out" : "library.remove"), () => this.library.remove([one])),
      into.length > 0 && h("p", { class: "fine" }, say("list.put_into")),
      ...into.map((notebook) => choice(notebook.name, () => this.library.put(notebook.id, [one]))),
    ];
    this.box.replaceChildren(...choices.filter((child) => child instanceof Node));
    this.box.setAttribute("aria-label", say("list.more", { title }));
    this.box.showPopover({ source: /** @type {HTMLElement} */ (row.querySelector(".acts button:last-child")) });
    /** @type {HTMLElement | null} */ (this.box.querySelector("button, a"))?.focus();
  }

  // Its title becomes a field; without a title it is called as it calls itself.
  /** @param {Listed} one @param {HTMLElement} row */
  #rename({ id, title }, row) {
    const name = /** @type {HTMLElement} */ (row.querySelector(".title"));
    rename(name, { "aria-label": say("list.rename.label"), maxlength: "200", value: title }, async (written) => {
      if (written !== null && written !== title && (await orToast(renameDocument(id, written)))) await this.library.renamed(id);
    });
  }
}
