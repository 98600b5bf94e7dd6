"""The topics of the help as documents, which answers cite that an earlier version kept. They have
the paragraphs and offsets that citations need; nobody asks, lists or counts them."""

from __future__ import annotations

from functools import cache

from assistant.help.topics import Topic, topics
from index import Document, DocumentInfo
from index.models import DocumentMetadata, document_id
from index.readers.loader import document_from_text

#: How the source of a topic begins; its name follows.
HELP = "help:"
TITLE = "Footnote's help"


@cache
def document_of(topic: Topic) -> Document:
    """A topic as a document."""
    return document_from_text(topic.text, f"{HELP}{topic.name}", TITLE, markdown=True)


def help_document(identity: str) -> Document | None:
    """The topic that has this id as a document, if one has."""
    named = (topic for topic in topics() if document_id(f"{HELP}{topic.name}") == identity)
    return next(map(document_of, named), None)


def info_of(document: Document) -> DocumentInfo:
    """A topic as documents are told of without their text."""
    return DocumentInfo(
        id=document.id,
        source=document.source,
        title=document.title,
        hash=document.hash,
        paragraphs=len(document.paragraphs),
        kept=True,
        language=document.language,
        stale=False,
        metadata=DocumentMetadata(),
        added="",
        bytes=document.bytes,
        pages=0,
        unread=0,
    )
