"""What a claim can rest on: passages of the evidence, nearest first, and what of them is cited."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.query.english import content_stems
from assistant.retrieval.reading_model import above
from index import Hit, Paragraph
from index.models import strip_marks

# Chosen on AttributionBench dev, WiCE dev and FEVER: more windows cost time and help nowhere.
NEAREST = 5  # sentences of all paragraphs around which passages are laid
READ = 3  # of these passages, how many are read
JOINED = 2  # of the nearest, how many are joined with the nearest where they stand elsewhere
#: Characters that are read of a paragraph at most, and of it with its neighbours: what the checker
#: takes beside a long claim.
WIDEST, TOGETHER = 1000, 1200
HEADINGS = 2  # of those above a paragraph, the last ones

#: The texts before and behind a paragraph, under the same heading.
Neighbours = Callable[[Paragraph], tuple[str, str]]


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
        return plain(self.hit.paragraph.text[self.start - offset : self.end - offset])

    @property
    def cosine(self) -> float:
        """Of the claim and its nearest sentence."""
        return max(self.hit.sentence_scores[self.first : self.last + 1])


@dataclass(frozen=True, slots=True)
class Ground:
    """What a claim may rest on: a part of a paragraph, or two that stand apart.

    Attributes:
        runs: the sentences.
        before, behind: what is read around them.
    """

    runs: tuple[SentenceRun, ...]
    before: str = ""
    behind: str = ""

    @property
    def text(self) -> str:
        """What it says."""
        return " ".join(run.text for run in self.runs)

    @property
    def headings(self) -> str:
        """The headings that it stands under, and what leads into it."""
        over = [
            plain(text)
            for run in self.runs
            for text in (*run.hit.paragraph.heading, run.hit.paragraph.introduction)
            if text
        ]
        return above(list(dict.fromkeys(over)))

    @property
    def premise(self) -> str:
        """It as it is read: with the last headings, what leads into it, and what stands beside."""
        paragraph = self.runs[0].hit.paragraph
        over = (*paragraph.heading[-HEADINGS:], paragraph.introduction)
        return premise_of(over, self.before, self.text, self.behind)

    @property
    def cosine(self) -> float:
        """Of the claim and its nearest sentence."""
        return max(run.cosine for run in self.runs)


def plain(text: str) -> str:
    """A text without marks, white space made one space."""
    return " ".join(strip_marks(text).split())


def grounds(claim: str, hits: Sequence[Hit], neighbours: Neighbours) -> list[Ground]:
    """What the claim may rest on, as it is read, each once: the paragraphs of the nearest sentences
    with their neighbours, and the nearest one joined with others that have words of its own.

    Args:
        claim: one sentence.
        hits: paragraphs found with the claim as the query.
        neighbours: tells what stands beside a paragraph.
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
    found: dict[str, Ground] = {}
    for sentence in nearest:
        identity = sentence.hit.paragraph.id
        if identity not in found and len(found) < READ:
            run = _widened(sentence, WIDEST)
            before, behind = neighbours(sentence.hit.paragraph)
            found[identity] = Ground((run,), *beside(before, run.text, behind))
    return [*found.values(), *_joined(stems, nearest)]


def quotable(claim: str, ground: Ground) -> Iterator[Ground]:
    """What of a ground may be cited for the claim, the shortest first: of a run each sentence, it
    with its neighbours, and the whole; of several these."""
    if len(ground.runs) > 1:
        yield ground
        return
    [run], stems = ground.runs, content_stems(claim)
    nearest = sorted(
        (SentenceRun(run.hit, number, number) for number in range(run.first, run.last + 1)),
        key=lambda one: -(one.cosine + cover(stems, one.text)),
    )[:READ]
    wider = [
        SentenceRun(run.hit, max(run.first, one.first - 1), min(run.last, one.last + 1))
        for one in nearest[:1]
    ]
    places = dict.fromkeys((one.first, one.last) for one in (*nearest, *wider, run))
    yield from (Ground((SentenceRun(run.hit, *place),)) for place in places)


def cover(claim: frozenset[str], text: str) -> float:
    """The share of a claim's content stems that a text has, 0..1."""
    return len(claim & content_stems(text)) / len(claim) if claim else 0.0


def premise_of(over: Sequence[str], before: str, text: str, behind: str) -> str:
    """A passage as it is read: below what stands over it, between what stands beside it."""
    head = above([plain(own) for own in over if own])
    return " ".join(filter(None, (head, before, text, behind)))


def beside(before: str, text: str, behind: str) -> tuple[str, str]:
    """As much as there is room for of what stands before and behind a text, without marks."""
    before, behind = plain(before), plain(behind)
    room = max(0, TOGETHER - len(text))
    behind = behind[: max(room // 2, room - len(before))]
    return before[max(0, len(before) - room + len(behind)) :], behind


def _widened(sentence: SentenceRun, most: int) -> SentenceRun:
    """As much of its paragraph around a sentence as fits, on both sides in turn."""
    first, last = sentence.first, sentence.last
    end = len(sentence.hit.paragraph.sentences) - 1
    while True:
        for wider in (
            SentenceRun(sentence.hit, first, min(last + 1, end)),
            SentenceRun(sentence.hit, max(first - 1, 0), last),
        ):
            if wider.end - wider.start <= most and (wider.first, wider.last) != (first, last):
                first, last = wider.first, wider.last
                break
        else:
            return SentenceRun(sentence.hit, first, last)


def _joined(stems: frozenset[str], nearest: Sequence[SentenceRun]) -> Iterator[Ground]:
    """The nearest sentence together with each of the next that are not read with it and have a word
    of the claim that it does not have."""
    others = nearest[1 : 1 + JOINED]
    if not others:
        return
    best = nearest[0]
    read, first = _widened(best, WIDEST), _widened(best, WIDEST // 2)
    lacking = stems - content_stems(best.text)
    for other in others:
        elsewhere = other.hit.paragraph.id != best.hit.paragraph.id
        apart = elsewhere or not read.first <= other.first <= read.last
        if apart and lacking & content_stems(other.text):
            yield Ground((first, _widened(other, WIDEST // 2) if elsewhere else other))
