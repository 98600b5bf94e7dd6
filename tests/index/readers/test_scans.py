"""Pictures of text: printed pages as scanners have them are read, and each word is where it is
seen."""

from __future__ import annotations

import ctypes
import sys
from contextlib import closing
from io import BytesIO
from pathlib import Path

import docx
import numpy as np
import pptx
import pypdfium2
import pytest
from browsing import chromium
from helpers import footnote
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import Browser
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, RectangleObject
from pypdfium2.raw import FPDFText_GetFontInfo
from scans import (
    FONT,
    SETS,
    SIZE,
    TURNS,
    compared,
    print_markdown,
    questions_on,
    rightly_answered,
    scan,
    scanned,
    words_of,
)

from index import Document, Index, find_files, read_document
from index.errors import EmptyDocumentError, UnreadableError
from index.models import Boxes
from index.readers.loader import Reading, read_raw
from index.readers.ocr.recogniser import RecognisedWord, Recognition, recognised
from index.readers.ocr.text_layer import text_layer
from index.readers.pdf.pages import PrintedPage, printed_pages
from index.readers.pdf.reader import parsed_pages, read_pdf
from index.readers.pdf.scans import pictures_among
from index.readers.pdf.titles import is_bold
from index.readers.pictures import read_picture

TITLE = "Rules of the boat house"
TEXT = f"""# {TITLE}

## Keys

The key of the boat house hangs behind the bar. Whoever takes it writes down name and hour, and
brings it back before the evening bell. A lost key costs 45 euros.

## Who may row

| Boat | Seats | Fee |
|---|---|---|
| Heron | 4 | 12.50 |
| Kingfisher | 2 | 7.80 |

Guests row with a member beside them. Juniors under fourteen wear a life jacket at all times, and no
one goes out after dusk or when the red ball is up on the mast.
"""
KEYS = """The key of the boat house
hangs behind the bar.
A lost key costs
45 euros. Juniors wear a life jacket."""
ACCENTS = """# Grüße aus Łódź

Żółta łódka płynie pod mostem. Der Schlüssel hängt über dem Tresen, der Müller heißt Jörg. Où est
la clé du garçon? El niño pequeño mañana comerá piñones. Příliš žluťoučký kůň úpěl ďábelské ódy.
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("printed") / "rules.pdf"
    with chromium() as browser:
        return print_markdown(browser, TEXT, file)


@pytest.fixture(scope="module")
def askew(printed: Path) -> tuple[Document, Document]:
    """What was printed, and its scan, read."""
    file = scan(printed, printed.with_name("askew.pdf"), degrees=[3.0], blur=0.8)
    return read_document(printed), read_document(file, ocr=True)


def boxes_of(document: Document) -> Boxes:
    assert document.boxes
    return document.boxes


def test_what_is_printed_is_read_and_lies_under_its_rectangles(
    askew: tuple[Document, Document],
) -> None:
    whole, read = askew
    boxes = boxes_of(read)
    words = compared(boxes_of(whole), boxes, [3.0])
    assert words.right >= 0.95 * words.printed
    assert words.lit >= 0.98 * words.right
    # Headings, tables and places are found.
    lost = next(p for p in read.paragraphs if "45 euros" in p.text)
    assert (lost.heading, lost.locator) == ((TITLE, "Keys"), "p. 1")
    assert "Boat: Heron | Seats: 4 | Fee: 12.50" in read.text
    assert lost.ocr_confidence is not None
    assert not lost.is_uncertain
    # Lines askew are lit in pieces that reach into no other.
    heights = [line.height for line in boxes.lines(lost.start, lost.end)]
    rectangles = boxes.rectangles[boxes.within(lost.start, lost.end)]
    assert max(heights) <= 1.7 * max(rectangles[:, 3] - rectangles[:, 1])


@pytest.mark.parametrize(
    ("name", "degrees"),
    [
        ("side.pdf", 90),
        pytest.param("head.png", 180, marks=pytest.mark.long),
        pytest.param("side.jpg", 268, marks=pytest.mark.long),
        pytest.param("plain.tif", 0, marks=pytest.mark.long),
    ],
)
def test_however_a_picture_lies_it_is_read(printed: Path, name: str, degrees: int) -> None:
    read = read_document(scan(printed, printed.with_name(name), degrees=[degrees]), ocr=True)
    assert "The key of the boat house hangs behind the bar." in words_of(read)
    assert read.pages == 1


def test_bold_words_of_a_scan_are_bold() -> None:
    """And are laid out as such, so that a heading of the size of the text is found."""
    page, bold = Image.new("L", SIZE, 250), FONT.replace("Serif", "Serif-Bold")
    lines = (
        "Mooring at night",
        "A lamp is lit at the stern of each boat",
        "that is moored at the quay.",
    )
    for number, (line, font) in enumerate(zip(lines, (bold, FONT, FONT), strict=True)):
        font_of_line = ImageFont.truetype(font, 26)
        ImageDraw.Draw(page).text((60, 60 + 60 * number), line, font=font_of_line, fill=20)
    worn = page.filter(ImageFilter.GaussianBlur(1.0)).convert("RGB")
    read = recognised(np.asarray(worn))
    layer = text_layer([read], [0.48])
    with pypdfium2.PdfDocument(layer) as pdf:
        text = pdf[0].get_textpage()
        name = ctypes.create_string_buffer(99)
        fonts = {}
        for at, letter in enumerate(text.get_text_range()):
            if letter.isalpha():
                FPDFText_GetFontInfo(text, at, name, 99, None)
                fonts.setdefault(name.value.decode(), []).append(letter)
    said = {font: "".join(letters) for font, letters in fonts.items()}
    assert said["Words-Bold"] == "Mooringatnight"
    assert said["Words"].startswith("Alampislit")


def test_underlined_words_of_a_scan_are_underlined() -> None:
    """However deep their letters are, but not those over a rule that goes on beside them."""
    page, font = Image.new("L", SIZE, 250), ImageFont.truetype(FONT, 26)
    drawn = ImageDraw.Draw(page)
    lines = ("Mooring rings", "Fees", "A lamp is lit at the stern", "Heron Kingfisher")
    for number, line in enumerate(lines):
        drawn.text((60, 60 + 60 * number), line, font=font, fill=20)
        if number != 2:
            right = 60 + drawn.textlength(line, font) + 200 * (number == 3)
            foot = 60 + 60 * number + 28
            drawn.line((60, foot, right, foot + 1), fill=20, width=2)
    worn = page.filter(ImageFilter.GaussianBlur(0.8)).convert("RGB")
    read = recognised(np.asarray(worn))
    assert [word.text for word in read.words if word.is_underlined] == ["Mooring", "rings", "Fees"]
    sizes = {word.text: word.size for word in read.words}
    assert sizes["Fees"] < 1.15 * sizes["lamp"]
    (page,) = printed_pages(parsed_pages(text_layer([read], [0.48]), "layer.pdf"))
    fonts = {word.text: is_bold(word.font) for word in page.words_and_loose}
    assert fonts["Fees"] and fonts["rings"]
    assert not fonts["lamp"] and not fonts["Heron"]


@pytest.mark.long
def test_latin_letters_keep_their_accents(browser: Browser, tmp_path: Path) -> None:
    file = print_markdown(browser, ACCENTS, tmp_path / "accents.pdf")
    read = words_of(read_document(scan(file, tmp_path / "scan.pdf"), ocr=True))
    expected = set(" ".join(ACCENTS.split()).removeprefix("# ").split())
    assert len(expected & set(read.split())) >= 0.8 * len(expected)


@pytest.mark.long
def test_a_rubbish_text_layer_is_read_again(printed: Path, tmp_path: Path) -> None:
    writer = PdfWriter(scan(printed, tmp_path / "scan.pdf"))
    page = writer.pages[0]
    rubbish = []
    for n in range(90):
        left, base = 90.0 * (n % 6), 30.0 * (n // 6) + 20
        box = (left, base - 12, left + 80, base)
        rubbish.append(RecognisedWord(f"q{n:02}xj vbk", n // 6, box, 16.0, base, 1.0, 1.0))
    size = tuple(map(float, (page.mediabox.width, page.mediabox.height)))
    layer = text_layer([Recognition(tuple(rubbish), size, None)], [1.0])  # type: ignore[arg-type]
    (tmp_path / "layer.pdf").write_bytes(layer)
    page.merge_page(PdfReader(tmp_path / "layer.pdf").pages[0])
    writer.write(tmp_path / "rubbish.pdf")
    without = read_document(tmp_path / "rubbish.pdf")
    assert "vbk" in without.text
    assert without.unread == 1
    read = read_document(tmp_path / "rubbish.pdf", ocr=True)
    assert "vbk" not in read.text
    assert "The key of the boat house hangs behind the bar." in words_of(read)


@pytest.mark.long
def test_figures_are_not_parted_and_words_are(tmp_path: Path) -> None:
    said = "Nr. 1.1 of 2021 (118 mg, 711 on 11/11) goes to 1711 houses."
    read = read_document(lettering(said, tmp_path / "figures.png"), ocr=True)
    assert read.text == said


@pytest.mark.long
def test_what_is_hardly_seen_is_uncertain(printed: Path) -> None:
    faint = scan(printed, printed.with_name("faint.pdf"), dpi=70, blur=1.0, quality=20)
    read = read_document(faint, ocr=True)
    assert any(p.is_uncertain for p in read.paragraphs)


def lettering(text: str, file: Path) -> Path:
    """A picture with a line of letters."""
    picture = Image.new("RGB", (1200, 120), "white")
    font = ImageFont.truetype("DejaVuSans.ttf", 36)
    ImageDraw.Draw(picture).text((30, 35), text, "black", font)
    picture.save(file)
    return file


@pytest.mark.long
def test_pictures_in_word_files_are_read_and_told(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_heading("Harvest", 1)
    made.add_paragraph("The chart shows what was picked.")
    made.add_picture(str(lettering("Plums picked: 318 crates", tmp_path / "chart.png")))
    shape = made.inline_shapes[0]._inline.docPr
    shape.set("descr", "A chart of the plums that were picked each week")
    made.add_paragraph("So much for the harvest.")
    made.save(tmp_path / "harvest.docx")
    without = read_document(tmp_path / "harvest.docx")
    assert "A chart of the plums that were picked each week" in without.text
    assert (without.unread, "318" in without.text) == (1, False)
    read = read_document(tmp_path / "harvest.docx", ocr=True)
    found = next(p for p in read.paragraphs if "318 crates" in p.text)
    assert found.ocr_confidence is not None
    assert found.heading == ("Harvest",)
    assert read.unread == 0


@pytest.mark.long
def test_pictures_on_slides_are_read_and_told(tmp_path: Path) -> None:
    made = pptx.Presentation()
    for title in ("First", "Second"):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = title
    file = lettering("Boats repaired: 27 in May", tmp_path / "chart.png")
    picture = slide.shapes.add_picture(str(file), 900_000, 2_700_000)
    picture._element.nvPicPr.cNvPr.set("descr", "A chart of the boats that were repaired")
    made.save(tmp_path / "boats.pptx")
    read = read_document(tmp_path / "boats.pptx", ocr=True)
    for text in ("27 in May", "A chart of the boats that were repaired"):
        assert next(p for p in read.paragraphs if text in p.text).locator == "slide 2"


def test_the_index_tells_how_far_it_is_and_reads_anew_what_was_left_out(
    printed: Path, tmp_path: Path
) -> None:
    scanned = scan(printed, tmp_path / "scan.pdf", dpi=100)
    writer = PdfWriter()
    for file in (printed, scanned, scanned):
        writer.append(PdfReader(file))
    writer.write(tmp_path / "mixed.pdf")
    with closing(Index(tmp_path / "index")) as index:
        report = index.sync([read_raw(tmp_path / "mixed.pdf")], keep=True)
        (info,) = index.documents()
        assert (info.pages, info.unread) == (3, 2)
        assert {p.page for p in index.document(info.id).paragraphs} == {1}
        steps: list[tuple[int, int]] = []
        assert index.read_pictures(report.ids[0], on_page=lambda *step: steps.append(step))
        assert steps == [(0, 2), (1, 2), (2, 2)]
        (info,) = index.documents()
        assert info.unread == 0
        # Only pages that are pictures are read from them.
        sources = {
            (p.page, p.ocr_confidence is not None) for p in index.document(info.id).paragraphs
        }
        assert sources == {(1, False), (2, True), (3, True)}
        assert not index.read_pictures(info.id), "they were read before"


def test_giving_up_ends_the_work(tmp_path: Path) -> None:
    class GivenUpError(Exception):
        pass

    def give_up(done: int, of: int) -> None:
        raise GivenUpError

    raw = read_raw(lettering("Boats repaired: 27 in May", tmp_path / "boats.png"), ocr=True)
    with pytest.raises(GivenUpError):
        raw.document(give_up)
    assert "27 in May" in raw.document().text  # another time


def test_a_scan_is_told_and_what_to_do(printed: Path, tmp_path: Path) -> None:
    for name in ("scan.pdf", "scan.png"):
        with pytest.raises(EmptyDocumentError, match="--ocr") as told:
            read_document(scan(printed, tmp_path / name))
        assert told.value.code == "scan"


def on_paper(
    file: Path, picture: Image.Image, *, forms: int = 0, turn: int = 0, said: str = ""
) -> Path:
    """A page with a picture inside so many forms, one in the other, and words as of a stamp."""
    picture.save(file, resolution=100.0)
    writer = PdfWriter(file)
    page = writer.pages[0]
    for _ in range(forms):
        form = DecodedStreamObject()
        form.set_data(page.get_contents().get_data())
        names = {"Type": "XObject", "Subtype": "Form"}
        form.update({NameObject(f"/{key}"): NameObject(f"/{name}") for key, name in names.items()})
        form[NameObject("/BBox")] = RectangleObject(page.mediabox)
        form[NameObject("/Resources")] = page["/Resources"]
        inside = DictionaryObject({NameObject("/Inner"): writer._add_object(form)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): inside})
        drawn = DecodedStreamObject()
        drawn.set_data(b"/Inner Do")
        page[NameObject("/Contents")] = writer._add_object(drawn)
    page.rotate(turn)
    if said:
        box = (40.0, 40.0, 40.0 + 8 * len(said), 56.0)
        size = tuple(map(float, (page.mediabox.width, page.mediabox.height)))
        word = RecognisedWord(said, 0, box, 16.0, 54.0, 1.0, 1.0)
        stamp = text_layer([Recognition((word,), size, None)], [1.0])  # type: ignore[arg-type]
        page.merge_page(PdfReader(BytesIO(stamp)).pages[0])
    writer.write(file)
    return file


@pytest.mark.parametrize(
    ("forms", "turn", "said"), [(1, 0, ""), (1, 90, ""), (4, 0, ""), (1, 0, "Received.by.post")]
)
def test_a_picture_inside_a_form_is_a_picture(
    tmp_path: Path, forms: int, turn: int, said: str
) -> None:
    file = on_paper(tmp_path / "scan.pdf", scanned(KEYS), forms=forms, turn=turn, said=said)
    if said:
        assert read_document(file).unread == 1
        return
    with pytest.raises(EmptyDocumentError, match="--ocr"):
        read_document(file)
    if turn:
        assert "behind the bar" in words_of(read_document(file, ocr=True))


def test_letters_that_are_drawn_are_a_picture_and_blank_paper_is_none(tmp_path: Path) -> None:
    """A page of strokes, one that a scanner made of blank paper, and an empty one."""
    strokes = DecodedStreamObject()
    strokes.set_data(b"".join(b"%d 400 m %d 412 l S " % (n, n + 4) for n in range(80, 240, 6)))
    writer = PdfWriter()
    writer.add_blank_page(400, 500)[NameObject("/Contents")] = writer._add_object(strokes)
    writer.write(tmp_path / "drawn.pdf")
    with pytest.raises(EmptyDocumentError) as told:
        read_document(tmp_path / "drawn.pdf")
    assert told.value.code == "scan"
    paper = PdfWriter(on_paper(tmp_path / "paper.pdf", scanned("")))
    paper.add_blank_page(400, 500)
    paper.write(tmp_path / "paper.pdf")
    for ocr in (False, True):
        with pytest.raises(EmptyDocumentError, match="no text on the pages"):
            read_document(tmp_path / "paper.pdf", ocr=ocr)


def test_what_cannot_be_drawn_is_unread() -> None:
    """Where it has no text, and may be a picture therefore."""
    writer = PdfWriter()
    for _ in range(3):
        page = writer.add_blank_page(300, 300)
    page[NameObject("/Type")] = NameObject("/Nothing")
    written = BytesIO()
    writer.write(written)
    pages = [PrintedPage(number, "", (300.0, 300.0), [], []) for number in (1, 2, 3)]
    assert pictures_among(written.getvalue(), pages) == {3}


def test_folders_have_pictures_only_where_those_are_read(printed: Path, tmp_path: Path) -> None:
    scan(printed, tmp_path / "scan.png")
    (tmp_path / "notes.txt").write_text("The oars are in the loft.")
    assert [file.name for file in find_files([tmp_path])] == ["notes.txt"]
    assert {file.name for file in find_files([tmp_path], ocr=True)} == {"notes.txt", "scan.png"}


@pytest.mark.parametrize("size", [(400, 300), (6000, 20), (1, 1)])
def test_a_picture_without_text_is_told(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, "navy").save(tmp_path / "sea.png")
    with pytest.raises(EmptyDocumentError, match="no text"):
        read_document(tmp_path / "sea.png", ocr=True)


def test_a_picture_of_many_pages_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To open it for each page, and to seek to it from the first, takes the square of the time."""
    blank, content = Image.new("RGB", (8, 8), "white"), BytesIO()
    blank.save(content, "TIFF", save_all=True, append_images=[blank] * 3)
    opened, pages = Image.open, []
    monkeypatch.setattr(Image, "open", lambda file: pages.append(file) or opened(file))
    with pytest.raises(EmptyDocumentError, match="no text"):
        read_picture(content.getvalue(), "blank.tif", ocr=True)
    assert len(pages) <= 2, "to count its pages, and to read them"


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"rubbish" * 40)
    with pytest.raises(UnreadableError, match="damaged"):
        read_document(file, ocr=True)


def test_where_nothing_reads_pictures_that_is_told(
    printed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    content = scan(printed, tmp_path / "scan.pdf").read_bytes()
    with pytest.raises(UnreadableError, match="pip install") as told:
        read_pdf(content, "scan.pdf", ocr=True)
    assert told.value.code == "no_ocr"


@pytest.mark.long
def test_the_command_reads_them(printed: Path, tmp_path: Path) -> None:
    file = scan(printed, tmp_path / "scan.pdf", degrees=[-1])
    where = {"FOOTNOTE_INDEX_DIR": str(tmp_path / "index")}
    footnote("index", "add", str(file), code=2, **where)
    footnote("index", "add", str(file), "--ocr", **where)
    done = footnote("ask", "What does a lost key cost?", **where)
    assert "45 euros" in done.stdout
    assert "p. 1" in done.stdout


def test_what_is_kept_of_a_reading_says_that_pictures_were_read() -> None:
    for told in ("abc pdf", "abc pdf+ocr", "abc pdf+ocr Some title"):
        assert str(Reading.of(told)) == told
    assert Reading.of("abc pdf+ocr").ocr
    assert Reading.of("abc pdf+ocr").format == "pdf"


@pytest.mark.long
@pytest.mark.parametrize(("dpi", "blur"), [(150, 0.8), (300, 1.2)])
def test_pages_of_many_kinds(browser: Browser, tmp_path: Path, dpi: int, blur: float) -> None:
    """Texts of `assorted`, every second one in two columns, are printed and scanned askew."""
    on_paper, on_scans, counts = [], [], []
    for folder in ("printed", "scans"):
        (tmp_path / folder).mkdir()
    for number, text in enumerate(sorted((SETS / "assorted").glob("*.md"))[:6]):
        file, turn = tmp_path / "printed" / f"{text.stem}.pdf", [TURNS[number % len(TURNS)]]
        print_markdown(browser, text.read_text("utf-8"), file, columns=number % 2 == 1)
        scanned = scan(file, tmp_path / "scans" / file.name, dpi=dpi, degrees=turn, blur=blur)
        on_paper.append(read_document(file))
        on_scans.append(read_document(scanned, ocr=True))
        counts.append(compared(boxes_of(on_paper[-1]), boxes_of(on_scans[-1]), turn))
    printed, right, lit = map(sum, zip(*counts, strict=True))
    assert right >= 0.97 * printed
    assert lit >= 0.99 * right
    asked = list(questions_on(on_paper))
    first, answered = rightly_answered(on_scans, tmp_path / "of scans", asked)
    first_printed, answered_printed = rightly_answered(on_paper, tmp_path / "of printed", asked)
    assert first >= 0.85 * first_printed
    assert answered >= 0.8 * answered_printed
