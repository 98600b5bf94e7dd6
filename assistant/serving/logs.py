"""The log of a server: one line per event, on standard error, as text or JSON. The one module that
imports structlog.

No line has anything of a document, a question or a secret: a request is logged by the pattern of
its address, and an unexpected error by its kind and where it came from, without its message, which
may quote what was being worked on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import structlog
from structlog.typing import EventDict, WrappedLogger

Format = Literal["text", "json"]

REQUESTS = "footnote.requests"
"""Name of the logger that has a line for each request."""


def set_up(form: Format | None) -> None:
    """Set up the log.

    Args:
        form: None logs only what goes wrong, as text; otherwise each request is logged too.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.ExtraAdder(),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words,
    ]
    shown: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, shown],
        )
    )
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
    """What is logged inside the `with` has the id of this request."""
    with structlog.contextvars.bound_contextvars(**({"request": request} if request else {})):
        yield


def _without_words(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Put in place of an exception its kind and where it came from."""
    record = event.get("_record")
    given = event.pop("exc_info", None) or getattr(record, "exc_info", None)
    if record is not None:
        record.exc_info = record.exc_text = None
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = _kinds(error)
        event["at"] = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-12:]
        ]
    return event


def _kinds(error: BaseException) -> str:
    """The kinds of an error and of those that it came from."""
    names = [type(error).__name__]
    while (cause := error.__cause__ or error.__context__) is not None and len(names) < 5:
        names.append(type(cause).__name__)
        error = cause
    return " from ".join(names)
