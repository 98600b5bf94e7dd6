"""Fits the numbers that the verifier decides by, or measures those that ship:
`python -m evals.fitting.verifier CLAIMS... [--output FILE]`.

Sets of claims with their evidence (`evals.datasets.claims`) are judged as they are; the true ones
also with a name or a number exchanged, two names in each other's place, or denied (`perturb`).

Every set weighs the same, its true claims as much as its false ones, and so does every kind of
what is made false by script. A figure is never shown of claims that its rule was fitted on: it is
by a rule fitted on the other sets or, of a single set, on the other half of it.

After the reading model has changed, the numbers that ship are fitted anew by

    python -m evals.fitting.verifier ATTRIBUTION_DEV WICE_DEV NLI --held-out \\
        --output assistant/verification/verifier.json

with the claims of AttributionBench and of WiCE and the inference data that the model was trained
on, of which only what it did not learn from is used. Ten minutes on two cores.

What a language model's sentences are proved by is fitted by

    python -m evals.fitting.verifier WRITTEN --written --output assistant/verification/verifier.json

with sentences as such a model writes them from passages, and the same made false by one fact by
hand. What the shipped numbers were fitted on is told in the card of the checker
(`assistant/verification/weights`); most of it is in `evals/training/written.zip`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import typer
from sklearn.utils.class_weight import compute_sample_weight

from assistant.documents import shipped_documents
from assistant.settings import load_settings
from assistant.verification.attribution import grounds
from assistant.verification.checker import Checker, shipped_checker
from assistant.verification.verifier import (
    ALONE,
    CHECKED,
    SEARCHED,
    WRITTEN,
    Features,
    Finding,
    Rule,
    plain_claim,
    rule_for,
    weigh,
)
from evals.datasets.claims import Claim, read_claims
from evals.fitting.calibration import fit_logistic, show
from evals.metrics.confidence import auroc
from evals.metrics.statistics import Figure, Measure, figure, mean
from index import Hit, Paragraph, Sentence, document_from_text
from index.encoder import Encoder, load_encoder
from index.terms.bm25 import BM25Index

#: Features that a rule is fitted on, with a model of entailment and without. Beside entailment the
#: cosine keeps more true claims at no more false ones: left out by set, AUROC .942 to .946 (shipped
#: paraphrases), .746 to .760 (AttributionBench), .808 to .812 (WiCE), .945 to .942 (FEVER and the
#: like); the words held besides, or a mean of the windows' entailment, made most of them worse.
ENTAILMENT_FEATURES = ("entail", "cosine", *CHECKED)
#: The same for sentences that a language model wrote from passages before it. On the sentences to
#: choose by (see the card of the checker) these keep .707 of the true ones; with others beside them
#: it was .685 to .703.
WRITTEN_FEATURES = ("entail", "unsaid", "names")
#: The same without a model.
LEXICAL_FEATURES = ("cosine", "cover", *CHECKED)
#: Of what is made false by script, what is fitted on; the rest is only shown.
FITTED_KINDS = ("name", "number", "negation")
#: The threshold is the least at which this share of the false claims is caught, on average over
#: the sets.
CAUGHT = 0.85
#: The same for what was written: one that is not kept goes back to the model, which costs a call,
#: and comes again nearer to the words of its source.
CAUGHT_WRITTEN = 0.95
#: The share of the false ones that may be taken for unconfirmed, and be shown so. Not tuned.
DOUBTED = 0.02
#: The same of what others wrote, of which nothing is shown: it is told so only. Not tuned.
UNCONFIRMED = 0.2
#: The share of them that words of the passage may settle, which a model has to bring first. With .2
#: of the false ones .84 of the true ones that are not kept at once can be settled so, with .02 .22.
SETTLED = 0.2
#: What is changed in what is made false by script.
KINDS = ("name", "number", "order", "negation")
#: How often texts use a name at least that is put in. Not tuned.
LEAST = 2
#: What can be put in: names and numbers, sorted, as other texts write them.
Words = tuple[list[str], list[str]]

_NAME = re.compile(r"(?<![\w\u2019'-])[A-Z][\w]+(?:[ -][A-Z][\w]+)*(?![\w-])")
_NUMBER = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?![\w-]|[.,]\d)")
_MARKER = re.compile(r"\[[\d, ]+\]")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|should|could|can|must|may|might|has|have|had|did|does|do)\b"
    r"(?! not|n't| no\b| never| only)(?= [a-z])"
)
_NEGATED = re.compile(r"\b(is|are|was|were|will|would|should|could|can|has|have|had) (not|never) ")
_DID_NOT = re.compile(
    r"\b(does|do|did) not |\bcannot\b|\b(is|are|was|were|can|wo)n't\b|\bno (?=[a-z])"
)
_JOINED = re.compile(r"\b(and|or|with|between)\b|[,;]")


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim to be judged.

    Attributes:
        of: the name of its set.
        kind: `found` in the set as it is, or what a script changed.
        supported: what is right.
        half: which half of its set it is in; what is made from a claim goes with it.
        features: what it is judged by.
        error: by what it was made false before.
    """

    of: str
    kind: str
    supported: bool
    half: bool
    features: Features
    error: str = ""


#: A statement, the probability that it is supported, and what it is taken to be.
Verdicts = list[tuple[Statement, float, Finding]]


def main(
    claims: list[Path], output: Path | None = None, held_out: bool = False, written: bool = False
) -> None:
    """Fit a rule for the checker, and one without it; or print how those that ship do.

    Args:
        claims: claims with their evidence (AttributionBench, WiCE or inference data), JSON Lines.
        output: file to write beside what it holds, such as `verifier.json`; without it nothing is
            fitted.
        held_out: of inference data only the records that the reading model did not learn from.
        written: the claims are sentences that a language model wrote from the evidence, and are
            judged as those are.
    """
    sets = [read_claims(path, held_out) for path in claims]
    encoder, checker = load_encoder(load_settings().encoder), shipped_checker()
    # Names and numbers of the shipped document may be put in, too.
    paragraphs = [p.text for document in shipped_documents() for p in document.paragraphs]
    words = words_of([*(claim.text for own in sets for claim in own.claims), *paragraphs])
    statements = [
        statement
        for own in sets
        for claim in own.claims
        for statement in claim_statements(own.name, claim, words, encoder, checker, written)
    ]
    ways = {checker.fingerprint: ENTAILMENT_FEATURES, ALONE: LEXICAL_FEATURES}
    if written:
        ways = {checker.fingerprint + WRITTEN: WRITTEN_FEATURES}
    for name, features in ways.items():
        if output is None:
            rule = rule_for(None if name == ALONE else checker, written)
            verdicts, how = judged(statements, rule), "as shipped"
        else:
            verdicts, how = cross_validated(statements, features, written), "left out"
        told = {}
        for of in dict.fromkeys(statement.of for statement in statements):
            told[of] = figures([verdict for verdict in verdicts if verdict[0].of == of])
            show(f"{of}, model {name}, {how}:", told[of])
        if output is not None:
            write_rule(output, name, fit_rule(statements, features, written), told)


def claim_statements(
    of: str,
    claim: Claim,
    words: Words,
    encoder: Encoder,
    checker: Checker | None,
    written: bool = False,
) -> Iterator[Statement]:
    """A claim as it is, and if it is true what can be made false of it, by its own evidence.

    Args:
        of: the name of its set.
        claim: the claim.
        words: what names and numbers are exchanged for.
        encoder: gives the cosines.
        checker: gives the logits, if there is one.
        written: whether a language model wrote it; what its question tells it may say then.
    """
    evidence = Evidence(claim, encoder)
    texts = [("found", claim.text)]
    # A language model errs otherwise than a script does.
    if claim.supported and not written:
        texts += perturb(claim.text, claim.evidence, words)
    for kind, text in texts:
        plain = plain_claim(text)
        found = grounds(plain, evidence.search(plain), evidence.neighbours)
        features = weigh(plain, found, checker, claim.question or "", written)
        assert features is not None, "there is evidence"  # noqa: S101
        is_right = claim.supported and kind == "found"
        yield Statement(of, kind, is_right, half(claim), features, claim.error)


class Evidence:
    """The evidence of a claim, searched as an index of that alone would be."""

    def __init__(self, claim: Claim, encoder: Encoder) -> None:
        read = document_from_text(claim.evidence, source=claim.id).paragraphs
        lead = Sentence(0, len(claim.lead), claim.lead) if claim.lead else None
        self._paragraphs = [
            replace(p, heading=claim.heading or p.heading, lead=lead or p.lead) for p in read
        ]
        self._beside = [claim.before, *(p.text for p in self._paragraphs), claim.after]
        self._terms = BM25Index.build([" ".join((*p.heading, p.text)) for p in self._paragraphs])
        self._question = claim.question
        self._encoder = encoder
        self._vectors: dict[int, Any] = {}

    def neighbours(self, paragraph: Paragraph) -> tuple[str, str]:
        """What stands before and behind a paragraph."""
        return self._beside[paragraph.number - 1], self._beside[paragraph.number + 1]

    def search(self, claim: str) -> list[Hit]:
        """The paragraphs that have most of the claim's terms and of the question's, for only these
        are embedded: a page of WiCE is long."""
        found: dict[int, None] = {}
        for query in filter(None, (self._question, claim)):
            best = np.argsort(-self._terms.shares(query), kind="stable")[:SEARCHED]
            found |= dict.fromkeys(best.tolist())
        new = [number for number in found if number not in self._vectors]
        if new:
            texts = [
                (p.text, [(s.start - p.start, s.end - p.start) for s in p.sentences])
                for p in (self._paragraphs[number] for number in new)
            ]
            self._vectors |= zip(new, self._encoder.encode_paragraphs(texts), strict=True)
        vector = self._encoder.encode_query(claim)
        cosines = {number: tuple((self._vectors[number] @ vector).tolist()) for number in found}
        return [Hit(self._paragraphs[n], max(own), own) for n, own in cosines.items()]


def half(claim: Claim) -> bool:
    """Which half of its set a claim is in, by its question where it has one: what answers the same
    question stays together."""
    identity = claim.question or claim.id
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0


def fit_rule(statements: Sequence[Statement], names: Sequence[str], written: bool = False) -> Rule:
    """The rule over these features, fitted on all of these."""
    usable = [s for s in statements if s.kind in ("found", *FITTED_KINDS)]
    truth = np.array([s.supported for s in usable])
    # The false ones of each set, and of each kind that is made by script, weigh the same together;
    # the true ones of each set too, and all of them as much as all of the false.
    groups = [f"{s.supported} {s.of if s.kind == 'found' else s.kind}" for s in usable]
    weight = compute_sample_weight("balanced", groups)
    weight[truth] *= weight[~truth].sum() / weight[truth].sum()
    weight *= len(usable) / weight.sum()  # so that the penalty means the same for any data
    claim = fit_logistic([s.features.best for s in usable], truth, weight, names, scaled=False)
    # Of each set, the false claims that were found in it.
    false = defaultdict[str, list[float]](list)
    for s in statements:
        if s.kind == "found" and not s.supported:
            false[s.of].append(claim.probability(s.features.best))
    thresholds = sorted({*chain(*false.values())})

    def catching(share: float) -> float:
        # The least probability below which such a share of them is, on average over the sets.
        for threshold in thresholds:
            if np.mean([np.less(own, threshold).mean() for own in false.values()]) >= share:
                return threshold
        return 1.0

    if not written:
        return Rule(claim, catching(CAUGHT), catching(CAUGHT - UNCONFIRMED))
    least = CAUGHT_WRITTEN
    return Rule(claim, catching(least), catching(least - DOUBTED), catching(least - SETTLED))


def cross_validated(
    statements: Sequence[Statement], names: Sequence[str], written: bool = False
) -> Verdicts:
    """Each statement by a rule, its threshold too, that it had no part in: one fitted on the other
    sets, or, where there is but one, on the other half of it."""
    several = len({s.of for s in statements}) > 1
    parts = np.array([s.of if several else str(s.half) for s in statements])
    verdicts: Verdicts = []
    for part in dict.fromkeys(parts.tolist()):
        outside = [s for s, of in zip(statements, parts, strict=True) if of != part]
        inside = [s for s, of in zip(statements, parts, strict=True) if of == part]
        verdicts += judged(inside, fit_rule(outside, names, written))
    return verdicts


def judged(statements: Sequence[Statement], rule: Rule) -> Verdicts:
    """Each statement by this rule."""
    return [(s, rule.probability(s.features), rule.finding(s.features)) for s in statements]


def figures(verdicts: Verdicts) -> dict[str, Figure]:
    """Of one set, with intervals. Of claims as they were found: the true ones kept, the false ones
    caught, the mean of both, AUROC, and of each the unconfirmed ones. Of those made false, by what:
    the share caught."""
    found = [verdict for verdict in verdicts if verdict[0].kind == "found"]
    truth = np.array([s.supported for s, _, _ in found], float)
    said = np.array([finding == "supported" for *_, finding in found], float)
    given = np.array([probability for _, probability, _ in found])
    every = np.ones(len(found), bool)

    def share(supported: bool, *findings: Finding) -> Measure:
        return mean([own in findings if s.supported is supported else None for s, _, own in found])

    measures = {
        "kept": share(True, "supported"),
        "caught": share(False, "unsupported", "unconfirmed"),
        "balanced accuracy": Measure((truth, said), _balanced, len(found), every),
        "auroc": Measure((truth, given), auroc, len(found), every),
        "true marked": share(True, "unconfirmed"),
        "false marked": share(False, "unconfirmed"),
    }
    made = [(s.error if s.kind == "found" else s.kind, finding) for s, _, finding in verdicts]
    for kind in sorted({error for error, _ in made if error}):
        caught = [finding != "supported" for error, finding in made if error == kind]
        measures[f"{kind} caught"] = mean(caught)
    return {name: figure(measure) for name, measure in measures.items()}


def _balanced(truth: Any, said: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = (truth * said).sum() / truth.sum()
        caught = ((1 - truth) * (1 - said)).sum() / (1 - truth).sum()
    return (kept + caught) / 2


def write_rule(
    file: Path, model: str, rule: Rule, left_out: Mapping[str, Mapping[str, Figure]]
) -> None:
    """Write a rule by the model's fingerprint (or `none`), keeping what else the file holds, with
    figures of what was left out, by set: of each the value and the ends of its interval."""
    known: dict[str, Any] = json.loads(file.read_text())["models"] if file.exists() else {}
    shown = {
        of: {
            name: [None if v is None else round(v, 3) for v in (f.value, f.low, f.high)]
            for name, f in of_set.items()
        }
        for of, of_set in left_out.items()
    }
    provenance = {"fitted": datetime.now(UTC).date().isoformat(), "left out": shown}
    known[model] = asdict(rule) | {"provenance": provenance}
    file.write_text(json.dumps({"models": known}, sort_keys=True, indent=1) + "\n")


# --- claims made false by script ------------------------------------------------------------------


def words_of(texts: Iterable[str]) -> Words:
    """The names inside of sentences that texts use at least LEAST times, and all their numbers."""
    names: Counter[str] = Counter()
    numbers: set[str] = set()
    for text in texts:
        plain = _MARKER.sub(" ", text)
        names.update(m.group() for m in _NAME.finditer(plain) if _inside(plain, m.start()))
        numbers.update(_NUMBER.findall(plain))
    return sorted(name for name, count in names.items() if count >= LEAST), sorted(numbers)


def perturb(sentence: str, evidence: str, words: Words) -> Iterator[tuple[str, str]]:
    """Make a true sentence false, once in every way that it allows. The same words give the same.

    Args:
        sentence: a true one.
        evidence: what it is true by; nothing that stands there is put in.
        words: of other texts.

    Yields:
        What was changed, one of KINDS, and the false sentence.
    """
    generator = random.Random(f"0 {sentence}")
    for kind in KINDS:
        changed = changes(kind, sentence, evidence, words, generator)
        texts = {sentence[:start] + new + sentence[end:] for start, end, new in changed}
        if found := sorted(texts - {sentence}):
            yield kind, generator.choice(found)


def changes(
    kind: str, text: str, evidence: str, words: Words, generator: random.Random
) -> Iterator[tuple[int, int, str]]:
    """All changes of one kind that a sentence allows: where they begin and end, and what is put
    there, some of it by chance."""
    names = [match for match in _NAME.finditer(text) if _inside(text, match.start())]
    if kind == "name":
        # Nothing of another name stands in the texts: neither a word nor its beginning.
        lower = f"{text} {evidence}".lower()
        others = [
            name
            for name in words[0]
            if not any(part[:4].lower() in lower for part in re.findall(r"\w+", name))
        ]
        for match in names if others else ():
            yield *match.span(), generator.choice(others)
    elif kind == "number":
        for match in _NUMBER.finditer(_MARKER.sub(lambda marker: " " * len(marker[0]), text)):
            own, start = match[0], match[0][:-2]
            # Years are put for years, small ones for small.
            alike = [n for n in words[1] if len(n) == len(own) and n[:-2] == start and n != own]
            alike = [n for n in alike if n not in evidence]
            if alike:
                yield *match.span(), generator.choice(alike)
    elif kind == "order" and len(names) == 2:
        # Where something is said of two and not of both: agent and patient.
        one, other = names
        between = text[one.end() : other.start()]
        if len(between.split()) >= 2 and not _JOINED.search(between):
            yield one.start(), other.end(), other[0] + between + one[0]
    elif kind == "negation":
        for match in list(_AUXILIARY.finditer(text))[:2]:
            yield match.end(), match.end(), " not"
        for match in _NEGATED.finditer(text):
            yield *match.span(), f"{match[1]} "
        for match in _DID_NOT.finditer(text):
            yield *match.span(), "can" if match[0].lower().startswith("can") else ""


def _inside(text: str, start: int) -> bool:
    """Whether a capital there says that it is a name: it does not begin the sentence."""
    return bool(re.search(r"[^\W_][\"”)]?[,;:]? $|-$", text[:start]))


if __name__ == "__main__":
    typer.run(main)
