"""PDF: what a browser printed is read in order, and every word is where it is said to be."""

# Typographic quotes are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pypdfium2
import pytest
from browsing import print_pdf
from helpers import ROOT
from office import PROSE, REPORT, ROW, SECTION, TITLE
from playwright.sync_api import Browser
from pypdf import PdfWriter

from index import Document, read_document
from index.chunking.layout import Block
from index.errors import EmptyDocumentError, UnreadableError
from index.models import Boxes
from index.readers.pdf.reader import read_pdf

REMARK = (
    "Remark {n} of the harbour master notes that berth {n} was dredged and that noth\u00ading was "
    "found there. "
)
HTML = f"""<!doctype html><html lang="en"><style>
body {{ font: 12px/1.4 'DejaVu Serif' }} table {{ border-collapse: collapse }}
td, th {{ border: 1px solid black; padding: 4px }} .many {{ hyphens: manual; width: 31em }}
</style><body>{REPORT}<h2>Remarks</h2><div class="many">
{"".join(f"<p>{''.join(REMARK.format(n=10 * n + k) for k in range(6))}</p>" for n in range(40))}
</div></body></html>"""
#: What is told of them to those who cannot see them.
PICTURES = (
    "Two lamps of which the left one is lit",
    "A plan of the quay with berths from one to six",
    "A sign that forbids mooring by night",
)
HYPHENS = re.compile("[\\s\x02\u00ad\u2010\ufffe-]")


CHAPTERS = ("Berths and buoys", "Dredging", "Cranes and crews", "Lamps along the quay", "Pilots")
FILLER = "The tide tables of the harbour are kept by the pilots and are read out at noon each day. "
MANUAL = f"""<!doctype html><html lang="en"><style>
h1 {{ break-before: page }} body {{ font: 13px/1.35 'DejaVu Serif'; text-align: justify }}
code {{ font-family: 'DejaVu Sans Mono' }} sup {{ font-size: 60% }}</style>
<body><p>For pilots.</p><h1>Contents</h1>
{"".join(f"<p>{n} {name} {'. ' * 20} {n + 2}</p>" for n, name in enumerate(CHAPTERS, 1))}
{
    "".join(
        f"<h1>{n} {name}</h1><h2>{n}.1 Aims of chapter {n}</h2><p>{FILLER * 5}</p>"
        for n, name in enumerate(CHAPTERS, 1)
    )
}
<p>The watchman “reads the gauge” – as the pilot’s rule has it – before the file
<code>/etc/tides</code> is edited, and <code>/usr/share/tides/gauge.conf</code> must be kept. After
<code>/etc/tides</code> is edited the watchman must call <code>newtides</code>. All of the pilots
have <code>newtides</code> in their <code>/usr/bin</code> folder, and are told of it by letter. It
is never sent by wire.<sup>3</sup> Lamps are lit at dusk.</p>
<dl><dt>spring tide</dt><dd>The higher of two tides, which comes with a full moon.</dd>
<dt>neap tide</dt><dd>The lower of two tides, which comes with a half moon.</dd></dl></body>
</html>"""


@pytest.fixture(scope="module")
def manual(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document with an outline and contents, whose pages begin alike."""
    file = tmp_path_factory.mktemp("pdf") / "manual.pdf"
    print_pdf(browser, MANUAL, file, outline=True, tagged=True)
    return file


@pytest.fixture(scope="module")
def handbook(manual: Path) -> Document:
    return read_document(manual)


@pytest.fixture(scope="module")
def file(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("pdf") / "report.pdf"
    print_pdf(
        browser,
        HTML,
        file,
        display_header_footer=True,
        header_template='<span style="font-size: 8px">Port of Zanthoria</span>',
        footer_template='<span style="font-size: 8px">page <span class="pageNumber"></span></span>',
        margin={"top": "60px", "bottom": "60px", "left": "60px", "right": "60px"},
    )
    return file


@pytest.fixture(scope="module")
def document(file: Path) -> Document:
    return read_document(file)


def boxes_of(document: Document) -> Boxes:
    assert document.boxes is not None
    return document.boxes


def test_it_is_read_in_order_under_its_headings(document: Document) -> None:
    document.check()
    assert document.title == TITLE
    (prose,) = [p for p in document.paragraphs if PROSE in p.text]
    assert prose.heading == (TITLE, SECTION)
    assert (prose.page, prose.locator, prose.kind) == (1, "p. 1", "prose")
    numbers = [int(n) for n in re.findall(r"Remark (\d+) of", document.text)]
    assert numbers == [10 * n + k for n in range(40) for k in range(6)]
    # Words divided at line ends are whole.
    assert document.text.count("nothing was found there.") == len(numbers)
    assert "noth-" not in document.text
    # Running heads and feet are told once, and numbers of pages never.
    (head,) = [p for p in document.paragraphs if "Zanthoria" in p.text]
    assert (head.text, head.page) == ("Port of Zanthoria", 1)
    assert not re.search(r"\bpage \d", document.text)
    # A paragraph goes on overleaf.
    remarks = [p for p in document.paragraphs if "Remark" in p.text]
    assert all(p.text.startswith("Remark") and p.text.endswith("found there.") for p in remarks)
    boxes = boxes_of(document)
    assert any(len({r.page for r in boxes.lines(p.start, p.end)}) == 2 for p in remarks)
    # Of a row the cells are lit up, and the names above them.
    row = [p for p in document.paragraphs if p.kind == "row"][-1]
    assert row.text == ROW
    assert len({round(line.top) for line in boxes.lines(row.start, row.end)}) == 2


def test_each_word_is_where_it_is_said_to_be(document: Document, file: Path) -> None:
    boxes, pdf = boxes_of(document), pypdfium2.PdfDocument(file)
    assert len(boxes.sizes) == len(boxes.labels) == len(pdf) > 3
    seen = 0
    for number, page in enumerate(pdf, start=1):
        text, height = page.get_textpage(), page.get_height()
        for word in boxes.words_on(number):
            assert document.text[word.start : word.end] == word.text
            at = word.place
            # The lines above and below reach into its box a little.
            top, bottom = height - at.top - 1, height - at.bottom + 1
            under = text.get_text_bounded(at.left - 0.5, bottom, at.right + 0.5, top)
            assert HYPHENS.sub("", under) == HYPHENS.sub("", word.text), (number, word)
            seen += 1
    assert seen == len(boxes.spans)


@pytest.mark.parametrize("name", ["file", "manual"])
def test_what_is_printed_under_a_quote_is_the_quote(
    name: str, request: pytest.FixtureRequest
) -> None:
    file = request.getfixturevalue(name)
    document, pdf = read_document(file), pypdfium2.PdfDocument(file)
    texts = [(page.get_textpage(), page.get_height()) for page in pdf]
    for paragraph in document.paragraphs:
        for sentence in paragraph.sentences:
            under = ""
            for at in boxes_of(document).lines(sentence.start, sentence.end):
                text, height = texts[at.page - 1]
                under += text.get_text_bounded(
                    at.left, height - at.bottom, at.right, height - at.top
                )
            quote = HYPHENS.sub("", sentence.text)
            if paragraph.kind == "row":
                quote = re.sub("[|:]", "", quote)
            assert HYPHENS.sub("", under) == quote


def test_a_handbook_is_read_as_its_outline_tells(handbook: Document) -> None:
    aims = [p for p in handbook.paragraphs if p.text.startswith("The tide tables")]
    assert [p.heading for p in aims] == [
        (f"{n} {name}", f"{n}.1 Aims of chapter {n}") for n, name in enumerate(CHAPTERS, 1)
    ]
    assert [p.locator for p in aims] == ["p. 3", "p. 4", "p. 5", "p. 6", "p. 7"]
    # Not even the lines with which each page begins are taken for its running head.
    assert {p.text for p in aims} == {(FILLER * 5).strip()}
    # Contents are not found in place of what they list.
    assert [p.kind for p in handbook.paragraphs if "Lamps along" in p.text] == ["contents"]
    # A paragraph with words of a typewriter is whole, and without the mark of a note.
    (prose,) = [p for p in handbook.paragraphs if "watchman" in p.text]
    told = re.sub("<sup>.*?</sup>|<[^<>]*>", "", MANUAL.partition("<p>The watchman")[2])
    assert prose.text == " ".join(
        f"The watchman{told.partition(' Lamps')[0]} Lamps are lit at dusk.".split()
    )
    assert prose.sentences[-2].text == "It is never sent by wire."
    # A definition begins with its term.
    assert [p.text for p in handbook.paragraphs if p.text.startswith(("sp", "ne"))] == [
        "spring tide The higher of two tides, which comes with a full moon.",
        "neap tide The lower of two tides, which comes with a half moon.",
    ]


def test_what_pdfium_tells_is_read_wherever_it_is(manual: Path, tmp_path: Path) -> None:
    """Also where it is none of the interpreter's own libraries, as those of one user are not."""
    venv.create(tmp_path / "bare")
    code = "import sys; from index import read_document; print(read_document(sys.argv[1]).text)"
    done = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", "-X", "utf8", "-c", code, str(manual)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "“reads the gauge”" in done.stdout, "the marks that PDFium has told"
    assert not done.stderr


@pytest.mark.parametrize("height", [None, 816, 850, 901, 935])
def test_columns_are_read_one_after_the_other(
    browser: Browser, tmp_path: Path, height: int | None
) -> None:
    """Wherever the first ends, and though the lines of both stand at nearly the same heights; a
    paragraph goes on in the next one."""
    dredged = "berth {} was dredged for the pilots and nothing was found there"
    numbers = [0] * 8 if height else range(9)
    remarks = [", and ".join(dredged.format(10 * n + k) for k in range(7)) for n in numbers]
    remarks = [f"In that year {remark}." for remark in remarks]
    filled = f"column-fill: auto; height: {height}px; orphans: 1; widows: 1; " if height else ""
    style = f"columns: 2; {filled}font: 12px/{'17px' if height else 1.4} 'DejaVu Serif'"
    body = "".join(f"<p>{remark}</p>" for remark in remarks)
    print_pdf(browser, f'<h1>{TITLE}</h1><div style="{style}">{body}</div>', tmp_path / "two.pdf")
    assert [p.text for p in read_document(tmp_path / "two.pdf").paragraphs] == remarks


def test_words_are_told_by_how_far_letters_are_apart(browser: Browser, tmp_path: Path) -> None:
    body = (
        "<style>b { display: block; letter-spacing: .3em } td { width: 2em }</style>"
        "<b>THE LAB MANUAL, 2ND PART</b><p>The keys are at the desk.</p>"
        "<p>Of A B C D E F and G all but C are vowels of none.</p>"
        f"<table border=1><tr>{''.join(f'<td>{letter}' for letter in 'ABCDEFGH')}</table>"
    )
    print_pdf(browser, body, tmp_path / "spaced.pdf")
    text = read_document(tmp_path / "spaced.pdf").text
    for said in ("THE LAB MANUAL, 2ND PART", "Of A B C D E F and G all but"):
        assert said in text
    assert "ABC" not in text


def pdf_that_draws(drawn: str, *fonts: str) -> bytes:
    """A page with this drawn on it, in fonts of these entries; they are called F0 and so on."""
    named = " ".join(f"/F{n} {n + 5} 0 R" for n in range(len(fonts)))
    page = f"/MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << {named} >> >>"
    objects = (
        "/Type /Catalog /Pages 2 0 R >>",
        "/Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"/Type /Page /Parent 2 0 R {page} >>",
        f"/Length {len(drawn)} >>\nstream\n{drawn}\nendstream",
        *(f"/Type /Font {font} >>" for font in fonts),
    )
    body = "".join(f"{n} 0 obj\n<< {own}\nendobj\n" for n, own in enumerate(objects, start=1))
    return f"%PDF-1.4\n{body}trailer << /Root 1 0 R >>\n".encode()


@pytest.mark.parametrize("spacing", [0, -1.5, -2, -2.5, -2.9])
@pytest.mark.parametrize("font", ["Helvetica", "Times-Roman", "Times-Italic", "Helvetica-Bold"])
def test_words_with_a_thin_space_between_them_are_two(font: str, spacing: float) -> None:
    """However narrow the font: these come with the library, and their spaces have 3 points."""
    said = "The keys of the quay, if found, are for a judge of the day."
    drawn = f"BT /F0 12 Tf {spacing} Tw 40 700 Td ({said}) Tj ET"
    content = pdf_that_draws(drawn, f"/Subtype /Type1 /BaseFont /{font}")
    assert read_pdf(content, "thin.pdf").text == said


def signs(first: int, *names: str) -> str:
    """A font in which these signs are drawn as a box each, with codes from the first one on."""
    drawn = " ".join(f"/{name} 7 0 R" for name in names)
    named, widths = " ".join(f"/{name}" for name in names), " ".join("5" * len(names))
    return (
        "/Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [.1 0 0 .1 0 0] "
        f"/FirstChar {first} /LastChar {first + len(names) - 1} /Widths [{widths}] "
        f"/Encoding << /Differences [{first} {named}] >> /CharProcs << {drawn} >> >>\nendobj\n"
        "7 0 obj\n<< /Length 28 >>\nstream\n5 0 0 0 5 8 d1 0 0 5 8 re f \nendstream\nendobj\n"
        "8 0 obj\n<<"
    )


def test_ligatures_that_only_their_codes_tell_are_read() -> None:
    """As in files of TeX with fonts of pictures; a line may end with one."""
    said = "The {1}rst o{0}er is di{0}erent: {2}ags that {1}t on work{2}ow are o{0}"
    pieces = re.split(r"\{(\d)\}", said)
    shown = [
        f"/F{n % 2} 12 Tf ({chr(92)}{int(piece) + 11:03o}) Tj"
        if n % 2
        else f"/F0 12 Tf ({piece}) Tj"
        for n, piece in enumerate(pieces)
    ]
    drawn = f"BT 40 700 Td {' '.join(shown)} ET BT /F0 12 Tf 40 680 Td (for good.) Tj ET"
    content = pdf_that_draws(
        drawn, "/Subtype /Type1 /BaseFont /Times-Roman", signs(11, "a11", "a12", "a13")
    )
    assert read_pdf(content, "tex.pdf").text == said.format("ff", "fi", "fl") + " for good."


def test_bullets_that_only_their_font_knows_begin_items() -> None:
    """As those of Word do: some begin items for the library as well."""
    items = (
        ("A", "A lamp that is lit."),
        ("B", "A rope of ten metres."),
        ("B", "A map of the quay, on which the berths are shown,"),
        ("", "and the depths of the water."),
        ("C", "A pen."),
    )
    said = "Bring these things, all of which lie in the box below the stairs of the house:"
    drawn = f"BT /F0 12 Tf 40 700 Td ({said}) Tj ET "
    for line, (sign, text) in enumerate(items):
        for x, font, shown in ((60, 1, sign), (75, 0, text)):
            drawn += f"BT /F{font} 12 Tf {x} {680 - 14 * line} Td ({shown}) Tj ET "
    words = "(From the quay ) Tj /F1 12 Tf (D) Tj /F0 12 Tf ( to the mole you go by the bridge.) Tj"
    drawn += f"BT /F0 12 Tf 40 580 Td {words} ET"
    font = signs(65, "uniF0B7", "uniF0A7", "uniF0FC", "uniF0E0")
    content = pdf_that_draws(drawn, "/Subtype /Type1 /BaseFont /Helvetica", font)
    layout = read_pdf(content, "signs.pdf")
    blocks = [part for part in layout.parts if isinstance(part, Block)]
    assert [[layout.text[slice(*span)] for span in block.spans] for block in blocks] == [
        [said],
        [
            "• A lamp that is lit.",
            "• A rope of ten metres.",
            "• A map of the quay, on which the berths are shown, and the depths of the water.",
            "• A pen.",
        ],
        ["From the quay → to the mole you go by the bridge."],
    ]
    assert [block.kind for block in blocks] == ["prose", "list", "prose"]


def test_a_provision_behind_a_wide_number_is_whole(browser: Browser, tmp_path: Path) -> None:
    provisions = [
        "Examples of what bylaw 4.19 means are awnings, antennas, screens and satellite dishes.",
        "A resident must not keep anything on any patio that others see from theirs, or on a "
        "balcony or deck, and takes away what stands there.",
    ]
    style = "<style>body { width: 50ex } p { margin: 0; padding-left: 5ex; text-indent: -5ex } b { "
    style += "display: inline-block; width: 5ex; text-indent: 0; font-weight: normal }</style>"
    body = "".join(f"<p><b>4.{n + 19}</b>{said}</p>" for n, said in enumerate(provisions))
    print_pdf(browser, style + body, tmp_path / "provisions.pdf")
    paragraphs = read_document(tmp_path / "provisions.pdf").paragraphs
    assert [p.text for p in paragraphs] == [
        f"4.{n + 19} {said}" for n, said in enumerate(provisions)
    ]


ANIMALS = ("Dogs", "Geese", "Horses", "Swine", "Bees")
RULE = (
    "(1) Whoever keeps any of these animals within the bounds of the town without a licence shall "
    "be fined by the Clerk, who may also take the animal away at its keeper's cost."
)


@pytest.fixture(scope="module")
def bylaws(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Document:
    """Each page has a running head with a number of its own, close above its text; the outline has
    other titles than the pages, which say besides when something was added."""
    folder = tmp_path_factory.mktemp("bylaws")
    pages = [
        f"<div>§ 60-{n}<b>BYLAWS OF ALBA</b>§ 60-{n}</div><h3>CHAPTER {n}</h3>"
        f"<h3>{name}</h3><p>§ 60-{n}. Keepers of {name}. [Added in 201{n}]</p>"
        f"<p class=item>{RULE}</p><p class=item>{RULE.replace('(1)', '(2)')}</p>"
        for n, name in enumerate(ANIMALS)
    ]
    style = (
        "<style>div { display: flex; justify-content: space-between; break-before: page }"
        "body { font: 12px/1.2 'DejaVu Serif'; text-align: justify }"
        "body, div, h3 { margin: 0 }"
        ".item { padding-left: 2em; text-indent: -2em }</style>"
    )
    print_pdf(browser, style + "".join(pages), folder / "printed.pdf")
    writer = PdfWriter(clone_from=folder / "printed.pdf")
    for number, name in enumerate(ANIMALS):
        titles = f"chapter {number}: {name}", f"§ 60-{number} Keepers of {name}"
        chapter = writer.add_outline_item(title=titles[0], page_number=number)
        writer.add_outline_item(title=titles[1], page_number=number, parent=chapter)
    writer.write(folder / "bylaws.pdf")
    return read_document(folder / "bylaws.pdf")


def test_titles_of_the_outline_are_found_though_the_page_says_more(bylaws: Document) -> None:
    assert bylaws.text.count("BYLAWS OF ALBA") == 1, "a running head, with other numbers"
    headings = {p.heading for p in bylaws.paragraphs if p.text.startswith("(1)")}
    assert headings == {
        (f"CHAPTER {n} {name}", f"§ 60-{n}. Keepers of {name}.") for n, name in enumerate(ANIMALS)
    }
    assert "[Added in 2010]" in bylaws.text
    assert sum(p.text == RULE for p in bylaws.paragraphs) == len(ANIMALS), "items that hang"


def test_pictures_of_text_are_told(browser: Browser, tmp_path: Path) -> None:
    drawing = "<svg width=300 height=300><rect width=200 height=200 fill=red /></svg>"
    print_pdf(browser, drawing, tmp_path / "scan.pdf")
    with pytest.raises(EmptyDocumentError, match="no text"):
        read_document(tmp_path / "scan.pdf")


def test_what_is_told_of_pictures_is_found_where_they_are(browser: Browser, tmp_path: Path) -> None:
    lamps, plan, sign = PICTURES
    drawn = (
        "<svg width=90 height=90 role=img aria-label={}><rect width=90 height=90 fill=red /></svg>"
    )
    print_pdf(
        browser,
        f"""<html lang=en><h1>{TITLE}</h1><p>{FILLER}</p><p>{drawn.format(repr(lamps))}</p>
        <p>{drawn.format("'Lamps.png'")}</p><div role=img aria-label={plan!r}><p>QUAY</p></div>
        <p>{FILLER}</p><h2>{SECTION}</h2><p>{FILLER}</p><p>{drawn.format(repr(lamps))}</p>
        <p>{drawn.format(repr(sign))}</p><p>{FILLER}</p></html>""",
        tmp_path / "lamps.pdf",
        tagged=True,
    )
    document = read_document(tmp_path / "lamps.pdf")
    headings = {p.text: p.heading for p in document.paragraphs}
    assert headings.items() >= {lamps: (TITLE,), sign: (TITLE, SECTION)}.items()
    texts = [p.text for p in document.paragraphs]
    assert texts.count(lamps) == 1
    assert not [text for text in texts if "png" in text]
    # Nothing is drawn of the plan but what stands in it.
    assert plan in texts
    page = pypdfium2.PdfDocument(tmp_path / "lamps.pdf")[0].render(scale=1).to_numpy()
    for paragraph in document.paragraphs:
        if paragraph.text in (lamps, sign):
            [box] = boxes_of(document).lines(paragraph.start, paragraph.end)
            under = page[
                round(box.top) + 1 : round(box.bottom), round(box.left) + 1 : round(box.right)
            ]
            assert under.size > 9000
            assert (under[..., :3] == (0, 0, 255)).all(), "blue, green, red"


def test_a_password_and_too_many_pages_are_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = PdfWriter(clone_from=file)
    writer.encrypt("secret")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(UnreadableError, match="password"):
        read_document(tmp_path / "locked.pdf")
    monkeypatch.setattr("index.readers.pdf.reader.MAX_PAGES", 2)
    with pytest.raises(UnreadableError, match="at most 2 are read"):
        read_pdf(file.read_bytes(), file.name)


def test_notes_say_what_they_note(browser: Browser, tmp_path: Path) -> None:
    notes = {1: "Half of it in winter, and less.", 2: "But for those of the harbour master."}
    small = '<p style="font-size: 9px">'
    print_pdf(
        browser,
        f"<style>sup {{ font-size: 7px }} p {{ font: 13px 'DejaVu Serif' }}</style>"
        f"<p>Fees are paid by all who moor. A boat pays 45 euros.<sup>1</sup> {PROSE} "
        f"Rafts pay nothing at all.<sup>2</sup> So it is.</p>{'<p>' + PROSE}"
        + "".join(f"{small}{number} {note}</p>" for number, note in notes.items()),
        tmp_path / "fees.pdf",
    )
    document = read_document(tmp_path / "fees.pdf")
    leads = {p.text: p.lead.text for p in document.paragraphs if p.lead}
    assert leads == {
        f"1 {notes[1]}": "A boat pays 45 euros.",
        f"2 {notes[2]}": "Rafts pay nothing at all.",
    }
