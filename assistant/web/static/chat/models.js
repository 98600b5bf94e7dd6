// What writes the answers: nothing, so that the documents are quoted; the language model that is set;
// or, where none is, one that runs on this machine. It is offered, and writes only if it is let.

import { $, Latest, h, toast } from "../shared/dom.js";
import { writers } from "../shared/api.js";
import { tab } from "../shared/storage.js";
import { say } from "../shared/i18n.js";
/** @import { Checked, Key, Writers } from "../../types.js" */

const CHOICE = "footnote/writer";
const QUOTE = "none";

// What is said of a language model's check behind its name.
/** @type {Record<Checked, Key>} */
const CHECKED = { passed: "check.passed", unchecked: "check.unchecked", failed: "check.failed" };
// One that failed it may write, if whoever runs Footnote has set that.
/** @param {string} name @param {Checked} check */
const writer = (name, check) => say(check === "failed" ? "writing.failed" : "writing.by_checked", { name, check: say(CHECKED[check]) });

export class ModelChoice {
  /** @type {Writers} */
  offers = { set: null, check: null, offered: [], missing: null };
  // What questions are asked with; null: nothing was chosen, and what is set writes.
  choice = tab.get(CHOICE) || null;
  refreshing = new Latest();

  constructor() {
    const list = $("writing");
    list.addEventListener("change", () => this.#choose(list.value));
    $("offer-yes").addEventListener("click", () => this.#choose(this.#offer()?.llm ?? QUOTE));
    $("offer-no").addEventListener("click", () => this.#choose(QUOTE));
    // It may have been started meanwhile, in another window.
    addEventListener("focus", () => void this.refresh());
  }

  // Whether a language model writes what is asked now.
  get writes() {
    return this.choice === null ? this.offers.set !== null : this.choice !== QUOTE;
  }

  // The one that is offered.
  #offer = () => this.offers.offered.find(({ check }) => check !== "failed");

  // See what may write.
  async refresh() {
    const isLast = this.refreshing.next();
    const offers = await writers().catch(() => null); // a question that cannot be asked either says why
    if (!offers || !isLast()) return;
    this.offers = offers;
    // Where one is set no other is offered: what was chosen is from an earlier run.
    if (this.offers.set !== null && this.choice !== QUOTE) this.choice = null;
    this.#draw();
  }

  // What may write by what a question is asked with, in the order in which it is listed.
  #names() {
    const { set, check, offered, missing } = this.offers;
    const names = new Map(set === null ? [] : [["", writer(set, check ?? "unchecked")]]);
    names.set(QUOTE, say("writing.quoted"));
    for (const one of missing === null ? offered : []) names.set(one.llm, writer(`${one.name} (${one.server})`, one.check));
    // One that does not answer for a moment, say because it is busy, stays chosen.
    if (this.choice && !names.has(this.choice)) names.set(this.choice, say("writing.by", { name: this.choice }));
    return names;
  }

  #draw() {
    const { set, missing } = this.offers;
    const names = this.#names();
    const list = $("writing");
    list.replaceChildren(...[...names].map(([value, name]) => h("option", { value }, name)));
    list.value = this.choice ?? (set === null ? QUOTE : "");
    list.hidden = names.size === 1;
    const offer = this.#offer();
    $("offer").hidden = !offer || this.choice !== null;
    $("offer-yes").hidden = missing !== null;
    if (offer) $("offer-text").textContent = say("writing.offer", { server: offer.server, name: offer.name, check: say(CHECKED[offer.check]), missing: missing === null ? "" : say("error.not_installed", { command: missing }) });
  }

  /** @param {string} value */
  #choose(value) {
    this.choice = value || null;
    tab.set(CHOICE, value);
    toast(value === QUOTE ? say("writing.now_quoted") : say("writing.now_written", { writer: this.#names().get(value) ?? "" }));
    this.#draw();
    if (document.activeElement !== $("writing")) $("question").focus(); // the offer is gone
  }
}
