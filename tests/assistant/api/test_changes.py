"""What is told when the documents change while a question is answered, and when the server that
holds the index is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from chroma_servers import ChromaServer, until
from helpers import PATIENCE
from services import api_here, client_of, events_of, problem

from assistant import Assistant
from assistant.events import Event
from assistant.query.rewriting import Turn
from assistant.settings import Settings

BEFORE = "Walnuts float in brine."
AFTER = "Walnuts sink in brine."
ASKED = {"question": "What do walnuts do in brine?"}
TEXTS = {"nuts": BEFORE, "pears": "Pears sink in brine.", "plums": "Plums are blue in brine."}


class Changing(Assistant):
    """The real assistant; what is to come happens as soon as something of an answer is there, one
    after the other, or the first of it even sooner."""

    coming: ClassVar[list[Callable[[], object]]] = []
    sooner: ClassVar[bool] = False

    def becomes(self, text: str) -> None:
        """What the first document is to hold, as if another process wrote it."""

        def write() -> None:
            file = Path(self.documents[0].source)
            file.write_text(text, encoding="utf-8")
            Assistant.open(file, index_dir=self.index.folder).close()

        self.coming.append(write)

    def _meanwhile(self, events: Iterator[Event]) -> Iterator[Event]:
        if self.sooner and self.coming:
            self.coming.pop(0)()
        for event in events:
            yield event
            if self.coming:
                self.coming.pop(0)()

    def stream(self, question: str, history: Sequence[Turn] = (), **how: Any) -> Iterator[Event]:
        return self._meanwhile(super().stream(question, history, **how))

    def stream_overview(self, *about: Any) -> Iterator[Event]:
        return self._meanwhile(super().stream_overview(*about))


@pytest.fixture
def changing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Changing]:
    monkeypatch.setattr(Changing, "coming", [])
    for name, text in TEXTS.items():
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    files = [tmp_path / f"{name}.txt" for name in TEXTS]
    with Changing.open(*files, index_dir=tmp_path / "index") as opened:
        yield opened


def test_an_answer_is_of_what_was_there_when_it_was_asked(changing: Changing) -> None:
    """However it is asked for; the next one is of what is there then."""
    events = {"accept": "text/event-stream"}
    wanted = {"model": "footnote", "messages": [{"role": "user", "content": ASKED["question"]}]}
    with api_here(changing) as url, client_of(url) as client:
        changing.becomes(AFTER)
        steps = events_of(client.post("api/ask", json=ASKED, headers=events))
        assert [name for name, _ in steps] == ["sources", "decided", "sentence", "done"]
        assert steps[-1][1]["text"] == BEFORE

        changing.becomes(BEFORE)
        told = client.post("v1/chat/completions", json={**wanted, "stream": True}).text
        assert AFTER.split()[1] in told
        assert told.endswith("data: [DONE]\n\n")

        changing.becomes(AFTER)
        assert client.post("api/ask", json=ASKED).json()["text"] == BEFORE
        changing.becomes(BEFORE)
        told_whole = client.post("v1/chat/completions", json=wanted).json()
        assert told_whole["footnote"]["text"] == AFTER


@pytest.mark.parametrize("sooner", [True, False])
@pytest.mark.parametrize("about", ["a question", "everything"])
def test_where_nothing_is_chosen_what_is_gone_is_left_out(
    changing: Changing, monkeypatch: pytest.MonkeyPatch, sooner: bool, about: str
) -> None:
    monkeypatch.setattr(Changing, "sooner", sooner)
    for document in changing.document_ids[1:]:
        changing.coming.append(partial(changing.index.remove, document))
    with api_here(changing) as url, client_of(url) as client:
        path, asked = ("ask", ASKED) if about == "a question" else ("overview", {})
        answer = client.post(f"api/{path}", json=asked).json()
        if sooner or about == "a question":
            assert answer["text"] == BEFORE
        else:  # it had begun
            assert BEFORE in answer["text"]
        assert changing.coming == []
        assert client.post(f"api/{path}", json=asked).json()["text"] == BEFORE


@pytest.mark.parametrize("sooner", [True, False])
def test_what_is_chosen_and_gone_is_told(
    changing: Changing, monkeypatch: pytest.MonkeyPatch, sooner: bool
) -> None:
    monkeypatch.setattr(Changing, "sooner", sooner)
    *_, last = changing.document_ids
    changing.coming.append(partial(changing.index.remove, last))
    with api_here(changing) as url, client_of(url) as client:
        asked = ASKED | {"documents": list(changing.document_ids)}
        if not sooner:  # it had begun
            assert client.post("api/ask", json=asked).json()["text"] == BEFORE
        assert "no longer here" in problem(client.post("api/ask", json=asked), 404)["detail"]


def test_a_server_that_is_gone_is_told_and_when_to_try_again(
    own_server: ChromaServer, postgres_address: str, tmp_path: Path
) -> None:
    settings = Settings(
        chroma=own_server.address().url, database=postgres_address, index_dir=tmp_path
    )
    file = tmp_path / "nuts.txt"
    file.write_text(BEFORE, encoding="utf-8")
    with (
        Assistant.open(file, settings=settings) as assistant,
        api_here(assistant) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        assert client.post("api/ask", json=ASKED).json()["text"] == BEFORE
        own_server.kill()
        for refused in (client.post("api/ask", json=ASKED), client.get("health/ready")):
            assert "cannot be reached" in problem(refused, 503)["detail"], refused.url
            assert own_server.address().url not in refused.text
            assert int(refused.headers["retry-after"]) > 0
        own_server.start()
        until(lambda: client.post("api/ask", json=ASKED).status_code == 200)
        assert client.post("api/ask", json=ASKED).json()["text"] == BEFORE
