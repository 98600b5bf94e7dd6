// Elements from values. Text only ever becomes text: nothing here parses markup.

import { say } from "./i18n.js";
/** @import { Child, Citation, ElementById, ElementOf, Icon, Key, Properties } from "../../types.js" */

// An element with properties (`on…` listens, `dataset` and `hidden` as in the DOM, all else is an
// attribute; undefined and false leave it out) and children (nodes and strings).
/**
 * @template {string} Tag
 * @param {Tag} tag
 * @param {Properties} properties
 * @param {(Child | Child[])[]} children
 */
export function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === false || value === null) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (typeof value === "object") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return /** @type {ElementOf<Tag>} */ (node);
}

// A link out of this page: to the web, or to a note of Obsidian; nothing for any other address.
/** @param {string} address @param {Properties} properties @returns {HTMLAnchorElement | false} */
export function outward(address, properties = {}) {
  if (!/^(?:https?|obsidian):\/\//i.test(address)) return false;
  const isNote = /^obsidian:/i.test(address);
  return h("a", { href: address, rel: "noreferrer", target: isNote ? undefined : "_blank", ...properties }, say(isNote ? "list.obsidian" : "list.web"));
}

// An element of page.html, which has all that are asked for.
/** @template {string} Id @param {Id} id */
export const $ = (id) => /** @type {ElementById<Id>} */ (document.getElementById(id));

// The element around where an event happened that fits a selector, if there is one.
/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
export const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

// Do what a key stands for, and nothing else; other keys keep their meaning.
/** @param {KeyboardEvent} event @param {Record<string, () => unknown>} acts by key */
export function actOnKey(event, acts) {
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

// Have a key do something, and nothing else.
/** @param {Pick<EventTarget, "addEventListener">} target @param {string} key @param {() => unknown} act @param {(event: KeyboardEvent) => boolean} [when] */
export function onKey(target, key, act, when = () => true) {
  target.addEventListener("keydown", (event) => event instanceof KeyboardEvent && when(event) && actOnKey(event, { [key]: act }));
}

// Whether nothing else has a use of Escape where it was pressed.
/** @param {Event} event */
export const isFree = (event) => !event.defaultPrevented && !closest(event, "input, select") && !document.querySelector("dialog:modal, [popover=auto]:popover-open");

// The place in a row that an arrow key, Home or End leads to from another one.
/** @param {KeyboardEvent} event @param {number} at @param {number} first @param {number} last */
export const stepTo = ({ key }, at, first, last) => new Map([["ArrowDown", at + 1], ["ArrowUp", at - 1], ["Home", first], ["End", last]]).get(key);

// Have a name written anew in its place: `done` gets what Enter or leaving it keeps, and null after Escape.
/** @param {HTMLElement} name @param {Properties} properties of the field @param {(written: string | null) => unknown} done */
export function rename(name, properties, done) {
  const field = h("input", { dir: "auto", ...properties });
  let isOpen = true;
  /** @param {string | null} written */
  const finish = (written) => {
    if (!isOpen) return;
    isOpen = false;
    const hadFocus = document.activeElement === field;
    field.replaceWith(name);
    if (hadFocus) name.focus();
    done(written);
  };
  onKey(field, "Enter", () => finish(field.value.trim()));
  onKey(field, "Escape", () => finish(null));
  field.addEventListener("blur", () => finish(field.value.trim()));
  name.replaceWith(field);
  field.select();
}

// An icon of page.html.
/** @param {Icon} name */
export const icon = (name) => $("icons").content.querySelector(`.${name}`)?.cloneNode(true);

// A quiet button with an icon of page.html and a name; `shown` shows the name too.
/** @param {Icon} name @param {string} label @param {() => unknown} onclick @param {boolean} shown */
export function action(name, label, onclick, shown = false) {
  return h("button", { type: "button", class: "quiet", "aria-label": shown ? undefined : label, title: shown ? undefined : label, onclick },
    icon(name),
    shown && h("span", {}, label),
  );
}

// A button that opens a menu. It closes with a choice, by Escape, and when it loses the focus.
/** @param {Icon} name @param {string} label @param {HTMLElement[]} items */
export function menu(name, label, ...items) {
  /** @type {HTMLElement} */
  const list = h("div", { class: "items", popover: "auto", onclick: () => list.hidePopover() }, ...items);
  const button = h("button", { type: "button", class: "quiet", "aria-label": label, title: label }, icon(name));
  button.popoverTargetElement = list;
  const element = h("div", { class: "menu" }, button, list);
  element.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !element.contains(relatedTarget)) list.hidePopover();
  });
  return element;
}

// Of several requests only the last one counts, in whatever order the server answers.
export class Latest {
  #count = 0;

  // Begin a request; returns a function that tells whether it is still the last one.
  next() {
    const number = ++this.#count;
    return () => number === this.#count;
  }
}

export const smoothly = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

// Tell a screen reader.
/** @param {string} text */
export const announce = (text) => void ($("announcer").textContent = text);

const TOAST_TIME = 8000; // milliseconds
const ACTION_TIME = 20_000; // where something can be done about it

/** @type {number | undefined} */
let fading;

// The toast goes into the topmost modal dialog: nothing beside that can be clicked or read aloud.
export function placeToast() {
  const place = [...document.querySelectorAll("dialog:modal")].at(-1) ?? $("talk");
  if ($("toast").parentElement !== place) place.append($("toast"));
}

// Show a message for a moment, perhaps with a button, which Ctrl+Z clicks too. It stays while it has the
// pointer or the focus.
/** @param {string} text @param {string} [label] @param {() => unknown} [act] */
export function toast(text, label, act) {
  const box = $("toast");
  placeToast();
  const done = () => {
    const hadFocus = box.contains(document.activeElement);
    box.hidden = true;
    if (hadFocus) (box.closest("dialog")?.querySelector("button") ?? $("question")).focus();
  };
  const button = label && h("button", { type: "button", onclick: () => { done(); act?.(); } }, label);
  box.replaceChildren(h("span", { dir: "auto" }, text), button || "");
  box.hidden = false;
  const fade = () => {
    clearTimeout(fading);
    fading = setTimeout(() => (box.matches(":hover, :focus-within") ? fade() : done()), act ? ACTION_TIME : TOAST_TIME);
  };
  fade();
}

// Have an element hold these in this order. What stays is left where it is, with the focus that is in it.
/** @param {Element} element @param {Element[]} children */
export function arrange(element, children) {
  const staying = new Set(children);
  for (const child of [...element.children]) if (!staying.has(child)) child.remove();
  children.forEach((child, at) => element.children[at] === child || element.insertBefore(child, element.children[at] ?? null));
}

// Click the button of the toast that is shown; tells whether there is one.
export function undo() {
  const button = $("toast").hidden ? null : $("toast").querySelector("button");
  button?.click();
  return Boolean(button);
}

// What a place in a document is called, by what the index calls it. A file in a file is named before.
/** @type {Record<string, Key>} */
const PLACES = { "p.": "place.page", slide: "place.slide", row: "place.row" };

// A page or the like, as its reader calls it.
/** @param {string} locator */
export function located(locator) {
  const [, within = "", kind = "", label = ""] = /^(.*, )?(p\.|slide|row) ([^,]+)$/s.exec(locator) ?? [];
  const key = PLACES[kind];
  return key ? within + say(key, { label }) : locator;
}

// A text, with a note where it was read from a picture and is uncertain.
/** @param {string} text @param {boolean | undefined} is */
export const doubted = (text, is) => (is ? `${text} (${say("place.uncertain")})` : text);

// The same as an element.
/** @param {boolean | undefined} is */
export const doubt = (is) => is && h("span", { class: "flag" }, say("place.uncertain"));

// Where a citation stands: its headings, page or the like, and paragraph; and where that is uncertain.
/** @param {Citation} citation */
export function placeOf({ heading, locator, paragraph, uncertain }) {
  const within = locator ? [...heading, located(locator)] : heading;
  return doubted([...within, say("source.paragraph", { number: paragraph })].join(" › "), uncertain);
}

// The same with its document, which may be its first heading as well.
/** @param {Citation} citation */
export const pathOf = (citation) => [citation.document, placeOf({ ...citation, heading: citation.heading.filter((title) => title !== citation.document) })].join(" › ");

// The same with an element for the doubt.
/** @param {Citation} citation @param {(citation: Citation) => string} path @returns {Child[]} */
export const flagged = (citation, path = pathOf) => [path({ ...citation, uncertain: false }), doubt(citation.uncertain)];

// The pieces of text in an element, in their order.
/** @param {Element} element */
export function textsIn(element) {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) found.push(/** @type {Text} */ (walker.currentNode));
  return found;
}

// The part of a range that lies in a node which it touches.
/** @param {Range} range @param {Node} node */
export function clipped(range, node) {
  const part = new Range();
  part.selectNodeContents(node);
  if (node.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
  if (node.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
  return part;
}

/** @param {string} text */
export const oneLine = (text) => text.split(/\s+/u).join(" ").trim();

// The characters of a text as Python counts them.
/** @param {string} text */
export const characters = (text) => Array.from(text);
