"""Overviews: a few sentences of a document, or of a part of it, that stand for the rest.

Which part is meant is told by the headings. Of its sentences those are chosen whose vectors are,
all together, nearest to those of all others: a facility location function, maximised greedily,
which is within 1 - 1/e of the best choice (Nemhauser, Wolsey and Fisher 1978; for summaries: Lin
and Bilmes, "A Class of Submodular Functions for Document Summarization", ACL 2011). One that says
again what another says adds nothing to it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.answering.decision import display_filter
from assistant.answering.quoting import dangles, repeats
from assistant.documents import DocumentSet
from assistant.query.kinds import load_kinds
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, unscored
from index import Document, Paragraph
from index.encoder import Vectors
from index.errors import QuestionError
from index.terms.analysis import terms_of

#: Sentences of an overview of everything and of a part, where none were asked for. Not tuned.
WHOLE, PART = 7, 4
#: Sentences that are compared with all others; of more, those at equal distances. A thousand pages
#: are then chosen from in a tenth of a second.
COMPARED = 3000
#: A text of more sentences than this is told by those that begin its parts, if it has many. Not
#: tuned.
MANY = 300
#: Paragraphs of which an overview is made, for all of them are read; of more, documents have to be
#: chosen. Not tuned.
MAX_PARAGRAPHS = 50_000
#: Characters of a sentence that can stand for others. Not tuned.
SHORTEST, LONGEST = 40, 500
#: How much more a sentence counts that begins a paragraph, or is one of the first OPENING of a
#: document or of the part, for there it is told what the rest is about. Chosen on the overviews of
#: the shipped document; of 0, .25 and .5, and of 0, .5 and 1.
BEGINS, OPENS, OPENING = 0.5, 1.0, 3
#: The least that a heading and what is asked have in common (F1 of the terms, weighed by how few
#: headings have each). Not tuned.
SAME = 0.4

_ENDS = (".", "!", "\u201d", '"', ")", "\u3002")


#: A paragraph, and the number of a sentence in it.
Place = tuple[Paragraph, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """What an overview is of.

    Attributes:
        heading: of the part, None where it is of everything.
        paragraphs: in reading order.
    """

    heading: str | None
    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """An overview that can be given.

    Attributes:
        scope: what it is of.
        chosen: the sentences that stand for the rest, in reading order.
    """

    scope: Scope
    chosen: tuple[Candidate, ...]


def overview_of(question: Question, documents: DocumentSet, whole: bool) -> Overview:
    """An overview of everything, or else of the part that a question names.

    Raises:
        QuestionError: no heading is like it, there is nothing but tables, or there are too many
            paragraphs to read them all.
    """
    if documents.size > MAX_PARAGRAPHS:
        raise QuestionError(
            f"These documents have {documents.size:,} paragraphs, and an overview is made of at "
            f"most {MAX_PARAGRAPHS:,}. Choose some of them.",
            code="overview_large",
            count=MAX_PARAGRAPHS,
        )
    topic = "" if whole else question.asked
    scope = scope_of(documents.texts, documents.stems(topic), lambda: True)
    if scope is None or (scope.heading is None and not whole):
        raise QuestionError(
            f"No heading is like {question.asked!r}. Give the words of one, or leave the "
            "section out."
        )
    chosen = choose_overview(scope, documents.view.vectors, question.length)
    if not chosen:
        raise QuestionError(
            "There is nothing but tables, and no sentence stands for those. Ask for what is in "
            "them.",
            code="overview_tables",
        )
    return Overview(scope, tuple(chosen))


def overview_asked_for(question: Question, documents: DocumentSet) -> Overview | None:
    """The overview that a question asks for; None where no heading names what it is to be of,
    though the documents speak of it, or there is too much to read."""
    if documents.size > MAX_PARAGRAPHS:
        return None
    view = documents.view
    named = load_kinds(view.encoder.fingerprint).named(question.standalone) or question.section

    def is_named() -> bool:
        return view.has_terms_of(named, documents.ids)

    # More and less go on from what was said, wherever that stands.
    texts = said_in(question, documents) if question.more or question.again else documents.texts
    scope = scope_of(texts, documents.stems(named), is_named)
    if scope is None:
        return None
    chosen = choose_overview(scope, view.vectors, question.length, display_filter(question))
    if question.again and not chosen:  # it was said in other words than theirs
        chosen = choose_overview(scope, view.vectors, question.length)
    return Overview(scope, tuple(chosen)) if chosen else None


def said_in(question: Question, documents: DocumentSet) -> list[Document]:
    """The documents that say what was answered last; all where none does."""
    return quoted_in(documents.texts, " ".join(question.said[-1:])) or documents.texts


def scope_of(
    documents: Sequence[Document], topic: frozenset[str], is_told: Callable[[], bool]
) -> Scope | None:
    """What of the documents an overview is asked of: the part under the heading that is nearest to
    the topic, or everything where there is none, or none that the documents know. None where they
    know it and no heading is near it.

    Args:
        documents: those that are asked.
        topic: stems of what the question names.
        is_told: whether the documents hold one of the words that it is named by.
    """
    whole = Scope(None, tuple(p for document in documents for p in document.paragraphs))
    if not topic:
        return whole
    parts: dict[tuple[str, tuple[str, ...]], list[Paragraph]] = {}
    for document in documents:
        whole_one = [(document.title,)] if len(documents) > 1 else []  # one of them may be meant
        for paragraph in document.paragraphs:
            heading = paragraph.heading
            above = [heading[:depth] for depth in range(1, len(heading) + 1)]
            for path in dict.fromkeys([*whole_one, *above]):
                parts.setdefault((document.id, path), []).append(paragraph)
    stems = {
        key: set(terms_of(key[1][-1], paragraphs[0].language)) for key, paragraphs in parts.items()
    }
    counts = Counter(stem for of_heading in stems.values() for stem in of_heading)

    def weight(known: Collection[str]) -> float:
        # Whatever order a set has in this process, the same sum.
        return math.fsum(math.log((len(stems) + 1) / (counts[stem] + 0.5)) for stem in known)

    # What no heading has ("happened", "says") tells nothing of which is meant.
    named = {stem for stem in topic if counts[stem]}
    asked = weight(named) + weight([s for s in topic if not counts[s]]) / 4
    best: tuple[str, tuple[str, ...]] | None = None
    most = SAME
    for key, of_heading in stems.items():
        both = weight(of_heading) + asked
        score = 2 * weight(of_heading & named) / both if both else 0.0
        if score > most:
            best, most = key, score
    if best is not None:
        return Scope(best[1][-1], tuple(parts[best]))
    return None if is_told() else whole


def quoted_in(documents: Sequence[Document], answer: str) -> list[Document]:
    """Those of the documents of which an answer quotes a sentence that can stand for others."""
    told = " ".join(answer.split())
    return [
        document
        for document in documents
        if any(
            len(one.text) >= SHORTEST and " ".join(one.text.split()) in told
            for paragraph in document.paragraphs
            for one in paragraph.sentences
        )
    ]


def choose_overview(
    scope: Scope,
    vectors_of: Callable[[Sequence[str]], Mapping[str, Vectors]],
    count: int | None,
    shows: Callable[[str], bool] = lambda _: True,
) -> list[Candidate]:
    """The sentences of an overview, in reading order; none where there is no text but tables.

    Args:
        scope: what it is of.
        vectors_of: gives those of the sentences of paragraphs, by the paragraph's id.
        count: how many are asked for.
        shows: whether a sentence may be one of them.
    """
    wanted = count or (PART if scope.heading else WHOLE)
    every = [
        (paragraph, number)
        for paragraph in scope.paragraphs
        if paragraph.kind in ("prose", "list")
        for number in range(len(paragraph.sentences))
    ]
    fit = [place for place in every if _stands_alone(*place)] or every
    first = {_key(place) for place in _opening(fit, 0)}
    fit = [place for place in fit if shows(place[0].sentences[place[1]].text)]
    if not fit:
        return []
    begin = _opening(fit, _depth(scope.paragraphs))
    places = _thinned(begin if len(every) > MANY and len(begin) > 2 * wanted else fit)
    others = _thinned(every)
    ids = dict.fromkeys(paragraph.id for paragraph, _ in (*places, *others))
    vectors = vectors_of(list(ids))
    fitting, rest = (
        np.array([vectors[paragraph.id][number] for paragraph, number in some], dtype=np.float32)
        for some in (places, others)
    )
    near = np.clip(rest @ fitting.T, 0, None)  # [sentences, those that can be chosen]
    begins = np.array(
        [1 + BEGINS * (place[1] == 0) + OPENS * (_key(place) in first) for place in places],
        dtype=np.float32,
    )
    covered = np.zeros(len(others), dtype=np.float32)
    chosen: dict[int, Candidate] = {}
    gains = near.sum(axis=0) * begins
    while len(chosen) < wanted and (gains >= 0).any():
        best = int(gains.argmax())
        gains[best] = -1
        candidate = unscored(*places[best])
        if not repeats(candidate, list(chosen.values())):
            chosen[best] = candidate
            covered = np.maximum(covered, near[:, best])
            left = gains >= 0
            gains = np.clip(near - covered[:, None], 0, None).sum(axis=0) * begins
            gains[~left] = -1
    return [chosen[n] for n in sorted(chosen)]


def _key(place: Place) -> tuple[str, int, int]:
    paragraph, number = place
    return paragraph.document_id, paragraph.start, number


def _thinned(places: Sequence[Place]) -> list[Place]:
    """At most COMPARED of them, at equal distances."""
    return list(places[:: max(1, math.ceil(len(places) / COMPARED))])


def _depth(paragraphs: Sequence[Paragraph]) -> int:
    """The least number of headings that tells parts of the text from one another."""
    deepest = max((len(paragraph.heading) for paragraph in paragraphs), default=0)
    for depth in range(1, deepest + 1):
        if len({paragraph.heading[:depth] for paragraph in paragraphs}) > 2:
            return depth
    return deepest


def _opening(places: Sequence[Place], depth: int) -> list[Place]:
    """The first OPENING sentences of each document, or of each of its parts, as the first `depth`
    headings tell parts."""
    seen: Counter[tuple[str, tuple[str, ...]]] = Counter()
    found = []
    for place in places:
        part = place[0].document_id, place[0].heading[:depth]
        if seen[part] < OPENING:
            found.append(place)
        seen[part] += 1
    return found


def _stands_alone(paragraph: Paragraph, number: int) -> bool:
    text = " ".join(paragraph.sentences[number].text.split())
    return (
        SHORTEST <= len(text) <= LONGEST and text.endswith(_ENDS) and not dangles(paragraph, number)
    )
