// What has happened to the documents: those that are added, removed and changed here, and the files of
// a folder that is followed.

import { $, h } from "../shared/dom.js";
import { open_ } from "../shared/server.js";
import { locale, say } from "../shared/words.js";
/** @import { Key } from "../../types.js" */

const MOST = 200;
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });

export class Activity {
  /** @type {{ notebook: string | null, row: HTMLElement }[]} */
  rows = [];

  // The newest stands first.
  /** @param {Key} what @param {string} name @param {string} [why] @param {string | number} [time] */
  record(what, name, why = "", time = Date.now()) {
    const when = say("activity.what", { what: say(what), time: clock.format(new Date(time)) });
    const row = h("li", { dir: "auto" }, h("b", {}, name), h("small", {}, when), why && h("small", { class: "wrong" }, why));
    this.rows = [{ notebook: open_.notebook, row }, ...this.rows].slice(0, MOST);
    this.draw();
  }

  // What has happened in the notebook that is open.
  draw() {
    const here = this.rows.filter(({ notebook }) => notebook === open_.notebook);
    $("activity-list").replaceChildren(...here.map(({ row }) => row));
    $("activity").hidden = !here.length;
    $("activity-title").textContent = say("activity.title", { count: here.length });
  }
}
