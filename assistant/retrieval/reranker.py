"""Reads the paragraphs that were found, and orders them by what reading tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.calibration import sigmoid
from assistant.retrieval.reading_model import Reader, Reading, above
from index import Hit, Paragraph
from index.terms.analysis import term_sets

# Each was chosen on the shipped questions. What is said of other values was measured afterwards on
# seed, seed_oblique, seed_parts, 160 questions of SQuAD 2.0 and 254 of MT-RAG.

#: Paragraphs that are read, and that may contribute sentences. Of 672 questions on 28 real
#: documents the right one is among the first five for .868 with 5, .884 with 6 and .888 with 8,
#: which reads a third more and answers no more rightly (.25 for .26).
DEPTH = 6
#: So many are read even where one clearly answers: whether an answer is right is told by what it is
#: ahead of others, too (AUROC of 968 questions on these documents .796, with 1 .792).
LEAST = 3
#: Of each paragraph, so many sentences nearest to the question are read, with their neighbours.
#: With 2 every set has .01 to .04 less evidence cited; with 4 two gain a little and one loses.
NEAREST = 3
#: Weight of the question's terms, against the cosine, in choosing them; .3 and .9 do as well.
NEAREST_TERMS = 0.6
#: A paragraph whose own logit and whose best sentence's are above this answers: no more are read.
#: 2 does as well and takes an eighth longer; with 0 the AUROC is lower by up to .01.
CLEAR = 1.0
#: A paragraph that the search scores so much lower than the best one is not read. Of 99 questions
#: of SQuAD 2.0 a quarter less is read and 3 of 43 fewer answered that nothing answers; no other
#: answer changes there or on 244 of seed_oblique, rules, assorted and a handbook. With .2 a sixth
#: less is read, and less is told by what the best one is ahead of others: .23 of the questions on
#: the 28 documents are answered rightly, where it is .26.
FAR = 0.4
#: The logit of a sentence that was not worth reading; -4 and -8 change nothing.
UNREAD = -6.0


#: What was read: a question, a paragraph's headings, its id and the numbers of its sentences, and
#: what it gave. The same paragraph may stand below several headings.
Known = dict[tuple[str, str, str, tuple[int, ...]], Reading]


@dataclass(frozen=True, slots=True)
class ReadHit:
    """A paragraph that was found, and what reading it gave; None where it was not read."""

    hit: Hit
    reading: Reading | None


def reading_features(reading: Reading) -> dict[str, float]:
    """What of a reading ranks its paragraph, 0..1 each: `best_sentence`, the sigmoid of its best
    sentence's logit, and `paragraph`, of its own."""
    return {
        "best_sentence": sigmoid(max(reading.sentences)),
        "paragraph": sigmoid(reading.paragraph),
    }


def rank(
    hits: Sequence[Hit], readings: Sequence[Reading], ranking: Mapping[str, float]
) -> list[ReadHit]:
    """Order the hits by their score and what reading the first of them adds; those that are not
    read stay behind, and what only says where something stands is behind the rest of the read.

    Args:
        hits: in the order of the search.
        readings: of the first of them, in that order.
        ranking: the weight of each of the `reading_features`, against a score's 1.
    """
    known = []
    for hit, reading in zip(hits, readings, strict=False):
        features = reading_features(reading)
        gain = sum(weight * features[name] for name, weight in ranking.items())
        known.append(ReadHit(replace(hit, score=hit.score + gain), reading))
    known.sort(key=lambda one: (one.hit.paragraph.kind == "contents", -one.hit.score))
    return known + [ReadHit(hit, None) for hit in hits[len(readings) :]]


def read(
    reader: Reader | None,
    question: str,
    hits: Sequence[Hit],
    weights: Mapping[str, Mapping[str, float]],
    several: bool = False,
    known: Known | None = None,
    depth: int = DEPTH,
) -> list[Reading]:
    """Read the hits, best first, until one clearly answers; at least LEAST and at most `depth`,
    none of them FAR.

    Reading takes most of the time of an answer, in proportion to the tokens read.

    Args:
        reader: None reads nothing.
        question: what the sentences are to answer.
        hits: best first.
        weights: the question's terms and their weights (idf), by language.
        several: one paragraph may not hold all that is asked for; none is passed over.
        known: what was read already, which is not read again; what is read is added.
        depth: how many at most.
    """
    known = {} if known is None else known
    readings: list[Reading] = []
    if reader is None:
        return readings
    clear = False
    for number, hit in enumerate(hits[:depth]):
        # What only says where something stands comes last, however near: the readings are of the
        # first hits without a gap.
        if not several and hits[0].score - hit.score > FAR:
            break
        if clear and number >= LEAST:
            break
        sentences = hit.paragraph.sentences
        chosen = worth_reading(hit, weights)
        heading = above(hit.paragraph.above)
        key = (question, heading, hit.paragraph.id, tuple(chosen))
        if key not in known:
            texts = [sentences[number].text for number in chosen]
            known[key] = reader.read(question, texts, heading)
        reading = known[key]
        logits = dict(zip(chosen, reading.sentences, strict=True))
        all_logits = tuple(logits.get(number, UNREAD) for number in range(len(sentences)))
        readings.append(Reading(all_logits, reading.paragraph))
        clear |= not several and min(max(reading.sentences), reading.paragraph) > CLEAR
    return readings


def worth_reading(hit: Hit, weights: Mapping[str, Mapping[str, float]]) -> list[int]:
    """Numbers of the sentences nearest to a question and of those beside them.

    Args:
        hit: found for it.
        weights: its terms and their weights (idf), by language.
    """
    shares = shares_of(hit.paragraph, weights)
    near = sorted(
        range(len(shares)),
        key=lambda number: -hit.sentence_scores[number] - NEAREST_TERMS * shares[number],
    )
    beside = {number + step for number in near[:NEAREST] for step in (-1, 0, 1)}
    return [number for number in range(len(shares)) if number in beside]


def shares_of(paragraph: Paragraph, weights: Mapping[str, Mapping[str, float]]) -> list[float]:
    """The share of the terms' weight that each sentence of a paragraph holds, 0..1.

    Args:
        paragraph: with the sentences.
        weights: the terms and their weights, by language.
    """
    weight_of = weights.get(paragraph.language, {})
    total = sum(weight_of.values()) or 1.0
    texts = [sentence.text for sentence in paragraph.sentences]
    return [
        sum(weight_of[term] for term in terms & weight_of.keys()) / total
        for terms in term_sets(texts, paragraph.language)
    ]
