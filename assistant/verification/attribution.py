"""Which source sentences a claim can rest on, and how well each matches its meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assistant.verification import words
from assistant.verification.claims import Facts, Word, World, facts_of
from index import Hit
from index.bm25 import terms_of

# Chosen on the half of the shipped claims (`evals/questions/seed_claims.jsonl`) that is fitted on.

NEAREST = 6  # sentences of all paragraphs that are looked at, each alone and with its neighbours
ENOUGH = 0.8  # a sentence that covers so much of the claim is not joined with another
ADDED = 2  # words that each of two sentences has to hold of the claim and the other does not
NEIGHBOURS = 2  # words on each side of a name that say what it is about
BEFORE = 3  # sentences that a pronoun may point back over
#: What a word is worth whose synonym is in the evidence, or that stands only around it.
SYNONYM, AROUND = 0.8, 0.5


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
        """The sentences as they stand, white space made one space."""
        offset = self.hit.paragraph.start
        return " ".join(self.hit.paragraph.text[self.start - offset : self.end - offset].split())

    @property
    def around(self) -> str:
        """The headings above, and the sentences before that its pronouns may point to."""
        sentences = self.hit.paragraph.sentences
        before = sentences[max(0, self.first - BEFORE) : self.first]
        heads = [f"{heading}." for heading in self.hit.paragraph.heading]
        return " ".join([*heads, *(" ".join(s.text.split()) for s in before)])

    @property
    def cosine(self) -> float:
        """Of the claim and its nearest sentence."""
        return max(self.hit.sentence_scores[self.first : self.last + 1])


@dataclass(frozen=True, slots=True)
class Ground:
    """Spans that a claim may rest on together, and what they say.

    Attributes:
        spans: in reading order; two when the claim puts together what stands apart.
        facts, around: of the spans and of what stands around them.
        cosine: of the claim and the nearest sentence.
        cover: the share of the claim's term weight that the spans hold, synonyms included.
        cover_around: the same with what stands around them.
    """

    spans: tuple[SentenceRun, ...]
    facts: Facts
    around: Facts
    cosine: float
    cover: float
    cover_around: float

    @property
    def text(self) -> str:
        """What the spans say."""
        return " ".join(span.text for span in self.spans)


def grounds(
    claim: Facts, hits: Sequence[Hit], weights: Mapping[str, float], world: World
) -> list[Ground]:
    """What the claim may rest on, best match first.

    Args:
        claim: the facts of one sentence.
        hits: paragraphs found with the claim as the query.
        weights: idf by term (see `Index.term_weights`) of the claim's text.
        world: of all documents.
    """
    sentences = [(hit, number) for hit in hits for number in range(len(hit.paragraph.sentences))]
    covers = [
        _cover(claim, _facts(hit.paragraph.sentences[number].text, world), weights)
        for hit, number in sentences
    ]
    ranked = sorted(
        zip(covers, sentences, strict=True),
        key=lambda item: -(item[0] + item[1][0].sentence_scores[item[1][1]]),
    )[:NEAREST]
    sets: dict[tuple[str, int, str, int], tuple[SentenceRun, ...]] = {}
    for cover, (hit, number) in ranked:
        alone = SentenceRun(hit, number, number)
        sets[hit.paragraph.id, number, "", 0] = (alone,)
        if cover >= ENOUGH:
            continue
        others = [(hit, number - 1), (hit, number + 1), *(place for _, place in ranked[:2])]
        for other, place in others:
            if (other, place) not in sentences or (other, place) == (hit, number):
                continue
            both = sorted(
                (alone, SentenceRun(other, place, place)),
                key=lambda span: (span.hit.paragraph.id, span.first),
            )
            key = (both[0].hit.paragraph.id, both[0].first, both[1].hit.paragraph.id, both[1].first)
            if key not in sets and _both_add(claim, both, world):
                sets[key] = tuple(both)
    found = [_ground(claim, own, weights, world) for own in sets.values()]
    return sorted(found, key=lambda ground: -(ground.cosine + ground.cover_around))


def cover_of(claim: Facts, ground: Ground, weights: Mapping[str, float]) -> float:
    """The share of a clause's term weight in a ground and around it."""
    return _cover(claim, ground.facts, weights, ground.around)


def _ground(
    claim: Facts, spans: tuple[SentenceRun, ...], weights: Mapping[str, float], world: World
) -> Ground:
    facts = _facts(" ".join(span.text for span in spans), world)
    around = _facts(" ".join(span.around for span in spans), world)
    return Ground(
        spans,
        facts,
        around,
        cosine=max(span.cosine for span in spans),
        cover=_cover(claim, facts, weights),
        cover_around=_cover(claim, facts, weights, around),
    )


def _both_add(claim: Facts, spans: Sequence[SentenceRun], world: World) -> bool:
    """Whether each sentence has words of the claim that the other does not have, names aside, and
    every name of the claim stands in a sentence that has one of the words about it: a sentence is
    no evidence for the name alone that stands in it."""
    facts = [_facts(span.text, world) for span in spans]
    bases = [_bases(own) for own in facts]
    held = [
        {word.lower for word in claim.words if _plain(word) and _holds(there, word.lower)}
        for there in bases
    ]
    if min(len(held[0] - held[1]), len(held[1] - held[0])) < ADDED:
        return False
    for i, word in enumerate(claim.words):
        if not word.name:
            continue
        about = [w.lower for w in claim.words[:i] if _plain(w)][-NEIGHBOURS:]
        about += [w.lower for w in claim.words[i + 1 :] if _plain(w)][:NEIGHBOURS]
        where = [own for own, there in zip(held, bases, strict=True) if word.stem in there]
        if where and not any(own & set(about) for own in where):
            return False
    return True


def _plain(word: Word) -> bool:
    return bool(word.stem) and not word.name


def _holds(there: frozenset[str], lower: str) -> bool:
    return any(base in there or words.synonyms(base) & there for base in words.bases(lower))


def _facts(text: str, world: World) -> Facts:
    return facts_of(" ".join(text.split()), world.known)


def _cover(
    claim: Facts, facts: Facts, weights: Mapping[str, float], around: Facts | None = None
) -> float:
    total = held = 0.0
    there = _bases(facts)
    near = _bases(around) if around else frozenset()
    for word in claim.words:
        if not word.stem:
            continue
        weight = max((weights[term] for term in terms_of(word.lower) if term in weights), default=1)
        own = words.bases(word.lower) | {word.stem}
        total += weight
        if own & there:
            held += weight
        elif any(words.synonyms(base) & there for base in own):
            held += SYNONYM * weight
        elif own & near:
            held += AROUND * weight
    return held / total if total else 0.0


def _bases(facts: Facts) -> frozenset[str]:
    return frozenset(_all_bases((word.lower, word.stem) for word in facts.words))


def _all_bases(own: Iterable[tuple[str, str]]) -> Iterable[str]:
    for lower, stem in own:
        if stem:
            yield stem
            yield from words.bases(lower)
