"""The verifier: is a sentence supported by the documents, and by which of their sentences?

It knows nothing of who wrote the sentence. The passages that it may rest on (`attribution`) are
read by the checker; a logistic regression weighs what that says of the likeliest of them with the
nearness in meaning of the nearest sentence and the few things that can be checked word by word
(`facts`): numbers and names that no passage has, and a denial. Two thresholds make three verdicts
of its probability: supported; unconfirmed, which is neither shown nor contradicted; unsupported.

For a language that the checker does not read, nearness of meaning and the share of words held stand
in its place. That tells what the evidence does not speak of, and is a poor judge of what it says of
it.

The numbers are fitted by `python -m evals.fitting.verifier` and kept in `verifier.json` with their
provenance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from assistant.calibration import Logistic
from assistant.query.english import content_stems
from assistant.retrieval.passages import Passage
from assistant.retrieval.retriever import is_read
from assistant.verification.attribution import Ground, SentenceRun, cover, grounds, quotable
from assistant.verification.checker import Check, Checker
from assistant.verification.facts import (
    MARKERS,
    facts_of,
    keeps_words,
    leaves_condition_out,
    missing_names,
    missing_numbers,
    month_first,
    negations,
    other_symbols,
    parts_of,
)
from index import Hit, Paragraph, View
from index.encoder import Vectors

SEARCHED = 6  # paragraphs that a sentence is judged by

#: The share of a written sentence's words that a quote may lack, where the whole passage has them,
#: and still be cited for it, or tell whether the documents deny it: one of seven. Not tuned.
SLACK = 0.15

#: The probability from which on words settle a claim that seems to leave out a condition of theirs
#: or to deny what they do not: a paraphrase may do so in words only. Of such claims to choose by
#: .83 of the true ones reach it and .12 of the false; of those in which nothing seems so, .97 and
#: .30 reach `Rule.contradicted`.
LIKELIER = 0.5

#: Of a model that no numbers were fitted for, the probability from which on a claim is unconfirmed.
#: Not tuned.
DOUBTED = 0.2

Conflict = Literal["number", "name", "negation", "condition"]
#: `unconfirmed`: nothing shows it, and nothing speaks against it.
Finding = Literal["supported", "unconfirmed", "unsupported"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the verifier says of a sentence.

    Attributes:
        finding: whether the documents say it.
        probability: that they do, 0..1.
        spans: what supports it, as little as does; of an unconfirmed one the nearest sentences;
            empty where it is unsupported.
        conflicts: where nothing supports it, what of the sentence the evidence does not have: a
            number, a name, a negation (or the lack of one), or a condition that the evidence has.
    """

    finding: Finding
    probability: float
    spans: tuple[SentenceRun, ...] = ()
    conflicts: frozenset[Conflict] = frozenset()

    @property
    def supported(self) -> bool:
        """Whether the documents say it."""
        return self.finding == "supported"


NOTHING_FOUND = Judgement("unsupported", 0.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """From the features of a claim to a verdict: supported where the probability reaches the
    threshold, unconfirmed from `doubted` on. Words that stand in a passage settle it from
    `contradicted` on."""

    claim: Logistic
    threshold: float
    doubted: float = 1.0
    contradicted: float = 0.0

    def probability(self, features: Features) -> float:
        """That the claim is supported."""
        return self.claim.probability(features.best)

    def finding(self, features: Features) -> Finding:
        """Return the finding on the claim. A number or a name that the evidence lacks contradicts
        the claim if the claim is not supported; one with other symbols ("5" for "-5") always does.
        """
        checked = features.checked
        if checked["number_symbols"] or checked["name_symbols"]:
            return "unsupported"
        probability = self.probability(features)
        if probability >= self.threshold:
            return "supported"
        strange = checked["numbers"] or checked["names"]
        return "unconfirmed" if probability >= self.doubted and not strange else "unsupported"


#: The rule of going without a checker.
ALONE = "none"
#: Stands behind a model's fingerprint where the rule is for what was written from the evidence.
WRITTEN = ":written"
#: What answers a question and is no part of what is claimed: "No, any person can" denies nothing;
#: "No person can" does.
_OPENING = re.compile(r"^(?:yes|no)\s?[,;:.\u2013\u2014-]+\s*(?:(?:and|but)\s+)?", re.IGNORECASE)
#: What parts words that are quoted from several places.
_LEFT_OUT = re.compile(r"\.{3}|\u2026|\[\.{3}\]")
_TOKEN = re.compile(r"[^\W_]+")
#: The features that are checked word by word, and speak against a claim by themselves.
CHECKED: tuple[str, ...] = ("numbers", "names", "denied")
#: Of what is checked, that which a paraphrase may have in words only, if a model finds it likely.
IN_WORDS = frozenset({"opposed", "conditions"})
#: What is told of a claim that nothing supports, by what was checked.
TOLD: dict[str, Conflict] = {
    "numbers": "number",
    "number_symbols": "number",
    "names": "name",
    "name_symbols": "name",
    "opposed": "negation",
    "conditions": "condition",
}


@cache
def load_rule(fingerprint: str = ALONE) -> Rule | None:
    """The fitted numbers for a checker by its fingerprint; None where none were."""
    content = Path(str(files("assistant.verification") / "verifier.json")).read_text(
        encoding="utf-8"
    )
    entry = json.loads(content)["models"].get(fingerprint)
    if entry is None:
        return None
    numbers = {name: value for name, value in entry.items() if name != "provenance"}
    return Rule(**numbers | {"claim": Logistic(**entry["claim"])})


def rule_for(checker: Checker | None, written: bool = False) -> Rule:
    """The rule that a verdict with this checker is made by; another one for sentences
    that were `written` from the evidence, which keep near to its words.

    A model that none was fitted for is taken at its word, less what the evidence does not have,
    which counts as without a model. Without one nothing that was written is unconfirmed, which
    would be shown: nearness and words tell too little of it.
    """
    alone = load_rule()
    assert alone is not None, "verifier.json has it"
    if checker is None:
        return replace(alone, doubted=1.0) if written else alone
    weights = {name: alone.claim.weights[name] for name in CHECKED}
    if written and (rule := load_rule(checker.fingerprint + WRITTEN)):
        return rule
    at_its_word = Rule(Logistic({"entail": 1.0, **weights}, 0.0), 0.5, DOUBTED, DOUBTED)
    return load_rule(checker.fingerprint) or at_its_word


class Verifier:
    """Judges sentences against documents of an index.

    Args:
        index: where they are.
        documents: their ids.
        checker: reads passages for a claim, or None.
    """

    def __init__(
        self, index: View, documents: Sequence[str], checker: Checker | None = None
    ) -> None:
        self._index = index
        self._documents = frozenset(documents)  # which knows its hash, of however many
        self._checker = checker

    def judge(self, sentence: str, question: str | None = None) -> Judgement:
        """Judge one sentence.

        Args:
            sentence: what is judged.
            question: what it answers, if anything; the documents are searched with that as well.
        """
        claim = plain_claim(sentence)
        # What has no word that carries meaning ("Not at all.") states nothing to be supported.
        hits = self.search(claim, question) if content_stems(claim) else []
        return self._verdict(claim, hits, question or "")

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
        judgement = NOTHING_FOUND
        if not content_stems(claim):
            return judgement
        vector = self._index.encoder.encode_query(claim)
        others = [passage for passage in read if passage not in named]
        for passages in filter(None, (named, others)):
            hits = self._hits(passages, vector)
            if runs := _worded(claim, hits):
                return Judgement("supported", 1.0, runs)
            judged = self._verdict(claim, hits, question, written=True)
            if judged.supported:
                return judged
            judgement = max(judgement, judged, key=lambda one: one.probability)
        return judgement

    def confirm(
        self, sentence: str, question: str, words: str, passages: Sequence[Passage]
    ) -> Judgement | None:
        """Judge one sentence by words that are said to say it.

        Args:
            sentence, question: see `prove`.
            words: as they stand in the passages; what is left out of them is "...".
            passages: where they may stand.

        Returns:
            That the sentences with these words support it; None where the words do not stand
            there or differ from it in a number or a name; where they differ in a condition or a
            denial and no checker finds it likely; or where it finds that they do not say it.
        """
        claim = _OPENING.sub("", plain_claim(sentence))
        vector = self._index.encoder.encode_query(claim)
        runs = _quoted(words, self._hits(passages, vector))
        if not runs:
            return None
        found = [Ground(tuple(runs), *self.neighbours(runs[0].hit.paragraph))]
        checker = self._checker if is_read([run.hit for run in runs]) else None
        features = weigh(claim, found, checker, question, written=True)
        rule = rule_for(checker, written=True)
        assert features is not None, "there is a ground"
        probability = rule.probability(features)
        differs = {name for name in TOLD if features.checked[name]}
        least = LIKELIER if differs else rule.contradicted
        if differs - (IN_WORDS if checker else set()) or probability < least:
            return None
        return Judgement("supported", probability, tuple(runs))

    def _verdict(
        self, claim: str, hits: Sequence[Hit], question: str, written: bool = False
    ) -> Judgement:
        """Return the verdict on a claim, with the spans that `_support` chooses if it is supported.

        Args:
            claim, question, written: see `weigh`.
            hits: the paragraphs that the claim may rest on.
        """
        checker = self._checker if is_read(hits) else None
        rule = rule_for(checker, written)
        found = grounds(claim, hits, self.neighbours)
        features = weigh(claim, found, checker, question, written)
        if features is None:
            return NOTHING_FOUND
        probability, finding = rule.probability(features), rule.finding(features)
        if finding != "supported":
            against = frozenset(kind for name, kind in TOLD.items() if features.checked[name])
            likeliest = found[features.likeliest]
            nearest = next(quotable(claim, likeliest)).runs if finding == "unconfirmed" else ()
            return Judgement(finding, probability, nearest, against)

        enough = [
            ground
            for number, ground in enumerate(found)
            if rule.claim.probability(features.of(number)) >= rule.threshold
        ]
        stems = content_stems(claim) - content_stems(question if written else "")
        held = [cover(stems, f"{g.headings} {g.text}") for g in enough if len(g.runs) == 1]
        least = max(held, default=0.0) - SLACK if written else 0.0

        def supports(part: Ground) -> bool:
            alone = weigh(claim, [part], checker, question, written)
            return (
                alone is not None
                and cover(stems, f"{part.headings} {part.text}") >= least
                and rule.finding(alone) == "supported"
            )

        return Judgement(finding, probability, self._support(claim, enough, supports))

    def _support(
        self, claim: str, enough: Sequence[Ground], supports: Callable[[Ground], bool]
    ) -> tuple[SentenceRun, ...]:
        """Return the smallest spans that support a claim by themselves.

        A ground was read together with the paragraphs around it, and these may carry the support.
        They are cited instead if no part of a ground supports the claim without them, and together
        with the ground if only all of them do.

        Args:
            claim: the sentence, see `plain_claim`.
            enough: grounds that support the claim together with what is around them.
            supports: tells whether a ground supports the claim without what is around it.
        """
        for part in _smallest_first(claim, enough):
            if supports(part):
                return part.runs
        around = [self._around(claim, ground) for ground in enough if len(ground.runs) == 1]
        for part in _smallest_first(claim, [Ground((run,)) for runs in around for run in runs]):
            if supports(part):
                return part.runs
        together = (*enough[0].runs, *(around[0] if around else ()))
        return tuple(sorted(together, key=lambda run: (run.hit.paragraph.document_id, run.start)))

    def _around(self, claim: str, ground: Ground) -> list[SentenceRun]:
        """Return the paragraphs before and after a ground under the same heading, whole."""
        vector = self._index.encoder.encode_query(claim)
        beside = Passage(0, tuple(self._beside(ground.runs[0].hit.paragraph)))
        return [
            SentenceRun(hit, 0, len(hit.paragraph.sentences) - 1)
            for hit in self._hits([beside], vector)
        ]

    def neighbours(self, paragraph: Paragraph) -> tuple[str, str]:
        """Return the texts before and after a paragraph, "" for those under another heading."""
        texts = {other.number: other.text for other in self._beside(paragraph)}
        return texts.get(paragraph.number - 1, ""), texts.get(paragraph.number + 1, "")

    def _beside(self, paragraph: Paragraph) -> list[Paragraph]:
        """Return the paragraphs before and after a paragraph that are under the same heading."""
        number = paragraph.number
        near = self._index.paragraphs(paragraph.document_id, number - 1, number + 1)
        return [p for p in near if p.number != number and p.heading == paragraph.heading]

    def _hits(self, passages: Sequence[Passage], vector: Vectors) -> list[Hit]:
        """The paragraphs of passages as found for a claim, by its vector."""
        paragraphs = [paragraph for passage in passages for paragraph in passage.paragraphs]
        vectors = self._index.vectors(list({paragraph.id for paragraph in paragraphs}))
        hits = []
        for paragraph in paragraphs:
            scores = tuple(float(cosine) for cosine in vectors[paragraph.id] @ vector)
            hits.append(Hit(paragraph, max(scores), scores))
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


def _worded(claim: str, hits: Sequence[Hit]) -> tuple[SentenceRun, ...]:
    """The sentences that say a claim in its words, or those that say its parts; nothing where there
    are none."""
    sentences = [SentenceRun(hit, n, n) for hit in hits for n in range(len(hit.sentence_scores))]
    for parts in dict.fromkeys([(claim,), tuple(parts_of(claim))]):  # once where it has none
        said = [
            next((run for run in sentences if keeps_words(part, month_first(run.text))), None)
            for part in parts
        ]
        if None not in said:
            return tuple(run for run in said if run)
    return ()


def _quoted(words: str, hits: Sequence[Hit]) -> list[SentenceRun]:
    """The sentences in which words stand, marks and white space aside; nothing where one of their
    parts stands nowhere."""
    runs = []
    for part in _LEFT_OUT.split(words):
        tokens = _TOKEN.findall(part)
        if not tokens:
            continue
        wanted = re.compile(r"[\W_]*".join(map(re.escape, tokens)), re.IGNORECASE)
        run = next((run for hit in hits if (run := _run_with(wanted, hit))), None)
        if run is None:
            return []
        runs.append(run)
    return runs


def _run_with(wanted: re.Pattern[str], hit: Hit) -> SentenceRun | None:
    """The sentences of a paragraph that what is wanted stands in."""
    paragraph = hit.paragraph
    found = wanted.search(paragraph.text)
    if not found:
        return None
    start, end = (paragraph.start + offset for offset in found.span())
    inside = [n for n, own in enumerate(paragraph.sentences) if own.end > start and own.start < end]
    return SentenceRun(hit, inside[0], inside[-1]) if inside else None


def plain_claim(sentence: str) -> str:
    """A sentence without markers of citations, its dates in one order, white space made one
    space."""
    return month_first(" ".join(MARKERS.sub(" ", sentence).split()))


@dataclass(frozen=True, slots=True)
class Features:
    """What the verdict on a claim is made from.

    Attributes:
        grounds: for each ground `entail`, `contradict` and `unsaid`, the logits of the model of
            entailment (0 without one), `cosine` of the nearest sentence, and `cover`, the share of
            the claim's content words that it and what stands above it have.
        checked: how many `numbers`, `names` and other words that carry meaning (`novel`) of the
            claim none of them has; how many of the numbers and names they have only with other
            symbols (`number_symbols`, `name_symbols`); `denied`, 1 where the claim denies something
            and its nearest sentence nothing, or the reverse, `denials`, 1 where one denies more,
            `opposed`, 1 where those that hold most of its words are all of the other kind than the
            claim, and `conditions`, 1 where the nearest sentence has a condition that the claim has
            not.
    """

    grounds: tuple[Mapping[str, float], ...]
    checked: Mapping[str, float]

    @property
    def likeliest(self) -> int:
        """The number of the ground that supports the claim most."""
        return max(
            range(len(self.grounds)),
            key=lambda n: (self.grounds[n]["entail"], self.grounds[n]["cosine"]),
        )

    @property
    def best(self) -> dict[str, float]:
        """The features of the likeliest ground, the highest cosine and cover, what was checked."""
        return self.of(self.likeliest)

    def of(self, number: int) -> dict[str, float]:
        """The same of a ground by its number."""
        highest = {
            name: max(ground[name] for ground in self.grounds) for name in ("cosine", "cover")
        }
        return {**self.grounds[number], **highest, **self.checked}


def weigh(
    claim: str,
    found: Sequence[Ground],
    checker: Checker | None,
    question: str = "",
    written: bool = False,
) -> Features | None:
    """The features of a claim; None where there is nothing that it could rest on.

    Args:
        claim: one sentence, see `plain_claim`.
        found: what it may rest on, see `attribution.grounds`.
        checker: reads passages for a claim, or None.
        question: what the claim answers.
        written: whether it was written as an answer; what the question tells is not to be found
            then.
    """
    if not found:
        return None
    asked = question if written else ""
    stated, stems = facts_of(claim), content_stems(claim) - content_stems(asked)
    premises = [month_first(ground.premise) for ground in found]
    texts = [f"{ground.headings} {own}" for ground, own in zip(found, premises, strict=True)]
    checks = [checker.check(claim, own, question) if checker else Check(0.0) for own in premises]
    features = tuple(
        {
            "entail": check.entailed,
            "contradict": check.contradicted,
            "unsaid": check.unsaid,
            "cosine": ground.cosine,
            "cover": cover(stems, text),
        }
        for ground, text, check in zip(found, texts, checks, strict=True)
    )
    told = "\n".join(f"{text}." for text in dict.fromkeys([*texts, asked]))
    there = facts_of(told)
    other = other_symbols(stated, there)
    parts = [part for ground in found for part in quotable(claim, ground)]
    held = [cover(stems, f"{part.headings} {part.text}") for part in parts]
    denials, denied = negations(claim), [negations(part.text) for part in parts]
    nearby = [number for number, has in zip(denied, held, strict=True) if has >= max(held) - SLACK]
    checked = {
        "novel": float(len(stems - content_stems(told))),
        "numbers": float(missing_numbers(stated, there)),
        "names": float(missing_names(stated, there)),
        "number_symbols": float(sum(not isinstance(key, str) for key in other)),
        "name_symbols": float(sum(isinstance(key, str) for key in other)),
        "denied": float(bool(denials) != bool(denied[0])),
        "denials": float(denials != denied[0]),
        "opposed": float(all(bool(number) != bool(denials) for number in nearby)),
        "conditions": float(leaves_condition_out(claim, parts[0].text, asked)),
    }
    return Features(features, checked)


def _smallest_first(claim: str, found: Sequence[Ground]) -> list[Ground]:
    """Return the parts of grounds that may be cited, those of the fewest sentences first, and of
    as many those nearest to the claim."""
    stems = content_stems(claim)
    return sorted(
        (part for ground in found for part in quotable(claim, ground)),
        key=lambda part: (
            len(part.runs),
            sum(run.last - run.first for run in part.runs),
            -part.cosine - cover(stems, part.text),
        ),
    )
