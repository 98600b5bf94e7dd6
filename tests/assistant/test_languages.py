"""Documents in other languages: found by their words, and read only where the reader knows them."""

# Letters of other scripts are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import footnote

from assistant import Assistant, Settings
from assistant.calibration import load_calibration
from assistant.retrieval.evidence import evidence_of

GERMAN = """Die Fähre nach Brenna fährt morgens um neun Uhr ab und braucht zwei Stunden.

Die Bäckerei in Tolvik backt donnerstags Roggenbrot. Sie liegt am Hafen neben dem alten Zollhaus.
"""
ENGLISH = """The lighthouse of Sand Point was built in 1871 and has a lamp of nine mirrors.

The keeper of the lighthouse is paid by the county, and lives in the house below it.
"""


RUSSIAN = """Паром в Бренну отправляется утром в девять часов и идёт два часа.

Пекарня в Толвике печёт ржаной хлеб по четвергам. Она стоит в гавани рядом со старой таможней.
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    (folder / "hafen.txt").write_text(GERMAN, encoding="utf-8")
    (folder / "port.txt").write_text(RUSSIAN, encoding="utf-8")
    (folder / "light.txt").write_text(ENGLISH, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def assistant(folder: Path) -> Iterator[Assistant]:
    settings = Settings(index_dir=folder / "index")
    with Assistant.open(folder, settings=settings) as opened:
        yield opened


def test_only_latin_script_is_read(assistant: Assistant) -> None:
    for question in ("When was the lighthouse built?", "Wann fährt die Fähre nach Brenna ab?"):
        assert assistant.read(question).readings
    question = "Когда пекарня печёт ржаной хлеб?"
    russian = assistant.read(question)
    assert russian.found.hits[0].paragraph.text.startswith("Пекарня")
    assert russian.readings == ()
    # The numbers of going without a reader decide.
    alone = load_calibration("none")
    answer = assistant.ask(question)
    evidence = evidence_of(russian, {})
    assert answer.confidence == pytest.approx(alone.answer.probability(evidence.features))
    answerable = alone.answerable.probability(evidence.features)
    assert answer.status == alone.thresholds.status(answer.confidence, answerable)


def test_inflected_words_are_found(assistant: Assistant) -> None:
    for query, start in (("Wo liegen Bäckereien?", "Die Bäckerei"), ("пекарни", "Пекарня")):
        [hit] = assistant.search(query, 1)
        assert hit.paragraph.text.startswith(start)
        assert hit.terms > 0


def test_a_claim_about_other_scripts_is_judged_by_words(assistant: Assistant) -> None:
    [sentence] = assistant.verify("Пекарня в Толвике печёт ржаной хлеб по четвергам.").sentences
    assert sentence.verdict == "supported"
    [sentence] = assistant.verify("Пекарня в Толвике печёт 40 булок в 1999 году.").sentences
    assert sentence.verdict != "supported"


def test_the_command_says_what_it_means(folder: Path, tmp_path: Path) -> None:
    index = ("--index-dir", tmp_path / "index")
    done = footnote("search", "Fähre", "--source", folder / "hafen.txt", *index)
    assert "not in English (de)" in done.stderr
    assert done.stderr.count("FOOTNOTE_ENCODER") == 1
    done = footnote("search", "lamp", "--source", folder / "light.txt", *index)
    assert "not in English" not in done.stderr
