// What may be done with one document of the list: opening or downloading its original, renaming it, adding it
// to a notebook, removing it.

import { h, menu, outward, rename } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { renameDocument, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Library } from "./library.js" */
/** @import { Listed } from "../../types.js" */

// The menu of a document, with what may be done once it opens.
/** @param {Library} library @param {Listed} one */
export function documentMenu(library, one) {
  const element = menu("dots", say("list.more", { title: one.title }));
  const list = element.querySelector(".items");
  list?.addEventListener("beforetoggle", () => list.replaceChildren(...choices(library, one, element).filter((child) => child instanceof Node)));
  return element;
}

/** @param {Library} library @param {Listed} one @param {HTMLElement} element its menu */
function choices(library, one, element) {
  const { id, link, address, own } = one;
  const { all, current, mayWrite } = app.notebooks;
  const into = current ? [] : all.filter(({ role, documents }) => role !== "read" && !documents.includes(id));
  /** @param {string} label @param {() => unknown} onclick */
  const choice = (label, onclick) => h("button", { type: "button", dir: "auto", onclick }, label);
  return [
    choice(say("list.only"), () => library.ask([id])),
    outward(link),
    outward(address),
    h("a", { href: `documents/${id}/original`, download: "" }, say("list.original")),
    own && choice(say("list.rename"), () => renamed(library, one, element)),
    (current ? mayWrite : own) && choice(say(current ? "list.take_out" : "library.remove"), () => library.remove([one])),
    into.length > 0 && h("p", { class: "fine" }, say("list.put_into")),
    ...into.map((notebook) => choice(notebook.name, () => library.put(notebook.id, [one]))),
  ];
}

// Its title becomes a field; without a title it is called as it calls itself.
/** @param {Library} library @param {Listed} one @param {HTMLElement} element its menu */
function renamed(library, { id, title }, element) {
  const name = /** @type {HTMLElement} */ (element.closest("li")?.querySelector(".title"));
  rename(name, { "aria-label": say("list.rename.label"), maxlength: "200", value: title }, async (written) => {
    if (written !== null && written !== title && (await orToast(renameDocument(id, written)))) await library.updated(id);
  });
}
