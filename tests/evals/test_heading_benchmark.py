"""How far headings are told where files do not mark them, measured on files made here."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from browsing import print_pdf
from docx import Document
from office import HTML, SECTION, TITLE, write_docx
from playwright.sync_api import Browser
from scripts import run_script

from evals.benchmark import structure
from evals.benchmark.structure import (
    MANIFEST,
    Title,
    content_of,
    levels_right,
    main,
    matched,
    measure,
    unmarked,
)
from evals.datasets.json_lines import read_objects
from index.errors import QuestionSetError
from index.models import bytes_hash
from index.readers.pdf.pdfium import remarks_on
from index.readers.pdf.reader import read_pdf

NAMES = ("Berths and buoys", "Dredging", "Cranes and crews", "Lamps along the quay", "Pilots")
FILLER = (
    "The tables of {} are kept by the pilots and are read out in the harbour at noon each day. "
)
MANUAL = f"""<!doctype html><html lang="en"><style>h1 {{ break-before: page }}
body {{ font: 13px/1.35 'DejaVu Serif' }}</style><body>
<p>{FILLER.format("tides") * 3}</p>
{"".join(f"<h1>{name}</h1><p>{FILLER.format(name) * 9}</p>" for name in NAMES)}</body></html>"""


@pytest.fixture(scope="module")
def manual(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A document of five chapters with an outline."""
    file = tmp_path_factory.mktemp("pdf") / "manual.pdf"
    print_pdf(browser, MANUAL, file, outline=True, tagged=True)
    return file.read_bytes()


def test_a_pdf_is_measured_without_its_outline(manual: bytes) -> None:
    hidden = unmarked(manual, ".pdf")
    assert len(remarks_on(manual, 60).outline) == len(NAMES)
    assert not remarks_on(hidden, 60).outline
    assert read_pdf(hidden, "manual.pdf").text == read_pdf(manual, "manual.pdf").text
    found = measure(manual, "manual.pdf")
    assert found == {"titles": len(NAMES), "recall": 1, "precision": 1, "level": 1}


def test_headings_of_word_keep_their_looks_alone(tmp_path: Path) -> None:
    write_docx(tmp_path / "report.docx")
    content = (tmp_path / "report.docx").read_bytes()
    given, hidden = (Document(BytesIO(one)) for one in (content, unmarked(content, ".docx")))
    assert [one.text for one in hidden.paragraphs] == [one.text for one in given.paragraphs]
    title, section, prose, *_ = hidden.paragraphs
    assert {one.style.name for one in (title, section, prose)} == {"Normal"}
    looks = [(one.runs[0].bold, one.runs[0].font.size) for one in (section, prose)]
    assert looks == [(True, given.styles["Heading 1"].font.size), (None, None)]
    assert measure(content, "report.docx")["titles"] == 2


def test_headings_of_a_page_of_the_web_keep_their_looks_alone() -> None:
    hidden = unmarked(HTML.encode(), ".html").decode()
    assert f'<p style="font-size: 2em"><b>{TITLE}</b></p>' in hidden
    assert f'<p style="font-size: 1.5em"><b>{SECTION}</b></p>' in hidden
    assert "<h" not in hidden.replace("<html", "").replace("<head", "")
    assert measure(HTML.encode(), "report.html")["titles"] == 2


def test_a_title_is_found_on_its_page_first_and_once() -> None:
    titles = [Title(2, "aims", 1), Title(3, "aims", 1), Title(9, "aims", 1), Title(3, "means", 2)]
    headings = [Title(3, "aims", 4), Title(4, "aims", 5), Title(7, "aims", 6), Title(4, "means", 7)]
    pairs = [(title.page, heading.level) for title, heading in matched(titles, headings)]
    assert pairs == [(3, 4), (3, 7)], "each heading once, the one of its page first"


@pytest.mark.parametrize(
    ("pairs", "right"),
    [
        ([(1, 1), (2, 2), (2, 2)], 3),
        ([(2, 1), (5, 3)], 2),  # which levels is no matter
        ([(1, 2), (2, 1)], 1),  # but one above another is
        ([(1, 1), (1, 2), (1, 2)], 2),
        ([], 0),
    ],
)
def test_levels_are_right_that_keep_their_order(pairs: list[tuple[int, int]], right: int) -> None:
    assert levels_right(pairs) == right


def test_named_files_are_measured_and_no_others(
    manual: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {"file": "a.pdf", "part": "dev", "producer": "Chromium", "repository": "o/r"}
    entry |= {"path": "docs/a.pdf", "commit": "c" * 40, "sha256": bytes_hash(manual), "pages": 6}
    with pytest.raises(QuestionSetError, match=r"is missing: save 'docs/a.pdf' of github.com/o/r"):
        content_of(tmp_path, entry)
    (tmp_path / "a.pdf").write_bytes(manual + b"\n")
    with pytest.raises(QuestionSetError, match=r"is another file than 'docs/a.pdf'"):
        content_of(tmp_path, entry)
    (tmp_path / "a.pdf").write_bytes(manual)
    (tmp_path / "files.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
    monkeypatch.setattr(structure, "MANIFEST", tmp_path / "files.jsonl")
    told = run_script(main, tmp_path)
    assert "producer Chromium (1): 5 titles\n  1.000 of 1: recall" in told
    known = [own for _, own in read_objects(MANIFEST)]
    assert len({own["file"] for own in known}) == len({own["sha256"] for own in known})
