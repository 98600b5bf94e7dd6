"""What MCP clients are given: the values that all programs are told, with the addresses of the
resources that they are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from assistant.answer import place_at
from assistant.service.values import (
    AnswerValue,
    CitationValue,
    DocumentsValue,
    DocumentValue,
    FoundValue,
    HitValue,
    ReadValue,
    VerificationValue,
)

#: The addresses of documents, and of paragraphs in them.
DOCUMENT = "footnote://documents/{document_id}"
PARAGRAPH = DOCUMENT + "/paragraphs/{paragraph}"


def _of_citation(known: Mapping[str, Any]) -> str:
    return PARAGRAPH.format(document_id=known["document_id"], paragraph=known["paragraph"])


def _of_paragraph(known: Mapping[str, Any]) -> str:
    return PARAGRAPH.format(document_id=known["document_id"], paragraph=known["number"])


def _of_document(known: Mapping[str, Any]) -> str:
    return DOCUMENT.format(document_id=known["id"])


class Citation(CitationValue):
    """See `CitationValue`."""

    uri: str = Field(
        default_factory=_of_citation, description="The resource that is the paragraph."
    )


class Answer(AnswerValue):
    """What the documents say to a question. Only where `status` is `answered` do the sentences
    answer it; see the `status` of others."""

    citations: Sequence[Citation] = Field(
        description="By marker; every marker of a sentence is among them."
    )
    closest: Sequence[Citation] = Field(
        description="When refused, the nearest paragraphs, each quoting its nearest sentence."
    )


class Verification(VerificationValue):
    """What the documents say to a text."""

    citations: Sequence[Citation] = Field(description="By marker.")


class Hit(HitValue):
    """A paragraph that was found."""

    uri: str = Field(default_factory=_of_paragraph, description="The resource that it is.")


class Found(FoundValue):
    """What a search found."""

    hits: Sequence[Hit] = Field(description="Best first.")


class Read(ReadValue):
    """A paragraph that was asked for by its number."""

    uri: str = Field(default_factory=_of_paragraph, description="The resource that it is.")


class Document(DocumentValue):
    """A document that may be asked."""

    uri: str = Field(default_factory=_of_document, description="The resource that is its text.")


class Documents(DocumentsValue):
    """The documents that may be asked, or some of them."""

    documents: Sequence[Document] = Field(description="Everyone's first.")


def place_of(value: Citation | Hit | Read) -> str:
    """Where it stands, for people."""
    number = value.paragraph if isinstance(value, Citation) else value.number
    return place_at(value.document, value.heading, value.locator, number)
