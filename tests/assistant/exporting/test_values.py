"""What an export holds, whatever format it is written in."""

from __future__ import annotations

import pytest
from exports import CLOSED, DREDGED, HARBOUR, HEBREW, MARCH, REPORT

from assistant.exporting.values import Export, ExportedAnswer, Sentence, Work


def test_sentences_that_stand_together_are_a_block() -> None:
    assert [(b.heading, b.item, len(b.sentences)) for b in DREDGED.blocks()] == [
        ("", False, 3),
        ("Points", True, 1),
        ("", True, 1),
    ]


def test_running_text_goes_on_below_a_heading_and_after_a_list() -> None:
    sentences = (
        Sentence("One.", heading="First"),
        Sentence("Two."),
        Sentence("Three.", item=True),
        Sentence("Four."),
        Sentence("Five.", heading="Second"),
    )
    blocks = ExportedAnswer("?", "answered", sentences).blocks()
    assert [(b.heading, " ".join(s.text for s in b.sentences)) for b in blocks] == [
        ("First", "One. Two."),
        ("", "Three."),
        ("", "Four."),
        ("Second", "Five."),
    ]


def test_works_are_in_the_order_in_which_they_are_cited() -> None:
    assert HARBOUR.cited == (REPORT, HEBREW)
    assert HARBOUR.shown == (MARCH, CLOSED, MARCH, MARCH)
    assert DREDGED.footnotes_of(DREDGED.sentences[1]) == [MARCH, CLOSED]


def test_markers_without_footnotes_and_footnotes_without_works_are_refused() -> None:
    with pytest.raises(ValueError, match="marker 3"):
        ExportedAnswer("?", "answered", (Sentence("So.", (1, 3)),), (MARCH,))
    with pytest.raises(ValueError, match="0123456789abcdef"):
        Export("", (DREDGED,), {HEBREW.document_id: HEBREW})


@pytest.mark.parametrize("date", ["21", "2021-13", "2021-3", "2021-02-32", "March", "2021-03-04T1"])
def test_dates_are_iso(date: str) -> None:
    with pytest.raises(ValueError, match="no date"):
        Work("w", "Title", date=date)
    with pytest.raises(ValueError, match="no date"):
        Work("w", "Title", accessed=date)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "file:///etc/passwd", "example.org"])
def test_addresses_are_on_the_web(address: str) -> None:
    with pytest.raises(ValueError, match="no address on the web"):
        Work("w", "Title", address=address)
