// What this browser keeps: choices, drafts, and what did not reach the server yet.

/** @param {() => globalThis.Storage} area */
const keeper = (area) => ({
  /** @param {string} name */
  get(name) {
    try {
      return area().getItem(name);
    } catch {
      return null; // a browser that keeps nothing
    }
  },
  // Gives whether there was room for it.
  /** @param {string} name @param {string} value */
  set(name, value) {
    try {
      area().setItem(name, value);
      return true;
    } catch {
      return false;
    }
  },
  /** @param {string} name */
  remove(name) {
    try {
      area().removeItem(name);
    } catch {
      // It was never kept.
    }
  },
  /** @param {string} beginning */
  names(beginning) {
    try {
      return Object.keys(area()).filter((name) => name.startsWith(beginning));
    } catch {
      return [];
    }
  },
});

export const storage = keeper(() => localStorage);
// What is kept for as long as the tab is open; without room for it, until the page is loaded again.
export const tab = keeper(() => sessionStorage);

// What is kept as JSON; null where it is none of this page's.
/** @param {string} name @returns {unknown} */
export function read(name) {
  try {
    return JSON.parse(storage.get(name) ?? "null");
  } catch {
    return null;
  }
}
