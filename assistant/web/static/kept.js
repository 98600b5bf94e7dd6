// What is kept in the notebook that is open: answers and highlighted places, each with a note of its
// reader's, held against the documents as they are now.

import { Latest, toast } from "./dom.js";
import { notes, open_, putNote, removeNote, restoreNote, tried } from "./server.js";
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
      if (done) await this.refresh();
      return Boolean(done);
    });
  }

  // Delete one; it can be had back. `told` is what is said of it.
  /** @param {string} id @param {Key} told */
  remove(id, told) {
    const { notebook } = open_;
    return this.#next(async () => {
      if (!(await tried(removeNote(id, notebook)))) return;
      await this.refresh();
      toast(say(told), say("history.undo"), () => this.#next(() => tried(restoreNote(id, notebook)).then(() => this.refresh())));
    });
  }

  // One after the other: what is deleted while it is still being saved stays deleted.
  /** @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
  #next(work) {
    const done = this.done.then(work);
    this.done = done;
    return done;
  }
}
