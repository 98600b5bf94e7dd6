"""Fits the numbers that the assistant decides by (see `assistant.calibration`), for the reader in
use and for none: `python -m evals.fitting.calibration SETS... --output FILE`. What is in use is
told by the settings, such as FOOTNOTE_ENCODER and FOOTNOTE_READER.

For each of these, on question sets that all weigh the same, whatever their size:

- what reading adds to a paragraph's score: a logistic regression on the differences between the
  relevant paragraphs of a question and the others that were read (a pairwise conditional logit;
  McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), scaled so that the
  score of the search weighs 1;
- whether a sentence is evidence: a logistic regression over the sentences of answerable questions;
- whether the answer that would be given is right, by the evidence that it cites (which no answer
  to an unanswerable question is): a logistic regression over the questions;
- `answer_from`: the least confidence from which PRECISION of the answers are right;
- whether the documents answer at all: another one over the same;
- `refuse_below`: the highest probability of that below which REFUSED_RIGHTLY of the questions are
  unanswerable.

Both thresholds are chosen on confidences that were cross-validated by set: a set's are those of a
regression that was fitted on the others. The figures of a set are by numbers, thresholds included,
that were fitted on the other sets alone. Of a single set folds take the place of sets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut, StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight

from assistant import Settings
from assistant.answering.decision import weigh
from assistant.answering.quoting import PASSAGES, Quotation, quote, top_passages
from assistant.calibration import (
    ANSWER_FEATURES,
    READER_ANSWER_FEATURES,
    READER_SENTENCE_FEATURES,
    SENTENCE_FEATURES,
    Calibration,
    Logistic,
    Thresholds,
)
from assistant.retrieval.evidence import Evidence, RawEvidence, evidence_of
from assistant.retrieval.reading_model import NONE
from assistant.retrieval.reranker import reading_features
from assistant.settings import load_settings
from evals.datasets.gold import Gold, GoldFinder, TextSpan
from evals.datasets.loader import read_sets
from evals.datasets.models import Question, QuestionSet
from evals.metrics.metrics import all_figures
from evals.metrics.statistics import Figure
from evals.running.records import DEPTH, Cited, Record, best_of_units, of_question
from evals.running.runner import assistant_for, open_set, with_documents
from index.errors import QuestionSetError

RANKING_FEATURES = ("best_sentence", "paragraph")
#: The share of answers that are to be right, of refusals that are to be of unanswerable questions,
#: and how many of either there have to be for their share to tell.
PRECISION, REFUSED_RIGHTLY, MIN_CASES = 0.85, 0.9, 10
#: Of the cross-validation of a single set, and the seed that shuffles it. Not tuned.
FOLDS, SEED = 5, 0


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question of a set, its gold, and what was found and read for it.

    Attributes:
        set: the set's name.
        units: the unit of each paragraph that was found, by the paragraph's id.
    """

    set: str
    question: Question
    gold: Gold
    raw: RawEvidence
    units: Mapping[str, str]


def main(
    sets: list[Path],
    output: Annotated[Path, typer.Option()],
    source: list[Path] | None = None,
) -> None:
    """Fit the numbers, and print how numbers fitted on the other sets do on each set.

    Args:
        sets: question sets.
        output: file to write, which FOOTNOTE_CALIBRATION takes.
        source: documents for sets without any; the shipped one when there are none.
    """
    read = read_sets(sets)
    check_sets(read)
    # The calibration in use may be of another version.
    settings = load_settings().model_copy(update={"calibration": None})
    entries = {}
    for reader in dict.fromkeys((settings.reader, NONE)):
        own_settings = settings.model_copy(update={"reader": reader})
        name, asked = ask_sets(read, source or [], own_settings)
        numbers, left_out = fit_calibration(asked, settings.max_sentences)
        told = {}
        for of in ("all", *dict.fromkeys(record.set for record in left_out)):
            records = [record for record in left_out if of in ("all", record.set)]
            figures = all_figures(records)
            show(f"{of}, left out, reader {name}:", figures)
            values = {n: round(f.value, 4) for n, f in figures.items() if f.value is not None}
            told[of] = {"questions": len(records), **values}
        provenance = {"fitted": datetime.now(UTC).date().isoformat(), "left_out": told}
        entries[name] = {**asdict(numbers), "provenance": provenance}
    output.write_text(json.dumps({"readers": entries}, indent=2, sort_keys=True) + "\n")


def check_sets(sets: Sequence[QuestionSet]) -> None:
    """Refuse early what cannot be fitted.

    Raises:
        QuestionSetError: a set has too few questions of a kind.
    """
    for questions in sets:
        given = [question.answerable for question in questions.questions]
        for kind, found in (("answerable", sum(given)), ("unanswerable", given.count(False))):
            if found < FOLDS:
                raise QuestionSetError(
                    f"{questions.name}: too few {kind} questions: {found}. Fitting takes {FOLDS} "
                    "or more of each kind in each set. Add some, or join small sets in one file."
                )


def ask_sets(
    sets: Sequence[QuestionSet], sources: Sequence[Path], settings: Settings
) -> tuple[str, list[AskedQuestion]]:
    """Return the fingerprint of the reader, and what is found and read for each question."""
    asked: list[AskedQuestion] = []
    fingerprint = NONE
    for questions in sets:
        with open_set(questions, sources, settings) as assistant:
            fingerprint = assistant.reader_fingerprint
            questions = with_documents(questions, assistant.documents)
            finder = GoldFinder(questions, assistant.documents)
            for question in questions.questions:
                on = assistant_for(assistant, finder, question)
                raw = on.read(question.question, question.history)
                found = [*raw.found.hits, *(raw.carried.found.hits if raw.carried else ())]
                units = {hit.paragraph.id: finder.unit(hit.paragraph) for hit in found}
                gold = finder.find(question)
                asked.append(AskedQuestion(questions.name, question, gold, raw, units))
    return fingerprint, asked


def splits(asked: Sequence[AskedQuestion]) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Positions to fit on, and to leave out: each set in turn, or a fold of the only one."""
    sets = [case.set for case in asked]
    if len(set(sets)) > 1:
        return list(LeaveOneGroupOut().split(sets, groups=sets))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    return list(folds.split(sets, [case.question.answerable for case in asked]))


def fit_calibration(asked: Sequence[AskedQuestion], most: int) -> tuple[Calibration, list[Record]]:
    """Fit on all questions, and to tell of those of each set, on those of the others.

    Args:
        asked: questions of all sets; those without readings are fitted as without a reader.
        most: sentences of an answer at most.

    Returns:
        The calibration fitted on all sets, and a record of each question, decided by numbers
        fitted without its set.

    Raises:
        QuestionSetError: no evidence was found for any question.
    """
    left_out: dict[int, Record] = {}
    for outside, inside in splits(asked):
        numbers = fit_numbers([asked[n] for n in outside], most)
        for n in inside.tolist():
            evidence = evidence_of(asked[n].raw, numbers.ranking)
            left_out[n] = decided(asked[n], evidence, numbers, most)
    return fit_numbers(asked, most), [left_out[n] for n in range(len(asked))]


def fit_numbers(asked: Sequence[AskedQuestion], most: int) -> Calibration:
    """Fit everything on these questions, the thresholds by cross-validation."""
    reads = any(case.raw.readings for case in asked)
    ranking = fit_ranking(asked) if reads else {}
    evidence = [evidence_of(case.raw, ranking) for case in asked]
    sentence = _fit_sentence(asked, evidence, reads)
    # Which sentences are quoted does not depend on how sure it is that they are right.
    none = Logistic({}, 0.0)
    every = Calibration(ranking, sentence, none, none, Thresholds(0.0, 0.0))
    records = [
        decided(case, found, every, most) for case, found in zip(asked, evidence, strict=True)
    ]
    right = np.array([bool(record.right_if_answered) for record in records])
    answerable = np.array([record.answerable for record in records])
    rows, sets = [own.features for own in evidence], np.array([case.set for case in asked])
    features = ANSWER_FEATURES + (READER_ANSWER_FEATURES if reads else ())

    def fit_answer(truth: NDArray[np.bool_], chosen: NDArray[np.intp]) -> Logistic:
        """Whether the answer is right, or there is one at all; sets count the same."""
        each = compute_sample_weight("balanced", sets[chosen])
        return fit_logistic([rows[n] for n in chosen], truth[chosen], each, features, scaled=True)

    sure = np.zeros((2, len(asked)))
    for outside, inside in splits(asked):
        for probabilities, truth in zip(sure, (right, answerable), strict=True):
            model = fit_answer(truth, outside)
            probabilities[inside] = [evidence[n].probability(model) for n in inside]
    everyone = np.arange(len(asked))
    return Calibration(
        ranking,
        sentence,
        fit_answer(right, everyone),
        fit_answer(answerable, everyone),
        choose_thresholds(right, answerable, *sure),
    )


def fit_ranking(asked: Sequence[AskedQuestion]) -> dict[str, float]:
    """The weights of `reading_features` beside a score that weighs 1, by pairs of paragraphs that
    were read for a question; 0 each where no question has a relevant and another one."""
    pairs, sets = list[NDArray[np.float64]](), list[str]()
    for case in asked:
        read: dict[bool, list[list[float]]] = {True: [], False: []}
        for hit, reading in zip(case.raw.found.hits, case.raw.readings, strict=False):
            told = reading_features(reading)
            is_relevant = case.units[hit.paragraph.id] in case.gold.units
            read[is_relevant].append([hit.score, *(told[name] for name in RANKING_FEATURES)])
        if case.question.answerable and read[True] and read[False]:
            better, worse = np.array(read[True]), np.array(read[False])
            pairs.append((better[:, None] - worse).reshape(-1, better.shape[1]))
            sets.append(case.set)
    if not pairs:
        return dict.fromkeys(RANKING_FEATURES, 0.0)
    matrix, counts = np.vstack(pairs), [len(own) for own in pairs]
    # A question counts once, and all sets the same.
    weights = np.repeat(compute_sample_weight("balanced", sets) / counts, counts)
    weights *= len(matrix) / len(pairs)
    # Each pair both ways, so that the better one is the first in one half of them.
    model: Any = LogisticRegression(fit_intercept=False, max_iter=5000)
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
    right: NDArray[np.bool_],
    answerable: NDArray[np.bool_],
    sure_right: NDArray[np.float64],
    sure_answerable: NDArray[np.float64],
) -> Thresholds:
    """See the module. Where no probability is enough, nothing is answered; where none is so low,
    nothing is refused.

    Args:
        right: whether the answer to each question is right, or would be.
        answerable: whether each question is.
        sure_right, sure_answerable: the probabilities of that, cross-validated.
    """

    def suffices(good: NDArray[np.bool_], share: float) -> bool:
        return len(good) >= MIN_CASES and bool(good.mean() >= share)

    answered = [p for p in sure_right if suffices(right[sure_right >= p], PRECISION)]
    unanswered = ~answerable
    refused = [
        p for p in sure_answerable if suffices(unanswered[sure_answerable <= p], REFUSED_RIGHTLY)
    ]
    # Not above the first that is answered, and above the last that is refused.
    answer_from = round(float(min(answered)) - 0.0005, 3) if answered else 1.0
    refuse_below = round(float(max(refused)) + 0.0005, 3) if refused else 0.0
    return Thresholds(min(refuse_below, answer_from), answer_from)


def _fit_sentence(
    asked: Sequence[AskedQuestion], evidence: Sequence[Evidence], reads: bool
) -> Logistic:
    """Whether a sentence is evidence. A question whose evidence is not among its candidates, or not
    told to the sentence, says nothing of sentences and is left out."""
    features = SENTENCE_FEATURES + (READER_SENTENCE_FEATURES if reads else ())
    rows, labels, sets = list[Mapping[str, float]](), list[bool](), list[str]()
    for case, gathered in zip(asked, evidence, strict=True):
        places = [
            TextSpan(one.hit.paragraph.document_id, one.sentence.start, one.sentence.end)
            for one in gathered.candidates
        ]
        right = [place.overlaps_any(case.gold.spans) for place in places]
        if case.gold.sentences and any(right):
            rows += [candidate.features for candidate in gathered.candidates]
            labels += right
            sets += [case.set] * len(right)
    if not labels:
        raise QuestionSetError(
            "No evidence is among the sentences that were found, so that nothing tells which are. "
            "Give sets whose evidence is quoted to the sentence."
        )
    each = compute_sample_weight("balanced", sets)
    return fit_logistic(rows, labels, each, features, scaled=True)


def decided(case: AskedQuestion, evidence: Evidence, numbers: Calibration, most: int) -> Record:
    """Decide about a question by a calibration.

    Args:
        case: the question.
        evidence: of it, ranked by the calibration's weights.
        numbers: the calibration, with the thresholds.
        most: sentences of an answer at most.

    Returns:
        The record as `footnote eval` keeps it, without the text of the answer.
    """
    evidence = evidence.scored(numbers.sentence)
    decision = weigh(evidence, numbers, numbers.thresholds, most)
    page = top_passages(evidence, PASSAGES) if decision.status == "unsure" else ()
    forced = None
    if decision.status != "answered":
        every = numbers.thresholds.adjusted(None, 0.0)
        forced = _cited(quote(weigh(evidence, numbers, every, most).chosen))
    return Record(
        set=case.set,
        **of_question(case.question),
        gold=case.gold,
        retrieved=best_of_units(evidence.hits, lambda paragraph: case.units[paragraph.id], DEPTH),
        status=decision.status,
        confidence=decision.confidence,
        sentences=(),
        citations=_cited(page or quote(decision.chosen)),
        forced=forced,
    )


def _cited(quotations: Sequence[Quotation]) -> tuple[Cited, ...]:
    """Each place that a quotation cites, once."""
    quoted = [(q.paragraph.document_id, q.start, q.end) for q in quotations]
    return tuple(Cited(*place, valid=True) for place in dict.fromkeys(quoted))


def fit_logistic(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[bool] | NDArray[np.bool_],
    each: NDArray[np.float64],
    features: Sequence[str],
    *,
    scaled: bool,
) -> Logistic:
    """Fit a logistic regression as they are kept: weights by name, all numbers rounded to four
    digits.

    Args:
        rows: the features of each case, by name.
        labels: whether each case is positive.
        each: how much each case weighs.
        features: those to use.
        scaled: bring them to one scale first. It is then found in a tenth of the steps; left as
            they are, the penalty holds back most the weight of what varies least, the cosine.
    """
    matrix = np.array([[row[name] for name in features] for row in rows], dtype=np.float64)
    mean, spread = np.zeros(len(features)), np.ones(len(features))
    if scaled:
        mean, spread = matrix.mean(axis=0), matrix.std(axis=0)
        spread[spread == 0] = 1.0
    model: Any = LogisticRegression(C=1.0, max_iter=5000)  # scikit-learn's own C; not tuned
    model.fit((matrix - mean) / spread, labels, sample_weight=each)
    weights = model.coef_[0] / spread
    named = {name: round(float(w), 4) for name, w in zip(features, weights, strict=True)}
    return Logistic(named, round(float(model.intercept_[0] - weights @ mean), 4))


def show(title: str, figures: Mapping[str, Figure]) -> None:
    """Print figures with their intervals and counts, except those that nothing applies to."""
    typer.echo(f"\n{title}")
    for name, own in figures.items():
        if own.value is not None:
            interval = "" if own.low is None else f" ({own.low:.3f} to {own.high:.3f})"
            typer.echo(f"  {own.value:.3f}{interval} of {own.n:,}: {name}")


if __name__ == "__main__":
    typer.run(main)
