// What is kept in the notebook that is open: answers and highlighted places, each with a note of its
// reader's, held against the documents as they are now.

import { Latest, toast } from "./dom.js";
import { DRAFTS } from "./noting.js";
import { Failure, notes, open_, putNote, removeNote, restoreNote, tried } from "./server.js";
import { tab } from "./storage.js";
import { tellTabs } from "./tabs.js";
import { say } from "./words.js";
/** @import { Key, Note, Noted, Turn } from "../types.js" */

const CONFLICT = 409; // of HTTP: somebody else has changed it meanwhile

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

  // Keep a note. Gives what is said of that; nothing where it is not kept. `over` is what its writer saw
  // in its place: what somebody else has written meanwhile is kept as well.
  /** @param {Note} note @param {string} [over] @returns {Promise<Key | null>} */
  put(note, over) {
    const { notebook } = open_;
    return this.#next(async () => {
      /** @type {Key | null | void} */
      const said = await tried(putNote(note, notebook, over).then(() => /** @type {Key} */ ("notes.saved"), async (/** @type {unknown} */ error) => {
        if (!(error instanceof Failure) || error.status !== CONFLICT) throw error;
        const theirs = (await notes()).find((own) => own.note.id === note.id)?.note.text ?? "";
        await putNote({ ...note, text: `${theirs}\n${note.text}` }, notebook, theirs);
        return /** @type {Key} */ ("notes.both");
      }));
      if (!said) return null;
      tab.remove(`${DRAFTS}${note.id}`);
      await this.#tell();
      return said;
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
    this.done = done.catch(() => {});
    return done;
  }
}
