"""BEIR folders (Thakur et al., arXiv 2104.08663): `corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv`.

Every judged query is answerable; a passage's title, where it has one, stands before its text, as
in BEIR's own baselines. Queries without a relevant passage in the split that is read are not asked,
and the set says how many.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from evals.datasets.json_lines import question_set, read_corpus, read_objects, read_text
from evals.datasets.models import Question, QuestionSet
from index.errors import QuestionSetError

#: The split that BEIR's own figures are of.
SPLIT = "test"


def read_beir(folder: Path) -> QuestionSet:
    """Read a BEIR folder; of several splits the one that is named `test`.

    Raises:
        QuestionSetError: it is malformed; names file, line and reason.
    """
    documents = read_corpus(folder, "_id", with_title=True)
    queries = {}
    for line, data in read_objects(folder / "queries.jsonl"):
        if not str(data.get("_id", "")) or not str(data.get("text", "")).strip():
            raise QuestionSetError(f"{folder / 'queries.jsonl'}:{line}: no _id, or no text.")
        queries[str(data["_id"])] = str(data["text"])
    qrels, notes = _split(folder)
    grades: dict[str, dict[str, int]] = defaultdict(dict)
    for line, query, passage, grade in _judgments(qrels):
        if query not in queries:
            raise QuestionSetError(f"{qrels}:{line}: query {query!r} is not in queries.jsonl.")
        if passage not in documents:
            raise QuestionSetError(f"{qrels}:{line}: passage {passage!r} is not in corpus.jsonl.")
        if grade > 0:
            grades[query][documents[passage].id] = grade
    unjudged = len(queries.keys() - grades.keys())
    if unjudged:
        notes.append(
            f"{unjudged} queries without a relevant passage in {qrels.name} are not asked."
        )
    questions = [
        Question(identity, text, True, gold=grades[identity])
        for identity, text in queries.items()
        if identity in grades
    ]
    return question_set(folder, "beir", questions, documents.values(), notes=notes)


def _split(folder: Path) -> tuple[Path, list[str]]:
    """The file of judgments that counts, and notes on the others."""
    files = sorted((folder / "qrels").glob("*.tsv"))
    if not files:
        raise QuestionSetError(f"{folder / 'qrels'} holds no .tsv file of judgments.")
    chosen = next((file for file in files if file.stem == SPLIT), files[0])
    if len(files) > 1 and chosen.stem != SPLIT:
        names = ", ".join(file.name for file in files)
        raise QuestionSetError(
            f"{folder / 'qrels'} holds {names}; which one counts is not told. Keep one, or name it "
            f"{SPLIT}.tsv."
        )
    others = [file.name for file in files if file != chosen]
    notes = [f"Judgments are those of {chosen.name}, not of {', '.join(others)}."] if others else []
    return chosen, notes


def _judgments(qrels: Path) -> Iterator[tuple[int, str, str, int]]:
    """(line, query, passage, grade); a first line of column names is passed over."""
    for number, line in enumerate(read_text(qrels).splitlines(), start=1):
        columns = line.split("\t")
        if not line.strip():
            continue
        if len(columns) not in (3, 4):  # four as trec_eval reads them, the second unused
            raise QuestionSetError(
                f"{qrels}:{number}: {len(columns)} columns; there must be query, passage and "
                "grade, with tabs between them."
            )
        query, *_, passage, grade = columns
        if grade.strip().lstrip("-").isdecimal():
            yield number, query, passage, int(grade)
        elif number > 1:
            raise QuestionSetError(f"{qrels}:{number}: the grade {grade!r} is not a whole number.")
