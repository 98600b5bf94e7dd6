"""Sets of claims, each with the evidence that it is to be judged by, in the formats they come in.

JSON Lines, also gzipped; each object is one of

    {"claim", "source", "supported"}        AttributionBench (Li et al., arXiv 2402.15089); also
                                            "question" and "id". Where the source is a passage, what
                                            it is read with: "heading" (a list), "lead", "before",
                                            "after"; of a claim made false, "error": by what
    {"claim", "evidence", "label"}          WiCE (Kamoi et al., arXiv 2303.01432): the lines of a
                                            page; what it supports in part counts as not supported
    {"premise", "hypothesis", "label"}      natural language inference: entailment or not
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, StrictBool

from evals.datasets.json_lines import read_objects, validated
from evals.datasets.models import Text
from index.errors import QuestionSetError

#: Lines of a page that make a paragraph, for WiCE gives pages line by line. Not tuned.
WICE_BLOCK = 6
#: The source of inference data whose claims were written by others about what they had read.
FEVER = "fever"


class _Wice(BaseModel):
    claim: Text
    evidence: list[str]
    label: Literal["supported", "partially_supported", "not_supported"]


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence, what it answers if anything, the text it is judged by, and the right verdict.

    Attributes:
        error: by what it was made false, where it was.
        heading, lead, before, after: what the text is read with.
    """

    id: str
    text: Text
    evidence: Text
    supported: StrictBool
    question: str | None = None
    error: str = ""
    heading: tuple[str, ...] = ()
    lead: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """Claims under the name of their file, or of its folder where that is just called `claims`."""

    name: str
    claims: tuple[Claim, ...]


def read_claims(path: Path, held_out: bool = False) -> ClaimSet:
    """Read a set of claims.

    Args:
        path: the file.
        held_out: of inference data, only FEVER's records that the reading model did not learn from
            (see `is_held_out`).

    Raises:
        QuestionSetError: the file cannot be read, or a line has none of the formats.
    """
    stem = path.name.partition(".")[0]
    name = path.resolve().parent.name if stem == "claims" else stem
    claims = []
    for number, data in read_objects(path):
        claim = _claim(f"{path}:{number}", data, str(data.get("id", number)))
        of_fever = str(data.get("src", FEVER)).startswith(FEVER)
        if not held_out or "premise" not in data or (of_fever and is_held_out(claim.evidence)):
            claims.append(claim)
    if not {claim.supported for claim in claims} == {True, False}:
        raise QuestionSetError(f"{path} has to have both supported and unsupported claims.")
    return ClaimSet(name, tuple(claims))


def is_held_out(premise: str) -> bool:
    """Whether the training of the reading model (`evals.training`) leaves out pairs with this
    premise: one in fifty."""
    return sum(premise[:200].encode()) % 50 == 0


def _claim(place: str, data: Mapping[str, Any], identity: str) -> Claim:
    values = {**data, "id": identity}
    if "hypothesis" in data:
        values |= {"text": data["hypothesis"], "evidence": data.get("premise")}
        values["supported"] = data.get("label") == "entailment"
    elif "source" in data:
        values |= {"text": data.get("claim"), "evidence": data["source"]}
    else:
        wice = validated(place, _Wice, data)
        lines = [" ".join(line.split()) for line in wice.evidence if line.strip()]
        blocks = [lines[i : i + WICE_BLOCK] for i in range(0, len(lines), WICE_BLOCK)]
        page = "\n\n".join(" ".join(block) for block in blocks)
        values |= {"text": wice.claim, "evidence": page, "supported": wice.label == "supported"}
    return validated(place, Claim, values)
