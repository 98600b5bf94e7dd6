"""The help as pages: a topic with the list of all at its side."""

from __future__ import annotations

from browsing import Visit, barriers
from playwright.sync_api import expect

STICKING_OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def test_the_help_opens_beside_the_page_and_topics_lead_to_each_other(
    visit: Visit, url: str
) -> None:
    with visit.context.expect_page() as opened:
        visit.page.locator("#question").focus()
        visit.page.keyboard.press("F1")
    page = opened.value
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    expect(page).to_have_title("First steps – Footnote")
    expect(page).to_have_url(f"{url}help/first-steps")
    current = page.locator("[aria-current=page]")
    expect(current).to_have_text("First steps")
    expect(page.locator(".english")).to_be_hidden()
    page.locator("article a[href=asking]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Asking")
    page.get_by_role("navigation").get_by_role("link", name="Install").click()
    expect(current).to_have_text("Install")
    # A heading has an address, and is marked where that leads.
    page.goto(f"{url}help/settings")
    page.goto(f"{url}help/install#systemd")
    expect(page.locator("h2:target")).to_have_text("systemd")
    expect(page.locator("h2:target")).to_be_in_viewport()
    # In either theme and on a phone all can be read; a wide table is moved by itself.
    page.goto(f"{url}help/settings")
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 360)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 780})
        assert barriers(page) == []
        assert page.evaluate(STICKING_OUT) == 0
    page.get_by_role("link", name="All topics").click()
    expect(current).to_be_in_viewport()
    # What is around a topic is in the page's language.
    page.evaluate("localStorage.setItem('footnote/language', 'de')")
    page.reload()
    expect(page.locator(".english")).to_have_text("Die Hilfe ist auf Englisch.")
    expect(page.locator("main")).to_have_attribute("lang", "en")
    assert complaints == []
    answer = page.goto(f"{url}help/nothing")
    assert answer and answer.status == 404
