// Goes to a place: a notebook, a conversation of it, a question in that. What is asked for last counts,
// and nothing changes before all of it is there.

import { targetOf } from "../chat/export.js";
import { fresh } from "../conversations/store.js";
import { tell } from "../shared/address.js";
import { Latest, toast } from "../shared/dom.js";
import { app } from "../shared/app.js";
import { active, session, orToast } from "../shared/api.js";
import { say } from "../shared/i18n.js";
/** @import { Place } from "../shared/address.js" */
/** @import { Conversation } from "../../types.js" */

export class Navigation {
  wanted = new Latest();
  began = false; // something is shown

  // Go there; gives whether that was done. Without a conversation it is the one that was shown last in
  // that notebook, and with null a new one. `again`: there is no place that one would go back to.
  /** @param {Partial<Place>} place @param {boolean} again */
  async goTo({ notebook = active.notebook, conversation: id, turn }, again = false) {
    const isLast = this.wanted.next();
    const isOther = notebook !== active.notebook;
    const wanted = id === undefined ? app.store.last(notebook) : id;
    const { conversation } = app.chat;
    const isThere = this.began && !isOther && (wanted ? wanted === conversation.id : !conversation.turns.length);
    const [began, found] = await Promise.all([
      isOther ? orToast(session(notebook)) : null,
      isThere || !wanted ? null : orToast(app.store.load(wanted, notebook)),
    ]);
    if (!isLast()) return false;
    const isFailed = began === undefined || found === undefined;
    const isGone = !isFailed && id && !found && !isThere;
    if (isGone) toast(say("conversation.gone"));
    if (isFailed || (isGone && this.began && !began)) {
      this.#tell(true); // one stays where one is
      return false;
    }
    if (began) {
      active.notebook = notebook;
      app.notebooks.draw();
      if (notebook && !app.notebooks.current) void app.notebooks.refresh(); // shared just now
      app.library.enter(began.documents);
      app.noteStore.all = []; // until it is known what is kept here
      void app.noteStore.refresh();
    }
    if (!isThere) this.show(found ?? fresh(), again);
    const asked = turn && app.chat.conversation.turns.find((one) => one.id === turn);
    if (asked) app.chat.goTo(asked);
    return true;
  }

  // Show a conversation of the notebook that is open.
  /** @param {Conversation} conversation @param {boolean} again */
  show(conversation, again = false) {
    this.wanted.next();
    this.began = true;
    app.chat.show(conversation);
    this.#tell(again);
  }

  /** @param {boolean} again */
  #tell(again) {
    if (again && targetOf(location.hash)) return; // the address of a citation stays
    const { id, turns } = app.chat.conversation;
    void tell({ notebook: active.notebook, conversation: turns.length ? id : null }, again);
  }
}
