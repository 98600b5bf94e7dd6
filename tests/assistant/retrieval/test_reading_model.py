"""The shipped reading model: its files, its windows, what it prefers."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import pytest

from assistant.retrieval import reading_model as reader
from assistant.retrieval.reading_model import Reader, above
from index.errors import ReaderError

FOLDER = Path(str(files("assistant.retrieval") / "weights"))
PARAGRAPH = [
    "The museum stands by the river.",
    "It was opened by the mayor in 1934.",
    "Tickets cost nine crowns.",
]


@pytest.fixture(scope="module")
def shipped() -> Reader:
    loaded = reader.load_reader()
    assert isinstance(loaded, Reader)
    return loaded


@pytest.mark.parametrize(
    ("question", "sentence"),
    [("When was the museum opened?", 1), ("How much is a ticket?", 2), ("Where is it?", 0)],
)
def test_prefers_the_sentence_that_answers(shipped: Reader, question: str, sentence: int) -> None:
    reading = shipped.read(question, PARAGRAPH)
    assert max(range(3), key=reading.sentences.__getitem__) == sentence


def test_prefers_the_paragraph_that_answers(shipped: Reader) -> None:
    other = ["The museum is closed on Mondays.", "Dogs are not allowed."]
    first, second = (shipped.read("When was the museum opened?", p) for p in (PARAGRAPH, other))
    assert first.paragraph > second.paragraph


@pytest.mark.parametrize(
    ("before", "heading"),
    [
        (["The river is long and wide and calm."] * 60, ""),  # past the model's input
        (["\u200b", "word " * 400, "x" * 900], ""),  # no token, and more than there is room for
        ([], "word " * 900),
    ],
)
def test_whatever_comes_before_the_answer_is_found(
    shipped: Reader, before: list[str], heading: str
) -> None:
    every = [*before, *PARAGRAPH]
    reading = shipped.read("How much is a ticket?", every, heading)
    assert len(reading.sentences) == len(every)
    assert max(range(len(every)), key=reading.sentences.__getitem__) == len(every) - 1


def test_what_stands_above_a_paragraph_is_read_along(shipped: Reader) -> None:
    """What is meant only the heading tells, also of what comes after the model's input."""
    question, short = "What do I pay for my dog?", ["They cost nine crowns a night."]
    far = ["The mayor likes to walk by the river."] * 40 + short
    for own in (short, far):
        headings = [above(["Prices", name]) for name in ("Dogs", "Rooms with a bath")]
        right, wrong = (shipped.read(question, own, heading) for heading in headings)
        assert right.sentences[-1] > wrong.sentences[-1]
        assert right.paragraph > wrong.paragraph
        assert len(right.sentences) == len(own)


def test_headings_end_as_sentences_do() -> None:
    assert above(["Our house", "What is open?", "Rooms:"]) == "Our house. What is open? Rooms:"
    assert above([]) == ""


def test_windows_that_are_read_at_once_have_the_same_logits(shipped: Reader) -> None:
    """Alone they are read by all cores, beside others by one."""
    questions = [f"When was the museum {done}?" for done in ("opened", "closed", "built", "sold")]
    alone = [shipped.read(question, PARAGRAPH * 4) for question in questions]
    fresh = Reader(FOLDER)
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(lambda question: fresh.read(question, PARAGRAPH * 4), questions))
    assert beside == alone


def test_changed_and_missing_weights_are_refused(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(FOLDER, copy)
    content = bytearray((copy / "reader.onnx").read_bytes())
    content[-1] ^= 1
    (copy / "reader.onnx").write_bytes(content)
    with pytest.raises(ReaderError, match="not those that were written there"):
        Reader(copy)
    with pytest.raises(ReaderError, match="FOOTNOTE_READER=none"):
        Reader(tmp_path)


def test_the_shipped_weights_have_a_calibration_of_their_own(shipped: Reader) -> None:
    """Other numbers than theirs would be used in silence."""
    file = Path(str(files("assistant") / "calibration.json"))
    assert shipped.fingerprint in json.loads(file.read_text())["readers"]
