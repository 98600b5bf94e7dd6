"""What the page is told and tells, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.answer import Answer, Citation
    from assistant.web.sessions import Shelved

TURNS = 12
"""Earlier questions that a follow-up is understood from."""


def turns_of(history: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """The last turns of a conversation, as the browser told it."""
    return [
        {"role": str(turn.get("role", "user")), "content": str(turn.get("content", ""))[:8000]}
        for turn in (history or [])[-2 * TURNS :]
    ]


def plain_citation(citation: Citation) -> dict[str, Any]:
    """A citation without where its document lies on this machine, which is nobody's business."""
    plain = citation.to_dict()
    del plain["source"]
    return plain


def plain_answer(answer: Answer) -> dict[str, Any]:
    """An answer, with plain sentences and citations."""
    return {
        **answer.to_dict(),
        "sentences": [asdict(sentence) for sentence in answer.sentences],
        "citations": [plain_citation(citation) for citation in answer.citations],
        "closest": [plain_citation(citation) for citation in answer.closest],
    }


def plain_document(shelved: Shelved) -> dict[str, Any]:
    """A document as the page lists it."""
    info = shelved.info
    return {
        "id": info.id,
        "title": info.title,
        "name": info.source.replace("\\", "/").rpartition("/")[2],
        "paragraphs": info.paragraphs,
        "own": shelved.own,
        "kept": info.kept,
    }
