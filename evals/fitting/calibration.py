"""Fits the numbers that the assistant decides by (see `assistant.calibration`), for the reader in
use and for none: `python -m evals.fitting.calibration SETS... --output FILE`.

For each of these, on question sets that all weigh the same, whatever their size:

- what reading adds to a paragraph's score: a logistic regression on the differences between the
  relevant paragraphs of a question and the others that were read (a pairwise conditional logit;
  McFadden, "Conditional logit analysis of qualitative choice behavior", 1974), scaled so that the
  score of the search weighs 1;
- whether a sentence is evidence: a logistic regression over the sentences of answerable questions;
- whether the answer that would be given is right, by the evidence that it cites (which no answer
  to an unanswerable question is): a logistic regression over the questions of those sets that have
  both kinds, for one that has only answerable ones does not tell what sets them apart;
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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.class_weight import compute_sample_weight

from assistant import Settings
from assistant.calibration import (
    ANSWER_FEATURES,
    READER_ANSWER_FEATURES,
    READER_SENTENCE_FEATURES,
    SENTENCE_FEATURES,
    Calibration,
    Logistic,
    Thresholds,
)
from assistant.retrieval.evidence import Evidence, evidence_of
from assistant.retrieval.reading_model import NONE
from assistant.retrieval.reranker import reading_features
from assistant.settings import load_settings
from evals.datasets.gold import GoldFinder
from evals.datasets.loader import read_sets
from evals.datasets.models import QuestionSet
from evals.fitting.validation import (
    AskedQuestion,
    Decided,
    decided,
    fit_logistic,
    is_evidence,
    set_figures,
    show,
)
from evals.running.runner import assistant_for, limited, open_set, with_documents
from index.errors import QuestionSetError

RANKING_FEATURES = ("best_sentence", "paragraph")
#: The share of answers that are to be right, of refusals that are to be of unanswerable questions,
#: and how many of either there have to be for their share to tell.
PRECISION, REFUSED_RIGHTLY, MIN_CASES = 0.85, 0.9, 10
#: Of the cross-validation of a single set, and the seed that shuffles it. Not tuned.
FOLDS, SEED = 5, 0


def main(
    sets: list[Path],
    output: Annotated[Path, typer.Option()],
    source: list[Path] | None = None,
    index_dir: Path | None = None,
    encoder: str | None = None,
    reader: str | None = None,
    limit: int | None = None,
) -> None:
    """Fit the numbers, and print how numbers fitted on the other sets do on each set.

    Args:
        sets: question sets.
        output: file to write, which FOOTNOTE_CALIBRATION takes.
        source: documents for sets without any; the shipped one when there are none.
        index_dir: folder of the indexes.
        encoder: name of the encoder, as in FOOTNOTE_ENCODER.
        reader: name of the reader, as in FOOTNOTE_READER.
        limit: at most this many questions a set, spread over it.
    """
    read = [limited(questions, limit) for questions in read_sets(sets)]
    check_sets(read)
    settings = load_settings(index_dir=index_dir, encoder=encoder, reader=reader)
    # The calibration in use may be of another version.
    settings = settings.model_copy(update={"calibration": None})
    fingerprint, asked = ask_sets(read, source or [], settings)
    entries = {}
    for name, way in ((fingerprint, asked), (NONE, [question.unread() for question in asked])):
        numbers, left_out = fit_calibration(way, settings.max_sentences)
        told = {}
        for of in ("all", *dict.fromkeys(own.record.set for own in left_out)):
            of_set = [own for own in left_out if of in ("all", own.record.set)]
            figures = set_figures(of_set)
            show(f"{of}, left out, reader {name}:", figures)
            values = {n: round(f.value, 4) for n, f in figures.items() if f.value is not None}
            told[of] = {"questions": len(of_set), **values}
        provenance = {"fitted": datetime.now(UTC).date().isoformat(), "left_out": told}
        entries[name] = {**asdict(numbers), "provenance": provenance}
    output.write_text(json.dumps({"readers": entries}, indent=2, sort_keys=True) + "\n")


def ask_sets(
    sets: Sequence[QuestionSet], sources: Sequence[Path], settings: Settings
) -> tuple[str, list[AskedQuestion]]:
    """Ask the questions of the sets.

    Args:
        sets: the sets.
        sources: documents, for sets without any; the shipped one when there are none.
        settings: settings of the assistant.

    Returns:
        The fingerprint of the reader, and what is found and read for each question.
    """
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


def check_sets(sets: Sequence[QuestionSet]) -> None:
    """Refuse early what cannot be fitted.

    Raises:
        QuestionSetError: there are too few questions of a kind; says of which.
    """
    given = [question.answerable for questions in sets for question in questions.questions]
    for kind, found in (("answerable", sum(given)), ("unanswerable", len(given) - sum(given))):
        if found < FOLDS:
            raise QuestionSetError(
                f"Too few {kind} questions: {found}. Fitting takes {FOLDS} or more of each kind. "
                "Give more sets, or a larger --limit."
            )


def fit_calibration(asked: Sequence[AskedQuestion], most: int) -> tuple[Calibration, list[Decided]]:
    """Fit on all questions, and for each set, to tell of it, on those of the others.

    Args:
        asked: questions of all sets; those without readings are fitted as without a reader.
        most: sentences of an answer at most.

    Returns:
        The calibration fitted on all sets, and what is decided about each question by numbers
        fitted without its set.

    Raises:
        QuestionSetError: no evidence was found for any question.
    """
    left_out: dict[int, Decided] = {}
    for inside in _groups(asked):
        numbers = fit_numbers([case for n, case in enumerate(asked) if n not in inside], most)
        for n in inside:
            evidence = evidence_of(asked[n].raw, numbers.ranking)
            left_out[n] = decided(asked[n], evidence, numbers, most)
    return fit_numbers(asked, most), [left_out[n] for n in range(len(asked))]


def fit_numbers(asked: Sequence[AskedQuestion], most: int) -> Calibration:
    """Fit everything on these questions, the thresholds by cross-validation."""
    reads = any(case.raw.readings for case in asked)
    ranking = fit_ranking(asked) if reads else {}
    evidence = [evidence_of(case.raw, ranking) for case in asked]
    sentence = _fit_sentence(asked, evidence, reads)
    use = np.flatnonzero(_with_both(asked)).tolist()
    known, sought = [asked[n] for n in use], [evidence[n] for n in use]
    rows = [case.features for case in sought]
    # Which sentences are quoted does not depend on how sure it is that they are right.
    none = Logistic({}, 0.0)
    every = Calibration(ranking, sentence, none, none, Thresholds(0.0, 0.0))
    answerable = np.array([case.question.answerable for case in known])
    right = np.array(
        [
            bool(decided(case, found, every, most).record.right_if_answered)
            for case, found in zip(known, sought, strict=True)
        ]
    )
    sets = np.array([case.set for case in known])
    features = ANSWER_FEATURES + (READER_ANSWER_FEATURES if reads else ())

    def fit_answer(truth: NDArray[np.bool_], chosen: Sequence[int]) -> Logistic:
        """Whether the answer is right, or there is one at all; sets count the same."""
        each = compute_sample_weight("balanced", sets[chosen])
        return fit_logistic([rows[n] for n in chosen], truth[chosen], each, features, scaled=True)

    everyone = range(len(known))
    sure = np.zeros((2, len(known)))
    for inside in _groups(known):
        outside = [n for n in everyone if n not in inside]
        for probabilities, truth in zip(sure, (right, answerable), strict=True):
            model = fit_answer(truth, outside)
            for n in inside:
                probabilities[n] = sought[n].probability(model)
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
    rows, sets, parts = list[list[float]](), list[str](), list[float]()
    for case in asked:
        read = [
            (
                case.units[hit.paragraph.id] in case.gold.units,
                [hit.score, *(reading_features(reading)[name] for name in RANKING_FEATURES)],
            )
            for hit, reading in zip(case.raw.found.hits, case.raw.readings, strict=False)
        ]
        pairs = [
            np.subtract(good, other).tolist()
            for is_good, good in read
            for is_right, other in read
            if case.question.answerable and is_good and not is_right
        ]
        rows += pairs
        sets += [case.set] * len(pairs)
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
    answer_from = -_furthest(-sure_right, right, PRECISION, -1.0)
    refused = _furthest(sure_answerable, ~answerable, REFUSED_RIGHTLY, 0.0)
    # Above the last that is refused, and not above the first that is answered.
    refuse_below = round(refused + 0.0005, 3) if refused else 0.0
    answer_from = round(answer_from - 0.0005, 3) if answer_from < 1 else 1.0
    return Thresholds(min(refuse_below, answer_from), answer_from)


def _furthest(
    values: NDArray[np.float64], good: NDArray[np.bool_], share: float, none: float
) -> float:
    """The highest of the values up to which such a share of the cases is good; `none`, which no
    value is below, where none is."""
    order = np.argsort(values, kind="stable")
    ordered, counts = values[order], np.arange(1, len(values) + 1)
    # Equal values are decided alike.
    ends = np.append(ordered[1:] != ordered[:-1], True)
    enough = (np.cumsum(good[order]) >= share * counts) & ends & (counts >= MIN_CASES)
    return float(ordered[enough].max(initial=none))


def _fit_sentence(
    asked: Sequence[AskedQuestion], evidence: Sequence[Evidence], reads: bool
) -> Logistic:
    """Whether a sentence is evidence. A question whose evidence is not among its candidates, or not
    told to the sentence, says nothing of sentences and is left out."""
    features = SENTENCE_FEATURES + (READER_SENTENCE_FEATURES if reads else ())
    rows, labels, sets = list[Mapping[str, float]](), list[bool](), list[str]()
    for case, gathered in zip(asked, evidence, strict=True):
        right = [is_evidence(case.gold, candidate) for candidate in gathered.candidates]
        if any(right):
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


def _with_both(asked: Sequence[AskedQuestion]) -> list[bool]:
    """Which questions are of sets with both kinds of question; all, if no set has both."""
    kinds = {(case.set, case.question.answerable) for case in asked}
    both = {name for name, kind in kinds if (name, not kind) in kinds}
    return [case.set in both or not both for case in asked]


def _groups(asked: Sequence[AskedQuestion]) -> Iterator[frozenset[int]]:
    """Which questions are left out together: those of a set, where without it another one is left
    that has both kinds, and one that tells evidence to the sentence; otherwise those of a fold."""
    sets = np.array([case.set for case in asked])
    both = {case.set for case, use in zip(asked, _with_both(asked), strict=True) if use}
    told = {case.set for case in asked if case.gold.sentences}
    if len(both) > 1 and len(told) > 1:
        for name in dict.fromkeys(sets.tolist()):
            yield frozenset(np.flatnonzero(sets == name).tolist())
        return
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    truth = [case.question.answerable for case in asked]
    for _, inside in folds.split(np.zeros(len(asked)), truth):
        yield frozenset(inside.tolist())


if __name__ == "__main__":
    typer.run(main)
