"""Fitting what tells kinds of questions apart."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest
from helpers import CheapEncoder
from scripts import run_script

from assistant.query.kinds import load_kinds
from evals.fitting import kinds as fitting
from evals.fitting.kinds import fit_kinds, main
from index.encoder import Encoder

FORMS = [
    {"topics": ["bees", "tax law", "the moon"]},
    *({"kind": "overview", "question": f"{verb} {{topic}}."} for verb in ("Summarize", "Sum up")),
    {"kind": "overview", "question": "Give me a summary of the text."},
    {"kind": "courtesy", "question": "hello"},
    {"kind": "courtesy", "question": "thank you"},
]
FACTS = ["When did the war end?", "Who wrote the play?", "How many bees are in a hive?"]


def test_what_was_fitted_tells_questions_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forms, facts, file = (tmp_path / name for name in ("f.jsonl", "facts.jsonl.gz", "kinds.json"))
    forms.write_text("".join(json.dumps(own) + "\n" for own in FORMS), encoding="utf-8")
    with gzip.open(facts, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps({"question": question}) + "\n" for question in FACTS)
    monkeypatch.setattr(fitting, "FORMS", forms)
    command = (facts, "--output", file)
    told = re.findall(r"(\w+): (\S+) of the forms that were left out", run_script(main, *command))
    assert {kind for kind, _ in told} == {"overview", "courtesy", "fact"}
    assert all(0 <= float(share) <= 1 for _, share in told)
    encoder = Encoder()
    kinds = load_kinds(encoder.fingerprint, file)
    for question, kind in (
        ("Summarize the chapter on tax law.", "overview"),
        ("When did the play end?", "fact"),
        ("hello", "courtesy"),
    ):
        assert kinds.kind(encoder.encode_query(question)) == kind
    assert kinds.named("Give me a summary of tax law.") == "tax law"
    # The same again gives the same, beside what there is of another encoder.
    before = json.loads(file.read_text(encoding="utf-8"))
    before["encoders"]["other"] = {}
    file.write_text(json.dumps(before), encoding="utf-8")
    run_script(main, *command)
    assert json.loads(file.read_text(encoding="utf-8")) == before


def test_a_form_counts_once_whatever_is_put_into_it() -> None:
    topics, *forms = FORMS
    known = [(str(own["kind"]), str(own["question"])) for own in forms]
    _, told = fit_kinds(known, list(topics["topics"]), FACTS, CheapEncoder())
    assert told["fact"] in [pytest.approx(n / 3) for n in range(4)]
    assert told["courtesy"] in (0.0, 0.5, 1.0)
