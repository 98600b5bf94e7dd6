// A document as it is printed: its pages as pictures, made as they come into view, with the words over
// them to select, to find, and to light up what is cited.

import { Latest, h } from "./dom.js";
import { pagePicture, pageWords } from "./server.js";
/** @import { Citation, PageSize, Properties, Rectangle, Word } from "../types.js" */

const NEAR = "120% 0px"; // what lies so close to the view is drawn

/** @typedef {{ element: HTMLElement, words: HTMLElement, lights: HTMLElement, finds: HTMLElement, size: PageSize, number: number, picture: HTMLImageElement | undefined, drawn: number }} Sheet */

export class Sheets {
  /** @type {Sheet[]} */
  sheets = [];
  /** @type {Map<number, Promise<Word[]>>} */
  requested = new Map();
  /** @type {IntersectionObserver | null} */
  watcher = null;
  id = "";
  sought = new Latest();

  /** @param {HTMLElement} view what scrolls */
  constructor(view) {
    this.view = view;
    // A page that is shown larger than it was drawn is drawn again.
    new ResizeObserver(() => {
      for (const sheet of this.sheets) if (sheet.picture) void this.#draw(sheet);
    }).observe(view);
  }

  // The pages of a document, for the view to hold.
  /** @param {string} id @param {PageSize[]} sizes @returns {Element[]} */
  open(id, sizes) {
    this.close();
    this.id = id;
    this.sheets = sizes.map((size, index) => this.#sheet(size, index + 1));
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
    this.requested.clear();
    this.sought.next();
  }

  /** @param {PageSize} size @param {number} number @returns {Sheet} */
  #sheet(size, number) {
    const [words, lights, finds] = [h("div", { class: "words" }), h("div", { class: "lights" }), h("div", { class: "lights" })];
    const element = h("div", { class: "sheet", role: "group", "aria-label": `Page ${size.label}`, dataset: { page: String(number) } }, lights, finds, words);
    element.style.aspectRatio = `${size.width} / ${size.height}`;
    return { element, words, lights, finds, size, number, picture: undefined, drawn: 0 };
  }

  /** @param {Sheet} sheet */
  async #enter(sheet) {
    void this.#draw(sheet);
    if (sheet.words.childElementCount) return;
    const words = await this.words(sheet.number);
    if (sheet.words.childElementCount || !sheet.element.isConnected) return;
    sheet.words.append(...words.map((word) => {
      const span = h("span", {}, `${word.text} `);
      place(span, word.place, sheet.size);
      span.style.fontSize = `${(100 * (word.place.bottom - word.place.top)) / sheet.size.width}cqw`;
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
      const content = await pagePicture(this.id, sheet.number, width);
      if (sheet.drawn !== width || !sheet.element.isConnected) return;
      const src = URL.createObjectURL(content);
      const picture = h("img", { alt: "", src, onload: () => URL.revokeObjectURL(src) });
      sheet.picture?.remove();
      sheet.picture = picture;
      sheet.element.classList.remove("undrawn");
      sheet.element.prepend(picture);
    } catch {
      // The words are there all the same: they are shown instead of the picture.
      if (sheet.drawn === width) sheet.element.classList.add("undrawn");
    }
  }

  /** @param {number} number @returns {Promise<Word[]>} */
  words(number) {
    const known = this.requested.get(number);
    if (known) return known;
    const asked = pageWords(this.id, number).catch(() => []);
    this.requested.set(number, asked);
    return asked;
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

  /** @param {"lights" | "finds"} layer @param {Rectangle[]} places @param {Properties} properties */
  #lightUp(layer, places, properties) {
    for (const at of places) {
      const sheet = this.sheets[at.page - 1];
      if (sheet) place(sheet[layer].appendChild(h("div", properties)), at, sheet.size);
    }
  }

  // What a place in the text is printed in; a paragraph may go on overleaf.
  /** @param {number} page @param {number} start @param {number} end offsets in the document's text */
  async printed(page, start, end) {
    const words = await Promise.all(this.sheets.slice(page - 1, page + 1).map((sheet) => this.words(sheet.number)));
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
