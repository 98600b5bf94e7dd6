"""What a service has to keep for several people, as plain dictionaries: what `test_kept_properties`
holds the real one against, however that keeps it.

Each method that changes something takes who does it. It changes the model, or raises `Denied` with
the statuses of HTTP that they are to get, and changes nothing. What somebody sees is told in the
terms of the API's JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Literal

Role = Literal["own", "write", "read"]
Json = dict[str, Any]

TITLE = 120
"""Characters of a title in the trash."""


class Denied(Exception):  # noqa: N818 (an outcome, not a fault)
    """Somebody may not do that.

    Attributes:
        statuses: one of them they get.
    """

    def __init__(self, *statuses: int) -> None:
        super().__init__(statuses)
        self.statuses = statuses


@dataclass
class Doc:
    """A document.

    Attributes:
        id: by which the server knows it, as long as it is there.
        owner: who added it; None of one that is everyone's.
        deleted: when it was deleted, as a number of the model's clock; None while it is there.
        is_certain: False once another of its name was added while it was deleted: by which id it is
            known when it is back is then not said, nor what becomes of quotes from it.
    """

    id: str
    owner: str | None
    name: str
    text: str
    deleted: int | None = None
    is_certain: bool = True


@dataclass
class Notebook:
    """A notebook.

    Attributes:
        inside: the documents in it, in the order in which they came.
        taken: those that somebody else than their owner took out, and when.
    """

    id: str
    owner: str
    name: str
    shared: dict[str, Role] = field(default_factory=dict)
    inside: list[Doc] = field(default_factory=list)
    taken: list[tuple[Doc, int]] = field(default_factory=list)
    deleted: int | None = None

    def role(self, who: str) -> Role | None:
        """What somebody may do with it, unless it is deleted."""
        return "own" if who == self.owner else self.shared.get(who)

    def forget_taken(self, doc: Doc) -> None:
        """It was not taken out, or is its owner's alone to put back."""
        self.taken = [one for one in self.taken if one[0] is not doc]


@dataclass
class Turn:
    """A question, and what became of it, as it was sent."""

    asker: str
    sent: Json


@dataclass
class Talk:
    """A conversation."""

    by: str
    notebook: Notebook | None
    title: str = ""
    named: bool = False
    pinned: bool = False
    updated: int = 0
    turns: dict[str, Turn] = field(default_factory=dict)
    deleted: int | None = None


@dataclass
class Note:
    """A note, as it was sent."""

    by: str
    sent: Json
    deleted: int | None = None

    @property
    def citations(self) -> list[Json]:
        """What it quotes."""
        if answer := self.sent.get("answer"):
            return list(answer["citations"])
        return [self.sent["citation"]] if self.sent.get("citation") else []

    @property
    def title(self) -> str:
        """How it is called in the trash."""
        if answer := self.sent.get("answer"):
            return shortened(answer["question"])
        quotes = [citation["quote"] for citation in self.citations]
        return shortened([*quotes, self.sent["text"]][0])


#: Where conversations and notes are: with somebody alone, or in a notebook.
Space = str


class Kept:
    """All that is kept for some people.

    Args:
        people: their logins.
        house: the document that is everyone's.
    """

    def __init__(self, people: list[str], house: Doc) -> None:
        self.people = people
        self.house = house
        self.docs: list[Doc] = [house]
        self.notebooks: list[Notebook] = []
        self.talks: dict[tuple[Space, str], Talk] = {}
        self.notes: dict[tuple[Space, str], Note] = {}
        self.votes: dict[tuple[str, str], str] = {}
        self._clock = count(1)

    # --- documents ---------------------------------------------------------------------------

    def own(self, who: str) -> list[Doc]:
        """The documents that somebody added and that are there."""
        return [doc for doc in self.docs if doc.owner == who and doc.deleted is None]

    def asked(self, who: str, notebook: Notebook | None) -> list[Doc]:
        """What somebody asks: all that they may, or what is in a notebook."""
        if notebook is None:
            return [self.house, *self.own(who)]
        self.need(who, notebook, "read")
        return [doc for doc in notebook.inside if doc.deleted is None]

    def readable(self, who: str) -> list[Doc]:
        """What somebody may read, wherever it is."""
        found = self.asked(who, None)
        for notebook in self.seen(who):
            found += [doc for doc in self.asked(who, notebook) if doc not in found]
        return found

    def named(self, who: str, name: str) -> Doc | None:
        """The document of somebody that one of this name takes the place of: of several the one
        that was added last."""
        return next((doc for doc in reversed(self.own(who)) if doc.name == name), None)

    def deleted_docs(self, who: str) -> list[Doc]:
        """What somebody deleted and may have back, what was deleted last first."""
        gone = [doc for doc in self.docs if doc.owner == who and doc.deleted is not None]
        return sorted(gone, key=lambda doc: -(doc.deleted or 0))

    def may_add(self, who: str, notebook: Notebook | None) -> None:
        """Somebody may add a document, or put another in the place of one."""
        if notebook is not None:
            self.need(who, notebook, "write")

    def add(self, who: str, identity: str, name: str, text: str, into: Notebook | None) -> Doc:
        """A document was added, as one of its own or in the place of the one of its name."""
        doc = self.named(who, name)
        if doc is None:
            for gone in self.deleted_docs(who):
                gone.is_certain &= gone.name != name
            doc = Doc(identity, who, name, text)
            self.docs.append(doc)
        assert doc.id == identity, "it keeps its id"
        doc.text = text
        if into is not None:
            self._put(into, doc)
        return doc

    def replace_doc(self, who: str, doc: Doc, text: str) -> None:
        """Put another text in the place of a document's."""
        self._need_own(who, doc)
        doc.text = text

    def delete_doc(self, who: str, doc: Doc) -> None:
        """Delete a document; for a day it can be had back."""
        self._need_own(who, doc)
        doc.deleted = next(self._clock)

    def remove_doc(self, who: str, doc: Doc) -> None:
        """Remove a document for good, from all notebooks too."""
        self._need_own(who, doc)
        self._purge(doc)

    def restore_doc(self, who: str, doc: Doc) -> None:
        """Have a document back; one that is there stays as it is."""
        if doc.owner != who or doc not in self.docs:
            raise Denied(404)
        doc.deleted = None

    def _need_own(self, who: str, doc: Doc) -> None:
        if doc not in self.readable(who):
            raise Denied(404)
        if doc.owner != who:
            raise Denied(403)

    def _purge(self, doc: Doc) -> None:
        self.docs.remove(doc)
        for notebook in self.notebooks:
            notebook.inside = [one for one in notebook.inside if one is not doc]
            notebook.forget_taken(doc)

    # --- notebooks ---------------------------------------------------------------------------

    def seen(self, who: str) -> list[Notebook]:
        """The notebooks that somebody may read, by name and then by age."""
        found = [one for one in self.notebooks if one.deleted is None and one.role(who)]
        return sorted(found, key=lambda one: one.name.casefold())

    def need(self, who: str, notebook: Notebook, may: Role) -> None:
        """Raise unless somebody may at least this with a notebook."""
        roles = ("own", "write", "read")
        role = notebook.role(who)
        if role is None or notebook.deleted is not None or notebook not in self.notebooks:
            raise Denied(404)  # whoever may not read it is not told that there is one
        if roles.index(role) > roles.index(may):
            raise Denied(403)

    def may_make(self, who: str, docs: list[Doc]) -> None:
        """Somebody may make a notebook with these documents in it."""
        for doc in docs:
            if doc is not self.house:
                self._need_own(who, doc)

    def make(self, who: str, identity: str, name: str, docs: list[Doc]) -> Notebook:
        """A notebook was made."""
        made = Notebook(identity, who, name, inside=list(docs))
        self.notebooks.append(made)
        return made

    def rename(self, who: str, notebook: Notebook, name: str) -> None:
        """Give a notebook another name."""
        self.need(who, notebook, "own")
        notebook.name = name

    def share(self, who: str, notebook: Notebook, shared: dict[str, Role]) -> None:
        """Say who else may what: nobody but these."""
        self.need(who, notebook, "own")
        if who in shared:
            raise Denied(422)
        notebook.shared = dict(shared)

    def delete_notebook(self, who: str, notebook: Notebook) -> None:
        """Delete a notebook; its documents stay."""
        self.need(who, notebook, "own")
        notebook.deleted = next(self._clock)

    def restore_notebook(self, who: str, notebook: Notebook) -> None:
        """Have a notebook back with all that is in it."""
        if notebook.role(who) != "own" or notebook not in self.notebooks:
            raise Denied(403, 404)  # those whom it was shared with may know that there was one
        notebook.deleted = None

    def put_in(self, who: str, notebook: Notebook, doc: Doc) -> None:
        """Put a document of one's own, or everyone's, into a notebook; or one back that somebody
        else than its owner took out."""
        was_taken = any(one is doc for one, _ in notebook.taken)
        if not (was_taken and doc.deleted is None and doc in self.docs):
            try:
                self.may_make(who, [doc])
            except Denied:
                raise Denied(403, 404) from None
        self.need(who, notebook, "write")
        self._put(notebook, doc)

    def take_out(self, who: str, notebook: Notebook, doc: Doc) -> None:
        """Take a document out of a notebook."""
        self.need(who, notebook, "write")
        was_in = doc in notebook.inside
        notebook.inside = [one for one in notebook.inside if one is not doc]
        if doc.owner == who:
            notebook.forget_taken(doc)
        elif was_in:
            notebook.forget_taken(doc)
            notebook.taken.append((doc, next(self._clock)))

    def _put(self, notebook: Notebook, doc: Doc) -> None:
        if doc not in notebook.inside:
            notebook.inside.append(doc)
        notebook.forget_taken(doc)

    # --- conversations -----------------------------------------------------------------------

    def spaces(self, who: str, notebook: Notebook | None) -> list[Space]:
        """Where conversations of a notebook, or those in none, are that somebody may read. Whoever
        may only read a notebook asks in conversations of their own."""
        if notebook is None:
            return [who]
        self.need(who, notebook, "read")
        return [notebook.id, who]

    def talk(self, who: str, notebook: Notebook | None, identity: str) -> tuple[Space, Talk]:
        """A conversation that somebody may read."""
        for space in self.spaces(who, notebook):
            found = self.talks.get((space, identity))
            if found and found.notebook is notebook and found.deleted is None:
                return space, found
        raise Denied(404)

    def is_mine(self, who: str, notebook: Notebook | None, space: Space) -> bool:
        """Whether somebody may change a conversation that is there."""
        return space == who or (notebook is not None and notebook.role(who) in ("own", "write"))

    def talks_in(self, who: str, notebook: Notebook | None) -> Iterator[tuple[Space, str, Talk]]:
        """All of a notebook, or of those that are in none, deleted or not."""
        spaces = self.spaces(who, notebook)
        for (space, identity), talk in self.talks.items():
            if space in spaces and talk.notebook is notebook:
                yield space, identity, talk

    def put_turn(
        self, who: str, notebook: Notebook | None, identity: str, title: str, turn: Json
    ) -> None:
        """Keep a question, in a conversation that begins with it if there is none."""
        try:
            space, talk = self._my_talk(who, notebook, identity)
        except Denied as denied:
            if denied.statuses != (404,):
                raise
            spaces = self.spaces(who, notebook)
            writes = notebook is not None and notebook.role(who) != "read"
            space = spaces[0] if writes else who
            if (space, identity) in self.talks:  # deleted: it is not begun anew
                raise
            talk = self.talks[space, identity] = Talk(who, notebook)
        before = talk.turns.get(turn["id"])
        if before and before.asker != who:
            raise Denied(403, 404, 409)  # a question is its asker's
        if not talk.named:
            talk.title = title
        talk.updated = next(self._clock)
        talk.turns[turn["id"]] = Turn(who, turn)

    def remove_turn(self, who: str, notebook: Notebook | None, identity: str, turn: str) -> None:
        """Let go of a question of somebody's own."""
        _, talk = self._my_talk(who, notebook, identity)
        talk.turns.pop(turn, None)

    def rename_talk(self, who: str, notebook: Notebook | None, identity: str, title: str) -> None:
        """Give a conversation a name, which stays."""
        _, talk = self._my_talk(who, notebook, identity)
        talk.title, talk.named = title, True

    def pin_talk(self, who: str, notebook: Notebook | None, identity: str, pinned: bool) -> None:
        """Pin a conversation, or no longer."""
        _, talk = self._my_talk(who, notebook, identity)
        talk.pinned = pinned

    def delete_talk(self, who: str, notebook: Notebook | None, identity: str) -> None:
        """Delete a conversation."""
        _, talk = self._my_talk(who, notebook, identity)
        talk.deleted = next(self._clock)

    def restore_talk(self, who: str, notebook: Notebook | None, identity: str) -> None:
        """Have a conversation back; one that is there stays as it is."""
        for space, own, talk in self.talks_in(who, notebook):
            if own == identity:
                if not self.is_mine(who, notebook, space):
                    raise Denied(403)
                talk.deleted = None
                return
        raise Denied(404)

    def _my_talk(self, who: str, notebook: Notebook | None, identity: str) -> tuple[Space, Talk]:
        space, talk = self.talk(who, notebook, identity)
        if not self.is_mine(who, notebook, space):
            raise Denied(403)
        return space, talk

    # --- notes -------------------------------------------------------------------------------

    def put_note(self, who: str, notebook: Notebook | None, note: Json, over: str | None) -> None:
        """Keep a note in place of the one of its id, even a deleted one; its author stays."""
        space = self._noting(who, notebook)
        before = self.notes.get((space, note["id"]))
        place = note.get("citation")
        if place and not (before and before.sent.get("citation") == place):
            readable = {doc.id: doc.text for doc in self.readable(who)}
            if readable.get(place["document_id"]) != place["quote"]:
                raise Denied(404)
        text = before.sent["text"] if before else None
        if text is not None and over is not None and text not in (over, note["text"]):
            raise Denied(409)
        self.notes[space, note["id"]] = Note(before.by if before else who, note)

    def delete_note(self, who: str, notebook: Notebook | None, identity: str) -> None:
        """Delete a note that is there."""
        self._note(who, notebook, identity).deleted = next(self._clock)

    def restore_note(self, who: str, notebook: Notebook | None, identity: str) -> None:
        """Have a note back; one that is there stays as it is."""
        self._note(who, notebook, identity).deleted = None

    def notes_in(self, who: str, notebook: Notebook | None) -> list[Note]:
        """The notes that somebody may read, the newest first."""
        space = who if notebook is None else self.spaces(who, notebook)[0]
        found = [note for (of, _), note in self.notes.items() if of == space]
        there = [note for note in found if note.deleted is None]
        return sorted(there, key=lambda note: -note.sent["created"])

    def _note(self, who: str, notebook: Notebook | None, identity: str) -> Note:
        found = self.notes.get((self._noting(who, notebook), identity))
        if found is None:
            raise Denied(404)
        return found

    def _noting(self, who: str, notebook: Notebook | None) -> Space:
        if notebook is None:
            return who
        self.need(who, notebook, "write")
        return notebook.id

    # --- what people say of answers ----------------------------------------------------------

    def vote(self, who: str, question: str, verdict: str | None) -> None:
        """Keep what somebody says of an answer, in place of what they said of it before; None takes
        that back, and nothing that another said."""
        if verdict is None:
            self.votes.pop((who, question), None)
        else:
            self.votes[who, question] = verdict

    # --- a day later -------------------------------------------------------------------------

    def purge(self) -> None:
        """What was deleted is gone for good."""
        for doc in [doc for doc in self.docs if doc.deleted is not None]:
            self._purge(doc)
        gone = [one for one in self.notebooks if one.deleted is not None]
        self.notebooks = [one for one in self.notebooks if one.deleted is None]
        for one in self.notebooks:
            one.taken = []
        spaces = {one.id for one in gone}
        self.talks = {
            key: talk
            for key, talk in self.talks.items()
            if talk.deleted is None and key[0] not in spaces and talk.notebook not in gone
        }
        self.notes = {
            key: note
            for key, note in self.notes.items()
            if note.deleted is None and key[0] not in spaces
        }

    def answers(self) -> set[str]:
        """The ids of the answers that are kept with a question or a note, a deleted one too."""
        asked = [turn.sent for talk in self.talks.values() for turn in talk.turns.values()]
        noted = [note.sent for note in self.notes.values()]
        return {one["answer"]["id"] for one in asked + noted if one.get("answer")}

    # --- what somebody sees, as the API tells it ---------------------------------------------

    def notebooks_told(self, who: str) -> list[Json]:
        """`GET /api/notebooks`, without when each was made."""
        return [
            {
                "id": one.id,
                "name": one.name,
                "role": one.role(who),
                "owner": one.owner,
                "shared": one.shared if one.owner == who else {},
                "documents": [doc.id for doc in self.asked(who, one)],
            }
            for one in self.seen(who)
        ]

    def talks_told(self, who: str, notebook: Notebook | None) -> list[Json]:
        """`GET /api/conversations`, without when each was last asked in."""
        there = [one for one in self.talks_in(who, notebook) if one[2].deleted is None]
        return [
            {
                "id": identity,
                "title": talk.title,
                "named": talk.named,
                "notebook": notebook.id if notebook else None,
                "mine": self.is_mine(who, notebook, space),
                "by": talk.by,
                "pinned": talk.pinned,
            }
            for space, identity, talk in sorted(there, key=lambda one: -one[2].updated)
        ]

    def notes_told(self, who: str, notebook: Notebook | None) -> list[Json]:
        """`GET /api/notes`, of what became of each quote only whether it stands there; None where
        that is not said."""
        mine = notebook is None or notebook.role(who) != "read"
        return [
            {
                "note": note.sent,
                "by": note.by,
                "mine": mine,
                "now": [self.standing(who, citation) for citation in note.citations],
            }
            for note in self.notes_in(who, notebook)
        ]

    def standing(self, who: str, citation: Json) -> str | None:
        """What became of a quote, as somebody is told who may read its document, or may not."""
        docs = [doc for doc in self.docs if doc.id == citation["document_id"]]
        if not all(doc.is_certain for doc in docs):
            return None
        stands = any(doc in self.readable(who) and citation["quote"] in doc.text for doc in docs)
        return "there" if stands else "gone"

    def trash_told(self, who: str, notebook: Notebook | None) -> list[tuple[str, str, str | None]]:
        """`GET /api/trash`: kind, title and notebook of each, what was deleted last first."""
        found: list[tuple[int, str, str, str | None]] = []
        of = notebook.id if notebook else None
        own = [one for one in self.notebooks if one.owner == who]
        found += [(one.deleted, "notebook", one.name, None) for one in own if one.deleted]
        for space, _, talk in self.talks_in(who, notebook):
            if talk.deleted is not None and self.is_mine(who, notebook, space):
                found.append((talk.deleted, "conversation", talk.title, of))
        found += [(doc.deleted or 0, "document", doc.name, None) for doc in self.deleted_docs(who)]
        may_write = notebook is None or notebook.role(who) != "read"
        space = notebook.id if notebook else who
        for (where, _), note in self.notes.items():
            if may_write and where == space and note.deleted is not None:
                found.append((note.deleted, "note", note.title, of))
        if notebook and may_write:
            taken = [one for one in notebook.taken if one[0].deleted is None]
            found += [(at, "document", doc.name, of) for doc, at in taken]
        ordered = sorted(found, key=lambda one: -one[0])
        return [(kind, title, where) for _, kind, title, where in ordered]


def shortened(text: str) -> str:
    """A text as a title in the trash."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE else f"{line[: TITLE - 1]}…"
