// The documents: which there are, which are asked, adding and removing.

import { $, action, announce, h, toast } from "./dom.js";
import { add, keep, messageOf, remove, session, tried } from "./server.js";
/** @import { Store } from "./store.js" */
/** @import { LibraryActs, Listed } from "../types.js" */

const languages = new Intl.DisplayNames("en", { type: "language", fallback: "code" });

/** @param {string} language its code */
const nameOf = (language) => languages.of(language) ?? language;

export class Library {
  /** @type {Listed[]} */
  documents = [];
  // How often the server was asked for them, and which of its answers is shown.
  asks = 0;
  shown = 0;

  /** @param {Store} store @param {LibraryActs} acts */
  constructor(store, acts) {
    this.store = store;
    this.acts = acts;
    this.dialog = $("library");
    for (const id of ["open-library", "asking"]) $(id).addEventListener("click", () => this.dialog.showModal());
    const files = $("files");
    files.addEventListener("change", () => {
      void this.add([...(files.files ?? [])]);
      files.value = "";
    });
    this.#droppable();
  }

  /** @param {Listed[]} documents */
  take(documents) {
    this.documents = documents;
    this.draw();
    this.acts.changed();
  }

  // Ids of the documents that are asked.
  asked() {
    const { left } = this.store;
    return this.documents.filter((d) => !left.has(d.id)).map((d) => d.id);
  }

  draw() {
    const asked = new Set(this.asked());
    const count = this.documents.length;
    $("document-count").textContent = String(count);
    $("documents").replaceChildren(...this.documents.map((one) => this.#item(one, asked.has(one.id))));
    const [only] = this.documents.filter((d) => asked.has(d.id));
    $("asking").textContent =
      asked.size === 0 ? "No document is ticked: choose what to ask"
      : only && asked.size === 1 ? `Asking ${only.title}`
      : asked.size === count ? `Asking all ${count} documents` : `Asking ${asked.size} of ${count} documents`;
    $("asking").classList.toggle("wrong", asked.size === 0);
  }

  /** @param {Listed} one @param {boolean} asked */
  #item(one, asked) {
    /** @type {HTMLInputElement} */
    const tick = h("input", { type: "checkbox", id: `ask-${one.id}`, checked: asked, onchange: () => this.#choose(one, tick.checked) });
    const what = [`${one.paragraphs.toLocaleString()} ${one.paragraphs === 1 ? "paragraph" : "paragraphs"}`];
    if (one.name !== one.title) what.push(one.name);
    if (one.language !== "en") what.push(`in ${nameOf(one.language)}: less sure than English`);
    if (one.own) what.push(one.kept ? "yours, kept" : "yours, goes when you are away");
    return h(
      "li",
      {},
      tick,
      h("label", { for: tick.id, dir: "auto" }, h("b", {}, one.title), h("small", {}, what.join(" · "))),
      h(
        "div",
        { class: "acts" },
        h("button", { type: "button", class: "open", "aria-label": `Read ${one.title}`, onclick: () => { this.dialog.close(); void this.acts.open(one.id); } }, "Read"),
        one.own && !one.kept && action("keep", `Keep ${one.title}`, () => this.#tried(() => keep(one.id), `Kept: ${one.title}`)),
        one.own && action("trash", `Remove ${one.title}`, () => this.#tried(() => remove(one.id), `Removed: ${one.title}`)),
      ),
    );
  }

  /** @param {Listed} one @param {boolean} asked */
  #choose(one, asked) {
    const { left } = this.store;
    if (asked) left.delete(one.id);
    else left.add(one.id);
    this.store.left = left;
    this.draw();
    $(`ask-${one.id}`).focus();
    this.acts.changed();
  }

  /** @param {() => Promise<unknown>} act @param {string} done */
  async #tried(act, done) {
    await tried(act().then(() => toast(done)));
    await this.refresh();
  }

  async refresh() {
    const ask = ++this.asks;
    const answer = await tried(session());
    if (!answer || ask < this.shown) return; // a later answer was there before
    this.shown = ask;
    this.take(answer.documents);
  }

  // --- adding ---------------------------------------------------------------------------------

  // One after the other: each is sent, then indexed, unless it is cancelled.
  /** @param {File[]} files */
  async add(files) {
    if (!files.length) return;
    if (!this.dialog.open) this.dialog.showModal();
    for (const adding of files.map((file) => this.#row(file))) {
      const { row, bar, says, cancel, stopping } = adding;
      try {
        stopping.signal.throwIfAborted();
        says.textContent = "Sending";
        const found = await this.#added(adding);
        await this.refresh();  // who reads that it is added may ask it at once
        row.classList.add("done");
        says.textContent = `Added: ${found.paragraphs.toLocaleString()} ${found.paragraphs === 1 ? "paragraph" : "paragraphs"}`;
        announce(`Added ${found.title}`);
        if (found.language !== "en") {
          says.textContent += `. It is in ${nameOf(found.language)}, and the models that ship have learned from English: answers are less sure there, and more is refused. A multilingual encoder finds more (FOOTNOTE_ENCODER).`;
        }
        this.acts.again(found.id);
      } catch (error) {
        const cancelled = stopping.signal.aborted;
        row.classList.add(cancelled ? "cancelled" : "wrong");
        says.textContent = cancelled ? "Cancelled: not added" : messageOf(error);
        says.setAttribute("role", cancelled ? "status" : "alert");
        if (cancelled) await this.refresh();
      }
      if (document.activeElement === cancel) $("files").focus();
      bar.remove();
      cancel.remove();
    }
  }

  /** @param {File} file */
  #row(file) {
    const stopping = new AbortController();
    const bar = h("progress", { max: "1", value: "0", "aria-label": `Adding ${file.name}` });
    const says = h("small", {}, "Waiting");
    const stop = () => {
      cancel.disabled = true;
      says.textContent = "Cancelling";
      stopping.abort();
    };
    /** @type {HTMLButtonElement} */
    const cancel = h("button", { type: "button", class: "cancel", "aria-label": `Cancel adding ${file.name}`, onclick: stop }, "Cancel");
    const row = h("li", { dir: "auto" }, cancel, h("b", {}, file.name), bar, says);
    $("uploads").append(row);
    return { file, row, bar, says, cancel, stopping };
  }

  /** @param {{ file: File, bar: HTMLProgressElement, says: HTMLElement, stopping: AbortController }} adding */
  async #added({ file, bar, says, stopping }) {
    for await (const { name, value } of add(file, (share) => (bar.value = share * 0.3), stopping.signal)) {
      if (name === "waiting" && value.before) says.textContent = `Waiting: ${value.before} before it`;
      else if (name === "progress") {
        bar.value = 0.3 + (0.7 * value.done) / value.total;
        says.textContent = `Indexing ${value.done.toLocaleString()} of ${value.total.toLocaleString()} paragraphs`;
      } else if (name === "done") return /** @type {Listed} */ (value);
    }
    throw new Error("It was cancelled.");
  }

  #droppable() {
    const cover = $("dropping");
    /** @param {DragEvent} event */
    const holds = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragenter", (event) => holds(event) && (cover.hidden = false));
    addEventListener("dragleave", (event) => event.relatedTarget || (cover.hidden = true)); // off the page
    addEventListener("dragover", (event) => holds(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      cover.hidden = true;
      if (!holds(event)) return;
      event.preventDefault();
      void this.add([...(event.dataTransfer?.files ?? [])]);
    });
  }
}
