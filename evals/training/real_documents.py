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
import re
import subprocess
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from zipfile import ZipFile

import numpy as np
import typer

from evals.datasets.gold import patterns_of
from evals.datasets.json_lines import read_objects
from evals.training.texts import ARCHIVES, LabelledDocument, LabelledParagraph
from index import Document, read_document
from index.errors import QuestionSetError
from index.terms.analysis import terms_of

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)

#: Where the questions are.
QUESTIONS = ARCHIVES / "real.zip"
#: Where the repositories are; {} is the owner and the name of one.
REPOSITORIES = "https://github.com/{}.git"
#: Digits of the hash of what is evidence.
HASH = 12

#: The text of a place as it was quoted, and its characters in the document that was read; None
#: where that does not have it.
Found = tuple[str, tuple[int, int] | None]


def read_real(folder: Path) -> Iterator[tuple[Document, LabelledDocument]]:
    """The documents to learn from, as they are read and with their questions. A question that
    several paragraphs answer stands at each of them; one that none answers, at the paragraph that
    has most words of what is near to it.

    Args:
        folder: with the documents.

    Raises:
        QuestionSetError: a document is not the one that the questions are about.
    """
    for name, head, asked in _asked():
        if not head.get("held_out"):
            evidence = _Evidence(folder / name, head)
            yield evidence.document, _labelled(evidence, asked)


@app.command()
def fetch(folder: Annotated[Path, typer.Argument(help="For the documents.")]) -> None:
    """Fetch the documents from the repositories that publish them, with `git`. Those that are there
    already are not fetched again."""
    for name, head, _ in _asked():
        file = folder / name / head["file"]
        if _is_of(file, head):
            continue
        with TemporaryDirectory() as repository:
            _git(repository, "init", "--quiet", "--bare")
            _git(repository, "remote", "add", "origin", REPOSITORIES.format(head["repository"]))
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
) -> None:
    """Write a question set of each document that is held out, or of those for the report."""
    output.mkdir(parents=True, exist_ok=True)
    for name, head, asked in _asked():
        if not head.get("held_out") or head.get("report", False) != report:
            continue
        evidence = _Evidence(folder.resolve() / name, head)
        rows: list[dict[str, Any]] = [{"documents": [str(evidence.file)]}]
        for number, question in enumerate(asked, start=1):
            row = {"id": f"{name}-{number}", "question": question["question"]}
            quotes = list(dict.fromkeys(evidence.quotes(question["evidence"])))
            if quotes:
                rows.append({**row, "answerable": True, "evidence": [quotes]})
            elif not question["evidence"]:
                rows.append({**row, "answerable": False})
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (output / f"{name}.jsonl").write_text(text, encoding="utf-8")


def _asked() -> Iterator[tuple[str, dict[str, Any], list[dict[str, Any]]]]:
    """For each document: its name, its metadata, and the questions."""
    with ZipFile(QUESTIONS) as archive:
        for name in sorted(archive.namelist()):
            lines = read_objects(Path(name), archive.read(name).decode())
            head, *asked = (told for _, told in lines)
            yield Path(name).stem, head, asked


def _check(file: Path, head: dict[str, Any]) -> None:
    if not _is_of(file, head):
        raise QuestionSetError(
            f"{file} is not what was taken of {head['repository']} at {head['commit']} (sha256 "
            f"{head['sha256']}). `python -m evals.training.real_documents fetch FOLDER` makes it."
        )


def _is_of(file: Path, head: dict[str, Any]) -> bool:
    return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == head["sha256"]


def _labelled(evidence: _Evidence, questions: Sequence[dict[str, Any]]) -> LabelledDocument:
    document = evidence.document
    paragraphs = [
        LabelledParagraph(" \u203a ".join(p.heading[-2:]), tuple(s.text for s in p.sentences))
        for p in document.paragraphs
    ]
    terms = [set(terms_of(f"{p.heading} {p.text}")) for p in paragraphs]
    for question in questions:
        found: dict[int, set[int]] = defaultdict(set)
        for paragraph, sentence in evidence.sentences(question["evidence"]):
            found[paragraph].add(sentence)
        # Of a complete answer what stands beside its heart.
        for places in question.get("whole", ()):
            for paragraph, sentence in evidence.sentences(places):
                if paragraph in found:
                    found[paragraph].add(sentence)
        if not question["evidence"]:
            near = set(terms_of(f"{question['question']} {question.get('near', '')}"))
            nearest = max(range(len(terms)), key=lambda n: len(near & terms[n]))
            found = {nearest: set()}
        for paragraph, numbers in found.items():
            asked = (tuple(sorted(numbers)), question["question"])
            paragraphs[paragraph].questions.append(asked)
    return LabelledDocument(document.title, paragraphs, "real")


def _digest(text: str) -> str:
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
            if _digest(self._letters[first : first + count]) == known:
                return self._places[first], self._places[first + count - 1] + 1
        return None


class _Evidence:
    """Finds the evidence of a file in the document that was read from it.

    Raises:
        QuestionSetError: the file is another one, or has another text at a place.
    """

    def __init__(self, folder: Path, head: dict[str, Any]) -> None:
        self.file = folder / head["file"]
        _check(self.file, head)
        self.document = read_document(self.file)
        self._letters = Letters(self.document.text)

    def quotes(self, places: Sequence[Sequence[Any]]) -> list[str]:
        """The text of each place that the document has."""
        return [quote for quote, span in map(self._find, places) if span]

    def sentences(self, places: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int]]:
        """The numbers of the paragraphs, from 0, and of the sentences, from 1, that stand there in
        part; none where that is of no paragraph."""
        for _, span in map(self._find, places):
            start, end = span or (0, 0)
            for paragraph, own in enumerate(self.document.paragraphs):
                for number, sentence in enumerate(own.sentences, start=1):
                    if sentence.start < end and start < sentence.end:
                        yield paragraph, number

    def _find(self, place: Sequence[Any]) -> Found:
        if len(place) == 4:
            found = self._letters.find(*place)
            return (self.document.text[slice(*found)] if found else ""), found
        start, end, known = place
        quote = self.file.read_text(encoding="utf-8")[start:end]
        if _digest(quote) != known:
            raise QuestionSetError(f"{self.file}: the evidence at {start} is another text.")
        for pattern in patterns_of(quote):
            if (match := re.search(pattern, self.document.text)) and match[0]:
                return quote, match.span()
        return quote, None


if __name__ == "__main__":
    app()
