"""HTML into a layout, on the tree that selectolax makes of it as a browser would.

White space is what a browser shows of it, so that no two words are run together where markup
divides them, and none is torn. Left out is what is no text of the document: scripts, buttons,
what is hidden, the menus of a site, marks of notes. Nothing that a page refers to is fetched.
"""

# Typographic quotes and dashes are meant as they stand.

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from index.chunking.decoding import declared, decoded
from index.chunking.layout import Block, Composer, Heading, Layout, describes, only_top
from index.chunking.sentences import Span
from index.readers.front_matter import front_matter_of, head_metadata
from index.readers.html_setting import NO_RULES, StyleTracker, TextStyle, class_rules
from index.readers.html_tables import is_table, rows_of
from index.readers.notes import Notes, with_notes, without_signs
from index.readers.unmarked_headings import SetParagraph, heading_levels

Settings = dict[int, SetParagraph]
"""How paragraphs are set, by their place among the parts of what is written."""

_SPACE = re.compile(r"[\s\xa0]+")
_UNSEEN = re.compile("[\u00ad\u200b\ue000-\uf8ff]")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*+=\s*+[\"']?+\s*+([\w.:-]+)", re.I)
_XML_CHARSET = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([\w.:-]+)", re.I)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)
_MARK = re.compile(
    r"\s*+(?P<open>[\[(]?)\s*+(?:\d{1,3}|[a-z]|[ivx]{1,5}|[*†‡§¶#↑^↩︎]+)\s*+[\])]?\s*+"
)
#: In the mark of a note, and not on the way back from it.
_FORWARD = re.compile(r"[^\W_]|[*†‡§]")
#: Tags of a site generator.
_DIRECTIVE = re.compile(r"\{%[^{}]*%\}")
#: Where links lead that leave the site.
OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.I)
#: An element without content in XML, which HTML knows of some elements alone.
_CLOSED = re.compile(r"<([a-zA-Z][\w:.-]*+)((?:\s[^<>]*+|/)?+)(?<=/)>")
_VOID = "area base br col embed hr img input link meta source track wbr".split()

_SKIPPED = frozenset(
    "audio button canvas datalist embed head iframe input map meter nav noscript "
    "object progress rp rt script select style svg template textarea video annotation "
    "annotation-xml".split()
)
MIN_UNFOLDING, MAX_UNFOLDING = 3, 20
"""Words of what unfolds a text at least, where menus have one or two, and elements in it that are
looked at. Not tuned."""
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset "
    "figcaption figure footer form header hgroup hr legend li main menu ol optgroup option p "
    "search section summary table tbody td tfoot th thead tr ul".split()
)
_LISTS = frozenset(("ul", "ol", "menu"))


def read_html(content: bytes, name: str) -> Layout:
    """The layout of a page.

    Raises:
        NotTextError: it is in no encoding.
    """
    out = Composer()
    text = html_text(content, name)
    told = front_matter_of(text)
    if told.end:
        text = _DIRECTIVE.sub("", text[told.end :])
    tree = html_tree(text)
    metadata = told.metadata if told.end else head_metadata(text, tree)
    settings: Settings = {}
    title = _write(out, tree, settings, notes=Notes()) or told.title
    find_headings(out, settings)
    return with_notes(out.layout(title, metadata))


def write_html(
    out: Composer,
    html: str,
    settings: Settings | None = None,
    rules: Mapping[str, str] = NO_RULES,
    notes: Notes | None = None,
    path: str = "",
) -> None:
    """Add what a page holds, and how it is set where that is asked for.

    Args:
        rules: of style sheets beside the page, as of `class_rules`.
        notes: of all pages, where signs are to be written for `with_notes`.
        path: of the page, for links from others.
    """
    _write(out, html_tree(html), {} if settings is None else settings, rules, notes, path)


def find_headings(out: Composer, settings: Settings) -> None:
    """Make headings of paragraphs that are set as such and not marked."""
    told = []
    for at, part in enumerate(out.parts):
        if isinstance(part, Heading):
            told.append(SetParagraph(part.text, level=part.level))
        else:
            length = sum(end - start for start, end in part.spans)
            told.append(settings.get(at) or SetParagraph("x" * length, may_head=False))
    for at, level in enumerate(heading_levels(told)):
        part = out.parts[at]
        if level and isinstance(part, Block):
            out.parts[at] = Heading(level, _plain(told[at].text), *part.spans[0])


def _write(
    out: Composer,
    tree: Any,
    settings: Settings,
    rules: Mapping[str, str] = NO_RULES,
    notes: Notes | None = None,
    path: str = "",
) -> str | None:
    """Add what a page holds.

    Returns:
        Its title: of its headings the first where it is the only one of its level, or else what its
        head says; None where it has neither.
    """
    if tree.body is None:
        return None
    before = len(out.parts)
    styles = "\n".join(sheet.text() for sheet in tree.css("style"))
    rules = {**rules, **class_rules(styles)}
    writer = _Writer(out, settings, StyleTracker(rules), notes, path)
    writer.write(tree.body)
    if not any(isinstance(part, Block) for part in out.parts[before:]):
        # A page of nothing but links is one that somebody wants to search.
        writer.write_menus()
    headings = [part for part in out.parts[before:] if isinstance(part, Heading)]
    if top := only_top(headings):
        return without_signs(top.text)
    title = tree.css_first("head > title")
    return (_plain(title.text()) if title else "") or None


def html_tree(html: str) -> Any:
    """The tree of a page, as a browser would make it."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(html)


def xml_tree(content: bytes, name: str) -> Any:
    """The tree of a file of XML, by the parser of HTML, which expands and fetches nothing that the
    file defines."""
    return html_tree(as_html(html_text(content, name)))


def html_text(content: bytes, name: str) -> str:
    """The text of a page in the encoding that it declares, or else in the one that fits.

    Raises:
        NotTextError: it is in no encoding.
    """
    told = _CHARSET.search(content[:4096]) or _XML_CHARSET.match(content[:256])
    text = declared(content, told[1].decode("ascii", "replace")) if told else None
    return decoded(content, Path(name)) if text is None else text


def beside(path: str, href: str) -> str:
    """The path of a page by the reference to it in another one."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(href)))


def as_html(xhtml: str) -> str:
    """XHTML so that a parser of HTML reads it: `<script/>` would begin one that never ends."""
    return _CLOSED.sub(
        lambda m: m[0] if m[1].lower() in _VOID else f"<{m[1]}{m[2][:-1]}></{m[1]}>", xhtml
    )


@dataclass(slots=True)
class _Item:
    """An item of a list: its texts, and how many of their characters are not in links within the
    site."""

    texts: list[str]
    unlinked: int = 0


@dataclass(slots=True)
class _Writer:
    """Writes the elements of a page as blocks, menus of a site last, if at all."""

    out: Composer
    settings: Settings = field(default_factory=dict)
    _style: StyleTracker = field(default_factory=lambda: StyleTracker({}))
    _notes: Notes | None = None
    _path: str = ""
    #: The sign of a note whose text is to follow.
    _sign: str = ""
    keeps_menus: bool = False
    _setting: TextStyle = field(default_factory=TextStyle)
    _run: list[str] = field(default_factory=list)
    #: Letters of the run that are in no link within the site, and in none within the page.
    _unlinked: int = 0
    _untargeted: int = 0
    _links: int = 0
    _jumps: int = 0
    _verbatim: int = 0
    #: Of each list that is open, the number of its next item, if they are numbered.
    _lists: list[int | None] = field(default_factory=list)
    _items: list[_Item] = field(default_factory=list)
    _terms: list[str] = field(default_factory=list)
    #: How many lists of definitions are open, and where the term stands that is being defined.
    _definitions: int = 0
    _term: Span | None = None
    _menus: list[list[_Item]] = field(default_factory=list)
    #: Alternative texts of the pictures in the open block, and all that were written before.
    _pictures: list[str] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)

    def write(self, root: Any) -> None:
        """Write what is inside an element."""
        # By hand and not by recursion: pages nest a thousand deep.
        path: list[Any] = []
        node = root.first_child
        while node is not None or path:
            if node is None:
                node = path.pop()
                self._leave(node)
                self._style.leave()
                node = node.next
            elif self._enter(node):
                path.append(node)
                self._style.enter(node, node.tag)
                node = node.first_child
            else:
                node = node.next
        self._stop()

    def write_menus(self) -> None:
        """Write the lists of links that were left out."""
        for items in self._menus:
            self._write_items(items)

    def _enter(self, node: Any) -> bool:
        """Begin an element, or write a text; whether to go inside."""
        if node.is_text_node:
            self._text(node.text_content or "")
            return False
        tag = node.tag
        if not node.is_element_node or _is_unseen(node, tag):
            return False
        if self._notes and self._notes.has_marks:
            name = node.attributes.get("id") or node.attributes.get("name")
            self._sign = self._notes.begin(f"{self._path}#{name}") or self._sign
        if tag in _SKIPPED and not _opens_text(node, tag):
            return False
        if tag == "br":
            self._run.append("\n")
        elif tag == "a":
            if _is_mark(node):
                if self._run:
                    self._run[-1] = self._run[-1].rstrip(" ")
                self._mark(node)
                return False
            self._count_link(node, 1)
        elif tag == "img":
            self._picture(node.attributes.get("alt") or "")
        elif tag == "math" and node.attributes.get("alttext"):
            self._text(node.attributes["alttext"])
            return False
        elif tag == "q":
            self._text("“")
        elif tag == "table" and is_table(node):
            self._stop()
            self._table(node)
            return False
        elif tag == "pre":
            self._stop()
            self._verbatim += 1
        elif tag in _HEADINGS:
            self._stop()
        elif tag == "button" and node.parent.tag not in _HEADINGS:
            self._flush()
        elif tag in _BLOCKS:
            self._flush()
            self._begin(node, tag)
            self._definitions += tag == "dl"
        return True

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag == "a":
            self._count_link(node, -1)
        elif tag == "q":
            self._text("”")
        elif tag == "pre":
            self._verbatim -= 1
            self.out.block("".join(self._take()).splitlines(), "lines")
        elif tag in _HEADINGS:
            self._heading(_HEADINGS[tag])
        elif tag == "dt" or (tag == "button" and node.parent.tag not in _HEADINGS):
            self._terms.append(_plain("".join(self._take())))
            self._term = None
        elif tag in _BLOCKS:
            self._flush()
            if tag == "dl":
                self._end_terms()
                self._definitions -= 1
                self._term = None
            elif tag in _LISTS and self._lists:
                self._lists.pop()
                if not self._lists:
                    self._end_list()

    def _mark(self, link: Any) -> None:
        """Put the sign of a note where its mark is, not of the way back to one."""
        page, _, name = (link.attributes.get("href") or "").partition("#")
        if self._notes and name and _FORWARD.search(link.text()):
            path = beside(self._path, page) if page else self._path
            self._run.append(self._notes.mark(f"{path}#{unquote(name)}"))

    def _count_link(self, link: Any, step: int) -> None:
        """Take note that a link begins (1) or ends (-1)."""
        target = link.attributes.get("href")
        if target is not None and not OUTSIDE.match(target):
            self._links += step
        if (target or "").startswith("#"):
            self._jumps += step

    def _begin(self, node: Any, tag: str) -> None:
        if tag in _LISTS:
            start = node.attributes.get("start") or "1"
            first = int(start) if start.lstrip("-").isdecimal() else 1
            self._lists.append(first if tag == "ol" else None)
        elif tag == "li":
            marker = ""
            number = self._lists[-1] if self._lists else None
            if number is not None:
                marker, self._lists[-1] = f"{number}. ", number + 1
            self._items.append(_Item([marker]))

    def _text(self, text: str) -> None:
        text = _UNSEEN.sub("", text)
        shown = text if self._verbatim else _SPACE.sub(" ", text)
        if self._sign and any(map(str.isalnum, shown)):
            shown, self._sign = self._sign + shown.lstrip(), ""
        self._run.append(shown)
        letters = sum(map(str.isalnum, shown))
        self._unlinked += 0 if self._links else letters
        self._untargeted += 0 if self._jumps else letters
        self._style.add(letters)

    def _take(self) -> list[str]:
        run, self._run = self._run, []
        self._unlinked = self._untargeted = 0
        self._setting = self._style.take()
        return run

    def _stop(self) -> None:
        """End the block and the list that are open, for something else stands inside them."""
        self._flush()
        self._end_list()
        self._end_terms()

    def _picture(self, alternative: str) -> None:
        """Take note of what is told of a picture, once; those of a menu are none of the text."""
        text = _plain(alternative)
        if not self._links and describes(text) and text not in self._told:
            self._told.add(text)
            self._pictures.append(text)

    def _flush(self) -> None:
        """End the block that is open; what is told of its pictures follows it."""
        self._end_block()
        if not self._lists:
            pictures, self._pictures = self._pictures, []
            for text in pictures:
                self.out.block([text], "prose")

    def _end_block(self) -> None:
        unlinked, untargeted = self._unlinked, self._untargeted
        texts = _paragraphs("".join(self._take()))
        if not texts:
            return
        if self._lists:
            if not self._items:
                self._items.append(_Item([""]))
            item = self._items[-1]
            item.unlinked += unlinked
            if self._terms:
                item.texts.append(" ".join(self._terms))
                self._terms = []
            item.texts.extend(texts)
            return
        terms = "\n".join(self._terms)
        if self._terms:
            texts[0] = f"{terms}\n{texts[0]}"
            self._terms = []
        elif not untargeted and not self.keeps_menus:
            self._menus.append([_Item(["", text]) for text in texts])
            return
        size, weight, is_apart = self._setting
        for text in texts:
            self.out.block([text], "prose", self._term)
            if terms and self._definitions and text is texts[0]:
                start = self.out.length - len(text)
                self._term = (start, start + len(terms))
            at = len(self.out.parts) - 1
            self.settings[at] = SetParagraph(
                without_signs(text), size, weight, may_head=not is_apart
            )

    def _end_terms(self) -> None:
        """Write terms whose definition is no paragraph."""
        terms, self._terms = self._terms, []
        self.out.block(terms, "lines")

    def _end_list(self) -> None:
        items, self._items = self._items, []
        items = [item for item in items if any(map(str.strip, item.texts[1:]))]
        is_menu = len(items) > 1 and not any(item.unlinked for item in items)
        if is_menu and not self.keeps_menus:
            self._menus.append(items)
        else:
            self._write_items(items)

    def _write_items(self, items: Sequence[_Item]) -> None:
        texts = [item.texts[0] + "\n".join(item.texts[1:]) for item in items]
        self.out.block(texts, "list", self._term)

    def _heading(self, level: int) -> None:
        text = _plain("".join(self._take()))
        if any(map(str.isalnum, text)):
            self.out.heading(level, text)

    def _inside(self, node: Any) -> str:
        """What an element inside a table says, on one line."""
        writer = _Writer(Composer(), {}, StyleTracker({}), self._notes, self._path)
        writer.keeps_menus, writer._sign, self._sign = True, self._sign, ""
        writer.write(node)
        return _plain(writer.out.text(0))

    def _table(self, table: Any) -> None:
        caption = table.css_first("caption")
        title = self._inside(caption) if caption is not None else ""
        self.out.block([title], "prose", self._term)
        lead = (self.out.length - len(title), self.out.length) if title else self._term
        names, rows = rows_of(table, self._inside)
        self.out.table(names, rows, lead)


def _is_unseen(node: Any, tag: str) -> bool:
    attributes = node.attributes
    is_hidden = "hidden" in attributes or _HIDDEN.search(attributes.get("style") or "")
    return (
        attributes.get("role") in ("navigation", "menu", "menubar")
        or bool(is_hidden and not _is_unfolded(node))
        or (tag == "dialog" and "open" not in attributes)
    )


def _is_unfolded(node: Any) -> bool:
    """Whether what stands right above unfolds it, as questions do their answers: it names it."""
    name, above = node.attributes.get("id"), node.prev
    while above is not None and not above.is_element_node:
        above = above.prev
    if not name or above is None or len(above.text().split()) < MIN_UNFOLDING:
        return False
    named = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return any(
        named.search(value or "")
        for each in (above, *islice(above.css("*"), MAX_UNFOLDING))
        for value in each.attributes.values()
    )


def _opens_text(node: Any, tag: str) -> bool:
    """Whether it is a button that unfolds what it names, and not one that opens a menu."""
    is_long = len(node.text().split()) >= MIN_UNFOLDING
    return tag == "button" and "aria-controls" in node.attributes and is_long


def _is_mark(link: Any) -> bool:
    """Whether a link is a footnote's mark, or leads to the heading that it stands in."""
    target = link.attributes.get("href") or ""
    # Long texts are no marks: not all of a link that holds a page is looked at.
    nodes = (node for node in link.traverse(include_text=True) if node.is_text_node)
    text = "".join(node.text_content or "" for node in islice(nodes, 8))
    if "#" not in target or OUTSIDE.match(target) or len(text) > 12:
        return False
    mark = _MARK.fullmatch(text)
    if mark is None:
        return not text or not any(map(str.isalnum, text))
    return (
        bool(mark["open"])
        or not any(map(str.isalnum, text))
        or "noteref" in f"{link.attributes.get('epub:type')} {link.attributes.get('role')}"
        or link.parent.tag == "sup"
        or link.css_first("sup") is not None
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> list[str]:
    """The paragraphs of a run of text, which line breaks one after the other divide."""
    lines = map(_plain, text.split("\n"))
    return ["\n".join(run) for has_text, run in groupby(lines, bool) if has_text]
