"""What is learned from: texts that were written for it, data of others, and what is made of them,
every kind of which says what its name says."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from evals.datasets.claims import is_held_out, read_claims
from evals.datasets.json_lines import read_objects
from evals.training.checker import pairs_of, read_pairs, written_pairs
from evals.training.reading_model import Passage, passages_of, read_passages
from evals.training.texts import (
    ARCHIVES,
    NEAR,
    LabelledDocument,
    asked_documents,
    read_answered,
    read_authored,
    read_entailed,
    read_relevance,
    read_written,
)

#: What may stand behind a full stop.
ENDS = "\"')\u201d\u2019"
TEXT = """# A remark.
D Mill
H Grain
P Rye is ground on Monday. | Wheat is not. | Bring sacks.
1 When can I have my rye done?
1,3 What do I bring, and when?
0 What does it cost?
+ Rye has its day.
- Wheat has its day.

P The mill stands still in frost.
1 Do you work when it freezes?
"""


def _plain(question: str) -> str:
    return question.lower().rstrip("?.")


@pytest.mark.parametrize("read", [None, read_answered, read_relevance])
def test_passages_say_what_their_documents_say(
    read: Callable[[Path, random.Random], Iterator[LabelledDocument]] | None, data: Path
) -> None:
    documents = list(read(data, random.Random(1))) if read else read_authored()

    def made(seed: int) -> list[Passage]:
        chance = random.Random(seed)
        return [passage for own in documents for passage in passages_of(own, chance)]

    passages = made(1)
    assert passages == made(1) != made(2)
    answers = {
        (_plain(question), tuple(own.sentences[number - 1] for number in numbers))
        for document in documents
        for own in document.paragraphs
        for numbers, question in own.questions
    }
    kinds = set()
    for passage in passages:
        _, _, kind = passage.kind.partition(", ")
        kinds.add(kind)
        labelled = zip(passage.sentences, passage.labels, strict=True)
        marked = tuple(sentence for sentence, label in labelled if label)
        assert bool(marked) == (kind == "")
        assert not marked or (_plain(passage.question), marked) in answers
    short = {"", "not answered"}
    assert short <= kinds
    if read is None:
        assert kinds == short | {"another paragraph", "removed"}


def test_pairs_say_what_their_documents_say(data: Path) -> None:
    for documents in (read_authored(), list(read_entailed(data, random.Random(1)))):
        said: dict[tuple[str, int], list[str]] = defaultdict(list)
        for own in (own for document in documents for own in document.paragraphs):
            for true, claim in own.claims:
                said[claim, int(true)].append(own.text)
        chance = random.Random(1)
        pairs = [pair for document in documents for pair in pairs_of(document, chance)]
        kinds = set()
        for pair in pairs:
            _, _, kind = pair.kind.partition(", ")
            kinds.add(kind)
            if kind == "claimed":
                assert any(text in pair.premise for text in said[pair.claim, pair.entailed])
            else:
                assert not pair.entailed
        assert kinds == {"claimed", "claimed of another paragraph"}


def test_data_of_others_becomes_documents_without_what_is_held_out(data: Path) -> None:
    asked = list(read_answered(data, random.Random(1)))
    assert asked
    for document in asked:
        [paragraph] = document.paragraphs
        [(numbers, question)] = paragraph.questions
        answering = [paragraph.sentences[number - 1] for number in numbers]
        assert all(own.startswith("It was opened by Mayor") for own in answering)
        assert paragraph.heading in ("", question.removesuffix(" opened?").split()[-1])
    # What stands in two sentences is said by one of them only by chance.
    assert not any("fountain" in own.paragraphs[0].questions[0][1] for own in asked)
    found = 0
    for name, key, read in (
        ("qa", "context", read_answered),
        ("relevance", "sentence", read_relevance),
        ("nli", "premise", read_entailed),
    ):
        texts = {row[key] for _, row in read_objects(data / f"{name}.jsonl.gz")}
        held_out = {text for text in texts if is_held_out(text)}
        learned = {own.text for one in read(data, random.Random(1)) for own in one.paragraphs}
        assert learned
        assert not learned & held_out
        found += len(held_out)
    assert found


def test_paragraphs_stand_below_their_headings_with_their_questions() -> None:
    [document] = read_authored(TEXT)
    grain, frost = document.paragraphs
    assert document.title == "Mill"
    assert grain.heading == frost.heading == "Grain"
    assert grain.sentences == ("Rye is ground on Monday.", "Wheat is not.", "Bring sacks.")
    assert grain.questions[1] == ((1, 3), "What do I bring, and when?")
    assert grain.questions[2] == ((), "What does it cost?")
    assert grain.claims == [(True, "Rye has its day."), (False, "Wheat has its day.")]
    assert frost.questions == [((1,), "Do you work when it freezes?")]


@pytest.mark.parametrize("line", ["2 What?", "0,1 What?", "1, What?", "Q What?", "x"])
def test_a_line_that_says_nothing_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        read_authored(f"D A\nH B\nP C.\n{line}")


def test_what_was_written_is_whole() -> None:
    for own in (own for document in read_authored() for own in document.paragraphs):
        assert own.heading
        assert any(answers for answers, _ in own.questions)
        assert all(sentence.rstrip(ENDS).endswith((".", "?", "!")) for sentence in own.sentences)


def test_sentences_of_models_are_split_by_document(tmp_path: Path) -> None:
    with ZipFile(ARCHIVES / "written.zip") as archive:
        archive.extractall(tmp_path)
    documents: dict[str, set[str]] = {}
    for part in ("learn", "choose", "report"):
        file = tmp_path / f"{part}.jsonl"
        rows = [row for _, row in read_objects(file)]
        documents[part] = {row["document"] for row in rows}
        kinds = {pair.kind for pair in written_pairs(rows, random.Random(1))}
        assert {f"written, {row['error'] or 'true'}" for row in rows} <= kinds
        claims = read_claims(file).claims
        assert sum(claim.supported for claim in claims) * 2 == len(claims) == len(rows)
    assert documents["learn"] == {row["document"] for row in read_written()}
    assert not documents["learn"] & (documents["choose"] | documents["report"])
    assert not documents["choose"] & documents["report"]


@pytest.mark.long
def test_all_that_is_learned_from_is_the_same_each_time(data: Path) -> None:
    passages = read_passages(None, data, random.Random(7))
    assert passages == read_passages(None, data, random.Random(7))
    sources = {passage.kind.partition(",")[0] for passage in passages}
    assert sources == {"authored", "written", "question", "sentence"}
    pairs = read_pairs(data, random.Random(1))
    assert pairs == read_pairs(data, random.Random(1))
    assert {pair.kind.partition(",")[0] for pair in pairs} == {"authored", "written", "inference"}


def test_questions_stand_at_the_sentences_that_answer_and_are_put_to_near_ones() -> None:
    passages = [
        "Dogs are let in on a lead. The pond is open to swimmers in July.",
        "Dogs that are not on a lead cost twenty crowns.",
        *(f"The shed of number {n} holds tools and paint for the fence." for n in range(6)),
    ]
    rows = [
        {
            "claim": claim,
            "question": question,
            "document": "park.md",
            "heading": ["Rules"],
            "source": passages[number],
            "supported": supported,
        }
        for number, question, claim, supported in (
            (0, "May my dog come along?", "Yes, dogs are let in, on a lead.", True),
            (0, "When can I swim?", "The pond is open to swimmers in May.", False),
            *((n, "What is in it?", "Tools and paint are in the shed.", True) for n in range(1, 8)),
        )
    ]
    [document] = asked_documents(rows)
    first, second, *_ = document.paragraphs
    assert first.questions == [((1,), "May my dog come along?")]  # what is false answers nothing
    assert second.questions == []  # nor does what has no word of the answer
    near = {
        passage.sentences
        for seed in range(40)
        for passage in passages_of(document, random.Random(seed))
        if passage.question.lower().startswith("may my dog") and "another" in passage.kind
    }
    assert second.sentences in near
    assert len(near) <= NEAR
