"""Chooses the sentences of the documents that answer, and quotes them in document order.

The fewest that answer: the most probable sentence, and others that are nearly as probable. A
question that asks for several things gets more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.query.english import PRONOUNS, alternatives
from assistant.retrieval.evidence import Candidate, Evidence, is_said
from index import Paragraph
from index.models import ENGLISH
from index.terms.analysis import terms_of

# Each but the first was chosen on the shipped questions. What is said of other values was measured
# afterwards on seed, seed_oblique, seed_parts, 160 questions of SQuAD 2.0 and 254 of MT-RAG.

#: A sentence joins the best one above this probability, and above this share of the best's. The
#: probability was chosen on seed, seed_oblique, squad2_dev and reddit: with .4 each set has up to
#: .02 less evidence cited, with .2 up to .06 less precise citations.
JOIN, JOIN_SHARE = 0.3, 0.5
#: The same for a question that asks for several things; lower by .05, seed_parts cites less
#: precisely by .07.
JOIN_SEVERAL, JOIN_SEVERAL_SHARE = 0.25, 0.35
#: A sentence beside one that answers, or beside such a neighbour, or in a paragraph beside it under
#: the same heading, belongs to it above this share of its probability: the condition, the
#: exception, the next step. Of such in the next paragraph .5 do, of those elsewhere .3. Of 99
#: questions by people who knew only the titles, rightly answered, .28 have all that a complete
#: answer takes without it, .33 with .3, .36 with .2, which quotes a third more characters, and .38
#: with .1; of 104 on news .82, .85, .86 and .87.
BELONGS = 0.2
#: The least probability of that, and the characters of such a run. Not tuned.
LEAST, RUN = 0.05, 600
#: A sentence above this share of the likeliest one's probability answers as well as that one; .5
#: and .7 change next to nothing.
COVERS = 0.6
#: Sentences that share this much of their terms say the same; .7 and .9 change next to nothing.
REDUNDANT = 0.8

# English words that begin a sentence and point to the one before it.
_DANGLES = re.compile(
    rf"^[\W_]*({alternatives(PRONOUNS)}|such|neither|either|another|others|"
    r"the (former|latter|same|other|second|third)|there,|here,|however|yet|but|still,|nevertheless|"
    r"nonetheless|instead,|otherwise|therefore|thus|hence|so|then|moreover|furthermore|also,|"
    r"in addition,|in (that|this|these|those|such) cases?|if so|if not|as a result|similarly|"
    r"likewise|conversely|by contrast|on the (other hand|contrary)|for (example|instance)|"
    r"that said)\b",
    re.IGNORECASE,
)
#: English words that begin a sentence which takes back the one before it, or some of it. Of 30
#: found in 60 real documents 22 did.
_TAKES_BACK = re.compile(
    r"^[\W_]*(?:however|but|yet|nevertheless|nonetheless|that said|on the contrary|"
    r"exceptions?|(?:this|that|such) (?:\w+ )?(?:(?:is|was|are|were) (?:not|no longer|wrong|false|"
    r"mistaken|untrue|incorrect|misleading)|isn.t|wasn.t|does not|doesn.t|did not|didn.t|"
    r"(?:under|over)estimates|overlooks|ignores|misses|misrepresents))\b",
    re.IGNORECASE,
)
#: Passages that are shown where none is surely the answer, and besides an answer; paragraphs that
#: are shown with a refusal.
PASSAGES, CLOSEST = 5, 3
#: Sentences before it that one is quoted with at most.
BACK = 2

#: The sign that begins an item of a list where a document prints it. Numbers are part of what is
#: said: others refer to them.
_SIGN = re.compile(r"[\u2022\u2023\u25aa\u25e6\u2013-]\s+(?=\S)")

_CLOSING = " \t\r\n\"'\u2019\u201d)]"


@dataclass(frozen=True, slots=True)
class Quotation:
    """A run of characters of one paragraph.

    Attributes:
        candidate: the sentence that it was chosen for.
        start, end: offsets in its document.
        item: whether it is one of a list.
        about: the one of several things that it is quoted for; "" where there are none.
    """

    candidate: Candidate
    start: int
    end: int
    item: bool = False
    about: str = ""

    @property
    def paragraph(self) -> Paragraph:
        """The paragraph that is quoted."""
        return self.candidate.hit.paragraph

    @property
    def text(self) -> str:
        """The quoted characters."""
        start = self.paragraph.start
        return self.paragraph.text[self.start - start : self.end - start]

    def overlaps(self, other: Quotation) -> bool:
        """Whether it has characters of another one."""
        one_document = self.paragraph.document_id == other.paragraph.document_id
        return one_document and self.start < other.end and other.start < self.end


def choose_from(answered: Sequence[Evidence], limit: int) -> list[Candidate]:
    """The sentences that answer all that is asked: of the first, what `choose` gives; of each
    other, the likeliest sentence, unless what was chosen before holds an answer to it.

    Args:
        answered: what was found for the question, or for one thing that it asks; the most important
            first.
        limit: how many at most.
    """
    chosen: list[Candidate] = []
    for found in answered:
        if len(chosen) == limit or holds_answer(chosen, found):
            continue
        best = choose(found.candidates, 1 if chosen else limit, found.several)
        chosen += [candidate for candidate in best if not repeats(candidate, chosen)]
    return chosen


def holds_answer(chosen: Sequence[Candidate], found: Evidence) -> bool:
    """Whether one of the chosen sentences is, for what was found, among the likeliest."""
    if not chosen:
        return False
    probable = {candidate.place: candidate.probability for candidate in found.candidates}
    best = max(probable.values(), default=0.0)
    return any(probable.get(candidate.place, 0.0) >= COVERS * best > 0 for candidate in chosen)


def choose(candidates: Sequence[Candidate], limit: int, several: bool = False) -> list[Candidate]:
    """The sentences that answer, most probable first: at least one.

    Args:
        candidates: the sentences to choose from.
        limit: how many at most.
        several: whether more than one thing is asked for.
    """

    probable = sorted(candidates, key=lambda candidate: -candidate.probability)
    join, share = (JOIN_SEVERAL, JOIN_SEVERAL_SHARE) if several else (JOIN, JOIN_SHARE)
    chosen = probable[:1]
    for candidate in probable[1:]:
        best = chosen[0]
        adjoins = _adjoins(candidate.hit.paragraph, best.hit.paragraph)
        least, part = (LEAST, BELONGS) if adjoins else (join, share)
        likely = candidate.probability >= max(least, part * best.probability)
        if likely and len(chosen) < limit and not repeats(candidate, chosen):
            chosen.append(candidate)
    apart = {candidate.place for candidate in chosen}
    others = [candidate for candidate in candidates if candidate.place not in apart]
    return [reaching(candidate, others) for candidate in chosen]


def _adjoins(one: Paragraph, other: Paragraph) -> bool:
    """Whether a paragraph stands beside another, under the same heading."""
    beside = one.document_id == other.document_id and abs(one.number - other.number) == 1
    return beside and one.heading == other.heading


def reaching(candidate: Candidate, others: Iterable[Candidate]) -> Candidate:
    """A sentence with those of its neighbours, among others, that belong to it."""
    paragraph = candidate.hit.paragraph
    least = max(LEAST, BELONGS * candidate.probability)
    likely = {
        other.number: other.probability
        for other in others
        if other.hit.paragraph.id == paragraph.id and other.probability >= least
    }
    first = last = candidate.number
    while beside := [number for number in (first - 1, last + 1) if number in likely]:
        likelier = max(beside, key=likely.__getitem__)
        run = min(first, likelier), max(last, likelier)
        if paragraph.sentences[run[1]].end - paragraph.sentences[run[0]].start > RUN:
            break
        first, last = run
    return replace(candidate, reach=(first, last))


def top_passages(
    evidence: Evidence,
    most: int,
    besides: Collection[Quotation] = (),
    shows: Callable[[str], bool] = lambda _: True,
) -> list[Quotation]:
    """Of each of the first paragraphs its likeliest sentence, so that it stands; the best paragraph
    first.

    Args:
        evidence: what was found.
        most: how many at most.
        besides: what is shown already; no other passage of those words is.
        shows: whether a sentence may be shown.
    """
    known = {quotation.paragraph.text for quotation in besides}
    quotations: list[Quotation] = []
    for hit in evidence.hits:
        if len(quotations) == most:
            break
        if hit.paragraph.text in known:
            continue
        known.add(hit.paragraph.text)
        best = max(
            (c for c in evidence.candidates if c.hit.paragraph.id == hit.paragraph.id),
            key=lambda candidate: candidate.probability,
            default=Candidate(hit, hit.nearest, {}),
        )
        if shows(best.sentence.text):
            quotations += quote([reaching(best, evidence.candidates)])
    return quotations


def quote(chosen: Sequence[Candidate], said: Sequence[str] = ()) -> list[Quotation]:
    """The chosen sentences as quotations in document order, each readable on its own.

    Args:
        chosen: the sentences.
        said: texts of the conversation; no sentence in one of them is quoted besides.

    A sentence is quoted together with those that belong to it. One that begins with a word pointing
    to the one before it is quoted together with that one, unless that one is quoted anyway, and one
    that the next takes back with the next. A question that the document asks is quoted together
    with what follows it: by itself it answers nothing.
    """
    ordered = sorted(
        chosen, key=lambda c: (c.hit.paragraph.document_id, c.hit.paragraph.start, c.number)
    )
    quotations: list[Quotation] = []
    for candidate in ordered:
        paragraph, number = candidate.hit.paragraph, candidate.number
        before = quotations[-1] if quotations else None
        if before and before.paragraph.id != paragraph.id:
            before = None
        if before and before.end >= paragraph.sentences[number].end:
            continue  # it was quoted with the one before
        first, last = candidate.reach or (number, number)
        while before and before.end > paragraph.sentences[first].start:
            first += 1  # what belongs to two of them is quoted once
        last, least = _answered(paragraph, last), max(0, first - BACK)
        while first > least and dangles(paragraph, first):
            if before and before.end > paragraph.sentences[first - 1].start:
                break
            if is_said(paragraph.sentences[first - 1].text, said):
                break
            first -= 1
        start, end = paragraph.sentences[first].start, paragraph.sentences[last].end
        at = start - paragraph.start
        if paragraph.kind == "list" and (sign := _SIGN.match(paragraph.text, at)):
            start = paragraph.start + sign.end()
        quotations.append(Quotation(candidate, start, end))
    return quotations


def dangles(paragraph: Paragraph, number: int) -> bool:
    """Whether a sentence begins with a word that points to the one before it, as far as English
    tells."""
    text = paragraph.sentences[number].text
    return paragraph.language == ENGLISH and _DANGLES.match(text) is not None


def _answered(paragraph: Paragraph, number: int) -> int:
    """The number of the sentence itself; for a question, of the first after it that is none; of
    what the next one takes back, of that."""
    sentences = paragraph.sentences
    last = number
    while sentences[last].text.rstrip(_CLOSING).endswith("?") and last + 1 < len(sentences):
        last += 1
    follows = last + 1 < len(sentences) and paragraph.language == ENGLISH
    return last + 1 if follows and _TAKES_BACK.match(sentences[last + 1].text) else last


def repeats(candidate: Candidate, chosen: Sequence[Candidate]) -> bool:
    """Whether it says what one of the chosen sentences says, by the terms that they share."""
    terms = _terms(candidate)
    return not terms or any(
        len(terms & theirs) >= REDUNDANT * min(len(terms), len(theirs) or 1)
        for theirs in map(_terms, chosen)
    )


def _terms(candidate: Candidate) -> set[str]:
    return set(terms_of(candidate.sentence.text, candidate.hit.paragraph.language))
