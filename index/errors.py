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

import errno
from typing import Literal

Code = Literal[
    # what is asked
    "question", "question_empty", "question_long", "overview_large",
    "overview_tables", "writer_gone", "not_installed", "none_chosen", "chosen_gone",
    # a file
    "document", "missing", "unreadable", "damaged", "locked", "old_office", "too_long",
    "given_up", "too_large", "not_text", "empty", "scan", "no_ocr",
    "folder_unavailable",
    # an address of the web
    "no_fetch", "web_address", "web_login", "web_port", "web_host", "web_late", "web_failed",
    "web_status", "web_kind", "web_circle", "web_unsafe",
    # what is kept
    "document_gone", "original_gone", "originals_large", "notebook_gone", "notebook_empty",
    "conversation_gone", "answer_gone", "answer_changed", "note_gone", "not_yours", "read_only",
    "owner_only", "no_such_login", "documents_full", "notebooks_full", "notebook_full",
    "notebook_room", "conversations_full", "conversation_full", "notes_full", "answer_large",
    "note_large", "not_your_question", "kept_full",
    # who asks, and how much
    "login", "wrong_login", "refused", "busy", "waiting_full", "many_requests", "many_fetched",
    "many_kept", "many_tries",
    # what everything runs on
    "unloaded", "index", "index_busy", "index_corrupted", "index_full", "index_unavailable",
    "index_changed", "failed", "late",
    # what only those meet who run it or write programs for it
    "settings", "question_set", "request", "forbidden", "nothing", "method", "form", "value",
    "not_now",
]  # fmt: skip
"""What kinds of errors are told apart, for who says them in words of their own: the page does, in
the language of its reader."""


class FootnoteError(Exception):
    """Root of all errors that this project raises on purpose.

    Args:
        message: what happened, the value seen, and what to do about it.
        code: its kind, where there is a closer one than its class has.
        values: what a sentence of this kind names: `count`, `name`.
    """

    code: Code = "failed"

    def __init__(self, message: str = "", *, code: Code | None = None, **values: str | int) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.values = values


class SettingsError(FootnoteError):
    """A setting is unknown or its value is out of range."""

    code: Code = "settings"


class QuestionError(FootnoteError):
    """The question is empty or longer than the assistant takes."""

    code: Code = "question"


class DocumentError(FootnoteError):
    """A document cannot be read. `source` is where it was read from, if it was a file."""

    code: Code = "document"
    source: str | None = None


class MissingPathError(DocumentError):
    """There is no file or folder at the path given."""

    code: Code = "missing"


class UnreadableError(DocumentError):
    """The path exists but its content cannot be read."""

    code: Code = "unreadable"


class NotTextError(DocumentError):
    """The bytes are not text in any encoding that is read."""

    code: Code = "not_text"


class EmptyDocumentError(DocumentError):
    """The document holds no paragraph."""

    code: Code = "empty"


class EncoderError(FootnoteError):
    """The embedding model cannot be loaded, or its weights are not the published ones."""

    code: Code = "unloaded"


class ReaderError(FootnoteError):
    """The reading model cannot be loaded, or its weights are not the shipped ones."""

    code: Code = "unloaded"


class QuestionSetError(FootnoteError):
    """A question set is malformed; the message names file, line and reason."""

    code: Code = "question_set"


class RefusedError(FootnoteError):
    """A server does not take the request.

    Args:
        message: why, and what to do.
        status: as HTTP counts it: 401 nobody it knows, 403 not allowed, 408 too slow, 413 too
            large, 429 too many of one's own, 503 too many of everybody's.
        retry_after: seconds after which it may be taken.
        code, values: see `FootnoteError`.
    """

    code: Code = "refused"

    def __init__(
        self,
        message: str,
        status: int,
        retry_after: int | None = None,
        *,
        code: Code | None = None,
        **values: str | int,
    ) -> None:
        super().__init__(message, code=code, **values)
        self.status = status
        self.retry_after = retry_after


class IndexUnusableError(FootnoteError):
    """The index cannot be used."""

    code: Code = "index"


class IndexBusyError(IndexUnusableError):
    """Another process holds the index."""

    code: Code = "index_busy"


class IndexCorruptedError(IndexUnusableError):
    """The files of the index cannot be read."""

    code: Code = "index_corrupted"


DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Numbers of an `OSError` that says that a file cannot grow."""


class IndexFullError(IndexUnusableError):
    """The disk has no room for what is to be written."""

    code: Code = "index_full"


class IndexUnavailableError(IndexUnusableError):
    """The Chroma server that holds the index does not answer, or not as it should."""

    code: Code = "index_unavailable"


class DocumentExistsError(FootnoteError):
    """A document that must be new is in the index already."""


class IndexChangedError(IndexUnusableError):
    """The documents changed while they were read, so that one answer would mix two versions."""

    code: Code = "index_changed"
