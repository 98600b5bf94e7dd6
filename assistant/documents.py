"""The documents that are asked: the shipped one, and those at given paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from index import Document, DocumentInfo, View, find_files
from index.errors import DocumentError, EmptyDocumentError
from index.models import ENGLISH
from index.readers.files import OnSkip, source_of
from index.readers.loader import RawDocument, read_raw
from index.terms.analysis import terms_of

if TYPE_CHECKING:
    from os import PathLike

#: The prefix of the sources of documents that people added: each is its owner's alone.
UPLOADED = "upload:"

#: The title of the shipped document; its file has none.
SHIPPED_TITLE = "Northeast Asia in early 2022"


@dataclass(frozen=True, slots=True)
class AskedDocument:
    """A document for somebody who may ask it.

    Attributes:
        info: the document.
        own: whether they added it.
        sample: whether it is the one that comes with Footnote.
    """

    info: DocumentInfo
    own: bool
    sample: bool = False

    @property
    def folder(self) -> str:
        """Its path in a folder that was added; empty for others."""
        is_added = self.info.source.startswith(UPLOADED)
        return "/".join(self.info.source.split("/")[1:-1]) if is_added else ""


class DocumentSet:
    """The documents that are asked, at one revision of the index.

    Args:
        view: the index at that revision.
        ids: the documents' ids.
    """

    def __init__(self, view: View, ids: Sequence[str]) -> None:
        self.view = view
        self.ids = ids

    @cached_property
    def infos(self) -> list[DocumentInfo]:
        """Without their texts."""
        infos = {info.id: info for info in self.view.documents()}
        return [infos[identity] for identity in self.ids if identity in infos]

    @cached_property
    def texts(self) -> list[Document]:
        """With their whole texts."""
        return [self.view.document(identity) for identity in self.ids]

    @property
    def size(self) -> int:
        """How many paragraphs they have."""
        return sum(info.paragraphs for info in self.infos)

    def stems(self, text: str) -> frozenset[str]:
        """The stems of a text, in each language that one of the documents is in."""
        languages = {ENGLISH, *(info.language for info in self.infos)}
        return frozenset(term for language in languages for term in terms_of(text, language))


def kept_in(view: View) -> list[str]:
    """Ids of the documents that were added to an index to stay, for everybody."""
    infos = view.documents()
    return [info.id for info in infos if info.kept and not info.source.startswith(UPLOADED)]


def shipped_documents() -> list[Document]:
    """The document that comes with the package."""
    return [raw.document() for raw in shipped_raw_documents()]


def shipped_raw_documents() -> list[RawDocument]:
    """The same, not yet split into paragraphs."""
    found = sorted(
        Path(str(file)) for file in files("seeds").iterdir() if file.name.endswith(".txt")
    )
    return [read_raw(path, title=SHIPPED_TITLE) for path in found]


def read_raw_documents(
    paths: Sequence[str | PathLike[str]],
    on_skip: OnSkip | None = None,
    on_found: Callable[[Sequence[Path]], None] = lambda _: None,
    ignore: Sequence[str] = (),
    *,
    ocr: bool = False,
) -> list[RawDocument]:
    """Read files and folders, not yet split into paragraphs; see `Assistant.open`.

    Raises:
        DocumentError: a path that was named cannot be read, or none of a folder's files can.
        SettingsError: one of the patterns to `ignore` cannot be understood.
    """
    named = set(map(Path, paths))
    texts = {}
    skipped: DocumentError | None = None
    files = find_files(paths, on_skip, ignore, ocr=ocr)
    on_found(files)
    for file in files:
        try:
            text = read_raw(file, ocr=ocr)
        except DocumentError as error:
            if on_skip is None or file in named:
                raise
            on_skip(error)
            skipped = error
            continue
        texts[text.id] = text
    if not texts:
        raise skipped or EmptyDocumentError("There is no document to read.")
    return list(texts.values())


def unless_named(
    paths: Sequence[str | PathLike[str]], on_skip: OnSkip | None
) -> Callable[[RawDocument, DocumentError], None] | None:
    """The `on_skip` of `Index.sync` that still raises the error of a path that was named itself."""
    named = {source_of(path) for path in paths}

    def skip(document: RawDocument, error: DocumentError) -> None:
        if on_skip is None or document.source in named:
            raise error
        on_skip(error)

    return skip if on_skip else None


def read_all(paths: Sequence[str | PathLike[str]]) -> list[Document]:
    """As `read_raw_documents`, split into paragraphs; the shipped document without paths."""
    raws = read_raw_documents(paths) if paths else shipped_raw_documents()
    return [raw.document() for raw in raws]
