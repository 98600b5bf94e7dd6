"""Headings of a PDF without an outline are told by how it looks, and sentences that look like some
are read as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from browsing import print_pdf
from playwright.sync_api import Browser
from pypdf import PdfWriter

from index import Document, read_document
from index.readers.pdf.pages import PrintedWord, Region
from index.readers.pdf.tables import Row, Table, cut_table

TEXT = (
    "The pump is filled with clean water before it is switched on, and is emptied after its use. "
)
WARNING = (
    "Attention! The following indications are, by themselves, not enough to keep you from harm."
)
WARRANTY = (
    "The maker guarantees this pump for a period of 24 months from the date of purchase that is "
    "written on the receipt"
)
LONG = "What to do before the pump is used for the first time after a winter in an unheated shed"
CAPTION = "Figure 2: the pump with its hose"
MARGIN = "Task: order a spare seal."
#: Title, level by how it is set, and whether its number alone tells that it is one.
SECTIONS = (
    ("1 Safety", 1, False),
    ("1.1 Intended use", 2, True),
    ("1.2 Storage", 2, True),
    ("2 Use", 1, False),
    (f"2.1 {LONG}", 2, True),
    ("2.2 Cleaning", 2, True),
    ("3 Service", 1, False),
)
PUMP = f"""<!doctype html><html lang="en"><style>
body {{ font: 13px/1.4 'DejaVu Serif'; width: 34em; margin: 0 }} p {{ margin: 0 0 1em }}
.title {{ font-size: 28px }} .large {{ font: bold 19px 'DejaVu Sans'; break-before: page }}
 .deep {{ padding-left: 2em }} li {{ margin: 0 }}
.margin {{ float: right; width: 11em; margin-right: -14em; font-size: 9px }}</style><body>
<p class=title>The pump and how it is used</p><p>{TEXT}</p>
<p class=large>Contents</p>
{
    "".join(
        f"<p class={'deep' if level > 1 else 'flat'}>{title} {'. ' * 12}{2 + int(title[0])}</p>"
        for title, level, _ in SECTIONS
    )
}
{
    "".join(
        f"<p class={'plain' if is_plain else 'large'}>{title}</p><p>{TEXT * 3}</p>"
        + ("<p><b>" + WARNING + "</b></p>" if number == 1 else "")
        + (f"<p class=margin>{MARGIN}</p><p>{TEXT * 9}</p>" if number == 2 else "")
        + (f"<p><b>{CAPTION}</b></p><p>{TEXT}</p>" if number == 3 else "")
        + ("<ol><li>Open the lid<li>Fill it<li>Close the lid</ol>" if number == 4 else "")
        + (f"<p><b>{WARRANTY}</b>. It does not cover the seals.</p>" if number == 6 else "")
        for number, (title, _, is_plain) in enumerate(SECTIONS)
    )
}</body></html>"""


@pytest.fixture(scope="module")
def pump(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Document:
    file = tmp_path_factory.mktemp("pump") / "pump.pdf"
    print_pdf(browser, PUMP, file)
    return read_document(file)


def test_numbers_and_contents_tell_headings_that_are_set_as_text(pump: Document) -> None:
    passages = [p for p in pump.paragraphs if p.kind != "contents"]
    headings = list(dict.fromkeys(p.heading[-2:] for p in passages if p.page != 1))
    assert headings == [
        ("The pump and how it is used", "1 Safety"),
        ("1 Safety", "1.1 Intended use"),
        ("1 Safety", "1.2 Storage"),
        ("The pump and how it is used", "2 Use"),
        ("2 Use", f"2.1 {LONG}"),
        ("2 Use", "2.2 Cleaning"),
        ("The pump and how it is used", "3 Service"),
    ]
    assert not [p for p in passages if "Contents" in p.text or ". ." in p.text]
    (contents,) = [p for p in pump.paragraphs if p.kind == "contents"]
    assert " ".join(re.sub(r"(?: \.)+ \d\b", "", contents.text).split()) == " ".join(
        ["Contents", *(title for title, *_ in SECTIONS)]
    )


def test_sentences_captions_and_items_that_are_bold_or_numbered_stay_text(pump: Document) -> None:
    texts = [p.text for p in pump.paragraphs]
    assert WARNING in texts
    assert f"{WARRANTY}. It does not cover the seals." in texts
    assert CAPTION in texts
    assert "Fill it" in next(text for text in texts if "Open the lid" in text)


def test_a_note_in_the_margin_parts_no_sentence(pump: Document) -> None:
    assert (TEXT * 9).strip() in [p.text for p in pump.paragraphs]
    (note,) = [p for p in pump.paragraphs if "Task" in p.text]
    assert note.text == MARGIN


def test_a_running_head_is_none_though_it_says_another_section_on_each_page(
    browser: Browser, tmp_path: Path
) -> None:
    names = "Members", "Meetings", "Money", "Mills", "Millers"
    pages = "".join(
        f"<div><p class=head><i>The Mill Society</i> <b>{number} {name}</b></p>"
        f"<h2>{number} {name}</h2><p>{TEXT * 4} {name} are told of here.</p></div>"
        for number, name in enumerate(names, start=4)
    )
    style = (
        "<style>div { break-before: page }"
        ".head { display: flex; justify-content: space-between }</style>"
    )
    file = tmp_path / "society.pdf"
    print_pdf(browser, f"<!doctype html><html lang=en>{style}<body>{pages}</body></html>", file)
    society = read_document(file)
    headings = list(dict.fromkeys(paragraph.heading for paragraph in society.paragraphs))
    assert [heading for *_, heading in headings] == [
        "4 Members", "5 Meetings", "6 Money", "7 Mills", "8 Millers",
    ]  # fmt: skip
    assert society.text.count("The Mill Society") == 1
    assert society.text.count("5 Meetings") == 1


LABELS = (
    "Purpose:",
    "Where it applies:",
    "Who is asked?",
    "Take care!",
    "open_lid()",
    "1) Lamps",
    "2) Ropes",
)
TERMS = "Valve", "Gasket", "Hose", "Filter"


@pytest.fixture(scope="module")
def labels(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Bold labels above text, bold terms above what is indented, and large names above nothing."""
    file = tmp_path_factory.mktemp("labels") / "labels.pdf"
    print_pdf(
        browser,
        "<!doctype html><html lang=en><style>body { font: 13px 'DejaVu Serif'; width: 34em }"
        " .label { font-weight: bold; margin: 0 } .names { margin: 90px 0; font-size: 24px }"
        " dt { font: bold 13px 'DejaVu Sans' }"
        "</style><body><p class='names label'>The pump of the mill</p>"
        + "".join(f"<p class='names label'>{name}</p>" for name in ("Ann Miller", "Bob Baker"))
        + "".join(f"<p class=label>{label}</p><p>{TEXT * 3}</p>" for label in LABELS)
        + "<dl>"
        + "".join(f"<dt>{term}</dt><dd>{TEXT * 2}</dd>" for term in TERMS)
        + "</dl></body></html>",
        file,
    )
    return read_document(file)


def test_bold_labels_are_headings_of_the_text_right_below_them(labels: Document) -> None:
    under = [p.heading[-1] for p in labels.paragraphs if p.heading and p.text == (TEXT * 3).strip()]
    assert under == list(LABELS)


def test_terms_and_names_with_no_text_of_their_own_are_no_headings(labels: Document) -> None:
    headings = {heading for p in labels.paragraphs for heading in p.heading}
    assert not headings.intersection([*TERMS, "Ann Miller", "Bob Baker"])


def test_a_heading_may_stand_at_the_foot_of_its_column(browser: Browser, tmp_path: Path) -> None:
    texts = (TEXT * 4).strip(), (TEXT * 5).strip()
    body = "".join(
        f"<p class=label>{label}</p><p style='break-before: {place}'>{text}</p>"
        for label, place, text in zip(LABELS, ("auto", "column"), texts, strict=False)
    )
    style = "<style>div { columns: 2 } p { margin: 0 } .label { font-weight: bold }</style>"
    print_pdf(browser, f"{style}<div>{body}</div>", tmp_path / "columns.pdf")
    paragraphs = read_document(tmp_path / "columns.pdf").paragraphs
    assert [(p.heading[-1:], p.text) for p in paragraphs] == [
        ((label,), text) for label, text in zip(LABELS, texts, strict=False)
    ]


def test_a_title_of_the_outline_is_found_in_front_of_its_text(
    browser: Browser, tmp_path: Path
) -> None:
    file, marked = tmp_path / "run-in.pdf", tmp_path / "marked.pdf"
    names = "Storage", "Cleaning"
    print_pdf(browser, "".join(f"<p>{name}. {TEXT}</p>" for name in names), file)
    writer = PdfWriter(file)
    for name in names:
        writer.add_outline_item(title=name, page_number=0)
    writer.write(marked)
    found = {p.heading for p in read_document(marked).paragraphs if p.text == TEXT.strip()}
    assert [heading for (heading,) in sorted(found)] == ["Cleaning.", "Storage."]


def test_a_line_with_a_number_begins_a_heading_of_its_own(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "parts.pdf"
    parts = [(n, 2 * n - 1, name) for n, name in enumerate(("Dogs", "Geese", "Bees"), start=1)]
    contents = "".join(
        f"<p>PART {n}</p><p>ITEM {item} {name} {'. ' * 9} {n + 1}</p>" for n, item, name in parts
    )
    pages = "".join(
        f"<p class=new><b>PART {n}</b></p><p><b>ITEM {item} {name}</b></p><p>{TEXT * 3}</p>"
        f"<p><b>ITEM {item + 1} Keepers</b></p><p>{TEXT * 3}</p>"
        for n, item, name in parts
    )
    style = "<style>p { margin: 0; font: 13px serif } .new { break-before: page }</style>"
    print_pdf(browser, f"<!doctype html>{style}<p>Contents</p>{contents}<p>.</p>{pages}", file)
    headings = {heading for p in read_document(file).paragraphs for heading in p.heading}
    assert {"PART 2", "ITEM 3 Geese", "ITEM 4 Keepers"} <= headings


def test_an_outline_of_paragraphs_is_none(browser: Browser, tmp_path: Path) -> None:
    rules = [f"Whoever keeps {n} mules or more tells the council of it." for n in range(2, 9)]
    body = "".join(f"<h2>Rule {n}</h2><p>{rule}</p>" for n, rule in enumerate(rules, start=4))
    print_pdf(browser, body, tmp_path / "printed.pdf")
    writer = PdfWriter(clone_from=tmp_path / "printed.pdf")
    for title in rules:
        writer.add_outline_item(title=title, page_number=0)
    writer.write(tmp_path / "rules.pdf")
    paragraphs = read_document(tmp_path / "rules.pdf").paragraphs
    assert [(p.heading, p.text) for p in paragraphs] == [
        ((f"Rule {n}",), rule) for n, rule in enumerate(rules, start=4)
    ]


PRICES = "Coffee 2,Green tea 3,Hot chocolate 5,Soup of the day 8,Cake 13,Bread 21".split(",")


def test_a_list_of_rising_numbers_is_no_contents(browser: Browser, tmp_path: Path) -> None:
    rows = "".join(
        f"<p style='width: 20em; display: flex; justify-content: space-between'>"
        f"<span>{name}</span><span>{price}</span></p>"
        for name, _, price in (row.rpartition(" ") for row in PRICES)
    )
    print_pdf(browser, f"<h2>What we sell</h2>{rows}<p>{TEXT}</p>", tmp_path / "prices.pdf")
    words = read_document(tmp_path / "prices.pdf").text.split()
    assert not [row for row in PRICES if not set(row.split()) <= set(words)]


def test_a_table_is_cut_where_a_heading_stands_in_it() -> None:
    def words(text: str, top: float) -> list[PrintedWord]:
        return [PrintedWord(text, 1, 10.0, top, 60.0, top + 10)]

    rows = [([], Row([], [words(f"row {n}", 20.0 * n)])) for n in range(5)]
    title = rows[2][1].cells[0]
    region = Region("table", 1, [w for _, row in rows for w in row.cells[0]], Table(rows))
    above, heading, below = cut_table(region, [Region("heading", 1, title)])
    assert [w.text for w in heading.words] == ["row 2"]
    assert [[w.text for w in part.words] for part in (above, below)] == [
        ["row 0", "row 1"],
        ["row 3", "row 4"],
    ]
    assert [len(part.block.rows) for part in (above, below)] == [2, 2]


def test_underlined_lines_are_headings(browser: Browser, tmp_path: Path) -> None:
    """But not where rules frame them, or go on beside them."""
    frame, rule = "border: 1px solid; display: inline-block", "border-bottom: 1px solid"
    titles = [f"<u>{title}</u>" for title in ("Storage", "Pumping by hand", "Keeping")]
    titles += [f'<span style="{frame}">Warnings</span>', f'<div style="{rule}">Beside</div>']
    body = "".join(f"<p>{title}</p><p>{TEXT * 4}</p>" for title in titles)
    style = "body { font: 13px/1.4 'DejaVu Serif'; width: 34em }"
    print_pdf(browser, f"<style>{style}</style>{body}", tmp_path / "pump.pdf")
    found = {p.heading for p in read_document(tmp_path / "pump.pdf").paragraphs}
    assert found == {("Storage",), ("Pumping by hand",), ("Keeping",)}
