"""The question sets in a folder, and what else is in it, with the reason why it is not a set.

A folder that is a set (passages, BEIR) is one. So is each JSON file of the folder itself. Those of
a folder inside it are one set together, asked each of its own documents; where there are none, it
is looked into in turn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path

from evals.datasets.loader import read_set
from evals.datasets.models import Question, QuestionSet
from index.errors import DocumentError, QuestionSetError
from index.readers.files import source_of

#: How the names of files end that may be sets.
ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
#: What every folder has that is a set by itself.
CORPUS = "corpus.jsonl"
_NOTHING = "It holds no question set."


@dataclass(frozen=True, slots=True)
class FolderSet:
    """A set by its name in the folder, with the files that it is made of: one, or several."""

    name: str
    files: tuple[QuestionSet, ...]

    @property
    def questions(self) -> int:
        """How many there are in all files."""
        return sum(len(file.questions) for file in self.files)

    def place_of(self, file: QuestionSet) -> str:
        """What one of its files is called: as the set, where that is one file."""
        return self.name if len(self.files) == 1 else f"{self.name}/{file.name}"

    def limited(self, limit: int | None) -> FolderSet:
        """The set with at most `limit` questions, in their order; a file without any is dropped.

        They are chosen by a hash of what names them, so that the same are chosen wherever the set
        lies and in whatever order it stands, and those of a smaller limit are among them.
        """
        if limit is None or self.questions <= limit:
            return self
        ranked = sorted(_rank(file, question) for file in self.files for question in file.questions)
        chosen = set(ranked[:limit])
        files = (
            replace(file, questions=tuple(q for q in file.questions if _rank(file, q) in chosen))
            for file in self.files
        )
        return replace(self, files=tuple(file for file in files if file.questions))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not measured, by its path in the folder, and why."""

    name: str
    reason: str


def find_sets(folder: Path) -> tuple[list[FolderSet], list[LeftOut]]:
    """The sets of a folder, files first, by name; and what is not a set. What is neither JSON nor a
    folder, and folders of documents that a set names, are passed over.

    Raises:
        QuestionSetError: there is no such folder, or no set in it.
    """
    if not folder.is_dir():
        what = "a file" if folder.exists() else "not there"
        raise QuestionSetError(f"{folder} is {what}. Give a folder that holds question sets.")
    sets: list[FolderSet] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()

    def look_into(inside: Path, name: str) -> None:
        """Take what a folder holds; `name` is its path in the whole, "" of that itself."""
        if (real := source_of(inside)) in seen:
            return  # a link leads in a circle
        seen.add(real)
        try:
            paths = sorted(path for path in inside.iterdir() if not path.name.startswith("."))
        except OSError as error:
            left_out.append(LeftOut(name, f"It cannot be read: {error.strerror}."))
            return
        if any(path.name == CORPUS for path in paths):
            take(name or inside.resolve().name, [inside])
            return
        files = [path for path in paths if path.name.endswith(ENDINGS) and path.is_file()]
        if name and take(name, files):
            return  # what lies below are its documents
        if not name:
            for file in files:
                take(file.name.partition(".")[0], [file])
        below = [path for path in paths if path.is_dir()]
        for path in below:
            look_into(path, f"{name}/{path.name}" if name else path.name)
        if name and not files and not below:
            left_out.append(LeftOut(name, _NOTHING))

    def take(name: str, paths: Sequence[Path]) -> bool:
        """Whether any of the paths is a set; those that are become one."""
        read = []
        for path in paths:
            try:
                questions = read_set(path)
                if not questions.questions:
                    raise QuestionSetError("All of its questions are drafts.")
                read.append(questions)
            except (QuestionSetError, DocumentError) as error:
                place = path.relative_to(folder).as_posix()
                left_out.append(LeftOut(place, _reason(error, folder, place)))
        if read:
            taken = {found.name for found in sets}
            names = chain((name, paths[0].name), (f"{name} {number}" for number in count(2)))
            sets.append(FolderSet(next(free for free in names if free not in taken), tuple(read)))
        return bool(read)

    look_into(folder, "")
    documents = [d.source for found in sets for file in found.files for d in file.documents]
    left_out = [
        what
        for what in left_out
        if what.reason != _NOTHING
        or not any(Path(d).is_relative_to(source_of(folder / what.name)) for d in documents)
    ]
    if not sets:
        reasons = "".join(f"\n  {what.name}: {what.reason}" for what in left_out)
        raise QuestionSetError(
            f"{folder} holds no question set. A set is a SQuAD file, JSON Lines of questions with "
            f"their documents, or a folder with {CORPUS} beside its questions.{reasons}"
        )
    return sets, left_out


def _reason(error: Exception, folder: Path, name: str) -> str:
    """What an error says, without where the folder lies on this machine, for it is published, and
    without the file's name, which stands before it."""
    reason = str(error).replace(f"{folder}/", "")
    if not reason.startswith(f"{name}:"):
        return reason
    reason = reason.removeprefix(f"{name}:").lstrip()
    return f"line {reason}" if reason[:1].isdecimal() else reason


def _rank(own: QuestionSet, question: Question) -> str:
    return hashlib.sha256(f"{own.name}\n{question.id}".encode()).hexdigest()
