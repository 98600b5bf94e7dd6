"""Reading documents on the page: places in them, pages and tables, what is cited lit up where it is
printed, and what is found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import (
    Visit,
    add_file,
    ask,
    barriers,
    choose_in_reader,
    copied,
    is_uncovered,
    lit,
    phone,
    print_pdf,
    read,
    serving,
    settled,
)
from office import ROW, write_docx, write_xlsx
from playwright.sync_api import Browser, Locator, Page, expect

PAGES = 12
CHAPTERS = 30
QUOTE = "Berth four of the harbour was dredged in March of that year."
QUESTION = "When was berth four of the harbour dredged?"
PRINTED = "Lock seven of the harbour was widened in April of that year."
PRINTED_QUESTION = "When was lock seven of the harbour widened?"
COLUMNS = "Year Ships Berths Crew Tons Tolls Pilots Tugs Cranes Docks Storms Days".split()
TIDES = "The tide tables of the year are given here, and again on the page that follows it. "
PILOTS = "<p>The pilots of the year are named on this page and on the next one.</p>"

#: The words of page 22 over which the light lies.
UNDER_LIGHT = """() => {
  const light = document.querySelector(".light.chosen").getBoundingClientRect();
  return [...document.querySelectorAll(".sheet[data-page='22'] .words span")]
    .filter((span) => {
      const box = span.getBoundingClientRect();
      const [x, y] = [box.x + 2, box.y + box.height / 2];
      return x > light.left && x < light.right && y > light.top && y < light.bottom;
    })
    .map((span) => span.textContent.trim()).join(" ");
}"""


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reading")
    parts = [
        f"<h2>Part {n}</h2><p>Of part {n} it is said: {TIDES * 4}</p>" for n in range(1, PAGES + 1)
    ]
    style = "<h1>Report</h1><style>h2 + p { break-after: page }</style>"
    print_pdf(browser, style + "".join(parts), folder / "report.pdf")
    chapters = [f"<h2>Chapter {n}</h2>{PILOTS}" for n in range(1, CHAPTERS + 1)]
    chapters[20] += f"<p>{PRINTED} Nothing else was widened.</p>"
    breaks = "<style>h2 { break-before: page } body { font: 14px serif }</style>"
    print_pdf(browser, f"{breaks}<h1>Almanac</h1>{''.join(chapters)}", folder / "almanac.pdf")
    text = "".join(f"\n\n## Part {n}\n\n{TIDES * 6}{QUOTE} {TIDES * 9}" for n in range(1, 9))
    (folder / "harbour.md").write_text(f"# Harbour{text}\n", encoding="utf-8")
    rows = [",".join(COLUMNS), *(",".join(str(2000 + n + m) for n in range(12)) for m in range(60))]
    (folder / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    few = "Year,Remark\n2021,None\n2022,The quay was repaired\n"
    (folder / "few.csv").write_text(few, encoding="utf-8")
    write_xlsx(folder / "figures.xlsx")
    sources = sorted(folder.iterdir())
    with serving(folder, *(part for one in sources for part in ("--source", one))) as address:
        yield address


def field(page: Page) -> Locator:
    return page.locator("#place-number")


def test_what_is_cited_is_lit_up_where_it_is_printed(visit: Visit) -> None:
    page = visit.page
    turn = ask(page, PRINTED_QUESTION)
    expect(turn.locator(".card header").first).to_contain_text("p. 22")
    turn.locator(".marker").first.click()
    light = page.locator(".light.chosen").first
    expect(light).to_be_in_viewport()
    expect(field(page)).to_have_value("22")
    expect(page.locator(".sheet[data-page='22'] img")).to_be_visible()
    expect(page.locator(".sheet[data-page='22'] .words span").first).to_be_attached()
    assert page.evaluate(UNDER_LIGHT).startswith("Lock seven of the harbour")

    # It turns to the text and back.
    choose_in_reader(page, "Text")
    expect(page.locator("#reader mark.chosen")).to_have_text(PRINTED)
    expect(page.locator("#reader mark.chosen")).to_be_in_viewport()
    number = page.locator(".block.chosen").get_attribute("data-number")
    expect(field(page)).to_have_value(str(number))
    choose_in_reader(page, "Pages")
    expect(light).to_be_in_viewport()
    expect(field(page)).to_have_value("22")

    # A table is shown as one.
    turn = ask(page, "What was the revenue in 2022?")
    expect(turn).to_contain_text("6.4 million")
    expect(turn.locator(".card header").first).to_contain_text("Figures, row 5")
    turn.locator(".marker").first.click()
    expect(page.locator(".row.names .cell")).to_have_text(["Year", "Revenue", "Ships"])
    number = page.locator(".block.chosen").get_attribute("data-number")
    expect(field(page)).to_have_value(str(number))
    chosen = page.locator(".block.chosen .row")
    assert chosen.evaluate("e => e.textContent") == ROW
    expect(chosen.locator("mark.chosen")).to_have_count(3)
    lefts = "es => es.map((e) => Math.round(e.getBoundingClientRect().left))"
    assert chosen.locator(".cell").evaluate_all(lefts) == page.locator(
        ".row.names .cell"
    ).evaluate_all(lefts)


@pytest.mark.long
def test_only_what_is_near_is_drawn_and_a_citation_is_taken_along(visit: Visit) -> None:
    page = visit.page
    read(page, "Almanac")
    expect(page.locator(".sheet")).to_have_count(CHAPTERS + 1)
    expect(page.locator(".sheet img").first).to_be_visible()
    assert page.locator(".sheet img").count() < 10
    page.locator(".sheet").last.scroll_into_view_if_needed()
    expect(page.locator(".sheet").last.locator("img")).to_be_visible()
    expect(page.locator(".sheet").first.locator("img")).to_have_count(0)

    # Where a page cannot be drawn, there are its words.
    drawn = re.compile(r"/pages/\d+\?width")
    page.route(drawn, lambda route: route.fulfill(status=400, json={"detail": "no"}))
    page.reload()  # what was drawn before is no longer there
    visit.ready()
    read(page, "Almanac")
    expect(page.locator(".sheet.undrawn").first).to_be_visible()
    expect(page.locator(".sheet.undrawn .words").first).to_contain_text("Almanac")
    visit.complaints.clear()  # the browser tells of the answers that were made to fail
    page.unroute(drawn)

    # A citation is taken along, and leads back.
    turn = ask(page, PRINTED_QUESTION)
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
    assert text.startswith(f"“{PRINTED}” Almanac, ") and "p. 22" in text
    assert bibtex.startswith("@misc{") and "  pages = {22}," in bibtex
    (item,) = json.loads(csl)
    assert (item["title"], item["page"]) == ("Almanac", "22") and PRINTED in item["note"]
    other = visit.context.new_page()
    other.goto(link)
    expect(other.locator(".light.chosen").first).to_be_in_viewport()
    other.goto(link.rpartition("/")[0] + "/0-999999")
    expect(other.locator("#reader-note")).to_contain_text("has changed since this link")


def test_one_goes_to_places_and_finds_words(visit: Visit) -> None:
    page = visit.page
    read(page, "Harbour")
    page.get_by_role("button", name="Contents").click()
    contents = page.get_by_role("navigation", name="Contents").get_by_role("button")
    current = page.locator("#outline [aria-current]")
    contents.filter(has_text="Part 5").click()
    expect(page.locator("#pages h4", has_text="Part 5")).to_be_in_viewport()
    expect(current).to_have_text("Part 5")
    expect(field(page)).to_have_value("5")
    expect(page.locator("#place-of")).to_have_text("of 8")
    # The last one is told, though it is not at the top of the view.
    field(page).fill("8")
    field(page).press("Enter")
    expect(page.locator('.block[data-number="8"]')).to_be_in_viewport()
    expect(current).to_have_text("Part 8")
    field(page).fill("9")
    field(page).press("Enter")
    expect(field(page)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#announcer")).to_have_text("There is no 9; there are 8.")
    # As one scrolls, what is read is told.
    page.locator("#pages").evaluate("(pages) => (pages.scrollTop = 0)")
    page.locator("#pages").focus()
    expect(field(page)).to_have_value("1")
    assert barriers(page) == []

    # Headings are found as well.
    find = page.get_by_label("Find in the document")
    find.fill("Part 8")
    expect(page.locator("#find-count")).to_have_text("1")
    find.press("Enter")
    expect(page.locator("#pages h4", has_text="Part 8")).to_be_in_viewport()
    assert page.evaluate("[...CSS.highlights.get('found-here')].map(String)") == ["Part 8"]
    find.fill("berth")
    find.press("Enter")
    expect(page.locator("#find-count")).to_have_text("1 of 8")
    page.get_by_role("button", name="Previous match").click()
    expect(page.locator("#find-count")).to_have_text("8 of 8")
    find.fill("no such (words")
    expect(page.locator("#find-count")).to_have_text("No results")
    # On pages too: headings and paragraphs 1, 10, 11 and 12.
    read(page, "Report")
    find.fill("Part 1")
    expect(page.locator("#find-count")).to_have_text("8")
    find.press("Enter")
    expect(page.locator(".light.found").first).to_be_in_viewport()
    # Words are found in all documents, and shown where they are.
    read(page, "table.csv")
    find.fill("TIDE  tables")
    page.get_by_role("button", name="In all documents").click()
    hits = page.get_by_role("region", name="In all documents")
    expect(hits.get_by_role("status")).to_have_text("168 matches in 2 documents")
    found = page.locator("#hits > ul > li > button")
    expect(found).to_have_text(["Harbour 120 matches", f"Report {PAGES * 4} matches"])
    found.nth(1).click()
    expect(page.locator("#find-count")).to_have_text(f"1 of {PAGES * 4}")
    expect(page.locator(".light.found").first).to_be_in_viewport()
    places = hits.locator("ul ul button")
    wheres = [*(f"paragraph {n}" for n in (1, 2, 3)), *(f"p. {n}" for n in (1, 2, 3))]
    expect(places.locator(".count")).to_have_text(wheres)
    expect(places.locator("mark")).to_have_text(["tide tables"] * 6)
    expect(places.nth(4)).to_contain_text("Of part 2 it is said: The tide tables of the year are")
    assert barriers(page) == []
    places.nth(4).click()
    expect(page.locator("#find-count")).to_have_text(f"5 of {PAGES * 4}")
    expect(page.locator(".sheet[data-page='2'] .light.found").first).to_be_in_viewport()
    places.nth(2).click()
    expect(page.locator("#find-count")).to_have_text("31 of 120")
    expect(page.locator(".block[data-number='3']")).to_be_in_viewport()
    assert page.evaluate("[...CSS.highlights.get('found-here')].map(String)") == ["tide tables"]
    # Letters are alike here as there, whatever their case.
    find.fill("tide table\u017f")
    expect(page.locator("#find-count")).to_have_text("120")
    page.get_by_role("button", name="In all documents").click()
    expect(hits.get_by_role("status")).to_have_text("168 matches in 2 documents")
    # Esc empties the field, and then leaves it: the next key is no word to find.
    find.press("Escape")
    expect(find).to_have_value("")
    expect(page.locator("#find-count")).to_have_text("")
    expect(find).to_be_focused()
    find.press("Escape")
    expect(page.locator("#pages")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()
    expect(find).to_have_value("")


def test_how_a_document_is_shown_and_an_overview_of_it(visit: Visit) -> None:
    page = visit.page
    read(page, "Report")
    expect(page.locator("#place-of")).to_have_text(f"of {PAGES}")
    field(page).fill("7")
    field(page).press("Enter")
    seventh = page.locator('.sheet[data-page="7"]')
    expect(seventh).to_be_in_viewport()
    width = "(sheet) => sheet.getBoundingClientRect().width"
    before = seventh.evaluate(width)
    choose_in_reader(page, "Larger")
    page.get_by_role("button", name="Larger").click()  # the menu stays open for it
    expect(page.locator("#fit")).to_have_text("150%")
    assert seventh.evaluate(width) == pytest.approx(1.5 * before, abs=2)
    expect(seventh).to_be_in_viewport()
    expect(field(page)).to_have_value("7")
    page.reload()
    visit.ready()
    read(page, "Report")
    page.locator("#reader-top .menu > button").click()
    expect(page.locator("#fit")).to_have_text("150%")
    page.get_by_title("Fit the width").click()
    as_wide = """(before) => {
      const sheet = document.querySelector('.sheet[data-page="7"]');
      return sheet && Math.abs(sheet.getBoundingClientRect().width - before) <= 2;
    }"""
    page.wait_for_function(as_wide, arg=before)  # once the pages are laid out

    # An overview is of the document, or of the section.
    read(page, "Harbour")
    identity = page.locator("#reader-choice").input_value()
    page.locator("#pages .number").nth(2).press("Enter")
    section = page.get_by_role("button", name="Overview of this section")
    for ask_for, about in (
        (lambda: choose_in_reader(page, "Overview"), "Harbour"),
        (section.click, "Part 3"),
    ):
        with page.expect_request("**/ask") as request:
            ask_for()
        asked = request.value.post_data_json
        assert (asked["documents"], asked["history"]) == ([identity], [])
        turn = settled(page)
        expect(turn.locator(".about")).to_have_text(f"About {about}")
        expect(turn.locator(".meta").first).to_contain_text("Selected from the documents")

    # The panes are as wide as one has made them.
    line = page.get_by_role("separator", name="Width of the document")
    reader = page.locator("#reader")
    share = """(reader) =>
      Math.round((100 * reader.getBoundingClientRect().width) / window.innerWidth)"""
    assert reader.evaluate(share) == 45
    for share_of in ("48", "51"):
        line.press("ArrowLeft")
        expect(line).to_have_attribute("aria-valuenow", share_of)
    page.reload()
    kept = "getComputedStyle(document.documentElement).getPropertyValue('--reader-share')"
    assert page.evaluate(kept) == "51"  # before any of its scripts has come
    visit.ready()
    read(page, "Harbour")
    assert reader.evaluate(share) == 51
    page.get_by_role("button", name="Close the document").click()
    expect(reader).to_be_hidden()
    expect(page.locator("#open-reader")).to_be_focused()


def test_nothing_is_opened_in_the_reader_unasked(visit: Visit) -> None:
    page = visit.page
    reader, view = page.locator("#reader"), page.locator("#pages")
    expect(reader).to_be_hidden()
    turn = ask(page, QUESTION)
    expect(reader).to_be_hidden()
    assert not re.search(r"(?<!page)/documents/", " ".join(visit.requests)), "none is loaded"

    # It opens where a citation is followed, and stays as it is, whatever is asked then.
    turn.locator(".marker").first.click()
    assert lit(page) == QUOTE
    title = page.locator("#reader-choice").input_value()
    view.evaluate("(view) => (view.scrollTop = view.scrollHeight)")
    below = view.evaluate("(view) => view.scrollTop")
    for question, marks in ((PRINTED_QUESTION, 0), (QUESTION, 1)):
        ask(page, question)
        expect(page.locator("#reader mark[data-keys]")).to_have_count(marks)
        expect(page.locator("#reader mark.chosen")).to_have_count(0)
        assert page.locator("#reader-choice").input_value() == title
        assert view.evaluate("(view) => view.scrollTop") == below
    page.locator("#new").click()
    expect(reader).to_be_visible()

    # Closed, it opens again on what was read.
    page.get_by_role("button", name="Close the document").click()
    ask(page, QUESTION)
    expect(reader).to_be_hidden()
    page.get_by_role("button", name="Read", exact=True).click()
    expect(reader).to_be_visible()
    expect(view).to_be_focused()
    assert page.locator("#reader-choice").input_value() == title

    # Where nothing was read, it opens on what the last answer is from.
    for question, of in ((PRINTED_QUESTION, "Almanac"), (QUESTION, "Harbour")):
        ask(page, question)
        page.reload()
        visit.ready()
        page.locator("#turns").focus()
        page.keyboard.press("r")
        expect(page.locator("#reader-choice option:checked")).to_have_text(of)


@phone
def test_on_a_phone(visit: Visit, browser: Browser, tmp_path: Path) -> None:
    page = visit.page
    seen = page.locator("#pages")
    taken = "(pages) => pages.clientHeight / innerHeight"
    for width, height, share in ((390, 844, 0.75), (844, 390, 0.7)):
        # More is seen of the document than of its tools.
        page.set_viewport_size({"width": width, "height": height})
        read(page, "Harbour")
        assert seen.evaluate(taken) > share
        expect(page.locator("#place-kind")).to_be_in_viewport()
        page.get_by_label("Find in the document").fill("tide tables")
        assert seen.evaluate(taken) > share  # what goes through the places had its room
        page.get_by_role("button", name="Contents").tap()
        assert seen.evaluate(taken) > share / 2
        assert barriers(page) == []
        page.get_by_role("navigation", name="Contents").get_by_text("Part 5").tap()
        expect(page.locator("#outline")).to_be_hidden()
        expect(page.locator("#pages h4", has_text="Part 5")).to_be_in_viewport()
        page.get_by_label("Find in the document").fill("")

    # A wide table is scrolled by itself.
    page.set_viewport_size({"width": 390, "height": 844})
    read(page, "table.csv")
    table = page.get_by_role("region", name="Table from paragraph 1 on")
    names = page.locator(".names .cell")
    expect(names.last).not_to_be_in_viewport()
    expect(page.locator(".table")).to_have_class("table more-behind")
    table.evaluate("(table) => (table.scrollLeft = table.scrollWidth)")
    expect(names.last).to_be_in_viewport()
    left = "(cell) => Math.round(cell.getBoundingClientRect().left)"
    below = table.locator('.block[data-number="2"] .cell')
    assert below.last.evaluate(left) == names.last.evaluate(left)
    assert seen.evaluate("(pages) => pages.scrollWidth <= pages.clientWidth")
    assert barriers(page) == []
    page.keyboard.press("Escape")

    # At twice the size nothing lies over what is cited.
    page.set_viewport_size({"width": 640, "height": 400})
    ask(page, QUESTION).locator(".marker").first.click()
    assert lit(page) == QUOTE
    assert is_uncovered(page)
    page.keyboard.press("Escape")

    # A PDF that is added there is asked and read.
    page.set_viewport_size({"width": 390, "height": 844})
    mine = "<h1>Boathouse</h1><p>Oars are to be dried before they are hung up.</p>"
    print_pdf(browser, mine, tmp_path / "boathouse.pdf")
    write_docx(tmp_path / "report.docx")
    add_file(page, tmp_path / "boathouse.pdf", tmp_path / "report.docx")
    expect(page.locator("#uploads .wrong")).to_have_count(0)
    page.keyboard.press("Escape")
    ask(page, "What is to be done with oars before they are hung up?").locator(
        ".marker"
    ).first.click()
    expect(page.locator(".light.chosen").first).to_be_in_viewport()
