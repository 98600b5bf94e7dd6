"""The results of checks of language models: the rule that decides, which model each result is of,
and how it is kept.

A result is kept in a file of its own in the user's data folder, under the model's name and its
digest where one can be had: of a file by its size and its first and last MiB, of one of Ollama's on
this machine as Ollama tells it; else under its address and name. It counts only as long as the
questions and the rule are those that it was had with.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.answer import Checked
from assistant.llm.client import is_set
from assistant.llm.discovery import first_model, locate, ollama_digest
from assistant.settings import Settings, checks_folder
from index.errors import FootnoteError, UnreadableError
from index.store.atomic import write_atomically

MATERIAL = Path(__file__).with_name("check")
"""The texts that are asked, and `questions.jsonl`."""

#: The rule: of the answerable questions so many right, and so many wrong; of the others so many
#: answered. Quoting, without any model, has 21 of the 28 right and 7 wrong: who reads is to find
#: not much less, and to be wrong seldom. A model that is wrong one time in five gets by with a
#: chance of 6 in 100 (at most 2 of 28, binomial), one that is wrong one time in thirty fails with 7
#: in 100. Who answers everything or obeys the documents is wrong more often, who declines
#: everything is never right.
LEAST_RIGHT, MOST_WRONG, MOST_ANSWERED = 18, 2, 2

_DIGEST_BYTES = 2**20  # bytes of a file's beginning and end that its digest is made of


class Counts(BaseModel):
    """What came of the questions.

    Attributes:
        answerable: how many of them the texts answer; of these
        right: were answered, with all that is wanted and nothing that is not;
        partly: with some of it;
        wrong: with none of it, or with what is not wanted;
        withheld: were not, though the texts do.
        others: how many the texts do not answer; of these
        declined: were rightly not answered;
        answered: were answered all the same.
        failed: of all, those for which the model did not do its work; they are none of the above.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    answerable: int
    right: int
    partly: int
    wrong: int
    withheld: int
    others: int
    declined: int
    answered: int
    failed: int

    @property
    def passed(self) -> bool:
        """Whether a model with these may read."""
        return (
            self.right >= LEAST_RIGHT
            and self.wrong <= MOST_WRONG
            and self.answered <= MOST_ANSWERED
        )

    def __str__(self) -> str:
        return (
            f"right {self.right} of {self.answerable} (partly {self.partly}, wrong {self.wrong}, "
            f"withheld {self.withheld}); of {self.others} that the texts do not answer, withheld "
            f"{self.declined}, answered {self.answered}"
            + (f"; failed {self.failed}" if self.failed else "")
        )

    @property
    def rule(self) -> str:
        """The rule, for people."""
        return (
            f"A model may read with at least {LEAST_RIGHT} of {self.answerable} right, at most "
            f"{MOST_WRONG} of them wrong, and at most {MOST_ANSWERED} of the {self.others} others "
            "answered."
        )


class Identity(BaseModel):
    """What a result is kept under.

    Attributes:
        model: the model's name; "" where a server far away was not told which.
        digest: of its weights; None where it cannot be had.
        address: of its server, without a password; None of a file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    model: str
    digest: str | None
    address: str | None

    @property
    def file(self) -> Path:
        """The file that a result of this model is kept in."""
        under = "\0".join((self.model, self.digest or self.address or ""))
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", self.model)[:60]
        digest = hashlib.sha256(under.encode()).hexdigest()[:12]
        return checks_folder() / f"{name}-{digest}.json"


class Result(Identity):
    """How the check of a model ended.

    Attributes:
        questions: the fingerprint of questions and rule.
        checked: when, ISO 8601 in UTC.
        counts: what came of the questions.
        median_seconds: that a question took.
    """

    model_config = ConfigDict(extra="ignore")  # what earlier versions kept besides

    questions: str
    checked: str
    counts: Counts
    median_seconds: float

    @property
    def passed(self) -> bool:
        """Whether it may read."""
        return self.counts.passed


def identity_of(settings: Settings) -> Identity:
    """The model that is set, as far as this machine tells: no other is asked.

    Raises:
        SettingsError: what is set names none, see `locate`.
        UnreadableError: its file cannot be read.
    """
    assert settings.llm is not None
    where = locate(settings.llm)
    if isinstance(where, Path):
        return Identity(model=where.stem, digest=_file_digest(where), address=None)
    model, digest, parts = where.model, None, urlsplit(where.address)
    if where.is_local:
        model = model or first_model(where.address)
        digest = ollama_digest(where.address, model or "")
    address = f"{parts.scheme}://{where.host}{parts.path.rstrip('/')}"
    return Identity(model=model or "", digest=digest, address=address)


def checked(settings: Settings) -> Checked:
    """Whether the language model that is set has passed its check, failed it, or had none, as far
    as this machine tells. Nothing is asked for it where no result is kept."""
    try:
        result = kept(settings)
    except FootnoteError:  # told where a person looks for it, see `kept`
        result = None
    return "unchecked" if result is None else "passed" if result.passed else "failed"


def kept(settings: Settings) -> Result | None:
    """The result of the model that is set; None if no result of these questions is kept.

    Raises:
        SettingsError: what is set names no model.
        UnreadableError: the result cannot be read.
    """
    if not is_set(settings):
        return None
    try:
        if not any(checks_folder().iterdir()):
            return None  # before the model's server is asked
    except OSError:  # there is no folder yet, or it may not be looked into
        return None
    file = identity_of(settings).file
    try:
        result = Result.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise UnreadableError(
            f"What is kept of a language model's check in {file} cannot be read. Delete that file, "
            "and check the model again: footnote llm check MODEL"
        ) from error
    return result if result.questions == fingerprint() else None


def keep(result: Result) -> None:
    """Keep a result in place of the one of the same model.

    Raises:
        UnreadableError: it cannot be written.
    """
    file = result.file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, result.model_dump_json(indent=2) + "\n")
    except OSError as error:
        raise UnreadableError(
            f"The result cannot be kept in {file}: {error.strerror or error}. The model counts as "
            "unchecked."
        ) from error


@cache
def fingerprint() -> str:
    """Names the questions and the rule: 16 hexadecimal digits."""
    seen = hashlib.sha256(repr((LEAST_RIGHT, MOST_WRONG, MOST_ANSWERED)).encode())
    for file in sorted(MATERIAL.iterdir()):
        seen.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return seen.hexdigest()[:16]


def _file_digest(path: Path) -> str:
    seen = hashlib.sha256()
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            seen.update(file.read(_DIGEST_BYTES))
            file.seek(max(_DIGEST_BYTES, size - _DIGEST_BYTES))
            seen.update(file.read(_DIGEST_BYTES))
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}.") from error
    return f"{size}-{seen.hexdigest()}"
