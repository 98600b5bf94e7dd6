"""Measures another system by its replies: its citations are found in the documents of the set.

Its citations are the quotes of its annotations; an annotation without a quote that names a passage,
where the set is of passages, cites that passage whole. Where it has none of these, they are the
quotes in its text, “…” of three words or more; where it has none of those, the sentences of its
text that stand in the documents. A quote is looked for in the document that the annotation names,
if it is one of the set's, else in all: exactly, or else its words in their order whatever white
space, quotation marks or punctuation is between them. An ellipsis parts a quote into two. One that
stands in several places is cited at each. One that stands nowhere is a citation that is not valid.

A reply is a refusal where it is empty, where the protocol says so, where its first sentence says
that the documents do not answer (`REFUSALS`), or where it has no valid citation. One that begins
as Footnote's own page of passages does is unsure. All else is an answer.
"""

from __future__ import annotations

import platform
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path, PurePosixPath

from assistant.answer import LEADS, REFUSAL
from assistant.calibration import Status
from assistant.documents import read_all
from assistant.places import name_of
from evals.datasets.gold import Gold, TextSpan, places_of
from evals.datasets.models import Question, QuestionSet
from evals.running.coverage import record_of
from evals.running.endpoint import Annotation, Endpoint, NoReplyError, Reply
from evals.running.provenance import code_fingerprint
from evals.running.records import DEPTH, FAILED, Cited, Proof, Record
from evals.running.runner import System, with_documents
from index import Document
from index.about import VERSION
from index.chunking.sentences import sentence_spans

#: What a first sentence says that is a refusal, whatever the case.
REFUSALS = (
    REFUSAL.removesuffix("."),
    "No answer was found in the documents",
    "the documents don't say",
    "the documents do not",
    "the provided documents do not",
    "the provided context does not",
    "the context does not",
    "i don't know",
    "i do not know",
    "i could not find",
    "i couldn't find",
    "i cannot answer",
    "i can't answer",
    "there is no information",
    "no relevant information",
)
#: Words of a quote or a sentence that is looked for, at least: shorter ones are names, or said in
#: jest, and stand anywhere. Not tuned. What an annotation quotes may be shorter.
MIN_WORDS = 3

#: What parts the cells of a row: between them a search would look far, and the words will do.
_CELLS = re.compile(r"\||</?t[dhr]\b[^<>]*>")
_QUOTED = re.compile('“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|"([^"\n]+)"')
_ELLIPSIS = re.compile(r"(?:\[\s?)?(?:…|\.\.\.)(?:\s?\])?")
#: A mark of a citation in a text: [1], 【3†source】, ([title](address)).
_MARK = re.compile(
    r"\[\d{1,3}(?:,\s?\d{1,3})*\]|【[^】]{0,100}】|\(\[[^\]]{0,200}\]\([^)]{0,500}\)\)"
)
_POINT = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")
#: How a line ends that is no heading.
_ENDS = (".", "!", "?", ":", ";", ",", "…", '"', "'", "”", "\u2019", ")")
#: Where a text is parted, whatever its sentences: an empty line, or before a point.
_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*•]|\d{1,3}[.)])\s)")


@dataclass(frozen=True, slots=True)
class Claim:
    """Words that are said to stand in a document.

    `sentence`: the position of the sentence that cites them, -1 for the last, where it is not told;
    `names`: see `Annotation`.
    """

    quote: str
    sentence: int
    names: tuple[str, ...] = ()


class EndpointSystem(System):
    """Another system behind an endpoint.

    Args:
        endpoint: where it is.
        questions: the set.
        sources: files and folders that it is asked of, where the set has no documents.
        refusals: what a first sentence says that is a refusal, besides `REFUSALS`.

    Raises:
        DocumentError: a document cannot be read.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        questions: QuestionSet,
        sources: Sequence[Path],
        refusals: Sequence[str] = (),
    ) -> None:
        documents = questions.documents or tuple(read_all(sources))
        questions = with_documents(questions, documents)
        alone = sum(bool(question.document) for question in questions.questions)
        if alone:
            note = f"{alone} questions are of one document, and were asked of all that it has."
            questions = replace(questions, notes=(*questions.notes, note))
        settings = {"refusals": list(refusals), "k": DEPTH, "history": "kept"}
        made = {
            "versions": {"footnote": VERSION, "python": platform.python_version()},
            "settings": {**endpoint.made_with, **settings},
            "fingerprints": {"code": code_fingerprint()},
        }
        super().__init__(questions, documents, made)
        self._endpoint, self._refusals = endpoint, tuple(refusals)
        self._documents = self.finder.documents
        self._named: dict[str, list[Document]] = {}
        for document in self._documents.values():
            for key in {document.id, document.title.lower(), *_short(document.source)}:
                self._named.setdefault(key, []).append(document)

    def ask(self, question: Question, gold: Gold) -> Record:
        """The record of one question. One that gets no reply has the status FAILED, and why.

        Raises:
            SettingsError: see `Endpoint.ask`.
        """
        note = None
        try:
            reply = self._endpoint.ask(question.question, question.history)
        except NoReplyError as error:
            reply, note = Reply(""), str(error)
        lead = LEADS["unsure"]
        unsure = reply.text.startswith(lead)
        text = reply.text.removeprefix(lead) if unsure else reply.text
        sentences, annotated = parted(text, reply.annotations, len(lead) if unsure else 0)
        found = self._citations(sentences, annotated, gold)
        # What is cited twice is one citation of two sentences.
        cited = tuple(dict.fromkeys(place for _, place in found))
        status: Status = "answered"
        if unsure:
            status = "unsure"
        elif reply.refusal or not any(own.valid for own in cited) or self._declines(sentences):
            status = "refused"
        last = len(sentences) - 1
        by_sentence = [
            tuple(
                cited.index(place)
                for claim, place in found
                if claim.sentence == at or (claim.sentence == -1 and at == last)
            )
            for at in range(len(sentences))
        ]
        passages = (TextSpan.of(p) for own in cited for p in self.finder.paragraphs_of(own))
        return record_of(
            question,
            gold,
            self.finder,
            status=FAILED if note else status,
            sentences=sentences,
            proofs=[Proof("quoted" if own else "unsupported", own) for own in by_sentence],
            cited=cited,
            note=note,
            timings_ms={} if note else {"total": round(reply.ms, 3)},
            passages=tuple(dict.fromkeys(passages)) if unsure else (),
        )

    def _declines(self, sentences: Sequence[str]) -> bool:
        """Whether the first sentence is a refusal; no sentence is one."""
        if not sentences:
            return True
        first = _plain(sentences_of(sentences[0])[0])
        return any(_plain(refusal) in first for refusal in (*REFUSALS, *self._refusals))

    def _citations(
        self, sentences: Sequence[str], annotated: Sequence[Claim], gold: Gold
    ) -> list[tuple[Claim, Cited]]:
        """What is cited, with where it stands."""
        for claims in (annotated, quotes_in(sentences)):
            if found := list(self._placed(claims, gold)):
                return found
        whole = (
            Claim(part, at)
            for at, own in enumerate(sentences)
            for part in sentences_of(own)
            if _is_quote(part)
        )
        return [(own, place) for own, place in self._placed(whole, gold) if place.valid]

    def _placed(self, claims: Iterable[Claim], gold: Gold) -> Iterator[tuple[Claim, Cited]]:
        """Claims with where they stand, without those that neither quote nor name a passage; one
        that stands nowhere in parts, where an ellipsis parts it."""
        for claim in claims:
            place = self._place(claim, gold)
            split = map(str.strip, _ELLIPSIS.split(claim.quote))
            parts = [replace(claim, quote=own) for own in split if re.search(r"\w", own)]
            if place and not place.valid and len(parts) > 1:
                yield from self._placed(parts, gold)
            elif place:
                yield claim, place

    def _place(self, claim: Claim, gold: Gold) -> Cited | None:
        """Where a claim's words stand, with evidence rather than elsewhere; None where it has
        none, and names no passage."""
        named = list(self._documents_named(claim.names))
        if claim.quote:
            quote = _CELLS.sub(" ", claim.quote)
            places = places_of(quote, named) or places_of(quote, self._documents.values())
        elif named and self.finder.by_passage:
            places = [TextSpan(own.id, 0, len(own.text)) for own in named]
        else:
            return None
        if not places:
            return Cited("", 0, 0, False, claim.quote)
        gold_spans = [*gold.spans, *gold.also_supports]
        best = next((place for place in places if place.overlaps_any(gold_spans)), places[0])
        return Cited(
            best.document, best.start, best.end, True, claim.quote or self.finder.text(best)
        )

    def _documents_named(self, names: Iterable[str]) -> Iterator[Document]:
        seen = set()
        for name in names:
            for key in (name, name.partition(" › ")[0].lower(), *_short(name)):
                for document in self._named.get(key, ()):
                    if document.id not in seen:
                        seen.add(document.id)
                        yield document


def parted(
    text: str, annotations: Sequence[Annotation], moved: int
) -> tuple[list[str], list[Claim]]:
    """The sentences of a text without its marks of citations, and what its annotations claim.

    What stands before a mark is one sentence, which is what the mark is of, and may be several to
    a grammarian. A heading is none.

    Args:
        text: of the reply.
        annotations: of it.
        moved: by how many characters their places are further on.
    """
    places = [_marked(text, annotation, moved) for annotation in annotations]
    marks = sorted({own for own in places if own}) or [own.span() for own in _MARK.finditer(text)]
    sentences: list[str] = []
    last_before: dict[tuple[int, int], int] = {}
    begin = 0
    for mark in [*marks, (len(text), len(text))]:
        *before, last = _BREAK.split(text[begin : mark[0]])
        for part in before:
            if _POINT.match(part) or part.rstrip().endswith(_ENDS):
                sentences += sentences_of(_POINT.sub("", part))
        # A full stop after the mark before is of the sentence before.
        last = _POINT.sub("", last).strip().lstrip(".,;:) ")
        if re.search(r"\w", last):
            sentences += sentences_of(last) if mark[0] == len(text) else [last]
        last_before[mark] = len(sentences) - 1
        begin = max(begin, mark[1])
    claims = [
        Claim(own.quote, max(last_before[place], 0) if place else -1, own.names)
        for own, place in zip(annotations, places, strict=True)
    ]
    return sentences, claims


def sentences_of(text: str) -> list[str]:
    """The sentences of a text; none where it says nothing."""
    spans = sentence_spans(text, 0, len(text)) if text.strip() else []
    return [text[start:end] for start, end in spans]


def _marked(text: str, own: Annotation, moved: int) -> tuple[int, int] | None:
    """Where the mark of an annotation stands, if that is a mark and not what it is of."""
    if own.start is None or own.end is None:
        return None
    start, end = own.start - moved, own.end - moved
    inside = 0 <= start < end <= len(text)
    return (start, end) if inside and text[start:end].strip()[:1] in "[(【" else None


def quotes_in(sentences: Sequence[str]) -> Iterator[Claim]:
    """The quotes in sentences, of MIN_WORDS or more."""
    # A quote may go over several sentences; it is of the last.
    ends = list(accumulate(len(sentence) + 1 for sentence in sentences))
    for found in _QUOTED.finditer(" ".join(sentences)):
        quote = next(filter(None, found.groups())).strip()
        if _is_quote(quote):
            yield Claim(quote, bisect_left(ends, found.end()))


def _is_quote(text: str) -> bool:
    """Whether a text has enough words to be known again in a document."""
    return len(re.findall(r"\w+", text)) >= MIN_WORDS


def _plain(text: str) -> str:
    return " ".join(text.lower().replace("\u2019", "'").split())


def _short(name: str) -> set[str]:
    """The name of a file, and that without its ending, in small letters."""
    own = name_of(name.rstrip("/")).lower()
    return {own, PurePosixPath(own).stem} - {""}
