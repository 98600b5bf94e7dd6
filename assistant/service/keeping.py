"""Values that are kept as records beside an index: read again, and at hand for a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from index.errors import IndexCorruptedError, QuestionError

if TYPE_CHECKING:
    from index.store.records import Records

Kept = TypeVar("Kept", bound=BaseModel)

FRESH = 1.0
"""Seconds after which it is seen what another process has kept."""


def read_kept(kind: type[Kept], text: str) -> Kept:
    """The value that is kept as this text.

    Raises:
        IndexCorruptedError: it is none.
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise IndexCorruptedError(
            f"Something that is kept beside the index cannot be read ({kind.__name__}). Put the "
            "`records` of the index back from a backup."
        ) from error


def text_of(value: BaseModel) -> str:
    """The text that a value is kept as, without what was left out; it can be read again.

    Raises:
        QuestionError: no text that can be read again is this value, as of numbers without end, of
            halves of characters, or where it is nested too deep.
    """
    try:
        text = value.model_dump_json(exclude_unset=True)
        type(value).model_validate_json(text)
    except ValueError as error:  # of which those of pydantic are
        raise QuestionError(
            "That cannot be kept: it is nested too deep, or holds half a character, or a number "
            "without end."
        ) from error
    return text


class AtHand:
    """Few records, of which all are asked for again and again. May be used from many threads.

    Args:
        records: where they are kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._guard = threading.Lock()
        self._until = 0.0
        self._known: Mapping[str, str] = {}

    def all(self) -> Mapping[str, str]:
        """All texts by name; what this process has kept is among them at once."""
        with self._guard:
            if time.monotonic() >= self._until:
                self._known = self._records.all()
                self._until = time.monotonic() + FRESH
            return self._known

    def put(self, name: str, text: str) -> None:
        """Keep a text in place of the one of that name."""
        with self._guard:
            self._records.put(name, text)
            self._until = 0.0

    def delete(self, name: str) -> None:
        """Let go of the text of that name, if there is one."""
        with self._guard:
            self._records.delete(name)
            self._until = 0.0
