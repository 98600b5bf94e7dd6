"""What all values have that programs and the page are told or tell."""

from __future__ import annotations

from operator import methodcaller
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from assistant.places import name_of
from assistant.query.cleaning import SURROGATES

#: A text of a document, which may hold what no output takes.
Text = Annotated[str, BeforeValidator(methodcaller("translate", SURROGATES))]
FileName = Annotated[Text, AfterValidator(name_of)]
Confidence = Annotated[float, Field(ge=0, le=1), AfterValidator(lambda own: round(own, 4))] | None

Unit = Literal["paragraphs", "pages"]

Uncertain = Annotated[
    bool,
    Field(
        description="Whether it was read from a picture, and not surely: its words and numbers may "
        "be others."
    ),
]

DocumentId = Annotated[
    str,
    Field(
        description="Names a document, as the list of documents has it.",
        examples=["0123456789abcdef"],
    ),
]

#: The addresses of documents, and of paragraphs in them, as resources of MCP.
DOCUMENT = "footnote://documents/{document_id}"
PARAGRAPH = DOCUMENT + "/paragraphs/{paragraph}"


class Value(BaseModel):
    """A value that is told."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, own: Any) -> Any:
        return own.to_dict() if hasattr(own, "to_dict") else own


class Asked(BaseModel):
    """Something that is asked. Names that are not listed are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)
