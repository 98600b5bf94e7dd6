"""What the reading model learns from: every kind of example says what its name says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from training_data import write_data

from evals.training.authored import KIND
from evals.training.documentation import read_sections
from evals.training.examples import MASKED, Pair, Passage, read_examples
from evals.training.making import MOST_OF_KIND, _turned, make
from evals.training.wordnet import read_synonyms
from evals.training.writing import read_written

PAGE = """<html><head><title>Help</title></head><body><nav><h2>Where am I now?</h2></nav>
<h1>1.2. How do I clean the copper kettle?</h1>
<p>Fill it with water and a spoon of citric acid, and let it boil once. Rinse it twice.</p>
<pre>rinse --twice</pre>
<h2>Cleaning the brass lamp</h2>
<p>Brass does not like acid at all, so use a soft cloth and a little oil on it, nothing more.</p>
<dl><dt>Patina</dt><dd>The layer that forms on copper and brass in the open air over the years, and
that protects what is below it.</dd><dt>x</dt><dd>Short.</dd></dl></body></html>"""


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> list[Passage | Pair]:
    folder = tmp_path_factory.mktemp("data")
    write_data(folder)
    docs = folder / "docs"
    docs.mkdir()
    for number in range(30):
        page = PAGE.replace("copper", f"copper{number}").replace("brass", f"brass{number}")
        (docs / f"{number:02}.html").write_text(page, encoding="utf-8")
    dictionary = write_wordnet(folder / "wordnet")
    make(folder, folder / "one.jsonl.gz", docs=[docs], wordnet=dictionary)
    make(folder, folder / "two.jsonl.gz", docs=[docs], wordnet=dictionary)
    one, two = (list(read_examples(folder / f"{name}.jsonl.gz")) for name in ("one", "two"))
    assert one == two
    return one


def write_wordnet(folder: Path) -> Path:
    """Three synsets in WordNet's format; `bank` has two senses as a noun and one as a verb."""
    folder.mkdir()
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"{part}.exc").write_text("")
        (folder / f"data.{part}").write_text("  1 licence\n")
        (folder / f"index.{part}").write_text("  1 licence\n")
    (folder / "data.verb").write_text(
        "  1 licence\n"
        "00000001 30 v 02 open 0 unlock 0 000 | make accessible\n"
        "00000002 30 v 02 bank 0 deposit 0 000 | put in\n"
    )
    (folder / "index.verb").write_text(
        "  1 licence\n"
        "open v 1 0 1 1 00000001  \n"
        "unlock v 1 0 1 0 00000001  \n"
        "bank v 1 0 1 1 00000002  \n"
    )
    (folder / "data.noun").write_text("  1\n00000003 14 n 02 bank 0 shore 0 000 | by a river\n")
    (folder / "index.noun").write_text("  1 licence\nbank n 1 0 1 1 00000003  \n")
    return folder


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


def test_balanced_examples_have_fewest_words_in_common(tmp_path: Path) -> None:
    write_data(tmp_path)
    most = MOST_OF_KIND["asked"]
    try:
        MOST_OF_KIND["asked"] = 3
        make(tmp_path, tmp_path / "out.jsonl.gz", balanced=True)
    finally:
        MOST_OF_KIND["asked"] = most
    asked = [e for e in read_examples(tmp_path / "out.jsonl.gz") if e.kind == "asked"]
    assert len([e for e in asked if not e.held_out]) == 3


def test_documentation_asks_and_answers(tmp_path: Path, examples: list[Any]) -> None:
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    (tmp_path / "manual.html").mkdir()  # a folder of pages may be named like one
    sections = {s.question: s for s in read_sections(tmp_path)}
    assert list(sections) == [
        "How do I clean the copper kettle?",
        "Cleaning the brass lamp",
        "What is Patina?",
    ]
    assert [s.kind for s in sections.values()] == ["faq", "heading", "definition"]
    assert "rinse --twice" not in "".join(s.text for s in sections.values())
    assert all(set(p.labels) == {1} for p in of_kind(examples, "faq"))
    assert all(set(p.labels) == {MASKED} for p in of_kind(examples, "heading"))
    assert all(p.answers == 0 for p in of_kind(examples, "faq elsewhere"))


def test_a_word_with_one_meaning_has_its_synonyms(tmp_path: Path) -> None:
    assert read_synonyms(write_wordnet(tmp_path / "wordnet")) == {
        "open": ["unlock"],
        "unlock": ["open"],
    }


def test_what_a_language_model_wrote_becomes_examples(tmp_path: Path) -> None:
    sentences = ["Anna repaired the clock in May.", "It had stopped for years."]
    good = {"question": "Who made it run?", "true": "A woman fixed it.", "false": "Tom did it."}
    near = good | {"question": "When did Anna repair the clock in May?"}
    records = [{"sentences": sentences, "target": 0, **own} for own in (good, near, {})]
    path = tmp_path / "written.jsonl"
    path.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    found = list(read_written(path))
    assert [type(example).__name__ for example in found] == ["Passage", *["Pair"] * 4]
    assert found[0] == Passage("Who made it run?", tuple(sentences), (1, MASKED), 1, "written")
    assert [p.entailed for p in found if isinstance(p, Pair)] == [1, 0, 1, 0]
