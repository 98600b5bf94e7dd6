// The queue of what is being added, and of documents whose pictures are being read: several at once, each
// of which can be cancelled; and the progress of all, at the top of the page.

import { languageName } from "../documents/metadata.js";
import { $, announce, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { Failure, messageOf, readPictures } from "../shared/api.js";
import { number, say } from "../shared/i18n.js";
/** @import { Listed, Wanted } from "../../types.js" */

// The server reads one after the other: meanwhile the next one is sent. Not more, for all tabs of a
// browser have six connections together.
const MAX_RUNNING = 2;
const RATED = 5000; // milliseconds after which it is known how long the rest takes

// What is said of a document that is added, and of one that is there and whose pictures are read.
const ADDED = /** @type {const} */ ({ one: "adding.one", done: "adding.added", spoken: "adding.added.spoken", cancel: "adding.cancel.label", cancelled: "adding.cancelled", again: "adding.again.label", forget: "adding.forget.label" });
const READ = /** @type {const} */ ({ one: "pictures.one", done: "pictures.done", spoken: "pictures.done.spoken", cancel: "pictures.cancel.label", cancelled: "pictures.cancelled", again: "pictures.again.label", forget: "pictures.forget.label" });

// Errors after which the same file fails again.
const LASTING = new Set(["damaged", "empty", "locked", "not_text", "old_office", "too_large", "too_long", "unreadable"]);

/** @type {Set<Item["state"]>} */
const OPEN = new Set(["waiting", "running", "asking"]);

/**
 * @typedef {object} Item
 * @property {Wanted} wanted
 * @property {AbortController} stopping
 * @property {string} name that it gets
 * @property {boolean} isDecided it is known what becomes of the document that is there
 * @property {boolean} [isSame] it is the document that is there
 * @property {"waiting" | "running" | "asking" | "done" | "wrong" | "cancelled"} state
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} says
 * @property {HTMLButtonElement} cancel
 * @property {HTMLElement} [choices] what may become of the document that is there
 * @property {typeof ADDED | typeof READ} words
 * @property {boolean} [isLasting] it has failed, and would fail again
 * @property {Wanted} [pictures] what can be done instead: it has failed since its text is in pictures
 */

export class UploadQueue {
  /** @type {Item[]} */
  items = []; // since nothing was being added; what failed before that is only a row

  constructor() {
    // A text that was written here and could not be added is nowhere else.
    addEventListener("beforeunload", (event) => (this.busy || $("uploads").querySelector(".unsaved")) && event.preventDefault());
    $("adding-cancel").addEventListener("click", () => this.items.forEach((item) => this.#cancel(item)));
    $("adding-show").addEventListener("click", () => app.library.open());
    $("adding-again").addEventListener("click", () => this.#again(this.#repeatable()));
    $("adding-dismiss").addEventListener("click", () => {
      for (const row of $("uploads").querySelectorAll(".wrong")) row.remove();
      this.#tell();
    });
    for (const [id, both] of /** @type {const} */ ([["adding-replace", false], ["adding-both", true]])) {
      $(id).addEventListener("click", () => this.#asking().forEach((item) => void this.#decide(item, both)));
    }
    $("adding-pictures").addEventListener("click", () => {
      this.#again(this.#readable());
      $("adding-cancel").focus();
    });
  }

  get busy() {
    return this.items.some(({ state }) => OPEN.has(state));
  }

  // Those that would take the place of another document.
  #asking = () => this.items.filter(({ state }) => state === "asking");

  // Those that failed, until they are dismissed.
  #failed = () => this.items.filter(({ state, row }) => state === "wrong" && row.isConnected);

  // Those of them that may succeed now.
  #repeatable = () => this.#failed().filter(({ isLasting, pictures }) => !isLasting && !pictures);

  // Those of them whose text is in pictures, which can be read.
  #readable = () => this.#failed().filter(({ pictures }) => pictures);

  // The rows of what is settled go.
  leave() {
    for (const row of $("uploads").querySelectorAll(".done, .cancelled")) row.remove();
  }

  // Have the pictures read in a document that is there.
  /** @param {Listed} one */
  readPictures({ id, title }) {
    const same = this.items.find(({ wanted, state }) => wanted.id === id && OPEN.has(state));
    if (!same) this.add([{ name: title, id, ocr: true, begin: (signal) => readPictures(id, signal) }]);
    const { row, cancel } = same ?? /** @type {Item} */ (this.items.at(-1));
    row.scrollIntoView({ block: "nearest" });
    cancel.focus();
  }

  // Try something again, with its pictures where its text is in those; what was decided of it stays so.
  /** @param {Item[]} items */
  #again(items) {
    this.items = this.items.filter((item) => !items.includes(item));
    for (const { row } of items) row.remove();
    this.add(items.map(({ wanted, pictures }) => pictures ?? wanted), items);
    this.items.at(-1)?.cancel.focus();
  }

  /** @param {Wanted[]} wanted @param {Item[]} before what each was */
  add(wanted, before = []) {
    if (!wanted.length) return; // an empty folder, say
    if (!this.busy) {
      this.items = [];
      this.leave();
    }
    this.items.push(...wanted.map((one, at) => this.#item(one, before[at])));
    this.#go();
  }

  // Begin as many as may be at once.
  #go() {
    const running = this.items.filter(({ state }) => state === "running");
    for (const item of this.items) {
      if (running.length === MAX_RUNNING) break;
      // Another of its name is there only when it is added.
      if (item.state !== "waiting" || running.some(({ name }) => name === item.name)) continue;
      running.push(item);
      void this.#run(item);
    }
    this.#tell();
    if (this.busy) return;
    // The result is told at the end.
    const done = this.items.filter(({ state }) => state === "done");
    const added = done.filter(({ isSame }) => !isSame);
    if (done.length && !$("library").open) toast(added.length ? say(areRead(added) ? "pictures.all_done" : "adding.done", { count: added.length }) : say("adding.same"));
    app.library.changed();
    void app.library.hold();
  }

  /** @param {Wanted} wanted @param {Item} [before] @returns {Item} */
  #item(wanted, before) {
    const name = before?.name ?? wanted.name;
    const words = wanted.id ? READ : ADDED;
    const bar = h("progress", { max: "1", value: "0", "aria-label": say(words.one, { name }) });
    const says = h("small", {}, say("adding.waiting"));
    /** @type {HTMLButtonElement} */
    const cancel = h("button", { type: "button", class: "more", "aria-label": say(words.cancel, { name }), onclick: () => this.#cancel(item) }, say("adding.cancel"));
    const row = h("li", { dir: "auto" }, h("div", { class: "acts" }, cancel), h("b", {}, name), bar, says);
    $("uploads").append(row);
    /** @type {Item} */
    const item = { wanted, name, isDecided: before?.isDecided ?? !wanted.there, stopping: new AbortController(), state: "waiting", row, bar, says, cancel, words };
    return item;
  }

  /** @param {Item} item */
  async #run(item) {
    const { wanted, words, says, stopping } = item;
    item.state = "running";
    says.textContent = say("adding.sending");
    const { documents } = app.library;
    try {
      if (!item.isDecided && (await this.#isThere(item))) return;
      const found = await this.#added(item);
      item.isSame = await app.library.added(found, wanted, documents); // who reads that it is added may ask it at once
      says.textContent = item.isSame ? say("adding.same") : say(words.done, { count: found.paragraphs });
      announce(say(item.isSame ? "adding.same.spoken" : words.spoken, { title: found.title }));
      if (found.language !== "en") says.textContent += `. ${say("adding.language", { language: languageName(found.language) })}`;
      this.#end(item, "done");
    } catch (error) {
      if (stopping.signal.aborted) {
        await app.library.refresh();
        this.#end(item, "cancelled");
      } else this.#fail(item, error);
    }
    this.#go();
  }

  // Whether it would take the place of another document: then that is asked. The same file as is there, as far
  // as its size tells, is added again without a question; a text that was pasted is kept nowhere else.
  /** @param {Item} item */
  async #isThere(item) {
    const { wanted, row, says } = item;
    const found = (await wanted.there?.(item.name)) ?? null;
    if (item.stopping.signal.aborted) throw new Error(say("adding.cancelled"));
    if (!found || (found.bytes === wanted.bytes && wanted.text === undefined)) return false;
    item.state = "asking";
    says.textContent = say("adding.there", { title: found.title });
    const choices = /** @type {const} */ ([["adding.replace", "adding.replace.label", false], ["adding.both", "adding.both.label", true]]).map(([key, label, both]) =>
      h("button", { type: "button", class: "more", "aria-label": say(label, { name: item.name }), onclick: () => this.#decide(item, both) }, say(key)));
    item.choices = h("span", {}, ...choices);
    row.querySelector(".acts")?.prepend(item.choices);
    announce(say("adding.there", { title: found.title }));
    this.#go();
    return true;
  }

  // Add it in the place of what is there, or beside that.
  /** @param {Item} item @param {boolean} both */
  async #decide(item, both) {
    if (item.choices?.contains(document.activeElement)) item.cancel.focus();
    item.choices?.remove();
    try {
      if (both) await this.#rename(item);
      item.isDecided = true;
      item.state = "waiting";
    } catch (error) {
      this.#fail(item, error);
    }
    this.#go();
  }

  // Give it a name that no other has.
  /** @param {Item} item */
  async #rename(item) {
    const [, stem = "", suffix = ""] = /^(.*?)((?:\.[^.]*)?)$/s.exec(item.wanted.name) ?? [];
    let at = 2; // what it is called now is taken
    do item.name = `${stem} (${at++})${suffix}`;
    while (this.items.some((other) => other !== item && other.name === item.name) || (await item.wanted.there?.(item.name)));
  }

  /** @param {Item} item */
  async #added(item) {
    const { wanted, bar, says, stopping } = item;
    bar.removeAttribute("value"); // it is not known how much of it was sent
    let [counted, began, first] = ["", 0, 0];
    for await (const { name, value } of wanted.begin(stopping.signal, item.name)) {
      if (name === "waiting" && value.before) says.textContent = say("adding.waiting_behind", { count: value.before });
      else if (name === "waiting") says.textContent = say(wanted.ocr ? "pictures.reading" : "adding.reading");
      else if (name === "progress" && value.total) { // of what is there already, nothing is done
        const { done, total, unit } = value;
        const arePages = unit === "pages";
        const isLong = !arePages || wanted.ocr || app.library.pictures === "always"; // nothing that takes long follows
        if (unit !== counted) [counted, began, first] = [unit, performance.now(), done];
        bar.value = done / total;
        says.textContent = (arePages ? say("pictures.page", { at: number(Math.min(done + 1, total)), count: total }) : say("adding.indexing", { done: number(done), count: total })) + (isLong ? left(performance.now() - began, (done - first) / (total - first)) : "");
      } else if (name === "done") return /** @type {Listed} */ (value);
      this.#tell();
    }
    throw new Error(say("adding.cancelled"));
  }

  /** @param {Item} item */
  #cancel(item) {
    if (item.state === "running") {
      item.cancel.disabled = true;
      item.says.textContent = say("adding.cancelling");
      item.stopping.abort();
    } else if (OPEN.has(item.state)) {
      item.choices?.remove();
      this.#end(item, "cancelled");
      this.#go();
    }
  }

  /** @param {Item} item @param {unknown} error */
  #fail(item, error) {
    const { wanted, words, row, says } = item;
    const { name, pictures } = wanted;
    const code = error instanceof Failure ? (error.code ?? "") : "";
    const isScan = code === "scan";
    item.isLasting = LASTING.has(code);
    const why = [messageOf(error), isScan && app.library.pictures === "missing" && say("pictures.missing")].filter(Boolean).join(" ");
    says.textContent = why;
    says.setAttribute("role", "alert");
    if (isScan && pictures && app.library.pictures !== "missing") item.pictures = pictures;
    const [label, text] = item.pictures ? /** @type {const} */ (["pictures.read.label", "pictures.read"]) : /** @type {const} */ ([words.again, "adding.again"]);
    const again = !item.isLasting && h("button", { type: "button", class: "more", "aria-label": say(label, { name }), onclick: () => this.#again([item]) }, say(text));
    const close = h("button", { type: "button", class: "more", "aria-label": say(words.forget, { name }), onclick: () => {
      row.remove();
      this.#tell();
      app.library.focus();
    } }, say("adding.forget"));
    item.cancel.after(again || "", close);
    this.#end(item, "wrong");
    row.classList.toggle("unsaved", wanted.text !== undefined);
    if (item.pictures) row.classList.add("asking"); // one click mends it
  }

  /** @param {Item} item @param {"done" | "wrong" | "cancelled"} state */
  #end(item, state) {
    const { row, bar, says, cancel, words } = item;
    item.state = state;
    row.classList.add(state);
    if (document.activeElement === cancel) app.library.focus();
    // First what failed, then what is still to be done.
    if (state === "wrong") $("uploads").prepend(row);
    else $("uploads").append(row);
    if (state === "cancelled") says.textContent = say(words.cancelled);
    bar.remove();
    cancel.remove();
  }

  // How far all of it is, or what has failed.
  #tell() {
    const { items } = this;
    const count = items.length;
    const over = items.filter(({ state }) => !OPEN.has(state)).length;
    const asking = this.#asking();
    const now = items.find(({ state }) => state === "running");
    const failed = this.#failed();
    const readable = this.#readable();
    const areScans = readable.length > 0 && readable.length === failed.length;
    $("adding").hidden = !now && !failed.length && !asking.length;
    $("adding").classList.toggle("wrong", !now && !asking.length && !areScans);
    $("adding-bar").hidden = !now;
    $("adding-cancel").hidden = over === count;
    $("adding-dismiss").hidden = over < count;
    $("adding-again").hidden = over < count || this.#repeatable().length < 2;
    $("adding-replace").hidden = $("adding-both").hidden = !asking.length || Boolean(now);
    $("adding-pictures").hidden = over < count || !readable.length;
    $("adding").classList.toggle("several", readable.length > 1);
    $("adding-bar").value = items.reduce((sum, { state, bar }) => sum + (state === "running" ? bar.value : Number(!OPEN.has(state))), 0) / count;
    $("adding-text").textContent =
      now?.wanted.id ? say(READ.one, { name: now.name })
      : now ? say("adding.now", { at: number(over + 1), count, name: now.wanted.name })
      : asking.length ? say("adding.asking", { count: asking.length })
      : areScans ? say("pictures.asking", { count: failed.length })
      : say(areRead(failed) ? "pictures.failed" : "adding.failed", { some: number(failed.length), count });
  }
}

// How long the rest takes, when that can be told.
/** @param {number} passed milliseconds @param {number} share that was done in them */
function left(passed, share) {
  if (passed < RATED || !(share > 0 && share < 1)) return "";
  const minutes = (passed * (1 / share - 1)) / 60_000;
  return ` · ${minutes < 1 ? say("adding.left.soon") : say("adding.left", { count: Math.round(minutes) })}`;
}

// Whether all of them were there, and their pictures were read.
/** @param {Item[]} items */
const areRead = (items) => items.every(({ words }) => words === READ);
