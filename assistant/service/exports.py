"""What is kept, made ready to be taken along: conversations, notes, all that is in a notebook; and
single places in documents, as references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from assistant.answer import Citation, missing_parts, place_at
from assistant.exporting.bibliography import (
    Reference,
    as_bibtex,
    as_csl_json,
    as_ris,
    references_of,
)
from assistant.exporting.docx import as_docx
from assistant.exporting.markdown import as_markdown
from assistant.exporting.values import Export, ExportedAnswer, Footnote, Sentence, Work
from assistant.service.turns import KeptAnswer, KeptCitation, KeptSentence, KeptTurn
from index.errors import MissingPathError

if TYPE_CHECKING:
    from assistant.service.library import Library
    from assistant.service.notebooks import NotebookValue
    from assistant.service.notes import KeptNote
    from index import DocumentInfo

References = Literal["bib", "ris", "csl"]
Format = Literal["docx", "md", References]

_REFERENCES = {"bib": as_bibtex, "ris": as_ris, "csl": as_csl_json}
MEDIA: Mapping[Format, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "md": "text/markdown",
    "bib": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "csl": "application/vnd.citationstyles.csl+json",
}

_PRINTED = re.compile(r"p\. (.+)")
_UNFIT = re.compile(r"[^\w -]|_")
_LONGEST = 60  # characters of a file's name


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file to take along.

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

    Every method takes who asks (`owner`), and the notebook as they may use it, or None for what is
    in none.

    Args:
        library: whose documents, conversations and notes they are.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def conversation(
        self,
        owner: str,
        notebook: NotebookValue | None,
        identity: str,
        turn: str | None,
        format_: Format,
    ) -> ExportedFile:
        """A conversation, with what its reader noted; of one turn, only that.

        Raises:
            MissingPathError: there is no such conversation, or turn of it.
        """
        found = self._library.conversations.find(owner, notebook, identity)
        turns = [own for own in found.turns if turn is None or own.id == turn]
        if turn is not None and not turns:
            raise MissingPathError("That answer is not here. It may have been asked anew.")
        title = found.title if turn is None else turns[0].question
        notes = self._notes(owner, notebook)
        return self._file(owner, notebook, title, _Told.all(turns, notes), format_)

    def notes(
        self, owner: str, notebook: NotebookValue | None, title: str, format_: Format
    ) -> ExportedFile:
        """The notes, the oldest first."""
        told = [_Told.of_note(note) for note in self._notes(owner, notebook).values()]
        return self._file(owner, notebook, title, told, format_)

    def notebook(self, owner: str, notebook: NotebookValue, format_: Format) -> ExportedFile:
        """All conversations that are in a notebook, and the notes that are of none of them."""
        conversations = self._library.conversations
        turns = [
            turn
            for one in reversed(conversations.all(owner, notebook))
            for turn in conversations.find(owner, notebook, one.id).turns
        ]
        notes = self._notes(owner, notebook)
        told = _Told.all(turns, notes)
        there = {turn.id for turn in turns}
        told += [_Told.of_note(note) for note in notes.values() if note.turn not in there]
        return self._file(owner, notebook, notebook.name, told, format_)

    def references(
        self, owner: str, citations: Iterable[Citation], format_: References
    ) -> ExportedFile:
        """Places in documents, as references."""
        found = [
            Reference(
                _work(self._library.find(owner, own.paragraph.document_id).info),
                _footnote(KeptCitation.model_validate(own.to_dict())),
            )
            for own in citations
        ]
        return _made("references", _REFERENCES[format_](found), format_)

    def _notes(self, owner: str, notebook: NotebookValue | None) -> dict[str, KeptNote]:
        """By id; what became of their quotes is not looked at."""
        found = self._library.notes.all(owner, notebook, readable=())
        return {own.note.id: own.note for own in reversed(found)}

    def _file(
        self,
        owner: str,
        notebook: NotebookValue | None,
        title: str,
        told: list[_Told],
        format_: Format,
    ) -> ExportedFile:
        # A document that is not there any more is what was told of it when it was quoted.
        works = {
            own.document_id: Work(own.document_id, own.document)
            for one in told
            for own in one.citations
        }
        listed = self._library.documents(owner)
        inside = self._library.documents_of(owner, notebook) if notebook else []
        infos = {one.info.id: one.info for one in [*listed, *inside]}
        works |= {identity: _work(infos[identity]) for identity in works.keys() & infos.keys()}
        export = Export(title, tuple(one.exported() for one in told), works)
        if format_ == "docx":
            return _made(title, as_docx(export), format_)
        if format_ == "md":
            return _made(title, as_markdown(export), format_)
        return _made(title, _REFERENCES[format_](references_of(export)), format_)


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer, as whoever was given it kept it."""

    turn: KeptTurn
    comment: str = ""

    @classmethod
    def all(cls, turns: Iterable[KeptTurn], notes: Mapping[str, KeptNote]) -> list[_Told]:
        """Turns, with what is noted on each."""
        texts = {note.turn: note.text for note in notes.values() if note.turn}
        return [cls(turn, texts.get(turn.id, "")) for turn in turns]

    @classmethod
    def of_note(cls, note: KeptNote) -> _Told:
        """A note; a place that was highlighted answers where it stands."""
        answer = note.answer
        if answer is None:
            place = note.citations[0] if note.citations else None
            said = place and KeptSentence(text=place.quote, verdict="quoted", markers=[1])
            turn = KeptTurn(
                id=note.id,
                question=_place(place, place.document) if place else "–",
                state="answered",
                sentences=[said] if said else [],
                citations=[place.model_copy(update={"marker": 1})] if place else [],
            )
            return cls(turn, note.text)
        status = answer.status or ("refused" if answer.refused else "answered")
        turn = KeptTurn(id=note.id, question=answer.question, state=status, answer=answer)
        return cls(turn.model_copy(update={"asked": note.created}), note.text)

    @property
    def citations(self) -> list[KeptCitation]:
        answer = self.turn.answer
        return answer.citations if answer else self.turn.citations

    def exported(self) -> ExportedAnswer:
        turn, answer = self.turn, self.turn.answer
        footnotes = {own.marker: _footnote(own) for own in self.citations}
        sentences, above = [], ("", "")
        for own in answer.sentences if answer else turn.sentences:
            heading = self._heading(own)
            sentences.append(
                Sentence(
                    own.text,
                    tuple(marker for marker in own.markers if marker in footnotes),
                    own.verdict == "unsupported",
                    self._is_item(own),
                    heading[1] if heading != above else "",
                )
            )
            above = heading
        return ExportedAnswer(
            turn.question,
            "stopped" if turn.state == "pending" else turn.state,
            tuple(sentences),
            tuple(footnotes.values()),
            _remarks(answer) if answer else (),
            self.comment,
            datetime.fromtimestamp(turn.asked / 1000, UTC).isoformat() if turn.asked > 0 else "",
        )

    def _is_item(self, sentence: KeptSentence) -> bool:
        kind = self.turn.answer.kind if self.turn.answer else "fact"
        listed = self.turn.state == "unsure" or kind in ("overview", "where")
        return listed or sentence.item or bool(sentence.about)

    def _heading(self, sentence: KeptSentence) -> tuple[str, str]:
        """What a sentence stands under, and in which document: of a passage its place, in a list
        what it is about, in an overview the document's own heading. See `Layout`."""
        cited = next((own for own in self.citations if own.marker in sentence.markers[:1]), None)
        if not self._is_item(sentence):
            return "", ""
        if self.turn.state != "unsure" and (sentence.item or sentence.about):
            return "", sentence.about
        if cited is None:
            return "", ""
        if self.turn.state == "unsure":
            return cited.document_id, _place(cited, cited.document)
        return cited.document_id, [cited.document, *cited.heading][-1]


def _remarks(answer: KeptAnswer) -> tuple[str, ...]:
    were = "sentence was" if answer.dropped == 1 else "sentences were"
    dropped = f"{answer.dropped} {were} left out that nothing supports." if answer.dropped else ""
    missing = missing_parts(answer.unanswered, answer.undecided)
    return tuple(filter(None, [*missing, dropped, answer.note]))


def _footnote(citation: KeptCitation) -> Footnote:
    printed = _PRINTED.fullmatch(citation.locator)
    return Footnote(
        citation.marker,
        citation.document_id,
        _place(citation),
        citation.quote,
        printed[1] if printed else "",
    )


def _place(citation: KeptCitation, document: str = "") -> str:
    """Where it stands, in a document that is named, or is not."""
    headings = [own for own in citation.heading if own != citation.document]
    return place_at(document, headings, citation.locator, citation.paragraph)


def _work(info: DocumentInfo) -> Work:
    return Work(
        info.id,
        info.title,
        info.imprint.authors,
        info.imprint.date,
        info.imprint.address,
        # What was read there is what came into the index.
        info.added[: len("YYYY-MM-DD")] if info.imprint.address else "",
        language=info.language,
    )


def _made(title: str, content: str | bytes, format_: Format) -> ExportedFile:
    words = " ".join(_UNFIT.sub(" ", title).split())[:_LONGEST].strip()
    bytes_ = content if isinstance(content, bytes) else content.encode()
    extension = "json" if format_ == "csl" else format_
    return ExportedFile(f"{words or 'Footnote'}.{extension}", MEDIA[format_], bytes_)
