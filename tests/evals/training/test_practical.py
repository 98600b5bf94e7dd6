"""Texts and questions that were written to learn from."""

from __future__ import annotations

import pytest

from evals.training.practical import practical_examples, read_practical

TEXT = """# A remark.
D Mill
H Grain
P Rye is ground on Monday. | Wheat is not. | Bring sacks.
1 When can I have my rye done?
0 What does it cost?

P The mill stands still in frost.
1 Do you work when it freezes?
"""


def test_paragraphs_stand_below_their_headings_with_their_questions() -> None:
    [(title, (grain, frost))] = read_practical(TEXT).items()
    assert title == "Mill"
    assert grain.heading == frost.heading == "Grain"
    assert grain.sentences == ("Rye is ground on Monday.", "Wheat is not.", "Bring sacks.")
    assert grain.questions[1] == (0, "What does it cost?")
    assert frost.questions == [(1, "Do you work when it freezes?")]


@pytest.mark.parametrize("line", ["2 What?", "Q What?", "x"])
def test_a_line_that_says_nothing_is_told(line: str) -> None:
    with pytest.raises(ValueError, match="says nothing"):
        read_practical(f"D A\nH B\nP C.\n{line}\n")


def test_what_was_written_is_whole() -> None:
    documents = read_practical()
    paragraphs = [own for written in documents.values() for own in written]
    questions = [question for own in paragraphs for question in own.questions]
    assert len(documents) > 60
    assert len({question for _, question in questions}) > 0.9 * len(questions)
    for own in paragraphs:
        assert own.heading
        assert own.questions
        assert any(answer for answer, _ in own.questions)
        assert all(sentence.rstrip('"').endswith((".", "?", "!")) for sentence in own.sentences)


def test_examples_answer_where_they_say_so() -> None:
    examples = list(practical_examples(1))
    assert examples == list(practical_examples(1))
    assert examples != list(practical_examples(2))
    known = {
        (question.lower().rstrip("?."), own.sentences[answer - 1] if answer else None)
        for written in read_practical().values()
        for own in written
        for answer, question in own.questions
    }
    kinds = {example.kind for example in examples}
    assert len(kinds) == 4
    for example in examples:
        marked = [s for s, m in zip(example.sentences, example.labels, strict=True) if m]
        assert example.answers == len(marked) == (example.kind == "practical")
        for sentence in marked:
            assert (example.question.lower().rstrip("?."), sentence) in known
    assert 0.2 < sum(not example.heading for example in examples) / len(examples) < 0.5
