"""The page's first minute, and its list of documents: searching, ordering, folders, notebooks."""

from __future__ import annotations

from pathlib import Path

from browsing import Visit, barriers, make_notebook, picture
from playwright.sync_api import Locator, Page, expect

NAMES = ("Beech", "Ash", "Élm", "Oak", "Pine", "Yew")


def titles(page: Page) -> Locator:
    return page.locator("#documents b:visible")


def test_who_has_no_documents_is_asked_for_them(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_role("heading", name="Add your documents")).to_be_visible()
    expect(page.locator("#begin-kept")).to_have_text(
        "What you add stays on the machine that Footnote runs on."
    )
    expect(page.locator("#try")).to_have_text(
        "Or try it with a sample: Northeast Asia in early 2022"
    )
    expect(page.locator("#starters button").first).to_be_visible()
    assert barriers(page) == []
    begin = page.locator("#begin")
    begin.get_by_role("button", name="Paste text").click()
    begin.get_by_label("Paste the text here").fill(
        "Walnut milk / 2026\n\nIt is drunk at breakfast."
    )
    begin.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#toast")).to_have_text("Added: 1 document")
    expect(page.locator("#welcome")).not_to_have_class("first")
    page.locator("#open-library").click()
    expect(page.locator("#documents small")).to_contain_text("Walnut milk 2026 It is drunk.txt")
    page.get_by_role("button", name="Remove Walnut").click()
    expect(page.locator("#documents small")).to_contain_text("A sample, to try Footnote with")


def test_documents_of_a_folder_are_found_and_chosen(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    for folder in ("Trees", "Trees/old"):
        (tmp_path / folder).mkdir()
    for number, name in enumerate(NAMES):
        file = tmp_path / ("Trees/old" if name == "Oak" else "Trees") / f"{number}.txt"
        file.write_text(f"{name}\n\nThe {name} grows slowly here.\n\n" + "It is old.\n\n" * number)
    (tmp_path / "Trees" / "3.txt").write_text("Fir\n\nThe fir has the name of another file.")
    (tmp_path / "Trees" / ".hidden").write_text("Not meant to be read.")
    page.locator("#open-library").click()
    page.locator("#ways input").nth(1).set_input_files(tmp_path / "Trees")
    expect(page.locator("#uploads .done")).to_have_count(7)
    expect(page.locator("#documents h3")).to_have_text(["Trees", "Trees › old"])
    expect(titles(page)).to_have_text(["Ash", "Beech", "Élm", "Fir", "Pine", "Yew", "Oak"])
    page.get_by_label("Order of the documents").select_option(label="Largest first")
    expect(titles(page).first).to_have_text("Yew")
    # Found by words, whatever marks they bear; what is not found is neither ticked nor removed.
    page.get_by_label("Find a document").fill("elm tree")
    expect(titles(page)).to_have_text(["Élm"])
    page.locator("#tick-none").click()
    expect(page.locator("#asking")).to_have_text("Asking 6 of 7 documents")
    page.get_by_label("Find a document").fill("")
    page.get_by_role("button", name="Ask only Trees/old").click()
    expect(page.locator("#asking")).to_have_text("Asking Oak")
    picture(page, "documents-folders")
    assert barriers(page) == []
    page.locator("#tick-all").click()
    page.get_by_role("button", name="Remove the 7 that are ticked").click()
    page.get_by_role("button", name="Yes, remove them").click()
    expect(titles(page)).to_have_count(1)
    expect(page.locator("#documents small")).to_contain_text("A sample")
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(7)
    page.get_by_role("button", name="Remove the 7 that are ticked").click()
    page.get_by_role("button", name="Yes, remove them").click()
    expect(titles(page)).to_have_count(1)


def test_documents_are_put_into_notebooks_and_taken_out(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    make_notebook(page, "Woods")
    page.locator("#open-library").click()
    expect(page.get_by_role("heading", name="Woods")).to_be_visible()
    page.get_by_role("button", name="Put in Northeast Asia in early 2022").click()
    expect(titles(page)).to_have_text("Northeast Asia in early 2022")
    expect(page.locator("#put-in-none")).to_be_visible()
    assert barriers(page) == []
    page.get_by_role("button", name="Take Northeast Asia in early 2022 out").click()
    expect(titles(page)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(titles(page)).to_have_count(1)
    page.get_by_role("button", name="Take Northeast Asia in early 2022 out").click()
    page.keyboard.press("Escape")
    # From outside, by the menu of a document.
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name").first.click()
    page.locator("#open-library").click()
    page.get_by_role("button", name="More about Northeast").click()
    page.get_by_role("button", name="Woods", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("is in Woods")
