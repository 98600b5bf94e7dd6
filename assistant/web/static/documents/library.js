// The documents: which there are, which are asked; searching them, adding and removing.

import { UploadQueue } from "../uploads/queue.js";
import { droppable, ways } from "../uploads/inputs.js";
import { $, action, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { restoreDocument, active, remove, session, takeOut, orToast } from "../shared/api.js";
import { storage, tellTabs } from "../shared/storage.js";
import { number, say } from "../shared/i18n.js";
import { Activity } from "./activity.js";
import { ORDERS, factsOf, howRead, isFound, ordered, unreadOf } from "./metadata.js";
import { DocumentMenu } from "./menu.js";
/** @import { Key, Listed, Session, Wanted } from "../../types.js" */

const ORDER = "footnote/order"; // where this browser keeps how they are ordered
const MIN_SEARCHABLE = 6; // documents from which the list can be searched
const POLL_INTERVAL = 60_000; // milliseconds; also a sign of life

/** @typedef {{ one: Listed, told: string, item: HTMLElement, tick: HTMLInputElement }} Row */

export class Library {
  /** @type {Listed[]} */
  documents = [];
  /** @type {Map<string, Row>} */
  rows = new Map(); // by the document's id: drawn once, unless something of it changes
  // How often the server was asked for them, and which of its answers is shown.
  asks = 0;
  shown = 0;
  told = ""; // what is drawn
  // Whether somebody has chosen, since the dialog is open, what is ticked: at first all are.
  chosen = false;
  newest = ""; // the id of the document that was added last
  activity = new Activity();

  /** @param {Session} began */
  constructor(began) {
    this.isOwn = began.user !== null; // what is added is its owner's alone
    this.pictures = began.pictures;
    this.fetches = began.fetch; // pages of the web
    this.dialog = $("library");
    this.menu = new DocumentMenu(this);
    this.uploads = new UploadQueue();
    this.ways = (/** @type {string} */ id) => ways(this.uploads, this.fetches, id);
    $("ways").append(this.ways("files"));
    droppable(this.uploads);
    for (const id of ["open-library", "asking"]) $(id).addEventListener("click", () => this.open());
    this.dialog.addEventListener("close", () => $("top").after($("adding")));
    const search = $("library-search");
    const order = $("library-order");
    search.addEventListener("input", () => this.#find());
    order.append(...Object.entries(ORDERS).map(([value, { key }]) => h("option", { value }, say(key))));
    order.value = storage.get(ORDER) ?? "name";
    order.addEventListener("change", () => {
      storage.set(ORDER, order.value);
      this.draw();
    });
    $("tick-all").addEventListener("click", () => this.#leave((left) => this.#found().forEach(({ id }) => left.delete(id))));
    $("tick-none").addEventListener("click", () => this.#leave((left) => this.#found().forEach(({ id }) => left.add(id))));
    // The second click of a double one is no answer to what the first one asks.
    $("remove-ticked").addEventListener("click", ({ detail }) => detail > 1 || this.#sure());
    $("remove-ticked").addEventListener("blur", () => this.#ticked());
    const look = () => void this.refresh(true);
    setInterval(look, POLL_INTERVAL);
    addEventListener("focus", look);
  }

  // The progress of what is being added moves into the dialog, which covers the page.
  open() {
    if (this.dialog.open) return;
    this.chosen = false;
    this.#ticked();
    this.dialog.querySelector("header")?.after($("adding"));
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    void this.refresh();
  }

  // Another notebook is open.
  /** @param {Listed[]} documents */
  enter(documents) {
    this.uploads.leave();
    this.activity.draw();
    $("put-in").open = !documents.length;
    this.take(documents);
  }

  // A document has been added, or its pictures were read. Returns whether it is as it was.
  /** @param {Listed} found @param {Wanted} wanted @param {Listed[]} before the documents before that */
  async added(found, wanted, before) {
    const former = before.find(({ id }) => id === found.id);
    const isSame = !wanted.id && JSON.stringify(former) === JSON.stringify(found);
    this.newest = found.id;
    if (!isSame) this.activity.record(wanted.id ? "activity.pictures" : former ? "activity.replaced" : "activity.added", found.title);
    tellTabs({ what: "documents" });
    await this.refresh();
    if (app.reader.document?.id === found.id) void app.reader.show(found.id, true);
    return isSame;
  }

  // The documents, or which of them are asked, have changed.
  changed() {
    app.reader.offer(this.documents);
    app.chat.composer.ready();
    app.welcome.draw();
  }

  // Compare answers and notes with the documents again.
  async hold() {
    await app.noteStore.refresh();
    await app.chat.lookOver();
  }

  // What had the focus is gone.
  focus() {
    /** @type {HTMLElement | null} */ (this.dialog.querySelector(".close"))?.focus();
  }

  /** @param {Listed[]} documents */
  take(documents) {
    const { current, mayWrite } = app.notebooks;
    const told = JSON.stringify([documents, current?.id, mayWrite]);
    this.documents = documents;
    if (told !== this.told) this.draw();
    else this.#ticked();
    this.changed();
  }

  // Which of these documents are there.
  /** @param {string[]} [ids] */
  listed = (ids) => this.documents.filter(({ id }) => ids?.includes(id));

  // Ids of the documents that are asked.
  asked() {
    const { left } = app.store;
    return this.documents.filter((d) => !left.has(d.id)).map((d) => d.id);
  }

  // --- the list -------------------------------------------------------------------------------

  draw() {
    const { documents } = this;
    const { current, mayWrite } = app.notebooks;
    this.told = JSON.stringify([documents, current?.id, mayWrite]);
    const focused = document.activeElement;
    const rows = ordered(documents, $("library-order").value).map((one) => this.#row(one));
    this.rows = new Map(rows.map((row) => [row.one.id, row]));
    /** @type {HTMLElement[]} */
    const items = [];
    let folder = "";
    for (const { one, item } of rows) {
      if (one.folder !== folder) {
        folder = one.folder;
        const inside = documents.filter(({ folder: other }) => other === one.folder).map(({ id }) => id);
        items.push(h("li", { class: "folder", dataset: { folder: one.folder } }, h("h3", { dir: "auto" }, one.folder.split("/").join(" › ")), h("button", { type: "button", class: "more", "aria-label": say("list.only.label", { title: folder }), onclick: () => this.#only(inside) }, say("list.only"))));
      }
      items.push(item);
    }
    $("documents").replaceChildren(...items);
    if (focused instanceof HTMLElement && focused.isConnected) focused.focus();
    $("library-title").textContent = current?.name ?? say("library.title");
    $("ways").hidden = !mayWrite;
    $("library-tools").hidden = documents.length < 2;
    $("library-find").hidden = documents.length < MIN_SEARCHABLE;
    this.menu.draw();
    this.#find();
  }

  // The row of a document: the one that there is, as long as it tells the same.
  /** @param {Listed} one @returns {Row} */
  #row(one) {
    const { current, mayWrite } = app.notebooks;
    const told = JSON.stringify([one, current?.id, mayWrite]);
    const there = this.rows.get(one.id);
    if (there?.told === told) return there;
    const { id, title, own } = one;
    /** @type {HTMLInputElement} */
    const tick = h("input", { type: "checkbox", id: `ask-${id}`, onchange: () => this.#leave((left) => (tick.checked ? left.delete(id) : left.add(id))) });
    /** @type {HTMLElement} */
    const item = h("li", {},
      h("label", { dir: "auto" }, tick, h("span", {}, h("b", {}, title), h("small", {}, factsOf(one)), one.stale && h("small", { class: "wrong" }, say("list.stale")))),
      h("div", { class: "acts" },
        h("button", { type: "button", class: "more", "aria-label": say("library.open.label", { title }), onclick: () => { this.dialog.close(); void app.reader.show(id).then(() => app.reader.open()); } }, say("library.open")),
        h("button", { type: "button", class: "more only", "aria-label": say("list.only.label", { title }), onclick: () => this.#only([id]) }, say("list.only")),
        current ? mayWrite && action("out", say("list.take_out", { title }), () => this.remove([one])) : own && action("trash", say("library.remove", { title }), () => this.remove([one])),
        action("dots", say("list.more", { title }), () => this.menu.open(one, item)),
      ),
      one.unread > 0 && this.#unread(one),
    );
    return { one, told, item, tick };
  }

  // That pictures in a document were not read, and how they are.
  /** @param {Listed} one */
  #unread(one) {
    const may = one.own && this.pictures !== "missing";
    return h("p", { class: "unread" },
      h("small", { class: "wrong" }, [unreadOf(one), howRead(one, this.pictures, Boolean(app.notebooks.current))].filter(Boolean).join(" ")),
      may && h("button", { type: "button", class: "more", "aria-label": say("pictures.read.label", { name: one.title }), onclick: () => this.uploads.readPictures(one) }, say("pictures.read")),
    );
  }

  // Those that are looked for, which are all where nothing is.
  #found() {
    const text = this.documents.length < MIN_SEARCHABLE ? "" : $("library-search").value.trim();
    return this.documents.filter((one) => isFound(one, text));
  }

  #find() {
    const found = new Set(this.#found().map(({ id }) => id));
    for (const [id, { item }] of this.rows) item.hidden = !found.has(id);
    const folders = new Set(this.#found().map(({ folder }) => folder));
    for (const heading of /** @type {NodeListOf<HTMLElement>} */ ($("documents").querySelectorAll(".folder"))) heading.hidden = !folders.has(heading.dataset.folder ?? "");
    this.#ticked();
  }

  // --- what is asked --------------------------------------------------------------------------

  // Show which are asked, without drawing the list again.
  #ticked() {
    const asked = new Set(this.asked());
    for (const [id, { tick }] of this.rows) tick.checked = asked.has(id);
    const count = this.documents.length;
    $("document-count").textContent = String(count);
    const only = this.documents.find(({ id }) => asked.has(id));
    $("asking").textContent =
      count === 0 ? say("asking.empty")
      : asked.size === 0 ? say("asking.none")
      : only && asked.size === 1 ? say("asking.one", { title: only.title })
      : asked.size === count ? say("asking.all", { count }) : say("asking.some", { some: number(asked.size), count });
    $("asking").classList.toggle("wrong", asked.size === 0);
    const found = this.#found().length;
    $("library-count").textContent = found < count ? say("list.found", { some: number(found), count }) : say("list.ticked", { some: number(asked.size), count });
    const removable = this.#removable().length;
    $("remove-ticked").hidden = removable === 0 || (!this.chosen && asked.size === count);
    delete $("remove-ticked").dataset.sure;
    $("remove-ticked").textContent = say(app.notebooks.current ? "list.take_out.ticked" : "list.remove.ticked", { count: removable });
  }

  /** @param {(left: Set<string>) => unknown} change what is not asked */
  #leave(change) {
    const { left } = app.store;
    change(left);
    app.store.left = left;
    this.chosen = true;
    this.#ticked();
    this.changed();
  }

  /** @param {string[]} ids */
  #only(ids) {
    this.#leave((left) => {
      for (const { id } of this.documents) left.add(id);
      for (const id of ids) left.delete(id);
    });
  }

  // --- removing -------------------------------------------------------------------------------

  // Those that are ticked and found, and may be removed: from the notebook that is open, or else for good.
  #removable() {
    const asked = new Set(this.asked());
    const { current, mayWrite } = app.notebooks;
    return this.#found().filter(({ id, own }) => asked.has(id) && (current ? mayWrite : own));
  }

  // Removing several is asked once more.
  #sure() {
    const gone = this.#removable();
    const button = $("remove-ticked");
    if (gone.length < 2 || button.dataset.sure === String(gone.length)) return void this.remove(gone);
    button.dataset.sure = String(gone.length);
    button.textContent = say(app.notebooks.current ? "list.take_out.sure" : "list.remove.sure", { count: gone.length });
  }

  // Remove documents, or take them out of the open notebook; this can be undone.
  /** @param {Listed[]} gone */
  async remove(gone) {
    const { notebook } = active;
    const { current } = app.notebooks;
    const [only] = gone;
    if (!only) return;
    const items = [...this.rows.values()].filter(({ item }) => !item.hidden);
    const at = items.findIndex(({ one }) => one.id === only.id);
    const done = await this.#each(gone, notebook ? "activity.taken_out" : "activity.removed", (id) => (notebook ? takeOut(notebook, id) : remove(`documents/${id}`)));
    const left = [...this.rows.values()].filter(({ item }) => !item.hidden);
    const next = left[Math.min(at, left.length - 1)];
    if (next) next.tick.focus();
    else this.focus();
    const names = { name: current?.name ?? "", title: only.title, count: done.length };
    const told = say(current ? (done.length === 1 ? "list.taken_out" : "list.taken_out.several") : done.length === 1 ? "library.removed" : "list.removed", names);
    if (done.length) toast(told, say("history.undo"), () => void this.#each(done, "activity.restored", (id) => restoreDocument(id, notebook)));
  }

  // Do something with each document; gives those with which it could be done.
  /** @param {Listed[]} ones @param {Key} what @param {(id: string) => Promise<unknown>} act */
  async #each(ones, what, act) {
    const went = await Promise.all(ones.map(({ id }) => orToast(act(id))));
    const done = ones.filter((_, at) => went[at]);
    for (const { title } of done) this.activity.record(what, title);
    tellTabs({ what: "documents" });
    await this.refresh();
    return done;
  }

  // Load the list of documents; `quietly`: without a message if that fails.
  async refresh(quietly = false) {
    const ask = ++this.asks;
    const { notebook } = active;
    const answer = await (quietly ? session().catch(() => {}) : orToast(session()));
    // A later answer was there before, or another notebook is open by now.
    if (!answer || ask < this.shown || notebook !== active.notebook) return;
    this.shown = ask;
    this.take(answer.documents);
  }
}
