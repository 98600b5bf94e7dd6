"""Measures the verifier, and fits the numbers that it decides by.

Three kinds of sentences: honest paraphrases of source sentences (`questions/seed_claims.jsonl`, and
the source sentences themselves); the same made false by script (`perturbation`); and the honest
ones again while their own paragraph is hidden, so that what is left is on topic and does not say
it. Optionally claims of WiCE (Kamoi et al., arXiv 2303.01432), each against the page that it cites;
what a page supports in part counts as not supported.

Sentences are split in halves by the paragraph that they come from: one half is fitted on, the other
is reported.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from assistant import Assistant
from assistant.calibration import Logistic
from assistant.retrieval.reading_model import load_reader
from assistant.settings import load_settings
from assistant.verification.claims import facts_of
from assistant.verification.verifier import MARGIN, Entailer, Rule, Verifier
from evals.fitting.perturbation import perturb
from evals.reporting.tables import rows_table
from index import Document, Index, document_from_text
from index.errors import QuestionSetError

#: Features of `Verifier.features` that are fitted on; `entail` too where a model gives it.
FEATURES = ("cosine", "cover")
#: Every fourth source sentence is among the honest ones. Not tuned.
SENTENCE_STEP = 4
#: Lines of a page that make a paragraph, for WiCE gives pages line by line. Not tuned.
WICE_BLOCK = 6
#: The weight of a claim of WiCE in fitting, where other statements weigh 1. Not tuned.
WICE_WEIGHT = 0.5
#: The share of honest paraphrases that the threshold keeps, on the half that is fitted on.
KEPT = 0.9
#: The least threshold that is written. Not tuned.
LEAST = 0.05


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence to be judged.

    Attributes:
        kind: honest, hidden, wice, or what was changed (see `perturbation`).
        made_from: `source` sentences, hand-written `claim`s, or `wice`.
        supported: what is right.
        fitted_on: whether it is in the half that is fitted on.
        grounds: see `Verifier.features`; to be judged without the paragraph that is hidden.
    """

    kind: str
    made_from: str
    text: str
    supported: bool
    fitted_on: bool
    grounds: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A hand-written paraphrase and the source sentence that it is of."""

    claim: str
    evidence: str


def read_claims(file: Path | None = None) -> list[Claim]:
    """Read paraphrases, one JSON object a line.

    Raises:
        QuestionSetError: a line is not one.
    """
    source = file or Path(str(files("evals") / "questions" / "seed_claims.jsonl"))
    claims = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            data = json.loads(line)
            claims.append(Claim(str(data["claim"]), " ".join(str(data["evidence"]).split())))
        except (ValueError, KeyError, TypeError) as error:
            raise QuestionSetError(f"{source}:{number}: not a claim: {error!r}.") from error
    return claims


def seed_statements(assistant: Assistant, verifier: Verifier) -> list[Statement]:
    """The statements of the documents that are open, by the claims that ship with the package.

    Raises:
        QuestionSetError: a claim's evidence is in none of the documents.
    """
    paragraphs = {
        " ".join(sentence.text.split()): paragraph.id
        for document in assistant.documents
        for paragraph in document.paragraphs
        for sentence in paragraph.sentences
    }
    claims = read_claims()
    for claim in claims:
        if claim.evidence not in paragraphs:
            raise QuestionSetError(f"The evidence of a claim is in none: {claim.evidence!r}.")
    of_claim = {claim.claim: paragraphs[claim.evidence] for claim in claims}
    statements = []

    def add(kind: str, made_from: str, text: str, own: str, hidden: bool = False) -> None:
        hits = verifier.search(text)
        if hidden:
            left = tuple(hit for hit in hits.hits if hit.paragraph.id != own)
            hits = replace(hits, hits=left)
        grounds = tuple(verifier.features(text, hits))
        statements.append(Statement(kind, made_from, text, kind == "honest", half(own), grounds))

    for text, own in of_claim.items():
        add("honest", "claim", text, own)
        add("hidden", "claim", text, own, hidden=True)
    for text in list(paragraphs)[::SENTENCE_STEP]:
        add("honest", "source", text, paragraphs[text])
    names = swappable(paragraphs)
    for perturbed in perturb(list(paragraphs), names, most=1):
        add(perturbed.kind, "source", perturbed.text, paragraphs[perturbed.original])
    for perturbed in perturb(list(of_claim), names, most=3):
        add(perturbed.kind, "claim", perturbed.text, of_claim[perturbed.original])
    return statements


def half(identity: str) -> bool:
    """Which half a paragraph is in."""
    return hashlib.sha256(identity.encode()).digest()[0] % 2 == 0


def swappable(texts: Iterable[str]) -> list[str]:
    """Names of one word that the texts use at least twice, written as they stand there."""
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        facts = facts_of(text)
        single = {name[0] for name in facts.names if len(name) == 1}
        for word in facts.words[1:]:
            if word.name and word.lower in single:
                counts[word.text] += 1
    return sorted(name for name, count in counts.items() if count >= 2 and len(name) > 1)


def wice_documents(file: Path) -> Iterator[tuple[dict[str, Any], Document]]:
    """The claims of a WiCE file, each with the page that it cites as a document."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines()):
        data = json.loads(line)
        lines = [" ".join(text.split()) for text in data["evidence"]]
        blocks = [lines[i : i + WICE_BLOCK] for i in range(0, len(lines), WICE_BLOCK)]
        text = "\n\n".join(" ".join(block) for block in blocks)
        yield data, document_from_text(text, source=f"{file.parent.name}/{number}")


def wice_statement(data: Mapping[str, Any], verifier: Verifier) -> Statement:
    """The statement of one claim; the verifier has its page."""
    text = str(data["claim"])
    grounds = tuple(verifier.features(text, verifier.search(text)))
    return Statement("wice", "wice", text, data["label"] == "supported", half(text), grounds)


def fit_rule(statements: Sequence[Statement], entailment: bool) -> tuple[Rule, dict[str, Any]]:
    """Fit the rule on its half of the statements: what the best ground without a conflict has.

    Returns:
        The rule, and what it is worth on both halves (see `rule_figures`).
    """
    features = (*FEATURES, "entail") if entailment else FEATURES
    rows, labels, weights = [], [], []
    for statement in statements:
        free = considered(statement)
        if statement.fitted_on and free:
            best = max(free, key=lambda ground: ground["cosine"] + ground["cover"])
            rows.append([best[name] for name in features])
            labels.append(statement.supported)
            weights.append(WICE_WEIGHT if statement.kind == "wice" else 1.0)
    matrix, truth, weight = np.array(rows), np.array(labels), np.array(weights)
    weight[truth] *= weight[~truth].sum() / weight[truth].sum()
    model = LogisticRegression(C=1.0, max_iter=5000).fit(matrix, truth, sample_weight=weight)
    ground = Logistic(
        {name: round(float(w), 4) for name, w in zip(features, model.coef_[0], strict=True)},
        round(float(model.intercept_[0]), 4),
    )
    written = [
        s for s in statements if s.fitted_on and (s.kind, s.made_from) == ("honest", "claim")
    ]
    kept = sorted((probability(own, Rule(ground, 0.0)) for own in written), reverse=True)
    threshold = round(kept[min(len(kept) - 1, round(KEPT * len(kept)))], 3)
    rule = Rule(ground, max(threshold, LEAST))
    provenance = {
        "fitted": datetime.now(UTC).date().isoformat(),
        "fitted_on": rule_figures([s for s in statements if s.fitted_on], rule),
        "held_out": rule_figures([s for s in statements if not s.fitted_on], rule),
    }
    return rule, provenance


def rule_table(title: str, figures: Mapping[str, Mapping[str, Any]]) -> Table:
    """What `rule_figures` gives, for a terminal."""
    rows = [
        (name, own["n"], ", ".join(f"{key} {value}" for key, value in own.items() if key != "n"))
        for name, own in figures.items()
    ]
    return rows_table(title, ("kind/made from", "n", "figures"), rows)


def considered(statement: Statement) -> list[Mapping[str, Any]]:
    """The grounds of a statement that the verifier would weigh; none where a rule settles it."""
    if not statement.grounds or any(ground["vetoed"] for ground in statement.grounds):
        return []
    best = max(ground["cosine"] + ground["cover"] for ground in statement.grounds)
    return [
        ground
        for ground in statement.grounds
        if not ground["conflicts"] and ground["cosine"] + ground["cover"] >= best - MARGIN
    ]


def probability(statement: Statement, rule: Rule) -> float:
    """As the verifier has it."""
    free = considered(statement)
    if free:
        return max(rule.ground.probability(own) for own in free)
    if not statement.grounds:
        return 0.0
    return rule.doubted([(own, own["conflicts"]) for own in statement.grounds])


def rule_figures(statements: Sequence[Statement], rule: Rule) -> dict[str, Any]:
    """By kind and by what it was made from: how many there are and the share judged rightly. Over
    all, and for WiCE alone: AUROC, precision and recall of `supported` at the threshold."""
    found: dict[str, Any] = {}
    groups = defaultdict(list)
    for statement in statements:
        groups[f"{statement.kind}/{statement.made_from}"].append(statement)
    for name, own in sorted(groups.items()):
        right = [(probability(s, rule) >= rule.threshold) == s.supported for s in own]
        found[name] = {"n": len(own), "right": round(float(np.mean(right)), 4)}
    for name, own in (
        ("seed", [statement for statement in statements if statement.kind != "wice"]),
        ("wice", [statement for statement in statements if statement.kind == "wice"]),
    ):
        if own:
            truth = np.array([statement.supported for statement in own])
            given = np.array([probability(statement, rule) for statement in own])
            said = given >= rule.threshold
            found[name] = {
                "n": len(own),
                "auroc": round(float(roc_auc_score(truth, given)), 4),
                "precision": round(float(truth[said].mean()), 4) if said.any() else None,
                "recall": round(float(said[truth].mean()), 4),
            }
    return found


def model_alone(statements: Sequence[Statement]) -> dict[str, float]:
    """AUROC of the largest logit of entailment, without any rule, on the seed and on WiCE."""
    found = {}
    for name, wice in (("seed", False), ("wice", True)):
        own = [s for s in statements if (s.kind == "wice") == wice and s.grounds]
        if own:
            truth = [statement.supported for statement in own]
            given = [max(ground["entail"] for ground in statement.grounds) for statement in own]
            found[name] = round(float(roc_auc_score(truth, given)), 4)
    return found


def gather_statements(index_dir: Path, wice: Path | None = None) -> tuple[str, list[Statement]]:
    """All statements of the shipped document, and of a WiCE file if one is given.

    Args:
        index_dir: a folder for the indexes of both.
        wice: claims as JSON Lines.

    Returns:
        The fingerprint of the reading model and the statements.
    """
    with Assistant.open(index_dir=index_dir / "seed") as assistant:
        entailer = load_reader(assistant.settings.reader)
        if not isinstance(entailer, Entailer):
            entailer = None
        verifier = Verifier(assistant.index, assistant.document_ids, entailer)
        statements = seed_statements(assistant, verifier)
        fingerprint = assistant.reader_fingerprint
    if wice is not None:
        pages = list(wice_documents(wice))
        with closing(Index(index_dir / "wice", encoder=load_settings().encoder)) as index:
            index.sync([document for _, document in pages])
            for data, document in pages:
                statements.append(wice_statement(data, Verifier(index, [document.id], entailer)))
    return fingerprint, statements


def write_rule(file: Path, model: str, rule: Rule, provenance: Mapping[str, Any]) -> None:
    """Write a rule by the model's fingerprint (or `none`), keeping what else the file holds."""
    known: dict[str, Any] = json.loads(file.read_text())["models"] if file.exists() else {}
    known[model] = {**asdict(rule), "provenance": dict(provenance)}
    file.write_text(json.dumps({"models": known}, indent=2, sort_keys=True) + "\n")
