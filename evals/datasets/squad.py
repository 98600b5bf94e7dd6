"""SQuAD 1.1 and 2.0 files: Rajpurkar et al., arXiv 1606.05250 and 1806.03822.

The contexts of all articles are the passages of one corpus. `is_impossible` questions are
unanswerable; the annotators' answers are alternatives, each at its exact place. `plausible_answers`
of impossible questions are not gold and are not read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.datasets.json_lines import passage_document, question_set
from evals.datasets.models import Question, QuestionSet
from index import Document
from index.errors import QuestionSetError


def read_squad(path: Path, text: str) -> QuestionSet:
    """Read a SQuAD file.

    Args:
        path: its name, for the set and for messages.
        text: its content.

    Raises:
        QuestionSetError: it is malformed; names the file and the line, or the place in the JSON.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        raise QuestionSetError(f"{path}:{line}: not JSON: {error}.") from error
    documents: dict[str, Document] = {}  # by context: the same one is one passage
    questions = []
    for place, title, paragraph in _paragraphs(path, data):
        context = _get(path, place, paragraph, "context", str)
        if context not in documents:
            source = f"{path.name}/{title}#{len(documents)}"
            documents[context] = passage_document(f"{path}:{place}", source, context)
        for number, qa in enumerate(_get(path, place, paragraph, "qas", list)):
            own = f"{place}.qas[{number}]"
            questions.append(_question(path, own, qa, context, documents[context].id))
    return question_set(path, "squad", questions, documents.values())


def _paragraphs(path: Path, data: Any) -> Iterator[tuple[str, str, Any]]:
    for number, article in enumerate(_get(path, "the file", data, "data", list)):
        place = f"data[{number}]"
        title = article.get("title", "") if isinstance(article, dict) else ""
        paragraphs = _get(path, place, article, "paragraphs", list)
        for position, paragraph in enumerate(paragraphs):
            yield f"{place}.paragraphs[{position}]", str(title), paragraph


def _question(path: Path, place: str, qa: Any, context: str, document_id: str) -> Question:
    identity = _get(path, place, qa, "id", (str, int))
    asked = _get(path, place, qa, "question", str)
    if not asked.strip():
        raise QuestionSetError(f"{path}: {place}: the question is empty.")
    impossible = qa.get("is_impossible", False)
    if not isinstance(impossible, bool):
        raise QuestionSetError(f"{path}: {place}: is_impossible is {impossible!r}.")
    if impossible:
        return Question(str(identity), asked, False)
    answers, spans = [], []
    for answer in _get(path, place, qa, "answers", list):
        text = _get(path, place, answer, "text", str)
        start = _get(path, place, answer, "answer_start", int)
        if not text or context[start : start + len(text)] != text:
            raise QuestionSetError(
                f"{path}: {place}: the answer {text!r} is not in its context at {start}; there "
                f"stands {context[start : start + len(text)]!r}."
            )
        answers.append(text)
        spans.append((document_id, start, start + len(text)))
    if not answers:
        raise QuestionSetError(f"{path}: {place}: an answerable question needs an answer.")
    return Question(
        str(identity),
        asked,
        True,
        gold={document_id: 1},
        spans=tuple(dict.fromkeys(spans)),
        answers=tuple(dict.fromkeys(answers)),
    )


def _get(path: Path, place: str, data: Any, name: str, kind: Any) -> Any:
    found = data.get(name) if isinstance(data, dict) else None
    if not isinstance(found, kind):
        raise QuestionSetError(
            f"{path}: {place}: {name} is {found!r}"[:300] + "; see the SQuAD format."
        )
    return found
