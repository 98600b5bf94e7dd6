"""What MCP clients are given: values made from the assistant's, each with its description, from
which the tools' output schemas are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assistant.answer import Answer, AnswerKind, Citation, Verdict, Verification, place_of
from assistant.calibration import Status
from assistant.query.cleaning import without_surrogates
from index import Document, DocumentInfo, Hit, Paragraph

#: The addresses of documents, and of paragraphs in them.
DOCUMENT = "footnote://documents/{document_id}"
PARAGRAPH = DOCUMENT + "/paragraphs/{paragraph}"

#: A text of a document, which may hold what no output takes.
Text = Annotated[str, BeforeValidator(without_surrogates)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Place(_Value):
    """A paragraph of a document."""

    document_id: str
    """Names the document, for tools that take one."""
    document: Text
    """The document's title."""
    paragraph: int
    """The paragraph's number in the document, from 1."""
    place: Text
    """Where it stands, for people: title, headings, page, paragraph."""
    heading: list[Text]
    """The headings above it, outermost first."""
    page: int | None
    """The page or slide, from 1, in documents that have them."""
    uri: str
    """The resource that is this paragraph."""

    @classmethod
    def of(cls, title: str, paragraph: Paragraph, **more: Any) -> Self:
        """That of a paragraph of a document with this title."""
        return cls(
            document_id=paragraph.document_id,
            document=title,
            paragraph=paragraph.number,
            place=place_of(title, paragraph),
            heading=list(paragraph.heading),
            page=paragraph.page,
            uri=PARAGRAPH.format(document_id=paragraph.document_id, paragraph=paragraph.number),
            **more,
        )


class Cited(Place):
    """A place in a document that supports something."""

    marker: int
    """Its number in the answer; 0 where it is not part of one."""
    quote: Text
    """The characters of the document that are quoted."""
    start: int
    """Where the quote begins, in characters of the document's text from 0."""
    end: int
    """Where it ends."""
    text: Text
    """The paragraph in which the quote stands."""

    @classmethod
    def by(cls, citations: Iterable[Citation]) -> list[Self]:
        """Those of an answer."""
        return [
            cls.of(
                own.title,
                own.paragraph,
                marker=own.marker,
                quote=own.quote,
                start=own.start,
                end=own.end,
                text=own.paragraph.text,
            )
            for own in citations
        ]


class Sentence(_Value):
    """A sentence of an answer, or of a text that was verified."""

    text: Text
    verdict: Verdict
    """`quoted`: the document's own. `supported`: written, and its citations support it.
    `unsupported`: nothing does. `own`: said of the assistant itself."""
    markers: list[int]
    """Of the citations behind it."""
    conflicts: list[Text]
    """What of an unsupported one the documents state otherwise or not at all."""
    item: bool
    """Whether it is an item of a list."""
    about: Text
    """The one of the things compared that it is about; empty where nothing is compared."""

    @classmethod
    def by(cls, given: Answer | Verification) -> list[Self]:
        """Those of an answer or a verification."""
        return [
            cls(
                text=own.text,
                verdict=own.verdict,
                markers=list(own.markers),
                conflicts=list(own.conflicts),
                item=own.item,
                about=own.about,
            )
            for own in given.sentences
        ]


class Answered(_Value):
    """What the documents say to a question."""

    status: Status
    """`answered`; `unsure`: the sentences are only the closest that the documents come, may be no
    answer and must not be given as one; `refused`: the documents do not answer."""
    text: Text
    """The answer in one paragraph, or the refusal."""
    sentences: list[Sentence]
    citations: list[Cited]
    """By marker."""
    closest: list[Cited]
    """When refused, the nearest paragraphs, which are no answer."""
    unanswered: list[Text]
    """Of several questions asked at once, those that the documents do not answer."""
    undecided: list[Text]
    """Likewise, those that they may not answer."""
    kind: AnswerKind
    """`overview` stands for the whole, in the documents' order; `list` has items; the sentences of
    a `comparison` are about one thing or the other; those of `where` are places; for `chat` nothing
    was looked up; `fact` is all else."""
    confidence: float
    """Probability that the documents answer the question."""
    understood: Text
    """The question as it was understood after the conversation before it."""
    dropped: int
    """How many written sentences had no support and were left out."""
    note: Text | None
    """What went wrong on the way, if anything did."""

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """That of an answer."""
        return cls(
            status=answer.status,
            text=answer.text,
            sentences=Sentence.by(answer),
            citations=Cited.by(answer.citations),
            closest=Cited.by(answer.closest),
            unanswered=list(answer.unanswered),
            undecided=list(answer.undecided),
            kind=answer.kind,
            confidence=round(answer.confidence, 4),
            understood=answer.standalone_question,
            dropped=answer.dropped,
            note=answer.note,
        )


class Verified(_Value):
    """What the documents say to a text."""

    supported: bool
    """Whether they support every sentence."""
    sentences: list[Sentence]
    """All of the text, in order."""
    citations: list[Cited]
    """By marker."""

    @classmethod
    def of(cls, verification: Verification) -> Self:
        """That of a verification."""
        return cls(
            supported=verification.supported,
            sentences=Sentence.by(verification),
            citations=Cited.by(verification.citations),
        )


class Match(Place):
    """A paragraph that was found."""

    score: float
    """How well it matches; the best is first."""
    text: Text

    @classmethod
    def by(cls, hit: Hit, titles: Mapping[str, str]) -> Self:
        """That of a hit, with the titles of documents by their ids."""
        paragraph = hit.paragraph
        title = titles.get(paragraph.document_id, "")
        return cls.of(title, paragraph, score=round(hit.score, 4), text=paragraph.text)


class Found(_Value):
    """Paragraphs that match, best first."""

    paragraphs: list[Match]


class Passage(Place):
    """A paragraph, and where it lies in its document."""

    of_: int = Field(alias="of", description="How many paragraphs the document has.")
    start: int
    """Where it begins, in characters of the document's text from 0."""
    end: int
    """Where it ends."""
    text: Text

    @classmethod
    def in_(cls, document: Document, paragraph: Paragraph) -> Self:
        """That of a paragraph of a document."""
        return cls.of(
            document.title,
            paragraph,
            of=len(document.paragraphs),
            start=paragraph.start,
            end=paragraph.end,
            text=paragraph.text,
        )


class Listed(_Value):
    """A document that can be asked."""

    document_id: str
    title: Text
    paragraphs: int
    language: str
    """What it is written in, by its ISO 639-1 code."""
    uri: str
    """The resource that is its text."""

    @classmethod
    def of(cls, info: DocumentInfo) -> Self:
        """That of a document of the index."""
        return cls(
            document_id=info.id,
            title=info.title,
            paragraphs=info.paragraphs,
            language=info.language,
            uri=DOCUMENT.format(document_id=info.id),
        )


class Listing(_Value):
    """Documents that can be asked."""

    total: int
    """How many there are."""
    documents: list[Listed]


class Said(_Value):
    """One turn of the conversation before a question."""

    role: Literal["user", "assistant"]
    content: str
