"""The language model that writes: which one, loaded when it is first needed, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.answer import Checked
from assistant.llm import prompts
from assistant.llm.check_results import checked
from assistant.llm.client import (
    LanguageModel,
    LanguageModelError,
    check_setting,
    is_set,
    load_model,
    name_of,
)
from assistant.llm.dialogue import Dialogue
from assistant.llm.sanitising import one_line, plain_sentence
from assistant.query.rewriting import Turn
from index.errors import SettingsError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from assistant.settings import Settings


MAX_TOKENS, MAX_CHARACTERS = 200, 1000
"""Of a question in other words."""


class Writer:
    """A language model that reads and writes. It is loaded when it is first needed, and again
    after it could not be.

    Args:
        settings: which model, and its limits.
        llm: another one, any llama-index LLM.

    Raises:
        SettingsError: what is set names no language model, or a package for it is missing.
    """

    def __init__(self, settings: Settings, llm: LLM | None = None) -> None:
        if llm is None:
            check_setting(settings)
        self._settings = settings
        self._llm = llm
        self._model: LanguageModel | None = None
        self._loading = threading.Lock()
        self.is_set = llm is not None or is_set(settings)
        self._named = name_of(settings) if llm is None and self.is_set else None

    @property
    def name(self) -> str | None:
        """What people call the language model, as far as it is known; None without one."""
        known = self._llm is not None or self._model is not None
        return self._loaded().name if known else self._named

    @property
    def check(self) -> Checked:
        """Whether it was checked, and how that ended; one that is given as an object never was."""
        return "unchecked" if self._llm is not None else checked(self._settings)

    def dialogue(self, history: Sequence[Turn]) -> Dialogue:
        """A conversation with it, after the one that a question is part of.

        Raises:
            LanguageModelError: it cannot be loaded.
        """
        return Dialogue(self._loaded(), history)

    def reworded(self, question: str) -> str:
        """A question in other words.

        Raises:
            LanguageModelError: there is no model, or it made no question of it.
        """
        if not self.is_set:
            raise LanguageModelError("none is set")
        asked = [("system", prompts.REWORD), ("user", one_line(question))]
        found = plain_sentence("".join(self._loaded().stream(asked, MAX_TOKENS))).strip("\"“”„'")
        if not found or found.casefold() == question.casefold() or len(found) > MAX_CHARACTERS:
            raise LanguageModelError("it made no question of it")
        return found

    def close(self) -> None:
        """Let go of the model; it is loaded again if it is needed again."""
        with self._loading:
            if self._model is not None:
                self._model.close()
                self._model = None

    def _loaded(self) -> LanguageModel:
        with self._loading:
            if self._model is None:
                limits = (self._settings.llm_timeout, self._settings.llm_context)
                given = self._llm and LanguageModel(self._llm, *limits)
                try:
                    self._model = given or load_model(self._settings)
                except SettingsError as error:  # it was right when this was made
                    raise LanguageModelError("it is no longer there") from error
            return self._model
