"""What was recognised on pages as a PDF of nothing but words, so that what reads PDFs finds their
blocks, columns and headings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from index.chunking.ocr.recogniser import RecognisedWord, Recognition

#: Lines are taken for as high as those of the text where they differ by at most this share, as
#: they do by the letters that are in them; higher and lower ones go by steps. Not tuned.
ALIKE, STEP = 0.18, 1.2
#: Shares of a line's height: the size of its letters, how far its base is from below, and what a
#: word ends short of its box by, so that no two are taken for one.
SIZE, BASE, SHORT = 0.8, 0.25, 0.1
#: Width of each letter in the font, in thousandths of its size.
_WIDTH = 500
#: A font without shapes in which each code is the character of that number.
_FONT = (
    "<< /Type /Font /Subtype /Type0 /BaseFont /Words /Encoding /Identity-H "
    "/DescendantFonts [4 0 R] /ToUnicode 5 0 R >>",
    "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Words /FontDescriptor 6 0 R "
    f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /DW {_WIDTH} >>",
)
_TO_UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfrange <0000> <FFFF> <0000> endbfrange
endcmap CMapName currentdict /CMap defineresource pop end end"""
_DESCRIPTOR = (
    "<< /Type /FontDescriptor /FontName /Words /Flags 4 /FontBBox [0 -200 1000 800] "
    "/ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 /StemV 80 >>"
)


def text_layer(pages: Sequence[Recognition], points: Sequence[float]) -> bytes:
    """What was recognised on pages as a PDF: each word at its place, as wide as its box.

    Args:
        pages: of a document, one at least.
        points: of each, how many a pixel has (1/72 inch).
    """
    heights = [
        _height(word) * scale
        for page, scale in zip(pages, points, strict=True)
        for word in page.words
    ]
    usual = median(heights or [1.0])
    numbers = range(7, 7 + 2 * len(pages), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        *_FONT,
        _stream(_TO_UNICODE),
        _DESCRIPTOR,
    ]
    for number, page, scale in zip(numbers, pages, points, strict=True):
        width, height = (side * scale for side in page.size)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] "
            f"/Resources << /Font << /F 3 0 R >> >> /Contents {number + 1} 0 R >>"
        )
        objects.append(_stream("\n".join(_shown(page, scale, usual))))
    return _file(objects)


def _height(word: RecognisedWord) -> float:
    return word.box[3] - word.box[1]


def _shown(page: Recognition, scale: float, usual: float) -> Iterator[str]:
    own = median([_height(word) * scale for word in page.words] or [usual])
    if abs(own / usual - 1) < ALIKE:
        own = usual
    for _, line in groupby(page.words, lambda word: word.line):
        words = list(line)
        _, top, _, bottom = (edge * scale for edge in words[0].box)
        height = _step(bottom - top, own)
        size = SIZE * height
        base = page.size[1] * scale - (top + bottom + height) / 2 + BASE * height
        for word in words:
            left, right = word.box[0] * scale, word.box[2] * scale
            width = max(right - left - SHORT * height, 0.1)
            codes = word.text.encode("utf-16-be", "replace").hex()
            stretch = 100 * width / (len(codes) / 4 * size * _WIDTH / 1000)
            yield (
                f"BT /F {size:.2f} Tf {stretch:.2f} Tz 1 0 0 1 {left:.2f} {base:.2f} Tm "
                f"<{codes}> Tj ET"
            )


def _step(height: float, usual: float) -> float:
    """The height that a line is taken to have."""
    ratio = height / usual
    if abs(ratio - 1) <= ALIKE:
        return usual
    return usual * STEP ** round(math.log(ratio, STEP))


def _stream(text: str) -> str:
    return f"<< /Length {len(text)} >>\nstream\n{text}\nendstream"


def _file(objects: Sequence[str]) -> bytes:
    """The objects, numbered from 1, with the table of where each begins."""
    out, starts = "%PDF-1.7\n", []
    for number, told in enumerate(objects, start=1):
        starts.append(len(out))
        out += f"{number} 0 obj\n{told}\nendobj\n"
    entries = "".join(f"{start:010} 00000 n \n" for start in starts)
    count = len(objects) + 1
    table = f"xref\n0 {count}\n0000000000 65535 f \n{entries}"
    return (
        f"{out}{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode("ascii")
