"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file beside and rename: killed anywhere, or without power, the old or the new one is
    there."""
    # A name of its own: two threads or processes may write the same file at once.
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as written:
            written.write(content if isinstance(content, bytes) else content.encode())
            written.flush()
            os.fsync(written.fileno())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
