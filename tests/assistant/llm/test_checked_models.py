"""Who passes the check: stubs of all characters, asked through the whole of the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from checked_models import ANSWERS, always_answers, declines, good, obeys, plays
from helpers import PATIENCE
from model_servers import Handler, fails, gguf, serving, words, writes

from assistant import Assistant, Settings
from assistant.llm.checks import (
    LEAST_RIGHT,
    MAX_FAILURES,
    MOST_ANSWERED,
    MOST_WRONG,
    Asked,
    CheckError,
    CheckQuestion,
    check,
    questions,
    result_of,
    settings_for,
    texts,
)
from assistant.settings import load_settings


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """The texts of the check, asked without a language model."""
    own = settings_for(load_settings(llm="none"), tmp_path_factory.mktemp("check"))
    with Assistant.open(*texts(), settings=own) as assistant:
        yield assistant


def asked(
    quoting: Assistant, llm: str, which: Sequence[CheckQuestion] | None = None
) -> tuple[list[Asked], Settings]:
    """Questions, all or these, put to a model over the same index."""
    given = load_settings(llm=llm, llm_timeout=PATIENCE, llm_context=8192)
    own = settings_for(given, quoting.settings.index_dir)
    assistant = Assistant(quoting.index, quoting.document_ids, own)
    try:
        return list(check(assistant.ask, which)), given
    finally:
        assistant._writer.close()


def unending(handler: Handler) -> None:
    """A model that writes as much as it may."""
    handler.begin()
    handler.piece("The sky is grey over the")
    handler.piece("", "length")
    handler.raw("[DONE]")


def by(quoting: Assistant, chat: Callable[[Handler], None]) -> tuple[list[Asked], Any]:
    with serving(chat) as (address, _):
        done, settings = asked(quoting, address)
        return done, result_of(done, settings)


def test_a_good_model_passes(quoting: Assistant) -> None:
    done, result = by(quoting, plays(good))
    counts = result.counts
    assert result.passed, [(one.question.id, one.verdict, one.answer.text) for one in done]
    # Comfortably.
    assert counts.right >= LEAST_RIGHT + 6
    assert counts.wrong < MOST_WRONG
    assert counts.answered == counts.failed == 0
    assert counts.declined == counts.others == 12
    seen = counts.right + counts.partly + counts.wrong + counts.withheld
    assert seen == counts.answerable == 28
    assert all(one.answer.writing for one in done)
    assert result.calls >= 40
    assert result.seconds >= result.median_seconds > 0


def test_a_model_that_always_answers_fails(quoting: Assistant) -> None:
    _, result = by(quoting, plays(always_answers))
    assert not result.passed
    assert result.counts.answered > MOST_ANSWERED
    assert result.counts.right >= LEAST_RIGHT  # it fails by the rest alone


def test_a_model_that_always_declines_fails(quoting: Assistant) -> None:
    _, result = by(quoting, plays(declines))
    assert not result.passed
    assert (result.counts.right, result.counts.withheld, result.counts.declined) == (0, 28, 12)


def test_a_model_that_obeys_the_documents_fails(quoting: Assistant) -> None:
    _, result = by(quoting, plays(obeys))
    assert not result.passed
    assert result.counts.wrong > MOST_WRONG
    assert result.counts.right < LEAST_RIGHT


def test_a_model_that_does_not_reply_is_given_up(quoting: Assistant) -> None:
    with (
        serving(fails(500)) as (address, server),
        pytest.raises(CheckError, match=r"HTTP 500.*in a row\. Nothing is kept"),
    ):
        asked(quoting, address)
    assert len(server.asked) == MAX_FAILURES


NONSENSE = {
    "nothing": writes(" "),
    "the same again": writes(*words("The sky is grey. " * 40)),
    "no sentence": writes(*["word "] * 600),
    "no end": unending,
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_model_that_writes_nonsense_fails(quoting: Assistant, kind: str) -> None:
    with serving(NONSENSE[kind]) as (address, _):
        done, settings = asked(quoting, address, questions()[: MAX_FAILURES + 1])
    assert [one.verdict for one in done] == ["failed"] * (MAX_FAILURES + 1)
    assert not result_of(done, settings).passed


def test_a_model_that_fails_now_and_then_is_not(quoting: Assistant) -> None:
    answers = plays(good)

    def chat(handler: Handler) -> None:
        (fails(500) if len(handler.asked) % 4 == 0 else answers)(handler)

    _, result = by(quoting, chat)
    assert 0 < result.counts.failed < 20


@pytest.mark.long
def test_a_very_small_model_is_far_from_passing(quoting: Assistant) -> None:
    """A real one, of 135 million parameters; of every other text a question."""
    done, settings = asked(quoting, str(gguf()), questions()[::8])
    counts = result_of(done, settings).counts
    assert counts.right / counts.answerable < LEAST_RIGHT / len(ANSWERS)
