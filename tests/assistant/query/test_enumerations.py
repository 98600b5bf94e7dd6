"""What a text enumerates."""

from __future__ import annotations

import pytest
from growth import grows_linearly
from hypothesis import given
from hypothesis import strategies as st

from assistant.query.english import content_stems
from assistant.query.enumerations import Enumeration, numbered, series


def told(text: str, found: Enumeration | None) -> tuple[str, list[str]] | None:
    if found is None:
        return None
    return text[slice(*found.lead)], [text[slice(*item)] for item in found.items]


@pytest.mark.parametrize(
    ("text", "lead", "items"),
    [
        (
            "Two things count: (1) the price; and (2) the weight.",
            "Two things count:",
            ["the price", "the weight."],
        ),
        ("1. Dry it. 2. Oil it. 3. Store it.", "", ["Dry it.", "Oil it.", "Store it."]),
        ("We a) plan, b) dig and c) plant.", "We", ["plan", "dig", "plant."]),
        (
            "Why so? First, it is cheap. Second, it is near. It rains.",
            "",
            ["it is cheap.", "it is near."],
        ),
    ],
)
def test_numbers_that_follow_each_other_count_items(text: str, lead: str, items: list[str]) -> None:
    ends = [n + 1 for n, c in enumerate(text) if c in ".?" and text[n + 1 : n + 2] in ("", " ")]
    ends = [end for end in ends if not text[: end - 1].endswith(("1", "2", "3"))]
    (found,) = numbered(text, ends)
    assert told(text, found) == (lead, items)


@pytest.mark.parametrize(
    "text",
    ["See (1) and (3).", "In 2014 2. came first.", "He came first, she left.", "(b) is void.", ""],
)
def test_other_numbers_count_nothing(text: str) -> None:
    assert numbered(text) == []


@pytest.mark.parametrize(
    ("text", "lead", "items"),
    [
        (
            "The panels include the Audit Panel, which meets in May; the Pay Panel; and the Board.",
            "The panels include",
            ["the Audit Panel, which meets in May", "the Pay Panel", "the Board"],
        ),
        (
            "It was for three reasons: cost, time and noise.",
            "It was for three reasons:",
            ["cost", "time", "noise"],
        ),
        (
            "We keep birds such as hens, ducks, and geese, in a yard.",
            "We keep birds such as",
            ["hens", "ducks", "geese"],
        ),
        (
            "Fields ranging from art, law, chess, etc.",
            "Fields ranging from",
            ["art", "law", "chess"],
        ),
        (
            "The letter calls for a truce, a treaty, and talks.",
            "The letter calls for",
            ["a truce", "a treaty", "talks"],
        ),
    ],
)
def test_a_series_is_taken_apart(text: str, lead: str, items: list[str]) -> None:
    assert told(text, series(text, content_stems("What does the letter call for?"))) == (
        lead,
        items,
    )


@pytest.mark.parametrize(
    "text",
    [
        "It rained, and we went home.",
        "Ties grew not just due to fear, but as a result of trade and of talk.",
        "They are tired.",
        "",
    ],
)
def test_what_is_no_series_stays_whole(text: str) -> None:
    assert series(text) is None


@given(st.text(alphabet="ab1(2).;:, andorise\n", max_size=200))
def test_items_lie_in_the_text_in_order(text: str) -> None:
    for found in [*numbered(text), *filter(None, [series(text)])]:
        places = [place for item in found.items for place in item]
        assert places == sorted(places)
        assert len(found.items) > 1
        assert 0 <= found.lead[0] <= found.lead[1] <= places[0]
        assert places[-1] <= len(text)


def test_numbers_that_never_go_on_take_time_in_proportion() -> None:
    assert grows_linearly(numbered, lambda n: "1) x " * n, 150)
