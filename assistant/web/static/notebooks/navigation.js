// Goes to a place: a notebook, a conversation of it, a question in that. What is asked for last counts,
// and nothing changes before all of it is there.

import { targetOf } from "../asking/citing.js";
import { fresh } from "../conversations/store.js";
import { helpIn } from "../help/help.js";
import { tell } from "../shared/address.js";
import { Latest, toast } from "../shared/dom.js";
import { open_, session, tried } from "../shared/server.js";
import { say } from "../shared/words.js";
/** @import { Talk } from "../asking/talk.js" */
/** @import { Store } from "../conversations/store.js" */
/** @import { Library } from "../documents/library.js" */
/** @import { Kept } from "../notes/kept.js" */
/** @import { Place } from "../shared/address.js" */
/** @import { Notebooks } from "./notebooks.js" */
/** @import { Conversation } from "../../types.js" */

export class Navigation {
  wanted = new Latest();
  began = false; // something is shown

  /** @param {Store} store @param {Talk} talk @param {Library} library @param {Notebooks} notebooks @param {Kept} kept */
  constructor(store, talk, library, notebooks, kept) {
    this.store = store;
    this.talk = talk;
    this.library = library;
    this.notebooks = notebooks;
    this.kept = kept;
  }

  // Go there; gives whether that was done. Without a conversation it is the one that was shown last in
  // that notebook, and with null a new one. `again`: there is no place that one would go back to.
  /** @param {Partial<Place>} place @param {boolean} again */
  async goTo({ notebook = open_.notebook, conversation: id, turn }, again = false) {
    const isLast = this.wanted.next();
    const isOther = notebook !== open_.notebook;
    const wanted = id === undefined ? this.store.last(notebook) : id;
    const { conversation } = this.talk;
    const isThere = this.began && !isOther && (wanted ? wanted === conversation.id : !conversation.turns.length);
    const [began, found] = await Promise.all([
      isOther ? tried(session(notebook)) : null,
      isThere || !wanted ? null : tried(this.store.load(wanted, notebook)),
    ]);
    if (!isLast()) return false;
    if (began === undefined || found === undefined) {
      this.#tell(true); // one stays where one is
      return false;
    }
    if (id && !found && !isThere) {
      toast(say("conversation.gone"));
      if (this.began && !began) {
        this.#tell(true);
        return false;
      }
    }
    if (began) this.#enter(notebook, began.documents);
    if (!isThere) this.show(found ?? fresh(), again);
    const asked = turn && this.talk.conversation.turns.find((one) => one.id === turn);
    if (asked) this.talk.goTo(asked);
    return true;
  }

  // Show a conversation of the notebook that is open.
  /** @param {Conversation} conversation @param {boolean} again */
  show(conversation, again = false) {
    this.wanted.next();
    this.began = true;
    this.talk.show(conversation);
    this.#tell(again);
  }

  /** @param {string | null} notebook @param {import("../../types.js").Listed[]} documents */
  #enter(notebook, documents) {
    open_.notebook = notebook;
    this.notebooks.draw();
    if (notebook && !this.notebooks.current) void this.notebooks.refresh(); // shared just now
    this.library.enter(documents);
    this.kept.all = []; // until it is known what is kept here
    void this.kept.refresh();
  }

  /** @param {boolean} again */
  #tell(again) {
    if (again && (targetOf(location.hash) || helpIn(location.hash))) return; // the address of a citation, or of the help, stays
    const { id, turns } = this.talk.conversation;
    void tell({ notebook: open_.notebook, conversation: turns.length ? id : null }, again);
  }
}
