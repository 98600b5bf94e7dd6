"""What the reading model learns from: every kind of example says what its name says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from training_data import write_data

from evals.training.authored import KIND
from evals.training.examples import MASKED, Pair, Passage, read_examples
from evals.training.making import MOST_OF_KIND, _turned, make, read_sections

PAGE = """<html><head><title>Help</title></head><body><nav><h2>Where am I now?</h2></nav>
<h1>1.2. How do I clean the copper kettle?</h1>
<p>Fill it with water and a spoon of citric acid, and let it boil once. Rinse it twice.</p>
<pre>rinse --twice</pre>
<h2>Cleaning the brass lamp</h2>
<p>Brass does not like acid at all, so use a soft cloth and a little oil on it, nothing more.</p>
<h2>Cleaning the old spoon</h2><p>Short.</p></body></html>"""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Passage | Pair]:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    docs = folder / "docs"
    docs.mkdir()
    for number in range(30):
        page = PAGE.replace("copper", f"copper{number}").replace("brass", f"brass{number}")
        (docs / f"{number:02}.html").write_text(page, encoding="utf-8")
    make(folder, folder / "one.jsonl.gz", docs=[docs])
    make(folder, folder / "two.jsonl.gz", docs=[docs])
    one, two = (list(read_examples(folder / f"{name}.jsonl.gz")) for name in ("one", "two"))
    assert one == two
    return one


def of_kind(examples: list[Passage | Pair], kind: str) -> list[Any]:
    found = [example for example in examples if example.kind == kind]
    assert found, kind
    return found


def test_a_question_has_the_sentence_that_answers_or_none_does(examples: list[Any]) -> None:
    for passage in of_kind(examples, "asked"):
        marked = [s for s, m in zip(passage.sentences, passage.labels, strict=True) if m == 1]
        assert passage.answers == 1
        assert "It was opened by Mayor" in marked[0]
    for kind in ("unanswerable", "removed", "similar", "exchanged"):
        for passage in of_kind(examples, kind):
            assert passage.answers == 0
            assert not any(passage.labels)
    for passage in of_kind(examples, "removed"):
        assert not any("was opened" in sentence for sentence in passage.sentences)
    for passage in of_kind(examples, "exchanged"):
        town = passage.question.split()[-2]
        assert not any(f"Mayor {town}" in sentence for sentence in passage.sentences)


def test_some_passages_have_the_title_of_their_text_above_them(examples: list[Any]) -> None:
    passages = [
        example
        for example in examples
        if isinstance(example, Passage) and not example.kind.startswith(KIND)
    ]
    headed = [passage for passage in passages if passage.heading]
    assert 0 < len(headed) < len(passages) / 2
    for passage in headed:
        town = passage.heading.removesuffix(".")
        assert not any("museum of" in s and town not in s for s in passage.sentences)


def test_claims_are_changed_where_they_are_said_to_be(examples: list[Any]) -> None:
    for pair in of_kind(examples, "sentence"):
        assert pair.entailed == 1
        assert pair.claim in pair.premise
    for pair in of_kind(examples, "sentence changed"):
        assert pair.entailed == 0
        assert pair.claim not in pair.premise
    for pair in of_kind(examples, "claims joined"):
        assert ", and " in pair.claim
    said = {(p.premise, p.claim): p.entailed for p in of_kind(examples, "claimed")}
    for pair in of_kind(examples, "among others"):
        inside = [own for (premise, claim), own in said.items() if claim == pair.claim]
        assert pair.entailed in inside
        assert any(premise in pair.premise for premise, claim in said if claim == pair.claim)


def test_dates_are_turned_round() -> None:
    for one, other in (
        ("It opened on 2 May 1957.", "It opened on May 2, 1957."),
        ("From 3 June on it was shut.", "From June 3 on it was shut."),
    ):
        assert _turned(one) == other
        assert _turned(other) == one
    assert _turned("In May 1957 it opened.") == "In May 1957 it opened."


def test_balanced_examples_have_fewest_words_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_data(tmp_path)
    monkeypatch.setitem(MOST_OF_KIND, "asked", 3)
    make(tmp_path, tmp_path / "out.jsonl.gz", balanced=True)
    asked = [e for e in read_examples(tmp_path / "out.jsonl.gz") if e.kind == "asked"]
    assert len([e for e in asked if not e.held_out]) == 3


def test_headings_ask_and_what_is_below_them_answers(tmp_path: Path, examples: list[Any]) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    sections = list(read_sections([tmp_path]))
    assert [(own.asks, own.question) for own in sections] == [
        (True, "How do I clean the copper kettle?"),
        (False, "Cleaning the brass lamp"),
    ]
    assert "rinse --twice" not in "".join(own.text for own in sections)
    assert all(set(p.labels) == {1} for p in of_kind(examples, "faq"))
    assert all(set(p.labels) == {MASKED} for p in of_kind(examples, "heading"))
    assert all(p.answers == 0 for p in of_kind(examples, "faq elsewhere"))
