// Logs in, and shows the page.

const form = /** @type {HTMLFormElement} */ (document.getElementById("login"));
const wrong = /** @type {HTMLElement} */ (document.getElementById("wrong"));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void logIn();
});

async function logIn() {
  wrong.textContent = "";
  const body = new URLSearchParams(/** @type {[string, string][]} */ ([...new FormData(form)]));
  try {
    const answer = await fetch("login", { method: "POST", body });
    if (answer.ok) {
      location.reload();
      return;
    }
    /** @type {unknown} */
    const told = await answer.json();
    wrong.textContent = (/** @type {{ detail: string }} */ (told)).detail;
  } catch {
    wrong.textContent = "Footnote cannot be reached. Is it still running?";
  }
}
