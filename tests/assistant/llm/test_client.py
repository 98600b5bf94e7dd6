"""Whatever goes wrong on the way to a language model is told at once."""

from __future__ import annotations

import pytest
from llama_index.core.llms import MockLLM

from assistant.llm.client import LanguageModel, LanguageModelError


def test_what_cannot_even_be_said_is_told_and_not_waited_for() -> None:
    model = LanguageModel(MockLLM(), silence=0.5)
    with pytest.raises(LanguageModelError, match="cannot be read"):
        list(model.stream([("nobody", "What is said?")]))
    assert list(model.stream([("user", "Hello.")]))
