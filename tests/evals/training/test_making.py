"""What the reading model learns from: texts that were written for it, and examples, every kind of
which says what its name says."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from importlib.resources import files
from pathlib import Path
from zipfile import ZipFile

import pytest
from scripts import run_script
from training_data import write_data

from evals.datasets.claims import read_claims
from evals.datasets.json_lines import read_objects
from evals.training.examples import NEAR, LabelledDocument, Passage, read_examples
from evals.training.making import examples_of, make
from evals.training.sources import read_asked, read_authored, read_published, read_written

ELSEWHERE = "claimed of another paragraph"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    return folder


@pytest.fixture(scope="module", params=["authored", "published"])
def documents(request: pytest.FixtureRequest, folder: Path) -> list[LabelledDocument]:
    if request.param == "authored":
        return read_authored()
    return list(read_published(folder, random.Random(1)))


def test_examples_say_what_their_documents_say(documents: list[LabelledDocument]) -> None:
    examples = list(examples_of(documents, random.Random(1)))
    assert examples == list(examples_of(documents, random.Random(1)))
    assert examples != list(examples_of(documents, random.Random(2)))
    paragraphs = [own for document in documents for own in document.paragraphs]
    answers = {
        (question.lower().rstrip("?."), tuple(own.sentences[number - 1] for number in numbers))
        for own in paragraphs
        for numbers, question in own.questions
    }
    texts: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for own in paragraphs:
        for true, claim in own.claims:
            texts[claim, true].append(own.text)
    kinds = set()
    for example in examples:
        _, _, kind = example.kind.partition(", ")
        kinds.add(kind)
        if isinstance(example, Passage):
            marked = tuple(s for s, m in zip(example.sentences, example.labels, strict=True) if m)
            assert example.answers == bool(marked) == (kind == "")
            assert not marked or (example.question.lower().rstrip("?."), marked) in answers
        elif kind == "claimed":
            said = texts[example.claim, bool(example.entailed)]
            assert any(text in example.premise for text in said)
        else:
            assert not example.entailed
    assert kinds == {"", "not answered", "another paragraph", "removed", "claimed", ELSEWHERE}


def test_published_data_becomes_documents(folder: Path) -> None:
    documents = list(read_published(folder, random.Random(1)))
    assert {document.kind for document in documents} == {"question", "sentence", "inference"}
    assert {document.held_out for document in documents} == {False, True}
    asked = [own for own in documents if own.kind == "question"]
    for document in asked:
        first, *others = document.paragraphs
        [(numbers, question)] = first.questions
        answering = [first.sentences[number - 1] for number in numbers]
        assert all(own.startswith("It was opened by Mayor") for own in answering)
        assert first.heading in ("", question.removesuffix(" opened?").split()[-1])
        assert not numbers or all(answering[0] not in own.sentences for own in others)
    # What stands in two sentences is said by one of them only by chance.
    assert not any("fountain" in own.paragraphs[0].questions[0][1] for own in asked)


@pytest.mark.long
def test_of_published_data_a_part_is_taken_and_all_that_is_held_out(
    folder: Path, tmp_path: Path
) -> None:
    run_script(make, tmp_path / "out.jsonl.gz", "--data", folder, "--most", 5)
    examples = list(read_examples(tmp_path / "out.jsonl.gz"))
    own = [one for one in examples if not one.kind.startswith("authored")]
    few = [one for one in own if not one.held_out]
    assert sum(isinstance(one, Passage) for one in few) == len(few) / 2 == 5
    documents = list(read_published(folder, random.Random(1)))
    assert any(one.held_out for one in documents) == any(one.held_out for one in own) is True


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
    with ZipFile(str(files("evals.training") / "written.zip")) as archive:
        archive.extractall(tmp_path)
    documents: dict[str, set[str]] = {}
    for part in ("learn", "choose", "report"):
        file = tmp_path / f"{part}.jsonl"
        rows = [row for _, row in read_objects(file)]
        documents[part] = {row["document"] for row in rows}
        pairs = list(read_written(file, random.Random(1)))
        kinds = {pair.kind for pair in pairs}
        assert {f"written, {row['error'] or 'true'}" for row in rows} <= kinds
        claims = read_claims(file).claims
        assert sum(claim.supported for claim in claims) * 2 == len(claims) == len(rows)
    assert not documents["learn"] & (documents["choose"] | documents["report"])
    assert not documents["choose"] & documents["report"]


def test_questions_stand_at_the_sentences_that_answer_and_are_put_to_near_ones(
    tmp_path: Path,
) -> None:
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
            "lead": "",
            "before": "",
            "source": passages[number],
            "after": "",
            "supported": supported,
            "error": "",
        }
        for number, question, claim, supported in (
            (0, "May my dog come along?", "Yes, dogs are let in, on a lead.", True),
            (0, "When can I swim?", "The pond is open to swimmers in May.", False),
            *((n, "What is in it?", "Tools and paint are in the shed.", True) for n in range(1, 8)),
        )
    ]
    file = tmp_path / "learn.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    [document] = read_asked(file)
    first, second, *_ = document.paragraphs
    assert first.questions == [((1,), "May my dog come along?")]  # what is false answers nothing
    assert second.questions == []  # nor does what has no word of the answer
    near = {
        example.sentences
        for seed in range(40)
        for example in examples_of([document], random.Random(seed))
        if isinstance(example, Passage)
        and example.question.lower().startswith("may my dog")
        and "another paragraph" in example.kind
    }
    assert second.sentences in near
    assert len(near) <= NEAR
