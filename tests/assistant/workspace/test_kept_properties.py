"""Whatever three people do to what is kept, and in whatever order, each of them sees what a plain
model in memory says: documents, notebooks, conversations, notes, and what can be had back.

Everything goes by HTTP, through the page's addresses and the API's, so that none of it depends on
how things are kept. With `--all` many more examples are tried.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from unittest.mock import patch

import pytest
from fastapi import FastAPI
from helpers import CheapEncoder
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from kept_model import Denied, Doc, Json, Kept, Note, Notebook, Role, Talk
from people import logged_in, page_and_api
from services import events_of
from starlette.testclient import TestClient

from assistant import Assistant
from assistant.service.service import Service
from assistant.settings import Settings
from assistant.workspace.feedback import votes_in
from assistant.workspace.retention import RetentionJob
from index import Index
from index.readers.loader import document_from_text

T = TypeVar("T")

NAMES = ("ann", "bob", "cy")
TRIOS = 2000
"""Of whom each example has one of its own, so that all can be tried on one index."""

HOUSE = "Lanterns glow beside the quay."
"""The text of the document that is everyone's."""

DAY = 24 * 3600.0 + 60

ADDED = 4
"""Files that an example adds at most: nothing else takes so long."""

ITS_OWNER = "its owner"
ANYONE = st.sampled_from((ITS_OWNER, ITS_OWNER, ITS_OWNER, *NAMES))
"""Mostly who has it; or somebody who may or may not do that."""

AT = st.integers(0, 11)
"""Which of what there is; see `among`."""

DAYS = 2
"""That an example lasts at most: a login lasts for a fortnight."""

FILES = st.sampled_from(("plan.txt", "list.txt", "Report 1.txt"))
TITLES = st.sampled_from(("Alpha", "alpha", "Übung 2", "Beta & <b>", "Ω"))
NOTED = st.sampled_from(("", "Mind this", "Mind " * 100, "Mind\n\nthat", "ß 😀 \u0000", "<i>x</i>"))
ROLES = st.sampled_from(("write", "read", None))


@dataclass
class World:
    """The service that all examples share, and how much later than now it is there."""

    service: Service
    app: FastAPI
    house: Doc
    later: float = 0.0
    trios: Iterator[int] = field(default_factory=count)

    @property
    def index(self) -> Index:
        """Of the service."""
        return self.service.library.index

    def people(self) -> dict[str, TestClient]:
        """Three who have nothing yet, by their logins."""
        number = next(self.trios)
        return {name: logged_in(self.app, name, "secret") for name in trio(number)}

    def sweep(self) -> None:
        """Have what was deleted long ago let go of, as a service does from time to time."""
        RetentionJob(self.service.library).sweep()


def trio(number: int) -> list[str]:
    return [f"{name}-{number}" for name in NAMES]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kept") / "index"
    now = time.time
    with ExitStack() as stack:
        index = stack.enter_context(closing(Index(folder, encoder=CheapEncoder())))
        house = document_from_text(HOUSE, "house.txt")
        ids = index.sync([house], keep=True).ids
        assistant = Assistant(index, ids, Settings(reader="none", rate="1000000/second"))
        auth = [(name, "secret") for number in range(TRIOS) for name in trio(number)]
        service = Service(assistant, "127.0.0.1", auth)
        app = stack.enter_context(page_and_api(service))
        found = World(service, app, Doc(house.id, None, "house.txt", HOUSE))
        stack.enter_context(patch("time.time", lambda: now() + found.later))
        yield found


class Everything(RuleBasedStateMachine):
    """What three people do, each step by HTTP and in the model.

    A rule that takes `anyone` is done by who has the thing, or by one of the three who may not be
    let: then the model says with which status they are refused, and that nothing changes. A rule
    that takes `at` is about one of what there is, by its number.
    """

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.world.later = 0.0
        self.clients = self.world.people()
        self.people = [*self.clients]
        self.kept = Kept(self.people, replace(self.world.house))
        self.number = count(1)
        self.added = self.days = self.steps = 0
        self.answers: dict[str, Json] = {}

    # --- helpers -----------------------------------------------------------------------------

    def who(self, name: str, owner: str | None = None) -> str:
        """A login."""
        return owner or self.people[0] if name == ITS_OWNER else self.people[NAMES.index(name)]

    def ask(
        self, who: str, method: str, path: str, notebook: Notebook | None = None, **how: Any
    ) -> Any:
        """The response to a request, at the API's address or at the page's own that is the same.

        Args:
            who, method, path: of the request, the path without what the API's begin with.
            notebook: that it is about, in its query.
            how: what else is in the request.
        """
        prefix = "/api" if self.steps % 2 else ""
        if notebook:
            how["params"] = how.get("params", {}) | {"notebook": notebook.id}
        return self.clients[who].request(method, prefix + path, **how)

    def tried(self, response: Any, change: Callable[..., Any], *values: Any) -> bool:
        """Whether something was done, in the model as by the service."""
        try:
            change(*values)
        except Denied as denied:
            assert response.status_code in denied.statuses, response.text
            return False
        assert response.is_success, response.text
        return True

    def new_id(self, kind: str) -> str:
        return f"{kind}-{next(self.number):06}"

    def text(self) -> str:
        """A text that has no word with any other in common."""
        number = next(self.number)
        return " ".join(f"{word}{number}" for word in ("Walnuts", "float", "downstream")) + "."

    def learn_ids(self, who: str) -> None:
        """By which ids somebody's documents are known: one that was deleted, or had back, may have
        come by another."""
        trash = self.clients[who].get("/api/trash").json()["deleted"]
        gone = [one for one in trash if one["kind"] == "document"]
        for doc, one in zip(self.kept.deleted_docs(who), gone, strict=True):
            doc.id = one["id"]
        listed = self.clients[who].get("/api/documents").json()["documents"]
        for doc in self.kept.own(who):
            alike = [one["id"] for one in listed if one["own"] and one["name"] == doc.name]
            doc.id = next(i for i in alike if len(alike) == 1 or self.content(who, i) == doc.text)

    def content(self, who: str, identity: str) -> str:
        """The file of a document."""
        response = self.clients[who].get(f"/api/documents/{identity}/content")
        assert response.status_code == 200, response.text
        return str(response.text)

    # --- what there is -----------------------------------------------------------------------

    def docs(self, deleted: bool | None = False) -> list[Doc]:
        """Of all three: those that are there, that were deleted, or both."""
        found = [doc for doc in self.kept.docs if doc.owner]
        return [doc for doc in found if deleted in (None, bool(doc.deleted))]

    def notebooks(self, deleted: bool | None = False) -> list[Notebook]:
        """The same of notebooks."""
        return [one for one in self.kept.notebooks if deleted in (None, bool(one.deleted))]

    def talks(self, deleted: bool | None = False) -> list[tuple[str, Talk]]:
        """The same of conversations, with their ids."""
        found = self.kept.talks.items()
        return [(key[1], talk) for key, talk in found if deleted in (None, bool(talk.deleted))]

    def notes(self) -> list[tuple[Notebook | None, Note]]:
        """All notes of all three, with the notebooks that they are in."""
        by_id = {one.id: one for one in self.kept.notebooks}
        return [(by_id.get(space), note) for (space, _), note in self.kept.notes.items()]

    def somewhere(self, at: int) -> Notebook | None:
        """In one of the notebooks, or in none."""
        return among([None, *self.notebooks()], at)

    # --- documents ---------------------------------------------------------------------------

    @initialize(name=FILES, owner=st.sampled_from(NAMES))
    def begin(self, name: str, owner: str) -> None:
        """Ann has a notebook that bob may write in and cy may read; and one of them a document."""
        ann, bob, cy = self.people
        identity = self.clients[ann].post("/api/notebooks", json={"name": "Shared"}).json()["id"]
        made = self.kept.make(ann, identity, "Shared", [])
        shared: dict[str, Role] = {bob: "write", cy: "read"}
        changed = self.clients[ann].patch(f"/api/notebooks/{identity}", json={"shared": shared})
        self.tried(changed, self.kept.share, ann, made, shared)
        self._add(self.who(owner), name, None)

    @precondition(lambda self: self.added < ADDED)
    @rule(name=FILES, anyone=st.sampled_from(NAMES))
    def add(self, name: str, anyone: str) -> None:
        """A program adds a document; one of its name is not put in the place of another."""
        who = self.who(anyone)
        if not self.kept.named(who, name):
            self._add(who, name, None)
            return
        files = {"file": (name, b"Not this one.")}
        refused = self.clients[who].post("/api/documents", files=files)
        assert refused.status_code == 409, refused.text

    @precondition(lambda self: self.added < ADDED and self.notebooks())
    @rule(name=FILES, anyone=ANYONE, at=AT)
    def add_into(self, name: str, anyone: str, at: int) -> None:
        """On the page a document is added to a notebook, maybe in the place of the one that has its
        name."""
        notebook = among(self.notebooks(), at)
        self._add(self.who(anyone, notebook.owner), name, notebook)

    @precondition(lambda self: self.added < ADDED and self.docs())
    @rule(at=AT, anyone=ANYONE)
    def replace(self, at: int, anyone: str) -> None:
        """A program puts another file in the place of a document."""
        doc, text = among(self.docs(), at), self.text()
        who = self.who(anyone, doc.owner)
        files = {"file": (doc.name, text.encode())}
        response = self.clients[who].put(f"/api/documents/{doc.id}", files=files)
        if self.tried(response, self.kept.replace_doc, who, doc, text):
            assert response.json()["id"] == doc.id
            self.added += 1

    @precondition(lambda self: self.added < ADDED and self.docs())
    @rule(at=AT)
    def add_one_of_the_same_name(self, at: int) -> None:
        """On the page another document takes the place of the one that has its name."""
        doc = among(self.docs(), at)
        self._add(str(doc.owner), doc.name, None)

    @precondition(lambda self: self.added < ADDED and self.docs(True))
    @rule(at=AT)
    def add_one_of_the_name_of_a_deleted_one(self, at: int) -> None:
        """It is another document, and the deleted one can still be had back."""
        doc = among(self.docs(True), at)
        self._add(str(doc.owner), doc.name, None)

    def _add(self, who: str, name: str, into: Notebook | None) -> None:
        text = self.text()
        if into is None and self.kept.named(who, name) is None:
            files = {"file": (name, text.encode())}
            response = self.clients[who].post("/api/documents", files=files)
            assert response.status_code == 201, response.text
            done = response.json()
        else:
            params = {"name": name} | ({"notebook": into.id} if into else {})
            response = self.clients[who].post("/uploads", params=params, content=text.encode())
            *_, (event, done) = events_of(response)
            if event == "failed":
                with pytest.raises(Denied) as raised:
                    self.kept.may_add(who, into)
                assert done["status"] in raised.value.statuses, done
                return
        self.kept.may_add(who, into)
        self.added += 1
        self.kept.add(who, done["id"], name, text, into)

    @precondition(lambda self: self.docs(None))
    @rule(at=AT, anyone=ANYONE)
    def delete_or_restore_document(self, at: int, anyone: str) -> None:
        doc = among(self.docs(None), at)
        who = self.who(anyone, doc.owner)
        if doc.deleted is None:
            response = self.clients[who].delete(f"/documents/{doc.id}")
            changed = self.tried(response, self.kept.delete_doc, who, doc)
        else:
            response = self.ask(who, "POST", f"/documents/{doc.id}/restore")
            if who == doc.owner and self.kept.named(who, doc.name) and response.status_code == 409:
                return  # there need not be two of one name
            changed = self.tried(response, self.kept.restore_doc, who, doc)
        if changed:
            self.learn_ids(who)

    @precondition(lambda self: len(self.docs()) > 1)
    @rule(at=AT, anyone=st.sampled_from(NAMES))
    def remove_document(self, at: int, anyone: str) -> None:
        """A program removes a document for good."""
        doc, who = among(self.docs(), at), self.who(anyone)
        response = self.clients[who].delete(f"/api/documents/{doc.id}")
        self.tried(response, self.kept.remove_doc, who, doc)

    # --- notebooks ---------------------------------------------------------------------------

    @precondition(lambda self: len(self.kept.notebooks) < 4)
    @rule(name=TITLES, anyone=ANYONE, at=AT)
    def make_notebook(self, name: str, anyone: str, at: int) -> None:
        """With a document in it, and the one that is everyone's."""
        inside = [among([*self.docs(), self.kept.house], at)]
        who = self.who(anyone, inside[0].owner)
        inside += [self.kept.house] * (inside != [self.kept.house])
        sent = {"name": name, "documents": [doc.id for doc in inside]}
        response = self.ask(who, "POST", "/notebooks", json=sent)
        if self.tried(response, self.kept.may_make, who, inside):
            self.kept.make(who, response.json()["id"], name, inside)

    @precondition(lambda self: self.notebooks())
    @rule(at=AT, name=TITLES, anyone=ANYONE)
    def rename_notebook(self, at: int, name: str, anyone: str) -> None:
        notebook = among(self.notebooks(), at)
        who = self.who(anyone, notebook.owner)
        response = self.ask(who, "PATCH", f"/notebooks/{notebook.id}", json={"name": name})
        self.tried(response, self.kept.rename, who, notebook, name)

    @precondition(lambda self: self.notebooks())
    @rule(at=AT, anyone=ANYONE, roles=st.tuples(ROLES, ROLES))
    def share_notebook(self, at: int, anyone: str, roles: tuple[Role | None, Role | None]) -> None:
        """With both others, with one, or with nobody any more."""
        notebook = among(self.notebooks(), at)
        who = self.who(anyone, notebook.owner)
        others = [name for name in self.people if name != who]
        shared = {name: role for name, role in zip(others, roles, strict=True) if role}
        response = self.ask(who, "PATCH", f"/notebooks/{notebook.id}", json={"shared": shared})
        self.tried(response, self.kept.share, who, notebook, shared)

    @precondition(lambda self: self.notebooks(None))
    @rule(at=AT, anyone=ANYONE)
    def delete_or_restore_notebook(self, at: int, anyone: str) -> None:
        notebook = among(self.notebooks(None), at)
        who, path = self.who(anyone, notebook.owner), f"/notebooks/{notebook.id}"
        if notebook.deleted is None:
            response = self.ask(who, "DELETE", path)
            self.tried(response, self.kept.delete_notebook, who, notebook)
        else:
            response = self.ask(who, "POST", f"{path}/restore")
            self.tried(response, self.kept.restore_notebook, who, notebook)

    @precondition(lambda self: self.notebooks())
    @rule(at=AT, which=AT, anyone=ANYONE)
    def put_in_or_take_out(self, at: int, which: int, anyone: str) -> None:
        """What is in a notebook is taken out; what is not is put in, by who has it, or by somebody
        else, who may do so only with what was taken out."""
        notebook = among(self.notebooks(), at)
        doc = among([*self.docs(None), self.kept.house], which)
        path = f"/notebooks/{notebook.id}/documents/{doc.id}"
        if doc in notebook.inside:
            who = self.who(anyone, notebook.owner)
            response = self.ask(who, "DELETE", path)
            self.tried(response, self.kept.take_out, who, notebook, doc)
        else:
            who = self.who(anyone, doc.owner)
            response = self.ask(who, "PUT", path)
            self.tried(response, self.kept.put_in, who, notebook, doc)

    # --- conversations -----------------------------------------------------------------------

    @rule(at=AT, anyone=st.sampled_from(NAMES), title=TITLES)
    def begin_talk(self, at: int, anyone: str, title: str) -> None:
        """Of what is asked first nothing became."""
        turn = self._stopped(f"What is {self.text()}")
        self._put_turn(self.who(anyone), self.somewhere(at), self.new_id("talk"), title, turn)

    @precondition(lambda self: self.talks(None))
    @rule(at=AT, anyone=ANYONE, title=TITLES)
    def go_on(self, at: int, anyone: str, title: str) -> None:
        """Another question in a conversation, or in one of the same id where that is another's. One
        that was deleted is not begun anew."""
        identity, talk = among(self.talks(None), at)
        turn = self._stopped(f"And {self.text()}")
        self._put_turn(self.who(anyone, talk.by), talk.notebook, identity, title, turn)

    @precondition(lambda self: self.docs())
    @rule(at=AT, which=AT, anyone=st.sampled_from(NAMES))
    def ask_and_keep(self, at: int, which: int, anyone: str) -> None:
        """A question is answered, from nothing but what its asker may ask, and kept so."""
        who, notebook, about = self.who(anyone), self.somewhere(at), among(self.docs(), which)
        question = f"What do {about.text.removesuffix('.')} say?"
        asked = {"question": question} | ({"notebook": notebook.id} if notebook else {})
        response = self.clients[who].post("/api/ask", json=asked)
        try:
            allowed = {doc.id for doc in self.kept.asked(who, notebook)}
        except Denied as denied:
            assert response.status_code in denied.statuses, response.text
            return
        assert response.status_code == (200 if allowed else 404), response.text
        if allowed:
            answer = self.answers[who] = response.json()
            cited = {one["document_id"] for one in answer["citations"] + answer["closest"]}
            assert cited <= allowed
            turn = {**self._stopped(question), "state": answer["status"], "answer": answer}
            self._put_turn(who, notebook, self.new_id("talk"), question[:200], turn)

    @precondition(lambda self: any(talk.turns for _, talk in self.talks()))
    @rule(at=AT, which=AT, anyone=ANYONE)
    def keep_a_question_anew(self, at: int, which: int, anyone: str) -> None:
        """What became of it takes the place of what was kept, if it is one's own."""
        identity, talk = among([one for one in self.talks() if one[1].turns], at)
        before = among([*talk.turns.values()], which)
        who = self.who(anyone, before.asker)
        if who == before.asker or talk.notebook:
            turn = {**self._stopped(f"Again {self.text()}"), "id": before.sent["id"]}
            self._put_turn(who, talk.notebook, identity, "Again", turn)

    def _stopped(self, question: str) -> Json:
        asked = float(next(self.number))
        return {"id": self.new_id("turn"), "asked": asked, "question": question, "state": "stopped"}

    def _put_turn(
        self, who: str, notebook: Notebook | None, identity: str, title: str, turn: Json
    ) -> None:
        if self._guesses(who, notebook, identity):
            return
        path, sent = f"/conversations/{identity}/turns", {"title": title, "turn": turn}
        response = self.ask(who, "PUT", path, notebook, json=sent)
        self.tried(response, self.kept.put_turn, who, notebook, identity, title, turn)

    def _guesses(self, who: str, notebook: Notebook | None, identity: str) -> bool:
        """Whether somebody would begin a conversation in a notebook by an id that another, or a
        deleted one, has there, of which they cannot know: of such nothing is said."""
        if notebook is None or notebook.deleted or not notebook.role(who):
            return False
        same = [
            (space, talk)
            for (space, own), talk in self.kept.talks.items()
            if own == identity and talk.notebook is notebook
        ]
        mine = [(s, talk) for s, talk in same if s in (notebook.id, who)]
        if notebook.role(who) == "read":
            return bool(same) and all(talk.deleted for _, talk in mine)
        return bool(same) and not mine

    @precondition(lambda self: any(talk.turns for _, talk in self.talks()))
    @rule(at=AT, which=AT)
    def remove_a_question(self, at: int, which: int) -> None:
        """Somebody lets go of one of their own."""
        identity, talk = among([one for one in self.talks() if one[1].turns], at)
        turn = among([*talk.turns.values()], which)
        who, path = turn.asker, f"/conversations/{identity}/turns/remove"
        own = turn.sent["id"]
        response = self.ask(who, "POST", path, talk.notebook, json={"turns": [own]})
        self.tried(response, self.kept.remove_turn, who, talk.notebook, identity, own)

    @precondition(lambda self: self.talks())
    @rule(at=AT, anyone=ANYONE, title=TITLES)
    def rename_talk(self, at: int, anyone: str, title: str) -> None:
        identity, talk = among(self.talks(), at)
        who, path = self.who(anyone, talk.by), f"/conversations/{identity}"
        response = self.ask(who, "PATCH", path, talk.notebook, json={"title": title})
        self.tried(response, self.kept.rename_talk, who, talk.notebook, identity, title)

    @precondition(lambda self: self.talks())
    @rule(at=AT, anyone=ANYONE)
    def pin_talk_or_no_longer(self, at: int, anyone: str) -> None:
        identity, talk = among(self.talks(), at)
        who, path, pinned = self.who(anyone, talk.by), f"/conversations/{identity}", not talk.pinned
        response = self.ask(who, "PATCH", path, talk.notebook, json={"pinned": pinned})
        self.tried(response, self.kept.pin_talk, who, talk.notebook, identity, pinned)

    @precondition(lambda self: self.talks(None))
    @rule(at=AT, anyone=ANYONE)
    def delete_or_restore_talk(self, at: int, anyone: str) -> None:
        identity, talk = among(self.talks(None), at)
        who, path = self.who(anyone, talk.by), f"/conversations/{identity}"
        if talk.deleted is None:
            response = self.ask(who, "DELETE", path, talk.notebook)
            self.tried(response, self.kept.delete_talk, who, talk.notebook, identity)
        else:
            response = self.ask(who, "POST", f"{path}/restore", talk.notebook)
            self.tried(response, self.kept.restore_talk, who, talk.notebook, identity)

    # --- notes -------------------------------------------------------------------------------

    @precondition(lambda self: self.docs())
    @rule(at=AT, which=AT, anyone=st.sampled_from(NAMES))
    def highlight(self, at: int, which: int, anyone: str) -> None:
        """A place in a document is kept, of one that its reader may read."""
        doc = among(self.docs(), which)
        end = len(doc.text)
        citation = {
            "marker": 0, "document": doc.name, "document_id": doc.id, "heading": [],
            "paragraph": 1, "start": 0, "end": end, "quote": doc.text,
            "paragraph_start": 0, "paragraph_end": end, "paragraph_text": doc.text,
        }  # fmt: skip
        note = {"kind": "highlight", "text": "", "citation": citation}
        self._put_note(self.who(anyone), self.somewhere(at), note)

    @precondition(lambda self: self.answers)
    @rule(at=AT, anyone=ANYONE, text=NOTED)
    def keep_answer(self, at: int, anyone: str, text: str) -> None:
        """The answer that was given last is kept with a note."""
        who = self.who(anyone, [*self.answers][-1])
        if who in self.answers:
            note = {"kind": "answer", "text": text, "answer": self.answers[who]}
            self._put_note(who, self.somewhere(at), note)

    def _put_note(self, who: str, notebook: Notebook | None, note: Json) -> None:
        note = {"id": self.new_id("note"), "created": float(next(self.number)), **note}
        response = self.ask(who, "PUT", "/notes", notebook, json=note)
        self.tried(response, self.kept.put_note, who, notebook, note, None)

    @precondition(lambda self: self.notes())
    @rule(at=AT, anyone=ANYONE, text=NOTED, over=st.none() | NOTED)
    def change_note(self, at: int, anyone: str, text: str, over: str | None) -> None:
        """A note is written anew, maybe over what somebody else wrote meanwhile; a deleted one is
        there again."""
        notebook, before = among(self.notes(), at)
        who = self.who(anyone, before.by)
        if notebook or who == before.by:
            note = {**before.sent, "text": text}
            response = self.ask(who, "PUT", "/notes", notebook, json={**note, "over": over})
            self.tried(response, self.kept.put_note, who, notebook, note, over)

    @precondition(lambda self: self.notes())
    @rule(at=AT, anyone=ANYONE)
    def delete_or_restore_note(self, at: int, anyone: str) -> None:
        notebook, note = among(self.notes(), at)
        who, identity = self.who(anyone, note.by), note.sent["id"]
        if note.deleted is None:
            response = self.ask(who, "DELETE", f"/notes/{identity}", notebook)
            self.tried(response, self.kept.delete_note, who, notebook, identity)
        else:
            response = self.ask(who, "POST", f"/notes/{identity}/restore", notebook)
            self.tried(response, self.kept.restore_note, who, notebook, identity)

    # --- what is said of answers, and time ---------------------------------------------------

    @rule(
        anyone=st.sampled_from(NAMES),
        about=st.sampled_from(("What floats?", "What sinks?")),
        verdict=st.sampled_from(("up", "down", "none", None)),
    )
    def vote(self, anyone: str, about: str, verdict: str | None) -> None:
        who = self.who(anyone)
        question = f"{about} ({self.people[0]})"
        vote = {
            "verdict": verdict, "question": question, "history": [], "status": "refused",
            "confidence": None, "sentences": [], "citations": [],
        }  # fmt: skip
        response = self.ask(who, "POST", "/feedback", json=vote)
        assert response.is_success, response.text
        self.kept.vote(who, question, verdict)
        votes = map(json.loads, votes_in(self.world.index.database).splitlines())
        said = [(one["question"], one["verdict"]) for one in votes]
        ours = [one for one in said if any(f"({name})" in one[0] for name in self.people)]
        assert sorted(ours) == sorted((q, v) for (_, q), v in self.kept.votes.items())

    @precondition(lambda self: self.steps > 6 and self.days < DAYS)
    @rule()
    def a_day_passes(self) -> None:
        """What was deleted can be had back no more. All three are there, so that nothing of theirs
        goes with them."""
        self.days += 1
        self.world.later += DAY
        for client in self.clients.values():
            assert client.get("/session").status_code == 200
        self.world.sweep()
        self.kept.purge()
        kept = self.kept.answers()
        for who in [who for who, answer in self.answers.items() if answer["id"] not in kept]:
            note = {"id": self.new_id("note"), "created": 0.0, "kind": "answer"}
            gone = self.ask(who, "PUT", "/notes", json={**note, "answer": self.answers.pop(who)})
            assert gone.status_code == 404, gone.text

    # --- what each sees ----------------------------------------------------------------------

    @invariant()
    def one_sees_what_the_model_says(self) -> None:
        """One after the other, in one notebook after the other: all three see all at the end."""
        self.steps += 1
        who = self.people[self.steps % 3]
        places = [None, *self.kept.notebooks]
        self.look(who, places[self.steps // 3 % len(places)])

    def teardown(self) -> None:
        """At the end all three see all."""
        self.look_at_all()

    def look_at_all(self) -> None:
        """All three see what the model says, to the last word."""
        for who in self.people:
            for notebook in [None, *self.kept.notebooks]:
                self.look(who, notebook)
                self.look_closely(who, notebook)
            self.look_into_documents(who)

    def look(self, who: str, notebook: Notebook | None) -> None:
        """The lists that somebody is shown of a notebook, or of what is in none."""
        found = [without(one, "created") for one in self.told(who, "/notebooks", "notebooks")]
        assert found == self.kept.notebooks_told(who)
        try:
            docs = self.kept.asked(who, notebook)
        except Denied as denied:
            for path in ("/conversations", "/notes", "/trash"):
                response = self.ask(who, "GET", path, notebook)
                assert response.status_code in denied.statuses, response.text
            return
        params = {"notebook": notebook.id} if notebook else {}
        session = self.clients[who].get("/session", params=params).json()
        listed = [(one["id"], one["name"], one["own"]) for one in session["documents"]]
        wanted = [(doc.id, doc.name, doc.owner == who) for doc in docs]
        assert (listed if notebook else sorted(listed)) == (wanted if notebook else sorted(wanted))

        talks = self.told(who, "/conversations", "conversations", notebook)
        assert [without(one, "updated") for one in talks] == self.kept.talks_told(who, notebook)

        notes = self.told(who, "/notes", "notes", notebook)
        expected = self.kept.notes_told(who, notebook)
        assert len(notes) == len(expected)
        for one, other in zip(notes, expected, strict=True):
            assert (one["by"], one["mine"]) == (other["by"], other["mine"])
            assert has(one["note"], other["note"])
            now = [place["standing"] for place in one["now"]]
            assert now == [b or a for a, b in zip(now, other["now"], strict=True)]

        trash = self.told(who, "/trash", "deleted", notebook)
        told = [(one["kind"], one["title"], one["notebook"]) for one in trash]
        assert told == self.kept.trash_told(who, notebook)

    def look_closely(self, who: str, notebook: Notebook | None) -> None:
        """Conversations with what was asked and answered in them, and what is taken along."""
        try:
            talks = [*self.kept.talks_in(who, notebook)]
        except Denied as denied:
            assert notebook is not None
            response = self.ask(who, "GET", f"/notebooks/{notebook.id}")
            assert response.status_code in denied.statuses
            return
        questions = []
        for _, identity, talk in talks:
            path = f"/conversations/{identity}"
            whole = self.ask(who, "GET", path, notebook)
            if talk.deleted is not None:
                assert whole.status_code == 404
                continue
            turns = whole.json()["turns"]
            sent = sorted((own.sent for own in talk.turns.values()), key=lambda own: own["asked"])
            assert len(turns) == len(sent)
            assert all(has(*pair) for pair in zip(turns, sent, strict=True))
            questions += [turn["question"] for turn in sent]
        search = self.ask(who, "GET", "/conversations/search", notebook, params={"text": "wHAT"})
        found = search.json()["found"]
        having = [question for question in questions if "what" in question.casefold()]
        assert sorted(one["question"] for one in found) == sorted(having)
        if notebook:
            path = f"/notebooks/{notebook.id}/export"
            exported = self.ask(who, "GET", path, params={"format": "md"})
            assert exported.status_code == 200
            for question in questions:
                assert question.removesuffix("?").removesuffix(".") in exported.text

    def look_into_documents(self, who: str) -> None:
        """What somebody may read is what it is, and what they may not is not there."""
        readable = self.kept.readable(who)
        for doc in self.kept.docs:
            if doc in readable:
                assert self.content(who, doc.id) == doc.text
            elif doc.is_certain:
                response = self.clients[who].get(f"/api/documents/{doc.id}")
                assert response.status_code == 404

    def told(self, who: str, path: str, name: str, notebook: Notebook | None = None) -> list[Json]:
        response = self.ask(who, "GET", path, notebook)
        assert response.status_code == 200, response.text
        found: list[Json] = response.json()[name]
        return found


def among(things: Sequence[T], at: int) -> T:
    """One of what there is, by a number that may be larger than there are."""
    return things[at % len(things)]


def without(told: Json, name: str) -> Json:
    """A value without one of its fields, which is there."""
    assert told[name] > 0
    return {key: value for key, value in told.items() if key != name}


def has(told: Any, sent: Any) -> bool:
    """Whether all that was sent is told again; what was left out may have come to be told too."""
    if isinstance(sent, dict):
        return all(name in told and has(told[name], value) for name, value in sent.items())
    if isinstance(sent, list):
        return len(told) == len(sent) and all(map(has, told, sent))
    return bool(told == sent)


def everything(world: World, examples: int, steps: int, *more: Phase) -> None:
    Everything.world = world
    bounds = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=(Phase.generate, *more),
        derandomize=not more,  # what the short run finds, the next one finds
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    run_state_machine_as_test(Everything, settings=bounds)


def test_whatever_is_done_each_sees_what_is_theirs(world: World) -> None:
    everything(world, 8, 28)


def test_a_day_of_three(world: World) -> None:
    """Each kind of step at least once where it has an effect on all, which chance seldom finds."""
    each = begun(world)
    each.put_in_or_take_out(at=0, which=0, anyone="ann")
    each.begin_talk(at=1, anyone="ann", title="Alpha")
    each.begin_talk(at=1, anyone="cy", title="Beta & <b>")
    each.begin_talk(at=0, anyone="bob", title="Ω")
    each.go_on(at=0, anyone="bob", title="alpha")
    each.ask_and_keep(at=1, which=0, anyone="bob")
    each.keep_answer(at=1, anyone="bob", text="Mind this")
    each.highlight(at=1, which=0, anyone="ann")
    each.highlight(at=0, which=0, anyone="cy")
    each.change_note(at=1, anyone="bob", text="Mind\n\nthat", over=None)
    each.change_note(at=1, anyone="ann", text="Mine", over="")
    each.look_at_all()
    each.rename_talk(at=0, anyone="bob", title="Named")
    each.pin_talk_or_no_longer(at=0, anyone="bob")
    each.go_on(at=0, anyone="ann", title="Not named so")
    each.delete_or_restore_note(at=1, anyone="bob")
    each.delete_or_restore_talk(at=0, anyone="bob")
    each.delete_or_restore_talk(at=1, anyone="cy")
    each.go_on(at=0, anyone="ann", title="Anew")
    each.put_in_or_take_out(at=0, which=0, anyone="bob")
    each.look_at_all()
    each.put_in_or_take_out(at=0, which=0, anyone="cy")
    each.put_in_or_take_out(at=0, which=0, anyone="bob")
    each.put_in_or_take_out(at=0, which=0, anyone="ann")
    each.put_in_or_take_out(at=0, which=0, anyone="bob")
    each.change_note(at=1, anyone="ann", text="There again", over=None)
    each.delete_or_restore_talk(at=1, anyone="cy")
    each.share_notebook(at=0, anyone="ann", roles=("read", "write"))
    each.go_on(at=0, anyone="bob", title="Alpha")
    each.look_at_all()
    each.share_notebook(at=0, anyone="ann", roles=(None, "write"))
    each.rename_notebook(at=0, name="Übung 2", anyone="cy")
    each.delete_or_restore_talk(at=0, anyone="cy")
    each.replace(at=0, anyone="ann")
    each.delete_or_restore_document(at=0, anyone="ann")
    each.delete_or_restore_notebook(at=0, anyone="ann")
    each.look_at_all()
    each.delete_or_restore_notebook(at=0, anyone="cy")
    each.delete_or_restore_notebook(at=0, anyone="ann")
    each.delete_or_restore_document(at=0, anyone="bob")
    each.look_at_all()
    each.a_day_passes()
    each.teardown()


def test_of_two_of_one_name_the_one_that_was_added_last_gives_way(world: World) -> None:
    two = begun(world)
    two.delete_or_restore_document(at=0, anyone=ITS_OWNER)
    two.add_one_of_the_name_of_a_deleted_one(at=0)
    two.delete_or_restore_document(at=0, anyone=ITS_OWNER)
    two.add_one_of_the_same_name(at=0)
    two.teardown()


@pytest.mark.long
def test_whatever_is_done_each_sees_what_is_theirs_at_length(world: World) -> None:
    everything(world, 40, 50, Phase.shrink)  # which takes minutes


def begun(world: World) -> Everything:
    """Ann has a document, and a notebook that bob may write in and cy may read."""
    Everything.world = world
    all_three = Everything()
    all_three.begin(name="plan.txt", owner="ann")
    return all_three


def test_of_a_notebook_that_is_gone_nothing_is_left_on_the_disk(world: World) -> None:
    world.later = 0.0
    people = world.people()
    (ann, bob, cy), names = people.values(), [*people]
    notebook = ann.post("/api/notebooks", json={"name": "Gone"}).json()["id"]
    at, of = f"/api/notebooks/{notebook}", {"notebook": notebook}
    ann.patch(at, json={"shared": {names[1]: "read", names[2]: "read"}})
    for number, client in enumerate((ann, bob, cy)):
        turn = {"id": "turn-000001", "question": f"Xylophone-{notebook}-{number}?"}
        sent = {"title": "Gone", "turn": {**turn, "state": "stopped"}}
        path = f"/api/conversations/talk-00000{number}/turns"
        assert client.put(path, params=of, json=sent).status_code == 204
    ann.patch(at, json={"shared": {names[1]: "read"}})
    ann.delete(at)
    assert len(left(world.index.folder, f"Xylophone-{notebook}")) == 3
    world.later = DAY
    world.sweep()
    assert left(world.index.folder, f"Xylophone-{notebook}") == set()


def left(folder: Path, text: str) -> set[str]:
    """What stands behind a text wherever that is in the files of a folder."""
    found = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {own.decode() for whole in found for own in re.findall(rb"%s-\d" % text.encode(), whole)}
