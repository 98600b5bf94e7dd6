// Passages of the documents on cards: what an answer was made from, what may answer, what comes
// closest. Those that may answer can be gone through by keys, and judged.

import { actOnKey, flagged, h, oneLine, outward, pathOf, smoothly, textsIn } from "../shared/dom.js";
import { excerpt, marked } from "../shared/marks.js";
import { app } from "../shared/app.js";
import { say } from "../shared/i18n.js";
import { isExhausted, isRefused, sentencesOf } from "./answer.js";
import { copy, WAYS } from "./export.js";
/** @import { Child, Citation, Properties, Turn } from "../../types.js" */

// Names a passage in its turn.
/** @param {Citation} citation */
export const passageKey = (citation) => `${citation.document_id}/${citation.start}`;

const TWO_LINES = 120; // characters about; what is no longer is shown whole

// The id of the text of its card.
/** @param {Turn} turn @param {Citation} citation */
const idOf = (turn, citation) => `text-${turn.id}/${passageKey(citation)}`;

// What an answer was made from. Citations of the same paragraph share a card, so that it is read once.
/** @param {Turn} turn @param {Citation[]} citations */
export function sources(turn, citations) {
  const places = Map.groupBy(citations, (c) => `${c.document_id} ${c.paragraph_start}`);
  return h("section", { class: "sources", "aria-label": say("source.title") }, h("h3", {}, say("source.title")), ...[...places.values()].map((group) => card(turn, group, isAllSaid(turn, group) ? { class: "card said" } : {})));
}

// Whether the answer quotes all that stands in a paragraph, so that nobody needs to read it twice.
/** @param {Turn} turn @param {Citation[]} group */
function isAllSaid(turn, group) {
  const [first] = group;
  const text = oneLine(first?.paragraph_text ?? "");
  return group.length === 1 && !first?.introduction && sentencesOf(turn).some((s) => s.verdict === "quoted" && s.markers.includes(first?.marker ?? 0) && oneLine(s.text) === text);
}

// A paragraph under its headings: what these citations quote of it, in two lines, until all of it is wanted.
/** @param {Turn} turn @param {Citation[]} group @param {Properties} properties @param {Child[]} judging */
function card(turn, group, properties, ...judging) {
  const first = /** @type {Citation} */ (group[0]);
  const spans = group.map((c) => ({ start: c.start - c.paragraph_start, end: c.end - c.paragraph_start, key: c.marker }));
  const short = excerpt(first.paragraph_text, spans);
  const isShort = short.whole && first.paragraph_text.length <= TWO_LINES;
  const text = h("p", { id: idOf(turn, first), class: `paragraph ${first.paragraph_kind ?? "prose"}`, dir: "auto" });
  const more = h("button", { type: "button", class: "more", onclick: () => show(text.classList.contains("short")) });
  /** @param {boolean} all */
  const show = (all) => {
    more.setAttribute("aria-expanded", String(all));
    more.textContent = say(all ? "passages.less" : "passages.more");
    text.classList.toggle("short", !all && !isShort);
    text.replaceChildren(h("span", {}, ...(all ? marked(first.paragraph_text, spans) : short.pieces)));
    // A cell a line.
    if (first.paragraph_kind === "row") for (const node of textsIn(text)) node.data = node.data.replaceAll(" | ", "\n");
  };
  show(false);
  const keys = group.map((c) => c.marker > 0 && h("span", { class: "key" }, `[${c.marker}]`));
  const ways = WAYS.map(({ name, copied, said }) => h("button", { type: "button", class: "more", onclick: () => copy(said(group), say(copied)) }, say(name)));
  return h("article", { class: "card", ...properties },
    h("header", {}, ...keys, h("h4", { dir: "auto" }, h("button", { type: "button", class: "go", onclick: () => app.chat.follow(turn, first) }, ...flagged(first)))),
    first.introduction && h("p", { class: "introduction", dir: "auto" }, first.introduction),
    properties.class ? "" : text,
    h("footer", {}, ...judging, isShort || properties.class ? "" : more, outward(first.link ?? "", { class: "more" }), h("details", { class: "copying" }, h("summary", { class: "more" }, say("cite.title")), ...ways)),
  );
}

// Passages, best first, each with what its reader says of it. One has the focus at a time. Those that
// are marked as the answer stand on top, and the others fold.
export class Passages {
  /** @type {{ citation: Citation, element: HTMLElement, button: HTMLElement }[]} */
  cards = [];
  isFolded = false; // since some are marked

  // `top`: where those go that are marked; `none` offers to say that none of them answers it.
  /** @param {Turn} turn @param {string} title @param {HTMLElement} top @param {boolean} none */
  constructor(turn, title, top, none) {
    this.turn = turn;
    this.title = title;
    this.top = top;
    this.isOpen = turn.state !== "answered"; // unless some are marked
    this.heading = h("h3", {}, title);
    this.feed = h("div", { role: "feed", "aria-label": title });
    this.none = none ? h("button", { type: "button", class: "more", onclick: () => this.#refuse() }) : null;
    /** @type {HTMLDetailsElement} */
    this.element = h("details", { class: "passages", open: this.isOpen }, h("summary", {}, this.heading), this.feed, this.none && h("p", { class: "none judging" }, this.none));
  }

  /** @param {Citation} citation */
  add(citation) {
    const { turn } = this;
    const number = this.cards.length + 1;
    const noted = h("span", { class: "noted", title: say("passages.noted.more") }, say("passages.noted"));
    const button = h("button", { type: "button", class: "more", onclick: () => this.#toggle(citation) });
    const properties = { dataset: { passage: passageKey(citation) }, tabindex: number === 1 ? "0" : "-1", "aria-posinset": number, "aria-label": pathOf(citation), "aria-describedby": idOf(turn, citation) };
    const element = card(turn, [citation], properties, h("span", { class: "judging" }, noted, button));
    element.addEventListener("keydown", (event) => this.#pressed(event, number - 1));
    element.addEventListener("focusin", () => {
      for (const one of this.cards) one.element.tabIndex = one.element === element ? 0 : -1;
    });
    this.cards.push({ citation, element, button });
    this.feed.append(element);
    for (const one of this.cards) one.element.setAttribute("aria-setsize", String(number));
    this.tell();
  }

  // Go to the one that had the focus last, or else the first.
  enter = () => this.#go(this.cards.findIndex(({ element }) => element.tabIndex === 0));

  /** @param {number} at */
  #go(at) {
    const element = this.cards[at]?.element;
    element?.closest("details")?.setAttribute("open", "");
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest", behavior: smoothly() });
  }

  /** @param {KeyboardEvent} event @param {number} at */
  #pressed(event, at) {
    const one = this.cards[at];
    if (!one || event.ctrlKey || event.metaKey || event.altKey) return;
    const down = () => this.#go(at + 1);
    const up = () => this.#go(at - 1);
    /** @type {Record<string, () => unknown>} */
    const keys = { j: down, ArrowDown: down, k: up, ArrowUp: up, y: () => this.#toggle(one.citation) };
    if (this.none) keys["0"] = () => this.#refuse();
    if (event.target === one.element) keys.Enter = () => app.chat.follow(this.turn, one.citation);
    actOnKey(event, keys);
  }

  /** @param {Citation} citation */
  #toggle(citation) {
    const { noted = [] } = this.turn;
    const name = passageKey(citation);
    const left = noted.filter((one) => one !== name);
    if (left.length === noted.length) return app.chat.note(this.turn, [...noted, name]);
    return app.chat.note(this.turn, left.length ? left : undefined);
  }

  // Say that none of them answers it, and see more of them, or where else to look; or take that back.
  async #refuse() {
    const { turn } = this;
    if (isRefused(turn) && isExhausted(turn)) return app.chat.note(turn);
    if (!isRefused(turn)) await app.chat.note(turn, []);
    if (!isExhausted(turn)) await app.chat.lookFurther(turn, false);
  }

  // Show what its reader says of each.
  tell() {
    const { turn, top, feed } = this;
    /** @param {Citation} citation */
    const isMarked = (citation) => turn.noted?.includes(passageKey(citation)) ?? false;
    for (const { citation, element, button } of this.cards) {
      element.classList.toggle("answers", isMarked(citation));
      button.textContent = say(isMarked(citation) ? "passages.undo" : "passages.answers");
    }
    if (this.none) this.none.textContent = say(isRefused(turn) && isExhausted(turn) ? "passages.none_noted" : "passages.none");
    const focus = document.activeElement;
    const has = Boolean(turn.noted?.length);
    if (has !== this.isFolded) {
      this.isFolded = has;
      this.element.open = this.isOpen && !has;
      if (this.none) this.heading.textContent = has ? say("answer.others") : this.title;
    }
    if (!this.cards.some(({ citation, element }) => isMarked(citation) !== (element.parentElement === top))) return;
    for (const { citation, element } of this.cards) (isMarked(citation) ? top : feed).append(element);
    if (feed.contains(focus)) this.element.open = true; // what is folded cannot have the focus
    if (focus instanceof HTMLElement) focus.focus({ preventScroll: true });
  }
}
