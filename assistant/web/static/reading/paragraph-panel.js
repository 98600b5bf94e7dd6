// What can be done with a paragraph of the document, or with what is selected in it: to ask about it, to
// highlight it, to copy it. What is highlighted in a paragraph stands below it.

import { asText, copy } from "../chat/export.js";
import { announce, characters, closest, doubted, h, oneLine, smoothly, toast, stepTo } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { say } from "../shared/i18n.js";
import { isSheet } from "./pane.js";
import { endOf } from "./paragraphs.js";
import { offerActions, selectedPrint, selectedText } from "./selection.js";
/** @import { Block } from "./paragraphs.js" */
/** @import { Reader } from "./reader.js" */
/** @import { Selected } from "./selection.js" */
/** @import { Key } from "../../types.js" */

const MAX_ABOUT = 300; // characters of what a question is about

export class ParagraphPanel {
  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
    reader.pages.addEventListener("click", (event) => this.#clicked(event));
    reader.pages.addEventListener("keydown", (event) => this.#moved(event));
    offerActions(reader.pages, this.#acts((act) => this.#withSelected(act)));
  }

  // What can be done: each with its name and its class. `using` does it with what it is done with.
  /** @param {(act: (selected: Selected) => unknown) => void} using @returns {[Key, string, () => void][]} */
  #acts = (using) => [
    ["reader.ask", "about-this", () => using((selected) => this.#ask(selected))],
    ["reader.highlight.add", "highlight-this writes", () => using((selected) => this.#highlight(selected))],
    ["reader.copy", "copy-this", () => using((selected) => this.#copy(selected))],
  ];

  /** @param {MouseEvent} event */
  #clicked(event) {
    if (closest(event, ".beside")) return;
    const words = getSelection()?.isCollapsed;
    // What is highlighted on a page lies under its words.
    const lit = document.elementsFromPoint(event.clientX, event.clientY).map((element) => element.closest("[data-own]")).find(Boolean) ?? closest(event, "[data-own]");
    if (lit instanceof HTMLElement && (words || lit instanceof HTMLButtonElement)) return this.#openHighlight(lit.dataset.own, lit);
    const block = this.reader.blocks.get(Number(closest(event, ".block")?.dataset.number));
    if (!block || (!closest(event, ".number") && !words)) return;
    this.select(block, true);
  }

  /** @param {KeyboardEvent} event */
  #moved(event) {
    const number = Number(closest(event, ".number")?.parentElement?.dataset.number);
    const next = this.reader.blocks.get(stepTo(event, number, 1, this.reader.blocks.size) ?? 0);
    if (!number || !next) return;
    event.preventDefault();
    this.#rove(next);
    next.number.focus({ preventScroll: true });
    next.element.scrollIntoView({ block: "nearest", behavior: smoothly() });
  }

  /** @param {Block} block */
  #rove(block) {
    for (const { number } of this.reader.blocks.values()) if (number.tabIndex === 0) number.tabIndex = -1;
    block.number.tabIndex = 0;
  }

  // What is said about a paragraph is hidden.
  unselect() {
    for (const { element, number: button } of this.reader.blocks.values()) {
      if (!element.classList.contains("chosen")) continue;
      element.classList.remove("chosen");
      element.querySelector(".beside")?.remove();
      button.setAttribute("aria-expanded", "false");
    }
  }

  // Show what can be done with a paragraph, and what is highlighted in it, below it; choosing it again hides it.
  /** @param {Block} block @param {boolean} toggles */
  select(block, toggles) {
    if (!this.reader.document) return;
    const { number } = block.paragraph;
    const open = block.element.classList.contains("chosen");
    this.unselect();
    this.#rove(block);
    if (open && toggles) return;
    block.element.classList.add("chosen");
    block.number.setAttribute("aria-expanded", "true");
    const whole = { paragraph: block.paragraph, start: block.paragraph.start, end: endOf(block.paragraph), cut: false };
    const { title } = this.reader.document;
    const heading = block.paragraph.heading.at(-1);
    const acts = this.#acts((act) => void act(whole));
    if (heading && heading !== title) acts.push(["reader.overview.section", "sum-up", () => this.reader.ask(say("reader.section.ask", { title: heading }), heading)]);
    const below = block.element.appendChild(
      h("div", { class: "beside" },
        this.mine(number),
        h("p", { class: "acts" }, ...acts.map(([key, name, act]) => h("button", { type: "button", class: name, onclick: act }, say(key)))),
      ),
    );
    if (toggles) below.scrollIntoView({ block: "nearest", behavior: smoothly() });
  }

  // What its reader has highlighted in a paragraph.
  /** @param {number} number */
  mine(number) {
    const mine = this.reader.highlighted().filter(({ paragraph }) => paragraph === number);
    return h("ul", { class: "mine", "aria-label": say("reader.highlights"), hidden: !mine.length }, ...mine.map(({ id, at, citation, noted }) => {
      const onclick = (/** @type {Event} */ event) => this.#openHighlight(id, /** @type {HTMLElement} */ (event.currentTarget));
      return h("li", {}, h("button", { type: "button", class: "citing", dir: "auto", onclick },
        doubted(say("source.quote", { text: oneLine(citation.quote) }), citation.uncertain),
        noted.note.text && h("span", { class: "noted" }, ` ${noted.note.text}`),
        !at && h("span", { class: "since" }, ` ${say("reader.highlight.changed")}`),
      ));
    }));
  }

  // --- what is selected -----------------------------------------------------------------------

  /** @param {string | undefined} id @param {HTMLElement} beside */
  #openHighlight(id, beside) {
    const one = this.reader.highlighted().find((highlight) => highlight.id === id);
    if (one) this.reader.highlights.open(one, beside.getClientRects()[0] ?? beside.getBoundingClientRect());
  }

  // Do something with what is selected.
  /** @param {(selected: Selected) => unknown} act */
  #withSelected(act) {
    const selection = getSelection();
    if (!this.reader.document || !selection?.rangeCount) return;
    const range = selection.getRangeAt(0);
    const selected = this.reader.isPrinted() ? selectedPrint(this.reader.sheets, this.reader.document.paragraphs, range) : selectedText(this.reader.blocks.values(), range);
    if (!selected) return toast(say("reader.selected.none"));
    act(selected);
    selection.removeAllRanges();
  }

  /** @param {Selected} selected */
  #ask({ paragraph, start, end }) {
    if (!this.reader.document) return;
    this.reader.close();
    app.chat.composer.askAbout({
      document: this.reader.document.id,
      title: paragraph.heading.at(-1) ?? this.reader.document.title,
      number: paragraph.number,
      text: characters(paragraph.text).slice(start - paragraph.start, end - paragraph.start).slice(0, MAX_ABOUT).join(""),
    });
  }

  /** @param {Selected} selected */
  async #highlight({ paragraph, start, end, cut }) {
    const selection = getSelection();
    const at = (selection?.isCollapsed === false ? selection.getRangeAt(0) : this.reader.blocks.get(paragraph.number)?.element)?.getBoundingClientRect();
    if (!(await this.reader.highlights.keep(await this.reader.placeOf(paragraph, start, end)))) return;
    if (cut) toast(say("reader.highlight.cut"));
    else announce(say("reader.highlight.kept"));
    // What is typed now is a note on it. A phone's keyboard would lie over it.
    const kept = this.reader.highlighted().find((one) => one.at?.start === start && one.at.end === end);
    if (kept && at && !isSheet()) this.reader.highlights.open(kept, at);
  }

  /** @param {Selected} selected */
  async #copy({ paragraph, start, end, cut }) {
    const citation = await this.reader.placeOf(paragraph, start, end);
    await copy(asText(citation), say(cut ? "reader.copied.cut" : "reader.copied"));
  }
}
