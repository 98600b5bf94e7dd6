// The help, beside the work: its topics, one of them, or where words stand in them. What a topic says
// comes as parts, of which elements are made here; text only ever becomes text.

import { isSheet, openBeside } from "../reading/pane.js";
import { $, Latest, announce, closest, h, smoothly, onKey } from "../shared/dom.js";
import { help, messageOf, topic } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { HelpPart, HelpPlace, HelpTopic } from "../../types.js" */

const LINK = /^#help(?:\/([\w-]+)(?:\/([\p{L}\p{N}-]+))?)?$/u;

// Headings come below the one of the pane.
/** @type {Record<string, string>} */
const TAGS = { h1: "h3", h2: "h4", h3: "h5", h4: "h6" };
const PLAIN = new Set("p ul ol li pre code strong em br table thead tbody tr th td blockquote hr".split(" "));

/** @param {string} name @param {string} [anchor] */
const hashOf = (name, anchor) => `#help/${name}${anchor ? `/${anchor}` : ""}`;

// Where an address leads in the help; null where it leads elsewhere.
/** @param {string} hash */
export function helpIn(hash) {
  const [found, name, anchor] = LINK.exec(decodeURIComponent(hash)) ?? [];
  return found ? { name, anchor } : null;
}

export class Help {
  dialog = $("help");
  body = $("help-body");
  wanted = new Latest();
  shown = ""; // the topic that is; "" for the list
  /** @type {HTMLElement | null} */
  before = null; // had the focus

  constructor() {
    $("open-help").addEventListener("click", () => void this.open());
    $("help-list").addEventListener("click", () => void this.#list(true));
    $("help-find").addEventListener("input", () => void this.#list());
    this.body.addEventListener("click", (event) => this.#clicked(event));
    this.dialog.addEventListener("close", () => {
      if (document.activeElement === document.body || this.dialog.contains(document.activeElement)) this.before?.focus();
    });
    onKey(this.dialog, "Escape", () => this.dialog.close(), (event) => !event.defaultPrevented && !isSheet()); // a sheet closes by itself
    onKey(window, "F1", () => this.open(), (event) => !event.ctrlKey && !event.altKey && !event.metaKey && !document.querySelector("dialog:modal"));
  }

  // Open the list, or a topic, at one of its headings.
  /** @param {string} [name] @param {string} [anchor] */
  async open(name, anchor) {
    this.#show();
    if (!name) {
      if (!this.shown) await this.#list();
      if (!isSheet()) $("help-find").focus(); // nor does a phone's keyboard lie over it
    } else if (await this.#read(name)) this.#goTo(anchor);
  }

  // The focus stays where it is, but on a narrow page.
  #show() {
    const { activeElement } = document;
    if (!this.dialog.contains(activeElement)) this.before = activeElement instanceof HTMLElement ? activeElement : null;
    openBeside(this.dialog);
  }

  // The topics; or where the words stand that are looked for.
  async #list(clear = false) {
    const isWanted = this.wanted.next();
    if (clear) $("help-find").value = "";
    const words = $("help-find").value.trim();
    const found = await help(words).catch(messageOf);
    if (!isWanted()) return;
    this.#turnTo("");
    if (typeof found === "string") return this.body.replaceChildren(h("p", { class: "wrong" }, found));
    this.body.replaceChildren(words ? places(found.found) : topics(found.topics));
    this.body.scrollTop = 0;
    if (words) announce(say("help.found", { count: found.found.length }));
    else if (clear) (isSheet() ? $("close-help") : $("help-find")).focus();
  }

  // A topic; gives whether it is there, and nothing else was asked for meanwhile.
  /** @param {string} name */
  async #read(name) {
    const isWanted = this.wanted.next();
    const found = await topic(name).catch(messageOf);
    if (!isWanted()) return false;
    this.#turnTo(typeof found === "string" ? "" : found.name);
    this.body.replaceChildren(typeof found === "string" ? h("p", { class: "wrong" }, found) : h("article", { lang: "en" }, ...found.parts.map(made)));
    this.body.scrollTop = 0;
    return typeof found !== "string";
  }

  /** @param {string} name */
  #turnTo(name) {
    this.shown = name;
    $("help-list").hidden = !name;
  }

  // To a heading, or the first.
  /** @param {string} [anchor] */
  #goTo(anchor) {
    const heading = (anchor && this.body.querySelector(`[data-anchor="${CSS.escape(anchor)}"]`)) || this.body.querySelector("h3");
    if (!(heading instanceof HTMLElement)) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    if (anchor) heading.scrollIntoView({ block: "start", behavior: smoothly() });
  }

  // What leads elsewhere in the help is opened here; anywhere else, or in a tab of its own, as links are.
  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = closest(event, "a");
    const to = link && helpIn(link.getAttribute("href") ?? "");
    if (!to || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void this.open(to.name, to.anchor);
  }
}

/** @param {HelpTopic[]} all */
const topics = (all) => h("ul", { class: "topics", lang: "en" }, ...all.map(({ name, title, summary }) => h("li", {}, h("a", { href: hashOf(name) }, title), h("small", {}, summary))));

/** @param {HelpPlace[]} all */
function places(all) {
  if (!all.length) return h("p", { class: "fine" }, say("help.none"));
  return h("ul", { class: "topics", lang: "en" }, ...all.map(({ topic, title, heading, anchor, line }) =>
    h("li", {}, h("a", { href: hashOf(topic, anchor) }, heading === title ? title : `${title} › ${heading}`), h("small", {}, line))));
}

// An element of a topic.
/** @param {HelpPart} part @returns {Node} */
function made({ tag, text, parts, anchor, topic, to }) {
  const children = parts.length ? parts.map(made) : [document.createTextNode(text)];
  if (tag === "a" && topic) return h("a", { href: hashOf(topic, to) }, ...children);
  if (tag === "a" && /^https?:\/\//.test(to)) return h("a", { href: to, target: "_blank", rel: "noopener noreferrer" }, ...children);
  if (TAGS[tag]) return h(TAGS[tag], { dataset: { anchor } }, ...children);
  if (tag === "table") return h("div", { class: "near", tabindex: "0" }, h("table", {}, ...children)); // it may be wide
  if (tag === "pre") return h("pre", { tabindex: "0" }, ...children); // likewise
  return PLAIN.has(tag) ? h(tag, {}, ...children) : h("span", {}, ...children);
}
