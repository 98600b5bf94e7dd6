"""What means nothing in the documents, or is asked in another language, gets no sure answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Assistant
from assistant.answer import REFUSAL
from assistant.answering.decision import FOREIGN, UNKNOWN, WORDLESS
from index.chunking.language import asked_in


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("\U0001f98a", WORDLESS),
        ("?!", WORDLESS),
        ("asdfghjkl", UNKNOWN.format(words="\u201casdfghjkl\u201d")),
        ("whatisthequad", UNKNOWN.format(words="\u201cwhatisthequad\u201d")),
    ],
)
def test_what_has_no_known_word_is_refused(assistant: Assistant, question: str, note: str) -> None:
    answer = assistant.ask(question, refuse_below=0.0, answer_from=0.0)
    assert (answer.status, answer.sentences, answer.note) == ("refused", (), note)
    assert str(answer).startswith(f"{REFUSAL} {note}")


def test_a_rare_word_that_is_there_is_known(assistant: Assistant) -> None:
    answer = assistant.ask("Gabuev?", refuse_below=0.0, answer_from=0.0)
    assert (answer.status, answer.note) == ("answered", None)


def test_what_answered_something_else_answers_nothing_surely(assistant: Assistant) -> None:
    first = assistant.ask("Which new global order does Russia have in mind?")
    turns = [
        {"role": "user", "content": first.question},
        {"role": "assistant", "content": first.marked_text},
    ]
    china = assistant.ask("And China?", turns, refuse_below=0.0, answer_from=0.0)
    assert china.status == "answered"
    assert "China" in china.text
    lisbon = assistant.ask("And Lisbon?", turns, refuse_below=0.0, answer_from=0.0)
    assert lisbon.standalone_question == "Which new global order does Lisbon have in mind?"
    assert lisbon.status == "unsure"


@pytest.mark.parametrize(
    ("language", "question"),
    [
        ("es", "\u00bfPor qu\u00e9 India necesita el Quad?"),
        ("de", "Warum will Indien in der Quad bleiben?"),
        ("en", "\u0417\u0430\u0447\u0435\u043c \u0418\u043d\u0434\u0438\u0438 Quad?"),
    ],
)
def test_another_language_is_told_in_that_language_without_passages(
    assistant: Assistant, language: str, question: str
) -> None:
    answer = assistant.ask(question, refuse_below=0.0, answer_from=0.0)
    assert (answer.status, answer.note) == ("refused", FOREIGN[language])
    assert answer.closest == ()


def test_of_a_paragraph_in_another_language_nothing_is_sure(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("The harbour was built in 1911.\n\nIts gate is of iron.\n")
    german = "Der Hafen ist alt und hat viele Tore aus Eisen, die jeder Besucher sehen kann."
    (tmp_path / "zwei.txt").write_text(f"{german}\n\n{german.replace('Hafen', 'Garten')}\n")
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as assistant:
        assert asked_in("Wann wurde harbour gate gebaut?") == "de"
        mixed = assistant.ask("Wann wurde harbour gate gebaut?", answer_from=0.0)
    assert (mixed.status, mixed.note) == ("unsure", None)


def test_documents_are_not_said_to_be_in_another_language_where_one_is_not(tmp_path: Path) -> None:
    gates = [
        f"The harbour gate of Quillon number {n} was painted in {n + 1900}." for n in range(80)
    ]
    (tmp_path / "one.txt").write_text("\n\n".join(gates))
    german = "Im Garten stehen viele alte B\u00e4ume, die jeder Besucher sehen kann."
    (tmp_path / "zwei.txt").write_text(f"{german}\n\nDie Blumen daneben sind rot.\n")
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as assistant:
        unsure = assistant.ask("Wann wurde harbour gate in Quillon gebaut?")
        assert (unsure.status, unsure.note) == ("unsure", None)
        assert {passage.title for passage in unsure.passages} == {"one.txt"}
        french = assistant.ask("Pourquoi le harbour gate de Quillon est-il vert ?")
        assert (french.status, french.note) == ("refused", FOREIGN["fr"])


@pytest.mark.parametrize("question", ["Rauchen?", "Und rauchen?"])
def test_a_question_too_short_to_tell_may_be_in_the_language_of_the_documents(
    tmp_path: Path, question: str
) -> None:
    german = "Das Rauchen im gesamten Gebäude ist untersagt, auch auf dem Balkon und im Hof."
    (tmp_path / "haus.txt").write_text(f"{german}\n\nDie Haustür ist nachts verschlossen.\n")
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as assistant:
        assert assistant.ask(question, refuse_below=0.0).note is None


def test_a_question_in_the_language_of_the_documents_is_answered(assistant: Assistant) -> None:
    answer = assistant.ask("Why does India stay in the Quad?", refuse_below=0.0, answer_from=0.0)
    assert (answer.status, answer.note) == ("answered", None)
    assert asked_in("Pay Full Cash Risk") == asked_in("Wi-Fi?") == "en"
    # Names may look like another language, between words that are English.
    assert asked_in("Compare Eco and Intensive.") == "en"


def test_a_mention_is_told_or_denied(assistant: Assistant) -> None:
    there = assistant.ask("Does the document mention Gabuev?")
    assert (there.status, there.kind) == ("answered", "where")
    for own in there.citations:
        assert "Gabuev" in " ".join([*own.paragraph.heading, own.paragraph.text])
    absent = assistant.ask("Is there anything about kangaroos?")
    assert absent.status != "answered"
    assert absent.note == "The documents do not mention \u201ckangaroos\u201d in these words."
