"""Metrics for Prometheus: of what was asked nothing but how often. The one module that imports
prometheus_client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import get_args

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from assistant.answer import Answer, Outcome
from assistant.events import Done, Event

CONTENT_TYPE = CONTENT_TYPE_LATEST

_STAGES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_REQUESTS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """The metrics of one server. May be used from many threads.

    Args:
        running, waiting: how many questions are.
        revision: of the index; None where it has none.
    """

    def __init__(
        self,
        running: Callable[[], float],
        waiting: Callable[[], float],
        revision: Callable[[], str | None],
    ) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._revision = revision
        counter = partial(Counter, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        gauge = partial(Gauge, registry=self._registry)
        self._questions = counter(
            "footnote_questions",
            "Questions by what became of them: answered, unsure, refused, or failed.",
            ["status"],
        )
        self._outcomes = counter(
            "footnote_llm_questions",
            "Questions that a language model was to answer, by what came of it.",
            ["outcome"],
        )
        self._calls = counter("footnote_llm_calls", "Calls of a language model.")
        self._tokens = counter(
            "footnote_llm_tokens",
            "Tokens that language models read (prompt) and wrote (completion), of those that tell.",
            ["kind"],
        )
        self._stages = histogram(
            "footnote_stage_seconds",
            "How long each stage of an answer took.",
            ["stage"],
            buckets=_STAGES,
        )
        self._requests = counter(
            "footnote_requests", "Requests by route and status.", ["method", "route", "status"]
        )
        self._request_seconds = histogram(
            "footnote_request_seconds",
            "How long requests took, streams to their end.",
            ["route"],
            buckets=_REQUESTS,
        )
        self._index = gauge(
            "footnote_index", "1 for the revision of the index that is answered from.", ["revision"]
        )
        gauge("footnote_questions_running", "Questions that are being answered.").set_function(
            running
        )
        gauge("footnote_questions_waiting", "Questions that wait for their turn.").set_function(
            waiting
        )
        for status in ("answered", "unsure", "refused", "failed"):
            self._questions.labels(status)  # so that each is there before the first
        for outcome in get_args(Outcome):
            self._outcomes.labels(outcome)

    def counted(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events of an answer, whose outcome is counted at the end. An answer that nobody waits
        for any more is not counted."""
        try:
            for event in events:
                if isinstance(event, Done):
                    self._answer(event.answer)
                yield event
        except Exception:
            self._questions.labels("failed").inc()
            raise

    def _answer(self, answer: Answer) -> None:
        self._questions.labels(answer.status).inc()
        for stage, milliseconds in answer.timings_ms.items():
            self._stages.labels(stage).observe(milliseconds / 1000)
        if writing := answer.writing:
            self._outcomes.labels(writing.outcome).inc()
            self._calls.inc(writing.calls)
            self._tokens.labels("prompt").inc(writing.prompt_tokens or 0)
            self._tokens.labels("completion").inc(writing.completion_tokens or 0)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            method: of HTTP.
            route: the pattern of its address, which names nobody's documents.
            status: what it was answered with.
            seconds: until all of that was sent.
        """
        self._requests.labels(method, route, status).inc()
        self._request_seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it (`CONTENT_TYPE`)."""
        self._index.clear()
        if (revision := self._revision()) is not None:
            self._index.labels(revision).set(1)
        return generate_latest(self._registry)
