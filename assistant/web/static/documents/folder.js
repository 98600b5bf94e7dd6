// The files that are everyone's: which cannot be read, and what became of them where they are followed.

import { $, h, toast } from "../shared/dom.js";
import { folder, tried } from "../shared/server.js";
import { say, sentenceOf } from "../shared/words.js";
import { howRead } from "./facts.js";
/** @import { Activity } from "./activity.js" */
/** @import { Change, Key, Pictures, Unread } from "../../types.js" */

const EVERY = 3000; // milliseconds between questions whether anything has changed

/** @type {Record<Change["what"], Key>} */
const WHAT = { added: "change.added", changed: "change.changed", moved: "change.moved", removed: "change.removed", unread: "change.unread" };

export class Folder {
  last = 0;

  /** @param {Activity} activity @param {Pictures} pictures @param {(changes: Change[]) => Promise<void>} changed hears of what has changed */
  constructor(activity, pictures, changed) {
    this.activity = activity;
    this.pictures = pictures;
    this.changed = changed;
  }

  // Ask once, and again and again where the folder is followed.
  async begin() {
    if (await tried(this.#refresh(true))) this.#follow();
  }

  // Never two requests at once: the answer to the older one would look like that of a server that was
  // started anew.
  #follow() {
    setTimeout(() => void this.#refresh().catch(() => {}).finally(() => this.#follow()), EVERY);
  }

  async #refresh(first = false) {
    const { watched, last, changes, unread } = await folder(this.last);
    // Started anew, the other side counts from one again.
    const now = last < this.last ? (await folder(0)).changes : changes;
    this.last = last;
    for (const { what, name, time, reason: detail, ...error } of now) this.activity.record(WHAT[what], name, sentenceOf({ detail, ...error }), time);
    this.#draw(watched, unread);
    if (now.length && !first) {
      await this.changed(now);
      const [only] = now;
      toast(only && now.length === 1 ? say("folder.change", { what: say(WHAT[only.what]), name: only.name }) : say("folder.changed", { count: now.length }));
    }
    return watched;
  }

  /** @param {boolean} watched @param {Unread[]} unread */
  #draw(watched, unread) {
    $("folder").hidden = !watched && !unread.length;
    $("followed").hidden = !watched;
    $("unread-files").hidden = !unread.length;
    $("unread").replaceChildren(...unread.map((one) => {
      const how = one.code === "scan" ? ` ${howRead({ own: false }, this.pictures, false)}` : "";
      return h("li", { dir: "auto" }, h("b", {}, one.name), h("small", {}, sentenceOf({ ...one, detail: one.reason }), how));
    }));
  }
}
