"""Fits the numbers that the assistant decides by (see `assistant.calibration`).

For each way of working, on question sets that all weigh the same, whatever their size:

- what reading adds to a paragraph's score: a logistic regression on the differences between the
  relevant paragraphs of a question and the others that were read (a pairwise conditional logit;
  McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), scaled so that the
  score of the search weighs 1;
- whether a sentence is evidence: a logistic regression over the sentences of answerable questions;
- whether the documents answer: a logistic regression over the questions of those sets that have
  both kinds, for one that has only answerable ones does not tell what sets them apart;
- `refuse_below`: the confidence below which REFUSED of the answerable questions lie;
- `answer_from`: the confidence that parts answerable questions from unanswerable ones best, by the
  share of unanswerable ones below it less that of answerable ones (Youden's J).

Both thresholds are chosen on confidences that were cross-validated by set: a set's are those of a
regression that was fitted on the others. What is told of a set was made with numbers, thresholds
included, that were fitted on the other sets alone. Of a single set folds take the place of sets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight

from assistant import Settings
from assistant.calibration import (
    READER_SENTENCE_FEATURES,
    SENTENCE_FEATURES,
    Calibration,
    Logistic,
    Thresholds,
)
from assistant.retrieval.evidence import Evidence, evidence_of
from assistant.retrieval.reading_model import NONE
from assistant.retrieval.reranker import reading_features
from evals.datasets.gold import GoldFinder
from evals.datasets.models import QuestionSet
from evals.fitting.regression import fit_logistic
from evals.fitting.validation import (
    AskedQuestion,
    Decided,
    decided,
    is_evidence,
    set_figures,
)
from evals.running.runner import Bars, assistant_for, open_set, with_documents
from index.errors import QuestionSetError

RANKING_FEATURES = ("best_sentence", "paragraph")
#: Few: on sets that were left out, the score, the best sentence's logit or the terms besides made
#: the AUROC worse or left it as it was; leaving the cosine out cost .01 on two sets of five.
ANSWER_FEATURES = ("score", "cosine")
#: Those instead, where there is a reading model. It is less sure of a long paragraph, of which its
#: answer is a small part; without the length what it says of an essay and of house rules does not
#: compare (left out: evidence cited .68 and .71 there, .85 and .70 with it; in the mean of eight
#: sets .63 and .66, with .24 and .26 of the unanswerable questions answered).
READER_ANSWER_FEATURES = ("cosine", "paragraph_logit", "length")
#: The share of the answerable questions that may be refused; the others below `answer_from` are
#: shown what comes closest. With .10 more of the unanswerable ones are refused (.54 for .40 in the
#: mean of five sets that were left out), and twice as many of the answerable ones (.07 for .03).
REFUSED = 0.05
#: Of the cross-validation of a single set, and the seed that shuffles it. Not tuned.
FOLDS, SEED = 5, 0


@dataclass(frozen=True, slots=True)
class FittedCalibration:
    """The numbers of one way of working, and what they decide where they were not fitted.

    Attributes:
        calibration: fitted on all sets.
        left_out: of each question, what is decided by numbers fitted without its set.
    """

    calibration: Calibration
    left_out: tuple[Decided, ...]

    def to_dict(self) -> dict[str, Any]:
        """As `calibration.json` keeps it, with where it comes from."""
        told = {}
        for name in dict.fromkeys(own.record.set for own in self.left_out):
            own = [one for one in self.left_out if one.record.set == name]
            shown = {n: f.value for n, f in set_figures(own).items()}
            rounded = {n: round(value, 4) for n, value in shown.items() if value is not None}
            told[name] = {"questions": len(own), **rounded}
        provenance = {"fitted": datetime.now(UTC).date().isoformat(), "left_out": told}
        return {**asdict(self.calibration), "provenance": provenance}


def calibrate(
    sets: Sequence[QuestionSet], sources: Sequence[Path], settings: Settings, progress: Bars
) -> dict[str, FittedCalibration]:
    """Ask the questions of the sets and fit the reader in use, and the assistant without a reader,
    on what is found.

    Args:
        sets: the sets.
        sources: documents, for sets without any; the shipped one when there are none.
        settings: of the assistant.
        progress: given a set's name, opens its bars.

    Returns:
        The fits, by the reader's fingerprint and `none`.

    Raises:
        QuestionSetError: there is too little to fit on.
        FootnoteError: as `Assistant.open`.
    """
    check_sets(sets)
    reader, asked = ask_sets(sets, sources, settings, progress)
    most = settings.max_sentences
    fitted = {NONE: fit_calibration([own.unread() for own in asked], most)}
    return fitted if reader == NONE else {reader: fit_calibration(asked, most), **fitted}


def ask_sets(
    sets: Sequence[QuestionSet], sources: Sequence[Path], settings: Settings, progress: Bars
) -> tuple[str, list[AskedQuestion]]:
    """What is found and read for each question, and the fingerprint of what read it."""
    asked: list[AskedQuestion] = []
    fingerprint = NONE
    for own in sets:
        with (
            progress(own.name) as (indexing, asking),
            open_set(own, sources, settings, indexing) as assistant,
        ):
            fingerprint = assistant.reader_fingerprint
            own = with_documents(own, assistant.documents)
            finder = GoldFinder(own, assistant.documents)
            for done, question in enumerate(own.questions):
                asking(done, len(own.questions))
                on = assistant_for(assistant, finder, question)
                raw = on.read(question.question, question.history)
                found = [*raw.found.hits, *(raw.carried.found.hits if raw.carried else ())]
                units = {hit.paragraph.id: finder.unit(hit.paragraph) for hit in found}
                asked.append(AskedQuestion(own.name, question, finder.find(question), raw, units))
    return fingerprint, asked


def check_sets(sets: Sequence[QuestionSet]) -> None:
    """Refuse early what cannot be fitted.

    Raises:
        QuestionSetError: there are too few questions of a kind; says of which.
    """
    asked = [question for own in sets for question in own.questions]
    for answerable, kind in ((True, "answerable"), (False, "unanswerable")):
        if (found := sum(q.answerable == answerable for q in asked)) < FOLDS:
            raise QuestionSetError(
                f"Too few {kind} questions: {found}. Fitting takes {FOLDS} or more of each kind. "
                "Give more sets, or a larger --limit."
            )


def fit_calibration(asked: Sequence[AskedQuestion], most: int) -> FittedCalibration:
    """Fit on all questions, and for each set, to tell of it, on those of the others.

    Args:
        asked: of all sets; those without readings are fitted as without a reader.
        most: sentences of an answer at most.

    Raises:
        QuestionSetError: of no question was any evidence found.
    """
    left_out: dict[int, Decided] = {}
    for inside in _groups(asked):
        numbers = fit_numbers([own for n, own in enumerate(asked) if n not in inside])
        for n in inside:
            evidence = evidence_of(asked[n].raw, numbers.ranking)
            left_out[n] = decided(asked[n], evidence, numbers, most)
    return FittedCalibration(fit_numbers(asked), tuple(left_out[n] for n in range(len(asked))))


def fit_numbers(asked: Sequence[AskedQuestion]) -> Calibration:
    """Fit everything on these questions, the thresholds by cross-validation.

    Raises:
        QuestionSetError: of no question was any evidence found.
    """
    reads = any(own.raw.readings for own in asked)
    ranking = fit_ranking(asked) if reads else {}
    evidence = [evidence_of(own.raw, ranking) for own in asked]
    use = np.flatnonzero(_with_both(asked)).tolist()
    known, sought = [asked[n] for n in use], [evidence[n] for n in use]
    rows = [own.features for own in sought]
    truth = np.array([own.question.answerable for own in known])
    sets = np.array([own.set for own in known])
    confidence = np.zeros(len(known))
    for inside in _groups(known):
        outside = [n for n in range(len(known)) if n not in inside]
        model = _fit_answer([rows[n] for n in outside], truth[outside], sets[outside], reads)
        for n in inside:
            confidence[n] = sought[n].probability(model)
    return Calibration(
        ranking,
        _fit_sentence(asked, evidence, reads),
        _fit_answer(rows, truth, sets, reads),
        choose_thresholds(truth, confidence, sets),
    )


def fit_ranking(asked: Sequence[AskedQuestion]) -> dict[str, float]:
    """The weights of `reading_features` beside a score that weighs 1, by pairs of paragraphs that
    were read for a question; 0 each where no question has a relevant and another one."""
    rows, sets, parts = list[list[float]](), list[str](), list[float]()
    for own in asked:
        read = [
            (
                own.units[hit.paragraph.id] in own.gold.units,
                [hit.score, *(reading_features(reading)[name] for name in RANKING_FEATURES)],
            )
            for hit, reading in zip(own.raw.found.hits, own.raw.readings, strict=False)
        ]
        pairs = [
            np.subtract(good, other).tolist()
            for is_good, good in read
            for is_right, other in read
            if own.question.answerable and is_good and not is_right
        ]
        rows += pairs
        sets += [own.set] * len(pairs)
        parts += [1 / (len(pairs) or 1)] * len(pairs)  # a question counts once
    if not rows:
        return dict.fromkeys(RANKING_FEATURES, 0.0)
    matrix, weights = np.array(rows), np.array(parts)
    of_set = np.array(sets) == np.unique(sets)[:, None]
    weights *= len(sets) / len(of_set) * (of_set / (of_set @ weights)[:, None]).sum(axis=0)
    # Each pair both ways, so that the better one is the first in one half of them.
    model = LogisticRegression(fit_intercept=False, max_iter=5000)
    model.fit(
        np.vstack([matrix, -matrix]),
        np.repeat([True, False], len(matrix)),
        sample_weight=np.tile(weights, 2),
    )
    score, *others = model.coef_[0]
    # Reading never speaks against a paragraph for being better, nor against the search.
    return {
        name: round(max(0.0, float(weight / max(score, 1e-6))), 4)
        for name, weight in zip(RANKING_FEATURES, others, strict=True)
    }


def choose_thresholds(
    truth: NDArray[np.bool_], confidence: NDArray[np.float64], sets: NDArray[np.str_]
) -> Thresholds:
    """See the module; sets weigh the same, in each kind of question.

    Args:
        truth: whether each question is answerable.
        confidence: of each, cross-validated.
        sets: the set of each.
    """
    cuts = np.unique(confidence)
    # The share of either kind of question below each cut.
    answerable, unanswerable = (
        np.average(
            confidence[own][:, None] < cuts,
            axis=0,
            weights=compute_sample_weight("balanced", sets[own]),
        )
        for own in (truth, ~truth)
    )
    gains = unanswerable - answerable
    # The median of all that come within one question of the most: which has it is chance.
    question = 1 / min(truth.sum(), (~truth).sum())
    answer_from = float(np.median(cuts[gains >= gains.max() - question]))
    refused = cuts[answerable <= REFUSED + 1e-9]  # weights are rounded
    refuse_below = min(float(refused.max()), answer_from)
    return Thresholds(round(refuse_below, 3), round(answer_from, 3))


def write_calibration(file: Path, readers: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the numbers of readers, by fingerprint or `none`, in place of what the file held."""
    file.write_text(json.dumps({"readers": readers}, indent=2, sort_keys=True) + "\n")


def _fit_sentence(
    asked: Sequence[AskedQuestion], evidence: Sequence[Evidence], reads: bool
) -> Logistic:
    """Whether a sentence is evidence. A question whose evidence is not among its candidates, or not
    told to the sentence, says nothing of sentences and is left out."""
    features = SENTENCE_FEATURES + (READER_SENTENCE_FEATURES if reads else ())
    rows, labels, sets = list[Mapping[str, float]](), list[bool](), list[str]()
    for own, gathered in zip(asked, evidence, strict=True):
        right = [is_evidence(own.gold, candidate) for candidate in gathered.candidates]
        if any(right):
            rows += [candidate.features for candidate in gathered.candidates]
            labels += right
            sets += [own.set] * len(right)
    if not labels:
        raise QuestionSetError(
            "No evidence is among the sentences that were found, so that nothing tells which are. "
            "Give sets whose evidence is quoted to the sentence."
        )
    each = compute_sample_weight("balanced", sets)
    return fit_logistic(rows, labels, each, features, scaled=True)


def _fit_answer(
    rows: Sequence[Mapping[str, float]],
    truth: NDArray[np.bool_],
    sets: NDArray[np.str_],
    reads: bool,
) -> Logistic:
    """Whether the documents answer. The features are not scaled: with the cosine held back the
    AUROC of a set that was left out was .80 in the mean, .79 otherwise (.74 and .72 without a
    reader), for how similar a question is to its answer depends on who asks it of what."""
    features = READER_ANSWER_FEATURES if reads else ANSWER_FEATURES
    # Sets count the same, whatever their size.
    return fit_logistic(rows, truth, compute_sample_weight("balanced", sets), features)


def _with_both(asked: Sequence[AskedQuestion]) -> list[bool]:
    """Which questions are of sets with both kinds of question; all, if no set has both."""
    kinds = {(own.set, own.question.answerable) for own in asked}
    both = {name for name, kind in kinds if (name, not kind) in kinds}
    return [own.set in both or not both for own in asked]


def _groups(asked: Sequence[AskedQuestion]) -> Iterator[frozenset[int]]:
    """Which questions are left out together: those of a set, where without it another one is left
    that has both kinds, and one that tells evidence to the sentence; otherwise those of a fold."""
    sets = np.array([own.set for own in asked])
    both = {own.set for own, use in zip(asked, _with_both(asked), strict=True) if use}
    told = {own.set for own in asked if own.gold.sentences}
    if len(both) > 1 and len(told) > 1:
        for name in dict.fromkeys(sets.tolist()):
            yield frozenset(np.flatnonzero(sets == name).tolist())
        return
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    truth = [own.question.answerable for own in asked]
    for _, inside in folds.split(np.zeros(len(asked)), truth):
        yield frozenset(inside.tolist())
