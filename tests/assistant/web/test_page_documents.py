"""Documents on the page: reading long and hostile ones, adding and removing one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import Visit, add_file, ask, copied, exported, lit, picture, serving
from helpers import write_paragraphs
from playwright.sync_api import Browser, Locator, Page, Route, expect

LONG = 2000

HOSTILE_QUESTION = "What do the inhabitants of Zanthoria drink at breakfast?"
HOSTILE = (
    "The inhabitants of Zanthoria drink fermented walnut milk at breakfast \U0001f95b "
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=1"> **bold** [9] '
    "`${window.pwned=1}` {{constructor}} &lt;b&gt; \u202eevig\u202c zero\u200bwidth "
    "</mark></article>."
)
HEADING = "On <i>Zanthoria</i> [1]"

OWN = """Travel rules

Staff of the Quillon office may book a sleeper train for any journey of more than nine hours.

Meals on the way are paid back up to 41 euros a day.
"""
OWN_QUESTION = "How much is paid back for meals on the way?"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("documents")
    hostile = folder / "hostile <b>.txt"
    word = "x" * 10_000
    hostile.write_text(f"{HEADING}\n\n{HOSTILE} It is mild.\n\nA word: {word} it is.\n", "utf-8")
    long = folder / "long.md"
    # Texts that stand in several places are embedded once, so this takes a moment only.
    texts = [
        f"Remark {n} of the harbour master notes that berth {n} was dredged, and that " * 6
        + "nothing was found."
        for n in range(25)
    ]
    parts = [
        f"{f'# Part {n // 100 + 1}' if n % 100 == 0 else ''}\n\n{texts[n % 25]}\n\n"
        for n in range(LONG)
    ]
    long.write_text("".join(parts), "utf-8")
    with serving(folder, "--source", hostile, "--source", long) as address:
        yield address


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "travel.txt"
    file.write_text(OWN, "utf-8")
    return file


def titles(page: Page) -> Locator:
    """The documents that the page lists, which it asks the server for anew after a change."""
    return page.locator("#documents label b")


def test_hostile_text_is_shown_as_text(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, HOSTILE_QUESTION)
    assert turn.get_attribute("data-state") == "answered"
    expect(turn.locator(".words").first).to_contain_text(HOSTILE)
    marker = turn.locator(".marker").first
    marker.hover()
    expect(page.locator("#tooltip q")).to_contain_text(HOSTILE)
    marker.click()
    assert lit(page) == HOSTILE
    expect(page.locator("#pages h3").first).to_have_text(HEADING)
    card = turn.locator(".card").first
    expect(card.locator(".paragraph")).to_contain_text(HOSTILE)
    expect(card.locator("h4")).to_contain_text(HEADING)
    # A sentence has the markers that we gave it; what looks like one in the text is text.
    assert turn.locator(".marker").all_inner_texts() == ["[1]"]
    picture(page, "hostile")

    assert HOSTILE in copied(page, turn.get_by_role("button", name="Copy with footnotes"))

    question = (
        "<img src=x onerror=window.pwned=1><b>Who</b> said 'this' \u202e${window.pwned=1} "
        + ("w" * 3000)
    )
    turn = ask(page, question)
    expect(turn.locator(".question")).to_have_text(question)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    foreign = "main :is(img, b, i, script, iframe), dialog :is(img, script)"
    assert page.locator(foreign).count() == 0
    assert page.evaluate("typeof window.pwned") == "undefined"

    text = exported(page)
    for markup in ("<", "**bold**", " [9]", "`$", "](", " [1]"):
        assert markup not in text, markup
    assert "&lt;script>" in text


def laid_out(page: Page) -> int:
    """How many paragraphs of the document are laid out; what is far out of sight need not be."""
    count = page.evaluate(
        """() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => {
          const shown = (block) =>
            block.firstElementChild.checkVisibility({ contentVisibilityAuto: true });
          resolve([...document.querySelectorAll("#pages .block")].filter(shown).length);
        })))"""
    )
    assert isinstance(count, int)
    return count


def test_a_long_document_is_laid_out_where_it_is_looked_at(visit: Visit) -> None:
    """So that it scrolls like a short one, and every place of it can be reached."""
    page = visit.page
    page.get_by_label("Document to read").select_option(label="Part 1")
    expect(page.locator("#pages .block")).to_have_count(LONG)
    assert 1 <= laid_out(page) < LONG / 10
    # The end can be reached, and a place far down is found exactly.
    page.locator("#pages .number").first.focus()
    page.keyboard.press("End")
    expect(page.locator(f'#pages .block[data-number="{LONG}"]')).to_be_in_viewport()
    page.get_by_label("Find in the document").fill("Remark 24 ")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#find-count")).to_have_text("480 of 480")
    expect(page.locator(f'#pages .block[data-number="{LONG}"]')).to_be_in_viewport()


def test_files_are_added_asked_and_removed(visit: Visit, own: Path, tmp_path: Path) -> None:
    page = visit.page
    binary = tmp_path / "picture.txt"
    binary.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)))
    empty = tmp_path / "empty.txt"
    empty.write_text("  \n")
    add_file(page, own, binary, empty)
    rows = page.locator("#uploads li")
    # What failed stands first, and stays until it is forgotten.
    expect(rows.filter(has_text="picture.txt")).to_contain_text("kind of file cannot be read")
    expect(rows.filter(has_text="empty.txt")).to_contain_text("There is no text in it")
    expect(rows.last).to_contain_text("Added: 2 paragraphs")
    expect(page.locator("#adding-text")).to_have_text("2 of 3 could not be added")
    expect(page.locator("#uploads")).not_to_contain_text("/tmp")
    expect(titles(page)).to_have_text([HEADING, "Part 1", "Travel rules"])
    picture(page, "documents")

    for title in (HEADING, "Part 1"):
        page.get_by_label(title, exact=False).first.uncheck()
    page.keyboard.press("Escape")
    expect(page.locator("#asking")).to_have_text("Asking Travel rules")
    turn = ask(page, OWN_QUESTION)
    expect(turn.locator(".answer")).to_contain_text("41 euros")
    turn.locator(".marker").first.click()
    assert "41 euros" in lit(page)
    # What is not ticked is not asked.
    expect(ask(page, HOSTILE_QUESTION)).not_to_contain_text("walnut milk")

    page.reload()
    visit.ready()
    expect(page.locator("#asking")).to_have_text("Asking Travel rules")
    expect(page.locator(".turn").first.locator(".answer")).to_contain_text("41 euros")
    page.locator("#open-library").click()
    page.get_by_role("button", name="Remove Travel rules").click()
    expect(page.locator("#documents li")).to_have_count(2)
    expect(page.get_by_label("Part 1", exact=False).first).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#documents li")).to_have_count(3)
    expect(page.locator("#activity-list")).to_contain_text("Restored at")
    page.get_by_role("button", name="Remove the one that is ticked").click()
    expect(page.locator("#documents li")).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#asking")).to_contain_text("No document is ticked")
    # The answer keeps where it stood, and says why the document cannot be shown.
    expect(page.locator(".turn").first.locator(".sources .card")).to_contain_text("Travel rules")
    page.locator(".turn").first.locator(".marker").first.click()
    expect(page.locator("#reader-note")).to_contain_text("no longer here")
    visit.complaints = [c for c in visit.complaints if "404" not in c]


def test_dropped_files_are_added_and_their_language_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    page.evaluate(
        """(text) => {
          const data = new DataTransfer();
          data.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
          const drop = (name) => document.body.dispatchEvent(
            new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data }));
          drop("dragenter");
          window.covered = !document.getElementById("dropping").hidden;
          drop("dragover");
          drop("drop");
        }""",
        OWN,
    )
    assert page.evaluate("window.covered")
    expect(page.locator("#uploads .done")).to_have_count(1)
    expect(page.locator("#dropping")).to_be_hidden()
    expect(page.locator("#library")).to_be_hidden()
    expect(page.locator("#toast")).to_have_text("Added: 1 document")
    expect(titles(page).filter(has_text="Travel rules")).to_have_count(1)

    # Another language is told.
    file = tmp_path / "fahrplan.txt"
    file.write_text(
        "Die Fähre nach Brenna fährt morgens um neun Uhr ab. Bei starkem Wind bleibt sie im Hafen."
    )
    add_file(page, file)
    expect(page.locator("#uploads li").last).to_contain_text("It is in German")
    row = page.locator("#documents li").filter(has_text="fahrplan.txt")
    expect(row).to_contain_text("in German: less sure")
    picture(page, "documents-german")


def test_what_is_said_to_be_added_is_asked(visit: Visit, own: Path) -> None:
    page = visit.page
    held: list[Route] = []
    page.route("**/session", lambda route: held.append(route))
    page.locator("#open-library").click()
    page.locator("#files").set_input_files(own)
    while not held:  # the page asks anew which documents there are
        page.wait_for_timeout(20)
    assert page.locator("#uploads .done").count() == 0
    held[0].continue_()
    page.unroute("**/session")
    expect(page.locator("#uploads .done")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(ask(page, OWN_QUESTION).locator(".answer")).to_contain_text("41 euros")


def test_adding_is_seen_everywhere_and_cancelled(visit: Visit, own: Path, tmp_path: Path) -> None:
    page = visit.page
    before = titles(page).all_inner_texts()
    long = [tmp_path / f"long-{number}.txt" for number in range(2)]
    for number, file in enumerate(long):  # more than is done before it is cancelled
        write_paragraphs(file, 3000, seed=7 + number)
    page.locator("#first-files").set_input_files([*long, own])
    # Above the page, with the panel closed, and in the panel.
    expect(page.locator("#adding-text")).to_have_text(re.compile(r"Adding 1 of 3: long-\d.txt"))
    page.locator("#open-library").click()
    expect(page.locator("#library #adding-text")).to_be_visible()
    rows = page.locator("#uploads li")
    expect(rows.filter(has_text="Reading:")).to_have_count(1)
    # Of what waits here for its turn there, it is told that something is before it.
    expect(rows.filter(has_text="Waiting: 1 before it")).to_have_count(1)
    picture(page, "documents-adding")
    page.get_by_role("button", name="Cancel adding travel.txt").click()
    expect(rows.filter(has_text="travel.txt")).to_contain_text("Cancelled: not added")
    page.locator("#adding-cancel").click()
    expect(page.locator("#uploads .cancelled")).to_have_count(3)
    expect(page.locator("#uploads :is(progress, button)")).to_have_count(0)
    expect(page.locator("#adding")).to_be_hidden()
    expect(titles(page)).to_have_text(before)
    # The place is free again: what is added now is indexed.
    page.locator("#files").set_input_files(own)
    expect(page.locator("#uploads .done")).to_have_count(1)
    expect(titles(page)).to_have_text([*before, "Travel rules"])


def test_what_is_added_elsewhere_appears(
    visit: Visit, browser: Browser, url: str, own: Path
) -> None:
    second = Visit(browser, url)
    add_file(visit.page, own)
    expect(titles(second.page)).to_have_count(2)
    second.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(titles(second.page)).to_have_text([HEADING, "Part 1", "Travel rules"])
    second.close()
