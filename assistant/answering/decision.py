"""Decides what becomes of a question: whether it is answered, and by which quotations; whether
passages are shown that may answer; or whether it is refused. Nothing else decides that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.answer import AnswerKind, Outcome
from assistant.answering.arranging import arrange, list_items, miscounted, whole
from assistant.answering.quoting import (
    PASSAGES,
    Quotation,
    choose_from,
    holds_answer,
    quote,
    top_passages,
)
from assistant.calibration import Calibration, Logistic, Status, Thresholds
from assistant.documents import DocumentSet
from assistant.query.english import FUNCTION_WORDS, NEGATORS, content_stems
from assistant.query.kinds import Kind, number_of
from assistant.query.question import Question
from assistant.retrieval.evidence import Candidate, Evidence, is_said, stems_under
from index import Hit, View
from index.chunking.language import asked_in, is_latin
from index.models import ENGLISH

#: What came of putting a question to a language model; `about`: it says that it is asked about the
#: assistant.
Came = Outcome | Literal["about"]

#: What the assistant says where nothing is asked of the documents.
REPLIES: Mapping[Kind, tuple[str, ...]] = {
    "courtesy": ("Glad to help.", "Ask anything about the documents."),
    "about": (
        "I answer questions about your documents with the sentences that answer them, and show "
        "where each stands.",
        "What the documents do not say, I do not say.",
        "Ask for a detail, or for an overview of everything or of one part: “What are the main "
        "points?”, “Summarize the section on …”.",
        "The help says how to use Footnote: F1 on the page, footnote help in a terminal.",
    ),
}
#: The confidence from which the documents answer what seems to be asked of the assistant ("How does
#: this work?"). Of 50 such questions 2 have more in house rules and 5 in a handbook; 19 and 32 have
#: what an answer takes otherwise.
OF_DOCUMENTS = 0.9

#: Pieces that the encoder makes of a word which it has not learned, at least. "parking" is one.
PIECES = 3
#: What is said of such words, and where there are none at all.
WORDLESS = "There is no word in this that could be looked up. Ask in words."
UNKNOWN = "The documents do not have {words}. Ask in other words, with spaces between them."
#: What is said of a question in another language than that of the documents: in its own, where it
#: is one of these, else in English.
FOREIGN: Mapping[str, str] = {
    "de": "Die Dokumente sind in einer anderen Sprache als diese Frage. Bitte in der Sprache der "
    "Dokumente fragen.",
    "en": "The documents are in another language than this question. Ask in theirs.",
    "es": "Los documentos est\u00e1n en otro idioma que esta pregunta. Pregunte en el de los "
    "documentos.",
    "fr": "Les documents sont dans une autre langue que cette question. Posez-la dans la leur.",
    "it": "I documenti sono in una lingua diversa da quella della domanda. Chieda nella loro.",
    "nl": "De documenten zijn in een andere taal dan deze vraag. Stel haar in die van de "
    "documenten.",
    "pl": "Dokumenty s\u0105 w innym j\u0119zyku ni\u017c to pytanie. Prosz\u0119 zapyta\u0107 w "
    "j\u0119zyku dokument\u00f3w.",
    "pt": "Os documentos est\u00e3o em outro idioma que esta pergunta. Pergunte no deles.",
    "ro": "Documentele sunt \u00een alt\u0103 limb\u0103 dec\u00e2t aceast\u0103 "
    "\u00eentrebare. \u00centreba\u021bi \u00een limba lor.",
    "tr": "Belgeler bu sorudan farkl\u0131 bir dilde. L\u00fctfen onlar\u0131n dilinde sorun.",
}

#: Mentions of something that are shown at most, and the least share of the words asked for that
#: the paragraph of each has. Not tuned.
MENTIONS, SHARE = 6, 0.5
#: What is said where something is not mentioned.
UNMENTIONED = "The documents do not mention \u201c{topic}\u201d in these words."

#: The share of the best paragraph's score with which another has more on the same. Not tuned.
LEFT = 0.5
#: What is said where all that was found has been said.
NOTHING_MORE = "Nothing more was found."

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a question.

    Attributes:
        status: whether it is answered.
        confidence: calibrated probability that the answer is right; None where a language model
            decided.
        chosen: the sentences that answer, or may; none where it is refused.
        kind: of the answer.
        quotations: what is shown, in order.
        unanswered: of several questions asked at once, those that the documents do not answer.
        undecided: likewise, those that are not answered here, though the documents may.
        replies: what the assistant says of itself, in sentences.
        note: what the person who asked is told besides; None where that is nothing.
        fits: whether what was found may have to do with the question.
    """

    status: Status
    confidence: float | None
    chosen: tuple[Candidate, ...] = ()
    kind: AnswerKind = "fact"
    quotations: tuple[Quotation, ...] = ()
    unanswered: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    note: str | None = None
    fits: bool = True


def decide(
    question: Question,
    evidence: Evidence,
    calibration: Calibration,
    thresholds: Thresholds,
    limit: int,
    documents: DocumentSet,
) -> Decision:
    """Decide what becomes of a question: by the calibrated probabilities, then by its words, then
    by what it asks for.

    Args:
        question: as it was understood.
        evidence: what was found, scored by the calibration.
        calibration: makes probabilities of it.
        thresholds: between what is refused, what is unsure and what is answered.
        limit: sentences of an answer at most.
        documents: that are asked.
    """
    if question.kind == "fact" and question.length:
        limit = min(limit, question.length)
    decision = weigh(evidence, calibration, thresholds, limit)
    if question.kind == "about" and (decision.confidence or 0.0) < OF_DOCUMENTS:
        return reply("about")
    decision = _by_wording(question, evidence, decision, documents)
    if question.note and decision.status != "refused":
        decision = replace(decision, status="unsure", note=question.note)
    shown = _as_asked(question, evidence, replace(decision, note=None), documents.view)
    if question.more or question.again:
        shown = _continued(shown, question, evidence)
    return replace(shown, note=" ".join(filter(None, (decision.note, shown.note))) or None)


def decide_written(came: Came, kind: AnswerKind) -> Decision | None:
    """Decide by what came of putting a question to a language model; None where it did not read."""
    if came == "about":
        return reply("about")
    if came in ("failed", "untrusted"):
        return None
    return Decision("answered" if came == "written" else "refused", None, kind=kind)


def reply(kind: Kind) -> Decision:
    """Speak of the assistant itself."""
    return Decision("answered", 1.0, kind="chat", replies=REPLIES[kind])


def weigh(
    evidence: Evidence, calibration: Calibration, thresholds: Thresholds, limit: int
) -> Decision:
    """Answer where the answer is surely right, refuse where there is surely none; else be unsure.

    Several questions asked at once are as sure as the surest of them, and one question about
    several subjects as the least sure of those; or as what was found for the whole, if that is
    surer.

    Args:
        evidence, calibration, thresholds, limit: see `decide`.

    Returns:
        The status, with the sentences that were chosen and the parts that are left open.
    """
    right, answerable = calibration.answer, calibration.answerable
    founds = [found for _, found in evidence.parts]
    alone = all(part.alone for part, _ in evidence.parts)

    def surety(model: Logistic) -> float:
        of_whole = evidence.probability(model)
        parts = [found.probability(model) for found in founds]
        return max(of_whole, (max if alone else min)(parts, default=of_whole))

    def status_of(found: Evidence) -> Status:
        return thresholds.status(found.probability(right), found.probability(answerable))

    confidence = surety(right)
    status: Status = "refused"
    if evidence.candidates:
        status = thresholds.status(confidence, surety(answerable))
    if status == "refused":
        return Decision(status, confidence)
    enough = ("answered", status)
    answering = [found for found in (evidence, *founds) if status_of(found) in enough]
    chosen = choose_from(answering, limit)
    left = [
        (part.asked, its)
        for part, found in evidence.parts
        if alone
        and (its := status_of(found)) not in enough
        and (its == "refused" or not holds_answer(chosen, found))
    ]
    return Decision(
        status,
        confidence,
        tuple(chosen),
        unanswered=tuple(asked for asked, its in left if its == "refused"),
        undecided=tuple(asked for asked, its in left if its != "refused"),
    )


# --- by the words of the question --------------------------------------------------------------


def _by_wording(
    question: Question, evidence: Evidence, decision: Decision, documents: DocumentSet
) -> Decision:
    """What was decided, as far as the question has words that mean something in the documents.

    One without any is refused, and so is one in another language than the documents: the encoder
    and the reading model know English. Where only what was found is in another one, nothing is
    sure. The question before, asked of something else, is not answered by sentences that do not
    name that: what answered it is like what it asks for.
    """
    words = _WORD.findall(question.standalone)
    if not words:
        return Decision("refused", decision.confidence, note=WORDLESS)
    bearing = [word for word in words if word.lower() not in FUNCTION_WORDS | NEGATORS]
    found = any(hit.terms > 0 for hit in evidence.hits)
    latin = is_latin(question.standalone)
    pieces = documents.view.encoder.count_tokens
    if bearing and latin and not found and all(pieces(word) >= PIECES for word in bearing):
        quoted = " or ".join(f"\u201c{word}\u201d" for word in dict.fromkeys(bearing))
        return Decision("refused", decision.confidence, note=UNKNOWN.format(words=quoted))
    theirs = [hit.paragraph.language for hit in evidence.hits]
    language = asked_in(question.standalone, *theirs[:1])
    foreign = theirs and language not in theirs and ENGLISH in (language, *theirs)
    if foreign and all(info.language != language for info in documents.infos):
        note = FOREIGN.get(language, FOREIGN[ENGLISH])
        return Decision("refused", decision.confidence, note=note, fits=False)
    if decision.status == "answered":
        named = content_stems(question.instead)
        told = (stems_under(c.hit.paragraph, c.sentence.text) for c in decision.chosen)
        apart = {language, *theirs[:1]}
        if (named and not any(named & stems for stems in told)) or (
            len(apart) > 1 and ENGLISH in apart
        ):
            return replace(decision, status="unsure")
    return decision


# --- by what the question asks for -------------------------------------------------------------


def _as_asked(question: Question, evidence: Evidence, decision: Decision, view: View) -> Decision:
    """What was decided, with what is shown of it."""
    if not decision.fits:
        return decision
    if question.kind == "where":
        return _mentioned(question.standalone, evidence, decision)
    if decision.status == "refused":
        return decision
    items: list[Quotation] = []
    if question.kind == "list":
        items = list_items(question.standalone, decision.chosen, view.document)
    counted = bool(items) and number_of(question.standalone) is not None
    if counted and miscounted(question.standalone, items) is None:
        # As many as the question speaks of, in one enumeration, are what is asked for.
        return replace(decision, status="answered", kind="list", quotations=tuple(items))
    if decision.status == "unsure":
        return replace(decision, quotations=tuple(top_passages(evidence, PASSAGES)))
    arranged = arrange(question, evidence, decision.chosen, items, view.document)
    return replace(decision, kind=arranged.kind, quotations=arranged.quotations, note=arranged.note)


def _mentioned(topic: str, evidence: Evidence, decision: Decision) -> Decision:
    """Where something is mentioned: of each paragraph that has the words asked for the sentence
    with most of them, or the nearest of such, in the documents' order. Where none has all of them,
    that is said, and passages that may be meant are shown."""
    asked = content_stems(topic)
    found: list[Candidate] = []
    shares: list[float] = []
    for hit in evidence.hits:
        known = stems_under(hit.paragraph, hit.paragraph.text)
        share = len(asked & known) / (len(asked) or 1)
        if share >= SHARE:
            words = [len(asked & content_stems(s.text)) for s in hit.paragraph.sentences]
            said = list(zip(words, hit.sentence_scores, strict=True))
            found.append(Candidate(hit, said.index(max(said)), {}))
            shares.append(share)
    del found[MENTIONS:]
    if 1.0 in shares:
        found.sort(key=lambda c: (c.hit.paragraph.document_id, c.hit.paragraph.start))
        quotations = tuple(map(whole, found))
        return replace(decision, status="answered", kind="where", quotations=quotations)
    note = UNMENTIONED.format(topic=topic) if asked else None
    if decision.status == "refused" and not found:
        return replace(decision, note=note)
    passages = tuple(top_passages(evidence, PASSAGES))
    return replace(decision, status="unsure", quotations=passages, note=note)


# --- more of an answer, or less of it ----------------------------------------------------------


def display_filter(question: Question) -> Callable[[str], bool]:
    """Whether a sentence may be shown: where more is asked for, one that was not said; where the
    last answer is asked for again, one of that."""
    if question.more:
        return lambda text: not is_said(text, question.said)
    if question.again:
        return lambda text: is_said(text, question.said[-1:])
    return lambda _: True


def _continued(decision: Decision, question: Question, evidence: Evidence) -> Decision:
    """Of what would be shown, what was not said yet, or what was said last; or else a page of
    passages of which that holds. What was said last in other words than the documents' is taken for
    what would be shown.

    Args:
        decision: as if it were the first question.
        question: asks for more of an answer, or for it again; of a part of it, that is shown first.
        evidence: what was found.
    """
    if question.part and (pointed := _pointed_at(question.part, evidence)):
        others = _continued(decision, replace(question, part=""), evidence)
        status: Status = "unsure" if others.status == "refused" else others.status
        quotations = (pointed, *others.quotations)[:PASSAGES]
        return replace(others, status=status, quotations=quotations, note=None)
    if decision.status == "refused" and (evidence.candidates or not question.more):
        return decision
    shows = display_filter(question)
    if question.again and not any(shows(c.sentence.text) for c in evidence.candidates):
        return replace(decision, quotations=decision.quotations[: question.length])
    shown = tuple(quotation for quotation in decision.quotations if shows(quotation.text))
    if shown and decision.status == "answered":
        return replace(decision, quotations=shown, note=None)
    if question.more:
        evidence = replace(evidence, hits=_left(evidence.hits, shows))
    page = tuple(top_passages(evidence, question.length or PASSAGES, shows=shows))
    if page:
        return replace(decision, status="unsure", kind="fact", quotations=page, note=None)
    return replace(decision, status="refused", kind="fact", quotations=(), note=NOTHING_MORE)


def _pointed_at(part: str, evidence: Evidence) -> Quotation | None:
    """The sentences of a paragraph which are a part of the last answer; None where that is in other
    words than the documents', or no whole sentence."""
    for hit in evidence.hits:
        sentences = hit.paragraph.sentences
        said = [n for n, sentence in enumerate(sentences) if is_said(sentence.text, [part])]
        if said:
            return quote([Candidate(hit, said[0], {}, reach=(said[0], said[-1]))])[0]
    return None


def _left(hits: Sequence[Hit], shows: Callable[[str], bool]) -> tuple[Hit, ...]:
    """The paragraphs that have more to show, first those of which nothing was shown."""
    left = []
    for hit in hits:
        shown = [shows(sentence.text) for sentence in hit.paragraph.sentences]
        if any(shown):
            left.append((all(shown), hit))
    least = LEFT * max((hit.score for _, hit in left), default=0.0)
    left.sort(key=lambda pair: not pair[0])
    return tuple(hit for _, hit in left if hit.score >= least)
