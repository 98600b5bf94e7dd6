"""Reads a question set, in one of four formats.

- **native**: JSON Lines, one question a line. `evidence` holds all that the answer needs; an item
  that is a list holds alternatives. A line `{"documents": ["report.txt"]}` names the documents, by
  paths from the set's folder; they may also be given beside it (`--source`). A question with
  `document`, the name of a file, is asked of that one alone, and left out where it is not given.
  Two kinds have figures of their own: overviews (`overview`, `document`, or `section` for a part;
  `evidence` holds the key sentences) and lists (`list`, or `other number` where the question has
  the number wrong; `evidence` holds the items). Other fields are kept for other uses and not read.

      {"id": "q1", "question": "...", "answerable": true, "kind": "fact",
       "evidence": ["exact quote", ["either this quote", "or this one"]],
       "also_supports": ["exact quote"], "answers": ["short answer"],
       "history": [{"role": "user", "content": "..."}, ...]}

- **passages**: a folder of `corpus.jsonl` (`id`, `text`) and `questions.jsonl` (as above, with
  `gold`, the ids of the passages that answer, in place of `evidence`).
- **SQuAD** 1.1 or 2.0: a file whose name ends with `.json` (Rajpurkar et al., arXiv 1606.05250 and
  1806.03822). The contexts of all articles are the passages of one corpus. `is_impossible`
  questions are unanswerable; the annotators' answers are alternatives, each at its exact place.
  `plausible_answers` of impossible questions are not gold and are not read.
- **BEIR**: a folder of `corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv` (Thakur et al., arXiv
  2104.08663). Every judged query is answerable; a passage's title, where it has one, stands before
  its text, as in BEIR's own baselines. Queries without a relevant passage are not asked, and the
  set says how many.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field, StrictBool

from evals.datasets.json_lines import read_objects, read_text, validated
from evals.datasets.models import Question, QuestionSet, Text
from index import Document, document_from_text, find_files, read_document
from index.errors import EmptyDocumentError, QuestionSetError

Identity = Annotated[str, BeforeValidator(str)]


def read_sets(paths: Sequence[Path], ocr: bool = False) -> list[QuestionSet]:
    """Read several question sets.

    Args:
        paths: files or folders, each a set.
        ocr: recognise the text in the pictures of the sets' own documents.

    Raises:
        QuestionSetError: as `read_set`, or two sets have the same name.
        DocumentError: as `read_set`.
    """
    sets = {found.name: found for found in (read_set(path, ocr) for path in paths)}
    if len(sets) < len(paths):
        raise QuestionSetError("Two sets have the same name. Rename one of them.")
    return list(sets.values())


def read_set(path: Path, ocr: bool = False) -> QuestionSet:
    """Read a question set of any of the formats.

    Args:
        path: the file or folder of the set.
        ocr: recognise the text in the pictures of the set's own documents.

    Raises:
        QuestionSetError: it is malformed, or of no known format; names file, line and reason.
        DocumentError: a document that the set names cannot be read.
    """
    if path.is_dir():
        names = {file.name for file in path.iterdir()}
        if {"corpus.jsonl", "queries.jsonl"} <= names:
            found = _read_beir(path)
        elif {"corpus.jsonl", "questions.jsonl"} <= names:
            found = _read_passages(path)
        else:
            raise QuestionSetError(
                f"{path} is not a question set. A folder must hold corpus.jsonl with "
                "questions.jsonl, or corpus.jsonl with queries.jsonl and qrels/test.tsv."
            )
    else:
        found = _read_squad(path) if ".json" in path.suffixes else _read_native(path, ocr)
    [(often, count), *_] = Counter(q.id for q in found.questions).most_common(1) or [("", 0)]
    if count == 0:
        raise QuestionSetError(f"{path} holds no question.")
    if count > 1:
        raise QuestionSetError(f"{path}: two questions have the same id {often!r}.")
    return found


# --- Footnote's own -----------------------------------------------------------------------------


def _read_native(path: Path, ocr: bool) -> QuestionSet:
    questions, documents = [], list[Document]()
    for line, data in read_objects(path):
        place = f"{path}:{line}"
        if "documents" in data and "question" not in data:
            files = [path.parent / name for name in _strings(place, data, "documents")]
            documents += [read_document(file, ocr=ocr) for file in find_files(files)]
        else:
            question = validated(place, Question, data)
            _need_evidence(place, question, question.evidence)
            questions.append(question)
    return QuestionSet(path.stem, "native", tuple(questions), tuple(documents))


def _read_passages(folder: Path) -> QuestionSet:
    documents = _corpus(folder)
    file = folder / "questions.jsonl"
    questions = []
    for line, data in read_objects(file):
        place = f"{file}:{line}"
        names = _strings(place, data, "gold")
        question = validated(place, Question, {**data, "gold": None})
        _need_evidence(place, question, names)
        gold = tuple(_passage(place, documents, name).id for name in names)
        questions.append(replace(question, gold=gold))
    return QuestionSet(folder.name, "passages", tuple(questions), tuple(documents.values()))


def _need_evidence(place: str, question: Question, evidence: Sequence[object]) -> None:
    if question.answerable and not evidence:
        raise QuestionSetError(f"{place}: an answerable question needs evidence.")


def _strings(place: str, data: dict[str, Any], name: str) -> list[str]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise QuestionSetError(f"{place}: {name} is {found!r}, not a list of strings.")
    return found


# --- passages as documents ----------------------------------------------------------------------


class _Entry(BaseModel):
    """A passage of a corpus, or a query."""

    id: Identity = Field(validation_alias=AliasChoices("_id", "id"))
    title: str = ""
    text: str


def _corpus(folder: Path, with_titles: bool = False) -> dict[str, Document]:
    """Return the passages of `corpus.jsonl` by their id, each as a document of its own."""
    file = folder / "corpus.jsonl"
    documents = {}
    for line, data in read_objects(file):
        entry = validated(f"{file}:{line}", _Entry, data)
        parts = [entry.title.strip() if with_titles else "", entry.text]
        text = "\n\n".join(part for part in parts if part.strip())
        documents[entry.id] = _document(f"{file}:{line}", f"{folder.name}/{entry.id}", text)
    return documents


def _document(place: object, source: str, text: str) -> Document:
    try:
        return document_from_text(text, source=source)
    except EmptyDocumentError as error:
        raise QuestionSetError(f"{place}: the passage has no text.") from error


def _passage(place: str, documents: dict[str, Document], identity: str) -> Document:
    if identity not in documents:
        raise QuestionSetError(f"{place}: passage {identity!r} is not in corpus.jsonl.")
    return documents[identity]


# --- SQuAD --------------------------------------------------------------------------------------


class _Answer(BaseModel):
    text: Text
    answer_start: int


class _SquadQuestion(BaseModel):
    id: Identity
    question: Text
    is_impossible: StrictBool = False
    answers: list[_Answer] = []


class _Context(BaseModel):
    context: str
    qas: list[_SquadQuestion]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Context]


class _SquadFile(BaseModel):
    data: list[_Article]


def _read_squad(path: Path) -> QuestionSet:
    documents = dict[str, Document]()  # by context: the same one is one passage
    questions = list[Question]()
    for article in validated(path, _SquadFile, read_text(path)).data:
        for paragraph in article.paragraphs:
            context = paragraph.context
            if context not in documents:
                source = f"{path.name}/{article.title}#{len(documents)}"
                documents[context] = _document(path, source, context)
            questions += [_of_squad(path, asked, documents[context]) for asked in paragraph.qas]
    return QuestionSet(path.stem, "squad", tuple(questions), tuple(documents.values()))


def _of_squad(path: Path, asked: _SquadQuestion, document: Document) -> Question:
    if asked.is_impossible:
        return Question(asked.id, asked.question, False)
    spans = []
    for answer in asked.answers:
        start, end = answer.answer_start, answer.answer_start + len(answer.text)
        if document.text[start:end] != answer.text:
            raise QuestionSetError(
                f"{path}: {asked.id}: the answer {answer.text!r} is not in its context at {start}; "
                f"there stands {document.text[start:end]!r}."
            )
        spans.append((document.id, start, end))
    _need_evidence(f"{path}: {asked.id}", Question(asked.id, asked.question, True), spans)
    return Question(
        asked.id,
        asked.question,
        True,
        gold=(document.id,),
        spans=tuple(dict.fromkeys(spans)),
        answers=tuple(dict.fromkeys(answer.text for answer in asked.answers)),
    )


# --- BEIR ---------------------------------------------------------------------------------------


class _Judgment(BaseModel):
    query: str = Field(alias="query-id")
    passage: str = Field(alias="corpus-id")
    grade: int = Field(alias="score")


def _read_beir(folder: Path) -> QuestionSet:
    documents = _corpus(folder, with_titles=True)
    file, qrels = folder / "queries.jsonl", folder / "qrels" / "test.tsv"
    lines = read_objects(file)
    queries = [validated(f"{file}:{line}", _Entry, data) for line, data in lines]
    known = {query.id for query in queries}
    relevant: dict[str, list[str]] = defaultdict(list)
    rows = csv.DictReader(read_text(qrels).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        place = f"{qrels}:{rows.line_num}"
        judgment = validated(place, _Judgment, row)
        if judgment.query not in known:
            raise QuestionSetError(f"{place}: query {judgment.query!r} is not in queries.jsonl.")
        passage = _passage(place, documents, judgment.passage)
        if judgment.grade > 0:
            relevant[judgment.query].append(passage.id)
    questions = [
        Question(query.id, query.text, True, gold=tuple(relevant[query.id]))
        for query in queries
        if query.id in relevant
    ]
    found = QuestionSet(folder.name, "beir", tuple(questions), tuple(documents.values()))
    if left := len(queries) - len(questions):
        note = f"{left} queries without a relevant passage in {qrels.name} are not asked."
        found = replace(found, notes=(note,))
    return found
