"""What exports hold, and what they say themselves in every language of theirs."""

from __future__ import annotations

from dataclasses import fields
from typing import Literal

import pytest
from exports import (
    CLOSED,
    HEBREW,
    MARCH,
    running,
    said,
)
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer import AnswerKind
from assistant.exporting.conversations import AnnotatedTurn
from assistant.exporting.values import ExportedAnswer, Work
from assistant.exporting.wording import ENGLISH, GERMAN, one_line
from assistant.workspace.quotes import QuoteChecker
from assistant.workspace.turns import KeptAnswer, KeptCitation, KeptSentence, KeptTurn


@pytest.mark.parametrize(
    ("status", "sentences", "above", "below"),
    [
        ("answered", 1, ["Answer"], []),
        ("noted", 1, [], []),
        ("noted", 0, [], []),
        ("unsure", 1, ["Possible answers"], []),
        ("chosen", 1, [ENGLISH.leads["chosen"]], []),
        ("dismissed", 0, [ENGLISH.leads["dismissed"]], []),
        ("refused", 0, ["Not found in your documents"], []),
        ("failed", 0, ["Failed"], []),
        ("failed", 1, [], ["Failed here."]),
        ("stopped", 0, ["Not answered"], []),
        ("stopped", 1, [], ["Stopped here."]),
    ],
)
def test_what_came_of_a_question_is_said(
    status: str, sentences: int, above: list[str], below: list[str]
) -> None:
    blocks = [running(said("So."))] * sentences
    answer = ExportedAnswer("?", status, blocks)  # type: ignore[arg-type]
    assert list(ENGLISH.above(answer)) == above
    assert list(ENGLISH.below(answer)) == below


def test_every_language_says_all_of_it_in_its_own_words() -> None:
    own = ("months", "locators")
    for name in (field.name for field in fields(ENGLISH) if field.name not in own):
        english, german = getattr(ENGLISH, name), getattr(GERMAN, name)
        if isinstance(english, str):
            english, german = {"": english}, {"": german}
        assert english.keys() == german.keys()
        for key, text in english.items():
            assert text != german[key]
            assert text.count("{") == german[key].count("{")


@pytest.mark.parametrize(
    ("locator", "shown"),
    [
        ("p. xii", "S. xii"),
        ("slide 4", "Folie 4"),
        ("row 17", "Zeile 17"),
        ("p. row, row 17", "p. row, Zeile 17"),
        ("Map p. 3, row 2", "Map p. 3, Zeile 2"),
    ],
)
def test_places(locator: str, shown: str) -> None:
    told = {"document": "Harbour", "heading": ["Harbour", "Berths"], "locator": locator}
    place = MARCH.model_copy(update={**told, "paragraph": 6})
    assert ENGLISH.place(place, "Harbour") == f"Harbour › Berths › {locator} › paragraph 6"
    assert GERMAN.place(place, "Harbour") == f"Harbour › Berths › {shown} › Absatz 6"


def test_what_is_missing_is_said() -> None:
    assert ENGLISH.missing(["who paid"], ["Why?"], 2) == [
        "No answer found for: who paid.",
        "Possibly not in your documents: Why?",
        "2 sentences were left out that nothing supports.",
    ]
    assert GERMAN.missing(["Warum?"], [], 1) == [
        "Keine Antwort gefunden auf: Warum?",
        "Ein unbelegter Satz wurde weggelassen.",
    ]


@given(st.text(st.characters()))
def test_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert line.encode("utf-8").decode() == line == one_line(line)
    assert len(line.splitlines()) <= 1


def test_works_are_named_by_what_is_known() -> None:
    assert ENGLISH.named(HEBREW) == "כהן, דוד: דוח הנמל, 2020"
    assert ENGLISH.named(Work("w", " \x00", name="notes.txt")) == "notes.txt"
    dated = Work("w", "Notes", ("Doe, Jo",), "2020", name="notes.txt")
    assert ENGLISH.named(dated) == "Doe, Jo: Notes, 2020 (notes.txt)"
    assert ENGLISH.named(Work("w", "")) == "w"


# --- what an export holds ------------------------------------------------------------------------


class Standing(QuoteChecker):
    """For whom every quote still stands where it stood."""

    def __init__(self) -> None:
        pass

    def relocate(self, citation: KeptCitation) -> tuple[KeptCitation, Literal["there"]]:
        return citation, "there"

    def items(self, citation: KeptCitation) -> list[str]:
        return [citation.quote]


def blocks_of(kind: AnswerKind, *sentences: KeptSentence) -> list[tuple[str, bool, str]]:
    """Heading, item and text of each block of an answer, which cites `MARCH` and `CLOSED`."""
    answer = KeptAnswer(
        question="?",
        standalone_question="?",
        kind=kind,
        refused=False,
        sentences=[*sentences],
        citations=[MARCH, CLOSED.model_copy(update={"document": "The port"})],
    )
    turn = KeptTurn(id="turn-000001", question="?", state="answered", answer=answer)
    exported = AnnotatedTurn(turn).exported({}, Standing(), ENGLISH)
    assert set(exported.markers) <= exported.footnotes.keys()
    return [
        (b.heading, len(b.items) > 0, " ".join(s.text for s in b.sentences))
        for b in exported.blocks
    ]


def test_sentences_that_stand_together_are_a_block() -> None:
    japan, korea = {"about": "Japan"}, {"about": "Korea"}
    one, two, three, four, five = (said(f"{number}.", 1, 9) for number in range(1, 6))
    listed = [three.model_copy(update={"item": True}), four.model_copy(update={"item": True})]
    assert blocks_of("list", one, two, *listed, five) == [
        ("", False, "1. 2."),
        ("", True, "3."),
        ("", True, "4."),
        ("", False, "5."),
    ]
    compared = [two.model_copy(update=japan), three.model_copy(update=japan), four]
    assert blocks_of("comparison", one, *compared, five.model_copy(update=korea)) == [
        ("", False, "1."),
        ("Japan", True, "2."),
        ("", True, "3."),
        ("", False, "4."),
        ("Korea", True, "5."),
    ]


def test_an_overview_stands_under_the_headings_of_its_documents() -> None:
    assert blocks_of("overview", said("1.", 1), said("2.", 1), said("3.", 2), said("4.")) == [
        ("Dredging", True, "1."),
        ("", True, "2."),
        ("The port", True, "3."),
        ("", True, "4."),
    ]


@pytest.mark.parametrize(
    ("state", "noted", "status", "told"),
    [
        ("refused", [MARCH], "chosen", [one_line(MARCH.quote)]),
        ("refused", [], "refused", []),
        ("refused", None, "refused", []),
        ("unsure", [MARCH], "chosen", [one_line(MARCH.quote)]),
        ("unsure", [], "dismissed", []),
        ("unsure", None, "unsure", [CLOSED.quote]),
    ],
)
def test_passages_that_their_reader_marks_are_the_answer(
    state: Literal["refused", "unsure"], noted: list[KeptCitation] | None, status: str, told: object
) -> None:
    is_shown = state == "unsure"
    answer = KeptAnswer(
        question="?",
        standalone_question="?",
        refused=not is_shown,
        sentences=[said(CLOSED.quote, 1)] if is_shown else [],
        citations=[CLOSED.model_copy(update={"marker": 1})] if is_shown else [],
        closest=[MARCH.model_copy(update={"marker": 0})],
    )
    turn = KeptTurn(id="turn-000001", question="?", state=state, answer=answer)
    names = None if noted is None else frozenset(f"{c.document_id}/{c.start}" for c in noted)
    exported = AnnotatedTurn(turn, noted=names).exported({}, Standing(), ENGLISH)
    assert exported.status == status
    assert [one.text for block in exported.blocks for one in block.sentences] == told
