"""What a question may take from the conversation before it."""

from __future__ import annotations

import pytest

from assistant.query.kinds import load_kinds
from assistant.query.question import CHAIN, understand
from assistant.query.rewriting import (
    Topic,
    asked_before,
    in_context,
    topic_of,
)
from index.encoder import Encoder

Turns = list[dict[str, str]]
FIRST = "How large was the deal for ZeniMax?"
HOTEL = "How much can I spend on a hotel per night?"


def after(*questions: str, answer: str = "It was large.") -> Turns:
    turns = []
    for question in questions:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return turns


@pytest.mark.parametrize(
    ("before", "question", "understood"),
    [
        (FIRST, "What about Activision?", "How large was the deal for Activision?"),
        ("When was Windows 95 released?", "And XP?", "When was XP released?"),
        (
            "How will South Korea respond to a conflict?",
            "No, I meant Japan.",
            "How will Japan respond to a conflict?",
        ),
        (
            "When did they release the Xbox Series X?",
            "Sorry, I meant the Xbox 360.",
            "When did they release the Xbox 360?",
        ),
        ("What does a day ticket cost?", "And a week ticket?", "What does a week ticket cost?"),
        (HOTEL, "and for flights?", "How much can I spend on flights per night?"),
        (HOTEL, "and breakfast?", "How much can I spend on breakfast per night?"),
        (HOTEL, "And a taxi?", "How much can I spend on a taxi per night?"),
        ("What is the maximum hotel cost?", "And a train ticket?", "What is a train ticket cost?"),
        ("How long is probation?", "and the notice period?", "How long is the notice period?"),
        ("When are you open?", "And in August?", "When are you open in August?"),
        ("When are you open in July?", "And in August?", "When are you open in August?"),
        ("Which model won on level 2?", "And on level 4?", "Which model won on level 4?"),
    ],
)
def test_the_question_before_is_asked_of_something_else(
    real_encoder: Encoder, before: str, question: str, understood: str
) -> None:
    own = understand(question, after(before), real_encoder)
    assert (own.standalone, own.before, own.context) == (understood, before, None)


def test_a_chain_is_understood_from_its_beginning(real_encoder: Encoder) -> None:
    own = understand("And Activision?", after(FIRST, "And Nuance?"), real_encoder)
    assert own.standalone == "How large was the deal for Activision?"
    asked = [FIRST, *["And Nuance?"] * (CHAIN + 2)]
    understand("And Activision?", after(*asked), real_encoder)  # however long it is


@pytest.mark.parametrize(
    "question",
    [
        "When was the harbour dredged?",
        "Does it want to be an ally?",
        "Who is Gabuev and what does he warn about?",
        "How did the members vote on the new roof?",
    ],
)
def test_whole_questions_stay_as_they_are(real_encoder: Encoder, question: str) -> None:
    own = understand(question, after(FIRST), real_encoder)
    assert own.standalone == question
    assert own.context == f"{FIRST} {question}"  # whether it leans on that is told by what is found


@pytest.mark.parametrize(
    ("question", "may_lean"),
    [
        ("When was it released?", True),
        ("How hard is he on China?", True),
        ("And who told them?", True),
        ("any cases?", True),
        ("Are these types of accounts opened through employment?", True),
        ("How soon after I'm back do I have to ask for my money?", False),
        ("What do I pay for a bed and supper at an inn?", False),
        ("If I tell my teacher that somebody hit me, will she keep it to herself?", False),
        ("Must they warn us first before they cut off our account and lock the door?", False),
    ],
)
def test_what_names_enough_stands_on_its_own(
    real_encoder: Encoder, question: str, may_lean: bool
) -> None:
    assert understand(question, after(FIRST), real_encoder).leans == may_lean
    assert not understand(question, [], real_encoder).leans


def test_more_shorter_and_where_are_of_the_question_before(real_encoder: Encoder) -> None:
    more = understand("Tell me more.", after(FIRST), real_encoder)
    assert (more.standalone, more.more, more.said) == (FIRST, True, ("It was large.",))
    short = understand("Shorten that.", after(FIRST), real_encoder)
    assert (short.standalone, short.length) == (FIRST, 1)
    where = understand("Where does it say that?", after(FIRST), real_encoder)
    assert (where.standalone, where.kind) == (FIRST, "source")


@pytest.mark.parametrize(
    ("question", "more", "again"),
    [
        ("go on", True, False),
        ("anything else?", True, False),
        ("summarise that", False, True),
        ("can you sum it up", False, True),
        ("in one sentence", False, True),
        ("what did you mean?", False, True),
        ("what did you mean by that?", False, True),
        ("whats that mean", False, True),
        ("Summarise the document.", False, False),
        ("When was it written?", False, False),
    ],
)
def test_more_or_less_of_an_answer(
    real_encoder: Encoder, question: str, more: bool, again: bool
) -> None:
    own = understand(question, after(FIRST), real_encoder)
    assert (own.more, own.again) == (more, again)
    assert (own.standalone == FIRST) == (more or again)


def test_an_item_is_the_question_after_it(real_encoder: Encoder) -> None:
    listed = "Signs:\n- meagre trade\n- many spies"
    turns = [*after(FIRST, answer=listed), *after("the second one")]
    own = understand("more", turns, real_encoder)
    assert (own.standalone, own.more) == ("many spies", True)
    missing = understand("the fifth one", after(FIRST, answer=listed), real_encoder)
    assert (missing.standalone, missing.more) == (FIRST, False)
    assert missing.note


def test_more_is_of_an_overview_too(real_encoder: Encoder) -> None:
    own = understand("more", after(FIRST, "What is this about?"), real_encoder)
    assert (own.standalone, own.kind, own.more) == ("What is this about?", "overview", True)


def test_what_asks_of_its_own_is_asked_of_nothing_else(real_encoder: Encoder) -> None:
    own = understand("what happens then?", after("When does the house close?"), real_encoder)
    assert own.standalone == "what happens then?"
    assert own.leans
    shared = understand("what should be used instead?", after("Is sugar still used?"), real_encoder)
    assert shared.standalone == "Is sugar still used instead?"


def test_the_context_is_the_last_question_that_names_something(real_encoder: Encoder) -> None:
    own = understand("What was it for?", after(FIRST, "And then what?"), real_encoder)
    assert own.before == FIRST


def test_without_a_question_before_nothing_is_taken(real_encoder: Encoder) -> None:
    for question in ("more", "And Japan?", "Shorten that.", "the second one"):
        own = understand(question, [], real_encoder)
        assert (own.context, own.before, own.more) == (None, "", False)
        assert own.kind not in ("more", "shorten", "source", "instead")


def test_thanks_are_no_question_before(real_encoder: Encoder) -> None:
    history = [*after(FIRST), {"role": "user", "content": "Thank you!"}]
    assert understand("And Activision?", history, real_encoder).before == FIRST
    assert asked_before([*history, *after("And?")]) == [
        (FIRST, ""),
        ("Thank you!", "It was large."),
        ("And?", "It was large."),
    ]
    assert in_context("Why?", [FIRST]) == f"{FIRST} Why?"
    assert in_context("Why?", []) is None


def test_a_topic_is_what_is_left_without_the_request(real_encoder: Encoder) -> None:
    request = load_kinds(real_encoder.fingerprint).request["instead"]
    topic = topic_of("No, I meant the secret meeting of 2011.", request)
    assert topic == Topic("the secret meeting of 2011")
    assert topic_of("And in the spring?", request) == Topic("the spring", "in")
    assert topic_of("And that?", request) == Topic("")
