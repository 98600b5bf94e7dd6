"""Fitting the verifier: on claims with their evidence, by halves and left out; sentences made false
by script."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from scripts import run_script

from assistant import Assistant
from assistant.verification.checker import shipped_checker
from evals.datasets.claims import Claim
from evals.fitting.verifier import (
    CAUGHT,
    ENTAILMENT_FEATURES,
    KINDS,
    LEXICAL_FEATURES,
    Statement,
    changes,
    claim_statements,
    cross_validated,
    figures,
    fit_rule,
    half,
    judged,
    main,
    perturb,
    words_of,
)

YEARS = range(1931, 1943)


def claims(of: str) -> list[Claim]:
    """True ones and others about the same evidence."""
    found = []
    for year in YEARS:
        source = f"The mill of {of} burned down in {year}. It was rebuilt by Petrov. Rain fell."
        told = f"In {year} the mill of {of} burned down."
        other = f"The mill of {of} was sold to Larsen by its owners."
        found += [
            Claim(f"{of}-{year}", told, source, True),
            Claim(f"{of}-{year}-no", other, source, False),
        ]
    return found


@pytest.fixture(scope="module")
def statements(assistant: Assistant) -> list[Statement]:
    entailer = shipped_checker()
    words = words_of(claim.text for of in ("Lund", "Bergen") for claim in claims(of))
    return [
        statement
        for of in ("Lund", "Bergen")
        for claim in claims(of)
        for statement in claim_statements(of, claim, words, assistant.index.encoder, entailer)
    ]


def test_true_claims_are_also_made_false(statements: list[Statement]) -> None:
    assert {own.kind for own in statements} >= {"found", "name", "number"}
    assert all(not own.supported for own in statements if own.kind != "found")
    [number] = {own.features.checked["numbers"] for own in statements if own.kind == "number"}
    assert number == 1


@pytest.mark.parametrize("written", [True, False])
def test_what_its_question_tells_only_a_written_claim_may_say(
    assistant: Assistant, written: bool
) -> None:
    """As `Verifier.judge` and `Verifier.prove` have it."""
    source = "The mill at Lund was burnt by lightning and built again."
    claim = Claim("l", "The mill was burnt in 1871.", source, True, "What befell the mill in 1871?")
    encoder = assistant.index.encoder
    found = next(claim_statements("Lund", claim, words_of([]), encoder, None, written))
    assert found.features.checked["numbers"] == (not written)


@pytest.mark.parametrize("names", [ENTAILMENT_FEATURES, LEXICAL_FEATURES])
def test_a_rule_is_fitted_and_its_threshold_catches_enough(
    statements: list[Statement], names: tuple[str, ...]
) -> None:
    rule = fit_rule(statements, names)
    assert set(rule.claim.weights) == set(names)
    assert rule.claim.weights["numbers"] < 0
    shown = [
        figures(judged([own for own in statements if own.of == of], rule))
        for of in ("Lund", "Bergen")
    ]
    for own in shown:
        assert own["caught"].value is not None and own["caught"].value >= CAUGHT - 0.2
        assert own["number caught"].n == len(YEARS)
    caught = [own["caught"].value or 0 for own in shown]
    assert sum(caught) / len(caught) >= CAUGHT


def test_nothing_is_shown_of_what_it_was_fitted_on(statements: list[Statement]) -> None:
    lund = [own for own in statements if own.of == "Lund"]
    for own, part in ((statements, "of"), (lund, "half")):
        found = cross_validated(own, ENTAILMENT_FEATURES)
        assert len(found) == len(own)
        first = getattr(own[0], part)
        rule = fit_rule(
            [other for other in own if getattr(other, part) != first], ENTAILMENT_FEATURES
        )
        inside = [other for other in own if getattr(other, part) == first]
        assert [row for row in found if getattr(row[0], part) == first] == judged(inside, rule)
    assert {half(claim) for claim in claims("Lund")} == {True, False}


def test_the_rules_of_the_models_in_use_are_written_and_measured(tmp_path: Path) -> None:
    sets = []
    for of in ("Lund", "Bergen"):
        rows = [
            {"claim": c.text, "question": "", "source": c.evidence, "supported": c.supported}
            for c in claims(of)
        ]
        sets.append(tmp_path / f"{of}.jsonl")
        sets[-1].write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    file = tmp_path / "verifier.json"
    file.write_text(json.dumps({"models": {"other": {}}}))
    told = run_script(main, *sets, "--output", file)
    model = shipped_checker().fingerprint
    written = json.loads(file.read_text())["models"]
    assert set(written) == {"other", model, "none"}
    assert set(written["none"]["claim"]["weights"]) == set(LEXICAL_FEATURES)
    value, low, high = written[model]["provenance"]["left out"]["Lund"]["kept"]
    assert low <= value <= high
    assert (
        f"Lund, model {model}, left out:\n  {value:.3f} ({low:.3f} to {high:.3f}) of 12: kept"
        in told
    )
    # What ships is measured by itself.
    told = run_script(main, sets[0])
    assert f"Lund, model {model}, as shipped:" in told
    assert "Lund, model none, as shipped:" in told


TEXTS = (
    "In 1934 the mill of Zaragoza burned. The people of Zaragoza [12] rebuilt it for 7 years.",
    "Only Oslo is named, and once, in 2011.",
)
CLAIM = "In 2011 the harvest that Petrov sold to Larsen was not large [3]."
WORDS = words_of(TEXTS)


def test_words_are_the_names_and_numbers_of_texts() -> None:
    assert WORDS == (["Zaragoza"], ["1934", "2011", "7"])


def test_each_kind_of_change_is_made_with_words_of_other_texts() -> None:
    words = (["Oslo", "Petrograd", "Zaragoza"], ["1934", "2007", "2011", "7"])
    evidence = f"{CLAIM} Oslo said so."
    by_kind = {
        kind: {
            CLAIM[:start] + new + CLAIM[end:]
            for start, end, new in changes(kind, CLAIM, evidence, words, random.Random(0))
        }
        for kind in KINDS
    }
    # Neither Oslo, which the evidence has, nor what begins as its names do.
    assert by_kind["name"] == {
        CLAIM.replace("Petrov", "Zaragoza"),
        CLAIM.replace("Larsen", "Zaragoza"),
    }
    assert by_kind["number"] == {CLAIM.replace("2011", "2007")}  # of the same century, no marker
    assert by_kind["order"] == {"In 2011 the harvest that Larsen sold to Petrov was not large [3]."}
    assert by_kind["negation"] == {CLAIM.replace("was not", "was")}
    found = list(perturb(CLAIM, evidence, words))
    assert found == list(perturb(CLAIM, evidence, words))
    assert all(text in by_kind[kind] for kind, text in found)
    assert [kind for kind, _ in found] == list(KINDS)


def test_what_is_said_of_both_is_not_exchanged() -> None:
    assert "order" not in dict(perturb("There Petrov and, he said, Larsen met.", "", WORDS))
