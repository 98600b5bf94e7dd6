"""More of an answer, and less of it, on the document that is shipped."""

from __future__ import annotations

from pathlib import Path

from assistant import Answer, Assistant
from assistant.answering.decision import NOTHING_MORE
from assistant.documents import shipped_raw_documents
from assistant.query.pointing import NO_PART
from assistant.retrieval.evidence import is_said

LISTED = "What are the seven themes?"
WARNS = "What does Gabuev warn about?"


def talk(assistant: Assistant, *questions: str) -> list[Answer]:
    """The answers to questions that are asked one after the other."""
    turns: list[dict[str, str]] = []
    answers = []
    for question in questions:
        answers.append(assistant.ask(question, turns))
        turns += [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answers[-1].marked_text},
        ]
    return answers


def texts(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences]


def test_more_is_never_what_was_said(assistant: Assistant) -> None:
    for question in (WARNS, LISTED):
        answers = talk(assistant, question, "more", "anything else?")
        said: list[str] = []
        for answer in answers:
            assert answer.standalone_question == question
            assert answer.sentences
            assert not [text for text in texts(answer) if is_said(text, said)]
            said.append(answer.text)


def test_where_all_was_said_nothing_more_is(assistant: Assistant) -> None:
    [document] = assistant.documents
    turns = [
        {"role": "user", "content": WARNS},
        {"role": "assistant", "content": document.text},
    ]
    answer = assistant.ask("more", turns)
    assert (answer.status, answer.note) == ("refused", NOTHING_MORE)


def test_shorter_is_the_answer_again(assistant: Assistant) -> None:
    first, short, shorter = talk(assistant, WARNS, "sum that up", "what did you mean?")
    assert [len(own.sentences) for own in (first, short, shorter)] == [3, 2, 1]
    assert texts(short) == [text for text in texts(first) if text in texts(short)]
    assert texts(shorter)[0] in texts(short)
    quotes = dict(zip(texts(first), (citation.quote for citation in first.citations), strict=True))
    for own in (short, shorter):
        assert [c.quote for c in own.citations] == [quotes[text] for text in texts(own)]


def test_shorter_passages_are_the_first_of_them(assistant: Assistant) -> None:
    page, short = talk(assistant, "how does it see china", "shorten that")
    assert (page.status, short.status) == ("unsure", "unsure")
    assert texts(short) == texts(page)[:2]  # half of five


def test_shorter_is_of_what_was_said_last(assistant: Assistant) -> None:
    *_, more, short = talk(assistant, WARNS, "more", "in one sentence")
    assert texts(short)[0] in texts(more)


def test_an_overview_goes_on_from_what_it_was_of(tmp_path: Path) -> None:
    (tmp_path / "plums.md").write_text(
        "# Plums\n\nPlums are blue, and they are picked in September by all of the village.\n\n"
        "# Pears\n\nPears are yellow, and they are kept in the cellar until the new year.\n"
    )
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as both:
        [shipped] = both.index.sync(shipped_raw_documents()).ids
        of_one = both.for_documents([shipped])
        whole = of_one.ask("What are the main points of this document?")
        turns = [
            {"role": "user", "content": whole.question},
            {"role": "assistant", "content": whole.marked_text},
        ]
        every = both.for_documents([*both.document_ids, shipped])
        for asked, count in (("shorten that", len(whole.sentences) // 2), ("in one sentence", 1)):
            short = every.ask(asked, turns)
            assert (short.kind, len(short.sentences)) == ("overview", count)
            assert set(texts(short)) < set(texts(whole))
        more = every.ask("more", turns)
        assert {own.title for own in more.citations} == {whole.citations[0].title}
        assert not set(texts(more)) & set(texts(whole))


def test_shorter_is_of_the_documents_that_were_quoted(tmp_path: Path) -> None:
    for name, day in (("plums", "Monday"), ("pears", "Sunday")):
        (tmp_path / f"{name}.md").write_text(
            f"The {name} of the village are sold on the market on {day}.\n\n"
            f"They are sold there by the people who have picked {name}.\n"
        )
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as both:
        for identity in both.document_ids:
            first = both.for_documents([identity]).ask(
                "Who sells fruit on the market?", answer_from=0.0
            )
            turns = [
                {"role": "user", "content": first.question},
                {"role": "assistant", "content": first.marked_text},
            ]
            short = both.ask("in one sentence", turns)
            assert len(short.sentences) == 1
            assert texts(short)[0] in first.text


def test_the_passage_that_is_pointed_at_is_the_first_that_is_shown(assistant: Assistant) -> None:
    page, second = talk(assistant, "how does it see china", "the second one")
    assert page.status == "unsure"
    assert texts(second)[0] == texts(page)[1]
    assert len(second.sentences) > 1
    assert not set(texts(second)[1:]) & set(texts(page))


def test_an_item_is_asked_for_and_then_more_of_it(assistant: Assistant) -> None:
    themes, second, more = talk(assistant, LISTED, "the second one", "more")
    asked = [own.text for own in themes.sentences if own.item][1]
    assert second.standalone_question == more.standalone_question == asked
    assert (second.status, len(second.sentences)) == ("answered", 1)
    assert not is_said(second.text, [themes.text])


def test_a_part_that_there_is_not_gives_passages(assistant: Assistant) -> None:
    _, missing = talk(assistant, LISTED, "and the ninth?")
    assert (missing.status, missing.note) == ("unsure", NO_PART)
    assert missing.standalone_question == LISTED


def test_the_context_is_told_as_it_was_understood(assistant: Assistant) -> None:
    chain = ("how does it see China?", "and Japan?", "what happens then?", "shorten that")
    for answer in talk(assistant, *chain)[2:]:
        assert answer.context in ("", "how does it see Japan?")
        assert answer.standalone_question == "what happens then?"
