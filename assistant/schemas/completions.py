"""What is asked and told by OpenAI's protocol for chat completions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.query.cleaning import without_surrogates
from assistant.schemas.answers import AnswerValue
from assistant.schemas.base import Uncertain, Value

Nothing = Annotated[list[Any], Field(max_length=0)] | None


class TextPart(BaseModel):
    """A part of a message; only text is read."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """Something that was said. What the system says changes nothing."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, list):
            return without_surrogates("\n".join(part.text for part in self.content))
        return without_surrogates(self.content or "")


class TextFormat(BaseModel):
    """The form of an answer."""

    type: Literal["text"]


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
        "you may ask when left out. `notebook`: the id or the name of a notebook, whose documents "
        "are asked.",
        examples=[{"documents": "0123456789abcdef,fedcba9876543210"}, {"notebook": "Thesis"}],
    )
    n: Literal[1] | None = Field(default=None, description="There is one answer.")
    tools: Nothing = Field(default=None, description="None are called.")
    functions: Nothing = Field(default=None, description="None are called.")
    response_format: TextFormat | None = Field(
        default=None, description="The answer is text; as JSON it is in `footnote`."
    )
    modalities: list[Literal["text"]] | None = Field(default=None, description="Only text.")
    logprobs: Literal[False] | None = Field(default=None, description="None are given.")
    web_search_options: None = Field(default=None, description="Only the documents are searched.")

    @property
    def documents(self) -> list[str] | None:
        """Ids of the documents to ask."""
        named = (self.metadata or {}).get("documents")
        return (
            None if named is None else [own for name in named.split(",") if (own := name.strip())]
        )


class UrlCitation(Value):
    """What a marker cites."""

    start_index: int = Field(description="Where the marker begins in the message.")
    end_index: int = Field(description="Where it ends.")
    title: str = Field(description="The document, its headings and the paragraph.")
    url: str = Field(description="Leads to the quote on the page, or to the paragraph.")
    quote: str
    document_id: str
    paragraph: int = Field(description="Number of the paragraph, from 1.")
    uncertain: Uncertain
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
    """Tokens that a language model read and wrote for the answer; 0 if none did, or if it does not
    tell."""

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
