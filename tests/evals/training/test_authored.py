"""Texts, questions and claims that were written to learn from."""

from __future__ import annotations

import pytest

from evals.training.authored import KIND, authored_examples, read_authored
from evals.training.examples import Pair, Passage

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
    [(title, (grain, frost))] = read_authored(TEXT)
    assert title == "Mill"
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
    for own in (own for _, written in read_authored() for own in written):
        assert own.heading
        assert any(answers for answers, _ in own.questions)
        assert all(sentence.rstrip(ENDS).endswith((".", "?", "!")) for sentence in own.sentences)


def test_examples_answer_where_they_say_so() -> None:
    examples = list(authored_examples(1))
    assert examples == list(authored_examples(1))
    assert examples != list(authored_examples(2))
    paragraphs = [own for _, written in read_authored() for own in written]
    known = {
        (question.lower().rstrip("?."), tuple(own.sentences[number - 1] for number in answers))
        for own in paragraphs
        for answers, question in own.questions
    }
    passages = [example for example in examples if isinstance(example, Passage)]
    assert len({example.kind for example in passages}) == 4
    for example in passages:
        marked = tuple(s for s, m in zip(example.sentences, example.labels, strict=True) if m)
        assert example.answers == bool(marked) == (example.kind == KIND)
        assert not marked or (example.question.lower().rstrip("?."), marked) in known


def test_claims_are_entailed_where_their_paragraph_supports_them() -> None:
    written = {
        claim: (true, own.text)
        for _, paragraphs in read_authored()
        for own in paragraphs
        for true, claim in own.claims
    }
    pairs = [example for example in authored_examples(1) if isinstance(example, Pair)]
    for pair in pairs:
        true, own = written[pair.claim]
        assert pair.entailed == (true and own in pair.premise)
