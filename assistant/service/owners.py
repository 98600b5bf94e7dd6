"""Whose the documents are that people add.

A document that somebody added has the source `upload:OWNER/NAME`, or `upload:OWNER/FOLDER/NAME`
where it was added with its folder; OWNER is made of their login, or of nothing where nobody logs
in. Before, a browser was an owner by a secret that only it had: what it added is taken over by
whoever comes with that secret, and keeps its source. Who is who by now is kept beside the index.
"""

from __future__ import annotations

from assistant.documents import UPLOADED
from assistant.service.keeping import AtHand
from index import DocumentInfo, Index


class Owners:
    """Those of an index. May be used from many threads and processes."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._successors = AtHand(index.records("owners"))

    def of(self, info: DocumentInfo) -> str | None:
        """Who added a document; None of one that is everyone's."""
        if not info.source.startswith(UPLOADED):
            return None
        owner = info.source.removeprefix(UPLOADED).partition("/")[0]
        return self._successors.all().get(owner, owner)

    def documents(self, owner: str) -> list[DocumentInfo]:
        """What somebody added, deleted things too."""
        return [info for info in self._index.documents() if self.of(info) == owner]

    def take_over(self, owner: str, former: str | None) -> list[DocumentInfo]:
        """Make what a browser added before its owner's; gives what that is.

        Args:
            owner: who uses it now.
            former: the owner that it was by its key.
        """
        if former is None or former in self._successors.all():
            return []
        own = self.documents(former)
        if own:
            self._successors.put(former, owner)
        return own
