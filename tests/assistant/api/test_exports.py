"""What is kept goes along as files, by HTTP: who may have which, and what is in them."""

from __future__ import annotations

import io
import json
import zipfile
from urllib.parse import unquote

import httpx
import pytest
from browsing import QUESTION, UNANSWERABLE
from services import client_of, problem

FORMATS = ("docx", "md", "bib", "ris", "csl")
CONVERSATION = "talk-0001"


@pytest.fixture(scope="module")
def answer(api_url: str) -> dict[str, object]:
    """That of a question which is kept in a conversation, with a note, before one that was not
    answered."""
    with client_of(api_url) as client:
        answered = client.post("api/ask", json={"question": QUESTION}).json()
        refused = client.post("api/ask", json={"question": UNANSWERABLE}).json()
        for number, own in enumerate((answered, refused), start=1):
            turn = {
                "id": f"turn-000{number}",
                "asked": 1_700_000_000_000 + number,
                "question": own["question"],
                "state": own["status"],
                "answer": own,
            }
            kept = {"title": "What we asked: a/b", "turn": turn}
            told = client.put(f"api/conversations/{CONVERSATION}/turns", json=kept)
            assert told.status_code == 204, told.text
        note = {
            "id": "turn-0001", "kind": "answer", "text": "Ask Eve.", "created": 1,
            "conversation": CONVERSATION, "turn": "turn-0001", "answer": answered,
        }  # fmt: skip
        assert client.put("api/notes", json=note).status_code == 204
        found: dict[str, object] = answered
        return found


def exported(client: httpx.Client, path: str, format_: str, **more: str) -> httpx.Response:
    response = client.get(f"api/{path}/export", params={"format": format_, **more})
    assert response.status_code == 200, response.text
    return response


def name_of(response: httpx.Response) -> str:
    return unquote(response.headers["content-disposition"].partition("utf-8''")[2])


def plain(response: httpx.Response) -> str:
    """Markdown without what keeps its texts from being markup."""
    return response.text.replace("\\", "")


def test_a_conversation_goes_along_with_its_notes(
    client: httpx.Client, answer: dict[str, object]
) -> None:
    files = {kind: exported(client, f"conversations/{CONVERSATION}", kind) for kind in FORMATS}
    assert name_of(files["docx"]) == "What we asked a b.docx"
    assert name_of(files["csl"]) == "What we asked a b.json"
    with zipfile.ZipFile(io.BytesIO(files["docx"].content)) as word:
        footnotes = word.read("word/footnotes.xml").decode()
    text = plain(files["md"])
    for own in answer["citations"]:  # type: ignore[attr-defined]
        assert own["quote"] in footnotes
        assert f"paragraph {own['paragraph']}" in footnotes
    assert text.index(QUESTION) < text.index("Ask Eve.") < text.index(UNANSWERABLE)
    assert "Asked on 2023-11-14" in text
    [work] = json.loads(files["csl"].text)
    assert work["title"] == answer["citations"][0]["document"]  # type: ignore[index]
    assert files["bib"].text.startswith("@misc{")
    assert files["ris"].text.startswith("TY  - ")
    assert "Ask Eve." in plain(exported(client, "notes", "md"))


def test_one_answer_goes_along_alone(client: httpx.Client, answer: dict[str, object]) -> None:
    path, of = f"conversations/{CONVERSATION}", {"turn": "turn-0002"}
    text = plain(exported(client, path, "md", **of))
    assert "The documents do not say." in text
    assert QUESTION not in text
    gone = {"format": "md", "turn": "turn-0003"}
    problem(client.get(f"api/{path}/export", params=gone), 404)
    problem(client.get(f"api/{path}/export", params={"format": "pdf"}), 422)


def test_a_notebook_goes_along_whole_to_who_may_read_it(
    client: httpx.Client, answer: dict[str, object]
) -> None:
    made = client.post("api/notebooks", json={"name": "Trade"}).json()
    notebook, of = f"notebooks/{made['id']}", {"notebook": made["id"]}
    turn = {"id": "turn-0001", "question": QUESTION, "state": "answered", "answer": answer}
    kept = {"title": "Begun", "turn": turn}
    client.put("api/conversations/talk-0002/turns", params=of, json=kept)
    place = answer["citations"][-1]  # type: ignore[index]
    highlight = {"id": "note-0001", "kind": "highlight", "created": 1, "citation": place}
    client.put("api/notes", params=of, json=highlight | {"text": "Look again."})
    text = plain(exported(client, notebook, "md"))
    assert text.startswith("# Trade\n")
    assert text.index(QUESTION) < text.index("Look again.")
    client.delete(f"api/{notebook}")
    problem(client.get(f"api/{notebook}/export", params={"format": "md"}), 404)


def test_places_are_cited(client: httpx.Client, answer: dict[str, object]) -> None:
    places = [
        {"document": own["document_id"]} | {k: own[k] for k in ("paragraph", "start", "end")}
        for own in answer["citations"]  # type: ignore[attr-defined]
    ]
    wanted = {"format": "csl", "citations": places}
    found = json.loads(client.post("api/cite", json=wanted).text)
    quotes = [own["quote"] for own in answer["citations"]]  # type: ignore[attr-defined]
    assert all(quote in own["note"] for own, quote in zip(found, quotes, strict=True))
    gone = wanted | {"citations": [places[0] | {"start": 0, "end": 1}]}
    problem(client.post("api/cite", json=gone), 404)
