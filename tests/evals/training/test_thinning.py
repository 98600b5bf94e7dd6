"""Examples of which shared words tell little."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

from evals.training.examples import Pair, Passage, read_examples, write_examples
from evals.training.thinning import thin

NEAR, FAR = "The kettle is cleaned with lemon.", "Acid takes off the scale."
QUESTION = "How is the kettle cleaned?"


def passages(count: int, sentence: str, answers: int, **more: object) -> list[Passage]:
    """So many, each with a word of its own."""
    return [
        Passage(QUESTION, (f"{sentence} It is {n}.", "It rains."), (answers, 0), answers, **more)  # type: ignore[arg-type]
        for n in range(count)
    ]


def test_what_answers_shares_no_more_words_than_what_does_not(tmp_path: Path) -> None:
    """Those that answer nearly all share words, the others nearly none."""
    given = [
        *passages(900, NEAR, 1, kind="asked"),
        *passages(300, FAR, 1, kind="asked"),
        *passages(300, NEAR, 0, kind="similar"),
        *passages(900, FAR, 0, kind="similar"),
        *passages(40, FAR, 0, kind="unanswerable"),
        *passages(40, NEAR, 1, kind="asked", held_out=True),
        *[Pair("It rains.", "It rains and snows.", 1)] * 5,
    ]
    write_examples(tmp_path / "all.jsonl.gz", given)
    for name in ("one", "two"):
        thin(tmp_path / "all.jsonl.gz", tmp_path / f"{name}.jsonl.gz")
    kept = list(read_examples(tmp_path / "one.jsonl.gz"))
    assert kept == list(read_examples(tmp_path / "two.jsonl.gz"))
    assert sum(isinstance(e, Pair) for e in kept) == 5
    assert sum(e.held_out for e in kept) == 40
    learned = [e for e in kept if isinstance(e, Passage) and not e.held_out]
    answering, others = (
        mean(NEAR in e.sentences[0] for e in learned if bool(e.answers) == answers)
        for answers in (True, False)
    )
    # Three quarters of those that answer shared words, and a quarter of the others.
    assert answering - others < 0.25
    assert len(learned) < len(given) - 45


def test_single_sentences_and_what_tells_no_sentence_stay(tmp_path: Path) -> None:
    given = [
        *passages(50, NEAR, 1, kind="asked"),
        *passages(50, FAR, 0, kind="similar"),
        *[Passage(QUESTION, (NEAR,), (1,), 1, kind="alone")] * 9,
        *[Passage(QUESTION, (NEAR, FAR), (-1, -1), 1, kind="heading")] * 9,
    ]
    write_examples(tmp_path / "all.jsonl.gz", given)
    thin(tmp_path / "all.jsonl.gz", tmp_path / "thin.jsonl.gz")
    kinds = [e.kind for e in read_examples(tmp_path / "thin.jsonl.gz")]
    assert kinds.count("alone") == kinds.count("heading") == 9
    assert kinds.count("asked") < 50


def test_what_was_written_for_this_stays_where_the_rest_is_cut(tmp_path: Path) -> None:
    given = [
        *passages(90, FAR, 0, kind="similar"),
        *passages(20, NEAR, 1, kind="authored"),
        *passages(20, FAR, 0, kind="authored, removed"),
        *passages(10, NEAR, 1, kind="asked", held_out=True),
        *(Pair(f"It rains {n} times.", "It rains and snows.", 0, "claimed") for n in range(30)),
        *(Pair(f"It snows {n} times.", "It rains.", 0, "authored, claimed") for n in range(7)),
    ]
    write_examples(tmp_path / "all.jsonl.gz", given)
    thin(tmp_path / "all.jsonl.gz", tmp_path / "thin.jsonl.gz", most=5)
    kinds = [(e.kind, e.held_out) for e in read_examples(tmp_path / "thin.jsonl.gz")]
    assert kinds.count(("similar", False)) == 5
    assert kinds.count(("asked", True)) == 10
    assert kinds.count(("authored", False)) == kinds.count(("authored, removed", False)) == 20
    assert kinds.count(("claimed", False)) == 5
    assert kinds.count(("authored, claimed", False)) == 7
    assert len(kinds) == 67
