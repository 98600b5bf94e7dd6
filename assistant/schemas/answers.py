"""Answers and their pieces, as programs and the page are told them: the same whatever they speak.

Each is made from the value that travels inside: `AnswerValue.model_validate(answer)`, by its
`to_dict` where it has one; a name that is there and not here, or the other way round, is an error.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from assistant.answer import AnswerKind, Checked, Outcome, Verdict
from assistant.calibration import Status
from assistant.schemas.base import (
    PARAGRAPH,
    Confidence,
    DocumentId,
    FileName,
    Text,
    Uncertain,
    Value,
)
from index.models import Kind, Rectangle


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
    introduction: Text = Field(
        default="", description="What leads into the paragraph, as above a list."
    )
    link: str = Field(
        default="", description="What opens a note of Obsidian there, with obsidian; or nothing."
    )
    uri: str = Field(
        default_factory=lambda own: PARAGRAPH.format_map(own),
        description="The resource of MCP that is the paragraph.",
    )


class JudgedValue(Value):
    """A sentence, and what the documents say to it."""

    text: Text
    verdict: Verdict = Field(
        description="`quoted`: the document's own. `supported`: written, and its citations support "
        "it. `unconfirmed`: written, and the documents neither confirm nor contradict it; its "
        "citations are the nearest. `unsupported`: written, and nothing supports it. `own`: of the "
        "assistant itself."
    )
    markers: list[int] = Field(
        description="Of the citations behind it; of an unconfirmed one of those nearest to it."
    )
    conflicts: list[Text] = Field(
        description="What of one without support the documents state otherwise or not at all: "
        "number, name, negation; `condition`: it leaves one out."
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
        "or `fact`, as where it is `unsure`."
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
        description="Of what is asked, the parts for which no answer was found."
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


class MorePassagesValue(Value):
    """Passages that may answer, beyond those that are shown."""

    searches: list[Text] = Field(description="What was searched for instead of the question.")
    passages: list[CitationValue] = Field(description="The likeliest first; their markers are 0.")


class SourcesValue(Value):
    """The paragraphs that the answer will be made from, before any of it is there."""

    standalone: Text = Field(description="The question as it was understood.")
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
