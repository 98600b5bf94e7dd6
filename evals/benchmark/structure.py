"""How far the structure of files is told by how they look: `python -m evals.benchmark.structure
FOLDER`.

What marks headings is taken out of each file (see `unmarked`) and looked for among those that are
found. The files are not part of Footnote: FOLDER holds them under the names of `structure.jsonl`,
which tells of each in which public repository it is.

Headings, compared by their letters:

- recall: share of the titles that are found as headings; in a PDF, on their page or the one before
  or after. Titles of an outline that are printed on none of these do not count;
- precision: share of the headings found that are such titles, without those of a deeper level than
  any that is: an outline seldom goes down to the smallest headings. Nor need it name all of the
  others, so that not each that it lacks is false. `raw` counts those of deeper levels, too;
- level: share of the titles found that are of the right level, once each level of the headings
  found stands for one of the outline, so that as many as possible are right and none stands for a
  higher one than those above it.

Passages, which are the paragraphs that are not `contents`:

- contents: lines that are those of a table of contents;
- heads: lines that are running heads or feet;
- parted: paragraphs of prose that begin with a word in lower case after one that ends no sentence;
- bare: lists under no heading and without what leads into them;
- numbers: passages without a letter, such as the numbers of pages or the scale of a chart.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from evals.benchmark.unmarked import unmarked
from evals.datasets.json_lines import read_objects
from evals.metrics.statistics import figure, mean
from index import Paragraph
from index.chunking.chunker import segmentation
from index.chunking.language import language_of
from index.chunking.layout import (
    CELL,
    CONTENTS_LINES,
    CONTENTS_SHARE,
    NAME,
    Heading,
    Layout,
    letters,
)
from index.chunking.sentences import CLOSERS, ENDERS
from index.errors import QuestionSetError
from index.models import Boxes, bytes_hash
from index.readers.formats import format_of

#: What is in the repository of it: of each file its path in the folder, its part (`dev`, which
#: rules may be made by, or `kept`, which tells whether they hold), what made it, where it is
#: published, the hash of its bytes, and its pages.
MANIFEST = Path(str(files("evals.benchmark") / "structure.jsonl"))
#: Share of a page's height at its top and foot in which running heads and feet stand. Not tuned.
EDGE = 0.12
#: Pages that say the same there, but for numbers, where it is a running head. Not tuned.
MIN_PAGES = 4
#: Of the intervals.
SEED = 18
SHARES = ("recall", "precision", "raw", "level")
COUNTS = ("contents", "heads", "parted", "bare", "numbers")

_PAGE_NUMBER = re.compile(r"\W*(?:\d{1,3}|[ivxlc]{1,6})\W*")
_NUMBERED = re.compile(r"\s(?:\d{1,4}|[ivxlc]{1,6})$")
_LEADER = re.compile(r"(?<![.…·_])(?<![.…·_] )(?:[.…·_] ?){3,}\s*(?:\d{1,4}|[ivxlc]{1,6})$")


class Title(NamedTuple):
    """What is to be found as a heading: its page, from 1, or 0 where there are none; its letters
    and its level."""

    page: int
    name: str
    level: int


#: Of running heads and feet, whether they stand at the top, and their letters.
Running = frozenset[tuple[bool, str]]


class Line(NamedTuple):
    """A line as it is printed: `edge` tells whether it stands at the top or the foot (True, False)
    of its page, or else is None."""

    text: str
    page: int
    edge: bool | None


def main(
    folder: Annotated[Path, typer.Argument(help="Where the files are.")],
    part: Annotated[str | None, typer.Option(help="Only this part, such as dev or kept.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Where figures go.")] = None,
    manifest: Annotated[Path, typer.Option(help="What files there are.")] = MANIFEST,
) -> None:
    """Measure the files of the manifest, and print the figures of each file, each producer and each
    part: shares are means over files, with intervals by drawing files."""
    entries = [entry for _, entry in read_objects(manifest) if part in (None, entry["part"])]
    measured = [
        {**entry, **measure(content_of(folder, entry), Path(entry["file"]).name)}
        for entry in entries
    ]
    rows = [(one["file"], [one]) for one in measured]
    for key in ("producer", "part"):
        for value in sorted({one[key] for one in measured}):
            of = [one for one in measured if one[key] == value]
            rows.append((f"{key} {value} ({len(of)})", of))
    for name, of in rows:
        typer.echo(f"{name}: {sum(one['titles'] for one in of):,} titles")
        for share in SHARES:
            found = figure(mean([one[share] for one in of]), SEED)
            if found.value is not None:
                interval = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})"
                typer.echo(f"  {share} {found.value:.3f}{interval}")
        counts = (f"{count} {sum(one[count] for one in of):,}" for count in COUNTS)
        typer.echo(f"  {', '.join(counts)}; {sum(one['seconds'] for one in of):.1f} seconds")
    if json_file:
        json_file.write_text(json.dumps(measured, indent=1), encoding="utf-8")


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


def measure(content: bytes, name: str) -> dict[str, Any]:
    """What is found in a file once nothing marks its headings; see above, and the counts that the
    shares are made of."""
    titles, unprinted, running = _truth(content, name)
    hidden = unmarked(content, Path(name).suffix)
    started = time.process_time()
    layout = _read(hidden, name)
    paragraphs = segmentation(layout, name, language_of(layout.text)).paragraphs
    seconds = time.process_time() - started
    headings = [
        Title(_page_at(layout, part.start), letters(part.text), part.level)
        for part in layout.parts
        if isinstance(part, Heading)
    ]
    pairs = matched(titles, headings)
    found = dict(reversed(pairs))
    levels = [(heading.level, title.level) for title, heading in found.items()]
    deepest = max((level for level, _ in levels), default=0)
    counted = [heading for heading in headings if heading.level <= deepest]
    passages = [one for one in paragraphs if one.kind != "contents"]
    lines = {one.number: list(_lines(one, layout.boxes)) for one in passages}
    heads = {
        one.number: [line for line in lines[one.number] if (line.edge, _name(line.text)) in running]
        for one in passages
    }
    at = defaultdict[str, set[int]](set)
    for title in titles:
        at[title.name].add(title.page)
    listed = [
        own
        for number, own in lines.items()
        if layout.pages and not heads[number] and _is_contents(own, at)
    ]
    prose = [one for one in passages if one.kind == "prose"]
    lists = [one for one in passages if one.kind == "list"]
    before = {own.number: other for other, own in pairwise(paragraphs)}
    return {
        "titles": len(set(titles)),
        "unprinted": unprinted,
        "headings": len(headings),
        "counted": len(counted),
        "found": len(found),
        "recall": _share(len(found), len(set(titles))),
        "precision": _share(len(pairs), len(counted)),
        "raw": _share(len(pairs), len(headings)),
        "level": _share(levels_right(levels), len(levels)),
        "passages": len(passages),
        "contents": sum(map(len, listed)),
        "heads": sum(map(len, heads.values())),
        "prose": len(prose),
        "parted": sum(_goes_on(before.get(one.number), one) for one in prose),
        "lists": len(lists),
        "bare": sum(not one.above for one in lists),
        "numbers": sum(not letters(one.text) for one in passages),
        "seconds": round(seconds, 2),
    }


def _read(content: bytes, name: str) -> Layout:
    known = format_of(content, name)
    assert known is not None, name  # noqa: S101 (it is one of those that `unmarked` writes)
    return known.read(content, name)


def _page_at(layout: Layout, offset: int) -> int:
    """The page of an offset; 0 where there are none."""
    pages = [one.page or 0 for one in layout.locators if one.start <= offset]
    return pages[-1] if pages else 0


def _truth(content: bytes, name: str) -> tuple[list[Title], int, Running]:
    """The titles of a file, how many of its outline are not printed where it leads to, and its
    running heads and feet."""
    if Path(name).suffix == ".pdf":
        return _of_pdf(content)
    parts = [part for part in _read(content, name).parts if isinstance(part, Heading)]
    return [Title(0, letters(part.text), part.level) for part in parts], 0, frozenset()


def _of_pdf(content: bytes) -> tuple[list[Title], int, Running]:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(content)
    told, pages = dict[int, str](), defaultdict[tuple[bool, str], set[int]](set)
    for number, page in enumerate(pdf, start=1):
        text = page.get_textpage()
        told[number] = letters(text.get_text_range())
        if not page.get_rotation():
            for line in _edge_lines(text, page.get_cropbox()):
                pages[line].add(number)
        text.close()
        page.close()
    titles, unprinted = [], 0
    for entry in pdf.get_toc():
        target = entry.get_dest()
        at = target.get_index() if target else None
        title = letters(entry.get_title())
        if at is None or not title:
            continue
        if any(title in told.get(near, "") for near in (at, at + 1, at + 2)):
            titles.append(Title(at + 1, title, entry.level + 1))
        else:
            unprinted += 1
    return titles, unprinted, frozenset(line for line, on in pages.items() if len(on) >= MIN_PAGES)


def _edge_lines(text: Any, box: tuple[float, float, float, float]) -> Iterator[tuple[bool, str]]:
    """The lines at the top and the foot of a page, each once."""
    _, foot, _, top = box
    margin = EDGE * (top - foot)
    rows = list[tuple[float, float, str]]()
    for number in range(text.count_rects()):
        left, low, right, high = text.get_rect(number)
        if high < foot + margin or low > top - margin:
            said = text.get_text_bounded(left, low, right, high)
            if rows and min(high, rows[-1][1]) - max(low, rows[-1][0]) > (high - low) / 2:
                rows[-1] = (min(low, rows[-1][0]), max(high, rows[-1][1]), rows[-1][2] + said)
            else:
                rows.append((low, high, said))
    yield from {(low > (top + foot) / 2, name) for low, _, said in rows if (name := _name(said))}


def _name(line: str) -> str:
    """What a line says but for numbers; a sign for one that is the number of a page alone."""
    return "#" if _PAGE_NUMBER.fullmatch(line) else letters(line)


def matched(titles: Sequence[Title], headings: Iterable[Title]) -> list[tuple[Title, Title]]:
    """Titles with the headings that they are found as: of the same letters, on their page or else
    the one before or after. A heading is found as one title at most."""
    waiting = defaultdict[tuple[str, int], list[Title]](list)
    for heading in headings:
        waiting[heading.name, heading.page].append(heading)
    pairs, missing = [], list(titles)
    for step in (0, -1, 1):
        left = []
        for title in missing:
            if own := waiting[title.name, title.page + step]:
                pairs.append((title, own.pop(0)))
            else:
                left.append(title)
        missing = left
    return pairs


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


def _lines(paragraph: Paragraph, boxes: Boxes | None) -> Iterator[Line]:
    """The lines of a paragraph as they are printed; a row of a table is one."""
    if boxes is None or paragraph.kind == "row":
        yield from (Line(text, paragraph.page or 0, None) for text in paragraph.text.splitlines())
        return
    words = boxes.within(paragraph.start, paragraph.end)
    start, last = -1, None
    for span, page, box in zip(
        boxes.spans[words].tolist(),
        boxes.pages[words].tolist(),
        boxes.rectangles[words].tolist(),
        strict=True,
    ):
        if last and (page != last[1] or not _shares_line(box, last[2])):
            yield _line(boxes, start, *last)
            start = -1
        start = span[0] if start < 0 else start
        last = span, page, box
    if last:
        yield _line(boxes, start, *last)


def _shares_line(box: Sequence[float], other: Sequence[float]) -> bool:
    return 2 * (min(box[3], other[3]) - max(box[1], other[1])) > min(
        box[3] - box[1], other[3] - other[1]
    )


def _line(boxes: Boxes, start: int, span: Sequence[int], page: int, box: Sequence[float]) -> Line:
    height = float(boxes.sizes[page - 1][1])
    edge = True if box[1] < EDGE * height else False if box[3] > (1 - EDGE) * height else None
    return Line(boxes.text[start : span[1]], page, edge)


def _is_contents(lines: Sequence[Line], titles: Mapping[str, set[int]]) -> bool:
    """Whether most lines end in dots and a number, or are titles of other pages, which their
    numbers tell or that they are many."""

    def is_title(line: Line, name: str) -> bool:
        return line.page not in titles.get(letters(name), {line.page})

    def is_entry(line: Line) -> bool:
        *cells, number = line.text.split(CELL)
        if cells:  # a row of a table
            number = number.rpartition(NAME)[2]
            return bool(_PAGE_NUMBER.fullmatch(number)) and any(
                is_title(line, cell.rpartition(NAME)[2]) for cell in cells
            )
        is_numbered = len(lines) >= CONTENTS_LINES or bool(_NUMBERED.search(line.text))
        return bool(_LEADER.search(line.text)) or (is_numbered and is_title(line, line.text))

    return sum(map(is_entry, lines)) >= CONTENTS_SHARE * max(1, len(lines))


def _goes_on(before: Paragraph | None, own: Paragraph) -> bool:
    """Whether a paragraph begins within a sentence, and not with a term that it explains."""
    first, second, *_ = [*own.text.split(), "", ""]
    word = first.rstrip(",.;:")
    is_word = word.isalpha() and word.islower() and not _PAGE_NUMBER.fullmatch(word)
    is_term = word == first and second[:1].isupper()
    return is_word and not is_term and before is not None and not _ends(before.text)


def _ends(text: str) -> bool:
    return text.rstrip(CLOSERS).endswith((*ENDERS, ":"))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


if __name__ == "__main__":
    typer.run(main)
