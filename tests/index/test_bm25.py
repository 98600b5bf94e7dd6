"""Terms by language, and the share of a query that a text holds."""

# Full-width marks are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.bm25 import _SNOWBALL, BM25Index, terms_of


@pytest.mark.parametrize(
    ("language", "text", "other"),
    [
        ("ro", "echipele apărau punctele", "echipa apără un punct"),
        ("de", "Die Häuser stehen leer", "Ein leeres Haus steht da"),
        ("fr", "les chevaux rapides", "la rapidité du cheval"),
        ("ru", "железные дороги", "железной дорогой"),
    ],
)
def test_words_have_the_stems_of_their_language(language: str, text: str, other: str) -> None:
    shared = set(terms_of(text, language)) & set(terms_of(other, language))
    assert shared
    assert not set(text.lower().split()) & set(other.lower().split()) >= shared


def test_stop_words_are_those_of_the_language() -> None:
    assert terms_of("la maison et le jardin", "fr") == terms_of("maison jardin", "fr")
    assert "la" in terms_of("la maison et le jardin")
    assert terms_of("who is the captain of it") == ["captain"]


@pytest.mark.parametrize(
    ("language", "text", "query"),
    [
        ("zh", "渡轮九点钟离开布伦纳。", "渡轮什么时候离开？"),
        ("ja", "フェリーは九時にブレンナを出発する。", "フェリーの出発は何時？"),
        ("th", "เรือข้ามฟากออกเวลาเก้าโมง", "เรือข้ามฟากออกกี่โมง"),
        ("ko", "여객선은 아홉 시에 브레나를 떠난다.", "여객선이 언제 떠나는가?"),
        ("hi", "नाव नौ बजे चलती है।", "नाव कब चलती है?"),
    ],
)
def test_what_is_written_without_spaces_has_terms(language: str, text: str, query: str) -> None:
    other = {"zh": "面包", "ja": "パンを焼く", "th": "ขนมปัง", "ko": "빵집", "hi": "रोटी"}[language]
    shares = BM25Index.build([text, other], [language] * 2).shares(query)
    assert shares[0] > 0
    assert shares[1] == 0


def test_each_text_is_looked_for_in_its_language(tmp_path: Path) -> None:
    texts = ["The dogs ran home.", "Die Hunde liefen nach Hause.", "犬は家に走った。"] * 2
    languages = ["en", "de", "ja"] * 2
    mixed = BM25Index.build(texts, languages)
    for query, own in (("a dog", 0), ("ein Hund", 1), ("犬は走る", 2)):
        assert set(np.flatnonzero(mixed.shares(query)).tolist()) == {own, own + 3}
    mixed.save(tmp_path / "terms")
    again = BM25Index.load(tmp_path / "terms", languages)
    assert np.array_equal(again.shares("ein Hund"), mixed.shares("ein Hund"))
    with pytest.raises(ValueError, match="6 paragraphs"):
        BM25Index.load(tmp_path / "terms", languages[1:])


def test_each_stemmer_is_there() -> None:
    for language in _SNOWBALL:
        assert terms_of("walking 12", language)
