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

with sentences that such a model wrote from passages, and the same with one fact changed by hand (a
number, a name, a negation, a condition). The set that ships numbers was 195 and 195 of them, of 72
questions about eight real documents, and is not part of the project, for it holds their texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from assistant import Assistant, Settings
from assistant.calibration import Logistic
from assistant.retrieval.reading_model import load_reader
from assistant.verification.attribution import grounds
from assistant.verification.verifier import (
    ALONE,
    CHECKED,
    SEARCHED,
    Entailer,
    Features,
    Rule,
    Verifier,
    load_entailer,
    plain_claim,
    weigh,
)
from evals.datasets.claims import Claim, ClaimSet
from evals.datasets.json_lines import read_objects
from evals.fitting.perturbation import KINDS, Words, perturb, words_of
from evals.fitting.validation import fit_logistic
from evals.metrics.confidence import auroc
from evals.metrics.statistics import Figure, Measure, figure, ratio
from index import Hit, document_from_text
from index.encoder import Encoder
from index.errors import QuestionSetError
from index.terms.bm25 import BM25Index

#: Features that a rule is fitted on, with a model of entailment and without. Beside entailment the
#: cosine keeps more true claims at no more false ones: left out by set, AUROC .942 to .946 (shipped
#: paraphrases), .746 to .760 (AttributionBench), .808 to .812 (WiCE), .945 to .942 (FEVER and the
#: like); the words held besides, or a mean of the windows' entailment, made most of them worse.
ENTAILMENT_FEATURES = ("entail", "cosine", *CHECKED)
#: The same for sentences that a language model wrote from passages before it: these keep near to
#: the words, so that a word which is not there tells something: AUROC .887 to .891 on 390 of them,
#: half with one fact changed. What was tried besides brought it to .90 at most: the words in which
#: a sentence differs from the nearest of the source, their order, its conditions, and whether what
#: denies it is entailed as much.
WRITTEN_FEATURES = ("entail", "cosine", "numbers", "names", "denials", "novel")
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


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim to be judged.

    Attributes:
        of: the name of its set.
        kind: `found` in the set as it is, `hidden` (its evidence is), or what was changed.
        supported: what is right.
        half: which half of its set it is in; what is made from a claim goes with it.
        features: what it is judged by; None where nothing was found.
    """

    of: str
    kind: str
    supported: bool
    half: bool
    features: Features | None


#: A statement, the probability that it is supported, and whether it is taken to be.
Verdicts = list[tuple[Statement, float, bool]]
#: By set and by name.
Figures = dict[str, dict[str, Figure]]

# --- statements ----------------------------------------------------------------------------------


def claim_statements(
    of: str,
    claim: Claim,
    words: Words,
    encoder: Encoder,
    entailer: Entailer | None,
    written: bool = False,
) -> Iterator[Statement]:
    """A claim as it is, and if it is true what can be made false of it, by its own evidence.

    Args:
        of: the name of its set.
        claim: the claim.
        words: what names and numbers are exchanged for.
        encoder: gives the cosines.
        entailer: gives the logits, if there is one.
        written: whether a language model wrote it; what its question tells it may say then.
    """
    told = (claim.question or "") if written else ""
    evidence = Evidence(claim, encoder)
    texts = [("found", claim.text, claim.supported)]
    if claim.supported:
        changed = perturb(claim.text, claim.evidence, words)
        texts += [(made.kind, made.text, False) for made in changed]
    for kind, text, supported in texts:
        plain = plain_claim(text)
        found = weigh(plain, grounds(plain, evidence.search(plain)), entailer, told)
        yield Statement(of, kind, supported, half(claim.question or claim.id), found)


class Evidence:
    """The evidence of a claim, searched as an index of that alone would be."""

    def __init__(self, claim: Claim, encoder: Encoder) -> None:
        self._paragraphs = document_from_text(claim.evidence, source=claim.id).paragraphs
        self._terms = BM25Index.build([" ".join((*p.heading, p.text)) for p in self._paragraphs])
        self._question = claim.question
        self._encoder = encoder
        self._vectors: dict[int, Any] = {}

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
            hits.append(Hit(self._paragraphs[number], max(cosines), {}, cosines))
        return hits


def seed_claims() -> list[tuple[str, str]]:
    """The paraphrases that ship with the package, each with the source sentence that it is of."""
    source = Path(str(files("evals") / "questions" / "seed_claims.jsonl"))
    return [
        (str(data["claim"]), " ".join(str(data["evidence"]).split()))
        for _, data in read_objects(source)
    ]


def seed_statements(
    assistant: Assistant, verifier: Verifier, words: Words, entailer: Entailer | None
) -> Iterator[Statement]:
    """The statements of the shipped paraphrases.

    Args:
        assistant: has the shipped document open.
        verifier: searches it.
        words, entailer: as in `statements_of`; names of the document itself are exchanged as well.

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
            features = weigh(claim, grounds(claim, found), entailer)
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
    rule = Rule(_fitted([s for s in fitted_on if s.kind in kinds], names), 1.0)

    def given_to(statement: Statement) -> float:
        # What is settled is caught anyway.
        settled = statement.features is None or statement.features.checked["numbers"]
        return -1.0 if settled else _probability(statement, rule)

    # Of each set, the false claims that were found in it.
    found = [s for s in fitted_on if s.kind == "found" and not s.supported]
    sets = dict.fromkeys(s.of for s in fitted_on)
    given = [np.array([given_to(s) for s in found if s.of == of]) for of in sets]
    threshold = next(
        t
        for t in sorted({*(_probability(s, rule) for s in found), 1.0})
        if np.mean([(p < t).mean() for p in given]) >= least
    )
    return Rule(rule.claim, float(threshold))


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
    given = [(s, _probability(s, rule)) for s in statements]
    return [(s, p, p >= rule.threshold) for s, p in given]


def figures(verdicts: Verdicts, seed: int = 0) -> Figures:
    """By set and kind, with intervals. Of claims as they were found (hidden ones among them): the
    true ones kept, the false ones caught, the mean of both, AUROC. Of those made false by script:
    the share caught."""
    measures: dict[str, dict[str, Measure]] = {}
    for of in dict.fromkeys(s.of for s, _, _ in verdicts):
        rows = [row for row in verdicts if row[0].of == of]
        found = [row for row in rows if row[0].kind not in KINDS]
        truth = np.array([s.supported for s, _, _ in found], float)
        given = np.array([p for _, p, _ in found])
        said = np.array([supported for _, _, supported in found], float)
        both = np.full(len(found), 0 < truth.sum() < len(truth))
        measures[of] = {
            "kept": ratio((truth * said).tolist(), truth.tolist()),
            "caught": ratio(((1 - truth) * (1 - said)).tolist(), (1 - truth).tolist()),
            "balanced accuracy": Measure((truth, said), _balanced, len(found), both),
            "auroc": Measure((truth, given), auroc, len(found), both),
        }
        for kind in KINDS:
            caught = [float(not supported) for s, _, supported in rows if s.kind == kind]
            if caught:
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
    tick: Callable[[int, int], None],
    written: bool = False,
) -> tuple[str, list[Statement]]:
    """All statements: of the sets, and of the shipped paraphrases.

    Args:
        sets: claims with their evidence.
        settings: which models, and a folder for the index of the shipped document.
        tick: called with (claims done, claims in all).
        written: see `claim_statements`.

    Returns:
        The fingerprint of the model of entailment (`none` where there is none) and the statements.
    """
    entailer = load_entailer(load_reader(settings.reader), settings.verifier)
    with Assistant.open(settings=settings) as assistant:
        paragraphs = [p.text for document in assistant.documents for p in document.paragraphs]
        words = words_of([*(c.text for claim_set in sets for c in claim_set.claims), *paragraphs])
        verifier = Verifier(assistant.index, assistant.document_ids)
        statements = list(seed_statements(assistant, verifier, words, entailer))
        encoder = assistant.index.encoder
        claims = [(claim_set.name, claim) for claim_set in sets for claim in claim_set.claims]
        for done, (name, claim) in enumerate(claims, start=1):
            statements += claim_statements(name, claim, words, encoder, entailer, written)
            tick(done, len(claims))
    return entailer.fingerprint if entailer else ALONE, statements


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
    numbers = {"claim": asdict(rule.claim), "threshold": rule.threshold}
    known[model] = numbers | {"provenance": provenance}
    file.write_text(json.dumps({"models": known}, sort_keys=True, indent=1) + "\n")
