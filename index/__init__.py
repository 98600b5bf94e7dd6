"""Files in, ranked evidence out. Knows nothing of questions or answers."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.chunking.files import find_files
    from index.chunking.loader import document_from_text, read_document
    from index.errors import FootnoteError
    from index.index import Index, Status, SyncReport
    from index.models import Document, Paragraph, Sentence
    from index.retriever import Hit, SearchResult
    from index.view import DocumentInfo, View

__all__ = [
    "Document",
    "DocumentInfo",
    "FootnoteError",
    "Hit",
    "Index",
    "Paragraph",
    "SearchResult",
    "Sentence",
    "Status",
    "SyncReport",
    "View",
    "document_from_text",
    "find_files",
    "read_document",
]

_HOMES = {
    "index.chunking.files": ("find_files",),
    "index.chunking.loader": ("document_from_text", "read_document"),
    "index.errors": ("FootnoteError",),
    "index.index": ("Index", "Status", "SyncReport"),
    "index.models": ("Document", "Paragraph", "Sentence"),
    "index.retriever": ("Hit", "SearchResult"),
    "index.view": ("DocumentInfo", "View"),
}


def __getattr__(name: str) -> object:
    """What is offered is imported when it is first asked for: errors need none of it."""
    for home, names in _HOMES.items():
        if name in names:
            globals()[name] = found = getattr(import_module(home), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
