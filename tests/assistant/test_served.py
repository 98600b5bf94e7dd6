"""An assistant on servers: the same answers as in a folder, whichever machine is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from chroma_servers import Servers, until
from helpers import footnote

from assistant import Assistant
from assistant.documents import shipped_documents
from assistant.pipeline import AnswerPipeline
from assistant.settings import WITHOUT_SERVER, Settings, load_settings
from assistant.workspace.feedback import put_vote, votes_in
from evals.datasets.loader import read_set
from evals.running.runner import AssistantSystem, run_set
from index.errors import SettingsError

QUESTIONS = Path("evals/questions")
SETS = sorted(
    file.name
    for file in QUESTIONS.glob("*.jsonl")
    if file.stem != "kinds" and not file.stem.endswith("_claims")
)


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Settings:
    return load_settings(**of(servers), index_dir=tmp_path / "first")


def of(servers: Servers) -> dict[str, Any]:
    return {"chroma": servers.chroma.url, "database": servers.database}


@pytest.fixture
def first(settings: Settings) -> Iterator[Assistant]:
    with Assistant.open(settings=settings) as opened:
        yield opened


@pytest.fixture
def second(first: Assistant, tmp_path: Path) -> Iterator[Assistant]:
    other = first.settings.model_copy(update={"index_dir": tmp_path / "second"})
    with Assistant.open(settings=other) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "step"),
    [("seed.jsonl", 9), *[pytest.param(name, 3, marks=pytest.mark.long) for name in SETS]],
)
def test_a_shipped_set_is_answered_the_same(
    name: str, step: int, servers: Servers, tmp_path: Path
) -> None:
    questions = read_set(QUESTIONS / name)
    questions = replace(questions, questions=questions.questions[::step])
    documents = questions.documents or shipped_documents()
    made = []
    for place in (WITHOUT_SERVER, of(servers)):
        settings = load_settings(**place, index_dir=tmp_path / str(len(made)))
        with closing(settings.open_index()) as index:
            index.sync(documents)
            assistant = Assistant(index, [document.id for document in documents], settings)
            system = AssistantSystem(assistant, questions)
            made.append(run_set(system, settings.index_dir).records)
            answer = assistant.ask(questions.questions[0].question)
            assert answer.revision == answer.to_dict()["revision"] == index.revision
    for here, there in zip(*made, strict=True):
        assert there.confidence == pytest.approx(here.confidence, abs=1e-5)
        same = {"confidence": 0.0, "timings_ms": {}}
        assert replace(there, **same) == replace(here, **same)


@pytest.fixture
def third(servers: Servers, tmp_path: Path) -> Callable[..., str]:
    """Runs the command on a third machine, and gives what it prints."""

    def run(*arguments: str | Path) -> str:
        folder = ("--index-dir", tmp_path / "third")
        return footnote(*arguments, *folder, **servers.environment).stdout

    return run


def test_what_one_adds_all_are_asked(
    first: Assistant, second: Assistant, tmp_path: Path, third: Callable[..., str]
) -> None:
    assert second.document_ids == first.document_ids
    (tmp_path / "walnuts.txt").write_text("Walnuts float in brine.\n", encoding="utf-8")
    third("index", "add", tmp_path / "walnuts.txt")
    for machine in (first, second):
        until(lambda machine=machine: machine.ask("What floats in brine?").answered)
        assert [document.title for document in machine.documents] == ["walnuts.txt"]
    [identity] = first.document_ids
    first.index.remove(identity)
    until(lambda: identity not in second.document_ids)
    answer = second.ask("What floats in brine?")
    assert not answer.answered
    assert "walnuts.txt" not in [citation.title for citation in answer.passages]


def test_an_answer_is_of_one_revision(
    first: Assistant, tmp_path: Path, third: Callable[..., str]
) -> None:
    events = first.stream("When was the US Indo-Pacific strategy released?")
    next(events)
    before = first.index.revision
    (tmp_path / "late.txt").write_text("Walnuts float in brine.\n", encoding="utf-8")
    third("index", "add", tmp_path / "late.txt")
    until(lambda: first.index.revision != before)
    *_, done = events
    assert done.answer.revision == before  # type: ignore[union-attr]
    assert done.answer.citations  # type: ignore[union-attr]


def test_a_question_is_asked_again_when_the_documents_changed(tmp_path: Path) -> None:
    text = tmp_path / "a.txt"
    text.write_text("Walnuts float in brine.\n\nPears sink in it.\n", encoding="utf-8")
    with Assistant.open(text, index_dir=tmp_path / "index") as opened:
        [identity] = opened.document_ids
        tried = []

        def read(pipeline: AnswerPipeline) -> str:
            tried.append(pipeline)
            if len(tried) == 1:  # another process takes a paragraph away, long ago
                text.write_text("Walnuts float in brine.\n", encoding="utf-8")
                with Assistant.open(text, index_dir=tmp_path / "index"):
                    opened.index.tidy()
            return pipeline.view.document(identity).text

        assert opened._at_one_revision(read) == "Walnuts float in brine.\n"
        assert len(tried) == 2


def test_votes_are_kept_with_the_index(
    first: Assistant, second: Assistant, third: Callable[..., str]
) -> None:
    for of, question, verdict in (
        (first, "When?", "up"), (second, "When?", "down"), (second, "Who?", "down")
    ):  # fmt: skip
        vote = {"question": question, "history": [], "verdict": verdict}
        put_vote(of.index.database, "ann", vote)
    lines = third("index", "votes").splitlines()
    found = [(vote["question"], vote["verdict"]) for vote in map(json.loads, lines)]
    assert found == [("When?", "down"), ("Who?", "down")]
    assert votes_in(first.index.database).splitlines() == lines


def test_commands_work_on_servers(servers: Servers, third: Callable[..., str]) -> None:
    assert "February 11" in third("ask", "When was the US Indo-Pacific strategy released?")
    status = json.loads(third("index", "status", "--json"))
    assert (status["folder"], status["documents"]) == (servers.chroma.url, 1)
    [listed] = json.loads(third("index", "list", "--json"))
    third("index", "remove", listed["id"])
    assert json.loads(third("index", "list", "--json")) == []


@pytest.mark.parametrize(
    ("away", "told"),
    [
        ({"FOOTNOTE_CHROMA": "http://127.0.0.1:9"}, "cannot be reached"),
        ({"FOOTNOTE_DATABASE": "postgresql://me:hush@127.0.0.1:9/a"}, "does not answer"),
        ({"FOOTNOTE_DATABASE": ""}, "not the address of a PostgreSQL database"),
    ],
)
def test_a_server_that_is_away_is_told_by_the_command(
    away: dict[str, str], told: str, servers: Servers, tmp_path: Path
) -> None:
    environment = servers.environment | away
    done = footnote("index", "list", "--index-dir", tmp_path, code=2, **environment)
    assert told in done.stderr
    assert "hush" not in done.stderr


@pytest.mark.parametrize("headers", ['["hush"]', '{"a": ["hush"]}', "hush", '{"a": "hu\\nsh"}'])
def test_headers_are_never_shown(headers: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_CHROMA", "http://127.0.0.1:9")
    monkeypatch.setenv("FOOTNOTE_DATABASE", "postgresql://127.0.0.1:9/a")
    monkeypatch.setenv("FOOTNOTE_CHROMA_HEADERS", headers)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hu" not in str(refused.value)


def test_headers_without_a_server_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_CHROMA_HEADERS", '{"a": "b"}')
    with pytest.raises(SettingsError, match="none is set"):
        load_settings()
