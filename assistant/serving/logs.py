"""The log of a server: one line per event, on standard error, as text or JSON.

A line never contains text of a document or a question, or a secret. For a request it contains the
route instead of the address. For an unexpected error it contains the types of the exceptions and
the traceback without the message, because a message may quote a document.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

Format = Literal["text", "json"]

REQUESTS = "footnote.requests"
"""Name of the logger that writes one line per request. The attribute `fields` of a record is a
dictionary of values that are added to the line."""

_request: ContextVar[str | None] = ContextVar("request", default=None)


def set_up(form: Format | None) -> None:
    """Set up the log.

    Args:
        form: format of the lines. None logs warnings and errors only, as text; the other formats
            log each request, too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(form))
    # Below a warning, libraries log many lines, and text of documents in them.
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name == REQUESTS)
    logging.root.handlers = [handler]
    logging.getLogger(REQUESTS).setLevel(logging.INFO if form else logging.CRITICAL)


def take_over() -> None:
    """Send the lines of the uvicorn that gradio starts to this log. Call this after the start,
    because uvicorn then replaces the handlers of its loggers."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


@contextmanager
def about(request: str | None) -> Iterator[None]:
    """Add the id of a request to every line that is logged inside the `with` block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


class _Lines(logging.Formatter):
    def __init__(self, form: Format | None) -> None:
        super().__init__()
        self.form = form

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat()
        level, event = record.levelname.lower(), record.getMessage()
        fields: dict[str, object] = dict(getattr(record, "fields", {}))
        if (request := _request.get()) is not None:
            fields["request"] = request
        if record.exc_info and (error := record.exc_info[1]) is not None:
            fields["error"] = _kinds(error)
            fields["at"] = [
                f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)[-12:]
            ]
        if self.form == "json":
            line = {"timestamp": time, "level": level, "event": event, **fields}
            return json.dumps(line, ensure_ascii=False)
        return " ".join([time, level, event, *(f"{name}={fields[name]!r}" for name in fields)])


def _kinds(error: BaseException) -> str:
    """Return the types of an exception and of its causes, at most five."""
    names = [type(error).__name__]
    while (cause := error.__cause__ or error.__context__) is not None and len(names) < 5:
        names.append(type(cause).__name__)
        error = cause
    return " from ".join(names)
