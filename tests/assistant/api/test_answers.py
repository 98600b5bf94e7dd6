"""The API as programs use it: asking, searching, verifying, and the documents that they add."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from browsing import QUESTION, QUOTE, UNANSWERABLE
from helpers import footnote
from office import HTML, write_docx
from services import api_here, client_of, events_of, problem

from assistant import Assistant
from assistant.api.downloads import MEDIA_TYPES
from assistant.api.runner import served
from assistant.schemas.answers import AnswerValue, VerificationValue
from assistant.schemas.documents import FoundValue
from assistant.service.service import Service
from index.readers.formats import FORMATS, TEXT_FORMATS

EVENTS = {"accept": "text/event-stream"}
HISTORY = [
    {"role": "user", "content": "What does China think of the Quad?"},
    {"role": "assistant", "content": "It is against it."},
]
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R
/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj
4 0 obj<</Length 71>>stream
BT /F1 12 Tf 20 200 Td (Walnuts float in brine and pears do not.) Tj ET
endstream endobj
trailer<</Root 1 0 R>>
"""


def comparable(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what differs from time to time, or from machine to machine."""
    plain: dict[str, Any] = json.loads(json.dumps({**answer, "timings_ms": {}}))
    plain.pop("id", None)  # by which a server keeps it: each time another
    for citation in (*plain["citations"], *plain["closest"]):
        citation["source"] = citation["source"].rpartition("/")[2]
        citation.pop("uri", None)  # of those who cannot name it themselves
    return plain


@pytest.mark.parametrize(
    ("question", "history"),
    [
        (QUESTION, []),
        (UNANSWERABLE, []),
        ("What are the main points?", []),
        ("What are the seven themes?", []),
        ("hello", []),
        ("And how does India see it?", HISTORY),
    ],
)
def test_an_answer_is_the_same_as_from_python(
    client: httpx.Client, assistant: Assistant, question: str, history: list[dict[str, str]]
) -> None:
    expected = comparable(assistant.ask(question, history).to_dict())
    asked = {"question": question, "history": history}
    response = client.post("api/ask", json=asked)
    assert response.status_code == 200
    told = response.json()
    assert comparable(AnswerValue.model_validate(told).model_dump()) == expected
    assert "/" not in "".join(c["source"] for c in (*told["citations"], *told["closest"]))
    assert told["timings_ms"]["total"] > 0
    steps = events_of(client.post("api/ask", json=asked, headers=EVENTS))
    names = [name for name, _ in steps]
    assert names == ["sources", "decided", *["sentence"] * len(expected["sentences"]), "done"]
    assert steps[1][1]["status"] == expected["status"]
    assert [s["sentence"] for name, s in steps if name == "sentence"] == expected["sentences"]
    assert comparable(steps[-1][1]) == expected


def test_what_else_can_be_asked(client: httpx.Client, assistant: Assistant) -> None:
    found = FoundValue.model_validate(
        client.post("api/search", json={"query": "missile defense", "count": 3}).json()
    )
    hits = assistant.search("missile defense", 3)
    assert [hit.number for hit in found.hits] == [hit.paragraph.number for hit in hits]
    assert [hit.score for hit in found.hits] == [round(hit.score, 6) for hit in hits]
    text = f"{QUOTE} It was released on March 3."
    verified = client.post("api/verify", json={"text": text}).json()
    judged = VerificationValue.model_validate(verified)
    assert [s.verdict for s in judged.sentences] == ["supported", "unsupported"]
    assert judged.supported is False
    overview = client.post("api/overview", json={"sentences": 3}).json()
    assert (overview["kind"], len(overview["sentences"])) == ("overview", 3)
    heading = "US Strategy toward the Indo-Pacific"
    part = client.post("api/overview", json={"about": heading, "sentences": 2}).json()
    assert (part["kind"], len(part["sentences"])) == ("overview", 2)
    assert {tuple(citation["heading"]) for citation in part["citations"]} == {(heading,)}
    named = client.post("api/ask", json={"question": f"Summarize this section: {heading}"}).json()
    for question, turns in (("summarize this", []), ("shorten that", HISTORY)):
        asked = {"question": question, "history": turns, "section": heading}
        of_section = client.post("api/ask", json=asked).json()
        assert of_section["kind"] == "overview"
        assert of_section["sentences"] == named["sentences"]
    whole = client.post("api/overview", json={}).json()
    assert whole["kind"] == "overview"


def test_a_document_is_added_asked_replaced_and_removed(
    client: httpx.Client,
) -> None:
    def send(text: str, method: str = "POST", path: str = "", **more: Any) -> httpx.Response:
        file = {"file": ("../../etc/notes.txt", text.encode(), "text/plain")}
        return client.request(method, f"api/documents{path}", files=file, **more)

    before = client.get("api/documents").json()["documents"]
    assert [own["own"] for own in before] == [False]
    text = "Walnuts float in brine.\n\nThese sink in it:\n\n- Pears"
    made = send(text)
    assert made.status_code == 201
    document = made.json()
    assert (document["name"], document["own"], document["kept"]) == ("notes.txt", True, True)
    identity = document["id"]
    asked = {"question": "What floats in brine?", "documents": [identity]}
    answer = client.post("api/ask", json=asked).json()
    assert answer["text"] == "Walnuts float in brine."
    assert answer["citations"][0]["source"] == "notes.txt"
    read = client.get(f"api/documents/{identity}/paragraphs/3").json()
    assert (read["introduction"], read["text"], read["of"]) == ("These sink in it:", "- Pears", 3)
    assert "has 3" in problem(client.get(f"api/documents/{identity}/paragraphs/4"), 404)["detail"]
    content = client.get(f"api/documents/{identity}/content")
    assert content.text == text
    assert content.headers["content-disposition"] == 'attachment; filename="notes.txt"'
    assert identity in problem(send("Figs float."), 409)["detail"]

    steps = events_of(send("Figs float in brine.", "PUT", f"/{identity}", headers=EVENTS))
    assert [name for name, _ in steps][-1] == "done"
    assert steps[0] == ("progress", {"done": 0, "total": 1, "unit": "paragraphs"})
    assert steps[-1][1]["id"] == identity
    assert client.post("api/ask", json=asked).json()["text"] == "Figs float in brine."

    assert client.delete(f"api/documents/{identity}").status_code == 204
    for path in ("", "/content", "/paragraphs/1"):
        problem(client.get(f"api/documents/{identity}{path}"), 404)
    problem(client.delete(f"api/documents/{identity}"), 404)
    problem(client.post("api/ask", json=asked), 404)
    assert client.get("api/documents").json()["documents"] == before
    assert "not yours" in problem(client.delete(f"api/documents/{before[0]['id']}"), 403)["detail"]


def test_a_document_says_who_wrote_it_when_and_where(client: httpx.Client) -> None:
    head = (
        '<meta name="author" content="Ann"><meta name="author" content="&#x202e;Bob">'
        '<meta name="date" content="2022-03-07"><link rel="canonical" href="{}">'
    )
    page = f"<html><head>{head}</head><p>Walnuts float in brine.</p></html>"
    address = "https://example.org/walnuts"
    content = page.format(address).encode()
    made = client.post("api/documents", files={"file": ("notes.html", content)}).json()
    assert (made["authors"], made["date"]) == (["Ann", "Bob"], "2022-03-07")
    assert (made["address"], made["bytes"], made["pages"]) == (address, len(content), 0)
    assert datetime.fromisoformat(made["added"]) <= datetime.now(UTC)
    path = f"api/documents/{made['id']}"
    assert made in client.get("api/documents").json()["documents"]

    hostile = {"file": ("notes.html", page.format("javascript:alert(1)").encode())}
    replaced = client.put(path, files=hostile).json()
    assert (replaced["address"], replaced["added"]) == ("", made["added"])
    client.delete(path)


def test_what_cannot_be_replaced_is_refused_before_its_turn(assistant: Assistant) -> None:
    service = Service(assistant, "127.0.0.1")
    with served(service, "127.0.0.1", [0]) as url, client_of(url) as client:
        shared, nothing = assistant.document_ids[0], "0" * 16
        with service.adding.place("another"):
            for identity, status in ((shared, 403), (nothing, 404)):
                file = {"file": ("notes.txt", b"Figs float.")}
                problem(client.put(f"api/documents/{identity}", files=file), status)


def test_the_original_of_any_format_comes_back_to_be_saved(
    client: httpx.Client, tmp_path: Path
) -> None:
    write_docx(tmp_path / "report.docx")
    for name, content, kind in (
        ("report.docx", (tmp_path / "report.docx").read_bytes(), MEDIA_TYPES[".docx"]),
        ("page.html", HTML.encode(), "text/html"),
        ("wine.txt", "Rosé floats.".encode("cp1252"), "text/plain"),
        # Whatever its name says it is, a script of ours it is not.
        ("code.js", b"alert('Pears float.')", "text/plain"),
    ):
        made = client.post("api/documents", files={"file": (name, content)})
        assert made.status_code == 201, made.text
        path = f"api/documents/{made.json()['id']}"
        found = client.get(f"{path}/content")
        assert found.content == content
        assert found.headers["content-type"] == kind
        assert found.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert found.headers["x-content-type-options"] == "nosniff"
        # A PDF takes its place: what comes back is called one.
        assert client.put(path, files={"file": ("other.pdf", PDF)}).status_code == 200
        found = client.get(f"{path}/content")
        assert found.content == PDF
        assert found.headers["content-type"] == "application/pdf"
        assert found.headers["content-disposition"] == f'attachment; filename="{name}.pdf"'
        assert client.delete(path).status_code == 204


def test_a_file_of_a_folder_comes_back_as_long_as_it_has_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "code.py"
    file.write_bytes(b"# Pears float.\r\n")
    with (
        Assistant.open(file, index_dir=tmp_path / "index") as own,
        api_here(own) as url,
        client_of(url) as client,
    ):
        path = f"api/documents/{own.document_ids[0]}/content"
        found = client.get(path)
        assert found.content == file.read_bytes()
        assert found.headers["content-disposition"] == 'attachment; filename="code.py"'
        file.write_text("Another text.")
        found = client.get(path)
        assert found.text == own.documents[0].text
        assert found.headers["content-type"] == "text/plain; charset=utf-8"
        assert found.headers["content-disposition"] == 'attachment; filename="code.py.txt"'


def test_every_format_has_its_media_type() -> None:
    known = {suffix for own in (*FORMATS, *TEXT_FORMATS) for suffix in own.suffixes}
    assert known == MEDIA_TYPES.keys()


def test_a_file_that_cannot_be_read_says_why(client: httpx.Client) -> None:
    for name, content, told in (
        ("empty.txt", b"", "empty"),
        ("blob.bin", bytes(range(256)) * 40, "blob.bin"),
    ):
        file = {"file": (name, content)}
        found = problem(client.post("api/documents", files=file), 422)
        assert told in found["detail"]
        assert "/tmp" not in found["detail"]
        # It is told before there is a stream.
        again = problem(client.post("api/documents", files=file, headers=EVENTS), 422)
        assert again["detail"] == found["detail"]


def test_a_vote_is_kept_with_the_answer_and_can_be_withdrawn(
    client: httpx.Client, api_folder: Path
) -> None:
    folder = api_folder / "index"
    answer = client.post("api/ask", json={"question": QUESTION}).json()
    shown = [
        {name: cited[name] for name in ("marker", "paragraph", "start", "end")}
        | {"document": cited["document_id"]}
        for cited in (*answer["citations"], *answer["closest"])
    ]
    sentences = [
        {name: sentence[name] for name in ("text", "verdict", "markers")}
        for sentence in answer["sentences"]
    ]
    said = {"verdict": "up", "question": QUESTION, "history": []}
    whole = said | {"status": answer["status"], "confidence": answer["confidence"]}
    whole |= {"sentences": sentences, "citations": shown[: len(answer["citations"])]}
    vote = said | {"status": "unsure", "confidence": 0.4, "sentences": [], "citations": shown}
    vote |= {"chosen": [shown[0], shown[-1]]}

    def kept() -> list[dict[str, Any]]:
        lines = footnote("index", "votes", "--index-dir", folder).stdout.splitlines()
        return [one for one in map(json.loads, lines) if one["question"] == QUESTION]

    assert client.post("api/feedback", json=whole).status_code == 204
    [line] = kept()
    assert datetime.fromisoformat(line["time"]).tzinfo
    assert (line["verdict"], line["status"], line["history"]) == ("up", answer["status"], [])
    assert line["sentences"] == sentences
    [cited] = line["citations"]
    assert (cited["quote"], cited["marker"]) == (QUOTE, 1)
    assert cited["source"].endswith(answer["citations"][0]["source"])  # whole, for who runs it
    gone = whole | {"citations": [shown[0] | {"document": "0" * 16}]}
    problem(client.post("api/feedback", json=gone), 404)
    # What was said last counts.
    wrong = vote | {"verdict": "down", "reason": "source", "comment": "Look below."}
    assert client.post("api/feedback", json=wrong).status_code == 204
    [line] = kept()
    said = (line["verdict"], line["reason"], line["comment"])
    assert said == ("down", "source", "Look below.")
    assert [one["quote"] for one in line["chosen"]] == [QUOTE, answer["closest"][-1]["quote"]]
    problem(client.post("api/feedback", json=wrong | {"reason": "odd"}), 422)
    assert client.post("api/feedback", json=vote | {"verdict": None}).status_code == 204
    assert kept() == []
    gone = vote | {"chosen": [shown[0] | {"start": 0, "end": 1}]}
    problem(client.post("api/feedback", json=gone), 404)


def test_what_is_wrong_is_told_with_what_to_do(client: httpx.Client) -> None:
    for sent, status, told in (
        ({"json": {"question": ""}}, 422, "question"),
        ({"json": {"question": "  "}}, 422, "empty"),
        ({"json": {"question": "a" * 5000}}, 422, "question"),
        ({"json": {"question": QUESTION, "documents": ["x"]}}, 404, "no longer here"),
        ({"json": {"question": QUESTION, "documents": []}}, 404, "No document is chosen"),
        ({"json": {"question": QUESTION, "temperature": 1}}, 422, "temperature"),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, "no JSON"),
    ):
        found = problem(client.post("api/ask", **sent), status)
        assert told in json.dumps(found)
        assert QUESTION not in json.dumps(found)
    problem(client.get("api/nothing"), 404)
    refused = client.get("api/ask")
    problem(refused, 405)
    assert refused.headers["allow"] == "POST"


def test_a_request_keeps_the_id_that_it_brings_if_that_is_one(client: httpx.Client) -> None:
    for given, kept in (("my-request.1", True), ("short", False), ("a b\tc d e f g", False)):
        response = client.get("api/nothing", headers={"x-request-id": given})
        assert (response.headers["x-request-id"] == given) is kept
        problem(response, 404)


def test_other_sites_are_not_answered(client: httpx.Client) -> None:
    for headers in (
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        for method, path in (("POST", "api/ask"), ("GET", "api/documents"), ("GET", "metrics")):
            response = client.request(method, path, headers=headers, json={"question": QUESTION})
            problem(response, 403)
            assert "access-control-allow-origin" not in response.headers
        preflight = client.options(
            "api/ask", headers={**headers, "access-control-request-method": "POST"}
        )
        assert "access-control-allow-origin" not in preflight.headers
    assert client.get("health/live", headers={"host": "evil.example"}).status_code == 400


def test_the_page_that_describes_it_needs_nothing_else(client: httpx.Client) -> None:
    page = client.get("api/docs")
    assert page.status_code == 200
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert page.text.count('href="') == page.text.count('href="/api/') + page.text.count('href="#')
    described = client.get("api/openapi.json").json()
    for path in described["paths"]:
        assert path in page.text
    for name in described["components"]["schemas"]:
        assert f'id="{name}"' in page.text
    assert client.get("api/docs.css").headers["content-type"].startswith("text/css")
    # One follows a link to it from anywhere.
    assert client.get("api/docs", headers={"sec-fetch-site": "cross-site"}).status_code == 200
