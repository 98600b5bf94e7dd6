"""What kind of answer a question asks for."""

from __future__ import annotations

import pytest

from assistant.query.kinds import MAX_LENGTH, is_civil, length_of, load_kinds
from index.encoder import Encoder


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder()


def kind(encoder: Encoder, question: str) -> str:
    kinds = load_kinds(encoder.fingerprint)
    return kinds.plain(kinds.kind(encoder.encode_query(question)), question)


# None of these is among the forms that it was learned from.
ASKED = {
    "overview": [
        "Summarise the whole report for my boss, please.",
        "What is this leaflet about?",
        "Main points of the chapter on fishing rights?",
        "Give me the gist of the part about beekeeping in four sentences.",
    ],
    "fact": [
        "When was the harbour dredged?",
        "Who paid for the bells?",
        "How many pupils does the school have?",
        "Why did the council reject the plan?",
        "What does the mayor say about the tram?",
        "Which towns had a fever hospital?",
        # What sounds as if it were asked of the assistant.
        "How big can a file be that I upload?",
        "Do I have to know how to program?",
        "May I let ChatGPT write my op-ed?",
        "Where do I put my bike?",
        "How do you say the short name out loud?",
    ],
    "courtesy": ["Good afternoon!", "Thank you so much", "Danke", "Muchas gracias!", "谢谢"],
    "about": [
        "What can you do for me?",
        "Which kinds of questions do you answer?",
        "Who are you?",
    ],
    "where": [
        "Does the document mention Vietnam?",
        "Is there anything about parking?",
        "Where does it talk about leaks?",
    ],
}


@pytest.mark.parametrize(
    ("wanted", "question"), [(name, q) for name, questions in ASKED.items() for q in questions]
)
def test_kinds_are_told_apart(encoder: Encoder, wanted: str, question: str) -> None:
    assert kind(encoder, question) == wanted


def test_a_request_is_no_thanks() -> None:
    assert not is_civil("Danke, und was kostet es?")
    assert not is_civil("mille")


def test_an_unknown_encoder_takes_everything_for_a_fact(encoder: Encoder) -> None:
    assert load_kinds("unknown").kind(encoder.encode_query("Summarize this.")) == "fact"


@pytest.mark.parametrize(
    ("question", "length"),
    [
        ("Key takeaways in five bullets", 5),
        ("Summarize it in three short sentences.", 3),
        ("Give me the gist in a sentence.", 1),
        ("Sum it up in a few sentences.", None),
        ("Give me an idea of the report.", None),
        ("The 12 most important points, please", 12),
        ("List 99 points", MAX_LENGTH),
        ("Summarize the seven themes", None),
        ("What happened in 1998?", None),
        ("Summarize this.", None),
    ],
)
def test_a_length_is_understood(question: str, length: int | None) -> None:
    assert length_of(question) == length


def test_what_is_asked_about_is_left_of_a_request(encoder: Encoder) -> None:
    kinds = load_kinds(encoder.fingerprint)
    for question, named in (
        ("Summarize the section on fishing rights in four bullets.", "fishing rights"),
        ("What are the main points of this document?", ""),
        ("Was sind die Hauptpunkte dieses Dokuments?", ""),
        ("Fasse diesen Abschnitt zusammen: § 7 Kündigung der Räume", "Kündigung Räume"),
    ):
        assert kinds.named(question) == named


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("Was sind die Hauptpunkte dieses Dokuments?", "overview"),
        ("Worum geht es in diesem Dokument?", "overview"),
        ("Fasse das zusammen", "overview"),
        ("Kannst du mir das bitte zusammenfassen?", "overview"),
        ("Fasse diesen Abschnitt zusammen: Flights and hotels", "overview"),
        ("Gib mir einen Überblick", "overview"),
        ("Kurze Zusammenfassung bitte", "overview"),
        ("Wann muss die Zusammenfassung eingereicht werden?", "fact"),
        ("Wer hat den Überblick über die Kosten?", "fact"),
        ("Brauche ich dafür einen Brief?", "fact"),
        ("Muss ich dafür einen Brief schreiben?", "fact"),
        ("Give me a brief", "overview"),
        ("Summarize this section: Allgemeine Bestimmungen und Vergütung", "overview"),
    ],
)
def test_german_is_told_by_its_own_words(encoder: Encoder, question: str, kind: str) -> None:
    kinds = load_kinds(encoder.fingerprint)
    assert kinds.plain(kinds.kind(encoder.encode_query(question)), question) == kind
