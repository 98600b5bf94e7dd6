"""A language model that runs on this machine is offered by the command, where a person sees it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import PATIENCE, footnote, on_terminal
from model_servers import Handler, port_of, scripted, serving, writes

from assistant.llm.discovery import SERVERS, Server

QUESTION = "When was the US Indo-Pacific strategy released?"
OFFER = (
    "A language model is running here (Ollama: llama3.2). To let it write: --llm ollama:llama3.2"
)


@pytest.fixture(scope="module")
def ollama() -> Iterator[tuple[int, type[Handler]]]:
    """The port of a server that runs two models, and what it was asked."""
    with serving(writes("Nobody asked."), "llama3.2", "qwen3") as (address, asked):
        yield port_of(address), asked


def at(port: int) -> list[Server]:
    """Ollama, looked for at this port, and nothing else."""
    return [replace(own, port=port, patience=PATIENCE) for own in SERVERS if own.key == "ollama"]


def test_it_is_offered_on_a_terminal(folder: Path, ollama: tuple[int, type[Handler]]) -> None:
    port, asked = ollama
    seen = on_terminal("ask", QUESTION, "--index-dir", folder, servers=at(port))
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
    asking = ("ask", QUESTION, "--index-dir", folder, *flags)
    if flags:
        assert "language model" not in on_terminal(*asking, servers=at(port))
    done = footnote(*asking, servers=at(port))
    assert done.stderr == ""
    assert "language model" not in done.stdout
    assert len(asked.gets) == before, "nothing is looked for either"
    assert asked.asked == []


def test_what_is_looked_up_again_is_told_to_who_waits(folder: Path) -> None:
    right = "The US released its Indo-Pacific strategy on 11 February."
    replies = {QUESTION: ["NOT FOUND\nSEARCH: release of the strategy", right]}
    settings = {"FOOTNOTE_LLM_CONTEXT": "16384", "FOOTNOTE_LLM_TIMEOUT": str(PATIENCE)}
    with serving(scripted(replies, threading.Event())) as (address, _):
        asked = ("ask", QUESTION, "--index-dir", folder, "--llm", address)
        seen = on_terminal(*asked, **settings)
    told, _, answer = seen.partition("Looked again for: release of the strategy …")
    assert right not in told
    assert answer.lstrip().startswith(f"{right} [1]")
    assert "Note: Looked again for: release of the strategy." in answer
