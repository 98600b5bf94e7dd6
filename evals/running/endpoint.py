"""Asks another system over OpenAI's protocol: one question, one chat completion, not streamed.

What it says and cites is read as it comes (`evals.running.replies` tells what that is worth). It
has to have the documents of the set already. The only module of the evaluation that imports httpx.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from assistant.llm.discovery import is_loopback
from assistant.query.rewriting import Turn
from index.errors import FootnoteError, SettingsError

#: How often a question is asked again of a server that has too much to do, and the most seconds
#: that are waited before.
AGAIN, LONGEST_WAIT = 3, 60.0
#: Too many requests; not available now.
_BUSY = (429, 503)
#: What no other question would change: key, address or model are not right.
_MISTAKES = (401, 403, 404, 405)
#: Characters of what a server says that are told.
_TOLD = 300


class NoReplyError(FootnoteError):
    """A question got no reply; the message tells why. It counts as failed."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a reply cites.

    Attributes:
        start, end: where in the text that is marked; None where it is not told.
        quote: the quoted words; "" where there are none.
        names: all that it says about where they stand: title, file name, address, ids.
    """

    start: int | None
    end: int | None
    quote: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: its text, what it cites, whether the protocol itself calls it a refusal; and the
    milliseconds that it took."""

    text: str
    annotations: tuple[Annotation, ...] = ()
    refusal: bool = False
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where another system is, and how it is asked.

    Attributes:
        address: up to and with `/v1`.
        model: as it is named there.
        key: sent as a bearer's; never shown.
        timeout: seconds for a reply.
        system: what is said to it first; nothing where it is "".
        body: fields of the request besides.

    Raises:
        SettingsError: the address is none, or holds a secret.
    """

    address: str
    model: str
    key: str | None = field(repr=False)
    timeout: float
    system: str
    body: Mapping[str, Any]

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingsError(
                "The address holds more than where the endpoint is. Give http://host:port/v1, and "
                "its key in the environment."
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{self.address!r} is no address of an endpoint. Give http://host:port/v1."
            )

    @property
    def completions(self) -> str:
        """The address that is asked."""
        return f"{self.address.rstrip('/').removesuffix('/chat/completions')}/chat/completions"

    def to_dict(self) -> dict[str, Any]:
        """All but the key, as plain values."""
        return {
            "endpoint": self.completions,
            "model": self.model,
            "system": self.system,
            "body": dict(self.body),
            "timeout": self.timeout,
        }


class EndpointClient(AbstractContextManager["EndpointClient"]):
    """Asks an endpoint. May be used from several threads.

    Args:
        endpoint: which.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        here = is_loopback(urlsplit(endpoint.address).hostname or "")
        key = {"authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        # A proxy is none of what is on this machine.
        self._client = httpx.Client(timeout=endpoint.timeout, headers=key, trust_env=not here)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """What it replies to a question after a conversation.

        Raises:
            NoReplyError: it does not reply, or not in OpenAI's form.
            SettingsError: it is not there, or takes no question at all: its address, the model or
                the key is not right.
        """
        own = self._endpoint
        system = [{"role": "system", "content": own.system}] if own.system else []
        messages = [*system, *history, {"role": "user", "content": question}]
        body = {**own.body, "model": own.model, "messages": messages, "stream": False}
        started = time.perf_counter()
        response = self._send(body)
        ms = 1000 * (time.perf_counter() - started)
        try:
            message = response.json()["choices"][0]["message"]
            refusal = message.get("refusal")
            text = refusal or _text_of(message.get("content"))
            noted = message.get("annotations") or []
            return Reply(text, tuple(map(_annotation, noted)), bool(refusal), ms)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise NoReplyError(
                f"Its reply is no chat completion: {response.text[:80]!r}."
            ) from error

    def _send(self, body: Mapping[str, Any]) -> httpx.Response:
        for again in range(AGAIN + 1):
            response = self._post(body)
            if response.status_code not in _BUSY or again == AGAIN:
                break
            time.sleep(_wait(response, again))
        status = response.status_code
        if status == httpx.codes.OK:
            return response
        said = f"{self._endpoint.completions} replied with {status}: {self._told(response)}"
        if status in _MISTAKES:
            raise SettingsError(
                f"{said}. Look at the address, which is to end with /v1, the model and the key."
            )
        raise NoReplyError(f"{said}.")

    def _post(self, body: Mapping[str, Any]) -> httpx.Response:
        own = self._endpoint
        try:
            return self._client.post(own.completions, json=body)
        except httpx.TimeoutException as error:
            raise NoReplyError(f"There was no reply within {own.timeout:g} s.") from error
        except httpx.ConnectError as error:
            raise SettingsError(
                f"Nothing answers at {own.address} ({error}). Start it, or give its right address. "
                "What was asked so far is kept: the same command goes on there."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoReplyError(f"The connection broke: {error or type(error).__name__}.") from error

    def _told(self, response: httpx.Response) -> str:
        """What a server says about an error, without the key."""
        try:
            said = str(response.json()["error"]["message"])
        except (ValueError, LookupError, TypeError):
            said = response.text
        if self._endpoint.key:
            said = said.replace(self._endpoint.key, "…")
        return " ".join(said.split())[:_TOLD].rstrip(".") or response.reason_phrase


def _wait(response: httpx.Response, again: int) -> float:
    """Seconds to wait, as the server says, or twice as long each time."""
    try:
        said = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        said = 2.0**again
    return min(max(said, 0.0), LONGEST_WAIT)


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if content is not None and not isinstance(content, str):
        raise TypeError
    return content or ""


def _annotation(noted: Mapping[str, Any]) -> Annotation:
    """An annotation of any kind: what it holds stands below its type's name, or beside it."""
    below = noted.get(noted["type"])
    told = {**noted, **(below if isinstance(below, dict) else {})}
    quote = told.get("quote") or told.get("cited_text") or ""
    start, end = told.get("start_index"), told.get("end_index")
    names = (told.get(n) for n in ("document_id", "file_id", "filename", "title", "url"))
    return Annotation(
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        quote=quote if isinstance(quote, str) else "",
        names=tuple(name for name in names if isinstance(name, str) and name),
    )
