// What this browser keeps: conversations, which documents are asked, the theme. The server keeps
// none of it.

import { toast } from "./dom.js";

export const storage = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      toast("This browser has no more room for conversations: delete some to keep this one.");
    }
  },
};

// A conversation: {id, title, named, updated, turns}. A turn: {id, question, state, …} with what
// the server told of its answer; `state` is pending, answered, refused, failed or stopped.
export class Store {
  // Each user who logs in here has conversations of their own.
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
    const found = this.#names().map((name) => read(name)).filter((one) => one?.turns);
    return found.sort((a, b) => b.updated - a.updated);
  }

  load(id) {
    const found = read(`${this.prefix}conversation/${id}`);
    // The page was left before these were answered.
    for (const turn of found?.turns ?? []) if (turn.state === "pending") turn.state = "stopped";
    return found;
  }

  save(conversation) {
    if (!conversation.turns.length && !conversation.named) return;
    storage.set(`${this.prefix}conversation/${conversation.id}`, JSON.stringify(conversation));
  }

  remove(id) {
    localStorage.removeItem(`${this.prefix}conversation/${id}`);
  }

  get current() {
    return storage.get(`${this.prefix}current`);
  }

  set current(id) {
    storage.set(`${this.prefix}current`, id);
  }

  // Ids of the documents that are not asked.
  get left() {
    return new Set(read(`${this.prefix}left`) ?? []);
  }

  set left(ids) {
    storage.set(`${this.prefix}left`, JSON.stringify([...ids]));
  }
}

function read(name) {
  try {
    return JSON.parse(storage.get(name) ?? "null");
  } catch {
    return null; // not written by this page
  }
}

export const fresh = () => ({ id: newId(), title: "", named: false, updated: Date.now(), turns: [] });
export const newId = () => crypto.getRandomValues(new Uint32Array(3)).join("-");
