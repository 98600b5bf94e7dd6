"""Reads a question set; the format is recognised by the content, not given by a flag.

- **native**: JSON Lines, one question a line. `evidence` holds all that the answer needs; an item
  that is a list holds alternatives; `whole`, alternatives of all that a complete answer quotes. A
  line `{"documents": ["report.txt"]}` names the documents, by paths from the set's folder; they may
  also be given beside it (`--source`). A question with `document`, the name of a file, is asked of
  that one alone, and left out where it is not given.
  Two kinds have figures of their own: overviews (`overview`, `document`, or `section` for a part;
  `evidence` holds the key sentences, `abstract` what people wrote as one) and lists (`list`, or
  `other number` where the question has the number wrong; `evidence` holds the items).

      {"id": "q1", "question": "...", "answerable": true, "kind": "fact",
       "evidence": ["exact quote", ["either this quote", "or this one"]],
       "also_supports": ["exact quote"], "answers": ["short answer"],
       "history": [{"role": "user", "content": "..."}, ...]}

- **passages**: a folder of `corpus.jsonl` (`id`, `text`) and `questions.jsonl` (as above, with
  `gold`, the ids of the passages that answer, in place of `evidence`).
- **SQuAD** 1.1 or 2.0: a JSON file (Rajpurkar et al., arXiv 1606.05250 and 1806.03822). The
  contexts of all articles are the passages of one corpus. `is_impossible` questions are
  unanswerable; the annotators' answers are alternatives, each at its exact place.
  `plausible_answers` of impossible questions are not gold and are not read.
- **BEIR**: a folder of `corpus.jsonl`, `queries.jsonl`, `qrels/*.tsv` (Thakur et al., arXiv
  2104.08663). Every judged query is answerable; a passage's title, where it has one, stands before
  its text, as in BEIR's own baselines. Queries without a relevant passage in the split that is read
  are not asked, and the set says how many.

In the first two, which people write themselves, errors name the line.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, StrictBool

from evals.datasets.json_lines import (
    checked,
    passage_document,
    question_set,
    read_corpus,
    read_objects,
    read_text,
)
from evals.datasets.models import Question, QuestionSet, Text
from index import Document, find_files, read_document
from index.errors import QuestionSetError

#: The split that BEIR's own figures are of.
SPLIT = "test"


def read_sets(paths: Sequence[Path], ocr: bool = False) -> list[QuestionSet]:
    """Read several question sets.

    Args:
        paths: files or folders, each a set.
        ocr: recognise the text in the pictures of the sets' own documents.

    Raises:
        QuestionSetError: as `read_set`, or two sets have the same name.
        DocumentError: as `read_set`.
    """
    sets = {own.name: own for own in (read_set(path, ocr) for path in paths)}
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
            return _read_beir(path)
        if {"corpus.jsonl", "questions.jsonl"} <= names:
            return _read_passages(path)
        raise QuestionSetError(
            f"{path} holds {', '.join(sorted(names)[:6]) or 'nothing'}. A folder must hold "
            "corpus.jsonl with questions.jsonl, or corpus.jsonl with queries.jsonl and qrels/."
        )
    text = read_text(path)
    return _read_squad(path, text) if _is_one_object(text) else _read_native(path, text, ocr)


def _is_one_object(text: str) -> bool:
    """Whether the file is a JSON object over several lines, or one of SQuAD's on a single line."""
    head, _, rest = text.lstrip().partition("\n")
    try:
        first = json.loads(head)
    except ValueError:
        return head.startswith("{") and '"data"' in text and '"paragraphs"' in text
    return isinstance(first, dict) and "data" in first and not rest.strip()


# --- Footnote's own -----------------------------------------------------------------------------


def _read_native(path: Path, text: str, ocr: bool) -> QuestionSet:
    questions, documents, drafts = [], [], 0
    for line, data in read_objects(path, text):
        place = f"{path}:{line}"
        if data.get("draft") is True:
            drafts += 1
        elif "documents" in data and "question" not in data:
            named = [path.parent / name for name in _named(place, data, "documents")]
            documents += [read_document(file, ocr=ocr) for file in find_files(named)]
        else:
            question = checked(place, Question, data)
            _need_evidence(place, question, question.evidence)
            questions.append(question)
    return question_set(path, "native", questions, documents, drafts)


def _read_passages(folder: Path) -> QuestionSet:
    documents = read_corpus(folder, "id")
    asked = folder / "questions.jsonl"
    questions = []
    for line, data in read_objects(asked):
        place = f"{asked}:{line}"
        named = _named(place, data, "gold")
        question = checked(place, Question, {**data, "gold": None})
        for identity in named:
            if identity not in documents:
                raise QuestionSetError(f"{place}: passage {identity!r} is not in corpus.jsonl.")
        _need_evidence(place, question, named)
        gold = {documents[identity].id: 1 for identity in named} if question.answerable else {}
        questions.append(replace(question, gold=gold))
    return question_set(folder, "passages", questions, documents.values())


def _need_evidence(place: str, question: Question, evidence: Sequence[object]) -> None:
    if question.answerable and not evidence:
        raise QuestionSetError(f"{place}: an answerable question needs evidence.")


def _named(place: str, data: Mapping[str, Any], name: str) -> list[str]:
    found = data.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise QuestionSetError(f"{place}: {name} is {found!r}, not a list of strings.")
    return found


# --- SQuAD --------------------------------------------------------------------------------------


class _Answer(BaseModel):
    text: Text
    answer_start: int


class _Asked(BaseModel):
    id: Annotated[str, BeforeValidator(str)]
    question: Text
    is_impossible: StrictBool = False
    answers: list[_Answer] = []


class _Context(BaseModel):
    context: str
    qas: list[_Asked]


class _Article(BaseModel):
    title: str = ""
    paragraphs: list[_Context]


class _SquadFile(BaseModel):
    data: list[_Article]


def _read_squad(path: Path, text: str) -> QuestionSet:
    documents: dict[str, Document] = {}  # by context: the same one is one passage
    questions = []
    for article in checked(path, _SquadFile, text).data:
        for paragraph in article.paragraphs:
            context = paragraph.context
            if context not in documents:
                source = f"{path.name}/{article.title}#{len(documents)}"
                documents[context] = passage_document(str(path), source, context)
            document = documents[context].id
            questions += [_of_squad(path, asked, context, document) for asked in paragraph.qas]
    return question_set(path, "squad", questions, documents.values())


def _of_squad(path: Path, asked: _Asked, context: str, document: str) -> Question:
    if asked.is_impossible:
        return Question(asked.id, asked.question, False)
    spans = []
    for answer in asked.answers:
        start, end = answer.answer_start, answer.answer_start + len(answer.text)
        if context[start:end] != answer.text:
            raise QuestionSetError(
                f"{path}: {asked.id}: the answer {answer.text!r} is not in its context at {start}; "
                f"there stands {context[start:end]!r}."
            )
        spans.append((document, start, end))
    if not spans:
        raise QuestionSetError(f"{path}: {asked.id}: an answerable question needs an answer.")
    return Question(
        asked.id,
        asked.question,
        True,
        gold={document: 1},
        spans=tuple(dict.fromkeys(spans)),
        answers=tuple(dict.fromkeys(answer.text for answer in asked.answers)),
    )


# --- BEIR ---------------------------------------------------------------------------------------


def _read_beir(folder: Path) -> QuestionSet:
    documents = read_corpus(folder, "_id", with_title=True)
    asked, queries = folder / "queries.jsonl", dict[str, str]()
    for line, data in read_objects(asked):
        if not str(data.get("_id", "")) or not str(data.get("text", "")).strip():
            raise QuestionSetError(f"{asked}:{line}: no _id, or no text.")
        queries[str(data["_id"])] = str(data["text"])
    qrels, notes = _split(folder / "qrels")
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
    files = sorted(folder.glob("*.tsv"))
    if not files:
        raise QuestionSetError(f"{folder} holds no .tsv file of judgments.")
    chosen = next((file for file in files if file.stem == SPLIT), files[0])
    if len(files) > 1 and chosen.stem != SPLIT:
        names = ", ".join(file.name for file in files)
        raise QuestionSetError(
            f"{folder} holds {names}; which one counts is not told. Keep one, or name it "
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
