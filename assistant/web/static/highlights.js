// What a reader has highlighted: places in documents that are kept as notes of the open notebook,
// each with what is noted about it.

import { $, h, toast } from "./dom.js";
import { beside } from "./selecting.js";
import { notes, open_, putNote, removeNote, restoreNote, tried } from "./server.js";
import { newId } from "./store.js";
import { say } from "./words.js";
/** @import { Citation, Note, Noted } from "../types.js" */

/**
 * One that is in a document as that is now. Where its text has changed since, that of its paragraph,
 * it has no offsets; otherwise they count characters of the document's text.
 * @typedef {{ id: string, noted: Noted, citation: Citation, paragraph: number, at: { start: number, end: number } | null }} Highlighted
 */

export class Highlights {
  /** @type {Noted[]} */
  all = [];
  /** @type {string | null | undefined} */
  notebook = undefined; // whose they are; undefined before there are any

  /** @param {HTMLElement} view what they are shown in @param {() => void} changed */
  constructor(view, changed) {
    this.view = view;
    this.changed = changed;
    this.card = h("div", { id: "highlight", role: "dialog", "aria-label": say("reader.highlight"), popover: "auto" });
    $("reader").append(this.card);
  }

  // Those of the notebook that is open, anew where it is another one than before.
  async load(again = false) {
    if (!again && this.notebook === open_.notebook) return;
    const { notebook } = open_;
    this.notebook = notebook;
    const found = await notes().catch(() => []); // one can read without
    if (notebook !== open_.notebook) return; // another was opened meanwhile
    this.all = found.filter(({ note }) => note.kind === "highlight");
    this.changed();
  }

  // Those in a document, but for what is gone from it.
  /** @param {string} documentId @returns {Highlighted[]} */
  in(documentId) {
    return this.all.flatMap((noted) => {
      const { citation, id } = noted.note;
      const [now] = noted.now;
      if (citation?.document_id !== documentId || typeof now?.paragraph !== "number") return [];
      const { paragraph, start, end } = now;
      return [{ id, noted, citation, paragraph, at: start === null || end === null ? null : { start, end } }];
    });
  }

  // Keep a place; another one of the same place is not kept.
  /** @param {Citation} citation */
  async keep(citation) {
    const { document_id, paragraph, start, end } = citation;
    if (this.in(document_id).some(({ at }) => at?.start === start && at.end === end)) return;
    /** @type {Note} */
    const note = { id: newId(), kind: "highlight", text: "", created: Date.now(), citation };
    if (!(await tried(putNote(note)))) return;
    this.all.unshift({ note, by: "", mine: true, now: [{ standing: "there", paragraph, start, end }] });
    this.changed();
  }

  // Show what is noted about one, to be read and written.
  /** @param {Highlighted} one @param {DOMRect} place */
  open({ noted, citation, at }, place) {
    const { note, mine, by } = noted;
    const text = h("textarea", { rows: "3", dir: "auto", maxlength: "20000", "aria-label": say("reader.note"), placeholder: say("reader.note"), readonly: !mine });
    text.value = note.text;
    text.addEventListener("change", () => void this.#write(noted, text.value));
    this.card.replaceChildren(
      h("q", { dir: "auto" }, citation.quote),
      at ? "" : h("p", { class: "since" }, say("reader.highlight.changed")),
      mine || note.text ? text : "",
      mine || !by ? "" : h("p", { class: "since" }, say("reader.highlight.by", { name: by })),
      h(
        "p",
        { class: "acts" },
        mine && h("button", { type: "button", onclick: () => void this.#remove(noted) }, say("reader.highlight.remove")),
        h("button", { type: "button", onclick: () => this.card.hidePopover() }, say("page.close")),
      ),
    );
    this.card.showPopover();
    beside(this.card, place, this.view);
    if (mine) text.focus({ preventScroll: true });
  }

  /** @param {Noted} noted @param {string} text */
  async #write(noted, text) {
    const note = { ...noted.note, text };
    if (!(await tried(putNote(note)))) return;
    noted.note = note;
    this.changed();
  }

  /** @param {Noted} noted */
  async #remove({ note }) {
    this.card.hidePopover();
    const { notebook } = this;
    if (!(await tried(removeNote(note.id, notebook)))) return;
    this.all = this.all.filter((other) => other.note.id !== note.id);
    this.changed();
    toast(say("reader.highlight.removed"), say("history.undo"), () => void tried(restoreNote(note.id, notebook)).then(() => this.load(true)));
  }
}
