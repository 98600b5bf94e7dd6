"""Nothing is lost without a word: what is half written, deleted, replaced, done in another tab."""

from __future__ import annotations

from pathlib import Path

from browsing import (
    QUESTION,
    UNANSWERABLE,
    Visit,
    add_file,
    ask,
    barriers,
    make_notebook,
    picture,
    send,
    settled,
)
from playwright.sync_api import Page, expect

NUTS = "Walnuts float in brine. Hazelnuts sink in it."


def keep(page: Page, note: str) -> None:
    """Keep the last answer with a note, which is saved."""
    turn = page.locator(".turn").last
    turn.get_by_role("button", name="Keep this answer").click()
    turn.get_by_label("Your note").fill(note)
    turn.get_by_role("button", name="Save the note").click()
    expect(page.locator("#toast")).to_contain_text("is saved")


def test_questions_after_one_that_is_edited_can_be_had_back(visit: Visit) -> None:
    page, asked = visit.page, visit.page.locator(".turn .question")
    for question in (QUESTION, UNANSWERABLE, "What is 2 and 2?"):
        ask(page, question)
    edit = page.locator(".turn").nth(1).get_by_role("button", name="Edit the question")
    edit.click()
    page.keyboard.press("Enter")  # as it is
    expect(asked).to_have_count(3)
    edit.click()
    send(page, "Who leads Japan?")
    settled(page)
    expect(asked).to_have_text([QUESTION, "Who leads Japan?"])
    page.locator("#turns").focus()
    page.keyboard.press("Control+z")
    expect(asked).to_have_text([QUESTION, UNANSWERABLE, "What is 2 and 2?"])
    page.locator(".turn").nth(1).get_by_role("button", name="Delete this question").click()
    expect(asked).to_have_text([QUESTION, "What is 2 and 2?"])
    expect(page.locator(".turn").last).to_be_focused()
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(page.locator("body")).to_have_attribute("data-kept", "true")
    page.reload()
    visit.ready()
    expect(asked).to_have_text([QUESTION, UNANSWERABLE, "What is 2 and 2?"])


def test_what_is_half_written_is_there_after_a_reload(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    keep(page, "For chapter two.")
    note = page.locator(".turn").get_by_label("Your note")
    note.press_sequentially(" And three")
    page.locator("#open-library").click()
    page.get_by_role("button", name="Paste text").last.click()
    page.locator("#ways textarea").press_sequentially("Elms grow")
    page.keyboard.press("Escape")
    note.focus()
    page.evaluate("() => location.reload()")
    visit.ready()
    expect(note).to_have_value("For chapter two. And three")
    expect(page.locator("#toast")).to_be_hidden()
    page.locator("#open-library").click()
    page.get_by_role("button", name="Paste text").last.click()
    expect(page.locator("#ways textarea")).to_have_value("Elms grow")


def test_a_file_of_a_name_that_is_there_replaces_it_only_if_that_is_wanted(
    visit: Visit, tmp_path: Path
) -> None:
    page, count = visit.page, visit.page.locator("#document-count")
    file = tmp_path / "nuts.txt"
    file.write_text(NUTS)
    add_file(page, file)
    expect(count).to_have_text("1")  # instead of the sample
    for more, choice, there in (
        ("", None, "1"),
        (" Elms.", "Keep both", "2"),
        (" Oaks.", "Replace", "2"),
    ):
        file.write_text(NUTS + more)
        page.locator("#files").set_input_files(file)
        if choice:
            expect(page.locator("#adding-text")).to_contain_text("one of that name already")
            page.locator("#adding").get_by_role("button", name=choice).click()
        expect(page.locator("#adding")).to_be_hidden()
        expect(count).to_have_text(there)
    expect(page.locator("#documents b")).to_have_text(["nuts (2).txt", "nuts.txt"])


def test_what_one_tab_notes_the_other_sees_and_keeps(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    other = visit.context.new_page()
    other.goto(page.url)
    there = other.locator(".turn")
    expect(there).to_have_attribute("data-state", "answered")
    keep(page, "In the first tab.")
    note = there.first.get_by_label("Your note")
    expect(note).to_have_value("In the first tab.")
    # An answer that comes in one tab takes nothing from what is being written in another.
    note.press_sequentially(" And")
    ask(page, UNANSWERABLE)
    expect(there).to_have_count(2)
    note.press_sequentially(" more")
    expect(note).to_be_focused()
    expect(note).to_have_value("In the first tab. And more")


def test_a_document_that_another_tab_removes_is_no_longer_asked(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    for name, text in (("nuts.txt", NUTS), ("trees.txt", "Elms grow slowly in the shade.")):
        (tmp_path / name).write_text(text)
        add_file(page, tmp_path / name)
        page.keyboard.press("Escape")
    expect(page.locator("#document-count")).to_have_text("2")
    [trees] = [
        one["id"]
        for one in visit.context.request.get(page.url.split("#")[0] + "session").json()["documents"]
        if one["name"] == "trees.txt"
    ]
    visit.context.request.delete(f"{page.url.split('#')[0]}documents/{trees}")
    turn = ask(page, "What floats in brine?")
    expect(turn.locator(".answer")).to_contain_text("Walnuts")
    expect(page.locator("#document-count")).to_have_text("1")
    visit.complaints.clear()


def test_what_was_deleted_is_listed_and_had_back(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    page.locator("#open-history").click()
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    expect(page.locator("#conversations li")).to_have_count(0)
    page.locator("#history .trash summary").click()
    picture(page, "deleted")
    assert barriers(page) == []
    page.get_by_role("button", name=f"Have {QUESTION} back").first.click()
    expect(page.locator("#conversations .name")).to_have_text(QUESTION)
    expect(page.locator("#history .trash summary")).to_be_focused()
    page.keyboard.press("Escape")
    make_notebook(page, "Nuts")
    page.locator("#open-notebooks").click()
    page.get_by_role("button", name="Delete Nuts").click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    page.locator("#notebooks .trash summary").click()
    page.get_by_role("button", name="Have Nuts back").first.click()
    expect(page.locator("#notebook-list .name", has_text="Nuts")).to_be_visible()


def test_what_two_write_in_one_note_is_both_in_it(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    keep(page, "Mine.")
    note = page.locator(".turn").get_by_label("Your note")
    note.focus()
    [kept] = visit.context.request.get(page.url.split("#")[0] + "notes").json()["notes"]
    theirs = kept["note"] | {"text": "Theirs."}
    visit.context.request.put(page.url.split("#")[0] + "notes", data=theirs)
    note.fill("Mine too.")
    page.locator("#turns").focus()
    expect(page.locator("#toast")).to_contain_text("both texts are in it")
    expect(note).to_have_value("Theirs.\nMine too.")
    visit.complaints.clear()


def test_an_answer_tells_that_its_document_has_changed(visit: Visit, tmp_path: Path) -> None:
    page, file = visit.page, tmp_path / "nuts.txt"
    file.write_text(f"{NUTS} Almonds are stored in the dry loft.")
    add_file(page, file)
    page.keyboard.press("Escape")
    turn = ask(page, "What floats in brine?")
    expect(turn.locator(".answer")).to_contain_text("Walnuts")
    expect(turn.locator(".since")).to_have_count(0)
    file.write_text("Chestnuts float in brine. Almonds are stored in the dry loft.")
    page.locator("#open-library").click()
    page.locator("#files").set_input_files(file)
    page.locator("#adding").get_by_role("button", name="Replace").click()
    page.keyboard.press("Escape")
    expect(turn.locator(".since")).to_contain_text("[1] does not stand in it any more")
    turn.locator(".marker").first.click()
    expect(page.locator("#reader-note")).to_contain_text("What is shown comes closest")
    page.reload()
    visit.ready()
    expect(turn.locator(".since")).to_be_visible()
