"""What the words of a question keep from being answered, whatever was found for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from assistant.answering.abstention import Decision
from assistant.english import FUNCTION_WORDS, NEGATORS, content_stems
from assistant.query.question import Question
from assistant.retrieval.evidence import Evidence, stems_under
from index import Hit
from index.chunking.language import asked_in, is_latin
from index.models import ENGLISH

#: Pieces that the encoder makes of a word which it has not learned, at least. "parking" is one.
PIECES = 3
#: What is said of such words, and where there are none at all.
WORDLESS = "There is no word in this that could be looked up. Ask in words."
UNKNOWN = "The documents do not have {words}. Ask in other words, with spaces between them."
FOREIGN = (
    "This is asked in another language than that of the documents, so that what is found for it "
    "may not fit."
)

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def held_back(
    question: Question,
    evidence: Evidence,
    decision: Decision,
    pieces: Callable[[str], int],
) -> Decision:
    """What was decided, as far as the question has words that mean something in the documents.

    One without any is refused. One in another language than the documents is not answered: the
    encoder and the reading model know English. The question before, asked of something else, is
    not answered by sentences that do not name that: what answered it is like what it asks for. With
    a language model none of this holds.

    Args:
        question: as it was understood.
        evidence: what was found.
        decision: about it.
        pieces: into how many pieces the encoder takes a word apart.
    """
    words = _WORD.findall(question.standalone)
    if not words:
        return _refused(decision, WORDLESS)
    own = [word for word in words if word.lower() not in FUNCTION_WORDS | NEGATORS]
    found = any(hit.legs.get("terms", 0.0) > 0 for hit in evidence.hits)
    latin = is_latin(question.standalone)
    if own and latin and not found and all(pieces(word) >= PIECES for word in own):
        quoted = " or ".join(f"\u201c{word}\u201d" for word in dict.fromkeys(own))
        return _refused(decision, UNKNOWN.format(words=quoted))
    languages = {asked_in(question.standalone), *(h.paragraph.language for h in evidence.hits[:1])}
    if len(languages) > 1 and ENGLISH in languages:
        status = "unsure" if decision.status == "answered" else decision.status
        return replace(decision, status=status, note=FOREIGN)
    named = content_stems(question.instead)
    if decision.status == "answered" and named:
        told = (stems_under(own.hit.paragraph, own.sentence.text) for own in decision.chosen)
        if not any(named & own for own in told):
            return replace(decision, status="unsure")
    return decision


def naming_first(question: Question, evidence: Evidence) -> Evidence:
    """The evidence with the paragraphs first that name what a question is asked of instead."""
    named = content_stems(question.instead)

    def lacks(hit: Hit) -> bool:
        return not named & stems_under(hit.paragraph, hit.paragraph.text)

    return replace(evidence, hits=tuple(sorted(evidence.hits, key=lacks))) if named else evidence


def _refused(decision: Decision, note: str) -> Decision:
    return Decision("refused", decision.confidence, note=note)
