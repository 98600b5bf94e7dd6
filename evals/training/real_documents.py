"""Questions in lay words about documents that people really have.

The archive `real.zip` holds, for each document, a file of JSON lines: where it is from
(`repository` and `commit` on GitHub, `licence`, `kind`), its `parts` in their order (of a file all,
`[path]`, or the characters `[path, start, end]`; or what was put between), the `file` that they
make and its `sha256`, whether it is `held_out`, for testing only, and of these, whether for a last
`report`; then the questions, each with its `evidence`: the places in the file that answer it, any
one of which does. A place in a text file is `[start, end, hash]`, in characters; the hash is the
first HASH digits of the SHA-256 of the text at that place. Where a file has no such places (PDF,
Word, EPUB), or was read in another order, a place is `[at, letters, sum, hash]`: the share of the
document's letters and digits before it, the number of its own, the sum of their code points, and
their hash (see `Letters`). It does not depend on how a reader sets spaces, lines, marks, and
sentences.
`whole` has, of each place, all the sentences that a complete answer takes. A question without
evidence is answered nowhere in its document; `near` tells what comes closest. Where the `title`
is told, and of questions `by_title`, those who asked knew nothing else.

The documents themselves are not ours to pass on, and are kept elsewhere: a folder with one folder
for each, named as the file here, with `file` in it. `python -m evals.training.real_documents fetch
DOCUMENTS` makes that of the repositories; `sets DOCUMENTS OUTPUT` makes question sets of those that
are held out, by which `python -m evals.fitting.calibration` fits what decides.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import unicodedata
import zipfile
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
import typer

from assistant.retrieval.reading_model import above
from assistant.retrieval.reranker import worth_reading
from evals.datasets.gold import patterns_of
from evals.datasets.json_lines import read_objects
from evals.training.examples import LabelledDocument, LabelledParagraph, Passage, as_typed
from index import Document, Index, read_document
from index.encoder import Encoder
from index.errors import QuestionSetError
from index.terms.analysis import terms_of

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)

#: An option of both commands.
Only = Annotated[str, typer.Option(help="Beginning of the names of the documents: bli-.")]

#: Where the questions are.
QUESTIONS = Path(str(files("evals.training") / "real.zip"))
#: The documents to learn from and to choose by.
NOT_REPORTED = {"report": False}
#: Digits of the hash of what is evidence.
HASH = 12
#: Paragraphs that are searched for a question, the place among those that do not answer up to which
#: some are taken, and of those that answer, of the nearest others and of these how many. Not tuned.
FOUND, FURTHEST, NEAR = 12, 10, 2
#: Shares of the questions in small letters and of the paragraphs without a heading. Not tuned.
SMALL, BARE = 0.12, 0.15


def read_real(folder: Path, questions: Path = QUESTIONS) -> Iterator[LabelledDocument]:
    """The documents with their questions. One that several paragraphs answer stands at each of
    them; one that none answers, at the paragraph that has most words of what is near to it.

    Args:
        folder: with the documents.
        questions: the folder or archive of the questions.

    Raises:
        QuestionSetError: a document is not the one that the questions are about.
    """
    for _, head, file, asked in _listed(folder, questions):
        yield _labelled(head, file, read_document(file), asked)


def read_searched(
    folder: Path, chance: random.Random, questions: Path = QUESTIONS
) -> Iterator[Passage]:
    """Each question with paragraphs that the search finds for it, as the reading model is given
    them: some that answer it, and some that stand before or behind those and do not.

    Args:
        folder, questions: as in `read_real`.
        chance: chooses.
    """
    encoder = Encoder()
    for _, head, file, asked in _listed(folder, questions):
        document = read_document(file)
        labelled = _labelled(head, file, document, asked)
        answers: dict[str, dict[int, tuple[int, ...]]] = {}
        for number, paragraph in enumerate(labelled.paragraphs, start=1):
            for numbers, question in paragraph.questions:
                answers.setdefault(question, {})[number] = numbers
        with TemporaryDirectory() as own, closing(Index(Path(own), encoder=encoder)) as index:
            index.sync([document])
            for question, right in answers.items():
                yield from _searched(question, right, index, labelled.held_out, chance)


def _searched(
    question: str,
    right: Mapping[int, Sequence[int]],
    index: Index,
    held_out: bool,
    chance: random.Random,
) -> Iterator[Passage]:
    """A question with what the search finds; `right` has the numbers of the sentences that answer,
    by those of their paragraphs."""
    shown = as_typed(question, SMALL, chance)
    found = index.search(question, FOUND)
    answering = [hit for hit in found.hits if right.get(hit.paragraph.number)]
    others = [hit for hit in found.hits if not right.get(hit.paragraph.number)]
    first = NEAR if answering else NEAR + 1
    further = others[first:FURTHEST]
    others = others[:first] + chance.sample(further, min(NEAR, len(further)))
    for hit in answering[:NEAR] + others:
        heading = above(hit.paragraph.above) if chance.random() >= BARE else ""
        read = worth_reading(hit, found.term_weights)
        labels = tuple(int(n + 1 in right.get(hit.paragraph.number, ())) for n in read)
        texts = tuple(hit.paragraph.sentences[n].text for n in read)
        kind = "real" if any(labels) else "real, not answered"
        yield Passage(shown, texts, labels, max(labels), kind, held_out, heading)


@app.command()
def fetch(
    folder: Annotated[Path, typer.Argument(help="For the documents.")],
    address: Annotated[
        str, typer.Option(help="Of the repositories; {} is the owner and the name of one.")
    ] = "https://github.com/{}.git",
    only: Only = "",
) -> None:
    """Fetch the documents from the repositories that publish them, with `git`. Those that are there
    already are not fetched again."""
    for name, head, _ in _asked(QUESTIONS, only):
        file = folder / name / head["file"]
        if _is_of(file, head):
            continue
        with TemporaryDirectory() as repository:
            _git(repository, "init", "--quiet", "--bare")
            _git(repository, "remote", "add", "origin", address.format(head["repository"]))
            # Of large repositories only the files that are needed, which `show` fetches by itself.
            partly = ("--quiet", "--depth=1", "--filter=blob:none")
            _git(repository, "fetch", *partly, "origin", head["commit"])
            made = b""
            for part in head["parts"]:
                if isinstance(part, list):
                    path, *span = part
                    whole = _git(repository, "show", f"{head['commit']}:{path}")
                    # What is cut out of a file in another encoding has none but ASCII characters.
                    text = whole.decode(errors="replace")
                    made += text[slice(*span)].encode() if span else whole
                else:
                    made += part.encode()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made)
        _check(file, head)


def _git(repository: str, *arguments: str) -> bytes:
    command = ["git", "-C", repository, *arguments]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (no shell)
    if done.returncode:
        raise QuestionSetError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


@app.command("sets")
def write_sets(
    folder: Annotated[Path, typer.Argument(help="With the documents.")],
    output: Annotated[Path, typer.Argument(help="Folder for the sets.")],
    report: Annotated[
        bool, typer.Option(help="Of those that are kept for a report, opened once.")
    ] = False,
    only: Only = "",
) -> None:
    """Write a question set of each document that is held out, or of those for the report."""
    output.mkdir(parents=True, exist_ok=True)
    held_out = {"report": report, "held_out": True}
    for name, _, file, asked in _listed(folder.resolve(), QUESTIONS, held_out, only):
        document = read_document(file)
        told = _Places(file, document)
        rows: list[dict[str, Any]] = [{"documents": [str(file)]}]
        for number, question in enumerate(asked, start=1):
            places = told.find(question["evidence"])
            quotes = list(dict.fromkeys(quote for quote, place in places if place))
            row = {"id": f"{name}-{number}", "question": question["question"]}
            if quotes or not places:
                evidence: dict[str, Any] = {"evidence": [quotes]} if quotes else {}
                if quotes and "whole" in question:
                    each = map(told.find, question["whole"])
                    evidence["whole"] = [[quote for quote, place in one if place] for one in each]
                rows.append({**row, "answerable": bool(quotes), **evidence})
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (output / f"{name}.jsonl").write_text(text, encoding="utf-8")


def _listed(
    folder: Path, questions: Path, kept: Mapping[str, bool] = NOT_REPORTED, only: str = ""
) -> Iterator[tuple[str, dict[str, Any], Path, list[dict[str, Any]]]]:
    """Yield, for each document whose metadata have these values, its name, its metadata, its
    (verified) file, and the questions."""
    for name, head, asked in _asked(questions, only):
        if any(head.get(key, False) != value for key, value in kept.items()):
            continue
        file = folder / name / head["file"]
        _check(file, head)
        yield name, head, file, asked


def _asked(
    questions: Path, only: str = ""
) -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """For each document: its name, its metadata, and the questions."""
    folder: Traversable = zipfile.Path(questions) if questions.is_file() else questions
    for own in sorted(folder.iterdir(), key=lambda own: own.name):
        file = Path(own.name)
        if not file.name.startswith(only):
            continue
        head, *asked = (told for _, told in read_objects(file, own.read_text(encoding="utf-8")))
        yield file.stem, head, asked


def _check(file: Path, head: dict[str, Any]) -> None:
    if not _is_of(file, head):
        raise QuestionSetError(
            f"{file} is not what was taken of {head['repository']} at {head['commit']} (sha256 "
            f"{head['sha256']}). `python -m evals.training.real_documents fetch FOLDER` makes it."
        )


def _is_of(file: Path, head: dict[str, Any]) -> bool:
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == head["sha256"]


def _labelled(
    head: dict[str, Any], file: Path, document: Document, questions: Sequence[dict[str, Any]]
) -> LabelledDocument:
    paragraphs = [
        LabelledParagraph(" \u203a ".join(p.heading[-2:]), tuple(s.text for s in p.sentences))
        for p in document.paragraphs
    ]
    terms = [set(terms_of(f"{p.heading} {p.text}")) for p in paragraphs]
    told = _Places(file, document)
    for question in questions:
        asked, found = question["question"], dict[int, list[int]]()
        for _, place in told.find(question["evidence"]):
            for paragraph, sentence in _sentences(document, *(place or (0, 0))):
                found.setdefault(paragraph, []).append(sentence + 1)
        # Of a complete answer what stands beside its heart.
        for each in question.get("whole", ()):
            for _, place in told.find(each):
                for paragraph, sentence in _sentences(document, *(place or (0, 0))):
                    if paragraph in found:
                        found[paragraph].append(sentence + 1)
        if not question["evidence"]:
            near = set(terms_of(f"{asked} {question.get('near', '')}"))
            nearest = max(range(len(terms)), key=lambda n: len(near & terms[n]))
            found = {nearest: []}
        for paragraph, numbers in found.items():
            paragraphs[paragraph].questions.append((tuple(sorted(set(numbers))), asked))
    return LabelledDocument(document.title, paragraphs, "real", head.get("held_out", False))


def digest(text: str) -> str:
    """Return the hash of evidence: HASH hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:HASH]


class Letters:
    """The letters and digits of a text, without case and accents, and where each one is.

    Readers differ in spaces, hyphens, marks and the ends of sentences; they hardly differ in these.
    """

    def __init__(self, text: str) -> None:
        kept = [
            (letter, place)
            for place, character in enumerate(text)
            for letter in unicodedata.normalize("NFKD", character).casefold()
            if letter.isalnum()
        ]
        self._letters = "".join(letter for letter, _ in kept)
        self._places = [place for _, place in kept]
        self._sums = np.cumsum([0, *map(ord, self._letters)])

    def describe(self, start: int, end: int) -> list[float | int | str]:
        """Return what finds `text[start:end]` again in another reading of the document.

        Returns:
            `[at, letters, sum, hash]`, as the docstring of the module describes.
        """
        first, last = bisect_left(self._places, start), bisect_left(self._places, end)
        own = self._letters[first:last]
        return [round(first / len(self._letters), 6), len(own), sum(map(ord, own)), digest(own)]

    def find(self, at: float, count: int, total: int, known: str) -> tuple[int, int] | None:
        """Return the characters `(start, end)` of the text that have these letters.

        Args:
            at: share of the letters before them; of several places the nearest to it is returned.
            count: number of letters.
            total: sum of their code points, by which most places are passed over quickly.
            known: their hash.
        """
        sums = self._sums[count:] - self._sums[: max(0, len(self._sums) - count)]
        nearest = sorted(
            np.flatnonzero(sums == total), key=lambda n: abs(n - at * len(self._letters))
        )
        for first in nearest:
            if digest(self._letters[first : first + count]) == known:
                return self._places[first], self._places[first + count - 1] + 1
        return None


class _Places:
    """Finds the evidence of a file in the document that was read from it."""

    def __init__(self, file: Path, document: Document) -> None:
        self._file, self._text = file, document.text
        self._letters = Letters(document.text)

    @cached_property
    def _raw(self) -> str:
        return self._file.read_text(encoding="utf-8")

    def find(self, evidence: Sequence[Sequence[Any]]) -> list[tuple[str, tuple[int, int] | None]]:
        """Return the text of each place and its `(start, end)` in the document; None for a place
        that the document does not have.

        Raises:
            QuestionSetError: the file has another text at a place.
        """
        return [
            self._by_letters(*own) if len(own) == 4 else self._in_file(*own) for own in evidence
        ]

    def _by_letters(
        self, at: float, count: int, total: int, known: str
    ) -> tuple[str, tuple[int, int] | None]:
        place = self._letters.find(at, count, total, known)
        return self._text[slice(*place)] if place else "", place

    def _in_file(self, start: int, end: int, known: str) -> tuple[str, tuple[int, int] | None]:
        quote = self._raw[start:end]
        if digest(quote) != known:
            raise QuestionSetError(f"{self._file}: the evidence at {start} is another text.")
        for pattern in patterns_of(quote):
            if (found := re.search(pattern, self._text)) and found[0]:
                return quote, found.span()
        return quote, None


def _sentences(document: Document, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The numbers, from 0, of the paragraphs and sentences that stand there in part; none where
    that is of no paragraph."""
    for number, paragraph in enumerate(document.paragraphs):
        for inside, sentence in enumerate(paragraph.sentences):
            if sentence.start < end and start < sentence.end:
                yield number, inside


if __name__ == "__main__":
    app()
