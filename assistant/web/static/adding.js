// What is being added: several at once, each of which may be cancelled; and how far that is, above
// everything else.

import { $, announce, h, toast } from "./dom.js";
import { languageName } from "./facts.js";
import { messageOf } from "./server.js";
import { number, say } from "./words.js";
/** @import { AddingActs, Listed, Wanted } from "../types.js" */

// The server reads one after the other: meanwhile the next one is sent. Not more, for all tabs of a
// browser have six connections together.
const AT_ONCE = 2;
const SENT = 0.3; // the share of the work that sending is taken for

/**
 * @typedef {object} Item
 * @property {Wanted} wanted
 * @property {AbortController} stopping
 * @property {"waiting" | "running" | "done" | "wrong" | "cancelled"} state
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} says
 * @property {HTMLButtonElement} cancel
 */

export class Adding {
  /** @type {Item[]} */
  items = []; // since nothing was being added

  /** @param {AddingActs} acts */
  constructor(acts) {
    this.acts = acts;
    $("adding-cancel").addEventListener("click", () => this.items.forEach((item) => this.#cancel(item)));
    $("adding-show").addEventListener("click", () => this.acts.show());
    $("adding-close").addEventListener("click", () => ($("adding").hidden = true));
  }

  get busy() {
    return this.items.some(({ state }) => state === "waiting" || state === "running");
  }

  /** @param {Wanted[]} wanted */
  add(wanted) {
    if (!wanted.length) return; // an empty folder, say
    if (!this.busy) {
      this.items = [];
      for (const row of $("uploads").querySelectorAll(".done, .cancelled")) row.remove();
    }
    this.items.push(...wanted.map((one) => this.#item(one)));
    this.#go();
  }

  // Begin as many as may be at once.
  #go() {
    const running = this.items.filter(({ state }) => state === "running").length;
    for (const item of this.items.filter(({ state }) => state === "waiting").slice(0, AT_ONCE - running)) void this.#run(item);
    this.#tell();
  }

  /** @param {Wanted} wanted @returns {Item} */
  #item(wanted) {
    const { name } = wanted;
    const bar = h("progress", { max: "1", value: "0", "aria-label": say("adding.one", { name }) });
    const says = h("small", {}, say("adding.waiting"));
    /** @type {HTMLButtonElement} */
    const cancel = h("button", { type: "button", class: "more", "aria-label": say("adding.cancel.label", { name }), onclick: () => this.#cancel(item) }, say("adding.cancel"));
    const row = h("li", { dir: "auto" }, h("div", { class: "acts" }, cancel), h("b", {}, name), bar, says);
    $("uploads").append(row);
    /** @type {Item} */
    const item = { wanted, stopping: new AbortController(), state: "waiting", row, bar, says, cancel };
    return item;
  }

  /** @param {Item} item */
  async #run(item) {
    const { says, stopping } = item;
    item.state = "running";
    says.textContent = say("adding.sending");
    try {
      const found = await this.#added(item);
      await this.acts.added(found); // who reads that it is added may ask it at once
      says.textContent = say("adding.added", { count: found.paragraphs });
      announce(say("adding.added.spoken", { title: found.title }));
      if (found.language !== "en") says.textContent += `. ${say("adding.language", { language: languageName(found.language) })}`;
      this.#end(item, "done");
    } catch (error) {
      if (stopping.signal.aborted) {
        await this.acts.refresh();
        this.#end(item, "cancelled");
      } else this.#fail(item, messageOf(error));
    }
    this.#go();
  }

  /** @param {Item} item */
  async #added(item) {
    const { wanted, bar, says, stopping } = item;
    for await (const { name, value } of wanted.begin((share) => (bar.value = share * SENT), stopping.signal)) {
      if (name === "waiting" && value.before) says.textContent = say("adding.waiting_behind", { count: value.before });
      else if (name === "progress" && value.total) { // of what is there already, nothing is done
        bar.value = SENT + ((1 - SENT) * value.done) / value.total;
        says.textContent = say("adding.indexing", { done: number(value.done), count: value.total });
      } else if (name === "done") return /** @type {Listed} */ (value);
      this.#tell();
    }
    throw new Error(say("adding.cancelled"));
  }

  /** @param {Item} item */
  #cancel(item) {
    if (item.state === "running") {
      item.cancel.disabled = true;
      item.says.textContent = say("adding.cancelling");
      item.stopping.abort();
    } else if (item.state === "waiting") {
      this.#end(item, "cancelled");
      this.#tell();
    }
  }

  /** @param {Item} item @param {string} why */
  #fail(item, why) {
    const { wanted, row, says } = item;
    says.textContent = why;
    says.setAttribute("role", "alert");
    const again = h("button", { type: "button", class: "more", "aria-label": say("adding.again.label", { name: wanted.name }), onclick: () => {
      row.remove();
      this.add([wanted]);
      this.items.at(-1)?.cancel.focus();
    } }, say("adding.again"));
    const close = h("button", { type: "button", class: "more", "aria-label": say("adding.forget.label", { name: wanted.name }), onclick: () => {
      row.remove();
      this.acts.focus();
    } }, say("adding.forget"));
    item.cancel.after(again, close);
    this.#end(item, "wrong");
    this.acts.failed(wanted.name, why);
  }

  /** @param {Item} item @param {"done" | "wrong" | "cancelled"} state */
  #end(item, state) {
    const { row, bar, says, cancel } = item;
    item.state = state;
    row.classList.add(state);
    if (document.activeElement === cancel) this.acts.focus();
    // First what failed, then what is still to be done.
    if (state === "wrong") $("uploads").prepend(row);
    else $("uploads").append(row);
    if (state === "cancelled") says.textContent = say("adding.cancelled");
    bar.remove();
    cancel.remove();
  }

  // How far all of it is; at its end what came of it.
  #tell() {
    const { items } = this;
    const count = items.length;
    const over = items.filter(({ state }) => state !== "waiting" && state !== "running").length;
    const now = items.find(({ state }) => state === "running");
    const failed = items.filter(({ state }) => state === "wrong").length;
    const added = items.filter(({ state }) => state === "done").length;
    $("adding").hidden = !now && !failed;
    $("adding").classList.toggle("wrong", !now);
    $("adding-bar").hidden = $("adding-cancel").hidden = !now;
    $("adding-close").hidden = Boolean(now);
    $("adding-bar").value = items.reduce((sum, { state, bar }) => sum + (state === "running" ? bar.value : Number(state !== "waiting")), 0) / count;
    $("adding-text").textContent = now ? say("adding.now", { at: number(over + 1), count, name: now.wanted.name }) : say("adding.failed", { some: number(failed), count });
    if (over < count) return;
    if (added && !$("library").open) toast(say("adding.done", { count: added }));
    this.acts.over();
  }
}
