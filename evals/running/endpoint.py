"""Another system, asked over OpenAI's protocol: one question, one chat completion, not streamed.

It has to have the documents of the set already. Its citations are the quotes of its annotations,
or else the quotes in its text, “…” of three words or more. A quote is looked for in the documents:
exactly, or else its words in their order whatever punctuation is between them. A quote that is in
none of the documents is a citation that is not valid. A reply is a refusal if nothing that it
quotes is in the documents, if the protocol says so, or if it begins with Footnote's own words for
it. A reply that begins as Footnote's own page of passages does is unsure.

The only module of the evaluation that imports httpx.
"""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from assistant.answer import LEADS, REFUSAL
from assistant.documents import read_all
from assistant.llm.discovery import is_loopback
from evals.datasets.gold import Gold, places_of
from evals.datasets.models import Question, QuestionSet
from evals.running.provenance import code_fingerprint
from evals.running.records import FAILED, Cited, Record
from evals.running.runner import System, with_documents
from index.about import VERSION
from index.errors import FootnoteError, SettingsError

#: Seconds for a reply.
TIMEOUT = 120.0
#: Seconds before a question is asked again of a server that has too much to do.
WAITS = (2.0, 8.0, 30.0)
#: Too many requests; not available now.
_BUSY = (429, 503)
#: What no other question would change: the key, the address or the model is wrong.
_MISTAKES = (401, 403, 404, 405)
#: The most characters of a server's error message that are shown.
_SHOWN = 300
#: Words of a quote in a text, at least: shorter ones are names. Not tuned.
MIN_WORDS = 3
_QUOTED = re.compile('“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|"([^"\n]+)"')


class NoReplyError(FootnoteError):
    """A question got no reply. It counts as failed."""


class EndpointSystem(System):
    """Another system behind an endpoint.

    Args:
        address: the address up to and with `/v1`.
        model: the model's name there.
        key: the bearer token, never shown; none if it is "".
        system: the system message; none if it is "".
        questions: the set.
        sources: files and folders that it is asked of, if the set has no documents.

    Raises:
        SettingsError: the address is invalid, or may hold a secret.
        DocumentError: a document cannot be read.
    """

    def __init__(
        self,
        address: str,
        model: str,
        key: str,
        system: str,
        questions: QuestionSet,
        sources: Sequence[Path],
    ) -> None:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname
        if not is_address or "@" in parts.netloc or parts.query or parts.fragment:
            raise SettingsError(
                "The address of the endpoint must be like http://host:port/v1. Give its key in the "
                "environment."
            )
        documents = questions.documents or tuple(read_all(sources))
        questions = with_documents(questions, documents)
        if alone := sum(bool(question.document) for question in questions.questions):
            note = f"{alone} questions are of one document, and were asked of all that it has."
            questions = replace(questions, notes=(*questions.notes, note))
        self._url = f"{address.rstrip('/').removesuffix('/chat/completions')}/chat/completions"
        self._model, self._key, self._system = model, key, system
        made = {
            "versions": {"footnote": VERSION, "python": platform.python_version()},
            "settings": {"endpoint": self._url, "model": model, "system": system},
            "fingerprints": {"code": code_fingerprint()},
        }
        super().__init__(questions, documents, made)
        self._client = httpx.Client(
            timeout=TIMEOUT,
            headers={"authorization": f"Bearer {key}"} if key else {},
            trust_env=not is_loopback(parts.hostname or ""),  # no proxy for this machine
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, question: Question, gold: Gold) -> Record:
        """Ask a question and record the outcome. A question that gets no reply has the status
        FAILED, and a note with the reason.

        Raises:
            SettingsError: there is no server, or the address, the model or the key is wrong.
        """
        outcome: dict[str, Any] = {"retrieved": None, "confidence": None, "forced": None}
        started = time.perf_counter()
        try:
            text, refuses, quotes = _read(self._reply(question))
        except NoReplyError as error:
            nothing = {"sentences": (), "citations": (), "status": FAILED, "note": str(error)}
            return self.record(question, gold, **outcome, **nothing)
        ms = 1000 * (time.perf_counter() - started)
        cited = tuple(dict.fromkeys(self._place(quote, gold) for quote in quotes))
        status = "answered"
        if text.startswith(LEADS["unsure"]):
            status = "unsure"
        elif refuses or text.startswith(REFUSAL) or not any(own.valid for own in cited):
            status = "refused"
        text = text.removeprefix(LEADS["unsure"])
        outcome |= {"sentences": (text,), "citations": cited, "status": status}
        return self.record(question, gold, **outcome, timings_ms={"total": round(ms, 3)})

    def _place(self, quote: str, gold: Gold) -> Cited:
        """Return the place of a quote in the documents, with evidence rather than elsewhere."""
        places = places_of(quote, self.finder.documents.values())
        if not places:
            return Cited("", 0, 0, False, quote)
        wanted = [*gold.spans, *gold.also_supports]
        best = next((place for place in places if place.overlaps_any(wanted)), places[0])
        return Cited(best.document, best.start, best.end, True, quote)

    def _reply(self, question: Question) -> httpx.Response:
        first = [{"role": "system", "content": self._system}] if self._system else []
        messages = [*first, *question.history, {"role": "user", "content": question.question}]
        body = {"model": self._model, "messages": messages, "stream": False}
        try:
            response = self._client.post(self._url, json=body)
            for seconds in WAITS:
                if response.status_code not in _BUSY:
                    break
                time.sleep(seconds)
                response = self._client.post(self._url, json=body)
        except httpx.ConnectError as error:
            raise SettingsError(
                f"Nothing answers at {self._url} ({error}). Start it, or give its right address. "
                "What was asked so far is kept: the same command goes on there."
            ) from error
        except httpx.HTTPError as error:
            raise NoReplyError(f"No reply came: {error or type(error).__name__}.") from error
        if response.status_code == httpx.codes.OK:
            return response
        shown = response.text.replace(self._key, "…") if self._key else response.text
        message = f"{self._url} replied with {response.status_code}: {shown[:_SHOWN]}"
        if response.status_code in _MISTAKES:
            raise SettingsError(
                f"{message}. Look at the address, which is to end with /v1, the model and the key."
            )
        raise NoReplyError(message)


def _read(response: httpx.Response) -> tuple[str, bool, list[str]]:
    """Return the text of a reply, whether the protocol calls it a refusal, and its quotes.

    Raises:
        NoReplyError: the response is not a chat completion.
    """
    try:
        message = response.json()["choices"][0]["message"]
        refusal = message.get("refusal") or ""
        text = refusal or message.get("content") or ""
        in_text = ["".join(found) for found in _QUOTED.findall(text)]
        annotated = [_quote(noted) for noted in message.get("annotations") or ()]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NoReplyError(f"Its reply is no chat completion: {response.text[:80]!r}.") from error
    quotes = [quote for quote in annotated if quote]
    return text, bool(refusal), quotes or [q for q in in_text if len(q.split()) >= MIN_WORDS]


def _quote(noted: Mapping[str, Any]) -> str | None:
    """Return what an annotation quotes: it is in it, or below the name of its type."""
    below = noted.get(noted["type"])
    fields = {**noted, **(below if isinstance(below, dict) else {})}
    return fields.get("quote") or fields.get("cited_text")
