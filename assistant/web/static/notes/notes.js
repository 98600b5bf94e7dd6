// The panel of what is kept: each with its quotes as they stand now, and its reader's note.

import { exportMenu } from "../chat/export.js";
import { passageKey } from "../chat/passages.js";
import { $, action, arrange, flagged, h, oneLine, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { day, say } from "../shared/i18n.js";
import { noting } from "./store.js";
/** @import { Citation, Key, Noted, PlaceNow, Turn } from "../../types.js" */

const SHOWN = 3; // quotes that are shown at once

/** @type {Record<PlaceNow["standing"], Key>} */
const STANDINGS = { there: "notes.there", changed: "notes.changed", gone: "notes.gone" };

// What a note quotes, as it stands now: of an answer that is passages, those that answer for its reader.
/** @param {Noted} noted */
function quotesOf({ note, now }) {
  const all = note.answer?.citations ?? (note.citation ? [note.citation] : []);
  const quotes = all.map((citation, at) => ({ citation, now: now[at] }));
  const chosen = quotes.filter(({ citation }) => note.noted?.includes(passageKey(citation)));
  return chosen.length ? chosen : quotes;
}

export class Notes {
  /** @type {Map<string, { told: string, item: HTMLElement, field: HTMLTextAreaElement }>} */
  items = new Map(); // by the note's id: drawn once, unless something else than what is noted changes

  dialog = $("notes");

  constructor() {
    $("open-notes").addEventListener("click", () => this.open());
  }

  open() {
    this.dialog.showModal();
    this.draw();
    void app.noteStore.refresh();
  }

  // Keep an answer, with what its reader notes.
  /** @param {Turn} turn @param {string | null} text null: what is noted already, or nothing @param {string} [over] what was there before */
  async keep(turn, text, over) {
    const conversation = app.chat.conversation.id;
    const { id, answer } = turn;
    if (!answer) return;
    if (text === null) await app.noteStore.refresh(); // another tab may have kept it, with a note
    if (text === null && app.noteStore.of(turn)) return;
    const created = app.noteStore.of(turn)?.created ?? Date.now();
    const said = await app.noteStore.put({ id, kind: "answer", text: text ?? "", created, conversation, turn: id, answer, noted: turn.noted }, over);
    if (said) toast(say(text === null ? "notes.kept" : said), say("notes.show"), () => this.open());
  }

  // The list, while it is seen. What is being written in it stays.
  draw() {
    if (!this.dialog.open) return;
    const { all } = app.noteStore;
    $("notes-export").replaceChildren(...(all.length ? [exportMenu("notes", say("notes.export"))] : []));
    const list = $("note-list");
    const at = [...list.children].findIndex((item) => item.contains(document.activeElement));
    const items = all.map((one) => this.#item(one));
    this.items = new Map(all.map(({ note }, number) => [note.id, /** @type {(typeof items)[0]} */ (items[number])]));
    arrange(list, items.map(({ item }) => item));
    if (at < 0 || list.contains(document.activeElement)) return;
    // What had the focus is gone: the next one has it, or else the panel.
    (items[Math.min(at, items.length - 1)]?.field ?? this.dialog.querySelector("button"))?.focus();
  }

  /** @param {Noted} noted */
  #item(noted) {
    const { note, by, mine, now } = noted;
    const told = JSON.stringify([{ ...note, text: mine ? "" : note.text }, by, mine, now]);
    const there = this.items.get(note.id);
    if (there?.told === told) {
      if (document.activeElement !== there.field) there.field.value = note.text;
      return there;
    }
    const { conversation, turn, answer, citation } = note;
    const title = answer?.question ?? (citation ? citation.document : "");
    const quotes = quotesOf(noted).map((quote) => this.#quote(quote.citation, quote.now));
    const { field, element } = noting(note.id, async (text, over) => {
      const last = app.noteStore.noted(note.id)?.note ?? note;
      const said = await app.noteStore.put({ ...last, text }, over);
      if (said) toast(say(said));
    });
    field.value = note.text;
    /** @type {HTMLElement} */
    const item = h("li", {},
      h("h3", { dir: "auto" }, title),
      h("small", {}, [by, day(note.created)].filter(Boolean).join(" · ")),
      answer?.refused && h("p", {}, say("answer.refused")),
      h("ul", { class: "quotes" }, ...quotes.slice(0, SHOWN)),
      quotes.length > SHOWN && h("details", {}, h("summary", { class: "more" }, say("notes.more", { count: quotes.length - SHOWN })), h("ul", { class: "quotes" }, ...quotes.slice(SHOWN))),
      mine ? element : h("p", { dir: "auto" }, note.text),
      h("div", { class: "acts" },
        conversation && h("button", { type: "button", class: "more", onclick: () => this.#leave(() => app.navigation.goTo({ conversation, turn: turn ?? null })) }, say("notes.conversation")),
        mine && action("trash", say("notes.remove", { title: oneLine(title) }), () => app.noteStore.remove(note.id, "notes.removed")),
      ),
    );
    return { told, item, field };
  }

  // A quote, where it stands, and what became of it.
  /** @param {Citation} citation @param {PlaceNow} [now] */
  #quote(citation, now) {
    const { standing = "gone", paragraph = null } = now ?? {};
    const isMoved = standing === "there" && (paragraph !== citation.paragraph || String(now?.heading) !== String(citation.heading));
    // Where it is now; of what is gone, where it was.
    const here = now && paragraph ? { ...citation, document: now.document, heading: now.heading, locator: now.locator, uncertain: now.uncertain, paragraph } : citation;
    const place = flagged(here);
    return h("li", {},
      h("q", { dir: "auto" }, citation.quote),
      standing === "gone" ? h("span", { dir: "auto" }, ...place) : h("button", { type: "button", class: "go", dir: "auto", onclick: () => this.#show(citation, now) }, ...place),
      h("small", { class: `standing ${standing}` }, say(isMoved ? "notes.moved" : STANDINGS[standing])),
    );
  }

  // Open a quote where it is now; if it has changed, its paragraph.
  /** @param {Citation} citation @param {PlaceNow} [now] */
  #show({ document_id: document }, now) {
    const { start = null, end = null, paragraph } = now ?? {};
    const { reader } = app;
    this.#leave(() => start === null || end === null ? reader.readFrom(document, paragraph ?? 1) : reader.follow({ document, start, end }));
  }

  /** @param {() => unknown} act */
  #leave(act) {
    this.dialog.close();
    act();
  }
}
