"""Whose the documents are that people add.

A document that somebody added has the source `upload:OWNER/NAME`, or `upload:OWNER/FOLDER/NAME`
where it was added with its folder; OWNER is made of their login, or of nothing where nobody logs
in. Where they have deleted one of that name, which can be restored, the next one's is
`upload:OWNER~1/NAME`, and so on: the highest number was added last. Before, a browser was an owner
by a secret that only it had: what it added is taken over by whoever comes with that secret, and
keeps its source. Who is who by now is kept beside the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import sqlalchemy as sa

from assistant.documents import UPLOADED
from assistant.tables import successors
from index import DocumentInfo, Index
from index.errors import MissingPathError

#: Between an owner and what tells documents of one name apart.
_APART = "~"
_RANDOM = 8
"""Digits of what told them apart in a former version, which says nothing of their order."""


class Owners:
    """Those of an index. May be used from many threads and processes."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def all(self) -> list[tuple[DocumentInfo, str | None]]:
        """All documents, deleted ones too, each with who added it; None of what is everyone's."""
        return self._owned(self._index.documents())

    def find(self, identities: Iterable[str]) -> list[tuple[DocumentInfo, str | None]]:
        """The same of some documents, of those that are in the index."""
        view, found = self._index.view(), []
        for identity in identities:
            with suppress(MissingPathError):
                found.append(view.info(identity))
        return self._owned(found)

    def _owned(self, infos: Iterable[DocumentInfo]) -> list[tuple[DocumentInfo, str | None]]:
        with self._index.database.read() as connection:
            rows = connection.execute(sa.select(successors))
            now = {row.former: row.owner for row in rows}
        found = []
        for info in infos:
            owner = None
            if info.source.startswith(UPLOADED):
                named, _, _ = _parts(info.source)
                owner = now.get(named, named)
            found.append((info, owner))
        return found

    def documents(self, owner: str) -> list[DocumentInfo]:
        """What somebody added, deleted things too."""
        return [info for info, of in self.all() if of == owner]

    def take_over(self, owner: str, former: str | None) -> None:
        """Make what a browser added before its owner's, if nobody else's already.

        Args:
            owner: who uses it now.
            former: the owner that it was by its key.
        """
        if former is None or not self.documents(former):
            return
        with self._index.database.write() as connection:
            same = sa.select(successors).where(successors.c.former == former)
            if connection.execute(same).first() is None:
                connection.execute(sa.insert(successors).values(former=former, owner=owner))


def source_of(owner: str, path: str, added: Iterable[DocumentInfo]) -> str:
    """The source of a document that somebody adds.

    Args:
        owner: who it is.
        path: its folder, if it has one, and its name.
        added: what they added before, deleted things too.
    """
    alike = [number for _, number, of in (_parts(info.source) for info in added) if of == path]
    apart = f"{_APART}{max(alike) + 1}" if alike else ""
    return f"{UPLOADED}{owner}{apart}/{path}"


def order_added(info: DocumentInfo) -> tuple[int, str, str]:
    """By which documents of one name, and of one owner, are in the order in which they were
    added."""
    _, number, _ = _parts(info.source)
    return number, info.added, info.source


def _parts(source: str) -> tuple[str, int, str]:
    """Whose a document was when it was added, its number among those of its name, and its path."""
    first, _, path = source.removeprefix(UPLOADED).partition("/")
    owner, _, apart = first.partition(_APART)
    is_number = apart.isdecimal() and len(apart) < _RANDOM
    return owner, int(apart) if is_number else 0, path
