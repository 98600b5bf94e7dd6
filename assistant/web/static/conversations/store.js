// Conversations, which the server keeps question by question, so that two tabs lose nothing of each other.
// What did not reach the server waits in this browser.

import { toast } from "../shared/dom.js";
import { Failure, changeConversation, conversation, isStatus, messageOf, active, putTurn, remove, removeTurns, restore, orToast } from "../shared/api.js";
import { read, storage, tab, tellTabs } from "../shared/storage.js";
import { say } from "../shared/i18n.js";
/** @import { Conversation, Turn } from "../../types.js" */

const NOT_FOUND = 404;

export class Store {
  // Each user who logs in here has conversations of their own.
  /** @param {string | null} user */
  constructor(user) {
    this.prefix = `footnote/${encodeURIComponent(user ?? "")}/`;
    /** @type {Set<string>} */
    this.removed = new Set(); // here, whatever else is said of it afterwards
    /** @type {Map<string, { conversation: Conversation, turn: Turn, isNew: boolean }>} */
    this.changed = new Map(); // what is not at the server yet as it is, or at all, by the turn's id
    /** @type {Promise<void>} */
    this.sent = Promise.resolve();
    addEventListener("pagehide", () => {
      for (const { conversation: of, turn } of this.changed.values()) this.#hold(of, turn);
    });
  }

  // Load a conversation of a notebook, or of none; null if it is not there.
  /** @param {string} id @param {string | null} notebook @returns {Promise<Conversation | null>} */
  async load(id, notebook = active.notebook) {
    await this.sent;
    const found = await conversation(id, notebook).catch((/** @type {unknown} */ error) => {
      if (isStatus(error, NOT_FOUND)) return null;
      throw error;
    });
    // The page was left before these were answered.
    for (const turn of found?.turns ?? []) if (turn.state === "pending") turn.state = "stopped";
    return found;
  }

  // Keep a question as it is now. What was deleted here stays deleted.
  /** @param {Conversation} of @param {Turn} turn */
  keep(of, turn) {
    if (this.removed.has(of.id)) return;
    this.changed.set(turn.id, { conversation: of, turn, isNew: turn.state === "pending" || (this.changed.get(turn.id)?.isNew ?? false) });
    this.sent = this.sent.then(() => this.#send(turn.id)); // one after the other, each as it is by then
    this.#tell();
  }

  // Tell tests whether everything is saved.
  #tell() {
    document.body.dataset.kept = String(!this.changed.size);
  }

  /** @param {string} id of a turn */
  async #send(id) {
    const change = this.changed.get(id);
    if (!change) return; // it was sent as it is, or is not to be
    const { conversation: of, turn, isNew } = change;
    try {
      await this.#put(of, turn, isNew);
      this.#held(of, (turns) => turns.filter((one) => one.id !== id)); // it is newer than that
      tellTabs({ what: "conversation", id: of.id });
    } catch (error) {
      if (!isRefused(error)) this.#hold(of, turn);
      else if (!this.removed.has(of.id)) toast(messageOf(error));
    }
    if (this.changed.get(id) === change) this.changed.delete(id);
    this.#tell();
  }

  /** @param {Conversation} of @param {Turn} turn @param {boolean} isNew */
  async #put(of, turn, isNew) {
    const notebook = of.notebook ?? null;
    try {
      await putTurn(of.id, of.title, turn, notebook);
    } catch (error) {
      if (!isStatus(error, NOT_FOUND) || this.removed.has(of.id) || !isNew) throw error;
      // Another tab has deleted the conversation: who asks in it has it back.
      await restore(`conversations/${of.id}`, notebook);
      await putTurn(of.id, of.title, turn, notebook);
    }
  }

  // Keep a question here until the server is there again.
  /** @param {Conversation} of @param {Turn} turn */
  #hold = (of, turn) => this.#held(of, (turns) => [...turns.filter((one) => one.id !== turn.id), turn]);

  // Change which questions of a conversation wait here.
  /** @param {Conversation} of @param {(turns: Turn[]) => Turn[]} change */
  #held(of, change) {
    const name = `${this.prefix}conversation/${of.id}`;
    const held = /** @type {Conversation | null} */ (read(name));
    const turns = change(held?.turns ?? []);
    if (!turns.length) storage.remove(name);
    else if (!storage.set(name, JSON.stringify({ ...(held ?? of), turns }))) toast(say("history.full"));
  }

  // Send what waits here. What is deleted by now is dropped; what is refused for another reason stays.
  async handOver() {
    for (const name of storage.names(`${this.prefix}conversation/`)) {
      const held = /** @type {Conversation | null} */ (read(name));
      if (!held?.turns) continue;
      const { id, title, turns, notebook = null } = held;
      try {
        for (const turn of turns) {
          const state = turn.state === "pending" ? "stopped" : turn.state;
          await putTurn(id, title, { ...turn, state }, notebook);
        }
        if (held.named) await changeConversation(id, { title }, notebook);
        storage.remove(name);
      } catch (error) {
        if (!isRefused(error)) throw error;
        if (isStatus(error, NOT_FOUND)) storage.remove(name);
      }
    }
  }

  // Remove questions that another one replaces.
  /** @param {Conversation} of @param {string[]} turns */
  drop(of, turns) {
    for (const id of turns) this.changed.delete(id);
    this.sent = this.sent.then(() => orToast(removeTurns(of.id, turns, of.notebook ?? null))).then(() => {});
  }

  // Returns whether it is deleted.
  /** @param {string} id @param {string | null} notebook */
  async remove(id, notebook) {
    this.removed.add(id);
    for (const [turn, { conversation: of }] of this.changed) if (of.id === id) this.changed.delete(turn);
    await this.sent;
    const done = await orToast(remove(`conversations/${id}`, notebook));
    if (done) tellTabs({ what: "deleted", id });
    else this.removed.delete(id);
    return Boolean(done);
  }

  // Returns whether it is restored.
  /** @param {string} id @param {string | null} notebook */
  async restore(id, notebook) {
    const done = await orToast(restore(`conversations/${id}`, notebook));
    if (done) this.removed.delete(id);
    return Boolean(done);
  }

  // --- what this browser keeps -----------------------------------------------------------------

  // The id of the conversation of a notebook, or of none, that was shown last in this tab, or else in any
  // tab; "" for a new one.
  /** @param {string | null} notebook */
  last(notebook) {
    const name = this.#key("current", notebook);
    return tab.get(name) ?? storage.get(name) ?? "";
  }

  // It is shown, in the notebook that is open.
  /** @param {string} id */
  isShown(id) {
    for (const kept of [tab, storage]) kept.set(this.#key("current"), id);
  }

  // Ids of the documents that are not asked.
  get left() {
    return new Set(/** @type {string[] | null} */ (read(this.#key("left"))));
  }

  /** @param {Set<string>} ids */
  set left(ids) {
    storage.set(this.#key("left"), JSON.stringify([...ids]));
  }

  // What is written and not yet asked, in a conversation.
  /** @param {string} id */
  draft = (id) => tab.get(`${this.prefix}draft/${id}`) ?? "";

  /** @param {string} id @param {string} text */
  keepDraft = (id, text) => tab.set(`${this.prefix}draft/${id}`, text);

  /** @param {string} name @param {string | null} notebook */
  #key = (name, notebook = active.notebook) => `${this.prefix}${name}${notebook ? `/${notebook}` : ""}`;
}

// Whether the server will not have something, now or later; it may be away for a moment, or want one to
// log in again.
/** @param {unknown} error */
const isRefused = (error) => error instanceof Failure && error.status !== undefined && error.status < 500 && ![401, 408, 429].includes(error.status);

/** @returns {Conversation} */
export const fresh = () => ({ id: newId(), title: "", named: false, updated: Date.now(), turns: [], notebook: active.notebook });
export const newId = () => crypto.getRandomValues(new Uint32Array(3)).join("-");

// --- which questions a conversation has -----------------------------------------------------------

// Those of a conversation as the server has it. What is the same stays as it is here, with whatever is
// being written in it.
/** @param {Turn[]} here @param {Turn[]} there */
export const merged = (here, there) => there.map((turn) => here.find((mine) => isSame(mine, turn)) ?? turn);

/** @param {Turn} one @param {Turn} other */
const isSame = (one, other) => one.id === other.id && one.state === other.state && one.vote === other.vote && String(one.noted) === String(other.noted) && one.further?.length === other.further?.length && one.answer?.text === other.answer?.text;
