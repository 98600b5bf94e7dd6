"""What one client waits for while another does its worst at the same server."""

from __future__ import annotations

import json
import statistics
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from assistant import Assistant
from assistant.access.api_keys import Keys
from assistant.api.runner import served
from assistant.service.service import Service
from assistant.settings import load_settings
from evals.benchmark.concurrent_writes import SMALL, seconds

#: Questions that the one asks, and requests that the other has sent at all times. Not tuned.
QUESTIONS_ASKED, AT_ONCE = 100, 50
#: The header of a form with one file, which no reader can read, and the form.
_FORM = {"content-type": "multipart/form-data; boundary=x"}
_FILE = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="%d.pdf"\r\n\r\n'
    b"%%PDF-1.7 broken\r\n--x--\r\n"
)


def worst_size(settings: Mapping[str, Any], questions: Sequence[str]) -> dict[str, Any]:
    """Ask QUESTIONS_ASKED questions over HTTP, and as many while another client has AT_ONCE
    requests there: long questions, answers that it leaves, lists, files that cannot be read.

    Returns:
        `http_p95_ms` and `worst_p95_ms`, milliseconds that 95 % of the answers took at most,
        without and beside it; `worst_ready_ms`, the same of `/health/ready` beside it;
        `worst_failed`, how many of those failed.
    """
    loaded = load_settings(**settings, reader="shipped", rate="1000000/second")
    index = loaded.open_index()
    with Assistant(index, [info.id for info in index.documents()], loaded) as assistant:
        keys = Keys(index.database)
        one, other = (keys.create(name, ["ask", "write"]) for name in ("one", "other"))
        times = QUESTIONS_ASKED if index.status().paragraphs >= SMALL else len(questions)
        asked = [questions[number % len(questions)] for number in range(times)]
        with served(Service(assistant, "127.0.0.1"), "127.0.0.1", [0]) as url:
            failed = list[int]()

            def took(beside: bool) -> Iterator[tuple[float, float]]:
                for number, question in enumerate(asked):
                    body = {"question": f"{question} ({number}, {beside})"}
                    ask = partial(_send, url, one, "POST", "/api/ask", _json(body), failed)
                    ready = partial(_send, url, one, "GET", "/health/ready", b"", failed)
                    yield 1000 * seconds(ask), 1000 * seconds(ready)

            alone = [answer for answer, _ in took(beside=False)]
            with _worst(url, other, questions):
                beside, ready = zip(*took(beside=True), strict=True)
    return {
        "http_p95_ms": statistics.quantiles(alone, n=20)[18],
        "worst_p95_ms": statistics.quantiles(beside, n=20)[18],
        "worst_ready_ms": statistics.quantiles(ready, n=20)[18],
        "worst_failed": len(failed),
    }


@contextmanager
def _worst(url: str, key: str, questions: Sequence[str]) -> Iterator[None]:
    over = threading.Event()

    def send(person: int) -> None:
        number = person
        while not over.is_set():
            number += AT_ONCE
            question = _json(
                {"question": f"{questions[number % len(questions)]} " * 20 + str(number)}
            )
            match number % 4:
                case 0:
                    _send(url, key, "POST", "/api/ask", question, [])
                case 1:
                    _send(url, key, "POST", "/api/ask", question, [], leaves=True)
                case 2:
                    _send(url, key, "GET", "/api/documents", b"", [])
                case _:
                    _send(url, key, "POST", "/api/documents", _FILE % number, [])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        sending = [pool.submit(send, person) for person in range(AT_ONCE)]
        try:
            yield
        finally:
            over.set()
    for one in sending:
        one.result()


def _send(
    url: str,
    key: str,
    method: str,
    path: str,
    body: bytes,
    failed: list[int],
    *,
    leaves: bool = False,
) -> None:
    """Send a request, and read the response; `failed` gets the status of one that is no success.

    Args:
        leaves: ask for events, and go away with the first of them.
    """
    form = _FORM if body.startswith(b"--x") else {"content-type": "application/json"}
    events = {"accept": "text/event-stream"} if leaves else {}
    at = urlsplit(url)
    with closing(HTTPConnection(str(at.hostname), at.port)) as connection:
        try:
            headers = {"authorization": f"Bearer {key}", **form, **events}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            response.read(1 if leaves else None)
        except (OSError, HTTPException):
            failed.append(0)
            return
    if response.status >= 400:
        failed.append(response.status)


def _json(value: Mapping[str, str]) -> bytes:
    return json.dumps(value).encode()
