"""What the tests of the page share: the page, served as it is to people, and a browser for it."""

from __future__ import annotations

import ipaddress
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from helpers import FOOTNOTE, PATIENCE
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from prepared import running

from index.database.database import Database
from index.database.kept_tables import answers

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 1000  # in Playwright's unit

expect.set_options(timeout=PATIENCE * SECONDS)

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."
UNANSWERABLE = "What is the population of India?"
#: The options of a `Visit` on a desk, and of one on a phone.
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

#: Has the `visit` of a test be one on a phone.
phone = pytest.mark.parametrize("visit", [PHONE], indirect=True, ids=["phone"])


@contextmanager
def serving(
    folder: Path,
    *flags: str | Path,
    command: Sequence[str | Path] = (FOOTNOTE,),
    **environment: str,
) -> Iterator[str]:
    """Serve the page by the installed command, on a free port; gives its address."""
    command = [*command, "chat", "--no-open", "--index-dir", folder / "index", *flags]
    with running(command, folder / "errors.txt", signal.SIGINT, **environment) as (url, _):
        yield url


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without the parts that need a desktop or a privileged container."""
    if not CHROMIUM.exists():
        missing = f"There is no browser at {CHROMIUM}: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            timeout=PATIENCE * SECONDS,
        )
        try:
            yield browser
        finally:
            browser.close()


def print_pdf(browser: Browser, html: str, file: Path, **options: Any) -> None:
    """Have the browser print a page as a PDF."""
    page = browser.new_page()
    page.set_content(html)
    page.pdf(path=file, **options)
    page.close()


class Visit:
    """A fresh browser on the page, with all that it requested and complained about.

    Args:
        browser: in which a profile of its own is made.
        url: of the page.
        shared: a profile to empty and use instead. Nothing is in it but what was loaded of the page
            before, which a new one takes longer to load than most tests need.
        options: of the profile.
    """

    def __init__(
        self, browser: Browser, url: str, shared: BrowserContext | None = None, **options: Any
    ) -> None:
        self.context: BrowserContext = shared or browser.new_context(**(DESK | options))
        self.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self._is_shared = shared is not None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        former = self.context.pages
        self.page: Page = self.context.new_page()
        for page in former:
            page.close()
        if shared:
            shared.clear_cookies()
            origin = {"origin": url.rstrip("/"), "storageTypes": "all"}
            shared.new_cdp_session(self.page).send("Storage.clearDataForOrigin", origin)
        self.page.set_default_timeout(PATIENCE * SECONDS)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text)
                if message.type in ("error", "warning")
                else None
            ),
        )
        self.page.goto(url)
        self.ready()

    def ready(self) -> None:
        """Wait until the page can be used."""
        self.page.locator("body[data-ready]").wait_for()

    def close(self) -> None:
        """Nothing left this machine, and nothing went wrong in the browser."""
        if self._is_shared:
            for page in self.context.pages:  # one stays, so that there is less to start next time
                page.goto("about:blank")
        else:
            self.context.close()
        hosts = {
            urlsplit(url).hostname or ""
            for url in self.requests
            if not url.startswith(("data:", "blob:"))
        }
        assert hosts
        assert all(ipaddress.ip_address(host).is_loopback for host in hosts), hosts
        assert self.complaints == []


def ask(page: Page, question: str) -> Locator:
    """Type a question, send it by Enter and wait for what becomes of it: its turn."""
    send(page, question)
    return settled(page)


def send(page: Page, question: str) -> None:
    """Type a question, and send it by Enter."""
    box = page.get_by_label("Your question")
    box.fill(question)
    box.press("Enter")


def settled(page: Page) -> Locator:
    """The newest turn, when it is no longer being answered and all of it is kept."""
    turn = page.locator(".turn").last
    expect(turn).not_to_have_attribute("data-state", "pending")
    expect(page.locator("#send")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-kept", "true")
    return turn


def kept(page: Page) -> list[dict[str, Any]]:
    """The conversations that the server keeps, with their turns, the newest first, when it has all
    that this page has."""
    expect(page.locator("body")).not_to_have_attribute("data-kept", "false")
    found = page.evaluate(
        """async () => {
          const { conversations } = await (await fetch("conversations")).json();
          return Promise.all(
            conversations.map(async ({ id }) => (await fetch(`conversations/${id}`)).json()));
        }"""
    )
    assert isinstance(found, list)
    return found


def keep(folder: Path, conversation: dict[str, Any]) -> None:
    """Have the answers of a conversation in the database of a server as they are here: by HTTP
    nobody can change them."""
    with closing(Database(folder / "index")) as database, database.write() as connection:
        for turn in conversation["turns"]:
            row = answers.c.id == turn["answer"]["id"]
            body = json.dumps(turn["answer"])
            connection.execute(sa.update(answers).where(row).values(body=body))


def forget(url: str) -> None:
    """Take away what was added and asked at a page where nobody logs in: everybody is one there."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        for document in client.get("session").json()["documents"]:
            if document["own"]:
                client.delete(f"documents/{document['id']}")
        for kind in ("conversations", "notebooks"):
            for one in client.get(kind).json()[kind]:
                client.delete(f"{kind}/{one['id']}")
        for one in client.get("notes").json()["notes"]:
            client.delete(f"notes/{one['note']['id']}")


def lit(page: Page) -> str:
    """The characters that are lit up in the document, once it is there."""
    # In one look: a document that is drawn anew in between has none for a moment.
    found = page.wait_for_function(
        """() => [...document.querySelectorAll("#reader mark.chosen")]
          .map((mark) => mark.textContent).join("")"""
    )
    return str(found.json_value())


def is_uncovered(page: Page) -> bool:
    """Whether what is lit up can be seen: nothing lies over the middle of its first line."""
    result = page.evaluate(
        """() => {
          const mark = document.querySelector("#reader mark.chosen");
          const { x, y, width, height } = mark.getClientRects()[0];
          const top = document.elementFromPoint(x + width / 2, y + height / 2);
          return Boolean(top?.closest("mark.chosen"));
        }"""
    )
    assert isinstance(result, bool)
    return result


def read(page: Page, title: str) -> None:
    """Open a document in the reader, which lies over the page where that is narrow."""
    if not page.locator("#reader").is_visible():
        page.locator("#open-reader").click()
    page.locator("#reader-choice").select_option(label=title)
    expect(page.locator("#pages :is(.block, .sheet)").first).to_be_visible()


def choose_in_reader(page: Page, name: str) -> None:
    """Choose something in the menu above the document."""
    page.locator("#reader-top .menu > button").click()
    page.locator("#reader-top").get_by_role("button", name=name, exact=True).click()


def barriers(page: Page) -> list[str]:
    """What axe-core finds that is serious or critical."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def copied(page: Page, button: Locator, told: str = "Copied") -> str:
    """What a click on a button puts on the clipboard; the page tells of it in these words."""
    button.click()
    expect(page.locator("#toast")).to_contain_text(told)
    return str(page.evaluate("navigator.clipboard.readText()"))


def exported(page: Page) -> str:
    """The newest conversation, as it is taken along as Markdown."""
    page.get_by_role("button", name="Conversations").click()
    menu = page.locator("#conversations .menu").first
    menu.get_by_role("button").click()
    file = downloaded(page, menu.get_by_role("link", name="Markdown"))
    page.keyboard.press("Escape")
    return file.read_text(encoding="utf-8")


def downloaded(page: Page, link: Locator) -> Path:
    """The file that a click on a link brings."""
    with page.expect_download() as download:
        link.click()
    return Path(download.value.path())


def add_file(page: Page, *files: Path) -> None:
    """Add files through the documents panel, and wait until each is there or was refused."""
    page.locator("#open-library").click()
    before = page.locator("#uploads .wrong").count()  # those stay until they are forgotten
    page.locator("#files").set_input_files(list(files))
    rows = page.locator("#uploads :is(.done, .wrong)")
    expect(rows).to_have_count(before + len(files))


def make_notebook(page: Page, name: str) -> None:
    """Make a notebook, which is open then."""
    page.locator("#open-notebooks").click()
    page.get_by_label("New notebook").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator("#notebook")).to_have_text(name)
    expect(page.locator("#notebooks")).to_be_hidden()


def act_on(page: Page, title: str, action: str) -> None:
    """Choose something in the menu of a document in the list, which is open."""
    more = page.get_by_role("button", name=f"More about {title}", exact=True).first
    more.scroll_into_view_if_needed()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    more.click()  # a menu closes when the list is scrolled
    page.locator(".items:popover-open").get_by_role("button", name=action, exact=True).click()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page of the shipped document keeps what it keeps."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="session")
def url(served: Path) -> Iterator[str]:
    """The address of the page of the shipped document; a module may have another in its place."""
    with serving(served, "--mcp") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module; no other event loop can run in its thread."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def profile(browser: Browser) -> Callable[..., BrowserContext]:
    """Gives what the visits of a module share that are made with the same options."""
    made: dict[str, BrowserContext] = {}

    def of(**options: Any) -> BrowserContext:
        options = DESK | options
        name = repr(options)
        if name not in made:
            made[name] = browser.new_context(**options)
        return made[name]

    return of


@pytest.fixture
def visit(
    request: pytest.FixtureRequest,
    browser: Browser,
    url: str,
    profile: Callable[..., BrowserContext],
) -> Iterator[Visit]:
    """A fresh visit, where nothing was added or asked before, closed with its checks; its parameter
    is the options of the browser."""
    forget(url)
    visit = Visit(browser, url, profile(**getattr(request, "param", {})))
    yield visit
    visit.close()
