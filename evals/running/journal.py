"""The journal of a run: an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from evals.running.records import Record
from index.errors import UnreadableError


class Journal:
    """The journal of one run, as a context; `records` are those of an earlier, interrupted run.

    One JSON line a question, appended as soon as the question is answered, in a file named by all
    that the answers depend on. A run that comes to its end removes its journal: the next run
    measures again.

    Args:
        folder: the place of journals; made if it is not there.
        depends: all that the answers depend on, as plain values; their hash names the file.

    Attributes:
        records: the records so far, by the question's id.

    Raises:
        UnreadableError: the folder cannot be written.
    """

    def __init__(self, folder: Path, depends: Mapping[str, Any]) -> None:
        key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:20]
        self._file = folder / f"{key}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self._file.open("a+", encoding="utf-8")
        except OSError as error:
            raise UnreadableError(
                f"The run cannot be kept in {folder} ({error.strerror}). Choose another "
                "--index-dir."
            ) from error
        self.records: dict[str, Record] = {}
        self._stream.seek(0)
        for line in self._stream:
            try:
                record = Record.from_dict(json.loads(line))
            except ValueError:
                continue  # a killed run may leave half a line: that question is asked again
            self.records[record.id] = record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is None:
            self._file.unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """Keep a record."""
        self.records[record.id] = record
        # A line break first: it ends the half line that a killed run may have left.
        self._stream.write("\n" + json.dumps(record.to_dict()) + "\n")
        self._stream.flush()
