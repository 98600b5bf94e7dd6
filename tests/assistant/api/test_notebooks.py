"""Notebooks: who sees which and may do what with it, by HTTP; what is asked in them."""

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
from services import api_here, client_of, forget_keys, problem

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.documents import UPLOADED
from assistant.tables import conversations, deleted_documents, notebooks, notes, turns
from assistant.workspace.feedback import votes_in
from assistant.workspace.turns import KeptAnswer

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


def test_what_is_shared_is_asked_and_read_and_what_no_longer_is_is_not(people: People) -> None:
    ann, ben, _ = people.values()
    nuts = add(ann, "nuts.txt")
    notebook = make(ann, "Nuts", nuts)
    asked = {"question": QUESTION, "notebook": "nuts"}
    assert ben.post("api/ask", json=asked).status_code == 404
    assert ben.get(f"api/documents/{nuts}").status_code == 404
    ann.patch(f"api/notebooks/{notebook}", json={"shared": {"ben": "read"}})
    answer = ben.post("api/ask", json=asked).json()
    assert answer["text"].startswith("Walnuts float in brine.")
    assert ben.get(f"api/documents/{nuts}/content").text == TEXT
    assert ben.delete(f"api/documents/{nuts}").status_code == 403
    # What others share is not passed on: one puts in what is one's own.
    assert ben.post("api/notebooks", json={"name": "Mine", "documents": [nuts]}).status_code == 403
    # Nor is it among what is asked without the notebook.
    assert nuts not in [d["id"] for d in ben.get("api/documents").json()["documents"]]
    ann.patch(f"api/notebooks/{notebook}", json={"shared": {}})
    assert ben.post("api/ask", json=asked).status_code == 404
    assert ben.get(f"api/documents/{nuts}/content").status_code == 404
    # Of one that is named by its id, as the page does, it is told that it is gone.
    gone = problem(ben.get(f"api/notebooks/{notebook}"), 404)["detail"]
    told = problem(ben.post("api/ask", json={**asked, "notebook": notebook}), 404)["detail"]
    assert told == gone and "no notebook" not in told


def test_conversations_of_all_notebooks_are_listed_and_found_and_some_are_pinned(
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
    ann.post("api/conversations/of-ben-in-write/restore", params={"notebook": write})

    # Who may change one pins it, for all who see it; neither its place nor its name is another.
    before = listed(ann, **everywhere)
    at = "api/conversations/of-ben-in-write"
    of = {"notebook": write}
    assert ben.patch(at, params=of, json={"pinned": True}).status_code == 204
    assert listed(ann, **everywhere) == [{**before[0], "pinned": True}, *before[1:]]
    assert not any(one["pinned"] for one in before)
    ann.put(f"{at}/turns", params=of, json=turn("turn-000002"))
    ann.patch(at, params=of, json={"title": "Named"})
    assert [(one["title"], one["pinned"]) for one in listed(ann, notebook=write)[:1]] == [
        ("Named", True)
    ]
    ann.patch(at, params=of, json={"pinned": False})
    assert not listed(ben, notebook=write)[0]["pinned"]
    of = {"notebook": read}
    problem(ben.patch("api/conversations/of-ann-in-read", params=of, json={"pinned": True}), 403)
    problem(eve.patch(at, json={"pinned": True}), 404)


def test_what_was_deleted_is_listed_for_who_may_have_it_back(people: People) -> None:
    ann, ben, eve = people.values()
    nuts = add(ann, "nuts.txt")
    notebook = make(ann, "Nuts", nuts)
    at, of = f"api/notebooks/{notebook}", {"notebook": notebook}
    talk, mine = "api/conversations/talk-of-ann", "api/conversations/own-of-ann"
    ann.patch(at, json={"shared": {"ben": "write"}})
    ann.put(f"{talk}/turns", params=of, json=turn("turn-000001"))
    ann.put(f"{mine}/turns", json=turn("turn-000001", "My own"))
    note = {"id": "note-000001", "kind": "highlight", "created": 1, "text": "Mind " * 100}
    ann.put("api/notes", params=of, json=note)
    for path in (talk, "api/notes/note-000001", f"{at}/documents/{nuts}"):
        assert ben.delete(path, params=of).status_code == 204
    ann.delete(mine)

    mind = ("Mind " * 100)[:119] + "…"
    listed = [("document", "nuts.txt", notebook), ("note", mind, notebook)]
    listed.append(("conversation", QUESTION, notebook))
    assert trash(ann, notebook) == trash(ben, notebook) == listed
    assert (trash(ann), trash(ben), trash(eve)) == ([("conversation", "My own", None)], [], [])
    problem(eve.get("api/trash", params=of), 404)
    # Whoever may only read has back what is theirs alone.
    ann.patch(at, json={"shared": {"ben": "read"}})
    ben.put("api/conversations/talk-of-ben/turns", params=of, json=turn("turn-000001", "Ben's"))
    ben.delete("api/conversations/talk-of-ben", params=of)
    assert trash(ben, notebook) == [("conversation", "Ben's", notebook)]
    assert trash(ann, notebook) == listed
    problem(ben.post(f"{talk}/restore", params=of), 403)
    problem(ben.put(f"{at}/documents/{nuts}"), 403)

    ann.patch(at, json={"shared": {"ben": "write"}})
    assert ann.post(f"{talk}/restore", params=of).status_code == 204
    assert ben.post("api/notes/note-000001/restore", params=of).status_code == 204
    assert ben.put(f"{at}/documents/{nuts}").status_code == 204
    assert ann.get(at).json()["documents"] == [nuts]
    assert ann.get(talk, params=of).json()["by"] == "ann"
    assert trash(ann, notebook) == []
    ann.delete(at)
    assert (trash(ann)[0], trash(ben)) == (("notebook", "Nuts", None), [])


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


def test_of_two_who_write_the_same_note_neither_wipes_out_the_other(people: People) -> None:
    ann, ben, _ = people.values()
    of = {"notebook": make(ann, "Nuts", ben="write")}
    note = {"id": "note-000001", "kind": "highlight", "created": 1}

    def save(client: httpx.Client, text: str, over: str | None) -> httpx.Response:
        return client.put("api/notes", params=of, json={**note, "text": text, "over": over})

    assert save(ann, "", None).status_code == 204
    assert save(ben, "Ben's", "").status_code == 204
    assert save(ben, "Ben's", "").status_code == 204, "it may not have heard that it was kept"
    told = problem(save(ann, "Ann's", ""), 409)
    assert "changed" in told["detail"]
    [kept] = ann.get("api/notes", params=of).json()["notes"]
    assert (kept["note"]["text"], kept["by"]) == ("Ben's", "ann")
    assert "over" not in kept["note"]
    for over in ("Ben's", None):
        assert save(ann, "Ann's", over).status_code == 204


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


def test_a_conversation_loses_nothing_of_two_who_ask_in_it(people: People) -> None:
    ann, ben, eve = people.values()
    notebook = make(ann, "Shared", add(ann, "nuts.txt"), ben="write")
    at, of = "api/conversations/conversation-1", {"notebook": notebook}
    for client, identity in ((ann, "turn-000001"), (ben, "turn-000002"), (ann, "turn-000003")):
        kept = client.put(f"{at}/turns", params=of, json=turn(identity, identity))
        assert kept.status_code == 204, kept.text
    ann.put(f"{at}/turns", params=of, json=turn("turn-000001", "again"))
    for client in (ann, ben):
        whole = client.get(at, params=of).json()
        assert {one["id"]: one["question"] for one in whole["turns"]} == {
            "turn-000001": "again",
            "turn-000002": "turn-000002",
            "turn-000003": "turn-000003",
        }
        assert (whole["by"], whole["mine"]) == ("ann", True)
    ben.patch(at, params=of, json={"title": "Named"})
    ann.put(f"{at}/turns", params=of, json=turn("turn-000004"))
    assert ann.get(at, params=of).json()["title"] == "Named"
    ben.post(f"{at}/turns/remove", params=of, json={"turns": ["turn-000003", "turn-000004"]})
    assert len(ann.get(at, params=of).json()["turns"]) == 2
    # The same id elsewhere is another conversation.
    assert eve.get(at).status_code == 404
    eve.put(f"{at}/turns", json=turn("turn-000009"))
    assert [one["id"] for one in eve.get(at).json()["turns"]] == ["turn-000009"]
    ben.delete(at, params=of)
    assert ann.get(at, params=of).status_code == 404
    assert ann.put(f"{at}/turns", params=of, json=turn("turn-000005")).status_code == 404
    ben.post(f"{at}/restore", params=of)
    assert len(ann.get(at, params=of).json()["turns"]) == 2


def test_one_is_shared_only_with_who_is_there(people: People) -> None:
    ann = people["ann"]
    notebook = make(ann, "Mine")
    for name in ("nobody", "ann"):
        told = problem(ann.patch(f"api/notebooks/{notebook}", json={"shared": {name: "read"}}), 422)
        assert name in told["detail"]
    assert ann.patch(f"api/notebooks/{notebook}", json={"shared": {"ben": "own"}}).is_client_error
    told = ann.patch(f"api/notebooks/{notebook}", json={"shared": {"Ben": "read"}}).json()
    assert (told["shared"], seen(people["ben"])) == ({"ben": "read"}, {"Mine": "read"})
    assert ann.post("api/notebooks", json={"name": "  "}).status_code == 422


def test_one_that_is_refused_leaves_nothing_behind(people: People) -> None:
    ann, ben, _ = people.values()
    shared, own = add(ann, "nuts.txt"), add(ben, "oak.txt", "Oaks grow slowly.")
    make(ann, "Nuts", shared, ben="read")
    wanted = {"name": "Mine", "documents": [own, shared]}
    assert ben.post("api/notebooks", json=wanted).status_code == 403
    assert seen(ben) == {"Nuts": "read"}


def test_a_conversation_of_another_notebook_is_not_begun_anew(people: People) -> None:
    ann, ben, _ = people.values()
    notebook = make(ann, "Nuts", add(ann, "nuts.txt"), ben="read")
    at, of = "api/conversations/conversation-1/turns", {"notebook": notebook}
    assert ben.put(at, json=turn("turn-000001")).status_code == 204
    assert ben.put(at, params=of, json=turn("turn-000002")).status_code == 404
    [kept] = ben.get("api/conversations/conversation-1").json()["turns"]
    assert kept["id"] == "turn-000001"


def test_who_sits_at_the_machine_is_one_owner(assistant: Assistant) -> None:
    with api_here(assistant) as url, client_of(url) as client, client_of(url) as other:
        notebook = make(client, "Nuts", add(client, "nuts.txt"))
        assert seen(other) == {"Nuts": "own"}
        assert client.get(f"api/notebooks/{notebook}").json()["owner"] == ""
        # The sample has gone, and can still be read by who has it in an answer.
        [listed] = other.get("api/documents").json()["documents"]
        assert (listed["name"], listed["sample"]) == ("nuts.txt", False)
        [sample] = assistant.document_ids
        assert other.get(f"api/documents/{sample}").json()["sample"]


def test_what_is_kept_is_held_against_the_documents_as_they_are(people: People) -> None:
    ann, ben, _ = people.values()
    text = (
        "Walnuts float in brine.\n\n"
        "The kitchen opens at eight and closes at noon on Sundays in winter.\n\n"
        "Oaks grow slowly."
    )
    document = add(ann, "house.txt", text)
    notebook = make(ann, "House", document, ben="read")
    of = {"notebook": notebook}
    for number in (1, 2, 3):
        paragraph = ann.get(f"api/documents/{document}/paragraphs/{number}").json()
        citation = {
            **{name: paragraph[name] for name in ("document", "document_id", "start", "end")},
            **{"marker": 0, "heading": [], "paragraph": number, "quote": paragraph["text"]},
            "paragraph_start": paragraph["start"],
            "paragraph_end": paragraph["end"],
            "paragraph_text": paragraph["text"],
        }
        note = {"id": f"note-00000{number}", "kind": "highlight", "created": number}
        kept = ann.put("api/notes", params=of, json={**note, "citation": citation, "text": "Mind"})
        assert kept.status_code == 204, kept.text
        assert ben.put("api/notes", params=of, json=note).status_code == 403

    def standing(client: httpx.Client) -> list[str]:
        notes = client.get("api/notes", params=of).json()["notes"]
        assert [one["note"]["text"] for one in notes] == ["Mind"] * 3
        return [place["standing"] for one in reversed(notes) for place in one["now"]]

    assert standing(ann) == standing(ben) == ["there"] * 3
    changed = (
        "A new beginning.\n\n"
        "The kitchen opens at nine and closes at noon on Sundays in winter.\n\n"
        "Walnuts float in brine."
    )
    replaced = ann.put(f"api/documents/{document}", files={"file": ("house.txt", changed)})
    assert replaced.status_code == 200
    assert standing(ann) == ["there", "changed", "gone"]
    [walnuts] = ann.get("api/notes", params=of).json()["notes"][-1]["now"]
    assert changed[walnuts["start"] : walnuts["end"]] == "Walnuts float in brine."
    ann.delete("api/notes/note-000001", params=of)
    assert len(ben.get("api/notes", params=of).json()["notes"]) == 2
    ann.post("api/notes/note-000001/restore", params=of)
    ann.delete(f"api/notebooks/{notebook}/documents/{document}")
    assert standing(ben) == ["gone"] * 3


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


def test_times_are_those_of_people_and_what_is_kept_already_is_exported(
    people: People, assistant: Assistant
) -> None:
    ann, at = people["ann"], "api/conversations/conversation-1"
    note = {"id": "note-000001", "kind": "highlight", "text": "Mind"}
    for wrong in (-1, 253_402_300_799_001, 1e18):
        sent = turn("turn-000001")
        sent["turn"] |= {"asked": wrong}  # type: ignore[operator]
        problem(ann.put(f"{at}/turns", json=sent), 422)
        problem(ann.put("api/notes", json={**note, "created": wrong}), 422)
    ann.put(f"{at}/turns", json=turn("turn-000001"))
    ann.put("api/notes", json={**note, "created": 253_402_300_799_000})
    with assistant.index.database.write() as connection:  # as a former version did
        for table, name in ((turns, "asked"), (notes, "created")):
            [body] = connection.scalars(sa.select(table.c.body))
            late = json.dumps(json.loads(body) | {name: 1e300})
            connection.execute(sa.update(table).values({"body": late, name: 1e300}))
    for path in (at, "api/notes"):
        for format_ in ("md", "docx", "bib"):
            assert ann.get(f"{path}/export", params={"format": format_}).status_code == 200


def test_a_key_that_may_ask_changes_nothing(assistant: Assistant) -> None:
    keys = Keys(assistant.index.database)
    talk, note = "api/conversations/conversation-1", "api/notes/note-000001"
    with api_here(assistant) as url, ExitStack() as stack:
        asks, writes = (
            stack.enter_context(client_of(url, keys.create(name, scopes)))
            for name, scopes in (("asks", ["ask"]), ("writes", ["ask", "write"]))
        )
        noted = {"id": "note-000001", "kind": "highlight", "created": 1, "text": "Mind"}
        for client, done in ((asks, 403), (writes, 204)):
            told = [
                client.put(f"{talk}/turns", json=turn("turn-000001")),
                client.patch(talk, json={"title": "Named"}),
                client.post(f"{talk}/turns/remove", json={"turns": ["turn-000001"]}),
                client.delete(talk),
                client.post(f"{talk}/restore"),
                client.put("api/notes", json=noted),
                client.delete(note),
                client.post(f"{note}/restore"),
            ]
            assert {one.status_code for one in told} == {done}
        for path in ("conversations", "conversations/search?text=a", "notes", "trash", "notebooks"):
            assert asks.get(f"api/{path}").status_code == 200
    forget_keys(assistant.index.database)


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
