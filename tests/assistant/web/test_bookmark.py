"""Another page of the browser is handed over by a bookmark, and added only when that is agreed to;
notes lead back to Obsidian."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote, unquote

import httpx
import pytest
from browsing import Visit, ask, barriers, copied, serving
from helpers import PATIENCE
from playwright.sync_api import BrowserContext, Locator, expect
from playwright.sync_api import Page as Tab
from sites import Page, Site, served_site

FERRY = "The ferry to Brenna leaves at nine."
TITLE = "Crossing <b>to</b> Brenna & back"
ARTICLE = f"""<!doctype html><title>{TITLE.replace("&", "&amp;").replace("<", "&lt;")}</title>
<nav>Menu Home About</nav>
<main><h1>Crossing</h1><p>{FERRY}</p>
<p id="second">Tickets cost 9 euros. &lt;img src=x onerror="window.pwned=1"&gt; \U0001f6a2</p>
</main>
"""
POLICY = {"content-security-policy": "default-src 'none'; require-trusted-types-for 'script'"}
EVIL = """<!doctype html><title>Evil</title>
<form method="post" enctype="text/plain" action="URLuploads?name=evil.txt">
<input name="a" value="Evil text."></form><iframe src="URL#add=HANDED"></iframe>
<script>
  const post = (path, body) =>
    fetch(`URL${path}`, { method: "POST", mode: "no-cors", credentials: "include", body });
  window.tried = Promise.allSettled([
    post("uploads?name=evil.txt", "Evil text."),
    post("addresses", '{"address": "https://example.org/"}'),
    post("api/documents", "Evil text."),
  ]);
  function go() {
    const tab = window.open("URL#add=HANDED");
    setInterval(() => tab?.postMessage({ text: "Evil text.", title: "Evil" }, "*"), 50);
  }
</script>"""
NOTE = "# Trips\n\n## By [[ferry]]: #sea\n\nThe ferry to Tolvik leaves at ten.\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    vault = folder / "My vault"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / "Tolvik.md").write_text(NOTE)
    with serving(folder, "--source", vault, "--fetch") as address:
        yield address


@pytest.fixture
def site(url: str) -> Iterator[Site]:
    evil = EVIL.replace("URL", url).replace("HANDED", handing(text="Evil text.", title="Evil"))
    pages = {
        "/ferry": Page([ARTICLE.encode()], headers=POLICY),
        "/evil": Page([evil.encode()]),
        "/empty": Page([b"<!doctype html><title>Nothing</title>"]),
        "/favicon.ico": Page(),
    }
    with served_site(pages) as served:
        yield served


def handing(**told: object) -> str:
    return quote(json.dumps(told), safe="")


def own(url: str) -> list[dict[str, object]]:
    """What was added."""
    found = httpx.get(f"{url}session", timeout=PATIENCE).json()["documents"]
    return [document for document in found if document["own"]]


def bookmark(tab: Tab) -> str:
    """What the bookmark runs, as it stands on the page to be dragged."""
    tab.locator("#open-library").click()
    tab.locator("#library .ways").get_by_text("From your browser", exact=True).click()
    link = tab.locator("#library").get_by_role("link", name="Ask Footnote")
    code = str(link.get_attribute("href"))
    link.click()
    expect(tab.locator("#toast")).to_contain_text("drag it there")
    tab.keyboard.press("Escape")
    scheme, _, script = code.partition(":")
    assert scheme == "javascript"
    return unquote(script)


def chosen(context: BrowserContext, address: str, script: str, before: str = "") -> Tab:
    """The tab that comes of choosing the bookmark on a page; `before`: what is done there first.

    As a bookmark does, the debugger runs scripts whatever the policy of the page.
    """
    other = context.new_page()
    other.goto(address)
    if before:
        other.evaluate(before)
    with context.expect_page() as opened:
        other.evaluate(script)
    tab = opened.value
    tab.set_default_timeout(PATIENCE * 1000)
    tab.locator("body[data-ready]").wait_for()
    return tab


def handed(tab: Tab) -> Locator:
    dialog = tab.get_by_role("dialog", name="Add this page?")
    expect(dialog).to_be_visible()
    return dialog


def test_a_page_is_added_when_that_is_agreed_to(visit: Visit, url: str, site: Site) -> None:
    script = bookmark(visit.page)
    address = f"http://127.0.0.1:{site.port}/ferry"
    tab = chosen(visit.context, address, script)
    dialog = handed(tab)
    for told in (TITLE, address, FERRY, "words"):
        expect(dialog).to_contain_text(told)
    expect(dialog).not_to_contain_text("Menu Home")
    assert tab.evaluate("location.hash + document.referrer + String(opener)") == "null"
    assert dialog.locator("b b, img").count() == 0  # it is text
    assert barriers(tab) == []
    assert own(url) == []
    dialog.get_by_role("button", name="Add this text").click()
    expect(tab.locator("#document-count")).to_have_text("2")
    [added] = own(url)
    assert (added["title"], added["address"]) == (TITLE, address)
    turn = ask(tab, "What do tickets cost?")
    expect(turn.locator(".words").first).to_contain_text("Tickets cost 9 euros.")
    reference = copied_reference(tab, turn)
    assert (reference["URL"], reference["title"]) == (address, TITLE)
    assert tab.evaluate("typeof window.pwned") == "undefined"


def copied_reference(tab: Tab, turn: Locator) -> dict[str, object]:
    card = turn.locator(".card").first
    card.locator("summary").click()
    told = copied(tab, card.get_by_role("button", name="CSL"), "is copied")
    [reference] = json.loads(told)
    assert isinstance(reference, dict)
    return reference


def test_what_is_selected_or_an_address_is_handed_over(visit: Visit, url: str, site: Site) -> None:
    script = bookmark(visit.page)
    select = "getSelection().selectAllChildren(document.getElementById('second'))"
    tab = chosen(visit.context, f"http://127.0.0.1:{site.port}/ferry", script, select)
    dialog = handed(tab)
    expect(dialog).to_contain_text("The selected part")
    expect(dialog).not_to_contain_text(FERRY)
    # What is not agreed to leaves nothing behind.
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    tab.reload()
    tab.locator("body[data-ready]").wait_for()
    expect(tab.locator("#handed")).to_be_hidden()
    assert own(url) == []

    # A page may be fetched by its address.
    tab = chosen(visit.context, f"http://127.0.0.1:{site.port}/empty", script)
    dialog = handed(tab)
    expect(dialog.get_by_role("button", name="Add this text")).to_have_count(0)
    dialog.get_by_role("button", name="Fetch the page and add it").click()
    # It goes the way of every address, which leads to no site of this machine.
    expect(tab.locator("#adding-text")).to_contain_text("could not be added")
    assert own(url) == []


def test_an_evil_page_adds_nothing(visit: Visit, url: str, site: Site) -> None:
    other = visit.context.new_page()
    other.goto(f"http://127.0.0.1:{site.port}/evil")
    other.evaluate("window.tried")
    with visit.context.expect_page() as opened:
        other.evaluate("go()")
    tab = opened.value
    tab.locator("body[data-ready]").wait_for()
    expect(handed(tab)).to_contain_text("Evil text.")
    # The first that is pressed is not what adds it, and a click that was on its way meets nothing.
    assert tab.evaluate("document.activeElement.textContent") == "Cancel"
    tab.keyboard.press("Enter")
    expect(tab.locator("#handed")).to_be_hidden()
    with other.expect_navigation():
        other.evaluate("document.forms[0].submit()")
    assert "other sites" in other.content()
    assert own(url) == []
    other.close()
    tab.close()

    # What is made up does no harm.
    for told in (
        "%7B",
        "%E0%A4%A",
        "null",
        quote('{"address": 5, "title": ["x"], "text": {}}'),
        handing(address="javascript:alert(1)", title="\u202e" * 9, text=""),
    ):
        visit.page.goto("about:blank")
        visit.page.goto(f"{url}#add={told}")
        visit.ready()
        expect(visit.page.get_by_role("button", name="Add this text")).to_have_count(0)
        expect(visit.page.get_by_role("button", name="Fetch the page")).to_have_count(0)
        assert visit.page.evaluate("location.hash") == ""


def test_the_bookmark_and_the_links_are_there(visit: Visit) -> None:
    page = visit.page
    # The bookmark is offered on a screen with a pointer.
    expect(page.get_by_text("From your browser", exact=True).first).to_be_attached()
    bookmark(page)
    page.locator("#open-library").click()
    page.locator("#library .ways").get_by_text("From your browser", exact=True).click()
    assert barriers(page) == []
    page.keyboard.press("Escape")

    # Links lead nowhere else.
    made = page.evaluate(
        """async () => {
          const { outward } = await import("/page/shared/dom.js");
          return ["javascript:alert(1)", "data:text/html,x", "file:///etc", "//evil", "",
            "obsidian:x", "https://example.org/", "OBSIDIAN://open?vault=a"]
            .map((address) => outward(address))
            .map((link) => link && link.href);
        }"""
    )
    assert made == [False] * 6 + ["https://example.org/", "obsidian://open?vault=a"]

    # Notes lead back to Obsidian.
    turn = ask(page, "When does the ferry to Tolvik leave?")
    link = turn.locator(".card").first.get_by_role("link", name="Open in Obsidian")
    note = "obsidian://open?vault=My%20vault&file=Tolvik"
    assert link.get_attribute("href") == f"{note}%23By%20ferry%20sea"
    assert copied_reference(page, turn)["URL"] == f"{note}%23By%20ferry%20sea"
    page.locator("#open-library").click()
    page.get_by_role("button", name="More about").click()
    assert page.locator("#document-menu a").first.get_attribute("href") == note
