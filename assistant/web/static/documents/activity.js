// What has happened to the documents: those that are added, removed and changed here, and the files of
// a folder that is followed.

import { $, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { folder, active, orToast } from "../shared/api.js";
import { locale, say, sentenceOf } from "../shared/i18n.js";
import { howRead } from "./metadata.js";
/** @import { Change, Key, Unread } from "../../types.js" */

const MAX_ENTRIES = 200;
const POLL_INTERVAL = 3000; // milliseconds
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

/** @type {Record<Change["what"], Key>} */
const WHAT = { added: "change.added", changed: "change.changed", moved: "change.moved", removed: "change.removed", unread: "change.unread" };

export class Activity {
  /** @type {{ notebook: string | null, row: HTMLElement }[]} */
  rows = [];

  // The newest stands first.
  /** @param {Key} what @param {string} name @param {string} [why] @param {string | number} [time] */
  record(what, name, why = "", time = Date.now()) {
    const when = say("activity.what", { what: say(what), time: clock.format(new Date(time)) });
    const row = h("li", { dir: "auto" }, h("b", {}, name), h("small", {}, when), why && h("small", { class: "wrong" }, why));
    this.rows = [{ notebook: active.notebook, row }, ...this.rows].slice(0, MAX_ENTRIES);
    this.draw();
  }

  // What has happened in the notebook that is open.
  draw() {
    const here = this.rows.filter(({ notebook }) => notebook === active.notebook);
    $("activity-list").replaceChildren(...here.map(({ row }) => row));
    $("activity-title").textContent = say("activity.title", { count: here.length });
  }
}

// The files that are everyone's: which cannot be read, and what became of them where they are followed.
export class Folder {
  last = 0;

  // Ask once, and again and again where the folder is followed.
  async begin() {
    if (await orToast(this.#refresh(true))) this.#follow();
  }

  // Never two requests at once: the answer to the older one would look like that of a restarted server.
  #follow = () => setTimeout(() => void this.#refresh().catch(() => {}).finally(() => this.#follow()), POLL_INTERVAL);

  async #refresh(first = false) {
    const { library, reader } = app;
    const { watched, last, changes, unread } = await folder(this.last);
    // A restarted server counts from one again.
    const now = last < this.last ? (await folder(0)).changes : changes;
    this.last = last;
    for (const { what, name, time, reason: detail, ...error } of now) library.activity.record(WHAT[what], name, sentenceOf({ detail, ...error }), time);
    this.#draw(watched, unread);
    if (now.length && !first) {
      await library.refresh();
      const shown = now.find((change) => change.document === reader.document?.id);
      if (shown?.what === "changed") await reader.show(shown.document, true);
      await library.hold();
      const [only] = now;
      toast(only && now.length === 1 ? say("folder.change", { what: say(WHAT[only.what]), name: only.name }) : say("folder.changed", { count: now.length }));
    }
    return watched;
  }

  /** @param {boolean} watched @param {Unread[]} unread */
  #draw(watched, unread) {
    $("folder").hidden = !watched && !unread.length;
    $("followed").hidden = !watched;
    $("unread").replaceChildren(...unread.map((one) => {
      const how = one.code === "scan" ? ` ${howRead({ own: false }, app.library.pictures, false)}` : "";
      return h("li", { dir: "auto" }, h("b", {}, one.name), h("small", {}, sentenceOf({ ...one, detail: one.reason }), how));
    }));
  }
}
