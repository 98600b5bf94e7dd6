// Goes to a place: a notebook, a conversation of it, a question in that. What is asked for last counts,
// and nothing changes before all of it is there.

import { targetOf } from "../asking/exporting.js";
import { fresh } from "../conversations/store.js";
import { helpIn } from "../help/help.js";
import { tell } from "../shared/address.js";
import { Latest, toast } from "../shared/dom.js";
import { parts } from "../shared/parts.js";
import { open_, session, tried } from "../shared/server.js";
import { say } from "../shared/words.js";
/** @import { Place } from "../shared/address.js" */
/** @import { Conversation } from "../../types.js" */

export class Navigation {
  wanted = new Latest();
  began = false; // something is shown

  // Go there; gives whether that was done. Without a conversation it is the one that was shown last in
  // that notebook, and with null a new one. `again`: there is no place that one would go back to.
  /** @param {Partial<Place>} place @param {boolean} again */
  async goTo({ notebook = open_.notebook, conversation: id, turn }, again = false) {
    const isLast = this.wanted.next();
    const isOther = notebook !== open_.notebook;
    const wanted = id === undefined ? parts.store.last(notebook) : id;
    const { conversation } = parts.talk;
    const isThere = this.began && !isOther && (wanted ? wanted === conversation.id : !conversation.turns.length);
    const [began, found] = await Promise.all([
      isOther ? tried(session(notebook)) : null,
      isThere || !wanted ? null : tried(parts.store.load(wanted, notebook)),
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
    if (began) {
      open_.notebook = notebook;
      parts.notebooks.draw();
      if (notebook && !parts.notebooks.current) void parts.notebooks.refresh(); // shared just now
      parts.library.enter(began.documents);
      parts.kept.all = []; // until it is known what is kept here
      void parts.kept.refresh();
    }
    if (!isThere) this.show(found ?? fresh(), again);
    const asked = turn && parts.talk.conversation.turns.find((one) => one.id === turn);
    if (asked) parts.talk.goTo(asked);
    return true;
  }

  // Show a conversation of the notebook that is open.
  /** @param {Conversation} conversation @param {boolean} again */
  show(conversation, again = false) {
    this.wanted.next();
    this.began = true;
    parts.talk.show(conversation);
    this.#tell(again);
  }

  /** @param {boolean} again */
  #tell(again) {
    if (again && (targetOf(location.hash) || helpIn(location.hash))) return; // the address of a citation, or of the help, stays
    const { id, turns } = parts.talk.conversation;
    void tell({ notebook: open_.notebook, conversation: turns.length ? id : null }, again);
  }
}
