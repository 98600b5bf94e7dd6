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

/** @type {Set<Item["state"]>} */
const OPEN = new Set(["waiting", "running", "asking"]);

/**
 * @typedef {object} Item
 * @property {Wanted} wanted
 * @property {AbortController} stopping
 * @property {string} name that it gets
 * @property {boolean} isDecided it is known what becomes of the document that is there
 * @property {"waiting" | "running" | "asking" | "done" | "wrong" | "cancelled"} state
 * @property {HTMLElement} row
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} says
 * @property {HTMLButtonElement} cancel
 * @property {HTMLElement} [choices] what may become of the document that is there
 */

export class Adding {
  /** @type {Item[]} */
  items = []; // since nothing was being added

  /** @param {AddingActs} acts */
  constructor(acts) {
    this.acts = acts;
    addEventListener("beforeunload", (event) => this.busy && event.preventDefault());
    $("adding-cancel").addEventListener("click", () => this.items.forEach((item) => this.#cancel(item)));
    $("adding-show").addEventListener("click", () => this.acts.show());
    $("adding-close").addEventListener("click", () => ($("adding").hidden = true));
    for (const [id, both] of /** @type {const} */ ([["adding-replace", false], ["adding-both", true]])) {
      $(id).addEventListener("click", () => this.#asking.forEach((item) => void this.#decide(item, both)));
    }
  }

  get busy() {
    return this.items.some(({ state }) => OPEN.has(state));
  }

  // Those that would take the place of another document.
  get #asking() {
    return this.items.filter(({ state }) => state === "asking");
  }

  // Another notebook is open: what was added to the one before is told there no more.
  leave() {
    for (const row of $("uploads").querySelectorAll(".done, .cancelled")) row.remove();
  }

  /** @param {Wanted[]} wanted */
  add(wanted) {
    if (!wanted.length) return; // an empty folder, say
    if (!this.busy) {
      this.items = this.items.filter(({ state, row }) => state === "wrong" && row.isConnected);
      this.leave();
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
    const item = { wanted, name, isDecided: !wanted.there, stopping: new AbortController(), state: "waiting", row, bar, says, cancel };
    return item;
  }

  /** @param {Item} item */
  async #run(item) {
    const { says, stopping } = item;
    item.state = "running";
    says.textContent = say("adding.sending");
    try {
      if (!item.isDecided && (await this.#isThere(item))) return;
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

  // Whether it would take the place of another document: then that is asked. The same file as is there,
  // as far as its size tells, is added again without a question.
  /** @param {Item} item */
  async #isThere(item) {
    const { wanted, row, says } = item;
    const found = (await wanted.there?.(item.name)) ?? null;
    if (item.stopping.signal.aborted) throw new Error(say("adding.cancelled"));
    if (!found || found.bytes === wanted.bytes) return false;
    if (wanted.isNew) {
      await this.#rename(item);
      return false;
    }
    item.state = "asking";
    says.textContent = say("adding.there", { title: found.title });
    const choices = /** @type {const} */ ([["adding.replace", "adding.replace.label", false], ["adding.both", "adding.both.label", true]]).map(([key, label, both]) =>
      h("button", { type: "button", class: "more", "aria-label": say(label, { name: item.name }), onclick: () => this.#decide(item, both) }, say(key)));
    item.choices = h("span", {}, ...choices);
    row.querySelector(".acts")?.prepend(item.choices);
    announce(say("adding.there", { title: found.title }));
    this.#go();
    return true;
  }

  // Add it in the place of what is there, or beside that.
  /** @param {Item} item @param {boolean} both */
  async #decide(item, both) {
    if (item.choices?.contains(document.activeElement)) item.cancel.focus();
    item.choices?.remove();
    try {
      if (both) await this.#rename(item);
      item.isDecided = true;
      item.state = "waiting";
    } catch (error) {
      this.#fail(item, messageOf(error));
    }
    this.#go();
  }

  // Give it a name that no other has.
  /** @param {Item} item */
  async #rename(item) {
    const [, stem = "", suffix = ""] = /^(.*?)((?:\.[^.]*)?)$/s.exec(item.wanted.name) ?? [];
    let at = 2; // what it is called now is taken
    do item.name = `${stem} (${at++})${suffix}`;
    while (await item.wanted.there?.(item.name));
  }

  /** @param {Item} item */
  async #added(item) {
    const { wanted, bar, says, stopping } = item;
    for await (const { name, value } of wanted.begin((share) => (bar.value = share * SENT), stopping.signal, item.name)) {
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
    } else if (OPEN.has(item.state)) {
      item.choices?.remove();
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
    const over = items.filter(({ state }) => !OPEN.has(state)).length;
    const asking = this.#asking;
    const now = items.find(({ state }) => state === "running");
    const failed = items.filter(({ state }) => state === "wrong").length;
    const added = items.filter(({ state }) => state === "done").length;
    $("adding").hidden = !now && !failed && !asking.length;
    $("adding").classList.toggle("wrong", !now && !asking.length);
    $("adding-bar").hidden = !now;
    $("adding-cancel").hidden = over === count;
    $("adding-close").hidden = over < count;
    $("adding-replace").hidden = $("adding-both").hidden = !asking.length || Boolean(now);
    $("adding-bar").value = items.reduce((sum, { state, bar }) => sum + (state === "running" ? bar.value : Number(!OPEN.has(state))), 0) / count;
    $("adding-text").textContent =
      now ? say("adding.now", { at: number(over + 1), count, name: now.wanted.name })
      : asking.length ? say("adding.asking", { count: asking.length })
      : say("adding.failed", { some: number(failed), count });
    if (over < count) return;
    if (added && !$("library").open) toast(say("adding.done", { count: added }));
    this.acts.over();
  }
}
