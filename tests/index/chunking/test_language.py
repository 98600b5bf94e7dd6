"""Which language a document is in."""

# Letters of other languages are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import threading

import py3langid
import pytest
from helpers import SEEDS

from index.chunking.language import LANGUAGES, language_of
from index.readers.loader import document_from_text

GERMAN = (
    "Die Fähre nach Brenna fährt morgens um neun Uhr ab. Bei starkem Wind bleibt sie im Hafen, und "
    "die Fahrgäste werden mit dem Bus über die Brücke gebracht."
)


ENGLISH_TEXT = (
    "The ferry to Brenna leaves at nine in the morning. In a strong wind it stays in the harbour, "
    "and the passengers are taken over the bridge by bus."
)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", GERMAN),
        ("ro", "Feribotul spre Brenna pleacă dimineața la ora nouă. Când bate vântul, el rămâne "
         "în port, iar călătorii sunt duși cu autobuzul peste pod."),
        ("ja", "フェリーは九時に出る。"),
        ("zh", "渡轮九点钟离开。"),
        ("th", "เรือข้ามฟากออกเวลาเก้าโมง"),
        ("en", ENGLISH_TEXT),
    ],
)  # fmt: skip
def test_languages(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    ["", "1,5 2,7 3,9", "Rye", "Der Hund", "xx " * 5, "Müller\nGarcía\nIonescu\nYılmaz\nNagy"],
)
def test_what_tells_nothing_is_taken_for_english(text: str) -> None:
    assert language_of(text) == "en"


def test_names_and_tables_are_no_language() -> None:
    names = "Anna Müller, Joaquín García, Ioana Ionescu, Mehmet Yılmaz, Ferenc Nagy, Sean Murphy, "
    places = "Kraków, Lyon, Bergen, Turku, Porto, Brno, Vilnius, Tartu, Graz, Gdańsk, Odense. "
    assert language_of((names * 5 + places * 5) * 5) == "en"
    rows = "\n".join(f"{n},{2000 + n},{n * 3.5},Widget {'ABCDE'[n % 5]}" for n in range(200))
    assert language_of(rows) == "en"
    cells = (
        "Alpha Beta Gamma Delta ff b a b f caff d d b e d c eb ColA ColB ColC ColD affc dad b e d"
    )
    assert language_of(cells) == "en"
    assert language_of(f"It leaves at nine in the morning, and comes back. {'x' * 9000}") == "en"


def test_a_document_knows_its_language() -> None:
    document = document_from_text(GERMAN, "faehre.txt")
    assert document.language == "de"
    assert {paragraph.language for paragraph in document.paragraphs} == {"de"}
    shipped = next(iter(sorted(SEEDS.glob("*.txt")))).read_text(encoding="utf-8")
    assert document_from_text(shipped, "seed.txt").language == "en"


def test_abbreviations_of_the_language_end_no_sentence() -> None:
    text = f"{GERMAN} Das gilt z. B. auch für Dr. Meier und seine Frau. Sie fahren mit."
    sentences = [s.text for p in document_from_text(text, "a.txt").paragraphs for s in p.sentences]
    assert "Das gilt z. B. auch für Dr. Meier und seine Frau." in sentences


def test_nobody_else_decides_what_is_told_apart() -> None:
    """As several first questions at once did: one set the library's languages anew while the next
    one was told from them."""
    over = threading.Event()

    def restrict() -> None:
        while not over.is_set():
            py3langid.set_languages(["de", "gu"])
            py3langid.set_languages(LANGUAGES)

    other = threading.Thread(target=restrict)
    other.start()
    try:
        assert {language_of(ENGLISH_TEXT) for _ in range(200)} == {"en"}
    finally:
        over.set()
        other.join()
