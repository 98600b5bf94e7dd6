// The document pane: the whole document under its headings or as it is printed, what is cited and
// highlighted in it, and what can be done with a paragraph.

import { $, Latest, announce, closest, doubted, h, isFree, menu, onKey } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { loadDocument, messageOf } from "../shared/api.js";
import { say } from "../shared/i18n.js";
import { ParagraphPanel } from "./paragraph-panel.js";
import { Search } from "./search.js";
import { Highlights } from "./highlights.js";
import { Outline } from "./outline.js";
import { Pane, isSheet, openBeside } from "./pane.js";
import { citationOf, endOf, markIn, offset, textOf } from "./paragraphs.js";
import { Scrolling } from "./scrolling.js";
import { Sheets } from "./sheets.js";
/** @import { Target } from "../chat/export.js" */
/** @import { Block, Heading } from "./paragraphs.js" */
/** @import { Citation, Listed, Paragraph, Whole } from "../../types.js" */

const LONG_DOCUMENT = 300; // paragraphs from which those out of sight are not laid out

export class Reader {
  /** @type {Whole | null} */
  document = null;
  /** @type {Map<number, Block>} */
  blocks = new Map();
  /** @type {Heading[]} */
  headings = [];
  /** @type {Citation[]} */
  cited = [];
  /** @type {Citation | undefined} */
  chosen = undefined;
  /** @type {Element[]} */
  nodes = []; // of its text
  // Whether a document that has pages is shown as them, or as its text.
  printed = true;
  // What was asked to be shown: a document, a citation, what a link leads to.
  wanted = new Latest();
  /** @type {string | null} */
  loading = null; // the id of what was asked for, until it is there

  constructor() {
    this.pages = $("pages");
    this.sheets = new Sheets(this.pages);
    this.highlights = new Highlights(this.pages);
    this.outline = new Outline(this);
    this.scrolling = new Scrolling(this);
    this.pane = new Pane(this);
    this.search = new Search(this);
    this.panel = new ParagraphPanel(this);
    this.pages.addEventListener("scroll", () => requestAnimationFrame(() => this.outline.at(this.scrolling.seen())), { passive: true });
    $("as-text").addEventListener("click", () => this.#turnOver());
    $("overview").addEventListener("click", () => this.document && this.ask(say("reader.overview.ask"), this.document.title));
    $("open-reader").addEventListener("click", () => this.read());
    onKey($("reader"), "Escape", () => $("close-reader").click(), (event) => isFree(event) && !closest(event, "textarea"));
    matchMedia("(orientation: portrait)").addEventListener("change", () => void this.scrolling.go(this.outline.seen)); // a phone was turned
    $("reader-wide").before(menu("dots", say("page.more"), $("as-text"), $("overview"), $("scale")));
    $("scale").addEventListener("click", (event) => event.stopPropagation()); // the menu stays open
    $("reader-choice").addEventListener("change", () => void this.show($("reader-choice").value));
  }

  open() {
    openBeside($("reader"));
  }

  // Read what was read last, or else what the last answer is from, or the newest of the documents that are asked.
  read(place = this.pages) {
    if ($("open-reader").disabled) return;
    this.open();
    place.focus();
    if (this.document || this.loading) return;
    const asked = new Set(app.library.asked());
    const [from] = app.library.listed(this.cited.slice(0, 1).map(({ document_id: id }) => id));
    const [newest] = app.library.documents.toSorted((one, other) => Number(asked.has(other.id)) - Number(asked.has(one.id)) || other.added.localeCompare(one.added));
    if (newest) void this.show((from ?? newest).id);
  }

  // Beside the conversation it is in nobody's way.
  close = () => isSheet() && $("reader").close();

  // Ask about the document, or a part of it.
  /** @param {string} question @param {string} title of that */
  ask(question, title) {
    const { id = "" } = this.document ?? {};
    this.close();
    app.chat.ask(question, { about: { document: id, title, number: 0, text: "" }, alone: true });
  }

  // What is highlighted in the document.
  highlighted = () => this.highlights.in(this.document?.id ?? "");

  // Another conversation is shown.
  leave() {
    this.note("");
    this.close();
  }

  // The documents that there are to read.
  /** @param {Listed[]} documents */
  offer(documents) {
    const select = $("reader-choice");
    if ([...select.options].map(({ value }) => value).join() !== documents.map(({ id }) => id).join()) this.search.fold();
    select.replaceChildren(...documents.map((d) => h("option", { value: d.id }, d.title)));
    select.hidden = documents.length < 2;
    $("reader-heading").hidden = documents.length > 1;
    $("open-reader").disabled = !documents.length;
    /** @param {string | undefined | null} id */
    const isGone = (id) => id && !documents.some((one) => one.id === id);
    if (isGone(this.document?.id)) this.#clear();
    if (isGone(this.loading)) {
      this.wanted.next();
      this.loading = null;
    }
    if (this.document) select.value = this.document.id;
  }

  // Show a document; if it is shown already (and was not added again), nothing moves. Returns whether it is
  // there; null if something else was asked for meanwhile.
  /** @param {string} id */
  async show(id, again = false) {
    const isWanted = this.wanted.next();
    this.loading = null;
    this.note("");
    if (this.document?.id === id && !again) return true;
    this.loading = id;
    const loaded = await loadDocument(id).catch(messageOf);
    if (!isWanted()) return null;
    this.loading = null;
    if (typeof loaded === "string") {
      this.note(loaded);
      return false;
    }
    const text = textOf(loaded);
    await new Promise((done) => setTimeout(done)); // both parts take long where a document is
    if (!isWanted()) return null;
    this.document = loaded;
    $("reader-choice").value = id;
    $("reader-heading").textContent = loaded.title;
    Object.assign(this, text);
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
    $("as-text").textContent = say(printed ? "reader.text" : "reader.pages");
    $("overview").hidden = false;
    this.pages.classList.toggle("printed", printed);
    this.pages.classList.toggle("long", !printed && document.paragraphs.length > LONG_DOCUMENT);
    this.pages.scrollTop = 0;
    if (!printed) this.sheets.close();
    const shown = printed ? this.sheets.open(document) : this.nodes;
    this.remark(); // before it is laid out, so that nothing moves
    this.pages.replaceChildren(...shown);
    this.scrolling.went = null;
    this.outline.show(document, this.headings, printed);
    this.pane.measure();
    this.search.find();
  }

  // Switch between pages and text, at the same place.
  #turnOver() {
    const at = this.scrolling.seen();
    this.printed = !this.printed;
    this.#layOut();
    const lit = this.pages.querySelector(this.isPrinted() ? ".light.chosen" : "mark.chosen");
    if (lit) this.scrolling.bring(lit, this.chosen);
    else void this.scrolling.go(this.isPrinted() ? { page: at.page } : at);
  }

  #clear() {
    $("reader").close();
    this.document = null;
    this.sheets.close();
    $("as-text").hidden = $("overview").hidden = true;
    this.blocks.clear();
    this.headings = [];
    this.outline.show(null, [], false);
    this.pages.replaceChildren();
    $("reader-heading").textContent = "";
    this.note("");
    this.search.find();
  }

  // The highlights may have changed.
  remark = () => this.mark(this.cited, this.chosen);

  // Mark what these citations quote; one of them may be chosen: it is brought into view.
  /** @param {Citation[]} citations @param {Citation} [chosen] */
  mark(citations, chosen) {
    this.cited = citations;
    this.chosen = chosen;
    const { document } = this;
    if (!document) return;
    const here = citations.filter((c) => c.document_id === document.id);
    const highlighted = this.highlighted();
    if (this.isPrinted()) {
      this.sheets.mark(here, chosen);
      void this.sheets.own(highlighted, document.paragraphs);
    }
    const [byNumber, owned] = [Map.groupBy(here, (c) => c.paragraph), Map.groupBy(highlighted, (one) => one.paragraph)];
    for (const [number, block] of this.blocks) {
      const { start } = block.paragraph;
      const spans = (byNumber.get(number) ?? []).map((c) => ({
        start: c.start - c.paragraph_start,
        end: c.end - c.paragraph_start,
        key: c.marker || "closest",
        chosen: chosen && c.marker === chosen.marker && c.start === chosen.start,
      }));
      const own = (owned.get(number) ?? []).flatMap(({ id, at }) => at ? [{ start: at.start - start, end: at.end - start, key: id, own: true }] : []);
      block.element.classList.toggle("cited", spans.length > 0);
      block.element.classList.toggle("altered", (owned.get(number) ?? []).some(({ at }) => !at));
      markIn(block, [...spans, ...own]);
      block.element.querySelector(".mine")?.replaceWith(this.panel.mine(number));
    }
  }

  // Read a document from a paragraph on.
  /** @param {string} id @param {number} number */
  async readFrom(id, number) {
    if (!(await this.show(id))) return;
    this.open();
    await this.scrolling.go({ number });
  }

  // Light up what a citation quotes, in its paragraph.
  /** @param {Citation} citation @param {Citation[]} all */
  async light(citation, all) {
    const there = await this.show(citation.document_id);
    if (there === null) return;
    this.open();
    if (!there) return this.note(say("reader.gone"));
    const block = this.blocks.get(citation.paragraph);
    if (!block || fit(block.paragraph, citation) < 3) return this.#lookFor(citation);
    if (this.isPrinted() && !citation.rectangles?.length) {
      this.printed = false; // where it is printed is not known
      this.#layOut();
    }
    this.mark(all, citation);
    this.panel.select(block, false);
    const lit = this.isPrinted() ? this.pages.querySelector(".light.chosen") : block.text.querySelector("mark.chosen");
    this.scrolling.bring(lit ?? block.element, citation);
    announce(say("reader.shown", { quote: doubted(citation.quote, citation.uncertain) }));
  }

  // The document has changed since: show the quote where it stands now, or else where it stood.
  /** @param {Citation} citation */
  async #lookFor(citation) {
    const { quote, paragraph } = citation;
    const paragraphs = this.document?.paragraphs ?? [];
    const [same] = paragraphs.filter(({ text }) => text.includes(quote)).sort((one, other) => fit(other, citation) - fit(one, citation));
    if (same) {
      const at = same.text.indexOf(quote);
      const now = await this.placeOf(same, offset(same, at), offset(same, at + quote.length));
      await this.light(now, [now]);
      return this.note(say("reader.moved"));
    }
    this.mark([]);
    this.note(say("reader.changed"));
    await this.scrolling.go({ number: Math.min(paragraph, paragraphs.length) });
  }

  // Go to a place that a link names: light it up like a citation.
  /** @param {Target} target */
  async follow({ document, start, end }) {
    const there = await this.show(document);
    if (there === null) return;
    this.open();
    if (!there) return;
    const isWanted = this.wanted.next();
    const paragraph = this.document?.paragraphs.findLast((p) => p.start <= start);
    if (!this.document || !paragraph || end > endOf(paragraph)) return this.note(say("reader.link_changed"));
    const citation = await this.placeOf(paragraph, start, end);
    if (!isWanted()) return;
    await this.light(citation, [citation]);
  }

  // A place in the document that is open, as a citation.
  /** @param {Paragraph} paragraph @param {number} start @param {number} end */
  async placeOf(paragraph, start, end) {
    const document = /** @type {Whole} */ (this.document);
    return citationOf(document, paragraph, start, end, document.pages.length ? await this.sheets.printed(paragraph.page ?? 1, start, end) : []);
  }

  /** @param {string} text */
  note(text) {
    $("reader-note").textContent = text;
    $("reader-note").hidden = !text;
  }
}

// How well a paragraph fits what is cited, from 0 to 3: it is under the same headings, and reads as it did.
/** @param {Paragraph} paragraph @param {Citation} citation */
const fit = ({ heading, text }, citation) => 2 * Number(String(heading) === String(citation.heading)) + Number(text === citation.paragraph_text);
