"""Documents and their paragraphs, as programs and the page are told them. Where a document lies on
this machine is nobody's business: its `source` is the name of its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from assistant.schemas.base import (
    DOCUMENT,
    PARAGRAPH,
    DocumentId,
    FileName,
    Text,
    Uncertain,
    Unit,
    Value,
)
from index.errors import MissingPathError
from index.models import Kind

if TYPE_CHECKING:
    from assistant.documents import AskedDocument
    from index import Document, Hit, Paragraph


class ParagraphValue(Value):
    """A paragraph of a document: what stands in the document's text from `start` to `end`."""

    document: Text = Field(description="Title of the document.")
    document_id: DocumentId
    number: int = Field(description="From 1, as a reader would count paragraphs.")
    heading: list[Text] = Field(description="The headings above it, outermost first.")
    introduction: Text = Field(description="What leads into it, as above a list; or nothing.")
    page: int | None = Field(description="Page or slide, from 1, of formats that have them.")
    locator: Text = Field(description="Where a person finds it: `p. xii`, `slide 4`; or nothing.")
    kind: Kind
    uncertain: Uncertain = False
    language: str = Field(description="Of its document, by its ISO 639-1 code.")
    start: int
    end: int
    text: Text
    uri: str = Field(
        default_factory=lambda own: PARAGRAPH.format(paragraph=own["number"], **own),
        description="The resource of MCP that it is.",
    )

    @classmethod
    def of(cls, paragraph: Paragraph, title: str, **more: Any) -> Self:
        """The value of a paragraph of the document of this title."""
        names = ParagraphValue.model_fields.keys() - {"document", "uncertain", "uri"}
        plain = {name: getattr(paragraph, name) for name in names}
        own = {**plain, "document": title, "uncertain": paragraph.is_uncertain}
        return cls.model_validate({**own, **more})


class ReadValue(ParagraphValue):
    """A paragraph that was asked for by its number."""

    count: int = Field(alias="of", description="How many paragraphs the document has.")

    @classmethod
    def numbered(cls, document: Document, number: int) -> Self:
        """The paragraph of a document that has this number, from 1.

        Raises:
            MissingPathError: it has none.
        """
        count = len(document.paragraphs)
        if not 1 <= number <= count:
            raise MissingPathError(
                f"There is no paragraph {number}; {document.title} has {count}, from 1."
            )
        return cls.of(document.paragraphs[number - 1], document.title, of=count)


class HitValue(ParagraphValue):
    """A paragraph that was found."""

    score: float = Field(description="How well it matches; of different searches they compare.")


class FoundValue(Value):
    """What a search found."""

    hits: Sequence[HitValue] = Field(description="Best first.")

    @classmethod
    def of(cls, hits: Sequence[Hit], titles: Mapping[str, str]) -> Self:
        """The value of hits, with the titles of documents by their ids."""
        found = [
            HitValue.of(
                hit.paragraph,
                titles.get(hit.paragraph.document_id, ""),
                score=round(hit.score, 6),
            )
            for hit in hits
        ]
        return cls(hits=found)


class DocumentValue(Value):
    """A document that may be asked."""

    id: DocumentId
    title: Text
    name: FileName = Field(description="Of its file.")
    folder: Text = Field(description="Where it lies in a folder that was added; or nothing.")
    hash: str = Field(description="SHA-256 of its text in UTF-8, hexadecimal.")
    paragraphs: int = Field(description="How many it has.")
    own: bool = Field(description="Whether whoever asks has added it.")
    kept: bool = Field(description="Whether it stays until it is removed.")
    sample: bool = Field(
        description="Whether it comes with Footnote, to try it; it goes when there are others."
    )
    language: str = Field(description="By its ISO 639-1 code.")
    authors: list[Text] = Field(description="Who wrote it, as far as it says.")
    date: Text = Field(
        description="When it was published, or else made: `2022`, `2022-03`, `2022-03-07`; or "
        "nothing."
    )
    address: Text = Field(description="Where on the web it was published; or nothing.")
    doi: str = Field(description="Its DOI; or nothing.")
    link: str = Field(description="What opens a note in Obsidian, with obsidian; or nothing.")
    added: str = Field(
        description="When it first came into the index, by ISO 8601 in UTC; nothing where that is "
        "not known."
    )
    bytes: int = Field(description="How large its file is; 0 where that is not known.")
    pages: int = Field(description="How many pages or slides it has; 0 where it has none.")
    unread: int = Field(
        description="How many of its pages or pictures may hold text that was not read, since that "
        "is in pictures: see `pictures`."
    )
    uri: str = Field(
        default_factory=lambda own: DOCUMENT.format(document_id=own["id"]),
        description="The resource of MCP that is its text.",
    )

    @classmethod
    def of(cls, found: AskedDocument) -> Self:
        """The value of a document as one owner sees it: each of these names is that of what it is,
        there, in its info or in its metadata."""
        told = {
            name: getattr(source, name)
            for source in (found.info.metadata, found.info, found)
            for name in cls.model_fields
            if hasattr(source, name)
        }
        return cls.model_validate({**told, "name": found.info.source})


class DocumentsValue(Value):
    """The documents that may be asked."""

    total: int = Field(description="How many there are.")
    documents: Sequence[DocumentValue] = Field(description="Everyone's first.")

    @classmethod
    def of(cls, found: Sequence[AskedDocument], first: int = 1, count: int | None = None) -> Self:
        """The value of documents, or of so many of them from one on, counted from 1."""
        end = None if count is None else first - 1 + count
        listed = [DocumentValue.of(one) for one in found[first - 1 : end]]
        return cls(total=len(found), documents=listed)


class ProgressValue(Value):
    """How far a document is."""

    done: int = Field(description="How many are done.")
    total: int = Field(description="How many there are.")
    unit: Unit = Field(description="Of what: paragraphs that are indexed, or pages that are read.")
