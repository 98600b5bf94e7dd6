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
from assistant.exporting.values import Export, ExportedAnswer
from assistant.exporting.wording import ENGLISH, one_line

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"

HEBREW_NOTE = (
    "כהן, דוד: דוח הנמל, 2020, paragraph 3: “הנמל נסגר במרץ 2020 (English).” "
    "No longer in the document: the paragraph reads otherwise now."
)
REPORT_NOTE = (
    "Müller, Karl; Ministry of Ships and Sea: The {harbour \\ report: 50% & more, 2021-03-04, "
    "Dredging › p. 14 › paragraph 7: “Berth four was <dredged>.” "
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


def test_a_conversation() -> None:
    file = as_docx(HARBOUR)
    assert paragraphs(part(file, "word/document.xml"))[:17] == [
        ("Title", "Harbour talk"),
        ("Remark", ENGLISH.lapsed_in(HARBOUR)),
        ("Heading1", "When was *berth* four dredged?"),
        ("Remark", "Asked on 2026-11-29."),
        ("Remark", "Understood as: “When was berth four of the harbour dredged?”"),
        ("Remark", "Understood in the context of: “What is berth four?”"),
        (
            "Normal",
            "It was dredged in <March> & April. Both say so. Nobody knows why. "
            "(not in the documents)",
        ),
        ("Heading2", "Points"),
        ("ListBullet", "“A crane was painted.”"),
        ("ListBullet", "נקודה שנייה, עם English."),
        ("Remark", "The documents do not say: who paid?"),
        ("ReaderComment", "Comment: Ask Jo about this."),
        ("ReaderComment", "And Kim."),
        ("Heading1", "Who paid?"),
        ("Remark", "The documents do not say."),
        ("Heading1", "Who dredged it?"),
        ("Remark", "Passages that may answer:"),
    ]
    footnotes = paragraphs(part(file, "word/footnotes.xml"))
    assert footnotes[0] == ("FootnoteText", f" {REPORT_NOTE}")
    assert footnotes[2] == ("FootnoteText", f" {HEBREW_NOTE}")


def test_in_german() -> None:
    file = as_docx(replace(HARBOUR, language="de"))
    document = paragraphs(part(file, "word/document.xml"))
    assert ("Remark", "Gefragt am 29. November 2026.") in document
    assert ("ListBullet", "„A crane was painted.“") in document
    assert ("ReaderComment", "Anmerkung: Ask Jo about this.") in document
    assert ("Heading1", "Quellen") in document
    footnotes = paragraphs(part(file, "word/footnotes.xml"))
    assert "4. März 2021, Dredging › S. 14 › Absatz 7: „Berth four was" in footnotes[0][1]
    assert footnotes[2][1].endswith("Der Absatz lautet jetzt anders.")


def test_a_question_stays_on_a_page_with_what_is_said_to_it() -> None:
    file = as_docx(HARBOUR)
    styles = part(file, "word/styles.xml").iter(f"{WORD}style")
    keeping = {
        own.attrib[f"{WORD}styleId"] for own in styles if own.find(f"*/{WORD}keepNext") is not None
    }
    kept = [
        own.find(f".//{WORD}keepNext") is not None
        or own.find(f".//{WORD}pStyle").attrib[f"{WORD}val"] in keeping  # type: ignore[union-attr]
        for own in part(file, "word/document.xml").iter(f"{WORD}p")
    ]
    # The title; how many quotes do not stand; the question and what is said before its answer.
    assert kept[:7] == [True, False, True, True, True, True, False]


def test_a_question_that_is_the_title_stands_there_once() -> None:
    one = Export("Who paid?", (ExportedAnswer("Who paid?", "refused"),), {})
    assert paragraphs(part(as_docx(one), "word/document.xml")) == [
        ("Title", "Who paid?"),
        ("Remark", "The documents do not say."),
    ]


def test_each_reference_has_a_footnote_of_its_own() -> None:
    file = as_docx(HARBOUR)
    references = part(file, "word/document.xml").iter(f"{WORD}footnoteReference")
    numbers = [own.attrib[f"{WORD}id"] for own in references]
    markers = [m for answer in HARBOUR.answers for s in answer.sentences for m in s.markers]
    assert numbers == [str(n + 1) for n in range(len(markers))]
    written = part(file, "word/footnotes.xml").iter(f"{WORD}footnote")
    assert [own.attrib[f"{WORD}id"] for own in written] == ["-1", "0", *numbers]


def test_what_runs_from_the_right_does() -> None:
    document = part(as_docx(HARBOUR), "word/document.xml")
    turned = [own for own in document.iter(f"{WORD}p") if own.find(f".//{WORD}bidi") is not None]
    assert ["".join(p.itertext()) for p in turned] == [
        "נקודה שנייה, עם English.",
        "כהן, דוד: דוח הנמל, 2020",
    ]
    assert all(own.find(f".//{WORD}rtl") is not None for own in turned)


def test_all_that_is_named_is_there() -> None:
    file = as_docx(HARBOUR)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        names = set(archive.namelist())
        parts = {name: fromstring(archive.read(name)) for name in names}
    assert {own.attrib["PartName"] for own in parts["[Content_Types].xml"][2:]} == {
        f"/{name}" for name in names if name.endswith(".xml") and not name.startswith("[")
    }
    relations = parts["word/_rels/document.xml.rels"]
    assert {f"word/{own.attrib['Target']}" for own in relations} <= names
    styles = {own.attrib[f"{WORD}styleId"] for own in parts["word/styles.xml"].iter(f"{WORD}style")}
    used = {
        own.attrib[f"{WORD}val"]
        for name in ("word/document.xml", "word/footnotes.xml")
        for kind in ("pStyle", "rStyle")
        for own in parts[name].iter(f"{WORD}{kind}")
    }
    assert used <= styles


def test_the_same_export_has_the_same_bytes() -> None:
    file = as_docx(HARBOUR)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert {own.date_time for own in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {own.create_system for own in archive.infolist()} == {0}
    assert as_docx(HARBOUR) == file


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
    assert len(notes) == 7
    assert [body.strip() for body in bodies[:3]] == [REPORT_NOTE, REPORT_NOTE, HEBREW_NOTE]
    headings = {own.attrib[f"{TEXT}outline-level"]: own for own in root.iter(f"{TEXT}h")}
    assert set(headings) == {"1", "2"}
    questions = ["".join(_texts(own)) for own in root.iter(f"{TEXT}h")]
    assert questions[:2] == ["When was *berth* four dredged?", "Points"]
    shown = "\n".join("".join(_texts(own)) for own in root.iter(f"{TEXT}p"))
    for answer in HARBOUR.answers:
        for sentence in answer.sentences:
            assert sentence.text in shown
    kept = {
        own.attrib.get(f"{FO}keep-with-next") for own in root.iter(f"{STYLE}paragraph-properties")
    }
    assert "always" in kept
    assert len(list(root.iter(f"{TEXT}list-item"))) == 3


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


def test_nothing_at_all() -> None:
    assert paragraphs(part(as_docx(Export("", (), {})), "word/document.xml")) == [
        ("Title", "Answers")
    ]
