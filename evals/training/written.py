"""What a checker learns from: sentences as language models write them from passages for people who
ask, and the same made false by one fact. What was asked, and which passage answers it, is for the
encoder and the reading model.

JSON Lines, a sentence a line, as `evals.datasets.claims` reads them: `claim`, `question`, `source`
with `heading`, `lead`, `before` and `after`, `supported`, `error`; besides `document`, which names
the document, and of a false one `instead`, the true sentence that it was made of.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from assistant.query.english import content_stems
from assistant.verification.attribution import HEADINGS, beside, plain, premise_of
from assistant.verification.verifier import plain_claim
from evals.datasets.json_lines import read_objects
from evals.training.examples import LabelledDocument, LabelledParagraph, Pair, nearest
from index.chunking.sentences import sentence_spans

#: Shares of the sentences that come without their question, and of the true ones that are held
#: against another passage of the document, of the nearest few. Not tuned.
UNASKED, ELSEWHERE = 0.3, 0.35
#: What contradicts a passage; a condition or a limit that is left out may do so or not.
CONTRADICTING = {"number": 1, "name": 1, "negation": 1, "other": 1, "order": 1, "addition": 0}
#: The share of the words of two sentences that is the same, from which on one is the other changed.
CHANGED = 0.6
#: Of the words that the sentence of a passage which is nearest to a true claim has in common with
#: it, the share from which on another sentence answers too.
ALIKE = 0.6
_WORD = re.compile(r"\w+|[^\w\s]")


def read_written(path: Path, chance: random.Random) -> Iterator[Pair]:
    """The pairs of a file."""
    rows = [row for _, row in read_objects(path)]
    sources: dict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for row in rows:
        sources[row["document"]].setdefault(row["source"], row)
    for row in rows:
        claim = plain_claim(row["claim"])
        question = "" if chance.random() < UNASKED else row["question"]
        entailed = int(row["supported"])
        contradicted = 0 if entailed else CONTRADICTING.get(row["error"])
        unsaid = () if entailed else _changed(plain_claim(row["instead"]), claim)
        kind = f"written, {row['error'] or 'true'}"
        yield Pair(claim, _premise(row), entailed, kind, False, question, contradicted, unsaid)
        if entailed and chance.random() < ELSEWHERE:
            others = _elsewhere(row, list(sources[row["document"]].values()))
            if others:
                other = _premise(chance.choice(others))
                yield Pair(claim, other, 0, "written, elsewhere", False, question, 0)


def read_asked(path: Path) -> Iterator[LabelledDocument]:
    """The documents of a file, as far as their passages are there, with the questions that these
    answer: by the sentences that have most words of the true claim."""
    paragraphs: dict[str, dict[str, LabelledParagraph]] = defaultdict(dict)
    for _, row in read_objects(path):
        text = plain(row["source"])
        spans = sentence_spans(text, 0, len(text))
        sentences = tuple(text[start:end] for start, end in spans)
        heading = " \u203a ".join(row["heading"][-HEADINGS:])
        known = paragraphs[row["document"]]
        paragraph = known.setdefault(text, LabelledParagraph(heading, sentences))
        if row["supported"]:
            stems = content_stems(row["claim"])
            common = [len(stems & content_stems(sentence)) for sentence in sentences]
            least = max(1, ALIKE * max(common, default=0))
            answering = tuple(n for n, words in enumerate(common, start=1) if words >= least)
            if answering:
                paragraph.questions.append((answering, row["question"]))
    for name, known in paragraphs.items():
        yield LabelledDocument(name, list(known.values()), "written")


def _premise(row: Mapping[str, Any]) -> str:
    """The passage as it is read."""
    text = plain(row["source"])
    before, behind = beside(row["before"], text, row["after"])
    return premise_of([*row["heading"][-HEADINGS:], row["lead"]], before, text, behind)


def _elsewhere(
    row: Mapping[str, Any], others: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Of the other passages of a document, the nearest to a claim in words."""
    read = f"{row['before']} {row['source']} {row['after']}"
    apart = [other for other in others if plain(other["source"])[:40] not in read]
    return nearest(row["claim"], apart, lambda other: str(other["source"]))


def _changed(true: str, false: str) -> tuple[tuple[int, int], ...] | None:
    """The characters of a false sentence that the true one has not, or beside which it has more;
    None where it is worded anew."""
    before, words = list(_WORD.finditer(true)), list(_WORD.finditer(false))
    matcher = SequenceMatcher(
        None, [own[0].lower() for own in before], [own[0].lower() for own in words], False
    )
    if matcher.ratio() < CHANGED:
        return None
    spans = []
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind in ("replace", "insert"):
            spans.append((words[first].start(), words[last - 1].end()))
        elif kind == "delete":
            at = min(first, len(words) - 1)
            spans.append((words[max(0, at - 1)].start(), words[at].end()))
    return tuple(spans)
