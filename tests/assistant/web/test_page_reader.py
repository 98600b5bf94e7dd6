"""Reading a document on the page: where one is, how large it is, and what is found in others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browsing import Visit, ask, barriers, is_uncovered, lit, picture, print_pdf, serving, settled
from playwright.sync_api import Browser, Locator, Page, expect

PAGES = 12
QUOTE = "Berth four of the harbour was dredged in March of that year."
QUESTION = "When was berth four of the harbour dredged?"
COLUMNS = "Year Ships Berths Crew Tons Tolls Pilots Tugs Cranes Docks Storms Days".split()


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("reader")
    filler = "The tide tables of the year are given here, and again on the page that follows it. "
    parts = [
        f"<h2>Part {n}</h2><p>Of part {n} it is said: {filler * 4}</p>" for n in range(1, PAGES + 1)
    ]
    style = "<h1>Report</h1><style>h2 + p { break-after: page }</style>"
    print_pdf(browser, style + "".join(parts), folder / "report.pdf")
    text = "".join(f"\n\n## Part {n}\n\n{filler * 6}{QUOTE} {filler * 9}" for n in range(1, 9))
    (folder / "harbour.md").write_text(f"# Harbour{text}\n", encoding="utf-8")
    rows = [",".join(COLUMNS), *(",".join(str(2000 + n + m) for n in range(12)) for m in range(60))]
    (folder / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    few = "Year,Remark\n2021,None\n2022,The quay was repaired\n"
    (folder / "few.csv").write_text(few, encoding="utf-8")
    sources = [folder / name for name in ("harbour.md", "report.pdf", "table.csv", "few.csv")]
    with serving(folder, *(part for one in sources for part in ("--source", one))) as address:
        yield address


def read(page: Page, title: str) -> None:
    page.locator("#reader-choice").select_option(label=title)


def field(page: Page) -> Locator:
    return page.locator("#place-number")


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
    current.focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(current).to_have_text("Part 7")
    expect(field(page)).to_have_value("7")
    field(page).fill("9")
    field(page).press("Enter")
    expect(field(page)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#announcer")).to_have_text("There is no 9; there are 8.")
    # As one scrolls, what is read is told.
    page.locator("#pages").evaluate("(pages) => (pages.scrollTop = 0)")
    page.locator("#pages").focus()
    expect(field(page)).to_have_value("1")
    picture(page, "contents")
    assert barriers(page) == []

    # Headings are found as well.
    read(page, "Harbour")
    find = page.get_by_label("Find in the document")
    find.fill("Part 8")
    expect(page.locator("#find-count")).to_have_text("1")
    find.press("Enter")
    expect(page.locator("#pages h4", has_text="Part 8")).to_be_in_viewport()
    assert page.evaluate("[...CSS.highlights.get('found-here')].map(String)") == ["Part 8"]
    find.fill("berth")
    find.press("Enter")
    expect(page.locator("#find-count")).to_have_text("1 of 8")
    page.get_by_role("button", name="Previous place").click()
    expect(page.locator("#find-count")).to_have_text("8 of 8")
    picture(page, "finding")
    find.fill("no such (words")
    expect(page.locator("#find-count")).to_have_text("none")
    # On pages too: the heading, and paragraphs 1, 10, 11 and 12; as many as in all documents.
    read(page, "Report")
    find.fill("Part 1")
    expect(page.locator("#find-count")).to_have_text("5")
    find.press("Enter")
    light = page.locator(".light.found")
    expect(light).to_have_count(2)
    expect(light.first).to_be_in_viewport()
    page.get_by_role("button", name="In all documents").click()
    hits = page.get_by_role("region", name="In all documents").get_by_role("button")
    expect(hits).to_have_text(["Report 5 places", "Harbour 1 place"])

    # Words are counted in all documents.
    read(page, "table.csv")
    find.fill("TIDE  tables")
    page.get_by_role("button", name="In all documents").click()
    hits = page.get_by_role("region", name="In all documents")
    expect(hits.get_by_role("status")).to_have_text("168 places in 2 documents")
    found = hits.get_by_role("button")
    expect(found).to_have_text(["Harbour 120 places", f"Report {PAGES * 4} places"])
    picture(page, "everywhere")
    found.nth(1).click()
    expect(page.locator("#find-count")).to_have_text(f"1 of {PAGES * 4}")
    expect(page.locator(".light.found").first).to_be_in_viewport()
    find.fill("nowhere at all")
    expect(hits).to_be_hidden()


def test_a_page_is_made_larger_and_an_overview_is_asked_for(visit: Visit) -> None:
    page = visit.page
    read(page, "Report")
    expect(page.locator("#place-of")).to_have_text(f"of {PAGES}")
    field(page).fill("7")
    field(page).press("Enter")
    seventh = page.locator('.sheet[data-page="7"]')
    expect(seventh).to_be_in_viewport()
    width = "(sheet) => sheet.getBoundingClientRect().width"
    before = seventh.evaluate(width)
    page.get_by_role("button", name="Larger").click()
    page.get_by_role("button", name="Larger").click()
    expect(page.locator("#fit")).to_have_text("150%")
    assert seventh.evaluate(width) == pytest.approx(1.5 * before, abs=2)
    expect(seventh).to_be_in_viewport()
    expect(field(page)).to_have_value("7")
    page.reload()
    visit.ready()
    read(page, "Report")
    expect(page.locator("#fit")).to_have_text("150%")
    page.get_by_title("Fit the width").click()
    assert seventh.evaluate(width) == pytest.approx(before, abs=2)

    # An overview is of the document, or of the section.
    read(page, "Harbour")
    identity = page.locator("#reader-choice").input_value()
    page.locator("#pages .number").nth(2).press("Enter")
    section = page.get_by_role("button", name="Overview of this section")
    for button, about in ((page.locator("#overview"), "Harbour"), (section, "Part 3")):
        with page.expect_request("**/ask") as request:
            button.click()
        asked = request.value.post_data_json
        assert (asked["documents"], asked["history"]) == ([identity], [])
        turn = settled(page)
        expect(turn.locator(".about")).to_have_text(f"About {about}")
        expect(turn.locator(".meta").first).to_contain_text("Chosen from the documents")


def test_the_panes_are_as_wide_as_one_has_made_them(visit: Visit) -> None:
    page = visit.page
    line = page.get_by_role("separator", name="Width of the document")
    reader = page.locator("#reader")
    share = """(reader) =>
      Math.round((100 * reader.getBoundingClientRect().width) / window.innerWidth)"""
    assert reader.evaluate(share) == 45
    line.press("ArrowLeft")
    expect(line).to_have_attribute("aria-valuenow", "48")
    box = line.bounding_box()
    assert box
    page.mouse.move(box["x"], 400)
    page.mouse.down()
    page.mouse.move(1280 * 0.4, 400)
    page.mouse.up()
    expect(line).to_have_attribute("aria-valuenow", "60")
    page.reload()
    assert reader.evaluate(share) == 60  # before any of its scripts has come
    visit.ready()
    page.get_by_role("button", name="Wide").click()
    assert reader.evaluate(share) == 65
    page.get_by_role("button", name="Close the document").click()
    expect(reader).to_be_hidden()
    page.reload()
    visit.ready()
    expect(reader).to_be_hidden()
    # What is cited is shown all the same.
    turn = ask(page, QUESTION)
    expect(reader).to_be_hidden()
    turn.locator(".marker").first.click()
    expect(reader).to_be_visible()
    assert lit(page) == QUOTE


def test_nothing_lies_over_what_is_cited_at_twice_the_size(browser: Browser, url: str) -> None:
    visit = Visit(browser, url, viewport={"width": 640, "height": 400})
    page = visit.page
    turn = ask(page, QUESTION)
    turn.locator(".marker").first.click()
    assert lit(page) == QUOTE
    assert is_uncovered(page)
    below = page.locator(".block.chosen").evaluate(
        """(block) => {
          const [text, below] = [".block > p", ".beside"].map((of) => block.querySelector(of));
          const top = below.getBoundingClientRect().top;
          return top - text.getBoundingClientRect().bottom;
        }"""
    )
    assert below >= 0
    picture(page, "twice-the-size")
    visit.close()


def test_a_wide_table_is_scrolled_by_itself(browser: Browser, url: str) -> None:
    visit = Visit(browser, url, viewport={"width": 390, "height": 844})
    page = visit.page
    page.locator("#open-reader").click()
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
    # The names of the columns and what the rows are called stay in view.
    for cell in (names.first, below.first):
        expect(cell).to_be_in_viewport(ratio=1)
    table.locator('.block[data-number="60"]').evaluate("(row) => row.scrollIntoView()")
    expect(names.last).to_be_in_viewport(ratio=1)
    assert page.locator("#pages").evaluate("(pages) => pages.scrollWidth <= pages.clientWidth")
    picture(page, "wide-table")
    assert barriers(page) == []
    # One that has room is not stopped at on the way through the page.
    read(page, "few.csv")
    expect(page.locator(".rows")).to_be_visible()
    expect(page.locator(".rows[tabindex]")).to_have_count(0)
    visit.close()


def test_on_a_phone_more_is_seen_of_the_document_than_of_its_tools(
    browser: Browser, url: str
) -> None:
    sizes = {"portrait": (390, 844, 0.75), "landscape": (844, 390, 0.7)}
    for name, (width, height, share) in sizes.items():
        viewport = {"width": width, "height": height}
        visit = Visit(browser, url, viewport=viewport, has_touch=True, is_mobile=True)
        page = visit.page
        page.locator("#open-reader").click()
        read(page, "Harbour")
        seen = page.locator("#pages")
        taken = "(pages) => pages.clientHeight / innerHeight"
        assert seen.evaluate(taken) > share
        expect(page.locator("#place-kind")).to_be_in_viewport()
        page.get_by_label("Find in the document").fill("tide tables")
        assert seen.evaluate(taken) > share  # what goes through the places had its room
        page.get_by_role("button", name="Contents").tap()
        picture(page, f"reader-{name}")
        assert seen.evaluate(taken) > share / 2
        assert barriers(page) == []
        page.get_by_role("navigation", name="Contents").get_by_text("Part 5").tap()
        expect(page.locator("#outline")).to_be_hidden()
        expect(page.locator("#pages h4", has_text="Part 5")).to_be_in_viewport()
        visit.close()
