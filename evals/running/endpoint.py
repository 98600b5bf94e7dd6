"""Another system, asked over OpenAI's protocol: one question, one chat completion, not streamed.

What it says and cites is read as it comes (`evals.running.replies` tells what that is worth). It
has to have the documents of the set already. The only module of the evaluation that imports httpx.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from assistant.llm.discovery import is_loopback
from assistant.query.rewriting import Turn
from index.errors import FootnoteError, SettingsError

#: How often a question is asked again of a server that has too much to do, and the most seconds
#: that are waited before.
MAX_RETRIES, MAX_WAIT = 3, 60.0
#: Too many requests; not available now.
_BUSY = (429, 503)
#: What no other question would change: key, address or model are not right.
_MISTAKES = (401, 403, 404, 405)
#: Most characters of a server's error message that are shown.
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


class Endpoint:
    """Where another system is, and how it is asked. May be used from several threads.

    Args:
        address: up to and with `/v1`.
        model: as it is named there.
        key: sent as a bearer's; never shown.
        timeout: seconds for a reply.
        system: what is said to it first; nothing where it is "".
        body: fields of the request besides.

    Attributes:
        made_with: all but the key, as plain values.

    Raises:
        SettingsError: the address is invalid, or holds a secret.
    """

    def __init__(
        self,
        address: str,
        model: str,
        key: str | None,
        timeout: float,
        system: str,
        body: Mapping[str, Any],
    ) -> None:
        parts = urlsplit(address)
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingsError(
                "The address holds more than where the endpoint is. Give http://host:port/v1, and "
                "its key in the environment."
            )
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(
                f"{address!r} is no address of an endpoint. Give http://host:port/v1."
            )
        self._address, self._key = address, key
        self._asked = f"{address.rstrip('/').removesuffix('/chat/completions')}/chat/completions"
        self.made_with: dict[str, Any] = {
            "endpoint": self._asked,
            "model": model,
            "system": system,
            "body": dict(body),
            "timeout": timeout,
        }
        self._client = httpx.Client(
            timeout=timeout,
            headers={"authorization": f"Bearer {key}"} if key else {},
            trust_env=not is_loopback(parts.hostname),  # no proxy for this machine
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """What it replies to a question after a conversation.

        Raises:
            NoReplyError: it does not reply, or not in OpenAI's form.
            SettingsError: it is not there, or takes no question at all: its address, the model or
                the key is not right.
        """
        own = self.made_with
        first = [{"role": "system", "content": own["system"]}] if own["system"] else []
        messages = [*first, *history, {"role": "user", "content": question}]
        started = time.perf_counter()
        response = self._send(
            {**own["body"], "model": own["model"], "messages": messages, "stream": False}
        )
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
        for again in range(MAX_RETRIES + 1):
            response = self._post(body)
            if response.status_code not in _BUSY or again == MAX_RETRIES:
                break
            # As long as the server says, or twice as long each time.
            told = response.headers.get("retry-after", "")
            time.sleep(min(float(told) if told.isdecimal() else 2.0**again, MAX_WAIT))
        status = response.status_code
        if status == httpx.codes.OK:
            return response
        said = f"{self._asked} replied with {status}: {self._told(response)}"
        if status in _MISTAKES:
            raise SettingsError(
                f"{said}. Look at the address, which is to end with /v1, the model and the key."
            )
        raise NoReplyError(f"{said}.")

    def _post(self, body: Mapping[str, Any]) -> httpx.Response:
        try:
            return self._client.post(self._asked, json=body)
        except httpx.TimeoutException as error:
            timeout = self.made_with["timeout"]
            raise NoReplyError(f"There was no reply within {timeout:g} s.") from error
        except httpx.ConnectError as error:
            raise SettingsError(
                f"Nothing answers at {self._address} ({error}). Start it, or give its right "
                "address. What was asked so far is kept: the same command goes on there."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NoReplyError(f"The connection broke: {error or type(error).__name__}.") from error

    def _told(self, response: httpx.Response) -> str:
        """What a server says about an error, without the key."""
        try:
            said = str(response.json()["error"]["message"])
        except (ValueError, LookupError, TypeError):
            said = response.text
        if self._key:
            said = said.replace(self._key, "…")
        return " ".join(said.split())[:_TOLD].rstrip(".") or response.reason_phrase


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
