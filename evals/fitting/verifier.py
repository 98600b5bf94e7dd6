"""Measures the verifier on claims that others wrote, and fits the numbers that it decides by.

Sets of claims with their evidence (`evals.datasets.claims`) are judged as they are; the true ones
also with a name or a number exchanged, two names in each other's place, or denied (`perturbation`).
The same is done with honest paraphrases of the shipped document (`questions/seed_claims.jsonl`),
which are also judged with their own paragraph hidden. Nothing is fitted on those.

Every set weighs the same, its true claims as much as its false ones, and so does every kind of
what is made false by script. A figure is never shown of claims that its rule was fitted on: it is
by a rule fitted on the other sets or, of a single set, on the other half of it.

After the reading model has changed, the numbers that ship are fitted anew by

    footnote eval verifier ATTRIBUTION_DEV WICE_DEV NLI --held-out \\
        --output assistant/verification/verifier.json

with the claims of AttributionBench and of WiCE and the inference data that the model was trained
on, of which only what it did not learn from is used. Ten minutes on two cores.

What a language model's sentences are proved by is fitted by

    footnote eval verifier WRITTEN --written --output assistant/verification/verifier.json

with sentences as such a model writes them from passages, and the same made false by one fact by
hand. What the shipped numbers were fitted on is told in the card of the checker
(`assistant/verification/weights`); most of it is in `evals/training/written.zip`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from assistant import Assistant, Settings
from assistant.calibration import Logistic
from assistant.verification.attribution import grounds
from assistant.verification.checker import Checker
from assistant.verification.verifier import (
    ALONE,
    CHECKED,
    SEARCHED,
    Features,
    Finding,
    Rule,
    Verifier,
    plain_claim,
    weigh,
)
from evals.datasets.claims import Claim, ClaimSet
from evals.datasets.json_lines import read_objects
from evals.fitting.perturbation import KINDS, Words, perturb, words_of
from evals.fitting.validation import fit_logistic
from evals.metrics.confidence import auroc
from evals.metrics.statistics import Figure, Measure, figure, ratio
from index import Hit, Paragraph, Sentence, document_from_text
from index.encoder import Encoder
from index.errors import QuestionSetError
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
#: What a claim was held against before there were models of entailment, to compare with.
BASELINES = {"words held": ("cover",), "cosine": ("cosine",)}
LEXICAL_FEATURES = ("cosine", "cover", *CHECKED)
#: The set of the shipped paraphrases, which nothing is fitted on.
SEED = "seed_claims"
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
#: Kinds of statements of which nothing was changed.
UNCHANGED = ("found", "hidden")


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim to be judged.

    Attributes:
        of: the name of its set.
        kind: `found` in the set as it is, `hidden` (its evidence is), or what a script changed.
        supported: what is right.
        half: which half of its set it is in; what is made from a claim goes with it.
        features: what it is judged by; None where nothing was found.
        error: by what it was made false before.
    """

    of: str
    kind: str
    supported: bool
    half: bool
    features: Features | None
    error: str = ""


#: A statement, the probability that it is supported, and what it is taken to be.
Verdicts = list[tuple[Statement, float, Finding]]
#: By set and by name.
Figures = dict[str, dict[str, Figure]]

# --- statements ----------------------------------------------------------------------------------


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
    texts = [("found", claim.text, claim.supported)]
    if claim.supported and not written:
        changed = perturb(claim.text, claim.evidence, words)
        texts += [(made.kind, made.text, False) for made in changed]
    for kind, text, supported in texts:
        plain = plain_claim(text)
        found = grounds(plain, evidence.search(plain), evidence.neighbours)
        features = weigh(plain, found, checker, claim.question or "", written)
        own = half(claim.question or claim.id)
        yield Statement(of, kind, supported, own, features, claim.error)


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
        for query in (self._question, claim):
            if query:
                best = np.argsort(-self._terms.shares(query), kind="stable")[:SEARCHED]
                found |= dict.fromkeys(best.tolist())
        vector = self._encoder.encode_query(claim)
        new = [number for number in found if number not in self._vectors]
        if new:
            texts = [
                (p.text, [(s.start - p.start, s.end - p.start) for s in p.sentences])
                for p in (self._paragraphs[number] for number in new)
            ]
            embedded = self._encoder.encode_paragraphs(texts)
            self._vectors |= dict(zip(new, embedded, strict=True))
        hits = []
        for number in found:
            cosines = tuple((self._vectors[number] @ vector).tolist())
            hits.append(Hit(self._paragraphs[number], max(cosines), cosines))
        return hits


def seed_claims() -> list[tuple[str, str]]:
    """The paraphrases that ship with the package, each with the source sentence that it is of."""
    source = Path(str(files("evals") / "questions" / "seed_claims.jsonl"))
    return [
        (str(data["claim"]), " ".join(str(data["evidence"]).split()))
        for _, data in read_objects(source)
    ]


def seed_statements(
    assistant: Assistant, verifier: Verifier, words: Words, checker: Checker | None
) -> Iterator[Statement]:
    """The statements of the shipped paraphrases.

    Args:
        assistant: has the shipped document open.
        verifier: searches it.
        words, checker: as in `statements_of`; names of the document itself are exchanged as well.

    Raises:
        QuestionSetError: a claim's evidence is not in the document.
    """
    paragraphs = {
        " ".join(sentence.text.split()): paragraph
        for document in assistant.documents
        for paragraph in document.paragraphs
        for sentence in paragraph.sentences
    }
    for text, source in seed_claims():
        if source not in paragraphs:
            raise QuestionSetError(f"The evidence of a claim is in no document: {source!r}.")
        paragraph = paragraphs[source]
        hits = verifier.search(text)
        hidden = [hit for hit in hits if hit.paragraph.id != paragraph.id]
        changed = perturb(text, paragraph.text, words, most=2)
        for kind, claim, found in (
            ("found", text, hits),
            ("hidden", text, hidden),
            *((made.kind, made.text, verifier.search(made.text)) for made in changed),
        ):
            features = weigh(claim, grounds(claim, found, verifier.neighbours), checker)
            yield Statement(SEED, kind, kind == "found", half(paragraph.id), features)


def half(identity: str) -> bool:
    """Which half of its set a claim is in, by its question where it has one: what answers the same
    question stays together."""
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0


# --- fitting -------------------------------------------------------------------------------------


def fit_rule(statements: Sequence[Statement], names: Sequence[str], written: bool = False) -> Rule:
    """The rule over these features, fitted on all of these but the shipped paraphrases. Of what was
    written by a language model nothing is made false by script: it errs otherwise."""
    fitted_on = [s for s in statements if s.of != SEED]
    kinds = ("found",) if written else ("found", *FITTED_KINDS)
    least = CAUGHT_WRITTEN if written else CAUGHT
    claim = _fitted([s for s in fitted_on if s.kind in kinds], names)
    # Of each set, the false claims that were found in it.
    found = [s for s in fitted_on if s.kind == "found" and not s.supported]
    sets = dict.fromkeys(s.of for s in fitted_on)
    given = [
        np.array([_probability(s, Rule(claim, 1.0)) for s in found if s.of == of]) for of in sets
    ]

    def passes(least: float) -> float:
        # The least probability below which such a share of them is, on average over the sets.
        at = sorted({*np.concatenate(given).tolist(), 1.0})
        return float(next(t for t in at if np.mean([(p < t).mean() for p in given]) >= least))

    if not written:
        return Rule(claim, passes(least), passes(least - UNCONFIRMED))
    return Rule(claim, passes(least), passes(least - DOUBTED), passes(least - SETTLED))


def cross_validated(
    statements: Sequence[Statement], names: Sequence[str], written: bool = False
) -> Verdicts:
    """Each statement by a rule, its threshold too, that it had no part in: one fitted on the other
    sets, or, where there is but one, on the other half of it."""
    several = len({s.of for s in statements} - {SEED}) > 1
    parts = [s.of if several else str(s.half) for s in statements]
    verdicts: Verdicts = []
    for part in dict.fromkeys(parts):
        inside = [s for s, of in zip(statements, parts, strict=True) if of == part]
        outside = [s for s, of in zip(statements, parts, strict=True) if of != part]
        verdicts += judged(inside, fit_rule(outside, names, written))
    return verdicts


def judged(statements: Sequence[Statement], rule: Rule) -> Verdicts:
    """Each statement by this rule."""
    return [
        (s, _probability(s, rule), rule.finding(s.features) if s.features else "unsupported")
        for s in statements
    ]


def figures(verdicts: Verdicts, seed: int = 0) -> Figures:
    """By set and kind, with intervals. Of claims as they were found (hidden ones among them): the
    true ones kept, the false ones caught, the mean of both, AUROC; of each the unconfirmed ones,
    where there are any. Of those made false, by what: the share caught."""
    measures: dict[str, dict[str, Measure]] = {}
    for of in dict.fromkeys(s.of for s, _, _ in verdicts):
        rows = [row for row in verdicts if row[0].of == of]
        found = [row for row in rows if row[0].kind not in KINDS]
        truth = np.array([s.supported for s, _, _ in found], float)
        given = np.array([p for _, p, _ in found])
        said, marked = (
            np.array([finding == own for _, _, finding in found], float)
            for own in ("supported", "unconfirmed")
        )
        both = np.full(len(found), 0 < truth.sum() < len(truth))
        measures[of] = {
            "kept": ratio((truth * said).tolist(), truth.tolist()),
            "caught": ratio(((1 - truth) * (1 - said)).tolist(), (1 - truth).tolist()),
            "balanced accuracy": Measure((truth, said), _balanced, len(found), both),
            "auroc": Measure((truth, given), auroc, len(found), both),
        }
        if marked.any():
            measures[of] |= {
                "true marked": ratio((truth * marked).tolist(), truth.tolist()),
                "false marked": ratio(((1 - truth) * marked).tolist(), (1 - truth).tolist()),
            }
        made = [(s.error if s.kind == "found" else s.kind, finding) for s, _, finding in rows]
        for kind in sorted({error for error, _ in made if error and error not in UNCHANGED}):
            caught = [float(finding != "supported") for error, finding in made if error == kind]
            measures[of][f"{kind} caught"] = ratio(caught, [1.0] * len(caught))
    return {
        of: {name: figure(measure, seed) for name, measure in of_set.items()}
        for of, of_set in measures.items()
    }


def _fitted(statements: Sequence[Statement], names: Sequence[str]) -> Logistic:
    """The false ones of each set, and of each kind that is made by script, weigh the same together;
    the true ones of each set too, and all of them as much as all of the false."""
    usable = [(s, s.features.best) for s in statements if s.features is not None]
    groups = [s.of if s.kind == "found" else s.kind for s, _ in usable]
    truth = np.array([s.supported for s, _ in usable])
    keys = list(zip(groups, truth.tolist(), strict=True))
    weight = np.array([1 / keys.count(key) for key in keys])
    weight[truth] *= weight[~truth].sum() / weight[truth].sum()
    weight *= len(usable) / weight.sum()  # so that the penalty means the same for any data
    return fit_logistic([best for _, best in usable], truth, weight, names)


def _probability(statement: Statement, rule: Rule) -> float:
    return 0.0 if statement.features is None else rule.probability(statement.features)


def _balanced(truth: Any, said: Any) -> Any:
    with np.errstate(invalid="ignore", divide="ignore"):
        kept = (truth * said).sum(axis=-1) / truth.sum(axis=-1)
        caught = ((1 - truth) * (1 - said)).sum(axis=-1) / (1 - truth).sum(axis=-1)
    return (kept + caught) / 2


# --- the whole -----------------------------------------------------------------------------------


def gather_statements(
    sets: Sequence[ClaimSet],
    settings: Settings,
    checker: Checker | None,
    tick: Callable[[int, int], None],
    written: bool = False,
) -> tuple[str, list[Statement]]:
    """All statements: of the sets, and of the shipped paraphrases.

    Args:
        sets: claims with their evidence.
        settings: which models, and a folder for the index of the shipped document.
        checker: gives the logits, if there is one.
        tick: called with (claims done, claims in all).
        written: see `claim_statements`.

    Returns:
        The fingerprint of the checker (`none` where there is none) and the statements.
    """
    with Assistant.open(settings=settings) as assistant:
        paragraphs = [p.text for document in assistant.documents for p in document.paragraphs]
        words = words_of([*(c.text for claim_set in sets for c in claim_set.claims), *paragraphs])
        verifier = Verifier(assistant.index, assistant.document_ids)
        statements = list(seed_statements(assistant, verifier, words, checker))
        encoder = assistant.index.encoder
        claims = [(claim_set.name, claim) for claim_set in sets for claim in claim_set.claims]
        for done, (name, claim) in enumerate(claims, start=1):
            statements += claim_statements(name, claim, words, encoder, checker, written)
            tick(done, len(claims))
    return checker.fingerprint if checker else ALONE, statements


def write_rule(file: Path, model: str, rule: Rule, shown: Mapping[str, Figures]) -> None:
    """Write a rule by the model's fingerprint (or `none`), keeping what else the file holds.

    Args:
        file: the one that ships is `assistant/verification/verifier.json`.
        model: the fingerprint.
        rule: the numbers.
        shown: figures by how they were measured, for the provenance: of each the value and the ends
            of its interval.
    """
    known: dict[str, Any] = json.loads(file.read_text())["models"] if file.exists() else {}
    provenance: dict[str, Any] = {"fitted": datetime.now(UTC).date().isoformat()}
    for way, sets in shown.items():
        provenance[way] = {
            of: {
                name: [None if v is None else round(v, 3) for v in (f.value, f.low, f.high)]
                for name, f in figures.items()
            }
            for of, figures in sets.items()
        }
    numbers = asdict(rule)
    known[model] = numbers | {"provenance": provenance}
    file.write_text(json.dumps({"models": known}, sort_keys=True, indent=1) + "\n")
