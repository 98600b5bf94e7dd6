"""What reading question sets has in common, whatever their format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evals.datasets.models import Question, QuestionSet
from index import Document, document_from_text
from index.errors import EmptyDocumentError, QuestionSetError


def passage_document(file: Path, place: object, source: str, text: object) -> Document:
    """A passage as a document of its own, so that gold passages are told by document.

    Args:
        file, place: where it stands, for the message; `place` is a line or a path in the JSON.
        source: what to name it by.
        text: its text.

    Raises:
        QuestionSetError: it holds no text.
    """
    if not isinstance(text, str):
        raise QuestionSetError(f"{file}:{place}: the text is {text!r}, not a string.")
    try:
        return document_from_text(text, source=source)
    except EmptyDocumentError as error:
        raise QuestionSetError(f"{file}:{place}: the passage has no text.") from error


def whole(
    path: Path,
    format_: str,
    questions: Iterable[Question],
    documents: Iterable[Document] = (),
    drafts: int = 0,
    notes: Iterable[str] = (),
) -> QuestionSet:
    """The set of what was read.

    Raises:
        QuestionSetError: two questions have one id, or there is none.
    """
    read = tuple(questions)
    seen: set[str] = set()
    for question in read:
        if question.id in seen:
            raise QuestionSetError(f"{path}: two questions have the same id {question.id!r}.")
        seen.add(question.id)
    if not read and not drafts:
        raise QuestionSetError(f"{path} holds no question.")
    return QuestionSet(path.stem, format_, read, tuple(documents), drafts, tuple(notes))


def read_text(path: Path) -> str:
    """The text of a file of a set.

    Raises:
        QuestionSetError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise QuestionSetError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise QuestionSetError(f"{path}:{line}: not UTF-8 ({error.reason}).") from error


def objects(path: Path, text: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file, with their line numbers.

    Raises:
        QuestionSetError: a line is not one.
    """
    lines = (read_text(path) if text is None else text).split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as error:
            raise QuestionSetError(f"{path}:{number}: not JSON: {error}.") from error
        if not isinstance(data, dict):
            raise QuestionSetError(f"{path}:{number}: not a JSON object.")
        yield number, data
