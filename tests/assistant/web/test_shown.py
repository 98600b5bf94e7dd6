"""What the page shows is so: statement by statement, of answers of every kind, held against the
documents and the database."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, print_pdf, serving
from crowd import SEED
from helpers import ROOT
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page
from shown import SCRIPT, Shown, Store, Words, differing, followed

SETS = ROOT / "evals" / "questions"
RULES = ("allotment", "bicycles", "dishwasher", "hostel", "leave")

GERMAN = """# Hausordnung

## Ruhezeiten

Von 22 Uhr bis 6 Uhr ist Nachtruhe. Mittags ruht die Arbeit mit lauten Maschinen bis 15 Uhr.

## Waschküche

Gewaschen wird von Montag bis Samstag. Wer die Waschküche benutzt, reinigt danach das Flusensieb.

Der Schlüssel zum Trockenraum hängt neben der Kellertür.

## Müll

Die blaue Tonne wird alle zwei Wochen am Dienstag geleert.
"""
TABLE = """Year,Ships,Revenue,Remark
2020,302,5.0 million,None
2021,311,5.2 million,The quay was repaired
2022,287,6.4 million,Two cranes were painted
"""


def of_set(name: str, count: int, seed: int | None = None) -> list[str]:
    """The first questions of a shipped set, or some that are drawn, in every run the same."""
    lines = (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    found = [row["question"] for row in map(json.loads, lines) if "question" in row]
    return found[:count] if seed is None else random.Random(seed).sample(found, count)


COMPARED = [
    "Compare how Russia and China see the future global order.",
    "What is the difference between a full plot and a half plot?",
    "How do touring bicycles and electric bicycles differ in price?",
    "What is the difference between Moon and Yoon?",
    "How does a biscuit firing differ from stoneware?",
    "What is the difference between dogs and horses?",
    "Quick versus Night",
]
PARTS = [
    "How much is a half plot, and what is the capital of Peru?",
    "When do lights go out? And who wrote the house rules?",
    "What does a bed cost, and how tall is Sister Agnes?",
    "What gauge did the salt railway have and when was it closed?",
    "What is the population of India, and who is the king of Spain?",
]
PLACES = [
    "Where does it talk about energy?",
    "Where is the deposit mentioned?",
    "Where does it mention zebras?",
    "Where is the pass to San Pedro mentioned?",
]
OVERVIEWS = [
    "What are the main points of this document?",
    "Summarize the section on Animals.",
    "What does the section on India say?",
    "Give me the main points in five bullets.",
    "Summarise the chapter about Gabuev in three sentences.",
]
TALKS = [
    ["When was the US Indo-Pacific strategy released?", "What is it premised on?", "more"],
    ["Which new global order does Russia have in mind?", "And China?", "Where does it say that?"],
    [
        "What are the two caveats that are overlooked?",
        "Tell me more about the second one.",
        "Make it shorter.",
    ],
    ["How many hens may I keep?", "And what about bees?", "No, I meant rabbits.", "Thank you!"],
]
IN_GERMAN = [
    "Wann ist Nachtruhe?",
    "Wo hängt der Schlüssel zum Trockenraum?",
    "Was muss man nach dem Waschen reinigen?",
    "Wann wird die blaue Tonne geleert?",
    "Wie viel kostet ein Bett?",
    "What does a bed cost?",
    "Fasse den Abschnitt über Müll zusammen.",
]
ON_PAGES = [
    "How many books may be on loan at a time?",
    "What does a lost library card cost?",
    "What does printing cost in colour?",
    "What was the revenue in 2022?",
    "In which year was the quay repaired?",
    "Summarize the section on Late or damaged.",
]
ODD = [
    "???",
    "qwrtzpsdf ghjklmnb",
    "What is the population of India?",
]


#: Conversations in English, and whether each question stands alone.
CONVERSATIONS: list[tuple[list[str], bool]] = [
    ([*of_set("rules", 44, seed=7), *of_set("assorted", 40, seed=7)], True),
    ([*PARTS, *of_set("seed_parts", 14)], True),
    (COMPARED, True),
    ([*PLACES, *of_set("seed_lists", 8), *OVERVIEWS, *ON_PAGES, *ODD], True),
    *((talk, False) for talk in TALKS),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    documents = folder / "documents"
    documents.mkdir()
    files = [SEED, *(SETS / "rules" / f"{name}.md" for name in RULES)]
    for file in [*files, *sorted((SETS / "assorted").glob("*.md"))]:
        shutil.copy(file, documents)
    (documents / "hausordnung.md").write_text(GERMAN, encoding="utf-8")
    (documents / "harbour.csv").write_text(TABLE, encoding="utf-8")
    html = MarkdownIt().render((SETS / "rules" / "library.md").read_text(encoding="utf-8"))
    print_pdf(
        browser, f"<style>h2 {{ break-before: page }}</style>{html}", documents / "library.pdf"
    )
    with serving(folder, "--source", documents) as address:
        yield address


@pytest.fixture(scope="module")
def store(url: str, folder: Path) -> Iterator[Store]:
    with closing(Store(folder / "index")) as opened:
        yield opened


def evaluated(page: Page, call: str, *arguments: object) -> Any:
    return page.evaluate(f"(given) => shown.{call}(...given)", [*arguments])


def check_conversation(
    page: Page, store: Store, words: Words, questions: Sequence[str], **how: object
) -> list[str]:
    """What is shown and is not so when these questions are asked in a new conversation.

    Args:
        page, store, words: see `Shown`.
        questions: in their order.
        how: they are asked, as the page has it.
    """
    evaluated(page, "begin")
    asked = [evaluated(page, "ask", one, how) for one in questions]
    identity = evaluated(page, "conversation")
    unsure = [at for at, turn in enumerate(asked) if turn["unsure"]]
    for at, passage in zip(unsure, (1, None), strict=False):
        evaluated(page, "mark", at, passage)
    kept, turns = store.kept(identity), evaluated(page, "turns")
    for turn, once in zip(turns, asked, strict=True):
        turn["announced"] = once["announced"]
    held = [Shown(store, words, turn, own) for turn, own in zip(turns, kept, strict=True)]
    false = [line for turn in held for line in turn.false]

    # It says the same when it is opened again, and leads where it says.
    page.reload()
    page.locator("body[data-ready]").wait_for()
    page.evaluate(SCRIPT)
    for before, again in zip(turns, evaluated(page, "turns"), strict=True):
        before["announced"] = again["announced"] = None
        false += differing(f"opened again, {before['question']!r}", again, before)
    for at in range(0, len(kept), 6):
        answer = kept[at]["answer"]
        for citation in [*answer["citations"], *answer["closest"]][:1]:
            shown = evaluated(page, "follow", at, 0)
            false += followed(store, words, kept, citation, shown)
    return false


@pytest.mark.long
def test_answers_say_what_is_so(visit: Visit, store: Store) -> None:
    visit.page.evaluate(SCRIPT)
    false: list[str] = []
    for questions, alone in CONVERSATIONS:
        false += check_conversation(visit.page, store, Words("en"), questions, alone=alone)
    assert false == [], "\n".join(["", *false])


@pytest.mark.long
@pytest.mark.parametrize("visit", [{"locale": "de-DE"}], indirect=True, ids=["de"])
def test_answers_say_what_is_so_in_german(visit: Visit, store: Store) -> None:
    visit.page.evaluate(SCRIPT)
    false = check_conversation(visit.page, store, Words("de"), IN_GERMAN, alone=True)
    assert false == [], "\n".join(["", *false])
