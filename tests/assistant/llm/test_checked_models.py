"""Who passes the check: stubs of all characters, asked through the whole of the product."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from checked_models import Model, always_answers, declines, good, obeys, plays
from helpers import PATIENCE
from model_servers import Handler, fails, serving, words, writes

from assistant import Assistant
from assistant.llm.check_results import LEAST_RIGHT, MOST_ANSWERED, MOST_WRONG, Counts, Result
from assistant.llm.checks import (
    MAX_FAILURES,
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
    settings = settings_for(load_settings(llm="none"), tmp_path_factory.mktemp("check"))
    with Assistant.open(*texts(), settings=settings) as assistant:
        yield assistant


def asked(
    quoting: Assistant, llm: str, which: Sequence[CheckQuestion] | None = None
) -> tuple[list[Asked], Result]:
    """Questions, all or these, put to a model over the same index."""
    given = load_settings(llm=llm, llm_timeout=PATIENCE, llm_context=8192)
    settings = settings_for(given, quoting.settings.index_dir)
    assistant = Assistant(quoting.index, quoting.document_ids, settings)
    try:
        done = list(check(assistant.ask, which))
    finally:
        assistant._writer.close()
    return done, result_of(done, given)


def unending(handler: Handler) -> None:
    """A model that writes as much as it may."""
    handler.begin()
    handler.piece("The sky is grey over the")
    handler.piece("", "length")
    handler.raw("[DONE]")


def test_a_good_model_passes(quoting: Assistant) -> None:
    with serving(plays(good)) as (address, _):
        done, result = asked(quoting, address)
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
    assert result.median_seconds > 0


@pytest.mark.parametrize(
    ("model", "why"),
    [
        # It fails by the rest alone.
        (always_answers, lambda c: c.answered > MOST_ANSWERED and c.right >= LEAST_RIGHT),
        (declines, lambda c: (c.right, c.withheld, c.declined) == (0, 28, 12)),
        (obeys, lambda c: c.wrong > MOST_WRONG and c.right < LEAST_RIGHT),
    ],
)
def test_a_bad_model_fails(quoting: Assistant, model: Model, why: Callable[[Counts], bool]) -> None:
    with serving(plays(model)) as (address, _):
        _, result = asked(quoting, address)
    assert not result.passed
    assert why(result.counts), result.counts


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
        done, result = asked(quoting, address, questions()[: MAX_FAILURES + 1])
    assert [one.verdict for one in done] == ["failed"] * (MAX_FAILURES + 1)
    assert not result.passed


def test_a_model_that_fails_now_and_then_is_not_given_up(quoting: Assistant) -> None:
    answers = plays(good)

    def chat(handler: Handler) -> None:
        (fails(500) if len(handler.asked) % 4 == 0 else answers)(handler)

    with serving(chat) as (address, _):
        _, result = asked(quoting, address)
    assert 0 < result.counts.failed < 20
