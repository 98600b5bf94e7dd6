"""What is known about what was found: which of it is read, and the features that decide."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.query.decomposition import Part
from assistant.query.question_types import lacks
from assistant.retrieval.reading_model import Reader, Reading
from index import Hit, Sentence
from index.bm25 import terms_of

#: Added to the score of a paragraph that was read: RERANK * the mean of the sigmoids of its best
#: sentence's logit and of its own. Ranking by what was read alone is much worse.
RERANK = 0.6
#: Paragraphs that are read, and that may contribute sentences.
DEPTH = 3
#: Of each paragraph, so many sentences nearest to the question are read, with their neighbours.
NEAREST = 3
#: Weight of the question's terms, against the cosine, in choosing them.
NEAREST_TERMS = 0.6
#: A paragraph whose own logit and whose best sentence's are above this answers: no more are read.
CLEAR = 2.0
#: The logit of a sentence that was not worth reading.
UNREAD = -6.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be part of the answer.

    Attributes:
        hit: the paragraph it stands in, as it was found.
        number: its number in the paragraph, from 0.
        features: see `gather`.
    """

    hit: Hit
    number: int
    features: Mapping[str, float]

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
        question: as it was asked last.
        hits: the paragraphs found, best first.
        candidates: their sentences.
        features: what they say of the question as a whole.
        parts: where it asks several things at once, each of them with what was found for it alone.
    """

    question: str
    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]
    features: Mapping[str, float]
    parts: tuple[tuple[Part, Evidence], ...] = ()


def blend(hits: Sequence[Hit], around: Sequence[Hit]) -> list[Hit]:
    """Order what was found for a question that follows others by the mean of its score and of that
    in the context of the conversation: whether a question stands on its own is a guess.

    The scores stay on the scale of the question's own, for how well it is answered is told from
    them: each falls short of the best by the mean of what it lacks to the best of both. The leg
    `sentence` is the better of the two.

    Args:
        hits: found for the question, best first.
        around: found for it in its context, best first; what is not there scores as its last.
    """
    if not hits or not around:
        return list(hits)
    in_context = {hit.paragraph.id: hit for hit in around}
    best = (hits[0].score - around[0].score) / 2
    both = []
    for hit in hits:
        other = in_context.get(hit.paragraph.id, around[-1])
        sentence = max(hit.legs["sentence"], other.legs["sentence"])
        score = best + (hit.score + other.score) / 2
        both.append(replace(hit, score=score, legs={**hit.legs, "sentence": sentence}))
    return sorted(both, key=lambda hit: -hit.score)


def read(
    reader: Reader | None,
    question: str,
    hits: Sequence[Hit],
    weights: Mapping[str, float],
    several: bool = False,
) -> list[Reading]:
    """Read the hits, best first, until one clearly answers; at most DEPTH.

    Reading takes most of the time of an answer, in proportion to the tokens read.

    Args:
        reader: None reads nothing.
        question: what the sentences are to answer.
        hits: best first.
        weights: the question's terms and their weights (idf).
        several: one paragraph may not hold all that is asked for; none is passed over.
    """
    readings: list[Reading] = []
    if reader is None:
        return readings
    for hit in hits[:DEPTH]:
        sentences = hit.paragraph.sentences
        chosen = _worth_reading(hit, weights)
        (own,) = reader.read(question, [[sentences[number].text for number in chosen]])
        logits = dict(zip(chosen, own.sentences, strict=True))
        all_logits = tuple(logits.get(number, UNREAD) for number in range(len(sentences)))
        readings.append(Reading(all_logits, own.paragraph))
        if not several and min(max(own.sentences), own.paragraph) > CLEAR:
            break
    return readings


def _worth_reading(hit: Hit, weights: Mapping[str, float]) -> list[int]:
    """Numbers of the sentences nearest to the question and of those beside them."""
    shares = [share_of(sentence.text, weights) for sentence in hit.paragraph.sentences]
    near = sorted(
        range(len(shares)),
        key=lambda number: -hit.sentence_scores[number] - NEAREST_TERMS * shares[number],
    )
    beside = {number + step for number in near[:NEAREST] for step in (-1, 0, 1)}
    return [number for number in range(len(shares)) if number in beside]


def share_of(text: str, weights: Mapping[str, float]) -> float:
    """The share of the terms' weight that a text holds, 0..1."""
    held = set(terms_of(text)) & weights.keys()
    return sum(weights[term] for term in held) / (sum(weights.values()) or 1.0)


def rerank(hits: Sequence[Hit], readings: Sequence[Reading]) -> list[tuple[Hit, Reading | None]]:
    """Order the hits by their score and what reading them added; those not read stay behind it.

    Args:
        hits: best first.
        readings: of the first of them.
    """
    known: list[tuple[Hit, Reading | None]] = []
    for hit, reading in zip(hits, readings, strict=False):
        gain = RERANK * (_sigmoid(max(reading.sentences)) + _sigmoid(reading.paragraph)) / 2
        legs = {**hit.legs, "reader": round(gain, 6)}
        known.append((replace(hit, score=hit.score + gain, legs=legs), reading))
    known.sort(key=lambda pair: -pair[0].score)
    return known + [(hit, None) for hit in hits[len(readings) :]]


def gather(
    question: str, ranked: Sequence[tuple[Hit, Reading | None]], weights: Mapping[str, float]
) -> Evidence:
    """Features of the sentences of the first DEPTH paragraphs, and of the whole.

    Args:
        question: as it was asked last.
        ranked: paragraphs, best first, with what reading gave where they were read.
        weights: the question's terms and their weights (idf).

    Features of a sentence: `cosine` with the question and its `cosine_gap` to the best sentence;
    `terms`, the share of the question's term weight in it, and `terms_before` and `terms_after`, in
    its neighbours (what a sentence tells is often named in the one before it); `score_gap` of its
    paragraph to the best; `first`, whether that is the best; `lacks`, whether it lacks the kind of
    thing that is asked for; and, where there is a reader, `logit` and its sigmoid
    `reader_probability`, its `logit_gap` to the best and the `paragraph_logit`. Of the whole:
    `score` and `cosine` of the best paragraph, the best `logit` and `paragraph_logit`, and what the
    sentence nearest to an answer `lacks`.
    """
    hits = tuple(hit for hit, _ in ranked)
    considered = ranked[:DEPTH]
    top_cosine = max((max(hit.sentence_scores) for hit, _ in considered), default=0.0)
    logits = [max(reading.sentences) for _, reading in considered if reading]
    top_logit = max(logits, default=0.0)
    unread = UNREAD if logits else 0.0
    candidates = []
    for rank, (hit, reading) in enumerate(considered):
        sentences = hit.paragraph.sentences
        # No sentence comes before the first one and after the last one.
        shares = [0.0, *(share_of(sentence.text, weights) for sentence in sentences), 0.0]
        for number, sentence in enumerate(sentences):
            cosine = hit.sentence_scores[number]
            logit = reading.sentences[number] if reading else unread
            features = {
                "cosine": cosine,
                "cosine_gap": cosine - top_cosine,
                "terms": shares[number + 1],
                "terms_before": shares[number],
                "terms_after": shares[number + 2],
                "score_gap": hit.score - hits[0].score,
                "first": float(rank == 0),
                "lacks": float(lacks(question, sentence.text)),
                "logit": logit,
                "reader_probability": _sigmoid(logit),
                "logit_gap": logit - top_logit,
                "paragraph_logit": reading.paragraph if reading else unread,
            }
            candidates.append(Candidate(hit, number, features))
    # Nearest to an answer: what was read to be, or else what is most similar.
    nearest = max(
        candidates, key=lambda c: (c.features["logit"], c.features["cosine"]), default=None
    )
    whole = {
        "score": hits[0].score if hits else 0.0,
        "cosine": hits[0].legs["sentence"] if hits else 0.0,
        "lacks": nearest.features["lacks"] if nearest else 0.0,
        "logit": top_logit,
        "paragraph_logit": max((r.paragraph for _, r in considered if r), default=0.0),
    }
    return Evidence(question, hits, tuple(candidates), whole)


def _sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))
