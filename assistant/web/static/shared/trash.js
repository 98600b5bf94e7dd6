// Below each list: what was deleted and can still be restored.

import { $, doubted, h, toast } from "./dom.js";
import { trash, orToast } from "./api.js";
import { moment, say } from "./i18n.js";
/** @import { Deleted } from "../../types.js" */

// Add the list to a dialog, loaded when it is unfolded; `restored` is called after something was restored.
/** @param {"library" | "history" | "notebooks" | "notes"} dialog @param {Deleted["kind"]} kind @param {(one: Deleted) => Promise<unknown>} restore @param {() => unknown} restored */
export function trashIn(dialog, kind, restore, restored) {
  const list = h("ul", {});
  const title = h("summary", {}, say("trash.title"));
  const box = h("details", { class: "trash" }, title, list);
  box.addEventListener("toggle", () => box.open && void draw());
  $(dialog).addEventListener("close", () => (box.open = false));
  $(dialog).append(box);

  async function draw() {
    const all = await orToast(trash());
    if (!all) return;
    const here = all.filter((one) => one.kind === kind);
    list.replaceChildren(...here.map((one) => h("li", {},
      h("span", { dir: "auto" }, titleOf(one) || say("conversation.untitled"), h("small", {}, moment(one.deleted))),
      h("button", { type: "button", class: "more", "aria-label": say("trash.restore.label", { title: titleOf(one) }), onclick: () => void back(one) }, say("trash.restore")),
    )));
    if (!here.length) list.append(h("li", {}, h("small", {}, say("trash.none"))));
  }

  /** @param {Deleted} one */
  async function back(one) {
    if (!(await orToast(restore(one)))) return;
    await restored();
    await draw();
    title.focus();
    toast(say("trash.restored", { title: titleOf(one) }));
  }
}

/** @param {Deleted} one */
const titleOf = ({ title, uncertain }) => doubted(title, uncertain);
