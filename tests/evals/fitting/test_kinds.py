"""Fitting what tells kinds of questions apart."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from helpers import CheapEncoder, footnote

from assistant.query.kinds import load_kinds
from evals.fitting import kinds as fitting
from index.encoder import Encoder
from index.errors import QuestionSetError

FORMS = [
    {"topics": ["bees", "tax law", "the moon"]},
    *({"kind": "overview", "question": f"{verb} {{topic}}."} for verb in ("Summarize", "Sum up")),
    {"kind": "overview", "question": "Give me a summary of the text."},
    {"kind": "courtesy", "question": "hello"},
    {"kind": "courtesy", "question": "thank you"},
]
FACTS = ["When did the war end?", "Who wrote the play?", "How many bees are in a hive?"]


@pytest.fixture
def forms(tmp_path: Path) -> Path:
    file = tmp_path / "forms.jsonl"
    file.write_text("".join(json.dumps(own) + "\n" for own in FORMS), encoding="utf-8")
    return file


def test_what_was_fitted_tells_questions_apart(forms: Path, tmp_path: Path) -> None:
    facts, file = tmp_path / "facts.jsonl.gz", tmp_path / "kinds.json"
    with gzip.open(facts, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"question": question}) + "\n" for question in FACTS)
    command = ("eval", "kinds", facts, "--forms", forms, "--output", file)
    done = footnote(*command)
    told = re.findall(r"(\w+): (\S+) of the forms that were left out", done.stdout)
    assert {kind for kind, _ in told} == {"overview", "courtesy", "fact"}
    assert all(0 <= float(share) <= 1 for _, share in told)
    assert f"Written to {file}." in " ".join(done.stderr.split())
    encoder = Encoder()
    kinds = load_kinds(encoder.fingerprint, file)
    for question, kind in (
        ("Summarize the chapter on tax law.", "overview"),
        ("When did the play end?", "fact"),
        ("hello", "courtesy"),
    ):
        assert kinds.kind(encoder.encode_query(question)) == kind
    assert kinds.named("Give me a summary of tax law.") == "tax law"
    # The same again gives the same, and another encoder has its place beside it.
    before = file.read_text(encoding="utf-8")
    footnote(*command)
    assert file.read_text(encoding="utf-8") == before
    fitting.write_kinds("other", {}, {}, file)
    known = json.loads(file.read_text(encoding="utf-8"))["encoders"]
    assert known.keys() == {encoder.fingerprint, "other"}


def test_a_form_counts_once_whatever_is_put_into_it(forms: Path) -> None:
    _, told = fitting.fit_kinds(fitting.read_forms(forms), FACTS, CheapEncoder())
    assert told["fact"] in [n / 3 for n in range(4)]
    assert told["courtesy"] in (0.0, 0.5, 1.0)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("nonsense", "forms.jsonl:1"),
        ('{"kind": "overview"}', "forms.jsonl:1"),
        ('{"kind": "overview", "question": "Summarize it."}', "a line of topics"),
    ],
)
def test_malformed_forms_are_told(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "forms.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(QuestionSetError, match=reason):
        fitting.read_forms(file)
    facts = tmp_path / "facts.jsonl"
    facts.write_text('{"answer": 1}\n', encoding="utf-8")
    with pytest.raises(QuestionSetError, match=r"facts.jsonl:1"):
        fitting.read_facts([facts])
