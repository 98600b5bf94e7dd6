"""Questions on real documents: they stand where the document answers them, and what is held out is
not learned from."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import unicodedata
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from evals.datasets.gold import GoldFinder
from evals.datasets.loader import read_set
from evals.training import real_documents
from evals.training.reading_model import searched_passages
from evals.training.real_documents import Letters, read_real, write_sets
from index import read_document
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
HEAD = {
    "repository": "a/b",
    "commit": "0" * 40,
    "file": "handbook.md",
    "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
}


class Archive:
    """Documents, and the archive of the questions about them."""

    def __init__(self, folder: Path) -> None:
        self.documents = folder / "documents"
        self.file = self.documents / "one" / "handbook.md"
        self.file.parent.mkdir(parents=True)
        self.file.write_text(TEXT)
        self._archive = folder / "real.zip"

    def write(self, head: dict[str, Any], *questions: dict[str, Any]) -> None:
        """Write the archive, of one document."""
        with ZipFile(self._archive, "w") as archive:
            archive.writestr("one.jsonl", "\n".join(map(json.dumps, (head, *questions))))


def asked() -> list[dict[str, Any]]:
    """The questions as the archive has them."""
    questions = []
    for question, quotes in ASKED.items():
        places = [(TEXT.index(quote), TEXT.index(quote) + len(quote)) for quote in quotes]
        evidence = [[a, b, hashlib.sha256(TEXT[a:b].encode()).hexdigest()[:12]] for a, b in places]
        near = {} if evidence else {"near": "what the quiet room is"}
        questions.append({"question": question, "evidence": evidence, **near})
    return questions


def place_of(text: str, start: int, end: int) -> tuple[float, int, int, str]:
    """A place by its letters, as the archive has it."""

    def letters(part: str) -> str:
        plain = unicodedata.normalize("NFKD", part).casefold()
        return "".join(letter for letter in plain if letter.isalnum())

    own = letters(text[start:end])
    digest = hashlib.sha256(own.encode()).hexdigest()[:12]
    return len(letters(text[:start])) / len(letters(text)), len(own), sum(map(ord, own)), digest


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    monkeypatch.setattr(real_documents, "QUESTIONS", tmp_path / "real.zip")
    return Archive(tmp_path)


def test_questions_stand_where_they_are_answered(archive: Archive) -> None:
    archive.write(HEAD, *asked())
    [(document, labelled)] = read_real(archive.documents)
    assert document.text == read_document(archive.file).text
    leaving, rooms = labelled.paragraphs
    assert "Leaving" in leaving.heading
    resign, pay, dog = ASKED
    assert leaving.questions == [((2,), resign)]
    assert rooms.questions == [((2,), pay), ((), dog)]


def test_questions_are_put_to_what_the_search_finds(archive: Archive) -> None:
    archive.write(HEAD, *asked())
    found = list(searched_passages(archive.documents, random.Random(1)))
    for question in ASKED:
        typed = (question, question.lower().rstrip("?"))
        own = [one for one in found if one.question in typed]
        assert len(own) > 1
        labelled = [pair for one in own for pair in zip(one.sentences, one.labels, strict=True)]
        assert {text for text, label in labelled if label} == ANSWERS.get(question, set())
        answering = [any(one.labels) for one in own]
        assert answering == sorted(answering, reverse=True)
        assert {one.kind for one in own if not any(one.labels)} == {"real, not answered"}


def test_what_is_held_out_is_not_learned_from_and_becomes_a_question_set(
    archive: Archive, tmp_path: Path
) -> None:
    archive.write(HEAD | {"held_out": True}, *asked())
    assert list(read_real(archive.documents)) == []
    write_sets(archive.documents, tmp_path / "sets")
    own = read_set(tmp_path / "sets" / "one.jsonl")
    assert {q.question: [tuple(item) for item in q.evidence] for q in own.questions} == {
        question: [quotes] if quotes else [] for question, quotes in ASKED.items()
    }
    assert [len(GoldFinder(own, own.documents).find(q).units) for q in own.questions] == [1, 1, 0]


def test_what_is_kept_for_a_report_is_told_only_on_request(
    archive: Archive, tmp_path: Path
) -> None:
    archive.write(HEAD | {"held_out": True, "report": True}, *asked())
    write_sets(archive.documents, tmp_path / "sets")
    assert list((tmp_path / "sets").iterdir()) == []
    write_sets(archive.documents, tmp_path / "sets", report=True)
    assert len(read_set(tmp_path / "sets" / "one.jsonl").questions) == len(ASKED)


def test_a_complete_answer_has_all_its_sentences(archive: Archive) -> None:
    document = read_document(archive.file)
    sentences = document.paragraphs[0].sentences
    places = [place_of(document.text, own.start, own.end) for own in sentences]
    archive.write(HEAD, {"question": "What?", "evidence": places[1:2], "whole": [places]})
    [(_, labelled)] = read_real(archive.documents)
    every = tuple(range(1, len(places) + 1))
    assert [own.questions for own in labelled.paragraphs if own.questions] == [[(every, "What?")]]


def test_a_place_is_found_in_another_reading_of_the_document() -> None:
    said = "Members pay a fee of 12 EUR a month."
    read = f"Fees. {said} Guests of the caf\u00e9 pay nothing. {said}"
    other = read.replace(" ", "\n").replace("fee", "f\u00ade\u00ade").replace("\u00e9", "e\u0301")
    letters = Letters(other)
    for start in (read.index(said), read.rindex(said)):
        place = letters.find(*place_of(read, start, start + len(said)))
        assert place
        assert other[slice(*place)].split()[0] == "Members"
        assert (place[0] > len(other) / 2) == (start > len(read) / 2)
    guests = read.index("Guests")
    place = letters.find(*place_of(read, guests, guests + 30))
    assert place
    assert other[slice(*place)] == "Guests\nof\nthe\ncafe\u0301\npay\nnothing"
    assert Letters("Fees.").find(*place_of(read, guests, guests + 30)) is None


def test_another_document_than_the_one_asked_about_is_refused(archive: Archive) -> None:
    archive.write(HEAD, *asked())
    archive.file.write_text(TEXT + ".")
    with pytest.raises(QuestionSetError, match="is not what was taken of a/b"):
        list(read_real(archive.documents))


def test_documents_are_fetched_from_the_repositories_that_publish_them(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git = ["git", "-C", str(tmp_path / "a" / "b"), "-c", "user.name=A", "-c", "user.email=a@b.c"]
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "one.md").write_text("# Häuser\r\n\r\nOne.\n", newline="")
    (tmp_path / "a" / "b" / "two.md").write_text("Not this. Two. Nor that.\n")
    for command in ("init -q", "add .", "commit -q -m x", "rev-parse HEAD"):
        done = subprocess.run([*git, *command.split()], check=True, capture_output=True)
    text = "# Häuser\r\n\r\nOne.\n\n---\nTwo."
    archive.write(
        {
            "repository": "a/b",
            "commit": done.stdout.decode().strip(),
            "parts": [["one.md"], "\n---\n", ["two.md", 10, 14]],
            "file": "all.md",
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
    )
    made = tmp_path / "made" / "one" / "all.md"
    monkeypatch.setattr(real_documents, "REPOSITORIES", str(tmp_path / "{}"))
    real_documents.fetch(tmp_path / "made")
    assert made.read_bytes().decode() == text
    monkeypatch.setattr(real_documents, "REPOSITORIES", str(tmp_path / "gone" / "{}"))
    real_documents.fetch(tmp_path / "made")  # nothing is left to do
    made.write_text("another")
    with pytest.raises(QuestionSetError, match="gone"):
        real_documents.fetch(tmp_path / "made")
