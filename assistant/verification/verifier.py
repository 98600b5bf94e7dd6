"""The verifier: is a sentence supported by the documents, and by which of their sentences?

It knows nothing of who wrote the sentence. The documents are searched with the sentence itself; for
each ground that it can rest on (`attribution`) rules compare what can be checked word by
word (`contradictions`), and a logistic regression tells from the match of meaning, of words
and, where there is a reading model, from its logit of entailment, how probable it is that the
ground supports it. The numbers are fitted by `footnote eval verifier` and kept in `verifier.json`
with their provenance.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from assistant.calibration import Logistic, sigmoid
from assistant.verification.attribution import ENOUGH, Ground, SentenceRun, cover_of, grounds
from assistant.verification.claims import World, facts_of, names_in
from assistant.verification.contradictions import Conflict, conflicts, side_by_side
from assistant.verification.nli import InferenceModel
from index import Index, SearchResult

# Chosen on the half of the shipped claims (`evals/questions/seed_claims.jsonl`) that is fitted on.

SEARCHED = 6  # paragraphs that a sentence is judged by
READ = 4  # grounds that are read by the model of entailment
#: How far below the best match of words and meaning a ground may lie.
MARGIN = 0.3
#: A clause that the ground of the whole sentence covers less than this needs one of its own.
CLAUSE_COVER = 0.4
CLAUSE_STEMS = 3
_CLAUSES = re.compile(
    r";\s+|,?\s+(?:but|while|whereas|although|though|because|yet)\s+|,\s+(?:and|so|which|who)\s+"
)


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
        probability: that they do, 0..1; below the threshold where a rule speaks against it.
        spans: what supports it; empty when nothing does.
        conflicts: what speaks against it in what comes closest.
    """

    supported: bool
    probability: float
    spans: tuple[SentenceRun, ...]
    conflicts: frozenset[Conflict]


@dataclass(frozen=True, slots=True)
class Rule:
    """From the features of a ground to a verdict."""

    ground: Logistic
    threshold: float

    def doubted(self, grounds: Sequence[tuple[Mapping[str, float], Collection[str]]]) -> float:
        """The probability where a rule speaks against every ground: below the threshold, by how
        well the grounds match and how many things speak against each."""
        return self.threshold * max(
            self.ground.probability(features) * 0.5 ** max(1, len(against))
            for features, against in grounds
        )


#: The rule of going without a model of entailment.
ALONE = "none"


def load_rule(fingerprint: str = ALONE) -> Rule | None:
    """The fitted numbers for a model of entailment; None where none were fitted, because it adds
    nothing or is another model than was measured."""
    content = Path(str(files("assistant.verification") / "verifier.json")).read_text(
        encoding="utf-8"
    )
    entry = json.loads(content)["models"].get(fingerprint)
    return Rule(Logistic(**entry["ground"]), float(entry["threshold"])) if entry else None


def load_verifier(
    index: Index, documents: Sequence[str], reader: object = None, name: str | None = None
) -> Verifier:
    """The verifier for documents of an index.

    Args:
        index, documents: where they are, and their ids.
        reader: the reading model; it helps to judge where it was measured to.
        name: a cross-encoder for natural language inference that judges meaning instead.

    Raises:
        ReaderError: that cannot be loaded.
    """
    if name is not None:
        return Verifier(index, documents, InferenceModel(name))
    if isinstance(reader, Entailer) and (rule := load_rule(reader.fingerprint)):
        return Verifier(index, documents, reader, rule)
    return Verifier(index, documents, rule=load_rule())


class Verifier:
    """Judges sentences against documents of an index.

    Args:
        index: where they are.
        documents: their ids.
        entailer: a model of entailment, or None.
        rule: what the verdict on a ground is made by; without one the entailer is taken at its
            word, and the rules on facts stay.
    """

    def __init__(
        self,
        index: Index,
        documents: Sequence[str],
        entailer: Entailer | None = None,
        rule: Rule | None = None,
    ) -> None:
        self._index = index
        self._documents = tuple(documents)
        self._entailer = entailer
        self._rule = rule
        self._world: World | None = None

    @property
    def world(self) -> World:
        """What the documents as a whole say of names; read once."""
        if self._world is None:
            paragraphs = [
                paragraph
                for identity in self._documents
                for paragraph in self._index.document(identity).paragraphs
            ]
            known = names_in(paragraph.text for paragraph in paragraphs)
            names = {name for p in paragraphs for name in facts_of(p.text, known).names}
            self._world = World(known, frozenset(names))
        return self._world

    def judge(self, sentence: str, question: str | None = None) -> Judgement:
        """Judge one sentence. A compound one is supported when each of its clauses is.

        Args:
            sentence: what is judged.
            question: what it answers, if anything; the documents are searched with that as well.
        """
        sentence = " ".join(sentence.split())
        found = self.search(sentence, question)
        whole, ground = self._judge(sentence, found)
        if not whole.supported or ground is None or ground.cover >= ENOUGH:
            return whole
        spans = list(whole.spans)
        for clause in clauses(sentence):
            facts = facts_of(clause, self.world.known)
            if cover_of(facts, ground, found.term_weights) < CLAUSE_COVER:
                own, _ = self._judge(clause, self.search(clause, question))
                if not own.supported:
                    return own
                spans += [span for span in own.spans if span not in spans]
        return Judgement(True, whole.probability, tuple(spans), frozenset())

    def features(self, sentence: str, found: SearchResult) -> list[Mapping[str, Any]]:
        """For each ground that is considered, what the verdict is made from; for fitting it."""
        return [
            {**self._features(ground, sentence), "conflicts": against, "vetoed": vetoed}
            for ground, against, vetoed in self._considered(sentence, found)
        ]

    def search(self, sentence: str, question: str | None = None) -> SearchResult:
        """The paragraphs that a sentence is judged by, and the weights of its terms."""
        vector = self._index.encoder.encode_query(sentence)
        results = [
            self._index.search(query, SEARCHED, documents=self._documents, vector=vector)
            for query in (question, sentence)
            if query
        ]
        hits = {hit.paragraph.id: hit for found in results for hit in found.hits}
        return replace(results[-1], hits=tuple(hits.values()))

    def _judge(self, sentence: str, found: SearchResult) -> tuple[Judgement, Ground | None]:
        considered = self._considered(sentence, found)
        if not considered:
            return Judgement(False, 0.0, (), frozenset()), None
        vetoes = [against for _, against, vetoed in considered if vetoed]
        best = max(_match(ground) for ground, _, _ in considered)
        free = [
            ground
            for ground, against, _ in considered
            if not against and _match(ground) >= best - MARGIN
        ]
        if vetoes or not free:
            first = vetoes[0] if vetoes else considered[0][1]
            doubted = 0.0
            if self._rule is not None:
                doubted = self._rule.doubted(
                    [(self._features(ground, sentence), own) for ground, own, _ in considered]
                )
            return Judgement(False, doubted, (), first), None
        judged = [(self._probability(ground, sentence), ground) for ground in free]
        probability, ground = max(judged, key=lambda pair: pair[0])
        supported = probability >= (self._rule.threshold if self._rule else 0.5)
        spans = ground.spans if supported else ()
        return Judgement(supported, probability, spans, frozenset()), ground

    def _considered(
        self, sentence: str, found: SearchResult
    ) -> list[tuple[Ground, frozenset[Conflict], bool]]:
        """The best grounds, what speaks against each, and whether it settles the matter: it is a
        source sentence that the sentence follows word by word but for one thing."""
        world = self.world
        claim = facts_of(sentence, world.known)
        return [
            (
                ground,
                conflicts(claim, ground.facts, ground.around, world),
                len(ground.spans) == 1 and bool(side_by_side(claim, ground.facts, world)),
            )
            for ground in grounds(claim, found.hits, found.term_weights, world)[:READ]
        ]

    def _probability(self, ground: Ground, sentence: str) -> float:
        features = self._features(ground, sentence)
        if self._rule is None:
            return sigmoid(features["entail"])
        return self._rule.ground.probability(features)

    def _features(self, ground: Ground, sentence: str) -> dict[str, float]:
        entail = self._entailer.entails(ground.text, sentence) if self._entailer else 0.0
        return {"cosine": ground.cosine, "cover": ground.cover_around, "entail": entail}


def clauses(sentence: str) -> list[str]:
    """The clauses of a sentence, each with enough words to be judged; the sentence where it has
    only one."""
    parts = [part.strip() for part in _CLAUSES.split(sentence)]
    whole = all(len(facts_of(part).stems) >= CLAUSE_STEMS for part in parts)
    return parts if whole else [sentence]


def _match(ground: Ground) -> float:
    return ground.cosine + ground.cover_around
