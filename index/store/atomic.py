"""Files that are there whole or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path


def write_atomically(file: Path, content: str | bytes) -> None:
    """Write a file beside and rename: killed anywhere, the old or the new one is there."""
    # A name of its own: two threads or processes may write the same file at once.
    part = file.with_name(f".{file.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
