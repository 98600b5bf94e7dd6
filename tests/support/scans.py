"""Pages as a scanner makes them: pictures of text, a little askew; what is read from such, and how
right that is."""

from __future__ import annotations

import base64
import json
import math
import random
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from difflib import SequenceMatcher
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pypdfium2
from browsing import print_pdf
from helpers import ROOT
from markdown_it import MarkdownIt
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from playwright.sync_api import Browser

from assistant import Assistant
from assistant.settings import load_settings
from index import Document, Index
from index.encoder import Encoder
from index.models import MIN_OCR_CONFIDENCE, Boxes
from index.readers.loader import read_document, read_raw

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
SIZE = (900, 480)  # 6 by 3.2 inches at 150 dots an inch: small, since large ones take long
MARGIN, LINE = 60, 44
ASKEW = 1.0
"""Degrees."""


def scanned(text: str) -> Image.Image:
    """A page with a text, whose lines end where the text has them end."""
    page = Image.new("L", SIZE, 250)
    draw, font = ImageDraw.Draw(page), ImageFont.truetype(FONT, 26)
    for number, line in enumerate(text.splitlines()):
        draw.text((MARGIN, MARGIN + number * LINE), line, font=font, fill=20)
    return page.rotate(ASKEW, Image.Resampling.BICUBIC, fillcolor=250)


def save(file: Path, *texts: str) -> Path:
    """Pages with these texts as a file, of which kind its name says: PDF and TIFF hold several."""
    first, *others = [scanned(text) for text in texts]
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(file, resolution=150.0, dpi=(150, 150), **more)
    return file


def mixed(title: str, text: str) -> str:
    """A page of text and one that is a picture of this text, to be printed."""
    image = BytesIO()
    scanned(text).save(image, "PNG")
    data = base64.b64encode(image.getvalue()).decode()
    picture = f'<img width=730 src="data:image/png;base64,{data}">'
    others = "The tide tables of the year are given on this page and on the next one. " * 3
    return (
        f"<title>{title}</title><h1>{title}</h1><p>{others}</p>"
        f'<p style="break-before: page">{picture}</p>'
    )


def keep_uncertain(folder: Path, file: Path, number: int, *others: Path) -> None:
    """Keep a text in the index of a folder as if one of its paragraphs, from 1, had been read from
    a picture, and not surely: how surely a real one is read differs from machine to machine. With
    other files as they are."""
    document = read_document(file)
    paragraphs = [
        replace(paragraph, ocr_confidence=MIN_OCR_CONFIDENCE / 2)
        if paragraph.number == number
        else paragraph
        for paragraph in document.paragraphs
    ]
    with closing(Index(folder / "index", encoder=Encoder())) as index:
        index.sync(
            [replace(document, paragraphs=tuple(paragraphs)), *map(read_raw, others)], keep=True
        )


# --- printed pages as a scanner would have them -------------------------------------------------

STYLE = """<style>
body { font: 11pt/1.35 'DejaVu Serif', serif }
.columns { columns: 2; column-gap: 2em; font: 9.5pt/1.3 'DejaVu Sans', sans-serif;
  text-align: justify }
td, th { border: 1px solid #888; padding: 2px 6px }
</style>"""
MARGINS = {"top": "22mm", "bottom": "22mm", "left": "20mm", "right": "20mm"}
TURNS = (1.0, -2.0, 3.0, -4.0, 5.0)
"""Degrees that pages lie askew by, one after the other."""
#: What a typewriter has for typographic marks: no reader tells them apart for sure.
_PLAIN = str.maketrans("“”‘’–—", "\"\"''--")  # noqa: RUF001


def print_markdown(browser: Browser, text: str, file: Path, *, columns: bool = False) -> Path:
    """Have the browser print a text in Markdown on A4, on request in two columns."""
    shown = MarkdownIt().enable("table").render(text)
    name = ' class="columns"' if columns else ""
    html = f'<meta charset="utf-8">{STYLE}<div{name}>{shown}</div>'
    print_pdf(browser, html, file, format="A4", margin=MARGINS)
    return file


def scan(
    printed: Path,
    file: Path,
    *,
    dpi: int = 200,
    degrees: Sequence[float] = (0.0,),
    blur: float = 0.0,
    quality: int = 60,
) -> Path:
    """The pages of a PDF as grey pictures: a PDF of nothing else, or what the file's name says.

    Args:
        printed: the PDF.
        file: to be written; `.pdf`, `.tif`, or of one page `.png` or `.jpg`.
        dpi: dots an inch.
        degrees: that the pages are turned by against the clock, one after the other; those of
            right angles turn the paper as well.
        blur: radius in dots.
        quality: of JPEG.
    """
    pages = []
    with pypdfium2.PdfDocument(printed) as pdf:
        for number, page in enumerate(pdf):
            picture = page.render(scale=dpi / 72).to_pil().convert("L")
            turn = degrees[number % len(degrees)]
            bicubic, expand = Image.Resampling.BICUBIC, turn % 90 == 0
            picture = picture.rotate(turn, bicubic, expand=expand, fillcolor=255)
            if blur:
                picture = picture.filter(ImageFilter.GaussianBlur(blur))
            pages.append(_worn(picture, number))
    first, *others = pages
    more = {"save_all": True, "append_images": others} if file.suffix in (".pdf", ".tif") else {}
    first.save(file, resolution=dpi, dpi=(dpi, dpi), quality=quality, **more)
    return file


def _worn(picture: Image.Image, seed: int) -> Image.Image:
    """Not quite white, not quite black, with some grain: the same for the same seed."""
    made = random.Random(seed)
    grain = Image.frombytes("L", (251, 241), made.randbytes(251 * 241)).resize(picture.size)
    greyed = picture.point(lambda value: 40 + value * 200 // 255)
    return ImageChops.subtract(greyed, grain.point(lambda value: value // 16))


class Words(NamedTuple):
    """How the words of a scan compare with those of what was printed.

    Attributes:
        printed: how many there are.
        right: how many of them were read, in their order.
        lit: how many of those lie under the box that they were given.
    """

    printed: int
    right: int
    lit: int


def compared(printed: Boxes, read: Boxes, degrees: Sequence[float] = (0.0,)) -> Words:
    """Compare where words are printed with where they were read.

    Args:
        printed, read: of the pages and of their scan.
        degrees: as of `scan`.
    """
    words, others = _said(printed), _said(read)
    right = lit = 0
    for block in SequenceMatcher(None, words, others, autojunk=False).get_matching_blocks():
        for step in range(block.size):
            word = block.a + step
            page = int(printed.pages[word]) - 1
            left, top, end, bottom = printed.rectangles[word]
            middle = ((left + end) / 2, (top + bottom) / 2)
            x, y = _turned(middle, tuple(printed.sizes[page]), degrees[page % len(degrees)])
            left, top, end, bottom = read.rectangles[block.b + step]
            right += 1
            lit += bool(left - 1 <= x <= end + 1 and top - 1 <= y <= bottom + 1)
    return Words(len(words), right, lit)


def _said(boxes: Boxes) -> list[str]:
    return [boxes.text[start:end].translate(_PLAIN) for start, end in boxes.spans]


def _turned(
    point: tuple[float, float], size: tuple[float, float], degrees: float
) -> tuple[float, float]:
    """Where a point of a page is, after the page was turned against the clock about its middle."""
    x, y = point[0] - size[0] / 2, point[1] - size[1] / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cos + y * sin + size[0] / 2, y * cos - x * sin + size[1] / 2


# --- questions about the texts of `assorted`, printed and scanned ---------------------------------

SETS = ROOT / "evals" / "questions"


def questions_on(documents: Iterable[Document]) -> Iterable[tuple[str, list[str]]]:
    """Questions that these texts answer, and the passages that do."""
    texts = [words_of(document) for document in documents]
    lines = (SETS / "assorted.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        asked = json.loads(line)
        there = any(_holds(text, asked["evidence"]) for text in texts)
        if asked["answerable"] and not asked["history"] and there:
            yield asked["question"], asked["evidence"]


def rightly_answered(
    documents: Sequence[Document], folder: Path, asked: Sequence[tuple[str, list[str]]]
) -> tuple[int, int]:
    """How many questions have a paragraph that answers first, and how many are answered with it."""
    index = Index(folder)
    ids = index.sync(documents).ids
    first = answered = 0
    with Assistant(index, list(ids), load_settings()) as assistant:
        for question, evidence in asked:
            hits = assistant.search(question, 1)
            first += bool(hits) and _holds(hits[0].paragraph.text, evidence)
            answer = assistant.ask(question)
            answered += answer.status == "answered" and any(
                _holds(citation.quote, evidence) for citation in answer.citations
            )
    return first, answered


def _holds(text: str, evidence: Sequence[str]) -> bool:
    """Whether most words of one of the passages are in a text."""
    words, *wanted = (set(one.translate(_PLAIN).lower().split()) for one in (text, *evidence))
    return any(len(passage & words) >= 0.7 * len(passage) for passage in wanted)


def words_of(document: Document) -> str:
    """The text of a document on one line, with the marks of a typewriter."""
    return " ".join(document.text.translate(_PLAIN).split())
