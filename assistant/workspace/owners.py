"""Whose the documents are that people add.

A document that somebody added has the source `upload:OWNER/NAME`, or `upload:OWNER/FOLDER/NAME`
where it was added with its folder; OWNER is made of their login, or of nothing where nobody logs
in. Where they have deleted one of that name, which can be restored, the next one's is
`upload:OWNER~1/NAME`, and so on: the highest number was added last.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from assistant.documents import UPLOADED
from index import DocumentInfo, Index
from index.errors import MissingPathError

#: Between an owner and what tells documents of one name apart.
_APART = "~"


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
        return [
            (info, _parts(info.source)[0] if info.source.startswith(UPLOADED) else None)
            for info in infos
        ]

    def documents(self, owner: str) -> list[DocumentInfo]:
        """What somebody added, deleted things too."""
        return [info for info, of in self.all() if of == owner]


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
    return owner, int(apart or 0), path
