"""Printed pages as a scanner would have them, and how right what is read of them is."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import pypdfium2
from browsing import print_pdf
from helpers import ROOT
from markdown_it import MarkdownIt
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser

from assistant import Assistant
from index import Document, Index, read_document
from index.models import Boxes

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
            picture = picture.rotate(
                turn, Image.Resampling.BICUBIC, expand=turn % 90 == 0, fillcolor=255
            )
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


@dataclass(frozen=True)
class Words:
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
    own, others = _said(printed), _said(read)
    right = lit = 0
    for block in SequenceMatcher(None, own, others, autojunk=False).get_matching_blocks():
        for step in range(block.size):
            word = block.a + step
            page = int(printed.pages[word]) - 1
            left, top, end, bottom = printed.rectangles[word]
            middle = _turned(
                ((left + end) / 2, (top + bottom) / 2),
                tuple(printed.sizes[page]),
                degrees[page % len(degrees)],
            )
            box = read.rectangles[block.b + step]
            right += 1
            lit += bool(
                box[0] - 1 <= middle[0] <= box[2] + 1 and box[1] - 1 <= middle[1] <= box[3] + 1
            )
    return Words(len(own), right, lit)


def _said(boxes: Boxes) -> list[str]:
    return [boxes.text[start:end].translate(_PLAIN) for start, end in boxes.spans]


def _turned(
    point: tuple[float, float], size: tuple[float, float], degrees: float
) -> tuple[float, float]:
    """Where a point of a page is, after the page was turned against the clock about its middle."""
    x, y = point[0] - size[0] / 2, point[1] - size[1] / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cos + y * sin + size[0] / 2, y * cos - x * sin + size[1] / 2


# --- the texts of `assorted`, printed and scanned -------------------------------------------------

SETS = ROOT / "evals" / "questions"


@dataclass(frozen=True)
class Figures:
    """What is read of scans, and answered from them.

    Attributes:
        words: of all pages.
        seconds: a page.
        uncertain: share of the paragraphs that are.
        asked: questions that the texts answer.
        first, first_printed: how many have the paragraph that answers first, of the scans and of
            what was printed.
        answered, answered_printed: how many are answered with it.
    """

    words: Words
    pages: int
    seconds: float
    uncertain: float
    asked: int
    first: int
    first_printed: int
    answered: int
    answered_printed: int

    def __str__(self) -> str:
        words = self.words
        return (
            f"{self.pages} pages, {self.seconds:.1f} s each; of {words.printed} words "
            f"{words.right / words.printed:.3f} right, of these {words.lit / words.right:.3f} "
            f"under their rectangles; {self.uncertain:.3f} of the paragraphs uncertain; of "
            f"{self.asked} questions {self.first} have the right paragraph first (printed: "
            f"{self.first_printed}), {self.answered} are answered with it (printed: "
            f"{self.answered_printed})"
        )


def measure(browser: Browser, folder: Path, dpi: int, blur: float, count: int) -> Figures:
    """Print texts of `assorted`, every second one in two columns, scan them askew, and ask.

    Args:
        browser: prints.
        folder: empty; the files are made there.
        dpi, blur: of the scanner.
        count: how many of the texts, a page each.
    """
    (folder / "printed").mkdir()
    (folder / "scans").mkdir()
    words, seconds, uncertain, paragraphs = [], 0.0, 0, 0
    texts = sorted((SETS / "assorted").glob("*.md"))[:count]
    on_paper, on_scans = [], []
    for number, text in enumerate(texts):
        printed = folder / "printed" / f"{text.stem}.pdf"
        print_markdown(browser, text.read_text(encoding="utf-8"), printed, columns=number % 2 == 1)
        turn = [TURNS[number % len(TURNS)]]
        scanned = scan(printed, folder / "scans" / printed.name, dpi=dpi, degrees=turn, blur=blur)
        whole = read_document(printed)
        started = time.monotonic()
        read = read_document(scanned, ocr=True)
        seconds += time.monotonic() - started
        assert whole.boxes and read.boxes
        on_paper.append(whole)
        on_scans.append(read)
        words.append(compared(whole.boxes, read.boxes, turn))
        paragraphs += len(read.paragraphs)
        uncertain += sum(own.is_uncertain for own in read.paragraphs)
    asked = list(_questions(on_paper))
    first, answered = _right(on_scans, folder / "of scans", asked)
    first_printed, answered_printed = _right(on_paper, folder / "of printed", asked)
    return Figures(
        Words(*(sum(getattr(own, name) for own in words) for name in ("printed", "right", "lit"))),
        len(texts),
        seconds / len(texts),
        uncertain / paragraphs,
        len(asked),
        first,
        first_printed,
        answered,
        answered_printed,
    )


def _questions(documents: Iterable[Document]) -> Iterable[tuple[str, list[str]]]:
    """Questions that these texts answer, and the passages that do."""
    texts = [words_of(own) for own in documents]
    lines = (SETS / "assorted.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    for line in lines:
        asked = json.loads(line)
        there = any(_holds(text, asked["evidence"]) for text in texts)
        if asked["answerable"] and not asked["history"] and there:
            yield asked["question"], asked["evidence"]


def _right(
    documents: Sequence[Document], folder: Path, asked: Sequence[tuple[str, list[str]]]
) -> tuple[int, int]:
    """How many questions have a paragraph that answers first, and how many are answered with it."""
    from assistant.settings import load_settings

    index = Index(folder)
    ids = index.sync(documents).ids
    first = answered = 0
    with Assistant(index, list(ids), load_settings()) as assistant:
        for question, evidence in asked:
            hits = assistant.search(question, 1)
            first += bool(hits) and _holds(hits[0].paragraph.text, evidence)
            answer = assistant.ask(question)
            answered += answer.status == "answered" and any(
                _holds(own.quote, evidence) for own in answer.citations
            )
    return first, answered


def _holds(text: str, evidence: Sequence[str]) -> bool:
    """Whether most words of one of the passages are in a text."""
    own = set(text.translate(_PLAIN).lower().split())
    told = [set(one.translate(_PLAIN).lower().split()) for one in evidence]
    return any(len(one & own) >= 0.7 * len(one) for one in told)


def words_of(document: Document) -> str:
    """The text of a document on one line, with the marks of a typewriter."""
    return " ".join(document.text.translate(_PLAIN).split())
