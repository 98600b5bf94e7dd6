"""The assistant inside llama-index: its own engines and evaluators take it as it is."""

from __future__ import annotations

import asyncio
import re
from functools import partial

from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import MetadataMode, TextNode

from assistant import Assistant
from assistant.answer import REFUSAL
from assistant.llama_index import AssistantQueryEngine

QUESTION = "When was the US Indo-Pacific strategy released?"
QUOTE = "The US Indo-Pacific strategy was released on February 11."


def test_the_retriever_returns_paragraphs_as_search_ranks_them(assistant: Assistant) -> None:
    retriever = assistant.as_retriever(k=4)
    nodes = retriever.retrieve(QUESTION)
    hits = assistant.search(QUESTION, 4)
    assert [node.node.get_content() for node in nodes] == [hit.paragraph.text for hit in hits]
    assert [node.score for node in nodes] == [hit.score for hit in hits]
    [document] = assistant.documents
    for node, hit in zip(nodes, hits, strict=True):
        assert isinstance(node.node, TextNode)
        assert document.text[node.node.start_char_idx : node.node.end_char_idx] == node.node.text
        assert node.node.metadata == {
            "document_id": document.id,
            "heading": list(hit.paragraph.heading),
            "introduction": hit.paragraph.introduction,
            "paragraph": hit.paragraph.number,
            "page": None,
            "uncertain": False,
        }
    assert len({node.node.node_id for node in nodes}) == 4
    assert asyncio.run(retriever.aretrieve(QUESTION)) == nodes


def test_the_query_engine_carries_the_cited_paragraphs(assistant: Assistant) -> None:
    engine = assistant.as_query_engine()
    answer = assistant.ask(QUESTION)
    for response in (engine.query(QUESTION), asyncio.run(engine.aquery(QUESTION))):
        assert QUOTE in str(response)
        markers = [int(marker) for marker in re.findall(r"\[(\d+)\]", str(response))]
        assert markers == list(range(1, len(answer.citations) + 1))
        assert [node.node.metadata["marker"] for node in response.source_nodes] == markers
        for node, citation in zip(response.source_nodes, answer.citations, strict=True):
            assert node.node.get_content(MetadataMode.NONE) == citation.paragraph.text
            assert node.node.metadata["quote"] == citation.quote
            assert node.node.metadata["source"] == citation.source
            assert node.score == citation.score
        assert response.metadata is not None
        assert response.metadata["citations"] == answer.to_dict()["citations"]


def test_a_refusal_is_told_in_the_metadata(assistant: Assistant) -> None:
    response = assistant.as_query_engine().query("What is the population of India?")
    assert str(response) == REFUSAL
    assert response.metadata is not None
    assert response.metadata["refused"] is True
    assert len(response.source_nodes) == 3


def test_what_may_be_no_answer_says_so_in_the_response(assistant: Assistant) -> None:
    engine = AssistantQueryEngine(partial(assistant.ask, refuse_below=0.0, answer_from=1.0))
    response = engine.query(QUESTION)
    assert str(response).startswith("Possible answers:\n")
    assert f"\n- {QUOTE} [1]\n" in str(response)
    assert response.metadata is not None
    assert response.metadata["status"] == "unsure"
    assert response.source_nodes[0].node.metadata["quote"] == QUOTE
    assert len(response.source_nodes) == 5


def test_a_chat_engine_takes_the_retriever(assistant: Assistant) -> None:
    engine = CondensePlusContextChatEngine.from_defaults(
        retriever=assistant.as_retriever(k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(token_limit=2000),
    )
    first = engine.chat(QUESTION)
    assert QUOTE in first.source_nodes[0].node.get_content()
    assert len(first.source_nodes) == 3
    assert len(engine.chat("Who released it?").source_nodes) == 3
    assert len(engine.chat_history) == 4
