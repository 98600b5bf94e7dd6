// Puts the page together.

import { targetOf } from "./citing.js";
import { $, Latest, closest, h, toast } from "./dom.js";
import { Folder } from "./folder.js";
import { History } from "./history.js";
import { Library } from "./library.js";
import { Reader } from "./reader.js";
import { messageOf, session, starters } from "./server.js";
import { Store, fresh, storage } from "./store.js";
import { Talk } from "./talk.js";
import { Writing } from "./writing.js";

const ALIVE = 60_000; // milliseconds between signs of life
/** @type {Record<string, string>} */
const THEMES = { "": "as the device", light: "light", dark: "dark" };

const suggesting = new Latest();

theme();

const began = await session().catch((/** @type {unknown} */ error) => {
  toast(messageOf(error), "Retry", () => location.reload());
  return { user: null, documents: [] };
});
const store = new Store(began.user);
$("log-out").hidden = began.user === null;

/** @type {Reader} */
const reader = new Reader({
  citing: (documentId, number) => talk.citing(documentId, number),
  goTo: (turn) => {
    reader.close();
    talk.goTo(turn);
  },
  askAbout: (about) => {
    reader.close();
    talk.askAbout(about);
  },
});
const library = new Library(store, {
  changed: () => {
    reader.offer(library.documents);
    void suggest();
  },
  open: async (id) => {
    await reader.show(id);
    reader.open();
  },
  again: (id) => {
    if (reader.document?.id === id) void reader.show(id, true);
  },
});
const writing = new Writing();
/** @type {Talk} */
const talk = new Talk(store, {
  documents: () => library.asked(),
  writer: () => writing.choice,
  changed: () => history.draw(),
  follow: (citation, all) => reader.light(citation, all),
  cite: (citations) => reader.cite(citations),
  leave: () => reader.leave(),
});
const history = new History(store, talk);

library.take(began.documents);
void new Folder(async (changes) => {
  await library.refresh();
  const shown = changes.find((change) => change.document === reader.document?.id);
  if (shown?.what === "changed") await reader.show(shown.document, true);
}).begin();
void writing.refresh();
talk.show((store.current && store.load(store.current)) || fresh());
addEventListener("hashchange", follow);
follow();
// What another tab has written: conversations, and which documents are asked.
addEventListener("storage", ({ key }) => {
  if (key?.includes("/conversation/")) history.draw();
  if (key?.endsWith("/left")) library.take(library.documents);
});
setInterval(() => session().catch(() => {}), ALIVE);

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
  // A click beside it closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
addEventListener("keydown", (event) => {
  if (event.key !== "/" || closest(event, "input, textarea, select") || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  $("question").focus();
});
if (matchMedia("(hover: hover)").matches) $("question").focus();
document.body.dataset.ready = "true";

// Open what a link to a citation leads to.
function follow() {
  const target = targetOf(location.hash);
  if (target) void reader.follow(target);
}

// Questions to begin with, about the documents that are asked.
async function suggest() {
  const isLast = suggesting.next();
  const asked = library.asked();
  const list = $("starters");
  // One can begin without.
  const questions = asked.length ? await starters(asked).catch(() => []) : [];
  if (!isLast()) return; // others are asked by now
  list.replaceChildren(...questions.map((question) => h("li", {}, h("button", { type: "button", dir: "auto", onclick: () => talk.ask(question) }, question))));
  list.setAttribute("aria-busy", "false");
  list.hidden = questions.length === 0;
}

function theme() {
  const names = Object.keys(THEMES);
  const root = document.documentElement;
  const label = () => ($("theme-label").textContent = `Theme: ${THEMES[root.dataset.theme ?? ""]}`);
  $("theme").addEventListener("click", () => {
    const next = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length] ?? "";
    if (next) root.dataset.theme = next;
    else delete root.dataset.theme;
    storage.set("footnote/theme", next);
    label();
    toast(`Theme: ${THEMES[next]}`);
  });
  label();
}
