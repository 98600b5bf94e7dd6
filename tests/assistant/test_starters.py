"""Questions to begin with: as a person would ask them, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.starters import main_headings, suggestions, topic_of
from index import Document
from index.readers.loader import read_document

#: Articles that hold one part, or more.
HELD = (("Meetings", "\n\nHeld in May."), ("Fees", "\n\nThree.\n\n### Refunds\n\nNone."))


def document(folder: Path, *parts: str, name: str = "guide.md") -> Document:
    (folder / name).write_text("\n\n".join(["# The workshop", *parts, "## Money", "It is free."]))
    return read_document(folder / name)


def asked(folder: Path, *parts: str) -> list[str]:
    """The questions that are made of a document with these parts."""
    return [made.question for made in suggestions([document(folder, *parts)])]


@pytest.mark.parametrize(
    ("heading", "question"),
    [
        ("Q: Can I extend my leave?", "Can I extend my leave?"),
        ("I joined in May. Am I eligible?", "I joined in May. Am I eligible?"),
        ("2. How Do I Reach the Workshop?", "How do I reach the workshop?"),
        ("For whom is the workshop open?",) * 2,
        ("How is salary calculated", "How is salary calculated?"),
        ("Cleaning the filter", "How do I clean the filter?"),
        ("Replacing Your Battery", "How do I replace my battery?"),
        ("Running the saw", "How do I run the saw?"),
        ("Apply for leave", ""),
        ("Applying for leave", "How do I apply for leave?"),
        ("How to reset your password", "How do I reset my password?"),
        ("Reset the password", "How do I reset the password?"),
        # What a stranger would smile at.
        ("Opening hours", ""),
        ("Parking permits", ""),
        ("Why does it stop?", ""),
        ("What else do we do there?", ""),
        ("Need some assistance?", ""),
        ("Really?", ""),
        ("Who does what and how to get help", ""),
        ("Attention!", ""),
        ("Warranty SIF guarantees this model for 24 months from the date of purchase", ""),
        ("Head | Body | Legs", ""),
        ("Maternity leave:", ""),
        ("NN-E28JBM", ""),
        ("Contents", ""),
    ],
)
def test_a_heading_makes_a_question_that_a_person_would_ask(
    heading: str, question: str, tmp_path: Path
) -> None:
    text = (
        "Whoever wants to clean a filter, replace a battery, run a saw or reset a password in the "
        "workshop reads on, and can reset it. Some apply for leave by letter. How do they reach it?"
    )
    assert asked(tmp_path, f"## {heading}", text) == [question][: bool(question)]


def test_what_a_document_defines_is_asked_for(tmp_path: Path) -> None:
    found = asked(
        tmp_path,
        "## Words",
        "A glue pot is a vessel in which hide glue is kept warm over a flame. No glue pot is left.",
        "\u201cMember\u201d means a person who has paid for the year and has signed the rules.",
        "The glue pot is the pride of every member. It is a good thing to have, says a member.",
        "A saw is a tool with teeth, of which there is only one in here.",
    )
    assert found == ["What is a glue pot?", "What does \u201cmember\u201d mean?"]


def test_a_heading_that_comes_again_makes_no_question(tmp_path: Path) -> None:
    parts = [f"## {name}\n\n### Who may use it, and when?\n\nAll." for name in ("Saws", "Drills")]
    assert asked(tmp_path, *(part.replace("use it", "take part") for part in parts)) == []


def test_the_main_headings_are_the_longest_of_the_first_level_with_several(tmp_path: Path) -> None:
    text = "It is said at length. " * 9
    parts = [f"## {number}. Part {name}\n\n{text}" for number, name in enumerate("abcdefg", 1)]
    read = document(tmp_path, *parts, "### Below", text, "## Attention!", text, "## Contents", text)
    names = [title for title, _ in main_headings(read, 6)]
    assert names == ["Part a", "Part b", "Part c", "Part d", "Part e", "Part g"]
    for title, number in main_headings(read, 6):
        paragraph = read.paragraphs[number - 1]
        assert topic_of(paragraph.heading[1]) == title
        assert number == 1 or read.paragraphs[number - 2].heading[:2] != paragraph.heading[:2]
    held = document(tmp_path, *(f"## Article {name}\n\n### {name}{text}" for name, text in HELD))
    assert [title for title, _ in main_headings(held, 6)] == ["Meetings", "Article Fees", "Money"]
    flat = tmp_path / "flat.txt"
    flat.write_text("It is said without a heading.\n")
    assert main_headings(read_document(flat), 6) == []
