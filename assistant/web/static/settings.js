// What the page looks like and which language it speaks, as its reader has chosen.

import { $, h } from "./shared/dom.js";
import { storage } from "./shared/storage.js";
import { CHOICE, LANGUAGES, language, say } from "./shared/i18n.js";

// `user`: who has logged in, if anybody has to.
/** @param {string | null} user */
export function settings(user) {
  $("log-out").hidden = $("logged-in").hidden = user === null;
  if (user !== null) $("logged-in").textContent = say("page.logged_in", { user });
  const [theme, root] = [$("theme"), document.documentElement];
  theme.value = root.dataset.theme ?? "";
  theme.addEventListener("change", () => {
    root.dataset.theme = theme.value;
    storage.set("footnote/theme", theme.value);
  });
  // Each language by its own name. What is shown stays: the page is loaded again with it.
  const list = $("language");
  list.replaceChildren(...LANGUAGES.map((one) => h("option", { value: one, lang: one }, new Intl.DisplayNames(one, { type: "language" }).of(one))));
  list.value = language;
  list.addEventListener("change", () => {
    storage.set(CHOICE, list.value);
    location.reload();
  });
}
