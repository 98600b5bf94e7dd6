"""What is kept, as files: conversations, notes, all that is in a notebook; and
single places in documents, as references."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assistant.answer import Citation
from assistant.exporting.bibliography import (
    Reference,
    as_bibtex,
    as_csl_json,
    references_of,
)
from assistant.exporting.conversations import AnnotatedTurn
from assistant.exporting.docx import as_docx
from assistant.exporting.markdown import as_markdown
from assistant.exporting.values import Export, Language, Work
from assistant.exporting.wording import WORDINGS
from assistant.places import name_of
from assistant.workspace.quotes import QuoteChecker
from assistant.workspace.turns import KeptCitation
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.workspace.library import Library
    from assistant.workspace.notebooks import Space
    from assistant.workspace.notes import KeptNote
    from assistant.workspace.turns import KeptTurn
    from index import DocumentInfo

References = Literal["bib", "csl"]
Format = Literal["docx", "md", References]

_REFERENCES = {"bib": as_bibtex, "csl": as_csl_json}
MEDIA: Mapping[Format, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown",
    "bib": "application/x-bibtex",
    "csl": "application/vnd.citationstyles.csl+json",
}

_UNFIT = re.compile(r"[^\w -]|_")
_MAX_NAME = 60  # characters of a file's name


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file that is exported.

    Attributes:
        name: that any system takes.
        media_type: of what is in it.
        content: the bytes.
    """

    name: str
    media_type: str
    content: bytes


class Exports:
    """What somebody may read, as files.

    Args:
        library: whose documents, conversations and notes they are.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def conversation(
        self, space: Space, identity: str, turn: str | None, format_: Format, language: Language
    ) -> ExportedFile:
        """A conversation, with what its reader noted; of one turn, only that.

        Raises:
            MissingPathError: there is no such conversation, or turn of it.
        """
        found = self._library.conversations.find(space, identity)
        turns = [one for one in found.turns if turn is None or one.id == turn]
        if turn is not None and not turns:
            raise MissingPathError(
                "That answer is not here. It may have been asked anew.", code="answer_gone"
            )
        told = AnnotatedTurn.all(turns, self._notes(space))
        title = name = found.title if turn is None else turns[0].question
        # Nobody has named it: it is called by its first question, which stands in it already.
        if told and not found.named and turns[0].question.startswith(title):
            several = WORDINGS[language].conversation_on(told[0].day)
            title = several if len(turns) > 1 else turns[0].question
        return self._file(space.owner, title, told, format_, language, name)

    def notes(self, space: Space, format_: Format, language: Language) -> ExportedFile:
        """The notes, the oldest first."""
        notes = self._notes(space).values()
        turns = self._turns_of(space, notes)
        told = [AnnotatedTurn.of_note(note, turns.get(note.turn or "")) for note in notes]
        title = WORDINGS[language].notes
        if space.notebook:
            title = f"{title} – {space.notebook.name}"
        return self._file(space.owner, title, told, format_, language)

    def notebook(self, space: Space, format_: Format, language: Language) -> ExportedFile:
        """All conversations that are in a notebook, and the notes that are of none of them."""
        conversations = self._library.conversations
        turns = [
            turn
            for one in reversed(conversations.all(space))
            for turn in conversations.find(space, one.id).turns
        ]
        notes = self._notes(space)
        told = AnnotatedTurn.all(turns, notes)
        there = {turn.id for turn in turns}
        left = (note for note in notes.values() if note.turn not in there)
        told += [AnnotatedTurn.of_note(note) for note in left]
        title = space.notebook.name if space.notebook else ""
        return self._file(space.owner, title, told, format_, language)

    def references(
        self, owner: str, citations: Collection[Citation], format_: References, language: Language
    ) -> ExportedFile:
        """Places in documents, as references."""
        cited = {citation.paragraph.document_id for citation in citations}
        works = {identity: _work(self._library.find(owner, identity).info) for identity in cited}
        places = [KeptCitation.model_validate(citation.to_dict()) for citation in citations]
        found = [Reference(works[place.document_id], place) for place in places]
        content = _REFERENCES[format_](found, WORDINGS[language])
        return _made("references", content, format_)

    def _notes(self, space: Space) -> dict[str, KeptNote]:
        """By id, the oldest first."""
        return {note.id: note for note in reversed(self._library.notes.kept(space))}

    def _turns_of(self, space: Space, notes: Iterable[KeptNote]) -> dict[str, KeptTurn]:
        """The turns, by id, that notes of passages that may answer are of, as these are now."""
        found: dict[str, KeptTurn] = {}
        unsure = (note for note in notes if note.answer and note.answer.status == "unsure")
        for identity in {note.conversation for note in unsure if note.conversation}:
            with suppress(MissingPathError):  # the conversation was deleted
                whole = self._library.conversations.find(space, identity)
                found.update((turn.id, turn) for turn in whole.turns)
        return found

    def _file(
        self,
        owner: str,
        title: str,
        told: list[AnnotatedTurn],
        format_: Format,
        language: Language,
        name: str | None = None,
    ) -> ExportedFile:
        """A file; `name`: what it is called after, where that is not its title."""
        say = WORDINGS[language]
        # A document that is not there any more is what was told of it when it was quoted.
        citations = (citation for one in told for citation in one.shown.citations)
        quoted = {citation.document_id: citation for citation in citations}
        there = self._library.readable(owner, quoted)
        works = {identity: _work(one.info) for identity, one in there.items()}
        checker = QuoteChecker(self._library.index, works)
        answers = tuple(one.exported(works, checker, say) for one in told)
        gone = {i: own for i, own in quoted.items() if i not in works}
        works |= {i: Work(i, own.document, name=name_of(own.source)) for i, own in gone.items()}
        export = Export(title, answers, works, language)
        if format_ == "docx":
            content: str | bytes = as_docx(export)
        elif format_ == "md":
            content = as_markdown(export)
        else:
            content = _REFERENCES[format_](references_of(export), say)
        return _made(title if name is None else name, content, format_)


def _work(info: DocumentInfo) -> Work:
    metadata = info.metadata
    # What was read there is what came into the index.
    read = info.added[: len("YYYY-MM-DD")] if metadata.address else ""
    return Work(
        info.id,
        info.title,
        metadata.authors,
        metadata.date,
        metadata.address or metadata.link,
        read,
        name=name_of(info.source),
        language=info.language,
        doi=metadata.doi,
    )


def _made(title: str, content: str | bytes, format_: Format) -> ExportedFile:
    words = " ".join(_UNFIT.sub(" ", title).split())[:_MAX_NAME].strip()
    bytes_ = content if isinstance(content, bytes) else content.encode()
    extension = "json" if format_ == "csl" else format_
    return ExportedFile(f"{words or 'Footnote'}.{extension}", MEDIA[format_], bytes_)
