"""What the tests of exports export: a conversation of every kind, and texts of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from assistant.answer import Verdict
from assistant.exporting.values import Block, Export, ExportedAnswer, Footnote, Item, Work
from assistant.workspace.turns import KeptCitation, KeptSentence

_SIGNS = "{}[]()\\%&#$_~^<>|\"'`*+-.,:;?!@=/›“” \n\r\t\x00\x0b\x1b\x85\u2028\u202e\ud800\ufffe"
_MARKS = ("_a_", "*b*", "`c`", "[^1]", "<b>", "&lt;", "--", "!`", " and ", "others", "ER  - ")
#: Any text: letters of every script, halves of characters, and what means something to somebody.
TEXTS = st.lists(
    st.one_of(
        st.sampled_from([*_SIGNS, *_MARKS]),
        st.text(st.characters(), max_size=5),
    ),
    max_size=12,
).map("".join)

REPORT = Work(
    document_id="0123456789abcdef",
    title="The {harbour \\ report: 50% & more",
    authors=("Müller, Karl", "Ministry of Ships and Sea"),
    date="2021-03-04",
    address="https://example.org/a_b?x={1}",
    accessed="2026-11-29",
    name="report.pdf",
    language="en",
)
HEBREW = Work("00ff00ff00ff00ff", "דוח הנמל", ("כהן, דוד",), "2020", language="he")
UNUSED = Work("ffffffffffffffff", "Nobody cites this")


def cited(
    work: Work,
    quote: str,
    *heading: str,
    locator: str = "",
    paragraph: int = 1,
    marker: int = 1,
) -> KeptCitation:
    """A citation of a work, whose title is not among its headings."""
    return KeptCitation(
        marker=marker,
        document="",
        document_id=work.document_id,
        heading=[*heading],
        paragraph=paragraph,
        locator=locator,
        start=0,
        end=len(quote),
        quote=quote,
        paragraph_start=0,
        paragraph_end=len(quote),
        paragraph_text=quote,
    )


def said(text: str, *markers: int, verdict: Verdict = "supported") -> KeptSentence:
    """A sentence with these markers."""
    return KeptSentence(text=text, verdict=verdict, markers=[*markers])


def running(*sentences: KeptSentence, heading: str = "") -> Block:
    """Running text."""
    return Block(heading, [*sentences])


def item(sentence: KeptSentence, heading: str = "", *items: Item) -> Block:
    """An item of a list, or several that one sentence quotes."""
    return Block(heading, [sentence], items or (Item(sentence.text),))


MARCH = cited(REPORT, "Berth four\n  was <dredged>.", "Dredging", locator="p. 14", paragraph=7)
CLOSED = cited(HEBREW, "הנמל נסגר במרץ 2020 (English).", paragraph=3, marker=2)
OF_MARCH, OF_CLOSED = Footnote(MARCH), Footnote(CLOSED, "changed")

DREDGED = ExportedAnswer(
    question="When was *berth* four dredged?",
    status="answered",
    blocks=[
        running(
            said("It was dredged in <March> & April.", 1),
            said("Both say so.", 1, 2),
            said("Nobody knows why.", verdict="unsupported"),
        ),
        item(said("A crane was painted.", 2, verdict="quoted"), "Points"),
        item(said("נקודה שנייה, עם English.", 1)),
    ],
    footnotes={1: OF_MARCH, 2: OF_CLOSED},
    remarks=["No answer found for: who paid?"],
    comment="Ask Jo about this.\n\nAnd Kim.",
    asked="2026-11-29",
    confidence=0.95,
    understood="When was berth four of the harbour dredged?",
    context="What is berth four?",
)
UNSURE = ExportedAnswer(
    question="Who dredged it?",
    status="unsure",
    blocks=[running(said("The master had it dredged.", 1))],
    confidence=0.4,
    footnotes={1: OF_MARCH},
)
STEPS = cited(REPORT, "Ring.\n2. Wait.", paragraph=8, marker=2)
LISTED = ExportedAnswer(
    question="How is it dredged?",
    status="answered",
    blocks=[
        item(said("Stand by.", 1, verdict="quoted"), "", Item("Stand by.", 4)),
        item(said("Begin.", 1, verdict="quoted"), "", Item("Begin.", 5)),
        item(said("Ring. Wait.", 2, verdict="quoted"), "", Item("Ring.", 1), Item("2. Wait!", 2)),
        item(said("A. B.", 1, verdict="quoted"), "", Item("- A.\nC."), Item("B.")),
        running(said("That is all.", 1)),
        item(said("Begin.", 1), "", Item("Begin.", 2)),
    ],
    footnotes={1: OF_MARCH, 2: Footnote(STEPS)},
    confidence=0.71,
)
STOPPED = ExportedAnswer("Why?", "stopped", [running(said("Because.", 1))], {1: OF_MARCH})

HARBOUR = Export(
    title="Harbour\x00 talk",
    answers=(DREDGED, ExportedAnswer("Who paid?", "refused"), UNSURE, LISTED, STOPPED),
    works={own.document_id: own for own in (UNUSED, HEBREW, REPORT)},
)


def export_of(*texts: str) -> Export:
    """An export in which each text is a sentence, every other one an item, and all of the first is
    everything else too."""
    first = texts[0]
    work = Work("w", first, (first,), name=first)
    blocks = [
        item(said(text, 1), first) if number % 2 else running(said(text, 1), heading=first)
        for number, text in enumerate(texts)
    ]
    footnotes = {1: Footnote(cited(work, first, first))}
    answer = ExportedAnswer(first, "answered", blocks, footnotes, [first], first, understood=first)
    return Export(f"{first}?", [answer], {"w": work})
