"""The question sets that lie in a folder, and what else does, with the reason why it is none.

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


@dataclass(frozen=True, slots=True)
class FolderSet:
    """A set by its name in the folder, with the files that it is made of: one, or several."""

    name: str
    files: tuple[QuestionSet, ...]

    @property
    def questions(self) -> int:
        """How many there are in all files."""
        return sum(len(own.questions) for own in self.files)

    def place_of(self, file: QuestionSet) -> str:
        """What one of its files is called: as the set, where that is one file."""
        return self.name if len(self.files) == 1 else f"{self.name}/{file.name}"

    def limited(self, limit: int | None) -> FolderSet:
        """At most so many questions, in their order; a file of which none is left falls away.

        They are chosen by a hash of what names them, so that the same are chosen wherever the set
        lies and in whatever order it stands, and those of a smaller limit are among them.
        """
        if limit is None or self.questions <= limit:
            return self
        ranked = sorted(_rank(own, question) for own in self.files for question in own.questions)
        chosen = set(ranked[:limit])
        files = (
            replace(own, questions=tuple(q for q in own.questions if _rank(own, q) in chosen))
            for own in self.files
        )
        return replace(self, files=tuple(own for own in files if own.questions))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What is not measured, by its path in the folder, and why."""

    name: str
    reason: str


def find_sets(folder: Path) -> tuple[list[FolderSet], list[LeftOut]]:
    """The sets of a folder, files first, by name; and what is none. What is neither JSON nor a
    folder, and folders of documents that a set names, are passed over.

    Raises:
        QuestionSetError: there is no such folder, or no set in it.
    """
    if not folder.is_dir():
        what = "a file" if folder.exists() else "not there"
        raise QuestionSetError(f"{folder} is {what}. Give a folder that holds question sets.")
    found = _SetsOf(folder)
    found.look_into(folder, "")
    documents = [d.source for own in found.sets for file in own.files for d in file.documents]
    left_out = [
        own
        for own in found.left_out
        if own.reason != _NOTHING
        or not any(Path(d).is_relative_to(source_of(folder / own.name)) for d in documents)
    ]
    if not found.sets:
        reasons = "".join(f"\n  {own.name}: {own.reason}" for own in left_out)
        raise QuestionSetError(
            f"{folder} holds no question set. A set is a SQuAD file, JSON Lines of questions with "
            f"their documents, or a folder with {CORPUS} beside its questions.{reasons}"
        )
    return found.sets, left_out


_NOTHING = "It holds no question set."


class _SetsOf:
    """The sets of a folder, and what is none, as far as was looked."""

    def __init__(self, root: Path) -> None:
        self.sets: list[FolderSet] = []
        self.left_out: list[LeftOut] = []
        self._root = root
        self._seen: set[str] = set()

    def look_into(self, folder: Path, name: str) -> None:
        """Take what a folder holds; `name` is its path in the whole, "" of that itself."""
        if (real := source_of(folder)) in self._seen:
            return  # a link leads in a circle
        self._seen.add(real)
        try:
            inside = sorted(own for own in folder.iterdir() if not own.name.startswith("."))
        except OSError as error:
            self.left_out.append(LeftOut(name, f"It cannot be read: {error.strerror}."))
            return
        if any(own.name == CORPUS for own in inside):
            self._take(name or folder.resolve().name, [folder])
            return
        files = [own for own in inside if own.name.endswith(ENDINGS) and own.is_file()]
        if name and self._take(name, files):
            return  # what lies below are its documents
        if not name:
            for file in files:
                self._take(file.name.partition(".")[0], [file])
        below = [own for own in inside if own.is_dir()]
        for own in below:
            self.look_into(own, f"{name}/{own.name}" if name else own.name)
        if name and not files and not below:
            self.left_out.append(LeftOut(name, _NOTHING))

    def _take(self, name: str, paths: Sequence[Path]) -> bool:
        """Whether any of the paths is a set; those that are become one."""
        read = []
        for path in paths:
            try:
                own = read_set(path)
                if not own.questions:
                    raise QuestionSetError("All of its questions are drafts.")
                read.append(own)
            except (QuestionSetError, DocumentError) as error:
                place = path.relative_to(self._root).as_posix()
                self.left_out.append(LeftOut(place, self._reason(error, place)))
        if read:
            taken = {own.name for own in self.sets}
            names = chain((name, paths[0].name), (f"{name} {number}" for number in count(2)))
            free = next(own for own in names if own not in taken)
            self.sets.append(FolderSet(free, tuple(read)))
        return bool(read)

    def _reason(self, error: Exception, name: str) -> str:
        """What an error says, without where the folder lies on this machine, for it is published,
        and without the file's name, which stands before it."""
        reason = str(error).replace(f"{self._root}/", "")
        if reason.startswith(f"{name}:"):
            reason = reason.removeprefix(f"{name}:").lstrip()
            return f"line {reason}" if reason[:1].isdecimal() else reason
        return reason


def _rank(own: QuestionSet, question: Question) -> str:
    return hashlib.sha256(f"{own.name}\n{question.id}".encode()).hexdigest()
