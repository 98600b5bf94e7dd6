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
// What is kept for as long as the tab is open.
export const tab = keeper(() => sessionStorage);

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
