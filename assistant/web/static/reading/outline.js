// Where one is in the document: its headings to go to, and the page or the paragraph that is seen.

import { $, announce, h, onKey, stepTo } from "../shared/dom.js";
import { storage } from "../shared/storage.js";
import { number as written, say } from "../shared/i18n.js";
import { isSheet } from "./pane.js";
/** @import { Heading } from "./paragraphs.js" */
/** @import { Reader } from "./reader.js" */
/** @import { Seen, Whole } from "../../types.js" */

const OPEN = "footnote/contents"; // where this browser keeps whether they are shown

export class Outline {
  /** @type {{ heading: Heading, button: HTMLElement }[]} */
  entries = [];
  /** @type {Whole | null} */
  document = null;
  printed = false;
  /** @type {Seen} */
  seen = { page: 1, number: 1 };

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
    this.field = $("place-number");
    $("contents").addEventListener("click", () => {
      storage.set(OPEN, $("outline").hidden ? "yes" : "");
      this.fold(!$("outline").hidden);
    });
    $("outline").addEventListener("keydown", (event) => this.#moved(event));
    this.field.addEventListener("focus", () => this.field.select());
    this.field.addEventListener("blur", () => this.#told());
    onKey(this.field, "Enter", () => this.#jump());
  }

  /** @param {boolean} folded */
  fold(folded) {
    $("outline").hidden = folded;
    $("contents").setAttribute("aria-expanded", String(!folded));
    if (!folded) this.#current()?.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  // A document is shown, as its pages or as its text; none is.
  /** @param {Whole | null} document @param {Heading[]} headings @param {boolean} printed */
  show(document, headings, printed) {
    if (document !== this.document) this.#list(headings);
    this.document = document;
    this.printed = printed;
    $("place").hidden = !document;
    $("place-kind").textContent = say(printed ? "reader.place.page" : "reader.place.paragraph");
    $("place-of").textContent = document ? say("reader.place.of", { count: (printed ? document.pages : document.paragraphs).length }) : "";
    this.at({ page: 1, number: 1 });
  }

  /** @param {Heading[]} headings */
  #list(headings) {
    this.entries = headings.map((heading) => {
      const button = h("button", { type: "button", dir: "auto", tabindex: "-1", onclick: () => this.#choose(heading) }, heading.title);
      button.style.setProperty("--level", String(heading.level));
      return { heading, button };
    });
    $("outline").replaceChildren(h("ul", {}, ...this.entries.map(({ button }) => h("li", {}, button))));
    $("contents").hidden = !headings.length;
    this.fold(!headings.length || isSheet() || !storage.get(OPEN));
  }

  // Go to a heading. On a narrow page the contents cover what was chosen, and have done their part.
  /** @param {Heading} heading */
  #choose(heading) {
    if (isSheet()) {
      this.fold(true);
      $("pages").focus({ preventScroll: true });
    }
    void this.reader.scrolling.go({ number: heading.number }, heading.element);
  }

  #current = () => this.entries.find(({ button }) => button.hasAttribute("aria-current"))?.button;

  // The page and the paragraph that are seen now.
  /** @param {Seen} seen */
  at(seen) {
    this.seen = seen;
    const now = (this.entries.findLast(({ heading }) => heading.number <= seen.number) ?? this.entries[0])?.button;
    const before = this.#current();
    if (now && now !== before) {
      before?.removeAttribute("aria-current");
      now.setAttribute("aria-current", "location");
      if (before) before.tabIndex = -1;
      now.tabIndex = 0;
      // Not while one goes through the list.
      if (!$("outline").hidden && !$("outline").contains(document.activeElement)) now.scrollIntoView({ block: "nearest", behavior: "instant" });
    }
    if (document.activeElement !== this.field) this.#told();
  }

  #told() {
    const { page, number } = this.seen;
    this.field.removeAttribute("aria-invalid");
    this.field.value = this.printed ? (this.document?.pages[page - 1]?.label ?? String(page)) : String(number);
  }

  // Go to what was written: a page by what is printed on it, or else by its number.
  #jump() {
    const wanted = this.field.value.trim();
    const { pages = [], paragraphs = [] } = this.document ?? {};
    const things = this.printed ? pages : paragraphs;
    const labelled = this.printed ? pages.findIndex(({ label }) => label.toLowerCase() === wanted.toLowerCase()) + 1 : 0;
    const number = labelled || (/^\d+$/.test(wanted) ? Number(wanted) : 0);
    if (number < 1 || number > things.length) {
      this.field.setAttribute("aria-invalid", "true");
      return announce(say("reader.place.none", { place: wanted, count: things.length }));
    }
    void this.reader.scrolling.go(this.printed ? { page: number } : { number });
    this.#told();
    this.field.select();
    announce(say(this.printed ? "reader.page" : "reader.paragraph", this.printed ? { label: this.field.value } : { number: written(number) }));
  }

  /** @param {KeyboardEvent} event */
  #moved(event) {
    const buttons = this.entries.map(({ button }) => button);
    const at = buttons.findIndex((button) => button === document.activeElement);
    const next = buttons[stepTo(event, at, 0, buttons.length - 1) ?? -1];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
}
