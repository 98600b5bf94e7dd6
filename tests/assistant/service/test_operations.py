"""Which documents a question is asked of, when some are taken away meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from assistant import Assistant
from assistant.answer import Done, Event
from assistant.query.rewriting import Turn
from assistant.service.operations import stream_answer, stream_overview
from assistant.service.service import Service
from index.errors import MissingPathError

QUESTION = "What do walnuts do in brine?"
FLOAT = "Walnuts float in brine."


class Losing(Assistant):
    """The real assistant, whose documents are taken away one by one as it begins to answer, or as
    soon as something of an answer is there."""

    going: ClassVar[list[str]] = []
    sooner: ClassVar[bool]

    def _without(self, events: Iterator[Event]) -> Iterator[Event]:
        if self.sooner and self.going:
            self.index.remove(self.going.pop())
        for event in events:
            yield event
            if self.going:
                self.index.remove(self.going.pop())

    def stream(self, question: str, history: Sequence[Turn] = (), **how: Any) -> Iterator[Event]:
        return self._without(super().stream(question, history, **how))

    def stream_overview(self, *about: Any) -> Iterator[Event]:
        return self._without(super().stream_overview(*about))


@pytest.fixture(params=[True, False], ids=["sooner", "later"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    Losing.going.clear()
    Losing.sooner = request.param
    texts = {"nuts": FLOAT, "pears": "Pears sink in brine.", "plums": "Plums are blue in brine."}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(f"{text}\n", encoding="utf-8")
    files = [tmp_path / f"{name}.txt" for name in texts]
    with Losing.open(*files, index_dir=tmp_path / "index") as opened:
        made = Service.of(opened, "127.0.0.1")
        yield made
        made.sessions.close()


def named(service: Service, name: str) -> str:
    return next(d.info.id for d in service.sessions.documents(None) if d.info.title == name)


def test_where_nothing_is_chosen_what_is_gone_is_left_out(service: Service) -> None:
    Losing.going.extend(named(service, f"{name}.txt") for name in ("pears", "plums"))
    for steps in (
        stream_answer(service, None, QUESTION, [], None, shown=False),
        stream_overview(service, None, None, None, None, shown=False),
    ):
        *_, done = steps
        assert isinstance(done, Done)
        assert done.answer.text == FLOAT


def test_what_is_chosen_and_gone_is_told(service: Service) -> None:
    chosen = [named(service, f"{name}.txt") for name in ("nuts", "pears")]
    Losing.going.append(chosen[1])
    with pytest.raises(MissingPathError, match="no longer here"):
        list(stream_answer(service, None, QUESTION, [], chosen, shown=False))
