"""A topic of the help as an HTML page, which lists all topics next to it."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.help.topics import Topic, hyphenated, topics

TEMPLATE = Path(__file__).parent / "static" / "help.html"

_READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
_TO_TOPIC = re.compile(r"([\w-]+)\.md(#[\w-]+)?")


def page_of(topic: Topic) -> str:
    """Return the page of a topic. Its addresses are relative to `/help/NAME`."""
    tokens = _READER.parse(topic.text)
    for block, after in zip(tokens, [*tokens[1:], Token("end", "", 0)], strict=True):
        if block.type == "heading_open":
            words = "".join(child.content for child in after.children or [])
            block.attrSet("id", hyphenated(words))
        for link in after.children or []:
            if link.type == "link_open":
                _lead(link)
    entries = (
        f'<li><a href="{known.name}"{" aria-current=page" if known == topic else ""} '
        f'title="{escape(known.summary)}">{escape(known.title)}</a></li>'
        for known in topics()
    )
    article = _READER.renderer.render(tokens, _READER.options, {})
    # Code and tables may be wider than the page: they are scrolled by themselves, by keys too.
    article = article.replace("<pre>", '<pre tabindex="0">')
    article = article.replace("<table>", '<div class="table" tabindex="0"><table>')
    article = article.replace("</table>", "</table></div>")
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(
        title=escape(topic.title),
        topics="\n".join(entries),
        article=article,
    )


def _lead(link: Token) -> None:
    """Have a link to a topic lead to its page, and any other open in a tab of its own."""
    if to_topic := _TO_TOPIC.fullmatch(str(link.attrGet("href"))):
        link.attrSet("href", f"{to_topic[1]}{to_topic[2] or ''}")
    else:
        link.attrSet("target", "_blank")
        link.attrSet("rel", "noopener noreferrer")
