// A button that opens a few things to do. It closes with the one that is done, by Escape, and when the
// focus goes elsewhere.

import { h, icon, onKey } from "./dom.js";
/** @import { Icon } from "../../types.js" */

/** @param {Icon} name @param {string} label @param {HTMLElement[]} items */
export function menu(name, label, ...items) {
  const list = h("div", { class: "items" }, ...items);
  const button = h("summary", { class: "quiet", "aria-label": label, title: label }, icon(name));
  /** @type {HTMLDetailsElement} */
  const element = h("details", { class: "menu" }, button, list);
  const close = () => (element.open = false);
  element.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node) || !element.contains(event.relatedTarget)) close();
  });
  onKey(element, "Escape", () => { close(); button.focus(); }, () => element.open);
  list.addEventListener("click", () => {
    if (list.contains(document.activeElement)) button.focus(); // unless what was chosen takes it
    close();
  });
  // It stays on the page, however near to an edge its button is.
  element.addEventListener("toggle", () => {
    list.classList.toggle("up", false);
    const around = element.closest("dialog, #turns")?.getBoundingClientRect();
    if (element.open && around) list.classList.toggle("up", list.getBoundingClientRect().bottom > around.bottom);
  });
  return element;
}
