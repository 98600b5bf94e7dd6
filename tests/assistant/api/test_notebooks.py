"""Notebooks: who sees which and may do what with it, by HTTP; what is asked in them. All else that
three people may do with them `test_kept_properties` holds against a model."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from helpers import PATIENCE
from services import api_here, client_of, problem

from assistant import Assistant
from assistant.documents import UPLOADED
from assistant.workspace.feedback import votes_in
from assistant.workspace.turns import KeptAnswer
from index.database.kept_tables import conversations, deleted_documents, notebooks, notes, turns

LOGINS = [("ann", "first secret"), ("ben", "second secret"), ("eve", "third secret")]
TEXT = "Walnuts float in brine. Hazelnuts sink in it."
QUESTION = "What floats in brine?"


People = dict[str, httpx.Client]
"""A client of each who logs in."""


@pytest.fixture(autouse=True)
def _leave_nothing(assistant: Assistant) -> Iterator[None]:
    yield
    for info in assistant.index.documents():
        if info.source.startswith(UPLOADED):
            assistant.index.remove(info.id)
    with assistant.index.database.write() as connection:
        for table in (turns, notes, conversations, notebooks, deleted_documents):
            connection.execute(sa.delete(table))


@pytest.fixture
def people(assistant: Assistant) -> Iterator[People]:
    with ExitStack() as stack:
        url = stack.enter_context(api_here(assistant, auth=LOGINS))
        found: People = {}
        for name, password in LOGINS:
            found[name] = stack.enter_context(client_of(url))
            found[name].auth = httpx.BasicAuth(name, password)
        yield found


def add(client: httpx.Client, name: str, text: str = TEXT, notebook: str | None = None) -> str:
    response = client.post(
        "api/documents",
        files={"file": (name, text.encode())},
        params={"notebook": notebook} if notebook else {},
    )
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def make(client: httpx.Client, name: str, *documents: str, **shared: str) -> str:
    """A notebook; `shared` by login."""
    response = client.post("api/notebooks", json={"name": name, "documents": documents})
    assert response.status_code == 201, response.text
    notebook = str(response.json()["id"])
    if shared:
        changed = client.patch(f"api/notebooks/{notebook}", json={"shared": shared})
        assert changed.json()["shared"] == shared
    return notebook


def seen(client: httpx.Client) -> dict[str, str]:
    """What somebody may do, by the names of the notebooks that they see."""
    found = client.get("api/notebooks").json()["notebooks"]
    return {one["name"]: one["role"] for one in found}


def trash(client: httpx.Client, notebook: str | None = None) -> list[tuple[str, str, str | None]]:
    """What somebody may have back."""
    response = client.get("api/trash", params={"notebook": notebook} if notebook else {})
    assert response.status_code == 200, response.text
    times = [one["deleted"] for one in response.json()["deleted"]]
    assert times == sorted(times, reverse=True)
    assert all(abs(time.time() * 1000 - at) < PATIENCE * 1000 for at in times)
    return [(one["kind"], one["title"], one["notebook"]) for one in response.json()["deleted"]]


def turn(identity: str, question: str = QUESTION) -> dict[str, object]:
    return {"title": question, "turn": {"id": identity, "question": question, "state": "stopped"}}


def test_two_people_five_notebooks_three_ways(people: People) -> None:
    ann, ben, eve = people.values()
    nuts, oak = add(ann, "nuts.txt"), add(ben, "oak.txt", "Oaks grow slowly.")
    mine = make(ann, "Mine", nuts)
    read, write = make(ann, "Read", nuts, ben="read"), make(ann, "Write", nuts, ben="write")
    others, back = make(ben, "Ben's own", oak), make(ben, "Ben's, to read", oak, ann="read")

    assert seen(ann) == {"Mine": "own", "Read": "own", "Write": "own", "Ben's, to read": "read"}
    assert seen(ben) == {
        "Ben's own": "own",
        "Ben's, to read": "own",
        "Read": "read",
        "Write": "write",
    }
    assert seen(eve) == {}

    # What each may do with each: the status of HTTP, in the order of `DOING`.
    own, may_write, may_read, nothing = [200] * 7, [200] * 5 + [403] * 2, [200] * 3, [404] * 7
    may_read += [403] * 4
    table = {
        mine: (own, nothing, nothing),
        read: (own, may_read, nothing),
        write: (own, may_write, nothing),
        others: (nothing, own, nothing),
        back: (may_read, own, nothing),
    }
    for notebook, rows in table.items():
        for (name, client), expected, own_document in zip(
            people.items(), rows, (nuts, oak, None), strict=True
        ):
            at, conversation = f"api/notebooks/{notebook}", f"api/conversations/talk-of-{name}"
            of = {"notebook": notebook}
            told = [
                client.get(at),
                client.post("api/search", json={"query": "brine", "notebook": notebook}),
                client.put(f"{conversation}/turns", params=of, json=turn("turn-000001")),
                client.put(f"{at}/documents/{own_document or nuts}"),
                client.delete(f"{at}/documents/{'0' * 16}"),
                client.patch(at, json={"name": client.get(at).json().get("name", "X")}),
                client.delete(at),
            ]
            if told[-1].is_success:
                assert client.post(f"{at}/restore").status_code == 200
            statuses = [200 if one.is_success else one.status_code for one in told]
            if own_document is None:
                statuses[3] = 404  # eve has nothing that she could put in
            assert statuses == expected, (name, notebook)
            for one in told:
                if not one.is_success:
                    problem(one, one.status_code)
    # Whoever may only read asks in conversations of their own, which nobody else sees.
    for client, talks in ((ann, ["talk-of-ann"]), (ben, ["talk-of-ben", "talk-of-ann"])):
        listed = client.get("api/conversations", params={"notebook": read}).json()
        assert [one["id"] for one in listed["conversations"]] == talks


def test_conversations_of_all_notebooks_are_listed_and_found(
    people: People,
) -> None:
    ann, ben, eve = people.values()
    nuts = add(ann, "nuts.txt")
    read = make(ann, "Read", nuts, ben="read")
    write = make(ann, "Write", nuts, ben="write")
    gone = make(ben, "Gone")
    begun = (
        (ann, read, "of-ann-in-read"),
        (ben, None, "of-ben-in-none"),
        (ben, read, "of-ben-in-read"),
        (ann, None, "of-ann-in-none"),
        (ben, write, "of-ben-in-write"),
        (ben, gone, "of-ben-in-gone"),
    )
    for client, notebook, identity in begun:
        of = {"notebook": notebook} if notebook else {}
        put = client.put(f"api/conversations/{identity}/turns", params=of, json=turn("turn-000001"))
        assert put.status_code == 204, put.text
    ben.delete(f"api/notebooks/{gone}")

    def listed(client: httpx.Client, **params: str) -> list[dict[str, Any]]:
        told = client.get("api/conversations", params=params).json()
        found: list[dict[str, Any]] = told["conversations"]
        search = client.get("api/conversations/search", params={"text": "FLOATS", **params}).json()
        in_search = {one["conversation"]["id"]: one["conversation"] for one in search["found"]}
        assert [*in_search.values()] == found
        return found

    def ids(client: httpx.Client, **params: str) -> list[tuple[str, str | None, bool]]:
        return [(one["id"], one["notebook"], one["mine"]) for one in listed(client, **params)]

    everywhere = {"everywhere": "true"}
    assert ids(ben, **everywhere) == [
        ("of-ben-in-write", write, True),
        ("of-ben-in-read", read, True),
        ("of-ben-in-none", None, True),
        ("of-ann-in-read", read, False),
    ]
    assert ids(ann, **everywhere) == [
        ("of-ben-in-write", write, True),
        ("of-ann-in-none", None, True),
        ("of-ann-in-read", read, True),
    ]
    assert ids(eve, **everywhere) == []
    assert ids(ben) == [("of-ben-in-none", None, True)]
    assert ids(ben, notebook=write) == [("of-ben-in-write", write, True)]

    # What was deleted is listed likewise, for who may have it back.
    for identity, notebook in (("of-ben-in-write", write), ("of-ann-in-none", None)):
        of = {"notebook": notebook} if notebook else {}
        assert ann.delete(f"api/conversations/{identity}", params=of).status_code == 204
    told = ann.get("api/trash", params=everywhere).json()["deleted"]
    assert [(one["id"], one["notebook"]) for one in told] == [
        ("of-ann-in-none", None),
        ("of-ben-in-write", write),
    ]
    assert [title for _, title, _ in trash(ben)] == ["Gone"]


def test_what_its_owner_took_out_of_a_notebook_nobody_else_puts_back(people: People) -> None:
    ann, ben, _ = people.values()
    nuts = add(ann, "nuts.txt")
    notebook = make(ann, "Nuts", nuts, ben="write")
    inside = f"api/notebooks/{notebook}/documents/{nuts}"
    ann.delete(inside)
    problem(ben.put(inside), 404)
    assert trash(ben, notebook) == []
    ann.put(inside)
    # Nor what took the place of what another took out.
    ben.delete(inside)
    ann.delete(f"api/documents/{nuts}")
    assert add(ann, "nuts.txt", "My diary of the walnut year.") == nuts
    problem(ben.put(inside), 404)
    assert trash(ben, notebook) == []
    # Nor is another document of the same name in it.
    ann.put(inside)
    assert ann.delete(f"api/documents/{nuts}").status_code == 204
    assert add(ann, "nuts.txt", "My other diary.") == nuts
    assert ben.get(f"api/documents/{nuts}").status_code == 404
    assert ben.get(f"api/notebooks/{notebook}").json()["documents"] == []


def test_a_notebook_is_asked_alone(people: People) -> None:
    ann = people["ann"]
    nuts, oak = add(ann, "nuts.txt"), add(ann, "oak.txt", "Oaks grow slowly in the north.")
    notebook = make(ann, "Trees", oak)
    for path, wanted in (
        ("api/search", {"query": "brine"}),
        ("api/ask", {"question": QUESTION}),
        ("api/verify", {"text": "Walnuts float in brine."}),
        ("api/overview", {"sentences": 1}),
    ):
        response = ann.post(path, json={**wanted, "notebook": notebook})
        assert response.status_code == 200, path
        assert nuts not in response.text, path
    asked = {
        "model": "footnote",
        "messages": [{"role": "user", "content": QUESTION}],
        "metadata": {"notebook": "Trees"},
    }
    assert nuts not in ann.post("v1/chat/completions", json=asked).text
    empty = make(ann, "Empty")
    told = problem(ann.post("api/ask", json={"question": QUESTION, "notebook": empty}), 404)
    assert "no document in this notebook" in told["detail"]
    added = add(ann, "ash.txt", "Ash trees burn well.", empty)
    assert ann.get(f"api/notebooks/{empty}").json()["documents"] == [added]
    chosen = {"question": QUESTION, "notebook": empty, "documents": [nuts]}
    assert ann.post("api/ask", json=chosen).status_code == 404
    ann.delete(f"api/documents/{added}")
    assert ann.get(f"api/notebooks/{empty}").json()["documents"] == []


def test_a_conversation_of_another_notebook_is_not_begun_anew(people: People) -> None:
    ann, ben, _ = people.values()
    notebook = make(ann, "Nuts", add(ann, "nuts.txt"), ben="read")
    at, of = "api/conversations/conversation-1/turns", {"notebook": notebook}
    assert ben.put(at, json=turn("turn-000001")).status_code == 204
    assert ben.put(at, params=of, json=turn("turn-000002")).status_code == 404
    [kept] = ben.get("api/conversations/conversation-1").json()["turns"]
    assert kept["id"] == "turn-000001"


def test_what_a_browser_says_that_an_answer_was_is_not_kept(people: People) -> None:
    ann, ben, _ = people.values()
    notebook = make(ann, "Nuts", add(ann, "nuts.txt"), ben="write")
    of, at = {"notebook": notebook}, "api/conversations/conversation-1"
    answer = ann.post("api/ask", json={"question": QUESTION, **of}).json()
    own = {"id": "turn-000001", "question": QUESTION, "state": answer["status"]}

    def put(client: httpx.Client, told: object, **more: object) -> httpx.Response:
        kept = {"title": "T", "turn": {**own, "answer": told, **more}}
        return client.put(f"{at}/turns", params=of, json=kept)

    said = [{"text": "The total is 5,000 euros.", "verdict": "supported", "markers": [1]}]
    forged = {**answer, "sentences": said}
    assert put(ann, forged).status_code == 204
    for identity in ("", "0" * 32):
        told = problem(put(ann, {**forged, "id": identity}, id="turn-000002"), 404)
        assert (told["code"], "Ask again" in told["detail"]) == ("answer_gone", True)
    # What was stopped before its end has no answer: of it what stands in the documents is kept.
    citation = answer["citations"][0]
    quoted = {"text": citation["quote"], "verdict": "supported", "markers": [1]}
    other = {**citation, "marker": 2, "quote": "Walnuts sink in brine."}
    stopped = {"state": "stopped", "id": "turn-000003", "citations": [citation, other]}
    stopped["sentences"] = [quoted, *said, {**quoted, "text": other["quote"], "markers": [2]}]
    assert put(ann, None, **stopped).status_code == 204
    assert problem(put(ben, answer), 403)["code"] == "not_your_question"
    whole = ben.get(at, params=of).json()["turns"]
    assert [one["answer"] for one in whole] == [_as_kept(answer), None]
    assert [(one["text"], one["verdict"]) for one in whole[1]["sentences"]] == [
        (citation["quote"], "quoted")
    ]
    exported = ben.get(f"{at}/export", params={**of, "format": "md"}).text
    assert "5,000" not in exported and "Walnuts float" in exported
    # A note that ben keeps of it is the answer, too.
    note = {"id": "note-000001", "kind": "answer", "created": 1, "answer": forged}
    assert ben.put("api/notes", params=of, json=note).status_code == 204
    [noted] = ann.get("api/notes", params=of).json()["notes"]
    assert noted["note"]["answer"] == _as_kept(answer)


def _as_kept(answer: dict[str, object]) -> dict[str, object]:
    """An answer as it is told when it was kept, which takes nothing away."""
    kept = KeptAnswer.model_validate(answer).model_dump()
    assert (
        kept.items()
        >= {k: v for k, v in answer.items() if k not in ("citations", "closest")}.items()
    )
    return kept


def test_a_place_that_is_highlighted_says_what_stands_there(people: People) -> None:
    ann, ben, _ = people.values()
    document = add(ann, "nuts.txt")
    place = {
        "marker": 0, "document": "Forged", "document_id": document, "heading": ["Forged"],
        "paragraph": 1, "start": 0, "end": 23, "quote": TEXT[:23],
        "paragraph_start": 0, "paragraph_end": 9, "paragraph_text": "Forged",
    }  # fmt: skip
    note = {"id": "note-000001", "kind": "highlight", "created": 1, "text": ""}
    for wrong in ({"quote": "Walnuts sink in brine.."}, {"end": 22}, {"document_id": "gone"}):
        problem(ann.put("api/notes", json={**note, "citation": {**place, **wrong}}), 404)
    problem(ben.put("api/notes", json={**note, "citation": place}), 404)
    assert ann.put("api/notes", json={**note, "citation": place}).status_code == 204
    [kept] = ann.get("api/notes").json()["notes"]
    assert "Forged" not in str(kept)
    assert kept["note"]["citation"]["paragraph_text"] == TEXT
    # What is noted on it can be changed when the document is gone.
    ann.delete(f"api/documents/{document}")
    again = {**note, "text": "Mind", "citation": place}
    assert ann.put("api/notes", json=again).status_code == 204


def test_times_are_those_of_people(people: People) -> None:
    ann, at = people["ann"], "api/conversations/conversation-1"
    note = {"id": "note-000001", "kind": "highlight", "text": "Mind"}
    for wrong in (-1, 253_402_300_799_001, 1e18):
        sent = turn("turn-000001")
        sent["turn"] |= {"asked": wrong}  # type: ignore[operator]
        problem(ann.put(f"{at}/turns", json=sent), 422)
        problem(ann.put("api/notes", json={**note, "created": wrong}), 422)
    ann.put(f"{at}/turns", json=turn("turn-000001"))
    ann.put("api/notes", json={**note, "created": 253_402_300_799_000})
    for path in (at, "api/notes"):
        assert ann.get(f"{path}/export", params={"format": "md"}).status_code == 200


def test_what_one_says_of_an_answer_another_neither_changes_nor_takes_back(
    people: People, assistant: Assistant
) -> None:
    ann, ben, _ = people.values()
    vote = {"question": QUESTION, "history": [], "status": "refused", "confidence": None}
    vote |= {"sentences": [], "citations": []}

    def said() -> list[str]:
        found = map(json.loads, votes_in(assistant.index.database).splitlines())
        return sorted(one["verdict"] for one in found if one["question"] == QUESTION)

    for client, verdict, expected in (
        (ann, "up", ["up"]),
        (ben, "down", ["down", "up"]),
        (ben, None, ["up"]),
        (ann, "none", ["none"]),
        (ann, None, []),
    ):
        assert client.post("api/feedback", json={**vote, "verdict": verdict}).is_success
        assert said() == expected


SURROGATE = json.dumps("\ud800")
DEEP = "[" * 300 + "]" * 300


BROUGHT = [
    (f'"seen": {SURROGATE}', 422),
    (f"{SURROGATE}: 1", 422),
    (f'"documents": [{SURROGATE}]', 422),
    ('"asked": NaN', 422),
    ('"asked": 1e400', 422),
    (f'"asked": {"9" * 400}', 422),
    (f'"seen": {"9" * 5000}', 400),
    (f'"seen": {DEEP}', 422),
    (f'"seen": {"[" * 100_000}', 400),
    (f'"seen": "{"é" * 400_000}"', 413),
    (f'"seen": "{"a" * 3_000_000}"', 413),
    ('"seen": "\\u0000", "question": "a\\u0000b"', 204),
    (f'"seen": {"9" * 4000}, "more": NaN', 204),
    (f'"seen": {"[" * 150}{"]" * 150}', 204),
]


def test_whatever_a_turn_or_note_brings_is_refused_or_read_again(people: People) -> None:
    ann, there = people["ann"], 0
    headers = {"content-type": "application/json"}
    for number, (extra, status) in enumerate(BROUGHT):
        turn = f'{{"id": "turn-000001", "question": "q", "state": "stopped", {extra}}}'
        note = f'{{"id": "note-{number:06}", "kind": "highlight", "created": 1, {extra}}}'
        note = note.replace('"asked"', '"created"').replace('"documents": [', '"text": [')
        talk, there = f"api/conversations/talk-{number:06}", there + (status == 204)
        for path, sent, listed in (
            (f"{talk}/turns", f'{{"title": "", "turn": {turn}}}', "conversations"),
            ("api/notes", note, "notes"),
        ):
            response = ann.put(path, content=sent, headers=headers)
            assert response.status_code == status, (extra[:80], response.text)
            if status != 204:
                problem(response, status)
            told = ann.get(f"api/{listed}")
            assert told.status_code == 200, (extra[:80], told.text)
            assert len(told.json()[listed]) == there
        assert ann.get(talk).status_code == (200 if status == 204 else 404)


def test_names_are_one_line_of_text_and_ids_anything(people: People) -> None:
    ann = people["ann"]
    headers = {"content-type": "application/json"}
    notebook = make(ann, "Mine")
    for name in ("a\0", "a\nb", "\ud800", " ", "x" * 121, "\x1b[31m"):
        sent = json.dumps({"name": name})
        problem(ann.post("api/notebooks", content=sent, headers=headers), 422)
        problem(ann.patch(f"api/notebooks/{notebook}", content=sent, headers=headers), 422)
        shared = json.dumps({"shared": {name: "read"}})
        problem(ann.patch(f"api/notebooks/{notebook}", content=shared, headers=headers), 422)
        asked = json.dumps({"question": QUESTION, "notebook": name})
        assert ann.post("api/ask", content=asked, headers=headers).status_code in (404, 422)
    for identity in ("%ED%A0%80", "x%00", "%20", "a" * 300):
        at = f"api/notebooks/{notebook}/documents/{identity}"
        assert ann.put(at).status_code in (404, 405)
        assert ann.delete(at).status_code in (204, 404, 405)
        for path in (
            f"api/notebooks/{identity}",
            f"api/conversations/{identity}",
            f"api/notes?notebook={identity}",
        ):
            assert ann.get(path).status_code in (404, 422)
    problem(ann.post("api/notes/note-000009/restore"), 404)
    assert seen(ann) == {"Mine": "own"}


def test_several_documents_are_put_in_at_once_or_none(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, ben, _ = people.values()
    nuts, oak, fig, his = (
        add(ann, "nuts.txt"),
        add(ann, "oak.txt", "Oaks grow slowly."),
        add(ann, "fig.txt", "Figs are sweet."),
        add(ben, "ash.txt", "Ashes grow fast."),
    )
    notebook = make(ann, "Trees", nuts, ben="write")

    def put(client: httpx.Client, *documents: str) -> httpx.Response:
        return client.put(f"api/notebooks/{notebook}/documents", json={"documents": documents})

    def inside() -> list[str]:
        found: list[str] = ann.get(f"api/notebooks/{notebook}").json()["documents"]
        return found

    assert his in problem(put(ann, oak, his), 404)["detail"]
    assert problem(put(ben, his, fig), 404)["code"] == "document_gone"
    assert problem(put(ben, his, nuts), 403)["code"] == "not_yours"
    assert inside() == [nuts]
    assert put(ann, oak, nuts, fig, oak).status_code == 204
    assert inside() == [nuts, oak, fig]
    assert ben.delete(f"api/notebooks/{notebook}/documents/{fig}").status_code == 204
    assert put(ben, his, fig).status_code == 204  # the other one back
    assert inside() == [nuts, oak, his, fig]

    assert put(ann).status_code == 204
    for document in (oak, fig):
        ann.delete(f"api/notebooks/{notebook}/documents/{document}")
    monkeypatch.setattr("assistant.workspace.notebooks.MAX_ITEMS", 3)
    full = problem(put(ann, oak, fig), 422)
    assert (full["code"], full["values"]) == ("notebook_room", {"count": 1})
    assert inside() == [nuts, his]
    assert put(ann, oak, nuts).status_code == 204
    full = problem(put(ann, oak, fig), 422)
    assert (full["code"], full["values"]) == ("notebook_full", {"count": 3})
    assert put(ann, oak).status_code == 204
    assert inside() == [nuts, his, oak]
