// What is kept in the notebook that is open: answers and highlighted places, each with a note of its
// reader's, held against the documents as they are now.

import { Latest, toast } from "../shared/dom.js";
import { isStatus, notes, open_, putNote, removeNote, restoreNote, tried } from "../shared/server.js";
import { tab } from "../shared/storage.js";
import { tellTabs } from "../shared/tabs.js";
import { say } from "../shared/words.js";
import { DRAFTS } from "./noting.js";
/** @import { Key, Note, Noted, Turn } from "../../types.js" */

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
    if ((await this.#look()) && !(document.activeElement instanceof HTMLTextAreaElement)) this.#saveDrafts();
  }

  // Gives whether it is known by now what is kept.
  async #look() {
    const isLast = this.asked.next();
    const found = await tried(notes());
    if (!found || !isLast()) return false;
    this.all = found;
    this.changed();
    return true;
  }

  // Save what was written and did not reach the server: the page was left, or the server was away.
  #saveDrafts() {
    for (const name of tab.names(DRAFTS)) {
      const { note, mine } = this.noted(name.slice(DRAFTS.length)) ?? {};
      const text = tab.get(name)?.trim();
      if (note && mine && text !== undefined) void this.put({ ...note, text });
    }
  }

  /** @param {string} id of a note */
  noted(id) {
    return this.all.find(({ note }) => note.id === id);
  }

  // The note that keeps the answer of a turn, as that is now.
  /** @param {Turn} turn */
  of(turn) {
    const { note } = this.noted(turn.id) ?? {};
    return note && note.answer?.text === turn.answer?.text ? note : null;
  }

  // Keep a note. Gives what is said of that; nothing where it is not kept. `over` is what its writer saw
  // in its place: what somebody else has written meanwhile is kept as well.
  /** @param {Note} note @param {string} [over] */
  put(note, over) {
    const { notebook } = open_;
    return this.#next(async () => {
      const said = await tried(this.#put(note, notebook, over));
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
      const theirs = (await notes(notebook)).find((own) => own.note.id === note.id)?.note.text ?? "";
      await putNote({ ...note, text: `${theirs}\n${note.text}` }, notebook, theirs);
      return "notes.both";
    }
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
    await this.#look();
  }

  // One after the other: what is deleted while it is still being saved stays deleted.
  /** @template Value @param {() => Promise<Value>} work @returns {Promise<Value>} */
  #next(work) {
    const done = this.done.then(work);
    this.done = done.catch(() => {});
    return done;
  }
}
