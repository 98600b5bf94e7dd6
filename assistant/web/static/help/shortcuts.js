// What can be done by a key, of which a sheet of page.html tells.

import { actOnKey, closest, undo } from "../shared/dom.js";

// Let keys do these things, or click what page.html says they are for, wherever nothing is written and nothing
// lies over the page.
/** @param {Record<string, () => unknown>} acts */
export function listen(acts) {
  addEventListener("keydown", (event) => {
    if (event.altKey || event.defaultPrevented || closest(event, "input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && undo()) event.preventDefault();
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog:modal")) return;
    // In passages, keys go through them.
    if (closest(event, "[role=feed]") && event.key.length === 1 && "jky0".includes(event.key)) return;
    if (event.key.length > 1) return; // other parts of the page have a use of those
    const button = /** @type {HTMLElement | null} */ (document.querySelector(`[aria-keyshortcuts="${CSS.escape(event.key)}"]`));
    actOnKey(event, button ? { [event.key]: () => button.click() } : acts);
  });
}
