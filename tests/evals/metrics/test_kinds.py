"""Figures of overviews and lists, worked by hand."""

from __future__ import annotations

import pytest
from question_sets import made_record

from assistant.calibration import Status
from evals.datasets.gold import Gold, TextSpan
from evals.metrics.metrics import GROUPS, all_figures
from evals.metrics.statistics import Figure
from evals.reporting.tables import present
from evals.running.records import Cited, Record

ONE, TWO = TextSpan("d", 0, 10), TextSpan("d", 20, 30)
KINDS = {*GROUPS["Overviews"], *GROUPS["Lists"]}


def record(kind: str, status: Status = "answered", **given: object) -> Record:
    more = {"sentences": ("A mill burned.", "A mill stood."), **given}
    cited = (Cited("d", 0, 10, True),)
    found = {"gold": Gold(((ONE,), (TWO,)), (), (), True), "citations": cited, **more}
    return made_record(kind=kind, status=status, **found)


def test_overviews_worked_by_hand() -> None:
    records = [
        record(
            "document",
            answer_kind="overview",
            sections=(True, False, False, True),
            abstract="A mill burned down.",
        ),
        # Not several sections, and one sentence: nothing to cover, nothing to repeat.
        record("section", answer_kind="overview", sentences=("A mill burned.",)),
        # What is shown where it is unsure is no answer.
        record("overview", "unsure", sections=(True, True), abstract="Mills burn."),
        record("fact", abstract="None is asked for."),
    ]
    found = all_figures(records)
    assert found["overview_given"].value == pytest.approx(2 / 3)
    assert (found["section_coverage"].value, found["section_coverage"].n) == ((2 / 4 + 0) / 2, 2)
    assert found["redundancy"].value == pytest.approx(2 / 3)
    assert found["redundancy"].n == 1
    # "a mill burned a mill stood" and "a mill burned down": 3 of 6 and 4 words, 2 of 5 and 3 pairs.
    assert found["rouge1"].value == pytest.approx((2 * 3 / 10 + 0) / 2)
    assert found["rouge2"].value == pytest.approx((2 * 2 / 8 + 0) / 2)
    assert found["rougeL"].value == pytest.approx((2 * 3 / 10 + 0) / 2)
    assert found["rouge1"].n == 2
    # The key sentences that an overview has are the evidence that is cited.
    assert found["citation_recall_mean"].value == pytest.approx((1 / 2 + 1 / 2 + 0 + 1 / 2) / 4)


def test_lists_worked_by_hand() -> None:
    some, few = (True, False, True, False), (True, False)
    records = [
        record("list", items=some, listed=few),
        record("other number", items=(True,) * 4, listed=(True,) * 4),
        record("list", "refused", items=(False,) * 4, sentences=(), citations=()),
        record("list", "unsure", items=(True,) * 4, listed=(True,)),
    ]
    found = all_figures(records)
    assert (found["item_recall"].value, found["item_recall"].n) == ((1 / 2 + 1 + 0 + 0) / 4, 4)
    assert (found["item_precision"].value, found["item_precision"].n) == ((1 / 2 + 1) / 2, 2)


def test_only_sets_that_ask_for_them_have_such_figures() -> None:
    facts = all_figures([record("fact"), record("list", gold=Gold(((ONE,),), (), (), True))])
    assert not KINDS & facts.keys()
    assert not {"Overviews", "Lists"} & present(facts).keys()
    overviews = all_figures([record("section", "refused", sentences=(), citations=())])
    assert KINDS & overviews.keys() == {"overview_given", "section_coverage", "redundancy"}
    assert overviews["redundancy"] == Figure(None, 0)
    assert present(overviews)["Overviews"].keys() == KINDS & overviews.keys()
    unanswerable = all_figures([record("document", answerable=False)])
    assert not KINDS & unanswerable.keys()


@pytest.mark.parametrize("k", [3, 5, 10])
def test_recall_is_shown_at_5_and_at_k(k: int) -> None:
    shown = present(all_figures([record("fact")], k))["Retrieval"]
    assert [name for name in shown if "recall" in name] == list(
        dict.fromkeys(["recall@5", f"recall@{k}"])
    )
