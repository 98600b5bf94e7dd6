// The page's texts in the reader's language. Each language is a file in words/, with sentences by key; text
// never becomes markup.

import { storage } from "./storage.js";
/** @import { Child, Key, Problem, Words } from "../../types.js" */

// The languages that there are.
export const LANGUAGES = ["en", "de"];
export const CHOICE = "footnote/language"; // where this browser keeps what was chosen

const ATTRIBUTES = ["aria-label", "placeholder", "title"];

// Our language for one that is asked for, whatever its country; empty if there is none.
/** @param {string} asked */
const ours = (asked) => LANGUAGES.filter((one) => one === asked || one === asked.split("-")[0]);

// What was chosen here, or else what the browser asks for.
export const language = [storage.get(CHOICE) ?? "", ...navigator.languages].flatMap(ours)[0] ?? "en";
// The same with its country, for dates and numbers.
export const locale = navigator.languages.find((asked) => ours(asked).includes(language)) ?? language;

const plurals = new Intl.PluralRules(locale);
/** @param {Intl.DateTimeFormatOptions} options @returns {(when: number | Date) => string} */
const dated = (options) => (when) => new Date(when).toLocaleString(locale, options);

// The day of a moment, which is in milliseconds since 1970; the same with its time; and parts of them.
export const day = dated({ dateStyle: "medium" });
export const moment = dated({ dateStyle: "medium", timeStyle: "short" });
export const time = dated({ timeStyle: "short" });
export const dayOfYear = dated({ day: "numeric", month: "short" });
export const month = dated({ month: "long", year: "numeric" });

/** @param {number} value @param {number} [digits] behind the point */
export const number = (value, digits) => value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** @type {Words} */
let words;

// Load the texts and put them on the page, before anything else is said.
export async function speak() {
  const answer = await fetch(new URL(`../words/${language}.json`, import.meta.url));
  /** @type {unknown} */
  const told = await answer.json();
  words = /** @type {Words} */ (told);
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-say]")) {
    element.textContent = say(keyAt(element, "data-say"));
  }
  for (const name of ATTRIBUTES) {
    for (const element of document.querySelectorAll(`[data-say-${name}]`)) {
      element.setAttribute(name, say(keyAt(element, `data-say-${name}`)));
    }
  }
}

/** @param {Element} element @param {string} name */
const keyAt = (element, name) => /** @type {Key} */ (element.getAttribute(name));

// The words of a key, with values in its {places}. `count` is written as people write numbers, and
// chooses the form that goes with it; every other value is put in as it is.
/** @param {Key} key @param {Record<string, string | number>} values */
export const say = (key, values = {}) => pieces(key, values).join("");

// Why something was not done: what the page says of that kind of error; or what the server does, where
// the page says nothing of it or would need a value that is not there.
/** @param {Problem} problem */
export function sentenceOf({ detail, code, values = {} }) {
  const key = /** @type {Key} */ (`error.${code}`);
  const said = Object.hasOwn(words, key) ? say(key, values) : "";
  return said && !/\{\w+\}/.test(said) ? said : detail;
}

// The same with elements in some of the places.
/** @template {Child | Child[]} Value @param {Key} key @param {Record<string, Value | number>} values @returns {(string | Value)[]} */
export function pieces(key, values) {
  const { count } = values;
  const found = words[key];
  const form = typeof found === "string" ? found : (found[plurals.select(Number(count))] ?? found.other);
  return form.split(/\{(\w+)\}/).map((piece, at) => {
    if (at % 2 === 0) return piece;
    const value = values[piece];
    if (typeof value === "number") return piece === "count" ? number(value) : String(value);
    return value === undefined ? `{${piece}}` : value;
  });
}
