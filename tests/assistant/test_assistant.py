"""The Python API on the document that is shipped: real encoder, real reader, real Chroma."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from assistant import Answer, Assistant, Settings
from assistant.answer import REFUSAL
from assistant.answering.decision import FOREIGN
from assistant.calibration import Thresholds
from assistant.places import place_of
from index import document_from_text
from index.encoder import BASE_ENCODER
from index.errors import QuestionError, SettingsError

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."
UNANSWERABLE = "What is the population of India?"

QUESTIONS = (
    QUESTION,
    "Why is Moscow drawn to Beijing?",
    "What does India want from the Quad?",
    "How do Japanese think about missile defense?",
    "What happened at the Beijing Olympics?",
    "What is South Korea expected to do after the March elections?",
    "Who represents a dovish faction?",
    UNANSWERABLE,
)


def without_timings(answer: Answer) -> dict[str, Any]:
    return {name: value for name, value in answer.to_dict().items() if name != "timings_ms"}


def said(question: str, answer: str) -> list[dict[str, str]]:
    """A turn of a conversation."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def check(assistant: Assistant, answer: Answer) -> None:
    """What holds of every answer."""
    documents = {document.id: document for document in assistant.documents}
    for citation in (*answer.citations, *answer.closest):
        citation.check(documents[citation.paragraph.document_id])
    markers = [marker for sentence in answer.sentences for marker in sentence.markers]
    assert list(dict.fromkeys(markers)) == list(range(1, len(answer.citations) + 1))
    assert [citation.marker for citation in answer.citations] == sorted(set(markers))
    assert all(sentence.markers for sentence in answer.sentences)
    assert 0 <= answer.confidence <= 1
    assert bool(answer.sentences) == (not answer.refused)
    foreign = answer.note in FOREIGN.values()
    shown = {"refused": 0 if foreign else 3, "unsure": 0, "answered": 5}
    assert len(answer.closest) == shown[answer.status]
    assert all(citation.marker == 0 for citation in answer.closest)
    passages = [own.paragraph.id for own in answer.passages]
    assert len(set(passages)) == len(passages) <= 5
    cited = {own.paragraph.id for own in answer.citations}
    assert answer.unsure or cited.isdisjoint(passages)
    assert answer.timings_ms["total"] > 0


def test_an_answer_quotes_and_cites(assistant: Assistant) -> None:
    answer = assistant.ask(QUESTION)
    assert QUOTE in [citation.quote for citation in answer.citations]
    assert all(sentence.verdict == "quoted" for sentence in answer.sentences)
    assert answer.standalone_question == answer.question == QUESTION
    printed = str(answer)
    assert "Sources:" in printed
    for citation in answer.citations:
        assert printed.count(f"[{citation.marker}]") == 2  # in the text and in the list
        assert f"paragraph {citation.paragraph.number}" in printed
    check(assistant, answer)


def test_a_refusal_names_the_closest_paragraphs(assistant: Assistant) -> None:
    answer = assistant.ask(UNANSWERABLE)
    assert answer.text == REFUSAL
    assert len({citation.paragraph.id for citation in answer.closest}) == 3
    assert [citation.marker for citation in answer.closest] == [0, 0, 0]
    assert "Closest paragraphs:" in str(answer)
    check(assistant, answer)


def test_threads_get_the_answers_to_their_own_questions(assistant: Assistant) -> None:
    alone = {question: without_timings(assistant.ask(question)) for question in QUESTIONS}
    asked = [QUESTIONS[number % len(QUESTIONS)] for number in range(3 * len(QUESTIONS))]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(assistant.ask, asked))
    for question, answer in zip(asked, answers, strict=True):
        assert without_timings(answer) == alone[question]
        check(assistant, answer)


def test_a_follow_up_is_understood_from_the_conversation(assistant: Assistant) -> None:
    before = "What is the US Indo-Pacific strategy premised on?"
    answer = assistant.ask("When was it released?", said(before, assistant.ask(before).text))
    assert answer.question == "When was it released?"
    assert (answer.standalone_question, answer.context) == ("When was it released?", before)
    assert answer.to_dict()["context"] == before
    assert QUOTE in [citation.quote for citation in (*answer.citations, *answer.closest)]
    assert f"Understood in the context of “{before}”" in str(answer)
    other = assistant.ask("And the AUKUS pact?", [{"role": "user", "content": QUESTION}])
    assert f"Understood as “{other.standalone_question}”" in str(other)
    check(assistant, answer)


def test_a_conversation_takes_nothing_away(assistant: Assistant) -> None:
    """Questions that stand on their own get later what each gets alone."""
    history: list[dict[str, str]] = []
    for question in QUESTIONS:
        alone, later = assistant.ask(question), assistant.ask(question, history)
        assert (later.status, later.citations) == (alone.status, alone.citations)
        assert (later.confidence, later.context) == (alone.confidence, "")
        history += said(question, later.text)


@pytest.mark.parametrize("question", [QUESTION, "What are the three reasons of the Quad?"])
def test_where_no_answer_is_sure_passages_are_shown(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question, refuse_below=0.0, answer_from=1.0)
    assert (answer.status, answer.unsure, answer.answered) == ("unsure", True, False)
    assert answer.kind == "fact"
    assert answer.passages == answer.citations
    # The passages that are found, in their order, and of each a sentence.
    found = [hit.paragraph.id for hit in assistant.search(question, 5)]
    assert sorted(own.paragraph.id for own in answer.passages) == sorted(found)
    scores = [own.score for own in answer.passages]
    assert len(scores) == 5 and scores == sorted(scores, reverse=True)
    assert [own.markers for own in answer.sentences] == [(n,) for n in range(1, 6)]
    lines = ["Possible answers:"]
    for sentence, citation in zip(answer.sentences, answer.citations, strict=True):
        assert sentence.text == " ".join(citation.quote.split())
        lines.append(place_of(citation.title, citation.paragraph))
        lines.append(f"- {sentence.text} [{citation.marker}]")
    assert str(answer).splitlines() == lines
    assert answer.text.splitlines() == [lines[0], *(own.text for own in answer.sentences)]
    check(assistant, answer)


def test_more_passages_are_others(assistant: Assistant) -> None:
    never = {"refuse_below": 0.0, "answer_from": 1.0}
    before = "What does India want from the Quad?"
    first = assistant.ask(before, **never)
    more = assistant.ask("What else?", said(before, first.text), **never)
    assert (first.status, more.status) == ("unsure", "unsure")
    assert more.passages
    assert not {own.quote for own in more.passages} & {own.quote for own in first.passages}
    check(assistant, more)


def test_there_are_passages_beyond_those_that_are_shown(assistant: Assistant) -> None:
    question = "What is the outlook for trade?"
    answer = assistant.ask(question, refuse_below=0, answer_from=1)
    shown = list(answer.citations)
    for reworded in (False, True):
        at = [(c.paragraph.document_id, c.start) for c in shown]
        more = assistant.more_passages(question, shown=at, reworded=reworded)
        assert 0 < len(more.passages) <= 5
        assert {c.marker for c in more.passages} == {0}
        for citation in more.passages:
            document = assistant.index.document(citation.paragraph.document_id)
            assert document.text[citation.start : citation.end] == citation.quote
        shown += more.passages
        assert len({c.paragraph.text for c in shown}) == len(shown)
        # Its own words, and those with words of the documents.
        if reworded:
            named, joined = more.searches
            assert named == "outlook trade" and joined.startswith(f"{named} ")
            text = " ".join(d.text.lower() for d in assistant.documents)
            assert all(word in text for word in joined.removeprefix(named).split())
        else:
            assert more.searches == ()
    every = [(d.id, p.start) for d in assistant.documents for p in d.paragraphs]
    assert assistant.more_passages(question, shown=every).passages == ()
    follow_up = [{"role": "user", "content": question}, {"role": "assistant", "content": "It is."}]
    assert assistant.more_passages("And for defense?", follow_up, shown=at).passages


def test_an_overview_is_of_everything_or_of_a_part(assistant: Assistant) -> None:
    whole = assistant.overview()
    assert (whole.status, whole.kind) == ("answered", "overview")
    assert len({citation.paragraph.heading for citation in whole.citations}) > 3
    part = assistant.overview("strategy toward the Indo-Pacific", 3)
    assert len(part.sentences) == 3
    for citation in part.citations:
        assert citation.paragraph.heading[-1] == "US Strategy toward the Indo-Pacific"
        citation.check(assistant.index.document(citation.paragraph.document_id))
    for nothing in ("zebras", "the", " "):
        with pytest.raises(QuestionError, match=r"heading|empty"):
            assistant.overview(nothing)


def test_thresholds_are_in_order(assistant: Assistant) -> None:
    told = "refuse_below is 0.8 and answer_from 0.2"
    with pytest.raises(SettingsError, match=told):
        Settings(refuse_below=0.8, answer_from=0.2)
    with pytest.raises(SettingsError, match=told):
        assistant.ask(QUESTION, refuse_below=0.8, answer_from=0.2)
    with pytest.raises(SettingsError, match=r"answer_from is 1\.5"):
        assistant.ask(QUESTION, answer_from=1.5)
    # One that is given alone takes the other along.
    own = Thresholds(0.3, 0.6)
    assert own.adjusted(0.7, None) == Thresholds(0.7, 0.7)
    assert own.adjusted(None, 0.1) == Thresholds(0.1, 0.1)
    assert own.adjusted(None, 0.9) == Thresholds(0.3, 0.9)
    found = [own.status(right, there) for right in (0.59, 0.6) for there in (0.29, 0.3)]
    assert found == ["refused", "unsure", "answered", "answered"]


def test_search_ranks_paragraphs(assistant: Assistant) -> None:
    hits = assistant.search("release of the Indo-Pacific strategy", 5)
    assert len(hits) == 5
    assert QUOTE in hits[0].paragraph.text
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    [document] = assistant.documents
    for hit in hits:
        assert document.text[hit.paragraph.start : hit.paragraph.end] == hit.paragraph.text
    assert len(assistant.search("strategy", 1000)) <= len(document.paragraphs)


def test_an_overview_is_not_made_of_more_than_can_be_read(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    [document] = assistant.documents
    size = len(document.paragraphs)
    monkeypatch.setattr("assistant.answering.overview.MAX_PARAGRAPHS", size - 1)
    with pytest.raises(QuestionError, match=f"have {size} paragraphs.*at most {size - 1}. Choose"):
        assistant.overview()
    assert assistant.ask("What are the main points?").kind != "overview"
    monkeypatch.setattr("assistant.answering.overview.MAX_PARAGRAPHS", size)
    assert assistant.ask("What are the main points?").kind == "overview"


def test_settings_decide(assistant: Assistant, tmp_path: Path) -> None:
    folder = assistant.settings.index_dir
    every = Settings(index_dir=folder, answer_from=0.0, reader="none")
    with Assistant.open(settings=every) as any_:
        assert any_.reader_fingerprint == "none"
        answer = any_.ask("What is the population of India, of Japan and of China?")
        assert answer.answered
        check(any_, answer)
    with Assistant.open(settings=Settings(index_dir=folder, refuse_below=1.0)) as none:
        assert none.ask(QUESTION).refused
    one = Settings(index_dir=folder, answer_from=0.0, max_sentences=1)
    with Assistant.open(settings=one) as short:
        assert len(short.ask("What does India want of the Quad?").sentences) == 1


def test_two_assistants_on_one_index_see_only_their_own_documents(tmp_path: Path) -> None:
    texts = {
        "lamp": "The lighthouse of Corvane burns 40 litres of rapeseed oil a night.",
        "mill": "The windmill of Corvane grinds 90 sacks of barley a week.",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = tmp_path / "index"
    with (
        Assistant.open(tmp_path / "lamp", index_dir=folder) as lamp,
        Assistant.open(tmp_path / "mill", index_dir=folder) as mill,
    ):
        for own, name in ((lamp, "lamp"), (mill, "mill"), (lamp, "lamp")):
            assert [document.text for document in own.documents] == [texts[name]]
            assert [hit.paragraph.text for hit in own.search("Corvane")] == [texts[name]]
        assert len(lamp.index.documents()) == 2


def test_an_empty_or_very_long_question_is_refused(assistant: Assistant) -> None:
    for call in (assistant.ask, assistant.search):
        for question in ("", "   \n", "\u3000"):
            with pytest.raises(QuestionError, match="empty"):
                call(question)
    with pytest.raises(QuestionError, match="100,000 characters"):
        assistant.ask("why " * 25_000)
    check(assistant, assistant.ask("why Moscow " * 360))


@pytest.mark.parametrize(
    "question",
    [
        "?",
        "?!… — ;;",
        "🦊🦊🦊",
        "the of and to",
        "what how why",
        "\u200b\u200d",
        "Where\0 is\0 it?",
        "caf\udce9 \ud800?",
        "x" * 3999,
        "日本の防衛政策はどうなっていますか。",
        "\u202edesrever si noitseuq siht",
        "'; DROP TABLE embeddings; --",
        "<script>alert(1)</script>",
    ],
)
def test_a_strange_question_gets_a_sane_answer(assistant: Assistant, question: str) -> None:
    for turns in ([], said(question, "\ud800")):
        answer = assistant.ask(question, turns)
        check(assistant, answer)
        json.dumps(answer.to_dict(), ensure_ascii=False).encode()
        str(answer).encode()
    assistant.search(question)


def test_what_only_says_where_something_stands_is_no_answer(tmp_path: Path) -> None:
    """A menu is found by its own words, behind all else; nothing of it is quoted or offered."""
    told = "For two years the maker mends what breaks, free of charge."
    question = "How long is the warranty of the kettle?"
    menu = f"- [{question}](#a)\n- [The warranty of the kettle](#b)\n"
    other = "## More\n\n- [Use](#u)\n- [Promise](#p)\n\n## Use\n\nBoil water.\n"
    text = f"# Kettle\n\n{menu}\n## Promise\n\n{told}\n\n{other}"
    file = tmp_path / "kettle.md"
    file.write_text(text)
    with Assistant.open(file, index_dir=tmp_path / "index") as opened:
        kinds = [hit.paragraph.kind for hit in opened.search(question)]
        assert kinds == ["prose", "prose", "contents", "contents"]
        answer = opened.ask(question, refuse_below=0.0)
        assert {own.paragraph.kind for own in answer.citations} == {"prose"}
        assert not any("More" in own.question for own in opened.suggestions())


def test_an_index_moves_to_another_encoder_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    before = Settings(index_dir=folder, encoder=BASE_ENCODER)
    index = before.open_index()
    document = document_from_text("Tolls rose in May.\n\nThe ferry is free.", "tolls.txt")
    index.sync([document], keep=True)
    fingerprint = index.encoder.fingerprint
    index.close()

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Settings(index_dir=folder).open_index(progress=stop)
    with Assistant.open(index_dir=folder) as assistant:
        assert assistant.index.encoder.fingerprint != fingerprint
        assert [own.id for own in assistant.documents] == [document.id]
        assert assistant.search("When did the toll go up?", 1)[0].paragraph.number == 1
