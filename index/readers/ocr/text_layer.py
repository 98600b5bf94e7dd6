"""What was recognised on pages as a PDF of nothing but words, so that what reads PDFs finds their
blocks, columns and headings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import numpy as np

from index.readers.ocr.recogniser import BELOW, Recognition

#: Letters are taken for as large as those of the text where they differ by at most this share, as
#: what is measured of lines of one size does; larger ones for as large as others that are smaller
#: by at most so many times. Not tuned.
ALIKE, STEP = 0.22, 1.2
#: Strokes of bold letters are so many times as thick as those of a page's text. In scans of 13
#: documents it found 154 of 158 bold words of the text's size, and 2 that are none; those of
#: others are thicker by at most a tenth, of bold ones by a fifth and more.
BOLD = 1.18
#: Share of the size that a word ends short of its box, so that no two are taken for one.
SHORT = 0.2
#: Width of each letter in the font, in thousandths of its size.
_WIDTH = 500
_TO_UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
1 beginbfrange <0000> <FFFF> <0000> endbfrange
endcmap CMapName currentdict /CMap defineresource pop end end"""


def text_layer(pages: Sequence[Recognition], points: Sequence[float]) -> bytes:
    """What was recognised on pages as a PDF: each word at its place, as wide as its box; the
    letters of the text all of one size, and larger ones bold, as headings are, and those that are;
    rules below those that are underlined.

    Args:
        pages: of a document, one at least.
        points: of each, how many a pixel has (1/72 inch).
    """
    sizes = [
        word.size * scale for page, scale in zip(pages, points, strict=True) for word in page.words
    ]
    usual = median(sizes or [1.0])
    steps = _steps(sizes, usual)
    numbers = range(8, 8 + 2 * len(pages), 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {len(pages)} /Kids [{kids}] >>",
        *_font("Words", 4, 0),
        *_font("Words-Bold", 6, 1 << 18),
        _stream(_TO_UNICODE),
    ]
    for number, page, scale in zip(numbers, pages, points, strict=True):
        width, height = (side * scale for side in page.size)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.2f} {height:.2f}] "
            f"/Resources << /Font << /F 3 0 R /B 5 0 R >> >> /Contents {number + 1} 0 R >>"
        )
        objects.append(_stream("\n".join(_shown(page, scale, usual, steps))))
    return _file(objects)


def _steps(sizes: Sequence[float], usual: float) -> Mapping[float, float]:
    """For each size that is larger than usual the one that it is taken for: the smallest of those
    that differ by little."""
    found: dict[float, float] = {}
    first = 0.0
    for size in sorted(set(sizes)):
        if size <= (1 + ALIKE) * usual:
            continue
        if size > STEP * first:
            first = size
        found[size] = first
    return found


def _shown(
    page: Recognition, scale: float, usual: float, steps: Mapping[float, float]
) -> Iterator[str]:
    boxes = np.array([word.box for word in page.words]).reshape(-1, 4)
    bases = np.array([word.base for word in page.words])
    usually = [
        word.weight for word in page.words if abs(word.size * scale - usual) <= ALIKE * usual
    ]
    bold = BOLD * median(usually or [np.inf])
    for word in page.words:
        measured = word.size * scale
        # Lines that were found apart may overlap.
        beside = (abs(bases - word.base) < word.size / 2) & (boxes[:, 0] > word.box[0])
        behind = boxes[beside, 0].min(initial=word.box[2])
        font = "/B" if measured in steps or word.weight >= bold else "/F"
        size = steps.get(measured, usual if measured >= (1 - ALIKE) * usual else measured)
        left, right = word.box[0] * scale, behind * scale
        width = max(right - left - SHORT * size, 0.1)
        codes = word.text.encode("utf-16-be", "replace").hex()
        stretch = 100 * width / (len(codes) / 4 * size * _WIDTH / 1000)
        base = (page.size[1] - word.base) * scale
        yield (
            f"BT 3 Tr {font} {size:.2f} Tf {stretch:.2f} Tz 1 0 0 1 {left:.2f} {base:.2f} Tm "
            f"<{codes}> Tj ET"
        )
        if word.is_underlined:
            height = base - BELOW * size
            yield f"{left:.2f} {height:.2f} m {left + width:.2f} {height:.2f} l S"


def _font(name: str, number: int, flags: int) -> tuple[str, str]:
    """A font without shapes in which each code is the character of that number.

    Args:
        name: says whether it is bold.
        number: of the second of its objects.
        flags: of its descriptor.
    """
    return (
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H "
        f"/DescendantFonts [{number} 0 R] /ToUnicode 7 0 R >>",
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /DW {_WIDTH} "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor << /Type /FontDescriptor /FontName /{name} /Flags {4 | flags} "
        "/FontBBox [0 -200 1000 800] /ItalicAngle 0 /Ascent 800 /Descent -200 /CapHeight 700 "
        "/StemV 80 >> >>",
    )


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
