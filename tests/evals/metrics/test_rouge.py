"""ROUGE, against the example of its article and figures of the package rouge-score 0.1.2."""

from __future__ import annotations

import pytest

from evals.metrics.texts import redundancy, rouge_l, rouge_n

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
