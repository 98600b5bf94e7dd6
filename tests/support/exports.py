"""What the tests of exports export: a conversation of every kind, and texts of every kind."""

from __future__ import annotations

from hypothesis import strategies as st

from assistant.exporting.values import Export, ExportedAnswer, Footnote, Place, Sentence, Work

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

MARCH = Footnote(
    1,
    REPORT.document_id,
    Place(("Dredging",), "p. 14", 7),
    "Berth four\n  was <dredged>.",
)
CLOSED = Footnote(
    2, HEBREW.document_id, Place(paragraph=3), "הנמל נסגר במרץ 2020 (English).", "changed"
)

DREDGED = ExportedAnswer(
    question="When was *berth* four dredged?",
    status="answered",
    sentences=(
        Sentence("It was dredged in <March> & April.", (1,)),
        Sentence("Both say so.", (1, 2)),
        Sentence("Nobody knows why.", unsupported=True),
        Sentence("A crane was painted.", (2,), quoted=True, item=True, heading="Points"),
        Sentence("נקודה שנייה, עם English.", (1,), item=True),
    ),
    footnotes=(MARCH, CLOSED),
    notes=("The documents do not say: who paid?",),
    comment="Ask Jo about this.\n\nAnd Kim.",
    asked="2026-11-29",
    understood="When was berth four of the harbour dredged?",
    context="What is berth four?",
)
UNSURE = ExportedAnswer(
    question="Who dredged it?",
    status="unsure",
    sentences=(Sentence("The master had it dredged.", (1,), item=True, heading="Dredging"),),
    footnotes=(MARCH,),
)
STOPPED = ExportedAnswer("Why?", "stopped", (Sentence("Because.", (1,)),), (MARCH,))

HARBOUR = Export(
    title="Harbour\x00 talk",
    answers=(DREDGED, ExportedAnswer("Who paid?", "refused"), UNSURE, STOPPED),
    works={own.document_id: own for own in (UNUSED, HEBREW, REPORT)},
)


def export_of(*texts: str) -> Export:
    """An export in which each text is a sentence, every other one an item, and all of the first is
    everything else too."""
    first = texts[0]
    work = Work("w", first, (first,), name=first)
    sentences = tuple(
        Sentence(text, (1,), item=bool(number % 2), heading=first)
        for number, text in enumerate(texts)
    )
    footnote = Footnote(1, "w", Place((first,)), first)
    answer = ExportedAnswer(
        first, "answered", sentences, (footnote,), (first,), first, understood=first
    )
    return Export(f"{first}?", (answer,), {"w": work})
