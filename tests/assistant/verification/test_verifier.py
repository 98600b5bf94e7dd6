"""The verifier on the shipped document: verdicts, what is cited for them, and what it reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import footnote

from assistant import Assistant
from assistant.calibration import Logistic
from assistant.retrieval.passages import Passage
from assistant.verification.attribution import JOINED, NEAREST, WIDEST, grounds
from assistant.verification.verification import Verification
from assistant.verification.verifier import (
    Rule,
    Verifier,
    load_entailer,
    rule_for,
    verdict,
    weigh,
)
from evals.fitting.verifier import seed_claims
from index.errors import QuestionError, ReaderError

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
    claims = [claim for claim, _ in seed_claims() if "2011" in claim or "February" in claim]
    for claim in claims:
        other = claim.replace("2011", "1987").replace("February", "October")
        assert without_reader.judge(other).probability < without_reader.judge(claim).probability


def test_a_reader_that_only_ranks_is_not_asked(assistant: Assistant) -> None:
    class Ranks:
        fingerprint = "ranks"

    verifier = Verifier(assistant.index, assistant.document_ids, load_entailer(Ranks()))
    alone = Verifier(assistant.index, assistant.document_ids)
    for claim, _ in seed_claims()[:3]:
        assert verifier.judge(claim).probability == alone.judge(claim).probability


def test_a_denial_is_told_where_what_has_the_words_says_otherwise(verifier: Verifier) -> None:
    """Not by the nearest sentence alone, which may be of something else."""
    claim = "Not acting would send China the wrong message."
    weighed = weigh(claim, grounds(claim, verifier.search(claim)), None)
    assert weighed and weighed.checked["denied"] and not weighed.checked["opposed"]
    assert "negation" in verifier.judge("The US is going back into the TPP.").conflicts


def test_another_model_is_taken_at_its_word_less_what_is_missing() -> None:
    class Says:
        fingerprint = "says"

        def entails(self, premise: str, claim: str) -> float:
            return 1.0

    rule = rule_for(Says())
    sure = {"entail": 1.0, "numbers": 0.0, "names": 0.0, "denied": 0.0}
    assert rule.claim.probability(sure) >= rule.threshold
    assert rule.claim.probability({**sure, "numbers": 1.0}) < rule.threshold


def test_windows_are_the_sentence_its_neighbours_and_the_paragraph(verifier: Verifier) -> None:
    claim, _ = seed_claims()[0]
    found = grounds(claim, verifier.search(claim))
    assert len({ground.place for ground in found}) == len(found) <= 3 * NEAREST + JOINED
    assert found[0].length == 1
    assert "released on February 11" in found[0].text
    lengths = {run.last - run.first + 1 for ground in found for run in ground.runs}
    assert {1, 3} < lengths
    for ground in found:
        for run in ground.runs:
            assert run.first == run.last or run.end - run.start <= WIDEST
    assert grounds(claim, []) == []


def test_sentences_are_joined_where_each_has_a_word_of_the_claim(verifier: Verifier) -> None:
    claim = "India is not non-aligned any more and has a massive trade deficit."
    apart = [own for own in grounds(claim, verifier.search(claim)) if len(own.runs) == 2]
    assert 0 < len(apart) <= JOINED
    assert any("non-aligned" in own.text and "deficit" in own.text for own in apart)
    alone = "India has a massive trade deficit with the world."
    found = grounds(alone, verifier.search(alone))
    assert not any(len(own.runs) == 2 for own in found)  # one sentence has all of its words


def test_the_likeliest_is_cited_where_none_is_enough_alone(verifier: Verifier) -> None:
    claim, _ = seed_claims()[0]
    found = grounds(claim, verifier.search(claim))
    features = weigh(claim, found, None)
    assert features is not None
    # The highest of both features reach 3 together, which no ground does.
    grown = tuple(
        {"entail": 0.0, "cosine": 2.0 if n == 3 else 0.0, "cover": 1.0 if n == 1 else 0.0}
        for n in range(len(found))
    )
    rule = Rule(Logistic({"cosine": 1.0, "cover": 1.0}, -2.5), 0.5)
    judged = verdict(found, replace(features, grounds=grown), rule)
    assert judged.supported
    assert judged.spans == found[3].runs
    assert not verdict([], None, rule).supported


def test_dates_are_read_in_one_order(verifier: Verifier) -> None:
    dates = ("11 February", "February 11")
    found = [verifier.judge(f"The US Indo-Pacific strategy was released on {d}.") for d in dates]
    assert found[0].supported
    assert found[0].probability == found[1].probability


def test_nothing_to_verify(assistant: Assistant) -> None:
    with pytest.raises(QuestionError, match="no sentence to verify"):
        assistant.verify("  \n")
    for nothing in ("[1]", "Not at all."):
        assert not assistant.verify(nothing).supported


def test_an_unknown_model_of_inference_is_told(assistant: Assistant, tmp_path: Path) -> None:
    settings = assistant.settings.model_copy(update={"verifier": str(tmp_path / "none")})
    other = Assistant(assistant.index, assistant.document_ids, settings)
    with pytest.raises(ReaderError, match="FOOTNOTE_VERIFIER"):
        other.verify("India has no alliances.")


def test_the_command_verifies_a_file(tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("India has no alliances. It has four hundred allies in Berlin.\n")
    done = footnote("verify", file, "--json", "--index-dir", tmp_path / "index", code=3)
    verdicts = [sentence["verdict"] for sentence in json.loads(done.stdout)["sentences"]]
    assert verdicts == ["supported", "unsupported"]
    footnote("verify", tmp_path / "none.txt", code=2)
