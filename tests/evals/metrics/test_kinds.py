"""Figures of overviews and lists, worked by hand; ROUGE, against the example of its article and
figures of the package rouge-score 0.1.2."""

from __future__ import annotations

import pytest
from question_sets import made_record

from assistant.calibration import Status
from evals.datasets.gold import Gold, TextSpan
from evals.metrics.metrics import GROUPS, all_figures
from evals.metrics.statistics import Figure
from evals.metrics.texts import redundancy, rouge_l, rouge_n
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


GUNMAN = "police killed the gunman"
LAZY = "The quick brown fox jumps over the lazy dog."
TIES = "In 2022, Russia's threats - and China's - grew; alliances tightened."


@pytest.mark.parametrize(
    ("text", "reference", "one", "two", "longest"),
    [
        # Lin 2004, section 3.1: ROUGE-L tells apart what ROUGE-2 does not.
        ("police kill the gunman", GUNMAN, 0.75, 1 / 3, 0.75),
        ("the gunman kill police", GUNMAN, 0.75, 1 / 3, 0.5),
        # By rouge-score, without stemming.
        ("The quick brown dog jumps on the log.", LAZY, 0.705882, 0.266667, 0.588235),
        (
            "Alliances tightened in 2022 as the threats of Russia and China grew, and grew.",
            TIES,
            0.72,
            0.26087,
            0.48,
        ),
        ("a b", "c d", 0, 0, 0),
        ("", GUNMAN, 0, 0, 0),
        ("gunman", "gunman", 1, 0, 1),  # one word has no run of two
    ],
)
def test_rouge(text: str, reference: str, one: float, two: float, longest: float) -> None:
    found = (rouge_n(text, reference, 1), rouge_n(text, reference, 2), rouge_l(text, reference))
    assert found == pytest.approx((one, two, longest), abs=1e-6)


def test_words_of_any_script_count() -> None:
    assert rouge_n("Ставка выросла", "ставка ВЫРОСЛА!", 2) == 1.0


def test_redundancy_is_the_mean_of_every_two_sentences() -> None:
    same, near, other = "A mill burned.", "A mill stood.", "Rain fell."
    # same and near share "a mill": 2 * 2 / 6; other shares nothing with either.
    assert redundancy([same, near, other]) == pytest.approx((2 / 3 + 0 + 0) / 3)
    assert redundancy([same, same]) == 1.0
    assert redundancy([same]) is None
