"""What is quoted: the fewest sentences, readable, not repeating, in document order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answering.quoting import RUN, choose, quote, reaching, repeats
from assistant.calibration import sigmoid
from assistant.retrieval.evidence import Candidate, unscored
from index import Hit, Paragraph, document_from_text

TEXT = (
    "The bridge was closed in March. It reopened in June after repairs. "
    "The ferry ran all year.\n\n"
    "Tolls rose by two crowns. Cyclists still cross for free. The bridge was closed in March.\n\n"
    "Who pays? Is it fair? The town pays for repairs. It never asked anyone. What comes next?"
)
DOCUMENT = document_from_text(TEXT, "bridge.txt")


def candidate(paragraph: int, sentence: int, logodds: float) -> Candidate:
    own = DOCUMENT.paragraphs[paragraph]
    hit = Hit(own, 1.0, tuple(0.0 for _ in own.sentences), terms=0.5)
    return Candidate(hit, sentence, {}, sigmoid(logodds))


def texts(candidates: list[Candidate], limit: int = 4, several: bool = False) -> list[str]:
    chosen = choose(candidates, limit, several=several)
    return [" ".join(quotation.text.split()) for quotation in quote(chosen)]


@pytest.mark.parametrize("likelihoods", [(2.0, -3.0), (-4.0, -5.0)])
def test_one_sentence_is_enough(likelihoods: tuple[float, float]) -> None:
    """However improbable: whether to answer at all is decided elsewhere."""
    found = texts([candidate(0, 0, likelihoods[0]), candidate(0, 2, likelihoods[1])])
    assert found == ["The bridge was closed in March."]


def test_probable_sentences_come_in_document_order() -> None:
    found = texts([candidate(1, 0, 2.0), candidate(0, 2, 1.5)])
    assert found == ["The ferry ran all year.", "Tolls rose by two crowns."]


def test_a_question_for_several_things_gets_more() -> None:
    several = [candidate(1, 0, 0.0), candidate(1, 1, -1.0)]
    assert len(texts(several)) == 1
    assert len(texts(several, several=True)) == 2


def test_what_belongs_to_a_sentence_is_quoted_with_it() -> None:
    """What is beside it and has some probability, as a condition has; never what was chosen too."""
    closed, reopened, ferry = (s.text for s in DOCUMENT.paragraphs[0].sentences)
    chances = [candidate(0, 0, 0.0), candidate(0, 1, -1.5), candidate(0, 2, -1.8)]
    assert texts(chances) == [f"{closed} {reopened} {ferry}"]
    assert texts([chances[0], chances[2]]) == [closed]  # not what is not beside it
    assert texts([*chances[:2], candidate(0, 2, 0.0)]) == [f"{closed} {reopened}", ferry]
    assert texts([candidate(0, 0, 0.0), candidate(0, 1, -2.5)]) == [closed]
    [quoted] = quote([replace(chances[0], reach=(0, 1))])
    assert (quoted.start, quoted.end) == (0, len(f"{closed} {reopened}"))


def test_what_belongs_to_a_sentence_is_never_long() -> None:
    [paragraph] = document_from_text("A rule of some length. " * 50, "rules.txt").paragraphs
    hit = Hit(paragraph, 1.0, tuple(0.0 for _ in paragraph.sentences))
    every = [Candidate(hit, n, {}, 0.9 if n == 20 else 0.4) for n in range(50)]
    first, last = reaching(every[20], every).reach or (0, 0)
    assert first < 20 < last
    assert RUN / 2 < paragraph.sentences[last].end - paragraph.sentences[first].start <= RUN


def test_the_next_paragraph_under_the_heading_belongs_to_it() -> None:
    text = "# Dogs\n\nDogs may stay.\n\nThey pay a fee.\n\n# Cats\n\nCats may not.\n"
    dogs, fee, cats = document_from_text(text, "pets.md", markdown=True).paragraphs

    def chance(own: Paragraph, logodds: float) -> Candidate:
        return Candidate(Hit(own, 1.0, (0.0,)), 0, {}, sigmoid(logodds))

    found = choose([chance(dogs, 0.0), chance(cats, -1.0), chance(fee, -1.5)], 4)
    assert [one.sentence.text for one in found] == ["Dogs may stay.", "They pay a fee."]


def test_the_same_sentence_is_quoted_once() -> None:
    assert len(texts([candidate(0, 0, 2.0), candidate(1, 2, 2.0)])) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "Die Bäckereien am Hafen backen täglich frische Brote.",
            "Die Bäckerei am Hafen backt täglich frisches Brot.",
            True,
        ),
        (
            "Es ist nicht für die Kinder, die in der Stadt sind.",
            "Es ist nicht für die Hunde, die in der Stadt sind.",
            False,
        ),
    ],
)
def test_what_repeats_another_is_told_in_its_own_language(one: str, other: str, same: bool) -> None:
    [paragraph] = document_from_text(f"{one} {other}", "hafen.txt").paragraphs
    assert paragraph.language == "de"
    first, second = (unscored(paragraph, number) for number in (0, 1))
    assert repeats(second, [first]) == same


def test_never_more_than_allowed() -> None:
    every = [candidate(0, n, 2.0) for n in (0, 2)] + [candidate(1, n, 2.0) for n in (0, 1)]
    assert len(texts(every, limit=3)) == 3


def test_a_dangling_pronoun_brings_the_sentence_before_unless_that_is_quoted() -> None:
    both = ["The bridge was closed in March.", "It reopened in June after repairs."]
    assert texts([candidate(0, 1, 2.0)]) == [" ".join(both)]
    assert texts([candidate(0, 0, 2.0), candidate(0, 1, 2.0)]) == both


def test_a_question_is_quoted_with_what_answers_it() -> None:
    paid = "Who pays? Is it fair? The town pays for repairs."
    assert texts([candidate(2, 0, 2.0)]) == [paid]
    # What was quoted with it is not quoted again, and the next one leans on it.
    assert texts([candidate(2, 0, 2.0), candidate(2, 2, 2.0)]) == [paid]
    both = texts([candidate(2, 0, 2.0), candidate(2, 3, 2.0)])
    assert both == [paid, "It never asked anyone."]
    assert texts([candidate(2, 4, 2.0)]) == ["What comes next?"]


@pytest.mark.parametrize(
    ("text", "chosen", "quoted"),
    [
        ("The pool is free. However, towels are not. Bring one.", 0, "The pool is free. However,"),
        (
            "Some still say it is safe. This underestimates the ice.",
            0,
            "Some still say it is safe.",
        ),
        ("Fees are due in May. Otherwise you lose the place.", 1, "Fees are due in May. Otherwise"),
        ("Keys cost ten. This is held. So it comes back.", 2, "Keys cost ten. This is held. So it"),
        ("The pool is free. Towels are not.", 0, "The pool is free."),
    ],
)
def test_a_sentence_comes_with_what_it_cannot_stand_without(
    text: str, chosen: int, quoted: str
) -> None:
    [paragraph] = document_from_text(text, "pool.txt").paragraphs
    [quotation] = quote([unscored(paragraph, chosen)])
    assert quotation.text.startswith(quoted)
    alone = text == "The pool is free. Towels are not."
    assert (quotation.text == quoted) == alone


def test_the_sign_of_an_item_is_not_quoted_and_its_number_is() -> None:
    text = "Mind:\n\n\u2022 Pay at the gate.\n\u2022 Go home.\n\nThen:\n\n1. Wait.\n2. Sleep."
    items = [p for p in document_from_text(text, "items.txt").paragraphs if p.kind == "list"]
    quoted = quote([unscored(own, n) for own in items for n in range(2)])
    assert [own.text for own in quoted] == ["Pay at the gate.", "Go home.", "1. Wait.", "2. Sleep."]
    assert all(text[own.start : own.end] == own.text for own in quoted)
