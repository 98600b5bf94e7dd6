"""Results of checking language models: what they count for, and for which model."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from checks import BAD, GOOD, ended
from model_servers import Handler, serving, writes

from assistant.llm.checks import (
    LEAST_RIGHT,
    MOST_ANSWERED,
    MOST_WRONG,
    checked,
    fingerprint,
    identity_of,
    keep,
    kept,
)
from assistant.llm.discovery import PATIENCE
from assistant.settings import Settings, checks_folder, load_settings
from index.errors import UnreadableError


class Ollama(Handler):
    """A server that tells digests too."""

    digests = MappingProxyType({"tiny:latest": "sha256:one"})


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data"


def settings_of(llm: str | Path, **more: Any) -> Settings:
    return load_settings(llm=str(llm), **more)


def weights(path: Path, content: bytes = b"GGUF") -> Path:
    path.write_bytes(content)
    return path


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


def test_a_file_is_known_by_what_is_in_it(tmp_path: Path) -> None:
    large = b"x" * (3 * 2**20)
    file = weights(tmp_path / "small.gguf", b"a" + large + b"z")
    settings = settings_of(file)
    assert checked(settings) == "unchecked"
    keep(ended(settings))
    assert checked(settings) == "passed"
    assert kept(settings) == ended(settings)
    keep(ended(settings, BAD))
    assert checked(settings) == "failed"
    weights(file, b"a" + large + b"y")
    assert checked(settings) == "unchecked"
    weights(file, b"a" + large + b"z")
    assert checked(settings) == "failed"
    (tmp_path / "elsewhere").mkdir()
    assert checked(settings_of(file.rename(tmp_path / "elsewhere" / "small.gguf"))) == "failed"


def test_a_server_far_away_is_not_asked(data: Path) -> None:
    """The test would fail if it were: no test connects to anything but this machine."""
    settings = settings_of("https://who:sesame@models.example/v1/", llm_model="big")
    assert checked(settings) == "unchecked"
    keep(ended(settings))
    assert checked(settings) == "passed"
    assert checked(settings_of("https://models.example/v1", llm_model="big")) == "passed"
    assert checked(settings_of("https://models.example/v1", llm_model="small")) == "unchecked"
    assert checked(settings_of("https://others.example/v1", llm_model="big")) == "unchecked"
    assert all("sesame" not in file.read_text() for file in data.rglob("*.json"))


def test_a_server_here_is_asked_only_where_something_is_kept(tmp_path: Path) -> None:
    with serving(writes("x"), "tiny", "big") as (address, asked):
        settings = settings_of(address)
        assert checked(settings) == "unchecked"
        assert asked.gets == []
        keep(ended(settings))
        assert checked(settings) == checked(settings_of(address, llm_model="tiny")) == "passed"
        assert checked(settings_of(address, llm_model="big")) == "unchecked"
    assert checked(settings_of(address, llm_model="tiny")) == "passed"  # it is away
    assert asked.asked == []


def test_a_server_that_is_busy_is_waited_for() -> None:
    with serving(writes("x"), "tiny:latest", handler=Ollama) as (address, own):
        own.seconds = 2 * PATIENCE
        settings = settings_of(address)
        keep(ended(settings))
        assert identity_of(settings).digest == "sha256:one"
        assert checked(settings) == "passed"


def test_a_model_of_ollama_is_known_by_its_digest() -> None:
    with serving(writes("x"), "tiny:latest", handler=Ollama) as (address, own):
        settings = settings_of(address, llm_model="tiny")
        keep(ended(settings, BAD))
        assert identity_of(settings).digest == "sha256:one"
        assert checked(settings) == "failed"
        own.digests = {"tiny:latest": "sha256:two"}
        assert checked(settings) == "unchecked"
        keep(ended(settings, checked="2026-02-01T10:00:00+00:00"))
        assert checked(settings) == "passed"
        with serving(writes("x"), handler=Ollama) as (other, _):
            assert checked(settings_of(other, llm_model="tiny")) == "failed"  # has the first
    assert checked(settings) == "passed"  # the latest, where nothing is told any more


def test_a_result_of_other_questions_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(weights(tmp_path / "small.gguf"))
    keep(ended(settings))
    monkeypatch.setattr("assistant.llm.checks.MOST_WRONG", MOST_WRONG + 1)
    fingerprint.cache_clear()
    assert checked(settings) == "unchecked"
    monkeypatch.undo()
    fingerprint.cache_clear()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert checked(settings) == "passed"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": "small"}', "\x00"])
def test_a_result_that_cannot_be_read_is_told(tmp_path: Path, content: str) -> None:
    settings = settings_of(weights(tmp_path / "small.gguf"))
    keep(ended(settings))
    [file] = checks_folder().iterdir()
    file.write_text(content)
    assert checked(settings) == "unchecked"
    with pytest.raises(UnreadableError, match="Delete that file") as error:
        kept(settings)
    assert str(file) in str(error.value)
    # That of another model is no hindrance.
    other = settings_of(weights(tmp_path / "other.gguf", b"other"))
    keep(ended(other))
    assert checked(other) == "passed"


def test_what_cannot_be_kept_is_told(tmp_path: Path, data: Path) -> None:
    data.write_text("a file where the folder would be")
    settings = settings_of(weights(tmp_path / "small.gguf"))
    with pytest.raises(UnreadableError, match="counts as unchecked"):
        keep(ended(settings))
    assert checked(settings) == "unchecked"


@pytest.mark.parametrize("llm", [None, "none", "no-such-file.gguf", "nonsense"])
def test_what_names_no_model_is_unchecked(llm: str | None) -> None:
    keep(ended(settings_of("https://models.example/v1")))
    assert checked(load_settings(llm=llm)) == "unchecked"
