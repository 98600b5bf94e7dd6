// The page's address: which notebook is open and which conversation is shown. Back returns to the one
// before; on a narrow page it closes the dialog that covers it.

/** @typedef {{ notebook: string | null, conversation: string | null, turn: string | null }} Place */

const PLACE = /^#(?:notebook\/([0-9a-f]{16}))?(?:\/?conversation\/([A-Za-z0-9-]{8,40})(?:\/([A-Za-z0-9-]{8,40}))?)?$/;

// The place that an address names; null for any other address.
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
/** @type {(() => void) | null} */
let closing = null; // hears that this is done

// Waits until a dialog that was just closed is gone from the history.
async function leaves() {
  await Promise.resolve(); // that it is closed is heard by then
  await closed;
}

// Put the place that is shown into the address; `again`: in place of the current entry of the history.
/** @param {Partial<Place>} place @param {boolean} again */
export async function tell(place, again) {
  const address = addressOf(place);
  await leaves();
  if (address === `${location.pathname}${location.search}${location.hash}`) return;
  if (again) history.replaceState(history.state, "", address);
  else history.pushState(null, "", address);
}

// Let Back close dialogs: on a narrow page each has its own entry in the history. `hear` is called for
// every other change of place.
/** @param {HTMLDialogElement[]} dialogs @param {() => boolean} narrow @param {() => void} hear */
export function closeOnBack(dialogs, narrow, hear) {
  /** @param {HTMLDialogElement} dialog */
  const over = ({ id }) => JSON.stringify(history.state) === JSON.stringify({ over: id });
  /** @param {HTMLDialogElement} dialog */
  const opened = async (dialog) => {
    await leaves();
    if (dialog.open && narrow() && !over(dialog)) history.pushState({ over: dialog.id }, "");
  };
  for (const dialog of dialogs) {
    new MutationObserver(() => {
      if (dialog.open) void opened(dialog);
      else if (over(dialog)) {
        closed = new Promise((done) => (closing = done));
        history.back();
      }
    }).observe(dialog, { attributeFilter: ["open"] });
  }
  addEventListener("popstate", () => {
    const done = closing;
    closing = null;
    if (done) return done();
    for (const dialog of dialogs) if (dialog.open && !over(dialog)) dialog.close();
    hear();
  });
}
