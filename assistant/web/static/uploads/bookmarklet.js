// A bookmark that hands a page of the browser to this one, which asks before it adds anything. It is
// handed behind the `#` of the address: that is sent to no server, and no other page can read it.

import { $, h, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { say } from "../shared/i18n.js";
import { wantedAddress, wantedFile } from "./inputs.js";
/** @import { Handed, Wanted } from "../../types.js" */

const MARK = "#add=";
const MAX_ADDRESS = 1_000_000; // characters that all browsers take
const MAX_NAME = 60; // characters of a title that are the name of a file
const MAX_PREVIEW = 300; // characters of the text that are shown
const CLICK_DELAY = 800; // milliseconds in which a click that was meant for another page may still come

// Runs on that other page: whatever that is, all that it tells is text.
/** @param {string} here @param {string} mark @param {number} maximum */
function carry(here, mark, maximum) {
  const selected = String(getSelection() ?? "").trim();
  const articles = document.querySelectorAll("article");
  const only = articles.length === 1 ? articles[0] : document.body;
  /** @type {HTMLElement | null} */
  const main = document.querySelector("main, [role=main]");
  const all = (main ?? /** @type {HTMLElement} */ (only)).innerText;
  /** @param {string} text */
  const addressed = (text) => `${here}${mark}${encodeURIComponent(JSON.stringify({ address: location.href, title: document.title, text, selected: selected !== "" }))}`;
  const whole = addressed(selected || all);
  open(whole.length > maximum ? addressed("") : whole, "_blank", "noreferrer");
}

// To drag among the bookmarks.
export function bookmarklet() {
  const here = `${location.origin}${location.pathname}`;
  const script = `(${carry.toString()})(${[here, MARK, MAX_ADDRESS].map((value) => JSON.stringify(value)).join()})`;
  const href = `javascript:${encodeURIComponent(script)}`; // the browser runs it on other pages alone
  return h("a", { href, class: "way", onclick: (/** @type {Event} */ event) => { event.preventDefault(); toast(say("browser.drag")); } }, say("browser.bookmark"));
}

// What was handed over in the address, which no longer holds it then.
/** @returns {Handed | null} */
export function takeHanded() {
  const { hash } = location;
  if (!hash.startsWith(MARK)) return null;
  history.replaceState(history.state, "", `${location.pathname}${location.search}`);
  try {
    /** @type {unknown} */
    const told = JSON.parse(decodeURIComponent(hash.slice(MARK.length)));
    if (!(told instanceof Object)) return null;
    const { address, title, text, selected } = /** @type {Record<string, unknown>} */ (told);
    const at = plain(address);
    return { address: isOfWeb(at) ? at : "", title: plain(title).slice(0, MAX_PREVIEW), text: typeof text === "string" ? text.trim() : "", selected: selected === true };
  } catch {
    return null; // somebody has made it up
  }
}

/** @param {unknown} told */
const plain = (told) => (typeof told === "string" ? told.replace(/[\p{C}\p{Z}]+/gu, " ").trim() : "");

/** @param {string} address */
const isOfWeb = (address) => URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);

// Ask whether to add it.
/** @param {Handed} handed */
export function offer(handed) {
  const { uploads, fetches } = app.library;
  const { address, text, selected } = handed;
  const dialog = $("handed");
  const title = handed.title || address || say("ways.text.name");
  const count = text.split(/\s+/u).filter(Boolean).length;
  const file = `${title.replace(/[\\/:*?"<>|]/g, " ").trim().slice(0, MAX_NAME).trim() || say("ways.text.name")}.txt`;
  /** @param {string} label @param {() => Wanted} wanted */
  const choice = (label, wanted) => h("button", { type: "button", class: "wide", disabled: true, onclick: () => { dialog.close(); uploads.add([wanted()]); } }, label);
  const choices = [
    ...(count ? [choice(say("handed.add"), () => wantedFile(new File([text], file), "", { title, address }))] : []),
    ...(address && fetches ? [choice(say("handed.fetch"), () => wantedAddress(address))] : []),
  ];
  $("handed-what").replaceChildren(
    h("p", { dir: "auto" }, h("b", {}, title)),
    address && h("p", { class: "fine", dir: "ltr" }, address),
    count ? h("p", { class: "fine" }, say(selected ? "handed.selected" : "handed.words", { count })) : "",
    count ? h("blockquote", { dir: "auto" }, text.length > MAX_PREVIEW ? `${text.slice(0, MAX_PREVIEW)} …` : text) : "",
    choices.length ? "" : h("p", { class: "wrong" }, say("handed.nothing")),
  );
  $("handed-choices").replaceChildren(...choices, h("button", { type: "button", class: "wide", autofocus: true, onclick: () => dialog.close() }, say("handed.no")));
  dialog.showModal();
  // Nothing is added by the second half of a double click that began on another page.
  setTimeout(() => { for (const one of choices) one.disabled = false; }, CLICK_DELAY);
}
