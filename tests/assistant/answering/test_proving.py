"""What becomes of sentences that are not supported: real HTTP, the shipped document, and a model of
entailment that says what the test wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from checks import ended
from model_servers import opened, replies, said_to, serving

from assistant import Answer, Assistant
from assistant.answering.writing import UNPROVED
from assistant.llm import prompts
from assistant.llm.check_results import keep
from assistant.llm.replies import Quoted, Said, Withdrawn, corrections_in
from assistant.settings import load_settings
from assistant.verification.checker import Check, Checker

QUESTION = "When was the US Indo-Pacific strategy released?"
RIGHT = "The US Indo-Pacific strategy was released on February 11."
MORE = "India prefers multipolarity and not to be forced to choose sides."
#: True, in words of its own.
FREE = "Washington put out its plan for the region in February."
#: What it is quoted by.
WORDS = "The US Indo-Pacific strategy was released on February 11"
DOUBTED, CONTRADICTED = -0.5, -4.0

Ask = Callable[..., tuple[Answer, list[str]]]


class Scripted(Checker):
    """Says of claims what it is told to say, and of all others that they are supported."""

    def __init__(self, logits: dict[str, float]) -> None:
        self.fingerprint = "scripted"
        self.logits = logits

    def check(self, claim: str, premise: str, question: str = "") -> Check:
        """The logit of the claim."""
        return Check(self.logits.get(claim, 4.0))


@pytest.fixture
def ask(assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask a model that passed its check, or not; gives the answer, and what was said to it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def asked(
        written: Sequence[str],
        logits: dict[str, float],
        question: str = QUESTION,
        passed: bool = True,
        **settings: str,
    ) -> tuple[Answer, list[str]]:
        monkeypatch.setattr("assistant.pipeline.shipped_checker", lambda: Scripted(logits))
        with serving(replies(*written)) as (address, server):
            if passed:
                keep(ended(load_settings(llm=address)))
            with opened(assistant, address, **settings) as writing:
                return writing.ask(question), said_to(server)

    return asked


def told(answer: Answer) -> list[tuple[str, str]]:
    return [(sentence.text, sentence.verdict) for sentence in answer.sentences]


# --- what the model makes of it -------------------------------------------------------------------


def test_what_a_reply_says_of_sentences_that_went_back() -> None:
    reply = """
1. QUOTE: "released on February 11 ... in Washington" [3]
2. It was released in February. [1][2]
3) **OUT**: who wrote it
4. OUT
No. 5 is right.
6.
"""
    assert corrections_in(reply) == {
        1: Quoted("released on February 11 ... in Washington", (3,)),
        2: Said("It was released in February.", (1, 2)),
        3: Withdrawn("who wrote it"),
        4: Withdrawn(),
    }


@pytest.mark.parametrize("words", [WORDS, "the us indo-pacific strategy \u2026 on February  11."])
def test_words_that_stand_there_settle_it_and_are_cited(ask: Ask, words: str) -> None:
    """The sentence stays as it was written."""
    answer, said = ask([f"{FREE} [1]", f"1. QUOTE: {words} [1]"], {FREE: DOUBTED})
    assert told(answer) == [(FREE, "supported")]
    assert [citation.quote for citation in answer.citations] == [RIGHT]
    assert answer.writing is not None and answer.writing.calls == 2
    assert "QUOTE:" in said[-1] and FREE in said[-1]


@pytest.mark.parametrize(
    ("sentence", "words", "logit"),
    [
        (FREE, "The strategy was released in Washington", DOUBTED),  # words that stand nowhere
        (FREE, f"{WORDS} ... by Olaf Scholz", DOUBTED),
        ("Washington put out its plan on March 3.", WORDS, DOUBTED),  # a number, a name
        ("Washington never put out its plan for the region.", WORDS, DOUBTED),  # a denial
        (FREE, WORDS, CONTRADICTED),  # the checker says that it is otherwise
    ],
)
def test_words_settle_nothing_that_they_do_not_say(
    ask: Ask, sentence: str, words: str, logit: float
) -> None:
    written = [f"{RIGHT} [1] {sentence} [1]", f"1. QUOTE: {words} [1]"]
    answer, _ = ask(written, {sentence: logit}, passed=False)
    assert told(answer) == [(RIGHT, "supported")]
    assert answer.dropped == 1


# --- what stays in doubt --------------------------------------------------------------------------


@pytest.mark.parametrize("reply", ["", "1. OUT", f"1. {FREE} [1]"])
def test_what_stays_in_doubt_is_marked_in_its_place(ask: Ask, reply: str) -> None:
    """Unless the model takes it back."""
    answer, _ = ask([f"{RIGHT} [1] {FREE} [1] {MORE} [1]", reply], {FREE: DOUBTED})
    withdrawn = reply == "1. OUT"
    doubted = [] if withdrawn else [(FREE, "unconfirmed")]
    assert told(answer) == [(RIGHT, "supported"), *doubted, (MORE, "supported")]
    assert answer.dropped == withdrawn
    if not withdrawn:
        marked = answer.sentences[1]
        assert marked.markers  # the nearest words
        assert f"{FREE} [not confirmed by the source] [{marked.markers[0]}]" in str(answer)


@pytest.mark.parametrize(("logit", "passed"), [(CONTRADICTED, True), (DOUBTED, False)])
def test_it_is_left_out_where_it_is_contradicted_or_not_to_be_shown(
    ask: Ask, logit: float, passed: bool
) -> None:
    """Or the model did not pass its check."""
    written = [f"{RIGHT} [1] {FREE} [1]", f"1. {FREE} [1]"]
    answer, _ = ask(written, {FREE: logit}, passed=passed)
    assert told(answer) == [(RIGHT, "supported")]
    assert answer.dropped == 1


def test_what_is_in_doubt_alone_is_no_answer(ask: Ask) -> None:
    answer, _ = ask([f"{FREE} [1]", f"1. {FREE} [1]"], {FREE: DOUBTED})
    assert (answer.status, told(answer)) == ("refused", [])
    assert answer.writing is not None and answer.writing.outcome == "unproved"


# --- what is left --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "unanswered"),
    [("1. OUT: who wrote it", "who wrote it"), ("1. OUT", QUESTION), ("1. OUT: nothing", QUESTION)],
)
def test_an_answer_stands_without_its_first_sentence(ask: Ask, reply: str, unanswered: str) -> None:
    """What that leaves open is told."""
    answer, _ = ask([f"{FREE} [1] {RIGHT} [1]", reply], {FREE: CONTRADICTED})
    assert (answer.status, told(answer)) == ("answered", [(RIGHT, "supported")])
    assert (answer.unanswered, answer.dropped) == ((unanswered,), 1)


def test_a_short_sentence_is_not_taken_for_one_of_another_language(tmp_path: Path) -> None:
    """Of so few letters the language is not known."""
    german = "Die Klinik am Hafen ist alt und geh\u00f6rt seit vielen Jahren der Stadt Hamburg."
    (tmp_path / "klinik.txt").write_text(f"{german}\n\n{german.replace('Klinik', 'Schule')}\n")
    written = ["Der Klinik geh\u00f6rt Bremen. [1]", "1. OUT"]
    with serving(replies(*written)) as (address, server):
        with (
            Assistant.open(tmp_path, index_dir=tmp_path / "index") as assistant,
            opened(assistant, address, trust_llm=True) as writing,
        ):
            answer = writing.ask("Wem geh\u00f6rt die Klinik am Hafen?", refuse_below=0.0)
        assert prompts.REASONS["language"] not in said_to(server)[-1]
    assert (answer.status, answer.note) == ("refused", UNPROVED)


def test_what_does_not_answer_is_not_left(ask: Ask) -> None:
    answer, _ = ask([f"{FREE} [1] {MORE} [1]", "1. OUT"], {FREE: CONTRADICTED})
    assert (answer.status, told(answer)) == ("refused", [])


def test_a_sentence_goes_with_the_one_that_it_is_understood_by(ask: Ask) -> None:
    leaning = "They prefer multipolarity and not to be forced to choose sides."
    written = [f"{RIGHT} [1] {FREE} [1] {leaning} [1]", "1. OUT"]
    answer, _ = ask(written, {FREE: CONTRADICTED})
    assert told(answer) == [(RIGHT, "supported")]
    assert answer.dropped == 2
    answer, _ = ask(written, {})
    assert [text for text, _ in told(answer)] == [RIGHT, FREE, leaning]


def test_another_number_is_no_repetition(ask: Ask) -> None:
    corrected = RIGHT.replace("11", "12")
    written = [f"{RIGHT} [1] {FREE} [1]", f"1. {corrected} [1]"]
    answer, _ = ask(written, {FREE: CONTRADICTED, corrected: CONTRADICTED})
    assert (told(answer), answer.dropped) == ([(RIGHT, "supported")], 1)
