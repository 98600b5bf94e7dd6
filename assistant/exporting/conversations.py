"""What somebody was told, as it is exported: questions and what became of each, with what they say
of it, held against the documents as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assistant.exporting.values import (
    ExportedAnswer,
    ExportStatus,
    Footnote,
    Lapse,
    Place,
    Sentence,
    Work,
)
from assistant.exporting.wording import Wording
from assistant.workspace.turns import KeptAnswer, KeptCitation, KeptSentence, KeptTurn

if TYPE_CHECKING:
    from assistant.workspace.notes import KeptNote
    from assistant.workspace.quotes import QuoteChecker


@dataclass(frozen=True, slots=True)
class ConversationExport:
    """An answer, as whoever was given it kept it.

    Attributes:
        turn: the question, and what became of it.
        comment: what they noted on it.
        noted: names of the passages of which they said that they answer; None where they did not.
        is_place: it is a place that they highlighted, which stands for a question.
    """

    turn: KeptTurn
    comment: str = ""
    noted: frozenset[str] | None = None
    is_place: bool = False

    @classmethod
    def all(
        cls, turns: Iterable[KeptTurn], notes: Mapping[str, KeptNote]
    ) -> list[ConversationExport]:
        """Turns, with what is noted on each."""
        texts = {note.turn: note.text for note in notes.values() if note.turn}
        return [cls(turn, texts.get(turn.id, ""), _noted(turn)) for turn in turns]

    @classmethod
    def of_note(cls, note: KeptNote, of: KeptTurn | None = None) -> ConversationExport:
        """A note; a place that was highlighted answers where it stands.

        Args:
            note: the note.
            of: the turn that it is of, as that is now.
        """
        answer = note.answer
        if answer is None:
            place = note.citations[0] if note.citations else None
            said = place and KeptSentence(text=place.quote, verdict="quoted", markers=[1])
            turn = KeptTurn(
                id=note.id,
                question="–",
                state="answered",
                sentences=[said] if said else [],
                citations=[place.model_copy(update={"marker": 1})] if place else [],
            )
            return cls(turn, note.text, is_place=place is not None)
        status = answer.status or ("refused" if answer.refused else "answered")
        turn = KeptTurn(id=note.id, question=answer.question, state=status, answer=answer)
        turn = turn.model_copy(update={"asked": note.created})
        return cls(turn, note.text, _noted(of) if of else None)

    @property
    def citations(self) -> list[KeptCitation]:
        """What is cited."""
        answer = self.turn.answer
        return answer.citations if answer else self.turn.citations

    @property
    def day(self) -> str:
        """When it was asked, as `YYYY-MM-DD`; "" where that is not known."""
        asked = self.turn.asked
        try:
            return datetime.fromtimestamp(asked / 1000, UTC).date().isoformat() if asked > 0 else ""
        except (OverflowError, ValueError, OSError):  # a former version kept any number
            return ""

    def exported(
        self, works: Mapping[str, Work], checker: QuoteChecker, say: Wording
    ) -> ExportedAnswer:
        """The same with its footnotes.

        Args:
            works: by the ids of the documents that are there.
            checker: of what is quoted.
            say: names places, and tells of what is missing.
        """
        turn, answer = self.turn, self.turn.answer
        cited, footnotes = {}, []
        for own in self.citations:
            placed, standing = checker.relocate(own)
            cited[own.marker] = placed
            lapse: Lapse | None = None if standing == "there" else standing
            if own.document_id not in works:
                lapse = "missing"
            footnotes.append(
                Footnote(own.marker, own.document_id, _place(placed), own.quote, lapse)
            )
        status, sentences = self._judged()
        made, above = [], ("", "")
        for one in sentences:
            heading = self._heading(one, cited, say)
            made.append(
                Sentence(
                    one.text,
                    tuple(marker for marker in one.markers if marker in cited),
                    one.verdict == "unsupported",
                    one.verdict == "quoted",
                    self._is_item(one),
                    heading[1] if heading != above else "",
                )
            )
            above = heading
        is_other = (
            answer and answer.kind != "where" and answer.standalone_question != answer.question
        )
        return ExportedAnswer(
            _placed(cited[1], say) if self.is_place else turn.question,
            status,
            tuple(made),
            tuple(footnotes),
            _remarks(answer, say) if answer else (),
            self.comment,
            self.day,
            answer.standalone_question if answer and is_other else "",
            answer.context if answer else "",
        )

    def _judged(self) -> tuple[ExportStatus, list[KeptSentence]]:
        """What came of the question, and what is shown of that: of passages that may answer, those
        that do, where its reader has said which."""
        turn = self.turn
        sentences = turn.answer.sentences if turn.answer else turn.sentences
        if turn.state == "pending":
            return "stopped", sentences
        if turn.state != "unsure" or self.noted is None:
            return turn.state, sentences
        if not self.noted:
            return "dismissed", []
        chosen = {c.marker for c in self.citations if _name_of(c) in self.noted}
        left = [one for one in sentences if chosen.intersection(one.markers)]
        return ("chosen", left) if left else ("unsure", sentences)

    def _is_item(self, sentence: KeptSentence) -> bool:
        kind = self.turn.answer.kind if self.turn.answer else "fact"
        listed = self.turn.state == "unsure" or kind in ("overview", "where")
        return listed or sentence.item or bool(sentence.about)

    def _heading(
        self, sentence: KeptSentence, cited: Mapping[int, KeptCitation], say: Wording
    ) -> tuple[str, str]:
        """What a sentence stands under, and in which document: of a passage its place, in a list
        what it is about, in an overview the document's own heading. See `Layout`."""
        first = cited.get(sentence.markers[0]) if sentence.markers else None
        if not self._is_item(sentence):
            return "", ""
        if self.turn.state != "unsure" and (sentence.item or sentence.about):
            return "", sentence.about
        if first is None:
            return "", ""
        if self.turn.state == "unsure":
            return first.document_id, _placed(first, say)
        return first.document_id, [first.document, *first.heading][-1]


def _noted(turn: KeptTurn) -> frozenset[str] | None:
    """What the page keeps with a turn."""
    found = (turn.model_extra or {}).get("noted")
    return frozenset(map(str, found)) if isinstance(found, list) else None


def _name_of(citation: KeptCitation) -> str:
    """As the page names a passage; see `nameOf` in `passages.js`."""
    return f"{citation.document_id}/{citation.start}"


def _remarks(answer: KeptAnswer, say: Wording) -> tuple[str, ...]:
    missing = say.missing(answer.unanswered, answer.undecided, answer.dropped)
    return tuple(filter(None, [*missing, answer.note]))


def _place(citation: KeptCitation) -> Place:
    own = citation
    return Place.below(own.document, own.heading, own.locator, own.paragraph, own.uncertain)


def _placed(citation: KeptCitation, say: Wording) -> str:
    return say.place(_place(citation), citation.document)
