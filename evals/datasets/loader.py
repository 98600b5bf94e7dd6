"""Reading question sets. The format is told by what is there, not by a name or a flag.

- **native**: JSON Lines, one question a line. `evidence` holds all that the answer needs; an item
  that is a list holds alternatives. A line `{"documents": ["report.txt"]}` names the documents, by
  paths from the set's folder; they may also be given beside it (`--source`).

      {"id": "q1", "question": "...", "answerable": true, "kind": "fact",
       "evidence": ["exact quote", ["either this quote", "or this one"]],
       "also_supports": ["exact quote"], "answers": ["short answer"],
       "history": [{"role": "user", "content": "..."}, ...]}

- **passages**: a folder of `corpus.jsonl` (`id`, `text`) and `questions.jsonl` (as above, with
  `gold`, the ids of the passages that answer, in place of `evidence`).
- **SQuAD** 1.1 or 2.0 JSON (`evals.datasets.squad`) and **BEIR** folders (`evals.datasets.beir`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evals.datasets import beir, squad
from evals.datasets.models import Question, QuestionSet
from evals.datasets.reading import objects, passage_document, read_text, whole
from index import Document, find_files, read_document
from index.errors import QuestionSetError


def read_set(path: Path) -> QuestionSet:
    """Read a question set of any of the formats.

    Raises:
        QuestionSetError: it is malformed, or of no known format; names file, line and reason.
        DocumentError: a document that the set names cannot be read.
    """
    if path.is_dir():
        names = {file.name for file in path.iterdir()}
        if {"corpus.jsonl", "queries.jsonl"} <= names:
            return beir.read(path)
        if {"corpus.jsonl", "questions.jsonl"} <= names:
            return _read_passages(path)
        raise QuestionSetError(
            f"{path} holds {', '.join(sorted(names)[:6]) or 'nothing'}. A folder must hold "
            "corpus.jsonl with questions.jsonl, or corpus.jsonl with queries.jsonl and qrels/."
        )
    text = read_text(path)
    return squad.read(path, text) if _is_one_object(text) else _read_native(path, text)


def _is_one_object(text: str) -> bool:
    """Whether the file is a JSON object over several lines, or one of SQuAD's on a single line."""
    head, _, rest = text.lstrip().partition("\n")
    try:
        first = json.loads(head)
    except ValueError:
        return head.startswith("{") and '"data"' in text and '"paragraphs"' in text
    return isinstance(first, dict) and "data" in first and not rest.strip()


def _read_native(path: Path, text: str) -> QuestionSet:
    questions, documents, drafts = [], [], 0
    for line, data in objects(path, text):
        if data.get("draft") is True:
            drafts += 1
        elif "documents" in data and "question" not in data:
            named = _strings(path, line, data, "documents")
            documents += [
                read_document(file) for file in find_files(path.parent / name for name in named)
            ]
        else:
            question = _question(path, line, data)
            if question.answerable and not question.evidence:
                raise QuestionSetError(f"{path}:{line}: an answerable question needs evidence.")
            questions.append(question)
    return whole(path, "native", questions, documents, drafts)


def _read_passages(folder: Path) -> QuestionSet:
    corpus, asked = folder / "corpus.jsonl", folder / "questions.jsonl"
    documents: dict[str, Document] = {}
    for line, data in objects(corpus):
        for name in {"id", "text"} - data.keys():
            raise QuestionSetError(f"{corpus}:{line}: there is no {name!r}.")
        source = f"{folder.name}/{data['id']}"
        documents[str(data["id"])] = passage_document(corpus, line, source, data["text"])
    questions = []
    for line, data in objects(asked):
        question = _question(asked, line, data)
        named = _strings(asked, line, data, "gold")
        for identity in named:
            if identity not in documents:
                raise QuestionSetError(
                    f"{asked}:{line}: passage {identity!r} is not in {corpus.name}."
                )
        if question.answerable and not named:
            raise QuestionSetError(f"{asked}:{line}: an answerable question needs evidence.")
        gold = {documents[identity].id: 1 for identity in named} if question.answerable else {}
        questions.append(dataclasses.replace(question, gold=gold))
    return whole(folder, "passages", questions, documents.values())


def _question(path: Path, line: int, data: Mapping[str, Any]) -> Question:
    """The fields that the native format and that of passages share."""
    place = f"{path}:{line}"
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
        also_supports=tuple(_strings(path, line, data, "also_supports")),
        answers=tuple(_strings(path, line, data, "answers")),
        history=tuple({"role": t["role"], "content": t["content"]} for t in history),
    )


def _strings(path: Path, line: int, data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise QuestionSetError(f"{path}:{line}: {name} is {found!r}, not a list of strings.")
    return found
