"""How far headings are found by how they look: `python -m evals.benchmark.structure FOLDER`.

What marks headings is taken out of each file, and the headings are looked for all the same. The
files are not part of Footnote: FOLDER holds them under the names of `structure.jsonl`, which tells
of each in which public repository it is.

Headings are compared by their letters:

- recall: share of the titles that are found as headings; in a PDF, on their page or the one before
  or after. Titles of an outline that are printed on none of these do not count;
- precision: share of the headings found that are such titles, without those of a deeper level than
  any that is: an outline seldom goes down to the smallest headings. Nor need it name all of the
  others, so that not each that it lacks is false;
- level: share of the titles found that are of the right level, once each level of the headings
  found stands for one of the outline, so that as many as possible are right and none stands for a
  higher one than those above it.
"""

from __future__ import annotations

import logging
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import typer

from evals.datasets.json_lines import read_objects
from evals.fitting.calibration import show
from evals.metrics.statistics import figure, mean
from index.chunking.layout import Heading, Layout, letters
from index.errors import QuestionSetError
from index.models import bytes_hash
from index.readers.formats import format_of

#: What is in the repository of it: of each file its path in the folder, its part (`dev`, which
#: rules may be made by, or `kept`, which tells whether they hold), what made it, where it is
#: published, the hash of its bytes, and its pages.
MANIFEST = Path(str(files("evals.benchmark") / "structure.jsonl"))
SHARES = ("recall", "precision", "level")
#: How much larger than text the headings of the first two levels are, as browsers have them.
SIZES = {b"1": b' style="font-size: 2em"', b"2": b' style="font-size: 1.5em"'}
#: What makes a paragraph of Word a heading: its level, or how the names of its styles begin.
LEVEL, HEADINGS = "{*}outlineLvl", ("heading", "title", "subtitle")

_OPENING, _CLOSING = re.compile(rb"<h([1-6])\b[^<>]*>", re.I), re.compile(rb"</h[1-6]\s*>", re.I)


class Title(NamedTuple):
    """What is to be found as a heading: its page, from 1, or 0 where there are none; its letters
    and its level."""

    page: int
    name: str
    level: int


def main(folder: Path) -> None:
    """Measure the files of the manifest, and print the figures of each file, each producer and each
    part: shares are means over files, with intervals by drawing files.

    Args:
        folder: where the files are.
    """
    entries = [entry for _, entry in read_objects(MANIFEST)]
    measured = [measure(content_of(folder, entry), entry["file"]) for entry in entries]
    for key in ("file", "producer", "part"):
        groups = defaultdict[str, list[dict[str, float | None]]](list)
        for entry, own in zip(entries, measured, strict=True):
            groups[entry[key]].append(own)
        for name, of in groups.items():
            titles = sum(one["titles"] or 0 for one in of)
            shares = {share: figure(mean([one[share] for one in of])) for share in SHARES}
            show(f"{key} {name} ({len(of)}): {titles:,} titles", shares)


def content_of(folder: Path, entry: Mapping[str, Any]) -> bytes:
    """The bytes of a file of the manifest.

    Raises:
        QuestionSetError: it is not there, or another one is.
    """
    path = folder / str(entry["file"])
    origin = f"{entry['path']!r} of github.com/{entry['repository']} at {entry['commit']}"
    if not path.is_file():
        raise QuestionSetError(f"{str(path)!r} is missing: save {origin} there.")
    content = path.read_bytes()
    if bytes_hash(content) != entry["sha256"]:
        raise QuestionSetError(f"{str(path)!r} is another file than {origin}: save that there.")
    return content


def measure(content: bytes, name: str) -> dict[str, float | None]:
    """The number of titles of a file, and SHARES once nothing marks its headings; None where there
    is nothing that a share could be of."""
    is_pdf = Path(name).suffix == ".pdf"
    titles = outline_of(content) if is_pdf else _headings(_read(content, name))
    headings = _headings(_read(unmarked(content, Path(name).suffix), name))
    pairs = matched(titles, headings)
    found = dict(reversed(pairs))
    levels = [(heading.level, title.level) for title, heading in found.items()]
    deepest = max((level for level, _ in levels), default=0)
    counted = [heading for heading in headings if heading.level <= deepest]
    return {
        "titles": len(set(titles)),
        "recall": _share(len(found), len(set(titles))),
        "precision": _share(len(pairs), len(counted)),
        "level": _share(levels_right(levels), len(levels)),
    }


def outline_of(content: bytes) -> list[Title]:
    """What the outline of a PDF names, where it is printed on the page that it leads to or on the
    one before or after."""
    import pypdfium2

    pdf = pypdfium2.PdfDocument(content)
    printed = [letters(page.get_textpage().get_text_range()) for page in pdf]
    titles = []
    for entry in pdf.get_toc():
        target, name = entry.get_dest(), letters(entry.get_title())
        page = target.get_index() if target else None
        if page is None or not name:
            continue
        if any(name in text for text in printed[max(0, page - 1) : page + 2]):
            titles.append(Title(page + 1, name, entry.level + 1))
    return titles


def _read(content: bytes, name: str) -> Layout:
    known = format_of(content, name)
    assert known is not None, name  # noqa: S101 (it is one of those that `unmarked` writes)
    return known.read(content, name)


def _headings(layout: Layout) -> list[Title]:
    headings = [part for part in layout.parts if isinstance(part, Heading)]
    starts = [one.start for one in layout.locators]
    pages = [0, *(one.page or 0 for one in layout.locators)]
    return [
        Title(pages[bisect_right(starts, own.start)], letters(own.text), own.level)
        for own in headings
    ]


def matched(titles: Sequence[Title], headings: Iterable[Title]) -> list[tuple[Title, Title]]:
    """Titles with the headings that they are found as: of the same letters, on their page or else
    the one before or after. A heading is found as one title at most."""
    waiting = defaultdict[tuple[str, int], list[Title]](list)
    for heading in headings:
        waiting[heading.name, heading.page].append(heading)
    pairs = dict[int, tuple[Title, Title]]()
    for step, (number, title) in product((0, -1, 1), enumerate(titles)):
        there = waiting[title.name, title.page + step]
        if number not in pairs and there:
            pairs[number] = title, there.pop(0)
    return list(pairs.values())


def levels_right(pairs: Sequence[tuple[int, int]]) -> int:
    """Of pairs of the level found and the right one, how many agree once each level found stands
    for a right one, none for a higher one than those above it."""
    counts = Counter(pairs)
    rights = sorted({right for _, right in pairs})
    best = dict.fromkeys(rights, 0)  # by what the level before stands for, at most
    for found in sorted({found for found, _ in pairs}):
        high = 0
        for right in rights:
            high = max(high, best[right] + counts[found, right])
            best[right] = high
    return max(best.values(), default=0)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# --- files without what marks their headings: what is printed is still the same -----------------


def unmarked(content: bytes, suffix: str) -> bytes:
    """A file without the outline (`.pdf`), the styles (`.docx`) or the tags (`.html`) of headings.

    Raises:
        KeyError: nothing is known of such files.
    """
    known = {".pdf": _without_outline, ".docx": _without_styles, ".html": _without_tags}
    return known[suffix](content)


def _without_outline(content: bytes) -> bytes:
    from pypdf import PdfWriter

    # What is amiss in a file is no matter here.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    writer = PdfWriter(clone_from=BytesIO(content))
    writer.root_object.pop("/Outlines", None)
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _without_tags(content: bytes) -> bytes:
    def opened(tag: re.Match[bytes]) -> bytes:
        return b"<p" + SIZES.get(tag[1], b"") + b"><b>"

    return _CLOSING.sub(b"</b></p>", _OPENING.sub(opened, content))


def _without_styles(content: bytes) -> bytes:
    """What a style makes bold, large or capital is so by itself; a number that it gives is gone."""
    from docx import Document
    from docx.text.paragraph import Paragraph

    document: Any = Document(BytesIO(content))
    for element in document.element.body.iter("{*}p"):
        paragraph: Any = Paragraph(element, document._body)  # noqa: SLF001 (it knows the styles)
        styles = [paragraph.style]  # and those that it is based on, the nearest first
        while styles[-1] is not None:
            styles.append(styles[-1].base_style)
        styles.pop()
        names = [(style.name or "").lower() for style in styles]
        elements = [element, *(style.element for style in styles)]
        levels = [level for own in elements for level in own.iter(LEVEL)]
        if not levels and not any(name.startswith(HEADINGS) for name in names):
            continue
        paragraph.style = None
        for level in list(element.iter(LEVEL)):
            level.getparent().remove(level)
        for run, name in product(paragraph.runs, ("bold", "size", "all_caps")):
            given = [getattr(style.font, name) for style in styles]
            if getattr(run.font, name) is None:
                setattr(run.font, name, next((one for one in given if one is not None), None))
    written = BytesIO()
    document.save(written)
    return written.getvalue()


if __name__ == "__main__":
    typer.run(main)
