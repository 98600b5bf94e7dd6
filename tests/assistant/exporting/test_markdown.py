"""Answers as Markdown: it has footnotes, and shows what its texts say."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from exports import HARBOUR, TEXTS, export_of
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from assistant.exporting.markdown import as_markdown
from assistant.exporting.values import Export, ExportedAnswer, Sentence
from assistant.exporting.wording import one_line

HARBOUR_TALK = r"""# Harbour talk

*Quotes that do not stand in the documents as they are now: 1 of 4. Each is marked at its source.*

## When was \*berth\* four dredged?

*Asked on 2026-11-29.*

*Understood as: “When was berth four of the harbour dredged?”*

*Understood in the context of: “What is berth four?”*

It was dredged in &lt;March> & April.[^1] Both say so.[^1][^2] Nobody knows why. *(not in the documents)*

**Points**

- “A crane was painted.”[^2]
- נקודה שנייה, עם English.[^1]

*The documents do not say: who paid?*

> **Comment:** Ask Jo about this.
>
> And Kim.

[^1]: Müller, Karl; Ministry of Ships and Sea: The \{harbour \\ report: 50% & more, 2021-03-04, Dredging › p. 14 › paragraph 7: “Berth four was &lt;dredged>.” <https://example.org/a_b?x=%7B1%7D> (accessed 2026-11-29)
[^2]: כהן, דוד: דוח הנמל, 2020, paragraph 3: “הנמל נסגר במרץ 2020 (English).” **No longer in the document: the paragraph reads otherwise now.**

## Who paid?

*The documents do not say.*

## Who dredged it?

*Passages that may answer:*

**Dredging**

- The master had it dredged.[^3]

[^3]: """  # noqa: E501


def test_a_conversation() -> None:
    text = as_markdown(HARBOUR)
    assert text.startswith(HARBOUR_TALK)
    assert "Because.[^4]\n\n*Stopped here.*\n\n[^4]: " in text
    sources = text.partition("\n## Sources\n\n")[2].splitlines()
    assert [line.partition(",")[0] for line in sources] == ["- Müller", "- כהן"]


def test_in_german() -> None:
    lines = as_markdown(replace(HARBOUR, language="de")).splitlines()
    assert lines[2].startswith("*Zitate, die so nicht mehr in den Dokumenten stehen: 1 von 4.")
    assert "*Gefragt am 29. November 2026.*" in lines
    assert "*Verstanden als: „When was berth four of the harbour dredged?“*" in lines
    assert "- „A crane was painted.“[^2]" in lines
    assert "> **Anmerkung:** Ask Jo about this." in lines
    [first, second, *_] = [line for line in lines if line.startswith("[^")]
    assert "more, 4. März 2021, Dredging › S. 14 › Absatz 7: „Berth four was" in first
    assert first.endswith("(abgerufen am 29. November 2026)")
    assert second.endswith("**Steht so nicht mehr im Dokument: Der Absatz lautet jetzt anders.**")
    assert {"*Die Dokumente sagen das nicht.*", "*Hier angehalten.*", "## Quellen"} <= {*lines}


def test_a_question_that_is_the_title_stands_there_once() -> None:
    one = Export("Who paid?", (ExportedAnswer("Who paid?", "refused"),), {})
    assert as_markdown(one) == "# Who paid?\n\n*The documents do not say.*\n"


def test_every_footnote_has_a_number_of_its_own_and_is_defined_once() -> None:
    text = as_markdown(HARBOUR)
    assert re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE) == ["1", "2", "3", "4"]
    assert set(re.findall(r"\[\^(\d+)\]", text)) == {"1", "2", "3", "4"}


def test_nothing_at_all() -> None:
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
    answer = ExportedAnswer(text, "answered", (Sentence(text),))
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
    answer = ExportedAnswer("?", "answered", (Sentence(text),))
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
