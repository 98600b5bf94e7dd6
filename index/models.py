"""The values that flow: Document, Paragraph, Sentence.

All offsets count characters (Unicode code points) of `Document.text`, which is the decoded file
with its line endings untouched and a byte order mark removed. The invariant everywhere is

    document.text[x.start:x.end] == x.text        for every paragraph and every sentence
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


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
        page: 1-based page, for formats that have pages.
        start, end: offsets into the document's text.
        text: the paragraph, exactly as it stands in the document.
        sentences: its sentences in order, not overlapping, all inside `start:end`; never empty.
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
        reading: how the text was cut into paragraphs (see `chunking.loader.Text`); "" where that is
            not known. The same text read the same way has the same paragraphs.
    """

    id: str
    source: str
    title: str
    text: str
    hash: str
    paragraphs: tuple[Paragraph, ...]
    reading: str = ""

    def check(self) -> None:
        """Raise AssertionError unless every offset fits its text (the invariant of this module)."""
        for paragraph in self.paragraphs:
            assert self.text[paragraph.start : paragraph.end] == paragraph.text, paragraph
            assert paragraph.sentences, paragraph
            for sentence in paragraph.sentences:
                assert paragraph.start <= sentence.start < sentence.end <= paragraph.end, sentence
                assert self.text[sentence.start : sentence.end] == sentence.text, sentence


def text_hash(text: str) -> str:
    """sha256 of the text in UTF-8 (lone surrogates kept), hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def document_id(source: str) -> str:
    """Identify a document by where it was read from: 16 hexadecimal digits."""
    return text_hash(source)[:16]


def paragraph_id(text: str, spans: tuple[tuple[int, int], ...]) -> str:
    """Identify a paragraph by its text and where its sentences lie in it: 32 hexadecimal digits.

    The vectors of a paragraph depend on nothing else, so the same id means that nothing has to be
    embedded again.
    """
    return text_hash(f"{spans}\n{text}")[:32]
