// Puts the page together.

import { targetOf } from "./chat/export.js";
import { Chat } from "./chat/chat.js";
import { Welcome } from "./chat/welcome.js";
import { ModelChoice } from "./chat/models.js";
import { History } from "./conversations/history.js";
import { Store, fresh } from "./conversations/store.js";
import { Folder } from "./documents/folder.js";
import { Library } from "./documents/library.js";
import { listen } from "./help/shortcuts.js";
import { Navigation } from "./notebooks/navigation.js";
import { Notebooks } from "./notebooks/notebooks.js";
import { NoteStore } from "./notes/store.js";
import { Notes } from "./notes/notes.js";
import { isSheet } from "./reading/pane.js";
import { Reader } from "./reading/reader.js";
import { settings } from "./settings.js";
import { closeOnBack, placeIn } from "./shared/address.js";
import { $, onKey, placeToast, toast } from "./shared/dom.js";
import { app } from "./shared/app.js";
import { restoreDocument, messageOf, active, restore, session } from "./shared/api.js";
import { join } from "./shared/storage.js";
import { trashIn } from "./shared/trash.js";
import { say, speak } from "./shared/i18n.js";
/** @import { Session } from "../types.js" */

const RETRY_INTERVAL = 60_000; // milliseconds

addEventListener("submit", (event) => event.preventDefault()); // the page sends what is written itself

await speak();

active.notebook = placeIn(location.hash)?.notebook ?? null;
/** @type {Session} */
const began = await session().catch(async (/** @type {unknown} */ error) => {
  // The notebook in the address may be gone: then start without one.
  const wanted = active.notebook;
  active.notebook = null;
  const instead = wanted ? await session().catch(() => null) : null;
  if (instead) toast(messageOf(error));
  else toast(messageOf(error), say("server.retry"), () => location.reload());
  return instead ?? { user: null, documents: [], fetch: false, pictures: "offered" };
});
settings(began.user);
app.store = new Store(began.user);
app.noteStore = new NoteStore();
app.reader = new Reader();
app.notebooks = new Notebooks(began.user);
app.library = new Library(began);
app.models = new ModelChoice();
app.chat = new Chat();
app.navigation = new Navigation();
app.history = new History();
app.notes = new Notes();
app.welcome = new Welcome();
const { store, noteStore, reader, notebooks, library, chat, navigation } = app;

trashIn("library", "document", ({ id, notebook }) => restoreDocument(id, notebook), () => library.refresh());
trashIn("history", "conversation", ({ id, notebook }) => store.restore(id, notebook), () => app.history.draw());
trashIn("notebooks", "notebook", ({ id }) => restore(`notebooks/${id}`), () => notebooks.refresh());
trashIn("notes", "note", ({ id, notebook }) => restore(`notes/${id}`, notebook), () => noteStore.refresh());
library.take(began.documents);
void new Folder().begin();
void app.models.refresh();
void notebooks.refresh().then(() => {
  library.draw();
  app.welcome.draw();
});
void noteStore.refresh();
await store.handOver().catch(() => {}); // the server may be away: it waits for the next time
const place = placeIn(location.hash);
await navigation.goTo(place?.conversation && place.notebook === active.notebook ? place : {}, true);
if (!navigation.began) navigation.show(fresh(), true); // it could not be had
join(store.prefix, ({ what, id }) => {
  if (what === "deleted" && id === chat.conversation.id) toast(say("conversation.elsewhere"));
  if (what === "documents") void library.refresh(true);
  if (what === "notes") void noteStore.refresh();
  if (id) void app.history.draw();
  if (what === "conversation" && id === chat.conversation.id) void chat.again();
});
// What others have asked is seen when one comes back.
addEventListener("focus", () => active.notebook && chat.conversation.turns.length && void chat.again());
addEventListener("storage", ({ key }) => key?.includes("/left") && library.take(library.documents));
setInterval(() => void store.handOver().catch(() => {}), RETRY_INTERVAL);

for (const dialog of document.querySelectorAll("dialog")) {
  for (const name of ["toggle", "close"]) dialog.addEventListener(name, placeToast);
}
$("more").addEventListener("click", () => $("open-more").focus(), true); // it is where one comes back to
closeOnBack([...document.querySelectorAll("dialog")], isSheet, follow);
if (targetOf(location.hash)) follow();
onKey(window, "F1", () => $("open-help").click(), (event) => !event.ctrlKey && !event.altKey && !event.metaKey && !document.querySelector("dialog:modal"));
listen({
  "/": () => $("question").focus(),
  f: () => reader.read($("find-text")),
  r: () => ($("reader").contains(document.activeElement) ? $("close-reader").click() : reader.read()),
});
if (!place?.turn && matchMedia("(hover: hover)").matches) $("question").focus();
document.body.dataset.ready = "true";

// Open what the address leads to: a citation, or a notebook and a conversation.
function follow() {
  const target = targetOf(location.hash);
  const place = placeIn(location.hash);
  if (target) void reader.follow(target);
  else if (place) void navigation.goTo(place, true);
}
