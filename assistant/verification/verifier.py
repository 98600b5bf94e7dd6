"""The verifier: is a sentence supported by the documents, and by which of their sentences?

It knows nothing of who wrote the sentence. The documents are searched with the sentence itself; the
reading model says of each window of what is found (`attribution`) how far it entails the sentence,
and a logistic regression weighs the highest of these with the nearness in meaning of the nearest
sentence and the few things that can be checked word by word (`facts`): numbers and names that no
window has, and a denial. A number that none has settles it, for a wrong year must not pass: on
AttributionBench dev, FEVER and WiCE dev .03 to .10 of the true claims have one and .17 to .47 of
the false ones, and at the same share caught .01, .01 and .03 fewer of the true ones are kept for
it.

Without a model of entailment (`FOOTNOTE_READER=none`, or a cross-encoder that only ranks) nearness
of meaning and the share of words held stand in its place. That tells what the evidence does not
speak of, and is a poor judge of what it says of it.

The numbers are fitted by `footnote eval verifier` and kept in `verifier.json` with their
provenance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from assistant.calibration import Logistic
from assistant.query.english import content_stems
from assistant.retrieval.passages import Passage
from assistant.retrieval.retriever import is_read
from assistant.verification.attribution import Ground, SentenceRun, cover, grounds
from assistant.verification.facts import (
    MARKERS,
    facts_of,
    keeps_words,
    missing_names,
    missing_numbers,
    month_first,
    negations,
    parts_of,
)
from assistant.verification.nli import InferenceModel
from index import Hit, View
from index.encoder import Vectors

SEARCHED = 6  # paragraphs that a sentence is judged by

#: The share of a written sentence's words that a ground may lack, where another has them, and still
#: be cited for it, or tell whether the documents deny it: one of seven. Not tuned.
SLACK = 0.15

Conflict = Literal["number", "name", "negation"]


@runtime_checkable
class Entailer(Protocol):
    """What tells how far a premise entails a claim."""

    fingerprint: str

    def entails(self, premise: str, claim: str) -> float:
        """The logit of it."""
        ...


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verifier says of a sentence.

    Attributes:
        supported: the documents say it.
        probability: that they do, 0..1.
        spans: what supports it, as little as does; empty when nothing does.
        conflicts: where nothing does, what of the sentence the evidence does not have: a number, a
            name, a negation (or the lack of one).
    """

    supported: bool
    probability: float
    spans: tuple[SentenceRun, ...]
    conflicts: frozenset[Conflict]


@dataclass(frozen=True, slots=True)
class Rule:
    """From the features of a claim to a verdict: supported where the probability reaches the
    threshold. Of its words a quote may lack `slack`, as a share, that another has."""

    claim: Logistic
    threshold: float
    slack: float = 1.0

    def probability(self, features: Features) -> float:
        """That the claim is supported; below the threshold where it has a number of its own."""
        found = self.claim.probability(features.best)
        return found * self.threshold if features.checked["numbers"] else found


#: The rule of going without a model of entailment.
ALONE = "none"
#: Stands behind a model's fingerprint where the rule is for what was written from the evidence.
WRITTEN = ":written"
#: What answers a question and is no part of what is claimed: "No, any person can" denies nothing;
#: "No person can" does.
_OPENING = re.compile(r"^(?:yes|no)\s?[,;:.\u2013\u2014-]+\s*(?:(?:and|but)\s+)?", re.IGNORECASE)
#: The features that are checked word by word, and speak against a claim by themselves.
CHECKED: tuple[str, ...] = ("numbers", "names", "denied")
#: What is told of a claim that nothing supports, by what was checked.
TOLD: dict[str, Conflict] = {"numbers": "number", "names": "name", "opposed": "negation"}


@cache
def load_rule(fingerprint: str = ALONE) -> Rule | None:
    """The fitted numbers for a model of entailment by its fingerprint; None where none were."""
    content = Path(str(files("assistant.verification") / "verifier.json")).read_text(
        encoding="utf-8"
    )
    entry = json.loads(content)["models"].get(fingerprint)
    if entry is None:
        return None
    slack = SLACK if fingerprint.endswith(WRITTEN) else 1.0
    return Rule(Logistic(**entry["claim"]), entry["threshold"], slack)


def rule_for(entailer: Entailer | None, written: bool = False) -> Rule:
    """The rule that a verdict with this model of entailment is made by; another one for sentences
    that were `written` from the evidence, which keep near to its words.

    A model that none was fitted for is taken at its word, less what the evidence does not have,
    which counts as without a model.
    """
    alone = load_rule()
    assert alone is not None, "verifier.json has it"
    if entailer is None:
        return alone
    weights = {name: alone.claim.weights[name] for name in CHECKED}
    if written and (rule := load_rule(entailer.fingerprint + WRITTEN)):
        return rule
    return load_rule(entailer.fingerprint) or Rule(Logistic({"entail": 1.0, **weights}, 0.0), 0.5)


def load_entailer(reader: object, name: str | None = None) -> Entailer | None:
    """The model of entailment: the one by its name, or else the reader where it is one.

    Raises:
        ReaderError: it cannot be loaded.
    """
    if name is not None:
        return InferenceModel(name)
    return reader if isinstance(reader, Entailer) else None


class Verifier:
    """Judges sentences against documents of an index.

    Args:
        index: where they are.
        documents: their ids.
        entailer: a model of entailment, or None.
    """

    def __init__(
        self, index: View, documents: Sequence[str], entailer: Entailer | None = None
    ) -> None:
        self._index = index
        self._documents = frozenset(documents)  # which knows its hash, of however many
        self._entailer = entailer

    def judge(self, sentence: str, question: str | None = None) -> Judgement:
        """Judge one sentence.

        Args:
            sentence: what is judged.
            question: what it answers, if anything; the documents are searched with that as well.
        """
        claim = plain_claim(sentence)
        # What has no word that carries meaning ("Not at all.") states nothing to be supported.
        hits = self.search(claim, question) if content_stems(claim) else []
        found = grounds(claim, hits)
        entailer = self._entailer if is_read(hits) else None
        return verdict(found, weigh(claim, found, entailer), rule_for(entailer))

    def prove(
        self,
        sentence: str,
        question: str,
        named: Sequence[Passage],
        read: Sequence[Passage],
    ) -> Judgement:
        """Judge one sentence by the passages that it names, or else by all others that were read.

        Args:
            sentence: what is judged.
            question: what it answers; what is told there ("for five years") it may say as well.
            named: passages that it is said to rest on.
            read: all that it may rest on.
        """
        claim = _OPENING.sub("", plain_claim(sentence))
        judgement = Judgement(False, 0.0, (), frozenset())
        if not content_stems(claim):
            return judgement
        vector = self._index.encoder.encode_query(claim)
        others = [passage for passage in read if passage not in named]
        for passages in filter(None, (named, others)):
            hits = self._hits(passages, vector)
            found = grounds(claim, hits)
            if runs := _worded(claim, found):
                return Judgement(True, 1.0, runs, frozenset())
            entailer = self._entailer if is_read(hits) else None
            features = weigh(claim, found, entailer, question)
            judged = verdict(found, features, rule_for(entailer, written=True))
            if judged.supported:
                return judged
            judgement = judgement if judgement.probability else judged
        return judgement

    def _hits(self, passages: Sequence[Passage], vector: Vectors) -> list[Hit]:
        """The paragraphs of passages as found for a claim, by its vector."""
        paragraphs = [paragraph for passage in passages for paragraph in passage.paragraphs]
        vectors = self._index.vectors(list({paragraph.id for paragraph in paragraphs}))
        hits = []
        for paragraph in paragraphs:
            scores = tuple(float(cosine) for cosine in vectors[paragraph.id] @ vector)
            hits.append(Hit(paragraph, max(scores), {"sentence": max(scores)}, scores))
        return hits

    def search(self, claim: str, question: str | None = None) -> list[Hit]:
        """The paragraphs that a claim is judged by, each with its sentences' cosines to it."""
        vector = self._index.encoder.encode_query(claim)
        found = [
            self._index.search(query, SEARCHED, documents=self._documents, vector=vector)
            for query in (question, claim)
            if query
        ]
        return list({hit.paragraph.id: hit for result in found for hit in result.hits}.values())


def _worded(claim: str, found: Sequence[Ground]) -> tuple[SentenceRun, ...]:
    """The shortest ground that says a claim in its words, or those that say its parts; nothing
    where there are none."""
    for parts in dict.fromkeys([(claim,), tuple(parts_of(claim))]):  # once where it has none
        shortest = [
            min(
                (
                    ground
                    for ground in found
                    if keeps_words(text, month_first(ground.text), part=number > 0)
                ),
                key=lambda ground: ground.length,
                default=None,
            )
            for number, text in enumerate(parts)
        ]
        if None not in shortest:
            return tuple(run for ground in shortest if ground for run in ground.runs)
    return ()


def plain_claim(sentence: str) -> str:
    """A sentence without markers of citations, its dates in one order, white space made one
    space."""
    return month_first(" ".join(MARKERS.sub(" ", sentence).split()))


@dataclass(frozen=True, slots=True)
class Features:
    """What the verdict on a claim is made from.

    Attributes:
        grounds: for each ground `entail`, the logit of the model of entailment (0 without one),
            `cosine` of the nearest sentence, and `cover`, the share of the claim's content words
            that it and the headings above it have.
        checked: how many `numbers`, `names` and other words that carry meaning (`novel`) of the
            claim none of them has; `denied`, 1 where the claim denies something and its nearest
            sentence nothing, or the reverse, `denials`, 1 where one denies more, and `opposed`, 1
            where those that hold most of its words are all of the other kind than the claim.
    """

    grounds: tuple[Mapping[str, float], ...]
    checked: Mapping[str, float]

    @property
    def best(self) -> dict[str, float]:
        """The highest of each of the grounds' features, and what was checked."""
        highest = {name: max(ground[name] for ground in self.grounds) for name in self.grounds[0]}
        return {**highest, **self.checked}


def weigh(
    claim: str, found: Sequence[Ground], entailer: Entailer | None, question: str = ""
) -> Features | None:
    """The features of a claim; None where there is nothing that it could rest on.

    Args:
        claim: one sentence, see `plain_claim`.
        found: what it may rest on, see `attribution.grounds`.
        entailer: a model of entailment, or None.
        question: what the claim answers; what that tells is not to be found.
    """
    if not found:
        return None
    stated, stems = facts_of(claim), content_stems(claim) - content_stems(question)
    texts = [f"{ground.headings} {ground.text}" for ground in found]
    features = tuple(
        {
            "entail": entailer.entails(month_first(ground.text), claim) if entailer else 0.0,
            "cosine": ground.cosine,
            "cover": cover(stems, text),
        }
        for ground, text in zip(found, texts, strict=True)
    )
    told = "\n".join(f"{text}." for text in dict.fromkeys([*texts, question]))
    there = facts_of(told)
    denials, denied = negations(claim), [negations(ground.text) for ground in found]
    most = max(feature["cover"] for feature in features) - SLACK
    nearby = [number for number, has in zip(denied, features, strict=True) if has["cover"] >= most]
    checked = {
        "novel": float(len(stems - content_stems(told))),
        "numbers": float(missing_numbers(stated, there)),
        "names": float(missing_names(stated, there)),
        "denied": float(bool(denials) != bool(denied[0])),
        "denials": float(denials != denied[0]),
        "opposed": float(all(bool(number) != bool(denials) for number in nearby)),
    }
    return Features(features, checked)


def verdict(found: Sequence[Ground], features: Features | None, rule: Rule) -> Judgement:
    """The verdict on a claim that may rest on these grounds. Cited is one of those that hold most
    of its words, for what two sentences tell is not cited to one of them: the shortest that is
    enough alone, or else the likeliest.

    Args:
        found, features: see `weigh`.
        rule: by which it is made.
    """
    if features is None:
        return Judgement(False, 0.0, (), frozenset())
    probability = rule.probability(features)
    alone = [rule.claim.probability({**ground, **features.checked}) for ground in features.grounds]
    if probability < rule.threshold:
        against = frozenset(kind for name, kind in TOLD.items() if features.checked[name])
        return Judgement(False, probability, (), against)
    enough = [n for n in range(len(found)) if alone[n] >= rule.threshold]
    covers = {n: features.grounds[n]["cover"] for n in enough or range(len(found))}
    whole = [n for n, cover in covers.items() if cover >= max(covers.values()) - rule.slack]
    cited = min(whole, key=lambda n: (found[n].length if enough else 0, -alone[n], n))
    return Judgement(True, probability, found[cited].runs, frozenset())
