// Where its reader writes a note. What is not saved yet is kept as long as the tab is open.

import { h } from "../shared/dom.js";
import { tab } from "../shared/storage.js";
import { say } from "../shared/words.js";

export const DRAFTS = "footnote/note/"; // with the note's id, what was written and not saved

// The field, and what it stands in; `written` hears what was written, without spaces around it, and
// what was there before.
/** @param {string} id of the note @param {(text: string, over: string) => unknown} written @param {boolean} hidden */
export function noting(id, written, hidden = false) {
  const field = h("textarea", { rows: "1", dir: "auto", "aria-label": say("notes.own"), placeholder: say("notes.own.more"), maxlength: "20000" });
  drafted(field, id, (text, over) => written(text.trim(), over.trim()));
  return { field, element: h("div", { class: "own", hidden }, field, h("button", { type: "button", class: "more" }, say("notes.save"))) };
}

// A field in which a note is written; `written` hears what was written, and what was there before.
/** @param {HTMLTextAreaElement} field @param {string} id of the note @param {(text: string, over: string) => unknown} written */
export function drafted(field, id, written) {
  let over = "";
  field.addEventListener("focus", () => (over = field.value));
  field.addEventListener("input", () => tab.set(`${DRAFTS}${id}`, field.value));
  field.addEventListener("change", () => void written(field.value, over));
}
