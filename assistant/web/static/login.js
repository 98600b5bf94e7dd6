// Logs in, and shows the page.

import { say, sentenceOf, speak } from "./shared/i18n.js";
/** @import { Problem } from "../types.js" */

const form = /** @type {HTMLFormElement} */ (document.getElementById("login"));
const wrong = /** @type {HTMLElement} */ (document.getElementById("wrong"));
const spoken = speak(); // what is wrong can be said only then

form.onsubmit = async (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  wrong.textContent = "";
  const body = new URLSearchParams(/** @type {[string, string][]} */ ([...new FormData(form)]));
  try {
    const [answer] = await Promise.all([fetch("login", { method: "POST", body }), spoken]);
    if (answer.ok) return location.reload();
    /** @type {unknown} */
    const problem = await answer.json();
    wrong.textContent = sentenceOf(/** @type {Problem} */ (problem));
  } catch {
    wrong.textContent = say("login.unreachable");
  }
};
