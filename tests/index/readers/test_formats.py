"""Files of offices, web pages and e-mail: told apart by their content, read whole, and refused with
a reason."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import pytest
from growth import grows_linearly
from office import ITEMS, PROSE, ROW, SECTION, TITLE, WRITERS, pack
from xlsxwriter import Workbook

from index import Document, read_document
from index.chunking.layout import Block, Layout
from index.chunking.zip_archive import MAX_MEMBERS
from index.errors import DocumentError
from index.readers.formats import FORMATS, MAX_DEPTH, format_of
from index.readers.html import as_html
from index.readers.loader import read_raw
from index.readers.rich_text import read_rich_text
from index.readers.tables import read_separated


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("office")
    found = {kind: folder / f"report.{kind}" for kind in WRITERS}
    for kind, write in WRITERS.items():
        write(found[kind])
    return found


@pytest.fixture(scope="module")
def documents(files: dict[str, Path]) -> dict[str, Document]:
    return {kind: read_document(file) for kind, file in files.items()}


@pytest.mark.parametrize("kind", ["docx", "html", "epub", "odt", "rtf", "eml"])
def test_prose_is_read_in_sentences(documents: dict[str, Document], kind: str) -> None:
    document = documents[kind]
    document.check()
    (paragraph,) = [p for p in document.paragraphs if PROSE in p.text]
    assert [s.text for s in paragraph.sentences][-2:] == [
        "The harbour master had berth four dredged in March.",
        "Nothing was found.",
    ]
    assert document.text.count("Nothing was found.") == 1
    assert document.title == TITLE
    if kind not in ("rtf", "eml"):
        assert paragraph.heading == (TITLE, SECTION)


@pytest.mark.parametrize("kind", ["docx", "pptx", "xlsx", "html", "epub", "odt", "csv"])
def test_tables_and_lists(documents: dict[str, Document], kind: str) -> None:
    """A row says the names of its columns; the items of a list are a sentence each."""
    rows = [p for p in documents[kind].paragraphs if p.kind == "row"]
    assert [s.text for p in rows for s in p.sentences][1:] == [ROW] == [rows[1].text]
    # Where something stands is told.
    where = {"pptx": (3, "slide 3"), "xlsx": (None, "Figures, row 5"), "csv": (None, "row 3")}
    assert (rows[1].page, rows[1].locator) == where.get(kind, (None, ""))
    sentences = [s.text for p in documents[kind].paragraphs for s in p.sentences]
    for item in ITEMS if kind not in ("xlsx", "csv") else ():
        assert any(text.endswith(item) and len(text) < len(item) + 4 for text in sentences)


def test_a_message_says_who_wrote_to_whom(documents: dict[str, Document]) -> None:
    text = documents["eml"].text
    assert "From: ann@example.org" in text
    assert "Attached: berth.png" in text


def test_files_attached_to_a_message_are_read(files: dict[str, Path], tmp_path: Path) -> None:
    message, inner = EmailMessage(), EmailMessage()
    for one, subject in ((message, "The quay"), (inner, "Forwarded")):
        one["From"], one["Date"], one["Subject"] = "ann@example.org", "7 Mar 2022", subject
        one.set_content("See below.")
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"<!ENTITY a 'a'>")
    inner.add_attachment("Глубина причала большая.", filename="note.txt", charset="koi8-r")
    message.add_attachment(inner)
    for name, content in (
        ("rows.xlsx", files["xlsx"].read_bytes()),
        ("page.html", b"<h1>Rules</h1><p>No swimming.</p>"),
        ("bomb.docx", bomb.getvalue()),
        ("berth.png", b"\x89PNG\r\n"),
    ):
        message.add_attachment(content, "application", "octet-stream", filename=name)
    file = tmp_path / "message.eml"
    file.write_bytes(bytes(message))
    document = read_document(file)
    document.check()
    found = {p.text: (p.heading, p.locator) for p in document.paragraphs}
    forwarded = ("The quay", "Attached: Forwarded.eml", "Forwarded", "Attached: note.txt")
    assert found["Глубина причала большая."] == (forwarded, "Forwarded.eml, note.txt")
    assert found[ROW][1] == "rows.xlsx, Figures, row 5"
    assert found["No swimming."][0] == ("The quay", "Attached: page.html", "Rules")
    assert found["Attached: bomb.docx, berth.png"] == (("The quay", "Attached"), "")


@pytest.mark.parametrize("charset", ["; charset=punycode", "; charset=no-such-one", ""])
def test_a_message_that_tells_no_encoding_of_texts_is_read_by_its_bytes(
    tmp_path: Path, charset: str
) -> None:
    """One of host names would take minutes for a long text."""
    body, note = "Berth four-kva", "Berth five-kva"
    body += "" if charset.endswith("punycode") else " für Fähren"
    part = f"Content-Type: text/plain{charset}\n"
    (tmp_path / "a.eml").write_text(
        "From: a@example.org\nDate: 7 Mar 2022\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/mixed; boundary=x\n\n--x\n{part}\n{body}\n--x\n{part}"
        f"Content-Disposition: attachment; filename=note.txt\n\n{note}\n--x--\n",
        encoding="utf-8",
    )
    assert [p.text for p in read_document(tmp_path / "a.eml").paragraphs][1:] == [body, note]


def test_messages_inside_one_another_come_to_an_end(tmp_path: Path) -> None:
    inner: EmailMessage | None = None
    for number in range(MAX_DEPTH + 2):
        message = EmailMessage()
        message["From"], message["Date"], message["Subject"] = "a@example.org", "7 Mar", "Re"
        message.set_content(f"This is number {number}.")
        if inner:
            message.add_attachment(inner)
        inner = message
    file = tmp_path / "message.eml"
    file.write_bytes(bytes(message))
    text = read_document(file).text
    assert "This is number 1." in text
    assert "This is number 0." not in text


def test_the_content_tells_the_format(files: dict[str, Path], tmp_path: Path) -> None:
    for kind, file in files.items():
        if kind != "csv":  # which is text, and says nothing of itself
            renamed = tmp_path / f"{kind}.txt"
            renamed.write_bytes(file.read_bytes())
            assert read_raw(renamed).format == kind
            assert format_of(file.read_bytes(), file.name) is not None
    assert {known.name for known in FORMATS} >= set(WRITERS) - {"csv"}


def test_telling_the_format_unpacks_nothing(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told in the process that asks, a server say, and not in the one that reads."""
    monkeypatch.delattr(zipfile.ZipFile, "open")
    for kind, file in files.items():
        found = format_of(file.read_bytes(), file.name)
        assert kind == "csv" or (found and found.name == kind)


def test_text_that_looks_like_a_format_is_text(tmp_path: Path) -> None:
    for name, text in (
        ("a.txt", "PK is short for park."),
        ("b.txt", "From: the sea\n\nIt comes and goes."),
        ("c.txt", "The tag <html> begins a page."),
        ("d.txt", "%PD is not a format."),
    ):
        (tmp_path / name).write_text(text)
        assert read_document(tmp_path / name).text == text


def test_a_word_with_letters_of_their_own_format_is_whole(tmp_path: Path) -> None:
    from docx import Document as Word

    word = Word()
    paragraph = word.add_paragraph("Section ")
    for text, is_bold in (("T", True), ("wo is un", False), ("believ", True), ("able, ", False)):
        paragraph.add_run(text).bold = is_bold
    paragraph.add_run("see /etc")
    paragraph.add_run("/hosts").italic = True
    paragraph.add_run(".")
    word.save(str(tmp_path / "bold.docx"))
    document = read_document(tmp_path / "bold.docx")
    assert document.text == "Section Two is unbelievable, see /etc/hosts."


@pytest.mark.parametrize("name", ["items.docx", "items.md", "items.txt"])
def test_bullets_that_only_their_font_knows_are_read(name: str, tmp_path: Path) -> None:
    """Those that are typed, or come with what is copied from a PDF, and nothing else of it."""
    from docx import Document as Word

    said = ("\uf0b7 A lamp.", "\uf0a7\tA rope, see \uf0e0 the box.", "A \uf8ffpple on the tree.")
    if name.endswith("docx"):
        word = Word()
        for text in said:
            word.add_paragraph(text)
        word.save(str(tmp_path / name))
    else:
        (tmp_path / name).write_text("\n\n".join(said), encoding="utf-8")
    document = read_document(tmp_path / name)
    shown = ["• A lamp.", "•\tA rope, see → the box.", "A \uf8ffpple on the tree."]
    assert document.text == "\n\n".join(shown)
    if name != "items.md":
        assert [p.kind for p in document.paragraphs] == ["list", "prose"]
    assert all(document.text[p.start : p.end] == p.text for p in document.paragraphs)


@pytest.mark.parametrize("where", ["above", "below", "between"])
def test_the_title_of_a_table_in_word_leads_into_its_rows(tmp_path: Path, where: str) -> None:
    """One between two tables into those of the second."""
    from docx import Document as Word

    word = Word()
    title = "Table 3: Fees by boat"
    word.add_paragraph("Fees are paid at the office.")
    for number in range(2 if where == "between" else 1):
        if where == "above" or number:
            word.add_paragraph(title)
        table = word.add_table(rows=0, cols=2)
        for row in (("Boat", "Fee"), ("Heron", "4.50")):
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    word.add_paragraph(title if where == "below" else "")
    word.save(str(tmp_path / "fees.docx"))
    content = (tmp_path / "fees.docx").read_bytes()
    layout = read_rich_text(content, "fees.docx", "docx")
    rows = [p for p in layout.parts if isinstance(p, Block) and p.kind == "row"]
    found = [row.lead and layout.text[slice(*row.lead)] for row in rows]
    assert found == ([None, title] if where == "between" else [title])


def test_what_is_set_as_a_heading_in_word_is_one(tmp_path: Path) -> None:
    """By its size or weight, below headings of a style; by its numbering where it is bold; over a
    line break, too; and by the line under it, but not where that is one of a link."""
    from docx import Document as Word
    from docx.shared import Pt

    word = Word()
    word.add_paragraph().add_run("Rules of the quay").font.size = Pt(20)
    for style in ("toc 1", "toc 2"):
        word.styles.add_style(style, 1)
        word.add_paragraph("Berths and buoys\t3", style)
    word.styles.add_style("Contents of box", 1)
    word.add_paragraph("What is said here holds for the quay and for all.", "Contents of box")
    word.add_paragraph().add_run("1 Mooring").bold = True
    word.add_paragraph("A boat is moored at two rings, one at the bow and one at the stern.")
    word.add_paragraph().add_run("1.1 At night").bold = True
    word.add_paragraph("A lamp is lit at the stern of every boat that is moored at the quay.")
    word.add_paragraph().add_run("No boat may be left without a lamp.").bold = True
    word.add_paragraph("Who leaves one pays 45 euros to the master of the harbour.")
    word.add_paragraph(style="List Bullet").add_run("Ropes").bold = True
    word.add_paragraph("Ropes are laid out in the shed, which is open from six to eight.")
    word.add_paragraph(style="List Number").add_run("Fees").bold = True
    word.add_paragraph("Fees are paid at the office of the harbour before the boat is moored.")
    word.add_heading("Dues", 1)
    word.add_paragraph("Dues are paid by the year, and by the boats of the town only half of it.")
    word.add_paragraph().add_run("Boats of the town").bold = True
    word.add_paragraph("They are those whose owners are listed in the book of the town.")
    word.add_paragraph().add_run("Boats of\nothers").bold = True
    word.add_paragraph("All boats whose owners live elsewhere are those of others.")
    word.add_paragraph().add_run("In winter").underline = True
    word.add_paragraph("From November on a boat may lie ashore for half of the fee.")
    word.styles.add_style("Hyperlink", 2)
    word.add_paragraph().add_run("The form for it", "Hyperlink").underline = True
    word.add_paragraph("Whoever wants that fills it in and sends it to the office.")
    word.save(str(tmp_path / "quay.docx"))
    document = read_document(tmp_path / "quay.docx")
    assert "Berths and buoys" not in document.text
    assert "- Ropes" in document.text or "\nRopes" in document.text
    found = {p.text.split()[0]: p.heading for p in document.paragraphs}
    title = "Rules of the quay"
    assert found["What"] == (title,)
    assert found["A"] == (title, "1 Mooring", "1.1 At night")
    assert found["No"] == found["Who"] == (title, "1 Mooring", "1.1 At night")
    assert found["Fees"][-1] == "1. Fees"
    assert found["They"] == ("Dues", "Boats of the town")
    assert found["All"] == ("Dues", "Boats of others")
    assert found["From"] == found["Whoever"] == ("Dues", "Boats of others", "In winter")


def leads(layout: Layout) -> dict[str, str]:
    """What leads into each block, by the block."""
    return {
        layout.text[part.spans[0][0] : part.spans[-1][1]]: layout.text[slice(*part.lead)]
        for part in layout.parts
        if isinstance(part, Block) and part.lead
    }


def test_what_is_set_as_a_heading_in_an_open_document_is_one(tmp_path: Path) -> None:
    """Below marked ones; and a note stands at the end of its section, led into by its sentence."""
    from odfdo import Document as Text
    from odfdo import Header, Style
    from odfdo import Paragraph as Lines

    text = Text("text")
    text.body.clear()
    text.insert_style(Style("paragraph", name="L", area="text", size="16pt"), automatic=True)
    text.insert_style(Style("paragraph", name="U", area="text", underline="solid"), automatic=True)
    text.insert_style(Style("text", name="B", area="text", bold=True), automatic=True)
    at_night, rings = Lines("At night"), Lines("Boats are unbelievably heavy. Two rings hold one.")
    at_night.set_span("B", regex="At night")
    rings.set_span("B", regex="believ")
    rings.insert_note(after="heavy.", note_id="n", citation="1", body="Some weigh 45 tons.")
    for one in (
        Header(1, "Quay"),
        Lines("Mooring", style="L"),
        rings,
        at_night,
        Lines("A lamp is lit at the stern of every boat that is moored."),
        Lines("In winter", style="U"),
        Lines("Boats lie ashore from November on, unless the quay is full."),
    ):
        text.body.append(one)
    text.save(str(tmp_path / "quay.odt"))
    document = read_document(tmp_path / "quay.odt")
    said = {p.text: (p.heading[1:], p.lead and p.lead.text) for p in document.paragraphs}
    assert list(said.items())[:2] == [
        ("Boats are unbelievably heavy. Two rings hold one.", (("Mooring",), None)),
        ("Some weigh 45 tons.", (("Mooring",), "Boats are unbelievably heavy.")),
    ]
    assert [path for path, _ in list(said.values())[2:]] == [
        ("Mooring", "At night"),
        ("Mooring", "At night", "In winter"),
    ]


def test_what_is_set_as_a_heading_in_rtf_is_one(tmp_path: Path) -> None:
    """And letters are read as they were: what says how they are set stands beside them."""
    body = (
        r"{\stylesheet{\s1\b\fs32 heading 1;}}\pard\s1\outlinelevel0\b\fs32 Quay\par\pard\plain "
        r"{\fs32 Mooring}\par\fs20 Two rings hold a boat, \'fcber {\b un}believ\b able\b0  ones "
        r"none.\par"
        r"{\b\insrsid15678446 At night}\par A lamp is lit at the stern of every boat. "
        r"It b\uc1\u252?rns.\par"
        r"\ul In winter\ulnone\par Boats lie ashore from November on, unless it is full.\par"
        r'{\field{\*\fldinst{HYPERLINK "https://example.org"}}{\fldrslt {\ul The form}}}\par '
        r"Whoever wants that fills it in and sends it to the office.\par"
    )
    (tmp_path / "quay.rtf").write_text(r"{\rtf1\ansi\ansicpg1252 " + body + "}", encoding="ascii")
    document = read_document(tmp_path / "quay.rtf")
    under = ("Quay", "Mooring", "At night", "In winter")
    assert [(p.heading, p.text) for p in document.paragraphs] == [
        (under[:2], "Two rings hold a boat, über unbelievable ones none."),
        (under[:3], "A lamp is lit at the stern of every boat. It bürns."),
        (under, "Boats lie ashore from November on, unless it is full."),
        (under, 'The form("https://example.org")'),
        (under, "Whoever wants that fills it in and sends it to the office."),
    ]


def test_notes_in_word_say_what_they_note(tmp_path: Path) -> None:
    """They stand at the end of the section with their mark; one without a mark at the very end."""
    from docx import Document as Word
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    word = Word()
    word.add_heading("Fees", 1)
    paragraph = word.add_paragraph("The dues are old. A boat pays 45 euros")
    mark = OxmlElement("w:footnoteReference")
    mark.set(qn("w:id"), "2")
    paragraph.add_run()._r.append(mark)
    paragraph.add_run(", a raft nothing. The office takes them.")
    word.add_heading("Keys", 1)
    word.add_paragraph("They hang behind the bar.")
    word.save(str(tmp_path / "bare.docx"))
    namespace = mark.nsmap["w"]
    notes = "".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:footnoteRef/><w:t> {text}</w:t></w:r></w:p>'
        "</w:footnote>"
        for number, text in ((2, "Half of it in winter."), (3, "Nobody knows of what."))
    )
    with zipfile.ZipFile(tmp_path / "bare.docx") as bare:
        members = {name: bare.read(name) for name in bare.namelist()}
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/footnotes"
    link = f'<Relationship Id="rId99" Type="{kind}" Target="footnotes.xml"/></Relationships>'
    links = "word/_rels/document.xml.rels"
    members[links] = members[links].replace(b"</Relationships>", link.encode())
    members["word/footnotes.xml"] = (
        f'<w:footnotes xmlns:w="{namespace}">{notes}</w:footnotes>'.encode()
    )
    file = pack(tmp_path / "fees.docx", members)
    layout = read_rich_text(file.read_bytes(), "fees.docx", "docx")
    assert layout.text == (
        "Fees\n\nThe dues are old. A boat pays 45 euros, a raft nothing. The office takes them."
        "\n\nHalf of it in winter.\n\nKeys\n\nThey hang behind the bar.\n\nNobody knows of what."
    )
    assert leads(layout) == {"Half of it in winter.": "A boat pays 45 euros, a raft nothing."}


def test_nothing_of_a_page_is_run_or_fetched(documents: dict[str, Document]) -> None:
    for hidden in ("color: red", "document.title", "192.0.2.1"):
        assert hidden not in documents["html"].text


@pytest.mark.parametrize(
    ("work", "make", "count"),
    [
        (lambda text: format_of(text.encode(), "a"), lambda n: "<!--a-->" * n, 6),
        (lambda text: format_of(text.encode(), "a"), lambda n: "\n" * n, 2000),
        (lambda text: read_separated(text, "a"), lambda n: f'a,"b",c\n{chr(34) * n}x\n', 50),
        (as_html, lambda n: f"<a{' ' * n}", 2000),
    ],
    ids=["comments", "blank lines", "quotation marks", "spaces in a tag"],
)
def test_what_repeats_takes_time_in_proportion(
    work: Callable[[str], object], make: Callable[[int], str], count: int
) -> None:
    assert grows_linearly(work, make, count)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Jahr;Umsatz\n2021;5,2\n2022;6,4\n", "Jahr: 2022 | Umsatz: 6,4"),
        ('Name, Note, No\nAnn, "tall, fair", 2\nBob, "old", 3\n', "Name: Bob | Note: old | No: 3"),
        ("a\tb\tc\n1\t2\t3\n1\t2\t3,5\n", "a: 1 | b: 2 | c: 3,5"),
        ("One column\nof words\n", "of words"),
        ("Dish,Contains\nPie,nuts\nSoup,celery\n", "Dish: Soup | Contains: celery"),
        ("Team,Q1,Q2\nNorth,3,4\n", "Team: North | Q1: 3 | Q2: 4"),
        ("Prices of 2021\nItem,Price\nTea,2\n", "Item: Tea | Price: 2"),
        ("Item,Price\nTea,2\n\nAll,9\n", "Item: All | Price: 9"),
        ("Ann,12 Mill Lane,4\nBob,3 Quay,5\n", "Bob | 3 Quay | 5"),
    ],
)
def test_what_divides_values_is_found(text: str, row: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    assert read_document(tmp_path / "a.csv").paragraphs[-1].text == row


# --- refused --------------------------------------------------------------------------------------


def refusal(file: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_document(file)
    assert file.name in str(caught.value)
    return str(caught.value)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    file = tmp_path / "bomb.docx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("word/document.xml", b"0" * 10_000_000)
        for number in range(120):
            archive.writestr(f"word/media/{number}.xml", b"0" * 10_000_000)
    assert "GB unpacked" in refusal(file)
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(MAX_MEMBERS + 1):
            archive.writestr(f"{number}.xml", "")
    assert f"in {MAX_MEMBERS + 1:,} files" in refusal(file)


def test_what_is_refused_is_told(tmp_path: Path) -> None:
    from docx import Document as Word

    with zipfile.ZipFile(tmp_path / "entities.docx", "w") as archive:
        archive.writestr("word/document.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    (tmp_path / "old.doc").write_bytes(ole + "WordDocument".encode("utf-16-le"))
    (tmp_path / "locked.docx").write_bytes(ole + "EncryptedPackage".encode("utf-16-le"))
    Word().save(str(tmp_path / "empty.docx"))
    for name, told in (
        ("entities.docx", "entities"),
        ("old.doc", "older office programs"),
        ("locked.docx", "password"),
        ("empty.docx", "holds no text"),
    ):
        assert told in refusal(tmp_path / name)


def test_a_sheet_with_too_many_rows_is_told(tmp_path: Path) -> None:
    file = tmp_path / "long.xlsx"
    with Workbook(str(file), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(100_001):
            sheet.write_number(row, 0, row)
    assert "100,001 rows; at most 100,000" in refusal(file)
    file = tmp_path / "long.csv"
    file.write_text("1,2\n" * 100_001)
    assert "100,001 rows; at most 100,000" in refusal(file)
