"""A layout into paragraphs and sentences.

A reader of a format turns a file into a `Layout`: its text, with `Heading`s and `Block`s in reading
order; `segmentation` turns those into paragraphs with sentences. Everything is an offset into the
text and nothing is rewritten. Time is linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from operator import attrgetter, itemgetter

from index.chunking.layout import CONTENTS_LINES, CONTENTS_SHARE, Block, Heading, Layout, letters
from index.chunking.sentences import (
    CLOSERS,
    LONG_ITEM,
    Span,
    has_word,
    lines,
    merge_wordless,
    sentence_spans,
    trim,
)
from index.models import Kind, Paragraph, Sentence, context_of, paragraph_id

MAX_PARAGRAPH = 3000
"""Characters in a paragraph; a longer one is split at sentence ends."""

TARGET_PARAGRAPH = 1500
"""About how long the parts of a split paragraph are."""

MAX_SENTENCE = 1000
"""Characters in a sentence; a longer one is split at whitespace, or anywhere if there is none."""


_ITEM = re.compile(r"\(?\w{1,4}[.)]\s|[\u2022\u2023\u25aa\u25e6\u2013*-]\s")
MAX_LED = 6000
"""What an item of a list begins with; so many characters that one line leads into. Not tuned."""

_MARKS = ("?", "\uff1f")
_ENDS = (".", "!", ":", "\u3002", *_MARKS)
MIN_QUESTIONS = 3
"""So many questions under a heading are asked and answered one after the other: all that follows
one, up to the next, is the answer to it. Not tuned."""

_CLOSING = " *_\n\"'\u2019\u201d)"
"""What may stand behind the sign that a sentence ends with."""

MIN_SENTENCE_WORDS = 8
"""Words of a sentence that is a heading and a paragraph as well, at least. Not tuned."""

MAX_LABEL_WORDS = 8
"""Words of a line that names what the prose below it is about, at most. Not tuned."""

_AMOUNT = re.compile(r"[$\u20ac\u00a3]\s?\d|\d\s?%")


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a text consists of: the heading that it begins with, if any, and its paragraphs in
    reading order."""

    title: str | None
    paragraphs: tuple[Paragraph, ...]


def segmentation(layout: Layout, document_id: str, language: str) -> Segmentation:
    """Put each block under its headings and cut it into paragraphs and sentences.

    A heading with nothing under it becomes a paragraph, one that says something is one too, and
    blocks without a letter or digit are dropped, unless nothing else would remain: then every line
    is a paragraph, so that only a text of nothing but whitespace has none.
    """
    text = layout.text
    parts = list(_with_contents(list(_lists(layout.parts)), text))
    title = parts[0].text if parts and isinstance(parts[0], Heading) else None
    blocks = [
        (path, block)
        for path, block in _under_headings(parts)
        if has_word(text, *trim(text, block.spans[0][0], block.spans[-1][1]))
    ]
    if not blocks:
        blocks = [((), Block((span,), "prose")) for span in lines(text) if span[0] < span[1]]

    def ocr_confidence(start: int, end: int) -> float | None:
        """How surely `text[start:end]` was read: as its least sure word was; None where none of it
        was read from a picture."""
        words = layout.recognised
        first, last = (bisect_left(words, at, key=itemgetter(0)) for at in (start, end))
        return min((sure for _, _, sure in words[first:last]), default=None)

    paragraphs: list[Paragraph] = []
    path_before: tuple[Heading, ...] = ()
    question: Sentence | None = None
    asking = [_asks(text, block) for _, block in blocks]
    questions = Counter(path for (path, _), asks in zip(blocks, asking, strict=True) if asks)
    for (path, block), asks in zip(blocks, asking, strict=True):
        before = paragraphs[-1] if paragraphs and path == path_before else None
        path_before = path
        said = text[block.spans[0][0] : block.spans[-1][1]]
        lead = _lead(before, said, block.kind) if before else None
        if block.lead:
            lead = _sentence(text, block.lead)
        question = question if before else None
        if questions[path] >= MIN_QUESTIONS and block.kind != "contents" and not asks:
            lead = lead or question
        # What stands above a paragraph is shown with it.
        above = [ocr_confidence(heading.start, heading.end) for heading in path]
        for sentences in _paragraph_sentences(text, block, language):
            start, end = sentences[0][0], sentences[-1][1]
            number = bisect_right(layout.locators, start, key=attrgetter("start")) - 1
            locator = layout.locators[number] if number >= 0 else None
            content = text[start:end]
            confidences = [
                sure for sure in (ocr_confidence(start, end), *above) if sure is not None
            ]
            paragraphs.append(
                Paragraph(
                    id=paragraph_id(
                        content,
                        tuple((a - start, b - start) for a, b in sentences),
                        context_of([heading.text for heading in path], lead),
                    ),
                    document_id=document_id,
                    number=len(paragraphs) + 1,
                    heading=tuple(heading.text for heading in path),
                    page=locator.page if locator else None,
                    locator=locator.label if locator else "",
                    kind=block.kind,
                    start=start,
                    end=end,
                    text=content,
                    sentences=tuple(_sentence(text, span) for span in sentences),
                    language=language,
                    lead=lead,
                    ocr_confidence=min(confidences, default=None),
                )
            )
        if asks:
            question = paragraphs[-1].sentences[-1]
    return Segmentation(layout.title or title, tuple(paragraphs))


def _sentence(text: str, span: Span) -> Sentence:
    return Sentence(*span, text[slice(*span)])


def _lead(before: Paragraph, text: str, kind: Kind) -> Sentence | None:
    """What leads into a block from the paragraph right above it, under the same heading: its last
    sentence, where that ends in a colon, is a question that the paragraph ends with, breaks off
    above a list, or is a label above prose; for further items, rows and lines, what leads into the
    first.

    Args:
        before: that paragraph.
        text: the block's.
        kind: what it is.
    """
    last = before.sentences[-1]
    said = last.text.strip(_CLOSING)
    if "contents" in (kind, before.kind):
        return None
    if said.endswith((":", "\uff1a")):
        return last
    if (kind == before.kind != "prose") or (_ITEM.match(text) and _ITEM.match(before.text)):
        lead = before.lead
        is_over = lead is not None and (
            before.end - lead.end > MAX_LED or _is_beside(lead.text, text)
        )
        return None if is_over else lead
    if said.endswith(_MARKS):
        return last if before.kind == "prose" or len(before.sentences) == 1 else None
    if before.kind != "prose" or not said[-1:].isalnum():
        return None
    is_label = (
        kind == "prose"
        and len(before.sentences) == 1
        and len(said.split()) <= MAX_LABEL_WORDS
        and said[1:]
        and said[0].isupper()
        and ":" not in said  # "Time: noon" says a value.
        and text.rstrip(_CLOSING).endswith(_ENDS)
    )
    return last if kind == "list" or is_label else None


def _is_beside(item: str, text: str) -> bool:
    """Whether a text begins as an item does that is not below another: (b) after (a)."""
    marks = [found[0].strip() for said in (item, text) if (found := _ITEM.match(said))]
    shapes = {tuple((c.isdigit(), c.isupper(), c.isalpha() or c) for c in mark) for mark in marks}
    return len(marks) == 2 and len(shapes) == 1 and any(map(str.isalnum, marks[0]))


def _asks(text: str, block: Block) -> bool:
    """Whether a block is a question, to which an answer follows."""
    return block.kind == "prose" and text[slice(*block.spans[-1])].rstrip(_CLOSING).endswith(_MARKS)


def _lists(parts: Sequence[Heading | Block]) -> Iterator[Heading | Block]:
    """Lists as one block, also where blank lines divide their items; those of long items, which say
    more than a sentence each, as a block for each item."""
    spans: list[Span] = []
    lead: Span | None = None
    for part in [*parts, None]:
        is_list = isinstance(part, Block) and part.kind == "list"
        if isinstance(part, Block) and is_list and (not spans or part.lead == lead):
            spans.extend(part.spans)
            lead = part.lead
            continue
        if any(end - start > LONG_ITEM for start, end in spans):
            yield from (Block((span,), "list", lead) for span in spans)
        elif spans:
            yield Block(tuple(spans), "list", lead)
        spans = []
        if isinstance(part, Block) and is_list:
            spans, lead = list(part.spans), part.lead
        elif part is not None:
            yield part


_ENTRY = re.compile(r"(?P<leader>(?:[.\u2026\u00b7_] ?){3,}|[\s|.])\s*(?P<page>\d{1,4})$")
_SECTION = re.compile(r"\W*\d{1,2}(?:\.\d{1,2})+\b")
_CONTENTS = re.compile(r"\W*(?:table of )?contents\W*", re.IGNORECASE)
_REFERENCES = re.compile(
    r"[\W\d]*(?:references|bibliography|works cited|(?:further|recommended) reading|"
    r"external links|see also|notes and references|literature( cited)?)\W*",
    re.IGNORECASE,
)
_CITED = re.compile(r"\b(?:19|20)\d\d[a-z]?\b|https?://|\bdoi\b|\bISBN\b", re.IGNORECASE)


def _with_contents(parts: Sequence[Heading | Block], text: str) -> Iterator[Heading | Block]:
    """The parts, with the kind of blocks that only say where something stands, and would be found
    in place of it: what headings of the document say, lines that end in the numbers of pages, and
    references under a heading that says so."""
    headings = {letters(part.text) for part in parts if isinstance(part, Heading)} - {""}

    def lines_in(parts: Iterable[Heading | Block]) -> list[str]:
        spans = [span for part in parts if isinstance(part, Block) for span in part.spans]
        return [line for a, b in spans for line in text[a:b].splitlines() if line.strip()]

    def mostly(tells: Callable[[str], object], *parts: Heading | Block) -> bool:
        told = [bool(tells(line)) for line in lines_in(parts)]
        return bool(told) and sum(told) >= CONTENTS_SHARE * len(told)

    def is_name(line: str) -> bool:
        return letters(line) in headings

    heading = ""
    for is_listed, group in groupby(
        parts, lambda part: mostly(is_name, part) or mostly(_entry, part)
    ):
        run = list(group)
        listed = lines_in(run) if is_listed else []
        are_names = len(listed) >= CONTENTS_LINES and mostly(is_name, *run)
        is_contents = is_listed and (are_names or _are_entries(listed, heading))
        for part in run:
            if isinstance(part, Heading):
                heading = part.text
            elif is_contents or (_REFERENCES.fullmatch(heading) and mostly(_CITED.search, part)):
                part = replace(part, kind="contents")
            yield part


def _entry(line: str) -> re.Match[str] | None:
    has_name = any(map(str.isalpha, line))
    return _ENTRY.search(line.rstrip()[-80:]) if has_name else None


def _are_entries(texts: Sequence[str], heading: str) -> bool:
    """Whether lines, most of which end in a number, are those of a table of contents: the numbers
    never fall, and a heading, dots or the number of a section say that it is one."""
    entries = [(line, found) for line in texts if (found := _entry(line))]
    pages = [int(found["page"]) for _, found in entries]
    told = [len(found["leader"]) > 3 or bool(_SECTION.match(line)) for line, found in entries]
    is_told = bool(_CONTENTS.fullmatch(heading)) or 2 * sum(told) > len(told)
    is_told = is_told and len(entries) >= CONTENTS_LINES
    return is_told and all(before <= after for before, after in pairwise(pages))


def _under_headings(
    parts: Sequence[Heading | Block],
) -> Iterator[tuple[tuple[Heading, ...], Block]]:
    """Each block with the headings above it; a heading with nothing under it as a block."""
    open_headings: list[Heading] = []
    for place, part in enumerate(parts):
        lists = isinstance(part, Block) and part.kind == "contents"
        # Nothing but these stands under the heading of contents.
        if open_headings and not lists and _CONTENTS.fullmatch(open_headings[-1].text):
            open_headings.pop()
        if isinstance(part, Block):
            yield tuple(open_headings), part
            continue
        while open_headings and open_headings[-1].level >= part.level:
            open_headings.pop()
        following = parts[place + 1] if place + 1 < len(parts) else None
        path = tuple(open_headings)
        if _says_something(part.text):
            yield path, Block(((part.start, part.end),), "prose")
        elif following is None or (
            isinstance(following, Heading) and following.level <= part.level
        ):
            yield path, Block(((part.start, part.end),), "lines")
        open_headings.append(part)


def _says_something(heading: str) -> bool:
    """Whether a heading says what may be asked for: an amount; or a sentence that is set as one,
    such as a warning in bold: so long, it ends as a sentence does, and no number in front makes it
    the title of a section."""
    words = heading.split()
    return _AMOUNT.search(heading) is not None or (
        len(words) >= MIN_SENTENCE_WORDS
        and heading.rstrip(CLOSERS).endswith((".", "!", "\u3002"))
        and not any(map(str.isdigit, "".join(words[:2])))
    )


def _paragraph_sentences(text: str, block: Block, language: str) -> Iterator[list[Span]]:
    """The sentences of each paragraph that a block makes."""
    found: list[Span] = []
    for start, end in block.spans:
        if block.kind == "prose" or (block.kind != "row" and end - start > LONG_ITEM):
            found.extend(sentence_spans(text, start, end, language))
        else:
            found.append(trim(text, start, end))
    sentences = [
        piece for start, end in merge_wordless(text, found) for piece in _fitting(text, start, end)
    ]
    if not sentences:
        return
    first, last = sentences[0][0], sentences[-1][1]
    if last - first <= MAX_PARAGRAPH:
        yield sentences
        return
    count = -(-(last - first) // TARGET_PARAGRAPH)
    share = (last - first) / count
    part: list[Span] = []
    filled = 1
    for start, end in sentences:
        if part and filled < count and (start + end) / 2 > first + filled * share:
            yield part
            part = []
            # A sentence is shorter than a share, so at most one boundary is passed at a time.
            filled += 1
        part.append((start, end))
    yield part


def _fitting(text: str, start: int, end: int) -> Iterator[Span]:
    """The span in pieces of at most MAX_SENTENCE characters."""
    while end - start > MAX_SENTENCE:
        cut = start + MAX_SENTENCE
        if not text[cut].isspace():
            # The last whitespace before the limit, if there is one.
            word = text[start:cut].split()[-1]
            cut -= len(word) if len(word) < cut - start else 0
        yield trim(text, start, cut)
        start, _ = trim(text, cut, end)
    yield start, end
