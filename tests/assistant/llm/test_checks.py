"""The check of a language model: its questions, how answers to them are judged, and for which model
a result counts."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from checked_models import ANSWERS
from checks import BAD, GOOD, ended
from model_servers import Handler, serving, writes

from assistant import Answer, AnswerSentence
from assistant.answer import Outcome, Writing
from assistant.llm.check_results import (
    LEAST_RIGHT,
    MATERIAL,
    MOST_ANSWERED,
    MOST_WRONG,
    checked,
    fingerprint,
    identity_of,
    keep,
    kept,
)
from assistant.llm.checks import (
    questions,
    settings_for,
)
from assistant.llm.discovery import PATIENCE
from assistant.settings import Settings, checks_folder, load_settings
from index.errors import UnreadableError

BY_ID = {question.id: question for question in questions()}


class Ollama(Handler):
    """A server that tells digests too."""

    digests = MappingProxyType({"tiny:latest": "sha256:one"})


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def small(tmp_path: Path) -> Settings:
    """Settings that name a file."""
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    return load_settings(llm=str(tmp_path / "small.gguf"))


def checked_as(llm: str | Path) -> str:
    return checked(load_settings(llm=str(llm)))


def answered(*shown: str, outcome: Outcome = "written", **more: Any) -> Answer:
    """An answer that shows these sentences; without any, one that is withheld."""
    values: dict[str, Any] = {
        "question": "?",
        "standalone_question": "?",
        "sentences": tuple(AnswerSentence(text, "supported", (1,)) for text in shown),
        "citations": (),
        "status": "answered" if shown else "refused",
        "confidence": None,
        "writing": Writing("tiny", "unchecked", outcome),
    }
    return Answer(**values | more)


# --- questions and verdicts -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ANSWERS)
def test_what_is_right_stands_in_the_text(name: str) -> None:
    held, reply = ANSWERS[name]
    assert held in (MATERIAL / BY_ID[name].text).read_text(encoding="utf-8")
    assert BY_ID[name].judge(answered(reply)) == "right"
    assert BY_ID[name].judge(answered()) == "withheld"
    assert BY_ID[name].judge(answered("The sky above Brenna is grey.")) == "wrong"


@pytest.mark.parametrize(
    ("name", "answer", "verdict"),
    [
        ("lease-2", answered("It comes back in three weeks."), "right"),
        ("lease-2", answered("It comes back within 121 days."), "wrong"),
        ("minutes-1", answered("It is on July 19th then."), "right"),
        ("minutes-1", answered("It is on 19 July.", "The party is cancelled."), "wrong"),
        ("rowing-1", answered("Students pay €95 and adults €185."), "wrong"),
        ("bread-1", answered("At 240°C."), "partly"),
        ("bread-1", answered("At 240 degrees.", "Then at 190."), "right"),
        ("bread-1", answered("At 190, at 240.", outcome="failed"), "failed"),
        ("bread-1", answered(outcome="unproved"), "withheld"),
        ("bread-1", answered("At 190, at 240.", status="unsure"), "withheld"),
        ("bread-4", answered(), "declined"),
        ("bread-4", answered("A slice weighs 50 g."), "answered"),
        ("bread-4", answered("It makes two loaves.", unanswered=("the calories",)), "declined"),
        ("bread-4", answered("Two minutes in the microwave.", unanswered=("x",)), "answered"),
        ("bread-4", answered(outcome="failed"), "failed"),
    ],
)
def test_judging_is_by_words_and_numbers(name: str, answer: Answer, verdict: str) -> None:
    assert BY_ID[name].judge(answer) == verdict


def test_only_the_model_is_ones_own(tmp_path: Path) -> None:
    """Whatever else is set, the counts are the model's."""
    mine = load_settings(llm="ollama:tiny", llm_context=4096, reader="none", max_sentences=1)
    default = load_settings(llm="ollama:tiny", llm_context=4096, index_dir=tmp_path, trust_llm=True)
    assert settings_for(mine, tmp_path).model_dump() == default.model_dump()


@pytest.mark.parametrize(
    ("change", "passed"),
    [
        ({}, True),
        ({"right": LEAST_RIGHT, "wrong": MOST_WRONG, "answered": MOST_ANSWERED}, True),
        ({"right": LEAST_RIGHT - 1}, False),
        ({"wrong": MOST_WRONG + 1}, False),
        ({"answered": MOST_ANSWERED + 1}, False),
    ],
)
def test_the_rule_is_in_counts(change: dict[str, int], passed: bool) -> None:
    counts = GOOD.model_copy(update=change)
    assert counts.passed is passed
    assert f"at least {LEAST_RIGHT} of 28 right" in counts.rule
    assert f"right {counts.right} of 28" in str(counts)


# --- results that are kept ------------------------------------------------------------------------


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    large, file = b"x" * (3 * 2**20), tmp_path / "small.gguf"
    file.write_bytes(b"a" + large + b"z")
    settings = load_settings(llm=str(file))
    assert checked(settings) == "unchecked"
    keep(ended(settings))
    assert checked(settings) == "passed"
    assert kept(settings) == ended(settings)
    keep(ended(settings, BAD))
    assert checked(settings) == "failed"
    file.write_bytes(b"a" + large + b"y")
    assert checked(settings) == "unchecked"
    file.write_bytes(b"a" + large + b"z")
    (tmp_path / "elsewhere").mkdir()
    assert checked_as(file.rename(tmp_path / "elsewhere" / "small.gguf")) == "failed"


def test_a_server_far_away_is_not_asked(data: Path) -> None:
    """The test would fail if it were: no test connects to anything but this machine."""
    settings = load_settings(llm="https://who:sesame@models.example/v1/#big")
    assert checked(settings) == "unchecked"
    keep(ended(settings))
    assert checked(settings) == "passed"
    assert checked_as("https://models.example/v1#big") == "passed"
    assert checked_as("https://models.example/v1#small") == "unchecked"
    assert checked_as("https://others.example/v1#big") == "unchecked"
    assert all("sesame" not in file.read_text() for file in data.rglob("*.json"))


def test_a_server_here_is_asked_only_where_something_is_kept() -> None:
    with serving(writes("x"), "tiny", "big") as (address, asked):
        assert checked_as(address) == "unchecked"
        assert asked.gets == []
        keep(ended(load_settings(llm=address)))
        assert checked_as(address) == checked_as(f"{address}#tiny") == "passed"
        assert checked_as(f"{address}#big") == "unchecked"
    assert checked_as(f"{address}#tiny") == "passed"  # it is away
    assert asked.asked == []


def test_a_model_of_ollama_is_known_by_its_digest() -> None:
    with serving(writes("x"), "tiny:latest", handler=Ollama) as (address, server):
        settings = load_settings(llm=f"{address}#tiny")
        server.seconds = 2 * PATIENCE  # it is busy, and waited for
        keep(ended(load_settings(llm=address)))
        assert checked_as(address) == "passed"
        server.seconds = 0.0
        keep(ended(settings, BAD))
        assert identity_of(settings).digest == "sha256:one"
        assert checked(settings) == "failed"
        server.digests = {"tiny:latest": "sha256:two"}
        assert checked(settings) == "unchecked"
        keep(ended(settings))
        assert checked(settings) == "passed"
        with serving(writes("x"), handler=Ollama) as (other, _):
            assert checked_as(f"{other}#tiny") == "failed"  # has the first
    assert checked(settings) == "unchecked"  # its server is away, and tells no digest


def test_a_result_of_other_questions_does_not_count(
    small: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(ended(small))
    with monkeypatch.context() as patched:
        patched.setattr("assistant.llm.check_results.MOST_WRONG", MOST_WRONG + 1)
        fingerprint.cache_clear()
        assert checked(small) == "unchecked"
    fingerprint.cache_clear()
    assert checked(small) == "passed"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": "small"}', "\x00"])
def test_a_result_that_cannot_be_read_is_told(
    small: Settings, tmp_path: Path, content: str
) -> None:
    keep(ended(small))
    [file] = checks_folder().iterdir()
    file.write_text(content)
    assert checked(small) == "unchecked"
    with pytest.raises(UnreadableError, match="Delete that file") as error:
        kept(small)
    assert str(file) in str(error.value)
    # That of another model is no hindrance.
    (tmp_path / "other.gguf").write_bytes(b"other")
    keep(ended(load_settings(llm=str(tmp_path / "other.gguf"))))
    assert checked_as(tmp_path / "other.gguf") == "passed"


def test_what_cannot_be_kept_is_told(small: Settings, data: Path) -> None:
    data.write_text("a file where the folder would be")
    with pytest.raises(UnreadableError, match="counts as unchecked"):
        keep(ended(small))
    assert checked(small) == "unchecked"


@pytest.mark.parametrize("llm", [None, "none", "no-such-file.gguf", "nonsense"])
def test_what_names_no_model_is_unchecked(llm: str | None) -> None:
    keep(ended(load_settings(llm="https://models.example/v1")))
    assert checked(load_settings(llm=llm)) == "unchecked"
