"""Tables of PDFs: rows say what is printed above and beside their values, with rules or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from browsing import print_pdf
from playwright.sync_api import Browser

from index import read_document
from index.chunking.layout import Block, Layout
from index.readers.pdf.reader import read_pdf

STYLE = """<!doctype html><html lang="en"><style>
body { font: 12px/1.5 'DejaVu Sans' } table { border-collapse: collapse; width: 100% }
thead { display: table-row-group } th { font-weight: normal }
td + td { text-align: right; width: 6em } .in td:first-child { padding-left: 2em }
.over { border-bottom: 1px solid } h2, p { margin: 6px 0 }</style>"""
PROSE = "The pilots of the harbour read the tide tables out at noon on each day of the year. "
HEAD = """<tr><th><th colspan=2 class=over>Year ended June 30,<th>
<tr><th style="text-align: left">(in thousands)<th>2023<th>2022<th>Change"""
ACCOUNTS = f"""{STYLE}<p>{PROSE * 3}</p><p>Table 3. Accounts of the harbour</p>
<table>{HEAD}
<tr><td>Current assets:<td><td><td>
<tr class=in><td>Cash (1)<td>$ 12,345<td>$ 11,002<td>12.2%
<tr class=in><td>Dues that are owed by the owners of ships that have left the harbour
for another one and<br>have not paid<td>880<td>—<td>—
<tr class=in><td>Total current assets<td>13,225<td>11,002<td>20.2%
<tr><td>Quays and cranes (2)<td>(4,100)<td>(4,000)<td>2.5%
</table><p>(1) Of which 40 in foreign coins.<br>(2) Built in 1912.</p><p>{PROSE * 3}</p>"""
TITLE = "Table 3. Accounts of the harbour\n\n(in thousands)"
ROWS = [
    "Current assets: Cash (1) | Year ended June 30, 2023: $ 12,345 | "
    "Year ended June 30, 2022: $ 11,002 | Change: 12.2%",
    "Current assets: Dues that are owed by the owners of ships that have left the harbour for "
    "another one and have not paid | Year ended June 30, 2023: 880 | Year ended June 30, 2022: — | "
    "Change: —",
    "Current assets: Total current assets | Year ended June 30, 2023: 13,225 | "
    "Year ended June 30, 2022: 11,002 | Change: 20.2%",
    "Quays and cranes (2) | Year ended June 30, 2023: (4,100) | "
    "Year ended June 30, 2022: (4,000) | Change: 2.5%",
]


def layout_of(browser: Browser, html: str, file: Path) -> Layout:
    print_pdf(browser, html, file)
    read_document(file).check()
    return read_pdf(file.read_bytes(), file.name)


def said(layout: Layout, kind: str = "row") -> list[tuple[str, str]]:
    """What each block of a kind says, and what leads into it."""
    return [
        (layout.text[block.lead[0] : block.lead[1]] if block.lead else "", layout.text[a:b])
        for block in layout.parts
        if isinstance(block, Block) and block.kind == kind
        for a, b in block.spans
    ]


def test_rows_say_all_lines_of_the_head_and_what_they_stand_under(
    browser: Browser, tmp_path: Path
) -> None:
    layout = layout_of(browser, ACCOUNTS, tmp_path / "accounts.pdf")
    assert said(layout) == [(TITLE, row) for row in ROWS]
    # The row with its mark leads into a note.
    notes = [(lead, text) for lead, text in said(layout, "prose") if lead]
    assert notes == [
        (ROWS[0].removeprefix("Current assets: "), "(1) Of which 40 in foreign coins."),
        (ROWS[3], "(2) Built in 1912."),
    ]
    # What is not printed is what divides cells and names.
    assert layout.boxes is not None
    printed = {at for a, b in layout.boxes.spans.tolist() for at in range(a, b)}
    for block in layout.parts:
        if isinstance(block, Block) and block.kind == "row":
            ((start, end),) = block.spans
            assert {layout.text[at] for at in range(start, end) if at not in printed} == set(" |:")


def test_a_table_that_goes_on_overleaf_keeps_its_head(browser: Browser, tmp_path: Path) -> None:
    rows = "".join(f"<tr><td>Berth {n}<td>{n}.5<td>{n}.25<td>1%" for n in range(1, 70))
    html = f"{STYLE}<p>Table 4. Dues</p><table>{HEAD}{rows}</table>"
    layout = layout_of(browser, html, tmp_path / "dues.pdf")
    assert layout.pages == 2
    assert said(layout) == [
        (
            "Table 4. Dues\n\n(in thousands)",
            f"Berth {n} | Year ended June 30, 2023: {n}.5 | Year ended June 30, 2022: {n}.25 | "
            "Change: 1%",
        )
        for n in range(1, 70)
    ]


def test_a_label_and_its_value_are_a_row(browser: Browser, tmp_path: Path) -> None:
    pairs = {"Weight": "30 kg", "Capacity": "22 l", "Reach of the arm": "1.5 m", "Colour": "red"}
    rows = "".join(f"<tr><td>{name}<td>{value}" for name, value in pairs.items())
    html = f"{STYLE}<p>{PROSE * 3}</p><h2>The small crane</h2><table>{rows}</table><p>{PROSE}</p>"
    layout = layout_of(browser, html, tmp_path / "crane.pdf")
    assert said(layout) == [
        ("The small crane", f"{name} | {value}") for name, value in pairs.items()
    ]


@pytest.mark.parametrize(
    "body",
    [
        f"<div style='columns: 2'><p>{PROSE * 30}</p></div>",
        "".join(f"<p style='white-space: pre'>{n} {PROSE[:30]} {'. ' * 30} {n}" for n in range(9)),
        f"<ol>{''.join(f'<li>{PROSE} {n} 000' for n in range(9))}</ol>",
        f"<p>{PROSE}</p><p>Quay 12<br>1000 Zanthoria<br>tel. 12 34 56</p><p>{PROSE}</p>",
        f"<div style='border: 1px solid'>{PROSE * 3}</div>" * 4,
        "<pre>for each in 1 2 3\n    do    4\n    done  5\n</pre>" * 3,
    ],
    ids=["two columns", "contents", "list", "address", "boxes", "code"],
)
def test_what_is_no_table_is_none(browser: Browser, tmp_path: Path, body: str) -> None:
    layout = layout_of(browser, f"{STYLE}<h2>Notes</h2>{body}", tmp_path / "none.pdf")
    assert said(layout) == []


GRID = """<style>.drawn td, .drawn th { border: 1px solid; padding: 4px 6px; text-align: left }
table.drawn td + td { text-align: left; width: auto }
table.drawn th { font-weight: bold }</style>"""
DUTIES = f"""{STYLE}{GRID}<p>{PROSE * 3}</p><p>Table 5. Duties of the harbour</p><table class=drawn>
<tr><th rowspan=2>No.<th rowspan=2>Duty<th colspan=2>Done by<th rowspan=2>Since
<tr><th>Pilot<th>Master
<tr><td colspan=5>Duties at sea
<tr><td rowspan=2>7.1<td style="width: 15em">{PROSE}<td>✓<td><td>3.0
<tr><td style="width: 15em">Look for lights that are out, and tell the office of those that have not
been lit for a day.<td><td>✓<td>2.0
<tr><td>7.2<td>Keep a log.<td>✓<td>✓<td>1.0
</table><p>{PROSE * 3}</p>"""


def test_a_row_is_what_stands_between_rules(browser: Browser, tmp_path: Path) -> None:
    layout = layout_of(browser, DUTIES, tmp_path / "duties.pdf")
    title = "Table 5. Duties of the harbour"
    lights = "Look for lights that are out, and tell the office of those that have not been lit for"
    assert said(layout) == [
        (title, row)
        for row in (
            f"No.: Duties at sea: 7.1 | Duty: {PROSE.strip()} | Done by Pilot: ✓ | Since: 3.0",
            f"No.: Duties at sea: 7.1 | Duty: {lights} a day. | Done by Master: ✓ | Since: 2.0",
            "No.: Duties at sea: 7.2 | Duty: Keep a log. | Done by Pilot: ✓ | Done by Master: ✓ | "
            "Since: 1.0",
        )
    ]


def test_a_caption_below_leads_in_and_not_all_that_stands_before_it(
    browser: Browser, tmp_path: Path
) -> None:
    caption = "Table 6. Accounts of the harbour"
    table = ACCOUNTS.replace("<p>Table 3. Accounts of the harbour</p>", "<h2>Accounts</h2>")
    html = table.replace("</table><p>(1)", f"</table><p>{caption}</p><p>(1)")
    layout = layout_of(browser, html, tmp_path / "below.pdf")
    assert said(layout) == [(caption, row) for row in ROWS]


def test_no_line_of_a_table_is_lost(browser: Browser, tmp_path: Path) -> None:
    html = f"""{STYLE}{GRID}<p>{PROSE * 3}</p><p>Table 7. Balance</p><table>
    <tr><th><th>2023<th>2022<tr><td>Assets<tr><td>Current assets<tr><td><td>7.5<td>8.5
    <tr class=in><td>Cash<td>10<td>20<tr class=in><td>Dues<td>30<td>40</table><p>{PROSE * 3}</p>
    <table class=drawn><tr><th>Quay<th>Use<th>Signature<tr><td>West<td>Grain<td>
    <tr><td>East<td>Timber<td></table>"""
    layout = layout_of(browser, html, tmp_path / "x.pdf")
    rows = {row for _, row in said(layout)}
    assert {"Assets", "2023: 7.5 | 2022: 8.5", "Current assets: Cash | 2023: 10 | 2022: 20"} <= rows
    assert {"Signature", "Quay: West | Use: Grain"} <= rows
