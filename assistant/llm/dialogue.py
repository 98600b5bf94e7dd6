"""A conversation with a language model about one question, and what it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from assistant.llm import prompts
from assistant.llm.client import MAX_TOKENS, ContextError, LanguageModel, Message, Tokens
from assistant.llm.sanitising import one_line
from assistant.query.rewriting import Turn

CHARACTERS = 3  # in a token, at the least
RESERVE = 100  # tokens for what a chat template adds
#: Tokens of passages that are read at first: some twenty paragraphs. Of a small context half.
MAX_PASSAGE_TOKENS = 5000
MAX_TURNS, MAX_TURN_CHARACTERS = 4, 1000  # of the conversation that are told, and of each


class Dialogue:
    """What is said to a model and by it, each reply taken apart as it comes.

    Args:
        model: it.
        history: the conversation before the question, oldest first; its last turns are told.

    Attributes:
        calls: how often it was called.
        tokens: that it took; not known as long as it is not called.
    """

    def __init__(self, model: LanguageModel, history: Sequence[Turn]) -> None:
        self._model = model
        self._limit = min(MAX_TOKENS, model.context // 8)
        turns = [
            (turn["role"], one_line(turn["content"])[:MAX_TURN_CHARACTERS])
            for turn in history[-MAX_TURNS:]
        ]
        if sum(len(text) for _, text in turns) > model.context * CHARACTERS // 8:
            turns = []
        self._messages: list[Message] = [("system", prompts.SYSTEM), *turns]
        self.calls = 0
        self.tokens = Tokens(0, 0)

    @property
    def room(self) -> int:
        """Characters that can still be said to it."""
        left = (self._model.context - self._limit - RESERVE) * CHARACTERS
        return left - sum(len(text) for _, text in self._messages)

    @property
    def room_at_first(self) -> int:
        """Characters of the passages that it reads at first, so that there is room for more."""
        return min(MAX_PASSAGE_TOKENS * CHARACTERS, self.room // 2)

    def say(self, text: str) -> Iterator[str]:
        """Its reply to something, piece by piece.

        Raises:
            LanguageModelError: what went wrong, at any point.
        """
        if self.room < len(text):
            raise ContextError("what it is to read is longer than its context")
        self._messages.append(("user", text))
        self.calls += 1
        said, used = "", Tokens()
        try:
            with closing(self._model.stream(self._messages, self._limit)) as stream:
                while True:
                    try:
                        piece = next(stream)
                    except StopIteration as end:
                        used = end.value
                        break
                    said += piece
                    yield piece
        finally:
            self.tokens += used
            self._messages.append(("assistant", said))
