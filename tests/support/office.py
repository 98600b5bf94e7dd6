"""Documents in the formats of offices, made by the libraries that people make them with: the same
report in each, with headings, a list and a table."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

TITLE = "Harbour report"
SECTION = "Dredging"
PROSE = "The harbour master had berth four dredged in March. Nothing was found."
ITEMS = ("Two cranes were painted.", "One buoy was lost in a storm.")
NAMES = ("Year", "Revenue", "Ships")
ROWS = (("2021", "5.2 million", "311"), ("2022", "6.4 million", "287"))
ROW = "Year: 2022 | Revenue: 6.4 million | Ships: 287"

REPORT = f"""<h1>{TITLE}</h1><h2>{SECTION}</h2><p>{PROSE}</p>
<ul>{"".join(f"<li>{item}</li>" for item in ITEMS)}</ul>
<table><tr>{"".join(f"<th>{name}</th>" for name in NAMES)}</tr>
{"".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in ROWS)}</table>"""
HTML = f"""<!doctype html><html><head><title>{TITLE}</title>
<style>p {{ color: red }}</style><script>document.title = "no"</script></head>
<body>{REPORT}
<img src="http://192.0.2.1/never.png"></body></html>"""


def write_docx(file: Path) -> None:
    from docx import Document

    document = Document()
    document.add_heading(TITLE, 0)
    document.add_heading(SECTION, 1)
    document.add_paragraph(PROSE)
    for item in ITEMS:
        document.add_paragraph(item, style="List Bullet")
    table = document.add_table(rows=0, cols=len(NAMES))
    for row in (NAMES, *ROWS):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.save(str(file))


def write_pptx(file: Path) -> None:
    from pptx import Presentation
    from pptx.util import Inches

    deck = Presentation()
    first = deck.slides.add_slide(deck.slide_layouts[0])
    first.shapes.title.text = TITLE
    second = deck.slides.add_slide(deck.slide_layouts[1])
    second.shapes.title.text = SECTION
    second.placeholders[1].text = "\n".join(ITEMS)
    third = deck.slides.add_slide(deck.slide_layouts[5])
    third.shapes.title.text = "Figures"
    place = (Inches(1), Inches(2), Inches(6), Inches(1))
    table = third.shapes.add_table(len(ROWS) + 1, len(NAMES), *place).table
    for r, row in enumerate((NAMES, *ROWS)):
        for c, text in enumerate(row):
            table.cell(r, c).text = text
    deck.save(str(file))


def write_xlsx(file: Path) -> None:
    from xlsxwriter import Workbook

    book = Workbook(str(file))
    sheet = book.add_worksheet("Figures")
    sheet.write_row("B3", NAMES)
    for number, (year, revenue, ships) in enumerate(ROWS):
        sheet.write_row(3 + number, 1, (int(year), revenue, int(ships)))
    book.add_worksheet("Empty")
    book.close()


def write_html(file: Path) -> None:
    file.write_text(HTML, encoding="utf-8")


def pack(file: Path, members: Mapping[str, str | bytes]) -> Path:
    """Write a packed file that holds these."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def container(package: str) -> dict[str, str]:
    """What tells an EPUB, and where its package is."""
    return {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": (
            '<?xml version="1.0"?><container version="1.0" '
            'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
            f'full-path="{package}" media-type="application/oebps-package+xml"/></rootfiles>'
            "</container>"
        ),
    }


def write_epub(file: Path) -> None:
    chapter = HTML.replace("<!doctype html><html>", '<html xmlns="http://www.w3.org/1999/xhtml">')
    chapter = chapter.replace('<img src="http://192.0.2.1/never.png">', "")
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="i"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="i">1</dc:identifier><dc:title>{TITLE}</dc:title>'
        "<dc:language>en</dc:language></metadata><manifest>"
        '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="c"/></spine></package>'
    )
    pack(file, container("book.opf") | {"book.opf": package, "c.xhtml": chapter})


def write_odt(file: Path) -> None:
    from odfdo import Document, Header, List, ListItem, Paragraph, Table

    document = Document("text")
    body = document.body
    body.clear()
    body.append(Header(1, TITLE))
    body.append(Header(2, SECTION))
    body.append(Paragraph(PROSE))
    body.append(List([ListItem(item) for item in ITEMS]))
    table = Table("Figures")
    table.set_values([list(NAMES), *map(list, ROWS)])
    body.append(table)
    document.save(str(file))


def write_rtf(file: Path) -> None:
    file.write_text(r"{\rtf1\ansi {\b " + TITLE + r"}\par " + PROSE + r"\par }", encoding="ascii")


def write_eml(file: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "ann@example.org", "bob@example.org"
    message["Date"], message["Subject"] = "Mon, 7 Mar 2022 10:00:00 +0000", TITLE
    message.set_content(f"Dear Bob,\n\n{PROSE}\n\nAnn")
    message.add_attachment(b"x", maintype="image", subtype="png", filename="berth.png")
    file.write_bytes(bytes(message))


def write_csv(file: Path) -> None:
    file.write_text("\r\n".join(";".join(row) for row in (NAMES, *ROWS)), encoding="utf-8")


WRITERS = {
    "docx": write_docx,
    "pptx": write_pptx,
    "xlsx": write_xlsx,
    "html": write_html,
    "epub": write_epub,
    "odt": write_odt,
    "rtf": write_rtf,
    "eml": write_eml,
    "csv": write_csv,
}
