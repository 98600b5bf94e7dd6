// The address of the page: which notebook is open, which conversation is shown. Going back goes to the
// one before, and on a narrow page closes what lies over it.

/** @typedef {{ notebook: string | null, conversation: string | null, turn: string | null }} Place */

const PLACE = /^#(?:notebook\/([0-9a-f]{16}))?(?:\/?conversation\/([A-Za-z0-9-]{8,40})(?:\/([A-Za-z0-9-]{8,40}))?)?$/;

// What stands in the address; null where it is none of these.
/** @param {string} hash @returns {Place | null} */
export function placeIn(hash) {
  const [found, notebook, conversation, turn] = PLACE.exec(hash) ?? [];
  return found || !hash ? { notebook: notebook ?? null, conversation: conversation ?? null, turn: turn ?? null } : null;
}

// The address of a place on this page.
/** @param {Partial<Place>} place */
export function addressOf({ notebook, conversation, turn }) {
  const parts = [notebook && `notebook/${notebook}`, conversation && `conversation/${conversation}`, turn];
  const hash = parts.filter(Boolean).join("/");
  return `${location.pathname}${location.search}${hash && `#${hash}`}`;
}

/** @type {Promise<void>} */
let closed = Promise.resolve(); // what lay over the page, and its entry in the history

// Show in the address what is shown; `again`: it is the same that was shown, or none that one would
// go back to.
/** @param {Partial<Place>} place @param {boolean} again */
export async function tell(place, again) {
  const address = addressOf(place);
  await closed;
  if (address === `${location.pathname}${location.search}${location.hash}`) return;
  if (again) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

// Let going back close this dialog where it lies over a narrow page.
/** @param {HTMLDialogElement} dialog @param {() => boolean} narrow */
export function closeByBack(dialog, narrow) {
  const over = () => {
    /** @type {unknown} */
    const state = history.state;
    return state instanceof Object && "over" in state && state.over === dialog.id;
  };
  new MutationObserver(() => {
    if (dialog.open && narrow() && !over()) history.pushState({ over: dialog.id }, "");
    if (dialog.open || !over()) return;
    closed = new Promise((done) => addEventListener("popstate", () => done(), { once: true }));
    history.back();
  }).observe(dialog, { attributeFilter: ["open"] });
  addEventListener("popstate", () => {
    if (dialog.open && !over()) dialog.close();
  });
}
