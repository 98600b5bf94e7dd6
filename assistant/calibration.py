"""The few numbers that turn evidence into probabilities, and where they come from.

For each way of working (with the shipped reader, without a reader) the weights of what reading adds
to a paragraph's score, and three logistic regressions: whether a sentence belongs to the answer,
whether the answer that is given is right, and whether the documents answer at all, with a threshold
on each of the two latter. They are fitted by `python -m evals.fitting.calibration` and kept in
`calibration.json` with their provenance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from index.errors import SettingsError

#: What the readings of a reader add whose weights were not fitted: as much of one as of the other,
#: and together about as much as the two legs of the search tell the best paragraphs apart by.
UNFITTED = {"best_sentence": 0.3, "paragraph": 0.3}

#: What tells of a sentence, and what besides where there is a reading model; as the other features,
#: what it means is told by `retrieval.evidence.gather`.
SENTENCE_FEATURES = tuple(
    "cosine cosine_gap terms terms_before terms_after score_gap first".split()
)
READER_SENTENCE_FEATURES = tuple("logit reader_probability logit_gap paragraph_logit".split())
#: Likewise of the answer.
ANSWER_FEATURES = tuple("cosine length score_lead cosine_lead".split())
READER_ANSWER_FEATURES = tuple("paragraph_logit logit_lead paragraph_lead".split())
#: What the regressions may weigh.
FEATURES = {
    "sentence": frozenset(SENTENCE_FEATURES + READER_SENTENCE_FEATURES),
    "answer": frozenset(ANSWER_FEATURES + READER_ANSWER_FEATURES),
    "answerable": frozenset(ANSWER_FEATURES + READER_ANSWER_FEATURES),
}

#: What becomes of a question. `unsure`: the documents may answer it or not; passages are shown that
#: may, never as an answer.
Status = Literal["answered", "unsure", "refused"]


class WithStatus:
    """Asks a status by its name, of what has one."""

    __slots__ = ()
    #: A `Status`, or another name where more may become of it.
    status: str

    @property
    def answered(self) -> bool:
        """Whether the sentences are an answer."""
        return self.status == "answered"

    @property
    def unsure(self) -> bool:
        """Whether the sentences are of passages that may answer, and no answer."""
        return self.status == "unsure"

    @property
    def refused(self) -> bool:
        """Whether the documents do not answer the question."""
        return self.status == "refused"


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression over named features: p = sigmoid(intercept + sum w * x)."""

    weights: Mapping[str, float]
    intercept: float

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability for one case; features without a weight do not count."""
        return sigmoid(self.intercept + sum(w * features[n] for n, w in self.weights.items()))


def sigmoid(logit: float) -> float:
    """The probability with this logit; exact to 1e-13 where it does not overflow."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def sigmoids(logits: Iterable[float]) -> list[float]:
    """The probabilities with these logits."""
    return [sigmoid(logit) for logit in logits]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is answered, what is refused, and what is neither.

    Attributes:
        refuse_below: refuse where the documents answer with a probability below this one.
        answer_from: answer where the answer is right with this probability or more, whatever the
            other one; else be unsure.

    Raises:
        SettingsError: one is not within 0..1, or more is refused than is not answered.
    """

    refuse_below: float
    answer_from: float

    def __post_init__(self) -> None:
        """Refuse what makes no three states."""
        for name in ("refuse_below", "answer_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}; it must be from 0 to 1.")
        if self.refuse_below > self.answer_from:
            raise SettingsError(
                f"refuse_below is {self.refuse_below} and answer_from {self.answer_from}: what is "
                "answered would be refused. refuse_below must be the lower one, or both the same "
                "for no answer to be unsure."
            )

    def status(self, confidence: float, answerable: float) -> Status:
        """What becomes of a question, by the probability that its answer is right, and that there
        is one at all."""
        if confidence >= self.answer_from:
            return "answered"
        return "refused" if answerable < self.refuse_below else "unsure"

    def adjusted(self, refuse_below: float | None, answer_from: float | None) -> Thresholds:
        """These, but for what is given. Where one is given alone and passes the other, it takes
        that one along: `adjusted(None, 0)` refuses nothing, `adjusted(1, None)` nearly all.

        Raises:
            SettingsError: as the class.
        """
        if refuse_below is not None and answer_from is not None:
            return Thresholds(refuse_below, answer_from)
        if refuse_below is not None:
            return Thresholds(refuse_below, max(refuse_below, self.answer_from))
        if answer_from is not None:
            return Thresholds(min(answer_from, self.refuse_below), answer_from)
        return self


@dataclass(frozen=True, slots=True)
class Calibration:
    """What one way of working needs.

    Attributes:
        ranking: what each of a paragraph's `reading_features` adds to its score; empty where there
            is no reader.
        sentence: probability that a sentence belongs to the answer.
        answer: probability that the answer which is given is right.
        answerable: probability that the documents answer at all.
        thresholds: on these two.
    """

    ranking: Mapping[str, float]
    sentence: Logistic
    answer: Logistic
    answerable: Logistic
    thresholds: Thresholds


def load_calibration(reader: str, file: Path | None = None) -> Calibration:
    """The calibration for a reader by its fingerprint, or for `none`.

    Args:
        reader: a reader that the file does not know gets the numbers of `none`: it re-ranks, by
            UNFITTED, but its logits are not trusted as probabilities.
        file: another `calibration.json`, as `python -m evals.fitting.calibration` writes it.

    Raises:
        SettingsError: the file is not a calibration, or one of another version.
    """
    try:
        entries = read_entries(file)
        entry = entries.get(reader) or {**entries["none"], "ranking": UNFITTED}
        for part, names in FEATURES.items():
            strange = sorted(entry[part]["weights"].keys() - names) if part in entry else [part]
            if strange:
                raise SettingsError(
                    f"{calibration_file(file)} was fitted by another version of Footnote: it "
                    f"weighs or lacks {strange[0]!r}. Fit it anew with: "
                    "python -m evals.fitting.calibration"
                )
        return Calibration(
            ranking={name: float(weight) for name, weight in entry["ranking"].items()},
            sentence=Logistic(**entry["sentence"]),
            answer=Logistic(**entry["answer"]),
            answerable=Logistic(**entry["answerable"]),
            thresholds=Thresholds(**entry["thresholds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(
            f"{calibration_file(file)} is not a calibration ({error!r}). Make one with: "
            "python -m evals.fitting.calibration"
        ) from error


def calibration_file(file: Path | None = None) -> Path:
    """The file itself, or the shipped one."""
    return file or Path(str(files("assistant") / "calibration.json"))


def read_entries(file: Path | None = None) -> dict[str, Any]:
    """What a calibration, or the shipped one, holds of each reader, as plain values.

    Raises:
        OSError, ValueError, KeyError: it is none.
    """
    entries: dict[str, Any] = json.loads(calibration_file(file).read_text())["readers"]
    return entries
