"""The log of a server: one line per event, on standard error, as text or JSON.

No line has anything of a document, a question or a secret: a request is logged by the pattern of
its address, and an unexpected error by its kind and where it came from, without its message, which
may quote what was being worked on.
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
"""Name of the logger that has a line for each request. A record's attribute `fields` is a
dictionary with more values for its line."""

_request: ContextVar[str | None] = ContextVar("request", default=None)


def set_up(form: Format | None) -> None:
    """Set up the log.

    Args:
        form: None logs only what goes wrong, as text; otherwise each request is logged too.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(form))
    # Libraries log too much, and what they were given.
    handler.addFilter(lambda record: record.levelno >= logging.WARNING or record.name == REQUESTS)
    logging.root.handlers = [handler]
    logging.getLogger(REQUESTS).setLevel(logging.INFO if form else logging.CRITICAL)


def take_over() -> None:
    """Log what uvicorn logs in the same way; after it has started, for it sets up handlers of its
    own."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True


@contextmanager
def about(request: str | None) -> Iterator[None]:
    """Add the id of this request to every line that is logged inside the `with`."""
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
            return json.dumps(line, ensure_ascii=False, default=str)
        return " ".join([time, level, event, *(f"{name}={fields[name]!r}" for name in fields)])


def _kinds(error: BaseException) -> str:
    """The kinds of an error and of those that it came from."""
    names = [type(error).__name__]
    while (cause := error.__cause__ or error.__context__) is not None and len(names) < 5:
        names.append(type(cause).__name__)
        error = cause
    return " from ".join(names)
