"""Which of what was found is read, and what reading changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from helpers import hits_of

from assistant.calibration import UNFITTED, Logistic
from assistant.retrieval.evidence import gather
from assistant.retrieval.reading_model import SHIPPED_FOLDER, Reader, Reading
from assistant.retrieval.reranker import CLEAR, DEPTH, LEAST, UNREAD, rank, read

ANSWERS = "The museum was opened by the mayor in 1934."
FILLER = [f"Number {word} of the boats lies at the quay." for word in "one two six ten".split()]


class Counting(Reader):
    """The shipped reader, counting what it is given."""

    def __init__(self) -> None:
        super().__init__(SHIPPED_FOLDER)
        self.given: list[list[str]] = []

    def read(self, question: str, sentences: Sequence[str], heading: str = "") -> Reading:
        self.given.append(list(sentences))
        return super().read(question, sentences, heading)


@pytest.fixture(scope="module")
def counting() -> Counting:
    return Counting()


QUESTION, WEIGHTS = "When was the museum opened?", {"en": {"museum": 2.0, "open": 2.0}}


def test_reading_stops_at_a_paragraph_that_clearly_answers(counting: Counting) -> None:
    counting.given.clear()
    others = [FILLER[:2], FILLER[2:], FILLER[1:], FILLER[:1]]
    found = hits_of([ANSWERS, FILLER[0]], *others)
    reading, *_ = read(counting, QUESTION, found, WEIGHTS)
    assert min(reading.sentences[0], reading.paragraph) > CLEAR
    # What it is ahead of tells whether it is right.
    assert counting.given == [[ANSWERS, FILLER[0]], *others[: LEAST - 1]]


@pytest.mark.parametrize(("first", "several"), [([ANSWERS, FILLER[0]], True), (FILLER[1:], False)])
def test_all_are_read_where_several_things_are_asked_for_or_none_answers(
    counting: Counting, first: list[str], several: bool
) -> None:
    found = hits_of(first, *(FILLER[number % 4 :] for number in range(DEPTH)))
    found = [replace(hit, score=found[0].score) for hit in found]
    assert len(found) > DEPTH
    assert len(read(counting, QUESTION, found, WEIGHTS, several)) == DEPTH


def test_what_the_search_scores_far_lower_is_not_read(counting: Counting) -> None:
    found = hits_of(*[FILLER] * DEPTH)
    found[2:] = [replace(hit, score=hit.score - 0.5) for hit in found[2:]]
    assert len(read(counting, QUESTION, found, WEIGHTS)) == 2
    # Contents come last, however near: no reading is taken for that of another paragraph.
    found.append(replace(found[0]))
    assert len(read(counting, QUESTION, found, WEIGHTS)) == 2
    assert len(read(counting, QUESTION, found, WEIGHTS, several=True)) == DEPTH


def test_sentences_far_from_the_question_are_not_read_but_neighbours_are(
    counting: Counting,
) -> None:
    counting.given.clear()
    far = [f"{line[:-1]} and rots." for line in FILLER] * 3
    (hit,) = hits_of(
        [FILLER[0], FILLER[1], *far, "Paint was bought.", ANSWERS, "It has two doors."]
    )
    (reading,) = read(counting, QUESTION, [hit], WEIGHTS)
    # The three nearest are the answer (by its terms) and the first two; one more beside each.
    assert counting.given == [
        [FILLER[0], FILLER[1], far[0], "Paint was bought.", ANSWERS, "It has two doors."]
    ]
    assert [logit == UNREAD for logit in reading.sentences] == [False] * 3 + [True] * 11 + [
        False
    ] * 3


def test_what_answers_moves_up_and_has_the_features(counting: Counting) -> None:
    found = hits_of(FILLER[:2], [ANSWERS, FILLER[2]])
    ranked = rank(found, read(counting, QUESTION, found, WEIGHTS), UNFITTED)
    assert [own.hit.paragraph.number for own in ranked] == [2, 1]
    gathered = gather(ranked, WEIGHTS)
    best = max(gathered.candidates, key=lambda candidate: candidate.features["logit"])
    assert best.sentence.text == ANSWERS
    assert best.features["terms"] == 1
    assert best.features["logit_gap"] == best.features["cosine_gap"] == 0
    assert gathered.score == ranked[0].hit.score
    assert gathered.features["length"] == math.log(len(best.hit.paragraph.text))
    other = max(own.features["logit"] for own in gathered.candidates if own.hit is not best.hit)
    assert gathered.features["logit_lead"] == best.features["logit"] - other
    assert gathered.features["score_lead"] == ranked[0].hit.score - ranked[1].hit.score


def test_where_nothing_is_found_nothing_tells_of_it() -> None:
    nothing = gather([], WEIGHTS)
    assert set(nothing.features.values()) == {0.0}
    assert nothing.probability(Logistic({"cosine": 1.0}, 5.0)) == 0
