// What this tab has changed, told to the other tabs of the same person in this browser.

/** @import { News } from "../../types.js" */

/** @type {BroadcastChannel | undefined} */
let channel;

// `hear` is told what another tab has changed.
/** @param {string} prefix whose tabs they are @param {(news: News) => void} hear */
export function join(prefix, hear) {
  channel = new BroadcastChannel(prefix);
  channel.addEventListener("message", (/** @type {MessageEvent<News>} */ { data }) => hear(data));
}

/** @param {News} news */
export const tellTabs = (news) => channel?.postMessage(news);
