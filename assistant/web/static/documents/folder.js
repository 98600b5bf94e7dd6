// The files of a folder that are everyone's: which cannot be read, and, where it is followed, what becomes
// of them.

import { $, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { folder, orToast } from "../shared/api.js";
import { moment, say, sentenceOf } from "../shared/i18n.js";
import { howRead } from "./metadata.js";
/** @import { Change, Key, Unread } from "../../types.js" */

const POLL_INTERVAL = 3000; // milliseconds

/** @type {Record<Change["what"], Key>} */
const WHAT = { added: "change.added", changed: "change.changed", moved: "change.moved", removed: "change.removed", unread: "change.unread" };

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
    $("changes").prepend(...now.toReversed().map(({ what, name, time, reason: detail, ...error }) =>
      h("li", { dir: "auto" }, h("b", {}, name), h("small", {}, `${say(WHAT[what])} · ${moment(new Date(time))}`), detail && h("small", { class: "wrong" }, sentenceOf({ detail, ...error })))));
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
