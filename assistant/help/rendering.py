"""A topic of the help as it is shown: its Markdown taken apart into few kinds of elements, of which
a page makes elements of its own. No HTML comes of it, nor is any in it read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, cast, get_args

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from assistant.help.topics import Topic, hyphenated, topics

# fmt: off
Tag = Literal[
    "h1", "h2", "h3", "h4", "p", "ul", "ol", "li", "pre", "code", "strong", "em", "a", "br",
    "table", "thead", "tbody", "tr", "th", "td", "blockquote", "hr", "span",
]
# fmt: on

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")
_TO_TOPIC = re.compile(r"(?:\./)?([\w-]+)\.md(?:#([\w-]+))?")
_ELSEWHERE = re.compile(r"https?://")
_TAGS = frozenset(get_args(Tag))


@dataclass(frozen=True, slots=True)
class Part:
    """An element of a topic.

    Attributes:
        tag: what it is, as HTML calls it; `span` is text and no more.
        text: that it holds, where it holds no parts.
        parts: that it holds.
        anchor: of a heading, what an address names it by.
        topic: of a link to another place in the help, the name of the topic.
        to: of a link, what is to be shown there: the anchor of a heading; or else its address.
    """

    tag: Tag
    text: str = ""
    parts: tuple[Part, ...] = field(default=())
    anchor: str = ""
    topic: str = ""
    to: str = ""


@cache
def parts_of(topic: Topic) -> tuple[Part, ...]:
    """The elements of a topic, in order."""
    return _parts(SyntaxTreeNode(_READER.parse(topic.text)))


def _parts(node: SyntaxTreeNode) -> tuple[Part, ...]:
    return tuple(part for child in node.children for part in _part(child))


def _part(node: SyntaxTreeNode) -> tuple[Part, ...]:
    """A node as parts: itself, or what it holds where it is nothing to show."""
    if node.type in ("text", "softbreak", "html_inline", "html_block"):
        return (Part("span", " " if node.type == "softbreak" else node.content),)
    if node.type in ("code_inline", "fence", "code_block"):
        code = Part("code", node.content)
        return (code,) if node.type == "code_inline" else (Part("pre", parts=(code,)),)
    parts = _parts(node)
    if node.type == "link":
        return _link(str(node.attrs["href"]), parts)
    if node.type == "inline" or node.hidden or node.tag not in _TAGS:
        return parts
    anchor = hyphenated(_said(parts)) if node.type == "heading" else ""
    return (Part(cast(Tag, node.tag), parts=parts, anchor=anchor),)


def _link(address: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """A link to another place in the help, or on the web; any other is only what it says."""
    to_topic = _TO_TOPIC.fullmatch(address)
    if to_topic and any(topic.name == to_topic[1] for topic in topics()):
        return (Part("a", parts=parts, topic=to_topic[1], to=to_topic[2] or ""),)
    return (Part("a", parts=parts, to=address),) if _ELSEWHERE.match(address) else parts


def _said(parts: tuple[Part, ...]) -> str:
    return "".join(part.text or _said(part.parts) for part in parts)
