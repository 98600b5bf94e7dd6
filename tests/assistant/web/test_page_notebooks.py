"""Notebooks on the page, and conversations that the server keeps: what is there after a while, in
another tab, in another browser; and what the address and going back do."""

from __future__ import annotations

import json
from pathlib import Path

from browsing import (
    PHONE,
    QUESTION,
    QUOTE,
    UNANSWERABLE,
    Visit,
    ask,
    barriers,
    kept,
    make_notebook,
    picture,
    send,
)
from playwright.sync_api import Browser, expect

TEXT = "Walnuts float in brine. Hazelnuts sink in it."


def test_a_notebook_has_documents_and_conversations_of_its_own(
    visit: Visit, tmp_path: Path
) -> None:
    page = visit.page
    ask(page, QUESTION)
    outside = page.url
    make_notebook(page, "Nuts")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator("#document-count")).to_have_text("0")
    expect(page.locator("#send")).to_be_disabled()
    (tmp_path / "nuts.txt").write_text(TEXT)
    page.locator("#open-library").click()
    page.locator("#files").set_input_files(tmp_path / "nuts.txt")
    expect(page.locator("#document-count")).to_have_text("1")
    page.keyboard.press("Escape")
    expect(ask(page, "What floats in brine?").locator(".answer")).to_contain_text("Walnuts")
    assert "#notebook/" in page.url and "/conversation/" in page.url
    inside = page.url
    page.reload()
    visit.ready()
    expect(page.locator("#notebook")).to_have_text("Nuts")
    expect(page.locator(".turn")).to_have_count(1)
    page.locator("#open-notebooks").click()
    picture(page, "notebooks")
    assert barriers(page) == []
    page.locator("#notebooks .name").first.click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    expect(page.locator(".turn .question")).to_have_text(QUESTION)
    page.go_back()
    expect(page.locator("#notebook")).to_have_text("Nuts")
    expect(page.locator(".turn .question")).to_have_text("What floats in brine?")
    other = visit.context.new_page()
    for address, question in ((outside, QUESTION), (inside, "What floats in brine?")):
        other.goto(address)
        expect(other.locator(".turn .question")).to_have_text(question)

    # A link leads to an answer in its notebook.
    ask(page, UNANSWERABLE)
    turn = page.locator(".turn").first
    turn.get_by_label("Export this answer").click()
    turn.get_by_role("button", name="Copy a link to it").click()
    expect(page.locator("#toast")).to_contain_text("The link is copied")
    other.goto(str(page.evaluate("navigator.clipboard.readText()")))
    expect(other.locator("#notebook")).to_have_text("Nuts")
    expect(other.locator(".turn").first).to_be_focused()

    # It is renamed, deleted and had back.
    page.locator("#open-notebooks").click()
    page.get_by_role("button", name="Rename Nuts").click()
    page.get_by_label("Name of the notebook").fill("Oaks")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete Oaks").click()
    expect(page.locator("#notebook")).to_have_text("All documents")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notebook")).to_have_text("Oaks")


def test_a_deleted_conversation_is_had_back_where_it_was_deleted(
    browser: Browser, url: str, visit: Visit
) -> None:
    ask(visit.page, QUESTION)
    phone = Visit(browser, url, **PHONE)  # another browser of the same person
    page = phone.page
    page.locator("#open-history").click()
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    expect(page.locator("#conversations li")).to_have_count(0)
    expect(page.locator("#new-conversation")).to_be_focused()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#conversations li")).to_have_count(1)
    page.go_back()
    expect(page.locator("#history")).to_be_hidden()
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
    phone.close()


def test_what_an_earlier_page_kept_in_the_browser_is_taken_over(visit: Visit) -> None:
    page = visit.page
    ask(page, QUESTION)
    [talk] = kept(page)
    old = {"id": "1111-2222-3333", "title": "The strategy", "named": True, "updated": 1000}
    for turn in talk["turns"]:
        del turn["asked"]
    old["turns"] = talk["turns"]
    name = f"footnote//conversation/{old['id']}"
    page.evaluate("([n, v]) => localStorage.setItem(n, v)", [name, json.dumps(old)])
    page.reload()
    visit.ready()
    page.locator("#open-history").click()
    page.get_by_role("button", name="The strategy", exact=True).click()
    expect(page.locator(".turn .answer")).to_contain_text(QUOTE)
    assert page.evaluate("(name) => localStorage.getItem(name)", name) is None


def test_what_does_not_reach_the_server_is_sent_later(visit: Visit) -> None:
    page = visit.page
    page.route("**/turns", lambda route: route.abort())
    visit.complaints.clear()
    ask(page, QUESTION)
    assert kept(page) == []
    page.unroute("**/turns")
    page.reload()
    visit.ready()
    page.locator("#open-history").click()
    expect(page.locator("#conversations .name")).to_have_text(QUESTION)
    page.keyboard.press("Escape")

    # Words are found in conversations.
    ask(page, UNANSWERABLE)
    page.locator("#new").click()
    page.locator("#open-history").click()
    page.get_by_label("Find in conversations").fill("FEBRUARY 11")
    found = page.locator("#conversations li")
    expect(found).to_have_count(1)
    expect(found.locator("q")).to_have_text(QUOTE)
    picture(page, "found")
    found.locator(".name").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn").first).to_be_focused()
    visit.complaints[:] = [one for one in visit.complaints if "ERR_FAILED" not in one]


def test_what_is_written_is_still_there_and_keys_do_what_their_sheet_says(visit: Visit) -> None:
    page = visit.page
    box = page.get_by_label("Your question")
    box.fill("Half a question")
    page.reload()
    visit.ready()
    expect(box).to_have_value("Half a question")
    box.fill("")
    ask(page, UNANSWERABLE)
    box.fill("Another half")
    page.locator(".turn").get_by_role("button", name="Edit the question").click()
    expect(box).to_have_value(UNANSWERABLE)
    page.keyboard.press("Escape")
    expect(box).to_have_value("Another half")

    # A question that is too long says so before it is sent.
    send(page, "x" * 4012)
    expect(page.locator("#too-long")).to_have_text("12 characters too many")
    expect(page.locator("#send")).to_be_disabled()
    expect(page.locator(".turn")).to_have_count(1)

    # Keys do what their sheet says.
    page.locator("#turns").focus()
    page.keyboard.press("?")
    sheet = page.locator("#keys")
    expect(sheet).to_be_visible()
    picture(page, "keys")
    assert barriers(page) == []
    page.keyboard.press("Escape")
    for key, opened in (("c", "#history"), ("d", "#library"), ("m", "#notes"), ("s", "#settings")):
        page.keyboard.press(key)
        expect(page.locator(opened)).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(opened)).to_be_hidden()
    for key, focused in (("f", "#find-text"), ("/", "#question")):
        page.locator("#turns").focus()
        page.keyboard.press(key)
        expect(page.locator(focused)).to_be_focused()
