"""What the readers of question sets share: files, JSON Lines, passages, and the set at the end."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from evals.datasets.models import Question, QuestionSet
from index import Document, document_from_text
from index.errors import EmptyDocumentError, QuestionSetError

Value = TypeVar("Value")


def read_text(path: Path) -> str:
    """The text of a file of a set, which may be gzipped.

    Raises:
        QuestionSetError: it cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise QuestionSetError(f"{path} cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise QuestionSetError(f"{path}:{line}: not UTF-8 ({error.reason}).") from error


def read_objects(path: Path, text: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of a JSON Lines file, each with its line number; empty lines are skipped.

    Args:
        path: the file.
        text: its text, where it has been read already.

    Raises:
        QuestionSetError: a line is not a JSON object.
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


def checked(place: object, kind: type[Value], data: Any) -> Value:
    """Plain values, or JSON as text, as what they are to be.

    Args:
        place: where they stand, for the message of an error.
        kind: a dataclass or a model of pydantic.
        data: text, or values by name; those that are None count as not there.

    Raises:
        QuestionSetError: the values are invalid; names the first mistake.
    """
    wanted: Any = kind
    adapter: TypeAdapter[Value] = _adapter(wanted)
    try:
        if isinstance(data, str):
            return adapter.validate_json(data)
        return adapter.validate_python({n: own for n, own in data.items() if own is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        if first["type"] == "missing":
            raise QuestionSetError(f"{place}: there is no {where!r}.") from error
        given = repr(first["input"])[:200]
        raise QuestionSetError(f"{place}: {where} is {given}: {first['msg']}.") from error


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_corpus(folder: Path, key: str, with_title: bool = False) -> dict[str, Document]:
    """The passages of `corpus.jsonl` in a folder by their id, each as a document of its own.

    Args:
        folder: holds the file.
        key: the field that holds a passage's id; its text is in `text`.
        with_title: whether the field `title`, where there is one, stands before the text.

    Raises:
        QuestionSetError: a passage has no id or no text.
    """
    file = folder / "corpus.jsonl"
    documents: dict[str, Document] = {}
    for line, data in read_objects(file):
        if missing := {key, "text"} - data.keys():
            raise QuestionSetError(f"{file}:{line}: there is no {missing.pop()!r}.")
        title, text = str(data.get("title") or "").strip(), data["text"]
        if with_title and title and isinstance(text, str):
            text = f"{title}\n\n{text}" if text.strip() else title
        source = f"{folder.name}/{data[key]}"
        documents[str(data[key])] = passage_document(f"{file}:{line}", source, text)
    return documents


def passage_document(place: str, source: str, text: object) -> Document:
    """A passage as a document of its own, so that a gold passage is named by a document's id.

    Args:
        place: where the passage stands, for the message of an error.
        source: the new document's source.
        text: the passage's text.

    Raises:
        QuestionSetError: the text is not a string or is empty.
    """
    if not isinstance(text, str):
        raise QuestionSetError(f"{place}: the text is {text!r}, not a string.")
    try:
        return document_from_text(text, source=source)
    except EmptyDocumentError as error:
        raise QuestionSetError(f"{place}: the passage has no text.") from error


def question_set(
    path: Path,
    format_: str,
    questions: Iterable[Question],
    documents: Iterable[Document] = (),
    drafts: int = 0,
    notes: Iterable[str] = (),
) -> QuestionSet:
    """The set named after a path, once its ids are checked; see `QuestionSet` for the rest.

    Raises:
        QuestionSetError: two questions have the same id, or there is no question.
    """
    read = tuple(questions)
    [(often, count), *_] = Counter(question.id for question in read).most_common(1) or [("", 0)]
    if count > 1:
        raise QuestionSetError(f"{path}: two questions have the same id {often!r}.")
    if not read and not drafts:
        raise QuestionSetError(f"{path} holds no question.")
    return QuestionSet(path.stem, format_, read, tuple(documents), drafts, tuple(notes))
