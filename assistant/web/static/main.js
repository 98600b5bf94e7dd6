// Puts the page together.

import { offer, takeHanded } from "./adding/bookmarklet.js";
import { wantedAddress, wantedFile } from "./adding/ways.js";
import { targetOf } from "./asking/citing.js";
import { Talk } from "./asking/talk.js";
import { Welcome } from "./asking/welcome.js";
import { Writing } from "./asking/writing.js";
import { History } from "./conversations/history.js";
import { Store, fresh } from "./conversations/store.js";
import { Folder } from "./documents/folder.js";
import { Library } from "./documents/library.js";
import { Help, helpIn, topicOf } from "./help/help.js";
import { listen } from "./help/keys.js";
import { Navigation } from "./notebooks/navigation.js";
import { Notebooks } from "./notebooks/notebooks.js";
import { Kept } from "./notes/kept.js";
import { Notes } from "./notes/notes.js";
import { isSheet } from "./reading/pane.js";
import { Reader } from "./reading/reader.js";
import { settings } from "./settings.js";
import { goBack, placeIn } from "./shared/address.js";
import { $, placeToast, toast } from "./shared/dom.js";
import { haveBack, messageOf, open_, restoreNote, restoreNotebook, session } from "./shared/server.js";
import { storage } from "./shared/storage.js";
import { join } from "./shared/tabs.js";
import { trashIn } from "./shared/trash.js";
import { say, speak } from "./shared/words.js";
/** @import { Handed, Session } from "../types.js" */

const ALIVE = 60_000; // milliseconds between looks whether the server is there again

const handed = takeHanded(); // before anybody sees it in the address

await speak();

open_.notebook = placeIn(location.hash)?.notebook ?? null;
/** @type {Session} */
const began = await session().catch(async (/** @type {unknown} */ error) => {
  // The notebook that the address names may be gone: what is in none is there all the same.
  const wanted = open_.notebook;
  open_.notebook = null;
  const instead = wanted ? await session().catch(() => null) : null;
  if (instead) toast(messageOf(error));
  else toast(messageOf(error), say("server.retry"), () => location.reload());
  return instead ?? { user: null, documents: [], fetch: false, pictures: "offered", notices: [] };
});
const store = new Store(began.user);
settings(began.user);

const help = new Help();
/** @type {Kept} */
const kept = new Kept(() => {
  talk.judged();
  reader.remark();
  notes.draw();
});
/** @type {Reader} */
const reader = new Reader(kept, {
  citing: (documentId, number) => talk.citing(documentId, number),
  goTo: (turn) => {
    reader.close();
    talk.goTo(turn);
  },
  askAbout: (about) => {
    reader.close();
    talk.composer.askAbout(about);
  },
  ask: (question, about) => {
    reader.close();
    talk.ask(question, { about, alone: true });
  },
});
/** @type {Notebooks} */
const notebooks = new Notebooks(began.user, (notebook) => navigation.goTo({ notebook }));
/** @type {Library} */
const library = new Library(store, began, notebooks, {
  changed: () => {
    reader.offer(library.documents);
    talk.composer.ready();
    welcome.draw();
  },
  open: async (id) => {
    await reader.show(id);
    reader.open();
  },
  again: (id) => {
    if (reader.document?.id === id) void reader.show(id, true);
  },
  held: () => void held(),
});
const writing = new Writing();
/** @type {Talk} */
const talk = new Talk(store, {
  goTo: ({ id, notebook = null }) => void navigation.goTo({ notebook, conversation: id }),
  documents: () => library.asked(),
  all: () => library.documents,
  writer: () => writing.choice,
  writes: () => writing.writes,
  kept: (turn) => kept.of(turn),
  keep: (turn, conversation, text, over) => notes.keep(turn, conversation, text, over),
  put: (note) => kept.put(note),
  unkeep: (turn) => kept.remove(turn.id, "notes.removed"),
  begin: () => navigation.show(fresh()),
  refresh: () => library.refresh(true),
  changed: () => void history.draw(),
  follow: (citation, all) => (topicOf(citation) ? help.light(citation) : reader.light(citation, all)),
  cite: (citations) => reader.cite(citations.filter((citation) => !topicOf(citation))),
  leave: () => reader.leave(),
});
const navigation = new Navigation(store, talk, library, notebooks, kept);
const history = new History(store, talk, navigation);
const notes = new Notes(kept, {
  open: (target) => reader.follow(target),
  help: (citation) => help.light(citation),
  goTo: (conversation, turn) => navigation.goTo({ conversation, turn }),
});
const welcome = new Welcome(library, (question) => talk.ask(question));

trashIn("library", "document", ({ id, notebook }) => haveBack(id, notebook), () => library.refresh());
trashIn("history", "conversation", ({ id, notebook }) => store.restore(id, notebook), () => history.draw());
trashIn("notebooks", "notebook", ({ id }) => restoreNotebook(id), () => notebooks.refresh());
trashIn("notes", "note", ({ id, notebook }) => restoreNote(id, notebook), () => kept.refresh());
library.take(began.documents);
void new Folder(library.activity, began.pictures, async (changes) => {
  await library.refresh();
  const shown = changes.find((change) => change.document === reader.document?.id);
  if (shown?.what === "changed") await reader.show(shown.document, true);
  await held();
}).begin();
void writing.refresh();
void notebooks.refresh().then(() => {
  library.draw();
  welcome.draw();
});
void kept.refresh();
const notices = began.notices.join(" ");
if (notices && notices !== storage.get("footnote/noticed")) toast(notices, say("noticed"), () => storage.set("footnote/noticed", notices));
await store.handOver().catch(() => {}); // the server may be away: it waits for the next time
const place = placeIn(location.hash);
await navigation.goTo(place?.conversation && place.notebook === open_.notebook ? place : {}, true);
if (!navigation.began) navigation.show(fresh(), true); // it could not be had
join(store.prefix, ({ what, id }) => {
  if (what === "documents") void library.refresh(true);
  if (what === "notes") void kept.refresh();
  if (what !== "conversation") return;
  void history.draw();
  if (id === talk.conversation.id) void talk.again();
});
// What others have asked is seen when one comes back.
addEventListener("focus", () => open_.notebook && talk.conversation.turns.length && void talk.again());
addEventListener("storage", ({ key }) => key?.includes("/left") && library.take(library.documents));
setInterval(() => void store.handOver().catch(() => {}), ALIVE);

for (const dialog of document.querySelectorAll("dialog")) {
  dialog.querySelector(".close")?.addEventListener("click", () => dialog.close());
  // A click beside it closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  for (const name of ["toggle", "close"]) dialog.addEventListener(name, placeToast);
}
goBack([...document.querySelectorAll("dialog")], isSheet, follow);
if (targetOf(location.hash) || helpIn(location.hash)) follow();
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
if (handed) ask(handed);
document.body.dataset.ready = "true";

// What was said is held against the documents anew.
async function held() {
  await kept.refresh();
  await talk.lookOver();
}

// Ask whether to add what a page of the browser has handed over.
/** @param {Handed} handed */
function ask(handed) {
  offer(handed, began.fetch, {
    text: (file, about) => library.adding.add([wantedFile(file, "", about)]),
    address: (address) => library.adding.add([wantedAddress(address)]),
  });
}

// Open what the address leads to: a citation, or a notebook and a conversation; or what is handed over.
function follow() {
  const more = takeHanded();
  if (more) return ask(more);
  const target = targetOf(location.hash);
  const place = placeIn(location.hash);
  const topic = helpIn(location.hash);
  if (topic) void help.open(topic.name, topic.anchor);
  else if (target) void reader.follow(target);
  else if (place) void navigation.goTo(place, true);
}
