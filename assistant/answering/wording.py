"""What the words of a question keep from being answered, whatever was found for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from assistant.answering.abstention import Decision
from assistant.english import FUNCTION_WORDS, NEGATORS
from assistant.query.question import Question
from assistant.retrieval.evidence import Evidence
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
    encoder and the reading model know English. With a language model neither holds.

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
    return decision


def _refused(decision: Decision, note: str) -> Decision:
    return Decision("refused", decision.confidence, note=note)
