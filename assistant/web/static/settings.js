// What the page looks like and which language it speaks, as its reader has chosen.

import { $, h } from "./shared/dom.js";
import { storage } from "./shared/storage.js";
import { CHOICE, LANGUAGES, language, say } from "./shared/words.js";
/** @import { Key } from "../types.js" */

/** @type {[string, Key][]} */
const THEMES = [["", "theme.device"], ["light", "theme.light"], ["dark", "theme.dark"]];

// `user`: who has logged in, if anybody has to.
/** @param {string | null} user */
export function settings(user) {
  $("open-settings").addEventListener("click", () => $("settings").showModal());
  $("log-out").hidden = $("logged-in").hidden = user === null;
  if (user !== null) $("logged-in").textContent = say("page.logged_in", { user });
  themes();
  languages();
}

function themes() {
  const [list, root] = [$("theme"), document.documentElement];
  list.replaceChildren(...THEMES.map(([value, key]) => h("option", { value }, say(key))));
  list.value = root.dataset.theme ?? "";
  list.addEventListener("change", () => {
    if (list.value) root.dataset.theme = list.value;
    else delete root.dataset.theme;
    storage.set("footnote/theme", list.value);
  });
}

// Each by its own name. What is shown stays: the page is loaded again with it.
function languages() {
  const list = $("language");
  const nameOf = (/** @type {string} */ one) => new Intl.DisplayNames(one, { type: "language" }).of(one) ?? one;
  list.replaceChildren(...LANGUAGES.map((one) => h("option", { value: one, lang: one }, nameOf(one))));
  list.value = language;
  list.addEventListener("change", () => {
    storage.set(CHOICE, list.value);
    location.reload();
  });
}
