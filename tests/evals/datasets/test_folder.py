"""A folder of question sets: what of it is one, and which of its questions are asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from question_sets import MILL, write

from evals.datasets.folder import FolderSet, find_sets
from index.errors import QuestionSetError

QUESTION = {"id": "q", "question": "When?", "answerable": True, "evidence": [MILL]}


def squad(file: Path) -> Path:
    qas = [{"id": "s", "question": "When?", "answers": [{"text": "1871", "answer_start": 24}]}]
    return write(file, {"data": [{"paragraphs": [{"context": MILL, "qas": qas}]}]})


def native(file: Path, **more: Any) -> Path:
    write(file.parent / "docs" / f"{file.stem}.txt", MILL)
    return write(file, {"documents": [f"docs/{file.stem}.txt"]}, QUESTION | more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four sets, one of them deep down and one of two files; and what is none."""
    squad(tmp_path / "squad.json")
    write(tmp_path / "passages" / "corpus.jsonl", {"id": "p", "text": MILL})
    asked = {"id": "q", "question": "When?", "answerable": True, "gold": ["p"]}
    write(tmp_path / "passages" / "questions.jsonl", asked)
    native(tmp_path / "several" / "mill.jsonl")
    native(tmp_path / "several" / "bridge.jsonl")
    squad(tmp_path / "deep" / "down" / "squad.json")
    write(tmp_path / "claims" / "claims.jsonl", {"claim": "It burned.", "label": "x"})
    write(tmp_path / "broken" / "corpus.jsonl", "{no")
    (tmp_path / "empty").mkdir()
    write(tmp_path / "README.md", "Read me.")
    write(tmp_path / ".hidden" / "x.json", "{")
    return tmp_path


def test_each_set_is_taken_and_what_is_none_is_named(folder: Path) -> None:
    sets, left_out = find_sets(folder)
    files = {own.name: [file.name for file in own.files] for own in sets}
    assert files == {
        "squad": ["squad"],
        "deep/down": ["squad"],
        "passages": ["passages"],
        "several": ["bridge", "mill"],
    }
    reasons = {own.name: own.reason for own in left_out}
    assert reasons["claims/claims.jsonl"] == "line 1: there is no 'id'."
    assert "corpus.jsonl with questions.jsonl" in reasons["broken"]
    assert reasons["empty"] == "It holds no question set."
    assert reasons.keys() == {"claims/claims.jsonl", "broken", "empty"}
    # Where it lies is of no concern to those who read it.
    assert not any(str(folder) in reason for reason in reasons.values())


def test_folders_of_documents_are_no_sets(tmp_path: Path) -> None:
    native(tmp_path / "mill.jsonl")
    sets, left_out = find_sets(tmp_path)
    assert [own.name for own in sets] == ["mill"]
    assert left_out == []
    (alone,), _ = find_sets(squad(tmp_path / "one" / "x.json").parent)
    assert alone.name == "x"


@pytest.mark.parametrize(
    "name, reason",
    [("none", "is not there"), ("README.md", "is a file"), ("claims", "no question set.*no 'id'")],
)
def test_where_there_is_nothing_to_measure_it_is_told(folder: Path, name: str, reason: str) -> None:
    with pytest.raises(QuestionSetError, match=re.compile(reason, re.DOTALL)):
        find_sets(folder / name)


def test_a_limit_chooses_the_same_whatever_their_order(tmp_path: Path) -> None:
    lines = [{**QUESTION, "id": f"q{n}"} for n in range(40)]

    def chosen(limit: int, *files: list[Any]) -> set[str]:
        for number, own in enumerate(files):
            write(tmp_path / "set" / f"f{number}.jsonl", *own)
        (found,), _ = find_sets(tmp_path)
        some: FolderSet = found.limited(limit)
        assert some.questions == min(limit, found.questions)
        return {question.id for file in some.files for question in file.questions}

    some = chosen(10, lines)
    assert chosen(10, lines[::-1]) == some
    assert chosen(4, lines) < some < chosen(30, lines)
    assert len(chosen(99, lines)) == 40
    # Of several files it is of all together, and one of which none is chosen is left away.
    assert len(chosen(1, lines[:20], lines[20:])) == 1
    assert json.loads((tmp_path / "set" / "f1.jsonl").read_text().splitlines()[0])["id"] == "q20"
