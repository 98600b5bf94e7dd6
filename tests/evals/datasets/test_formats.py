"""Question sets of every format, and the messages on malformed ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from question_sets import MILL, SEED, Eval, write

from assistant import Assistant
from evals.datasets.gold import GoldFinder, TextSpan
from evals.datasets.loader import read_set
from evals.datasets.models import Question, QuestionSet
from evals.running.runner import with_documents
from index import document_from_text, read_document
from index.errors import QuestionSetError

OK = '{"id": "ok", "question": "Q?", "answerable": false}'
CONTEXT = "Rain fell. The mill burned down in 1871. It was rebuilt."


def squad(*qas: dict[str, Any], context: str = CONTEXT) -> dict[str, Any]:
    return {
        "version": "v2.0",
        "data": [{"title": "Mill", "paragraphs": [{"context": context, "qas": list(qas)}]}],
    }


ANSWERED = {
    "id": "a",
    "question": "When did the mill burn down?",
    "is_impossible": False,
    "answers": [{"text": "1871", "answer_start": 35}, {"text": "in 1871", "answer_start": 32}],
}
IMPOSSIBLE = {"id": "b", "question": "Who owned it?", "is_impossible": True, "answers": []}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"id": "a"}', "there is no 'question'"),
        ('{"id": "a", "question": "Q?", "answerable": "yes"}', "answerable is 'yes'"),
        ('{"id": "a", "question": "Q?", "answerable": true}', "needs evidence"),
        ('{"id": "a", "question": " ", "answerable": false}', "question is ' '"),
        ('{"id": "a", "question": "Q?", "answerable": true, "evidence": "E"}', "evidence is 'E'"),
        ('{"id": "a", "question": "Q?", "answerable": true, "evidence": [[]]}', "evidence.0 is"),
        ('{"id": "a", "question": "Q?", "answerable": true, "evidence": [3]}', "evidence.0.0 is 3"),
        ('{"id": "a", "question": "Q?", "answerable": false, "answers": "E"}', "answers is 'E'"),
        ('{"id": "a", "question": "Q?", "answerable": false, "history": [1]}', "history.0 is 1"),
        ('{"id": "a", "question": "Q?", "answerable": false, "history": [{}]}', "a turn is"),
    ],
)
def test_a_malformed_line_is_named_with_its_reason(tmp_path: Path, line: str, reason: str) -> None:
    file = write(tmp_path / "set.jsonl", OK, line)
    with pytest.raises(QuestionSetError, match=reason) as caught:
        read_set(file)
    assert f"{file}:2" in str(caught.value)


def test_a_set_names_its_documents(tmp_path: Path) -> None:
    write(tmp_path / "mill.txt", CONTEXT)
    asked = {"id": "a", "question": "When?", "answerable": True, "evidence": [MILL]}
    found = read_set(write(tmp_path / "set.jsonl", {"documents": ["mill.txt"]}, asked))
    assert [document.title for document in found.documents] == ["mill.txt"]
    (gold,) = GoldFinder(found, found.documents).find(found.questions[0]).evidence
    assert gold == (TextSpan(found.documents[0].id, 11, 11 + len(MILL)),)


def test_evidence_that_is_not_in_the_document_is_named(assistant: Assistant) -> None:
    wrong = Question("q7", "Q?", True, evidence=(("Never written.",),))
    found = QuestionSet("mine", "native", (wrong,))
    with pytest.raises(QuestionSetError, match="q7 is in none of the documents"):
        GoldFinder(found, assistant.documents).find(wrong)


def test_evidence_in_a_heading_is_found_where_a_passage_below_it_is(
    footnote_eval: Eval, tmp_path: Path
) -> None:
    write(
        tmp_path / "mill.md",
        "# The old mill",
        "Rain fell for a week.",
        "## It *burned down* in 1871",
        "Nobody was hurt.",
        "## Afterwards",
        "It was rebuilt.",
    )
    inside = {"id": "a", "question": "Was anybody hurt?", "answerable": True}
    above = {"id": "b", "question": "When was it rebuilt?", "answerable": True}
    asked = write(
        tmp_path / "set.jsonl",
        {"documents": ["mill.md"]},
        {**inside, "evidence": ["It *burned down* in 1871"]},
        {**above, "evidence": [["The old mill", "rebuilt"]]},
        {**above, "id": "c", "evidence": ["The old mill"]},
    )
    records = json.loads(footnote_eval("run", asked, "--json", "-"))["records"]
    texts = [paragraph.id for paragraph in read_document(tmp_path / "mill.md").paragraphs]
    # Where it stands in a paragraph too, the heading does not count.
    expected = [texts[1:2], texts[2:], texts]
    assert [own["gold"]["units"] for own in records] == expected
    assert [own["rank"] for own in records] == [1, 1, 1]
    write(tmp_path / "mill.txt", "It stood by a river.\n\n* * *\n\nIt was white.")
    wrong = write(
        tmp_path / "none.jsonl", {"documents": ["mill.txt"]}, {**inside, "evidence": ["* * *"]}
    )
    with pytest.raises(QuestionSetError, match="a stands in no paragraph"):
        footnote_eval("run", wrong)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the **old** [mill](a.md) *burned*", "the old mill burned"),
        ("| 1871 | 3 |", "1871 | Men: 3"),
        ("1. Wash them.\n2. _Dry_ them.", "Wash them.\n2. Dry them."),
    ],
)
def test_quotes_are_found_without_marks(quote: str, found: str) -> None:
    text = "In spring the **old** [mill](a.md) *burned* down.\n\n1. Wash them.\n2. _Dry_ them.\n\n"
    text += "| Year | Men |\n|---|---|\n| 1871 | 3 |\n| 1872 | 1871 |\n"
    document = document_from_text(text, "mill.md", markdown=True)
    question = Question("q", "Q?", True, evidence=((quote,),))
    finder = GoldFinder(QuestionSet("mine", "native", (question,)), [document])
    ((span,),) = finder.find(question).evidence
    assert document.text[span.start : span.end] == found


def test_squad_files_are_read(tmp_path: Path) -> None:
    found = read_set(write(tmp_path / "one.json", squad(ANSWERED, IMPOSSIBLE)))
    assert found.format == "squad"
    assert [document.text for document in found.documents] == [CONTEXT]
    assert [question.answerable for question in found.questions] == [True, False]
    gold = GoldFinder(found, found.documents).find(found.questions[0])
    document = found.documents[0].id
    assert gold.evidence == ((TextSpan(document, 35, 39), TextSpan(document, 32, 39)),)
    assert gold.units == (document,)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (squad({**ANSWERED, "answers": [{"text": "1871", "answer_start": 3}]}), "at 3; there"),
        (squad({**ANSWERED, "answers": []}), "a: an answerable question needs"),
        (squad({"id": "a", "is_impossible": True}), r"data\.0\.paragraphs\.0\.qas\.0\.question"),
        ({"data": [{"title": "Mill"}]}, "there is no 'data.0.paragraphs'"),
        (squad(ANSWERED, ANSWERED), "same id"),
        ('{"data": [\n{"paragraphs": [}]}', "Invalid JSON.*line 2"),
    ],
)
def test_a_malformed_squad_file_names_the_place(tmp_path: Path, content: Any, reason: str) -> None:
    with pytest.raises(QuestionSetError, match=reason):
        read_set(write(tmp_path / "bad.json", content))


def beir(folder: Path, *qrels: str) -> Path:
    write(
        folder / "corpus.jsonl",
        {"_id": "p1", "title": "Mills", "text": MILL},
        {"_id": "p2", "title": "", "text": "Rain fell."},
    )
    write(folder / "queries.jsonl", {"_id": "q1", "text": "When?"}, {"_id": "q2", "text": "Who?"})
    write(folder / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore", *qrels)
    return folder


def test_beir_folders_are_read(tmp_path: Path) -> None:
    found = read_set(beir(tmp_path / "set", "q1\tp1\t2", "q1\tp2\t0"))
    assert found.format == "beir"
    assert [question.id for question in found.questions] == ["q1"]
    assert found.documents[0].text == f"Mills\n\n{MILL}"
    assert found.questions[0].gold == (found.documents[0].id,)
    assert found.notes == ("1 queries without a relevant passage in test.tsv are not asked.",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("q1\tp9\t1", "test.tsv:2: passage 'p9'"),
        ("q9\tp1\t1", "test.tsv:2: query 'q9'"),
        ("q1 p1 1", "test.tsv:2: there is no 'corpus-id'"),
        ("q1\tp1\tyes", "test.tsv:2: score is 'yes'"),
        ("q1\tp1\t0\t1", "holds no question"),
    ],
)
def test_a_malformed_judgment_is_named(tmp_path: Path, line: str, reason: str) -> None:
    with pytest.raises(QuestionSetError, match=reason):
        read_set(beir(tmp_path / "set", line))


def test_passages_that_read_the_same_are_one_unit(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl", {"id": "p1", "text": MILL}, {"id": "p2", "text": MILL})
    asked = {"id": "q", "question": "When?", "answerable": True, "gold": ["p2"]}
    write(tmp_path / "questions.jsonl", {**asked, "answers": ["IN 1871"]})
    found = read_set(tmp_path)
    gold = GoldFinder(found, found.documents).find(found.questions[0])
    assert gold.units == (found.documents[0].id,)
    assert gold.evidence == ((TextSpan(found.documents[1].id, 21, 28),),)


@pytest.mark.parametrize("files", [[], ["corpus.jsonl"]])
def test_a_folder_of_no_format_is_refused(tmp_path: Path, files: list[str]) -> None:
    for name in files:
        write(tmp_path / name, {"id": "p1", "text": MILL})
    with pytest.raises(QuestionSetError, match="A folder must hold"):
        read_set(tmp_path)


@pytest.mark.parametrize(
    "name",
    "seed seed_oblique seed_parts seed_overview seed_lists seed_conversation rules assorted "
    "unseen news".split(),
)
def test_questions_that_ship_quote_their_documents(assistant: Assistant, name: str) -> None:
    """Those of other documents than the ones that ship say of which, and are left out."""
    questions = read_set(SEED.with_name(f"{name}.jsonl"))
    documents = questions.documents or tuple(assistant.documents)
    asked = with_documents(questions, documents)
    finder = GoldFinder(asked, documents)
    quoted = set()
    for question in asked.questions:
        evidence = finder.find(question).evidence  # raises where a quote is not there
        assert bool(evidence) == question.answerable
        quoted |= {span.document for item in evidence for span in item}
    assert quoted == {document.id for document in documents}
    left_out = len(questions.questions) - len(asked.questions)
    assert bool(left_out) == (name in ("seed_overview", "seed_lists", "seed_conversation"))
    assert all(f"{left_out} questions are left out" in note for note in asked.notes)


def test_a_question_may_be_asked_of_one_document_alone(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.txt").write_text(f"The bridge is closed. This is file {name}.\n")
    record = {"id": "q", "question": "?", "answerable": True, "evidence": ["The bridge is closed."]}
    file = tmp_path / "set.jsonl"
    file.write_text(json.dumps(record | {"document": "two.txt"}) + "\n")
    documents = [read_document(tmp_path / f"{name}.txt") for name in ("one", "two")]
    questions = read_set(file)
    assert with_documents(questions, documents) == questions
    (item,) = GoldFinder(questions, documents).find(questions.questions[0]).evidence
    assert [span.document for span in item] == [documents[1].id]
    with pytest.raises(QuestionSetError, match=r"give --source with two\.txt"):
        with_documents(questions, documents[:1])
