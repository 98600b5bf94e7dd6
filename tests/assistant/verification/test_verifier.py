"""The verifier: rules on facts, attribution to source sentences, and how well it does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers import footnote, seed_sentences

from assistant import Assistant
from assistant.answer import Verification
from assistant.verification.claims import World, facts_of, names_in
from assistant.verification.contradictions import conflicts
from assistant.verification.verifier import Verifier, clauses
from evals.fitting.perturbation import KINDS, perturb
from evals.fitting.verifier import half, read_claims
from index.errors import QuestionError, ReaderError

SOURCE = (
    "Russia supplied 12 percent of China's gas on February 11, 2019, after the talks in Moscow."
)
TEXTS = (
    SOURCE,
    "It did not join the alliance. Exports rose before the war. The Self-Defense Forces grew.",
    "Alexander Gabuev works in Moscow. Later Gabuev said that China and Moscow disagree.",
)
KNOWN = names_in(TEXTS)
WORLD = World(KNOWN, frozenset(n for text in TEXTS for n in facts_of(text, KNOWN).names))


def found(claim: str, evidence: str = SOURCE, around: str = "") -> set[str]:
    own = [facts_of(text, KNOWN) for text in (claim, evidence, around)]
    return set(conflicts(own[0], own[1], own[2], WORLD))


@pytest.mark.parametrize(
    "claim",
    [
        "On 11 February 2019 Russia supplied twelve per cent of Chinese gas.",
        "Russian gas made up 12% of what China used.",
        "Moscow supplied gas after talks.",
        "In February 2019 China's gas came from Russia.",
    ],
)
def test_what_is_said_otherwise_is_the_same(claim: str) -> None:
    assert found(claim) == set()


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Russia supplied 13 percent of China's gas.", "number"),
        ("Russia supplied 12 percent of China's gas for forty years.", "number"),
        ("Russia supplied gas on March 11, 2019.", "date"),
        ("Russia supplied gas on February 12.", "date"),
        ("Russia supplied gas in February 2018.", "date"),
        ("Norway supplied 12 percent of China's gas.", "name"),
        ("Russia supplied 12 percent of India's gas.", "name"),
        ("Russia did not supply 12 percent of China's gas.", "negation"),
        ("China supplied 12 percent of Russia's gas.", "direction"),
        ("Russia supplied gas to China before the talks in Moscow.", "direction"),
    ],
)
def test_what_is_changed_is_found(claim: str, kind: str) -> None:
    assert kind in found(claim)


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("Exports fell.", "Exports rose before the war.", {"direction"}),
        ("Exports increased.", "Exports rose before the war.", set()),
        ("It joined the alliance.", "It did not join the alliance.", {"negation"}),
        ("It refused to join the alliance.", "It did not join the alliance.", set()),
        ("The Self-Defense Forces grew.", "The SDF grew.", set()),
        ("Alexander Gabuev said so.", "Later Gabuev said so.", set()),
        ("Boris Gabuev said so.", "Later Gabuev said so.", {"name"}),
    ],
)
def test_polarity_initials_and_full_names(claim: str, evidence: str, expected: set[str]) -> None:
    assert found(claim, evidence) == expected


def test_a_pronoun_stands_for_a_name_before_it() -> None:
    assert found("Russia has grown.", "It has grown.", "Russia is large.") == set()
    assert found("Japan has grown.", "It has grown.", "Russia is large.") == {"name"}


def test_clauses() -> None:
    assert clauses("India has grown very fast; China has grown a lot more slowly.") == [
        "India has grown very fast",
        "China has grown a lot more slowly.",
    ]
    assert clauses("It grew, but slowly.") == ["It grew, but slowly."]


# --- on the document that is shipped ------------------------------------------------------------


@pytest.fixture(scope="module")
def verifier(assistant: Assistant) -> Verifier:
    return assistant._load_verifier()


def test_sentences_come_with_verdicts_and_citations(assistant: Assistant) -> None:
    text = (
        "The American strategy for the Indo-Pacific came out on 11 February. "
        "It was written by Olaf Scholz in Berlin.\nIndia has no alliances."
    )
    verification = assistant.verify(text)
    assert isinstance(verification, Verification)
    assert [s.verdict for s in verification.sentences] == ["supported", "unsupported", "supported"]
    assert "name" in verification.sentences[1].conflicts
    documents = {document.id: document for document in assistant.documents}
    for citation in verification.citations:
        citation.check(documents[citation.paragraph.document_id])
    assert "released on February 11" in verification.citations[0].quote
    assert not verification.supported
    assert json.loads(json.dumps(verification.to_dict()))["sentences"][1]["markers"] == []
    assert "unsupported (" in str(verification) and "[1]" in str(verification)


def test_a_compound_sentence_needs_all_of_its_parts(assistant: Assistant) -> None:
    true = "Customs duties have increased in India"
    false = "its football team won the championship of South Asia"
    assert assistant.verify(f"{true}.").supported
    assert not assistant.verify(f"{true}, and {false}.").supported


def test_nothing_to_verify(assistant: Assistant) -> None:
    with pytest.raises(QuestionError, match="no sentence to verify"):
        assistant.verify("  \n")


def test_every_kind_of_change_is_caught(verifier: Verifier) -> None:
    """The whole measurement is `footnote eval verifier`; this is a sample of its held-out half."""
    claims = [claim for claim in read_claims() if not half(claim.evidence)][::4]
    kept = [verifier.judge(claim.claim).supported for claim in claims]
    assert sum(kept) >= 0.8 * len(kept)
    names = ["Russia", "China", "Japan", "India", "Ukraine", "Gabuev", "Putin"]
    caught: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for perturbed in perturb(seed_sentences()[::8], names, most=1):
        caught[perturbed.kind].append(not verifier.judge(perturbed.text).supported)
    assert all(caught.values())
    missed = {kind: own.count(False) for kind, own in caught.items() if not all(own)}
    assert sum(missed.values()) <= 1, missed


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
