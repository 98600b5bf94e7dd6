"""Answers as Markdown: it has footnotes, and shows what its texts say."""

from __future__ import annotations

import re

from exports import HARBOUR, TEXTS, export_of
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.exporting.markdown import as_markdown
from assistant.exporting.values import Export
from assistant.exporting.wording import one_line

HARBOUR_TALK = r"""# Harbour talk

## When was \*berth\* four dredged?

*Asked on 2026\-11\-29\.*

It was dredged in &lt;March\> &amp; April\.[^1] Both say so\.[^1][^2] Nobody knows why\. *(not in the documents)*

**Points**

- A crane was painted\.[^2]
- נקודה שנייה, עם English\.[^1]

*The documents do not say\: who paid?*

> **Comment:** Ask Jo about this\.
>
> And Kim\.

[^1]: Müller, Karl; Ministry of Ships and Sea\: The \{harbour \\ report\: 50% &amp; more, 2021\-03\-04, Dredging › p\. 14 › paragraph 7\: “Berth four was &lt;dredged\>\.” <https://example.org/a_b?x=%7B1%7D> (accessed 2026-11-29)
[^2]: כהן, דוד\: דוח הנמל, 2020, paragraph 3\: “הנמל נסגר במרץ 2020 \(English\)\.”

## Who paid?

*The documents do not say\.*

## Who dredged it?

*Passages that may answer\:*

**Dredging**

- The master had it dredged\.[^3]

[^3]: """  # noqa: E501


def test_a_conversation() -> None:
    text = as_markdown(HARBOUR)
    assert text.startswith(HARBOUR_TALK)
    assert "Because\\.[^4]\n\n*Stopped here\\.*\n\n[^4]: " in text
    sources = text.partition("\n## Sources\n\n")[2].splitlines()
    assert [line.partition(",")[0] for line in sources] == ["- Müller", "- כהן"]


def test_every_footnote_has_a_number_of_its_own_and_is_defined_once() -> None:
    text = as_markdown(HARBOUR)
    assert re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE) == ["1", "2", "3", "4"]
    assert set(re.findall(r"\[\^(\d+)\]", text)) == {"1", "2", "3", "4"}


def test_nothing_at_all() -> None:
    assert as_markdown(Export("", (), {})) == "# Answers\n"


@given(st.lists(TEXTS, min_size=1, max_size=4))
@example(
    [
        "1. a",
        "- b",
        "# c",
        "> d",
        "```",
        "---",
        "a | b",
        "[x]: y",
        "    e",
        "www.a.org <i>",
        "_a_ *b* `c`",
    ]
)
def test_every_text_shows_as_it_is(texts: list[str]) -> None:
    tokens = MarkdownIt().parse(re.sub(r"(?m)^\[\^1\]: ", "", as_markdown(export_of(*texts))))
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
