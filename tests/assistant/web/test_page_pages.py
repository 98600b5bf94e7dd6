"""Documents with pages and tables on the page: what is cited is lit up where it is printed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import SECONDS, Visit, add_file, ask, copied, picture, print_pdf, serving
from office import ROW, TITLE, write_docx, write_xlsx
from playwright.sync_api import Browser, expect

PAGES = 30
QUESTION = "When was berth four of the harbour dredged?"
QUOTE = "Berth four of the harbour was dredged in March of that year."


def print_report(browser: Browser, file: Path) -> None:
    filler = "<p>The tide tables of the year are given on this page and on the next one.</p>"
    pages = [f"<h2>Part {n}</h2>{filler}" for n in range(1, PAGES + 1)]
    pages[20] += f"<p>{QUOTE} Nothing else was dredged.</p>"
    breaks = "<style>h2 { break-before: page } body { font: 14px serif }</style>"
    print_pdf(browser, f"{breaks}<h1>{TITLE}</h1>{''.join(pages)}", file)


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    print_report(browser, folder / "report.pdf")
    write_xlsx(folder / "figures.xlsx")
    flags = ("--source", folder / "report.pdf", "--source", folder / "figures.xlsx")
    with serving(folder, *flags) as address:
        yield address


def test_what_is_cited_is_lit_up_on_its_page(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, QUESTION)
    expect(turn.locator(".card header").first).to_contain_text("p. 22")
    turn.locator(".marker").first.click()
    light = page.locator(".light.chosen").first
    expect(light).to_be_in_viewport()
    expect(page.locator(".sheet[data-page='22'] img")).to_be_visible()
    # The light lies on the words: those under its middle are the quote's.
    words = page.evaluate(
        """() => {
          const light = document.querySelector(".light.chosen").getBoundingClientRect();
          return [...document.querySelectorAll(".sheet[data-page='22'] .words span")]
            .filter((span) => {
              const box = span.getBoundingClientRect();
              const [x, y] = [box.x + 2, box.y + box.height / 2];
              return x > light.left && x < light.right && y > light.top && y < light.bottom;
            })
            .map((span) => span.textContent.trim()).join(" ");
        }"""
    )
    assert words.startswith("Berth four of the harbour")
    picture(page, "pages")

    # It turns to the text and back.
    page.get_by_role("button", name="Text", exact=True).click()
    expect(page.locator("#reader mark.chosen")).to_have_text(QUOTE)
    expect(page.locator("#reader mark.chosen")).to_be_in_viewport()
    page.get_by_role("button", name="Pages", exact=True).click()
    expect(page.locator(".light.chosen").first).to_be_in_viewport()

    # A table is shown as one.
    turn = ask(page, "What was the revenue in 2022?")
    expect(turn).to_contain_text("6.4 million")
    expect(turn.locator(".card header").first).to_contain_text("Figures, row 5")
    turn.locator(".marker").first.click()
    expect(page.locator(".row.names .cell")).to_have_text(["Year", "Revenue", "Ships"])
    chosen = page.locator(".block.chosen .row")
    assert chosen.evaluate("e => e.textContent") == ROW
    expect(chosen.locator("mark.chosen")).to_have_count(3)
    lefts = "es => es.map((e) => Math.round(e.getBoundingClientRect().left))"
    assert chosen.locator(".cell").evaluate_all(lefts) == page.locator(
        ".row.names .cell"
    ).evaluate_all(lefts)
    picture(page, "table")


@pytest.mark.long
def test_only_what_is_near_is_drawn_and_the_words_lie_over_it(visit: Visit) -> None:
    page = visit.page
    page.locator("#reader-choice").select_option(label=TITLE)
    expect(page.locator(".sheet")).to_have_count(PAGES + 1)
    expect(page.locator(".sheet img").first).to_be_visible()
    assert page.locator(".sheet img").count() < 10
    page.locator(".sheet").last.scroll_into_view_if_needed()
    expect(page.locator(".sheet").last.locator("img")).to_be_visible()
    expect(page.locator(".sheet").first.locator("img")).to_have_count(0)

    # It is searched and selected over the picture.
    page.locator("#find-text").fill("Nothing else")
    expect(page.locator("#find-count")).to_have_text("1")
    page.locator("#find-on").click()
    expect(page.locator(".light.found").first).to_be_in_viewport()
    selected = page.evaluate(
        """() => {
          const words = document.querySelector(".sheet[data-page='22'] .words");
          getSelection().selectAllChildren(words);
          return getSelection().toString();
        }"""
    )
    assert QUOTE in " ".join(selected.split())

    # Where a page cannot be drawn, there are its words.
    drawn = re.compile(r"/pages/\d+\?width")
    page.route(drawn, lambda route: route.fulfill(status=400, json={"detail": "no"}))
    page.reload()  # what was drawn before is no longer there
    visit.ready()
    page.locator("#reader-choice").select_option(label=TITLE)
    expect(page.locator(".sheet.undrawn").first).to_be_visible()
    expect(page.locator(".sheet.undrawn .words").first).to_contain_text(TITLE)
    visit.complaints.clear()  # the browser tells of the answers that were made to fail


def test_a_pdf_that_is_added_is_asked(browser: Browser, url: str, tmp_path: Path) -> None:
    visit = Visit(browser, url, viewport={"width": 390, "height": 844})
    page = visit.page
    mine = "<h1>Boathouse</h1><p>Oars are to be dried before they are hung up.</p>"
    print_pdf(browser, mine, tmp_path / "boathouse.pdf")
    write_docx(tmp_path / "report.docx")
    add_file(page, tmp_path / "boathouse.pdf", tmp_path / "report.docx")
    expect(page.locator("#uploads .wrong")).to_have_count(0)
    page.keyboard.press("Escape")
    turn = ask(page, "What is to be done with oars before they are hung up?")
    turn.locator(".marker").first.click()
    expect(page.locator(".light.chosen").first).to_be_in_viewport(timeout=60 * SECONDS)
    picture(page, "pages-phone")
    visit.close()


@pytest.mark.long
def test_a_citation_is_taken_along_and_leads_back(browser: Browser, url: str) -> None:
    visit = Visit(browser, url)
    page = visit.page
    turn = ask(page, QUESTION)
    sources = turn.get_by_role("region", name="Sources")
    sources.get_by_text("Cite", exact=True).first.click()
    link, text, bibtex, csl = (
        copied(page, turn.get_by_role("button", name=way, exact=True), told)
        for way, told in (
            ("Link", "The link"),
            ("Text", "Text"),
            ("BibTeX (for LaTeX, JabRef)", "BibTeX"),
            ("CSL-JSON (for Pandoc)", "CSL-JSON"),
        )
    )
    assert text.startswith(f"“{QUOTE}” {TITLE}, ") and "p. 22" in text
    assert bibtex.startswith("@misc{") and "  pages = {22}," in bibtex
    (item,) = json.loads(csl)
    assert (item["title"], item["page"]) == (TITLE, "22") and QUOTE in item["note"]
    visit.close()
    other = Visit(browser, link)
    expect(other.page.locator(".light.chosen").first).to_be_in_viewport()
    other.page.goto(link.rpartition("/")[0] + "/0-999999")
    expect(other.page.locator("#reader-note")).to_contain_text("has changed since this link")
    other.close()
