"""What the page shows is so: statement by statement, of answers of every kind, held against the
documents and the database."""

from __future__ import annotations

import json
import random
import re
import shutil
from base64 import b64decode
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
from shown import (
    JSON,
    SCRIPT,
    Shown,
    Store,
    Words,
    carried,
    differing,
    followed,
    lapsed,
    misplaced,
    noted,
    told,
    uncited,
)

SETS = ROOT / "evals" / "questions"
RULES = ("allotment", "bicycles", "dishwasher", "hostel", "leave")
ASSORTED = ("brenn_valley", "embra_pottery", "night_sleeper", "ondrel")
NEWS = ("n-01", "n-02", "n-03")

GERMAN = """# Hausordnung

## Ruhezeiten

Von 22 Uhr bis 6 Uhr ist Nachtruhe. Mittags ruht die Arbeit mit lauten Maschinen bis 15 Uhr.

## Waschküche

Gewaschen wird von Montag bis Samstag. Wer die Waschküche benutzt, reinigt danach das Flusensieb.

Der Schlüssel zum Trockenraum hängt neben der Kellertür.

## Müll

Die blaue Tonne wird alle zwei Wochen am Dienstag geleert. Sperrmüll holt die Stadt, wenn man ihn
anmeldet.
"""
TABLE = """Year,Ships,Revenue,Remark
2020,302,5.0 million,None
2021,311,5.2 million,The quay was repaired
2022,287,6.4 million,Two cranes were painted
"""


def rows_of(name: str) -> list[dict[str, Any]]:
    lines = (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def of_set(name: str, count: int) -> list[str]:
    return [row["question"] for row in rows_of(name) if "question" in row][:count]


def sampled() -> list[str]:
    """Plain questions of the shipped sets, of which some have no answer: in every run the same."""
    generator = random.Random(7)
    found = generator.sample(of_set("rules", 999), 44)
    for name, of, wanted in (("assorted", ASSORTED, 34), ("news", NEWS, 18)):
        files = [Path(one).stem for one in rows_of(name)[0]["documents"]]
        files = sorted(one.stem for one in (SETS / name).glob("*.md")) if files == [name] else files
        all_of = of_set(name, 999)
        each = len(all_of) // len(files)  # questions, in the order of the documents
        asked = [
            all_of[n]
            for own in of
            for n in range(files.index(own) * each, (files.index(own) + 1) * each)
        ]
        found += generator.sample(asked, min(wanted, len(asked)))
    return found


COMPARED = [
    "Compare how Russia and China see the future global order.",
    "What is the difference between a full plot and a half plot?",
    "Compare Eco and Intensive.",
    "How do touring bicycles and electric bicycles differ in price?",
    "What is the difference between Moon and Yoon?",
    "Compare Japan with South Korea on sanctions.",
    "How does a biscuit firing differ from stoneware?",
    "Compare the night train to Barcelona with the sleeper to Santa Reva.",
    "What is the difference between dogs and horses?",
    "Compare holiday and illness.",
    "Compare hens and cockerels.",
    "Quick versus Night",
]
PARTS = [
    "How much is a half plot, and what is the capital of Peru?",
    "When do lights go out? And who wrote the house rules?",
    "What does a bed cost, and how tall is Sister Agnes?",
    "How old must hirers be, and what colour are the bicycles?",
    "How long is the guarantee, and who won the World Cup in 1998?",
    "Who is jailed, how much was stolen, and what is the judge's salary?",
    "What gauge did the salt railway have and when was it closed?",
    "What is the population of India, and who is the king of Spain?",
]
PLACES = [
    "Where does it talk about energy?",
    "Where is the deposit mentioned?",
    "Where is Helen Marsh mentioned?",
    "Where does it mention zebras?",
    "Where is the pass to San Pedro mentioned?",
]
OVERVIEWS = [
    "What are the main points of this document?",
    "Summarize the section on Animals.",
    "What does the section on India say?",
    "Give me the main points in five bullets.",
    "Summarise the chapter about Gabuev in three sentences.",
    "What is this about?",
]
TALKS = [
    ["When was the US Indo-Pacific strategy released?", "What is it premised on?", "more"],
    ["Which new global order does Russia have in mind?", "And China?", "Where does it say that?"],
    [
        "What does a touring bicycle cost?",
        "And an electric one?",
        "Who may hire one?",
        "Tell me more.",
    ],
    [
        "What are the two caveats that are overlooked?",
        "Tell me more about the second one.",
        "Make it shorter.",
    ],
    ["How many hens may I keep?", "And what about bees?", "No, I meant rabbits.", "Thank you!"],
    [
        "What can you do?",
        "When does the house close?",
        "Why?",
        "What happens to those who come later?",
    ],
]
IN_GERMAN = [
    "Wann ist Nachtruhe?",
    "Wo hängt der Schlüssel zum Trockenraum?",
    "Was muss man nach dem Waschen reinigen?",
    "Wann wird die blaue Tonne geleert?",
    "Wer holt den Sperrmüll?",
    "Wie viele Parteien wohnen im Haus?",
    "Wie viel kostet ein Bett?",
    "Wann wurde die Brenntalbahn geschlossen?",
    "What does a bed cost?",
    "Fasse den Abschnitt über Müll zusammen.",
]
ON_PAGES = [
    "How many books may be on loan at a time?",
    "What does a lost library card cost?",
    "When is story time?",
    "What does printing cost in colour?",
    "What was the revenue in 2022?",
    "How many ships came in 2021?",
    "In which year was the quay repaired?",
    "Summarize the section on Late or damaged.",
]
ODD = [
    "???",
    "qwrtzpsdf ghjklmnb",
    "What is the population of India?",
    "1234567890",
    "Who are you?",
]


#: Of documents, by their titles: words of a paragraph, and questions about that or another.
OF_PARTS = {
    "Town library: using the library": (
        "Up to fifteen books",
        [
            "How many books may be on loan at a time?",
            "How often can it be extended?",
            "What is the capital of Peru?",
            "When do lights go out?",
        ],
    ),
    "Pilgrim House: good to know": (
        "A bed costs",
        [
            "What does it cost?",
            "Who sleeps for nothing?",
            "Where do dogs sleep?",
            "What are the main points?",
        ],
    ),
    "Lakeside Cycles: conditions of hire": (
        "A deposit of 50 euros",
        [
            "How much is the deposit, and is cash accepted?",
            "Where is the deposit mentioned?",
            "Compare dogs with horses.",
        ],
    ),
}
#: Conversations in English, and whether each question stands alone.
CONVERSATIONS: list[tuple[list[str], bool]] = [
    (sampled(), True),
    ([*PARTS, *of_set("seed_parts", 14)], True),
    (COMPARED, True),
    ([*PLACES, *of_set("seed_lists", 8), *OVERVIEWS, *ON_PAGES, *ODD], True),
    *((talk, False) for talk in TALKS),
]

GATE = "The gate of the dock is opened at nine in the morning."
ICE = "The ice in the basin is broken by hand every morning before the pilots come."
TIDES = f"""# Tides

## Spring

{GATE}

Boats leave the north quay at noon in spring.

## Autumn

{GATE}

Boats leave the south quay at one o'clock in autumn.

## Winter

{ICE}
"""
#: Something is added, so that under the number of a paragraph stands another that reads alike;
#: something reads otherwise, and something stands under another heading.
TIDES_NOW = f"""# Tides

## Spring

A flag is hoisted before the gate moves.

A horn is blown when it stands still.

{GATE}

Boats leave the north quay at noon in spring.

## Autumn

{GATE}

Boats leave the south quay at two o'clock in autumn.

## Cold months

{ICE}
"""
OF_HARBOUR = [
    "When do boats leave the south quay?",
    "Which buoy has a bell?",
    "How is the ice in the basin broken?",
    "When is the gate of the dock opened?",
    "When is the gate of the dock opened in autumn?",
    "What is the population of India?",
]
BUOYS = "# Buoys\n\nThe red buoy off the mole has a bell.\n\nThe green one has a whistle.\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def url(browser: Browser, folder: Path) -> Iterator[str]:
    documents = folder / "documents"
    documents.mkdir()
    names = [
        *(f"rules/{name}" for name in RULES),
        *(f"assorted/{name}" for name in ASSORTED),
        *(f"news/{name}" for name in NEWS),
    ]
    for file in [SEED, *(SETS / f"{name}.md" for name in names)]:
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


def first_passage(turn: JSON) -> JSON | None:
    """What the first card of a turn is of."""
    return next(iter([*turn["answer"]["citations"], *turn["answer"]["closest"]]), None)


def check_conversation(
    page: Page,
    store: Store,
    words: Words,
    questions: Sequence[str | tuple[str, str, int]],
    **how: object,
) -> list[str]:
    """What is shown and is not so when these questions are asked in a new conversation.

    Args:
        page, store, words: see `Shown`.
        questions: or of one about a paragraph, it, the document's id, and its number.
        how: they are asked, as the page has it.
    """
    evaluated(page, "begin")
    asked = [
        evaluated(page, "ask", one, how)
        if isinstance(one, str)
        else evaluated(page, "askAbout", one[1], one[2], one[0])
        for one in questions
    ]
    false: list[str] = []
    of_some, offering = "within" in how or not isinstance(questions[0], str), 0
    if of_some:  # what is offered is asked of the same
        offering = next(at for at, turn in enumerate(asked) if turn["offered"])
        for number, offered in enumerate(asked[offering]["offered"]):
            asked.append(evaluated(page, "take", offering, number))
            false += differing("taken", asked[-1], {"question": offered, "state": "answered"})
    identity = evaluated(page, "conversation")
    unsure = [at for at, turn in enumerate(asked) if turn["unsure"]]
    for at, passage in zip(unsure, (1, None), strict=False):
        evaluated(page, "mark", at, passage)
    kept, turns = store.kept(identity), evaluated(page, "turns")
    for turn, once in zip(turns, asked, strict=True):
        turn["announced"] = once["announced"]
    for turn in kept[len(questions) :]:
        false += differing(turn["question"], turn, {"documents": kept[offering]["documents"]})
    held = [Shown(store, words, turn, kept[at], kept[:at]) for at, turn in enumerate(turns)]
    false += [line for turn in held for line in turn.false]
    false += store.disproved(claim for turn in held for claim in turn.claims)
    kinds = {
        kind: b64decode(evaluated(page, "exported", identity, kind)) for kind in ("md", "docx")
    }
    false += carried(store, words, kept, evaluated(page, "copied"), kinds)

    # It says the same when it is opened again, and leads where it says.
    page.reload()
    page.locator("body[data-ready]").wait_for()
    page.evaluate(SCRIPT)
    for before, again in zip(turns, evaluated(page, "turns"), strict=True):
        before["announced"] = again["announced"] = None
        false += differing(f"opened again, {before['question']!r}", again, before)
    for at in range(0, len(kept), 6):
        if citation := first_passage(kept[at]):
            shown = evaluated(page, "follow", at, 0)
            false += followed(store, words, kept, citation, shown)
    return false


def check_documents(page: Page, store: Store, words: Words) -> list[str]:
    """What is not so in the list of documents."""
    shown, there = evaluated(page, "library"), [*store.there().values()]
    rows = {title: facts.split(" · ") for title, facts in shown["documents"]}
    counts = {
        one.title: words.say("list.pages", count=one.paragraphs[-1].page)
        if one.paragraphs[-1].page
        else words.say("list.paragraphs", count=len(one.paragraphs))
        for one in there
    }
    shown["documents"] = {
        title: counts[title] if counts.get(title) in facts else facts
        for title, facts in rows.items()
    }
    so = {
        "documents": counts,
        "chosen": sorted(counts),
        "count": str(len(there)),
        "asking": words.say("asking.all", count=len(there)),
    }
    return differing("the list", shown | {"chosen": sorted(shown["chosen"])}, so)


def check_added(page: Page, store: Store, words: Words, files: dict[str, str]) -> list[str]:
    """Add files, of which one without text fails: what is not so in what is told of that."""
    before = store.there()
    evaluated(page, "added", [*files.items()])
    there = store.there()
    new = [one for one in there.values() if one.id not in before]
    changed = [o for o in there.values() if o.id in before and o.hash != before[o.id].hash]
    failed = [name for name, text in files.items() if not text]
    shown, count = evaluated(page, "library"), len(new) + len(changed)
    shown = {"toast": words.values("adding.done", shown["toast"]), "adding": shown["adding"]}
    bad = words.say("adding.failed", some=len(failed), count=len(files)) if failed else ""
    so = {"toast": {"count": str(count)} if count else None, "adding": bad}
    return differing([*files], shown, so) + check_documents(page, store, words)


@pytest.mark.long
def test_answers_say_what_is_so(visit: Visit, store: Store) -> None:
    visit.page.evaluate(SCRIPT)
    false: list[str] = []
    for questions, alone in CONVERSATIONS:
        false += check_conversation(visit.page, store, Words("en"), questions, alone=alone)
    assert false == [], "\n".join(["", *false])


@pytest.mark.long
def test_what_is_said_of_parts_of_the_documents_is_so(
    visit: Visit, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, words = visit.page, Words("en")
    page.evaluate(SCRIPT)
    by_title = {one.title: one for one in store.there().values()}
    library, house, hire = (by_title[title] for title in OF_PARTS)
    numbers = {
        title: next(p.number for p in by_title[title].paragraphs if text in p.text)
        for title, (text, _) in OF_PARTS.items()
    }
    about = [
        (question, by_title[title].id, numbers[title])
        for title, (_, asked) in OF_PARTS.items()
        for question in asked
    ]
    questions = [question for _, asked in OF_PARTS.values() for question in asked]
    false = check_conversation(page, store, words, about)
    for within in ([library], [house, hire]):
        ids = [one.id for one in within]
        false += check_conversation(page, store, words, questions, alone=True, within=ids)

    # In a notebook there is what is in it, and nothing else.
    notebook = evaluated(page, "notebook", "House", [house.id, library.id])
    evaluated(page, "open", {"notebook": notebook})
    monkeypatch.setattr(store, "notebook", notebook)
    false += check_conversation(page, store, words, questions, alone=True)
    false += check_documents(page, store, words)
    shown = evaluated(page, "listed")
    false += differing("a notebook", shown, {"conversations": len(store.conversations())})

    # What is highlighted on pages lies on its words.
    places = {}
    for paragraph in library.paragraphs[1::4]:
        evaluated(page, "highlight", library.id, paragraph.number)
        of = words.say("reader.highlight.of", quote=paragraph.text)
        places[of] = store.lit(library.id, paragraph.start, paragraph.end, by_words=True)
    shown = dict(evaluated(page, "highlighted", library.id, len(places)))
    false += differing("highlights", shown, places) + noted(store, words, evaluated(page, "notes"))
    assert false == [], "\n".join(["", *false])


@pytest.mark.long
@pytest.mark.parametrize("visit", [{"locale": "de-DE"}], indirect=True, ids=["de"])
def test_answers_say_what_is_so_in_german(visit: Visit, store: Store) -> None:
    visit.page.evaluate(SCRIPT)
    false = check_conversation(visit.page, store, Words("de"), IN_GERMAN, alone=True)
    assert false == [], "\n".join(["", *false])


@pytest.mark.long
def test_what_is_said_of_documents_that_change_is_so(visit: Visit, store: Store) -> None:
    page, words = visit.page, Words("en")
    page.evaluate(SCRIPT)
    false = check_added(page, store, words, {"tides.md": TIDES, "buoys.md": BUOYS})
    by_title = {document.title: identity for identity, document in store.there().items()}
    tides, buoys = by_title["Tides"], by_title["Buoys"]

    # Answers are kept, and paragraphs highlighted.
    evaluated(page, "begin")
    for question in OF_HARBOUR:
        evaluated(page, "ask", question, {"alone": True})
        evaluated(page, "keep", -1)
    for document, number in ((tides, 1), (tides, 3), (tides, 4), (tides, 5), (buoys, 1)):
        evaluated(page, "highlight", document, number)
    identity = evaluated(page, "conversation")

    def check() -> list[str]:
        kept = store.kept(identity)
        found = noted(store, words, evaluated(page, "notes"))
        found += lapsed(store, words, kept, evaluated(page, "lapsed"))
        for at, turn in enumerate(kept):
            if citation := first_passage(turn):
                shown = evaluated(page, "follow", at, 0)
                found += followed(store, words, kept, citation, shown)
        return found

    false += check()
    # The same again is nothing new; what failed once is not counted among what is added later.
    for files in (
        {"tides.md": TIDES},
        {"tides.md": TIDES_NOW, "empty.txt": ""},
        {"rocks.md": "# Rocks\n\nThe rocks are dry at low water.\n"},
    ):
        false += check_added(page, store, words, files)
    false += check()

    # In another conversation too, that no answer cites a paragraph is said of what none does.
    evaluated(page, "begin")
    evaluated(page, "ask", "Which rocks are dry at low water?", {"alone": True})
    false += uncited(store, evaluated(page, "choose", buoys, 1), buoys, 1)

    # Words are found as often as they are there.
    texts = {one.title: told(one).count("one") for one in store.there().values()}
    counts = {
        title: words.say("reader.everywhere.hits", count=n) for title, n in texts.items() if n
    }
    documents = words.say("reader.everywhere.documents", count=len(counts))
    total = words.say("reader.everywhere.found", count=sum(texts.values()), documents=documents)
    shown, rows, here = evaluated(page, "found", "one")
    so = {"total": total, "rows": counts, "here": str(texts["Buoys"])}
    counted = {title: count for title, count, _ in rows}
    false += differing("found", {"total": shown, "rows": counted, "here": here}, so)
    places = {title: places for title, _, places in rows}
    for document in store.there().values():
        false += misplaced(words, document, "one", places.get(document.title, []))

    # A notebook holds what was put in it; a document is removed, and restored.
    evaluated(page, "notebook", "Harbour", [tides, buoys])
    for step in ("remove", "restore"):
        evaluated(page, "open", {"conversation": identity})
        evaluated(page, step, buoys)
        false += check() + check_documents(page, store, words)
        inside = [
            words.say("notebooks.documents", count=len({tides, buoys} & store.there().keys()))
        ]
        lists = evaluated(page, "listed")
        so = {
            "notebooks": [[words.say("notebooks.all"), None], ["Harbour", *inside]],
            "conversations": len(store.conversations()),
            "deleted": [] if buoys in store.there() else ["Buoys"],
        }
        false += differing(f"after {step}", lists, so)
    visit.complaints = [one for one in visit.complaints if not re.search("40[04]|422", one)]
    assert false == [], "\n".join(["", *false])
