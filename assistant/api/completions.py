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
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from assistant.answer import AnswerKind, AnswerSentence, Citation, Layout, Writing, lead_of
from assistant.api.callers import Asker
from assistant.api.describing import also_events, openai_problems
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
from assistant.serving.events import EventResponse, data, event_stream, steps_of, whole
from assistant.serving.problems import ParameterError, failure_of, openai_error

if TYPE_CHECKING:
    from starlette.types import Scope

    from assistant.service.service import Service

#: Answers as Footnote is set up; answers by quoting, whatever is set up.
MODELS = {"footnote": None, "footnote-quotes": "none"}

_MARKER = re.compile(r" \[(?:\d{1,3}|unsupported)\]")


def routes(service: Service, *, page: bool) -> APIRouter:
    """The routes of a service.

    Args:
        service: what is asked.
        page: whether a citation can lead to the page.
    """
    router = APIRouter(prefix="/v1")
    began = int(time.time())

    def usage(request: CompletionRequest, text: str, writing: Writing | None) -> Usage:
        count = service.assistant.index.encoder.count_tokens
        asked, told = sum(count(message.text) for message in request.messages), count(text)
        if writing and writing.prompt_tokens is not None and writing.completion_tokens is not None:
            asked, told = writing.prompt_tokens, writing.completion_tokens
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
        llm = MODELS[_known(wanted.model)]
        question, history = await to_thread.run_sync(_conversation, wanted.messages)
        steps = stream_answer(
            service,
            Sources(caller.owner, wanted.documents, (wanted.metadata or {}).get("notebook")),
            question,
            history,
            llm,
            shown=bool(wanted.stream),
        )
        turn = service.queue.place_async(caller.client, caller.owner)
        address_of = partial(_address_of, str(request.base_url), page)
        head: dict[str, Any] = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": wanted.model,
        }
        if wanted.stream:
            more = wanted.stream_options and wanted.stream_options.include_usage
            count = partial(usage, wanted) if more else None
            chunks = _Chunks(head, address_of, count, request.scope)
            return await EventResponse.begin(chunks.of(steps_of(steps, turn)))
        answer = await whole(steps, turn)
        reply = _Reply(answer.status, answer.kind, address_of)
        for sentence in answer.sentences:
            reply.add(sentence, answer.citations)
        message = ReplyMessage(content=reply.text, annotations=reply.annotations)
        return Completion(
            **head,
            choices=[Choice(message=message)],
            usage=await to_thread.run_sync(usage, wanted, reply.text, answer.writing),
            footnote=AnswerValue.model_validate(answer),
        )

    @router.get("/models", responses=openai_problems())
    def models(_: Asker) -> Models:
        """List what can be asked as a model."""
        return Models(data=[Model(id=name, created=began) for name in MODELS])

    @router.get("/models/{name}", responses=openai_problems(404))
    def model(name: str, _: Asker) -> Model:
        """Tell of one."""
        return Model(id=_known(name), created=began)

    return router


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
            "role": own.role,
            "content": _MARKER.sub("", own.text) if own.role == "assistant" else own.text,
        }
        for own in before
        if own.text.strip()
    ]
    return question.text, history


# --- the answer ---------------------------------------------------------------------------------


def _address_of(base: str, page: bool, citation: Citation) -> str:
    """The address of what is cited.

    Args:
        base: the address of this server, as it was asked by.
        page: whether the page is there.
        citation: what is cited.
    """
    own = citation.paragraph
    if page:  # as `exporting.js` makes it
        return f"{base}#document/{own.document_id}/{citation.start}-{citation.end}"
    return f"{base}api/documents/{own.document_id}/paragraphs/{own.number}"


class _Reply:
    """The text of an answer as it grows, as `Answer.marked_text` lays it out, and its annotations.

    Args:
        status, kind: of the answer.
        address_of: gives where a citation leads.
    """

    def __init__(
        self, status: Status, kind: AnswerKind, address_of: Callable[[Citation], str]
    ) -> None:
        self.text = lead_of(status, kind)
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
        markers = () if sentence.verdict == "unsupported" else sentence.markers
        # They are the end of it, each after a space.
        end = len(self.text) - sum(len(f" [{marker}]") for marker in markers)
        for marker in markers:
            cited, start = self._layout.cited[marker], end + 1
            end += len(f" [{marker}]")
            self.annotations.append(
                Annotation(
                    index=len(self.annotations),
                    url_citation=UrlCitation(
                        start_index=start,
                        end_index=end,
                        title=place_of(cited.title, cited.paragraph),
                        url=self._address_of(cited),
                        quote=cited.quote,
                        document_id=cited.paragraph.document_id,
                        paragraph=cited.paragraph.number,
                        uncertain=cited.paragraph.is_uncertain,
                        marker=marker,
                    ),
                )
            )
        return added


class _Chunks:
    """An answer as OpenAI's stream.

    Args:
        head: what every chunk has.
        address_of: see `_Reply`.
        count: counts tokens, where that is asked for, unless a language model has.
        scope: of the request that is answered.
    """

    def __init__(
        self,
        head: Mapping[str, Any],
        address_of: Callable[[Citation], str],
        count: Callable[[str, Writing | None], Usage] | None,
        scope: Scope,
    ) -> None:
        self._head = {**head, "object": "chat.completion.chunk"}
        self._address_of = address_of
        self._count = count
        self._scope = scope
        self._reply: _Reply | None = None
        self._writing: Writing | None = None

    async def of(self, work: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """The events of an answer."""
        async with aclosing(event_stream(work, self._tell, self._failed)) as events:
            async for event in events:
                yield event
        if self._count and self._reply:
            used = await to_thread.run_sync(self._count, self._reply.text, self._writing)
            yield data({**self._head, "choices": [], "usage": used.model_dump()})
        yield "data: [DONE]\n\n"

    def _tell(self, step: Event) -> str:
        if isinstance(step, Done):
            self._writing = step.answer.writing
            answer = AnswerValue.model_validate(step.answer).model_dump()
            return self._chunk({}, "stop", footnote=answer)
        if isinstance(step, Decided):
            self._reply = _Reply(step.status, step.kind, self._address_of)
            return self._chunk({"content": self._reply.text}) if self._reply.text else ""
        if isinstance(step, SentenceReady) and self._reply:
            known = len(self._reply.annotations)
            added = self._reply.add(step.sentence, step.citations)
            found = [own.model_dump() for own in self._reply.annotations[known:]]
            return self._chunk({"content": added, **({"annotations": found} if found else {})})
        if isinstance(step, SourcesFound):
            return self._chunk({"role": "assistant", "content": "", "refusal": None})
        return ""  # a client of this protocol has no use for it

    def _failed(self, error: Exception) -> str:
        self._reply = None
        return data(openai_error(failure_of(self._scope, error)))

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        usage = {"usage": None} if self._count else {}
        return data({**self._head, "choices": [choice], **usage, **more})
