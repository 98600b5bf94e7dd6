"""Questions of a person's own, added to a set: complete, or as drafts to be completed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.documents import read_all
from assistant.query.cleaning import check_question
from assistant.workspace.feedback import draft_id, put_line
from evals.datasets.json_lines import read_objects
from index.errors import QuestionSetError

#: How a draft becomes a question.
HOW = (
    'set "answerable" to true or false, give "evidence" as exact quotes from the document where it '
    'is true, and take "draft" out of the line'
)


def add_question(
    path: Path,
    question: str,
    answerable: bool | None,
    evidence: Sequence[str],
    sources: Sequence[Path],
) -> bool:
    """Add a question to a native set, made when it is not there.

    Args:
        path: the set.
        question: as a person asks it.
        answerable: whether the documents answer it; None where that is not decided.
        evidence: quotes, all of which the answer needs.
        sources: the documents that the evidence is of; the shipped one when there are none.

    Returns:
        Whether the question is complete; a draft where its evidence or `answerable` is missing.

    Raises:
        QuestionSetError: the evidence is not in the documents or does not go with `answerable`, or
            the file is no question set or has the question.
        DocumentError, QuestionError, UnreadableError.
    """
    question = check_question(question)
    identity = draft_id(question)
    for number, data in read_objects(path) if path.exists() else ():
        if data.get("id") == identity and data.get("draft") is not True:
            raise QuestionSetError(f"{path}:{number}: the question is there already.")
    if answerable is False and evidence:
        raise QuestionSetError("An unanswerable question has no evidence. Leave one of them out.")
    if evidence:
        documents = read_all(sources)
        for quote in evidence:
            if not quote.strip():
                raise QuestionSetError("The evidence is empty. Quote what answers the question.")
            if not any(quote in document.text for document in documents):
                names = ", ".join(document.title for document in documents[:3])
                raise QuestionSetError(
                    f"The evidence is not in {names}: {quote!r}. Quote it as it stands there, or "
                    "give the right --source."
                )
        answerable = True
    complete = answerable is False or bool(evidence)
    line: dict[str, Any] = {
        "id": identity,
        "question": question,
        "answerable": answerable,
        "evidence": list(evidence),
        "answers": [],
        "history": [],
    }
    put_line(path, line if complete else {**line, "draft": True})
    return complete
