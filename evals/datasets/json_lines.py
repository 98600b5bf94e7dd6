"""Reads JSON Lines files, and says which line is malformed."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from index.errors import QuestionSetError

Value = TypeVar("Value")


def read_text(path: Path) -> str:
    """Return the text of a file, which may be gzipped.

    Raises:
        QuestionSetError: it cannot be read, or is not UTF-8.
    """
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise QuestionSetError(f"{path} cannot be read: {reason}.") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise QuestionSetError(f"{path}:{line}: not UTF-8 ({error.reason}).") from error


def read_objects(path: Path, text: str | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the JSON objects of a JSON Lines file, each with its line number.

    Empty lines are skipped.

    Args:
        path: the file.
        text: its text, if it has been read already.

    Raises:
        QuestionSetError: a line is not a JSON object.
    """
    lines = (read_text(path) if text is None else text).split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as error:
            raise QuestionSetError(f"{path}:{number}: not JSON: {error}.") from error
        if not isinstance(data, dict):
            raise QuestionSetError(f"{path}:{number}: not a JSON object.")
        yield number, data


def validated(place: object, kind: type[Value], data: Any) -> Value:
    """Return plain values, or JSON as text, as what they must be.

    Args:
        place: where they stand, for the message of an error.
        kind: a dataclass or a model of pydantic.
        data: text, or values by name; a value that is None counts as missing.

    Raises:
        QuestionSetError: the values are invalid; names the first mistake.
    """
    wanted: Any = kind
    adapter: TypeAdapter[Value] = _adapter(wanted)
    try:
        if isinstance(data, str):
            return adapter.validate_json(data)
        return adapter.validate_python({n: own for n, own in data.items() if own is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        if first["type"] == "missing":
            raise QuestionSetError(f"{place}: there is no {where!r}.") from error
        given = repr(first["input"])[:200]
        raise QuestionSetError(f"{place}: {where} is {given}: {first['msg']}.") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
