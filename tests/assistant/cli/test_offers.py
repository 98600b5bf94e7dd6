"""A language model that runs on this machine is offered by the command, where a person sees it."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import FOOTNOTE, PATIENCE, SUPPORT
from model_servers import Handler, port_of, scripted, serving, writes

QUESTION = "When was the US Indo-Pacific strategy released?"
OFFER = (
    "A language model is running here (Ollama: llama3.2). To let it write: --llm ollama:llama3.2"
)


@pytest.fixture(scope="module")
def ollama() -> Iterator[tuple[int, type[Handler]]]:
    """The port of a server that runs two models, and what it was asked."""
    with serving(writes("Nobody asked."), "llama3.2", "qwen3") as (address, asked):
        yield port_of(address), asked


def command(port: int, *arguments: str | Path) -> list[str]:
    """The command that looks for Ollama at this port."""
    return [sys.executable, str(SUPPORT / "offering.py"), f"ollama={port}", *map(str, arguments)]


def on_a_terminal(arguments: list[str], **environment: str) -> str:
    """What a command prints to the terminal that it runs on."""
    ours, its = pty.openpty()
    with subprocess.Popen(
        arguments, stdin=its, stdout=its, stderr=its, env=os.environ | environment
    ) as process:
        os.close(its)
        seen = b""
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:  # the other end was closed
                break
            if not more:
                break
            seen += more
    os.close(ours)
    assert process.returncode == 0, seen
    assert b"Traceback" not in seen
    return seen.decode().replace("\r\n", "\n")


def test_it_is_offered_on_a_terminal(folder: Path, ollama: tuple[int, type[Handler]]) -> None:
    port, asked = ollama
    seen = on_a_terminal(command(port, "ask", QUESTION, "--index-dir", folder))
    assert seen.count(OFFER) == 1
    assert seen.rstrip().endswith(OFFER)  # the answer comes first
    assert asked.asked == []


@pytest.mark.parametrize("flags", [["--json"], ["--llm", "none"], []])
def test_it_is_not_offered_unasked_for(
    folder: Path, ollama: tuple[int, type[Handler]], flags: list[str]
) -> None:
    """Nor to a program, whatever the flags."""
    port, asked = ollama
    before = len(asked.gets)
    asking = command(port, "ask", QUESTION, "--index-dir", folder, *flags)
    if flags:
        assert "language model" not in on_a_terminal(asking)
    done = subprocess.run(asking, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stderr == ""
    assert "language model" not in done.stdout
    assert len(asked.gets) == before, "nothing is looked for either"
    assert asked.asked == []


def test_what_is_looked_up_again_is_told_to_who_waits(folder: Path) -> None:
    right = "The US released its Indo-Pacific strategy on 11 February."
    replies = {QUESTION: ["NOT FOUND\nSEARCH: release of the strategy", right]}
    settings = {"FOOTNOTE_LLM_CONTEXT": "16384", "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE)}
    with serving(scripted(replies, threading.Event())) as (address, _):
        asked = [FOOTNOTE, "ask", QUESTION, "--index-dir", str(folder), "--llm", address]
        seen = on_a_terminal(asked, **settings)
    told, _, answer = seen.partition("Looked again for: release of the strategy …")
    assert right not in told
    assert answer.lstrip().startswith(f"{right} [1]")
    assert "Note: Looked again for: release of the strategy." in answer
