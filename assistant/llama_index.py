"""The assistant behind llama-index's interfaces."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import RESPONSE_TYPE, Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from assistant.query.cleaning import MAX_QUESTION
from index import Hit, Paragraph

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.answer import Answer, Citation


class AssistantRetriever(BaseRetriever):
    """Retrieves paragraphs as nodes, ranked as `Assistant.search` ranks them.

    Queries made by other parts of a pipeline may be long: of those the beginning is looked for.
    """

    def __init__(self, search: Callable[[str, int], list[Hit]], k: int) -> None:
        self._search = search
        self._k = k
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = self._search(query_bundle.query_str[:MAX_QUESTION], self._k)
        return [NodeWithScore(node=_node(hit.paragraph), score=hit.score) for hit in hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class AssistantQueryEngine(BaseQueryEngine):
    """Answers queries. The response's text has `[1]` markers, and says so where it has passages
    that may answer instead; its source nodes are the cited paragraphs in the order of their
    markers, or the closest ones when the answer is a refusal; its metadata is
    `Answer.to_dict()`."""

    def __init__(self, ask: Callable[[str], Answer]) -> None:
        self._ask = ask
        super().__init__(callback_manager=None)

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        answer = self._ask(query_bundle.query_str)
        return Response(
            response=answer.marked_text,
            source_nodes=[_source(citation) for citation in answer.citations or answer.closest],
            metadata=answer.to_dict(),
        )

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _node(paragraph: Paragraph, **metadata: Any) -> TextNode:
    return TextNode(
        id_=f"{paragraph.document_id}:{paragraph.id}",
        text=paragraph.text,
        start_char_idx=paragraph.start,
        end_char_idx=paragraph.end,
        metadata={
            "document_id": paragraph.document_id,
            "heading": list(paragraph.heading),
            "introduction": paragraph.introduction,
            "paragraph": paragraph.number,
            "page": paragraph.page,
            "uncertain": paragraph.is_uncertain,
            **metadata,
        },
    )


def _source(citation: Citation) -> NodeWithScore:
    node = _node(
        citation.paragraph,
        marker=citation.marker,
        source=citation.source,
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
    )
    return NodeWithScore(node=node, score=citation.score)
