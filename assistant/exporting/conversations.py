"""What somebody was told, as it is exported: questions and what became of each, with what they say
of it, held against the documents as they are now."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assistant.exporting.values import (
    Block,
    ExportedAnswer,
    ExportStatus,
    Footnote,
    Item,
    Lapse,
    Work,
)
from assistant.exporting.wording import Wording
from assistant.workspace.turns import KeptAnswer, KeptCitation, KeptSentence, KeptTurn

if TYPE_CHECKING:
    from assistant.workspace.notes import KeptNote
    from assistant.workspace.quotes import QuoteChecker

#: The kinds of answers of which a confidence says nothing.
_WITHOUT_CONFIDENCE = frozenset(("overview", "where", "chat"))
#: What an item begins with, or what stands before what is quoted of one.
_MARK = re.compile(r"\s*(?:[•‣▪◦*–-]|\(?(\d{1,3})[.)])\s+(?=\S)")
_NUMBER_BEFORE = re.compile(r"(?:^|\s)\(?(\d{1,3})[.)]\s+$")


@dataclass(frozen=True, slots=True)
class AnnotatedTurn:
    """A question and what became of it, with what its reader noted.

    Attributes:
        turn: the question, and what became of it.
        comment: what they noted on it.
        noted: names of the passages of which they said that they answer; None where they did not.
        is_note: it is no question, but a place that they highlighted.
    """

    turn: KeptTurn
    comment: str = ""
    noted: frozenset[str] | None = None
    is_note: bool = False

    @classmethod
    def all(cls, turns: Iterable[KeptTurn], notes: Mapping[str, KeptNote]) -> list[AnnotatedTurn]:
        """Turns, with what is noted on each."""
        texts = {note.turn: note.text for note in notes.values() if note.turn}
        return [cls(turn, texts.get(turn.id, ""), _noted(turn)) for turn in turns]

    @classmethod
    def of_note(cls, note: KeptNote, of: KeptTurn | None = None) -> AnnotatedTurn:
        """A note; a place that was highlighted answers where it stands.

        Args:
            note: the note.
            of: the turn that it is of, as that is now.
        """
        if answer := note.answer:
            turn = KeptTurn(
                id=note.id,
                question=answer.question,
                asked=note.created,
                state=answer.outcome,
                answer=answer,
                further=of.further if of else [],
            )
            return cls(turn, note.text, _noted(of) if of else None)
        turn = KeptTurn(id=note.id, question="–", state="answered")
        if place := note.citation:
            turn.sentences = [KeptSentence(text=place.quote, verdict="quoted", markers=[1])]
            turn.citations = [place.model_copy(update={"marker": 1})]
        return cls(turn, note.text, is_note=True)

    @property
    def day(self) -> str:
        """When it was asked, as `YYYY-MM-DD`; "" where that is not known."""
        asked = self.turn.asked
        try:
            return datetime.fromtimestamp(asked / 1000, UTC).date().isoformat() if asked > 0 else ""
        except (OverflowError, ValueError, OSError):  # any number may be kept
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
        answer, footnotes = self.shown, dict[int, Footnote]()
        listed: dict[int, list[Item]] = {}
        for citation in answer.citations:
            placed, standing = checker.relocate(citation)
            lapse: Lapse | None = None if standing == "there" else standing
            if citation.document_id not in works:
                lapse = "missing"
            listed[citation.marker] = items = _items(citation, checker)
            if len(items) > 1:
                lines = (f"{own.number}. {own.text}" if own.number else own.text for own in items)
                placed = placed.model_copy(update={"quote": " / ".join(lines)})
            footnotes[citation.marker] = Footnote(placed, lapse)
        status, sentences = self._judged(answer)
        blocks: list[Block] = []
        above = None
        for sentence in sentences:
            markers = [marker for marker in sentence.markers if marker in footnotes]
            shown = sentence.model_copy(update={"markers": markers})
            cited = footnotes[markers[0]].citation if markers else None
            heading = self._heading(sentence, cited)
            items = [Item(sentence.text)]
            if sentence.verdict == "quoted" and len(markers) == 1:
                own = listed[markers[0]]
                items = own if sentence.item or len(own) > 1 or not own[0].number else items
            if heading or len(items) > 1:
                title = heading[1] if heading and heading != above else ""
                blocks.append(Block(title, [shown], items))
            elif not blocks or blocks[-1].items or self.turn.state == "unsure":
                blocks.append(Block("", [shown]))
            else:
                blocks[-1].sentences.append(shown)
            above = heading
        question = self.turn.question
        if self.is_note and footnotes:
            place = footnotes[1].citation.model_copy(update={"heading": []})
            question = say.place(place, place.document)
        is_likely = status in ("answered", "unsure") and answer.kind not in _WITHOUT_CONFIDENCE
        missing = say.missing(answer.unanswered, answer.undecided, answer.dropped)
        is_other = answer.kind != "where" and answer.standalone_question != answer.question
        return ExportedAnswer(
            question,
            status,
            blocks,
            footnotes,
            [*missing, *filter(None, [answer.note])],
            self.comment,
            self.day,
            answer.confidence if is_likely else None,
            answer.standalone_question if is_other else "",
            answer.context,
        )

    @property
    def shown(self) -> KeptAnswer:
        """What is shown of it, with the passages that answer for its reader."""
        answer = self.turn.shown
        further = [citation for more in self.turn.further for citation in more.passages]
        beside = [*answer.closest, *further] if self._is_judged else []
        marked = [citation for citation in beside if self._is_noted(citation)]
        citations = [
            citation.model_copy(update={"marker": marker})
            for marker, citation in enumerate(marked, start=len(answer.citations) + 1)
        ]
        sentences = [
            KeptSentence(text=" ".join(c.quote.split()), verdict="quoted", markers=[c.marker])
            for c in citations
        ]
        return answer.model_copy(
            update={
                "citations": [*answer.citations, *citations],
                "sentences": [*answer.sentences, *sentences],
            }
        )

    @property
    def _is_judged(self) -> bool:
        """Whether passages are shown of which its reader may say that they answer."""
        return self.turn.state in ("unsure", "refused")

    def _is_noted(self, citation: KeptCitation) -> bool:
        # As the page names a passage; see `passageKey` in `passages.js`.
        return f"{citation.document_id}/{citation.start}" in (self.noted or ())

    def _judged(self, answer: KeptAnswer) -> tuple[ExportStatus, list[KeptSentence]]:
        """What came of the question, and what is shown of that: of passages that may answer, those
        that do, where its reader has said which."""
        state = self.turn.state
        if self.is_note:
            return "noted", answer.sentences
        if state == "pending":
            return "stopped", answer.sentences
        if not self._is_judged or self.noted is None:
            return state, answer.sentences
        if state == "unsure" and not self.noted:
            return "dismissed", []
        chosen = {c.marker for c in answer.citations if self._is_noted(c)}
        left = [one for one in answer.sentences if chosen.intersection(one.markers)]
        return ("chosen", left) if left else (state, answer.sentences)

    def _heading(
        self, sentence: KeptSentence, cited: KeptCitation | None
    ) -> tuple[str, str] | None:
        """In which document and under which heading a sentence stands that is an item of a list;
        None of running text, and of passages, which have no headings. In a list that is what it is
        about, in an overview the document's own heading. See `Layout`."""
        if self.turn.state == "unsure":
            return None
        if sentence.item or sentence.about:
            return "", sentence.about
        if self.turn.shown.kind not in ("overview", "where"):
            return None
        if cited is None:
            return "", ""
        return cited.document_id, [cited.document, *cited.heading][-1]


def _items(citation: KeptCitation, checker: QuoteChecker) -> list[Item]:
    """What is quoted, item by item, with the numbers that its document gives them."""
    texts = checker.items(citation)
    before = citation.paragraph_text[: citation.start - citation.paragraph_start]
    if number := _NUMBER_BEFORE.search(before):
        texts[0] = f"{number[0].lstrip()}{texts[0]}"
    marks = [_MARK.match(text) for text in texts]
    return [
        Item(text[mark.end() :], int(mark[1] or 0)) if mark else Item(text)
        for text, mark in zip(texts, marks, strict=True)
    ]


def _noted(turn: KeptTurn) -> frozenset[str] | None:
    """What the page keeps with a turn."""
    found = (turn.model_extra or {}).get("noted")
    return frozenset(map(str, found)) if isinstance(found, list) else None
