"""The assistant as tools of the Model Context Protocol. The one module that imports mcp."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from assistant.settings import not_installed
from index.errors import FootnoteError, MissingPathError

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

    from assistant.assistant import Assistant

_ABOUT = (
    "Answers questions about the documents on this machine. Every sentence of an answer cites the "
    "paragraph that supports it; what the documents do not say is refused, and what may be no "
    "answer is marked as unsure."
)


def check_installed() -> None:
    """Raise SettingsError unless the package `mcp` is installed."""
    if find_spec("mcp") is None:
        raise not_installed("--mcp", "mcp")


def tools_of(assistant: Assistant, path: str) -> FastMCP[Any]:
    """A server of three tools over an assistant's documents, by streamable HTTP at this path."""
    from mcp.server.fastmcp import FastMCP
    from mcp.server.fastmcp.exceptions import ToolError
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.types import ToolAnnotations

    handlers = logging.root.handlers[:]
    server: FastMCP[Any] = FastMCP(
        "footnote",
        instructions=_ABOUT,
        streamable_http_path=path,
        stateless_http=True,
        json_response=True,
        log_level="WARNING",
        # The middleware in front of it looks at hosts and origins.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    logging.root.handlers = handlers  # it has put its own there, which show what others log
    reading = ToolAnnotations(readOnlyHint=True, idempotentHint=True, openWorldHint=False)

    @server.tool(annotations=reading)
    def ask(
        question: Annotated[
            str, Field(description="What to ask, as a whole question.", min_length=1)
        ],
    ) -> dict[str, Any]:
        """Answer a question from the documents, or refuse.

        `status` is `answered`, `unsure` or `refused`. `sentences` are the answer's, each with a
        `verdict` (quoted, supported, unsupported, or own: what is said of the assistant itself) and
        the `markers` of its `citations`, each with the document, the heading path, the paragraph's
        number and text, and the `quote`. When
        `unsure`, the sentences are only the closest that the documents come: they may be no answer
        and must not be given as one. When `refused`, the documents do not answer, and `closest`
        holds the nearest paragraphs, which are no answer. `unanswered` are those of several
        questions that they do not answer, `undecided` those that they may not answer. `kind` is
        `fact`, `overview` (what stands for the whole, in the documents' order), `list` (a sentence
        with `item` is one of its items), `comparison` (a sentence with `about` is about that one of
        the things compared), `where` (each sentence is a place) or `chat`.
        """
        try:
            return assistant.ask(question).to_dict()
        except FootnoteError as error:
            raise ToolError(str(error)) from error

    @server.tool(annotations=reading)
    def search(
        query: Annotated[
            str, Field(description="What to look for, as words or a question.", min_length=1)
        ],
        count: Annotated[
            int, Field(description="How many paragraphs, best first.", ge=1, le=50)
        ] = 5,
    ) -> list[dict[str, Any]]:
        """Find the paragraphs that match best.

        Each has its `document` id and `number` (as `read_paragraph` takes them), heading path,
        score and text.
        """
        try:
            hits = assistant.search(query, count)
        except FootnoteError as error:
            raise ToolError(str(error)) from error
        titles = {info.id: info.title for info in assistant.index.documents()}
        return [
            {
                "document": hit.paragraph.document_id,
                "title": titles.get(hit.paragraph.document_id, ""),
                "heading": list(hit.paragraph.heading),
                "number": hit.paragraph.number,
                "page": hit.paragraph.page,
                "locator": hit.paragraph.locator,
                "score": round(hit.score, 4),
                "text": hit.paragraph.text,
            }
            for hit in hits
        ]

    @server.tool(annotations=reading)
    def read_paragraph(
        document: Annotated[
            str, Field(description="The document's id, as `search` and `ask` give it.")
        ],
        number: Annotated[
            int, Field(description="The paragraph's number; the first one is 1.", ge=1)
        ],
    ) -> dict[str, Any]:
        """Read one paragraph, with its heading path and its place in the document's text.

        `of` is how many paragraphs the document has, so that the ones around can be read too.
        """
        try:
            if document not in assistant.document_ids:
                raise MissingPathError(
                    f"There is no document {document!r}. `search` gives the ids of those there are."
                )
            paragraphs = assistant.index.document(document).paragraphs
            if number > len(paragraphs):
                raise MissingPathError(
                    f"There is no paragraph {number}; the document has {len(paragraphs)}."
                )
        except FootnoteError as error:
            raise ToolError(str(error)) from error
        paragraph = paragraphs[number - 1]
        return {
            "document": document,
            "heading": list(paragraph.heading),
            "number": paragraph.number,
            "of": len(paragraphs),
            "page": paragraph.page,
            "locator": paragraph.locator,
            "start": paragraph.start,
            "end": paragraph.end,
            "text": paragraph.text,
        }

    return server
