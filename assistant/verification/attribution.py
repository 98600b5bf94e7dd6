"""Which source sentences a claim can rest on: windows of the evidence, nearest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.query.english import content_stems
from index import Hit
from index.models import strip_marks

# Chosen on AttributionBench dev, WiCE dev and FEVER: more windows cost time and help nowhere.
NEAREST = 5  # sentences of all paragraphs around which windows are laid
REACH = (0, 1)  # sentences on each side that a window takes in
JOINED = 2  # of the nearest, how many are joined with the nearest where they stand elsewhere
#: Characters of a window at most: what a reading model of 256 tokens takes beside a long claim.
WIDEST = 1000


@dataclass(frozen=True, slots=True)
class SentenceRun:
    """Sentences `first` to `last` of a found paragraph, both included."""

    hit: Hit
    first: int
    last: int

    @property
    def start(self) -> int:
        """Where it begins in the document's text."""
        return self.hit.paragraph.sentences[self.first].start

    @property
    def end(self) -> int:
        """Where it ends in the document's text."""
        return self.hit.paragraph.sentences[self.last].end

    @property
    def text(self) -> str:
        """The sentences as they are read: without marks, as inside of "**D**iameter", white space
        made one space."""
        offset = self.hit.paragraph.start
        text = self.hit.paragraph.text[self.start - offset : self.end - offset]
        return " ".join(strip_marks(text).split())

    @property
    def cosine(self) -> float:
        """Of the claim and its nearest sentence."""
        return max(self.hit.sentence_scores[self.first : self.last + 1])


@dataclass(frozen=True, slots=True)
class Ground:
    """What a claim may rest on: one window of the evidence, or two that stand apart."""

    runs: tuple[SentenceRun, ...]

    @property
    def place(self) -> tuple[tuple[str, int, int], ...]:
        """What tells it from others: for each window its paragraph, first and last sentence."""
        return tuple((run.hit.paragraph.id, run.first, run.last) for run in self.runs)

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(run.text for run in self.runs)

    @property
    def headings(self) -> str:
        """The headings that it stands under."""
        heads = (heading for run in self.runs for heading in run.hit.paragraph.heading)
        return " ".join(f"{heading}." for heading in dict.fromkeys(heads))

    @property
    def cosine(self) -> float:
        """Of the claim and its nearest sentence."""
        return max(run.cosine for run in self.runs)

    @property
    def length(self) -> int:
        """How many sentences it has."""
        return sum(run.last - run.first + 1 for run in self.runs)


def grounds(claim: str, hits: Sequence[Hit]) -> list[Ground]:
    """What the claim may rest on, each once; the nearest sentence alone is the first.

    Args:
        claim: one sentence.
        hits: paragraphs found with the claim as the query.
    """
    stems = content_stems(claim)
    nearest = sorted(
        (
            SentenceRun(hit, number, number)
            for hit in hits
            for number in range(len(hit.paragraph.sentences))
        ),
        key=lambda run: -(run.cosine + cover(stems, run.text)),
    )[:NEAREST]
    found = [Ground((run,)) for sentence in nearest for run in _windows(sentence)]
    return list({ground.place: ground for ground in (*found, *_joined(stems, nearest))}.values())


def cover(claim: frozenset[str], text: str) -> float:
    """The share of a claim's content stems that a text has, 0..1."""
    return len(claim & content_stems(text)) / len(claim) if claim else 0.0


def _windows(sentence: SentenceRun) -> Iterator[SentenceRun]:
    """The sentence, it with its neighbours, and the whole paragraph, as far as they fit."""
    last = len(sentence.hit.paragraph.sentences) - 1
    for reach in (*REACH, last):
        run = SentenceRun(
            sentence.hit, max(0, sentence.first - reach), min(last, sentence.last + reach)
        )
        if run == sentence or run.end - run.start <= WIDEST:
            yield run


def _joined(stems: frozenset[str], nearest: Sequence[SentenceRun]) -> Iterator[Ground]:
    """The nearest sentence together with each of the next that stand elsewhere and have a word of
    the claim that it does not have."""
    for other in nearest[1 : 1 + JOINED]:
        first = nearest[0]
        near = other.hit.paragraph.id == first.hit.paragraph.id and (
            abs(other.first - first.first) <= 1
        )
        if not near and stems & content_stems(other.text) - content_stems(first.text):
            yield Ground((first, other))
