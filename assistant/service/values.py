"""What programs and the page are told and tell, as typed values: the same whatever they speak.

Each is made from the value that travels inside: `AnswerValue.model_validate(answer)`, by its
`to_dict` where it has one; a name that is there and not here, or the other way round, is an error.
Where a document lies on this machine is nobody's business: its `source` is the name of its file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import methodcaller
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from assistant.answer import AnswerKind, Checked, Outcome, Verdict, name_of, place_at
from assistant.calibration import Status
from assistant.query.cleaning import SURROGATES
from assistant.query.kinds import MAX_LENGTH
from assistant.service.fetching import LONGEST
from index.errors import MissingPathError
from index.models import Kind, Rectangle

if TYPE_CHECKING:
    from assistant.documents import AskedDocument
    from index import Document, Hit, Paragraph


#: A text of a document, which may hold what no output takes.
Text = Annotated[str, BeforeValidator(methodcaller("translate", SURROGATES))]
FileName = Annotated[Text, AfterValidator(name_of)]
Confidence = Annotated[float, Field(ge=0, le=1), AfterValidator(lambda own: round(own, 4))] | None

Unit = Literal["paragraphs", "pages"]

Uncertain = Annotated[
    bool,
    Field(
        description="Whether it was read from a picture, and not surely: its words and numbers may "
        "be others."
    ),
]

DocumentId = Annotated[
    str,
    Field(
        description="Names a document, as the list of documents has it.",
        examples=["0123456789abcdef"],
    ),
]

#: The addresses of documents, and of paragraphs in them, as resources of MCP.
DOCUMENT = "footnote://documents/{document_id}"
PARAGRAPH = DOCUMENT + "/paragraphs/{paragraph}"

_MAX_ITEMS = 100
"""Turns, or documents, that a question may come with."""


class Value(BaseModel):
    """A value that is told."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, own: Any) -> Any:
        return own.to_dict() if hasattr(own, "to_dict") else own


class CitationValue(Value):
    """One place in a document that supports something. `quote` is what stands in the document's
    text from `start` to `end`, counted in Unicode code points."""

    marker: int = Field(
        description="1, 2, 3 … in order of first appearance; 0 if it is not part of an answer."
    )
    document: Text = Field(description="Title of the document.")
    document_id: DocumentId
    source: FileName = Field(description="Name of the document's file.")
    heading: list[Text] = Field(description="The headings above it, outermost first.")
    paragraph: int = Field(description="Number of the paragraph, from 1.")
    page: int | None = Field(description="Page or slide, from 1, of formats that have them.")
    locator: Text = Field(description="Where a person finds it: `p. xii`, `slide 4`; or nothing.")
    rectangles: list[Rectangle] = Field(description="Where the quote is printed, by lines.")
    start: int = Field(description="Where the quote begins in the document's text.")
    end: int = Field(description="Where it ends.")
    quote: Text
    paragraph_start: int = Field(description="Where the paragraph begins in the document's text.")
    paragraph_end: int = Field(description="Where it ends.")
    paragraph_text: Text
    paragraph_kind: Kind = Field(
        default="prose", description="What the paragraph is; of `contents`, where something stands."
    )
    uncertain: Uncertain = False
    introduction: Text = Field(default="", description="What introduces the list that it is of.")
    link: str = Field(
        default="", description="What opens a note of Obsidian there, with obsidian; or nothing."
    )
    uri: str = Field(
        default_factory=lambda own: PARAGRAPH.format_map(own),
        description="The resource of MCP that is the paragraph.",
    )

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return place_at(self.document, self.heading, self.locator, self.paragraph, self.uncertain)


class JudgedValue(Value):
    """A sentence, and what the documents say to it."""

    text: Text
    verdict: Verdict = Field(
        description="`quoted`: the document's own. `supported`: written, and its citations support "
        "it. `unsupported`: written, and nothing does. `own`: of the assistant itself."
    )
    markers: list[int] = Field(description="Of the citations behind it.")
    conflicts: list[Text] = Field(
        description="What of an unsupported one the documents state otherwise or not at all: "
        "number, name, negation."
    )


class SentenceValue(JudgedValue):
    """One sentence of an answer, or one item of a list."""

    item: bool = Field(description="Whether it is one of a list.")
    about: Text = Field(description="The one of the things compared that it is about; or nothing.")


class WritingValue(Value):
    """What a language model had to do with an answer."""

    model: Text = Field(description="Its name.")
    check: Checked = Field(description="Whether it was checked, and how that ended.")
    outcome: Outcome = Field(
        description="`written`: it answered, and the documents support that. `declined`: it says "
        "that they do not answer. `unproved`: they do not support what it wrote as the answer. "
        "`failed`: it did not do its work. `untrusted`: it was not asked, for it failed its check."
    )
    passages: int = Field(description="How many it was given to read.")
    searches: list[Text] = Field(description="What it had looked up besides the question.")
    returned: int = Field(description="Sentences without support that went back to it once.")
    calls: int = Field(description="How often it was called.")
    prompt_tokens: int | None = Field(description="That it read; null where it does not tell.")
    completion_tokens: int | None = Field(description="That it wrote, likewise.")


class AnswerValue(Value):
    """What the documents say to a question. Only where `status` is `answered` do the sentences
    answer it. Where it is `unsure` they are of up to five passages that may, a sentence of each,
    the best first: to be shown as such, each where it stands. Where it is `refused` there are none,
    and `closest` is no answer either."""

    id: str = Field(
        default="",
        description="By which it can be kept with a question or a note, for a day; nothing where "
        "it cannot.",
    )
    question: Text = Field(description="As it was asked.")
    standalone_question: Text = Field(description="As it was understood.")
    context: Text = Field(description="The question before it, where it leans on that; or nothing.")
    status: Status
    refused: bool = Field(description="Whether `status` is `refused`.")
    kind: AnswerKind = Field(
        description="What the sentences are: an `overview` in the documents' order; a `list` with "
        "items; a `comparison`; `where` something stands; `chat`, for which nothing was looked up; "
        "or `fact`, as where it is `unsure`. `help`, quoted from Footnote's own help, is only in "
        "conversations that an earlier version kept."
    )
    confidence: Confidence = Field(
        description="Calibrated probability that the answer is right, or would be; null where a "
        "language model has read them and decided."
    )
    text: Text = Field(description="The sentences without markers; the refusal when refused.")
    sentences: list[SentenceValue]
    citations: Sequence[CitationValue] = Field(
        description="By marker; every marker of a sentence is among them."
    )
    closest: Sequence[CitationValue] = Field(
        description="When refused, the nearest paragraphs; when answered, the next passages that "
        "may answer too; each quoting its likeliest sentence, with marker 0."
    )
    unanswered: list[Text] = Field(
        description="Of what is asked, the parts that the documents do not say."
    )
    undecided: list[Text] = Field(description="Likewise, those that they may not answer.")
    dropped: int = Field(
        description="Sentences that a language model wrote and that were left out: nothing "
        "supports them."
    )
    note: Text | None = Field(description="What went wrong on the way to this answer, if anything.")
    writing: WritingValue | None = Field(
        description="What a language model had to do with it; null where none was to write."
    )
    revision: str = Field(description="Of the documents; the same ones have the same, anywhere.")
    timings_ms: dict[str, float] = Field(description="Milliseconds by stage, and their `total`.")


class VerificationValue(Value):
    """What the documents say to a text."""

    supported: bool = Field(description="Whether every sentence is.")
    sentences: list[JudgedValue]
    citations: Sequence[CitationValue] = Field(description="By marker.")


class ParagraphValue(Value):
    """A paragraph of a document: what stands in the document's text from `start` to `end`."""

    document: Text = Field(description="Title of the document.")
    document_id: DocumentId
    number: int = Field(description="From 1, as a reader would count paragraphs.")
    heading: list[Text] = Field(description="The headings above it, outermost first.")
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

    @property
    def place(self) -> str:
        """Where it stands, for people."""
        return place_at(self.document, self.heading, self.locator, self.number, self.uncertain)

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
        found = [
            HitValue.of(
                hit.paragraph,
                titles.get(hit.paragraph.document_id, ""),
                score=round(hit.score, 6),
                legs=hit.legs,
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
    paragraphs: int = Field(description="How many it has.")
    own: bool = Field(description="Whether whoever asks has added it.")
    kept: bool = Field(description="Whether it stays until it is removed.")
    sample: bool = Field(
        description="Whether it comes with Footnote, to try it; it goes when there are others."
    )
    language: str = Field(description="By its ISO 639-1 code.")
    stale: bool = Field(
        description="Whether it was read by another version of Footnote and its original is not "
        "kept: added again, it is read better."
    )
    authors: list[Text] = Field(description="Who wrote it, as far as it says.")
    date: Text = Field(
        description="When it was published, or else made: `2022`, `2022-03`, `2022-03-07`; or "
        "nothing."
    )
    address: Text = Field(description="Where on the web it was published; or nothing.")
    doi: str = Field(description="Its DOI; or nothing.")
    key: Text = Field(description="By which a bibliography cites it; or nothing.")
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
        """The value of a document as one owner sees it."""
        info = found.info
        return cls(
            id=info.id,
            title=info.title,
            name=info.source,
            folder=found.folder,
            paragraphs=info.paragraphs,
            own=found.own,
            kept=info.kept,
            sample=found.sample,
            language=info.language,
            stale=info.stale,
            authors=list(info.imprint.authors),
            date=info.imprint.date,
            address=info.imprint.address,
            doi=info.imprint.doi,
            key=info.imprint.key,
            link=info.imprint.link,
            added=info.added,
            bytes=info.bytes,
            pages=info.pages,
            unread=info.unread,
        )


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


# --- pieces of an answer, as it comes -----------------------------------------------------------


class SourcesValue(Value):
    """The paragraphs that the answer will be made from, before any of it is there."""

    sources: list[CitationValue] = Field(description="Best first; their markers are 0.")
    passages: int = Field(description="How many a language model reads; 0 where none does.")
    model: Text = Field(description="The name of that language model.")


class LookedAgainValue(Value):
    """What the language model has looked up besides the question, before it reads on."""

    searches: list[Text]


class DecidedValue(Value):
    """What the sentences that follow are."""

    status: Status
    confidence: Confidence
    kind: AnswerKind


class ReadyValue(Value):
    """The next sentence of the answer, and the citations that it is the first to use."""

    sentence: SentenceValue
    citations: list[CitationValue]


class Alternatives(Value):
    """Questions that are answered, where one is refused; before its end, and on the page alone."""

    questions: list[str]


class ProgressValue(Value):
    """How far a document is."""

    done: int = Field(description="How many are done.")
    total: int = Field(description="How many there are.")
    unit: Unit = Field(
        description="Of what: paragraphs that are indexed, or pages that are pictures and read."
    )


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
        max_length=_MAX_ITEMS,
        description="The conversation before it, oldest first; of long ones the end counts.",
    ),
]
Chosen = Annotated[
    list[str] | None,
    Field(
        max_length=_MAX_ITEMS,
        description="Ids of the documents to ask; all that you may ask when left out.",
    ),
]
InNotebook = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=120,
        description="The id or the name of a notebook: only what is in it is asked.",
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
Section = Annotated[
    str | None,
    Field(
        min_length=1,
        max_length=1000,
        description="The heading of the part of a document that the question is about: an overview "
        "that names nothing itself (“Summarize this”) is of that.",
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
    notebook: InNotebook = None
    section: Section = None
    llm: Literal["none"] | None = Field(
        default=None,
        description="`none` quotes the documents even where a language model is set.",
    )


class Overview(Asked):
    """An overview that is wanted."""

    documents: Chosen = None
    notebook: InNotebook = None
    about: About = None
    sentences: Length = None
    llm: Literal["none"] | None = Field(default=None, description="As of a question.")


class Search(Asked):
    """A search."""

    query: Query
    count: Count = 10
    documents: Chosen = None
    notebook: InNotebook = None


class Claim(Asked):
    """A text to verify."""

    text: ClaimText
    question: Answering = None
    documents: Chosen = None
    notebook: InNotebook = None


class Place(Asked):
    """An address of the web."""

    address: str = Field(
        description="Of a page, a PDF, a plain text or Markdown, at the usual port.",
        min_length=1,
        max_length=LONGEST,
        examples=["https://example.org/page"],
    )
