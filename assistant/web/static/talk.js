// The conversation on the left: asking, and what becomes of each question.

import { $, announce, smoothly, toast } from "./dom.js";
import { copy, withFootnotes } from "./exporting.js";
import { Failure, call, vote } from "./server.js";
import { fresh, newId } from "./store.js";
import { REFUSAL, TurnView, citationsOf, sentencesOf, tooltips } from "./turn.js";

export class Talk {
  // `acts`: {documents(): ids that are asked, changed(), follow(citation, all), cite(citations),
  // leave()}.
  constructor(store, acts) {
    this.store = store;
    this.acts = acts;
    this.conversation = fresh();
    this.views = new Map();
    this.running = new Map(); // by conversation: what stops its answer
    this.about = null;
    this.editing = null;
    this.box = $("question");
    $("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.send();
      } else if (event.key === "Escape" && !$("context").hidden) this.#context(null, null);
    });
    $("stop").addEventListener("click", () => this.running.get(this.conversation.id)?.abort());
    $("context-drop").addEventListener("click", () => this.#context(null, null));
    tooltips($("turns"), (marker) => {
      const view = this.views.get(marker.closest(".turn").id);
      return citationsOf(view.turn).find((c) => c.marker === Number(marker.dataset.marker));
    });
  }

  // Show a conversation. One that is being answered goes on being answered meanwhile.
  show(conversation) {
    this.conversation = conversation;
    this.store.current = conversation.id;
    this.#context(null, null);
    this.#draw();
    this.acts.leave();
    this.acts.cite(this.#last());
    this.acts.changed();
  }

  #draw() {
    for (const view of this.views.values()) view.element.remove();
    this.views.clear();
    for (const turn of this.conversation.turns) this.#append(turn);
    $("welcome").hidden = this.conversation.turns.length > 0;
    this.#busy();
    const last = this.conversation.turns.at(-1);
    if (last) this.views.get(`turn-${last.id}`).element.scrollIntoView({ block: "start", behavior: "instant" });
  }

  #append(turn) {
    const view = new TurnView(turn, {
      follow: (of, citation) => this.#follow(of, citation),
      openAt: (source) => this.acts.follow(source, [source]),
      ask: (question) => this.ask(question),
      retry: (of) => this.#retry(of),
      edit: (of) => this.#context(null, of),
      copy: async (of) => {
        await copy(withFootnotes(of));
        toast("Copied, with its footnotes.");
      },
      vote: (of, verdict) => this.#vote(of, verdict),
    });
    this.views.set(view.element.id, view);
    $("turns").append(view.element);
    return view;
  }

  // --- asking ---------------------------------------------------------------------------------

  send() {
    const question = this.box.value.trim();
    if (!question || this.running.has(this.conversation.id)) return;
    const { about, editing } = this;
    this.#context(null, null);
    this.box.value = "";
    if (editing) {
      // What follows an edited question followed from it as it was.
      this.conversation.turns.splice(this.conversation.turns.indexOf(editing));
      this.#draw();
    }
    this.ask(question, about ?? editing?.about);
  }

  ask(question, about) {
    if (this.running.has(this.conversation.id)) return;
    const turn = { id: newId(), question, about, state: "pending" };
    const { conversation } = this;
    conversation.turns.push(turn);
    if (!conversation.named) conversation.title = conversation.turns[0].question.slice(0, 80);
    this.#answer(conversation, turn);
  }

  #retry(turn) {
    if (this.running.has(this.conversation.id)) return;
    const { id, question, about } = turn;
    for (const name of Object.keys(turn)) delete turn[name];
    Object.assign(turn, { id, question, about, state: "pending" });
    const old = this.views.get(`turn-${id}`).element;
    const mark = document.createComment("");
    old.replaceWith(mark);
    const view = this.#append(turn);
    mark.replaceWith(view.element);
    this.#answer(this.conversation, turn);
  }

  async #answer(conversation, turn) {
    const stopping = new AbortController();
    this.running.set(conversation.id, stopping);
    $("welcome").hidden = true;
    const view = this.views.get(`turn-${turn.id}`) ?? this.#append(turn);
    view.element.scrollIntoView({ block: "start", behavior: smoothly() });
    this.#saved(conversation);
    this.#busy();
    turn.documents = this.acts.documents();
    try {
      const before = conversation.turns.slice(0, conversation.turns.indexOf(turn));
      const data = [turn.question, historyOf(before, turn.about), turn.documents];
      for await (const { place, value } of call("ask", data, stopping.signal)) {
        if (place !== undefined) turn.place = place;
        if (value) this.#take(turn, value);
        if (turn.state !== "pending") this.#saved(conversation);
        this.#update(turn);
      }
      if (turn.state === "pending") turn.state = "stopped";
    } catch (error) {
      if (stopping.signal.aborted) turn.state = "stopped";
      else {
        turn.state = "failed";
        turn.failure = error instanceof Failure ? error.message : `The page made a mistake: ${error.message}`;
      }
    }
    delete turn.place;
    this.running.delete(conversation.id);
    this.#update(turn);
    this.#saved(conversation);
    if (conversation !== this.conversation) return toast(`Answered: ${turn.question}`, "Show", () => this.show(conversation));
    this.#busy();
    this.acts.cite(citationsOf(turn));
    announce(spoken(turn));
  }

  #take(turn, value) {
    const { stage, sources, sentences, citations, answer, instead, failure } = value;
    Object.assign(turn, { sources, sentences, citations, answer, instead, failure });
    if (stage === "done") {
      turn.state = answer.refused ? "refused" : "answered";
      delete turn.sentences; // they are in the answer
      delete turn.citations;
    }
    if (stage === "failed") turn.state = "failed";
  }

  // The turn may be in a conversation that is not shown at the moment.
  #update(turn) {
    this.views.get(`turn-${turn.id}`)?.update();
  }

  #saved(conversation) {
    conversation.updated = Date.now();
    this.store.save(conversation);
    this.store.current = this.conversation.id;
    this.acts.changed();
  }

  #busy() {
    const busy = this.running.has(this.conversation.id);
    const hadFocus = [$("stop"), $("send")].includes(document.activeElement);
    $("send").hidden = busy;
    $("stop").hidden = !busy;
    if (hadFocus) (busy ? $("stop") : this.box).focus();
  }

  // --- around an answer -----------------------------------------------------------------------

  // What the next question is about: a paragraph, or a question that it replaces.
  #context(about, editing) {
    if (this.editing && !editing) this.box.value = "";
    this.about = about;
    this.editing = editing;
    $("context").hidden = !about && !editing;
    if (about) $("context-text").textContent = `About paragraph ${about.number} of ${about.title}`;
    if (editing) {
      $("context-text").textContent = "Edit the question. The answers after it are replaced.";
      this.box.value = editing.question;
    }
    if (about || editing) this.box.focus();
  }

  askAbout(about) {
    this.#context(about, null);
  }

  #follow(turn, citation) {
    for (const marker of $("turns").querySelectorAll(".marker[aria-current]")) marker.removeAttribute("aria-current");
    const { element } = this.views.get(`turn-${turn.id}`);
    element.querySelector(`.marker[data-marker="${citation.marker}"]`)?.setAttribute("aria-current", "true");
    this.acts.follow(citation, citation.marker ? citationsOf(turn) : turn.answer.closest);
  }

  goTo(turn) {
    const { element } = this.views.get(`turn-${turn.id}`);
    element.scrollIntoView({ block: "start", behavior: smoothly() });
    element.focus({ preventScroll: true });
  }

  // The answers of this conversation that cite a paragraph.
  citing(documentId, number) {
    return this.conversation.turns.flatMap((turn) =>
      citationsOf(turn)
        .filter((c) => c.document_id === documentId && c.paragraph === number)
        .map((c) => ({ turn, marker: c.marker })),
    );
  }

  #last() {
    const answered = this.conversation.turns.findLast((turn) => turn.state === "answered");
    return answered ? citationsOf(answered) : [];
  }

  async #vote(turn, verdict) {
    const before = this.conversation.turns.slice(0, this.conversation.turns.indexOf(turn));
    try {
      const { refused, confidence, sentences, citations } = turn.answer;
      await vote({
        verdict,
        question: turn.question,
        history: historyOf(before, turn.about),
        refused,
        confidence,
        sentences,
        citations: citations.map((c) => ({ marker: c.marker, document: c.document_id, paragraph: c.paragraph, start: c.start, end: c.end })),
      });
      turn.vote = verdict;
      this.store.save(this.conversation);
      toast("Thank you. It is among the drafts of this machine's evaluation questions.");
    } catch (error) {
      toast(error.message);
    }
  }
}

// The conversation before a question, as the server takes it. A question about a paragraph is
// understood as if that had just been talked about.
function historyOf(turns, about) {
  const said = turns
    .filter((turn) => turn.state === "answered")
    .flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: sentencesOf(turn).map((s) => s.text).join(" ") },
    ]);
  if (about) said.push({ role: "user", content: about.text });
  return said.slice(-24);
}

function spoken(turn) {
  if (turn.state === "answered") return sentencesOf(turn).map((s) => s.text).join(" ");
  if (turn.state === "refused") return `${REFUSAL} The closest paragraphs are listed.`;
  return turn.state === "failed" ? `Failed: ${turn.failure}` : "Stopped.";
}
