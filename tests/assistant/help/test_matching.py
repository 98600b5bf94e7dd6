"""Which questions are about Footnote, and where the help answers them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import ROOT

from assistant.help.documents import document_of, help_document
from assistant.help.matching import HelpIndex, HelpPlace
from assistant.help.topics import topic
from index.encoder import Encoder

SETS = ROOT / "evals" / "questions"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("help") / "help.npz"


@pytest.fixture(scope="module")
def help_index(real_encoder: Encoder, kept: Path) -> HelpIndex:
    return HelpIndex(real_encoder, kept)


def asked(name: str, step: int = 1) -> Iterator[dict[str, Any]]:
    for line in (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[::step]:
        told = json.loads(line)
        if "question" in told:
            yield told


def found(index: HelpIndex, encoder: Encoder, question: str, sure: float = 0.0) -> HelpPlace | None:
    return index.find(question, encoder.encode_query(question), sure)


def test_questions_about_footnote_are_answered_by_the_right_place(
    help_index: HelpIndex, real_encoder: Encoder
) -> None:
    """Of 50 that nothing was fitted on: most, and no other place."""
    right, wrong = 0, []
    for told in asked("help"):
        place = found(help_index, real_encoder, told["question"])
        quotes = told["evidence"][0]
        if place is None:
            continue
        if any(
            quote in document_of(place.topic).text and place.paragraph.text.startswith(quote)
            for quote in (quotes if isinstance(quotes, list) else [quotes])
        ):
            right += 1
        else:
            wrong.append((told["question"], place.heading))
    assert wrong == []
    assert right >= 37


@pytest.mark.parametrize(
    ("name", "step"),
    [("seed", 1), ("rules", 1), ("seed_lists", 1), ("assorted", 3), ("unseen", 3)],
)
def test_questions_about_documents_are_not(
    name: str, step: int, help_index: HelpIndex, real_encoder: Encoder
) -> None:
    questions = [told["question"] for told in asked(name, step) if not told.get("history")]
    taken = [own for own in questions if found(help_index, real_encoder, own)]
    assert taken == []


@pytest.mark.parametrize(
    "question",
    [
        "What is a footnote?",
        "What does the second footnote say?",
        "Which footnotes are there?",
        "How do I delete a document in SharePoint?",
        "Where are the conversations of Goethe kept?",
        "hello",
        "?",
        "",
    ],
)
def test_what_is_about_other_things_finds_nothing(
    question: str, help_index: HelpIndex, real_encoder: Encoder
) -> None:
    assert found(help_index, real_encoder, question) is None


def test_the_surer_the_documents_the_surer_it_has_to_be(
    help_index: HelpIndex, real_encoder: Encoder
) -> None:
    assert found(help_index, real_encoder, "How do I add a document?", sure=1.0)
    nearly = "How do I back up my documents and notes?"
    assert found(help_index, real_encoder, nearly)
    assert found(help_index, real_encoder, nearly, sure=1.0) is None


def test_vectors_are_kept_and_made_anew_where_they_are_damaged(
    help_index: HelpIndex, real_encoder: Encoder, kept: Path, tmp_path: Path
) -> None:
    made = help_index._vectors
    before = kept.stat().st_mtime_ns
    assert np.array_equal(HelpIndex(real_encoder, kept)._vectors, made)
    assert kept.stat().st_mtime_ns == before
    for content in (b"", b"PK damaged"):
        damaged = tmp_path / "help.npz"
        damaged.write_bytes(content)
        again = HelpIndex(real_encoder, damaged)
        assert found(again, real_encoder, "How do I add a document?")
        assert damaged.stat().st_size == kept.stat().st_size
    assert [own.name for own in tmp_path.iterdir()] == ["help.npz"]


def test_it_works_where_nothing_can_be_kept(real_encoder: Encoder, tmp_path: Path) -> None:
    index = HelpIndex(real_encoder, tmp_path / "missing" / "help.npz")
    assert found(index, real_encoder, "How do I add a document?")
    assert list(tmp_path.iterdir()) == []


def test_topics_are_documents_with_offsets_and_ids() -> None:
    document = document_of(topic("questions"))
    document.check()
    assert help_document(document.id) is document
    assert help_document("0123456789abcdef") is None
