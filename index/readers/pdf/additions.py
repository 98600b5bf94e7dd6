"""What is put into pages besides their words: marks, pictures; and notes that are left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from index.readers.pdf.pages import TYPED, PrintedPage, PrintedWord, Region
from index.readers.pdf.pdfium import MARKS, Described, Place, Remarks


def set_marks(pages: Iterable[PrintedPage], remarks: Remarks) -> None:
    """Put typographic marks into the words of pages, and drop the figures of marks of notes."""
    for page in pages:
        words = [word for own in page.regions for word in own.words]
        words.extend(word for line in page.loose for word in line)
        _set_marks(words, remarks.marks.get(page.number, ()))
        if notes := remarks.notes.get(page.number):
            _drop_notes(page, words, notes)


def _set_marks(words: Sequence[PrintedWord], marks: Sequence[Place]) -> None:
    """Put typographic marks into the words that they stand in, for what is written in their
    place."""
    left = list(marks)
    for word in words:
        if not left or not TYPED.intersection(word.text):
            continue
        inside = sorted(
            (mark for mark in left if word.left <= mark[1] <= word.right and word.spans(mark[2])),
            key=lambda mark: mark[1],
        )
        for typed in TYPED:
            own = [mark for mark in inside if MARKS[mark[0]] == typed]
            # Where there are others, a hyphen beside a dash, it is not known which is which.
            if own and len(own) == word.text.count(typed):
                pieces = word.text.split(typed)
                printed = [mark[0] for mark in own]
                word.text = pieces[0] + "".join(map(str.__add__, printed, pieces[1:]))


def _drop_notes(page: PrintedPage, words: Iterable[PrintedWord], notes: Sequence[Place]) -> None:
    """Drop the figures of marks of notes from the ends of words, and from their boxes."""
    for word in words:
        for figures, left, height in notes:
            is_inside = word.left - 1 <= left <= word.right and word.spans(height)
            if is_inside and word.text.endswith(figures):
                word.text, word.right = word.text.removesuffix(figures), left
    for own in page.regions:
        own.words = [word for word in own.words if word.text]
    page.regions[:] = [own for own in page.regions if own.words]


def set_pictures(pages: Iterable[PrintedPage], pictures: Mapping[int, Sequence[Described]]) -> None:
    """Put what is told of pictures into pages that are laid out, once: at the end of the section
    in which a picture stands, or of its page, where it parts no paragraph."""
    told = set[str]()
    for page in pages:
        for text, box in pictures.get(page.number, ()):
            if text in told:
                continue
            told.add(text)
            words = [PrintedWord(text, page.number, *box, seen=box)]
            at = _next_heading(page.regions, box)
            if at is None:
                page.regions.append(Region("note", 1, words))
            else:
                page.regions.insert(at, Region("picture", 1, words))


def _next_heading(regions: Sequence[Region], box: tuple[float, float, float, float]) -> int | None:
    """Which region is the first heading after what stands on their page, if there is one: after the
    lowest above it in its column, or else beside that, and not above it either."""
    left, top, right, bottom = box
    above = [
        n for n, own in enumerate(regions) if own.top < (top + bottom) / 2 and own.left < right
    ]
    after = max(above, key=lambda n: (regions[n].right > left, regions[n].top), default=-1) + 1
    headings = (n for n in range(after, len(regions)) if regions[n].kind == "heading")
    return next((n for n in headings if n not in above), None)
