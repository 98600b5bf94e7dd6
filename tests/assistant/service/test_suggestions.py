"""Questions to begin with: looked for once, behind what people ask, while nothing else waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from anyio import to_thread
from helpers import PATIENCE

from assistant import Assistant
from assistant.access.fair_queue import FairQueue
from assistant.service.suggestions import MAX_WAITING, Suggestions
from assistant.starters import OVERVIEW, Suggestion
from index.errors import RefusedError


class Slow(Assistant):
    """The real assistant, but for questions to begin with, for which a gate has to open."""

    gate = threading.Event()
    tried = 0

    def suggestions(self, language: str | None = None) -> list[Suggestion]:
        type(self).tried += 1
        assert self.gate.wait(PATIENCE)
        return super().suggestions(language)


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    texts = tmp_path_factory.mktemp("texts")
    for number in range(MAX_WAITING + 2):
        (texts / f"{number}.txt").write_text(f"Plums are blue, {number} of them.\n")
    with Slow.open(texts, index_dir=tmp_path_factory.mktemp("suggestions")) as opened:
        yield opened


def test_however_many_want_them_they_are_looked_for_once_and_block_nobody(
    assistant: Assistant,
) -> None:
    line = FairQueue(1, 5)
    starters = Suggestions(line)
    Slow.gate.clear()
    Slow.tried = 0

    async def want() -> None:
        one = [asyncio.create_task(starters.of(assistant)) for _ in range(60)]
        await asyncio.sleep(0)
        assert await to_thread.run_sync(lambda: "a thread is free") == "a thread is free"
        one.pop().cancel()  # it goes on for the others
        others = [
            asyncio.create_task(starters.of(assistant.for_documents([document])))
            for document in assistant.document_ids
        ]
        with pytest.raises(RefusedError, match="Ask again") as refused:
            await asyncio.gather(*others)
        assert (refused.value.status, refused.value.retry_after) == (503, 5)
        Slow.gate.set()
        found = await asyncio.gather(*one)
        assert len(set(found)) == 1
        await asyncio.gather(*others, return_exceptions=True)

    asyncio.run(asyncio.wait_for(want(), PATIENCE))
    assert Slow.tried == MAX_WAITING
    assert (line.running, line.waiting) == (0, 0)
    starters.close()


def test_people_come_first_and_who_has_a_place_waits_for_no_other(assistant: Assistant) -> None:
    line = FairQueue(1, 5)
    starters = Suggestions(line)
    Slow.gate.set()
    with line.place("ann"):
        assert starters.near(assistant, [], [], known=True) == [], "nobody waits for these"
        looked_for = starters.prepare(assistant)
        # An answer that is refused has the only place, and suggests what can be asked.
        near = starters.near(assistant, [], ["Who?"])
        assert near == [own.question for own in starters.prepare(assistant).result()[:2]]
        assert not looked_for.done()
    found = looked_for.result(PATIENCE)
    assert found == starters.prepare(assistant).result()
    assert starters.near(assistant, [], near) == []
    assert starters.near(assistant, [], [], known=True) == [], "no overview after an answer"
    starters.close()


def test_a_fault_is_told_and_not_remembered(assistant: Assistant) -> None:
    class Broken(Slow):
        def suggestions(self, language: str | None = None) -> list[Suggestion]:
            raise LookupError

    starters = Suggestions(FairQueue(1, 5))
    broken = Broken.__new__(Broken)
    broken.__dict__.update(assistant.__dict__)
    with pytest.raises(LookupError):
        starters.prepare(broken).result(PATIENCE)
    with pytest.raises(LookupError):
        starters.near(broken, [], ["Who?"])
    Slow.gate.set()
    assert starters.near(assistant, [], ["Who?"]) is not None
    starters.close()
    nobody_asks_any_more = assistant.for_documents(assistant.document_ids[:1])
    assert starters.prepare(nobody_asks_any_more).result(PATIENCE) == ()


GUIDE = """\
# The kiln

A kiln is an oven in which clay is baked until it is hard and holds water. Every kiln here is \
heated by gas, and one kiln is heated by wood.

## Cleaning the filter

To clean the filter of the gas burner, rinse it under cold water and let it dry for a day. It is \
cleaned every month.

## How long does a firing take?

A firing takes nine hours from the lighting of the burner to the cooling of the kiln.

## Opening hours

| Day | Hours |
|---|---|
| Monday | 9 to 17 |

## How much does a firing cost?

| Size | Price |
|---|---|
| Small | 20 |
| Large | 45 |

## What does it need?

It needs gas.
"""


@pytest.fixture(scope="module")
def potters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """A guide in English, and a page in German."""
    texts = tmp_path_factory.mktemp("potters")
    (texts / "kiln.md").write_text(GUIDE)
    (texts / "ofen.md").write_text(
        "# Der Ofen\n\n## Wie lange dauert ein Brand?\n\nEin Brand dauert im Ofen der Töpferei "
        "neun Stunden, vom Anzünden des Brenners bis zum Abkühlen.\n\n## Bedienung\n\nDen Ofen "
        "dürfen nur Mitglieder der Töpferei bedienen, die eine Einweisung bekommen haben.\n"
    )
    with Assistant.open(texts, index_dir=tmp_path_factory.mktemp("potters-index")) as opened:
        yield opened


@pytest.fixture(scope="module")
def starters() -> Iterator[Suggestions]:
    found = Suggestions(FairQueue(1, 5))
    yield found
    found.close()


def test_what_is_offered_is_answered_for_sure_in_sentences_and_where_it_should_be(
    potters: Assistant, starters: Suggestions
) -> None:
    found = starters.prepare(potters).result(PATIENCE)
    assert [own.question for own in found] == [
        OVERVIEW,
        "How long does a firing take?",
        "How do I clean the filter?",
        "What is a kiln?",
    ]
    for own in found[1:]:
        answer = potters.ask(own.question)
        assert answer.answered
        assert answer.confidence is not None
        assert answer.confidence >= 0.9
        assert answer.citations[0].paragraph.number in own.numbers
        assert {citation.paragraph.kind for citation in answer.citations} == {"prose"}


def test_questions_are_in_the_language_of_who_reads_them(
    potters: Assistant, starters: Suggestions
) -> None:
    german = starters.prepare(potters, "de").result(PATIENCE)
    assert [own.question for own in german] == [OVERVIEW, "Wie lange dauert ein Brand?"]
    assert [own.question for own in starters.prepare(potters, "fr").result(PATIENCE)] == [OVERVIEW]


def test_questions_near_a_paragraph_are_of_its_section(
    potters: Assistant, starters: Suggestions
) -> None:
    starters.prepare(potters).result(PATIENCE)
    answer = potters.ask("How long does a firing take?")
    (first, *_) = answer.citations
    assert first.paragraph.heading[-1] == "How long does a firing take?"
    assert starters.near(potters, answer.citations, [answer.question], 9, known=True) == []
    assert starters.near(potters, answer.citations, [], 9, known=True) == [answer.question]
    assert starters.near(potters, answer.citations, [], 9) == [answer.question, OVERVIEW]
