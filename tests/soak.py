"""`make soak`: what takes a day to show, in as many parts as one likes.

A journal in `build/soak` has a line for every step that was finished, with its seed. What is
interrupted goes on after the last one, and the end of each part writes a report of all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))
# As in `conftest`: what computes beside others takes one core, and nobody's settings count.
os.environ["OMP_NUM_THREADS"] = "1"
for variable in [variable for variable in os.environ if variable.startswith("FOOTNOTE_")]:
    del os.environ[variable]

from crowd_day import day  # noqa: E402
from kills import FOLDER, SERVERS, folder_world, missing, servers_world  # noqa: E402

KILLS = 500
FILES = 5000
DAY = 60.0
"""Minutes that a day of two hundred people takes."""

WORLD = 20
"""Kills after which all is looked into, and begun with nothing."""

WEIGHTS = {
    "writer": 3,
    "reader": 2,
    "disk": 3,
    "clock": 1,
    "replica": 2,
    "chroma": 1,
    "postgres": 1,
}
"""How often each is killed: one whose clock can be set is slow."""

Line = dict[str, Any]


class Journal:
    """The steps that were finished.

    Args:
        folder: where it is kept, and the report.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._file = folder / "journal.jsonl"
        self._report = folder / "report.md"
        whole = self._file.read_text().rpartition("\n")[0] if self._file.exists() else ""
        self._file.write_text(f"{whole}\n" if whole else "")  # without half a line
        self.lines: list[Line] = [json.loads(line) for line in whole.splitlines()]

    def add(self, step: str, **found: Any) -> None:
        """A step is finished."""
        self.lines.append({"step": step, **found})
        with self._file.open("a") as file:
            file.write(json.dumps(self.lines[-1]) + "\n")
        print(_shortened(self.lines[-1]), flush=True)

    def of(self, step: str) -> list[Line]:
        """The steps of a kind."""
        return [line for line in self.lines if line["step"] == step]

    def report(self) -> None:
        """Write what they came to."""
        self._report.write_text("\n\n".join(["# Soak", *self._told()]) + "\n")

    def _told(self) -> Iterator[str]:
        kills = self.of("kill")
        yield f"## Kills: {len(kills)} of {KILLS}"
        rows = [
            (kind, len(own), *(_sum(own, name) for name in ("changes", "unsure")), *_bad(own))
            for kind, own in [*_by(kills, "kind").items(), ("all", kills)]
        ]
        head = ("kind", "kills", "changes acknowledged", "under way", "lost", "doubled", "wrong")
        yield _table(head, rows)
        yield from sorted({f"{why}." for kind in (*FOLDER, *SERVERS) if (why := missing(kind))})
        ends = self.of("world")
        wrong = sum(bool(line["wrong"]) for line in ends)
        yield (
            f"Indexes looked into at the end: {len(ends)}, of which {wrong} were wrong. Received "
            f"files that killed servers left in the temporary folder: {_sum(ends, 'left')}."
        )
        files = self.of("file")
        yield f"## Files: {len(files)} of {FILES}"
        rows = [
            (kind, len(own), sum(line["ended"] == "read" for line in own), _bad(own)[2])
            for kind, own in _by(files, "kind").items()
        ]
        yield _table(("format", "files", "read", "wrong"), rows)
        for line in self.of("day"):
            yield f"## The crowd: {line['minutes']:g} of {DAY:g} minutes"
            yield from line["told"]
        wrong = [one for line in self.lines for name in BAD for one in line.get(name, ())]
        if wrong:
            yield "## What is wrong"
            yield "\n".join(f"- {one[:500]}" for one in wrong[:50])


BAD = ("lost", "doubled", "wrong")


def _shortened(line: Line) -> str:
    return json.dumps({key: value for key, value in line.items() if key != "told"})[:2000]


def _sum(lines: Sequence[Line], name: str) -> float:
    return sum(line[name] for line in lines)


def _bad(lines: Sequence[Line]) -> list[int]:
    return [sum(len(line.get(name, ())) for line in lines) for name in BAD]


def _by(lines: Sequence[Line], name: str) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for line in sorted(lines, key=lambda line: str(line[name])):
        found.setdefault(line[name], []).append(line)
    return found


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def kills(journal: Journal, count: int, is_over: Callable[[], bool]) -> None:
    """Kill so many in all, in one world after the other; of each the kinds come by chance."""
    while (done := len(journal.of("kill"))) < count and not is_over():
        number = len(journal.of("world"))
        on_servers = number % 2 == 1 and not missing("postgres")
        opened = servers_world if on_servers else folder_world
        kinds = [kind for kind in (SERVERS if on_servers else FOLDER) if not missing(kind)]
        weights = [WEIGHTS.get(kind, 1) for kind in kinds]
        wrong: list[str] = []
        with tempfile.TemporaryDirectory(prefix="footnote-soak-") as folder:
            with opened(Path(folder)) as there:
                for seed in range(done, min(done + WORLD, count)):
                    [kind] = random.Random(seed).choices(kinds, weights)
                    outcome = there.kill(kind, seed)
                    journal.add("kill", **asdict(outcome))
                    if not outcome.is_right or is_over():
                        break
                if outcome.is_right:
                    try:
                        there.close()
                    except AssertionError as error:
                        wrong = [f"at the end: {error}"[:3000]]
                left = there.left
            if wrong or not outcome.is_right:
                shutil.copytree(folder, journal.folder / f"world-{number}", dirs_exist_ok=True)
        journal.add("world", number=number, wrong=wrong, left=left)


def files(journal: Journal, count: int, is_over: Callable[[], bool]) -> None:
    """Read so many files in all whose structure was changed."""
    while len(journal.of("file")) < count and not is_over():
        with tempfile.TemporaryDirectory(prefix="footnote-soak-") as folder:
            _read_files(journal, Path(folder), count, is_over)


def _read_files(journal: Journal, place: Path, count: int, is_over: Callable[[], bool]) -> None:
    """The same, until one goes wrong: what that left behind is not the next one's fault."""
    from mutated_files import mutated, read_within_bounds, reading_in

    with reading_in(place) as folder:
        for seed in range(len(journal.of("file")), count):
            if is_over():
                return
            name, content = mutated(seed)
            begun, ended, wrong = time.monotonic(), "", []
            try:
                ended = read_within_bounds(folder, name, content)
            except Exception as error:  # noqa: BLE001 (whatever it is is what was looked for)
                wrong = [f"{name}: {type(error).__name__}: {error}"[:3000]]
            seconds = round(time.monotonic() - begun, 2)
            kind = Path(name).suffix
            journal.add("file", seed=seed, kind=kind, ended=ended, wrong=wrong, seconds=seconds)
            if wrong:
                return


def crowd(journal: Journal, minutes: float, is_over: Callable[[], bool]) -> None:
    """A day of so many minutes, in as many parts as there are."""
    if (done := _sum(journal.of("day"), "minutes")) < minutes - 0.1 and not is_over():
        with tempfile.TemporaryDirectory(prefix="footnote-soak-") as folder:
            found = day(Path(folder), len(journal.of("day")), is_over, 60 * (minutes - done))
        journal.add("day", **found)


def main() -> None:
    """Do what is not done yet, for as long as it may take."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, help="that this part takes; until all is done")
    parser.add_argument("--kills", type=int, default=KILLS, help="in all")
    parser.add_argument("--files", type=int, default=FILES, help="in all")
    parser.add_argument("--day", type=float, default=DAY, help="minutes that the crowd's day takes")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "soak")
    given = parser.parse_args()
    end = time.monotonic() + 60 * (given.minutes or 1e9)

    def is_over() -> bool:
        return time.monotonic() > end

    journal = Journal(given.folder)
    try:
        kills(journal, given.kills, is_over)
        files(journal, given.files, is_over)
        crowd(journal, given.day, is_over)
    finally:
        journal.report()
    sys.exit(any(line.get(name) for line in journal.lines for name in BAD))


if __name__ == "__main__":
    main()
