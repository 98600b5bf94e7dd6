// The document pane: the whole document under its headings, what is cited in it, and finding in it.

import { $, Latest, announce, characters, closest, h, smoothly } from "./dom.js";
import { marked } from "./marking.js";
import { document_, messageOf } from "./server.js";
import { Sheets } from "./sheets.js";
import { cellsOf, columnsOf, header, row } from "./table.js";
/** @import { Target } from "./citing.js" */
/** @import { About, Citation, Listed, Paragraph, ReaderActs, Span, Whole } from "../types.js" */

// Older browsers have none, and find without lighting up.
const { highlights } = /** @type {{ highlights?: HighlightRegistry }} */ (CSS);

const LONG = 300; // paragraphs from which those out of sight are not laid out
const LINE = 27; // pixels, about
const LIT = 2000; // places found that are lit up; all are counted

/**
 * A paragraph on the page. `spans`: what is marked in it, as JSON.
 * @typedef {{ element: HTMLElement, text: HTMLElement, number: HTMLElement, paragraph: Paragraph, columns: string[], spans: string }} Block
 * @typedef {{ block: Block, start: number, end: number }} Place
 */

export class Reader {
  /** @type {Whole | null} */
  document = null;
  /** @type {Map<number, Block>} */
  blocks = new Map();
  /** @type {Citation[]} */
  cited = [];
  /** @type {Citation | undefined} */
  chosen = undefined;
  /** @type {Element[]} */
  text = [];
  /** @type {Place[]} */
  found = [];
  // Whether a document that has pages is shown as them, or as its text.
  printed = true;
  // What was asked to be shown: a document, a citation, what a link leads to.
  wanted = new Latest();
  loading = false;

  /** @param {ReaderActs} acts */
  constructor(acts) {
    this.acts = acts;
    this.at = -1;
    this.pages = $("pages");
    this.sheets = new Sheets(this.pages);
    this.pages.addEventListener("click", (event) => this.#clicked(event));
    this.pages.addEventListener("keydown", (event) => this.#moved(event));
    $("find-text").addEventListener("input", () => this.#find());
    $("find-text").addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#step(event.shiftKey ? -1 : 1);
    });
    $("find-on").addEventListener("click", () => this.#step(1));
    $("find-back").addEventListener("click", () => this.#step(-1));
    $("as-text").addEventListener("click", () => this.#turnOver());
    $("open-reader").addEventListener("click", () => this.open());
    $("reader-choice").addEventListener("change", () => void this.show($("reader-choice").value));
  }

  // On a narrow page the document lies over the conversation.
  isSheet = () => matchMedia("(max-width: 60rem)").matches;

  open() {
    if (this.isSheet()) $("reader").showModal(); // once more does no harm
  }

  close() {
    $("reader").close();
  }

  // The documents that there are to read.
  /** @param {Listed[]} documents */
  offer(documents) {
    const select = $("reader-choice");
    select.replaceChildren(...documents.map((d) => h("option", { value: d.id }, d.title)));
    select.hidden = documents.length < 2;
    $("reader-heading").hidden = documents.length > 1;
    if (this.document && !documents.some((d) => d.id === this.document?.id)) this.#clear();
    const [first] = documents;
    if (this.document) select.value = this.document.id;
    else if (first && !this.loading) void this.show(first.id);
  }

  // Show a document; when it is shown already (and not added anew), nothing moves. Tells whether it is
  // there; null where something else was asked for meanwhile.
  /** @param {string} id */
  async show(id, again = false) {
    const isWanted = this.wanted.next();
    this.loading = false;
    if (this.document?.id === id && !again) return true;
    this.loading = true;
    const loaded = await document_(id).catch(messageOf);
    if (!isWanted()) return null;
    this.loading = false;
    this.note(typeof loaded === "string" ? loaded : "");
    if (typeof loaded === "string") return false;
    this.document = loaded;
    $("reader-choice").value = id;
    $("reader-heading").textContent = loaded.title;
    this.blocks.clear();
    const nodes = [];
    /** @type {string[]} */
    let heading = [];
    let through = 0; // the number of the last row of the table that was begun
    /** @type {string[]} */
    let columns = [];
    for (const paragraph of loaded.paragraphs) {
      const same = heading.findIndex((title, level) => title !== paragraph.heading[level]);
      const from = same < 0 ? heading.length : same;
      paragraph.heading.forEach((title, level) => {
        if (level >= from) nodes.push(h(`h${Math.min(6, level + 3)}`, { dir: "auto" }, title));
      });
      heading = paragraph.heading;
      if (paragraph.kind === "row" && paragraph.number > through) {
        const table = rowsFrom(loaded.paragraphs, paragraph);
        through = paragraph.number + table.length - 1;
        columns = columnsOf(table.map(({ text }) => text));
        if (columns.length) nodes.push(header(columns));
      }
      nodes.push(this.#block(paragraph, columns));
    }
    this.text = nodes;
    this.#layOut();
    return true;
  }

  // Whether pages are shown.
  isPrinted = () => this.printed && !!this.document?.pages.length;

  #layOut() {
    const { document } = this;
    if (!document) return;
    const printed = this.isPrinted();
    $("as-text").hidden = !document.pages.length;
    $("as-text").textContent = printed ? "Text" : "Pages";
    this.pages.classList.toggle("printed", printed);
    this.pages.classList.toggle("long", !printed && document.paragraphs.length > LONG);
    this.pages.scrollTop = 0;
    if (!printed) this.sheets.close();
    const shown = printed ? this.sheets.open(document.id, document.pages) : this.text;
    this.mark(this.cited, this.chosen); // before it is laid out, so that nothing moves
    this.pages.replaceChildren(...shown);
    this.#find();
  }

  // Show the pages instead of the text, or the text instead of the pages, where one was reading.
  #turnOver() {
    const at = this.#inView();
    this.printed = !this.printed;
    this.#layOut();
    const lit = this.pages.querySelector(this.isPrinted() ? ".light.chosen" : "mark.chosen");
    const target = lit ?? (this.isPrinted() ? this.sheets.sheets[at.page - 1]?.element : this.blocks.get(at.number)?.element);
    if (target) this.#bring(target);
  }

  // The page and the paragraph at the top of the view.
  #inView() {
    const { top } = this.pages.getBoundingClientRect();
    /** @param {Element} element */
    const below = (element) => element.getBoundingClientRect().bottom > top + 1;
    if (this.isPrinted()) {
      const page = this.sheets.sheets.find(({ element }) => below(element))?.number ?? 1;
      return { page, number: this.document?.paragraphs.find((p) => (p.page ?? 0) >= page)?.number ?? 1 };
    }
    const block = [...this.blocks.values()].find(({ element }) => below(element));
    return { page: block?.paragraph.page ?? 1, number: block?.paragraph.number ?? 1 };
  }

  #clear() {
    this.document = null;
    this.sheets.close();
    $("as-text").hidden = true;
    this.blocks.clear();
    this.pages.replaceChildren();
  }

  /** @param {Paragraph} paragraph @param {string[]} columns of the table that it is a row of */
  #block(paragraph, columns) {
    const text = h("p", { dir: "auto", class: paragraph.kind }, ...shown(paragraph, columns, []));
    if (paragraph.kind === "row") text.style.setProperty("--columns", String(Math.max(columns.length, cellsOf(paragraph.text).length)));
    const label = `Paragraph ${paragraph.number}${paragraph.locator ? `, ${paragraph.locator}` : ""}`;
    const number = h(
      "button",
      { type: "button", class: "number", tabindex: this.blocks.size ? "-1" : "0", "aria-label": label, "aria-expanded": "false" },
      String(paragraph.number),
    );
    const element = h("div", { class: "block", dataset: { number: paragraph.number } }, number, text);
    // About as high as it will be, so that the scroll bar is right before it is laid out.
    element.style.containIntrinsicHeight = `auto ${(1 + Math.ceil(paragraph.text.length / 58)) * LINE}px`;
    this.blocks.set(paragraph.number, { element, text, number, paragraph, columns, spans: "[]" });
    return element;
  }

  // Mark what these citations quote; one of them may be chosen: it is brought into view.
  /** @param {Citation[]} citations @param {Citation} [chosen] */
  mark(citations, chosen) {
    this.cited = citations;
    this.chosen = chosen;
    const { document } = this;
    if (!document) return;
    if (this.isPrinted()) this.sheets.mark(citations.filter((c) => c.document_id === document.id), chosen);
    const byNumber = Map.groupBy(citations.filter((c) => c.document_id === document.id), (c) => c.paragraph);
    for (const [number, block] of this.blocks) {
      const spans = (byNumber.get(number) ?? []).map((c) => ({
        start: c.start - c.paragraph_start,
        end: c.end - c.paragraph_start,
        key: c.marker || "closest",
        chosen: chosen && c.marker === chosen.marker && c.start === chosen.start,
      }));
      const now = JSON.stringify(spans);
      if (now === block.spans) continue;
      block.spans = now;
      block.element.classList.toggle("cited", spans.length > 0);
      block.text.replaceChildren(...shown(block.paragraph, block.columns, spans));
    }
  }

  // A new answer's citations: the first is brought into view where the document is beside it.
  /** @param {Citation[]} citations */
  async cite(citations) {
    const [first] = citations;
    if (!first || this.isSheet()) return this.mark(citations);
    if (await this.show(first.document_id)) {
      this.mark(citations);
      const mark = this.pages.querySelector("mark, .light");
      if (mark) this.#bring(mark);
    }
  }

  // Light up what a citation quotes, in its paragraph.
  /** @param {Citation} citation @param {Citation[]} all */
  async light(citation, all) {
    const there = await this.show(citation.document_id);
    if (there === null) return;
    this.open();
    if (!there) return this.note("The document that this was quoted from is no longer here. Its paragraph is kept with the answer.");
    this.note("");
    const block = this.blocks.get(citation.paragraph);
    if (!block || block.paragraph.text !== citation.paragraph_text) {
      this.mark([]);
      return this.note("The document has changed since this answer, so the quote may no longer stand in it. Ask again.");
    }
    if (this.isPrinted() && !citation.rectangles?.length) {
      this.printed = false; // where it is printed is not known
      this.#layOut();
    }
    this.mark(all, citation);
    this.#select(block, false);
    const lit = this.isPrinted() ? this.pages.querySelector(".light.chosen") : block.text.querySelector("mark.chosen");
    this.#bring(lit ?? block.element);
    announce(`Shown in the document: ${citation.quote}`);
  }

  // Go to a place that a link names: light it up like a citation.
  /** @param {Target} target */
  async follow({ document, start, end }) {
    if (!(await this.show(document))) return;
    const isWanted = this.wanted.next();
    const paragraph = this.document?.paragraphs.findLast((p) => p.start <= start);
    const length = paragraph ? characters(paragraph.text).length : 0;
    if (!paragraph || end > paragraph.start + length) {
      this.open();
      return this.note("The document has changed since this link was made, so what it leads to may no longer stand in it.");
    }
    const { locator, page, heading } = paragraph;
    /** @type {Citation} */
    const citation = {
      marker: 0,
      document: this.document?.title ?? "",
      document_id: document,
      heading, page, locator, start, end,
      paragraph: paragraph.number,
      quote: characters(paragraph.text).slice(start - paragraph.start, end - paragraph.start).join(""),
      paragraph_start: paragraph.start,
      paragraph_end: paragraph.start + length,
      paragraph_text: paragraph.text,
      rectangles: this.isPrinted() ? await this.sheets.printed(page ?? 1, start, end) : [],
    };
    if (!isWanted()) return;
    await this.light(citation, [citation]);
  }

  /** @param {string} text */
  note(text) {
    $("reader-note").textContent = text;
    $("reader-note").hidden = !text;
  }

  // Paragraphs out of sight have no exact height until they are near: look again once they have.
  /** @param {Element} target */
  #bring(target) {
    target.scrollIntoView({ block: "center", behavior: "instant" });
    requestAnimationFrame(() => target.scrollIntoView({ block: "center", behavior: "instant" }));
  }

  // --- paragraphs -----------------------------------------------------------------------------

  /** @param {Event} event */
  #clicked(event) {
    if (closest(event, ".beside")) return;
    const block = this.blocks.get(Number(closest(event, ".block")?.dataset.number));
    if (!block || (!closest(event, ".number") && !getSelection()?.isCollapsed)) return;
    this.#select(block, true);
  }

  /** @param {KeyboardEvent} event */
  #moved(event) {
    const number = Number(closest(event, ".number")?.parentElement?.dataset.number);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: number + 1, ArrowUp: number - 1, Home: 1, End: this.blocks.size };
    const next = this.blocks.get(steps[event.key] ?? 0);
    if (!number || !next) return;
    event.preventDefault();
    this.#rove(next);
    next.number.focus({ preventScroll: true });
    next.element.scrollIntoView({ block: "nearest", behavior: smoothly() });
  }

  /** @param {Block} block */
  #rove(block) {
    for (const { number } of this.blocks.values()) if (number.tabIndex === 0) number.tabIndex = -1;
    block.number.tabIndex = 0;
  }

  // Another conversation is shown: what is said about a paragraph is of the one before.
  leave() {
    this.#unselect();
    this.close();
  }

  #unselect() {
    for (const { element, number: button } of this.blocks.values()) {
      if (!element.classList.contains("chosen")) continue;
      element.classList.remove("chosen");
      element.querySelector(".beside")?.remove();
      button.setAttribute("aria-expanded", "false");
    }
  }

  // Show what there is about a paragraph; choosing it again hides it.
  /** @param {Block} block @param {boolean} toggles */
  #select(block, toggles) {
    if (!this.document) return;
    const { number } = block.paragraph;
    const open = block.element.classList.contains("chosen");
    this.#unselect();
    this.#rove(block);
    if (open && toggles) return;
    block.element.classList.add("chosen");
    block.number.setAttribute("aria-expanded", "true");
    const citing = this.acts.citing(this.document.id, number);
    /** @type {About} */
    const about = {
      document: this.document.id,
      title: block.paragraph.heading.at(-1) ?? this.document.title,
      number,
      text: characters(block.paragraph.text).slice(0, 300).join(""),
    };
    block.element.append(
      h(
        "div",
        { class: "beside" },
        citing.length
          ? h("ul", { "aria-label": "Answers that cite this paragraph" }, ...citing.map(({ turn, marker }) =>
              h("li", {}, h("button", { type: "button", class: "citing", dir: "auto", onclick: () => this.acts.goTo(turn) }, h("span", { class: "key" }, `[${marker}]`), " ", turn.question))))
          : h("p", {}, "No answer here cites this paragraph."),
        h("button", { type: "button", class: "about-this", onclick: () => this.acts.askAbout(about) }, "Ask about this"),
      ),
    );
  }

  // --- finding --------------------------------------------------------------------------------

  #find() {
    const wanted = $("find-text").value.trim();
    this.found = [];
    this.at = -1;
    highlights?.clear();
    if (wanted) {
      const pattern = new RegExp(wanted.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&").replace(/\s+/g, "\\s+"), "gi");
      for (const block of this.blocks.values()) {
        for (const match of block.paragraph.text.matchAll(pattern)) {
          this.found.push({ block, start: match.index, end: match.index + match[0].length });
        }
      }
      if (!this.isPrinted()) highlights?.set("found", new Highlight(...this.found.slice(0, LIT).map(range)));
    }
    $("find-on").disabled = $("find-back").disabled = !this.found.length;
    $("find-count").textContent = wanted ? (this.found.length ? `${this.found.length}` : "none") : "";
  }

  /** @param {1 | -1} by */
  #step(by) {
    if (!this.found.length) return;
    this.at = this.at < 0 ? (by > 0 ? 0 : this.found.length - 1) : (this.at + by + this.found.length) % this.found.length;
    const place = this.found[this.at];
    if (!place) return;
    $("find-count").textContent = `${this.at + 1} of ${this.found.length}`;
    if (this.isPrinted()) return void this.#findOnPage(place);
    this.#bring(place.block.element);
    highlights?.set("found-here", new Highlight(range(place)));
  }

  /** @param {Place} place */
  async #findOnPage({ block, start, end }) {
    const { paragraph } = block;
    /** @param {number} units of UTF-16 */
    const offset = (units) => paragraph.start + characters(paragraph.text.slice(0, units)).length;
    const light = await this.sheets.find(paragraph.page ?? 1, offset(start), offset(end));
    if (light) this.#bring(light);
  }
}

// What a paragraph shows, by its kind.
/** @param {Paragraph} paragraph @param {string[]} columns @param {Span[]} spans */
const shown = (paragraph, columns, spans) =>
  paragraph.kind === "row" ? row(paragraph.text, columns, spans) : marked(paragraph.text, spans);

// The rows of the table that a row begins: those that follow it under the same headings.
/** @param {Paragraph[]} paragraphs @param {Paragraph} first */
function rowsFrom(paragraphs, first) {
  const from = first.number - 1;
  const heading = JSON.stringify(first.heading);
  let to = from + 1;
  for (let p = paragraphs[to]; p?.kind === "row" && JSON.stringify(p.heading) === heading; p = paragraphs[to]) to++;
  return paragraphs.slice(from, to);
}

// The place of a find as a range over the paragraph's text, whatever is marked in it.
/** @param {Place} place */
function range({ block, start, end }) {
  const found = new Range();
  const walker = document.createTreeWalker(block.text, NodeFilter.SHOW_TEXT);
  let before = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const after = before + /** @type {Text} */ (node).data.length;
    if (before <= start && start < after) found.setStart(node, start - before);
    if (before < end && end <= after) {
      found.setEnd(node, end - before);
      break;
    }
    before = after;
  }
  return found;
}
