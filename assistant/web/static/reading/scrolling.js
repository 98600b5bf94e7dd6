// Where one is in the document that is shown, and how one comes elsewhere in it.

import { Latest } from "../shared/dom.js";
/** @import { Reader } from "./reader.js" */
/** @import { Citation, Seen } from "../../types.js" */

const LINE = 96; // pixels below the top of the view: what lies there is being read

export class Scrolling {
  going = new Latest();
  // Where one went, while it is not scrolled on from there: at the end of a document that is not at
  // the top of the view.
  /** @type {{ top: number, seen: Seen } | null} */
  went = null;

  /** @param {Reader} reader */
  constructor(reader) {
    this.reader = reader;
    this.view = reader.pages; // what scrolls
  }

  // The page and the paragraph that are being read.
  seen() {
    if (this.went && Math.abs(this.went.top - this.view.scrollTop) < 2) return this.went.seen;
    this.went = null;
    if (this.reader.isPrinted()) return this.#onPage(this.#read(this.reader.sheets.sheets)?.number ?? 1);
    const { page, number } = this.#read([...this.reader.blocks.values()])?.paragraph ?? { page: 1, number: 1 };
    return { page: page ?? 1, number };
  }

  // Which of things that stand below each other is being read.
  /** @template {{ element: HTMLElement }} Thing @param {Thing[]} things */
  #read = (things) => things[firstBelow(things, this.view.getBoundingClientRect().top + LINE)];

  // A page, and the first paragraph on it.
  /** @param {number} page */
  #onPage = (page) => ({ page, number: this.reader.document?.paragraphs.find((p) => (p.page ?? 0) >= page)?.number ?? 1 });

  // Go to a page, or to a paragraph, or to the heading above it.
  /** @param {Partial<Seen>} to @param {Element} [heading] */
  async go({ page, number }, heading) {
    const isLast = this.going.next();
    const paragraph = this.reader.document?.paragraphs[(number ?? 0) - 1];
    let target = heading ?? this.reader.blocks.get(number ?? 0)?.element;
    let down = 0; // from the top of that
    if (this.reader.isPrinted()) {
      const { sheets } = this.reader;
      const sheet = sheets.sheets[(paragraph?.page ?? page ?? 1) - 1];
      const [at] = paragraph && sheet ? await sheets.printed(sheet.number, paragraph.start, paragraph.start + 1) : [];
      if (!isLast()) return;
      target = sheet?.element;
      if (sheet && at) down = (sheet.element.clientHeight * at.top) / sheet.size.height - LINE / 2;
    }
    if (!target) return;
    const shown = target;
    const there = () => {
      shown.scrollIntoView({ block: "start", inline: "nearest", behavior: "instant" });
      this.view.scrollTop += down;
      this.#arrive(number ? { page: paragraph?.page ?? 1, number } : this.#onPage(page ?? 1));
    };
    there();
    requestAnimationFrame(there); // see bring
  }

  // Change how large something is, and have the same before one's eyes.
  /** @param {() => void} change */
  keeping(change) {
    const { top } = this.view.getBoundingClientRect();
    const { blocks, sheets } = this.reader;
    /** @type {{ element: HTMLElement }[]} */
    const things = this.reader.isPrinted() ? sheets.sheets : [...blocks.values()];
    const element = this.#read(things)?.element;
    const before = element?.getBoundingClientRect();
    change();
    if (!element || !before?.height) return;
    const after = element.getBoundingClientRect();
    const share = (top + LINE - before.top) / before.height;
    this.view.scrollTop += after.top + share * after.height - (top + LINE);
    sheets.redraw();
  }

  // Bring something into view; of a citation, where it stands is what is being read then.
  // Paragraphs out of sight have no exact height until they are near: look again once they have.
  /** @param {Element} target @param {Citation} [cited] */
  bring(target, cited) {
    const there = () => {
      target.scrollIntoView({ block: "center", behavior: "instant" });
      if (cited) this.#arrive({ page: cited.page ?? 1, number: cited.paragraph });
    };
    there();
    requestAnimationFrame(there);
  }

  /** @param {Seen} seen */
  #arrive(seen) {
    this.went = { top: this.view.scrollTop, seen };
    this.reader.outline.at(seen);
  }
}

// The first of things that stand below each other which ends below a line; it is looked for by halves.
/** @param {{ element: HTMLElement }[]} things @param {number} line */
function firstBelow(things, line) {
  let [from, to] = [0, things.length - 1];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((things[middle]?.element.getBoundingClientRect().bottom ?? 0) > line) to = middle;
    else from = middle + 1;
  }
  return from;
}
