// What this browser keeps: choices, drafts, and what did not reach the server yet; and messages between
// the tabs of one person.

/** @import { News } from "../../types.js" */

// A browser may keep nothing, or have no room for more.
/** @template Value, Otherwise @param {() => Value} work @param {Otherwise} otherwise @returns {Value | Otherwise} */
function attempt(work, otherwise) {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

/** @param {() => globalThis.Storage} area */
const keeper = (area) => ({
  get: (/** @type {string} */ name) => attempt(() => area().getItem(name), null),
  // Returns whether there was room for it.
  set: (/** @type {string} */ name, /** @type {string} */ value) => attempt(() => { area().setItem(name, value); return true; }, false),
  remove: (/** @type {string} */ name) => attempt(() => area().removeItem(name), undefined),
  names: (/** @type {string} */ beginning) => attempt(() => Object.keys(area()).filter((name) => name.startsWith(beginning)), []),
});

export const storage = keeper(() => localStorage);
// What is kept for as long as the tab is open; without room for it, until the page is loaded again.
export const tab = keeper(() => sessionStorage);

const MAX_DRAFT = 200_000; // characters: to put more back would take a page seconds

// What is written and not sent yet, and is not kept for when the page is loaded again.
/** @type {Map<string, string>} */
const unkept = new Map();
addEventListener("beforeunload", (event) => unkept.size > 0 && event.preventDefault());

// What is being written under a name.
/** @param {string} name */
export const draft = (name) => unkept.get(name) ?? tab.get(name) ?? "";

/** @param {string} name @param {string} text */
export function keepDraft(name, text) {
  unkept.delete(name);
  if (text.length <= MAX_DRAFT && tab.set(name, text)) return;
  tab.remove(name);
  if (text) unkept.set(name, text);
}

// What is kept as JSON; null where it is none of this page's.
/** @param {string} name @returns {unknown} */
export const read = (name) => attempt(() => /** @type {unknown} */ (JSON.parse(storage.get(name) ?? "null")), null);

/** @type {BroadcastChannel | undefined} */
let channel;

// Call `hear` with what another tab has changed.
/** @param {string} prefix whose tabs they are @param {(news: News) => void} hear */
export function join(prefix, hear) {
  channel = new BroadcastChannel(prefix);
  channel.addEventListener("message", (/** @type {MessageEvent<News>} */ { data }) => hear(data));
}

/** @param {News} news */
export const tellTabs = (news) => channel?.postMessage(news);
