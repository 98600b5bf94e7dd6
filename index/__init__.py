"""Files in, ranked evidence out. Knows nothing of questions or answers."""

from typing import TYPE_CHECKING

from index.public_names import lazy_names

if TYPE_CHECKING:
    from index.errors import FootnoteError
    from index.index import Index
    from index.models import Document, Paragraph, Sentence, Status, SyncReport
    from index.read_view import DocumentInfo, View
    from index.readers.files import find_files
    from index.readers.loader import document_from_text, read_document
    from index.retriever import Hit, SearchResult

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

__getattr__ = lazy_names(
    globals(),
    {
        "index.readers.files": ("find_files",),
        "index.readers.loader": ("document_from_text", "read_document"),
        "index.errors": ("FootnoteError",),
        "index.index": ("Index", "Status", "SyncReport"),
        "index.models": ("Document", "Paragraph", "Sentence"),
        "index.retriever": ("Hit", "SearchResult"),
        "index.read_view": ("DocumentInfo", "View"),
    },
)
