// Puts the page together.

import { offer, takeHanded } from "./adding/bookmarklet.js";
import { targetOf } from "./asking/exporting.js";
import { Talk } from "./asking/talk.js";
import { Welcome } from "./asking/welcome.js";
import { Writing } from "./asking/writing.js";
import { History } from "./conversations/history.js";
import { Store, fresh } from "./conversations/store.js";
import { Folder } from "./documents/activity.js";
import { Library } from "./documents/library.js";
import { Help, helpIn } from "./help/help.js";
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
import { parts } from "./shared/parts.js";
import { haveBack, messageOf, open_, restore, session } from "./shared/server.js";
import { join, storage } from "./shared/storage.js";
import { trashIn } from "./shared/trash.js";
import { say, speak } from "./shared/words.js";
/** @import { Session } from "../types.js" */

const ALIVE = 60_000; // milliseconds between looks whether the server is there again

const handed = takeHanded(); // before anybody sees it in the address

addEventListener("submit", (event) => event.preventDefault()); // the page sends what is written itself

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
settings(began.user);
parts.store = new Store(began.user);
parts.help = new Help();
parts.kept = new Kept();
parts.reader = new Reader();
parts.notebooks = new Notebooks(began.user);
parts.library = new Library(began);
parts.writing = new Writing();
parts.talk = new Talk();
parts.navigation = new Navigation();
parts.history = new History();
parts.notes = new Notes();
parts.welcome = new Welcome();
const { store, help, kept, reader, notebooks, library, talk, navigation } = parts;

trashIn("library", "document", ({ id, notebook }) => haveBack(id, notebook), () => library.refresh());
trashIn("history", "conversation", ({ id, notebook }) => store.restore(id, notebook), () => parts.history.draw());
trashIn("notebooks", "notebook", ({ id }) => restore(`notebooks/${id}`), () => notebooks.refresh());
trashIn("notes", "note", ({ id, notebook }) => restore(`notes/${id}`, notebook), () => kept.refresh());
library.take(began.documents);
void new Folder().begin();
void parts.writing.refresh();
void notebooks.refresh().then(() => {
  library.draw();
  parts.welcome.draw();
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
  void parts.history.draw();
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
listen({
  "/": () => $("question").focus(),
  n: () => $("new").click(),
  c: () => $("open-history").click(),
  d: () => $("open-library").click(),
  m: () => $("open-notes").click(),
  s: () => $("open-settings").click(),
  b: () => $("open-notebooks").click(),
  f: () => { reader.open(); $("find-text").focus(); },
  r: () => { reader.open(); $("pages").focus(); },
});
if (!place?.turn && matchMedia("(hover: hover)").matches) $("question").focus();
if (handed) offer(handed);
document.body.dataset.ready = "true";

// Open what the address leads to: a citation, or a notebook and a conversation; or what is handed over.
function follow() {
  const more = takeHanded();
  if (more) return offer(more);
  const target = targetOf(location.hash);
  const place = placeIn(location.hash);
  const topic = helpIn(location.hash);
  if (topic) void help.open(topic.name, topic.anchor);
  else if (target) void reader.follow(target);
  else if (place) void navigation.goTo(place, true);
}
