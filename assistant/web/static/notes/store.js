// The notes of the open notebook: answers and highlighted places that are kept, each with what its reader
// notes, compared with the documents as they are now.

import { Latest, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { isStatus, notes, active, putNote, remove, restore, orToast } from "../shared/api.js";
import { tab, tellTabs } from "../shared/storage.js";
import { say } from "../shared/i18n.js";
/** @import { Key, Note, Noted, Turn } from "../../types.js" */

const DRAFTS = "footnote/note/"; // with the note's id, what was written and not saved
const CONFLICT = 409; // somebody else has changed it meanwhile

export class NoteStore {
  /** @type {Noted[]} */
  all = [];
  asked = new Latest();
  /** @type {Promise<unknown>} */
  done = Promise.resolve(); // what was begun last

  async refresh() {
    if (!(await this.#look()) || document.activeElement instanceof HTMLTextAreaElement) return;
    // What was written and did not reach the server is saved: the page was left, or the server was away.
    for (const name of tab.names(DRAFTS)) {
      const { note, mine } = this.noted(name.slice(DRAFTS.length)) ?? {};
      const text = tab.get(name)?.trim();
      if (note && mine && text !== undefined) void this.put({ ...note, text });
    }
  }

  // Returns whether the notes are known now.
  async #look() {
    const isLast = this.asked.next();
    const found = await orToast(notes());
    if (!found || !isLast()) return false;
    this.all = found;
    app.chat.judged();
    app.reader.remark();
    app.notes.draw();
    return true;
  }

  /** @param {string} id of a note */
  noted = (id) => this.all.find(({ note }) => note.id === id);

  // The note that keeps the answer of a turn, as that is now.
  /** @param {Turn} turn */
  of(turn) {
    const { note } = this.noted(turn.id) ?? {};
    return note && note.answer?.text === turn.answer?.text ? note : null;
  }

  // Save a note. Returns the key of what is said about that; null if it was not saved. `over` is the text that
  // its writer saw: what somebody else has written meanwhile is kept as well.
  /** @param {Note} note @param {string} [over] */
  put(note, over) {
    const { notebook } = active;
    return this.#next(async () => {
      const said = await orToast(this.#put(note, notebook, over));
      if (!said) return null;
      tab.remove(`${DRAFTS}${note.id}`);
      await this.#tell();
      return said;
    });
  }

  /** @param {Note} note @param {string | null} notebook @param {string} [over] @returns {Promise<Key>} */
  async #put(note, notebook, over) {
    try {
      await putNote(note, notebook, over);
      return "notes.saved";
    } catch (error) {
      if (!isStatus(error, CONFLICT)) throw error;
      const theirs = (await notes(notebook)).find((other) => other.note.id === note.id)?.note.text ?? "";
      await putNote({ ...note, text: `${theirs}\n${note.text}` }, notebook, theirs);
      return "notes.both";
    }
  }

  // Delete a note, which can be undone. `told` is what is said about it.
  /** @param {string} id @param {Key} told */
  remove(id, told) {
    const { notebook } = active;
    return this.#next(async () => {
      if (!(await orToast(remove(`notes/${id}`, notebook)))) return;
      tab.remove(`${DRAFTS}${id}`);
      await this.#tell();
      toast(say(told), say("history.undo"), () => this.#next(() => orToast(restore(`notes/${id}`, notebook)).then(() => this.#tell())));
    });
  }

  async #tell() {
    tellTabs({ what: "notes" });
    await this.#look();
  }

  // One after the other: a note that is deleted while it is being saved stays deleted.
  /** @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
  #next(work) {
    const done = this.done.then(work);
    this.done = done.catch(() => {});
    return done;
  }
}

// --- writing a note: what is not saved yet is kept as long as the tab is open ----------------------

// A field for a note, and the element around it; `written` is called with the new text, without spaces
// around it, and the one before.
/** @param {string} id of the note @param {(text: string, over: string) => unknown} written @param {boolean} hidden */
export function noting(id, written, hidden = false) {
  const field = h("textarea", { rows: "1", dir: "auto", "aria-label": say("notes.own"), placeholder: say("notes.own.more"), maxlength: "20000" });
  drafted(field, id, (text, over) => written(text.trim(), over.trim()));
  return { field, element: h("div", { class: "own", hidden }, field, h("button", { type: "button", class: "more" }, say("notes.save"))) };
}

// Keep the draft of a note; `written` is called with the new text, and the one before.
/** @param {HTMLTextAreaElement} field @param {string} id of the note @param {(text: string, over: string) => unknown} written */
export function drafted(field, id, written) {
  let over = "";
  field.addEventListener("focus", () => (over = field.value));
  field.addEventListener("input", () => tab.set(`${DRAFTS}${id}`, field.value));
  field.addEventListener("change", () => void written(field.value, over));
}
