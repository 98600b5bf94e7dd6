"""What is asked about Footnote is answered from its help, through every door, where the documents
do not answer; and the help is no document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from chroma_servers import Servers
from helpers import footnote
from mcp import Client
from model_servers import replies, serving
from services import api, client_of, events_of

from assistant import Answer, Assistant
from assistant.answer import Decided, Done
from assistant.help.documents import document_of
from assistant.help.topics import topic
from assistant.settings import load_settings

ADDING, SAID = "How do I add a document?", "Open Documents, and choose files"
LEAD = "From Footnote's own help:\n"


def check_help(answer: Answer) -> None:
    assert (answer.kind, answer.status, answer.confidence) == ("help", "answered", None)
    assert answer.text.startswith(LEAD + SAID)
    assert str(answer).startswith(LEAD + SAID)
    assert all((own.verdict, own.markers) == ("quoted", (1,)) for own in answer.sentences)
    [citation] = answer.citations
    citation.check(document_of(topic("questions")))
    assert (citation.source, citation.title) == ("help:questions", "Footnote's help")


def test_the_help_answers_and_is_no_document(assistant: Assistant) -> None:
    before = assistant.index.status()
    check_help(assistant.ask(ADDING))
    events = list(assistant.stream(ADDING))
    assert [own for own in events if isinstance(own, Decided)] == [
        Decided("answered", None, "help")
    ]
    assert isinstance(events[-1], Done)
    after = assistant.index.status()
    assert (after.documents, after.paragraphs) == (before.documents, before.paragraphs)
    assert after.revision == before.revision
    assert all(not own.source.startswith("help:") for own in assistant.documents)
    ids = {document.id for document in assistant.documents}
    assert {hit.paragraph.document_id for hit in assistant.search(ADDING)} <= ids


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("can you read PDF files?", "help"),
        ("who are you?", "chat"),
        ("When was the US Indo-Pacific strategy released?", "fact"),
        ("What is the population of India?", "fact"),
    ],
)
def test_it_is_asked_only_of_itself(assistant: Assistant, question: str, kind: str) -> None:
    assert assistant.ask(question).kind == kind


def test_what_documents_say_comes_first(tmp_path: Path) -> None:
    (tmp_path / "archive.txt").write_text(
        "How to add a document to the archive\n\nTo add a document, put it into the grey tray and "
        "ring the bell. The archivist adds it to the archive on the same day.\n"
    )
    with Assistant.open(tmp_path / "archive.txt", index_dir=tmp_path / "index") as opened:
        answer = opened.ask(ADDING)
        assert answer.kind == "fact" and "grey tray" in answer.text
        # What leans on a question about the documents is about these.
        history = [
            {"role": "user", "content": ADDING},
            {"role": "assistant", "content": answer.text},
        ]
        assert opened.ask("How large may it be?", history).kind != "help"


def test_passages_that_may_answer_are_still_there(assistant: Assistant) -> None:
    question = "How do I get started?"
    answer = assistant.ask(question)
    off = assistant.settings.model_copy(update={"help": False})
    without = Assistant(assistant.index, assistant.document_ids, off).ask(question)
    assert (without.status, without.kind) == ("unsure", "fact")
    assert answer.kind == "help"
    assert answer.closest[0].paragraph.id == without.citations[0].paragraph.id


def test_a_language_model_is_asked_first(assistant: Assistant) -> None:
    settings = {"index_dir": assistant.settings.index_dir, "llm_timeout": 60.0}
    for reply, kind in (("NOT FOUND", "help"), ("It is on February 11. [1]", "fact")):
        with serving(replies(reply)) as (address, server):
            chosen = load_settings(llm=address, **settings)
            own = Assistant(assistant.index, assistant.document_ids, chosen)
            events = list(own.stream(ADDING))
            own._writer.close()
        assert server.asked
        decided = [event for event in events if isinstance(event, Decided)]
        assert isinstance(events[-1], Done)
        answer = events[-1].answer
        assert len(decided) == 1 and answer.writing is not None
        if kind == "help":
            check_help(answer)
            assert answer.writing.outcome == "declined"
        else:
            assert answer.kind != "help"


def test_it_works_with_servers(servers: Servers, tmp_path: Path) -> None:
    place = {"chroma": servers.chroma.url, "database": servers.database}
    settings = load_settings(**place, index_dir=tmp_path)
    with Assistant.open(settings=settings) as opened:
        check_help(opened.ask(ADDING))


# --- doors --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with api(tmp_path_factory.mktemp("help"), "--mcp", page=True) as address:
        yield address


@pytest.fixture
def client(page_url: str) -> Iterator[httpx.Client]:
    with closing(client_of(page_url)) as opened:
        yield opened


def test_on_the_command_line(tmp_path: Path) -> None:
    told = footnote("ask", ADDING, "--index-dir", tmp_path).stdout
    assert told.startswith(LEAD + SAID)
    assert "Footnote's help › Questions and answers" in told
    off = footnote("ask", ADDING, "--index-dir", tmp_path, code=None, FOOTNOTE_HELP="false")
    assert off.returncode in (3, 4) and SAID not in off.stdout


def test_by_http_its_paragraph_can_be_read(client: httpx.Client) -> None:
    answer = client.post("api/ask", json={"question": ADDING}).json()
    [citation] = answer["citations"]
    assert (answer["kind"], citation["source"]) == ("help", "help:questions")
    at = f"api/documents/{citation['document_id']}/paragraphs/{citation['paragraph']}"
    assert client.get(at).json()["text"] == citation["paragraph_text"]
    listed = client.get("api/documents").json()["documents"]
    assert citation["document_id"] not in [one["id"] for one in listed]
    cited = {
        "document": citation["document_id"],
        **{name: citation[name] for name in ("paragraph", "start", "end")},
    }
    for path in ("cite", "api/cite"):
        made = client.post(path, json={"format": "bib", "citations": [cited]})
        assert made.status_code == 200 and "Footnote's help" in made.text
    refused = client.post("api/ask", json={"question": "What?", "documents": [cited["document"]]})
    assert refused.status_code == 404
    assert 'footnote_questions_total{status="help"}' in client.get("metrics").text


def test_on_the_page_it_stays_what_it_is(client: httpx.Client) -> None:
    asked = client.post("ask", json={"question": ADDING})
    answer = events_of(asked)[-1][1]
    turn = {"id": "turn-000001", "question": ADDING, "state": "answered", "answer": answer}
    put = client.put("conversations/talk-000001/turns", json={"title": "", "turn": turn})
    assert put.status_code == 204, put.text
    kept = client.get("conversations/talk-000001").json()["turns"][0]["answer"]
    assert (kept["kind"], kept["citations"][0]["source"]) == ("help", "help:questions")
    assert client.get("conversations/talk-000001/lapsed").json() == {"lapsed": {}}
    exported = client.get("conversations/talk-000001/export?format=md").text
    assert SAID in exported and "Footnote's help" in exported


def test_by_openais_protocol(client: httpx.Client) -> None:
    asked = {"model": "footnote", "messages": [{"role": "user", "content": ADDING}]}
    told = client.post("v1/chat/completions", json=asked).json()["choices"][0]["message"]
    assert told["content"].startswith(LEAD + SAID)
    for own in told["annotations"]:
        cited = own["url_citation"]
        assert cited["url"].endswith("#help/questions/how-do-i-add-a-document")
        assert told["content"][cited["start_index"] : cited["end_index"]] == "[1]"
    streamed = client.post("v1/chat/completions", json=asked | {"stream": True}).text
    parts = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")]
    text = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    assert text == told["content"]


def test_by_mcp_its_resource_can_be_read(page_url: str) -> None:
    import asyncio

    async def talk() -> None:
        async with Client(f"{page_url}mcp") as client:
            told = await client.call_tool("ask", {"question": ADDING})
            answer = told.structured_content
            assert answer is not None and answer["kind"] == "help"
            read = await client.read_resource(answer["citations"][0]["uri"])
            assert answer["citations"][0]["quote"] in read.contents[0].text  # type: ignore[union-attr]
            resources = await client.list_resources()
            assert all("help" not in (own.title or "") for own in resources.resources)

    asyncio.run(talk())


def test_topics_are_read_and_found_by_http(client: httpx.Client) -> None:
    for base in ("help", "api/help"):
        listed = client.get(base).json()
        assert {"questions", "documents"} <= {own["name"] for own in listed["topics"]}
        assert listed["found"] == []
        found = client.get(base, params={"find": "exit code"}).json()["found"]
        assert found and all("code" in own["line"].casefold() for own in found[:1])
        whole = client.get(f"{base}/questions").json()
        assert whole["text"].startswith("# Questions and answers")
        assert whole["parts"][0]["tag"] == "h1"
        assert client.get(f"{base}/nothing-of-that-name").status_code == 404
