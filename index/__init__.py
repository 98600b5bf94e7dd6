"""Files in, ranked evidence out. Knows nothing of questions or answers."""

from index.documents import Document, Paragraph, Sentence
from index.errors import FootnoteError
from index.index import DocumentInfo, Index, Status, SyncReport
from index.ranking import Hit
from index.reading import document_from_text, find_files, read_document

__all__ = [
    "Document",
    "DocumentInfo",
    "FootnoteError",
    "Hit",
    "Index",
    "Paragraph",
    "Sentence",
    "Status",
    "SyncReport",
    "document_from_text",
    "find_files",
    "read_document",
]
