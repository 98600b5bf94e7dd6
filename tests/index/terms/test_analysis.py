"""Terms by language."""

# Full-width marks are meant as they stand.
# ruff: noqa: RUF001

from __future__ import annotations

import pytest

from index.terms.analysis import _SNOWBALL, key_of, term_keys, terms_of
from index.terms.bm25 import BM25Index


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


def test_many_texts_have_the_terms_that_each_has() -> None:
    texts = ["The dogs ran, and the dog ran home.", "", "of the", "Who is home?", "Ein Hund, zwei"]
    languages = ["en", "de", "zh"]
    keys = term_keys(texts * 3, [language for language in languages for _ in texts])
    expected = [[key_of(term) for term in terms_of(t, own)] for own in languages for t in texts]
    assert [own.tolist() for own in keys] == expected


def test_each_stemmer_is_there() -> None:
    for language in _SNOWBALL:
        assert terms_of("walking 12", language)
