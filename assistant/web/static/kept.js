// What is kept in the notebook that is open: answers and highlighted places, each with a note of its
// reader's, held against the documents as they are now.

import { Latest, toast } from "./dom.js";
import { DRAFTS } from "./noting.js";
import { notes, open_, putNote, removeNote, restoreNote, tried } from "./server.js";
import { tab } from "./storage.js";
import { tellTabs } from "./tabs.js";
import { say } from "./words.js";
/** @import { Key, Note, Noted, Turn } from "../types.js" */

export class Kept {
  /** @type {Noted[]} */
  all = [];
  asked = new Latest();
  /** @type {Promise<unknown>} */
  done = Promise.resolve(); // what was begun last

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  async refresh() {
    const isLast = this.asked.next();
    const found = await tried(notes());
    if (!found || !isLast()) return;
    this.all = found;
    this.changed();
    if (!(document.activeElement instanceof HTMLTextAreaElement)) this.#saveDrafts();
  }

  // Save what was written and did not reach the server: the page was left, or the server was away.
  #saveDrafts() {
    for (const name of tab.names(DRAFTS)) {
      const { note, mine } = this.all.find((own) => own.note.id === name.slice(DRAFTS.length)) ?? {};
      const text = tab.get(name)?.trim();
      if (note && mine && text !== undefined) void this.put({ ...note, text });
    }
  }

  // The note that keeps the answer of a turn, as that is now.
  /** @param {Turn} turn */
  of(turn) {
    const { note } = this.all.find((own) => own.note.id === turn.id) ?? {};
    return note && note.answer?.text === turn.answer?.text ? note : null;
  }

  // Gives whether it is kept.
  /** @param {Note} note */
  put(note) {
    const { notebook } = open_;
    return this.#next(async () => {
      const done = await tried(putNote(note, notebook));
      if (!done) return false;
      tab.remove(`${DRAFTS}${note.id}`);
      await this.#tell();
      return true;
    });
  }

  // Delete one; it can be had back. `told` is what is said of it.
  /** @param {string} id @param {Key} told */
  remove(id, told) {
    const { notebook } = open_;
    return this.#next(async () => {
      if (!(await tried(removeNote(id, notebook)))) return;
      tab.remove(`${DRAFTS}${id}`);
      await this.#tell();
      toast(say(told), say("history.undo"), () => this.#next(() => tried(restoreNote(id, notebook)).then(() => this.#tell())));
    });
  }

  async #tell() {
    tellTabs({ what: "notes" });
    await this.refresh();
  }

  // One after the other: what is deleted while it is still being saved stays deleted.
  /** @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
  #next(work) {
    const done = this.done.then(work);
    this.done = done;
    return done;
  }
}
