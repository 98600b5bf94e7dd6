// What can be done by a key, and a sheet that tells of it.

import { $, closest, h, undo } from "../shared/dom.js";
import { say } from "../shared/words.js";
/** @import { Key } from "../../types.js" */

/** @type {[string, Key][]} */
const ELSEWHERE = [
  ["Enter", "keys.ask"],
  ["Shift+Enter", "keys.line"],
  ["Esc", "keys.stop"],
  ["Ctrl+Z", "keys.undo"],
  ["F1", "keys.help"],
  ["↑", "keys.passages"],
  ["j k", "keys.through"],
  ["y", "keys.answers"],
  ["n", "keys.none"],
];

// Let keys do these things, wherever nothing is written and nothing lies over the page.
/** @param {[string, Key, () => unknown][]} acts */
export function listen(acts) {
  const sheet = $("keys");
  const all = [...acts.map(([key, what]) => /** @type {[string, Key]} */ ([key, what])), ["?", "keys.sheet"], ...ELSEWHERE];
  $("key-list").replaceChildren(
    ...all.flatMap(([key, what]) => [h("dt", {}, ...String(key).split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, say(/** @type {Key} */ (what)))]),
  );
  $("open-keys").addEventListener("click", () => sheet.showModal());
  addEventListener("keydown", (event) => {
    if (event.altKey || event.defaultPrevented || closest(event, "input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && undo()) event.preventDefault();
    if (event.ctrlKey || event.metaKey || document.querySelector("dialog:modal")) return;
    // In passages, keys go through them.
    if (closest(event, "[role=feed]") && event.key.length === 1 && "jkyn".includes(event.key)) return;
    const act = event.key === "?" ? () => sheet.showModal() : acts.find(([key]) => key === event.key)?.[2];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
