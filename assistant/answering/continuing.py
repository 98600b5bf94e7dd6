"""What goes on from an answer: more on the same question, or less of what was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from assistant.answering.arranging import PASSAGES, Arranged, page_of
from assistant.answering.extractive import Quotation, quote
from assistant.calibration import Logistic
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, Evidence, is_said
from index import Hit

#: The share of the best paragraph's score with which another has more on the same. Not tuned.
LEFT = 0.5
#: What is said where all that was found has been said.
NOTHING_MORE = "Nothing more was found."


def continued(
    arranged: Arranged, question: Question, evidence: Evidence, sentence: Logistic
) -> Arranged:
    """Of what was arranged, what was not said yet, or what was said last; or else a page of
    passages of which that holds. What was said last in other words than the documents' is taken for
    what was arranged.

    Args:
        arranged: as if it were the first question.
        question: asks for more of an answer, or for it again; of a part of it, that is shown first.
        evidence: what was found.
        sentence: the probability that a sentence belongs to the answer.
    """
    if question.part and (pointed := _pointed_at(question.part, evidence)):
        others = continued(arranged, replace(question, part=""), evidence, sentence)
        status = "unsure" if others.status == "refused" else others.status
        shown = [pointed, *others.quotations][:PASSAGES]
        return replace(others, status=status, quotations=tuple(shown), note=None)
    if arranged.status == "refused" and (evidence.candidates or not question.more):
        return arranged
    shows = shown_for(question)
    if question.again and not any(shows(own.sentence.text) for own in evidence.candidates):
        return replace(arranged, quotations=arranged.quotations[: question.length])
    own = tuple(one for one in arranged.quotations if shows(one.text))
    if own and arranged.status == "answered":
        return replace(arranged, quotations=own, note=None)
    if question.more:
        evidence = replace(evidence, hits=_left(evidence.hits, shows))
    page = page_of(evidence, sentence, question.length or PASSAGES, shows=shows)
    if page:
        return Arranged("unsure", "fact", tuple(page))
    return Arranged("refused", "fact", note=NOTHING_MORE)


def shown_for(question: Question) -> Callable[[str], bool]:
    """Whether a sentence may be shown: where more is asked for, one that was not said; where the
    last answer is asked for again, one of that."""
    if question.more:
        return lambda text: not is_said(text, question.said)
    if question.again:
        return lambda text: is_said(text, question.said[-1:])
    return lambda _: True


def _pointed_at(part: str, evidence: Evidence) -> Quotation | None:
    """The sentence of a paragraph which is a part of the last answer; None where that is in other
    words than the documents', or no whole sentence."""
    for hit in evidence.hits:
        for number, one in enumerate(hit.paragraph.sentences):
            if is_said(one.text, [part]):
                return quote([Candidate(hit, number, {})])[0]
    return None


def _left(hits: Sequence[Hit], shows: Callable[[str], bool]) -> tuple[Hit, ...]:
    """The paragraphs that have more to show, first those of which nothing was shown."""
    left = []
    for hit in hits:
        shown = [shows(own.text) for own in hit.paragraph.sentences]
        if any(shown):
            left.append((all(shown), hit))
    least = LEFT * max((hit.score for _, hit in left), default=0.0)
    left.sort(key=lambda pair: not pair[0])
    return tuple(hit for _, hit in left if hit.score >= least)
