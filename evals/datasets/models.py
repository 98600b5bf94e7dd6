"""Question sets: what they hold, whatever format they were read from (`evals.datasets.loader`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool

from assistant.query.rewriting import Turn
from index import Document

#: Kinds of questions that one item of the evidence answers: overviews and lists. Sets call an
#: overview of a part `section`.
ONE_WILL_DO = frozenset({"overview", "document", "section", "list", "other number"})


def _turn(turn: Turn) -> Turn:
    if turn.get("role") not in ("user", "assistant") or "content" not in turn:
        raise ValueError('a turn is {"role": "user" or "assistant", "content": text}')
    return {"role": turn["role"], "content": turn["content"]}


def _item(item: Any) -> Any:
    return item if isinstance(item, list | tuple) else (item,)


#: A text that says something.
Text = Annotated[str, Field(pattern=r"\S")]
#: An item of evidence: alternative quotes, or the only one.
Item = Annotated[tuple[Text, ...], BeforeValidator(_item), Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its gold.

    Attributes:
        id: unique in its set.
        question: as it is asked.
        answerable: whether the documents answer it.
        kind: the set's own name for what sort of question it is.
        evidence: each item is a tuple of alternative quotes; all items are needed. Of an overview
            they are its key sentences, of a list its items.
        also_supports: quotes that support the answer without being needed.
        gold: ids of the documents that answer, for sets whose passages are documents.
        spans: exact places of the short answer as (document id, start, end), where the set tells
            them; any of them will do.
        answers: acceptable short answers.
        history: earlier turns, oldest first.
        document: the name of the file that it is asked of alone; "" for all that are asked.
    """

    id: Annotated[str, BeforeValidator(str)]
    question: Text
    answerable: StrictBool
    kind: str = ""
    evidence: tuple[Item, ...] = ()
    also_supports: tuple[str, ...] = ()
    gold: tuple[str, ...] = ()
    spans: tuple[tuple[str, int, int], ...] = ()
    answers: tuple[str, ...] = ()
    history: tuple[Annotated[Turn, AfterValidator(_turn)], ...] = ()
    document: str = ""


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Questions, and the documents they are about where the set brings its own.

    Attributes:
        name: of the file or folder.
        format: `native`, `passages`, `squad` or `beir`.
        questions: in the set's order.
        documents: the set's own documents; empty where they are given beside it.
        notes: what was left out, in sentences.
    """

    name: str
    format: str
    questions: tuple[Question, ...]
    documents: tuple[Document, ...] = ()
    notes: tuple[str, ...] = ()

    def sha256(self, documents: Iterable[Document]) -> str:
        """Return a hash of the questions with their gold, and of the texts that they are asked of.

        Args:
            documents: those texts: the set's own, or those that are given beside it.
        """
        digest = hashlib.sha256()
        for question in self.questions:
            digest.update(json.dumps(asdict(question), sort_keys=True, default=list).encode())
        for text in sorted(document.hash for document in documents):
            digest.update(text.encode())
        return digest.hexdigest()
