// The first minute: adding documents, and questions to begin with about those that are asked.

import { $, Latest, h } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { starters } from "../shared/api.js";
import { say } from "../shared/i18n.js";

const MAIN = "What are the main points?"; // eslint-disable-line no-restricted-syntax -- told by the server, which knows it so

export class Welcome {
  suggesting = new Latest();
  /** @type {string | null} */
  asked = null; // what the questions that are shown are about

  constructor() {
    const { library } = app;
    $("begin").append(library.ways("first-files"));
    if (library.pictures !== "missing") $("begin-kinds").append(` ${say("welcome.pictures")}`);
    $("begin-kept").textContent = say(library.isOwn ? "welcome.own" : "welcome.stays");
  }

  draw() {
    const { library: { documents }, notebooks } = app;
    const isFirst = !notebooks.current && documents.every(({ sample }) => sample);
    const sample = isFirst && documents.find((one) => one.sample);
    $("welcome").classList.toggle("first", isFirst);
    $("begin").hidden = !notebooks.mayWrite;
    $("begin-title").hidden = $("begin-kinds").hidden = $("begin-kept").hidden = !isFirst;
    $("try").hidden = !sample;
    $("try").textContent = sample ? say("welcome.try", { title: sample.title }) : "";
    void this.#suggest();
  }

  // Not while documents are being added: each would change them again.
  async #suggest() {
    const ids = app.library.asked();
    const asked = ids.join(" ");
    if (app.library.uploads.busy || asked === this.asked) return;
    this.asked = asked;
    const isLast = this.suggesting.next();
    const list = $("starters");
    // One can begin without.
    const questions = ids.length ? await starters(ids).catch(() => {
      this.asked = null; // they may be had later
      return [];
    }) : [];
    if (!isLast()) return; // others are asked by now
    list.replaceChildren(...questions.map((question) => {
      const said = question === MAIN ? say("welcome.main") : question;
      return h("li", {}, h("button", { type: "button", dir: "auto", onclick: () => app.chat.ask(said) }, said));
    }));
    list.setAttribute("aria-busy", "false");
    list.hidden = questions.length === 0;
  }
}
