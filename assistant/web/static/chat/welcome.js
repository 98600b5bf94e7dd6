// The first minute: adding documents, and questions to begin with about those that are asked.

import { $, Latest, h } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { starters } from "../shared/api.js";
import { say } from "../shared/i18n.js";
import { languageName } from "../documents/metadata.js";
import { offered } from "./answer.js";
/** @import { Guide, Key, Listed } from "../../types.js" */

// What a document is, by the end of its file's name.
/** @type {Record<string, Key>} */
const KINDS = { pdf: "kind.pdf", docx: "kind.word", pptx: "kind.slides", xlsx: "kind.sheet", xls: "kind.sheet", csv: "kind.sheet", html: "kind.web", htm: "kind.web", epub: "kind.book", md: "kind.markdown", txt: "kind.text", eml: "kind.mail", msg: "kind.mail", png: "kind.picture", jpg: "kind.picture", jpeg: "kind.picture", tif: "kind.picture", tiff: "kind.picture" };

export class Welcome {
  suggesting = new Latest();
  /** @type {string | null} */
  asked = null; // what the questions that are shown are about

  constructor() {
    const { library } = app;
    $("begin").append(library.ways("first-files"));
    $("begin-others").addEventListener("click", () => library.open());
    if (library.pictures !== "missing") $("begin-kinds").append(` ${say("welcome.pictures")}`);
    $("begin-kept").textContent = say(library.isOwn ? "welcome.own" : "welcome.stays");
  }

  draw() {
    const { library: { documents, uploads }, notebooks } = app;
    const isFirst = !notebooks.current && documents.every(({ sample }) => sample);
    const sample = isFirst && documents.find((one) => one.sample);
    $("welcome").classList.toggle("first", isFirst);
    $("begin").hidden = !notebooks.mayWrite;
    $("begin-others").hidden = !notebooks.current || documents.length > 0;
    $("begin-title").hidden = $("begin-kinds").hidden = $("begin-kept").hidden = !isFirst;
    $("try").hidden = !sample;
    $("try").textContent = sample ? say("welcome.try", { title: sample.title }) : "";
    const ids = app.library.asked();
    const one = documents.find(({ id }) => !isFirst && (ids.includes(app.library.newest) ? id === app.library.newest : String(ids) === id));
    // While documents are being added, each would change it again.
    const isWaiting = !isFirst && uploads.busy;
    $("guide").hidden = !one || isWaiting;
    void this.#suggest(isWaiting ? [] : ids, one);
  }

  /** @param {string[]} ids @param {Listed} [one] which is shown */
  async #suggest(ids, one) {
    const asked = [...ids, one?.id].join(" ");
    if (asked === this.asked) return;
    this.asked = asked;
    const isLast = this.suggesting.next();
    const list = $("starters");
    if (one) this.#show(one, []);
    // One can begin without, and they may be had later.
    const guide = ids.length ? await starters(ids, one?.id).catch(() => (this.asked = null)) : null;
    if (!isLast()) return; // others are asked by now
    if (one && guide) this.#show(one, guide.headings);
    list.replaceChildren(...(guide?.questions ?? []).map(offered).map((question) =>
      h("li", {}, h("button", { type: "button", dir: "auto", onclick: () => app.chat.ask(question) }, question))));
    list.setAttribute("aria-busy", "false");
    list.hidden = !guide?.questions.length;
  }

  // Show what a document is, and the way to its main parts.
  /** @param {Listed} one @param {Guide["headings"]} headings */
  #show({ id, title, name, language, pages }, headings) {
    const kind = KINDS[/[^.]*$/.exec(name.toLowerCase())?.[0] ?? ""];
    const parts = headings.map(({ title: heading, number }) => h("button", { type: "button", class: "offer", dir: "auto", onclick: () => app.reader.readFrom(id, number) }, heading));
    $("guide").replaceChildren(h("h3", { dir: "auto" }, title), h("p", {}, [kind && say(kind), languageName(language), pages && say("list.pages", { count: pages })].filter(Boolean).join(" · ")), h("div", { class: "offers" }, parts.length > 0 && h("span", {}, say("welcome.parts")), ...parts));
  }
}
