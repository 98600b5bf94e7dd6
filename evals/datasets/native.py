"""Footnote's own formats, native files and folders of passages; `evals.datasets.loader` has both.

The only reader of questions as people write them, so each mistake is told with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from evals.datasets.json_lines import question_set, read_corpus, read_objects
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
            named = [path.parent / name for name in _strings(place, data, "documents")]
            documents += [read_document(file) for file in find_files(named)]
        else:
            question = _question(place, data)
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
        question = _question(place, data)
        named = _strings(place, data, "gold")
        for identity in named:
            if identity not in documents:
                raise QuestionSetError(f"{place}: passage {identity!r} is not in corpus.jsonl.")
        if question.answerable and not named:
            raise QuestionSetError(f"{place}: an answerable question needs evidence.")
        gold = {documents[identity].id: 1 for identity in named} if question.answerable else {}
        questions.append(replace(question, gold=gold))
    return question_set(folder, "passages", questions, documents.values())


def _question(place: str, data: Mapping[str, Any]) -> Question:
    """The fields that both formats have."""
    for name in ("id", "question", "answerable"):
        if name not in data:
            raise QuestionSetError(f"{place}: not a question: there is no {name!r}.")
    if not isinstance(data["answerable"], bool):
        raise QuestionSetError(f"{place}: answerable is {data['answerable']!r}, not true or false.")
    if not isinstance(data["question"], str) or not data["question"].strip():
        raise QuestionSetError(f"{place}: the question is empty.")
    items = data.get("evidence") or []
    if not isinstance(items, list):
        raise QuestionSetError(f"{place}: evidence is {items!r}, not a list of quotes.")
    evidence = [tuple(item) if isinstance(item, list) else (item,) for item in items]
    for quote in (quote for item in evidence for quote in item or (None,)):
        if not isinstance(quote, str) or not quote.strip():
            raise QuestionSetError(f"{place}: the evidence holds {quote!r}, which is no quote.")
    history = data.get("history") or []
    for turn in history if isinstance(history, list) else [history]:
        if (
            not isinstance(turn, dict)
            or turn.get("role") not in ("user", "assistant")
            or not isinstance(turn.get("content"), str)
        ):
            raise QuestionSetError(
                f"{place}: the history holds {turn!r}; a turn is "
                '{"role": "user" or "assistant", "content": text}.'
            )
    return Question(
        id=str(data["id"]),
        question=data["question"],
        answerable=data["answerable"],
        kind=str(data.get("kind") or ""),
        evidence=tuple(evidence),
        also_supports=tuple(_strings(place, data, "also_supports")),
        answers=tuple(_strings(place, data, "answers")),
        history=tuple({"role": t["role"], "content": t["content"]} for t in history),
        document=str(data.get("document") or ""),
        abstract=_abstract(place, data),
    )


def _abstract(place: str, data: Mapping[str, Any]) -> str:
    found = data.get("abstract") or ""
    if not isinstance(found, str):
        raise QuestionSetError(f"{place}: the abstract is {found!r}, not a text.")
    return found


def _strings(place: str, data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise QuestionSetError(f"{place}: {name} is {found!r}, not a list of strings.")
    return found
