"""The values an answer is made of. All are frozen and know nothing of how they were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from assistant.calibration import Status, WithStatus
from assistant.places import place_of
from index import Document, Paragraph
from index.models import Rectangle

#: `quoted`: the sentence is the document's own. `supported`: it was written, and its citations
#: support it. `unconfirmed`: it was written, and the documents neither confirm nor contradict it;
#: its citations are the nearest. `unsupported`: it was written, and nothing supports it. `own`: the
#: assistant speaks of itself.
Verdict = Literal["quoted", "supported", "unconfirmed", "unsupported", "own"]

#: `overview`: sentences that stand for the whole, or for a part. `list`: some of its sentences are
#: items. `comparison`: some are about the one thing, some about the other. `where`: each is a place
#: where something stands. `chat`: nothing was looked up. `fact`: all else.
AnswerKind = Literal["fact", "overview", "list", "comparison", "where", "chat"]

#: What came of putting a question to a language model. `written`: it answered, and the documents
#: support that. `declined`: it says that they do not answer. `unproved`: they do not support what
#: it wrote as the answer. `failed`: it did not do its work. `untrusted`: it was not asked, for it
#: has failed its check.
Outcome = Literal["written", "declined", "unproved", "failed", "untrusted"]
#: Whether a language model has been checked (`footnote llm check`), and how that ended.
Checked = Literal["passed", "failed", "unchecked"]

REFUSAL = "Not found in your documents."
UNANSWERED, UNDECIDED = "No answer found for: {}", "Possibly not in your documents: {}"
UNSURE = "Possible answers"
#: What is said before those that follow an answer.
OTHERS = "Other possible answers"
#: What stands behind a sentence without support.
FLAGS: Mapping[Verdict, str] = {
    "unconfirmed": "not confirmed by the source",
    "unsupported": "unsupported",
}
LEADS: Mapping[Status, str] = {"answered": "", "unsure": f"{UNSURE}:\n", "refused": REFUSAL}


@dataclass(frozen=True, slots=True)
class Citation:
    """One place in a document that supports something.

    Invariant: `document.text[start:end] == quote`, and the same holds of `paragraph`, in which the
    quote lies. Its `source` and `title` are the document's.

    Attributes:
        marker: 1, 2, 3 … in order of first appearance in the answer; 0 where the citation is not
            part of an answer (`Answer.closest`).
        paragraph: the paragraph in which the quote stands.
        source, title: of the document.
        start, end: offsets of the quote into the document's text.
        quote: the quoted characters.
        score: how well the paragraph matches the question, as `Hit.score`.
        rectangles: of documents with pages, where the quote is printed, a line each.
        introduction: what leads into the paragraph, as above a list or an answer; "" where nothing
            does.
        link: what opens it in the program that it is written in (Obsidian); "" of anything else.
    """

    marker: int
    paragraph: Paragraph
    source: str
    title: str
    start: int
    end: int
    quote: str
    score: float
    rectangles: tuple[Rectangle, ...] = ()
    introduction: str = ""
    link: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The citation as plain values, ready for JSON."""
        return {
            "marker": self.marker,
            "document": self.title,
            "document_id": self.paragraph.document_id,
            "source": self.source,
            "heading": list(self.paragraph.heading),
            "paragraph": self.paragraph.number,
            "page": self.paragraph.page,
            "locator": self.paragraph.locator,
            "rectangles": [asdict(rectangle) for rectangle in self.rectangles],
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "paragraph_start": self.paragraph.start,
            "paragraph_end": self.paragraph.end,
            "paragraph_text": self.paragraph.text,
            "paragraph_kind": self.paragraph.kind,
            "uncertain": self.paragraph.is_uncertain,
            "introduction": self.introduction,
            "link": self.link,
        }

    def check(self, document: Document) -> None:
        """Raise AssertionError unless the offsets fit the document's text."""
        assert document.text[self.start : self.end] == self.quote, self
        assert document.text[self.paragraph.start : self.paragraph.end] == self.paragraph.text
        assert self.paragraph.start <= self.start < self.end <= self.paragraph.end, self


@dataclass(frozen=True, slots=True)
class MorePassages:
    """Passages beyond those that are shown, the likeliest first, each quoting its likeliest
    sentence with marker 0; and what was searched for in place of the question, if anything was."""

    searches: tuple[str, ...]
    passages: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer, or one item of a list.

    Attributes:
        text: what it says.
        verdict: whether it has support.
        markers: of the citations behind it; of an unconfirmed one of those nearest to it.
        conflicts: what of one without support the documents state otherwise or not at all: number,
            name, negation; or that it leaves a condition out.
        item: whether it is one of a list.
        about: the one of the things compared that it is about; "" where it is about all, or nothing
            is compared.
    """

    text: str
    verdict: Verdict
    markers: tuple[int, ...]
    conflicts: tuple[str, ...] = ()
    item: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """What a language model had to do with an answer.

    Attributes:
        model: its name.
        check: whether it was checked.
        outcome: what came of asking it.
        passages: how many it was given to read.
        searches: what it had looked up besides the question, in its own words.
        returned: sentences that nothing supported at first, and that went back to it once.
        calls: how often it was called.
        prompt_tokens, completion_tokens: that it read and wrote in all of these; None where it does
            not tell.
    """

    model: str
    check: Checked
    outcome: Outcome
    passages: int = 0
    searches: tuple[str, ...] = ()
    returned: int = 0
    calls: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {**asdict(self), "searches": list(self.searches)}


@dataclass(frozen=True, slots=True)
class Answer(WithStatus):
    """What the documents say to a question.

    Attributes:
        question: as it was asked.
        standalone_question: as it was understood; another one than was asked where it took
            something of an earlier question ("And Japan?").
        context: the question before it, where it leans on that; otherwise "".
        sentences: in order; when unsure, of each passage that may answer the likeliest sentence,
            the best passage first; empty when refused.
        citations: by marker; every marker of a sentence is among them.
        status: whether the sentences answer the question, or may, or there is no answer.
        kind: of the answer; an overview and places are in the documents' order, under their
            headings. Of passages that may answer it is `fact`, whatever was asked.
        confidence: calibrated probability that the answer is right, or would be, 0..1; None where a
            language model has read the documents and decided.
        closest: when refused, the nearest paragraphs, best first, each quoting its likeliest
            sentence; of an answer, the next passages that may answer too, likewise; when unsure,
            empty.
        unanswered: of what is asked, the parts for which no answer was found.
        undecided: likewise, those that they may or may not say, in an answer to the rest.
        dropped: how many sentences a language model wrote that nothing supports and that were
            left out.
        revision: names what was in the index; the same documents have the same revision, whichever
            machine answered.
        note: what went wrong on the way to this answer, for the person who asked; None when all
            went well.
        writing: what a language model had to do with it; None where none was to write.
        timings_ms: milliseconds by stage.
    """

    question: str
    standalone_question: str
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    status: Status
    confidence: float | None
    closest: tuple[Citation, ...] = ()
    unanswered: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    dropped: int = 0
    kind: AnswerKind = "fact"
    context: str = ""
    note: str | None = None
    writing: Writing | None = None
    revision: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)

    @property
    def passages(self) -> tuple[Citation, ...]:
        """The passages that may answer, best first; besides those that are cited, where it is
        answered."""
        return self.citations if self.unsure else self.closest

    @property
    def text(self) -> str:
        """The sentences in one paragraph, without markers; the refusal when refused. When unsure it
        says so itself, whoever shows it, and each passage has a line."""
        between = "\n" if self.unsure else " "
        said = between.join(sentence.text for sentence in self.sentences)
        return LEADS[self.status] + said

    @property
    def marked_text(self) -> str:
        """The text with `[1]` markers, laid out: see `Layout`."""
        layout = Layout(self.kind, self.status)
        said = [layout.add(sentence, self.citations) for sentence in self.sentences]
        return LEADS[self.status] + "".join(said)

    def __str__(self) -> str:
        """The text with `[1]` markers, and the list of sources below it."""
        return self.marked_text + self.below

    @property
    def below(self) -> str:
        """What stands below the sentences: remarks; the sources of an answer, or the closest
        paragraphs of a refusal."""
        remarks = []
        if self.context:
            remarks.append(f"Understood in the context of “{self.context}”.")
        if self.standalone_question != self.question and self.kind != "where":
            remarks.append(f"Understood as “{self.standalone_question}”.")
        remarks += missing_parts(self.unanswered, self.undecided)
        if self.writing and self.writing.searches:
            remarks.append(f"Searched again for: {'; '.join(self.writing.searches)}.")
        if self.note:
            remarks.append(self.note)
        if self.dropped:
            were = "sentence was" if self.dropped == 1 else "sentences were"
            remarks.append(f"{self.dropped} {were} left out that nothing supports.")
        if self.refused:
            lines = [f" {' '.join(remarks)}" if remarks else ""]
            return "\n".join([*lines, *listing("Closest paragraphs:", self.closest)])
        lines = ["", "", f"Note: {' '.join(remarks)}"] if remarks else [""]
        if self.unsure:  # each passage stands below its place
            return "\n".join(lines)
        return "\n".join([*lines, *listing("Sources:", self.citations)])

    @property
    def others(self) -> str:
        """The next passages that may answer, below an answer; empty where there are none."""
        return "\n".join(listing(f"{OTHERS}:", self.closest)) if self.answered else ""

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain values, ready for JSON."""
        return {
            "question": self.question,
            "standalone_question": self.standalone_question,
            "context": self.context,
            "status": self.status,
            "refused": self.refused,
            "kind": self.kind,
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "text": self.text,
            "sentences": [
                {
                    "text": s.text,
                    "verdict": s.verdict,
                    "markers": list(s.markers),
                    "item": s.item,
                    "about": s.about,
                    "conflicts": list(s.conflicts),
                }
                for s in self.sentences
            ],
            "citations": [citation.to_dict() for citation in self.citations],
            "closest": [citation.to_dict() for citation in self.closest],
            "unanswered": list(self.unanswered),
            "undecided": list(self.undecided),
            "dropped": self.dropped,
            "note": self.note,
            "writing": self.writing and self.writing.to_dict(),
            "revision": self.revision,
            "timings_ms": {stage: round(ms, 2) for stage, ms in self.timings_ms.items()},
        }


def marked(sentence: AnswerSentence) -> str:
    """A sentence with its markers, for people."""
    flag = FLAGS.get(sentence.verdict)
    flagged = f" [{flag}]" if flag else ""
    return sentence.text + flagged + "".join(f" [{marker}]" for marker in sentence.markers)


class Layout:
    """How the sentences of an answer stand in plain text, each as it comes: of an overview, of
    places, of a comparison and of passages that may answer each is a point under a heading, and so
    is each item of a list; all others are running text.

    Args:
        kind, status: of the answer.

    Attributes:
        cited: the citations so far, by marker.
    """

    def __init__(self, kind: AnswerKind, status: Status) -> None:
        self.cited: dict[int, Citation] = {}
        self._kind = kind
        self._unsure = status == "unsure"
        self._last: AnswerSentence | None = None
        self._heading: tuple[str, str] = ("", "")

    def add(self, sentence: AnswerSentence, citations: Sequence[Citation]) -> str:
        """The next sentence with its markers, and what stands before it: what parts it from the one
        before, the heading that begins with it, the sign of a point.

        Args:
            sentence: the next.
            citations: those that it is the first to use, at least.
        """
        self.cited |= {citation.marker: citation for citation in citations}
        first = self.cited[sentence.markers[0]] if sentence.markers else None
        heading, point = self._heading_of(sentence, first), self._is_point(sentence)
        after_point = self._last is not None and self._is_point(self._last)
        text = "" if self._last is None else "\n" if point or after_point else " "
        if heading != self._heading and heading[1]:
            text += f"{heading[1]}\n"
        self._heading, self._last = heading, sentence
        introduced = first.introduction if first and self._unsure else ""
        point_text = f"{introduced} {marked(sentence)}".lstrip()
        return text + ("- " if point else "") + point_text

    def _heading_of(self, sentence: AnswerSentence, citation: Citation | None) -> tuple[str, str]:
        """A document's id and its innermost heading above a citation, or else its title; of a
        passage, where it stands; or what is compared."""
        if self._unsure and citation:
            return "", place_of(citation.title, citation.paragraph)
        if self._kind in ("overview", "where") and citation:
            paragraph = citation.paragraph
            return paragraph.document_id, (paragraph.heading or (citation.title,))[-1]
        return "", sentence.about

    def _is_point(self, sentence: AnswerSentence) -> bool:
        """Whether it stands on a line of its own."""
        lines = self._unsure or self._kind in ("overview", "where")
        return lines or sentence.item or sentence.about != ""


def missing_parts(
    unanswered: Sequence[str],
    undecided: Sequence[str],
    words: tuple[str, str] = (UNANSWERED, UNDECIDED),
) -> list[str]:
    """What is said of the parts of a question that the documents do not answer, or may not."""
    parts = zip(words, (unanswered, undecided), strict=True)
    return [said.format(listed(own)) for said, own in parts if own]


def listed(things: Sequence[str]) -> str:
    """Several things as a sentence: questions, or words without an end of their own."""
    if any(thing[-1:].isalnum() for thing in things):
        return "; ".join(things) + "."
    return " ".join(things)


def listing(head: str, citations: Sequence[Citation]) -> list[str]:
    """Citations for people, two lines each, below a head; nothing where there are none."""
    if not citations:
        return []
    lines = ["", head]
    for number, citation in enumerate(citations, start=1):
        lines.append(
            f"[{citation.marker or number}] {place_of(citation.title, citation.paragraph)}"
        )
        lines.append(f"    “{' '.join(citation.quote.split())}”")
    return lines
