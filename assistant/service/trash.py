"""What was deleted and can still be had back: documents, conversations, notebooks, notes.

What is deleted is only named here; it is let go of some time later. Whoever lists things leaves out
what is named here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from assistant.service.keeping import AtHand, read_kept

if TYPE_CHECKING:
    from index.store.records import Records

KEPT = 24 * 3600.0
"""Seconds for which what was deleted can be had back."""

Kind = Literal["document", "conversation", "notebook", "note"]


class Deleted(BaseModel):
    """Something that was deleted.

    Attributes:
        kind: what it is.
        name: which.
        group: where it is: the owner or the notebook of a conversation or note.
    """

    model_config = ConfigDict(frozen=True)

    kind: Kind
    name: str
    group: str = ""


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
        begin = _name_of(Deleted(kind="document", name=""))
        names = (name for name in self._records.all() if name.startswith(f"{begin}-"))
        return frozenset(name.removeprefix(f"{begin}-") for name in names)

    def over(self) -> Iterator[Deleted]:
        """What was deleted so long ago that it is to be let go of; each is, once the next one is
        asked for."""
        for name, text in self._records.all().items():
            kept = read_kept(_Kept, text)
            if time.time() - kept.at > KEPT:
                yield kept.what
                self._records.delete(name)


def _name_of(deleted: Deleted) -> str:
    return "-".join(filter(None, (deleted.kind, deleted.group, deleted.name)))
