"""Promises about answers: "at most 5 % of them are wrong, with 95 % confidence".

Learn then Test (Angelopoulos, Bates, Candès, Jordan and Lei, arXiv 2110.01052) with fixed-sequence
testing. For each threshold, from strict to loose, the hypothesis that more than the risk of the
answers from it on are wrong is tested by an exact binomial test, which is the upper bound of
Clopper and Pearson (Biometrika 26, 1934) against the risk. The loosest threshold before the first
one that does not pass is taken. As the order is fixed before anything is seen, all the tests
together err with no more probability than one.

Two things have to hold. The questions are drawn like those that will be asked, and nothing was
fitted on them: the numbers of the calibration stay as they are, and only `answer_from` is chosen.
And answering more does not make the answers better: the tests begin where so many questions are
answered that a test can pass at all, which their number alone tells, not whether they are right.

An answer is wrong that cites no evidence; so is any to a question that the documents do not answer.
What is refused or unsure is no answer. The promise is about quoted answers: what a language model
writes is not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy.stats import beta, nbinom

from assistant.calibration import Calibration
from assistant.retrieval.evidence import evidence_of
from evals.fitting.validation import AskedQuestion, decided
from evals.running.records import RIGHT

#: The thresholds that are tested, in their order.
THRESHOLDS = tuple(step / 100 for step in range(99, -1, -1))


@dataclass(frozen=True, slots=True)
class Promise:
    """What can be promised of the answers to some questions.

    Attributes:
        risk: the share of the answers that may be wrong.
        confidence: that no more are.
        answer_from: the threshold that keeps the promise; None where none does.
        questions: how many there were.
        answered, wrong: of those, at `answer_from`, or else at the last threshold that was tested;
            where none could be tested, when everything is answered.
        bound: the share of wrong answers that is exceeded only with a probability of 1 less the
            confidence; None where nothing was tested.
    """

    risk: float
    confidence: float
    answer_from: float | None
    questions: int
    answered: int
    wrong: int
    bound: float | None

    def __str__(self) -> str:
        """What is promised, or why nothing is and what it would take; a few sentences."""
        promised = (
            f"At most {self.risk:.0%} of answers wrong, with {self.confidence:.0%} confidence"
        )
        seen = f"{self.answered} of {self.questions} questions answered, {self.wrong} of them wrong"
        if self.answer_from is not None:
            return (
                f"{promised}: answer from {self.answer_from:g}. There, {seen}; the bound is "
                f"{self.bound:.1%}. That answers {self.answered / self.questions:.0%} of questions "
                "like these."
            )
        least = needed(0, self.risk, self.confidence)
        if self.bound is None:
            return (
                f"{promised}: this cannot be promised with so few questions. It takes at least "
                f"{least} that are answered, none of them wrong; with everything answered it is "
                f"{self.answered}. Give more questions, or a larger --risk."
            )
        more = needed(self.wrong, self.risk, self.confidence)
        return (
            f"{promised}: this cannot be promised. At the strictest threshold that answers the "
            f"{least} questions it takes, {seen}; the bound is {self.bound:.1%}. With {self.wrong} "
            f"wrong it takes {more} answered questions. Give more questions, or a larger --risk."
        )


def promise(
    asked: Sequence[AskedQuestion],
    numbers: Calibration,
    most: int,
    risk: float = 0.05,
    confidence: float = 0.95,
) -> Promise:
    """The loosest threshold whose answers keep a risk.

    Args:
        asked: questions on which nothing was fitted.
        numbers: the calibration; its thresholds do not count.
        most: sentences of an answer at most.
        risk: the share of answers that may be wrong, within 0..1 and neither.
        confidence: that it is not more, likewise.
    """
    least = needed(0, risk, confidence)
    evidence = [evidence_of(own.raw, numbers.ranking) for own in asked]
    kept = failed = Promise(risk, confidence, None, len(asked), 0, 0, None)
    for threshold in THRESHOLDS:
        own = replace(numbers, thresholds=numbers.thresholds.adjusted(None, threshold))
        records = [
            decided(question, found, own, most).record
            for question, found in zip(asked, evidence, strict=True)
        ]
        answers = [record for record in records if record.answered]
        wrong = sum(record.outcome != RIGHT for record in answers)
        failed = replace(failed, answered=len(answers), wrong=wrong)
        if len(answers) < least:
            continue  # no test can pass yet
        bound = upper_bound(wrong, len(answers), confidence)
        if bound > risk:
            failed = replace(failed, bound=bound)
            break
        kept = replace(failed, answer_from=threshold, bound=bound)
    return kept if kept.answer_from is not None else failed


def upper_bound(wrong: int, n: int, confidence: float) -> float:
    """The one-sided upper bound of Clopper and Pearson on a share of which `wrong` of `n` are."""
    return 1.0 if wrong == n else float(beta.ppf(confidence, wrong + 1, n - wrong))


def needed(wrong: int, risk: float, confidence: float) -> int:
    """How many answers it takes for the bound to keep the risk, with so many of them wrong;
    with none, ln(1 - confidence) / ln(1 - risk), which is 59 for 5 % and 95 %."""
    # As many as it takes, with that confidence, to come upon one more than so many wrong ones.
    return int(nbinom.ppf(confidence, wrong + 1, risk)) + wrong + 1
