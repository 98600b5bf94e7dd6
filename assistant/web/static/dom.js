// Elements from values. Text only ever becomes text: nothing here parses markup.

/** @import { Child, Citation, ElementById, ElementOf, Properties } from "../types.js" */

const SVG = "http://www.w3.org/2000/svg";

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

// An element of page.html, which has all that are asked for.
/** @template {string} Id @param {Id} id */
export const $ = (id) => /** @type {ElementById<Id>} */ (document.getElementById(id));

// The element around where an event happened that fits a selector, if there is one.
/** @param {Event} event @param {string} selector @returns {HTMLElement | null} */
export const around = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

const ICONS = {
  copy: "M7 7h9v9H7zM4 13V4h9",
  retry: "M15.5 10a5.5 5.5 0 1 1-1.8-4.1M16 3v3.5h-3.5",
  edit: "M4 16l.8-3.5L13 4.3l2.7 2.7-8.2 8.2z",
  up: "M6.5 9l3-6c1.3 0 2 .9 1.7 2.3L10.7 8H15c1 0 1.6.9 1.3 1.8l-1.5 5c-.2.7-.7 1.2-1.5 1.2H6.5zM6.5 9H3.5v7h3",
  down: "M13.5 11l-3 6c-1.3 0-2-.9-1.7-2.3l.5-2.7H5c-1 0-1.6-.9-1.3-1.8l1.5-5C5.4 4.5 5.9 4 6.7 4h6.8zm0 0h3V4h-3",
  export: "M10 3v9m-3.5-3.5L10 12l3.5-3.5M4 14v2.5h12V14",
  trash: "M4 6h12M8 6V4h4v2M14.5 6l-.7 10H6.2L5.5 6",
  keep: "M6 3h8v14l-4-3-4 3z",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// A quiet button with an icon and a name; `shown` shows the name too.
/** @param {keyof typeof ICONS} name @param {string} label @param {() => unknown} onclick @param {boolean} shown */
export function action(name, label, onclick, shown = false) {
  return h(
    "button",
    { type: "button", class: "quiet", "aria-label": shown ? undefined : label, title: shown ? undefined : label, onclick },
    icon(name),
    shown && h("span", {}, label),
  );
}

// What is asked for last counts, whichever the server answers first.
export class Latest {
  #begun = 0;

  // Begin something; gives what tells whether it still is the last.
  next() {
    this.#begun++;
    return this.last();
  }

  // What tells whether the last thing that was begun still is the last.
  last() {
    const own = this.#begun;
    return () => own === this.#begun;
  }
}

export const still = matchMedia("(prefers-reduced-motion: reduce)");
export const smoothly = () => (still.matches ? "auto" : "smooth");

// Tell a screen reader.
/** @param {string} text */
export function announce(text) {
  $("announcer").textContent = text;
}

/** @type {number | undefined} */
let fading;

// Tell everyone, for a moment; with something to do about it.
/** @param {string} text @param {string} [label] @param {() => void} [act] */
export function toast(text, label, act) {
  const button = label && h("button", { type: "button", onclick: () => { $("toast").hidden = true; act?.(); } }, label);
  $("toast").replaceChildren(h("span", { dir: "auto" }, text), button || "");
  $("toast").hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => ($("toast").hidden = true), 8000);
}

// Where a citation stands: its headings, page or the like, and paragraph.
/** @param {Citation} citation */
export function placeOf(citation) {
  const parts = [...citation.heading];
  if (citation.locator) parts.push(citation.locator);
  parts.push(`paragraph ${citation.paragraph}`);
  return parts.join(" › ");
}

/** @param {string} text */
export const oneLine = (text) => text.split(/\s+/u).join(" ").trim();

// As many characters as Python counts in it.
/** @param {string} text */
export const characters = (text) => Array.from(text);
