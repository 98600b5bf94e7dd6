"""SQuAD 1.1 and 2.0 files: Rajpurkar et al., arXiv 1606.05250 and 1806.03822.

The contexts of all articles are the passages of one corpus. `is_impossible` questions are
unanswerable; the annotators' answers are alternatives, each at its exact place. `plausible_answers`
of impossible questions are not gold and are not read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, StrictBool

from evals.datasets.json_lines import checked, passage_document, question_set
from evals.datasets.models import Question, QuestionSet, Text
from index import Document
from index.errors import QuestionSetError


class Answer(BaseModel):
    """A short answer, and where it stands in the context."""

    text: Text
    answer_start: int


class Asked(BaseModel):
    """A question with the answers of several annotators."""

    id: Annotated[str, BeforeValidator(str)]
    question: Text
    is_impossible: StrictBool = False
    answers: list[Answer] = []


class Context(BaseModel):
    """A paragraph and what is asked about it."""

    context: str
    qas: list[Asked]


class Article(BaseModel):
    """An article of Wikipedia."""

    title: str = ""
    paragraphs: list[Context]


class SquadFile(BaseModel):
    """A whole file."""

    data: list[Article]


def read_squad(path: Path, text: str) -> QuestionSet:
    """Read a SQuAD file.

    Args:
        path: its name, for the set and for messages.
        text: its content.

    Raises:
        QuestionSetError: it is malformed; names the file and the place in the JSON.
    """
    documents: dict[str, Document] = {}  # by context: the same one is one passage
    questions = []
    for article in checked(path, SquadFile, text).data:
        for paragraph in article.paragraphs:
            context = paragraph.context
            if context not in documents:
                source = f"{path.name}/{article.title}#{len(documents)}"
                documents[context] = passage_document(str(path), source, context)
            document = documents[context].id
            questions += [_question(path, asked, context, document) for asked in paragraph.qas]
    return question_set(path, "squad", questions, documents.values())


def _question(path: Path, asked: Asked, context: str, document: str) -> Question:
    if asked.is_impossible:
        return Question(asked.id, asked.question, False)
    spans = []
    for answer in asked.answers:
        start, end = answer.answer_start, answer.answer_start + len(answer.text)
        if context[start:end] != answer.text:
            raise QuestionSetError(
                f"{path}: {asked.id}: the answer {answer.text!r} is not in its context at {start}; "
                f"there stands {context[start:end]!r}."
            )
        spans.append((document, start, end))
    if not spans:
        raise QuestionSetError(f"{path}: {asked.id}: an answerable question needs an answer.")
    return Question(
        asked.id,
        asked.question,
        True,
        gold={document: 1},
        spans=tuple(dict.fromkeys(spans)),
        answers=tuple(dict.fromkeys(answer.text for answer in asked.answers)),
    )
