"""Documents on the page: hostile and long ones, adding, finding, replacing and removing one's own,
and a folder that is followed."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    Visit,
    act_on,
    add_file,
    ask,
    barriers,
    copied,
    downloaded,
    exported,
    lit,
    make_notebook,
    serving,
    settled,
)
from chroma_servers import until
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
FERRY = "The ferry to Brenna leaves at nine in the morning."
NOON = "The ferry to Brenna leaves at noon."

OWN = """Travel rules

Staff of the Quillon office may book a sleeper train for any journey of more than nine hours.

Meals on the way are paid back up to 41 euros a day.
"""
OWN_QUESTION = "How much is paid back for meals on the way?"
NUTS = "Walnuts float in brine. Hazelnuts sink in it."
TREES = ("Beech", "Ash", "Élm", "Oak", "Pine", "Yew")
OTHERS = [HEADING, "Part 1"]  # what is there whoever comes

#: Drops a file with this text on the page.
DROP = """(text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], "dropped.txt", { type: "text/plain" }));
  const drop = (name) => document.body.dispatchEvent(
    new DragEvent(name, { bubbles: true, cancelable: true, dataTransfer: data }));
  drop("dragenter");
  window.covered = !document.getElementById("dropping").hidden;
  drop("dragover");
  drop("drop");
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is followed, of a hostile document, a long one, and one that cannot be read."""
    folder = tmp_path_factory.mktemp("documents") / "papers"
    folder.mkdir()
    word = "x" * 10_000
    (folder / "hostile <b>.txt").write_text(
        f"{HEADING}\n\n{HOSTILE} It is mild.\n\nA word: {word} it is.\n", "utf-8"
    )
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
    (folder / "long.md").write_text("".join(parts), "utf-8")
    (folder / "scan.pdf").write_bytes(b"%PDF-1.4 and nothing else")
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with serving(folder.parent, "--source", folder, "--watch") as address:
        yield address


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "travel.txt"
    file.write_text(OWN, "utf-8")
    return file


def titles(page: Page) -> Locator:
    """The documents that the page lists, which it asks the server for anew after a change."""
    return page.locator("#documents b:visible")


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


def test_hostile_text_is_shown_as_text(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, HOSTILE_QUESTION)
    assert turn.get_attribute("data-state") == "answered"
    expect(turn.locator(".words").first).to_contain_text(HOSTILE)
    marker = turn.locator(".marker").first
    marker.hover()
    expect(page.locator("#tooltip small")).to_contain_text(HEADING)
    marker.click()
    assert lit(page) == HOSTILE
    expect(page.locator("#pages h3").first).to_have_text(HEADING)
    card = turn.locator(".card").first
    expect(card.locator(".paragraph")).to_contain_text(HOSTILE)
    expect(card.locator("h4")).to_contain_text(HEADING)
    # A sentence has the markers that we gave it; what looks like one in the text is text.
    assert turn.locator(".marker").all_inner_texts() == ["[1]"]
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

    # A long document is laid out where it is looked at, so that it scrolls like a short one.
    page.get_by_label("Document to read").select_option(label="Part 1")
    expect(page.locator("#pages .block")).to_have_count(LONG)
    assert 1 <= laid_out(page) < LONG / 10
    # A place far down is found exactly.
    page.get_by_label("Find in the document").fill("Remark 24 ")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#find-count")).to_have_text("480 of 480")
    expect(page.locator(f'#pages .block[data-number="{LONG}"]')).to_be_in_viewport()


def test_files_are_added_asked_and_removed(
    visit: Visit, browser: Browser, url: str, own: Path, tmp_path: Path
) -> None:
    page = visit.page
    elsewhere = Visit(browser, url)
    expect(elsewhere.page.locator("#documents b")).to_have_count(2)
    page.locator("#open-library").click()
    expect(titles(page)).to_have_text(OTHERS)
    # What is said to be added can be asked: the page asks anew before which documents there are.
    held: list[Route] = []
    page.route("**/session", lambda route: held.append(route))
    page.locator("#files").set_input_files(own)
    until(lambda: held or page.wait_for_timeout(20))
    expect(page.locator("#uploads .done")).to_have_count(0)
    for route in held:
        route.continue_()
    page.unroute("**/session")
    expect(page.locator("#uploads .done")).to_contain_text("Added: 2 paragraphs")
    expect(titles(page)).to_have_text([*OTHERS, "Travel rules"])
    # What is added elsewhere appears.
    elsewhere.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(elsewhere.page.locator("#documents b")).to_have_text([*OTHERS, "Travel rules"])
    elsewhere.close()

    binary = tmp_path / "picture.txt"
    binary.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)))
    empty = tmp_path / "empty.txt"
    empty.write_text("  \n")
    page.locator("#files").set_input_files([own, binary, empty])
    rows = page.locator("#uploads li")
    expect(page.locator("#uploads :is(.done, .wrong)")).to_have_count(3)
    expect(rows.filter(has_text="picture.txt")).to_contain_text("kind of file cannot be read")
    expect(rows.filter(has_text="empty.txt")).to_contain_text("No text found in this file")
    expect(rows.last).to_contain_text("Already here, unchanged")
    expect(page.locator("#adding-text")).to_have_text("2 of 3 could not be added")
    page.locator("#adding").get_by_role("button", name="Dismiss").click()
    expect(page.locator("#uploads .wrong")).to_have_count(0)
    expect(page.locator("#adding")).to_be_hidden()

    page.get_by_role("button", name="Ask only Travel rules").click()
    expect(page.locator("#library")).to_be_hidden()
    expect(page.locator("#asking")).to_have_text("Asking Travel rules")
    turn = ask(page, OWN_QUESTION)
    expect(turn.locator(".answer")).to_contain_text("41 euros")
    turn.locator(".marker").first.click()
    assert "41 euros" in lit(page)
    # What is not chosen is not asked, unless the question is put to all documents.
    turn = ask(page, HOSTILE_QUESTION)
    expect(turn).not_to_contain_text("walnut milk")
    turn.get_by_role("button", name="Ask all 3 documents").click()
    turn = settled(page)
    expect(turn.locator(".sentence").first).to_contain_text("walnut milk")
    expect(turn.locator(".stage .place").first).to_contain_text(HEADING)

    page.reload()
    visit.ready()
    expect(page.locator("#asking")).to_have_text("Asking Travel rules")
    expect(page.locator(".turn").first.locator(".answer")).to_contain_text("41 euros")
    page.locator("#open-library").click()
    expect(page.locator("#documents .asked:visible")).to_have_count(1)
    act_on(page, "Travel rules", "Remove")
    expect(titles(page)).to_have_count(2)
    expect(page.get_by_label("Select Part 1")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(3)
    # It is called as its owner calls it.
    act_on(page, "Travel rules", "Rename")
    page.get_by_label("Title of the document").fill("Rules of 2026")
    page.keyboard.press("Enter")
    expect(page.locator("#asking")).to_have_text("Asking Rules of 2026")
    page.get_by_label("Select Rules of 2026").check()
    page.locator("#remove-selected").click()
    expect(titles(page)).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.locator("#asking")).to_contain_text("No document is selected")
    page.get_by_role("button", name="Ask all", exact=True).click()
    expect(page.locator("#asking")).to_have_text("Asking all 2 documents")
    # The answer keeps where it stood, and says why the document cannot be shown.
    expect(page.locator(".turn").first.locator(".sources .card")).to_contain_text("Travel rules")
    page.locator(".turn").first.locator(".marker").first.click()
    expect(page.locator("#reader-note")).to_contain_text("no longer here")
    visit.complaints = [c for c in visit.complaints if "404" not in c]


def test_files_are_dropped_and_adding_them_is_cancelled(
    visit: Visit, own: Path, tmp_path: Path
) -> None:
    page = visit.page
    page.evaluate(DROP, OWN)
    assert page.evaluate("window.covered")
    expect(page.locator("#uploads .done")).to_have_count(1)
    expect(page.locator("#dropping")).to_be_hidden()
    expect(page.locator("#library")).to_be_hidden()
    expect(page.locator("#toast")).to_have_text("Added: 1 document")
    expect(page.locator("#documents b").filter(has_text="Travel rules")).to_have_count(1)
    page.evaluate(DROP, OWN)
    expect(page.locator("#toast")).to_have_text("Already here, unchanged")

    # Another language is told.
    file = tmp_path / "fahrplan.txt"
    file.write_text(
        "Die Fähre nach Brenna fährt morgens um neun Uhr ab. Bei starkem Wind bleibt sie im Hafen."
    )
    add_file(page, file)
    expect(page.locator("#uploads li").last).to_contain_text("It is in German")
    row = page.locator("#documents li").filter(has_text="fahrplan.txt")
    expect(row).to_contain_text("German (less accurate")
    page.keyboard.press("Escape")

    # Adding is seen above the page, with the panel closed, and in the panel.
    before = page.locator("#documents b").all_inner_texts()
    long = [tmp_path / f"long-{number}.txt" for number in range(2)]
    for number, name in enumerate(long):  # more than is done before it is cancelled
        write_paragraphs(name, 3000, seed=7 + number)
    last = tmp_path / "last.txt"
    last.write_text("Last\n\nThis one is added at last.")
    page.locator("#first-files").set_input_files([*long, last])
    expect(page.locator("#adding-text")).to_have_text(re.compile(r"Adding 1 of 3: long-\d.txt"))
    page.locator("#open-library").click()
    expect(page.locator("#library #adding-text")).to_be_visible()
    rows = page.locator("#uploads li")
    expect(rows.filter(has_text="Reading:")).to_have_count(1)
    # Of what waits here for its turn there, it is told that something is before it.
    expect(rows.filter(has_text="Waiting: 1 before it")).to_have_count(1)
    page.get_by_role("button", name="Cancel adding last.txt").click()
    expect(rows.filter(has_text="last.txt")).to_contain_text("Cancelled: not added")
    page.locator("#adding-cancel").click()
    expect(page.locator("#uploads .cancelled")).to_have_count(3)
    expect(page.locator("#uploads :is(progress, button)")).to_have_count(0)
    expect(page.locator("#adding")).to_be_hidden()
    expect(titles(page)).to_have_text(before)
    # The place is free again: what is added now is indexed.
    page.locator("#files").set_input_files(last)
    expect(page.locator("#uploads .done")).to_have_count(1)
    expect(titles(page).filter(has_text="Last")).to_have_count(1)


def test_what_was_just_added_is_shown_and_replaced_only_if_that_is_wanted(
    visit: Visit, url: str, tmp_path: Path
) -> None:
    page, guide = visit.page, visit.page.locator("#guide")
    count = page.locator("#document-count")
    expect(guide).to_be_hidden()
    parts = {
        "How long does a firing take?": "A firing takes nine hours from the lighting of the burner "
        "to the cooling of the kiln.",
        "Storing the clay": "Clay is stored in the cellar, where it does not dry out.",
        "Attention!": "It is hot.",
    }
    file = tmp_path / "kiln.md"
    text = "\n\n".join(f"## {heading}\n\n{said}" for heading, said in parts.items())
    file.write_text(f"# The kiln\n\n{text}\n")
    add_file(page, file)
    page.keyboard.press("Escape")
    expect(guide.locator("h3")).to_have_text("The kiln")
    expect(guide.locator("p")).to_have_text("Markdown · English")
    headings = guide.get_by_role("button")
    expect(headings).to_have_text(["How long does a firing take?", "Storing the clay"])
    headings.last.click()
    expect(page.locator("#reader-choice option:checked")).to_have_text("The kiln")
    expect(page.locator("#pages").get_by_text(parts["Storing the clay"])).to_be_in_viewport()
    ask(page, "How long does a firing take?")
    expect(guide).to_be_hidden()
    page.locator("#open-library").click()
    act_on(page, "The kiln", "Remove")
    expect(titles(page)).to_have_text(OTHERS)
    page.keyboard.press("Escape")

    # A file of a name that is there replaces it only if that is wanted.
    files = {"nuts.txt": NUTS, "trees.txt": "Elms grow slowly in the shade."}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    add_file(page, *(tmp_path / name for name in files))
    expect(count).to_have_text("4")
    page.keyboard.press("Escape")
    # A document that another tab removes is no longer asked.
    session = visit.context.request.get(f"{url}session").json()
    [trees] = [one["id"] for one in session["documents"] if one["name"] == "trees.txt"]
    visit.context.request.delete(f"{url}documents/{trees}")
    turn = ask(page, "What floats in brine?")
    expect(turn.locator(".failure")).to_contain_text("A selected document is no longer here")
    turn.get_by_role("button", name="Ask again").click()
    expect(turn.locator(".answer")).to_contain_text("Walnuts")
    expect(turn.locator(".since")).to_have_count(0)
    expect(count).to_have_text("3")
    visit.complaints.clear()  # the browser tells of the answer that it was gone

    page.locator("#open-library").click()
    file = tmp_path / "nuts.txt"
    same, added = "Already here, unchanged", "Added: 1 paragraph"
    for text, choice, there, told in (
        (NUTS, None, "3", same),
        (NUTS.replace("brine", "water"), None, "3", added),
        (f"{NUTS} Elms.", "Keep both", "4", added),
        ("Chestnuts float in brine. Hazelnuts sink in it.", "Replace", "4", added),
    ):
        file.write_text(text)
        page.locator("#files").set_input_files(file)
        if choice:
            expect(page.locator("#adding-text")).to_contain_text("A document with this name exists")
            page.locator("#adding").get_by_role("button", name=choice).click()
        expect(page.locator("#uploads .done")).to_contain_text(told)
        expect(page.locator("#adding")).to_be_hidden()
        expect(count).to_have_text(there)
    expect(titles(page)).to_have_text(["nuts (2).txt", "nuts.txt", *OTHERS])
    # Several of one name, chosen at once, are all kept.
    others = [tmp_path / kind / "nuts.txt" for kind in ("pecans", "cashews", "almonds")]
    for other in others:
        other.parent.mkdir()
        other.write_text(f"There are {other.parent.name} in the tin.")
    page.locator("#files").set_input_files(others)
    expect(page.locator("#adding-text")).to_contain_text("3 documents with these names exist")
    page.locator("#adding-both").click()
    expect(count).to_have_text("7")
    kept = [f"nuts ({number}).txt" for number in (2, 3, 4, 5)]
    expect(titles(page)).to_have_text([*kept, "nuts.txt", *OTHERS])
    page.keyboard.press("Escape")
    # An answer tells that its document has changed.
    expect(turn.locator(".since")).to_contain_text("[1] is no longer in it")
    turn.locator(".marker").first.click()
    expect(page.locator("#reader-note")).to_contain_text("This is where it stood")
    page.reload()
    visit.ready()
    expect(turn.locator(".since")).to_be_visible()


def test_documents_are_found_and_put_into_notebooks(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    for name in ("Trees", "Trees/old"):
        (tmp_path / name).mkdir()
    for number, name in enumerate(TREES):
        file = tmp_path / ("Trees/old" if name == "Oak" else "Trees") / f"{number}.txt"
        file.write_text(f"{name}\n\nThe {name} grows slowly here.\n\n" + "It is old.\n\n" * number)
    (tmp_path / "Trees" / "3.txt").write_text("Fir\n\nThe fir has the name of another file.")
    (tmp_path / "Trees" / ".hidden").write_text("Not meant to be read.")
    page.locator("#open-library").click()
    page.locator("#ways input").nth(1).set_input_files(tmp_path / "Trees")
    expect(page.locator("#uploads .done")).to_have_count(7)
    expect(page.locator("#documents h3")).to_have_text(["Trees", "Trees › old"])
    # Nothing is removed that nobody has selected.
    remove = page.locator("#remove-selected")
    expect(remove).to_be_hidden()
    trees = ["Ash", "Beech", "Élm", "Fir", "Pine", "Yew", "Oak"]
    expect(titles(page)).to_have_text([*OTHERS, *trees])
    # Found by words, whatever marks they bear; what is not found is not selected.
    page.get_by_label("Find a document").fill("elm tree")
    expect(titles(page)).to_have_text(["Élm"])
    page.get_by_role("button", name="Select all").click()
    expect(page.locator("#selection-count")).to_have_text("1 selected")
    page.get_by_label("Find a document").fill("")
    # What is selected before stays so.
    page.get_by_role("button", name="Select Trees/old").click()
    expect(page.locator("#selection-count")).to_have_text("2 selected")
    assert barriers(page) == []
    page.get_by_role("button", name="Ask only Trees/old", exact=True).click()
    expect(page.locator("#asking")).to_have_text("Asking Oak")
    page.get_by_role("button", name="Ask all", exact=True).click()
    page.locator("#open-library").click()
    expect(page.locator("#selection")).to_be_hidden()
    expect(page.locator("#uploads li")).to_have_count(0)
    page.get_by_role("button", name="Select all").click()
    expect(remove).to_have_text("Remove 7")
    remove.click()
    expect(titles(page)).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(9)
    page.get_by_role("button", name="Select all").click()
    with zipfile.ZipFile(downloaded(page, page.get_by_role("link", name="Download"))) as archive:
        assert len(archive.namelist()) == 9
    page.keyboard.press("Escape")

    # They are added to notebooks, many at once, and removed from them.
    make_notebook(page, "Woods")
    page.locator("#open-library").click()
    # What is empty shows at once what may be added.
    expect(page.get_by_role("heading", name="Add documents to Woods")).to_be_visible()
    page.get_by_label("Select Oak").check()
    page.get_by_role("button", name="Add to notebook").click()
    expect(page.get_by_role("heading", name="Woods")).to_be_visible()
    expect(titles(page)).to_have_text(["Oak"])
    assert barriers(page) == []
    act_on(page, "Oak", "Remove from the notebook")
    expect(titles(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(1)
    page.get_by_role("button", name="Add from your documents").click()
    page.get_by_role("button", name="Select all").click()
    page.get_by_role("button", name="Add to notebook").click()
    expect(titles(page)).to_have_count(9)
    act_on(page, "Oak", "Remove from the notebook")
    expect(titles(page)).to_have_count(8)
    page.keyboard.press("Escape")
    # From outside, by the menu of a document.
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name").first.click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    page.locator("#open-library").click()
    act_on(page, "Oak", "Woods")
    expect(page.locator("#toast")).to_contain_text("Added to Woods: Oak")


def test_what_changes_in_a_folder_is_shown_and_asked(visit: Visit, folder: Path) -> None:
    page = visit.page
    toast = page.locator("#toast")
    (folder / "ferry.txt").write_text(FERRY)
    expect(toast).to_contain_text("Added: ferry.txt")
    assert FERRY in ask(page, "When does the ferry to Brenna leave?").inner_text()
    (folder / "ferry.txt").write_text(NOON)
    expect(toast).to_contain_text("Changed: ferry.txt")
    assert NOON in ask(page, "When does the ferry to Brenna leave?").inner_text()
    page.locator("#open-library").click()
    expect(titles(page)).to_have_count(3)

    # What cannot be read is listed with the reason, and without where it lies.
    unread = page.locator("#unread li")
    expect(unread).to_have_count(1)
    expect(unread).to_contain_text("scan.pdf")
    assert str(folder) not in page.locator("#library").inner_text()
    (folder / "scan.pdf").unlink()
    (folder / "ferry.txt").unlink()
    expect(titles(page)).to_have_count(2)
    expect(unread).to_have_count(0)
    expect(page.locator("#changes li").first).to_contain_text("ferry.txtRemoved · ")
