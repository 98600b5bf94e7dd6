"""Passages that may answer, on the page: to be read, gone through by keys, and judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import Visit, ask, barriers, copied, exported, keep, kept, lit, phone, serving
from helpers import ROOT, footnote
from playwright.sync_api import Locator, Page, expect

from assistant.answer import UNSURE

WORDS = json.loads((ROOT / "assistant/web/static/words/en.json").read_text(encoding="utf-8"))
ASKED = "How do Japan and the US each plan to contribute to integrated deterrence?"
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("passages")


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """A page that is never sure."""
    with serving(folder, "--refuse-below", "0", "--answer-from", "1") as address:
        yield address


def answer_of(page: Page) -> dict[str, Any]:
    """The last answer, as it is kept."""
    [talk] = kept(page)
    answer = talk["turns"][-1]["answer"]
    assert isinstance(answer, dict)
    return answer


def votes(folder: Path) -> list[tuple[str, list[str]]]:
    """The verdict of each vote, and the quotes of the passages that answer."""
    lines = footnote("index", "votes", "--index-dir", folder / "index").stdout.splitlines()
    return [
        (one["verdict"], [passage["quote"] for passage in one["chosen"]])
        for one in map(json.loads, lines)
    ]


def cards(turn: Locator) -> Locator:
    return turn.get_by_role("feed").get_by_role("article")


def passage(turn: Locator, citation: dict[str, Any]) -> Locator:
    """The card of a passage, wherever it stands."""
    return turn.locator(f'[data-passage="{citation["document_id"]}/{citation["start"]}"]')


def test_they_stand_under_their_places_and_are_taken_along(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    assert turn.get_attribute("data-state") == "unsure"
    expect(turn.get_by_role("heading", name=WORDS["answer.unsure"])).to_be_visible()
    answer = answer_of(page)
    shown = cards(turn)
    expect(shown).to_have_count(len(answer["citations"]))
    assert shown.count() > 1
    for number, citation in enumerate(answer["citations"]):
        card = shown.nth(number)
        inner = [title for title in citation["heading"] if title != citation["document"]]
        place = [citation["document"], *inner, f"paragraph {citation['paragraph']}"]
        expect(card.locator("h4")).to_have_text(" › ".join(place))
        expect(card).to_have_attribute("aria-label", " › ".join(place))
        expect(card).to_have_attribute("aria-posinset", str(number + 1))
        expect(card).to_have_attribute("aria-setsize", str(shown.count()))
        expect(card.locator("mark")).to_have_text(citation["quote"])
        # First what is likeliest; the rest when it is wanted.
        text, first = card.locator(".paragraph"), citation["start"] - citation["paragraph_start"]
        last = citation["paragraph_end"] - citation["end"]
        said = ("… " if first else "") + citation["quote"] + (" …" if last else "")
        expect(text).to_have_text(said)
        if card.get_by_role("button", name="Show all").count():
            card.get_by_role("button", name="Show all").click()
        expect(text).to_have_text(citation["paragraph_text"])
    # It is no answer, and how sure it is nobody has to read.
    expect(turn.locator(".sentence, .marker, .sources")).to_have_count(0)
    expect(turn.get_by_role("button", name="A good answer")).to_have_count(0)
    assert "%" not in turn.inner_text()
    sure = f"{round(100 * answer['confidence'])}% confidence"
    assert sure in (turn.get_by_role("heading", name=UNSURE).get_attribute("title") or "")
    assert barriers(page) == []

    # They are taken along as what they are, and printed whole.
    text = copied(page, turn.get_by_role("button", name="Copy with footnotes"))
    head, *passages = text.split("\n\n")
    assert head == f"{UNSURE}:"
    places = cards(turn).locator("h4").all_inner_texts()
    assert passages[0] == places[0]
    assert passages[1] == f"- {answer['sentences'][0]['text']} [1]"
    lines = exported(page).splitlines()
    assert any(line.startswith(f"*{UNSURE} · ") for line in lines)
    told = [line for line in lines if "[^" in line and not line.startswith("[^")]
    assert len(told) == cards(turn).count()
    page.keyboard.press("Escape")
    page.emulate_media(media="print")
    expect(page.locator("#composer")).to_be_hidden()
    expect(turn.get_by_role("button", name="Mark as the answer")).to_have_count(0)
    bottom = "own => own.getBoundingClientRect().bottom + scrollY"
    reach = page.evaluate("document.documentElement.scrollHeight")
    assert cards(turn).last.evaluate(bottom) <= reach > page.evaluate("innerHeight")


def test_it_is_said_which_answers_and_taken_back(visit: Visit, folder: Path) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    shown, citations = cards(turn), answer_of(page)["citations"]
    first, second = (passage(turn, citation) for citation in citations[:2])
    marked = turn.locator(".marked").get_by_role("article")
    count = shown.count()
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(shown.nth(0)).to_be_focused()
    for key, number in (("j", 1), ("k", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 0)):
        page.keyboard.press(key)
        expect(shown.nth(number)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert lit(page) == citations[1]["quote"]
    expect(second).to_have_attribute("aria-current", "true")
    expect(second).to_be_focused()
    # What is marked is the answer: it stands on top, with its place, and the others fold.
    page.keyboard.press("y")
    expect(marked).to_have_count(1)
    expect(marked.locator(".noted")).to_have_text("Marked by you as the answer")
    expect(marked).to_have_attribute("data-passage", second.get_attribute("data-passage") or "")
    expect(marked.locator("mark")).to_have_text(citations[1]["quote"])
    expect(marked).to_be_focused()
    expect(turn.locator(".passages > summary")).to_have_text(WORDS["answer.others"])
    expect(shown).to_have_count(0)  # of those that can be seen
    assert votes(folder) == [("up", [citations[1]["quote"]])]
    assert barriers(page) == []
    # It keeps the focus when that is taken back, though it goes back among those that were folded.
    page.keyboard.press("y")
    expect(marked).to_have_count(0)
    expect(second).to_be_focused()
    page.keyboard.press("y")
    expect(marked).to_be_focused()
    # The others are reached from what has the focus.
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("y")
    expect(marked).to_have_count(0)
    expect(shown).to_have_count(count)
    expect(shown.nth(1)).to_be_focused()  # it is back in its place
    assert shown.evaluate_all("all => all.map((own) => own.tabIndex)").count(0) == 1
    expect(turn.get_by_role("heading", name=WORDS["answer.unsure"])).to_be_visible()
    assert votes(folder) == []

    # The same by the pointer.
    first.get_by_role("button", name="Mark as the answer").click()
    expect(marked).to_have_count(1)
    turn.locator(".passages > summary").click()
    second.get_by_role("button", name="Mark as the answer").click()
    expect(marked).to_have_count(2)
    assert votes(folder) == [("up", [own["quote"] for own in citations[:2]])]
    page.reload()
    expect(marked).to_have_count(2)
    expect(shown).to_have_count(0)
    first.get_by_role("button", name="Undo").click()
    expect(marked).to_have_count(1)
    assert votes(folder) == [("up", [citations[1]["quote"]])]
    # That none of them does, and that one does, cannot both be.
    second.focus()
    page.keyboard.press("0")
    expect(marked).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("found")
    assert votes(folder) == [("none", [])]
    first.get_by_role("button", name="Mark as the answer").click()
    expect(marked).to_have_count(1)
    first.get_by_role("button", name="Undo").click()
    expect(page.locator("#announcer")).to_have_text(WORDS["turn.taken_back"])
    expect(page.locator("#toast")).to_be_hidden()
    assert votes(folder) == []

    # A list keeps its lines, and a row has a cell a line.
    [talk] = kept(page)
    own = talk["turns"][0]["answer"]["citations"][0]
    own |= {"paragraph_text": "- ink\n- a pen\n- paper", "paragraph_kind": "list"}
    own |= {"introduction": "Bring these:"}
    own |= {"start": own["paragraph_start"] + 8, "end": own["paragraph_start"] + 13}
    row = talk["turns"][0]["answer"]["citations"][1]
    row |= {"paragraph_text": "Year: 2021 | Pens: 5", "paragraph_kind": "row"}
    row |= {"start": row["paragraph_start"] + 13, "end": row["paragraph_start"] + 20}
    keep(folder, talk)
    page.reload()
    text = shown.nth(0).locator(".paragraph")
    expect(text.locator("mark")).to_have_text("a pen")
    assert text.inner_text() == "… a pen …"
    shown.nth(0).get_by_role("button", name="Show all").click()
    assert text.inner_text() == "- ink\n- a pen\n- paper"
    expect(page.locator(".card .introduction").first).to_have_text("Bring these:")
    shown.nth(1).get_by_role("button", name="Show all").click()
    assert shown.nth(1).locator(".paragraph").inner_text() == "Year: 2021\nPens: 5"


def test_there_are_more_where_none_answers(visit: Visit, folder: Path) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    shown, citations = cards(turn), answer_of(page)["citations"]
    none = turn.get_by_role("button", name="None of these")
    count = shown.count()
    none.click()
    expect(shown).to_have_count(count + 5)
    assert votes(folder) == [("none", [])]

    def names() -> list[str]:
        found: list[str] = shown.evaluate_all("all => all.map((own) => own.dataset.passage)")
        return found

    assert len({*names()}) == count + 5
    expect(none).to_be_visible()
    page.reload()
    expect(shown).to_have_count(count + 5)
    # Pressed again, it says where else to look.
    offers = turn.locator(".offers")
    expect(offers.get_by_role("button")).to_have_text(["In other words"])
    none.click()
    title = citations[0]["document"]
    expect(offers.get_by_role("button")).to_have_text(
        ["In other words", f"Read {title}", "Edit the question"]
    )
    expect(offers.get_by_role("button").first).to_be_focused()
    offers.get_by_role("button", name="Read").click()
    assert lit(page) == citations[0]["quote"]

    # Other words are searched for besides, and what they find is told with them.
    offers.get_by_role("button", name="In other words").click()
    again = turn.locator(".passages").nth(1)
    found = again.get_by_role("article")
    expect(found.first).to_be_focused()
    [talk] = kept(page)
    more = talk["turns"][0]["further"][-1]
    one, other = more["searches"]
    expect(again.locator("> summary")).to_have_text(f"Searched again for “{one}” and “{other}”")
    assert found.count() == len(more["passages"]) > 0
    assert len({*names()}) == count + 5 + found.count()
    expect(offers.get_by_role("button")).to_have_text([f"Read {title}", "Edit the question"])
    found.first.get_by_role("button", name="Mark as the answer").click()
    marked = turn.locator(".marked").get_by_role("article")
    expect(marked.locator("mark")).to_have_text(more["passages"][0]["quote"])
    assert votes(folder) == [("up", [more["passages"][0]["quote"]])]
    assert barriers(page) == []
    page.reload()
    expect(marked.locator("mark")).to_have_text(more["passages"][0]["quote"])
    marked.locator(".go").click()
    assert lit(page) == more["passages"][0]["quote"]
    marked.get_by_role("button", name="Undo").click()
    expect(found.first.locator("mark")).to_have_text(more["passages"][0]["quote"])
    offers.get_by_role("button", name="Edit the question").click()
    expect(page.get_by_label("Your question")).to_have_value(ASKED)
    assert "## Sources" in exported(page)


@phone
def test_they_fit_a_phone(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, ASKED)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(FITS)
        assert barriers(page) == []
    cards(turn).first.locator(".go").click()
    expect(page.locator("#reader mark.chosen").first).to_be_in_viewport()
    page.keyboard.press("Escape")
    cards(turn).first.get_by_role("button", name="Mark as the answer").click()
    expect(turn.locator(".marked .noted")).to_be_visible()
    assert page.evaluate(FITS)
