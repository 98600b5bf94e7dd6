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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from assistant.answer import LEADS, name_of
from assistant.calibration import Status
from assistant.documents import read_all
from evals.datasets.gold import Gold, GoldFinder, TextSpan, places_of
from evals.datasets.models import Question, QuestionSet
from evals.running.at_once import OnWait
from evals.running.coverage import record_of
from evals.running.endpoint import Endpoint, EndpointClient, NoReplyError, Reply
from evals.running.history import asked_with
from evals.running.provenance import code_fingerprint
from evals.running.records import DEPTH, FAILED, Cited, Proof, Record
from evals.running.replies import (
    Claim,
    declines,
    is_quote,
    parted,
    parts_of,
    quotes_in,
    sentences_of,
)
from evals.running.runner import SetRun, Step, record_set, with_documents
from index import Document
from index.about import VERSION

#: What parts the cells of a row: between them a search would look far, and the words will do.
_CELLS = re.compile(r"\||</?t[dhr]\b[^<>]*>")


def ask_endpoint(
    client: EndpointClient,
    endpoint: Endpoint,
    questions: QuestionSet,
    sources: Sequence[Path],
    folder: Path,
    *,
    refusals: Sequence[str] = (),
    limit: int | None = None,
    at_once: int = 1,
    asking: Step = lambda _done, _total: None,
    on_wait: OnWait = lambda _begun: None,
) -> SetRun:
    """Ask the questions of a set of another system, going on where an interrupted run of the same
    was.

    Args:
        client: asks it.
        endpoint: where it is, and how it is asked.
        questions: the set.
        sources: files and folders that it is asked of, where the set has no documents.
        folder: what was asked so far is kept in it.
        refusals: see `ReplyReader`.
        limit, at_once, asking, on_wait: see `evals.running.runner.ask_set`.

    Raises:
        QuestionSetError: evidence is in none of the documents.
        DocumentError: a document cannot be read.
        SettingsError: see `EndpointClient.ask`.
    """
    documents = questions.documents or tuple(read_all(sources))
    questions = with_documents(questions, documents)
    alone = sum(bool(question.document) for question in questions.questions)
    if alone:
        note = f"{alone} questions are of one document, and were asked of all that it has."
        questions = replace(questions, notes=(*questions.notes, note))
    finder = GoldFinder(questions, documents)
    reader = ReplyReader(client, finder, refusals)
    made: dict[str, Any] = {
        "versions": {"footnote": VERSION, "python": platform.python_version()},
        "settings": {
            **endpoint.to_dict(),
            "refusals": list(refusals),
            "k": DEPTH,
            "history": "kept",
        },
        "fingerprints": {"code": code_fingerprint()},
    }
    return record_set(
        questions,
        finder,
        reader.ask,
        made,
        folder,
        limit=limit,
        at_once=at_once,
        asking=asking,
        on_wait=on_wait,
    )


class ReplyReader:
    """Has the questions of a set answered by another system, and records what comes of it.

    Args:
        client: asks it.
        finder: of the set's gold in its documents.
        refusals: what a first sentence says that is a refusal, besides `REFUSALS`.
    """

    def __init__(
        self, client: EndpointClient, finder: GoldFinder, refusals: Sequence[str] = ()
    ) -> None:
        self._client, self._finder = client, finder
        self._documents = finder.documents
        self._refusals = tuple(refusals)
        self._named: dict[str, list[Document]] = {}
        for document in finder.documents.values():
            for key in {document.id, document.title.lower(), *_short(document.source)}:
                self._named.setdefault(key, []).append(document)

    def ask(self, question: Question, gold: Gold) -> Record:
        """The record of one question. One that gets no reply has the status FAILED, and why.

        Raises:
            SettingsError: see `EndpointClient.ask`.
        """
        text, history = asked_with(question, "kept")
        try:
            reply = self._client.ask(text, history)
        except NoReplyError as error:
            return self._record(question, gold, Reply(""), note=str(error))
        return self._record(question, gold, reply)

    def _record(
        self, question: Question, gold: Gold, reply: Reply, note: str | None = None
    ) -> Record:
        lead = LEADS["unsure"]
        unsure = reply.text.startswith(lead)
        text = reply.text.removeprefix(lead) if unsure else reply.text
        sentences, annotated = parted(text, reply.annotations, len(lead) if unsure else 0)
        found = self._citations(sentences, annotated, gold)
        # What is cited twice is one citation of two sentences.
        cited = tuple(dict.fromkeys(place for _, place in found))
        valid = any(own.valid for own in cited)
        status: Status = "answered"
        if unsure:
            status = "unsure"
        elif reply.refusal or not valid or declines(sentences, self._refusals):
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
        record = record_of(
            question,
            gold,
            self._finder,
            status=FAILED if note else status,
            sentences=sentences,
            proofs=[Proof("quoted" if own else "unsupported", own) for own in by_sentence],
            cited=cited,
        )
        return replace(
            record,
            note=note,
            timings_ms={} if note else {"total": round(reply.ms, 3)},
            passages=tuple(self._paragraphs(cited)) if unsure else (),
        )

    def _citations(
        self, sentences: Sequence[str], annotated: Sequence[Claim], gold: Gold
    ) -> list[tuple[Claim, Cited]]:
        """What is cited, with where it stands."""
        found = list(self._placed(annotated, gold)) or list(
            self._placed(quotes_in(sentences), gold)
        )
        if found:
            return found
        whole = (
            Claim(part, at)
            for at, own in enumerate(sentences)
            for part in sentences_of(own)
            if is_quote(part)
        )
        return [(own, place) for own, place in self._placed(whole, gold) if place.valid]

    def _placed(self, claims: Iterable[Claim], gold: Gold) -> Iterator[tuple[Claim, Cited]]:
        """Claims with where they stand, without those that neither quote nor name a passage; one
        that stands nowhere in parts, where an ellipsis parts it."""
        for claim in claims:
            place = self._place(claim, gold)
            parts = parts_of(claim) if place and not place.valid else []
            if len(parts) > 1:
                yield from self._placed(parts, gold)
            elif place:
                yield claim, place

    def _place(self, claim: Claim, gold: Gold) -> Cited | None:
        """Where a claim's words stand, with evidence rather than elsewhere; None where it has
        none, and names no passage."""
        named = list(self._documents_named(claim.names))
        if not claim.quote:
            places = [
                TextSpan(own.id, 0, len(own.text)) for own in named if self._finder.by_passage
            ]
            if not places:
                return None
        else:
            quote = _CELLS.sub(" ", claim.quote)
            places = places_of(quote, named) or places_of(quote, self._documents.values())
        gold_spans = [*gold.spans, *gold.also_supports]
        best = next((own for own in places if own.overlaps_any(gold_spans)), None)
        best = best or next(iter(places), None)
        if best is None:
            return Cited("", 0, 0, False, claim.quote)
        return Cited(
            best.document, best.start, best.end, True, claim.quote or self._finder.text(best)
        )

    def _documents_named(self, names: Iterable[str]) -> Iterator[Document]:
        seen = set()
        for name in names:
            for key in (name, name.partition(" › ")[0].lower(), *_short(name)):
                for document in self._named.get(key, ()):
                    if document.id not in seen:
                        seen.add(document.id)
                        yield document

    def _paragraphs(self, cited: Iterable[TextSpan]) -> Iterator[TextSpan]:
        """The paragraphs that citations are of, each once."""
        seen = set()
        for own in cited:
            for paragraph in self._documents[own.document].paragraphs if own.document else ():
                span = TextSpan(own.document, paragraph.start, paragraph.end)
                if span.overlaps(own) and span not in seen:
                    seen.add(span)
                    yield span


def _short(name: str) -> set[str]:
    """The name of a file, and that without its ending, in small letters."""
    own = name_of(name.rstrip("/")).lower()
    return {own, PurePosixPath(own).stem} - {""}
