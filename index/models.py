"""The values that flow: Document, Paragraph, Sentence.

All offsets count characters (Unicode code points) of `Document.text`, which is the decoded file
with its line endings untouched and a byte order mark removed. The invariant everywhere is

    document.text[x.start:x.end] == x.text        for every paragraph and every sentence
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: What a paragraph is, which is how it is shown. Only prose is segmented further; the items of a
#: list, a row of a table and the lines of anything else are a sentence each. `contents` only says
#: where something stands, as tables of contents, menus and references do: it is found, and no
#: answer.
Kind = Literal["prose", "list", "row", "lines", "contents"]


#: The language that the reading model and the rules read, by its ISO 639-1 code; and that a text is
#: taken to be in where nothing tells.
ENGLISH = "en"


#: Tags of HTML that stand inside texts, kramdown's marks (`{: .note}`), and those of bold letters.
_MARKS = re.compile(
    r"</?(?:span|div|a|b|i|u|p|em|strong|br|sup|sub|small|code|font|img|cite|mark|abbr|li|ul|ol|"
    r"h[1-6]|table|tr|td|th|iframe)\b[^<>]*>|\{:[^{}]*\}|\*\*",
    re.IGNORECASE,
)


def strip_marks(text: str) -> str:
    """A text as it is read, without marks that plain text may hold: those of HTML and Markdown are
    in no paragraph. Offsets count in the text that has them."""
    marked = any(sign in text for sign in ("<", "{:", "&", "**"))
    return unescape(_MARKS.sub("", text)) if marked else text


#: What a paragraph that was read from a picture has to be read with for its words to be taken as
#: they are: see `chunking.chunker` for what is counted.
MIN_OCR_CONFIDENCE = 0.5


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a paragraph: `start` and `end` are offsets into the document's text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph under its headings.

    Attributes:
        id: content address, the same for the same text wherever it stands (see `paragraph_id`).
        document_id: the document it stands in.
        number: 1-based, as a reader would count paragraphs; headings are not counted.
        heading: the headings above it, outermost first; empty where there is none.
        page: 1-based page or slide, for formats that have them.
        locator: where a person finds it: `p. xii`, `slide 4`, `Sheet1, row 17`; "" where the
            headings have to do.
        kind: what it is, which is how it is shown.
        start, end: offsets into the document's text.
        text: the paragraph, exactly as it stands in the document.
        sentences: its sentences in order, not overlapping, all inside `start:end`; never empty.
        language: of its document.
        ocr_confidence: of one that was read from a picture, from 0 to 1; of others None.
        lead: what leads into it and stands elsewhere: the sentence that ends in a colon above a
            list, the question above an answer, the title of a table. It is searched and read with
            the paragraph, and is no part of it.
    """

    id: str
    document_id: str
    number: int
    heading: tuple[str, ...]
    page: int | None
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...]
    locator: str = ""
    kind: Kind = "prose"
    language: str = ENGLISH
    ocr_confidence: float | None = None
    lead: Sentence | None = None

    @property
    def introduction(self) -> str:
        """What leads into it, in one line; "" where nothing does."""
        return " ".join(self.lead.text.split()) if self.lead else ""

    @property
    def above(self) -> tuple[str, ...]:
        """What it is read with: the headings above it, and what leads into it."""
        return above_of(self.heading, self.lead)

    @property
    def is_uncertain(self) -> bool:
        """Whether it was read from a picture, and not surely: what it says may not stand there."""
        return self.ocr_confidence is not None and self.ocr_confidence < MIN_OCR_CONFIDENCE


#: Times as high as its words a rectangle of a line is at most. Words of several sizes, or raised
#: ones, make it up to .4 higher.
MAX_HEIGHT_RATIO = 1.6


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place on a page, from 1, in points (1/72 inch) from its top left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """In points."""
        return self.bottom - self.top

    def goes_on_with(self, other: Rectangle) -> bool:
        """Whether the other one is the next on the same line: no further to the right than two of
        its heights, which the space between columns is."""
        height = min(self.bottom - self.top, other.bottom - other.top)
        overlap = min(self.bottom, other.bottom) - max(self.top, other.top)
        gap = other.left - self.right
        return self.page == other.page and 2 * overlap > height and -height < gap < 2 * height

    def joined(self, other: Rectangle) -> Rectangle:
        """The smallest rectangle around both."""
        return Rectangle(
            self.page,
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text, `text[start:end]`, and where it is printed."""

    text: str
    start: int
    end: int
    place: Rectangle


@dataclass(frozen=True, slots=True)
class Boxes:
    """Where the words of a text are printed, in the order of the text.

    Attributes:
        text: the text of the document.
        spans: of each word, its first character and the one after its last, int32 [words, 2].
        pages: the page of each, from 1, int32 [words].
        rectangles: left, top, right, bottom of each in points (1/72 inch) from the page's top left
            corner, float32 [words, 4].
        sizes: width and height of each page in points, float32 [pages, 2].
        labels: what is printed on each page as its number.
    """

    text: str
    spans: NDArray[np.int32]
    pages: NDArray[np.int32]
    rectangles: NDArray[np.float32]
    sizes: NDArray[np.float32]
    labels: tuple[str, ...]

    def within(self, start: int, end: int) -> slice:
        """Which words have a character in `text[start:end]`."""
        first = int(np.searchsorted(self.spans[:, 1], start, side="right"))
        last = int(np.searchsorted(self.spans[:, 0], end, side="left"))
        return slice(first, last)

    def words_on(self, page: int) -> list[Word]:
        """The words of a page, from 1, in the order of the text."""
        words = np.flatnonzero(self.pages == page)
        boxes = zip(self.spans[words].tolist(), self.rectangles[words].tolist(), strict=True)
        return [
            Word(self.text[start:end], start, end, Rectangle(page, *box))
            for (start, end), box in boxes
        ]

    def lines(self, start: int, end: int) -> tuple[Rectangle, ...]:
        """What `text[start:end]` is printed in: a rectangle for each of its lines, in order; of
        lines that lie askew several, so that they reach into no other."""
        found: list[Rectangle] = []
        height = 0.0  # of the first word of a rectangle
        words = self.within(start, end)
        boxes = self.rectangles[words].tolist()
        for page, box in zip(self.pages[words].tolist(), boxes, strict=True):
            word = Rectangle(page, *box)
            joined = found[-1].joined(word) if found and found[-1].goes_on_with(word) else None
            if joined and joined.height <= MAX_HEIGHT_RATIO * max(word.height, height):
                found[-1] = joined
            else:
                found.append(word)
                height = word.height
        return tuple(found)


@dataclass(frozen=True, slots=True)
class DocumentMetadata:
    """What a document says of its origin, as far as that is known.

    Attributes:
        authors: their names; of one without a name the address of mail.
        date: when it was published, or else made, as `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
        address: where it was published, with http or https.
        doi: it begins with `10.`.
        link: what opens it in the program that it is written in, with obsidian.
    """

    authors: tuple[str, ...] = ()
    date: str = ""
    address: str = ""
    doi: str = ""
    link: str = ""


#: Of a document that says nothing of it.
NO_METADATA = DocumentMetadata()


@dataclass(frozen=True, slots=True)
class Document:
    """A document read from `source`.

    Attributes:
        id: derived from `source`, so that a changed file stays the same document.
        source: the absolute path that it was read from.
        title: the heading that it begins with, or else the name of the file.
        text: the whole decoded text.
        hash: sha256 of `text` in UTF-8, hexadecimal.
        paragraphs: in reading order; never empty.
        reading: how the text was cut into paragraphs (see `readers.loader.RawDocument`); "" where
            that is not known. The same text read the same way has the same paragraphs.
        language: what it is written in, by its ISO 639-1 code.
        metadata: who wrote it, when and where, as far as it says.
        bytes: of the file that it was read from; 0 where that is not known.
        pages: how many pages or slides it has; 0 where it has none.
        unread: how many of its pages or pictures hold what was not read, as pictures of text.
    """

    id: str
    source: str
    title: str
    text: str
    hash: str
    paragraphs: tuple[Paragraph, ...]
    reading: str = ""
    content: str = ""
    language: str = ENGLISH
    metadata: DocumentMetadata = NO_METADATA
    bytes: int = 0
    pages: int = 0
    unread: int = 0
    boxes: Boxes | None = field(default=None, compare=False, repr=False)

    def check(self) -> None:
        """Raise AssertionError unless every offset fits its text (the invariant of this module)."""
        for paragraph in self.paragraphs:
            assert self.text[paragraph.start : paragraph.end] == paragraph.text, paragraph
            assert paragraph.sentences, paragraph
            for sentence in paragraph.sentences:
                assert paragraph.start <= sentence.start < sentence.end <= paragraph.end, sentence
            lead = [paragraph.lead] if paragraph.lead else []
            for sentence in (*paragraph.sentences, *lead):
                assert self.text[sentence.start : sentence.end] == sentence.text, sentence


def text_hash(text: str) -> str:
    """sha256 of the text in UTF-8 (lone surrogates kept), hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def bytes_hash(content: bytes) -> str:
    """sha256 of bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def document_id(source: str) -> str:
    """Identify a document by where it was read from: 16 hexadecimal digits."""
    return text_hash(source)[:16]


def above_of(heading: Sequence[str], lead: Sentence | None) -> tuple[str, ...]:
    """What a paragraph is read with: headings, and what leads into it."""
    return (*heading, *([lead.text] if lead else []))


def context_of(heading: Sequence[str], lead: Sentence | None) -> str:
    """What the vectors of a paragraph say besides its text, a line each: the heading right above it
    and what leads into it."""
    return "\n".join(" ".join(text.split()) for text in above_of(heading[-1:], lead))


def paragraph_id(text: str, spans: tuple[tuple[int, int], ...], context: str = "") -> str:
    """Identify a paragraph by its text, where its sentences lie in it, and its context (see
    `context_of`): 32 hexadecimal digits.

    The vectors of a paragraph depend on nothing else, so the same id means that nothing has to be
    embedded again.
    """
    about = f"{context!r}\n" if context else ""
    return text_hash(f"{about}{spans}\n{text}")[:32]


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, counted in paragraphs (documents where it says so)."""

    documents: int
    added: int
    removed: int
    unchanged: int
    embedded: int
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The index as a whole. `folder` is where it is, the address of a server too; `bytes` is its
    size on this disk; `revision` names what is in it."""

    folder: str
    encoder: str
    fingerprint: str
    documents: int
    paragraphs: int
    sentences: int
    bytes: int
    revision: str


def now() -> str:
    """The time by ISO 8601, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
