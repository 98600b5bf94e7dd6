// What the list tells of a document, and in what order.

import { day, locale, say } from "../shared/i18n.js";
/** @import { Key, Listed, Pictures } from "../../types.js" */

const languages = new Intl.DisplayNames(locale, { type: "language", fallback: "code" });
// Of bytes there is no short form that has a plural.
const sizes = ["byte", "kilobyte", "megabyte"].map((unit) => new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumSignificantDigits: 2 }));
const names = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });

/** @param {string} language its code */
export const languageName = (language) => languages.of(language) ?? language;

/** @param {number} bytes */
function size(bytes) {
  const power = Math.min(2, Math.floor(Math.log10(bytes) / 3));
  return sizes[power]?.format(bytes / 1000 ** power) ?? "";
}

// The date of a document: a whole one as the page writes its other days, a year or a month as it is.
/** @param {string} date */
function written(date) {
  const [year, month, dayOfMonth] = date.split("-").map(Number);
  return year && month && dayOfMonth ? day(new Date(year, month - 1, dayOfMonth)) : date;
}

// The line below a document's title; what is not known is left out.
/** @param {Listed} one */
export function factsOf(one) {
  return [
    one.sample && say("list.sample"),
    one.name !== one.title && !one.sample && one.name,
    one.authors.join(", "),
    one.date && written(one.date),
    one.pages ? say("list.pages", { count: one.pages }) : say("list.paragraphs", { count: one.paragraphs }),
    one.bytes && size(one.bytes),
    one.language !== "en" && say("list.language", { language: languageName(one.language) }),
    one.added && say("list.added", { day: day(new Date(one.added)) }),
  ].filter(Boolean).join(" · ");
}

// What a document is called, or how many they are.
/** @param {Listed[]} ones */
export const named = ([only, ...others]) => (only && !others.length ? only.title : say("notebooks.documents", { count: 1 + others.length }));

// That some of its pictures were not read.
/** @param {Listed} one */
export const unreadOf = ({ name, unread }) => say(/\.pdf$/i.test(name) ? "list.unread.pages" : "list.unread.pictures", { count: unread });

// What has to be done before they are, where its reader cannot have that done here.
/** @param {{ own: boolean }} one @param {Pictures} pictures @param {boolean} isShared it may have been added by somebody else */
export const howRead = ({ own }, pictures, isShared) =>
  [pictures === "missing" && say("pictures.missing"), !own && say(isShared ? "pictures.set_or_added" : "pictures.set")].filter(Boolean).join(" ");

// The orders that there are, each with the key of its name.
/** @type {Record<string, { key: Key, order: (a: Listed, b: Listed) => number }>} */
export const ORDERS = {
  name: { key: "list.order.name", order: (a, b) => names.compare(a.title, b.title) },
  added: { key: "list.order.added", order: (a, b) => b.added.localeCompare(a.added) },
  size: { key: "list.order.size", order: (a, b) => b.bytes - a.bytes || b.paragraphs - a.paragraphs },
  pages: { key: "list.order.pages", order: (a, b) => b.pages - a.pages },
};

// The documents in an order, grouped by folder; first those in none.
/** @param {Listed[]} documents @param {string} by one of ORDERS */
export function ordered(documents, by) {
  const order = (ORDERS[by] ?? ORDERS.name)?.order;
  return documents.toSorted((a, b) => names.compare(a.folder, b.folder) || order?.(a, b) || names.compare(a.title, b.title));
}

/** @param {string} text */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase(locale);

// Whether all words of what is looked for stand in what a document is called by.
/** @param {Listed} one @param {string} text */
export function isFound(one, text) {
  const called = plain([one.title, one.name, one.folder, ...one.authors].join(" "));
  return plain(text).split(/\s+/u).every((word) => called.includes(word));
}
