"""Records kept while a run goes on, so that one that is interrupted goes on where it was.

One JSON line a question, appended as soon as it is answered, in a file named by all that the
answers depend on. A run that comes to its end takes its journal away: the next one measures anew.
Where several runs make a whole, each leaves its own until all are done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from evals.running.records import Record
from index.errors import UnreadableError


class Journal:
    """The journal of one run, as a context; `records` are those of an earlier, interrupted one.

    Args:
        folder: where journals lie; made when it is not there.
        depends: all that the answers depend on, as plain values; names the file by its hash.
        leave: whether it stays where the run comes to its end.

    Attributes:
        file: what it is kept in.
        records: so far, by the question's id.

    Raises:
        UnreadableError: the folder cannot be written.
    """

    def __init__(self, folder: Path, depends: Mapping[str, Any], leave: bool = False) -> None:
        key = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:20]
        self.file = folder / f"{key}.jsonl"
        self._leave = leave
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._stream = self.file.open("a+", encoding="utf-8")
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
                continue  # the last line of a killed run may be torn: that question is asked anew
            self.records[record.id] = record

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stream.close()
        if kind is None and not self._leave:
            self.file.unlink(missing_ok=True)

    def add(self, record: Record) -> None:
        """Keep a record."""
        self.records[record.id] = record
        # A line break first: it ends the torn line that a killed run may have left.
        self._stream.write("\n" + json.dumps(record.to_dict()) + "\n")
        self._stream.flush()
