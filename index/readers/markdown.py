"""Markdown into a layout: the text that a reader of it sees, without its marks.

Not content: settings at the top, comments, link definitions, rules, the marker lines of fences, and
what programs that make pages are told in braces. HTML in it is read as a page is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from index.chunking.layout import Composer, Heading, Layout
from index.readers.front_matter import front_matter_of
from index.readers.html import OUTSIDE, write_html

_SURROGATE = re.compile("[\ud800-\udfff]")
#: Attributes of kramdown and Pandoc, what Liquid is told, and marks of notes.
_TOLD = re.compile(r"\{[:#.][^{}\n]*\}|\{%[^{}]*%\}|\[\^[^\[\]\s]++\](?::\s*)?")
_TO_NOTE = re.compile(r"#_?(?:fn|footnote|note|ref|cite)", re.IGNORECASE)
_NUMBER = re.compile(r"\[?\d{1,3}\]?")
#: Markdown inside HTML, as kramdown reads it; and HTML that is more than a box around it.
_IS_MARKDOWN = re.compile(r"\bmarkdown=|\*\*\w|\w\*\*|\]\(|\]\[|\{:")
_IS_STRUCTURED = re.compile(r"<(?:table|ul|ol|pre|dl|script|style)\b", re.IGNORECASE)
#: The head of a note or warning, as several programs have it, and its title.
_NOTE_HEAD = re.compile(
    r"^[ \t]*+(?:(?::{3,}+[ \t]*+[\w-]*+|!!![ \t]++\w++|\?\?\?\+?[ \t]++\w++|\[!\w++\])[ \t]*+"
    r"(?:\[([^\]\n]*)\]|\"([^\"\n]*)\"|\{[^}\n]*\})?"
    r"|(?::{3,}+[\w-]++|\[!\w++\][+-]?)[ \t]++([^\s\[\"{].*))[ \t]*+$",
    re.MULTILINE,
)
#: What Liquid is told to leave out.
_LEFT_OUT = re.compile(
    r"\{%-?\s*comment\s*-?%\}(?:(?!\{%-?\s*(?:end)?comment\b).)*+\{%-?\s*endcomment\s*-?%\}",
    re.DOTALL,
)
#: The target of a link that a program puts in.
_TARGET = re.compile(r"(?<=\]\()(?=[^()]*+\))[^()]*\{[{%][^{}()]*[%}]\}[^()]*+")
_BREAK = re.compile(r"(?:(?<![ \t])[ \t]++)?\n[ \t]*+")
_MARKED = re.compile(r"[\\`*_<&!\[\]{}]|:::|\?\?\?")
#: Tags that HTML knows inside texts; others are no marks, but what somebody writes `<so>`.
_TAG = re.compile(
    r"</?(?:a|abbr|article|aside|b|big|blockquote|br|button|caption|center|cite|code|col|dd|del|"
    r"details|div|dl|dt|em|figcaption|figure|font|footer|h[1-6]|header|hr|i|iframe|img|input|ins|"
    r"kbd|label|li|main|mark|nav|ol|p|pre|q|s|samp|section|small|span|strike|strong|sub|summary|"
    r"sup|table|tbody|td|th|thead|time|tr|tt|u|ul|var|video|wbr)\b[^<>]*>|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
"""Blocks only: most texts hold no inline markup, which takes five times as long to parse."""

_INLINE = MarkdownIt("commonmark")


def read_markdown(text: str) -> Layout:
    """Paragraphs of a Markdown text: each of its paragraphs, lists (an item a sentence), rows of
    tables and pieces of code (a line a sentence) is one."""
    return write_markdown(text, MarkdownWriter(Composer()))


def write_markdown(text: str, writer: MarkdownWriter, name: str | None = None) -> Layout:
    """The same by a writer of one's own; `name`: the title of a text that has none."""
    told = front_matter_of(text)
    writer.write(_SURROGATE.sub("\ufffd", _LEFT_OUT.sub("", text[told.end :])))
    begins = writer.out.parts[:1]
    title = None if begins and isinstance(begins[0], Heading) else told.title or name
    return writer.out.layout(title, told.metadata)


@dataclass(slots=True)
class MarkdownWriter:
    """Writes the blocks of a text."""

    out: Composer
    #: What the text says of its links.
    _known: dict[str, Any] = field(default_factory=dict)
    #: Of each list that is open, the number of its next item, if they are numbered.
    _lists: list[int | None] = field(default_factory=list)
    _items: list[list[str]] = field(default_factory=list)
    _rows: list[list[str]] = field(default_factory=list)
    _quotes: int = 0
    #: Letters of the list or paragraph that are in no link within the site.
    _unlinked: int = 0
    _level: int = 0

    def write(self, markdown: str) -> None:
        """Write a text."""
        before = ""
        for token in _BLOCKS.parse(markdown, self._known):
            self._token(token, before)
            before = token.type

    def _token(self, token: Token, before: str) -> None:
        kind = token.type
        if kind == "inline":
            self._inline(token.content, before)
        elif kind in ("fence", "code_block"):
            self._code(token.content)
        elif kind == "html_block":
            self._html(token.content)
        elif kind in ("bullet_list_open", "ordered_list_open"):
            first = int(token.attrGet("start") or 1) if kind == "ordered_list_open" else None
            self._lists.append(first)
        elif kind == "heading_open":
            self._level = int(token.tag[1])
        elif kind == "list_item_open":
            self._item()
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._lists.pop()
            if not self._lists:
                self._end_list()
        elif kind in ("blockquote_open", "blockquote_close"):
            self._quotes += token.nesting
        elif kind == "tr_open":
            self._rows.append([])
        elif kind == "table_close":
            self._end_list()
            names, *rows = self._rows
            self._rows = []
            self.out.table(names if rows else (), rows or [names])

    def _inline(self, markup: str, before: str) -> None:
        unlinked = self._unlinked
        text = self._shown(markup)
        if before in ("th_open", "td_open"):
            self._rows[-1].append(text)
        elif before == "heading_open" and not self._lists and not self._quotes:
            self.out.heading(self._level, text)
        else:
            self._text(text)
            return
        self._unlinked = unlinked

    def _text(self, text: str) -> None:
        if not self._lists:
            self.out.block([text], "prose" if self._unlinked else "contents")
            self._unlinked = 0
            return
        if not self._items:  # what stands in an item behind a table
            self._items.append([""])
        self._items[-1].append(text)

    def _code(self, text: str) -> None:
        if self._lists:
            self._unlinked += len(text)
            self._text(text.rstrip())
        else:
            self.out.block(text.splitlines(), "lines")

    def _html(self, html: str) -> None:
        if _IS_MARKDOWN.search(html) and not _IS_STRUCTURED.search(html):
            self.write(_TAG.sub("", html).replace("<", "&lt;"))  # which is no HTML again
        elif self._lists:
            inside = Composer()
            write_html(inside, html)
            self._unlinked += inside.length
            self._text(inside.text(0))
        else:
            write_html(self.out, html)

    def _item(self) -> None:
        number = self._lists[-1]
        if number is not None:
            self._lists[-1] = number + 1
        indent = "  " * (len(self._lists) - 1)
        self._items.append([indent if number is None else f"{indent}{number}. "])

    def _end_list(self) -> None:
        items, self._items = self._items, []
        own = [(marker, "\n".join(filter(str.strip, texts))) for marker, *texts in items]
        texts = [marker + text for marker, text in own if text]
        self.out.block(texts, "list" if self._unlinked or len(texts) == 1 else "contents")
        self._unlinked = 0

    def _shown(self, markup: str) -> str:
        """What a reader sees of inline markup."""
        if not _MARKED.search(markup):
            self._unlinked += len(markup)
            return _BREAK.sub("\n", markup)
        markup = _TARGET.sub("_", _NOTE_HEAD.sub(r"\1\2\3", markup))
        tokens = _INLINE.parseInline(markup, self._known)[0].children or []
        shown = []
        leads_to_note = is_menu = False
        for number, token in enumerate(tokens):
            text = token.content
            if token.type == "link_open":
                target = str(token.attrGet("href"))
                is_menu = not OUTSIDE.match(target)
                leads_to_note = bool(
                    _TO_NOTE.match(target) and _NUMBER.fullmatch(tokens[number + 1].content)
                )
            elif token.type == "link_close":
                leads_to_note = is_menu = False
            elif token.type in ("softbreak", "hardbreak"):
                text = "\n"
            elif token.type == "html_inline" and _TAG.fullmatch(text):
                text = "\n" if text.startswith("<br") else ""
            elif token.type == "text":
                text = "" if leads_to_note else _TOLD.sub("", text)
            self._unlinked += 0 if is_menu else sum(map(str.isalnum, text))
            shown.append(text)
        return _BREAK.sub("\n", "".join(shown))
