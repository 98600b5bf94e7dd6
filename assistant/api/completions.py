"""OpenAI's protocol: what speaks it gets cited answers, without knowing that there are any.

The last message is the question, those of the user and the assistant before it are its history.
What `system` and `developer` say is data, and changes nothing: an answer is what the documents say.
The text has `[1]` markers; `annotations` say where each stands in it and what it cites, in the form
that OpenAI's own clients know, and `footnote` is the whole answer.

What a request asks for that would make another answer of it (several choices, tools, a form) is
refused; what only steers how a model writes (temperature, seed, most tokens …) is ignored, and so
is what nobody knows.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant.answer import (
    LEADS,
    Answer,
    AnswerKind,
    AnswerSentence,
    Citation,
    Decided,
    Done,
    Event,
    Layout,
    SentenceReady,
    marked,
    place_of,
)
from assistant.api.callers import Asker
from assistant.api.describing import also_events, openai_problems
from assistant.api.events import EventResponse, data, steps_of, told, whole
from assistant.calibration import Status
from assistant.service.problems import failure_of, openai_error, problem_of
from assistant.service.streams import asking
from assistant.service.values import AnswerValue, Value

if TYPE_CHECKING:
    from assistant.service.service import Service

#: Answers as Footnote is set up; answers by quoting, whatever is set up.
MODELS = {"footnote": None, "footnote-quotes": "none"}

_MARKER = re.compile(r" \[(?:\d{1,3}|unsupported)\]")


class Part(BaseModel):
    """A part of a message; only text is read."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """Something that was said."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(BaseModel):
    """What a stream has besides."""

    include_usage: bool | None = None


class CompletionRequest(BaseModel):
    """A request for a completion. Names that are not listed are ignored."""

    model_config = ConfigDict(json_schema_extra={"additionalProperties": True})

    model: str = Field(
        description="`footnote`, or `footnote-quotes`, which quotes even where a language model is "
        "set."
    )
    messages: list[Message] = Field(min_length=1, max_length=1000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    metadata: dict[str, str] | None = Field(
        default=None,
        description="`documents`: ids of the documents to ask, with commas between them; all that "
        "you may ask when left out.",
        examples=[{"documents": "0123456789abcdef,fedcba9876543210"}],
    )
    n: int | None = Field(default=None, description="Only 1.")
    tools: list[Any] | None = Field(default=None, description="None.")
    functions: list[Any] | None = Field(default=None, description="None.")
    response_format: dict[str, Any] | None = Field(default=None, description="Only text.")
    modalities: list[str] | None = Field(default=None, description="Only text.")
    logprobs: bool | None = Field(default=None, description="None are given.")
    web_search_options: dict[str, Any] | None = Field(default=None, description="None.")


class UrlCitation(Value):
    """What a marker cites."""

    start_index: int = Field(description="Where the marker begins in the message.")
    end_index: int = Field(description="Where it ends.")
    title: str = Field(description="The document, its headings and the paragraph.")
    url: str = Field(description="Leads to the quote on the page, or to the paragraph.")
    quote: str
    document_id: str
    paragraph: int = Field(description="Number of the paragraph, from 1.")
    marker: int


class Annotation(Value):
    """One marker."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation
    index: int = Field(description="Counts them, from 0.")


class ReplyMessage(Value):
    """What is answered."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: list[Annotation]


class Choice(Value):
    """The only choice."""

    index: Literal[0] = 0
    message: ReplyMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Usage(Value):
    """Tokens as the embedding model counts them: of the messages, and of the text of the answer.
    Nothing is paid for them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(Value):
    """A whole completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    footnote: AnswerValue


class Model(Value):
    """What can be asked as a model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["footnote"] = "footnote"


class Models(Value):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[Model]


class _NotTakenError(Exception):
    """A parameter that would make another answer of it."""

    def __init__(self, param: str, message: str, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.param, self.code, self.status = param, code, status


def routes(service: Service, *, page: bool) -> APIRouter:
    """The routes of a service.

    Args:
        service: what is asked.
        page: whether a citation can lead to the page.
    """
    router = APIRouter(prefix="/v1")
    began = int(time.time())

    def usage(request: CompletionRequest, text: str) -> Usage:
        count = service.assistant.index.encoder.count_tokens
        asked = sum(count(_text(message)) for message in request.messages)
        told = count(text)
        return Usage(prompt_tokens=asked, completion_tokens=told, total_tokens=asked + told)

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={
            **openai_problems(404),
            200: also_events("Chunks in OpenAI's form; `footnote` is in the last with a choice."),
        },
    )
    async def complete(
        wanted: CompletionRequest, request: Request, caller: Asker
    ) -> Completion | Response:
        """Answer the last message from the documents, with markers and what they cite."""
        try:
            llm = _checked(wanted)
            question, history = await to_thread.run_sync(_conversation, wanted.messages)
        except _NotTakenError as error:
            return _not_taken(request, error)
        steps = asking(
            service,
            caller.owner,
            question,
            history,
            _documents(wanted),
            llm,
            shown=bool(wanted.stream),
        )
        turn = service.line.place_async(caller.client, caller.owner)
        place = _Place(str(request.base_url), page)
        head: dict[str, Any] = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": wanted.model,
        }
        if wanted.stream:
            more = wanted.stream_options and wanted.stream_options.include_usage
            count = (lambda text: usage(wanted, text)) if more else None
            chunks = _Chunks(head, place, count, request)
            return await EventResponse.begin(chunks.of(steps_of(steps, turn)))
        answer = await whole(steps, turn)
        text, annotations = _whole(answer, place)
        return Completion(
            **head,
            choices=[Choice(message=ReplyMessage(content=text, annotations=annotations))],
            usage=await to_thread.run_sync(usage, wanted, text),
            footnote=AnswerValue.of(answer),
        )

    @router.get("/models", responses=openai_problems())
    def models(_: Asker) -> Models:
        """List what can be asked as a model."""
        return Models(data=[Model(id=name, created=began) for name in MODELS])

    @router.get("/models/{name}", response_model=Model, responses=openai_problems(404))
    def model(name: str, request: Request, _: Asker) -> Model | Response:
        """Tell of one."""
        if name not in MODELS:
            return _not_taken(request, _no_model(name))
        return Model(id=name, created=began)

    return router


# --- the request --------------------------------------------------------------------------------


def _checked(wanted: CompletionRequest) -> str | None:
    """What is to write, if nothing is asked for that cannot be had."""
    refused = {
        "n": wanted.n not in (None, 1) and "There is one answer. Leave `n` out.",
        "tools": wanted.tools and "No tools are called. Leave `tools` out.",
        "functions": wanted.functions and "No functions are called. Leave `functions` out.",
        "response_format": wanted.response_format
        and wanted.response_format.get("type") != "text"
        and "The answer is text; as JSON it is in `footnote`. Leave `response_format` out.",
        "modalities": any(one != "text" for one in wanted.modalities or ())
        and "The answer is text. Leave `modalities` out.",
        "logprobs": wanted.logprobs and "There are no log probabilities. Leave `logprobs` out.",
        "web_search_options": wanted.web_search_options is not None
        and "Only the documents are searched. Leave `web_search_options` out.",
    }
    for param, message in refused.items():
        if message:
            raise _NotTakenError(param, message, "unsupported_parameter")
    if wanted.model not in MODELS:
        raise _no_model(wanted.model)
    return MODELS[wanted.model]


def _no_model(name: str) -> _NotTakenError:
    known = " and ".join(f"`{known}`" for known in MODELS)
    return _NotTakenError(
        "model", f"There is no model {name[:80]!r}. There are {known}.", "model_not_found", 404
    )


def _conversation(messages: Sequence[Message]) -> tuple[str, list[dict[str, str]]]:
    """The question, and what was said before it."""
    said = [(n, m) for n, m in enumerate(messages) if m.role not in ("system", "developer")]
    for number, message in said:
        parts = message.content if isinstance(message.content, list) else []
        if message.role in ("tool", "function") or any(part.type != "text" for part in parts):
            raise _NotTakenError(
                f"messages.{number}",
                "Only text of the user and of the assistant is read. Leave the rest out.",
                "unsupported_value",
            )
    if not said or said[-1][1].role != "user":
        raise _NotTakenError(
            "messages", "The last message has to be the user's question.", "invalid_value"
        )
    history = [
        {"role": message.role, "content": _spoken(message)}
        for _, message in said[:-1]
        if _text(message).strip()
    ]
    return _text(said[-1][1]), history


def _spoken(message: Message) -> str:
    """What a message says, without our own markers."""
    text = _text(message)
    return _MARKER.sub("", text) if message.role == "assistant" else text


def _text(message: Message) -> str:
    if isinstance(message.content, list):
        return "\n".join(part.text or "" for part in message.content)
    return message.content or ""


def _documents(wanted: CompletionRequest) -> list[str] | None:
    named = (wanted.metadata or {}).get("documents")
    return None if named is None else [name.strip() for name in named.split(",") if name.strip()]


def _not_taken(request: Request, error: _NotTakenError) -> JSONResponse:
    problem = problem_of(request.scope, error.status, str(error))
    return JSONResponse(openai_error(problem, error.param, error.code), error.status)


# --- the answer ---------------------------------------------------------------------------------


class _Place:
    """Where citations lead.

    Args:
        base: the address of this server, as it was asked by.
        page: whether the page is there.
    """

    def __init__(self, base: str, page: bool) -> None:
        self._base = base
        self._page = page

    def of(self, citation: Citation) -> str:
        """The address of what is cited."""
        own = citation.paragraph
        if self._page:  # as `citing.js` makes it
            return f"{self._base}#document/{own.document_id}/{citation.start}-{citation.end}"
        return f"{self._base}api/documents/{own.document_id}/paragraphs/{own.number}"


class _Text:
    """The text of an answer as it grows, as `Answer.marked_text` lays it out, and its annotations.

    Args:
        status, kind: of the answer.
        place: where citations lead.
    """

    def __init__(self, status: Status, kind: AnswerKind, place: _Place) -> None:
        self.text = LEADS[status]
        self._layout = Layout(kind)
        self._place = place
        self._cited: dict[int, Citation] = {}
        self._count = 0

    def add(
        self, sentence: AnswerSentence, citations: Sequence[Citation]
    ) -> tuple[str, list[Annotation]]:
        """What a sentence adds.

        Args:
            sentence: the next one.
            citations: those that it is the first to use, at least.
        """
        self._cited |= {citation.marker: citation for citation in citations}
        first = self._cited[sentence.markers[0]] if sentence.markers else None
        added = self._layout.before(sentence, first) + marked(sentence)
        self.text += added
        found: list[Annotation] = []
        end = len(self.text)
        # The markers are the end of it, each after a space.
        for marker in [] if sentence.verdict == "unsupported" else reversed(sentence.markers):
            cited, start = self._cited[marker], end - len(f"[{marker}]")
            found.append(
                Annotation(
                    index=0,
                    url_citation=UrlCitation(
                        start_index=start,
                        end_index=end,
                        title=place_of(cited.title, cited.paragraph),
                        url=self._place.of(cited),
                        quote=cited.quote,
                        document_id=cited.paragraph.document_id,
                        paragraph=cited.paragraph.number,
                        marker=marker,
                    ),
                )
            )
            end = start - 1
        found.reverse()
        for annotation in found:
            annotation.index, self._count = self._count, self._count + 1
        return added, found


def _whole(answer: Answer, place: _Place) -> tuple[str, list[Annotation]]:
    text = _Text(answer.status, answer.kind, place)
    annotations = [a for s in answer.sentences for a in text.add(s, answer.citations)[1]]
    return text.text, annotations


class _Chunks:
    """An answer as OpenAI's stream.

    Args:
        head: what every chunk has.
        place: where citations lead.
        count: counts tokens, where that is asked for.
        request: that is answered.
    """

    def __init__(self, head: dict[str, Any], place: _Place, count: Any, request: Request) -> None:
        self._head = {**head, "object": "chat.completion.chunk"}
        self._place = place
        self._count = count
        self._request = request
        self._text: _Text | None = None

    async def of(self, work: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """The events of an answer."""
        begun = self._chunk({"role": "assistant", "content": "", "refusal": None})
        async with aclosing(told(work, self._tell, self._failed)) as events:
            async for event in events:
                yield begun + event
                begun = ""
        if self._count and self._text:
            used = await to_thread.run_sync(self._count, self._text.text)
            yield data({**self._head, "choices": [], "usage": used.model_dump()})
        yield "data: [DONE]\n\n"

    def _tell(self, step: Event) -> str:
        if isinstance(step, Decided):
            self._text = _Text(step.status, step.kind, self._place)
            return self._chunk({"content": self._text.text}) if self._text.text else ""
        if isinstance(step, SentenceReady) and self._text:
            added, found = self._text.add(step.sentence, step.citations)
            annotations = [annotation.model_dump() for annotation in found]
            return self._chunk(
                {"content": added, **({"annotations": annotations} if found else {})}
            )
        if isinstance(step, Done):
            answer = AnswerValue.of(step.answer).model_dump()
            return self._chunk({}, "stop", footnote=answer)
        return ""  # the sources, which the whole answer has

    def _failed(self, error: Exception) -> str:
        self._text = None
        return data(openai_error(failure_of(self._request.scope, error)))

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if self._count else {}
        return data({**self._head, "choices": [choice], **usage, **more})
