"""Markdown into a layout: the text that a reader of it sees, without its marks.

Not content: settings at the top, comments, link definitions, rules, the marker lines of fences, and
instructions in braces to site generators. HTML in it is read as a page is.

Of Obsidian: which folder is a vault, what opens a note, and what a reader of it sees. Beyond
Markdown a note has `[[links]]`, `[[note|shown]]`, `![[embedded notes]]`, callouts, `%%comments%%`,
`==marks==`, `^identities` of blocks, tasks and tags.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt

from index.chunking.layout import Composer, Heading, Layout, Part, only_top
from index.readers.front_matter import front_matter_of
from index.readers.html import OUTSIDE, write_html

_SURROGATE = re.compile("[\ud800-\udfff]")
#: Attributes of kramdown and Pandoc, Liquid's tags, and marks of notes.
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
#: Comments of Liquid.
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
    r"sup|table|tbody|td|th|thead|time|tr|tt|u|ul|var|video|wbr)\b[^<>]*>|<!--(?:[^<]|<(?!!--))*?-->",
    re.IGNORECASE | re.DOTALL,
)

_BLOCKS = MarkdownIt("commonmark").enable("table").disable("inline")
"""Blocks only: most texts hold no inline markup, which takes five times as long to parse."""

_INLINE = MarkdownIt("commonmark")


def read_markdown(text: str) -> Layout:
    """Paragraphs of a Markdown text: each of its paragraphs, lists (an item a sentence), rows of
    tables and pieces of code (a line a sentence) is one."""
    return _layout(text, _Writer(Composer()))


def _layout(text: str, writer: _Writer, name: str | None = None) -> Layout:
    """What a writer makes of a text; `name`: the title of a text that has none."""
    told = front_matter_of(text)
    writer.write(_SURROGATE.sub("\ufffd", _LEFT_OUT.sub("", text[told.end :])))
    begins = writer.out.parts[:1]
    headed = begins and isinstance(begins[0], Heading)
    title = None if headed else told.title or name or _heading_of_all(writer.out.parts)
    return writer.out.layout(title, told.metadata)


def _heading_of_all(parts: Iterable[Part]) -> str | None:
    """The heading of the first level that all others stand under, whatever stands above it: a
    picture, a notice."""
    headings = [part for part in parts if isinstance(part, Heading)]
    top = only_top(headings) if len(headings) > 1 else None
    return top.text if top is not None and top is headings[0] and top.level == 1 else None


@dataclass(slots=True)
class _Writer:
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
            kind = token.type
            if kind == "inline":
                self._inline(token.content, before)
            elif kind in ("fence", "code_block"):
                self._code(token.content)
            elif kind == "html_block":
                self._html(token.content)
            elif kind == "bullet_list_open":
                self._lists.append(None)
            elif kind == "ordered_list_open":
                self._lists.append(int(token.attrGet("start") or 1))
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
            before = kind

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
        marked = [(marker, "\n".join(filter(str.strip, texts))) for marker, *texts in items]
        texts = [marker + text for marker, text in marked if text]
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


# --- notes of Obsidian ----------------------------------------------------------------------------

VAULT_FOLDER = ".obsidian"
"""The folder by which a vault is told."""

#: Where code, in which nothing means anything, begins or ends; and a comment.
_SIGN = re.compile(r"^[ \t>]*(?P<fence>`{3,}|~{3,})|`[^`\n]*`|%%", re.MULTILINE)
_NOTE_INLINE = re.compile(
    r"(?P<code>`+[^`]*`+)"
    r"|(?P<embedded>!?)\[\[(?P<note>[^\[\]|#\n]*)(?P<part>#[^\[\]|\n]*)?"
    r"(?:\\?\|(?P<shown>[^\[\]\n]*))?\]\]"
    r"|==(?P<marked>[^\s=](?:[^=\n]*[^\s=])?)=="
)
_IDENTITY = re.compile(r"(?:^|(?<=\s))\^[A-Za-z0-9-]+\s*\Z")
_CALLOUT = re.compile(r"\[![^\[\]\n]+\][+-]?[ \t]*(?P<title>[^\n]*)(?:\n|\Z)")
_TASK = re.compile(r"\[(?P<done>[^\[\]\n])\](?=\s)")
_TAGS = re.compile(r"\s*(?:#[^\s#]+\s*)+")
#: What is embedded and is no text; a note may be called `v1.2`.
_PICTURE = re.compile(
    r"\.(?:png|jpe?g|gif|bmp|svg|webp|avif|mp3|wav|m4a|ogg|3gp|flac|mp4|webm|ogv|mov|mkv|pdf|canvas"
    r"|base|excalidraw)$",
    re.IGNORECASE,
)
_TO_ESCAPE = re.compile(r"[\\`*_{}\[\]<>&!~=#]")


def vault_of(path: Path) -> Path | None:
    """The vault that a file is in: the nearest folder above it with a folder `.obsidian`."""
    # Not `Path.is_dir`, which raises where one may not look.
    above = path.absolute().parents
    return next((folder for folder in above if os.path.isdir(folder / VAULT_FOLDER)), None)  # noqa: PTH112


def link_to_note(path: Path, vault: Path) -> str:
    """What opens a file of a vault in Obsidian."""
    inside = path.absolute().relative_to(vault)
    note = inside.with_suffix("") if inside.suffix.lower() == ".md" else inside
    names = (quote(os.fsencode(name), safe="") for name in (vault.name, note.as_posix()))
    return "obsidian://open?vault={}&file={}".format(*names)


def read_note(text: str, source: str) -> Layout:
    """A note as a reader of it sees it; one without a title is called as its file is."""
    return _layout(text, _NoteWriter(Composer()), Path(source).stem)


class _NoteWriter(_Writer):
    """Writes a note. A link to another one is one within its site: what consists of such links
    alone is a table of contents; so is a line of tags."""

    def write(self, markdown: str) -> None:
        super().write(_without_comments(markdown))

    def _inline(self, markup: str, before: str) -> None:
        callout = _CALLOUT.match(markup) if self._quotes else None
        if callout is None:
            super()._inline(markup, before)
            return
        # The title of a callout is no part of the first sentence below it.
        for part in (callout["title"], markup[callout.end() :]):
            if part.strip():
                super()._inline(part, before)

    def _shown(self, markup: str) -> str:
        markup = _NOTE_INLINE.sub(_as_markdown, _IDENTITY.sub("", markup))
        if self._lists:
            markup = _TASK.sub(lambda m: "☐" if m["done"] == " " else "☑", markup, count=1)
        unlinked = self._unlinked
        text = super()._shown(markup)
        if _TAGS.fullmatch(text):
            self._unlinked = unlinked
        return text


def _without_comments(text: str) -> str:
    """A text without what stands between `%%`, but in code; a comment without an end is none."""
    kept: list[str] = []
    fence, opened, at = "", None, 0
    for sign in _SIGN.finditer(text):
        if sign["fence"]:
            if opened is None and not fence:
                fence = sign["fence"]
            elif fence and sign["fence"].startswith(fence):
                fence = ""
        elif sign[0] == "%%" and not fence:
            if opened is None:
                opened = sign.start()
            else:
                kept.append(text[at:opened])
                opened, at = None, sign.end()
    return "".join([*kept, text[at:]])


def _as_markdown(found: re.Match[str]) -> str:
    """What Obsidian alone knows, as Markdown that shows the same."""
    if found["code"]:
        return found[0]
    if found["marked"]:
        return found["marked"]
    note, shown = found["note"].strip(), (found["shown"] or "").strip()
    if found["embedded"] and _PICTURE.search(note):
        return ""
    if not shown or found["embedded"]:
        headings = [heading.strip() for heading in (found["part"] or "").split("#")]
        parts = [note, *(heading for heading in headings if not heading.startswith("^"))]
        shown = _TO_ESCAPE.sub(r"\\\g<0>", " > ".join(filter(None, parts)))
    return f"[{shown}](#)" if shown else ""
