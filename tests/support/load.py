"""Fifty people who ask a server over HTTP, four questions each, of documents with long paragraphs.

As a script it compares servers, in turns: `python tests/support/load.py FOOTNOTE...`, each the
command of an installation, tells of each how many answers a second there were, how long they took,
how much of the processor, and how many cite the sentence that answers. The documents are made of
sentences of the shipped document and, where they are given, of paragraphs of other sets; each long
paragraph hides one sentence that a question asks about.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import re
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from helpers import PATIENCE, running, seed_sentences

#: Characters of a paragraph.
LONG = 1750
PLACES = (
    "Aldwick Barmouth Cresswell Dunmore Easby Fairlight Glenfield Harwood Inkberrow Jarrow Kelso "
    "Langport Malvern Northam Oakham Penrith Quorn Ripley Stanhope Thornbury Upwell Ventnor"
).split()
FACTS = (
    ("Who keeps the lighthouse of {}?", "The lighthouse of {} is kept by Mrs {}."),
    ("When does the ferry to {} leave?", "The ferry to {} leaves at {} past noon."),
    ("What does a stall at the market of {} cost?", "A stall at the market of {} costs {} crowns."),
    ("Which bird nests in the tower of {}?", "In the tower of {} nests a {} owl."),
    ("What is the bridge of {} built of?", "The bridge of {} is built of {} stone."),
)


@dataclass(frozen=True)
class Asked:
    """A question, and what an answer that is right cites."""

    question: str
    quote: str


@dataclass(frozen=True)
class Figures:
    """How one server did with all of the questions; times in seconds.

    Attributes:
        right: answers that cite what they are to.
        elapsed: from the first question to the last answer.
        processor: time of the server's processes.
        took: of each answer, by who asked.
    """

    right: int
    elapsed: float
    processor: float
    took: Sequence[float]

    def __str__(self) -> str:
        p50, p95 = (statistics.quantiles(self.took, n=20)[cut] for cut in (9, 18))
        count = len(self.took)
        return (
            f"{self.right} of {count} right, {count / self.elapsed:.1f} a second, p50 {p50:.2f} s, "
            f"p95 {p95:.2f} s, {1000 * self.processor / count:.0f} ms of the processor each"
        )


def write_documents(
    folder: Path, count: int, others: Sequence[str] = (), seed: int = 0
) -> list[Asked]:
    """Write documents of so many long paragraphs in all; gives a question about each.

    Args:
        folder: where they go.
        count: of the paragraphs.
        others: texts to take sentences from, beside the shipped document.
        seed: of the chance by which sentences are taken.
    """
    chance = random.Random(seed)
    sentences = [*seed_sentences()]
    sentences += [own for text in others for own in re.split(r"(?<=[.])\s+", text) if len(own) > 20]
    asked, paragraphs = [], []
    names = itertools.product(FACTS, PLACES)
    for number, ((question, fact), place) in enumerate(
        itertools.islice(itertools.cycle(names), count)
    ):
        name = f"{place} {'' if number < len(FACTS) * len(PLACES) else 'Parva'}".strip()
        quote = fact.format(name, chance.choice("red grey black white old long".split()))
        own: list[str] = []
        while sum(map(len, own)) < LONG - len(quote):
            own.append(chance.choice(sentences))
        own.insert(chance.randrange(len(own)), quote)
        paragraphs.append(" ".join(own))
        asked.append(Asked(question.format(name), quote))
    chance.shuffle(paragraphs)
    for part in range(0, count, 50):
        text = "\n\n".join(paragraphs[part : part + 50])
        (folder / f"part{part // 50}.txt").write_text(text + "\n", encoding="utf-8")
    return asked


def load(url: str, process: int, asked: Sequence[Asked], people: int = 50) -> Figures:
    """Have so many people ask, each again as soon as the answer is there."""

    def ask(person: int) -> list[tuple[bool, float]]:
        found = []
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            for own in asked[person::people]:
                began = time.perf_counter()
                response = client.post("api/ask", json={"question": own.question})
                took = time.perf_counter() - began
                cited = response.raise_for_status().json()["citations"]
                found.append((any(own.quote in citation["quote"] for citation in cited), took))
        return found

    before, began = _processor(process), time.perf_counter()
    with ThreadPoolExecutor(people) as pool:
        found = [one for own in pool.map(ask, range(people)) for one in own]
    elapsed = time.perf_counter() - began
    right, took = zip(*found, strict=True)
    return Figures(sum(right), elapsed, _processor(process) - before, took)


def _processor(process: int) -> float:
    """Seconds that a process has computed."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Compare servers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("commands", nargs="+", help="the command `footnote` of each installation")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--each", type=int, default=4, help="questions of a person")
    parser.add_argument("--corpus", type=Path, nargs="*", default=[], help="JSON Lines with `text`")
    given = parser.parse_args()
    lines = [line for file in given.corpus for line in file.read_text("utf-8").splitlines()]
    others = [json.loads(line)["text"] for line in lines]
    with TemporaryDirectory() as made:
        documents = Path(made) / "documents"
        documents.mkdir()
        asked = write_documents(documents, given.people * given.each, others)
        random.Random(1).shuffle(asked)
        for turn in range(given.rounds):
            for number, command in enumerate(given.commands):
                folder = Path(made) / f"index{number}"
                folder.mkdir(exist_ok=True)
                serve = [command, "serve", "--no-page", "--index-dir", folder]
                serve += ["--source", documents]
                with running(serve, folder / "log.txt") as (url, process):
                    load(url, process, asked[: given.people], 8)  # what is made at its first use
                    figures = load(url, process, asked, given.people)
                print(f"round {turn + 1}, {command}: {figures}", flush=True)


if __name__ == "__main__":
    main()
