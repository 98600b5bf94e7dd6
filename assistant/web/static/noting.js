// Where its reader writes a note.

import { h } from "./dom.js";
import { say } from "./words.js";

// The field, and what it stands in; `written` hears what was written, without spaces around it.
/** @param {(text: string) => unknown} written @param {boolean} hidden */
export function noting(written, hidden = false) {
  const field = h("textarea", { rows: "1", dir: "auto", "aria-label": say("notes.own"), placeholder: say("notes.own.more"), maxlength: "20000" });
  field.addEventListener("change", () => void written(field.value.trim()));
  return { field, element: h("div", { class: "own", hidden }, field, h("button", { type: "button", class: "more" }, say("notes.save"))) };
}
