"""Footnote's own formats, native files and folders of passages; `evals.datasets.loader` has both.

The only reader of questions as people write them, so each mistake is told with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.datasets.json_lines import checked, question_set, read_corpus, read_objects
from evals.datasets.models import Question, QuestionSet
from index import find_files, read_document
from index.errors import QuestionSetError


def read_native(path: Path, text: str) -> QuestionSet:
    """Read a native set.

    Args:
        path: its file, for its name, its documents and messages.
        text: its content.

    Raises:
        QuestionSetError: it is malformed; names file, line and reason.
        DocumentError: a document that it names cannot be read.
    """
    questions, documents, drafts = [], [], 0
    for line, data in read_objects(path, text):
        place = f"{path}:{line}"
        if data.get("draft") is True:
            drafts += 1
        elif "documents" in data and "question" not in data:
            named = [path.parent / name for name in _named(place, data, "documents")]
            documents += [read_document(file) for file in find_files(named)]
        else:
            question = checked(place, Question, data)
            if question.answerable and not question.evidence:
                raise QuestionSetError(f"{place}: an answerable question needs evidence.")
            questions.append(question)
    return question_set(path, "native", questions, documents, drafts)


def read_passages(folder: Path) -> QuestionSet:
    """Read a folder of passages.

    Raises:
        QuestionSetError: it is malformed; names file, line and reason.
    """
    documents = read_corpus(folder, "id")
    asked = folder / "questions.jsonl"
    questions = []
    for line, data in read_objects(asked):
        place = f"{asked}:{line}"
        named = _named(place, data, "gold")
        question = checked(place, Question, {**data, "gold": None})
        for identity in named:
            if identity not in documents:
                raise QuestionSetError(f"{place}: passage {identity!r} is not in corpus.jsonl.")
        if question.answerable and not named:
            raise QuestionSetError(f"{place}: an answerable question needs evidence.")
        gold = {documents[identity].id: 1 for identity in named} if question.answerable else {}
        questions.append(replace(question, gold=gold))
    return question_set(folder, "passages", questions, documents.values())


def _named(place: str, data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise QuestionSetError(f"{place}: {name} is {found!r}, not a list of strings.")
    return found
