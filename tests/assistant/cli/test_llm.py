"""Language models on the command line: the check of one, and what commands tell of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from checked_models import declines, good, plays
from checks import BAD, GOOD, ended
from helpers import FOOTNOTE, PATIENCE, footnote, on_terminal
from model_servers import Handler, free_port, scripted, serving, stalls, words, writes

from assistant.cli.options import tell_check
from assistant.llm.check_results import Counts, keep
from assistant.settings import checks_folder, load_settings

QUESTION = "When was the US Indo-Pacific strategy released?"
RIGHT = "The US Indo-Pacific strategy was released on February 11. [1]"


#: Time and context enough for a machine that does much else, and for a stub that tells of little.
ROOM = {"FOOTNOTE_LLM_TIMEOUT": str(PATIENCE), "FOOTNOTE_LLM_CONTEXT": "16384"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a model that answers."""
    with serving(writes(*words(RIGHT))) as (address, _):
        yield address


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def has_ended(address: str, counts: Counts) -> None:
    """Keep that the model there was checked."""
    keep(ended(load_settings(llm=address), counts))


def told_by_ask(folder: Path, address: str, *flags: str, **environment: str) -> list[str]:
    """The lines that `ask` writes beside the answer."""
    asking = ("ask", QUESTION, "--index-dir", folder, "--llm", address, *flags)
    return footnote(*asking, code=None, **environment).stderr.splitlines()


def test_how_a_check_ended_is_told_in_a_line_or_by_the_answer(
    folder: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [line] = told_by_ask(folder, address)
    unchecked = "has not been checked. To see whether it reads well enough: footnote llm check "
    assert line.endswith(f"{unchecked}{address}")
    [line] = told_by_ask(folder, address.replace("http://", "http://me:sesame@"))
    assert "sesame" not in line and line.endswith(f"{unchecked}MODEL")
    has_ended(address, GOOD)
    assert told_by_ask(folder, address) == []

    has_ended(address, BAD)
    done = footnote("ask", QUESTION, "--index-dir", folder, "--llm", address)
    assert done.stderr == ""
    assert "has failed its check" in done.stdout and "FOOTNOTE_TRUST_LLM=true" in done.stdout
    failed = "failed its check (right 26 of 28 (partly 1, wrong 0"
    for way in ({"FOOTNOTE_TRUST_LLM": "true"}, {}):
        [line] = told_by_ask(folder, address, *([] if way else ["--trust-llm"]), **way)
        assert failed in line and line.endswith("; it reads all the same, as --trust-llm has it")
    tell_check(load_settings(llm=address))  # as before anybody asks, where it is served
    [line] = capsys.readouterr().err.splitlines()
    assert failed in line
    assert line.endswith("the documents are quoted. To let it read all the same: --trust-llm")

    [file] = checks_folder().iterdir()
    file.write_text("{")
    [line] = told_by_ask(folder, address)
    assert str(file) in line and "Delete that file" in line


def results() -> list[Path]:
    """The files in which results are kept."""
    return sorted(checks_folder().glob("*"))


def test_a_check_of_a_model_that_is_not_named_or_gone_keeps_nothing() -> None:
    done = footnote("llm", "check", code=2)
    assert "No language model is set" in done.stderr and "footnote llm check MODEL" in done.stderr
    assert "neither an address" in footnote("llm", "check", "nonsense", code=2).stderr
    done = footnote("llm", "check", f"http://127.0.0.1:{free_port()}/v1", code=2)
    assert "40 questions" in done.stderr and "costs money" in done.stderr
    assert "cannot be reached" in done.stderr and "Nothing is kept" in done.stderr
    assert done.stdout == ""
    assert results() == []


def test_a_check_can_be_stopped_and_leaves_nothing(tmp_path: Path) -> None:
    """It waits for the second reply when Ctrl-C comes."""

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
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, errors
    assert "Stopped." in errors and "Traceback" not in errors
    assert output == ""
    assert results() == []
    assert [file for file in (tmp_path / "tmp").iterdir() if "footnote" in file.name] == []


@pytest.mark.long
def test_a_model_is_checked_and_how_that_ended_is_kept(folder: Path) -> None:
    """One finds nothing, and what is asked next is told that it failed; of one that passes that is
    kept in place of what was."""
    with serving(plays(declines)) as (address, _):
        done = footnote("llm", "check", code=3, FOOTNOTE_LLM=address, **ROOM)
        [line] = told_by_ask(folder, address, "--trust-llm")
    assert "40 of 40  declined" in done.stderr
    assert "right 0 of 28" in done.stdout and "at least" in done.stdout
    assert "--trust-llm" in done.stdout
    assert len(results()) == 1
    assert "failed its check (right 0 of 28" in line
    results()[0].unlink()
    with serving(plays(good)) as (address, _):
        has_ended(address, BAD)
        done = footnote("llm", "check", address, **ROOM)
        assert told_by_ask(folder, address) == []
    assert "It passed." in done.stdout
    assert done.stderr.count("  declined  ") == 12
    [file] = results()
    assert json.loads(file.read_text())["counts"]["right"] > 20


def test_what_is_looked_up_again_is_told_to_who_waits(folder: Path) -> None:
    right = "The US released its Indo-Pacific strategy on 11 February."
    replies = {QUESTION: ["NOT FOUND\nSEARCH: release of the strategy", right]}
    with serving(scripted(replies, threading.Event())) as (address, _):
        seen = on_terminal("ask", QUESTION, "--index-dir", folder, "--llm", address, **ROOM)
    told, _, answer = seen.partition("Searched again for: release of the strategy …")
    assert right not in told
    assert answer.lstrip().startswith(f"{right} [1]")
    assert "Note: Searched again for: release of the strategy." in answer
