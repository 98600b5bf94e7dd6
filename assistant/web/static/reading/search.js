// Finding words: in the document that is open, and where they are in all documents.

import { $, Latest, h, located, onKey } from "../shared/dom.js";
import { findEverywhere, orToast } from "../shared/api.js";
import { number as written, say } from "../shared/i18n.js";
import { marked } from "../shared/marks.js";
import { isSheet } from "./pane.js";
import { endOf, offset, range } from "./paragraphs.js";
/** @import { Heading, Place } from "./paragraphs.js" */
/** @import { Reader } from "./reader.js" */
/** @import { Paragraph } from "../../types.js" */

/**
 * What words are looked for in: a paragraph, or a heading over it.
 * @typedef {{ words: string, element: HTMLElement, text: HTMLElement, paragraph: Paragraph, heading: boolean }} Thing
 */

const MAX_MARKED = 2000; // places that are lit up; all are counted

export class Search {
  /** @type {(Thing & Place)[]} */
  found = [];
  at = -1;
  counted = new Latest();

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
    const field = $("find-text");
    const changed = () => {
      this.fold();
      this.find();
    };
    field.addEventListener("input", changed);
    field.addEventListener("keydown", ({ key, shiftKey }) => key === "Enter" && this.#step(shiftKey ? -1 : 1));
    onKey(field, "Escape", () => {
      if (!field.value) return this.reader.pages.focus();
      field.value = "";
      changed();
    }, () => !isSheet() || field.value !== ""); // a sheet is closed by it
    $("find-on").addEventListener("click", () => this.#step(1));
    $("find-back").addEventListener("click", () => this.#step(-1));
    $("find-all").addEventListener("click", () => ($("hits").hidden ? void this.#everywhere() : this.fold()));
  }

  #wanted = () => $("find-text").value.trim();

  // Headings and paragraphs, as they follow each other.
  /** @returns {Thing[]} */
  #things() {
    const headings = Map.groupBy(this.reader.headings, ({ number }) => number);
    /** @param {Paragraph} paragraph @param {Heading} heading */
    const over = (paragraph, { title, element }) => ({ words: title, element, text: element, paragraph, heading: true });
    return [...this.reader.blocks.values()].flatMap(({ element, text, paragraph }) => [
      ...(headings.get(paragraph.number) ?? []).map((heading) => over(paragraph, heading)),
      { words: paragraph.text, element, text, paragraph, heading: false },
    ]);
  }

  // Find what is wanted in the document as it is shown now.
  find() {
    const wanted = this.#wanted();
    this.found = [];
    this.at = -1;
    for (const name of ["found", "found-here"]) CSS.highlights.delete(name);
    if (wanted) {
      const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\s+/g, "\\s+"), "giu");
      for (const thing of this.#things()) {
        for (const { index, 0: match } of thing.words.matchAll(pattern)) this.found.push({ ...thing, start: index, end: index + match.length });
      }
      if (!this.reader.isPrinted()) CSS.highlights.set("found", new Highlight(...this.found.slice(0, MAX_MARKED).map(range)));
    }
    $("find-on").disabled = $("find-back").disabled = !this.found.length;
    $("find-all").disabled = !wanted;
    $("find-count").textContent = wanted ? (this.found.length ? written(this.found.length) : say("reader.found_none")) : "";
  }

  /** @param {1 | -1} by */
  #step(by) {
    const { length } = this.found;
    this.#go(this.at < 0 && by < 0 ? length - 1 : (this.at + by + length) % length);
  }

  /** @param {number} at */
  #go(at) {
    const place = this.found[at];
    if (!place) return;
    this.at = at;
    $("find-count").textContent = say("reader.found", { at: written(this.at + 1), count: this.found.length });
    if (this.reader.isPrinted()) return void this.#onPage(place);
    this.reader.scrolling.bring(place.element);
    CSS.highlights.set("found-here", new Highlight(range(place)));
  }

  // Where a heading begins in the document's text is not known: it stands between two paragraphs.
  /** @param {Thing & Place} place */
  async #onPage({ paragraph, heading, start, end }) {
    const before = this.reader.blocks.get(paragraph.number - 1)?.paragraph;
    const [from, to] = heading ? [before ? endOf(before) : 0, paragraph.start] : [offset(paragraph, start), offset(paragraph, end)];
    const page = paragraph.page ?? 1;
    const light = await this.reader.sheets.find(heading ? Math.max(1, page - 1) : page, from, to);
    if (light) this.reader.scrolling.bring(light);
  }

  // --- in all documents -----------------------------------------------------------------------

  // Hide what was found in all documents.
  fold() {
    this.counted.next();
    $("hits").hidden = true;
    $("find-all").setAttribute("aria-expanded", "false");
  }

  async #everywhere() {
    const isLast = this.counted.next();
    const told = await orToast(findEverywhere(this.#wanted()));
    if (!told || !isLast()) return;
    const { documents, more } = told;
    const total = documents.reduce((sum, { hits }) => sum + hits, 0);
    $("hits").replaceChildren(
      h("p", { role: "status" }, total ? say("reader.everywhere.found", { count: total, documents: say("reader.everywhere.documents", { count: documents.length }) }) : say("reader.everywhere.none")),
      h("ul", {}, ...documents.map(({ id, title, hits, places }) => h("li", {},
        h("button", { type: "button", dir: "auto", onclick: () => void this.#openAt(id) }, h("span", {}, title), " ", h("span", { class: "count" }, say("reader.everywhere.hits", { count: hits }))),
        h("ul", {}, ...places.map(({ paragraph, locator, text, start, end }) => h("li", {},
          h("button", { type: "button", onclick: () => void this.#openAt(id, paragraph) },
            h("span", { dir: "auto" }, ...marked(text, [{ start, end, key: "" }])), " ",
            h("span", { class: "count" }, locator ? located(locator) : say("source.paragraph", { number: paragraph }))),
        ))),
      ))),
      more ? h("p", {}, say("reader.everywhere.more", { count: documents.length })) : "",
    );
    $("hits").hidden = false;
    $("find-all").setAttribute("aria-expanded", "true");
  }

  // Open a document at the first place, or at the first one of a paragraph.
  /** @param {string} id @param {number} [number] */
  async #openAt(id, number) {
    if (!(await this.reader.show(id))) return;
    this.find();
    this.#go(Math.max(0, this.found.findIndex(({ paragraph }) => paragraph.number === number)));
  }
}
