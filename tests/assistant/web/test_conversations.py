"""Conversations and notebooks on the page: kept, found, edited, deleted and had back; where one is,
and how one comes elsewhere: by the lists, by Back, by the address."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from browsing import (
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    kept,
    lit,
    make_notebook,
    phone,
    send,
    settled,
)
from helpers import PATIENCE
from playwright.sync_api import Page, Route, expect

from index.database.database import Database
from index.database.kept_tables import conversations

NUTS = "Walnuts float in brine. Hazelnuts sink in it."
IN_NUTS = "What floats in brine?"
SUM = "What is 2 and 2?"
GREETING = "What can you do?"
BERLIN: dict[str, Any] = {"timezone_id": "Europe/Berlin"}


def choose(page: Page, title: str) -> None:
    """Choose a conversation in the list."""
    page.locator("#open-history").click()
    page.locator("#conversations .name", has_text=title).click()
    expect(page.locator("#history")).to_be_hidden()


def test_conversations_are_kept_found_renamed_and_deleted(visit: Visit) -> None:
    page = visit.page
    # What does not reach the server is sent later.
    page.route("**/turns", lambda route: route.abort())
    answer = ask(page, QUESTION).locator(".answer").inner_text()
    assert kept(page) == []
    page.unroute("**/turns")
    visit.complaints[:] = [one for one in visit.complaints if "ERR_FAILED" not in one]
    page.reload()
    visit.ready()
    choose(page, QUESTION)
    expect(page.locator(".turn .answer")).to_have_text(re.compile(QUOTE))
    assert page.locator(".turn .answer").inner_text() == answer
    page.locator(".marker").first.click()
    assert lit(page) == QUOTE
    first = page.url

    # Words are found in conversations.
    ask(page, UNANSWERABLE)
    page.locator("#new").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.locator("#open-history").click()
    page.get_by_label("Find in conversations").fill("FEBRUARY 11")
    found = page.locator("#conversations li")
    expect(found).to_have_count(1)
    expect(found.locator("q")).to_have_text(QUOTE)
    found.locator(".name").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first).to_be_focused()

    # They are renamed and deleted.
    page.get_by_role("button", name="New conversation").click()
    ask(page, UNANSWERABLE)
    last = page.url
    assert "conversation" in last
    page.get_by_role("button", name="Conversations").click()
    names = page.locator("#conversations .name")
    expect(names).to_have_text([UNANSWERABLE, QUESTION])
    page.get_by_role("button", name=f"Rename {QUESTION}").click()
    page.get_by_label("Name of the conversation").fill("The <b>strategy</b>")
    page.keyboard.press("Enter")
    expect(names).to_have_text([UNANSWERABLE, "The <b>strategy</b>"])
    assert barriers(page) == []
    page.get_by_role("button", name=f"Delete {UNANSWERABLE}").click()
    expect(names).to_have_text(["The <b>strategy</b>"])
    assert [one["title"] for one in kept(page)] == ["The <b>strategy</b>"]
    # The address is not that of a deleted conversation.
    expect(page).not_to_have_url(last)
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(last)
    page.get_by_role("button", name=f"Delete {UNANSWERABLE}").click()
    expect(names).to_have_count(1)
    other = visit.context.new_page()
    other.goto(last)
    expect(other.locator("#toast")).to_contain_text("is not available")
    expect(other.locator("#welcome")).to_be_visible()
    other.goto(first)
    expect(other.locator(".turn .question")).to_have_text([QUESTION, UNANSWERABLE])
    other.close()

    # What was deleted is listed and had back.
    trash = page.locator("#history .trash summary")
    trash.click()
    assert barriers(page) == []
    page.get_by_role("button", name=f"Restore {UNANSWERABLE}").first.click()
    expect(names).to_have_count(2)
    expect(trash).to_be_focused()
    names.filter(has_text="The <b>strategy</b>").click()
    expect(page.locator(".turn .question")).to_have_text([QUESTION, UNANSWERABLE])


def test_a_question_is_edited_deleted_and_had_back(visit: Visit) -> None:
    page, asked = visit.page, visit.page.locator(".turn .question")
    for question in (QUESTION, UNANSWERABLE, SUM):
        ask(page, question)
    edit = page.locator(".turn").nth(1).get_by_role("button", name="Edit the question")
    edit.click()
    expect(page.get_by_label("Your question")).to_have_value(UNANSWERABLE)
    page.keyboard.press("Enter")  # as it is
    expect(asked).to_have_count(3)
    edit.click()
    send(page, "Who leads Japan?")
    settled(page)
    expect(asked).to_have_text([QUESTION, "Who leads Japan?"])
    page.locator("#turns").focus()
    page.keyboard.press("Control+z")
    expect(asked).to_have_text([QUESTION, UNANSWERABLE, SUM])
    page.locator(".turn").nth(1).get_by_role("button", name="Delete this question").click()
    expect(asked).to_have_text([QUESTION, SUM])
    expect(page.locator(".turn").last).to_be_focused()
    page.locator("#toast").get_by_role("button", name="Undo").click()
    expect(page.locator("body")).to_have_attribute("data-kept", "true")
    page.reload()
    visit.ready()
    expect(asked).to_have_text([QUESTION, UNANSWERABLE, SUM])
    # The first one is edited: nothing is left of the others.
    page.locator(".turn").first.get_by_role("button", name="Edit the question").click()
    turn = ask(page, GREETING)
    expect(asked).to_have_text([GREETING])
    turn.get_by_role("button", name="Ask again").click()
    assert settled(page).get_attribute("data-state") == "answered"
    expect(asked).to_have_count(1)

    # What is written is still there after a reload, and after another question was edited.
    box = page.get_by_label("Your question")
    box.fill("Half a question")
    page.reload()
    visit.ready()
    expect(box).to_have_value("Half a question")
    box.fill("Another half")
    page.locator(".turn").get_by_role("button", name="Edit the question").click()
    expect(box).not_to_have_value("Another half")
    page.keyboard.press("Escape")
    expect(box).to_have_value("Another half")
    # A question that is too long says so before it is sent.
    send(page, "x" * 4012)
    expect(page.locator("#too-long")).to_have_text("12 characters too many")
    expect(page.locator("#send")).to_be_disabled()
    expect(asked).to_have_count(1)
    # However long it is, it is there when one comes back.
    long = "The lamp of Zanthoria is lit at six. " * 6000
    box.fill(long)
    page.locator("#new").click()
    expect(box).to_have_value("")
    page.go_back()
    expect(box).to_have_value(long)
    expect(page.locator("#too-long")).to_have_text(
        f"{len(long.strip()) - 4000:,} characters too many"
    )
    assert barriers(page) == []
    box.fill("")
    # What is pasted is added as a document instead.
    page.evaluate(PASTE, long)
    expect(page.locator("#toast")).to_contain_text("The pasted text is long")
    expect(box).to_have_value("")
    expect(page.locator("#uploads .done")).to_have_count(1)
    expect(page.locator("#documents b")).to_have_text("The lamp of Zanthoria is lit.txt")


#: Pastes a text into the question.
PASTE = """(text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  document.getElementById("question").dispatchEvent(event);
}"""


def test_a_notebook_has_documents_and_conversations_of_its_own(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    ask(page, QUESTION)
    make_notebook(page, "Nuts")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#document-count")).to_have_text("0")
    expect(page.locator("#send")).to_be_disabled()
    (tmp_path / "nuts.txt").write_text(NUTS)
    page.locator("#open-library").click()
    page.locator("#files").set_input_files(tmp_path / "nuts.txt")
    expect(page.locator("#document-count")).to_have_text("1")
    page.keyboard.press("Escape")
    expect(ask(page, IN_NUTS).locator(".answer")).to_contain_text("Walnuts")
    assert "#notebook/" in page.url and "/conversation/" in page.url
    page.reload()
    visit.ready()
    expect(page.locator("#notebook")).to_have_text("Nuts")
    expect(page.locator(".turn")).to_have_count(1)
    page.locator("#open-notebooks").click()
    assert barriers(page) == []
    page.locator("#notebooks .name").first.click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    page.go_back()
    expect(page.locator("#notebook")).to_have_text("Nuts")
    expect(page.locator(".turn .question")).to_have_text(IN_NUTS)
    other = visit.context.new_page()

    # A link leads to an answer in its notebook.
    ask(page, UNANSWERABLE)
    turn = page.locator(".turn").first
    turn.get_by_label("Export this answer").click()
    turn.get_by_role("button", name="Copy a link to it").click()
    expect(page.locator("#toast")).to_contain_text("The link is copied")
    other.goto(str(page.evaluate("navigator.clipboard.readText()")))
    expect(other.locator("#notebook")).to_have_text("Nuts")
    expect(other.locator(".turn").first).to_be_focused()
    other.close()

    # It is renamed, deleted and had back.
    # The list that is asked for meanwhile leaves the field there.
    waiting: list[Route] = []
    page.route("**/notebooks", lambda route: waiting.append(route))
    with page.expect_request("**/notebooks"):
        page.locator("#open-notebooks").click()
    page.get_by_role("button", name="Rename Nuts").click()
    with page.expect_response("**/notebooks") as listed:
        waiting[0].continue_()
    listed.value.finished()
    page.unroute("**/notebooks")
    page.evaluate("new Promise((done) => setTimeout(done, 200))")  # it is drawn by then
    expect(page.get_by_label("Name of the notebook")).to_be_focused()
    page.get_by_label("Name of the notebook").fill("Oaks")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete Oaks").click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    page.locator("#notebooks .trash summary").click()
    page.get_by_role("button", name="Restore Oaks").first.click()
    oaks = page.locator("#notebook-list .name", has_text="Oaks")
    expect(oaks).to_be_visible()

    # One that cannot be had is not opened.
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    address = page.url
    page.route("**/session?notebook=*", lambda route: route.fulfill(status=404, json={}))
    oaks.click()
    expect(page.locator("#toast")).to_be_visible()
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert page.url == address

    # What is not found in it can be asked of all documents.
    page.unroute("**/session?notebook=*")
    page.locator("#open-notebooks").click()
    oaks.click()
    expect(page.locator("#notebook")).to_have_text("Oaks")
    ask(page, QUESTION).get_by_role("button", name="Search outside this notebook").click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(settled(page).locator(".question")).to_have_text(QUESTION)
    assert "#conversation/" in page.url
    visit.complaints.clear()  # the browser tells of the answer that was made to fail


@pytest.mark.parametrize("visit", [BERLIN], indirect=True, ids=["berlin"])
def test_they_are_listed_by_day_with_those_of_notebooks_and_pinned_first(
    visit: Visit, url: str, served: Path
) -> None:
    page = visit.page
    day = datetime(2026, 11, 18, 12, tzinfo=ZoneInfo(BERLIN["timezone_id"]))
    asked = {
        "First today": day.replace(hour=0, minute=5),
        "Last yesterday": datetime(2026, 11, 17, 23, 55, tzinfo=day.tzinfo),
        "First of the week": datetime(2026, 11, 11, 0, 5, tzinfo=day.tzinfo),
        "The day before": datetime(2026, 11, 10, 23, 55, tzinfo=day.tzinfo),
        "Long ago": datetime(2025, 3, 2, 9, tzinfo=day.tzinfo),
    }
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        notebook = client.post("notebooks", json={"name": "Nuts"}).json()["id"]
        for number, title in enumerate(asked):
            of = {"notebook": notebook} if title == "First of the week" else {}
            turn = {"id": f"turn-00000{number}", "question": f"{title}?", "state": "stopped"}
            client.put(
                f"conversations/by-day-{number}/turns",
                params=of,
                json={"title": title, "turn": turn},
            ).raise_for_status()
    with closing(Database(served / "index")) as database, database.write() as connection:
        for title, when in asked.items():
            row = conversations.c.title == title
            values = {"updated": when.timestamp() * 1000}
            connection.execute(sa.update(conversations).where(row).values(**values))
    page.clock.set_fixed_time(day)

    # Each says what its group does not.
    page.locator("#open-history").click()
    groups, names = page.locator("#conversations h3"), page.locator("#conversations .name")
    days = ["Today", "Yesterday", "Previous 7 days", "November 2026", "March 2025"]
    expect(groups).to_have_text(days)
    expect(names).to_have_text([*asked])
    whens = page.locator("#conversations small")
    expect(whens).to_have_text(["12:05 AM", "11:55 PM", "Nuts · Nov 11", "Nov 10", "Mar 2"])

    # What is pinned comes first.
    pin = page.get_by_role("button", name="Pin The day before")
    expect(pin).to_have_attribute("aria-pressed", "false")
    pin.click()
    expect(groups).to_have_text(["Pinned", *days[:3], days[4]])
    expect(names.first).to_have_text("The day before")
    expect(whens.first).to_have_text("Nov 10, 2026")
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(pin).to_be_focused()
    assert barriers(page) == []
    pin.click()
    expect(groups.first).to_have_text("Today")
    page.keyboard.press("Escape")
    page.locator("#open-history").click()
    expect(groups).to_have_text(days)

    # That of a notebook is found, renamed, exported, deleted and opened from here.
    find = page.get_by_label("Find in conversations")
    find.fill("OF THE WEEK")
    expect(names).to_have_text(["First of the week?"])
    expect(whens).to_have_text(["First of the week · Nuts · Nov 11, 2026, 12:05 AM"])
    find.fill("")
    page.get_by_role("button", name="Rename First of the week").click()
    page.get_by_label("Name of the conversation").fill("In brine")
    page.keyboard.press("Enter")
    row = page.locator("#conversations li", has_text="In brine")
    row.locator(".menu > button").click()
    with page.expect_download() as download:
        row.get_by_role("link", name="Markdown").click()
    assert "First of the week?" in Path(download.value.path()).read_text(encoding="utf-8")
    page.get_by_role("button", name="Delete In brine").click()
    expect(names).to_have_count(4)
    page.get_by_role("button", name="Undo").click()
    names.filter(has_text="In brine").click()
    expect(page.locator("#notebook")).to_have_text("Nuts")
    expect(page.locator(".turn .question")).to_have_text("First of the week?")


@phone
def test_going_back_on_a_phone_shows_what_was_shown_before(visit: Visit) -> None:
    page, asked = visit.page, visit.page.locator(".turn .question")
    page.locator("#new").click()
    ask(page, QUESTION)
    page.locator("#new").click()
    ask(page, UNANSWERABLE)
    choose(page, QUESTION)
    expect(asked).to_have_text(QUESTION)
    page.go_back()
    expect(asked).to_have_text(UNANSWERABLE)
    page.go_back()
    expect(asked).to_have_text(QUESTION)
    page.go_forward()
    expect(asked).to_have_text(UNANSWERABLE)
    page.locator("#new").click()
    expect(page.locator("#welcome")).to_be_visible()
    choose(page, QUESTION)
    expect(asked).to_have_text(QUESTION)
    page.go_back()
    expect(page.locator("#welcome")).to_be_visible()

    # What is chosen last is shown, whichever comes first.
    held: list[Route] = []
    slow = re.compile(r"/conversations/[\w-]+$")
    page.route(slow, lambda route: held.append(route) if not held else route.continue_())
    choose(page, QUESTION)
    choose(page, UNANSWERABLE)
    expect(asked).to_have_text(UNANSWERABLE)
    with page.expect_response(slow):
        held[0].continue_()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(asked).to_have_text(UNANSWERABLE)

    # From notebooks too.
    choose(page, QUESTION)
    page.locator("#open-notebooks").click()
    page.get_by_label("New notebook").fill("Nuts")
    page.get_by_role("button", name="Create").click()
    name, count = page.locator("#notebook"), page.locator("#document-count")
    expect(name).to_have_text("Nuts")
    expect(count).to_have_text("0")
    assert "#notebook/" in page.url
    page.locator("#open-notebooks").click()
    page.locator("#notebooks .name").first.click()
    expect(name).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    page.go_back()
    expect(name).to_have_text("Nuts")
    page.locator("#open-notebooks").click()
    page.get_by_role("button", name="Delete Nuts").click()
    expect(name).to_have_text("All documents")
    expect(count).to_have_text("1")
    page.locator("#notebooks .close").click()
    expect(page.locator("#notebooks")).to_be_hidden()
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    assert "#notebook/" not in page.url

    # A document is read again.
    for _ in range(2):
        page.locator("#open-library").click()
        page.locator("#documents").get_by_role("button", name="Read").click()
        expect(page.locator("#reader")).to_be_visible()
        page.evaluate("() => new Promise((done) => setTimeout(done, 100))")
        expect(page.locator("#reader")).to_be_visible()
        page.go_back()
        expect(page.locator("#reader")).to_be_hidden()
