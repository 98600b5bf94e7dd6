"""Texts, questions and claims that were written to learn from."""

from __future__ import annotations

import pytest

from evals.training.authored import read_authored

#: What may stand behind a full stop.
ENDS = "\"')\u201d\u2019"
TEXT = """# A remark.
D Mill
H Grain
P Rye is ground on Monday. | Wheat is not. | Bring sacks.
1 When can I have my rye done?
1,3 What do I bring, and when?
0 What does it cost?
+ Rye has its day.
- Wheat has its day.

P The mill stands still in frost.
1 Do you work when it freezes?
"""


def test_paragraphs_stand_below_their_headings_with_their_questions() -> None:
    [document] = read_authored(TEXT)
    grain, frost = document.paragraphs
    assert document.title == "Mill"
    assert grain.heading == frost.heading == "Grain"
    assert grain.sentences == ("Rye is ground on Monday.", "Wheat is not.", "Bring sacks.")
    assert grain.questions[1] == ((1, 3), "What do I bring, and when?")
    assert grain.questions[2] == ((), "What does it cost?")
    assert grain.claims == [(True, "Rye has its day."), (False, "Wheat has its day.")]
    assert frost.questions == [((1,), "Do you work when it freezes?")]


@pytest.mark.parametrize(
    "text",
    [
        "P Before any document. | Two.",
        *(
            f"D A\nH B\nP C.\n{line}"
            for line in ("2 What?", "0,1 What?", "1, What?", "Q What?", "x")
        ),
    ],
)
def test_a_line_that_says_nothing_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        read_authored(text)


def test_what_was_written_is_whole() -> None:
    for own in (own for document in read_authored() for own in document.paragraphs):
        assert own.heading
        assert any(answers for answers, _ in own.questions)
        assert all(sentence.rstrip(ENDS).endswith((".", "?", "!")) for sentence in own.sentences)
