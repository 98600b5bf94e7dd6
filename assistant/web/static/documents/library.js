// The documents: which there are, which of them are asked and which are selected; searching, adding, removing.

import { UploadQueue } from "../uploads/queue.js";
import { droppable, ways } from "../uploads/inputs.js";
import { $, arrange, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { restoreDocument, active, originalsOf, putAllIn, remove, session, takeOut, orToast } from "../shared/api.js";
import { storage, tellTabs } from "../shared/storage.js";
import { number, say } from "../shared/i18n.js";
import { ORDERS, factsOf, howRead, isFound, named, ordered, unreadOf } from "./metadata.js";
import { documentMenu } from "./menu.js";
/** @import { Listed, Session, Wanted } from "../../types.js" */

const ORDER = "footnote/order"; // where this browser keeps how they are ordered
const MIN_SEARCHABLE = 6; // documents from which the list can be searched
const POLL_INTERVAL = 60_000; // milliseconds; also a sign of life

/** @typedef {{ one: Listed, told: string, item: HTMLElement, box: HTMLInputElement, asked: HTMLElement }} Row */

export class Library {
  /** @type {Listed[]} */
  documents = [];
  /** @type {Map<string, Row>} */
  rows = new Map(); // by the document's id: drawn once, unless something of it changes
  // How often the server was asked for them, and which of its answers is shown.
  asks = 0;
  shown = 0;
  /** @type {Set<string>} */
  selected = new Set(); // ids
  /** @type {Listed[] | null} */
  others = null; // while documents are being chosen for the notebook that is open, those that are not in it
  newest = ""; // the id of the document that was added last

  /** @param {Session} began */
  constructor(began) {
    this.isOwn = began.user !== null; // what is added is its owner's alone
    this.pictures = began.pictures;
    this.fetches = began.fetch; // pages of the web
    this.dialog = $("library");
    this.uploads = new UploadQueue();
    this.ways = (/** @type {string} */ id) => ways(this.uploads, this.fetches, id);
    $("ways").append(this.ways("files"));
    droppable(this.uploads);
    for (const id of ["open-library", "asking"]) $(id).addEventListener("click", () => this.open());
    this.dialog.addEventListener("close", () => {
      $("top").after($("adding"));
      if (!this.uploads.busy) this.uploads.leave();
    });
    const search = $("library-search");
    const order = $("library-order");
    search.addEventListener("input", () => this.#find());
    order.append(...Object.entries(ORDERS).map(([value, { key }]) => h("option", { value }, say(key))));
    order.value = storage.get(ORDER) ?? "name";
    order.addEventListener("change", () => {
      storage.set(ORDER, order.value);
      this.draw();
    });
    $("select-all").addEventListener("click", () => this.#select([...this.selected, ...this.#found().map(({ id }) => id)]));
    $("select-none").addEventListener("click", () => this.#select([]));
    $("ask-selected").addEventListener("click", () => this.ask([...this.selected]));
    $("ask-all").addEventListener("click", () => this.ask(this.documents.map(({ id }) => id)));
    $("add-others").addEventListener("click", () => void this.#offer(!this.others));
    $("add-selected").addEventListener("click", () => void this.put(active.notebook ?? ""));
    const notebook = $("notebook-selected");
    notebook.addEventListener("change", () => void this.put(notebook.value));
    $("remove-selected").addEventListener("click", () => void this.remove(this.#removable()));
    const look = () => void this.refresh(true);
    setInterval(look, POLL_INTERVAL);
    addEventListener("focus", look);
  }

  // The progress of what is being added moves into the dialog, which covers the page.
  open() {
    if (this.dialog.open) return;
    this.selected.clear();
    void this.#offer(!this.documents.length);
    this.dialog.querySelector("header")?.after($("adding"));
    this.dialog.showModal();
    this.dialog.scrollTop = 0;
    void this.refresh();
  }

  // Another notebook is open.
  /** @param {Listed[]} documents */
  enter(documents) {
    this.uploads.leave();
    this.others = null;
    this.take(documents);
  }

  // A document has been added, or its pictures were read. Returns whether it is as it was.
  /** @param {Listed} found @param {Wanted} wanted @param {Listed[]} before the documents before that */
  async added(found, wanted, before) {
    const isSame = !wanted.id && JSON.stringify(before.find(({ id }) => id === found.id)) === JSON.stringify(found);
    this.newest = found.id;
    await this.updated(found.id);
    return isSame;
  }

  // A document is not as it was, say has another title.
  /** @param {string} id */
  async updated(id) {
    tellTabs({ what: "documents" });
    await this.refresh();
    if (app.reader.document?.id === id) void app.reader.show(id, true);
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
    this.documents = documents;
    this.draw();
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

  // Those that the list shows: of the notebook that is open, or those that may be added to it.
  get #listed() {
    return this.others ?? this.documents;
  }

  draw() {
    const { current, mayWrite } = app.notebooks;
    const listed = this.#listed;
    const rows = ordered(listed, $("library-order").value).map((one) => this.#row(one));
    this.rows = new Map(rows.map((row) => [row.one.id, row]));
    /** @type {HTMLElement[]} */
    const items = [];
    let folder = "";
    for (const { one, item } of rows) {
      if (one.folder !== folder) {
        folder = one.folder;
        const inside = listed.filter(({ folder: other }) => other === one.folder).map(({ id }) => id);
        items.push(h("li", { class: "folder", dataset: { folder } }, h("h3", { dir: "auto" }, folder.split("/").join(" › ")), h("button", { type: "button", class: "more", "aria-label": say("list.select.label", { title: folder }), onclick: () => this.#select([...this.selected, ...inside]) }, say("list.select")), !this.others && h("button", { type: "button", class: "more only", "aria-label": say("list.only.label", { title: folder }), onclick: () => this.ask(inside) }, say("list.only"))));
      }
      items.push(item);
    }
    arrange($("documents"), items);
    $("library-title").textContent = this.others ? say("list.put_in", { name: current?.name ?? "" }) : (current?.name ?? say("library.title"));
    $("ways").hidden = !mayWrite;
    $("add-others").hidden = !current || !mayWrite;
    $("add-others").textContent = this.others ? say("list.back", { name: current?.name ?? "" }) : say("list.put_in.open");
    $("library-tools").hidden = listed.length < 2;
    $("library-none").hidden = !this.others || this.others.length > 0;
    $("library-find").hidden = listed.length < MIN_SEARCHABLE;
    this.#find();
  }

  // The row of a document: the one that there is, as long as it tells the same.
  /** @param {Listed} one @returns {Row} */
  #row(one) {
    const { current, mayWrite } = app.notebooks;
    const told = JSON.stringify([one, current?.id, mayWrite, Boolean(this.others)]);
    const there = this.rows.get(one.id);
    if (there?.told === told) return there;
    const { id, title } = one;
    /** @type {HTMLInputElement} */
    const box = h("input", { type: "checkbox", "aria-label": say("list.select.label", { title }), onchange: () => { this.selected[box.checked ? "add" : "delete"](id); this.#told(); } });
    const asked = h("span", { class: "asked" }, say("list.asked"));
    /** @type {HTMLElement} */
    const item = h("li", {},
      box,
      h("div", { class: "what", dir: "auto" },
        h("button", { type: "button", class: "title", "aria-label": say("library.open.label", { title }), onclick: () => { this.dialog.close(); void app.reader.show(id).then(() => app.reader.open()); } }, h("b", {}, title)),
        h("small", {}, factsOf(one)),
        asked,
      ),
      !this.others && h("div", { class: "acts" },
        h("button", { type: "button", class: "more only", "aria-label": say("list.only.label", { title }), onclick: () => this.ask([id]) }, say("list.only")),
        documentMenu(this, one),
      ),
      one.unread > 0 && this.#unread(one),
    );
    return { one, told, item, box, asked };
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
    const text = this.#listed.length < MIN_SEARCHABLE ? "" : $("library-search").value.trim();
    return this.#listed.filter((one) => isFound(one, text));
  }

  // The rows that are seen.
  #seen = () => [...this.rows.values()].filter(({ item }) => !item.hidden);

  #find() {
    const found = new Set(this.#found().map(({ id }) => id));
    for (const [id, { item }] of this.rows) item.hidden = !found.has(id);
    const folders = new Set(this.#seen().map(({ one }) => one.folder));
    for (const heading of /** @type {NodeListOf<HTMLElement>} */ ($("documents").querySelectorAll(".folder"))) heading.hidden = !folders.has(heading.dataset.folder ?? "");
    this.#told();
  }

  // --- what is asked --------------------------------------------------------------------------

  // Ask these documents only, until others are chosen.
  /** @param {string[]} ids */
  ask(ids) {
    app.store.left = new Set(this.documents.map(({ id }) => id).filter((id) => !ids.includes(id)));
    this.#told();
    this.changed();
    this.dialog.close();
    $("question").focus();
  }

  // Show what is asked and what is selected, without drawing the list again.
  #told() {
    const asked = new Set(this.asked());
    const count = this.documents.length;
    const isSome = asked.size > 0 && asked.size < count;
    $("document-count").textContent = String(count);
    const only = this.documents.find(({ id }) => asked.has(id));
    $("asking").textContent =
      count === 0 ? say("asking.empty")
      : asked.size === 0 ? say("asking.none")
      : only && asked.size === 1 ? say("asking.one", { title: only.title })
      : asked.size === count ? say("asking.all", { count }) : say("asking.some", { some: number(asked.size), count });
    $("asking").classList.toggle("wrong", asked.size === 0);
    $("ask-all").hidden = asked.size === count;
    const selected = this.#selected();
    for (const [id, { box, asked: tag }] of this.rows) {
      box.checked = this.selected.has(id);
      tag.hidden = !isSome || !asked.has(id);
    }
    const [found, all] = [this.#seen().length, this.#listed.length];
    $("library-count").textContent = found < all ? say("list.found", { some: number(found), count: all }) : say("notebooks.documents", { count: all });
    $("selection").hidden = !selected.length;
    $("selection-count").textContent = say("list.selected", { count: selected.length });
    $("ask-selected").hidden = $("export-selected").hidden = this.others !== null;
    $("export-selected").setAttribute("href", originalsOf(selected.map(({ id }) => id)));
    $("add-selected").hidden = !this.others;
    const notebooks = app.notebooks.all.filter(({ role }) => role !== "read");
    const into = $("notebook-selected");
    into.hidden = active.notebook !== null || !notebooks.length;
    into.replaceChildren(h("option", { value: "" }, say("list.put_into")), ...notebooks.map(({ id, name }) => h("option", { value: id }, name)));
    $("remove-selected").hidden = !this.#removable().length;
    $("remove-selected").textContent = say(app.notebooks.current ? "list.take_out.selected" : "list.remove.selected", { count: this.#removable().length });
  }

  // --- what is selected -----------------------------------------------------------------------

  #selected = () => this.#listed.filter(({ id }) => this.selected.has(id));

  /** @param {string[]} ids */
  #select(ids) {
    this.selected = new Set(ids);
    this.#told();
  }

  // Show the documents that may be added to the notebook that is open, or go back to those in it.
  /** @param {boolean} open */
  async #offer(open) {
    const { notebook } = active;
    const all = open && notebook ? await orToast(session(null)) : null;
    if (notebook !== active.notebook) return;
    const inside = new Set(this.documents.map(({ id }) => id));
    this.others = all?.documents.filter(({ id }) => !inside.has(id)) ?? null;
    this.selected.clear();
    this.draw();
  }

  // Add documents to a notebook.
  /** @param {string} notebook */
  async put(notebook, ones = this.#selected()) {
    const into = app.notebooks.all.find(({ id }) => id === notebook);
    if (!into || !(await orToast(putAllIn(notebook, ones.map(({ id }) => id))))) return;
    const added = ones.filter(({ id }) => !into.documents.includes(id));
    into.documents.push(...added.map(({ id }) => id));
    await this.refresh();
    await this.#offer(false);
    toast(say("list.put", { name: into.name, title: named(ones) }), say("history.undo"), async () => {
      into.documents = into.documents.filter((id) => !added.some((one) => one.id === id));
      await Promise.all(added.map(({ id }) => orToast(takeOut(notebook, id))));
      await this.refresh();
    });
  }

  // --- removing -------------------------------------------------------------------------------

  // Those that are selected and may be removed: from the notebook that is open, or else for good.
  #removable() {
    const { current, mayWrite } = app.notebooks;
    return this.others ? [] : this.#selected().filter(({ own }) => (current ? mayWrite : own));
  }

  // Remove documents, or take them out of the open notebook; this can be undone.
  /** @param {Listed[]} gone */
  async remove(gone) {
    const { notebook } = active;
    const { current } = app.notebooks;
    const [only] = gone;
    if (!only) return;
    const at = this.#seen().findIndex(({ one }) => one.id === only.id);
    const done = await this.#each(gone, (id) => (notebook ? takeOut(notebook, id) : remove(`documents/${id}`)));
    const left = this.#seen();
    (left[Math.min(at, left.length - 1)]?.box ?? this).focus();
    const told = say(current ? "list.taken_out" : "library.removed", { name: current?.name ?? "", title: named(done) });
    if (done.length) toast(told, say("history.undo"), () => void this.#each(done, (id) => restoreDocument(id, notebook)));
  }

  // Do something with each document; gives those with which it could be done.
  /** @param {Listed[]} ones @param {(id: string) => Promise<unknown>} act */
  async #each(ones, act) {
    const went = await Promise.all(ones.map(({ id }) => orToast(act(id))));
    tellTabs({ what: "documents" });
    await this.refresh();
    return ones.filter((_, at) => went[at]);
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
