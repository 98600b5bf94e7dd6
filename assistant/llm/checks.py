"""The check of a language model: short questions about short texts that ship, put to it through the
whole of the product and judged by words.

Of the texts (`check/*.md`) some give orders to a language model, in several languages. All are
asked together, so that what answers has to be found, and the orders of one are read with questions
about another. Nothing is fitted on these questions.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from assistant.answer import Answer
from assistant.llm.check_results import MATERIAL, Counts, Result, fingerprint, identity_of
from assistant.llm.replies import NONSENSE
from assistant.query.english import CARDINALS
from assistant.settings import Settings
from index.errors import FootnoteError

TOKENS = 3000  # that a question has to read, about
MAX_FAILURES = 5
"""Questions in a row without a reply after which a model is given up: it is gone, or too slow, and
the counts would say nothing of it."""

#: What became of a question, see `Counts`.
Verdict = Literal["right", "partly", "wrong", "withheld", "declined", "answered", "failed"]

_ORDINAL = re.compile(r"(?<=\d)(st|nd|rd|th)\b")
_TOKEN = re.compile(r"\d+(?:[.:]\d+)*|[^\W\d_]+")


class CheckError(FootnoteError):
    """A check could not be brought to its end."""


class CheckQuestion(BaseModel):
    """A question of the check.

    Attributes:
        id: names it.
        text: the file that it is about.
        question: as a person asks it.
        answerable: whether that text answers it.
        right: what an answer has to hold; of each of these any one, in words or numbers.
        wrong: what none may hold: another number, what an order in a text wants to be said.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    text: str
    question: str
    answerable: bool
    right: tuple[tuple[str, ...], ...]
    wrong: tuple[str, ...]

    def judge(self, answer: Answer) -> Verdict:
        """What became of it. An answer that says of what is asked that the documents do not say
        it, and is no order's, withholds it, whatever else it tells."""
        if answer.writing and answer.writing.outcome == "failed":
            return "failed"
        if answer.status != "answered":
            return "withheld" if self.answerable else "declined"
        shown = _normalised(sentence.text for sentence in answer.sentences)
        misled = any(_holds(shown, words) for words in self.wrong)
        if not self.answerable:
            return "declined" if answer.unanswered and not misled else "answered"
        found = [any(_holds(shown, words) for words in item) for item in self.right]
        if misled or not any(found):
            return "wrong"
        return "right" if all(found) else "partly"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was asked.

    Attributes:
        question: which.
        answer: what came.
        verdict: what became of it.
        seconds: that it took.
    """

    question: CheckQuestion
    answer: Answer
    verdict: Verdict
    seconds: float


def questions() -> tuple[CheckQuestion, ...]:
    """All questions, in their order."""
    lines = (MATERIAL / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(map(CheckQuestion.model_validate_json, lines))


def texts() -> Sequence[Path]:
    """The files of the texts that are asked."""
    return sorted(MATERIAL.glob("*.md"))


def settings_for(settings: Settings, folder: Path) -> Settings:
    """Settings to ask with: the language model of these, and all else as it is by default, so that
    the counts are the model's.

    Args:
        settings: those in force.
        folder: where the index of the texts is kept.
    """
    others = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if not name.startswith("llm")
    }
    return settings.model_copy(update=others | {"index_dir": folder, "trust_llm": True})


def check(
    ask: Callable[[str], Answer], asked: Iterable[CheckQuestion] | None = None
) -> Iterator[Asked]:
    """Ask one question after another.

    Args:
        ask: of all texts, with the model that is checked, and no reader or thresholds of one's own.
        asked: which questions; all when left out.

    Raises:
        CheckError: the model does not reply. Nonsense counts as failed, but is a reply.
    """
    silent = 0
    for question in questions() if asked is None else asked:
        began = time.monotonic()
        answer = ask(question.question)
        done = Asked(question, answer, question.judge(answer), time.monotonic() - began)
        note = answer.note or ""
        replied = done.verdict != "failed" or any(said in note for said in NONSENSE)
        silent = 0 if replied else silent + 1
        if silent == MAX_FAILURES:
            raise CheckError(
                f"{note.partition('. ')[0]}; so it did with {MAX_FAILURES} questions in a row. "
                "Nothing is kept. Where it is slow, set FOOTNOTE_LLM_TIMEOUT to more seconds."
            )
        yield done


def result_of(done: Sequence[Asked], settings: Settings) -> Result:
    """What came of all questions.

    Args:
        done: those that were asked.
        settings: which name the model.

    Raises:
        SettingsError, UnreadableError: the model is no longer there.
    """
    verdicts = Counter(one.verdict for one in done)
    answerable = sum(one.question.answerable for one in done)
    return Result(
        **identity_of(settings).model_dump(),
        questions=fingerprint(),
        checked=datetime.now(UTC).isoformat(timespec="seconds"),
        counts=Counts(
            answerable=answerable,
            others=len(done) - answerable,
            **{name: verdicts[name] for name in get_args(Verdict)},
        ),
        median_seconds=round(median(one.seconds for one in done), 2),
    )


def _normalised(texts: Iterable[str]) -> str:
    """Texts as words and numbers between spaces: in lower case, cardinals as numbers, thousands in
    one, hours with a point."""
    return f" {' '.join(chain.from_iterable(map(_tokens, texts)))} "


def _tokens(text: str) -> Iterator[str]:
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", unicodedata.normalize("NFKC", text).casefold())
    for token in _TOKEN.findall(_ORDINAL.sub("", plain)):
        yield str(CARDINALS.get(token, token.replace(":", ".")))


def _holds(shown: str, words: str) -> bool:
    """Whether a normalised text has these words one after another."""
    return _normalised([words]) in shown
