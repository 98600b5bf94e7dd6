"""Sets of claims: the formats, and what is told of malformed ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from evals.datasets.claims import Claim, is_held_out, read_claims
from index.errors import QuestionSetError

TRUE = {"claim": "It rose.", "source": "Rain fell. It rose.", "supported": True}
FALSE = {**TRUE, "claim": "It fell.", "supported": False, "question": "Did it?", "id": "b"}


def write(file: Path, *rows: dict[str, Any]) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return file


def test_claims_with_a_source(tmp_path: Path) -> None:
    found = read_claims(write(tmp_path / "engines" / "claims.jsonl", TRUE, FALSE))
    assert found.name == "engines"
    assert found.claims == (
        Claim("1", "It rose.", "Rain fell. It rose.", True),
        Claim("b", "It fell.", "Rain fell. It rose.", False, "Did it?"),
    )


def test_what_a_page_supports_in_part_is_not_supported(tmp_path: Path) -> None:
    lines = [f"Line  {n}." for n in range(8)]
    labels = ("supported", "partially_supported", "not_supported")
    rows = [{"claim": "It rose.", "evidence": ["", *lines], "label": label} for label in labels]
    found = read_claims(write(tmp_path / "pages.jsonl", *rows))
    assert found.name == "pages"
    assert [claim.supported for claim in found.claims] == [True, False, False]
    assert found.claims[0].evidence.split("\n\n") == [
        "Line 0. Line 1. Line 2. Line 3. Line 4. Line 5.",
        "Line 6. Line 7.",
    ]


def test_inference_data_and_what_of_it_was_not_learned_from(tmp_path: Path) -> None:
    held = [text for n in range(200) if is_held_out(text := f"It rose{'a' * n}.")][:2]
    learned = next(text for n in range(9) if not is_held_out(text := f"It rose{'a' * n}."))
    rows = [
        {"premise": premise, "hypothesis": "It rose.", "label": label, "src": src}
        for premise, label, src in (
            (held[0], "entailment", "fever_a"),
            (held[1], "contradiction", "fever_a"),
            (held[0], "neutral", "snli"),
            (learned, "not_entailment", "fever_a"),
        )
    ]
    file = tmp_path / "nli.jsonl.gz"
    file.write_bytes(gzip.compress(write(tmp_path / "plain.jsonl", *rows).read_bytes()))
    assert [claim.supported for claim in read_claims(file).claims] == [True, False, False, False]
    assert [claim.evidence for claim in read_claims(file, held_out=True).claims] == held


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"claim": "It rose."}, "there is no 'evidence'"),
        ({**TRUE, "claim": " "}, "text is ' '"),
        ({**TRUE, "supported": "yes"}, "supported is 'yes'"),
        ({"claim": "It rose.", "evidence": ["A."], "label": "maybe"}, "label is 'maybe'"),
        ({"claim": "It rose.", "evidence": [3], "label": "supported"}, "evidence.0 is 3"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(QuestionSetError, match=reason) as caught:
        read_claims(write(tmp_path / "set.jsonl", TRUE, FALSE, row))
    assert "set.jsonl:3" in str(caught.value)


def test_a_set_needs_both_verdicts_and_a_file_that_can_be_read(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="both supported and unsupported"):
        read_claims(write(tmp_path / "set.jsonl", TRUE))
    broken = tmp_path / "set.jsonl.gz"
    broken.write_bytes(b"no archive")
    with pytest.raises(QuestionSetError, match="cannot be read"):
        read_claims(broken)
