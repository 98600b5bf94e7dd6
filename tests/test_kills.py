"""Forty kills, at random moments while people work: after each, what was acknowledged to them is
there, and once, and nothing half done is. `make soak` does more of the same."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest
from helpers import ROOT, ran
from kills import FOLDER, SERVERS, World, folder_world, missing, servers_world

pytestmark = pytest.mark.long

KILLS = {"folder": 25, "servers": 15}
"""None is of the clock: a process whose clock can be set is slow. `make soak` has those too."""


@pytest.fixture
def in_folder(tmp_path: Path) -> Iterator[World]:
    with folder_world(tmp_path) as there:
        yield there


@pytest.fixture
def on_servers(tmp_path: Path, postgres_initial: Path) -> Iterator[World]:
    with servers_world(tmp_path, postgres_initial) as there:
        yield there


def all_kept(there: World, kinds: list[str]) -> None:
    seed = secrets.randbits(32)
    for number, kind in enumerate(kinds):
        outcome = there.kill(kind, seed + number)
        assert outcome.is_right, outcome
    there.close()


def test_nothing_is_lost_or_doubled_in_a_folder(in_folder: World) -> None:
    kinds = [kind for kind in FOLDER if kind != "clock" and not missing(kind)]
    all_kept(in_folder, [*islice(cycle(kinds), KILLS["folder"])])


def test_nothing_is_lost_or_doubled_on_servers(on_servers: World) -> None:
    all_kept(on_servers, [*islice(cycle(SERVERS), KILLS["servers"])])


def test_a_soak_goes_on_where_it_was_and_reports(tmp_path: Path) -> None:
    done = {"step": "kill", "kind": "writer", "seed": 0, "changes": 7, "unsure": 1, "seconds": 2.0}
    lines = [done | {"lost": [], "doubled": [], "wrong": []}] * 2
    lines[1] = lines[1] | {"seed": 1, "kind": "disk", "lost": ["ann: a note"]}
    journal = tmp_path / "journal.jsonl"
    whole = "".join(f"{json.dumps(line)}\n" for line in lines)
    journal.write_text(whole + '{"step": "kill", "ki')
    command = [sys.executable, "-m", "tests.soak", "--folder", tmp_path, "--kills", "2"]
    ended = ran([*command, "--files", "0", "--day", "0"], cwd=ROOT)
    assert ended.returncode == 1, ended.stderr
    assert journal.read_text() == whole
    report = (tmp_path / "report.md").read_text()
    assert "| writer | 1 | 7 | 1 | 0 | 0 | 0 |" in report
    assert "| all | 2 | 14 | 2 | 1 | 0 | 0 |" in report
    assert "- ann: a note" in report
