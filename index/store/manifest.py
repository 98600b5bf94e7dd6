"""What the index knows of a document without its paragraphs' texts, and of a paragraph without its
place: `Manifest` and `ParagraphText`, which together are a document again, to the character."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import IndexCorruptedError
from index.models import (
    ENGLISH,
    NO_METADATA,
    Document,
    DocumentMetadata,
    Kind,
    Paragraph,
    Sentence,
    above_of,
    context_of,
    paragraph_id,
    text_hash,
)
from index.terms.analysis import Numbers, terms_key
from index.terms.bm25 import keys_of_ids


@dataclass(frozen=True, slots=True)
class ParagraphText:
    """A paragraph's text and where its sentences lie in it, without a place in any document; and
    the context that its vectors depend on (see `context_of`)."""

    id: str
    text: str
    spans: tuple[tuple[int, int], ...]
    context: str = ""

    @classmethod
    def of(cls, paragraph: Paragraph) -> ParagraphText:
        """What of a paragraph does not depend on where it stands."""
        spans = tuple(
            (s.start - paragraph.start, s.end - paragraph.start) for s in paragraph.sentences
        )
        context = context_of(paragraph.heading, paragraph.lead)
        return cls(paragraph.id, paragraph.text, spans, context)

    @classmethod
    def stored(cls, identity: str, text: str, spans: str, context: str = "") -> ParagraphText:
        """The paragraph of that id, as it was stored.

        Raises:
            ValueError: the text is not the one that was stored.
        """
        read = tuple((int(a), int(b)) for a, b in json.loads(spans))
        # Neither database has checksums: a text that changed on the disk is not to be cited.
        if paragraph_id(text, read, context) != identity:
            raise ValueError(f"paragraph {identity} is not the text that was stored")
        return cls(identity, text, read, context)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a paragraph stands in a document, as the manifest keeps it."""

    id: str
    heading: tuple[str, ...]
    page: int | None
    start: int
    end: int
    locator: str = ""
    kind: Kind = "prose"
    ocr_confidence: float | None = None
    lead: Sentence | None = None

    @property
    def above(self) -> str:
        """What stands above it, as one text."""
        return " ".join(above_of(self.heading, self.lead))


_OF_PLACE = tuple(field.name for field in fields(Place))


class Rows:
    """Rows of paragraphs, and where their vectors are.

    Args:
        table: their `rows`, `positions` and `sentences`, int64 [3, paragraphs].

    Attributes:
        rows: their numbers in the database, int64 [paragraphs].
        positions: of the first vector of each, int64 [paragraphs].
        sentences: how many vectors each has, int64 [paragraphs].
    """

    __slots__ = ("positions", "rows", "sentences", "table")

    def __init__(self, table: NDArray[np.int64]) -> None:
        self.table = table
        self.rows, self.positions, self.sentences = table

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, which: Any) -> Rows:
        """Some of them, chosen as of an array."""
        return Rows(np.ascontiguousarray(self.table[:, which]))

    def tuples(self) -> list[Row]:
        """Those that `of` makes the same of."""
        return list(zip(*self.table.tolist(), strict=True))

    @classmethod
    def of(cls, found: Iterable[Sequence[int]]) -> Rows:
        """Those of (row, position, sentences)."""
        table = np.array([tuple(row) for row in found], dtype=np.int64).reshape(-1, 3)
        return cls(np.ascontiguousarray(table.T))

    @classmethod
    def joined(cls, several: Iterable[Rows]) -> Rows:
        """All of several, one after the other."""
        return cls(np.concatenate([NO_ROWS.table, *(rows.table for rows in several)], axis=1))


#: A row of a paragraph, the position of its first vector, and how many it has.
Row = tuple[int, int, int]

NO_ROWS = Rows(np.empty((3, 0), dtype=np.int64))

#: What a document and its manifest have alike.
_SHARED = (
    "id", "source", "title", "hash", "reading", "content", "language", "metadata", "bytes", "pages",
    "unread",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the index knows of a document without its paragraphs' texts.

    `gaps` has one text more than `places`: what stands before each paragraph, and after the last.
    `kept` says that the user put the document into the index, rather than only asked it once.
    `added` says when it first came into this index, by ISO 8601 in UTC, "" where that is not known.
    It is of the index and not of the document, and kept beside what the revision is made of.
    `custom_title` is shown instead of `title`, whatever version the document has; neither takes
    part in retrieval, so that nothing is embedded again where they change.
    `row` and `version` are its row in the database and the hash that stood there, and `rows` those
    of its paragraphs; 0, "" and none where it was not read from there.
    """

    id: str
    source: str
    title: str
    hash: str
    reading: str
    places: tuple[Place, ...]
    gaps: tuple[str, ...]
    kept: bool = False
    content: str = ""
    language: str = ENGLISH
    metadata: DocumentMetadata = NO_METADATA
    bytes: int = 0
    pages: int = 0
    unread: int = 0
    added: str = ""
    custom_title: str = ""
    row: int = field(default=0, compare=False)
    version: str = field(default="", compare=False)
    rows: Rows = field(default=NO_ROWS, compare=False, repr=False)
    _keys: tuple[Numbers, int] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def keys(self) -> tuple[Numbers, int]:
        """The keys of its paragraphs, and that of what their terms depend on."""
        if self._keys is None:
            # Told once: all of it has to be hashed, and a manifest stays while others change.
            ids = [place.id for place in self.places]
            above = [place.above for place in self.places]
            keys = keys_of_ids(ids), terms_key(self.language, ids, above)
            object.__setattr__(self, "_keys", keys)
            return keys
        return self._keys

    @classmethod
    def of(cls, document: Document, kept: bool = False, added: str = "") -> Manifest:
        """What is to be kept of a document; `kept` marks it to stay when its file is gone."""
        places = tuple(
            Place(**{name: getattr(paragraph, name) for name in _OF_PLACE})
            for paragraph in document.paragraphs
        )
        ends = [0, *(place.end for place in places)]
        starts = [*(place.start for place in places), len(document.text)]
        gaps = tuple(document.text[a:b] for a, b in zip(ends, starts, strict=True))
        shared = {name: getattr(document, name) for name in _SHARED}
        return cls(**shared, places=places, gaps=gaps, kept=kept, added=added)

    @property
    def shown_title(self) -> str:
        """The title that it has for people."""
        return self.custom_title or self.title

    def is_of(self, document: Document) -> bool:
        """Whether the document is as it was when this was made of it, as far as it tells without a
        look at its paragraphs: the same text read in the same way has the same."""
        mine, its = (
            (of.hash, of.reading, of.content, of.title, of.language, of.metadata)
            for of in (self, document)
        )
        return bool(self.reading) and mine == its

    def document(self, texts: Mapping[str, ParagraphText]) -> Document:
        """The document again, from the texts of all its places by id.

        Raises:
            IndexCorruptedError: together they are not the text that was indexed.
        """
        paragraphs = tuple(
            self.paragraph(number, texts[place.id])
            for number, place in enumerate(self.places, start=1)
        )
        # One gap more than there are paragraphs: what stands after the last.
        between = zip(self.gaps, [*(p.text for p in paragraphs), ""], strict=True)
        text = "".join(gap + paragraph for gap, paragraph in between)
        if text_hash(text) != self.hash:
            raise IndexCorruptedError(
                f"The text of {self.source} in the index is not the one that was indexed. "
                "Run: footnote index remove and add the document again."
            )
        shared = {name: getattr(self, name) for name in _SHARED} | {"title": self.shown_title}
        document = Document(**shared, text=text, paragraphs=paragraphs)
        document.check()
        return document

    def paragraph(self, number: int, text: ParagraphText) -> Paragraph:
        """Put the text in its place as this document's paragraph `number` (1-based)."""
        place = self.places[number - 1]
        if place.end - place.start != len(text.text):
            raise IndexCorruptedError(
                f"Paragraph {number} of {self.source} does not fit its place in the index. "
                "Run: footnote index remove and add the document again."
            )
        return Paragraph(
            **{name: getattr(place, name) for name in _OF_PLACE},
            document_id=self.id,
            number=number,
            text=text.text,
            sentences=tuple(
                Sentence(place.start + a, place.start + b, text.text[a:b]) for a, b in text.spans
            ),
            language=self.language,
        )

    @property
    def digest(self) -> str:
        """Names this version of the document."""
        return text_hash(self._to_json())

    def _to_json(self) -> str:
        """All of it, compactly; offsets are left out, since the gaps and the lengths give them."""
        headings = list(dict.fromkeys(place.heading for place in self.places))
        leads = [place.lead and [place.lead.start, place.lead.text] for place in self.places]
        numbers = {heading: number for number, heading in enumerate(headings)}
        return json.dumps(
            {
                "source": self.source,
                "title": self.title,
                "hash": self.hash,
                "reading": self.reading,
                "kept": self.kept,
                "content": self.content,
                "language": self.language,
                "metadata": written(self.metadata),
                "bytes": self.bytes,
                "pages": self.pages,
                "unread": self.unread,
                "headings": headings,
                "gaps": self.gaps,
                "places": [
                    [p.id, numbers[p.heading], p.page, p.end - p.start, p.locator, p.kind]
                    + ([] if p.ocr_confidence is None else [p.ocr_confidence])
                    for p in self.places
                ],
            }
            | ({"leads": leads} if any(leads) else {})
        )


def written(metadata: DocumentMetadata) -> dict[str, Any]:
    """Metadata as plain values, without what it does not say."""
    return {k: value for k, value in asdict(metadata).items() if value}


def metadata_of(data: Mapping[str, Any]) -> DocumentMetadata:
    """The metadata that was written so."""
    return DocumentMetadata(**{**data, "authors": tuple(data.get("authors", ()))})
