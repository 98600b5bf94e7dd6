// A document as it is printed: its pages as pictures, made as they come into view, with the words over
// them to select, to find, and to light up what is cited.

import { Latest, clipped, doubt, doubted, h } from "../shared/dom.js";
import { pageImage, pageWords } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Highlighted } from "./highlights.js" */
/** @import { Citation, PageSize, Paragraph, Properties, Rectangle, Whole, Word } from "../../types.js" */

const NEAR = "120% 0px"; // what lies so close to the view is drawn

/** @typedef {{ element: HTMLElement, words: HTMLElement, lights: HTMLElement, owns: HTMLElement, finds: HTMLElement, size: PageSize, number: number, picture: HTMLImageElement | undefined, drawn: number, printed: Promise<Word[]> | undefined }} Sheet */

export class Sheets {
  /** @type {Sheet[]} */
  sheets = [];
  /** @type {IntersectionObserver | null} */
  watcher = null;
  /** @type {Map<Element, Word>} */
  shown = new Map(); // what is on the pages now
  id = "";
  sought = new Latest();
  owned = new Latest();

  /** @param {HTMLElement} view what scrolls */
  constructor(view) {
    this.view = view;
    new ResizeObserver(() => this.redraw()).observe(view);
  }

  // A page that is shown larger than it was drawn is drawn again.
  redraw() {
    for (const sheet of this.sheets) if (sheet.picture) void this.#draw(sheet);
  }

  // The pages of a document, for the view to hold.
  /** @param {Whole} document @returns {Element[]} */
  open({ id, pages, paragraphs }) {
    this.close();
    this.id = id;
    const doubtful = new Set(paragraphs.filter(({ uncertain }) => uncertain).map(({ page }) => page));
    this.sheets = pages.map((size, index) => this.#sheet(size, index + 1, doubtful.has(index + 1)));
    this.watcher = new IntersectionObserver((seen) => {
      for (const { target, isIntersecting } of seen) {
        const sheet = this.sheets[Number(/** @type {HTMLElement} */ (target).dataset.page) - 1];
        if (sheet) void (isIntersecting ? this.#enter(sheet) : this.#leave(sheet));
      }
    }, { root: this.view, rootMargin: NEAR });
    for (const { element } of this.sheets) this.watcher.observe(element);
    return this.sheets.map(({ element }) => element);
  }

  close() {
    this.watcher?.disconnect();
    for (const sheet of this.sheets) this.#leave(sheet);
    this.sheets = [];
    this.shown.clear();
    this.sought.next();
    this.owned.next();
  }

  /** @param {PageSize} size @param {number} number @param {boolean} isDoubtful some of its words are @returns {Sheet} */
  #sheet(size, number, isDoubtful) {
    const [lights, owns, finds] = [h("div", { class: "lights" }), h("div", { class: "lights" }), h("div", { class: "lights" })];
    const words = h("div", { class: "words" });
    const element = h("div", { class: "sheet", role: "group", "aria-label": doubted(say("reader.page", { label: size.label }), isDoubtful), dataset: { page: String(number) } }, doubt(isDoubtful), owns, lights, finds, words);
    element.style.aspectRatio = `${size.width} / ${size.height}`;
    return { element, words, lights, owns, finds, size, number, picture: undefined, drawn: 0, printed: undefined };
  }

  /** @param {Sheet} sheet */
  async #enter(sheet) {
    void this.#draw(sheet);
    if (sheet.words.childElementCount) return;
    const words = await this.#words(sheet);
    if (sheet.words.childElementCount || !sheet.element.isConnected) return;
    sheet.words.append(...words.map((word) => {
      const span = h("span", {}, `${word.text} `);
      place(span, word.place, sheet.size);
      span.style.fontSize = `${(100 * (word.place.bottom - word.place.top)) / sheet.size.width}cqw`;
      this.shown.set(span, word);
      return span;
    }));
  }

  /** @param {Sheet} sheet */
  #leave(sheet) {
    sheet.picture?.remove();
    sheet.picture = undefined;
    sheet.drawn = 0;
  }

  /** @param {Sheet} sheet */
  async #draw(sheet) {
    const width = Math.ceil(sheet.element.clientWidth * devicePixelRatio);
    if (!width || sheet.drawn >= width) return;
    sheet.drawn = width;
    try {
      const content = await pageImage(this.id, sheet.number, width);
      if (sheet.drawn !== width || !sheet.element.isConnected) return;
      const src = URL.createObjectURL(content);
      const picture = h("img", { alt: "", src, onload: () => URL.revokeObjectURL(src) });
      sheet.picture?.remove();
      sheet.picture = picture;
      sheet.element.classList.remove("undrawn");
      sheet.element.prepend(picture);
    } catch {
      // The words are shown instead of the picture.
      if (sheet.drawn === width) sheet.element.classList.add("undrawn");
    }
  }

  /** @param {Sheet} sheet */
  #words(sheet) {
    return (sheet.printed ??= pageWords(this.id, sheet.number).catch(() => {
      sheet.printed = undefined; // it is asked again when it is wanted again
      return [];
    }));
  }

  // Light up where citations are printed; one of them may be chosen.
  /** @param {Citation[]} citations @param {Citation} [chosen] */
  mark(citations, chosen) {
    for (const { lights } of this.sheets) lights.replaceChildren();
    for (const c of citations) {
      const is = chosen && c.marker === chosen.marker && c.start === chosen.start;
      this.#lightUp("lights", c.rectangles ?? [], { class: is ? "light chosen" : "light", dataset: { key: c.marker || "closest" } });
    }
  }

  // Show what its reader has highlighted, each a button on its first line, unless others are to be
  // shown by the time that it is known where they are printed.
  /** @param {Highlighted[]} highlights @param {Paragraph[]} paragraphs */
  async own(highlights, paragraphs) {
    const isLast = this.owned.next();
    const found = await Promise.all(highlights.map(async (one) => {
      const { citation: { start, rectangles }, at } = one;
      const paragraph = paragraphs[one.paragraph - 1];
      const from = at?.start ?? paragraph?.start ?? 0;
      if (at && start === from && rectangles?.length) return rectangles;
      return this.printed(paragraph?.page ?? 1, from, at?.end ?? from + 1);
    }));
    if (!isLast()) return;
    for (const { owns } of this.sheets) owns.replaceChildren();
    highlights.forEach(({ id, at, citation, noted }, index) => {
      const properties = { class: at ? "light own" : "light own altered", dataset: { own: id } };
      const label = say(at ? "reader.highlight.of" : "reader.highlight.of_changed", { quote: doubted(citation.quote, citation.uncertain) });
      const [first, ...rest] = found[index] ?? [];
      if (first) this.#lightUp("owns", [first], { ...properties, "aria-label": label, title: noted.note.text || undefined }, "button");
      this.#lightUp("owns", rest, properties);
    });
  }

  // The words of the pages that lie in a range.
  /** @param {Range} range @returns {Word[]} */
  wordsIn(range) {
    return [...this.shown].filter(([span]) => range.intersectsNode(span) && String(clipped(range, span)).trim()).map(([, word]) => word);
  }

  /** @param {"lights" | "owns" | "finds"} layer @param {Rectangle[]} places @param {Properties} properties @param {"div" | "button"} tag */
  #lightUp(layer, places, properties, tag = "div") {
    for (const at of places) {
      const sheet = this.sheets[at.page - 1];
      if (sheet) place(sheet[layer].appendChild(h(tag, properties)), at, sheet.size);
    }
  }

  // What a place in the text is printed in; a paragraph may go on overleaf.
  /** @param {number} page @param {number} start @param {number} end offsets in the document's text */
  async printed(page, start, end) {
    const words = await Promise.all(this.sheets.slice(page - 1, page + 1).map((sheet) => this.#words(sheet)));
    return words.flat().filter((word) => word.start < end && word.end > start).map((word) => word.place);
  }

  // Show a place that was found on its page; the first of its rectangles, unless another place was
  // sought meanwhile.
  /** @param {number} page @param {number} start @param {number} end offsets in the document's text */
  async find(page, start, end) {
    const isSought = this.sought.next();
    const places = await this.printed(page, start, end);
    if (!isSought()) return null;
    for (const { finds } of this.sheets) finds.replaceChildren();
    this.#lightUp("finds", places, { class: "light found" });
    return this.view.querySelector(".light.found");
  }
}

/** @param {HTMLElement} element @param {Rectangle} at @param {PageSize} size */
function place(element, at, size) {
  element.style.left = `${(100 * at.left) / size.width}%`;
  element.style.top = `${(100 * at.top) / size.height}%`;
  element.style.width = `${(100 * (at.right - at.left)) / size.width}%`;
  element.style.height = `${(100 * (at.bottom - at.top)) / size.height}%`;
}
