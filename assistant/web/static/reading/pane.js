// How the document is shown: how much of the page it has, and how large it is. The browser keeps that,
// and theme.js has it before anything is painted.

import { $, actOnKey } from "../shared/dom.js";
import { storage } from "../shared/storage.js";
import { say } from "../shared/i18n.js";
/** @import { Reader } from "./reader.js" */

const DEFAULT_SHARE = 45; // percent of the width
const WIDE_SHARE = 65;
const [MIN_SHARE, MAX_SHARE] = [25, 75];
const STEP = 3;
/** @type {Record<"zoom" | "size", number[]>} */
const STEPS = {
  zoom: [0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3], // of pages, to the width that there is
  size: [0.8, 0.9, 1, 1.15, 1.3, 1.5, 1.75, 2], // of text
};

/** @param {string} name */
const keptAs = (name) => `footnote/reader-${name}`;

// Where the document lies over the conversation: on a narrow page.
export const isSheet = () => matchMedia("(max-width: 60rem)").matches;

// Open a dialog beside the conversation, or over it on a narrow page.
/** @param {HTMLDialogElement} dialog */
export function openBeside(dialog) {
  if (dialog.open && dialog.matches(":modal") === isSheet()) return;
  dialog.close();
  if (isSheet()) dialog.showModal();
  else dialog.open = true;
}

export class Pane {
  root = document.documentElement;
  #kept = (/** @type {string} */ name, /** @type {number} */ usual) => Number(storage.get(keptAs(name))) || usual;
  share = this.#kept("share", DEFAULT_SHARE);
  divider = $("divider");

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
    /** @param {number} share */
    const widen = (share) => () => this.#widen(share);
    this.divider.addEventListener("keydown", (event) => actOnKey(event, {
      ArrowLeft: widen(this.share + STEP), ArrowRight: widen(this.share - STEP), Home: widen(MIN_SHARE), End: widen(MAX_SHARE),
    }));
    this.divider.addEventListener("pointerdown", ({ pointerId }) => this.divider.setPointerCapture(pointerId));
    this.divider.addEventListener("pointermove", (event) => this.divider.hasPointerCapture(event.pointerId) && this.#dragged(event));
    $("reader-wide").addEventListener("click", () => this.#widen(this.share < WIDE_SHARE ? WIDE_SHARE : DEFAULT_SHARE));
    $("close-reader").addEventListener("click", () => isSheet() || $("open-reader").focus());
    $("larger").addEventListener("click", () => this.#scale(1));
    $("smaller").addEventListener("click", () => this.#scale(-1));
    $("fit").addEventListener("click", () => this.#scale(0));
    this.#tell();
  }

  /** @param {string} name @param {number} value */
  #keep(name, value) {
    storage.set(keptAs(name), String(value));
    this.root.style.setProperty(`--reader-${name}`, String(value));
  }

  // --- how wide -------------------------------------------------------------------------------

  /** @param {number} share */
  #widen(share) {
    this.share = Math.round(Math.max(MIN_SHARE, Math.min(MAX_SHARE, share)));
    this.reader.scrolling.keeping(() => this.#keep("share", this.share));
    this.#tell();
  }

  #tell() {
    const { divider, share } = this;
    divider.ariaValueMin = String(MIN_SHARE);
    divider.ariaValueMax = String(MAX_SHARE);
    divider.ariaValueNow = String(share);
    $("reader-wide").ariaPressed = String(share >= WIDE_SHARE);
  }

  /** @param {PointerEvent} event */
  #dragged({ clientX }) {
    const { right, width } = $("panes").getBoundingClientRect();
    this.#widen((100 * (right - clientX)) / width);
  }

  // --- how large ------------------------------------------------------------------------------

  /** @returns {"zoom" | "size"} */
  #name = () => (this.reader.isPrinted() ? "zoom" : "size");

  // Tell how large the pages are, or the text, whichever is shown.
  measure() {
    const name = this.#name();
    const [now, steps] = [this.#kept(name, 1), STEPS[name]];
    $("fit").textContent = new Intl.NumberFormat(this.root.lang, { style: "percent" }).format(now);
    $("fit").title = say(name === "zoom" ? "reader.fit" : "reader.size");
    $("fit").hidden = false;
    $("smaller").disabled = now <= (steps[0] ?? 1);
    $("larger").disabled = now >= (steps.at(-1) ?? 1);
  }

  /** @param {1 | 0 | -1} by 0: as it is at first */
  #scale(by) {
    const name = this.#name();
    const [now, steps] = [this.#kept(name, 1), STEPS[name]];
    const next = by > 0 ? steps.find((step) => step > now) : by < 0 ? steps.findLast((step) => step < now) : 1;
    this.reader.scrolling.keeping(() => this.#keep(name, next ?? now));
    this.measure();
  }
}
