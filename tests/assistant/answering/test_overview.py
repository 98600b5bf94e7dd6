"""Overviews: which part is meant, and which sentences stand for it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from helpers import CheapEncoder

from assistant.answering.overview import COMPARED, Scope, choose_overview, scope_of
from index import Document, document_from_text
from index.encoder import Encoder, Vectors
from index.terms.analysis import terms_of

TEXT = """# The mill

The mill stands on the river and was built by the monks of the abbey in 1311.
It has ground corn for seven hundred years.

## The wheel

The wheel turns with the stream and drives two pairs of stones in the cellar.
The stones were cut from granite of the hills near by. They are dressed every other year.

## Opening hours

The mill is open to visitors on every Sunday from May to October.
Groups may ask for another day by letter. Dogs are not allowed.

## The miller's house

Next to the mill stands the house of the miller, which is a museum of baking today.
Bread is baked there on the first Saturday of the month.
"""


@pytest.fixture(scope="module")
def mill() -> Document:
    return document_from_text(TEXT, "mill.md", markdown=True)


def stems(text: str) -> frozenset[str]:
    return frozenset(terms_of(text))


def vectors_of(
    document: Document, encoder: Encoder
) -> Callable[[Sequence[str]], dict[str, Vectors]]:
    """What an index gives of a document."""
    paragraphs = document.paragraphs
    spans = [[(s.start - p.start, s.end - p.start) for s in p.sentences] for p in paragraphs]
    texts = [(p.text, own) for p, own in zip(paragraphs, spans, strict=True)]
    every = dict(zip((p.id for p in paragraphs), encoder.encode_paragraphs(texts), strict=True))
    return lambda ids: {identity: every[identity] for identity in ids}


def scoped(document: Document, topic: frozenset[str]) -> Scope | None:
    return scope_of([document], topic, lambda: bool(stems(document.text) & topic))


def chosen(document: Document, topic: str, count: int | None = None) -> list[str]:
    scope = scoped(document, stems(topic))
    assert scope is not None
    found = choose_overview(scope, vectors_of(document, Encoder()), count)
    return [" ".join(candidate.sentence.text.split()) for candidate in found]


@pytest.mark.parametrize(
    ("topic", "heading"),
    [
        ("opening hours", "Opening hours"),
        ("when the mill opens", "Opening hours"),
        ("wheels", "The wheel"),
        ("house of the miller", "The miller's house"),
    ],
)
def test_a_part_is_found_by_its_heading(mill: Document, topic: str, heading: str) -> None:
    scope = scoped(mill, stems(topic) - {"mill"})
    assert scope is not None
    assert scope.heading == heading
    assert all(paragraph.heading[-1] == heading for paragraph in scope.paragraphs)


def test_one_of_several_documents_is_found_by_its_title(mill: Document) -> None:
    other = document_from_text("Bees make honey all summer long.\n", "bees.txt", title="The hive")
    for topic, document in (("hive", other), ("mill", mill)):
        scope = scope_of([mill, other], stems(topic), lambda: True)
        assert scope is not None
        assert scope.paragraphs == document.paragraphs


def test_without_a_topic_or_with_one_that_nothing_knows_it_is_everything(mill: Document) -> None:
    for topic in (frozenset[str](), stems("my boss")):
        scope = scoped(mill, topic)
        assert scope is not None
        assert scope.heading is None
        assert scope.paragraphs == mill.paragraphs


def test_what_is_told_of_and_no_heading_is_no_part(mill: Document) -> None:
    assert scoped(mill, stems("dogs")) is None


def test_sentences_of_every_part_stand_for_the_whole(mill: Document) -> None:
    found = chosen(mill, "")
    assert found[0].startswith("The mill stands on the river")
    text = " ".join(found)
    for part in ("wheel turns", "open to visitors", "museum of baking"):
        assert part in text
    places = [TEXT.replace("\n", " ").index(own) for own in found]
    assert places == sorted(places)


def test_as_many_as_were_asked_for(mill: Document) -> None:
    assert len(chosen(mill, "", 2)) == 2
    assert len(chosen(mill, "wheel", 30)) == 2  # "They are dressed ..." does not stand alone


def test_nothing_is_said_twice() -> None:
    same = "The bridge over the river was closed in March because of ice on the road. "
    other = "Tickets for the ferry cost two crowns for a person and five for a car. "
    document = document_from_text(same * 5 + other + same * 5, "twice.txt")
    found = chosen(document, "", 2)
    assert sorted(found) == sorted({same.strip(), other.strip()})


def test_a_thousand_pages_are_chosen_from() -> None:
    """Of more sentences than are compared with one another, some of every part."""
    chance = random.Random(0)
    words = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
    sentences = [f"{' '.join(chance.sample(words, 9)).capitalize()}." for _ in range(3 * COMPARED)]
    document = document_from_text("\n\n".join(sentences), "long.txt")
    scope = scoped(document, frozenset())
    assert scope is not None
    found = choose_overview(scope, vectors_of(document, CheapEncoder()), 5)
    assert len({candidate.place for candidate in found}) == 5


def test_rows_are_no_part_of_an_overview() -> None:
    rows, prose = "A|B\n-|-\n1|2\n", "All prices are in crowns and include tax."
    for text, expected in (
        (f"# Prices\n\n{rows}\n{prose}\n", [prose]),
        (rows, []),
        ("no whole sentence\n", ["no whole sentence"]),
    ):
        table = document_from_text(text, "prices.md", markdown=True)
        scope = scoped(table, frozenset())
        assert scope is not None
        found = choose_overview(scope, vectors_of(table, CheapEncoder()), 3)
        assert [own.sentence.text for own in found] == expected
