"""The verifier on the shipped document: verdicts, what is cited for them, and what it reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from helpers import footnote

from assistant import Assistant, Settings
from assistant.retrieval.passages import Passage, sections_of
from assistant.retrieval.reading_model import Reader
from assistant.verification.attribution import (
    TOGETHER,
    beside,
    grounds,
)
from assistant.verification.checker import Check, Checker
from assistant.verification.verification import Verification
from assistant.verification.verifier import Verifier, rule_for, weigh
from evals.datasets.json_lines import read_objects
from index.errors import ReaderError

#: Paraphrases of the shipped document.
SEED = Path(str(files("evals.questions") / "seed_claims.jsonl"))
SEED_CLAIMS = [str(data["claim"]) for _, data in read_objects(SEED)]
SECRET = "Medvedev held a secret 2011 meeting in Khabarovsk."


@pytest.fixture(scope="module")
def verifier(assistant: Assistant) -> Verifier:
    return assistant._pipeline().verifier


@pytest.fixture(scope="module")
def without_reader(assistant: Assistant) -> Verifier:
    return Verifier(assistant.index, assistant.document_ids)


def test_sentences_come_with_verdicts_and_citations(assistant: Assistant) -> None:
    text = (
        "The US released its Indo-Pacific strategy on 11 February. "
        "It was written by Olaf Scholz in Berlin.\nIndia has no alliances."
    )
    verification = assistant.verify(text)
    assert isinstance(verification, Verification)
    assert [s.verdict for s in verification.sentences] == ["supported", "unsupported", "supported"]
    assert verification.sentences[1].conflicts == ("name",)
    documents = {document.id: document for document in assistant.documents}
    for citation in verification.citations:
        citation.check(documents[citation.paragraph.document_id])
    assert "released on February 11" in verification.citations[0].quote
    assert not verification.supported
    assert json.loads(json.dumps(verification.to_dict()))["sentences"][1]["markers"] == []
    assert "unsupported (name)" in str(verification) and "[1]" in str(verification)


def test_the_shortest_evidence_is_cited(verifier: Verifier) -> None:
    [run] = verifier.judge("India sees China as a massive external threat.").spans
    assert run.first == run.last
    assert "external threat" in run.text


@pytest.fixture(scope="module")
def allotment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Short paragraphs under one heading, each of which is read with the next."""
    settings = Settings(index_dir=tmp_path_factory.mktemp("allotment"))
    rules = Path(str(files("evals.questions"))) / "rules" / "allotment.md"
    with Assistant.open(rules, settings=settings) as opened:
        yield opened


def test_the_cited_span_contains_the_support(allotment: Assistant) -> None:
    verifier, [document] = allotment._pipeline().verifier, allotment.documents
    sections = sections_of(document.paragraphs)
    supported = 0
    for section in sections:
        for sentence in (s for p in section.paragraphs for s in p.sentences):
            written = verifier.prove(f"It is said that {sentence.text}", "", [section], sections)
            for judged in (written, verifier.judge(sentence.text)):
                supported += judged.supported
                cited = [(run.start, run.end) for run in judged.spans]
                holds = any(a <= sentence.start and sentence.end <= b for a, b in cited)
                assert holds or not judged.supported, (sentence.text, judged)
    assert supported > 50


def test_a_neighbour_that_alone_carries_the_support_is_cited(allotment: Assistant) -> None:
    verifier, [document] = allotment._pipeline().verifier, allotment.documents
    told = "Barbed wire is forbidden everywhere on the site."
    number = next(p.number for p in document.paragraphs if told in p.text)
    before = Passage(1, (document.paragraphs[number - 2],))
    judged = verifier.prove(f"It is said that {told}", "", [before], [before])
    assert judged.supported
    assert [run.text for run in judged.spans] == [told]


#: Two texts that differ in a symbol alone.
SYMBOLS = [
    ("Net income in 2023 was -4.2 million dollars.", "Net income in 2023 was 4.2 million dollars."),
    ("The lowest temperature was \u22125 degrees.", "The lowest temperature was 5 degrees."),
    ("The bond is rated A+ by the agency.", "The bond is rated A by the agency."),
    ("The bonds are rated AA- by the agency.", "The bonds are rated AA by the agency."),
    ("The dose for children is < 5 mg a day.", "The dose for children is 5 mg a day."),
    ("The program is written in C#.", "The program is written in C."),
    ("The p value was > 0.05 in both groups.", "The p value was 0.05 in both groups."),
    ("Lead is limited to \u2264 10 micrograms.", "Lead is limited to 10 micrograms."),
    ("The salinity of the lake is 35\u2030.", "The salinity of the lake is 35."),
    ("The library is written in C++ and tested.", "The library is written in C and tested."),
    ("The balance of the account was -$120.", "The balance of the account was $120."),
]


def test_a_dropped_or_added_symbol_is_not_supported(tmp_path: Path) -> None:
    settings = Settings(index_dir=tmp_path / "index")
    for number, texts in enumerate(SYMBOLS):
        for stated, claim in (texts, texts[::-1]):
            file = tmp_path / f"{number} {len(claim)}.txt"
            file.write_text(f"The visitors signed the book.\n\n{stated}\n")
            with Assistant.open(file, settings=settings) as opened:
                verifier = opened._pipeline().verifier
                [document] = opened.documents
                read = sections_of(document.paragraphs)
                assert verifier.judge(stated).supported, stated
                assert verifier.prove(stated, "", read, read).supported, stated
                for judged in (verifier.judge(claim), verifier.prove(claim, "", read, read)):
                    assert judged.finding == "unsupported", (stated, claim)
                    assert judged.conflicts & {"number", "name"}


@pytest.mark.parametrize(
    ("sentence", "quotes"),
    [
        ("No, it has no alliances.", ["it has no alliances"]),
        ("No state has alliances.", None),  # that is no opening
        (
            "Customs duties have increased, and it is much easier to do business in India.",
            ["Customs duties have increased", "much easier to do business"],
        ),
        ("Customs duties have increased, and it is much harder to do business in India.", None),
    ],
)
def test_what_keeps_to_the_words_of_a_passage_is_proved(
    verifier: Verifier, sentence: str, quotes: list[str] | None
) -> None:
    found = verifier.search("India has no alliances.")
    paragraph = next(hit.paragraph for hit in found if "no alliances" in hit.paragraph.text)
    passage = Passage(1, (paragraph,))
    judged = verifier.prove(sentence, "What of India?", [passage], [passage])
    assert judged.supported == (quotes is not None)
    cited = " ".join(run.text for run in judged.spans)
    assert all(quote in cited for quote in quotes or ())


def test_without_a_checker_words_settle_nothing_that_leaves_their_condition_out(
    without_reader: Verifier,
) -> None:
    """Only a checker tells whether a paraphrase says it otherwise."""
    sentence = "A high degree of leadership has to be ceded to India in the Indian Ocean"
    words = f"{sentence} if India is to offer more support."
    hits = without_reader.search(words)
    paragraph = next(hit.paragraph for hit in hits if words in hit.paragraph.text)
    passage = Passage(1, (paragraph,))
    for written, said in ((words, True), (f"{sentence}.", False)):
        judged = without_reader.confirm(written, "What of India?", words, [passage])
        assert (judged is not None) == said, written


# 2014 stands in the same source sentence, of something else.
@pytest.mark.parametrize("wrong", ["2014", "1987"])
def test_a_wrong_year_does_not_pass(verifier: Verifier, wrong: str) -> None:
    assert verifier.judge(SECRET).supported
    judged = verifier.judge(SECRET.replace("2011", wrong))
    assert not judged.supported
    assert judged.conflicts == {"number"}


def test_what_the_documents_do_not_speak_of_is_caught_with_and_without_a_reader(
    verifier: Verifier, without_reader: Verifier
) -> None:
    foreign = (
        "The harvest of 1934 brought 900 tonnes of apples.",
        "Olaf Scholz visited the museum in Oslo.",
        "The patient was given two doses of penicillin.",
    )
    for own in (verifier, without_reader):
        assert not any(own.judge(sentence).supported for sentence in foreign)


def test_without_a_reader_true_claims_are_told_from_their_changes(without_reader: Verifier) -> None:
    claims = [claim for claim in SEED_CLAIMS if "2011" in claim or "February" in claim]
    for claim in claims:
        other = claim.replace("2011", "1987").replace("February", "October")
        assert without_reader.judge(other).probability < without_reader.judge(claim).probability


def test_weights_that_are_not_there_are_told_with_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"The checker in .* Install footnote anew\.$"):
        Checker(tmp_path)
    with pytest.raises(ReaderError, match=r"The reading model in .* set FOOTNOTE_READER=none"):
        Reader(tmp_path)


def test_a_denial_is_told_where_what_has_the_words_says_otherwise(verifier: Verifier) -> None:
    """Not by the nearest sentence alone, which may be of something else."""
    claim = "Not acting would send China the wrong message."
    found = grounds(claim, verifier.search(claim), verifier.neighbours)
    weighed = weigh(claim, found, None)
    assert weighed and weighed.checked["denied"] and not weighed.checked["opposed"]
    assert "negation" in verifier.judge("The US is going back into the TPP.").conflicts


def test_another_model_is_taken_at_its_word_less_what_is_missing() -> None:
    class Says(Checker):
        def __init__(self) -> None:
            self.fingerprint = "says"

        def check(self, claim: str, premise: str, question: str = "") -> Check:
            return Check(1.0)

    rule = rule_for(Says())
    sure = {"entail": 1.0, "numbers": 0.0, "names": 0.0, "denied": 0.0}
    assert rule.claim.probability(sure) >= rule.threshold
    assert rule.claim.probability({**sure, "numbers": 1.0}) < rule.threshold


def test_what_stands_beside_shares_the_room_that_is_left() -> None:
    before, behind = beside("b" * 900, "t" * 600, "a" * 900)
    assert (len(before), len(behind)) == (300, 300)
    assert [len(own) for own in beside("b" * 100, "t" * 600, "a" * 900)] == [100, 500]
    assert [len(own) for own in beside("b" * 900, "t" * 600, "a" * 100)] == [500, 100]
    assert beside("b", "t" * TOGETHER, "a") == ("", "")


def test_the_command_verifies_a_file(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("India has no alliances. It has four hundred allies in Berlin.\n")
    done = footnote("verify", file, "--json", "--index-dir", tmp_path / "index", code=3)
    verdicts = [sentence["verdict"] for sentence in json.loads(done.stdout)["sentences"]]
    assert verdicts == ["supported", "unsupported"]
    footnote("verify", tmp_path / "none.txt", code=2)
