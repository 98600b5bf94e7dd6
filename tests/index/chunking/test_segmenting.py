"""Paragraphs and sentences: layouts, headings, offsets, and that nothing gets lost."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunking.chunker import MAX_PARAGRAPH, MAX_SENTENCE, Segmentation, segmentation
from index.chunking.layout import Block, Layout
from index.chunking.sentences import sentence_spans
from index.models import ENGLISH, Paragraph, Sentence
from index.readers.markdown import read_markdown
from index.readers.plaintext import read_plain


def plain(text: str) -> Segmentation:
    return segmentation(read_plain(text), "d", ENGLISH)


def markdown(text: str) -> Segmentation:
    return segmentation(read_markdown(text), "d", ENGLISH)


def outline(result: Segmentation) -> list[tuple[tuple[str, ...], str]]:
    return [(p.heading, p.text) for p in result.paragraphs]


def texts(paragraph: Paragraph) -> list[str]:
    return [s.text for s in paragraph.sentences]


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text, 0, len(text))]


def check(text: str, result: Segmentation) -> None:
    """The invariants that hold for any text in any layout."""
    last = 0
    for number, paragraph in enumerate(result.paragraphs, 1):
        assert paragraph.number == number
        assert last <= paragraph.start < paragraph.end
        assert text[paragraph.start : paragraph.end] == paragraph.text
        assert len(paragraph.text) <= MAX_PARAGRAPH
        assert paragraph.start == paragraph.sentences[0].start
        assert paragraph.end == paragraph.sentences[-1].end
        at = paragraph.start
        for sentence in paragraph.sentences:
            assert not text[at : sentence.start].strip()
            assert at <= sentence.start < sentence.end
            assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
            assert len(sentence.text) <= MAX_SENTENCE
            at = sentence.end
        last = paragraph.end


PIECES = st.sampled_from(
    [
        *(
            "\n§\r\n§\r§\n\n§\x0b§\x0c§\x85§\u2028§\u2029§ §\t§    §# §## §- §* §1. §> §```§~~~§"
            '---§===§| a | b |§|---|---|§<!--§-->§<b>§[a]: /u§[1]§**§“§”§"§(§)§…§.§?§!§Word§word§'
            "Dr.§No. §U.S.§😀§日本。§é§a. B §One is here. Two is there. §Title Here§key: value"
        ).split("§"),
        "\ufffd",
        "x" * 1200,
        "a b " * 700,
    ]
)
SOUP = st.lists(PIECES, max_size=30).map("".join)
ANY = st.one_of(st.text(), SOUP)


@settings(max_examples=300)
@given(ANY)
@pytest.mark.parametrize("read", [read_plain, read_markdown])
def test_invariants(read: Callable[[str], Layout], text: str) -> None:
    layout = read(text)
    result = segmentation(layout, "d", ENGLISH)
    check(layout.text, result)
    assert bool(result.paragraphs) == bool(layout.text.strip())
    assert segmentation(read(text), "d", ENGLISH) == result
    if read is read_plain:
        no_word_is_lost(text, result)


def no_word_is_lost(text: str, result: Segmentation) -> None:
    """Each line with a letter or digit is in a paragraph, in some path of headings, or, where it
    is one word, dropped as stray."""
    headings = {heading for p in result.paragraphs for heading in p.heading}
    inside = [False] * len(text)
    for p in result.paragraphs:
        inside[p.start : p.end] = [True] * (p.end - p.start)
    at = 0
    for line in text.splitlines(keepends=True):
        lost = any(c.isalnum() and not inside[at + i] for i, c in enumerate(line))
        assert not lost or line.strip() in headings or len(line.split()) == 1
        at += len(line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # as the seed is laid out
            "The opening has no heading.\nJapan and the US\nA meeting was held. It went well.\n.\n"
            "How has the relationship evolved?\nSome repeat an argument.\nSHARE\n",
            [
                ((), ["The opening has no heading."]),
                (("Japan and the US",), ["A meeting was held.", "It went well."]),
                (("How has the relationship evolved?",), ["Some repeat an argument."]),
            ],
        ),
        (  # headings in a run nest
            "The Book\n\nChapter One\n\nIt begins here.",
            [(("The Book", "Chapter One"), ["It begins here."])],
        ),
        (  # a longer run is content
            "Roses\n\nViolets\n\nSugar\n\nHoney\n\nAnd so it ends.",
            [((), ["Roses", "Violets", "Sugar", "Honey"]), ((), ["And so it ends."])],
        ),
        (  # so is a short answer to a question
            "What is the capital?\n\nParis of course\n\nIt lies on the Seine.",
            [((), ["What is the capital?", "Paris of course"]), ((), ["It lies on the Seine."])],
        ),
        (  # underlined headings nest by their underline
            "Guide\n=====\n\nSetup\n-----\nInstall it first.\n\nUse\n---\nThen run it.\n",
            [(("Guide", "Setup"), ["Install it first."]), (("Guide", "Use"), ["Then run it."])],
        ),
        (  # a list is one paragraph with an item a sentence
            "Bring these things:\n- a tent. A big one\n- a rope\n  of ten metres\n- food\n",
            [
                ((), ["Bring these things:"]),
                ((), ["- a tent. A big one", "- a rope\n  of ten metres", "- food"]),
            ],
        ),
    ],
)
def test_layouts_of_plain_text(
    text: str, expected: list[tuple[tuple[str, ...], list[str]]]
) -> None:
    result = plain(text)
    assert [(p.heading, texts(p)) for p in result.paragraphs] == expected
    # The title is the heading that the text begins with.
    assert result.title == next(iter(expected[0][0]), None)


def test_wrapped_lines_are_one_paragraph_and_layouts_mix() -> None:
    wrapped = "The first sentence is wrapped over\ntwo lines. The second one is wrapped\ntoo."
    text = f"{wrapped}\r\n\r\nOne line is a paragraph.\r\nAnother line is one too.\r\n"
    result = plain(text)
    assert [p.text for p in result.paragraphs] == [
        wrapped,
        "One line is a paragraph.",
        "Another line is one too.",
    ]
    assert [s.replace("\n", " ") for s in texts(result.paragraphs[0])] == split(
        wrapped.replace("\n", " ")
    )


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(["One fox ran off.", "Dr. Smith said “go.”", "He left at 3 p.m. on foot."]),
        min_size=2,
    ),
    st.lists(st.sampled_from(["\n", "\r\n", "  ", "\r", "\u2028"]), min_size=1),
)
def test_line_breaks_inside_prose_do_not_matter(sentences: list[str], breaks: list[str]) -> None:
    words = " ".join(sentences).split(" ")
    broken = "".join(word + breaks[i % len(breaks)] for i, word in enumerate(words))
    assert [s.split() for s in split(broken)] == [s.split() for s in split(" ".join(words))]


@pytest.mark.parametrize("text", ["SHARE", "...", "Only a Heading", "* * *\n\n----\n"])
def test_a_whole_document_is_never_dropped(text: str) -> None:
    assert plain(text).paragraphs


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith met J. R. R. Tolkien in the U.S. on Feb. 11 at 3 p.m.", "He said hi."],
        ["It was No. 1, e.g. good.", "Then he left."],
        ["Is it so?", "No.", "A new one comes."],
        ["It is an “axis of convenience.”", "This underestimates it."],
        ["It is perfect for me.", "I fell ill.", "Thanks to the art.", "A man from Ill. came."],
        ["He ran off…", "Then he came back."],
        ["He went.", "(See this one.)", "And then he came."],
        ["It ends.[1]", "The next one does.[2][3]", "So does this."],
        ["It starts at 3 a.m. EST on Monday.", "See Eq. 2 and vol. 3 for it."],
        ["ASP.NET is a name.", "It was bad.", "It broke."],
        ["1. First one.", "2. Second one."],
        ["😀 “Yes!”", "He left 😀 early.", "“No!”", "She stayed."],
        ["It is (almost) over.)", "The rest follows."],
    ],
)
def test_sentences(sentences: list[str]) -> None:
    assert split(" ".join(sentences)) == sentences


def test_a_long_quotation_has_sentences() -> None:
    said = '"' + "They came here and they saw it all. " * 12 + 'They won."'
    assert len(split(f"He said {said} Then he left.")) == 14


def test_long_paragraphs_are_split_at_sentence_ends_into_even_parts() -> None:
    parts = plain("This is one of the sentences here. " * 300).paragraphs
    sizes = [len(p.text) for p in parts]
    assert len(parts) == 7
    assert max(sizes) - min(sizes) < 100
    assert all(s == "This is one of the sentences here." for p in parts for s in texts(p))


MARKDOWN = """---
title: Left out
---
# Guide to *it*

Intro **bold** text. Second
sentence.

<!-- a comment -->

## Steps

- one
  - inner
- two

| a | b |
|---|---|
| 1 | 2 |

> Quoted words
> go on.

```python
x = 1
y = 2
```

# Other

Last.
"""


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_markdown(ending: str) -> None:
    layout = read_markdown(MARKDOWN.replace("\n", ending))
    result = segmentation(layout, "d", ENGLISH)
    check(layout.text, result)
    assert result.title == "Guide to it"
    steps = ("Guide to it", "Steps")
    assert [(p.heading, texts(p)) for p in result.paragraphs] == [
        (("Guide to it",), ["Intro bold text.", "Second\nsentence."]),
        (steps, ["one", "inner", "two"]),
        (steps, ["a: 1 | b: 2"]),
        (steps, ["Quoted words\ngo on."]),
        (steps, ["x = 1", "y = 2"]),
        (("Other",), ["Last."]),
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("A **D**iameter of _2_ `m` \\* 3 &lt; 7.", "A Diameter of 2 m * 3 < 7."),
        (
            "See [the *rules*](https://example.org/a_b) or ![a plan](x.png).",
            "See the rules or a plan.",
        ),
        ("See [them][r].\n\n[r]: https://example.org", "See them."),
        (
            "Use <span class='x'>the</span> key <key> or<br>a&nbsp;card.",
            "Use the key <key> or\na\xa0card.",
        ),
        ('A **rule**{: data-type="term"} holds.\n{: .note}', "A rule holds."),
        ("It is so[^1].\n\n[^1]: Or was it?", "It is so.\n\nOr was it?"),
        ("It heals.<sup>[7](#fn7)</sup> See rule [7](#rule-7).", "It heals. See rule 7."),
        ('## Hours {#hours}\n\nAt [9]({{ site.url }}/x "y").', "Hours\n\nAt 9."),
        (":::note[Hot]\nDo *not* touch.\n:::", "Hot\nDo not touch."),
        (":::caution Mind\nIt is hot.\n:::", "Mind\nIt is hot."),
        ("1. Stop.\n   :::note\n   It is hot.\n   :::", "1. Stop.\n\nIt is hot."),
        ("> [!WARNING]\n> It is __hot__.", "It is hot."),
        ("> [!tip]- Wait\n> It is hot.", "Wait\nIt is hot."),
        (
            "3. three\n   - inner\n   - more\n4. four\n\n   And *so* on.",
            "3. three\n  inner\n  more\n4. four\nAnd so on.",
        ),
        ("| | |\n|-|-|\n| 1.11 | Repairs |\n| 1.12 | Pay |", "1.11 | Repairs\n\n1.12 | Pay"),
        ("```c\nif (a)\n    *b = 1;\n```", "if (a)\n    *b = 1;"),
        ("<div class='x' markdown='1'>\nIt is **so**.\n</div>", "It is so."),
        (
            "<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>",
            "a: 1 | b: 2",
        ),
        (
            "- so:\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |\n\n  after",
            "so:\n\na: 1 | b: 2\n\nafter",
        ),
        ("{% comment %}\n# Moved\n\nGone.\n{%- endcomment -%}\n\nIt is so.", "It is so."),
        ("---\ntitle: Tea\n---\nIt is **hot**.\n<!-- not\n\nread -->", "It is hot."),
    ],
)
def test_marks_of_markdown_are_not_read(text: str, read: str) -> None:
    layout = read_markdown(text)
    assert layout.text == read
    check(read, segmentation(layout, "d", ENGLISH))


def test_what_only_says_where_something_stands_is_told() -> None:
    leaders = (
        "Safety . . . . . 3\nWarranty . . . . . 7\nRepairs . . . . . 9\nDisposal . . . . . 12\n"
    )
    prices = "Tea . . . . . 4\nCoffee . . . . . 3\nCake . . . . . 5\nSoup . . . . . 6\n"
    for text, kind in ((leaders, "contents"), (prices, "prose")):
        result = plain(f"{text}\nIt is kept dry and it is cleaned with a soft cloth.")
        assert {p.kind for p in result.paragraphs[:-1]} == {kind}
        assert result.paragraphs[-1].kind == "prose"


def test_nothing_stands_under_the_heading_of_contents_but_these() -> None:
    names = "Mooring", "Dues", "Ropes", "Lamps"
    listed = "# Contents\n\n" + "".join(f"- {name}\n" for name in names)
    texts = "".join(f"\n## {name}\n\nOf {name}.\n" for name in names)
    for between, under in (("", []), ("\nRead this.\n", [()])):
        layout = read_markdown(listed + between + texts)
        contents, *rest = segmentation(layout, "d", ENGLISH).paragraphs
        assert (contents.kind, contents.heading) == ("contents", ("Contents",))
        assert [p.heading for p in rest] == [*under, *((name,) for name in names)]


RULES = "## Visits\n\nYou may bring:\n\n- a dog\n- a chair\n\n"
ASKED = "Is it open?\n\nIt is.\n\nAll year round.\n\nIs it free?\n\nNo.\n\nMay I swim?\n\nYou may."


@pytest.mark.parametrize(
    ("text", "leads"),
    [
        (f"{RULES}It is open.", [None, "You may bring:", None]),
        (f"{RULES}## Swimming\n\n- a towel", [None, "You may bring:", None]),
        ("Write to us at\n\n- the quay\n- the mill", [None, "Write to us at"]),
        ("Write to us.\n\n- the quay\n- the mill", [None, None]),
        (
            "It says:\n\n(a) no dogs, and\n\n(b) no cats.\n\nSo it is.",
            [None, *["It says:"] * 2, None],
        ),
        (
            "(a) Nobody brings:\n\n(1) dogs, or\n\n(2) cats.\n\n(b) It is open.",
            [None, "(a) Nobody brings:", "(a) Nobody brings:", None],
        ),
        ("Is it open?\n\nIt is.\n\nAll year round.", [None, "Is it open?", None]),
        (
            ASKED,
            [None, "Is it open?", "Is it open?", None, "Is it free?", None, "May I swim?"],
        ),
        ("It is shut. Is it open?\n\nIt is.", [None, "Is it open?"]),
        ("Renting out\n\nAsk the board.\n\nIt answers.", [None, "Renting out", None]),
        ("Renting out\n\nThe board\n\nTime: noon\n\nIt answers.", [None] * 4),
        ("- Is it open?\n- Is it free?\n\nIt is.", [None, None]),
    ],
)
def test_what_leads_into_a_paragraph(text: str, leads: list[str | None]) -> None:
    layout = read_markdown(text)
    result = segmentation(layout, "d", ENGLISH)
    check(layout.text, result)
    assert [p.lead and p.lead.text for p in result.paragraphs] == leads
    for lead in filter(None, (p.lead for p in result.paragraphs)):
        assert layout.text[lead.start : lead.end] == lead.text


def test_a_context_is_the_same_however_lines_break() -> None:
    ids = {
        segmentation(read_markdown(f"# Mill\n\n{lead}\n\n- a dog"), "d", ENGLISH).paragraphs[1].id
        for lead in ("You may bring:", "You\nmay bring:")
    }
    assert len(ids) == 1


def test_an_amount_that_only_a_heading_says_is_a_paragraph_too() -> None:
    result = markdown("# Grants of 2021\n\nWho gets some.\n\n## Mills $500,000\n\nFor two of them.")
    mills = ("Grants of 2021", "Mills $500,000")
    assert [(p.heading, p.text) for p in result.paragraphs] == [
        (mills[:1], "Who gets some."),
        (mills[:1], mills[1]),
        (mills, "For two of them."),
    ]


def test_a_reader_may_tell_what_leads_into_a_block() -> None:
    text = "Prices\n\nTea: 4"
    layout = Layout(text, (Block(((8, 14),), "row", lead=(0, 6)),))
    [paragraph] = segmentation(layout, "d", ENGLISH).paragraphs
    assert (paragraph.text, paragraph.lead) == ("Tea: 4", Sentence(0, 6, "Prices"))


TABLE = "| | | |\n|-|-|-|\n| 1.9 | Safety | 3 |\n| 1.10 | Repairs | 7 |\n| 1.11 | Warranty | 7 |\n"
CITED = "Ann Lee. Mills and rivers. 1971.\n\nBob Ray. https://example.org/quays"
MENU = "- [Oil](#oil)\n- [Wick](#wick)\n- [Glass](#glass)\n- [Foghorn](#foghorn)\n"
LAMPS = "\n## Oil\n\nIt is kept dry.\n\n## Wick\n\nIt is kept dry.\n\n## Glass\n\nIt is kept dry."


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (f"{TABLE}| 1.12 | Disposal | 9 |\n\nIt is kept dry.", [*["contents"] * 4, "prose"]),
        (f"{TABLE}| 1.12 | Disposal | 2 |\n\nIt is kept dry.", [*["row"] * 4, "prose"]),
        (f"# References\n\n{CITED}", ["contents", "contents"]),
        (f"# Mills\n\n{CITED}", ["prose", "prose"]),
        ("# References\n\nWe call two of them.", ["prose"]),
        (
            f"# Lamps\n\nWho tends them reads this first.\n\n{MENU}{LAMPS}",
            ["prose", "contents", "prose", "prose", "prose"],
        ),
        ("- [Sick *leave*](sick.md)\n- [Pay](#pay)\n\nOn [Mondays](m.md).", ["contents", "prose"]),
        ("- [A mill](https://example.org/a)\n- [Its law](https://example.org/b)", ["list"]),
        ("- [Pay](#pay): on Mondays\n- [Leave](leave.md)", ["list"]),
        ("[Next: the mill](mill.md)\n\nIt is white.", ["contents", "prose"]),
        ("# The mill\n\n- [Pay](#pay)\n- [Leave](leave.md)", ["contents"]),
        ("- [Pay](#pay)\n\n      pay now\n- [Leave](leave.md)", ["list"]),
    ],
)
def test_menus_contents_and_references_in_markdown_are_told(text: str, kinds: list[str]) -> None:
    assert [p.kind for p in markdown(text).paragraphs] == kinds


def test_markdown_lines_end_where_markdown_ends_them() -> None:
    text = "One\x0cstill one\u2028still.\n\n# Head\n\nTwo."
    assert outline(markdown(text)) == [
        ((), "One\x0cstill one\u2028still."),
        (("Head",), "Two."),
    ]


@pytest.mark.parametrize("text", ["A word and Dr. Who. It was. ", "x", '"Open a. Then '])
def test_a_line_of_1_mb_comes_to_an_end(text: str) -> None:
    """What looks at the rest of the line at every sentence of it would not."""
    assert plain(text * (1_000_000 // len(text))).paragraphs


@pytest.mark.parametrize(
    "text",
    [
        f":::{' ' * 50_000}(",
        f":::note a{' ' * 50_000}b",
        f"[a]({'{%%}' * 50_000}",
        "[^" * 50_000,
    ],
)
def test_marks_of_markdown_that_never_end_are_read_as_text(text: str) -> None:
    """What tries each beginning with each end would take many minutes."""
    assert len(read_markdown(text).parts) == 1


def test_a_long_sentence_is_cut_into_its_provisions() -> None:
    lead = "A dog is deemed dangerous by the town upon any of the following grounds, namely:"
    first = f"(a) being found in a school or a church{' or near one' * 30};"
    second = f"(b) having bitten a person or an animal{' or a horse' * 20}; or"
    third = "(c) having caused damage (see (d) below) to property that is owned by another."
    text = " ".join([lead, first, second, third])
    assert split(text) == [lead, first, second, third]
    short = "It is (a) red; (b) green; or (c) blue and (d) of a size that all can see from afar."
    assert split(short) == [short]
