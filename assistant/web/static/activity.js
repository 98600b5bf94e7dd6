// What has happened to the documents: those that are added, removed and changed here, and the files of
// a folder that is followed.

import { $, h } from "./dom.js";
import { locale, say } from "./words.js";
/** @import { Key } from "../types.js" */

const MOST = 200;
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

export class Activity {
  count = 0;

  // The newest stands first.
  /** @param {Key} what @param {string} name @param {string} [why] @param {string | number} [time] */
  record(what, name, why = "", time = Date.now()) {
    const when = say("activity.what", { what: say(what), time: clock.format(new Date(time)) });
    const list = $("activity-list");
    list.prepend(h("li", { dir: "auto" }, h("b", {}, name), h("small", {}, when), why && h("small", { class: "wrong" }, why)));
    if (++this.count > MOST) list.lastElementChild?.remove();
    $("activity").hidden = false;
    $("activity-title").textContent = say("activity.title", { count: Math.min(this.count, MOST) });
  }
}
