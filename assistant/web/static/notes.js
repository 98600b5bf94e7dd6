// What its reader keeps: answers and highlighted places, each with a note of their own, held against
// the documents as they are now.

import { $, Latest, action, characters, h, oneLine, pathOf, toast } from "./dom.js";
import { exportMenu } from "./exporting.js";
import { document_, notes, open_, putNote, removeNote, restoreNote, tried } from "./server.js";
import { locale, say } from "./words.js";
/** @import { Target } from "./citing.js" */
/** @import { Citation, Key, Note, Noted, NotesActs, PlaceNow, Turn } from "../types.js" */

const SHOWN = 3; // quotes that are shown at once
const day = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });

/** @type {Record<PlaceNow["standing"], Key>} */
const STANDINGS = { there: "notes.there", changed: "notes.changed", gone: "notes.gone" };

/** @param {Note} note */
const quotesOf = (note) => note.answer?.citations ?? (note.citation ? [note.citation] : []);

export class Notes {
  /** @type {Noted[]} */
  all = [];
  refreshed = new Latest();

  /** @param {NotesActs} acts */
  constructor(acts) {
    this.acts = acts;
    this.dialog = $("notes");
    $("open-notes").addEventListener("click", () => this.open());
  }

  open() {
    this.dialog.showModal();
    void this.refresh();
  }

  // Look what is kept in the notebook that is open.
  async refresh() {
    const isLast = this.refreshed.next();
    const found = await tried(notes());
    if (!found || !isLast()) return;
    this.all = found;
    this.#changed();
  }

  // The note that keeps the answer of a turn, as that is now.
  /** @param {Turn} turn */
  of(turn) {
    const { note } = this.all.find((own) => own.note.id === turn.id) ?? {};
    return note && note.answer?.text === turn.answer?.text ? note : null;
  }

  // Keep an answer, with what its reader notes.
  /** @param {Turn} turn @param {string} conversation its id @param {string} text */
  async keep(turn, conversation, text) {
    const { id, answer } = turn;
    if (!answer) return;
    const created = this.of(turn)?.created ?? Date.now();
    const kept = await this.put({ id, kind: "answer", text, created, conversation, turn: id, answer });
    if (kept) toast(say(text ? "notes.saved" : "notes.kept"), say("notes.show"), () => this.open());
  }

  // Gives whether it is kept.
  /** @param {Note} note */
  async put(note) {
    const kept = await tried(putNote(note));
    if (kept) await this.refresh();
    return Boolean(kept);
  }

  // Delete one; it can be had back.
  /** @param {string} id */
  async remove(id) {
    const { notebook } = open_;
    if (!(await tried(removeNote(id, notebook)))) return;
    this.all = this.all.filter((own) => own.note.id !== id);
    this.#changed();
    toast(say("notes.removed"), say("history.undo"), () => void tried(restoreNote(id, notebook)).then(() => this.refresh()));
  }

  #changed() {
    this.acts.changed();
    if (!this.dialog.open) return;
    $("notes-export").replaceChildren(...(this.all.length ? [exportMenu("notes", say("notes.export"))] : []));
    $("notes-none").hidden = this.all.length > 0;
    $("note-list").replaceChildren(...this.all.map((one) => this.#item(one)));
  }

  /** @param {Noted} noted */
  #item({ note, by, mine, now }) {
    const { conversation, turn, answer, citation } = note;
    const title = answer?.question ?? (citation ? citation.document : "");
    const quotes = quotesOf(note).map((own, number) => this.#quote(own, now[number]));
    const field = h("textarea", { rows: "1", dir: "auto", "aria-label": say("notes.own"), placeholder: say("notes.own.more"), maxlength: "20000" });
    field.value = note.text;
    field.addEventListener("change", () => void this.put({ ...note, text: field.value.trim() }).then((kept) => kept && toast(say("notes.saved"))));
    return h(
      "li",
      {},
      h("h3", { dir: "auto" }, title),
      h("small", {}, [by, day.format(note.created)].filter(Boolean).join(" · ")),
      answer?.refused && h("p", {}, say("answer.refused")),
      h("ul", { class: "quotes" }, ...quotes.slice(0, SHOWN)),
      quotes.length > SHOWN && h("details", {}, h("summary", { class: "more" }, say("notes.more", { count: quotes.length - SHOWN })), h("ul", { class: "quotes" }, ...quotes.slice(SHOWN))),
      mine ? h("div", { class: "own" }, field, h("button", { type: "button", class: "more" }, say("notes.save"))) : h("p", { dir: "auto" }, note.text),
      h(
        "div",
        { class: "acts" },
        conversation && h("button", { type: "button", class: "more", onclick: () => this.#leave(() => this.acts.goTo(conversation, turn ?? null)) }, say("notes.conversation")),
        mine && action("trash", say("notes.remove", { title: oneLine(title) }), () => this.remove(note.id)),
      ),
    );
  }

  // A quote, where it stands, and what became of it.
  /** @param {Citation} citation @param {PlaceNow} [now] */
  #quote(citation, now) {
    const standing = now?.standing ?? "gone";
    const isMoved = standing === "there" && now?.paragraph !== citation.paragraph;
    const place = pathOf({ ...citation, paragraph: now?.paragraph ?? citation.paragraph });
    return h(
      "li",
      {},
      h("q", { dir: "auto" }, citation.quote),
      standing === "gone" ? h("span", { dir: "auto" }, place) : h("button", { type: "button", class: "go", dir: "auto", onclick: () => this.#show(citation, now) }, place),
      h("small", { class: `standing ${standing}` }, say(isMoved ? "notes.moved" : STANDINGS[standing])),
    );
  }

  // Open a quote where it stands now; where that reads otherwise, its paragraph.
  /** @param {Citation} citation @param {PlaceNow} [now] */
  async #show({ document_id: document }, now) {
    let { start = null, end = null } = now ?? {};
    if (start === null || end === null) {
      const whole = await tried(document_(document));
      const paragraph = whole?.paragraphs.find(({ number }) => number === now?.paragraph);
      if (!paragraph) return;
      [start, end] = [paragraph.start, paragraph.start + characters(paragraph.text).length];
    }
    /** @type {Target} */
    const target = { document, start, end };
    this.#leave(() => this.acts.open(target));
  }

  /** @param {() => unknown} act */
  #leave(act) {
    this.dialog.close();
    act();
  }
}
