"""What programs are told and tell, as typed values: the same whatever they speak.

Each is made from the value that travels inside, by its `to_dict`; a name that is there and not
here, or the other way round, is an error. Where a document lies on this machine is nobody's
business: its `source` is the name of its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assistant.answer import AnswerKind, Verdict
from assistant.calibration import Status
from assistant.query.cleaning import without_surrogates
from assistant.query.kinds import MAX_LENGTH
from index.models import Kind

if TYPE_CHECKING:
    from assistant.answer import (
        Answer,
        Citation,
        Decided,
        SentenceReady,
        SourcesFound,
        Verification,
    )
    from assistant.service.sessions import SessionDocument
    from index import Document, Hit, Paragraph

#: A text of a document, which may hold what no output takes.
Text = Annotated[str, BeforeValidator(without_surrogates)]

DocumentId = Annotated[
    str,
    Field(
        description="Names a document, as the list of documents has it.",
        examples=["0123456789abcdef"],
    ),
]

_MOST = 100
"""Turns, or documents, that a question may come with."""


class Value(BaseModel):
    """A value that is told."""

    model_config = ConfigDict(extra="forbid")


class RectangleValue(Value):
    """A place on a page, in points (1/72 inch) from its top left corner."""

    page: int = Field(description="The page, from 1.")
    left: float
    top: float
    right: float
    bottom: float


class CitationValue(Value):
    """One place in a document that supports something. `quote` is what stands in the document's
    text from `start` to `end`, counted in Unicode code points."""

    marker: int = Field(
        description="1, 2, 3 … in order of first appearance; 0 if it is not part of an answer."
    )
    document: Text = Field(description="Title of the document.")
    document_id: DocumentId
    source: Text = Field(description="Name of the document's file.")
    heading: list[Text] = Field(description="The headings above it, outermost first.")
    paragraph: int = Field(description="Number of the paragraph, from 1.")
    page: int | None = Field(description="Page or slide, from 1, of formats that have them.")
    locator: Text = Field(description="Where a person finds it: `p. xii`, `slide 4`; or nothing.")
    rectangles: list[RectangleValue] = Field(description="Where the quote is printed, by lines.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")
    quote: Text
    paragraph_start: int = Field(description="Where the paragraph begins in the document's text.")
    paragraph_end: int = Field(description="Where it ends.")
    paragraph_text: Text

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """The value of a citation."""
        return cls.model_validate(_public(citation.to_dict()))


class SentenceValue(Value):
    """One sentence of an answer, or one item of a list."""

    text: Text
    verdict: Verdict = Field(
        description="`quoted`: the document's own. `supported`: written, and its citations support "
        "it. `unsupported`: written, and nothing does. `own`: of the assistant itself."
    )
    markers: list[int] = Field(description="Of the citations behind it.")
    item: bool = Field(description="Whether it is one of a list.")
    about: Text = Field(description="The one of the things compared that it is about; or nothing.")
    conflicts: list[Text] = Field(
        description="What of an unsupported one the documents state otherwise or not at all."
    )


class AnswerValue(Value):
    """What the documents say to a question. Only where `status` is `answered` do the sentences
    answer it: where it is `unsure` they are the closest that the documents come, and are not to be
    shown as an answer; where it is `refused` there are none, and `closest` is no answer either."""

    question: Text = Field(description="As it was asked.")
    standalone_question: Text = Field(description="As it was understood.")
    context: Text = Field(description="The question before it, where it leans on that; or nothing.")
    status: Status
    refused: bool = Field(description="Whether `status` is `refused`.")
    kind: AnswerKind = Field(
        description="What the sentences are: an `overview` in the documents' order; a `list` with "
        "items; a `comparison`; `where` something stands; `chat`, for which nothing was looked up; "
        "or `fact`."
    )
    confidence: float = Field(
        ge=0, le=1, description="Calibrated probability that the documents answer the question."
    )
    text: Text = Field(description="The sentences without markers; the refusal when refused.")
    sentences: list[SentenceValue]
    citations: Sequence[CitationValue] = Field(
        description="By marker; every marker of a sentence is among them."
    )
    closest: Sequence[CitationValue] = Field(
        description="When refused, the nearest paragraphs, each quoting its nearest sentence."
    )
    unanswered: list[Text] = Field(
        description="Of several questions asked at once, those that the documents do not answer."
    )
    undecided: list[Text] = Field(description="Likewise, those that they may not answer.")
    dropped: int = Field(
        description="Sentences that a language model wrote and that were left out: nothing "
        "supports them."
    )
    note: Text | None = Field(description="What went wrong on the way to this answer, if anything.")
    revision: str = Field(description="Of the documents; the same ones have the same, anywhere.")
    timings_ms: dict[str, float] = Field(description="Milliseconds by stage, and their `total`.")

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """The value of an answer."""
        plain = answer.to_dict()
        for name in ("citations", "closest"):
            plain[name] = [_public(citation) for citation in plain[name]]
        return cls.model_validate(plain)


class JudgedValue(Value):
    """A sentence of a text that was judged."""

    text: Text
    verdict: Verdict = Field(description="`supported` or `unsupported`.")
    markers: list[int] = Field(description="Of the citations that support it.")
    conflicts: list[Text] = Field(
        description="What of it the documents state otherwise or not at all: number, name, "
        "negation."
    )


class VerificationValue(Value):
    """What the documents say to a text."""

    supported: bool = Field(description="Whether every sentence is.")
    sentences: list[JudgedValue]
    citations: Sequence[CitationValue] = Field(description="By marker.")

    @classmethod
    def of(cls, verification: Verification) -> Self:
        """The value of a verification."""
        plain = verification.to_dict()
        plain["citations"] = [_public(citation) for citation in plain["citations"]]
        return cls.model_validate(plain)


class ParagraphValue(Value):
    """A paragraph of a document: what stands in the document's text from `start` to `end`."""

    document: Text = Field(description="Title of the document.")
    document_id: DocumentId
    number: int = Field(description="From 1, as a reader would count paragraphs.")
    heading: list[Text] = Field(description="The headings above it, outermost first.")
    page: int | None = Field(description="Page or slide, from 1, of formats that have them.")
    locator: Text = Field(description="Where a person finds it: `p. xii`, `slide 4`; or nothing.")
    kind: Kind
    language: str = Field(description="Of its document, by its ISO 639-1 code.")
    start: int
    end: int
    text: Text


class ReadValue(ParagraphValue):
    """A paragraph that was asked for by its number."""

    of_: int = Field(alias="of", description="How many paragraphs the document has.")

    @classmethod
    def numbered(cls, document: Document, paragraph: Paragraph) -> Self:
        """The value of a paragraph of a document."""
        of = len(document.paragraphs)
        return cls.model_validate({**_paragraph(paragraph, document.title), "of": of})


class HitValue(ParagraphValue):
    """A paragraph that was found."""

    score: float = Field(description="How well it matches; of different searches they compare.")
    legs: dict[str, float] = Field(
        description="`sentence`: cosine of its best sentence. `terms`: its share of the weight of "
        "the query's words."
    )


class FoundValue(Value):
    """What a search found."""

    hits: Sequence[HitValue] = Field(description="Best first.")

    @classmethod
    def of(cls, hits: Sequence[Hit], titles: Mapping[str, str]) -> Self:
        """The value of hits, with the titles of documents by their ids."""
        return cls.model_validate({"hits": [_hit(hit, titles) for hit in hits]})


class DocumentValue(Value):
    """A document that may be asked."""

    id: DocumentId
    title: Text
    name: Text = Field(description="Of its file.")
    paragraphs: int = Field(description="How many it has.")
    own: bool = Field(description="Whether whoever asks has added it, and nobody else sees it.")
    kept: bool = Field(description="Whether it stays until it is removed.")
    language: str = Field(description="By its ISO 639-1 code.")

    @classmethod
    def of(cls, found: SessionDocument) -> Self:
        """The value of a document as one owner sees it."""
        return cls.model_validate(plain_document(found))


class DocumentsValue(Value):
    """The documents that may be asked."""

    total: int = Field(description="How many there are.")
    documents: Sequence[DocumentValue] = Field(description="Everyone's first.")

    @classmethod
    def of(cls, found: Sequence[SessionDocument], first: int = 1, most: int | None = None) -> Self:
        """The value of documents, or of so many of them from one on, counted from 1."""
        end = None if most is None else first - 1 + most
        listed = [plain_document(one) for one in found[first - 1 : end]]
        return cls.model_validate({"total": len(found), "documents": listed})


# --- pieces of an answer, as it comes -----------------------------------------------------------


class SourcesValue(Value):
    """The paragraphs that the answer will be made from, before any of it is there."""

    sources: list[CitationValue] = Field(description="Best first; their markers are 0.")

    @classmethod
    def of(cls, event: SourcesFound) -> SourcesValue:
        """The value of an event."""
        return cls(sources=[CitationValue.of(source) for source in event.sources])


class DecidedValue(Value):
    """What the sentences that follow are."""

    status: Status
    confidence: float = Field(ge=0, le=1)
    kind: AnswerKind

    @classmethod
    def of(cls, event: Decided) -> DecidedValue:
        """The value of an event."""
        return cls(status=event.status, confidence=round(event.confidence, 4), kind=event.kind)


class ReadyValue(Value):
    """The next sentence of the answer, and the citations that it is the first to use."""

    sentence: SentenceValue
    citations: list[CitationValue]

    @classmethod
    def of(cls, event: SentenceReady) -> ReadyValue:
        """The value of an event."""
        own = event.sentence
        return cls(
            sentence=SentenceValue(
                text=own.text,
                verdict=own.verdict,
                markers=list(own.markers),
                item=own.item,
                about=own.about,
                conflicts=list(own.conflicts),
            ),
            citations=[CitationValue.of(citation) for citation in event.citations],
        )


class ProgressValue(Value):
    """How far a document is."""

    done: int = Field(description="Paragraphs that are indexed.")
    total: int = Field(description="Paragraphs in all.")


# --- what is asked ------------------------------------------------------------------------------


class Asked(BaseModel):
    """Something that is asked. Names that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class TurnValue(Asked):
    """Something that was said in the conversation before."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=20_000)


QuestionText = Annotated[
    str,
    Field(
        description="As a person asks it.",
        min_length=1,
        max_length=4000,
        examples=["When was the US Indo-Pacific strategy released?"],
    ),
]
History = Annotated[
    Sequence[TurnValue],
    Field(
        max_length=_MOST,
        description="The conversation before it, oldest first; of long ones the end counts.",
    ),
]
Chosen = Annotated[
    list[str] | None,
    Field(
        max_length=_MOST,
        description="Ids of the documents to ask; all that you may ask when left out.",
    ),
]
About = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=200,
        description="The heading of the part that it is of, or some of its words; of all when left "
        "out.",
    ),
]
Length = Annotated[
    int | None,
    Field(ge=1, le=MAX_LENGTH, description="How many it has; chosen by its length if left out."),
]
Query = Annotated[
    str,
    Field(
        description="What to look for, as words or a question.",
        min_length=1,
        max_length=4000,
        examples=["missile defense"],
    ),
]
Count = Annotated[int, Field(ge=1, le=100, description="How many paragraphs at most.")]
ClaimText = Annotated[
    str,
    Field(
        description="Any text, whoever wrote it.",
        min_length=1,
        max_length=20_000,
        examples=["The US Indo-Pacific strategy was released on February 11."],
    ),
]
Answering = Annotated[
    str | None,
    Field(min_length=1, max_length=4000, description="The question that it answers."),
]


class Question(Asked):
    """A question."""

    question: QuestionText
    history: History = ()
    documents: Chosen = None
    llm: Literal["none"] | None = Field(
        default=None,
        description="`none` quotes the documents even where a language model is set.",
    )


class Overview(Asked):
    """An overview that is wanted."""

    documents: Chosen = None
    about: About = None
    sentences: Length = None
    llm: Literal["none"] | None = Field(default=None, description="As of a question.")


class Search(Asked):
    """A search."""

    query: Query
    count: Count = 10
    documents: Chosen = None


class Claim(Asked):
    """A text to verify."""

    text: ClaimText
    question: Answering = None
    documents: Chosen = None


# --- how they are made --------------------------------------------------------------------------


def name_of(source: str) -> str:
    """The name of a document's file, without where it lies."""
    return source.replace("\\", "/").rpartition("/")[2]


def _public(citation: Mapping[str, Any]) -> dict[str, Any]:
    return {**citation, "source": name_of(citation["source"])}


def _hit(hit: Hit, titles: Mapping[str, str]) -> dict[str, Any]:
    title = titles.get(hit.paragraph.document_id, "")
    return {
        **_paragraph(hit.paragraph, title),
        "score": round(hit.score, 6),
        "legs": hit.legs,
    }


def plain_document(found: SessionDocument) -> dict[str, Any]:
    """A document as it is listed, as plain values."""
    info = found.info
    return {
        "id": info.id,
        "title": info.title,
        "name": name_of(info.source),
        "paragraphs": info.paragraphs,
        "own": found.own,
        "kept": info.kept,
        "language": info.language,
    }


def _paragraph(paragraph: Paragraph, title: str) -> dict[str, Any]:
    return {
        "document": title,
        "document_id": paragraph.document_id,
        "number": paragraph.number,
        "heading": list(paragraph.heading),
        "page": paragraph.page,
        "locator": paragraph.locator,
        "kind": paragraph.kind,
        "language": paragraph.language,
        "start": paragraph.start,
        "end": paragraph.end,
        "text": paragraph.text,
    }
