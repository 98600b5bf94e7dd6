"""Files in, ranked evidence out. Knows nothing of questions or answers."""

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
