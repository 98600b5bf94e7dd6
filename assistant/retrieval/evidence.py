"""What was found for a question, and the features by which later stages decide about it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.calibration import (
    ANSWER_FEATURES,
    READER_ANSWER_FEATURES,
    Logistic,
    sigmoids,
)
from assistant.query.decomposition import Part
from assistant.query.english import content_stems
from assistant.retrieval.reading_model import Reading
from assistant.retrieval.reranker import DEPTH, UNREAD, ReadHit, rank, shares_of
from index import Hit, Paragraph, SearchResult, Sentence

#: How much higher the best paragraph scores with what was asked before where a question leans on
#: that. Of 0 and .1, the latter found as much or more on three of four sets with conversations.
GAIN = 0.1
#: Words of a run that a text is told again by, and the share of a sentence's runs that a text has
#: which says it: items are said without their signs and joints. Not tuned.
RUN, AGAIN = 3, 0.8

_WORD = re.compile(r"\w\w+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be part of the answer.

    Attributes:
        hit: the paragraph it stands in, as it was found.
        number: its number in the paragraph, from 0.
        features: see `gather`.
        probability: that it belongs to the answer; see `Evidence.scored`.
        reach: numbers of the first and of the last sentence that belong to it; None where it was
            not chosen by what its neighbours say.
    """

    hit: Hit
    number: int
    features: Mapping[str, float]
    probability: float = 0.0
    reach: tuple[int, int] | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Its paragraph's id and its number: the same of every candidate for that sentence."""
        return self.hit.paragraph.id, self.number

    @property
    def sentence(self) -> Sentence:
        """The sentence itself."""
        return self.hit.paragraph.sentences[self.number]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found for a question.

    Attributes:
        hits: the paragraphs found, best first.
        candidates: their sentences.
        features: what they say of the question as a whole.
        parts: where it asks several things at once, each of them with what was found for it alone.
        several: whether it asks for more than one thing.
        read: whether a reading model had its say.
        in_context: whether it was found with what was asked before.
        other: then, what was found without that.
    """

    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]
    features: Mapping[str, float]
    parts: tuple[tuple[Part, Evidence], ...] = ()
    several: bool = False
    read: bool = False
    in_context: bool = False
    other: Evidence | None = None

    @property
    def score(self) -> float:
        """Of the best paragraph; 0 where none was found."""
        return self.hits[0].score if self.hits else 0.0

    def probability(self, model: Logistic) -> float:
        """That the answer which it gives is right; where it leans on what was asked before, the
        lesser of what tells so with that and without."""
        if not self.candidates:
            return 0.0
        alone = model.probability(self.features)
        return alone if self.other is None else min(alone, self.other.probability(model))

    def scored(self, sentence: Logistic) -> Evidence:
        """The same with the probability of each sentence, by this model."""
        candidates = tuple(
            replace(candidate, probability=sentence.probability(candidate.features))
            for candidate in self.candidates
        )
        parts = tuple((part, found.scored(sentence)) for part, found in self.parts)
        return replace(self, candidates=candidates, parts=parts)


@dataclass(frozen=True, slots=True)
class RawEvidence:
    """What was found and read for a question, before reading has changed its order.

    Attributes:
        found: the hits, in the order of the search, and the weights of the question's terms.
        readings: of the first hits, in that order; none where there is no reader.
        parts: where it asks several things at once, each of them with what was found for it alone.
        carried: what was found with what was asked before, where it may lean on that.
        several: whether it asks for more than one thing.
        said: what was answered before.
        more: whether only what was not said is asked for.
        again: whether only what was said last is.
    """

    found: SearchResult
    readings: tuple[Reading, ...]
    parts: tuple[tuple[Part, RawEvidence], ...] = ()
    carried: RawEvidence | None = None
    several: bool = False
    said: tuple[str, ...] = ()
    more: bool = False
    again: bool = False


def evidence_of(raw: RawEvidence, ranking: Mapping[str, float]) -> Evidence:
    """Rank what was found by what was read, and gather the features of it; see `rank`, `gather`.

    A question leans on what was asked before where it gains from it: where with that the best
    paragraph scores higher by GAIN.
    """
    ranked = rank(raw.found.hits, raw.readings, ranking)
    found = replace(gather(ranked, raw.found.term_weights), several=raw.several)
    if raw.carried is not None:
        carried = evidence_of(raw.carried, ranking)
        if carried.score > found.score + GAIN:
            found = replace(carried, in_context=True, other=found)
    parts = tuple((part, evidence_of(each, ranking)) for part, each in raw.parts)
    if raw.more or raw.again:
        parts = tuple((part, _kept(each, raw)) for part, each in parts)
        return replace(_kept(found, raw), parts=parts)
    return replace(found, parts=parts)


def _kept(evidence: Evidence, raw: RawEvidence) -> Evidence:
    """The evidence with the sentences that are asked for: those not said, or those said last, if
    any was."""
    if raw.more:
        new = (
            candidate
            for candidate in evidence.candidates
            if not is_said(candidate.sentence.text, raw.said)
        )
        return replace(evidence, candidates=tuple(new))
    last = raw.said[-1:]
    kept = tuple(
        candidate for candidate in evidence.candidates if is_said(candidate.sentence.text, last)
    )
    return replace(evidence, candidates=kept or evidence.candidates)


def stems_under(paragraph: Paragraph, text: str) -> frozenset[str]:
    """The stems of a text of a paragraph, and of what stands above it."""
    return content_stems(" ".join([*paragraph.above, text]))


def is_said(text: str, said: Sequence[str]) -> bool:
    """Whether one of some texts says another, in its words."""
    size = min(RUN, len(_WORD.findall(text)))
    runs = _runs(text, size)
    return any(len(runs & _runs(other, size)) >= AGAIN * len(runs) for other in said)


@lru_cache(maxsize=512)
def _runs(text: str, size: int) -> frozenset[tuple[str, ...]]:
    """The runs of so many words of a text."""
    words = _WORD.findall(text.lower())
    return frozenset(zip(*(words[start:] for start in range(size)), strict=False))


def unscored(paragraph: Paragraph, number: int) -> Candidate:
    """A sentence that was not searched for, but stands where it is wanted."""
    return Candidate(Hit(paragraph, 0.0, (0.0,) * len(paragraph.sentences)), number, {})


def gather(ranked: Sequence[ReadHit], weights: Mapping[str, Mapping[str, float]]) -> Evidence:
    """Features of the sentences of the first DEPTH paragraphs, and of the whole.

    Args:
        ranked: paragraphs, best first.
        weights: the question's terms and their weights (idf), by language.

    Features of a sentence: `cosine` with the question and its `cosine_gap` to the best sentence;
    `terms`, the share of the question's term weight in it, and `terms_before` and `terms_after`, in
    its neighbours (what a sentence tells is often named in the one before it); `score_gap` of its
    paragraph to the best; `first`, whether that is the best; and, where there is a reader, `logit`
    and its sigmoid `reader_probability`, its `logit_gap` to the best and the `paragraph_logit`. Of
    the whole, all of the best paragraph: `cosine`, `paragraph_logit` and `length`, the logarithm of
    its characters; what it scores more than the next one (`score_lead`), and has more than any
    other (`cosine_lead`, `logit_lead` of the best sentences, `paragraph_lead`).
    """
    hits = tuple(one.hit for one in ranked)
    saying = [one for one in ranked if one.hit.paragraph.kind != "contents"]
    considered = (saying or ranked)[:DEPTH]
    top_cosine = max((max(one.hit.sentence_scores) for one in considered), default=0.0)
    read = [one.reading for one in considered if one.reading]
    top_logit = max((max(reading.sentences) for reading in read), default=0.0)
    unread = UNREAD if read else 0.0
    candidates = []
    for place, one in enumerate(considered):
        hit, reading = one.hit, one.reading
        logits = list(reading.sentences) if reading else [unread] * len(hit.sentence_scores)
        # No sentence comes before the first one and after the last one.
        shares = [0.0, *shares_of(hit.paragraph, weights), 0.0]
        said = zip(hit.sentence_scores, logits, sigmoids(logits), strict=True)
        for number, (cosine, logit, probability) in enumerate(said):
            features = {
                "cosine": cosine,
                "cosine_gap": cosine - top_cosine,
                "terms": shares[number + 1],
                "terms_before": shares[number],
                "terms_after": shares[number + 2],
                "score_gap": hit.score - hits[0].score,
                "first": float(place == 0),
                "logit": logit,
                "reader_probability": probability,
                "logit_gap": logit - top_logit,
                "paragraph_logit": reading.paragraph if reading else unread,
            }
            candidates.append(Candidate(hit, number, features))
    return Evidence(hits, tuple(candidates), _of_best(considered), read=bool(read))


def _of_best(ranked: Sequence[ReadHit]) -> Mapping[str, float]:
    """What tells whether the best paragraph answers; see `gather`. All is 0 where there is none."""
    if not ranked:
        return dict.fromkeys(ANSWER_FEATURES + READER_ANSWER_FEATURES, 0.0)

    def of(one: ReadHit) -> tuple[float, float, float]:
        logit, paragraph = (
            (max(one.reading.sentences), one.reading.paragraph) if one.reading else (UNREAD, UNREAD)
        )
        return max(one.hit.sentence_scores), logit, paragraph

    best, others = ranked[0].hit, [of(one) for one in ranked[1:]] or [(0.0, UNREAD, UNREAD)]
    cosine, logit, paragraph = of(ranked[0])
    return {
        "cosine": cosine,
        "paragraph_logit": paragraph,
        "length": math.log(len(best.paragraph.text)),
        "score_lead": best.score - (ranked[1].hit.score if len(ranked) > 1 else 0.0),
        "cosine_lead": cosine - max(value for value, _, _ in others),
        "logit_lead": logit - max(value for _, value, _ in others),
        "paragraph_lead": paragraph - max(value for _, _, value in others),
    }
