// Puts the page together.

import { closeByBack, placeIn, tell } from "./address.js";
import { targetOf } from "./citing.js";
import { $, toast } from "./dom.js";
import { Folder } from "./folder.js";
import { History } from "./history.js";
import { listen } from "./keys.js";
import { Library } from "./library.js";
import { Notebooks } from "./notebooks.js";
import { Notes } from "./notes.js";
import { Reader } from "./reader.js";
import { messageOf, open_, session } from "./server.js";
import { settings } from "./settings.js";
import { Store, fresh } from "./store.js";
import { Talk } from "./talk.js";
import { Welcome } from "./welcome.js";
import { say, speak } from "./words.js";
import { Writing } from "./writing.js";

const ALIVE = 60_000; // milliseconds between looks whether the server is there again

await speak();

open_.notebook = placeIn(location.hash)?.notebook ?? null;
const began = await session().catch(async (/** @type {unknown} */ error) => {
  // The notebook that the address names may be gone: what is in none is there all the same.
  const wanted = open_.notebook;
  open_.notebook = null;
  const instead = wanted ? await session().catch(() => null) : null;
  if (instead) toast(messageOf(error));
  else toast(messageOf(error), say("server.retry"), () => location.reload());
  return instead ?? { user: null, documents: [], fetch: false };
});
const store = new Store(began.user);
settings(began.user);

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
  ask: (question, about) => {
    reader.close();
    talk.ask(question, { about, alone: true });
  },
});
/** @type {Notebooks} */
const notebooks = new Notebooks(began.user, async () => {
  await library.refresh();
  await notes.refresh();
  await shown(store.current, false);
});
/** @type {Library} */
const library = new Library(store, began, notebooks, {
  changed: () => {
    reader.offer(library.documents);
    talk.ready();
    welcome.draw();
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
  goTo: ({ id, notebook = null }) => void goTo({ notebook, conversation: id, turn: null }),
  documents: () => library.asked(),
  all: () => library.documents,
  writer: () => writing.choice,
  writes: () => writing.writes,
  kept: (turn) => notes.of(turn),
  keep: (turn, conversation, text) => notes.keep(turn, conversation, text),
  unkeep: (turn) => notes.remove(turn.id),
  changed: () => void history.draw(),
  follow: (citation, all) => reader.light(citation, all),
  cite: (citations) => reader.cite(citations),
  leave: () => reader.leave(),
});
const history = new History(store, talk);
/** @type {Notes} */
const notes = new Notes({
  changed: () => talk.judged(),
  open: (target) => reader.follow(target),
  goTo: (conversation, turn) => history.show(conversation, turn),
});
const welcome = new Welcome(library, (question) => talk.ask(question));

library.take(began.documents);
void new Folder(library.activity, async (changes) => {
  await library.refresh();
  const shown = changes.find((change) => change.document === reader.document?.id);
  if (shown?.what === "changed") await reader.show(shown.document, true);
}).begin();
void writing.refresh();
void notebooks.refresh().then(() => {
  library.draw();
  welcome.draw();
});
void notes.refresh();
await store.handOver().catch(() => {}); // the server may be away: it waits for the next time
const place = placeIn(location.hash);
if (!(place?.conversation && (await history.show(place.conversation, place.turn)))) await shown(store.current, true);
addEventListener("popstate", follow);
follow();
// What another tab has written: conversations, and which documents are asked.
addEventListener("storage", ({ key, newValue }) => {
  if (key === `${store.prefix}changed`) {
    void history.draw();
    if (newValue?.split(" ")[0] === talk.conversation.id) void talk.again();
  }
  if (key?.includes("/left")) library.take(library.documents);
});
setInterval(() => void store.handOver().catch(() => {}), ALIVE);

const narrow = matchMedia("(max-width: 60rem)");
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
  // A click beside it closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.contains($("toast")) && document.body.append($("toast")));
  closeByBack(dialog, () => narrow.matches);
}
listen([
  ["/", "keys.question", () => $("question").focus()],
  ["n", "keys.new", () => $("new").click()],
  ["c", "keys.conversations", () => $("open-history").click()],
  ["d", "keys.documents", () => $("open-library").click()],
  ["m", "keys.notes", () => $("open-notes").click()],
  ["s", "keys.settings", () => $("open-settings").click()],
  ["b", "keys.notebooks", () => $("open-notebooks").click()],
  ["f", "keys.find", () => { reader.open(); $("find-text").focus(); }],
  ["r", "keys.read", () => { reader.open(); $("pages").focus(); }],
]);
if (!place?.turn && matchMedia("(hover: hover)").matches) $("question").focus();
document.body.dataset.ready = "true";

// Open what the address leads to: a citation, or a notebook and a conversation.
function follow() {
  const target = targetOf(location.hash);
  if (target) return void reader.follow(target);
  const to = placeIn(location.hash);
  if (to && !document.querySelector("dialog:modal")) void goTo(to);
}

/** @param {import("./address.js").Place} to */
async function goTo({ notebook, conversation, turn }) {
  if (notebook !== open_.notebook) await notebooks.open(notebook);
  if (conversation && conversation !== talk.conversation.id) await history.show(conversation, turn);
}

// Show a conversation of the notebook that is open, or else a new one.
/** @param {string} id @param {boolean} again there is none that one would go back to */
async function shown(id, again) {
  const found = id ? await store.load(id).catch(() => null) : null;
  talk.show(found ?? fresh());
  if (!targetOf(location.hash)) await tell({ notebook: open_.notebook, conversation: found?.id ?? null }, again);
}
