"""Topics as elements: all that they say, links to what is there, and nothing of HTML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.help.rendering import Part, parts_of
from assistant.help.topics import Topic, topics


def made(text: str) -> tuple[Part, ...]:
    return parts_of(Topic("own", "Own", "", text, Path("own.md")))


def all_of(parts: tuple[Part, ...]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from all_of(part.parts)


def said(parts: tuple[Part, ...]) -> str:
    return "".join(part.text for part in all_of(parts))


def test_html_is_text_and_links_lead_to_topics_or_the_web_alone() -> None:
    parts = made(
        "# A <b>b</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) "
        "[y](https://example.org) [z](documents.md#other-languages) [w](../secret.md) ![i](a.png)\n"
    )
    links = [part for part in all_of(parts) if part.tag == "a"]
    assert [(link.topic, link.to) for link in links] == [
        ("", "https://example.org"),
        ("documents", "other-languages"),
    ]
    assert "<script>alert(1)</script>" in said(parts)
    assert parts[0].anchor == "a-b-b-b"
    assert made("# Why “The documents do not say”?")[0].anchor == "why-the-documents-do-not-say"


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_every_topic_is_taken_apart_and_its_links_lead_somewhere(topic: Topic) -> None:
    parts = parts_of(topic)
    assert (parts[0].tag, said(parts[:1])) == ("h1", topic.title)
    anchors = {
        other.name: {part.anchor for part in all_of(parts_of(other)) if part.anchor}
        for other in topics()
    }
    links = [part for part in all_of(parts) if part.tag == "a"]
    assert topic.text.count(".md)") <= len(links)
    for link in links:
        assert link.to.startswith("https://") or link.to in {"", *anchors[link.topic]}
