"""Every error a user can cause or meet, as one tree.

    FootnoteError
    ├── SettingsError        a setting is unknown or out of range
    ├── QuestionError        the question cannot be asked as it is
    ├── DocumentError        a document cannot be read
    │   ├── MissingPathError     no such file or folder
    │   ├── UnreadableError      it exists, but permission or the disk forbids
    │   ├── NotTextError         its bytes are not text in a known encoding
    │   └── EmptyDocumentError   it holds no paragraph
    ├── EncoderError         the embedding model cannot be loaded or is not the one expected
    ├── ReaderError          the reading model cannot be loaded or is not the one expected
    ├── QuestionSetError     a question set is malformed
    ├── RefusedError         a server does not take the request: who sent it, or how many there are
    └── IndexUnusableError          the index cannot be used
        ├── IndexBusyError       another process holds it
        ├── IndexCorruptedError  its files cannot be read
        ├── IndexFullError       the disk has no room to write it
        ├── IndexUnavailableError  the Chroma server that holds it does not answer
        └── IndexChangedError    what was read of it is no longer there: ask again

A message says what happened, the value seen, and what to do about it. The command line prints it
without a traceback and exits with 2.
"""

from __future__ import annotations


class FootnoteError(Exception):
    """Root of all errors that this project raises on purpose."""


class SettingsError(FootnoteError):
    """A setting is unknown or its value is out of range."""


class QuestionError(FootnoteError):
    """The question is empty or longer than the assistant takes."""


class DocumentError(FootnoteError):
    """A document cannot be read. `source` is where it was read from, if it was a file."""

    source: str | None = None


class MissingPathError(DocumentError):
    """There is no file or folder at the path given."""


class UnreadableError(DocumentError):
    """The path exists but its content cannot be read."""


class NotTextError(DocumentError):
    """The bytes are not text in any encoding that is read."""


class EmptyDocumentError(DocumentError):
    """The document holds no paragraph."""


class EncoderError(FootnoteError):
    """The embedding model cannot be loaded, or its weights are not the published ones."""


class ReaderError(FootnoteError):
    """The reading model cannot be loaded, or its weights are not the shipped ones."""


class QuestionSetError(FootnoteError):
    """A question set is malformed; the message names file, line and reason."""


class RefusedError(FootnoteError):
    """A server does not take the request.

    Args:
        message: why, and what to do.
        status: as HTTP counts it: 401 nobody it knows, 403 not allowed, 408 too slow, 413 too
            large, 429 too many of one's own, 503 too many of everybody's.
        retry_after: seconds after which it may be taken.
    """

    def __init__(self, message: str, status: int, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class IndexUnusableError(FootnoteError):
    """The index cannot be used."""


class IndexBusyError(IndexUnusableError):
    """Another process holds the index."""


class IndexCorruptedError(IndexUnusableError):
    """The files of the index cannot be read."""


class IndexFullError(IndexUnusableError):
    """The disk has no room for what is to be written."""


class IndexUnavailableError(IndexUnusableError):
    """The Chroma server that holds the index does not answer, or not as it should."""


class IndexChangedError(IndexUnusableError):
    """The documents changed while they were read, so that one answer would mix two versions."""
