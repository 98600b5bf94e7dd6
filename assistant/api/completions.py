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

import json
import re
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.types import Scope

from assistant.answer import LEADS, Answer, AnswerKind, AnswerSentence, Citation, Layout
from assistant.api.dependencies import Asker
from assistant.api.openapi import also_events
from assistant.calibration import Status
from assistant.events import Decided, Done, Event, SentenceReady, SourcesFound
from assistant.places import place_of
from assistant.schemas.answers import AnswerValue
from assistant.schemas.completions import (
    Annotation,
    Choice,
    Completion,
    CompletionRequest,
    Message,
    Model,
    Models,
    ReplyMessage,
    UrlCitation,
    Usage,
)
from assistant.service.operations import Sources, stream_answer
from assistant.service.service import Service
from assistant.serving.problems import ParameterError, failure_of, openai_error
from assistant.serving.streaming import (
    begun,
    event_stream,
    steps_of,
    while_connected,
    whole,
)

#: Answers as Footnote is set up; answers by quoting, whatever is set up.
MODELS = {"footnote": None, "footnote-quotes": "none"}

_MARKER = re.compile(r" \[(?:\d{1,3}|unsupported|not confirmed by the source)\]")


def routes(service: Service, *, page: bool) -> APIRouter:
    """The routes of a service.

    Args:
        service: what is asked.
        page: whether a citation can lead to the page.
    """
    router = APIRouter(prefix="/v1")
    began = int(time.time())

    @router.post(
        "/chat/completions",
        response_model=Completion,
        responses={
            200: also_events("Chunks in OpenAI's form; `footnote` is in the last with a choice."),
        },
    )
    async def complete(
        wanted: CompletionRequest, request: Request, caller: Asker
    ) -> Completion | Response:
        """Answer the last message from the documents, with markers and what they cite."""
        llm = MODELS[_known(wanted.model)]
        question, history = await to_thread.run_sync(_conversation, wanted.messages)
        notebook = (wanted.metadata or {}).get("notebook")
        sources, shown = Sources(caller.owner, wanted.documents, notebook), bool(wanted.stream)
        steps = stream_answer(service, sources, question, history, llm, shown=shown)
        turn = service.queue.place_async(caller.client, caller.owner)
        address_of = partial(_address_of, str(request.base_url), page)
        head: dict[str, Any] = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": wanted.model,
        }
        if wanted.stream:
            counts = bool(wanted.stream_options and wanted.stream_options.include_usage)
            events = _stream(steps_of(steps, turn), head, address_of, counts, request.scope)
            return await begun(request, events)
        async with while_connected(request):
            answer = await whole(steps, turn)
        reply = _Reply(answer.status, answer.kind, address_of)
        for sentence in answer.sentences:
            reply.add(sentence, answer.citations)
        message = ReplyMessage(content=reply.text, annotations=reply.annotations)
        return Completion(
            **head,
            choices=[Choice(message=message)],
            usage=_usage(answer),
            footnote=AnswerValue.model_validate(answer),
        )

    @router.get("/models")
    def models(_: Asker) -> Models:
        """List what can be asked as a model."""
        return Models(data=[Model(id=name, created=began) for name in MODELS])

    @router.get("/models/{name}")
    def model(name: str, _: Asker) -> Model:
        """Tell of one."""
        return Model(id=_known(name), created=began)

    return router


def _usage(answer: Answer) -> Usage:
    """The tokens that a language model read and wrote for an answer, as far as it tells."""
    writing = answer.writing
    prompt = (writing and writing.prompt_tokens) or 0
    reply = (writing and writing.completion_tokens) or 0
    return Usage(prompt_tokens=prompt, completion_tokens=reply, total_tokens=prompt + reply)


def _known(model: str) -> str:
    if model not in MODELS:
        known = " and ".join(f"`{name}`" for name in MODELS)
        raise ParameterError(
            f"There is no model {model[:80]!r}. There are {known}.", "model", "model_not_found", 404
        )
    return model


def _conversation(messages: Sequence[Message]) -> tuple[str, list[dict[str, str]]]:
    """The question, and what was said before it, without our own markers."""
    said = [message for message in messages if message.role in ("user", "assistant")]
    if not said or said[-1].role != "user":
        raise ParameterError(
            "The last message has to be the user's question.", "messages", "invalid_value"
        )
    *before, question = said
    history = [
        {
            "role": turn.role,
            "content": _MARKER.sub("", turn.text) if turn.role == "assistant" else turn.text,
        }
        for turn in before
        if turn.text.strip()
    ]
    return question.text, history


# --- the answer ---------------------------------------------------------------------------------


def _address_of(base: str, page: bool, citation: Citation) -> str:
    """The address of what is cited, on the page if it is served too.

    Args:
        base: the address of this server, as it was asked by.
        page: whether the page is served.
        citation: what is cited.
    """
    paragraph = citation.paragraph
    if page:  # as `exporting.js` makes it
        return f"{base}#document/{paragraph.document_id}/{citation.start}-{citation.end}"
    return f"{base}api/documents/{paragraph.document_id}/paragraphs/{paragraph.number}"


class _Reply:
    """The text of an answer as it grows, as `Answer.marked_text` lays it out, and its annotations.

    Args:
        status, kind: of the answer.
        address_of: gives where a citation leads.
    """

    def __init__(
        self, status: Status, kind: AnswerKind, address_of: Callable[[Citation], str]
    ) -> None:
        self.text = LEADS[status]
        self.annotations: list[Annotation] = []
        self._layout = Layout(kind, status)
        self._address_of = address_of

    def add(self, sentence: AnswerSentence, citations: Sequence[Citation]) -> str:
        """What a sentence adds to the text.

        Args:
            sentence: the next one.
            citations: those that it is the first to use, at least.
        """
        added = self._layout.add(sentence, citations)
        self.text += added
        # Its markers are the end of it, each after a space.
        end = len(self.text) - sum(len(f" [{marker}]") for marker in sentence.markers)
        for marker in sentence.markers:
            cited, start = self._layout.cited[marker], end + 1
            end += len(f" [{marker}]")
            citation = UrlCitation(
                start_index=start,
                end_index=end,
                title=place_of(cited.title, cited.paragraph),
                url=self._address_of(cited),
                quote=cited.quote,
                document_id=cited.paragraph.document_id,
                paragraph=cited.paragraph.number,
                uncertain=cited.paragraph.is_uncertain,
                marker=marker,
            )
            self.annotations.append(Annotation(index=len(self.annotations), url_citation=citation))
        return added


async def _stream(
    work: AsyncGenerator[Event, None],
    head: Mapping[str, Any],
    address_of: Callable[[Citation], str],
    counts: bool,
    scope: Scope,
) -> AsyncGenerator[str, None]:
    """The events of an answer in OpenAI's form.

    Args:
        work: the events of the answer.
        head: what every chunk has.
        address_of: see `_Reply`.
        counts: whether the last chunk tells the tokens.
        scope: of the request that is answered.
    """
    reply: _Reply | None = None
    used: Usage | None = None
    head = {**head, "object": "chat.completion.chunk"}

    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if counts else {}
        return _event({**head, "choices": [choice], **usage, **more})

    def to_event(step: Event) -> str:
        nonlocal reply, used
        if isinstance(step, SourcesFound):
            return chunk({"role": "assistant", "content": "", "refusal": None})
        if isinstance(step, Decided):
            reply = _Reply(step.status, step.kind, address_of)
            return chunk({"content": reply.text}) if reply.text else ""
        if isinstance(step, SentenceReady) and reply:
            known = len(reply.annotations)
            delta: dict[str, Any] = {"content": reply.add(step.sentence, step.citations)}
            if added := reply.annotations[known:]:
                delta["annotations"] = [annotation.model_dump() for annotation in added]
            return chunk(delta)
        if isinstance(step, Done):
            used = _usage(step.answer) if counts else None
            answer = AnswerValue.model_validate(step.answer).model_dump()
            return chunk({}, "stop", footnote=answer)
        return ""  # a client of this protocol has no use for it

    def to_failure(error: Exception) -> str:
        return _event(openai_error(failure_of(scope, error)).model_dump())

    async with aclosing(event_stream(work, to_event, to_failure)) as events:
        async for event in events:
            yield event
    if used:
        yield _event({**head, "choices": [], "usage": used.model_dump()})
    yield "data: [DONE]\n\n"


def _event(value: object) -> str:
    """An event without a name, of plain values."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
