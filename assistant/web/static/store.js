// What this browser keeps: conversations, which documents are asked, the theme, and for as long as
// the tab is open what writes. The server keeps none of it.

import { toast } from "./dom.js";
/** @import { Conversation } from "../types.js" */

export const storage = {
  /** @param {string} name */
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      toast("This browser has no more room for conversations: delete some to keep this one.");
    }
  },
};

// What is kept for as long as the tab is open.
export const tab = {
  /** @param {string} name */
  get(name) {
    try {
      return sessionStorage.getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      sessionStorage.setItem(name, value);
    } catch {
      // It holds until the page is loaded again.
    }
  },
};

export class Store {
  // Each user who logs in here has conversations of their own.
  /** @param {string | null} user */
  constructor(user) {
    this.prefix = `footnote/${encodeURIComponent(user ?? "")}/`;
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

  /** @param {Conversation} conversation */
  save(conversation) {
    if (!conversation.turns.length && !conversation.named) return;
    storage.set(`${this.prefix}conversation/${conversation.id}`, JSON.stringify(conversation));
  }

  /** @param {string} id */
  remove(id) {
    localStorage.removeItem(`${this.prefix}conversation/${id}`);
  }

  /** @returns {string | null} */
  get current() {
    return storage.get(`${this.prefix}current`);
  }

  /** @param {string} id */
  set current(id) {
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
