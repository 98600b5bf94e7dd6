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

from assistant import Settings
from assistant.calibration import Logistic
from assistant.retrieval.evidence import Evidence
from evals.datasets.gold import Gold, GoldFinder, TextSpan
from evals.datasets.models import Question, QuestionSet
from evals.running.runner import Bars, opened
from index import Hit, Sentence
from index.errors import QuestionSetError

# The features' meaning is told by `assistant.retrieval.evidence.gather`.
SENTENCE_FEATURES = tuple(
    "cosine cosine_gap terms terms_before terms_after score_gap first".split()
)
#: Few: more of them fitted these sets a little better and others worse.
ANSWER_FEATURES = ("score", "cosine")
#: Those that there are besides, and instead, where there is a reading model.
READER_SENTENCE_FEATURES = tuple("logit reader_probability logit_gap paragraph_logit lacks".split())
READER_ANSWER_FEATURES = ("cosine", "paragraph_logit", "lacks")
#: Of the cross-validation, and the seed that shuffles it. Not tuned.
FOLDS, SEED = 5, 0


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question of a set, its gold, and what was found for it."""

    set: str
    question: Question
    gold: Gold
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class FittedCalibration:
    """The numbers of one way of working, and how well they do by cross-validation."""

    sentence: Logistic
    answer: Logistic
    threshold: float
    provenance: dict[str, Any]


def calibrate(
    sets: Sequence[QuestionSet],
    sources: Sequence[Path],
    settings: Settings,
    sentence_sets: Sequence[str],
    threshold_sets: Sequence[str],
    progress: Bars,
) -> tuple[str, FittedCalibration]:
    """Ask the questions of the sets and fit the reader in use on what is found.

    Args:
        sets: the sets.
        sources: documents, for sets without any; the shipped one when there are none.
        settings: of the assistant.
        sentence_sets: names of the sets that the sentences are fitted on; all when there are none.
        threshold_sets: names of the sets that the threshold is chosen on, likewise.
        progress: given a set's name, opens its bars.

    Returns:
        The reader's fingerprint (or `none`) and the fit.

    Raises:
        QuestionSetError: a name is of no set, or there is too little to fit on.
        FootnoteError: as `Assistant.open`.
    """
    names = sorted(own.name for own in sets)
    if unknown := {*sentence_sets, *threshold_sets} - {*names}:
        raise QuestionSetError(
            f"There is no set {', '.join(sorted(unknown))}; there are {', '.join(names)}."
        )
    sentence_sets, threshold_sets = sentence_sets or names, threshold_sets or names
    check_sets(sets, sentence_sets, threshold_sets)
    asked: list[AskedQuestion] = []
    fingerprint = "none"
    for own in sets:
        with (
            progress(own.name) as (indexing, asking),
            opened(own, sources, settings, indexing) as assistant,
        ):
            fingerprint = assistant.reader_fingerprint
            finder = GoldFinder(own, assistant.documents)
            for done, question in enumerate(own.questions):
                asking(done, len(own.questions))
                gold = finder.find(question)
                evidence = assistant.evidence(question.question, question.history)
                asked.append(AskedQuestion(own.name, question, gold, evidence))
    with_reader = settings.reader != "none"
    return fingerprint, fit_calibration(asked, with_reader, sentence_sets, threshold_sets)


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


def fit_calibration(
    asked: Sequence[AskedQuestion],
    with_reader: bool,
    sentence_sets: Sequence[str],
    threshold_sets: Sequence[str],
) -> FittedCalibration:
    """Fit both regressions and the threshold.

    Args:
        asked: of all sets.
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
    for own in asked:
        candidates = own.evidence.candidates
        evidence = [_is_evidence(own.gold, c.hit, c.sentence) for c in candidates]
        if own.set in sentence_sets and any(evidence):
            rows += [candidate.features for candidate in candidates]
            labels += evidence
            sets += [own.set] * len(evidence)
    if not labels:
        raise QuestionSetError(
            f"No evidence of {', '.join(sentence_sets)} is among the sentences that were found, so "
            "that nothing tells which are. Give sets whose evidence is quoted to the sentence."
        )
    sentence, _ = _regress(_matrix(rows, sentence_features), labels, sets, sentence_features)
    matrix = _matrix([own.evidence.features for own in asked], answer_features)
    truth = np.array([own.question.answerable for own in asked])
    sets = [own.set for own in asked]
    answer, answer_model = _regress(matrix, truth, sets, answer_features)
    out_of_fold = cross_val_predict(
        answer_model,
        matrix,
        truth,
        cv=StratifiedKFold(FOLDS, shuffle=True, random_state=SEED),
        method="predict_proba",
        params={"sample_weight": _weights(sets)},
    )[:, 1]
    chosen = np.isin(sets, list(threshold_sets))
    threshold = _youden(truth[chosen], out_of_fold[chosen])
    told = {}
    for name in dict.fromkeys(sets):
        inside = np.array(sets) == name
        shares = _shares(truth[inside], out_of_fold[inside], threshold)
        told[name] = {"questions": int(inside.sum()), **shares}
    provenance: dict[str, Any] = {
        "fitted": datetime.now(UTC).date().isoformat(),
        "sets": told,
        "sentence_sets": list(sentence_sets),
        "threshold_sets": list(threshold_sets),
    }
    return FittedCalibration(sentence, answer, threshold, provenance)


def write_calibration(file: Path, reader: str, fitted: FittedCalibration) -> None:
    """Write the fit of a reader, by its fingerprint or `none`, keeping what else the file holds."""
    known: dict[str, Any] = json.loads(file.read_text())["readers"] if file.exists() else {}
    known[reader] = asdict(fitted)
    file.write_text(json.dumps({"readers": known}, indent=2, sort_keys=True) + "\n")


def _is_evidence(gold: Gold, hit: Hit, sentence: Sentence) -> bool:
    own = TextSpan(hit.paragraph.document_id, sentence.start, sentence.end)
    return gold.sentences and own.overlaps_any(gold.spans)


def _regress(
    matrix: NDArray[np.float64],
    labels: Sequence[bool] | NDArray[np.bool_],
    sets: Sequence[str],
    features: Sequence[str],
) -> tuple[Logistic, LogisticRegression]:
    """The regression, also as it is written: with its numbers rounded to four digits."""
    model = LogisticRegression(C=1.0, max_iter=5000)  # scikit-learn's own C; not tuned
    model.fit(matrix, np.array(labels), sample_weight=_weights(sets))
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


def _shares(
    truth: NDArray[np.bool_], probability: NDArray[np.float64], threshold: float
) -> dict[str, float]:
    """What is refused of the answerable and of the unanswerable questions, and the AUROC; each
    where there are such questions."""
    shares = {}
    if truth.any():
        shares["refused_answerable"] = float((probability[truth] < threshold).mean())
    if not truth.all():
        shares["refused_unanswerable"] = float((probability[~truth] < threshold).mean())
    if len(shares) == 2:
        shares["auroc"] = float(roc_auc_score(truth, probability))
    return {name: round(value, 4) for name, value in shares.items()}
