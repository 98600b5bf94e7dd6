// What this browser keeps: conversations, which documents are asked, the theme, and for as long as
// the tab is open what writes. The server keeps none of it.

import { toast } from "./dom.js";
/** @import { Conversation, Turn } from "../types.js" */

/** @param {() => globalThis.Storage} area @param {() => void} full */
const keeper = (area, full) => ({
  /** @param {string} name */
  get(name) {
    try {
      return area().getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      area().setItem(name, value);
    } catch {
      full();
    }
  },
});

export const storage = keeper(() => localStorage, () => toast("This browser has no more room for conversations: delete some to keep this one."));
// What is kept for as long as the tab is open; without room for it, until the page is loaded again.
export const tab = keeper(() => sessionStorage, () => {});

export class Store {
  // Each user who logs in here has conversations of their own.
  /** @param {string | null} user */
  constructor(user) {
    this.prefix = `footnote/${encodeURIComponent(user ?? "")}/`;
    /** @type {Set<string>} */
    this.removed = new Set();
  }

  #names() {
    try {
      return Object.keys(localStorage).filter((name) => name.startsWith(`${this.prefix}conversation/`));
    } catch {
      return [];
    }
  }

  // The newest first.
  all() {
    const found = this.#names().flatMap((name) => conversationAt(name) ?? []);
    return found.sort((a, b) => b.updated - a.updated);
  }

  /** @param {string} id */
  load(id) {
    const found = conversationAt(`${this.prefix}conversation/${id}`);
    // The page was left before these were answered.
    for (const turn of found?.turns ?? []) if (turn.state === "pending") turn.state = "stopped";
    return found;
  }

  // Change what is kept of a conversation, in which another tab may have written since this one read
  // it; where nothing is kept of it, all of it is. What was deleted here stays deleted.
  /** @param {Conversation} conversation @param {(kept: Conversation) => void} edit */
  change(conversation, edit) {
    if (this.removed.has(conversation.id)) return;
    const name = `${this.prefix}conversation/${conversation.id}`;
    const kept = conversationAt(name) ?? conversation;
    edit(kept);
    storage.set(name, JSON.stringify(kept));
  }

  // Keep a turn as it is now, and nothing else.
  /** @param {Conversation} conversation @param {Turn} turn */
  keep(conversation, turn) {
    this.change(conversation, (kept) => {
      const at = kept.turns.findIndex(({ id }) => id === turn.id);
      kept.turns.splice(at < 0 ? kept.turns.length : at, 1, turn);
      if (!kept.named) kept.title = conversation.title;
      kept.updated = conversation.updated;
    });
  }

  /** @param {string} id */
  remove(id) {
    localStorage.removeItem(`${this.prefix}conversation/${id}`);
    this.removed.add(id);
  }

  /** @param {Conversation} conversation */
  restore(conversation) {
    this.removed.delete(conversation.id);
    this.change(conversation, () => {});
  }

  // The conversation that was shown last: in this tab, or else in any.
  /** @returns {string | null} */
  get current() {
    return tab.get(`${this.prefix}current`) ?? storage.get(`${this.prefix}current`);
  }

  /** @param {string} id */
  set current(id) {
    tab.set(`${this.prefix}current`, id);
    storage.set(`${this.prefix}current`, id);
  }

  // Ids of the documents that are not asked.
  get left() {
    return new Set(/** @type {string[] | null} */ (read(`${this.prefix}left`)));
  }

  /** @param {Set<string>} ids */
  set left(ids) {
    storage.set(`${this.prefix}left`, JSON.stringify([...ids]));
  }
}

/** @param {string} name */
function conversationAt(name) {
  const found = /** @type {Conversation | null} */ (read(name));
  return found?.turns ? found : null;
}

/** @param {string} name @returns {unknown} */
function read(name) {
  try {
    return JSON.parse(storage.get(name) ?? "null");
  } catch {
    return null; // not written by this page
  }
}

/** @returns {Conversation} */
export const fresh = () => ({ id: newId(), title: "", named: false, updated: Date.now(), turns: [] });
export const newId = () => crypto.getRandomValues(new Uint32Array(3)).join("-");
