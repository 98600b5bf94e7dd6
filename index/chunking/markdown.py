"""Markdown into headings and blocks.

The line maps of markdown-it's block tokens say where each block stands in the raw file; inline
markup stays in the text, because it is what stands in the file. Not content: front matter, HTML
comments, link definitions, rules and the marker lines of fences.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.chunking.layout import Block, Heading, Layout
from index.chunking.sentences import Span, trim
from index.models import Kind

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_KEY = re.compile(r"[\w-]+\s*:(?:\s|$)|#")
_QUOTE = re.compile(r"[ \t]*(?:>[ \t]*)*")
_TAG = re.compile(r"<[^<>]*>")
_SURROGATE = re.compile("[\ud800-\udfff]")

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
"""Blocks only: the inline markup of all the text would be parsed for nothing."""

_INLINE = MarkdownIt("commonmark")


def read_markdown(text: str) -> Layout:
    """Paragraphs of a Markdown text: each of its paragraphs, lists (an item a sentence), tables
    (a row a sentence) and pieces of code (a line a sentence) is one."""
    rows = _rows(text)
    body = _front_matter(text, rows)
    # A line map counts the lines that the parser sees, so it is given ours: the same number
    # whatever the line endings were, and no lone surrogates, which it cannot take.
    shown = [""] * body + [_SURROGATE.sub("\ufffd", text[a:b]) for a, b in rows[body:]]
    tokens = _BLOCKS.parse("\n".join(shown))
    return Layout(text, list(_parts(text, rows, tokens, False)))


def _rows(text: str) -> list[Span]:
    """Span of each line without its ending; only \\n, \\r and \\r\\n end lines in Markdown."""
    return [match.span(1) for match in _LINE.finditer(text)]


def _front_matter(text: str, rows: Sequence[Span]) -> int:
    """How many lines at the top are YAML between `---` lines; 0 if there are none."""

    def row(place: int) -> str:
        return text[rows[place][0] : rows[place][1]].rstrip()

    # Without a key at once it is two rules with text between them.
    if len(rows) < 2 or row(0) != "---" or not _KEY.match(row(1)):
        return 0
    for place in range(2, len(rows)):
        if row(place) in ("---", "..."):
            return place + 1
    return 0


def _parts(
    text: str, rows: Sequence[Span], tokens: Sequence[Token], quoted: bool
) -> Iterator[Heading | Block]:
    """Headings and blocks of sibling tokens; `quoted` inside a block quote, whose markers are
    left out where a paragraph begins."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        close = place
        if token.nesting == 1:
            while not (tokens[close].nesting == -1 and tokens[close].level == token.level):
                close += 1
        inside = tokens[place + 1 : close]
        place = close + 1
        if token.map is None:
            continue
        first, last = token.map[0], min(token.map[1], len(rows))
        if token.type == "heading_open" and not quoted:
            title = _inline_text(inside[0].content)
            start, end = trim(text, rows[first][0], rows[last - 1][1])
            if title:
                yield Heading(int(token.tag[1]), title, start, end)
        elif token.type == "blockquote_open":
            yield from _parts(text, rows, inside, True)
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            starts = {t.map[0] for t in inside if t.type == "list_item_open" and t.map}
            yield from _block(text, rows, sorted(starts), last, quoted, "list")
        elif token.type in ("table_open", "code_block"):
            yield from _block(text, rows, list(range(first, last)), last, quoted, "lines")
        elif token.type == "fence":
            closed = last - first > 1 and _unquoted(text, rows[last - 1]).startswith(token.markup)
            last -= closed
            yield from _block(text, rows, list(range(first + 1, last)), last, quoted, "lines")
        elif token.type == "html_block":
            yield from _html(text, rows[first][0], rows[last - 1][1])
        elif token.type in ("paragraph_open", "heading_open"):
            yield from _block(text, rows, [first], last, quoted, "prose")


def _block(
    text: str, rows: Sequence[Span], starts: Sequence[int], last: int, quoted: bool, kind: Kind
) -> Iterator[Block]:
    """A block of the rows from each of `starts` to the next, the last one to before `last`."""
    spans: list[Span] = []
    for begin, stop in zip(starts, [*starts[1:], last], strict=False):
        start, end = rows[begin][0], rows[stop - 1][1]
        if quoted and not spans:
            start += len(text[slice(*rows[begin])]) - len(_unquoted(text, rows[begin]))
        start, end = trim(text, start, end)
        if start < end:
            spans.append((start, end))
    if spans:
        yield Block(tuple(spans), kind)


def _unquoted(text: str, row: Span) -> str:
    """The row after the markers of block quotes."""
    content = text[slice(*row)]
    marker = _QUOTE.match(content)
    return content[marker.end() :] if marker else content


def _html(text: str, start: int, end: int) -> Iterator[Block]:
    """HTML that holds text, without the comments in it."""
    while start < end:
        comment = text.find("<!--", start, end)
        piece = trim(text, start, end if comment < 0 else comment)
        if any(map(str.isalnum, _TAG.sub("", text[slice(*piece)]))):
            yield Block((piece,), "prose")
        close = text.find("-->", comment, end) if comment >= 0 else -1
        start = end if close < 0 else close + len("-->")


def _inline_text(markup: str) -> str:
    """What a reader sees of a heading's inline markup."""
    tokens = _INLINE.parseInline(markup)[0].children or []
    shown = (
        " " if token.type in ("softbreak", "hardbreak") else token.content
        for token in tokens
        if token.type != "html_inline"
    )
    return " ".join("".join(shown).split())
