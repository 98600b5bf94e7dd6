"""The generative answerer: evidence in, plain sentences out, one by one as a model writes them.

What supports a sentence is found by the verifier, whatever markers the model wrote, and whether it
is worth showing is decided there too; here it is only made whole.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from assistant.calibration import Logistic
from assistant.english import content_stems
from assistant.llm import prompts
from assistant.llm.client import (
    MAX_TOKENS,
    ContextError,
    DeclinedError,
    LanguageModel,
    LanguageModelError,
    Message,
    check_setting,
    is_set,
    load_model,
    name_of,
)
from assistant.llm.sanitising import declines, one_line, plain_sentence
from assistant.query.rewriting import Turn
from assistant.retrieval.evidence import Candidate
from index.chunking.sentences import sentence_spans
from index.errors import SettingsError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from assistant.settings import Settings

FACTS = 12  # sentences of evidence at most
CHARACTERS = 3  # in a token, at the least
RESERVE = 100  # tokens for what a chat template adds
WRITTEN = 8  # sentences that are taken at most
UNENDED = 1500  # characters without the end of a sentence
TURNS, TURN = 2, 300  # turns of the conversation that are told, and characters of each
CONDENSED = 1  # sentences of a section in an overview
REWRITTEN = 300  # characters of a rewritten question at most

_ENDED = re.compile(r"[.!?][\"\u201d\u2019)\]*]*(\s|$)|\n")
_WORD = re.compile(r"\w+")


def messages(
    question: str,
    history: Sequence[Turn],
    candidates: Sequence[Candidate],
    probability: Logistic,
    room: int,
) -> list[Message]:
    """What the model is told: the conversation, the likeliest evidence in document order, the
    question.

    Args:
        question: standing on its own.
        history: oldest first; the last turns are told, shortened.
        candidates: sentences that could be evidence.
        probability: that one is.
        room: tokens that there are for it all.
    """
    left = room * CHARACTERS - len(prompts.SYSTEM) - len(prompts.USER) - len(question)
    turns = [(turn["role"], one_line(turn["content"])[:TURN]) for turn in history[-2 * TURNS :]]
    if sum(len(text) for _, text in turns) > left // 4:
        turns = []
    left -= sum(len(text) for _, text in turns)
    chosen: list[Candidate] = []
    ranked = sorted(candidates, key=lambda c: -probability.probability(c.features))
    for candidate in ranked[:FACTS]:
        left -= len(candidate.sentence.text) + 5
        if left < 0 and chosen:
            break
        chosen.append(candidate)
    chosen.sort(key=lambda c: (c.hit.paragraph.document_id, c.sentence.start))
    facts = "\n".join(
        f"{number}. {one_line(candidate.sentence.text)}"
        for number, candidate in enumerate(chosen, start=1)
    )
    asked = prompts.USER.format(facts=facts, question=one_line(question))
    return [("system", prompts.SYSTEM), *turns, ("user", asked)]


def sentences(pieces: Iterable[str]) -> Iterator[str]:
    """Whole sentences, each as soon as the next one begins.

    Raises:
        LanguageModelError: nothing was written, or nothing but excuses, or the same again.
    """
    seen: set[str] = set()
    for sentence in _whole(pieces):
        plain = plain_sentence(sentence)
        if not _WORD.search(plain):
            continue
        if not seen and declines(plain):
            raise DeclinedError("it declined to answer")
        key = " ".join(_WORD.findall(plain.lower()))
        if key in seen:
            raise LanguageModelError("it repeated itself")
        seen.add(key)
        yield plain
        if len(seen) == WRITTEN:
            return
    if not seen:
        raise LanguageModelError("it wrote nothing")


class Writer:
    """A language model that answers from evidence. It is loaded when it is first needed, and again
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

    def write(
        self,
        question: str,
        history: Sequence[Turn],
        candidates: Sequence[Candidate],
        probability: Logistic,
    ) -> Iterator[str]:
        """Sentences as they are written; see `messages` and `sentences`.

        Where the prompt turns out too long for the model it is asked again with half of it.

        Raises:
            LanguageModelError: what went wrong, at any point.
        """
        model, limit, room = self._limits()
        for attempt in range(2):
            said = messages(question, history, candidates, probability, room >> attempt)
            try:
                yield from sentences(model.stream(said, limit))
            except ContextError:
                if attempt:
                    raise
            else:
                return

    def condense(self, texts: Sequence[str]) -> Iterator[str]:
        """What sentences of a section say, in fewer; the first of what the model writes.

        Raises:
            LanguageModelError: what went wrong, at any point.
        """
        model, limit, room = self._limits()
        numbered = (f"{number}. {one_line(text)}" for number, text in enumerate(texts, start=1))
        facts = "\n".join(numbered)[: room * CHARACTERS]
        asked = prompts.SECTION_USER.format(facts=facts)
        said = [("system", prompts.SYSTEM), ("user", asked)]
        yield from islice(sentences(model.stream(said, limit)), CONDENSED)

    def rewrite(self, question: str, history: Sequence[Turn]) -> str | None:
        """A follow-up as a question that stands on its own, in the model's words. It has to keep
        what the question itself says, and to take the rest from the conversation.

        Returns:
            None where it does not, where there is no model, or where that failed: it is asked again
            for the answer, and its failure is told there.
        """
        if not self.is_set:
            return None
        turns = [f"{turn['role']}: {one_line(turn['content'])[:TURN]}" for turn in history[-4:]]
        conversation = "\n".join(turns)
        asked = prompts.STANDALONE_USER.format(
            conversation=conversation, question=one_line(question)
        )
        try:
            text = self._loaded().complete(
                [("system", prompts.STANDALONE_SYSTEM), ("user", asked)], max_tokens=80
            )
        except LanguageModelError:
            return None
        line = plain_sentence(text.strip().partition("\n")[0]).strip('"“”')
        kept, new = content_stems(question), content_stems(line)
        fits = kept <= new <= kept | content_stems(conversation)
        return line if line and len(line) <= REWRITTEN and fits else None

    def close(self) -> None:
        """Let go of the model; it is loaded again if it is needed again."""
        with self._loading:
            if self._model is not None:
                self._model.close()
                self._model = None

    def _limits(self) -> tuple[LanguageModel, int, int]:
        """The model, how many tokens it may write, and how many there are for what it is told."""
        model = self._loaded()
        limit = min(MAX_TOKENS, model.context // 3)
        return model, limit, model.context - limit - RESERVE

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


def _whole(pieces: Iterable[str]) -> Iterator[str]:
    text = ""
    for piece in pieces:
        text += piece
        if not _ENDED.search(text):
            if len(text) > UNENDED:
                raise LanguageModelError("it did not come to the end of a sentence")
            continue
        spans = sentence_spans(text, 0, len(text))
        # A line break ends a sentence whatever stands before it.
        closed = len(spans) if text.endswith("\n") else len(spans) - 1
        for start, end in spans[:closed]:
            yield from text[start:end].split("\n")
        if closed > 0:
            text = text[spans[closed][0] :] if closed < len(spans) else ""
    yield from text.split("\n")
