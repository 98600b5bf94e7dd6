"""Fits the probabilities that the assistant decides by (see `assistant.calibration`).

Two logistic regressions, fitted on question sets with equal weight a set: whether a sentence is
evidence, over the sentences of answerable questions; and whether the documents answer, over all
questions. The threshold of refusal is the one that maximises recall of unanswerable questions minus
the share of answerable ones refused (Youden's J) on the sets named for it, by out-of-fold
probabilities; where several do as well but for chance, the median of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from assistant.calibration import Logistic
from assistant.retrieval.evidence import Evidence
from evals.datasets.gold import Gold, Place
from evals.datasets.models import Question, QuestionSet
from index import Hit, Sentence
from index.errors import QuestionSetError

SENTENCE_FEATURES = (
    "cosine",
    "cosine_gap",
    "terms",
    "terms_before",
    "terms_after",
    "score_gap",
    "first",
)
# Few: more of them fitted these sets a little better and others worse.
ANSWER_FEATURES = ("score", "cosine")
READER_SENTENCE_FEATURES = (
    "logit",
    "reader_probability",
    "logit_gap",
    "paragraph_logit",
    "lacks",
)
READER_ANSWER_FEATURES = ("cosine", "paragraph_logit", "lacks")
FOLDS = 5
SEED = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A question of a set, its gold, and what was found for it."""

    set: str
    question: Question
    gold: Gold
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Fit:
    """The numbers of one way of working, and how well they do by cross-validation."""

    sentence: Logistic
    answer: Logistic
    threshold: float
    provenance: dict[str, Any]

    def entry(self) -> dict[str, Any]:
        """The fit as it stands in the file."""
        return asdict(self)


def check_sets(
    sets: Sequence[QuestionSet], sentence_sets: Sequence[str], threshold_sets: Sequence[str]
) -> None:
    """Refuse early what cannot be fitted.

    Raises:
        QuestionSetError: there are too few questions of a kind; says of which.
    """

    def count(names: Sequence[str], answerable: bool) -> int:
        asked = [question for own in sets if own.name in names for question in own.questions]
        return sum(question.answerable == answerable for question in asked)

    names = [own.name for own in sets]
    for answerable, kind in ((True, "answerable"), (False, "unanswerable")):
        if (found := count(names, answerable)) < FOLDS:
            raise QuestionSetError(
                f"Too few {kind} questions: {found}. Fitting takes {FOLDS} or more of each kind. "
                "Give more sets, or a larger --limit."
            )
        if not count(threshold_sets, answerable):
            raise QuestionSetError(
                f"No question of {', '.join(threshold_sets)} is {kind}, so that no threshold can "
                "be chosen there. Name another set with --threshold-on."
            )
    if not count(sentence_sets, answerable=True):
        raise QuestionSetError(
            f"No question of {', '.join(sentence_sets)} is answerable, so that nothing tells which "
            "sentences are evidence. Name another set with --sentences-on."
        )


def fit(
    cases: Sequence[Case],
    with_reader: bool,
    sentence_sets: Sequence[str],
    threshold_sets: Sequence[str],
) -> Fit:
    """Fit both regressions and the threshold.

    Args:
        cases: of all sets.
        with_reader: whether the reader's features are there.
        sentence_sets: names of the sets that the sentences are fitted on. A question whose evidence
            is not among its candidates says nothing of sentences and is left out.
        threshold_sets: names of the sets that the threshold is chosen on.

    Raises:
        QuestionSetError: of no question was any evidence found.
    """
    sentence_features = SENTENCE_FEATURES + (READER_SENTENCE_FEATURES if with_reader else ())
    answer_features = READER_ANSWER_FEATURES if with_reader else ANSWER_FEATURES
    rows, labels, sets = [], [], []
    for case in cases:
        if case.set not in sentence_sets:
            continue
        own = [
            _is_evidence(case.gold, candidate.hit, candidate.sentence)
            for candidate in case.evidence.candidates
        ]
        if any(own):
            rows += [candidate.features for candidate in case.evidence.candidates]
            labels += own
            sets += [case.set] * len(own)
    if not labels:
        raise QuestionSetError(
            f"No evidence of {', '.join(sentence_sets)} is among the sentences that were found, so "
            "that nothing tells which are. Give sets whose evidence is quoted to the sentence."
        )
    sentence, _ = _regress(rows, labels, sets, sentence_features)
    rows = [case.evidence.features for case in cases]
    labels = [case.question.answerable for case in cases]
    sets = [case.set for case in cases]
    answer, answer_model = _regress(rows, labels, sets, answer_features)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    matrix, weights = _matrix(rows, answer_features), _weights(sets)
    out_of_fold = cross_val_predict(
        answer_model,
        matrix,
        np.array(labels),
        cv=folds,
        method="predict_proba",
        params={"sample_weight": weights},
    )[:, 1]
    chosen = np.isin(sets, list(threshold_sets))
    threshold = _youden(np.array(labels)[chosen], out_of_fold[chosen])
    provenance: dict[str, Any] = {
        "fitted": datetime.now(UTC).date().isoformat(),
        "sets": {
            name: {
                "questions": int(sum(s == name for s in sets)),
                **_check(np.array(labels), out_of_fold, np.array(sets) == name, threshold),
            }
            for name in dict.fromkeys(sets)
        },
        "sentence_sets": list(sentence_sets),
        "threshold_sets": list(threshold_sets),
    }
    return Fit(sentence, answer, threshold, provenance)


def write(file: Path, fits: Mapping[str, Fit]) -> None:
    """Write the fits by reader fingerprint (or `none`), keeping what else the file holds."""
    known: dict[str, Any] = json.loads(file.read_text())["readers"] if file.exists() else {}
    known.update({reader: fit.entry() for reader, fit in fits.items()})
    file.write_text(json.dumps({"readers": known}, indent=2, sort_keys=True) + "\n")


def _is_evidence(gold: Gold, hit: Hit, sentence: Sentence) -> bool:
    own = Place(hit.paragraph.document_id, sentence.start, sentence.end)
    return gold.sentences and any(own.overlaps(p) for item in gold.evidence for p in item)


def _regress(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool],
    sets: Sequence[str],
    features: Sequence[str],
) -> tuple[Logistic, LogisticRegression]:
    matrix, weights = _matrix(rows, features), _weights(sets)
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit(matrix, np.array(labels), sample_weight=weights)
    named = {name: round(float(w), 4) for name, w in zip(features, model.coef_[0], strict=True)}
    return Logistic(named, round(float(model.intercept_[0]), 4)), model


def _matrix(rows: Sequence[Mapping[str, float]], features: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[row[name] for name in features] for row in rows], dtype=np.float64)


def _weights(sets: Sequence[str]) -> NDArray[np.float64]:
    """Weights that let every set count the same, whatever its size."""
    names, counts = np.unique(sets, return_counts=True)
    of = dict(zip(names, len(sets) / (len(names) * counts), strict=True))
    return np.array([of[name] for name in sets])


def _youden(truth: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
    """The threshold with the most of Youden's J (unanswerable questions refused less answerable
    ones refused): the median of all that come within one question of the most, for which of them
    has it is chance."""
    cuts = np.unique(probability)
    gains = np.array(
        [(probability[~truth] < cut).mean() - (probability[truth] < cut).mean() for cut in cuts]
    )
    question = 1 / min(truth.sum(), (~truth).sum())
    return round(float(np.median(cuts[gains >= gains.max() - question])), 3)


def _check(
    truth: NDArray[np.bool_],
    probability: NDArray[np.float64],
    inside: NDArray[np.bool_],
    threshold: float,
) -> dict[str, float]:
    truth, probability = truth[inside], probability[inside]
    figures = {}
    if truth.any():
        figures["refused_answerable"] = float((probability[truth] < threshold).mean())
    if not truth.all():
        figures["refused_unanswerable"] = float((probability[~truth] < threshold).mean())
    if len(figures) == 2:
        figures["auroc"] = float(roc_auc_score(truth, probability))
    return {name: round(value, 4) for name, value in figures.items()}
