"""Answers as Markdown: it has footnotes, and shows what its texts say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from exports import HARBOUR, TEXTS, export_of, running, said
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.exporting.markdown import as_markdown
from assistant.exporting.values import Export, ExportedAnswer, Language
from assistant.exporting.wording import WORDINGS, one_line

EXPECTED = Path(__file__).with_name("expected")


@pytest.mark.parametrize("language", WORDINGS)
def test_a_conversation_is_written_to_the_letter(language: Language) -> None:
    expected = (EXPECTED / f"harbour.{language}.md").read_text(encoding="utf-8")
    assert as_markdown(replace(HARBOUR, language=language)) == expected


def test_a_question_that_is_the_title_stands_there_once() -> None:
    one = Export("Who paid?", (ExportedAnswer("Who paid?", "refused"),), {})
    assert as_markdown(one) == "# Who paid?\n\n*Not found in your documents.*\n"
    assert as_markdown(Export("", (), {})) == "# Answers\n"


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-29, at 10:30: 5.2% of $5 (or 10^6 €) – Smith & Co. don't pay!",
        "A snake_case name, R&D, a < b > c, 2 * 3, ~50, a|b, jo@example.org, #4, C# [sic], + 1",
        "J. Doe said so",
    ],
)
def test_what_is_no_markup_stands_as_it_is(text: str) -> None:
    answer = ExportedAnswer(text, "answered", [running(said(text))])
    assert as_markdown(Export("Title", (answer,), {})) == f"# Title\n\n## {text}\n\n{text}\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(a) The tenant", r"\(a) The tenant"),
        ("iv. The tenant", r"iv\. The tenant"),
        ("~~no~~", r"~\~no\~\~"),
        ("x^2^ and y^2", r"x\^2\^ and y\^2"),
        ("$x$", r"\$x\$"),
        ("[@doe] and [1](x)", r"\[\@doe] and \[1](x)"),
        ("see https://a.org/b", r"see https\://a.org/b"),
    ],
)
def test_what_others_than_commonmark_take_for_markup(text: str, shown: str) -> None:
    answer = ExportedAnswer("?", "answered", [running(said(text))])
    assert as_markdown(Export("Title", (answer,), {})) == f"# Title\n\n## ?\n\n{shown}\n"


READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(["1. a", "- b", "# c", "> d", "```", "---", "a | b", "[x]: y", "    e", "www.a.org <i>"])
@example(["_a_ *b* `c`", "* a", "a *", "+", "1)", "# #", "~~~", "[ ] d", "a!", "\\", "__b__ a__"])
@example(["![a](b)", "&amp; &#35;", "a # #", "***", "<!-- a", "a<", "**a** b_c_ _d", "=", "~~a~~"])
def test_every_text_shows_as_it_is(texts: list[str]) -> None:
    tokens = READER.parse(re.sub(r"(?m)^\[\^1\]: ", "", as_markdown(export_of(*texts))))
    shown = [one_line(_shown(token)) for token in tokens if token.type == "inline"]
    for text in map(one_line, texts):
        assert f"{text}[^1]" in shown, shown
    first = one_line(texts[0])
    assert any(line.endswith(f": “{first}”") for line in shown), shown
    for headed in {first} - {""}:
        assert shown.count(headed) >= len(texts), shown  # question, headings, note


def _shown(token: Token) -> str:
    """The text of a line; marks that are not ours would be there as other tokens."""
    kinds = {child.type for child in token.children or []}
    assert kinds <= {"text", "text_special", "strong_open", "strong_close", "em_open", "em_close"}
    return "".join(child.content for child in token.children or [])
