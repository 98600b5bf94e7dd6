"""What only says where something stands in a PDF is kept for navigation, and all else is text."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from browsing import print_pdf
from playwright.sync_api import Browser

from index import Paragraph, read_document

TEXT = "The pump stands in the shed and is oiled by the keeper each week before it is used. "
SHAPES = ("Circle", "Ellipse", "Hexagon", "Triangle")
TERMS = "anchor berth buoy cable crane dredger fender gauge hawser keel mast".split()
STYLE = """<style>body { font: 13px/1.4 'DejaVu Serif'; margin: 0 } p { margin: 0 0 1em }
.page { break-before: page; position: relative } .at { position: absolute }
.tall { height: 500px } .side0 { right: 0; top: 6px } .side1 { left: 0; top: 0 }
.turned { writing-mode: vertical-rl } a { color: inherit }</style>"""


def read(browser: Browser, body: str, file: Path) -> tuple[Paragraph, ...]:
    print_pdf(browser, f"<!doctype html><html lang=en>{STYLE}<body>{body}</body></html>", file)
    return read_document(file).paragraphs


def said(paragraphs: tuple[Paragraph, ...], kind: str) -> list[str]:
    return [line for p in paragraphs if p.kind == kind for line in p.text.splitlines()]


def test_a_list_of_links_is_contents_and_names_headings(browser: Browser, tmp_path: Path) -> None:
    """Neither numbers of pages nor how they are set tells of these headings."""
    links = "".join(f"<li><a href=#{name}>{name}</a>" for name in SHAPES)
    items = "".join(f"<li>{name}s are drawn" for name in SHAPES)
    texts = "".join(f"<p id={name} class=page>{name}</p><p>{name}s: {TEXT}</p>" for name in SHAPES)
    body = f"<p>{TEXT}</p><ul>{links}</ul><ol>{items}</ol>{texts}"
    paragraphs = read(browser, body, tmp_path / "shapes.pdf")
    assert [line.strip("\u2022 ") for line in said(paragraphs, "contents")] == list(SHAPES)
    assert len(said(paragraphs, "list")) == len(SHAPES)
    assert [p.heading for p in paragraphs if p.page and p.page > 1] == [(name,) for name in SHAPES]


def test_contents_may_say_page_before_its_number(browser: Browser, tmp_path: Path) -> None:
    """Under a line that ends in a number, too."""
    rows = "".join(f"<p>{name}........... Page {n}</p>" for n, name in enumerate(SHAPES, 2))
    texts = "".join(f"<p class=page>{name}</p><p>{name}s: {TEXT}</p>" for name in SHAPES)
    paragraphs = read(
        browser,
        f"<p>Rules of the pump, in force from April 3, 2017</p>{rows}{texts}",
        tmp_path / "page.pdf",
    )
    assert len(said(paragraphs, "contents")) == len(SHAPES)
    assert [p.heading for p in paragraphs if p.page and p.page > 1] == [(name,) for name in SHAPES]


@pytest.mark.parametrize("is_index", [True, False])
def test_an_index_is_contents_and_a_list_of_amounts_is_none(
    browser: Browser, tmp_path: Path, is_index: bool
) -> None:
    """Of amounts there are more than pages."""
    numbers = [f"{n % 3 + 1}, 3&ndash;4" if is_index else str(40 * n + 60) for n in range(11)]
    rows = "".join(f"<p>{term}, {n}</p>" for term, n in zip(TERMS, numbers, strict=True))
    texts = "".join(f"<p class=page>{name}s: {TEXT}</p>" for name in SHAPES)
    body = f"{texts}<div class=page style='columns: 2'>{rows}</div>"
    paragraphs = read(browser, body, tmp_path / "index.pdf")
    assert [p.page for p in paragraphs if p.kind == "contents"] == [5] * is_index
    passages = " ".join(p.text for p in paragraphs if p.kind != "contents")
    assert ("dredger" in passages) is not is_index


def test_running_heads_of_two_lines_and_numbers_are_told_once(
    browser: Browser, tmp_path: Path
) -> None:
    """Also where they stand on the left and the right in turn, and not at one height."""
    pages = "".join(
        f"<div class='page tall'><div class='at side{n % 2}'>"
        f"Port of Zanthoria<br>Rules for keepers {n + 6}</div>"
        f"<p class=at style='top: 90px'>Rule {n}. {TEXT * 3}</p></div>"
        for n in range(1, 11)
    )
    paragraphs = read(browser, pages, tmp_path / "rules.pdf")
    assert [p.text for p in paragraphs if p.kind != "contents"] == [
        f"Rule {n}. {TEXT * 3}".strip() for n in range(1, 11)
    ]
    assert sorted(said(paragraphs, "contents")) == ["Port of Zanthoria", "Rules for keepers 7"]


def test_a_page_that_is_turned_is_read_as_others_are(browser: Browser, tmp_path: Path) -> None:
    """Each word lies where it is seen."""
    rows = "".join(f"<p>Berth {n} has a crane. {TEXT * 3}</p>" for n in range(4))
    body = f"<p>{TEXT}</p><div class='page turned'>{rows}</div>" * 2
    print_pdf(browser, f"<!doctype html>{STYLE}<body>{body}</body>", tmp_path / "turned.pdf")
    document = read_document(tmp_path / "turned.pdf")
    turned = [p for p in document.paragraphs if "Berth" in p.text]
    assert [p.text for p in turned] == 2 * [
        f"Berth {n} has a crane. {TEXT * 3}".strip() for n in range(4)
    ]
    assert document.boxes is not None
    words = document.boxes.within(turned[0].start, turned[0].end)
    left, top, right, bottom = document.boxes.rectangles[words.start].tolist()
    page = pypdfium2.PdfDocument(tmp_path / "turned.pdf")[1]
    box = (left, page.get_height() - bottom, right, page.get_height() - top)
    assert page.get_textpage().get_text_bounded(*box).strip() == "Berth"
