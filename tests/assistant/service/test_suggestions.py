"""Questions to begin with: looked for once, behind what people ask, while nothing else waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from anyio import to_thread
from helpers import PATIENCE

from assistant import Assistant
from assistant.access.fair_queue import FairQueue
from assistant.documents import question_of, questions_of
from assistant.service.suggestions import MAX_WAITING, Suggestions
from index.errors import RefusedError


class Slow(Assistant):
    """The real assistant, but for questions to begin with, for which a gate has to open."""

    gate = threading.Event()
    tried = 0

    def suggestions(self, count: int = 8) -> list[str]:
        type(self).tried += 1
        assert self.gate.wait(PATIENCE)
        return super().suggestions(count)


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
        assert starters.near(assistant, [], ["Who?"]) == list(
            starters.prepare(assistant).result()[:2]
        )
        assert not looked_for.done()
    found = looked_for.result(PATIENCE)
    assert found == starters.prepare(assistant).result()
    assert starters.near(assistant, [], found[:1], 3, known=True) == list(found[1:4])
    starters.close()


def test_of_those_who_have_a_place_one_looks_for_them(assistant: Assistant) -> None:
    starters = Suggestions(FairQueue(2, 5))
    Slow.gate.clear()
    Slow.tried = 0
    begun = threading.Barrier(3)

    def near() -> list[str]:
        begun.wait(PATIENCE)
        return starters.near(assistant, [], ["Who?"])

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(near) for _ in range(2)]
        begun.wait(PATIENCE)
        time.sleep(0.2)  # for the other to come as well
        Slow.gate.set()
        assert asked[0].result(PATIENCE) == asked[1].result(PATIENCE)
    assert Slow.tried == 1
    starters.close()


def test_a_fault_is_told_and_not_remembered(assistant: Assistant) -> None:
    class Broken(Slow):
        def suggestions(self, count: int = 8) -> list[str]:
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


def test_what_begins_with_what_is_not_shown_is_no_answer_to_begin_with(tmp_path: Path) -> None:
    bakery = "The bakery in Tolvik bakes rye bread on Thursdays, and cakes on Sundays."
    ferry = "It is said that the ferry to Lund leaves at nine in the morning."
    file = tmp_path / "harbour.md"
    file.write_text(
        f"# The harbour\n\n## The bakery in Tolvik\n\n{bakery}\n\n## The ferry to Lund\n\n{ferry}\n"
    )
    with Assistant.open(file, index_dir=tmp_path / "index") as opened:
        assert opened.ask("What is said about The ferry to Lund?").text.startswith(ferry)
        starters = Suggestions(FairQueue(1, 5))
        found = starters.prepare(opened).result(PATIENCE)
        starters.close()
    assert found == ("What are the main points?", "What is said about The bakery in Tolvik?")


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Q: Can I extend my leave?", "Can I extend my leave?"),
        ("I joined in May. Am I eligible?", "I joined in May. Am I eligible?"),
        ("2. Was sollten Sie vor der Einnahme beachten?",) * 2,
        ("Need some assistance?", ""),
        (
            "How line management duties are assigned",
            "What is said about how line management duties are assigned?",
        ),
        ("How is salary calculated", "How is salary calculated?"),
        ("Page title as it appears in the menu", ""),
        ("IT and telephones", "What is said about IT and telephones?"),
        (
            "§ 32–531.06. Effect on existing employment benefits.",
            "What is said about Effect on existing employment benefits?",
        ),
        ("Maternity leave:", "What is said about Maternity leave?"),
        ("5.6.27. Package-List", "What is said about Package-List?"),
        ("A.1 Early history", "What is said about Early history?"),
        ("Windows 7 and its stores", "What is said about Windows 7 and its stores?"),
        ("Why is it blue?", "Why is it blue?"),
        *((heading, "") for heading in ("", "Contents", "1. Introduction", "Feb 27, 2025")),
        *((heading, "") for heading in ("Version 3.9.8", "d666f1f7-46cb-42bd-9a39-9a39cf2a509f")),
        *((heading, "") for heading in ("Attention!", "A", "NN-E28JBM", "Head | Body | Legs")),
    ],
)
def test_a_heading_makes_a_question(heading: str, question: str) -> None:
    assert question_of(heading) == question.removeprefix("2. ")


def test_what_stands_over_most_of_a_document_makes_no_question() -> None:
    outline = [("The club", part) for part in ("Members", "Members", "Money")]
    assert questions_of("club.pdf", [("The club",), *outline]) == [
        "What is said about Members?",
        "What is said about Money?",
    ]
    assert questions_of("club.pdf", [("The club",)] * 2) == ["What is said about The club?"]


def test_questions_after_an_answer_are_of_the_documents_that_it_cites(tmp_path: Path) -> None:
    for name in ("plums", "pears", "quinces"):
        (tmp_path / f"{name}.md").write_text(
            f"# About {name}\n\n## The {name} of Tolvik\n\n"
            f"The {name} of Tolvik are picked in the gardens behind the church.\n\n"
            f"## When are {name} ripe?\n\nThe {name} are ripe when September comes to an end.\n"
        )
    with Assistant.open(tmp_path, index_dir=tmp_path / "index") as opened:
        starters = Suggestions(FairQueue(1, 5))
        found = starters.prepare(opened).result(PATIENCE)
        answer = opened.ask("When are pears ripe?")
        assert {own.title for own in answer.citations} == {"About pears"}
        near = starters.near(opened, answer.citations, [answer.question], 9, known=True)
        starters.close()
    assert [own for own in found if "plums" in own]
    assert near == ["What is said about The pears of Tolvik?"]
