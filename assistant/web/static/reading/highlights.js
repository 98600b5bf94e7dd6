// What the reader has highlighted: places in documents, each with a note.

import { newId } from "../conversations/store.js";
import { drafted } from "../notes/store.js";
import { $, doubt, h } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { say } from "../shared/i18n.js";
import { beside } from "./selection.js";
/** @import { Citation, Noted } from "../../types.js" */

/**
 * One that is in a document as that is now. Where its text has changed since, that of its paragraph,
 * it has no offsets; otherwise they count characters of the document's text.
 * @typedef {{ id: string, noted: Noted, citation: Citation, paragraph: number, at: { start: number, end: number } | null }} Highlighted
 */

export class Highlights {
  /** @param {HTMLElement} view what they are shown in */
  constructor(view) {
    this.view = view;
    this.card = h("div", { id: "highlight", role: "dialog", "aria-label": say("reader.highlight"), popover: "auto" });
    $("reader").append(this.card);
  }

  // Those in a document, but for what is gone from it.
  /** @param {string} documentId @returns {Highlighted[]} */
  in(documentId) {
    return app.noteStore.all.flatMap((noted) => {
      const { citation, id, kind } = noted.note;
      const [now] = noted.now;
      if (kind !== "highlight" || citation?.document_id !== documentId || typeof now?.paragraph !== "number") return [];
      const { paragraph, start, end } = now;
      return [{ id, noted, citation, paragraph, at: start === null || end === null ? null : { start, end } }];
    });
  }

  // Keep a place, once. Returns whether it is kept.
  /** @param {Citation} citation */
  async keep(citation) {
    const { document_id, start, end } = citation;
    if (this.in(document_id).some(({ at }) => at?.start === start && at.end === end)) return true;
    return Boolean(await app.noteStore.put({ id: newId(), kind: "highlight", text: "", created: Date.now(), citation }));
  }

  // Show what is noted about one, to be read and written.
  /** @param {Highlighted} one @param {DOMRect} place */
  open({ noted, citation, at }, place) {
    const { note, mine, by } = noted;
    const text = h("textarea", { rows: "3", dir: "auto", maxlength: "20000", "aria-label": say("reader.note"), placeholder: say("reader.note"), readonly: !mine });
    text.value = note.text;
    drafted(text, note.id, (said, over) => app.noteStore.put({ ...note, text: said }, over));
    this.card.replaceChildren(
      h("q", { dir: "auto" }, citation.quote),
      doubt(citation.uncertain) || "",
      at ? "" : h("p", { class: "since" }, say("reader.highlight.changed")),
      mine || note.text ? text : "",
      mine || !by ? "" : h("p", { class: "since" }, say("reader.highlight.by", { name: by })),
      h("p", { class: "acts" },
        mine && h("button", { type: "button", onclick: () => { this.card.hidePopover(); void app.noteStore.remove(note.id, "reader.highlight.removed"); } }, say("reader.highlight.remove")),
        h("button", { type: "button", onclick: () => this.card.hidePopover() }, say("page.close")),
      ),
    );
    this.card.showPopover();
    beside(this.card, place, this.view);
    if (mine) text.focus({ preventScroll: true });
  }
}
