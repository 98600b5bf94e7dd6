"""What is told when the documents change while a question is answered, and when the server that
holds the index is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest
from chroma_servers import ChromaServer, until
from helpers import PATIENCE
from services import api_here, client_of, problem

from assistant import Assistant
from assistant.answer import Event
from assistant.query.rewriting import Turn
from assistant.settings import Settings

BEFORE = "Walnuts float in brine.\n\nPears sink in it.\n"
AFTER = "Walnuts sink in brine.\n\nPlums are blue.\n"
ASKED = {"question": "What do walnuts do in brine?"}


class Changing(Assistant):
    """The real assistant; each text that is to come takes the document's place as soon as something
    of an answer is there, as if another process wrote it."""

    coming: ClassVar[list[str]] = []
    file: ClassVar[Path]

    def stream(self, question: str, history: Sequence[Turn] = (), **how: Any) -> Iterator[Event]:
        for event in super().stream(question, history, **how):
            yield event
            if self.coming:
                self.file.write_text(self.coming.pop(0), encoding="utf-8")
                with Assistant.open(self.file, index_dir=self.index.folder):
                    pass


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[Changing]:
    Changing.file = tmp_path / "nuts.txt"
    Changing.file.write_text(BEFORE, encoding="utf-8")
    Changing.coming.clear()
    with Changing.open(Changing.file, index_dir=tmp_path / "index") as opened:
        yield opened


def lines_of(response: httpx.Response, start: str) -> list[str]:
    return [
        line.removeprefix(start) for line in response.text.splitlines() if line.startswith(start)
    ]


def test_who_was_shown_some_of_it_is_told_to_throw_it_away(changing: Changing) -> None:
    events = {"accept": "text/event-stream"}
    with api_here(changing) as url, client_of(url) as client:
        changing.coming.append(AFTER)
        response = client.post("api/ask", json=ASKED, headers=events)
        assert lines_of(response, "event: ") == ["sources", "decided", "sentence", "failed"]
        told = json.loads(lines_of(response, "data: ")[-1])
        assert told["status"] == 503
        assert "Ask again" in told["detail"]
        assert "Throw away what has come" in told["detail"]

        changing.coming.append(BEFORE)
        wanted = {"model": "footnote", "messages": [{"role": "user", "content": ASKED["question"]}]}
        response = client.post("v1/chat/completions", json={**wanted, "stream": True})
        *_, failed, end = lines_of(response, "data: ")
        assert "Throw away what has come" in json.loads(failed)["error"]["message"]
        assert json.loads(failed)["error"]["type"] == "server_error"
        assert end == "[DONE]"


def test_who_was_shown_nothing_gets_the_answer_of_what_is_there_now(changing: Changing) -> None:
    with api_here(changing) as url, client_of(url) as client:
        changing.coming.append(AFTER)
        answer = client.post("api/ask", json=ASKED).json()
        assert answer["text"] == "Walnuts sink in brine."
        changing.coming.append(BEFORE)
        wanted = {"model": "footnote", "messages": [{"role": "user", "content": ASKED["question"]}]}
        told = client.post("v1/chat/completions", json=wanted).json()
        assert told["footnote"]["text"] == "Walnuts float in brine."


def test_a_server_that_is_gone_is_told_and_when_to_try_again(
    own_server: ChromaServer, tmp_path: Path
) -> None:
    settings = Settings(chroma=own_server.address().url, index_dir=tmp_path)
    file = tmp_path / "nuts.txt"
    file.write_text(BEFORE, encoding="utf-8")
    with (
        Assistant.open(file, settings=settings) as assistant,
        api_here(assistant) as url,
        httpx.Client(base_url=url, timeout=PATIENCE) as client,
    ):
        assert client.post("api/ask", json=ASKED).json()["text"] == "Walnuts float in brine."
        own_server.kill()
        for path in ("api/ask", "api/overview", "health/ready"):
            body = ASKED if path == "api/ask" else {}
            method = "GET" if path == "health/ready" else "POST"
            refused = client.request(method, path, json=body)
            assert "cannot be reached" in problem(refused, 503)["detail"], path
            assert int(refused.headers["retry-after"]) > 0
        own_server.start()
        until(lambda: client.post("api/ask", json=ASKED).status_code == 200)
        assert client.post("api/ask", json=ASKED).json()["text"] == "Walnuts float in brine."
