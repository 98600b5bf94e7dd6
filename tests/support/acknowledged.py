"""Somebody who works with Footnote by HTTP while parts of it are killed, and what they were told is
kept: nothing of that may be lost, nothing be there twice, and nothing half done.

What is asked for when a part goes away may be done or not. So each person asks for one thing at a
time, and when they look again one of two states is right.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from crowd import Report
from helpers import PATIENCE
from kept_model import Doc, Json, Kept, Note
from services import events_of

PASSWORD = "secret"

MOST = 3
"""Documents, conversations and notes that somebody has of each, deleted ones too."""

RTF = r"{{\rtf1\ansi {}\par }}"


class UnsureError(Exception):
    """Whether something was done is not known: the connection broke, or a part was away."""


def report_of(name: str) -> Report:
    """The document of a name: no two have a fact in common."""
    place = name.partition(".")[0]
    return Report(
        name,
        f"How many passengers did the ferry to {place} carry in its best week?",
        f"The ferry to {place} carried {{}} passengers in its best week.",
        "Pier {} of the harbour was painted for {} crowns in spring.",
        paragraphs=6,
    )


def file_of(name: str, edition: int) -> str:
    """The file of an edition; what is not plain text is read by a process of its own."""
    text = report_of(name).text(edition)
    return RTF.format(text.replace("\n\n", "\\par ")) if name.endswith(".rtf") else text


class Person:
    """Somebody, with a model of what is theirs alone.

    Args:
        name: their login.
        client: theirs alone, of where they work.
        seed: of what they do.

    Attributes:
        kept: what was acknowledged.
        done: how many changes were.
        maybe: what a change makes of the model that may be done or not.
        bearable: errors, by status and code, after which a change is not done.
    """

    def __init__(self, name: str, client: httpx.Client, seed: int) -> None:
        self.name = name
        self.kept = Kept([name], Doc("", None, "", ""))
        self.done = 0
        self.maybe: Callable[[Json], object] | None = None
        self.bearable: set[tuple[int, str]] = set()
        self._client = client
        self._chance = random.Random(seed)
        self._number = 0
        self._answer: Json | None = None
        self._auth = httpx.BasicAuth(name, PASSWORD)

    def log_in(self) -> None:
        """Log in to the page, which lasts as long as this."""
        login = {"username": self.name, "password": PASSWORD}
        response = self.ask("POST", "/login", data=login)
        assert response.is_success, response.text

    # --- requests ----------------------------------------------------------------------------

    def ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        """The response to a request.

        Raises:
            UnsureError: there is none, or only that a part is away.
        """
        try:
            response = self._client.request(method, path, auth=self._auth, **how)
        except httpx.TransportError as broken:
            raise UnsureError(repr(broken)) from broken
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise UnsureError(response.text)
        return response

    def told(self, path: str) -> Any:
        """What is told at an address."""
        response = self.ask("GET", path)
        assert response.is_success, f"{path}: {response.status_code} {response.text}"
        return response.json()

    def _change(self, method: str, path: str, change: Callable[[Json], object], **how: Any) -> None:
        self.maybe = change
        response = self.ask(method, path, **how)
        made: Json = {}
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            *_, (event, made) = events_of(response)
            if event == "failed" and made["status"] == httpx.codes.SERVICE_UNAVAILABLE:
                raise UnsureError(made)
            refused = (made["status"], made["code"]) if event == "failed" else None
        elif response.is_success:
            made = response.json() if response.content else {}
            refused = None
        else:
            refused = (response.status_code, response.json().get("code"))
        self.maybe = None
        if refused:
            assert refused in self.bearable, f"{method} {path}: {refused} {response.text}"
        else:
            change(made)
            self.done += 1

    # --- what they do ------------------------------------------------------------------------

    def act(self) -> None:
        """Do something, whatever can be done now."""
        things = (self._document, self._document, self._note, self._talk)
        self._chance.choice(things)()

    def work(self, is_over: Callable[[], bool]) -> None:
        """Do one thing after the other, until it is over or it is not known what was done."""
        while not is_over():
            try:
                self.act()
            except UnsureError:
                return

    def _new(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self.name}-{self._number:06}"

    def _text(self, name: str) -> bytes:
        self._number += 1
        return file_of(name, 1000 + self._number).encode()

    def _document(self) -> None:
        there, gone = self.kept.own(self.name), self.kept.deleted_docs(self.name)
        if len(there) + len(gone) < MOST and (not there or self._chance.random() < 0.5):
            kind = self._chance.choice(("txt", "rtf"))
            name = f"{self._new('Alba').replace('-', '').capitalize()}.{kind}"
            text = self._text(name)

            def add(made: Json) -> None:
                self.kept.add(self.name, made.get("id", ""), name, text.decode(), None)

            sent = {"params": {"name": name}, "content": text}
            self._change("POST", "/uploads", add, **sent)
        elif gone and (not there or self._chance.random() < 0.4):
            back = self._chance.choice(gone)
            path = f"/documents/{back.id}/restore"
            self._change("POST", path, lambda _: self.kept.restore_doc(self.name, back))
            self._learn_ids()
        elif there:
            self._change_document(self._chance.choice(there))

    def _change_document(self, doc: Doc) -> None:
        how = self._chance.random()
        if how < 0.55:
            text = self._text(doc.name)
            self._change(
                "PUT",
                f"/api/documents/{doc.id}",
                lambda _: self.kept.replace_doc(self.name, doc, text.decode()),
                files={"file": (doc.name, text)},
            )
        elif how < 0.9:
            path = f"/documents/{doc.id}"
            self._change("DELETE", path, lambda _: self.kept.delete_doc(self.name, doc))
            self._learn_ids()
        else:
            path = f"/api/documents/{doc.id}"
            self._change("DELETE", path, lambda _: self.kept.remove_doc(self.name, doc))

    def _note(self) -> None:
        notes = [*self.kept.notes.values()]
        if len(notes) < MOST:
            note = {"id": self._new("note"), "created": float(self._number), "text": "Mind this"}
            note |= (
                {"kind": "answer", "answer": self._answer}
                if self._answer
                else {"kind": "highlight"}
            )
            self._put_note(note)
        else:
            self._change_note(self._chance.choice(notes))

    def _change_note(self, note: Note) -> None:
        own = note.sent["id"]
        if self._chance.random() < 0.5:
            self._put_note({**note.sent, "text": self._new("Mind")})
        elif note.deleted is None:
            change = self.kept.delete_note
            self._change("DELETE", f"/notes/{own}", lambda _: change(self.name, None, own))
        else:
            back, path = self.kept.restore_note, f"/notes/{own}/restore"
            self._change("POST", path, lambda _: back(self.name, None, own))

    def _put_note(self, note: Json) -> None:
        self._change(
            "PUT",
            "/notes",
            lambda _: self.kept.put_note(self.name, None, note, None),
            json=note,
        )

    def _talk(self) -> None:
        talks = [(own, talk) for (_, own), talk in self.kept.talks.items()]
        if len(talks) < MOST:
            self._put_turn(self._new("talk"), self.question())
            return
        own, talk = self._chance.choice(talks)
        if talk.deleted is not None:
            back, path = self.kept.restore_talk, f"/conversations/{own}/restore"
            self._change("POST", path, lambda _: back(self.name, None, own))
        elif len(talk.turns) < 2 * MOST:
            self._put_turn(own, "And in its worst week?")
        else:
            change, path = self.kept.delete_talk, f"/conversations/{own}"
            self._change("DELETE", path, lambda _: change(self.name, None, own))

    def _put_turn(self, identity: str, question: str) -> None:
        """Ask, and keep what comes of it."""
        answer = self.answered(question)
        turn = {
            "id": self._new("turn"),
            "asked": float(self._number),
            "question": question,
            "state": "stopped",
        }
        if answer["id"]:  # it has none where it could not be stored, on a full disk say
            turn |= {"state": answer["status"], "answer": answer}
        title = question[:100]
        self._change(
            "PUT",
            f"/conversations/{identity}/turns",
            lambda _: self.kept.put_turn(self.name, None, identity, title, turn),
            json={"title": title, "turn": turn},
        )

    def question(self) -> str:
        """One that a document of theirs answers, if they have any."""
        docs = self.kept.own(self.name)
        name = self._chance.choice(docs).name if docs else "Corvo.txt"
        return report_of(name).question

    def answered(self, question: str) -> Json:
        """What is answered."""
        response = self.ask("POST", "/api/ask", json={"question": question})
        assert response.is_success, f"{response.status_code} {response.text}"
        answer: Json = response.json()
        self._answer = answer if answer["id"] else None
        return answer

    # --- what is there -----------------------------------------------------------------------

    def check(self) -> None:
        """All that was acknowledged is there, and once, and nothing else; afterwards it is settled
        whether the last change was done."""
        seen = self.seen()
        if seen != self.expected() and self.maybe:
            self.maybe({})
        self.maybe = None
        expected = self.expected()
        lost, more = expected - seen, seen - expected
        assert not lost and not more, f"{self.name}: lost {lost}, not acknowledged {more}"
        self._learn_ids()
        self._check_documents()

    def expected(self) -> Counter[str]:
        """All that the model has of theirs."""
        kept, name = self.kept, self.name
        found: list[tuple[Any, ...]] = [("document", doc.name, doc.text) for doc in kept.own(name)]
        found += [("deleted", kind, title) for kind, title, _ in kept.trash_told(name, None)]
        for _, own, talk in kept.talks_in(name, None):
            if talk.deleted is None:
                asked = sorted(talk.turns.values(), key=lambda turn: turn.sent["asked"])
                turns = [_turn(turn.sent) for turn in asked]
                found.append(("conversation", own, talk.title, turns))
        found += [_noted(note.sent) for note in kept.notes_in(name, None)]
        return Counter(map(json.dumps, found))

    def seen(self) -> Counter[str]:
        """All that they are told is theirs, as `expected` gives it."""
        found: list[tuple[Any, ...]] = [
            ("document", doc["name"], self._content(doc["id"])) for doc in self._documents()
        ]
        found += [("deleted", one["kind"], one["title"]) for one in self.told("/trash")["deleted"]]
        for one in self.told("/conversations")["conversations"]:
            turns = self.told(f"/conversations/{one['id']}")["turns"]
            found.append(("conversation", one["id"], one["title"], [*map(_turn, turns)]))
        found += [_noted(one["note"]) for one in self.told("/notes")["notes"]]
        return Counter(map(json.dumps, found))

    def _check_documents(self) -> None:
        """Every document is whole, and is quoted rightly where it answers a question."""
        for doc in self.kept.own(self.name):
            report = report_of(doc.name)
            edition = next(map(int, re.findall(r"carried (\d+)", doc.text)))
            parts = self.told(f"/documents/{doc.id}")["paragraphs"]
            assert [part["text"] for part in parts] == report.text(edition).split("\n\n"), parts
            asked = {"question": report.question, "documents": [doc.id]}
            answer = self.ask("POST", "/api/ask", json=asked).json()
            assert answer["status"] == "answered", answer
            for quote in answer["citations"]:
                part = parts[quote["paragraph"] - 1]
                start, end = (quote[name] - part["start"] for name in ("start", "end"))
                assert part["text"][start:end] == quote["quote"], answer
            assert answer["citations"][0]["quote"] == report.fact.format(edition), answer
        if self.kept.own(self.name):
            query = {"query": "Pier of the harbour", "count": 100}
            hits = self.ask("POST", "/api/search", json=query).json()["hits"]
            places = [(hit["document_id"], hit["number"]) for hit in hits]
            assert len(places) == len(set(places)), places

    def _documents(self) -> list[Json]:
        listed = self.told("/api/documents")["documents"]
        return [one for one in listed if one["own"]]

    def _content(self, identity: str) -> str:
        response = self.ask("GET", f"/api/documents/{identity}/content")
        assert response.is_success, f"{response.status_code} {response.text}"
        return response.text

    def _learn_ids(self) -> None:
        """By which ids their documents are known: what was not acknowledged has come
        by one that they were not told, and a document that is deleted or restored by another."""
        there = {one["name"]: one["id"] for one in self._documents()}
        trash = self.told("/trash")["deleted"]
        gone = {one["title"]: one["id"] for one in trash if one["kind"] == "document"}
        for doc in self.kept.docs[1:]:
            doc.id = (there if doc.deleted is None else gone)[doc.name]


def _turn(turn: Json) -> Json:
    answer = turn.get("answer") or {}
    return {"id": turn["id"], "question": turn["question"], "answer": answer.get("id")}


def _noted(note: Json) -> tuple[str, str, str, str | None]:
    return "note", note["id"], note["text"], (note.get("answer") or {}).get("id")


@contextmanager
def working(people: list[Person], is_over: Callable[[], bool]) -> Iterator[list[threading.Thread]]:
    """People work, each in a thread, until it is over."""
    failures: list[BaseException] = []

    def work(person: Person) -> None:
        try:
            person.work(is_over)
        except BaseException as error:  # noqa: BLE001 (raised where it is waited for)
            failures.append(error)

    threads = [threading.Thread(target=work, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    try:
        yield threads
    finally:
        for thread in threads:
            thread.join(PATIENCE)
    for failure in failures:
        raise failure
