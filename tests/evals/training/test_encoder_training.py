"""Training the encoder, on a few texts: questions come nearer to what answers them, and what is
written becomes an encoder."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from pathlib import Path

import numpy as np
import pytest

from evals.datasets.gold import GoldFinder
from evals.datasets.loader import read_set, read_sets
from evals.training import encoder, real_documents
from evals.training.encoder import ship, train
from evals.training.examples import LabelledDocument
from evals.training.real_documents import Letters, read_real, read_searched
from evals.training.sources import read_authored
from index import read_document
from index.encoder import BASE_ENCODER, Encoder
from index.errors import QuestionSetError

TEXT = (
    "# Leaving\n\nEmployees may **resign** at any time. Notice of [two weeks](x.html) is asked"
    " for.\n\n# Rooms\n\n- The quiet room is free.\n- The hall costs 40 dollars.\n"
)
ASKED = {
    "How long before I quit do I tell them?": ("Notice of [two weeks](x.html) is asked for.",),
    "What do I pay for the big one?": ("- The hall costs 40 dollars.",),
    "Can I bring my dog?": (),
}
ANSWERS = {
    "How long before I quit do I tell them?": {"Notice of two weeks is asked for."},
    "What do I pay for the big one?": {"The hall costs 40 dollars."},
}


@pytest.fixture
def real(tmp_path: Path) -> tuple[Path, Path]:
    """A document, and the questions about it."""
    folder, questions = tmp_path / "documents", tmp_path / "questions"
    (folder / "one").mkdir(parents=True)
    questions.mkdir()
    (folder / "one" / "handbook.md").write_text(TEXT)
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    head = {"repository": "a/b", "commit": "0" * 40, "file": "handbook.md"}
    lines = [json.dumps({**head, "sha256": digest, "held_out": True})]
    for question, quotes in ASKED.items():
        places = [(TEXT.index(own), TEXT.index(own) + len(own)) for own in quotes]
        found = [[a, b, hashlib.sha256(TEXT[a:b].encode()).hexdigest()[:12]] for a, b in places]
        near = {} if found else {"near": "what the quiet room is"}
        lines.append(json.dumps({"question": question, "evidence": found, **near}))
    (questions / "one.jsonl").write_text("\n".join(lines))
    return folder, questions


def test_real_documents_have_their_questions_where_they_are_answered(
    real: tuple[Path, Path],
) -> None:
    [document] = read_real(*real)
    leaving, rooms = document.paragraphs
    assert document.held_out
    assert "Leaving" in leaving.heading
    quit_, pay, dog = ASKED
    assert leaving.questions == [((2,), quit_)]
    assert rooms.questions == [((2,), pay), ((), dog)]


def test_questions_are_put_to_what_the_search_finds(real: tuple[Path, Path]) -> None:
    found = list(read_searched(real[0], random.Random(1), real[1]))
    for question in ASKED:
        own = [one for one in found if one.question == question]
        assert len(own) > 1
        labelled = [pair for one in own for pair in zip(one.sentences, one.labels, strict=True)]
        assert {text for text, label in labelled if label} == ANSWERS.get(question, set())
        assert [one.answers for one in own] == sorted((one.answers for one in own), reverse=True)
        assert {one.kind for one in own if not one.answers} == {"real, not answered"}


def test_held_out_documents_become_question_sets(
    real: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real_documents, "QUESTIONS", real[1])
    real_documents.write_sets(real[0], tmp_path / "sets")
    [own] = read_sets([tmp_path / "sets" / "one.jsonl"])
    assert {q.question: [tuple(item) for item in q.evidence] for q in own.questions} == {
        question: [quotes] if quotes else [] for question, quotes in ASKED.items()
    }
    assert [len(GoldFinder(own, own.documents).find(q).units) for q in own.questions] == [1, 1, 0]


def test_a_place_is_found_in_another_reading_of_the_document() -> None:
    said = "Members pay a fee of 12 EUR a month."
    read = f"Fees. {said} Guests of the caf\u00e9 pay nothing. {said}"
    other = read.replace(" ", "\n").replace("fee", "f\u00ade\u00ade").replace("\u00e9", "e\u0301")
    first, last = Letters(read), Letters(other)
    for start in (read.index(said), read.rindex(said)):
        place = last.find(*first.describe(start, start + len(said)))
        assert place
        assert other[slice(*place)].split()[0] == "Members"
        assert (place[0] > len(other) / 2) == (start > len(read) / 2)
    guests = read.index("Guests")
    place = last.find(*first.describe(guests, guests + 30))
    assert place
    assert other[slice(*place)] == "Guests\nof\nthe\ncafe\u0301\npay\nnothing"
    assert Letters("Fees.").find(*first.describe(guests, guests + 30)) is None


def test_of_a_pdf_places_are_told_by_letters_and_a_report_is_kept_apart(
    real: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = real[1] / "one.jsonl"
    head, *asked = map(json.loads, file.read_text().splitlines())
    document = read_document(real[0] / "one" / "handbook.md")
    sentences, letters = document.paragraphs[0].sentences, Letters(document.text)
    told = [letters.describe(own.start, own.end) for own in sentences]
    question = {"question": "What?", "evidence": told[1:2], "whole": [told]}
    file.write_text("\n".join(map(json.dumps, (head, question))))
    [document] = read_real(*real)
    every = tuple(range(1, len(told) + 1))
    assert [own.questions for own in document.paragraphs if own.questions] == [[(every, "What?")]]
    rows = [{**head, "title": "Handbook", "report": True}, question, *asked]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert list(read_real(*real)) == []
    monkeypatch.setattr(real_documents, "QUESTIONS", real[1])
    real_documents.write_sets(real[0], tmp_path / "sets")
    assert list((tmp_path / "sets").iterdir()) == []
    real_documents.write_sets(real[0], tmp_path / "sets", report=True)
    own = read_set(tmp_path / "sets" / "one.jsonl")
    quotes = tuple(each.text.rstrip(".") for each in sentences)
    assert own.questions[0].evidence == ((quotes[1],),)
    assert own.questions[0].whole == (quotes,)


def test_another_document_than_the_one_asked_about_is_refused(real: tuple[Path, Path]) -> None:
    (real[0] / "one" / "handbook.md").write_text(TEXT + ".")
    with pytest.raises(QuestionSetError, match="is not what was taken of a/b"):
        list(read_real(*real))


def test_documents_are_fetched_from_the_repositories_that_publish_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = ["git", "-C", str(tmp_path / "a" / "b"), "-c", "user.name=A", "-c", "user.email=a@b.c"]
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one.md").write_text("# Häuser\r\n\r\nOne.\n", newline="")
    (tmp_path / "a" / "b" / "two.md").write_text("Not this. Two. Nor that.\n")
    for command in ("init -q", "add .", "commit -q -m x", "rev-parse HEAD"):
        done = subprocess.run([*git, *command.split()], check=True, capture_output=True)
    text = "# Häuser\r\n\r\nOne.\n\n---\nTwo."
    head = {
        "repository": "a/b",
        "commit": done.stdout.decode().strip(),
        "parts": [["one.md"], "\n---\n", ["two.md", 10, 14]],
        "file": "all.md",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    monkeypatch.setattr(real_documents, "QUESTIONS", tmp_path / "questions")
    (tmp_path / "questions").mkdir()
    (tmp_path / "questions" / "one.jsonl").write_text(json.dumps(head))
    made, address = tmp_path / "made" / "one" / "all.md", str(tmp_path / "{}")
    real_documents.fetch(tmp_path / "made", address)
    assert made.read_bytes().decode() == text
    real_documents.fetch(tmp_path / "made", str(tmp_path / "gone" / "{}"))  # nothing is left to do
    made.write_text("another")
    with pytest.raises(QuestionSetError, match="gone"):
        real_documents.fetch(tmp_path / "made", str(tmp_path / "gone" / "{}"))


def test_what_is_learned_brings_questions_nearer_and_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [own for own in read_authored() if own.title][:6]
    monkeypatch.setattr(encoder, "read_authored", lambda: texts)
    run = tmp_path / "run"
    train(run, epochs=4, rate=3e-4, save_every=2)
    curve = json.loads((run / "curve.json").read_text())
    assert curve[-1]["loss"] < curve[0]["loss"]
    weights = tmp_path / "encoder.safetensors"
    ship([run], 1.0, weights)
    monkeypatch.setattr("index.encoder.LEARNED_WEIGHTS", weights)
    assert _nearness(Encoder(), texts) > _nearness(Encoder(BASE_ENCODER), texts) + 0.05


def _nearness(own: Encoder, documents: list[LabelledDocument]) -> float:
    """By how much a sentence that answers is nearer to its question than the others beside it."""
    gaps = []
    for paragraph in (own for document in documents for own in document.paragraphs):
        spans, text = [], ""
        for sentence in paragraph.sentences:
            spans.append((len(text), len(text) + len(sentence)))
            text += f"{sentence} "
        [vectors] = own.encode_paragraphs([(text, spans)])
        for numbers, question in paragraph.questions:
            cosines = vectors @ own.encode_query(question)
            right = np.array([n + 1 in numbers for n in range(len(spans))])
            if right.any() and not right.all():
                gaps.append(float(cosines[right].max() - cosines[~right].max()))
    return float(np.mean(gaps))
