"""What was deleted and can still be had back: documents, conversations, notebooks, notes; and which
documents were taken out of which notebooks.

What is deleted is only named here; it is let go of some time later. Whoever lists things leaves out
what is named here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.service.keeping import AtHand, read_kept
from assistant.service.values import Text, Value

if TYPE_CHECKING:
    from index.store.records import Records

KEPT = 24 * 3600.0
"""Seconds for which what was deleted can be had back."""

LONGEST = 120
"""Characters of a title that is told."""

#: `taken`: a document, out of a notebook.
Kind = Literal["document", "conversation", "notebook", "note", "taken"]


class Deleted(BaseModel):
    """Something that was deleted.

    Attributes:
        kind: what it is.
        name: which.
        group: where it is: the owner or the notebook of a conversation or note; the notebook that
            a document was taken out of.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    group: str = ""


class DeletedValue(Value):
    """Something that you may have back."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["document", "conversation", "notebook", "note"]
    id: str
    title: Text = Field(description="Its title; of a note the question, or what it quotes.")
    uncertain: bool = Field(
        default=False,
        description="Whether that is a quote that was read from a picture, and not surely.",
    )
    notebook: str | None = Field(
        default=None, description="The notebook that it is in, or that a document was taken out of."
    )
    deleted: float = Field(description="Milliseconds since 1970.")


class TrashValue(Value):
    """What you may have back."""

    model_config = ConfigDict(frozen=True)

    deleted: list[DeletedValue] = Field(description="What was deleted last first.")


class _Kept(BaseModel):
    what: Deleted
    at: float


class Trash:
    """What was deleted. May be used from many threads and processes.

    Args:
        records: where it is kept.
    """

    def __init__(self, records: Records) -> None:
        self._records = AtHand(records)

    def put(self, deleted: Deleted) -> None:
        """Delete something."""
        kept = _Kept(what=deleted, at=time.time())
        self._records.put(_name_of(deleted), kept.model_dump_json())

    def restore(self, deleted: Deleted) -> None:
        """Have something back, if it was deleted, by whichever process."""
        self._records.delete(_name_of(deleted))

    def __contains__(self, deleted: Deleted) -> bool:
        """Whether something was deleted."""
        return _name_of(deleted) in self._records.all()

    def documents(self) -> frozenset[str]:
        """Ids of the documents that were deleted."""
        return frozenset(name for name, _ in self._named("document"))

    def of(self, kind: Kind, group: str = "") -> dict[str, float]:
        """When each of a kind was deleted that was there, in milliseconds since 1970, by name."""
        return {name: read_kept(_Kept, text).at * 1000 for name, text in self._named(kind, group)}

    def over(self) -> Iterator[Deleted]:
        """What was deleted so long ago that it is to be let go of; each is, once the next one is
        asked for."""
        for name, text in self._records.all().items():
            kept = read_kept(_Kept, text)
            if time.time() - kept.at > KEPT:
                yield kept.what
                self._records.delete(name)

    def _named(self, kind: Kind, group: str = "") -> Iterator[tuple[str, str]]:
        begin = f"{_name_of(Deleted(kind=kind, name='', group=group))}-"
        for name, text in self._records.all().items():
            if name.startswith(begin):
                yield name.removeprefix(begin), text


def shortened(text: str) -> str:
    """A text in one line, as a title."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _name_of(deleted: Deleted) -> str:
    return "-".join(filter(None, (deleted.kind, deleted.group, deleted.name)))
