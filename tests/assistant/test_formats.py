"""One document in four formats: what is asked of it is answered with the same sentences."""

from __future__ import annotations

import html
import re
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pytest
from browsing import print_pdf
from playwright.sync_api import Browser

from assistant import Answer, Assistant
from assistant.documents import shipped_documents
from index import Document

QUESTIONS = (
    "When was the US Indo-Pacific strategy released?",
    "What would happen if a contingency arose in the Taiwan Strait?",
    "Why does India stay in the Quad?",
    "Who met in January to modernize the alliance?",
    "What is the population of India?",
)


def as_html(document: Document) -> str:
    """The document as a page: its headings, and its paragraphs with every third word set apart."""
    parts, path = list[str](), ()
    for paragraph in document.paragraphs:
        for level, heading in enumerate(paragraph.heading, start=1):
            if path[:level] != paragraph.heading[:level]:
                parts.append(f"<h{level}>{html.escape(heading, quote=False)}</h{level}>")
        path = paragraph.heading
        words = [html.escape(word, quote=False) for word in paragraph.text.split()]
        set_apart = [f"<em>{w}</em>" if n % 3 == 0 else w for n, w in enumerate(words)]
        parts.append(f"<p>{' '.join(set_apart)}</p>")
    return f"<html><head><meta charset='utf-8'></head><body>{''.join(parts)}</body></html>"


def as_text(document: Document) -> str:
    """The document with its lines broken and its headings underlined."""
    parts, path = list[str](), ()
    for paragraph in document.paragraphs:
        for level, heading in enumerate(paragraph.heading):
            if path[: level + 1] != paragraph.heading[: level + 1]:
                parts.append(f"{heading}\n{'=-~'[level] * len(heading)}")
        path = paragraph.heading
        parts.append(textwrap.fill(" ".join(paragraph.text.split()), 70))
    return "\n\n".join(parts)


def write_epub(file: Path, page: str) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr(
            "META-INF/container.xml", '<container><rootfile full-path="a.opf"/></container>'
        )
        archive.writestr(
            "a.opf",
            '<package><manifest><item id="a" href="a.xhtml"/></manifest>'
            '<spine><itemref idref="a"/></spine></package>',
        )
        archive.writestr("a.xhtml", page)


@pytest.fixture(scope="module")
def files(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("formats")
    (document,) = shipped_documents()
    page = as_html(document)
    found = [folder / f"essay.{kind}" for kind in ("html", "epub", "txt", "pdf")]
    found[0].write_text(page, encoding="utf-8")
    write_epub(found[1], page)
    found[2].write_text(as_text(document), encoding="utf-8")
    print_pdf(browser, page, found[3], outline=True, tagged=True)
    return found


def answers(file: Path, index: Path) -> Iterator[Answer]:
    with Assistant.open(file, index_dir=index) as assistant:
        for question in QUESTIONS:
            yield assistant.ask(question)


def quotes(answer: Answer) -> list[str]:
    """What is quoted, with nothing but its letters and digits."""
    return [re.sub(r"[\W_]", "", own.quote) for own in (*answer.citations, *answer.closest)]


def test_the_same_sentences_answer_in_each_format(files: list[Path], tmp_path: Path) -> None:
    found = [list(answers(file, tmp_path / file.suffix)) for file in files]
    for asked in zip(*found, strict=True):
        assert len({answer.status for answer in asked}) == 1
        for answer in asked:
            assert quotes(answer) == quotes(asked[0])
    statuses = [answer.status for answer in found[0]]
    assert statuses[:2] == ["answered", "unsure"]
    assert statuses[-1] == "refused"
    # The page of the PDF that is named is the one on which the quote begins.
    pdf = pypdfium2.PdfDocument(files[-1])
    for answer in found[-1]:
        for citation, quote in zip(answer.citations, quotes(answer), strict=False):
            page = citation.paragraph.page
            assert page is not None
            printed = pdf[citation.rectangles[0].page - 1].get_textpage().get_text_range()
            assert quote[:30] in re.sub(r"[\W_]", "", printed)
            assert citation.rectangles[0].page in (page, page + 1)
