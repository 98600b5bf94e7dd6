"""What PDFium says of a PDF beside its words: its outline, and where typographic marks stand.

liteparse writes quotation marks and dashes as a typewriter has them; a quote is to be what is
printed. Run as a program of its own, which a hostile file can end and nothing else with it: the
file comes in on standard input, JSON goes out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

MARKS = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-"}  # noqa: RUF001
"""Typographic marks, and what liteparse writes for them."""

Place = tuple[str, float, float]
"""A mark and its middle in points from the page's top left corner."""


@dataclass(frozen=True, slots=True)
class Remarks:
    """What PDFium says of a file.

    Attributes:
        outline: page, title and level from 1 of each entry of its outline.
        marks: of each page that has some, where they stand.
    """

    outline: Sequence[tuple[int, str, int]] = ()
    marks: Mapping[int, Sequence[Place]] = field(default_factory=dict)


@contextmanager
def remarks_on(content: bytes, seconds: float) -> Iterator[Future[Remarks]]:
    """Read a file beside what is done in the `with`; the process ends with it.

    Nothing is said of a file that PDFium cannot read, or not in time: its text is then as liteparse
    has it.
    """
    process = subprocess.Popen(  # noqa: S603 (this file, by this interpreter)
        [sys.executable, "-I", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with ThreadPoolExecutor(1) as beside:
        try:
            yield beside.submit(_answer, process, content, seconds)
        finally:
            process.kill()


def _answer(process: subprocess.Popen[bytes], content: bytes, seconds: float) -> Remarks:
    try:
        out, _ = process.communicate(content, seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Remarks()
    if process.returncode:
        return Remarks()
    told = json.loads(out)
    return Remarks(
        [(page, title, level) for page, title, level in told["outline"]],
        {int(page): [(c, x, y) for c, x, y in own] for page, own in told["marks"].items()},
    )


def _remarks(content: bytes) -> dict[str, object]:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(content)
    outline = []
    for entry in pdf.get_toc():
        target = entry.get_dest()
        page = target.get_index() if target else None
        if page is not None:
            outline.append((page + 1, entry.get_title(), entry.level + 1))
    marks = defaultdict(list)
    for number, page in enumerate(pdf, start=1):
        if page.get_rotation():
            continue
        text = page.get_textpage()
        said = text.get_text_range()
        left, _, _, top = page.get_cropbox()
        for at, character in enumerate(said):
            if character in MARKS and at < text.count_chars():
                a, b, c, d = text.get_charbox(at)
                marks[number].append((character, (a + c) / 2 - left, top - (b + d) / 2))
        text.close()
        page.close()
    return {"outline": outline, "marks": marks}


if __name__ == "__main__":
    json.dump(_remarks(sys.stdin.buffer.read()), sys.stdout)
