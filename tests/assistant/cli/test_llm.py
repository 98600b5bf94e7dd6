"""The check of a language model by the command, and what commands tell of it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import FOOTNOTE, PATIENCE, footnote
from model_servers import Handler, serving, stalls, words, writes

from assistant.llm.checks import Counts, Result, fingerprint, identity_of, keep
from assistant.settings import checks_folder, load_settings

QUESTION = "When was the US Indo-Pacific strategy released?"
RIGHT = "The US Indo-Pacific strategy was released on February 11. [1]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with the shipped document in it."""
    folder = tmp_path_factory.mktemp("llm")
    footnote("search", "Japan", "--index-dir", folder)
    return folder


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a model that answers."""
    with serving(writes(*words(RIGHT))) as (address, _):
        yield address


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def has_ended(address: str, **counts: int) -> None:
    """Keep that the model there was checked."""
    own = identity_of(load_settings(llm=address))
    numbers = dict.fromkeys(Counts.model_fields, 0) | {"answerable": 28, "others": 12} | counts
    values: dict[str, Any] = {
        "model": own.model,
        "digest": own.digest,
        "address": own.address,
        "questions": fingerprint(),
        "checked": "2026-01-31T10:00:00+00:00",
        "counts": Counts(**numbers),
    }
    others = {name: None if "tokens" in name else 1 for name in Result.model_fields}
    keep(Result(**others | {"median_seconds": 1.0, "seconds": 1.0} | values))


def told_by_ask(folder: Path, address: str, *flags: str, **environment: str) -> list[str]:
    """The lines that `ask` writes beside the answer."""
    asking = ("ask", QUESTION, "--index-dir", folder, "--llm", address, *flags)
    return footnote(*asking, **environment).stderr.splitlines()


def test_that_a_model_is_unchecked_is_told_in_a_line(folder: Path, address: str) -> None:
    [line] = told_by_ask(folder, address)
    assert line.endswith(
        f"has not been checked. To see whether it reads well enough: footnote llm check {address}"
    )
    has_ended(address, right=28, declined=12)
    assert told_by_ask(folder, address) == []


def test_that_a_model_failed_is_told_with_how_to_overrule(folder: Path, address: str) -> None:
    has_ended(address, right=20, wrong=8, answered=12)
    [line] = told_by_ask(folder, address)
    assert "failed its check (right 20 of 28 (partly 0, wrong 8" in line
    assert line.endswith("the documents are quoted. To let it read all the same: --trust-llm")
    for way in ({"FOOTNOTE_TRUST_LLM": "true"}, {}):
        [line] = told_by_ask(folder, address, *([] if way else ["--trust-llm"]), **way)
        assert line.endswith("; it reads all the same, as --trust-llm has it")


def test_a_result_that_cannot_be_read_is_told(folder: Path, address: str) -> None:
    has_ended(address, right=28, declined=12)
    [file] = checks_folder().iterdir()
    file.write_text("{")
    [line] = told_by_ask(folder, address)
    assert str(file) in line and "Delete that file" in line


def test_a_password_in_an_address_is_not_told(folder: Path, address: str) -> None:
    [line] = told_by_ask(folder, address.replace("http://", "http://me:sesame@"))
    assert "sesame" not in line and line.endswith("footnote llm check MODEL")


def test_a_setting_that_is_no_longer_used_is_told(folder: Path) -> None:
    done = footnote("search", "Japan", "--index-dir", folder, FOOTNOTE_UNSURE="write")
    [line] = done.stderr.splitlines()
    assert "FOOTNOTE_UNSURE" in line and "no longer used" in line


def results() -> list[Path]:
    """The files in which results are kept."""
    return sorted(checks_folder().glob("*"))


def test_without_a_model_the_check_says_how_to_name_one() -> None:
    done = footnote("llm", "check", code=2)
    assert "No language model is set" in done.stderr and "footnote llm check MODEL" in done.stderr
    done = footnote("llm", "check", "nonsense", code=2)
    assert "neither an address" in done.stderr


def test_a_check_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    """It works at a lower priority, and waits for the second reply when Ctrl-C comes."""

    def chat(handler: Handler) -> None:
        (writes("NOT FOUND") if len(handler.asked) == 1 else stalls())(handler)

    (tmp_path / "tmp").mkdir()
    with serving(chat) as (address, _):
        process = subprocess.Popen(
            [FOOTNOTE, "llm", "check", address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(tmp_path / "tmp")},
        )
        assert process.stderr is not None
        told = []
        while not told or " 1 of 40" not in told[-1]:
            told.append(process.stderr.readline())
            assert told[-1], told
        lower = os.getpriority(os.PRIO_PROCESS, process.pid)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Stopped." in errors and "Traceback" not in errors
    assert output == ""
    assert lower > os.getpriority(os.PRIO_PROCESS, 0)
    assert results() == []
    assert [file for file in (tmp_path / "tmp").iterdir() if "footnote" in file.name] == []
