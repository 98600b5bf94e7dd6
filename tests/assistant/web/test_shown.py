"""What the page shows is so: answers to many questions of every kind, held against the documents
and against what is kept."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, ask, lit, print_pdf, serving
from crowd import SEED
from helpers import ROOT
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page

from index import Document, Index, Paragraph

SETS = ROOT / "evals" / "questions"
RULES = ("allotment", "bicycles", "dishwasher", "hostel", "leave")
TABLE = """Year,Ships,Revenue,Remark
2021,311,5.2 million,The quay was repaired
2022,287,6.4 million,Two cranes were painted
"""
#: Comparisons, questions of several parts, for places and for overviews, on pages, and odd ones.
OF_EVERY_KIND = [
    "Compare how Russia and China see the future global order.",
    "How do touring bicycles and electric bicycles differ in price?",
    "How does a biscuit firing differ from stoneware?",
    "How much is a half plot, and what is the capital of Peru?",
    "When do lights go out? And who wrote the house rules?",
    "Where does it talk about energy?",
    "Where is the deposit mentioned?",
    "Where does it mention zebras?",
    "What are the main points of this document?",
    "Summarize the section on Animals.",
    "How many books may be on loan at a time?",
    "What was the revenue in 2022?",
    "???",
]
#: What the newest turn shows; of each card all of its paragraph.
SHOWN = """() => {
  const turn = [...document.querySelectorAll(".turn")].at(-1);
  const all = (of, selector) => [...of.querySelectorAll(selector)];
  const words = (of) => of?.textContent ?? null;
  for (const more of all(turn, ".card footer > .more[aria-expanded]")) more.click();
  const cards = (list) => all(turn, list).map((one) => ({
    place: words(one.querySelector(".go")), paragraph: words(one.querySelector(".paragraph")),
    lit: all(one, "mark").map(words).join(""),
  }));
  return {
    sentences: all(turn, ".answer .sentence").map((one) => ({
      words: words(one.querySelector(".words")), verdict: one.dataset.verdict,
      markers: all(one, ".marker").map((own) => [words(own), own.getAttribute("aria-label")]),
    })),
    sources: cards(".sources > .card"), passages: cards(".passages .card"),
    below: all(turn, ".head > p, .after > p").map(words).join(" "),
  };
}"""
#: The newest turn of the conversation that is open, as it is kept.
KEPT = """async () => {
  const id = location.hash.split("/").at(-1);
  return (await (await fetch(`conversations/${id}`)).json()).turns.at(-1).answer;
}"""


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
    (documents / "harbour.csv").write_text(TABLE, encoding="utf-8")
    html = MarkdownIt().render((SETS / "rules" / "library.md").read_text(encoding="utf-8"))
    print_pdf(browser, html, documents / "library.pdf")
    with serving(folder, "--source", documents) as address:
        yield address


def of_set(name: str, count: int) -> list[str]:
    """Questions of a shipped set, in every run the same."""
    lines = (SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    found = [row["question"] for row in map(json.loads, lines) if "question" in row]
    return random.Random(7).sample(found, count)


def one_line(text: str) -> str:
    return " ".join(text.split())


def place_of(paragraph: Paragraph, title: str = "") -> str:
    """The place of a paragraph as it is said; a heading that is the title is said with that."""
    headings = [one for one in paragraph.heading if one != title]
    number = f"paragraph {paragraph.number}"
    return " › ".join(filter(None, [*headings, paragraph.locator, number]))


def false_in(index: Index, shown: Mapping[str, Any], answer: Mapping[str, Any]) -> list[str]:
    """What is shown of an answer and is not so, one a line."""
    found: list[str] = []

    def same(of: str, told: object, truth: object) -> None:
        if told != truth:
            found.append(f"{answer['question']!r}, {of}: {told!r} is {truth!r}")

    def stands(citation: Mapping[str, Any]) -> tuple[Document, Paragraph]:
        """Where a citation stands: its document and its paragraph."""
        document = index.document(citation["document_id"])
        paragraph = document.paragraphs[citation["paragraph"] - 1]
        quote = document.text[citation["start"] : citation["end"]]
        same("a quote", citation["quote"], quote)
        same("its paragraph", quote in paragraph.text, True)
        return document, paragraph

    is_answered = answer["status"] == "answered"
    texts = [one["text"] for one in answer["sentences"]] if is_answered else []
    same("the sentences", [one["words"] for one in shown["sentences"]], texts)
    cited = {citation["marker"]: citation for citation in answer["citations"]}
    numbers = dict.fromkeys(
        int(text.strip("[]")) for one in shown["sentences"] for text, _ in one["markers"]
    )
    same("the numbers of the sources", [*numbers], [*cited] if is_answered else [])
    for sentence in shown["sentences"]:
        quotes = []
        for text, label in sentence["markers"]:
            citation = cited[int(text.strip("[]"))]
            document, paragraph = stands(citation)
            said = f"Source {citation['marker']}: {document.title}, {place_of(paragraph)}"
            same("a source", label, said)
            quotes.append(one_line(citation["quote"]))
        same("the verdict", sentence["verdict"], "quoted" if quotes else "own")
        same("what is quoted", not quotes or sentence["words"] in quotes, True)
    # Sources are shown once a paragraph, passages each by itself.
    grouped: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for citation in answer["citations"] if is_answered else ():
        key = (citation["document_id"], citation["paragraph"])
        grouped.setdefault(key, []).append(citation)
    passages = answer["closest"] if is_answered else answer["citations"] or answer["closest"]
    groups = [*grouped.values(), *([one] for one in passages)]
    cards = [*shown["sources"], *shown["passages"]]
    same("how many passages there are", len(cards), len(groups))
    for card, group in zip(cards, groups, strict=False):
        document, paragraph = stands(group[0])
        place = f"{document.title} › {place_of(paragraph, document.title)}"
        same("a place", card["place"], place)
        if card["paragraph"] is not None:  # else it is told above, every word
            whole = paragraph.text.replace(" | ", "\n") if paragraph.kind == "row" else None
            same("a paragraph", card["paragraph"], whole or paragraph.text)
            for citation in group:
                quote = one_line(citation["quote"].replace(" | ", "\n"))
                same("what is lit up", quote in one_line(card["lit"]), True)
    # What was asked and is not there is told, and so is what is noted.
    missing = [*answer["unanswered"], *answer["undecided"]]
    for due in [*missing, *([answer["note"]] if answer["note"] else [])]:
        same("what it does not say", due in shown["below"], True)
    is_partial = is_answered and bool(missing)
    same("whether it is partial", "Partly answered" in shown["below"], is_partial)
    return found


def follow(page: Page, answer: Mapping[str, Any]) -> list[str]:
    """What is lit up otherwise in the document when the first source is followed there."""
    first = next(iter([*answer["citations"], *answer["closest"]]), None)
    if first is None or first["locator"]:  # of pages and rows other tests tell
        return []
    page.locator(".turn .card .go").first.click()
    shown = lit(page)
    return [] if shown == first["quote"] else [f"{first['quote']!r} is lit up as {shown!r}"]


@pytest.mark.long
def test_answers_say_what_is_so(visit: Visit, folder: Path) -> None:
    page = visit.page
    false: list[str] = []
    questions = [*OF_EVERY_KIND, *of_set("rules", 40), *of_set("assorted", 40)]
    questions += [*of_set("seed_parts", 14), *of_set("seed_lists", 8)]
    with closing(Index(folder / "index")) as index:
        for question in questions:
            page.locator("#new").click()
            ask(page, question)
            answer = page.evaluate(KEPT)
            false += false_in(index, page.evaluate(SHOWN), answer) + follow(page, answer)
    assert false == [], "\n".join(["", *false])
