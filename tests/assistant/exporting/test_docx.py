"""Answers as Word files: a real office reads them, with their footnotes as footnotes."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring

import pytest
from exports import HARBOUR, TEXTS, export_of
from helpers import PATIENCE
from hypothesis import given
from hypothesis import strategies as st

from assistant.exporting.docx import as_docx
from assistant.exporting.values import Export, ExportedAnswer, Language
from assistant.exporting.wording import WORDINGS, one_line

EXPECTED = Path(__file__).with_name("expected")
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

HEBREW_NOTE = (
    "כהן, דוד: דוח הנמל, 2020, paragraph 3: “הנמל נסגר במרץ 2020 (English).” "
    "No longer in the document: the paragraph reads otherwise now."
)
REPORT_NOTE = (
    "Müller, Karl; Ministry of Ships and Sea: The {harbour \\ report: 50% & more, 2021-03-04 "
    "(report.pdf), Dredging › p. 14 › paragraph 7: “Berth four was <dredged>.” "
    "https://example.org/a_b?x=%7B1%7D (accessed 2026-11-29)"
)


def part(file: bytes, name: str) -> Element:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return fromstring(archive.read(name))


def paragraphs(root: Element) -> list[tuple[str, str]]:
    """Style and text of each paragraph, without what stands between references to footnotes."""
    found = []
    for paragraph in root.iter(f"{WORD}p"):
        style = paragraph.find(f"{WORD}pPr/{WORD}pStyle")
        if style is not None:
            texts = (run.text or "" for run in paragraph.iter(f"{WORD}t") if run.text != ", ")
            found.append((style.attrib[f"{WORD}val"], "".join(texts)))
    return found


@pytest.mark.parametrize("language", WORDINGS)
def test_a_conversation_is_written_to_the_letter(language: Language) -> None:
    """All parts, one below the other, with a line for each paragraph."""
    file = as_docx(replace(HARBOUR, language=language))
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert {own.date_time for own in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {own.create_system for own in archive.infolist()} == {0}
        parts = [f"{name}\n{archive.read(name).decode()}\n" for name in archive.namelist()]
    expected = (EXPECTED / f"harbour.{language}.docx.xml").read_text(encoding="utf-8")
    assert "".join(parts).replace("</w:p>", "</w:p>\n") == expected
    assert as_docx(replace(HARBOUR, language=language)) == file


def test_a_question_that_is_the_title_stands_there_once() -> None:
    one = Export("Who paid?", (ExportedAnswer("Who paid?", "refused"),), {})
    assert paragraphs(part(as_docx(one), "word/document.xml")) == [
        ("Title", "Who paid?"),
        ("Remark", "Not found in your documents"),
    ]
    nothing = as_docx(Export("", (), {}))
    assert paragraphs(part(nothing, "word/document.xml")) == [("Title", "Answers")]


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_every_text_is_there_as_it_is(texts: list[str]) -> None:
    file = as_docx(export_of(*texts))
    said = [text for _, text in paragraphs(part(file, "word/document.xml"))]
    for text in map(one_line, texts):
        assert text in said
    ((_, footnote),) = set(paragraphs(part(file, "word/footnotes.xml")))
    assert footnote.endswith(f": “{one_line(texts[0])}”")


def test_a_real_office_shows_footnotes(tmp_path: Path) -> None:
    file = tmp_path / "talk.docx"
    file.write_bytes(as_docx(HARBOUR))
    root = fromstring(opened(file).read_bytes())
    notes = list(root.iter(f"{TEXT}note"))
    bodies = ["".join(_texts(note.find(f"{TEXT}note-body"))) for note in notes]
    assert len(notes) == 13
    assert [body.strip() for body in bodies[:3]] == [REPORT_NOTE, REPORT_NOTE, HEBREW_NOTE]
    headings = {own.attrib[f"{TEXT}outline-level"]: own for own in root.iter(f"{TEXT}h")}
    assert set(headings) == {"1", "2", "3"}
    titles = ["".join(_texts(own)) for own in root.iter(f"{TEXT}h")]
    assert titles[:3] == ["Harbour talk", "When was *berth* four dredged?", "Points"]
    shown = "\n".join("".join(_texts(own)) for own in root.iter(f"{TEXT}p"))
    for answer in HARBOUR.answers:
        for block in answer.blocks:
            texts = block.items or block.sentences
            assert all(one_line(own.text) in shown for own in texts)
    kept = {
        own.attrib.get(f"{FO}keep-with-next") for own in root.iter(f"{STYLE}paragraph-properties")
    }
    assert "always" in kept
    items = list(root.iter(f"{TEXT}list-item"))
    assert len(items) == 9
    started = [own.attrib.get(f"{TEXT}start-value") for own in items]
    assert [number for number in started if number] == ["4", "1", "2"]


def _texts(element: Element | None) -> list[str]:
    """The texts in it, without those of its footnotes."""
    assert element is not None
    found = [element.text or ""]
    for child in element:
        if child.tag == f"{TEXT}s":
            found.append(" ")
        elif child.tag != f"{TEXT}note":
            found += _texts(child)
        found.append(child.tail or "")
    return found


def opened(file: Path) -> Path:
    """A file as LibreOffice reads it: as a flat OpenDocument text."""
    office = shutil.which("soffice")
    if not office:
        missing = "There is no LibreOffice: apt-get install libreoffice-writer-nogui"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    profile = f"-env:UserInstallation={(file.parent / 'profile').as_uri()}"
    command = [office, "--headless", profile, "--convert-to", "fodt", "--outdir", file.parent, file]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    return file.with_suffix(".fodt")
